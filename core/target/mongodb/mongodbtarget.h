#pragma once
#include "core/engine/connection.h"
#include "core/engine/target.h"
#include <memory>

namespace millrace {

//! MongoDB 4.4 and later over libmongoc: versioned bulk upserts by key, acknowledged by a majority and journaled unless the URL says
//! otherwise. Choices and figures: core/decisions/mongodb-writes.md.
ConnectorSpec mongodbSpec();

//! Checks the URL and nothing else: no connection is made before the first call that needs one. Fault::Config when the URL names no
//! database or an option is not MongoDB's.
Result<std::unique_ptr<Target>> openMongodb(const ConnectionParams& params);

} // namespace millrace
