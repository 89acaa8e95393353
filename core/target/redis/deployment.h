#pragma once
#include "core/engine/connection.h"
#include <chrono>
#include <memory>
#include <string>
#include <vector>

namespace millrace::redis {

//! Where the server is and how to log in: the URL, checked. Immutable and shared by all connections of a target.
struct Deployment {
    std::string name;                              //!< the connection's, for messages
    std::vector<std::pair<std::string, std::uint16_t>> hosts;   //!< the server, seeds of a cluster, or Sentinels
    std::string user;                              //!< empty: the default user
    Secret password;
    int database = 0;
    std::string sentinel;                          //!< the master's name among Sentinels, or empty
    bool mayEvict = false;                         //!< `eviction=accept`: the operator wants a cache
    TlsMode tls = TlsMode::Disable;
    std::string tlsCa, tlsCert, tlsKey;
    std::chrono::milliseconds connectTimeout{5'000}, requestTimeout{30'000};
    bool loopback = false;
    std::string where() const;                     //!< "host:port, host:port"
};
using DeploymentPtr = std::shared_ptr<const Deployment>;

Result<DeploymentPtr> makeDeployment(const ConnectionParams& params);

} // namespace millrace::redis
