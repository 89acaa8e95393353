#include "tests/support/mongoserver.h"
#include <arpa/inet.h>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <mongoc/mongoc.h>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

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

std::string findMongod(std::string& reason)
{
    if (const char* given = std::getenv("MILLRACE_TEST_MONGOD"); given && *given) {
        if (::access(given, X_OK) == 0)
            return given;
        reason = std::string("MILLRACE_TEST_MONGOD names no program: ") + given;
        return {};
    }
    const std::string script = MILLRACE_SOURCE_DIR "/tests/services/mongod.sh";
    FILE* out = ::popen(("'" + script + "' 2>&1").c_str(), "r");
    std::string text;
    char buffer[512];
    while (out && std::fgets(buffer, sizeof buffer, out))
        text += buffer;
    const int status = out ? ::pclose(out) : -1;
    while (!text.empty() && text.back() == '\n')
        text.pop_back();
    const std::string last = text.substr(text.rfind('\n') + 1);
    if (status == 0 && ::access(last.c_str(), X_OK) == 0)
        return last;
    reason = "no mongod: " + last;
    return {};
}

Error failed(const bson_error_t& error) { return {Fault::Internal, "test.mongod", std::string(error.message) + " (code " + std::to_string(error.code) + ")", {}, {}}; }

} // namespace

std::unique_ptr<MongoServer> MongoServer::start(std::string& reason, const Options& options)
{
    std::unique_ptr<MongoServer> server(new MongoServer);
    server->m_options = options;
    server->m_program = findMongod(reason);
    if (server->m_program.empty())
        return nullptr;
    std::string pattern = (fs::temp_directory_path() / "millrace-mongod-XXXXXX").string();
    if (!::mkdtemp(pattern.data())) {
        reason = "no temporary folder";
        return nullptr;
    }
    server->m_folder = pattern;
    server->m_port = freePort();
    fs::create_directory(pattern + "/db");
    if (!options.user.empty()) {
        std::ofstream(pattern + "/key") << "bWlsbHJhY2UgdGVzdCByZXBsaWNhIHNldCBrZXkgZmlsZQ==\n";
        ::chmod((pattern + "/key").c_str(), 0600);
    }
    mongoc_init();
    if (!server->launch(reason))
        return nullptr;
    if (options.replicaSet) {
        const auto made = server->command("admin", R"({"replSetInitiate": {"_id": "rs0", "members": [{"_id": 0, "host": ")" + std::string(options.certificate.empty() ? "127.0.0.1" : "localhost")
                                          + ":" + std::to_string(server->m_port) + R"("}]}})");
        if (!made) {
            reason = "the replica set cannot be made: " + made.error().detail;
            return nullptr;
        }
    }
    if (!server->waitForPrimary(reason))
        return nullptr;
    if (!options.user.empty()) {
        const auto made = server->command("admin", R"({"createUser": ")" + options.user + R"(", "pwd": ")" + options.password + R"(", "roles": ["root"]})");
        if (!made) {
            reason = "the user cannot be made: " + made.error().detail;
            return nullptr;
        }
        server->m_userMade = true;
        mongoc_client_destroy(static_cast<mongoc_client_t*>(std::exchange(server->m_client, nullptr)));
    }
    return server;
}

bool MongoServer::launch(std::string& reason)
{
    std::vector<std::string> arguments = {m_program, "--dbpath", m_folder + "/db", "--port", std::to_string(m_port), "--bind_ip", "127.0.0.1", "--oplogSize", "64",
        "--wiredTigerCacheSizeGB", "0.25", "--nounixsocket", "--logpath", m_folder + "/log", "--logappend", "--setParameter", "enableTestCommands=1"};
    if (m_options.replicaSet)
        arguments.insert(arguments.end(), {"--replSet", "rs0"});
    if (!m_options.user.empty())
        arguments.insert(arguments.end(), {"--keyFile", m_folder + "/key"});
    if (!m_options.certificate.empty())
        arguments.insert(arguments.end(), {"--tlsMode", "requireTLS", "--tlsCertificateKeyFile", m_options.certificate, "--tlsCAFile", m_options.ca,
                                           "--tlsAllowConnectionsWithoutCertificates"});
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
        ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    ::close(out);
    if (const char* pids = std::getenv("MILLRACE_TEST_PIDS"); pids && *pids)
        std::ofstream(std::string(pids) + "/" + std::to_string(m_pid)) << "mongod\n";
    bool died = false;
    const bool up = eventually(std::chrono::seconds(60), [&] {
        died = ::waitpid(m_pid, nullptr, WNOHANG) != 0;
        return died || command("admin", R"({"ping": 1})").has_value();
    });
    if (up && !died)
        return true;
    if (died)
        m_pid = 0;
    reason = "mongod does not come up: " + tail(m_folder + "/log") + tail(m_folder + "/out");
    return false;
}

bool MongoServer::waitForPrimary(std::string& reason)
{
    const bool primary = eventually(std::chrono::seconds(60), [&] {
        auto hello = command("admin", R"({"hello": 1})");
        if (!hello)
            return false;
        std::erase(*hello, ' ');
        return hello->find("\"isWritablePrimary\":true") != std::string::npos;
    });
    if (!primary)
        reason = "mongod does not become primary: " + tail(m_folder + "/log");
    return primary;
}

void MongoServer::end(int signal)
{
    if (m_client)
        mongoc_client_destroy(static_cast<mongoc_client_t*>(std::exchange(m_client, nullptr)));
    if (m_pid <= 0)
        return;
    ::kill(m_pid, signal);
    if (!eventually(std::chrono::seconds(30), [&] { return ::waitpid(m_pid, nullptr, WNOHANG) != 0; })) {
        ::kill(m_pid, SIGKILL);
        ::waitpid(m_pid, nullptr, 0);
    }
    if (const char* pids = std::getenv("MILLRACE_TEST_PIDS"); pids && *pids)
        ::unlink((std::string(pids) + "/" + std::to_string(m_pid)).c_str());
    m_pid = 0;
}

