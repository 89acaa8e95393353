#pragma once
#include "core/engine/connection.h"
#include "core/engine/target.h"
#include <memory>

namespace millrace {

//! Redis 6 and later: a JSON string or a hash per row under `table:key`, its version in a companion key of the same slot, owned keys in
//! a registry; compare-version-and-set by a script. One server, a cluster, or what Sentinels name. Choices: core/decisions/0012-redis.md.
ConnectorSpec redisSpec();

//! Checks the URL and nothing else: no connection is made before the first call that needs one.
Result<std::unique_ptr<Target>> openRedis(const ConnectionParams& params);

} // namespace millrace
