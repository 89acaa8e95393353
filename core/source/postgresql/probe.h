#pragma once
#include "core/source/postgresql/config.h"
#include <stop_token>
#include <vector>

namespace millrace::postgresql {

//! The addresses behind the host, as text; empty for a socket.
Result<std::vector<std::string>> resolve(const Config& config);

//! Connects and asks whether TLS is offered (SSLRequest; protocol manual, "SSL Session Encryption"), then hangs up: nothing of the
//! login is sent. Fault::Network when nobody answers, or somebody who is no PostgreSQL.
struct Answer { bool offersTls = false; };
Result<Answer> probe(const Config& config, std::stop_token stop);

} // namespace millrace::postgresql
