#include "core/target/redis/stages.h"
#include "core/engine/teststages.h"
#include "core/target/redis/faults.h"
#include "core/target/redis/keys.h"
#include <netdb.h>
#include <sys/socket.h>

namespace millrace::redis {

namespace {

using Outcome = TestStage::Outcome;

class Stages {
public:
    Stages(DeploymentPtr deployment, const std::function<void(const TestStage&)>& done, std::stop_token stop) : m_deployment(std::move(deployment)), m_done(done), m_stop(std::move(stop)) {}

    TestReport run()
    {
        stage("dns", "Host name", [this](TestStage& s) { return dns(s); });
        stage("tcp", "Network", [this](TestStage& s) { return tcp(s); });
        stage("tls", "Encryption", [this](TestStage& s) { return tls(s); });
        stage("login", "Login", [this](TestStage& s) { return login(s); });
        stage("server", "Server", [this](TestStage& s) { return server(s); });
        stage("memory", "Memory", [this](TestStage& s) { return memory(s); });
        stage("persistence", "Persistence", [this](TestStage& s) { return persistence(s); });
        stage("privileges", "Privileges", [this](TestStage& s) { return privileges(s); });
        return std::move(m_report);
    }

private:
    template <class Check> void stage(const char* id, const char* label, Check check) { runStage(m_report, m_done, m_stop, cancelled("The test"), id, label, check); }

    Result<> dns(TestStage& s)
    {
        std::string problems;
        std::size_t found = 0;
        for (const auto& [host, port] : m_deployment->hosts) {
            addrinfo hints{}, *list = nullptr;
            hints.ai_socktype = SOCK_STREAM;
            if (const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list)) {
                problems += (problems.empty() ? "" : "; ") + host + ": " + gai_strerror(failed);
                continue;
            }
            ::freeaddrinfo(list);
            ++found;
        }
        if (found == 0)
            return Error{Fault::Network, "target.redis.unknown_host", problems, "Check the host name.", {}};
        s.found = std::to_string(found) + (found == 1 ? " host found" : " hosts found") + (problems.empty() ? "" : "; not found: " + problems);
        if (!problems.empty())
            s.outcome = Outcome::Warning;
        return {};
    }

    Result<> tcp(TestStage& s)
    {
        Deployment plain = *m_deployment;          // the network alone: encryption is the next stage's
        plain.tls = TlsMode::Disable;
        Error last;
        for (const auto& [host, port] : m_deployment->hosts) {
            auto socket = Socket::connect(plain, host, port, m_stop);
            if (socket) {
                s.found = "connected to " + host + ":" + std::to_string(port);
                return {};
            }
            last = std::move(socket).error();
        }
        return last;
    }

    Result<> tls(TestStage& s)
    {
        if (m_deployment->tls == TlsMode::Disable) {
            s.found = "not encrypted";
            if (!m_deployment->loopback) {
                s.outcome = Outcome::Warning;
                s.fix = "Use rediss:// when the server offers TLS.";
            }
            return {};
        }
        Error last;
        for (const auto& [host, port] : m_deployment->hosts) {
            auto socket = Socket::connect(*m_deployment, host, port, m_stop);
            if (!socket) {
                last = std::move(socket).error();
                continue;
            }
            s.found = "encrypted (" + socket->cipher() + ")";
            if (m_deployment->tls == TlsMode::Require) {
                s.found += "; the server's certificate is not checked";
                s.outcome = Outcome::Warning;
                s.fix = "Use tls=verify-full with tls_ca.";
            } else
                s.found += m_deployment->tls == TlsMode::VerifyFull ? "; certificate and host name checked" : "; certificate checked, host name not";
            return {};
        }
        return last;
    }

    Result<> login(TestStage& s)
    {
        auto link = Link::open(m_deployment, m_stop);
        if (!link)
            return link.error();
        m_link = std::move(*link);
        // a server with a password answers nothing before the login
        if (auto pong = m_link->askServer(0, {"PING"}, "logging in to " + m_deployment->where(), m_stop); !pong && pong.error().id == "target.redis.login")
            return pong.error();
        s.found = m_deployment->password.empty() ? "no login needed" : "logged in as " + (m_deployment->user.empty() ? "default" : m_deployment->user);
        if (m_deployment->password.empty() && !m_deployment->loopback) {
            s.outcome = Outcome::Warning;
            s.found += ": anybody who reaches this server can change its data";
        }
        return {};
    }

