#pragma once
#include "core/engine/target.h"

namespace millrace {

//! Encodes every row to JSON, counts it and lets it go: for rehearsals and for measuring sources alone.
ConnectorSpec nullSpec();
Result<std::unique_ptr<Target>> openNull(const ConnectionParams& params);

} // namespace millrace
