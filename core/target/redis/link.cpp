#include "core/target/redis/link.h"
#include "core/target/redis/faults.h"
#include "core/target/redis/keys.h"
#include <algorithm>
#include <charconv>
#include <thread>

namespace millrace::redis {

namespace {

constexpr unsigned mostRounds = 20;                // of following moved slots, before somebody else must look

std::pair<std::string, std::uint16_t> parted(const std::string& address)
{
    const auto colon = address.rfind(':');
    std::uint16_t port = 0;
    std::from_chars(address.data() + colon + 1, address.data() + address.size(), port);
    return {address.substr(0, colon), port};
}

std::string joined(std::string_view host, std::string_view port) { return std::string(host) + ":" + std::string(port); }

} // namespace

Result<std::unique_ptr<Link>> Link::open(DeploymentPtr deployment, std::stop_token stop)
{
    std::unique_ptr<Link> out(new Link(std::move(deployment)));
    if (auto done = out->m_deployment->sentinel.empty() ? out->connectFirst(stop) : out->askSentinels(stop); !done)
        return done.error();
    return out;
}

Result<> Link::connectFirst(std::stop_token stop)
{
    Error last;
    for (const auto& [host, port] : m_deployment->hosts) {
        auto connection = Connection::open(m_deployment, host, port, Connection::Login::Full, stop);
        if (!connection) {
            last = std::move(connection).error();
            if (last.fault == Fault::Cancelled || last.fault == Fault::Auth)
                break;
            continue;                              // a cluster answers through any of its nodes
        }
        m_hello = (*connection)->hello();
        if (m_hello.mode == "sentinel")
            return fault(Fault::Config, "sentinel", *m_deployment, (*connection)->where(), "this is a Sentinel", "Name the primary that it watches: ?sentinel=mymaster");
        m_cluster = m_hello.mode == "cluster";
        if (m_cluster)
            return readSlots(**connection, stop);
        if (m_hello.role == "replica" || m_hello.role == "slave") {
            last = fault(Fault::Network, "not_primary", *m_deployment, (*connection)->where(), "this server is a replica", "Connect to the primary, or name it through Sentinels (sentinel=).");
            continue;
        }
        const std::string address = (*connection)->where();
        m_primaries = {address};
        m_connections[address] = std::move(*connection);
        return {};
    }
    return last;
}

Result<> Link::askSentinels(std::stop_token stop)
{
    Error last;
    for (const auto& [host, port] : m_deployment->hosts) {
        auto sentinel = Connection::open(m_deployment, host, port, Connection::Login::None, stop);
        if (!sentinel) {
            last = std::move(sentinel).error();
            if (last.fault == Fault::Cancelled)
                break;
            continue;
        }
        if ((*sentinel)->hello().mode != "sentinel") {
            last = fault(Fault::Config, "sentinel", *m_deployment, (*sentinel)->where(), "this server is no Sentinel", "Name Sentinels as hosts (port 26379), or leave sentinel= out.");
            break;
        }
        auto reply = (*sentinel)->ask({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", m_deployment->sentinel}, stop);
        if (!reply) {
            last = std::move(reply).error();
            continue;
        }
        const redisReply* found = reply->get();
        if (isError(found)) {
            last = faultOf(text(found), *m_deployment, "asking the Sentinel " + (*sentinel)->where());
            continue;
        }
        if (found->type != REDIS_REPLY_ARRAY || found->elements != 2) {
            last = fault(Fault::Config, "sentinel", *m_deployment, (*sentinel)->where(), "the Sentinel watches no primary called " + m_deployment->sentinel, "Check sentinel=.");
            continue;
        }
        const std::string address = joined(text(found->element[0]), text(found->element[1]));
        const auto [primaryHost, primaryPort] = parted(address);
        auto connection = Connection::open(m_deployment, primaryHost, primaryPort, Connection::Login::Full, stop);
        if (!connection) {
            last = std::move(connection).error();
            if (last.fault == Fault::Cancelled || last.fault == Fault::Auth)
                break;
            continue;
        }
        m_hello = (*connection)->hello();
        if (m_hello.role != "master") {
            // the switch is under way: this Sentinel has not heard of it, or the new primary not yet
            last = fault(Fault::Network, "not_primary", *m_deployment, address, "Sentinel names this server, but it is no primary now", "Wait for the switch to end.");
            continue;
        }
        m_primaries = {address};
        m_connections[address] = std::move(*connection);
        return {};
    }
    return last;
}

Result<> Link::readSlots(Connection& through, std::stop_token stop)
{
    auto reply = through.ask({"CLUSTER", "SLOTS"}, stop);
    if (!reply)
        return reply.error();
    if (isError(reply->get()))
        return faultOf(text(reply->get()), *m_deployment, "asking for the cluster's slots");
    m_primaries.clear();
    std::vector<bool> covered(slotCount, false);
    for (std::size_t i = 0; i < (*reply)->elements; ++i) {
        const redisReply* range = (*reply)->element[i];
        if (range->type != REDIS_REPLY_ARRAY || range->elements < 3 || range->element[2]->elements < 2)
            continue;
        std::string_view host = text(range->element[2]->element[0]);
        const std::string address = host.empty() ? joined(parted(through.where()).first, std::to_string(range->element[2]->element[1]->integer))
                                                 : joined(host, std::to_string(range->element[2]->element[1]->integer));
        auto at = std::find(m_primaries.begin(), m_primaries.end(), address);
        if (at == m_primaries.end())
            at = m_primaries.insert(at, address);
        const auto index = static_cast<std::uint16_t>(at - m_primaries.begin());
        for (long long s = std::max(0LL, range->element[0]->integer); s <= std::min<long long>(slotCount - 1, range->element[1]->integer); ++s) {
            m_slots[static_cast<std::size_t>(s)] = index;
            covered[static_cast<std::size_t>(s)] = true;
        }
    }
    if (m_primaries.empty() || std::find(covered.begin(), covered.end(), false) != covered.end())
        return fault(Fault::Network, "cluster_down", *m_deployment, through.where(), "the cluster has slots without a primary", "See CLUSTER INFO.");
    return {};
}

Result<Connection*> Link::server(const std::string& address, std::stop_token stop)
{
    auto& entry = m_connections[address];
    if (!entry) {
        const auto [host, port] = parted(address);
        auto opened = Connection::open(m_deployment, host, port, Connection::Login::Full, stop);
        if (!opened)
            return opened.error();
        entry = std::move(*opened);
    }
    return entry.get();
}

Result<Connection*> Link::serverOf(int slot, std::stop_token stop)
{
    return server(slot < 0 || !m_cluster ? m_primaries.front() : m_primaries[m_slots[static_cast<std::size_t>(slot)]], stop);
}

int Link::slot(std::string_view key) const { return m_cluster ? slotOf(key) : -1; }

//! A server that does not know a script (just started, or a replica that took over) gets it; the commands follow again.
Result<> Link::loadScripts(Connection& on, const Commands& commands, const std::vector<std::size_t>& missing, std::stop_token stop)
{
    for (const Script* script : {&writeScript(), &writeHashScript(), &sweepScript(), &promoteScript(), &guardedScript(), &beatScript(), &acquireScript()}) {
        // the digest stands right behind EVALSHA
        if (std::none_of(missing.begin(), missing.end(), [&](std::size_t i) { return commands.bytesOf(i).substr(0, 100).find(script->sha1) != std::string_view::npos; }))
            continue;
        auto loaded = on.ask({"SCRIPT", "LOAD", script->text}, stop);
        if (!loaded)
            return loaded.error();
        if (isError(loaded->get()))
            return faultOf(text(loaded->get()), *m_deployment, "loading a script");
    }
    return {};
}

//! True when the command is to be sent again, somewhere else or a moment later.
bool Link::follow(std::string_view words, std::size_t command, std::map<std::size_t, std::string>& asked)
{
    const std::string_view code = words.substr(0, words.find(' '));
    if (code == "TRYAGAIN")
        return true;
    if ((code != "MOVED" && code != "ASK") || !m_cluster)
        return false;
    // "MOVED 3999 127.0.0.1:6381"
    const auto first = words.find(' '), second = words.find(' ', first + 1);
    if (second == std::string_view::npos)
        return false;
    int slot = 0;
    std::from_chars(words.data() + first + 1, words.data() + second, slot);
    std::string address(words.substr(second + 1));
    if (address.starts_with(':'))                  // the node knows its own port alone
        address.insert(0, m_deployment->hosts.front().first);
    if (code == "ASK") {
        asked[command] = address;
        return true;
    }
    auto at = std::find(m_primaries.begin(), m_primaries.end(), address);
    if (at == m_primaries.end())
        at = m_primaries.insert(at, address);
    m_slots[static_cast<std::size_t>(std::clamp(slot, 0, slotCount - 1))] = static_cast<std::uint16_t>(at - m_primaries.begin());
    return true;
}

Result<std::vector<Reply>> Link::run(const Commands& commands, std::stop_token stop)
{
    std::vector<Reply> out(commands.size());
    std::vector<std::size_t> pending(commands.size());
    for (std::size_t i = 0; i < pending.size(); ++i)
        pending[i] = i;
    std::map<std::size_t, std::string> asked;
    for (unsigned round = 0; !pending.empty(); ++round) {
        if (round > 1)                             // slots are on their way
            std::this_thread::sleep_for(std::chrono::milliseconds(std::min(10u << round, 200u)));
        std::map<Connection*, std::vector<std::size_t>> parts;
        for (const std::size_t i : pending) {
            const auto other = asked.find(i);
            auto to = other != asked.end() ? server(other->second, stop) : serverOf(commands.entries()[i].slot, stop);
            if (!to)
                return to.error();
            parts[*to].push_back(i);
        }
        pending.clear();
        for (auto& [connection, indices] : parts) {
            std::vector<Reply> replies;
            std::string joinedBytes;
            std::string_view bytes = commands.bytes();
            std::vector<std::size_t> answers;      // which reply belongs to which command; ASKING has one of its own
            std::size_t extra = 0;
            if (indices.size() != commands.size() || !asked.empty()) {
                for (const std::size_t i : indices) {
                    if (asked.contains(i)) {
                        joinedBytes += "*1\r\n$6\r\nASKING\r\n";
                        ++extra;
                    }
                    answers.push_back(answers.size() + extra);
                    joinedBytes += commands.bytesOf(i);
                }
                bytes = joinedBytes;
            }
            if (auto done = connection->exchange(bytes, indices.size() + extra, replies, stop); !done)
                return done.error();
            std::vector<std::size_t> scriptless;
            for (std::size_t n = 0; n < indices.size(); ++n) {
                const std::size_t i = indices[n];
                Reply& reply = replies[answers.empty() ? n : answers[n]];
                asked.erase(i);
                if (isError(reply.get()) && round < mostRounds) {
                    if (errorCode(text(reply.get())) == "NOSCRIPT") {
                        scriptless.push_back(i);
                        continue;
                    }
                    if (follow(text(reply.get()), i, asked)) {
                        pending.push_back(i);
                        continue;
                    }
                }
                out[i] = std::move(reply);
            }
            if (!scriptless.empty())
                if (auto loaded = loadScripts(*connection, commands, scriptless, stop); !loaded)
                    return loaded.error();
            pending.insert(pending.end(), scriptless.begin(), scriptless.end());
        }
        std::sort(pending.begin(), pending.end());           // order per key holds: one key, one slot, one order
    }
    return out;
}

Result<Reply> Link::ask(int slot, std::initializer_list<std::string_view> arguments, std::string_view doing, std::stop_token stop)
{
    Commands commands;
    commands.add(slot, arguments);
    auto replies = run(commands, stop);
    if (!replies)
        return replies.error();
    Reply& reply = replies->front();
    if (isError(reply.get()))
        return faultOf(text(reply.get()), *m_deployment, doing);
    return std::move(reply);
}

Result<Reply> Link::askServer(std::size_t index, std::initializer_list<std::string_view> arguments, std::string_view doing, std::stop_token stop)
{
    auto to = server(m_primaries[index], stop);
    if (!to)
        return to.error();
    auto reply = (*to)->ask(arguments, stop);
    if (!reply)
        return reply;
    if (isError(reply->get()))
        return faultOf(text(reply->get()), *m_deployment, doing);
    return reply;
}

std::string Link::cipher() const
{
    for (const auto& [address, connection] : m_connections)
        if (connection)
            return connection->cipher();
    return {};
}

} // namespace millrace::redis
