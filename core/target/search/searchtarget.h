#pragma once
#include "core/base/clock.h"
#include "core/engine/target.h"

namespace millrace {

//! Elasticsearch (7 to 9) and OpenSearch (1 to 3): one room, because their document and bulk interfaces are one. Each table lands in an
//! index of its own behind an alias of the table's name, with an explicit strict mapping; what Millrace itself keeps there is in the
//! index `millrace-registry`, what other tools read of the last sync in `millrace-sync-metadata`.
ConnectorSpec elasticsearchSpec();
ConnectorSpec opensearchSpec();

//! Opens nothing yet. `clock` is for waiting and for the stamp in index names and must outlive the target; none: the system's.
Result<std::unique_ptr<Target>> openSearch(const ConnectionParams& params, const Clock* clock = nullptr);

} // namespace millrace
