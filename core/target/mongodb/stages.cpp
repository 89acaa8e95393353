#include "core/target/mongodb/stages.h"
#include "core/engine/teststages.h"
#include "core/base/text.h"
#include <charconv>
#include <cstring>
#include <netdb.h>
#include <set>
#include <sys/socket.h>

namespace millrace::mongodb {

namespace {

using Outcome = TestStage::Outcome;
using Addresses = std::unique_ptr<addrinfo, Freed<freeaddrinfo>>;

std::string count(std::size_t n, const std::string& one, const std::string& many) { return std::to_string(n) + " " + (n == 1 ? one : many); }

class Stages {
public:
    Stages(DeploymentPtr deployment, const std::function<void(const TestStage&)>& done, std::stop_token stop)
        : m_deployment(std::move(deployment)), m_done(done), m_stop(stop) {}

    TestReport run()
    {
        stage("dns", "Host name", [this](TestStage& s) { return dns(s); });
        stage("tcp", "Network", [this](TestStage& s) { return tcp(s); });
        stage("tls", "Encryption", [this](TestStage& s) { return tls(s); });
        stage("login", "Login", [this](TestStage& s) { return login(s); });
        stage("server", "Server", [this](TestStage& s) { return server(s); });
        stage("write_concern", "Write concern", [this](TestStage& s) { return writeConcern(s); });
        stage("privileges", "Privileges", [this](TestStage& s) { return privileges(s); });
        return std::move(m_report);
    }

private:
    template <class Check> void stage(const char* id, const char* label, Check check) { runStage(m_report, m_done, m_stop, cancelled("The test"), id, label, check); }

    bool srv() const { return m_deployment->url.scheme == "mongodb+srv"; }

    Result<> dns(TestStage& s)
    {
        if (srv()) {
            s.found = "the driver asks for the SRV record of " + m_deployment->url.host();
            return {};
        }
        std::string problems;
        for (const auto& [host, port] : m_deployment->url.hosts) {
            addrinfo hints{}, *found = nullptr;
            hints.ai_socktype = SOCK_STREAM;
            if (host.starts_with('/'))
                continue;
            const int failed = getaddrinfo(host.c_str(), std::to_string(port ? port : 27017).c_str(), &hints, &found);
            if (failed)
                problems += (problems.empty() ? "" : "; ") + host + ": " + gai_strerror(failed);
            else
                m_addresses.emplace_back(found);
        }
        if (m_addresses.empty() && !problems.empty())
            return Error{Fault::Network, "target.mongodb.unknown_host", problems, "Check the host name.", {}};
        s.found = count(m_addresses.size(), "host found", "hosts found") + (problems.empty() ? "" : "; not found: " + problems);
        if (!problems.empty())
            s.outcome = Outcome::Warning;
        return {};
    }

    // Before the driver tries: it hides a refused connection behind its server selection.
    Result<> tcp(TestStage& s)
    {
        if (srv() || m_addresses.empty()) {
            s.found = "tried with the next stage";
            return {};
        }
        std::string problems;
        for (const auto& address : m_addresses)
            for (const addrinfo* a = address.get(); a; a = a->ai_next) {
                mongoc_socket_t* socket = mongoc_socket_new(a->ai_family, a->ai_socktype, a->ai_protocol);
                if (!socket)
                    continue;
                const int failed = mongoc_socket_connect(socket, a->ai_addr, static_cast<mongoc_socklen_t>(a->ai_addrlen), bson_get_monotonic_time() + 5'000'000);
                const int code = mongoc_socket_errno(socket);
                mongoc_socket_destroy(socket);
                if (!failed) {
                    s.found = "connected";
                    return {};
                }
                problems = code ? std::strerror(code) : "no answer within 5 s";
            }
        return Error{Fault::Network, "target.mongodb.unreachable", m_deployment->where() + ": " + problems,
                     "Check host and port, that mongod runs there, that it listens on this address (bindIp), and the firewall between.", {}};
    }

