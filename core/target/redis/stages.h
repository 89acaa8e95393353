#pragma once
#include "core/engine/target.h"
#include "core/target/redis/link.h"

namespace millrace::redis {

//! The staged test of a connection.
TestReport runStages(const DeploymentPtr& deployment, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop);
//! A field of an INFO answer, or empty.
std::string infoField(std::string_view info, std::string_view name);

} // namespace millrace::redis
