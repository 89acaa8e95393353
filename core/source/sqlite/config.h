#pragma once
#include "core/engine/connection.h"

namespace millrace::sqlitesource {

struct Config { std::string path; std::chrono::milliseconds busyTimeout{5000}; };

Result<Config> readConfig(const ConnectionParams& params);

} // namespace millrace::sqlitesource