    Result<> tls(TestStage& s)
    {
        auto client = Client::connect(m_deployment, Client::Purpose::Stages);
        if (!client)
            return client.error();
        Bson hello;
        hello.int32("hello", 1);
        auto reply = (*client)->read(hello, "connecting to " + m_deployment->where(), "admin");
        if (!reply)
            return reply.error();
        switch (m_deployment->tls) {
        case TlsMode::Disable:
            s.found = "not encrypted";
            if (!m_deployment->url.loopback()) {
                s.outcome = Outcome::Warning;
                s.fix = "Add tls=verify-full to the URL when the server offers TLS.";
            }
            break;
        case TlsMode::Require:
            s.found = "encrypted; the server's certificate is not checked";
            s.outcome = Outcome::Warning;
            s.fix = "Use tls=verify-full with tls_ca.";
            break;
        case TlsMode::VerifyCa: s.found = "encrypted; certificate checked, host name not"; break;
        case TlsMode::VerifyFull: s.found = "encrypted; certificate and host name checked"; break;
        }
        return {};
    }

    Result<> login(TestStage& s)
    {
        auto client = Client::connect(m_deployment, Client::Purpose::Write);
        if (!client)
            return client.error();
        m_client = std::move(*client);
        Bson command;
        command.int32("listCollections", 1).flag("nameOnly", true).flag("authorizedCollections", true);
        auto reply = m_client->read(command, "logging in to " + m_deployment->where());
        if (!reply && reply.error().id == "target.mongodb.privilege" && m_deployment->url.user.empty())
            return Error{Fault::Auth, "target.mongodb.login", "The server requires a login: " + reply.error().detail, "Give user and password.", {}};
        if (!reply && reply.error().id != "target.mongodb.privilege")
            return reply.error();
        s.found = m_deployment->url.user.empty() ? "no login needed" : "logged in as " + m_deployment->url.user;
        if (m_deployment->url.user.empty() && !m_deployment->url.loopback() && !m_deployment->url.options.contains("authMechanism")) {
            s.outcome = Outcome::Warning;
            s.found += ": anybody who reaches this server can change its data";
        }
        return {};
    }

    Result<> server(TestStage& s)
    {
        auto info = serverInfo(*m_client);
        if (!info)
            return info.error();
        m_report.server = *info;
        Bson command;
        command.int32("hello", 1);
        auto hello = m_client->read(command, "asking the server what it is", "admin");
        if (!hello)
            return hello.error();
        bson_iter_t iter, hosts, each;
        if (bson_iter_init_find(&iter, hello->get(), "hosts") && bson_iter_recurse(&iter, &hosts))
            for (each = hosts; bson_iter_next(&each);) ++m_members;
        const std::string set = hello->textAt("setName");
        s.found = "MongoDB " + info->version;
        if (!set.empty()) s.found += ", replica set " + set + " of " + count(m_members, "member", "members");
        else if (hello->textAt("msg") == "isdbgrid") s.found += ", sharded cluster";
        else s.found += ", no replica set";
        if (!hello->flagAt("isWritablePrimary"))
            return Error{Fault::Network, "target.mongodb.not_primary", s.found + ": this member is not the primary.", "Name the replica set (replicaSet=...), so that the driver finds its primary.", {}};
        if (hello->numberAt("maxWireVersion") < 9)
            return Error{Fault::Config, "target.mongodb.too_old", s.found + " is older than 4.4.", "Upgrade the server.", {}};
        if (set.empty() && hello->textAt("msg") != "isdbgrid") {
            s.outcome = Outcome::Warning;
            s.fix = "Run it as a replica set of one member, so that writes are retried after a lost connection.";
        }
        return {};
    }