MongoServer::~MongoServer()
{
    end(SIGKILL);                                                 // the data goes with it
    std::error_code ignored;
    if (!m_folder.empty())
        fs::remove_all(m_folder, ignored);
}

void MongoServer::kill9() { end(SIGKILL); }

Result<> MongoServer::restart()
{
    end(SIGTERM);
    std::string reason;
    if (!launch(reason) || !waitForPrimary(reason))
        return Error {Fault::Internal, "test.mongod", reason, {}, {}};
    return {};
}

ConnectionParams MongoServer::params(const std::string& database) const
{
    ConnectionParams params;
    params.name = "mongo";
    params.url.scheme = "mongodb";
    params.url.hosts = {{m_options.certificate.empty() ? "127.0.0.1" : "localhost", m_port}};
    params.url.path = database;
    if (m_options.replicaSet)
        params.url.options["replicaSet"] = "rs0";
    if (!m_options.user.empty()) {
        params.url.user = m_options.user;
        params.url.options["authSource"] = "admin";
        params.secrets["password"] = Secret(m_options.password);
    }
    if (!m_options.certificate.empty()) {
        params.url.options["tls"] = "verify-full";
        params.url.options["tls_ca"] = m_options.ca;
    }
    return params;
}

Result<std::string> MongoServer::command(const std::string& database, const std::string& json) const
{
    auto*& client = const_cast<MongoServer*>(this)->m_client;
    bson_error_t error {};
    if (!client) {
        mongoc_uri_t* uri = mongoc_uri_new(("mongodb://" + std::string(m_options.certificate.empty() ? "127.0.0.1" : "localhost") + ":" + std::to_string(m_port)
                                            + "/?directConnection=true&serverSelectionTimeoutMS=2000").c_str());
        if (!m_options.certificate.empty()) {
            mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLS, true);
            mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_TLSCAFILE, m_options.ca.c_str());
        }
        // Before the user is made, the localhost exception lets anybody in.
        if (m_userMade) {
            mongoc_uri_set_username(uri, m_options.user.c_str());
            mongoc_uri_set_password(uri, m_options.password.c_str());
            mongoc_uri_set_auth_source(uri, "admin");
        }
        client = mongoc_client_new_from_uri(uri);
        mongoc_uri_destroy(uri);
    }
    bson_t* command = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(json.data()), static_cast<ssize_t>(json.size()), &error);
    if (!command)
        return failed(error);
    bson_t reply;
    const bool ok = mongoc_client_command_simple(static_cast<mongoc_client_t*>(client), database.c_str(), command, nullptr, &reply, &error);
    bson_destroy(command);
    char* text = bson_as_relaxed_extended_json(&reply, nullptr);
    std::string answer = text ? text : "";
    bson_free(text);
    bson_destroy(&reply);
    if (!ok) {
        mongoc_client_destroy(static_cast<mongoc_client_t*>(std::exchange(client, nullptr)));
        return failed(error);
    }
    return answer;
}

Result<std::vector<std::string>> MongoServer::documents(const std::string& database, const std::string& collection, const std::string& filter) const
{
    if (auto alive = command(database, R"({"ping": 1})"); !alive)
        return alive.error();
    bson_error_t error {};
    bson_t* query = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(filter.data()), static_cast<ssize_t>(filter.size()), &error);
    if (!query)
        return failed(error);
    mongoc_collection_t* from = mongoc_client_get_collection(static_cast<mongoc_client_t*>(m_client), database.c_str(), collection.c_str());
    mongoc_cursor_t* cursor = mongoc_collection_find_with_opts(from, query, nullptr, nullptr);
    std::vector<std::string> out;
    const bson_t* document = nullptr;
    while (mongoc_cursor_next(cursor, &document)) {
        char* text = bson_as_canonical_extended_json(document, nullptr);
        out.emplace_back(text);
        bson_free(text);
    }
    const bool bad = mongoc_cursor_error(cursor, &error);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(from);
    bson_destroy(query);
    if (bad)
        return failed(error);
    return out;
}

Result<std::vector<std::string>> MongoServer::raw(const std::string& database, const std::string& collection) const
{
    if (auto alive = command(database, R"({"ping": 1})"); !alive)
        return alive.error();
    mongoc_collection_t* from = mongoc_client_get_collection(static_cast<mongoc_client_t*>(m_client), database.c_str(), collection.c_str());
    bson_t all = BSON_INITIALIZER;
    mongoc_cursor_t* cursor = mongoc_collection_find_with_opts(from, &all, nullptr, nullptr);
    std::vector<std::string> out;
    const bson_t* document = nullptr;
    while (mongoc_cursor_next(cursor, &document))
        out.emplace_back(reinterpret_cast<const char*>(bson_get_data(document)), document->len);
    bson_error_t error {};
    const bool bad = mongoc_cursor_error(cursor, &error);
    mongoc_cursor_destroy(cursor);
    mongoc_collection_destroy(from);
    if (bad)
        return failed(error);
    return out;
}

Result<> MongoServer::failPoint(const std::string& name, const std::string& mode, const std::string& data) const
{
    const auto done = command("admin", R"({"configureFailPoint": ")" + name + R"(", "mode": )" + mode + R"(, "data": )" + data + "}");
    return done ? Result<>() : Result<>(done.error());
}

} // namespace millrace::test
