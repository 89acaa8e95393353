#pragma once
#include "core/base/clock.h"
#include "core/engine/connection.h"
#include "core/engine/source.h"
#include <memory>

namespace millrace {

ConnectorSpec sqliteSpec();

//! A source on one SQLite file, read only. The file is looked at by the first call, not here, so that the staged test can say what is
//! wrong with it. `clock` bounds the polls; none: the system's.
Result<std::unique_ptr<Source>> openSqlite(const ConnectionParams& params, std::shared_ptr<const Clock> clock = nullptr);

} // namespace millrace