    Result<> writeConcern(TestStage& s)
    {
        const std::string& w = m_deployment->writeConcern;
        std::size_t members = 0;
        const auto parsed = std::from_chars(w.data(), w.data() + w.size(), members);
        if (parsed.ec == std::errc() && m_members > 0 && members > m_members)
            return Error{Fault::Config, "target.mongodb.write_concern", "w=" + w + ", but the replica set has " + count(m_members, "member", "members") + ".", "Use w=majority.", {}};
        s.found = "w=" + w + (m_deployment->journal ? ", journaled" : ", not journaled");
        if (w != "majority" || !m_deployment->journal) {
            s.outcome = Outcome::Warning;
            s.fix = "w=majority with journal=true survives a failover and a power cut.";
        }
        return {};
    }

    Result<> privileges(TestStage& s)
    {
        Bson command;
        command.int32("connectionStatus", 1).flag("showPrivileges", true);
        auto status = m_client->read(command, "asking for privileges");
        if (!status)
            return status.error();
        bson_iter_t iter, list, privilege;
        if (!status->has("authInfo.authenticatedUsers.0")) {
            s.found = "access control is off";
            return {};
        }
        std::set<std::string> missing = {"find", "insert", "update", "remove", "createCollection", "createIndex", "dropCollection", "listCollections", "renameCollectionSameDB"};
        if (bson_iter_init(&iter, status->get()) && bson_iter_find_descendant(&iter, "authInfo.authenticatedUserPrivileges", &list) && bson_iter_recurse(&list, &privilege))
            while (bson_iter_next(&privilege))
                grant(privilege, missing);
        if (!missing.empty())
            return Error{Fault::Auth, "target.mongodb.privilege", "The user may not: " + join({missing.begin(), missing.end()}, ", ") + ".",
                         "db.grantRolesToUser(\"" + m_deployment->url.user + "\", [{role: \"readWrite\", db: \"" + m_deployment->database + "\"}])", {}};
        s.found = "may read and write " + m_deployment->database;
        return {};
    }

    void grant(const bson_iter_t& privilege, std::set<std::string>& missing) const
    {
        bson_iter_t field, part;
        bool here = false;
        if (!BSON_ITER_HOLDS_DOCUMENT(&privilege) || !bson_iter_recurse(&privilege, &field))
            return;
        while (bson_iter_next(&field)) {
            if (BSON_ITER_IS_KEY(&field, "resource") && bson_iter_recurse(&field, &part)) {
                std::string database = "?", collection = "?";
                while (bson_iter_next(&part)) {
                    if (BSON_ITER_IS_KEY(&part, "anyResource")) here = bson_iter_as_bool(&part);
                    if (BSON_ITER_IS_KEY(&part, "db") && BSON_ITER_HOLDS_UTF8(&part)) database = bson_iter_utf8(&part, nullptr);
                    if (BSON_ITER_IS_KEY(&part, "collection") && BSON_ITER_HOLDS_UTF8(&part)) collection = bson_iter_utf8(&part, nullptr);
                }
                here = here || ((database.empty() || database == m_deployment->database) && collection.empty());
            }
            if (here && BSON_ITER_IS_KEY(&field, "actions") && bson_iter_recurse(&field, &part))
                while (bson_iter_next(&part))
                    if (BSON_ITER_HOLDS_UTF8(&part)) {
                        const std::string action = bson_iter_utf8(&part, nullptr);
                        if (action == "anyAction") missing.clear();
                        missing.erase(action);
                    }
        }
    }

    DeploymentPtr m_deployment;
    const std::function<void(const TestStage&)>& m_done;
    std::stop_token m_stop;
    TestReport m_report;
    std::vector<Addresses> m_addresses;
    std::unique_ptr<Client> m_client;
    std::size_t m_members = 0;
};

} // namespace

TestReport runStages(const DeploymentPtr& deployment, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop)
{
    return Stages(deployment, stageDone, stop).run();
}

Result<ServerInfo> serverInfo(const Client& client)
{
    Bson command;
    command.int32("buildInfo", 1);
    auto reply = client.read(command, "asking for the server's version", "admin");
    if (!reply)
        return reply.error();
    return ServerInfo{"mongodb", reply->textAt("version")};
}

} // namespace millrace::mongodb
