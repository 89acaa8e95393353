#pragma once
#include "core/base/result.h"
#include "core/engine/connection.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::test {

//! A private redis-server in a temporary folder, on a free loopback port; ended by its pid and removed with the object. The program is
//! $MILLRACE_TEST_REDIS, else Debian's: redis-tools has it under another name, and starts no service.
class RedisServer {
public:
    struct Options {
        std::vector<std::string> arguments;        //!< more options for redis-server
        std::string acl;                           //!< lines of an ACL file; empty: everybody may everything
        std::string user, password;                //!< of the client here, when `acl` closes the server
        std::string certificate, key, ca;          //!< PEM files: a second port that speaks TLS
        std::string sentinel;                      //!< configuration of a Sentinel, in place of a server
    };
    //! nullptr when there is no redis-server to be had; `reason` then says why, for QSKIP.
    static std::unique_ptr<RedisServer> start(std::string& reason, const Options& options);
    static std::unique_ptr<RedisServer> start(std::string& reason) { return start(reason, Options()); }
    ~RedisServer();
    RedisServer(const RedisServer&) = delete;

    std::uint16_t port() const { return m_port; }
    std::uint16_t tlsPort() const { return m_tlsPort; }
    std::uint16_t busPort() const { return m_busPort; }
    int pid() const { return m_pid; }
    ConnectionParams params(int database = 0) const;

    //! By hiredis' own client: the reply flattened to words; nil is nullopt. An error reply is an Error with its text.
    using Words = std::vector<std::optional<std::string>>;
    Result<Words> command(const std::vector<std::string>& arguments, int database = 0) const;

    void kill9();                                  //!< the process only
    bool restart(std::string& reason);             //!< on the same port

private:
    RedisServer() = default;
    bool launch(std::string& reason);
    void end(int signal);
    Options m_options;
    std::string m_program, m_folder;
    std::uint16_t m_port = 0, m_tlsPort = 0, m_busPort = 0;
    int m_pid = 0;
    mutable void* m_client = nullptr;
    mutable int m_database = 0;
};

//! Three primaries that share the slots.
class RedisCluster {
public:
    static std::unique_ptr<RedisCluster> start(std::string& reason);
    ConnectionParams params() const;
    RedisServer& node(std::size_t i) const { return *m_nodes[i]; }
    std::size_t nodes() const { return m_nodes.size(); }
    //! To the node that has the key's slot.
    Result<RedisServer::Words> command(const std::string& key, const std::vector<std::string>& arguments) const;
private:
    std::vector<std::unique_ptr<RedisServer>> m_nodes;
};

//! One primary, one replica, three Sentinels with a quorum of two.
class RedisSentinels {
public:
    static std::unique_ptr<RedisSentinels> start(std::string& reason);
    ConnectionParams params() const;
    RedisServer& server(std::size_t i) const { return *m_servers[i]; }   //!< 0: the first primary
    std::optional<std::uint16_t> primaryPort() const;                    //!< as the Sentinels say now
private:
    std::vector<std::unique_ptr<RedisServer>> m_servers, m_sentinels;
};

} // namespace millrace::test
