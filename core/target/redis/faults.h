#pragma once
#include "core/target/redis/deployment.h"
#include <string_view>

namespace millrace::redis {

//! The server's error reply ("OOM command not allowed ...") by what can be done about it. An error that a script passes on is told by
//! its inner code.
Error faultOf(std::string_view words, const Deployment& deployment, std::string_view doing);
//! The code in front: "OOM", "MOVED", "NOSCRIPT"; of an error inside a script the inner one.
std::string_view errorCode(std::string_view words);
Error fault(Fault kind, std::string id, const Deployment& deployment, std::string_view doing, std::string_view words, std::string fix = {});
Error cancelled(std::string_view doing);

} // namespace millrace::redis
