#pragma once
#include "core/target/redis/connection.h"
#include "core/target/redis/scripts.h"
#include <array>
#include <map>

namespace millrace::redis {

//! A way to all servers that hold the data: one, or the primaries of a cluster. Finds the primary among Sentinels, follows MOVED and ASK,
//! loads scripts where they are missing. Used by one thread.
class Link {
public:
    static Result<std::unique_ptr<Link>> open(DeploymentPtr deployment, std::stop_token stop = {});

    bool cluster() const { return m_cluster; }
    //! The slot to give with a command: what the key says in a cluster, -1 elsewhere.
    int slot(std::string_view key) const;
    //! One reply per command, in order; what the server refuses for good stands there as an error reply.
    Result<std::vector<Reply>> run(const Commands& commands, std::stop_token stop = {});
    //! One command; an error reply becomes an Error.
    Result<Reply> ask(int slot, std::initializer_list<std::string_view> arguments, std::string_view doing, std::stop_token stop = {});
    //! For what concerns a whole server (SCAN, INFO): the primaries, and a command to one of them.
    std::size_t servers() const { return m_primaries.size(); }
    Result<Reply> askServer(std::size_t server, std::initializer_list<std::string_view> arguments, std::string_view doing, std::stop_token stop = {});
    const Connection::Hello& hello() const { return m_hello; }
    std::string cipher() const;
    const DeploymentPtr& deployment() const { return m_deployment; }

private:
    explicit Link(DeploymentPtr deployment) : m_deployment(std::move(deployment)) {}
    Result<> connectFirst(std::stop_token stop);
    Result<> askSentinels(std::stop_token stop);
    Result<> readSlots(Connection& through, std::stop_token stop);
    Result<Connection*> server(const std::string& address, std::stop_token stop);
    Result<Connection*> serverOf(int slot, std::stop_token stop);
    Result<> loadScripts(Connection& on, const Commands& commands, const std::vector<std::size_t>& missing, std::stop_token stop);
    bool follow(std::string_view words, std::size_t command, std::map<std::size_t, std::string>& asked);

    const DeploymentPtr m_deployment;
    bool m_cluster = false;
    Connection::Hello m_hello;
    std::map<std::string, std::unique_ptr<Connection>> m_connections;    //!< by "host:port"
    std::vector<std::string> m_primaries;                                //!< the addresses; one when it is no cluster
    std::array<std::uint16_t, 16384> m_slots{};                          //!< slot -> index of m_primaries
};

} // namespace millrace::redis
