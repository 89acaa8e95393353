#pragma once
#include "core/engine/discovery.h"
#include "core/target/mongodb/client.h"
#include <functional>
#include <stop_token>

namespace millrace::mongodb {

//! The staged test: dns, tcp, tls, login, server, write_concern, privileges. It writes nothing.
TestReport runStages(const DeploymentPtr& deployment, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop);

//! Version and kind of the server behind a connection.
Result<ServerInfo> serverInfo(const Client& client);

} // namespace millrace::mongodb
