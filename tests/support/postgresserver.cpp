#include "tests/support/postgresserver.h"
#include <algorithm>
#include <arpa/inet.h>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <grp.h>
#include <libpq-fe.h>
#include <pwd.h>
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

//! Debian keeps each version's programs in a folder of its own; the newest is taken. What is not installed may have been unpacked by
//! tests/services/postgresql.sh.
std::string programs()
{
    const char* cache = std::getenv("MILLRACE_TEST_CACHE");
    for (const std::string& root : {std::string(), cache ? std::string(cache) + "/postgresql" : std::string("/nonexistent")}) {
        int best = 0;
        std::error_code ignored;
        for (const auto& entry : fs::directory_iterator(root + "/usr/lib/postgresql", ignored))
            if (fs::exists(entry.path() / "bin/postgres") && fs::exists(entry.path() / "bin/initdb"))
                best = std::max(best, std::atoi(entry.path().filename().c_str()));
        if (best)
            return root + "/usr/lib/postgresql/" + std::to_string(best) + "/bin/";
    }
    return {};
}

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

//! Whom the server runs as; nullptr: whoever we are.
const passwd* serverUser()
{
    if (::getuid() != 0)
        return nullptr;
    const passwd* user = ::getpwnam("postgres");
    return user ? user : ::getpwnam("nobody");
}

int spawn(const std::vector<std::string>& arguments, const std::string& log)
{
    std::vector<char*> argv;
    for (const auto& a : arguments)
        argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    const passwd* user = serverUser();
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int pid = ::fork();
    if (pid == 0) {
        if (user && (::setgroups(0, nullptr) != 0 || ::setgid(user->pw_gid) != 0 || ::setuid(user->pw_uid) != 0))
            ::_exit(126);
        ::prctl(PR_SET_PDEATHSIG, SIGINT);                        // a test that crashes leaves no server behind; after setuid, which resets it
        ::dup2(out, 1);
        ::dup2(out, 2);
        if (::chdir("/") == 0)
            ::execv(argv[0], argv.data());
        ::_exit(127);
    }
    ::close(out);
    return pid;
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

void put(const std::string& path, const std::string& content)
{
    std::ofstream(path) << content;
    ::chmod(path.c_str(), 0600);
    if (const passwd* user = serverUser())
        (void)!::chown(path.c_str(), user->pw_uid, user->pw_gid);
}

Error failed(PGconn* handle, const std::string& sql)
{ return {Fault::Internal, "test.sql", std::string(PQerrorMessage(handle)) + " in: " + sql.substr(0, 300), {}, {}}; }

} // namespace

std::unique_ptr<PostgresServer> PostgresServer::start(std::string& reason, const Options& options)
{
    std::unique_ptr<PostgresServer> server(new PostgresServer);
    const std::string database = "millrace_" + std::to_string(::getpid()) + "_" + std::to_string(freePort());
    if (const char* url = std::getenv("MILLRACE_TEST_POSTGRES_URL"); url && *url && options.external) {
        Secret password;
        const auto parsed = parseUrl(url, &password);
        if (!parsed) {
            reason = "MILLRACE_TEST_POSTGRES_URL is not a connection URL: " + parsed.error().detail;
            return nullptr;
        }
        server->m_host = parsed->host();
        server->m_port = parsed->port(5432);
        server->m_user = parsed->user;
        server->m_password = password.reveal();
        if (!parsed->path.empty())
            server->m_maintenance = parsed->path;
    } else {
        const std::string bin = programs();
        if (bin.empty()) {
            reason = "PostgreSQL's server is not here (tests/services/postgresql.sh fetches it)";
            return nullptr;
        }
        std::string pattern = (fs::temp_directory_path() / "millrace-postgres-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) {
            reason = "no temporary folder";
            return nullptr;
        }
        server->m_folder = pattern;
        server->m_port = freePort();
        if (const passwd* user = serverUser())
            (void)!::chown(pattern.c_str(), user->pw_uid, user->pw_gid);
        const std::string data = pattern + "/data";
        const int installing = spawn({bin + "initdb", "--pgdata=" + data, "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync"}, pattern + "/install.log");
        int status = 0;
        ::waitpid(installing, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            reason = "initdb failed: " + tail(pattern + "/install.log");
            return nullptr;
        }
        for (const auto& [name, content] : options.files)
            put(data + "/" + name, content);
        if (!options.hba.empty())
            put(data + "/pg_hba.conf", options.hba);
        std::vector<std::string> arguments {bin + "postgres", "-D", data, "-k", pattern, "-p", std::to_string(server->m_port)};
        for (const char* setting : {"listen_addresses=127.0.0.1", "fsync=off", "synchronous_commit=off", "full_page_writes=off", "shared_buffers=64MB", "timezone=UTC",
                                    "log_timezone=UTC", "max_prepared_transactions=10", "dynamic_shared_memory_type=mmap", "unix_socket_permissions=0777", "jit=off"})
            arguments.insert(arguments.end(), {"-c", setting});
        for (const std::string& setting : options.settings)
            arguments.insert(arguments.end(), {"-c", setting});
        server->m_pid = spawn(arguments, pattern + "/log");
    }
    bool died = false;
    const bool up = eventually(std::chrono::seconds(60), [&] {
        died = server->m_pid > 0 && ::waitpid(server->m_pid, nullptr, WNOHANG) != 0;
        return died || server->session(server->m_maintenance) != nullptr;
    });
    if (died)
        server->m_pid = 0;
    if (!up || died) {
        reason = server->m_folder.empty() ? "the server of MILLRACE_TEST_POSTGRES_URL does not answer" : "postgres does not come up: " + tail(server->m_folder + "/log");
        return nullptr;
    }
    if (auto made = server->session(server->m_maintenance)->exec("CREATE DATABASE " + database + " ENCODING 'UTF8' TEMPLATE template0"); !made) {
        reason = "the test database cannot be made: " + made.error().detail;
        return nullptr;
    }
    server->m_database = database;
    return server;
}

