#include "tests/support/mariadbserver.h"
#include <arpa/inet.h>
#include <chrono>
#include <cstdlib>
#include <fcntl.h>
#include <filesystem>
#include <fstream>
#include <mysql.h>
#include <pwd.h>
#include <signal.h>
#include <sstream>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

namespace millrace::test {

namespace fs = std::filesystem;

namespace {

std::string findProgram(const std::string& name)
{
    for (const char* folder : {"/usr/sbin/", "/usr/bin/", "/usr/local/sbin/", "/usr/local/bin/"})
        if (fs::exists(folder + name))
            return folder + name;
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

int spawn(const std::vector<std::string>& arguments, const std::string& log)
{
    std::vector<char*> argv;
    for (const auto& a : arguments)
        argv.push_back(const_cast<char*>(a.c_str()));
    argv.push_back(nullptr);
    const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const int pid = ::fork();
    if (pid == 0) {
        ::prctl(PR_SET_PDEATHSIG, SIGTERM);                       // a test that crashes leaves no server behind
        ::dup2(out, 1);
        ::dup2(out, 2);
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

Error failed(MYSQL* handle, const std::string& sql)
{ return {Fault::Internal, "test.sql", std::string(mysql_error(handle)) + " in: " + sql.substr(0, 300), {}, {}}; }

} // namespace

std::unique_ptr<MariaDbServer> MariaDbServer::start(std::string& reason, const Options& options)
{
    std::unique_ptr<MariaDbServer> server(new MariaDbServer);
    server->m_database = "millrace_" + std::to_string(::getpid()) + "_" + std::to_string(freePort());
    if (const char* url = std::getenv("MILLRACE_TEST_MYSQL_URL"); url && *url && options.external) {
        Secret password;
        const auto parsed = parseUrl(url, &password);
        if (!parsed) {
            reason = "MILLRACE_TEST_MYSQL_URL is not a connection URL: " + parsed.error().detail;
            return nullptr;
        }
        server->m_host = parsed->host();
        server->m_port = parsed->port(3306);
        server->m_user = parsed->user;
        server->m_password = password.reveal();
    } else {
        const std::string daemon = findProgram("mariadbd"), installer = findProgram("mariadb-install-db");
        if (daemon.empty() || installer.empty()) {
            reason = "mariadbd is not installed (package mariadb-server-core)";
            return nullptr;
        }
        std::string pattern = (fs::temp_directory_path() / "millrace-mariadb-XXXXXX").string();
        if (!::mkdtemp(pattern.data())) {
            reason = "no temporary folder";
            return nullptr;
        }
        server->m_folder = pattern;
        server->m_socket = pattern + "/s.sock";
        server->m_port = freePort();
        const std::string user = ::getuid() == 0 ? "root" : ::getpwuid(::getuid())->pw_name;
        const int installing = spawn({installer, "--no-defaults", "--datadir=" + pattern + "/data", "--auth-root-authentication-method=normal", "--skip-test-db", "--force",
                                      "--user=" + user}, pattern + "/install.log");
        int status = 0;
        ::waitpid(installing, &status, 0);
        if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
            reason = "mariadb-install-db failed: " + tail(pattern + "/install.log");
            return nullptr;
        }
        std::vector<std::string> arguments {daemon, "--no-defaults", "--user=" + user, "--datadir=" + pattern + "/data", "--socket=" + server->m_socket,
            "--port=" + std::to_string(server->m_port), "--bind-address=127.0.0.1", "--pid-file=" + pattern + "/pid", "--performance-schema=OFF",
            "--innodb-buffer-pool-size=64M", "--innodb-log-file-size=32M", "--innodb-flush-log-at-trx-commit=0", "--key-buffer-size=1M", "--aria-pagecache-buffer-size=8M",
            "--skip-name-resolve", "--max-allowed-packet=128M", "--tmpdir=" + pattern};
        if (options.binlog)
            arguments.insert(arguments.end(), {"--log-bin=" + pattern + "/bin", "--binlog-format=ROW", "--server-id=1"});
        arguments.insert(arguments.end(), options.arguments.begin(), options.arguments.end());
        server->m_pid = spawn(arguments, pattern + "/log");
    }
    bool died = false;
    const std::string database = std::exchange(server->m_database, {});
    const bool up = eventually(std::chrono::seconds(60), [&] {
        died = server->m_pid > 0 && ::waitpid(server->m_pid, nullptr, WNOHANG) != 0;
        return died || server->session() != nullptr;
    });
    if (died)
        server->m_pid = 0;
    if (!up || died) {
        reason = server->m_folder.empty() ? "the server of MILLRACE_TEST_MYSQL_URL does not answer" : "mariadbd does not come up: " + tail(server->m_folder + "/log");
        return nullptr;
    }
    const auto version = server->session()->rows("SELECT VERSION()");
    server->m_mariadb = version && (*version)[0][0]->find("MariaDB") != std::string::npos;
    if (auto made = server->exec("CREATE DATABASE " + database + " CHARACTER SET utf8mb4"); !made) {
        reason = "the test database cannot be made: " + made.error().detail;
        return nullptr;
    }
    server->m_database = database;
    return server;
}

MariaDbServer::~MariaDbServer()
{
    if (m_pid > 0) {
        ::kill(m_pid, SIGTERM);
        if (!eventually(std::chrono::seconds(20), [&] { return ::waitpid(m_pid, nullptr, WNOHANG) != 0; })) {
            ::kill(m_pid, SIGKILL);
            ::waitpid(m_pid, nullptr, 0);
        }
    } else if (!m_database.empty() && m_folder.empty())
        (void)exec("DROP DATABASE IF EXISTS " + m_database);
    std::error_code ignored;
    if (!m_folder.empty())
        fs::remove_all(m_folder, ignored);
}

ConnectionParams MariaDbServer::params(bool tcp) const
{
    ConnectionParams params;
    params.name = "test";
    params.url.scheme = m_mariadb ? "mariadb" : "mysql";
    params.url.user = m_user;
    params.url.path = m_database;
    if (tcp || m_socket.empty())
        params.url.hosts = {{m_host, m_port}};
    else
        params.url.options["socket"] = m_socket;
    if (!m_password.empty())
        params.secrets["password"] = Secret(m_password);
    return params;
}

std::unique_ptr<MariaDbServer::Session> MariaDbServer::session() const
{
    std::unique_ptr<Session> session(new Session);
    MYSQL* handle = mysql_init(nullptr);
    session->m_handle = handle;
    my_bool off = 0;
    mysql_options(handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &off);
    mysql_options(handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    const bool bySocket = !m_socket.empty();
    if (!mysql_real_connect(handle, bySocket ? "localhost" : m_host.c_str(), m_user.c_str(), m_password.c_str(), m_database.empty() ? nullptr : m_database.c_str(), m_port,
                            bySocket ? m_socket.c_str() : nullptr, 0))
        return nullptr;
    if (!session->exec("SET time_zone='+00:00', sql_mode=''"))
        return nullptr;
    return session;
}

Result<> MariaDbServer::exec(const std::string& sql) const
{
    const auto own = session();
    if (!own)
        return Error {Fault::Network, "test.sql", "no session", {}, {}};
    return own->exec(sql);
}

MariaDbServer::Session::~Session() { mysql_close(static_cast<MYSQL*>(m_handle)); }

unsigned long MariaDbServer::Session::id() const { return mysql_thread_id(static_cast<MYSQL*>(m_handle)); }

Result<> MariaDbServer::Session::exec(const std::string& sql)
{
    auto* handle = static_cast<MYSQL*>(m_handle);
    if (mysql_real_query(handle, sql.data(), sql.size()))
        return failed(handle, sql);
    if (MYSQL_RES* rows = mysql_store_result(handle))
        mysql_free_result(rows);
    return mysql_errno(handle) ? Result<>(failed(handle, sql)) : Result<>();
}

Result<std::vector<std::vector<std::optional<std::string>>>> MariaDbServer::Session::rows(const std::string& sql)
{
    auto* handle = static_cast<MYSQL*>(m_handle);
    std::vector<std::vector<std::optional<std::string>>> out;
    if (mysql_real_query(handle, sql.data(), sql.size()))
        return failed(handle, sql);
    MYSQL_RES* result = mysql_store_result(handle);
    if (!result)
        return failed(handle, sql);
    while (MYSQL_ROW row = mysql_fetch_row(result)) {
        const unsigned long* lengths = mysql_fetch_lengths(result);
        auto& cells = out.emplace_back();
        for (unsigned i = 0; i < mysql_num_fields(result); ++i)
            cells.push_back(row[i] ? std::optional<std::string>(std::string(row[i], lengths[i])) : std::nullopt);
    }
    mysql_free_result(result);
    return out;
}

} // namespace millrace::test
