#pragma once
#include "core/base/result.h"
#include "core/source/mysql/config.h"

namespace millrace::mysql {

//! A server or client error number as a fault with an id and, where one is known, a fix. The password is cut out of the words.
Error errorFrom(unsigned number, const char* words, const Config& config);

//! `'name'@'host'` as the server's message has it, else made from the configuration: for GRANT statements.
std::string accountIn(std::string_view message, const Config& config);

} // namespace millrace::mysql
