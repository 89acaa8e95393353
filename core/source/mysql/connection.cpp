#include "core/source/mysql/connection.h"
#include "core/source/mysql/faults.h"
#include "core/source/mysql/probe.h"
#include <mutex>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

namespace millrace::mysql {

namespace {

void keepAlive(int fd)
{
    // a peer that vanished without a word is found within a minute instead of never
    const int on = 1, idle = 30, interval = 10, count = 3;
    ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &interval, sizeof interval);
    ::setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &count, sizeof count);
}

Error noTls(const Config& config)
{
    return {Fault::Auth, "source.mysql.tls", config.place() + " offers no encryption; nothing was sent to it",
            "Switch TLS on at the server, or write tls=disable if the way there is safe.", {}};
}

} // namespace

Error cancelled() { return {Fault::Cancelled, "source.mysql.cancelled", "stopped on request", "", {}}; }

Error Interruptible::finish(Error error)
{
    if (!m_stop.stop_requested())
        return error;
    m_connection.killAtServer();
    return cancelled();
}

Result<std::unique_ptr<Connection>> Connection::open(const Config& config)
{
    static std::once_flag once;
    std::call_once(once, [] { mysql_library_init(0, nullptr, nullptr); });

    std::unique_ptr<Connection> connection(new Connection(config));
    if (auto ok = connection->login(); !ok)
        return std::move(ok).error();
    if (auto ok = connection->prepareSession(); !ok)
        return std::move(ok).error();
    return connection;
}

Result<> Connection::login()
{
    // verify-full makes the library itself refuse a server without TLS. The weaker modes do not, and would hand over the password in
    // plaintext, so the greeting is looked at first.
    if (m_config.tls == TlsMode::Require || m_config.tls == TlsMode::VerifyCa) {
        const auto greeting = greet(m_config, {});
        if (!greeting)
            return greeting.error();
        if (!greeting->offersTls)
            return noTls(m_config);
    }
    m_handle = mysql_init(nullptr);
    if (!m_handle)
        return Error {Fault::Internal, "source.mysql.memory", "out of memory", "", {}};
    const unsigned localInfile = 0, timeout = m_config.connectTimeout;
    const unsigned long packet = 1ul << 30;
    const my_bool enforce = m_config.tls != TlsMode::Disable, verify = m_config.tls == TlsMode::VerifyFull;
    // a hostile server could ask for any file of this machine otherwise
    mysql_options(m_handle, MYSQL_OPT_LOCAL_INFILE, &localInfile);
    mysql_options(m_handle, MYSQL_OPT_CONNECT_TIMEOUT, &timeout);
    mysql_options(m_handle, MYSQL_OPT_MAX_ALLOWED_PACKET, &packet);
    mysql_options(m_handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    mysql_options(m_handle, MYSQL_OPT_SSL_ENFORCE, &enforce);
    mysql_options(m_handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &verify);
    if (enforce) {
        const auto orNull = [](const std::string& path) { return path.empty() ? nullptr : path.c_str(); };
        mysql_ssl_set(m_handle, orNull(m_config.tlsKey), orNull(m_config.tlsCert), m_config.tls == TlsMode::Require ? nullptr : orNull(m_config.tlsCa), nullptr, nullptr);
        mysql_optionsv(m_handle, MARIADB_OPT_TLS_VERSION, "TLSv1.2,TLSv1.3");
    }
    const bool bySocket = !m_config.socket.empty();
    if (!mysql_real_connect(m_handle, bySocket ? "localhost" : m_config.host.c_str(), m_config.user.c_str(), m_config.password.revealCString(),
                            m_config.database.empty() ? nullptr : m_config.database.c_str(), bySocket ? 0 : m_config.port,
                            bySocket ? m_config.socket.c_str() : nullptr, 0))
        return error();
    m_socket = static_cast<int>(mysql_get_socket(m_handle));
    if (!bySocket)
        keepAlive(m_socket);
    if (enforce && cipher().empty())
        return Error {Fault::Auth, "source.mysql.tls", "the connection to " + m_config.place() + " is not encrypted although tls asks for it", "", {}};
    m_mariadb = mysql_get_server_info(m_handle) && std::string_view(mysql_get_server_info(m_handle)).find("MariaDB") != std::string_view::npos;
    return {};
}

// Nothing of the server's own defaults may change what a statement means or how long it may take.
Result<> Connection::prepareSession()
{
    // what only some versions know; those without it have no such limit
    for (const char* optional : {"max_statement_time=0", "max_execution_time=0", "information_schema_stats_expiry=0"})
        (void)exec(std::string("SET SESSION ") + optional);
    if (auto ok = exec("SET SESSION sql_mode='', time_zone='+00:00', sql_select_limit=18446744073709551615, lock_wait_timeout=60, net_write_timeout=3600, "
                       "net_read_timeout=3600"); !ok)
        return ok;
    if (auto ok = exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ"); !ok)
        return ok;
    return exec("SET SESSION TRANSACTION READ ONLY");
}

Connection::~Connection()
{
    if (m_handle)
        mysql_close(m_handle);
}

std::string Connection::version() const
{
    std::string text = mysql_get_server_info(m_handle);
    return text.substr(0, text.find('-'));
}

std::string Connection::cipher() const
{
    const char* name = mysql_get_ssl_cipher(m_handle);
    return name ? name : "";
}

Error Connection::error() { return errorFrom(mysql_errno(m_handle), mysql_error(m_handle), m_config); }

Result<> Connection::exec(const std::string& sql)
{
    if (mysql_real_query(m_handle, sql.data(), sql.size()))
        return error();
    if (MYSQL_RES* rows = mysql_store_result(m_handle))
        mysql_free_result(rows);
    return mysql_errno(m_handle) ? Result<>(error()) : Result<>();
}

Result<Rows> Connection::query(const std::string& sql)
{
    if (mysql_real_query(m_handle, sql.data(), sql.size()))
        return error();
    const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(m_handle), mysql_free_result);
    if (!result)
        return error();
    Rows rows;
    const unsigned width = mysql_num_fields(result.get());
    while (MYSQL_ROW row = mysql_fetch_row(result.get())) {
        const unsigned long* lengths = mysql_fetch_lengths(result.get());
        auto& cells = rows.emplace_back();
        cells.reserve(width);
        for (unsigned i = 0; i < width; ++i)
            cells.push_back(row[i] ? std::optional<std::string>(std::in_place, row[i], lengths[i]) : std::nullopt);
    }
    return rows;
}

std::string Connection::literal(std::string_view text)
{
    std::string out(text.size() * 2 + 3, '\'');
    const unsigned long n = mysql_real_escape_string(m_handle, out.data() + 1, text.data(), text.size());
    out.resize(n + 1);
    out += '\'';
    return out;
}

void Connection::interrupt() noexcept
{
    if (m_socket >= 0)
        ::shutdown(m_socket, SHUT_RDWR);
}

void Connection::killAtServer()
{
    if (m_dead)
        return;
    m_dead = true;
    Config config = m_config;
    config.connectTimeout = 3;
    Connection second(config);
    if (second.login())
        (void)second.exec("KILL " + std::to_string(mysql_thread_id(m_handle)));
}

} // namespace millrace::mysql
