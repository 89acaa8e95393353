#pragma once
#include "core/engine/source.h"
#include <memory>

namespace millrace {

//! The connector "postgresql", URL scheme postgres:// (postgresql:// is the same).
ConnectorSpec postgresqlSpec();

//! Checks the parameters; the server is not spoken to before the first call that needs it. URL options: see postgresqlSpec().
Result<std::unique_ptr<Source>> openPostgresql(const ConnectionParams& params);

} // namespace millrace
