#pragma once
#include "core/engine/discovery.h"
#include "core/target/search/client.h"
#include <functional>

namespace millrace::search {

//! The staged test of a connection: host name, network, encryption, login, server, cluster, privileges.
TestReport runStages(const ClusterPtr& cluster, const Clock& clock, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop);
ServerInfo serverInfo(const ServerFacts& facts);

} // namespace millrace::search
