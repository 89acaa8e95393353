#include "core/target/search/stages.h"
#include "core/engine/teststages.h"
#include "core/target/search/mapping.h"
#include <netdb.h>
#include <sys/socket.h>

namespace millrace::search {

namespace {

using Outcome = TestStage::Outcome;

class Stages {
public:
    Stages(ClusterPtr cluster, const Clock& clock, const std::function<void(const TestStage&)>& done, std::stop_token stop)
        : m_cluster(std::move(cluster)), m_client(m_cluster), m_clock(clock), m_done(done), m_stop(std::move(stop)) {}

    TestReport run()
    {
        stage("dns", "Host name", [this](TestStage& s) { return dns(s); });
        stage("tcp", "Network", [this](TestStage& s) { return network(s); });
        stage("tls", "Encryption", [this](TestStage& s) { return encryption(s); });
        stage("login", "Login", [this](TestStage& s) { return login(s); });
        stage("server", "Server", [this](TestStage& s) { return server(s); });
        stage("cluster", "Cluster", [this](TestStage& s) { return health(s); });
        stage("privileges", "Privileges", [this](TestStage& s) { return privileges(s); });
        return std::move(m_report);
    }

private:
    template <class Check> void stage(const char* id, const char* label, Check check) { runStage(m_report, m_done, m_stop, m_cluster->cancelled("The test"), id, label, check); }

    Result<> dns(TestStage& s)
    {
        addrinfo hints{}, *found = nullptr;
        hints.ai_socktype = SOCK_STREAM;
        const std::string& host = m_cluster->url.host();
        if (const int failed = getaddrinfo(host.c_str(), nullptr, &hints, &found))
            return m_cluster->error(Fault::Network, "unknown_host", host + ": " + gai_strerror(failed), "Check the host name.");
        freeaddrinfo(found);
        s.found = host;
        return {};
    }

    // One request answers three questions; its refusal belongs to the stage that it is about.
    Result<> network(TestStage& s)
    {
        auto answer = m_client.ask("GET", "/", {}, Http::Body::None, "connecting to " + m_cluster->where(), m_stop);
        if (!answer && !answer.error().id.ends_with(".tls") && !answer.error().id.ends_with(".tls_handshake"))
            return answer.error();
        m_first = std::move(answer);
        s.found = "connected";
        return {};
    }

    Result<> encryption(TestStage& s)
    {
        if (!*m_first)
            return m_first->error();
        switch (m_cluster->tls) {
        case TlsMode::Disable:
            s.found = "not encrypted";
            if (!m_cluster->url.loopback()) {
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
        const Answer& answer = **m_first;
        if (answer.status != 200)
            return faultOf(*m_cluster, answer, "logging in to " + m_cluster->where());
        const bool anonymous = m_cluster->password.empty() && m_cluster->apiKey.empty() && m_cluster->token.empty();
        s.found = anonymous ? "no login needed" : !m_cluster->apiKey.empty() ? "logged in by API key" : !m_cluster->token.empty() ? "logged in by token" : "logged in as " + m_cluster->url.user;
        if (anonymous && !m_cluster->url.loopback()) {
            s.outcome = Outcome::Warning;
            s.found += ": anybody who reaches this server can change its data";
        }
        return {};
    }

    Result<> server(TestStage& s)
    {
        auto facts = m_client.facts(m_stop);
        if (!facts)
            return facts.error();
        m_report.server = serverInfo(*facts);
        s.found = facts->text();
        if (facts->openSearch != (m_cluster->kind == "opensearch")) {
            s.outcome = Outcome::Warning;
            s.fix = std::string("It works as it is; ") + (facts->openSearch ? "opensearch://" : "elasticsearch://") + " would say what it is.";
        }
        return {};
    }

    Result<> health(TestStage& s)
    {
        auto answer = m_client.call("GET", "/_cluster/health", "asking for the cluster's health", m_stop);
        if (!answer)
            return answer.error();
        const std::string status = (*answer)["status"].string();
        const std::int64_t nodes = (*answer)["number_of_data_nodes"].integer();
        s.found = status + ", " + std::to_string(nodes) + (nodes == 1 ? " data node" : " data nodes");
        if (status == "red") {
            s.outcome = Outcome::Warning;
            s.fix = "Some indices cannot be written: GET _cluster/allocation/explain says why.";
        }
        return {};
    }

    // What a run needs first is what is tried: an index of its own. It is taken away again at once.
    Result<> privileges(TestStage& s)
    {
        auto types = probeTypes(m_client, m_clock.nowMs());
        if (!types)
            return types.error();
        s.found = "may make and remove indices";
        if (!types->scaledFloat) s.found += "; no scaled_float here: decimals are keywords";
        if (!types->unsignedLong) s.found += "; no unsigned_long here: unsigned 64-bit numbers are keywords";
        return {};
    }

    ClusterPtr m_cluster;
    Client m_client;
    const Clock& m_clock;
    const std::function<void(const TestStage&)>& m_done;
    std::stop_token m_stop;
    TestReport m_report;
    std::optional<Result<Answer>> m_first;
};

} // namespace

TestReport runStages(const ClusterPtr& cluster, const Clock& clock, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop)
{
    return Stages(cluster, clock, stageDone, std::move(stop)).run();
}

ServerInfo serverInfo(const ServerFacts& facts) { return {facts.openSearch ? "opensearch" : "elasticsearch", facts.version}; }

} // namespace millrace::search
