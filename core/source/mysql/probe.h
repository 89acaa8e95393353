#pragma once
#include "core/source/mysql/config.h"
#include <stop_token>
#include <string>
#include <vector>

namespace millrace::mysql {

//! What a server says before any login.
struct Greeting { std::string version; bool offersTls = false; };

Result<std::vector<std::string>> resolve(const Config& config);      //!< the addresses, as text
//! Connects, reads the greeting and hangs up. Ends within the connect time-out, or at once when `stop` is requested.
Result<Greeting> greet(const Config& config, std::stop_token stop);

} // namespace millrace::mysql
