#pragma once
#include "core/engine/source.h"
#include <memory>

namespace millrace {

//! The connectors "mysql" and "mariadb": one implementation, two names, because operators look for either.
ConnectorSpec mysqlSpec(bool mariadb);

//! Checks the parameters; the server is not spoken to before the first call that needs it. URL options and schemes: see mysqlSpec().
Result<std::unique_ptr<Source>> openMysql(const ConnectionParams& params);

} // namespace millrace
