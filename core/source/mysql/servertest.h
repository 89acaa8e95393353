#pragma once
#include "core/engine/discovery.h"
#include "core/source/mysql/config.h"
#include <functional>
#include <stop_token>

namespace millrace::mysql {

//! The staged test of a connection: dns, tcp, tls, login, privileges, server, read_only, clock, packet. Stages after the first failure
//! are reported as not reached.
TestReport testServer(const Config& config, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop);

} // namespace millrace::mysql