PostgresServer::~PostgresServer()
{
    if (m_pid > 0) {
        ::kill(m_pid, SIGINT);                                    // fast shutdown: sessions are ended, not waited for
        if (!eventually(std::chrono::seconds(20), [&] { return ::waitpid(m_pid, nullptr, WNOHANG) != 0; })) {
            ::kill(m_pid, SIGQUIT);
            ::waitpid(m_pid, nullptr, 0);
        }
    } else if (!m_database.empty() && m_folder.empty())
        if (const auto own = session(m_maintenance))
            (void)own->exec("DROP DATABASE IF EXISTS " + m_database + " WITH (FORCE)");
    std::error_code ignored;
    if (!m_folder.empty())
        fs::remove_all(m_folder, ignored);
}

ConnectionParams PostgresServer::params(bool tcp) const
{
    ConnectionParams params;
    params.name = "test";
    params.url.scheme = "postgres";
    params.url.user = m_user;
    params.url.path = m_database;
    if (tcp || m_folder.empty())
        params.url.hosts = {{m_host, m_port}};
    else
        params.url.options = {{"host", m_folder}, {"port", std::to_string(m_port)}};
    if (!m_password.empty())
        params.secrets["password"] = Secret(m_password);
    return params;
}

std::unique_ptr<PostgresServer::Session> PostgresServer::session(const std::string& database) const
{
    const std::string& name = database.empty() ? m_database : database;
    const std::string host = m_folder.empty() ? m_host : m_folder, port = std::to_string(m_port);
    const char* const keys[] = {"host", "port", "user", "password", "dbname", "client_encoding", "application_name", "sslmode", nullptr};
    const char* const values[] = {host.c_str(), port.c_str(), m_user.c_str(), m_password.empty() ? nullptr : m_password.c_str(), name.c_str(), "UTF8", "application", "prefer", nullptr};
    std::unique_ptr<Session> made(new Session);
    PGconn* handle = PQconnectdbParams(keys, values, 0);
    made->m_handle = handle;
    PQsetNoticeProcessor(handle, [](void*, const char*) {}, nullptr);
    return PQstatus(handle) == CONNECTION_OK ? std::move(made) : nullptr;
}

Result<> PostgresServer::exec(const std::string& sql) const
{
    const auto own = session();
    if (!own)
        return Error {Fault::Network, "test.sql", "no session", {}, {}};
    return own->exec(sql);
}

PostgresServer::Session::~Session() { PQfinish(static_cast<PGconn*>(m_handle)); }

Result<> PostgresServer::Session::exec(const std::string& sql)
{
    auto* handle = static_cast<PGconn*>(m_handle);
    PGresult* result = PQexec(handle, sql.c_str());
    const ExecStatusType status = PQresultStatus(result);
    PQclear(result);
    return status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK ? Result<>() : Result<>(failed(handle, sql));
}

Result<std::vector<std::vector<std::optional<std::string>>>> PostgresServer::Session::rows(const std::string& sql)
{
    auto* handle = static_cast<PGconn*>(m_handle);
    const std::unique_ptr<PGresult, decltype(&PQclear)> result(PQexec(handle, sql.c_str()), PQclear);
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
        return failed(handle, sql);
    std::vector<std::vector<std::optional<std::string>>> out(static_cast<std::size_t>(PQntuples(result.get())));
    for (int r = 0; r < PQntuples(result.get()); ++r)
        for (int c = 0; c < PQnfields(result.get()); ++c)
            out[static_cast<std::size_t>(r)].push_back(PQgetisnull(result.get(), r, c) ? std::nullopt
                : std::optional<std::string>(std::in_place, PQgetvalue(result.get(), r, c), static_cast<std::size_t>(PQgetlength(result.get(), r, c))));
    return out;
}

} // namespace millrace::test
