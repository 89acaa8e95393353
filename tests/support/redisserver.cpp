#include "tests/support/redisserver.h"
#include <arpa/inet.h>
#include <chrono>
#include <cstdlib>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>
#include <utility>

namespace millrace::test {

namespace fs = std::filesystem;

namespace {

std::uint16_t freePort()
{
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(fd, reinterpret_cast<sockaddr*>(&address), sizeof address);
    ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &size);
    ::close(fd);
    return ntohs(address.sin_port);
}

std::string tail(const std::string& path)
{
    std::ifstream in(path);
    std::stringstream text;
    text << in.rdbuf();
    const std::string all = text.str();
    return all.substr(all.size() > 600 ? all.size() - 600 : 0);
}

template <class Condition> bool eventually(std::chrono::seconds limit, Condition condition)
{
    const auto end = std::chrono::steady_clock::now() + limit;
    while (!condition()) {
        if (std::chrono::steady_clock::now() > end)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

std::string findProgram(std::string& reason)
{
    if (const char* given = std::getenv("MILLRACE_TEST_REDIS"); given && *given) {
        if (::access(given, X_OK) == 0)
            return given;
        reason = std::string("MILLRACE_TEST_REDIS names no program: ") + given;
        return {};
    }
    for (const char* program : {"/usr/bin/redis-server", "/usr/bin/redis-check-rdb"})
        if (::access(program, X_OK) == 0)
            return program;
    reason = "no redis-server: install redis-tools";
    return {};
}

void flatten(const redisReply* reply, RedisServer::Words& out)
{
    if (reply->type == REDIS_REPLY_ARRAY)
        for (std::size_t i = 0; i < reply->elements; ++i)
            flatten(reply->element[i], out);
    else if (reply->type == REDIS_REPLY_INTEGER)
        out.push_back(std::to_string(reply->integer));
    else if (reply->type == REDIS_REPLY_NIL)
        out.push_back(std::nullopt);
    else
        out.push_back(std::string(reply->str, static_cast<std::size_t>(reply->len)));
}

bool says(const Result<RedisServer::Words>& words, const std::string& part) { return words && !words->empty() && words->front() && words->front()->find(part) != std::string::npos; }

} // namespace

std::unique_ptr<RedisServer> RedisServer::start(std::string& reason, const Options& options)
{
    std::unique_ptr<RedisServer> server(new RedisServer);
    server->m_options = options;
    server->m_program = findProgram(reason);
    if (server->m_program.empty())
        return nullptr;
    std::string pattern = (fs::temp_directory_path() / "millrace-redis-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) {
        reason = "no temporary folder";
        return nullptr;
    }
    server->m_folder = pattern;
    server->m_port = freePort();
    server->m_busPort = freePort();
    if (!options.certificate.empty())
        server->m_tlsPort = freePort();
    if (!options.acl.empty())
        std::ofstream(pattern + "/users.acl") << options.acl;
    if (!options.sentinel.empty())
        std::ofstream(pattern + "/sentinel.conf") << "port " << server->m_port << "\nbind 127.0.0.1\ndir " << pattern << "\n" << options.sentinel;
    if (!server->launch(reason))
        return nullptr;
    return server;
}

bool RedisServer::launch(std::string& reason)
{
    // the program looks at its own name: redis-check-rdb is the server when it is called so
    std::vector<std::string> arguments = {"redis-server"};
    if (!m_options.sentinel.empty())
        arguments.insert(arguments.end(), {m_folder + "/sentinel.conf", "--sentinel"});
    else {
        arguments.insert(arguments.end(), {"--port", std::to_string(m_port), "--bind", "127.0.0.1", "--dir", m_folder, "--save", "", "--cluster-port", std::to_string(m_busPort)});
        if (!m_options.acl.empty())
            arguments.insert(arguments.end(), {"--aclfile", m_folder + "/users.acl"});
        if (m_tlsPort)
            arguments.insert(arguments.end(), {"--tls-port", std::to_string(m_tlsPort), "--tls-cert-file", m_options.certificate, "--tls-key-file", m_options.key,
                                               "--tls-ca-cert-file", m_options.ca, "--tls-auth-clients", "optional"});
    }
    arguments.insert(arguments.end(), m_options.arguments.begin(), m_options.arguments.end());
    std::vector<char*> argv;
    for (const auto& a : arguments)
        argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    const int out = ::open((m_folder + "/out").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    m_pid = ::fork();
    if (m_pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);                       // a test that crashes leaves no server behind
        ::dup2(out, 1);
        ::dup2(out, 2);
        ::execv(m_program.c_str(), argv.data());
        ::_exit(127);
    }
    ::close(out);
    if (const char* pids = std::getenv("MILLRACE_TEST_PIDS"); pids && *pids)
        std::ofstream(std::string(pids) + "/" + std::to_string(m_pid)) << "redis-server\n";
    bool died = false;
    const bool up = eventually(std::chrono::seconds(30), [&] {
        died = ::waitpid(m_pid, nullptr, WNOHANG) != 0;
        return died || says(command({"PING"}), "PONG");
    });
    if (up && !died)
        return true;
    if (died)
        m_pid = 0;
    reason = "redis-server does not come up: " + tail(m_folder + "/out");
    return false;
}

void RedisServer::end(int signal)
{
    if (m_client)
        redisFree(static_cast<redisContext*>(std::exchange(m_client, nullptr)));
    if (m_pid <= 0)
        return;
    ::kill(m_pid, SIGCONT);
    ::kill(m_pid, signal);
    if (!eventually(std::chrono::seconds(30), [&] { return ::waitpid(m_pid, nullptr, WNOHANG) != 0; })) {
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
    }
    if (const char* pids = std::getenv("MILLRACE_TEST_PIDS"); pids && *pids)
        ::unlink((std::string(pids) + "/" + std::to_string(m_pid)).c_str());
    m_pid = 0;
}

RedisServer::~RedisServer()
{
    end(SIGKILL);
    std::error_code ignored;
    if (!m_folder.empty())
        fs::remove_all(m_folder, ignored);
}

void RedisServer::kill9() { end(SIGKILL); }

bool RedisServer::restart(std::string& reason)
{
    end(SIGKILL);
    return launch(reason);
}

ConnectionParams RedisServer::params(int database) const
{
    ConnectionParams params;
    params.name = "redis";
    params.url.scheme = m_tlsPort ? "rediss" : "redis";
    params.url.hosts = {{m_tlsPort ? "localhost" : "127.0.0.1", m_tlsPort ? m_tlsPort : m_port}};
    params.url.path = std::to_string(database);
    if (m_tlsPort)
        params.url.options["tls_ca"] = m_options.ca;
    return params;
}

Result<RedisServer::Words> RedisServer::command(const std::vector<std::string>& arguments, int database) const
{
    auto* client = static_cast<redisContext*>(m_client);
    const auto ask = [&](const std::vector<std::string>& words) {
        std::vector<const char*> at;
        std::vector<std::size_t> sizes;
        for (const auto& word : words) {
            at.push_back(word.data());
            sizes.push_back(word.size());
        }
        return static_cast<redisReply*>(redisCommandArgv(client, static_cast<int>(words.size()), at.data(), sizes.data()));
    };
    const auto lost = [&] {
        const std::string words = client ? client->errstr : "no memory";
        if (client)
            redisFree(client);
        m_client = nullptr;
        return Error {Fault::Network, "test.redis", words, {}, {}};
    };
    const auto run = [&](const std::vector<std::string>& words) -> Result<Words> {
        redisReply* reply = ask(words);
        if (!reply)
            return lost();
        Words out;
        flatten(reply, out);
        const bool refused = reply->type == REDIS_REPLY_ERROR;
        freeReplyObject(reply);
        if (refused)
            return Error {Fault::Internal, "test.redis", *out.front(), {}, {}};
        return out;
    };
    if (!client) {
        client = redisConnectWithTimeout("127.0.0.1", m_port, timeval {5, 0});
        if (!client || client->err)
            return lost();
        redisSetTimeout(client, timeval {30, 0});
        m_client = client;
        m_database = 0;
        if (!m_options.user.empty())
            if (auto in = run({"AUTH", m_options.user, m_options.password}); !in)
                return in;
    }
    if (database != m_database) {
        if (auto chosen = run({"SELECT", std::to_string(database)}); !chosen)
            return chosen;
        m_database = database;
    }
    return run(arguments);
}

std::unique_ptr<RedisCluster> RedisCluster::start(std::string& reason)
{
    auto cluster = std::make_unique<RedisCluster>();
    RedisServer::Options options;
    options.arguments = {"--cluster-enabled", "yes", "--cluster-config-file", "nodes.conf", "--cluster-node-timeout", "2000"};
    constexpr int share = 16384 / 3;
    for (int i = 0; i < 3; ++i) {
        auto node = RedisServer::start(reason, options);
        if (!node)
            return nullptr;
        const auto given = node->command({"CLUSTER", "ADDSLOTSRANGE", std::to_string(i * share), std::to_string(i == 2 ? 16383 : (i + 1) * share - 1)});
        if (!given) {
            reason = "slots cannot be given: " + given.error().detail;
            return nullptr;
        }
        (void)node->command({"CLUSTER", "SET-CONFIG-EPOCH", std::to_string(i + 1)});
        cluster->m_nodes.push_back(std::move(node));
    }
    const RedisServer& first = cluster->node(0);
    for (std::size_t i = 1; i < 3; ++i)
        (void)cluster->node(i).command({"CLUSTER", "MEET", "127.0.0.1", std::to_string(first.port()), std::to_string(first.busPort())});
    const bool joined = eventually(std::chrono::seconds(30), [&] {
        for (const auto& node : cluster->m_nodes) {
            const auto info = node->command({"CLUSTER", "INFO"});
            if (!says(info, "cluster_state:ok") || !says(info, "cluster_known_nodes:3") || !says(info, "cluster_size:3"))
                return false;
        }
        return true;
    });
    if (!joined) {
        reason = "the cluster does not come together";
        return nullptr;
    }
    return cluster;
}

ConnectionParams RedisCluster::params() const
{
    ConnectionParams params = m_nodes[0]->params();
    params.url.hosts.emplace_back("127.0.0.1", m_nodes[1]->port());
    return params;
}

Result<RedisServer::Words> RedisCluster::command(const std::string& key, const std::vector<std::string>& arguments) const
{
    (void)key;
    Result<RedisServer::Words> last = Error {};
    for (const auto& node : m_nodes) {
        last = node->command(arguments);
        if (last || !last.error().detail.starts_with("MOVED"))
            return last;
    }
    return last;
}

std::unique_ptr<RedisSentinels> RedisSentinels::start(std::string& reason)
{
    auto out = std::make_unique<RedisSentinels>();
    for (int i = 0; i < 2; ++i) {
        RedisServer::Options options;
        options.arguments = {"--repl-diskless-sync-delay", "0"};
        if (i == 1)
            options.arguments.insert(options.arguments.end(), {"--replicaof", "127.0.0.1 " + std::to_string(out->m_servers[0]->port())});
        auto server = RedisServer::start(reason, options);
        if (!server)
            return nullptr;
        out->m_servers.push_back(std::move(server));
    }
    for (int i = 0; i < 3; ++i) {
        RedisServer::Options options;
        options.sentinel = "sentinel monitor mymaster 127.0.0.1 " + std::to_string(out->m_servers[0]->port())
            + " 2\nsentinel down-after-milliseconds mymaster 1000\nsentinel failover-timeout mymaster 5000\n";
        auto sentinel = RedisServer::start(reason, options);
        if (!sentinel)
            return nullptr;
        out->m_sentinels.push_back(std::move(sentinel));
    }
    const bool ready = eventually(std::chrono::seconds(30), [&] {
        for (const auto& sentinel : out->m_sentinels)
            if (!says(sentinel->command({"SENTINEL", "CKQUORUM", "mymaster"}), "OK 3"))
                return false;
        return says(out->m_servers[0]->command({"INFO", "replication"}), "state=online");
    });
    if (!ready) {
        reason = "the Sentinels do not come together";
        return nullptr;
    }
    return out;
}

ConnectionParams RedisSentinels::params() const
{
    ConnectionParams params = m_servers[0]->params();
    params.url.hosts.clear();
    for (const auto& sentinel : m_sentinels)
        params.url.hosts.emplace_back("127.0.0.1", sentinel->port());
    params.url.options["sentinel"] = "mymaster";
    return params;
}

std::optional<std::uint16_t> RedisSentinels::primaryPort() const
{
    for (const auto& sentinel : m_sentinels)
        if (const auto words = sentinel->command({"SENTINEL", "GET-MASTER-ADDR-BY-NAME", "mymaster"}); words && words->size() == 2 && (*words)[1])
            return static_cast<std::uint16_t>(std::stoi(*(*words)[1]));
    return std::nullopt;
}

} // namespace millrace::test
