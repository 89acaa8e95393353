#pragma once
#include "core/base/clock.h"
#include "core/engine/target.h"

namespace millrace {

//! The embedded document store: one SQLite file that any SQLite client reads. Per container a table with `key` (text, primary key),
//! `doc` (JSON text) and `version`; what Millrace itself keeps there is in tables called _mr_*.
ConnectorSpec embeddedSpec();

//! Opens nothing yet: the file is made by the first write and looked at by the first call. `clock` is for leases and must outlive the
//! target; none: the system's.
Result<std::unique_ptr<Target>> openEmbedded(const ConnectionParams& params, const Clock* clock = nullptr);

} // namespace millrace
