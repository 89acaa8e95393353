#pragma once
#include "core/engine/discovery.h"
#include "core/source/postgresql/config.h"
#include <functional>
#include <stop_token>

namespace millrace::postgresql {

//! The staged test of a connection: dns, tcp, tls, login, privileges, server, read_only, clock, limits. Stages after the first failure
//! are reported as not reached.
TestReport testServer(const Config& config, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop);

} // namespace millrace::postgresql