    Result<> server(TestStage& s)
    {
        const auto& hello = m_link->hello();
        m_report.server = {"redis", hello.version};
        s.found = "Redis " + hello.version;
        if (m_link->cluster()) s.found += ", cluster of " + std::to_string(m_link->servers()) + (m_link->servers() == 1 ? " primary" : " primaries");
        else if (!m_deployment->sentinel.empty()) s.found += ", primary " + m_deployment->sentinel + " named by Sentinel";
        else s.found += ", one server";
        if (m_link->cluster() && m_deployment->database > 0)
            return Error{Fault::Config, "target.redis.database", s.found + ": a cluster has only database 0", "Write redis://host/0.", {}};
        return {};
    }

    Result<> memory(TestStage& s)
    {
        for (std::size_t i = 0; i < m_link->servers(); ++i) {
            auto info = m_link->askServer(i, {"INFO", "memory"}, "asking for the eviction policy", m_stop);
            if (!info)
                return info.error();
            const std::string_view words = text(info->get());
            const std::string policy = infoField(words, "maxmemory_policy"), limit = infoField(words, "maxmemory_human");
            if (i == 0)
                s.found = (limit == "0B" || limit.empty() ? std::string("no limit") : "limit " + limit) + ", " + (policy.empty() ? "eviction policy unknown" : policy);
            if (policy.starts_with("allkeys-")) {
                s.outcome = Outcome::Warning;
                s.found = policy + ": the server may drop documents without a word";
                s.fix = m_deployment->mayEvict ? "eviction=accept says that this is a cache." : "CONFIG SET maxmemory-policy noeviction, or add eviction=accept to the URL when a cache is what you want.";
                return {};
            }
        }
        return {};
    }

    Result<> persistence(TestStage& s)
    {
        auto info = m_link->askServer(0, {"INFO", "persistence"}, "asking for persistence", m_stop);
        if (!info)
            return info.error();
        const std::string_view words = text(info->get());
        const bool log = infoField(words, "aof_enabled") == "1";
        s.found = log ? "append-only file" : "snapshots at most: a crash loses what came after the last one";
        if (!log) {
            s.outcome = Outcome::Warning;
            s.fix = "CONFIG SET appendonly yes, if documents must outlive a crash of the server.";
        }
        if (infoField(words, "rdb_last_bgsave_status") == "err" || infoField(words, "aof_last_write_status") == "err") {
            s.outcome = Outcome::Warning;
            s.found += "; the last save failed";
            s.fix = "See the server's log.";
        }
        return {};
    }

    Result<> privileges(TestStage& s)
    {
        const std::string key = "_mr:probe";
        Commands commands;
        const int slot = m_link->slot(key);
        commands.add(slot, {"EVALSHA", guardedScript().sha1, "1", key, "", "0", "3", "SADD", key, "1", "2", "SMEMBERS", key, "2", "DEL", key});
        auto replies = m_link->run(commands, m_stop);
        if (!replies)
            return replies.error();
        if (isError(replies->front().get()))
            return faultOf(text(replies->front().get()), *m_deployment, "trying to write " + key);
        auto found = m_link->askServer(0, {"SCAN", "0", "MATCH", "_mr:*", "COUNT", "1"}, "trying to look for keys", m_stop);
        if (!found)
            return found.error();
        s.found = "may run scripts and write _mr:*; the keys of tables are tried by the first run";
        return {};
    }

    DeploymentPtr m_deployment;
    const std::function<void(const TestStage&)>& m_done;
    std::stop_token m_stop;
    TestReport m_report;
    std::unique_ptr<Link> m_link;
};

} // namespace

std::string infoField(std::string_view info, std::string_view name)
{
    const std::string wanted = "\n" + std::string(name) + ":";
    const auto at = info.find(wanted);
    if (at == std::string_view::npos)
        return {};
    const auto from = at + wanted.size();
    return std::string(info.substr(from, info.find_first_of("\r\n", from) - from));
}

TestReport runStages(const DeploymentPtr& deployment, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop)
{
    return Stages(deployment, stageDone, std::move(stop)).run();
}

} // namespace millrace::redis
