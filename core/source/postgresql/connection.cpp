#include "core/source/postgresql/connection.h"
#include "core/source/postgresql/faults.h"
#include <chrono>
#include <poll.h>
#include <sys/socket.h>

namespace millrace::postgresql {

namespace {

// A file that is nowhere: libpq would else take passwords, certificates and authorities out of the user's home.
constexpr const char* none = "/nonexistent/millrace";
constexpr int oldest = 120000;

const char* modeName(TlsMode mode)
{
    switch (mode) {
    case TlsMode::Disable: return "disable";
    case TlsMode::Require: return "require";
    case TlsMode::VerifyCa: return "verify-ca";
    case TlsMode::VerifyFull: return "verify-full";
    }
    return "verify-full";
}

} // namespace

Error cancelled() { return {Fault::Cancelled, "source.postgresql.cancelled", "stopped on request", "", {}}; }

Error Interruptible::finish(Error error)
{
    if (!m_stop.stop_requested())
        return error;
    m_connection.cancelAtServer();
    return cancelled();
}

Result<std::unique_ptr<Connection>> Connection::open(const Config& config, std::stop_token stop)
{
    std::unique_ptr<Connection> connection(new Connection(config));
    if (auto ok = connection->login(std::move(stop)); !ok)
        return std::move(ok).error();
    if (auto ok = connection->prepareSession(); !ok)
        return std::move(ok).error();
    return connection;
}

Result<> Connection::login(std::stop_token stop)
{
    const bool tls = m_config.tls != TlsMode::Disable;
    const std::string port = std::to_string(m_config.port);
    const bool verifies = m_config.tls == TlsMode::VerifyCa || m_config.tls == TlsMode::VerifyFull;
    const auto orNone = [](const std::string& path) { return path.empty() ? none : path.c_str(); };
    std::vector<const char*> keys, values;
    const auto set = [&](const char* key, const char* value) {
        keys.push_back(key);
        values.push_back(value);
    };
    set("host", m_config.host.c_str());
    set("port", port.c_str());
    if (!m_config.user.empty())
        set("user", m_config.user.c_str());
    set("dbname", m_config.database.c_str());
    if (!m_config.password.empty())
        set("password", m_config.password.revealCString());
    set("passfile", none);
    set("sslmode", modeName(m_config.tls));
    set("sslrootcert", verifies ? orNone(m_config.tlsCa) : none);
    set("sslcert", tls ? orNone(m_config.tlsCert) : none);
    set("sslkey", tls ? orNone(m_config.tlsKey) : none);
    set("sslcrl", none);
    set("gssencmode", "disable");
    set("target_session_attrs", "any");
    set("client_encoding", "UTF8");
    set("application_name", "millrace");
    // a peer that vanished without a word is found within a minute instead of never
    set("keepalives", "1");
    set("keepalives_idle", "30");
    set("keepalives_interval", "10");
    set("keepalives_count", "3");
    set("tcp_user_timeout", "60000");
    keys.push_back(nullptr);
    values.push_back(nullptr);

    m_handle = PQconnectStartParams(keys.data(), values.data(), 0);
    if (!m_handle || PQstatus(m_handle) == CONNECTION_BAD)
        return connectionError(m_handle, m_config);
    // nothing of what servers say on the side belongs on the terminal
    PQsetNoticeProcessor(m_handle, [](void*, const char*) {}, nullptr);
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(m_config.connectTimeout);
    for (PostgresPollingStatusType state = PGRES_POLLING_WRITING; state != PGRES_POLLING_OK;) {
        if (stop.stop_requested())
            return cancelled();
        if (std::chrono::steady_clock::now() > end)
            return Error {Fault::Network, "source.postgresql.unreachable", m_config.place() + ": no answer within " + std::to_string(m_config.connectTimeout) + " s",
                          "Check host and port, and that the server runs.", {}};
        pollfd p {PQsocket(m_handle), static_cast<short>(state == PGRES_POLLING_READING ? POLLIN : POLLOUT), 0};
        if (::poll(&p, 1, 50) <= 0)
            continue;
        state = PQconnectPoll(m_handle);
        if (state == PGRES_POLLING_FAILED)
            return connectionError(m_handle, m_config);
    }
    m_socket = PQsocket(m_handle);
    m_cancel = PQgetCancel(m_handle);
    if (tls && !PQsslInUse(m_handle))
        return Error {Fault::Auth, "source.postgresql.tls", "the connection to " + m_config.place() + " is not encrypted although tls asks for it", "", {}};
    if (number() < oldest)
        return Error {Fault::Config, "source.postgresql.too_old", m_config.place() + " is PostgreSQL " + version(), "PostgreSQL 12 is the oldest that can be read.", {}};
    return {};
}

// Nothing of the server's own defaults may change what a statement means, how a value is printed, or how long we may hold anything.
Result<> Connection::prepareSession()
{
    const auto seconds = [](unsigned n) { return "'" + std::to_string(n) + "s'"; };
    return exec("SET search_path = ''; SET default_transaction_read_only = on; SET default_transaction_isolation = 'repeatable read'; "
                "SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = 'iso_8601'; SET extra_float_digits = 3; SET bytea_output = 'hex'; "
                "SET standard_conforming_strings = on; SET array_nulls = on; SET row_security = on; SET xmloption = 'content'; SET transform_null_equals = off; "
                "SET statement_timeout = " + seconds(m_config.statementTimeout) + "; SET lock_timeout = " + seconds(m_config.lockTimeout)
                + "; SET idle_in_transaction_session_timeout = " + seconds(m_config.statementTimeout));
}

Connection::~Connection()
{
    if (m_cancel)
        PQfreeCancel(m_cancel);
    if (m_handle)
        PQfinish(m_handle);
}

int Connection::number() const { return PQserverVersion(m_handle); }

std::string Connection::version() const
{
    const char* text = PQparameterStatus(m_handle, "server_version");
    const std::string all = text ? text : "";
    return all.substr(0, all.find(' '));
}

std::string Connection::cipher() const
{
    if (!PQsslInUse(m_handle))
        return {};
    const char *protocol = PQsslAttribute(m_handle, "protocol"), *name = PQsslAttribute(m_handle, "cipher");
    return std::string(protocol ? protocol : "TLS") + " " + (name ? name : "");
}

Error Connection::error(const PGresult* result) { return errorFrom(result, m_handle, m_config); }

Result<> Connection::exec(const std::string& sql)
{
    const ResultPtr result(PQexec(m_handle, sql.c_str()));
    const ExecStatusType status = PQresultStatus(result.get());
    if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK || status == PGRES_EMPTY_QUERY)
        return {};
    return error(result.get());
}

Result<Rows> Connection::query(const std::string& sql)
{
    // the extended protocol takes one statement only: no `where` can end ours and begin another
    const ResultPtr result(PQexecParams(m_handle, sql.c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK)
        return error(result.get());
    Rows rows(static_cast<std::size_t>(PQntuples(result.get())));
    const int width = PQnfields(result.get());
    for (int r = 0; r < PQntuples(result.get()); ++r)
        for (int c = 0; c < width; ++c)
            rows[static_cast<std::size_t>(r)].push_back(PQgetisnull(result.get(), r, c) ? std::nullopt
                : std::optional<std::string>(std::in_place, PQgetvalue(result.get(), r, c), static_cast<std::size_t>(PQgetlength(result.get(), r, c))));
    return rows;
}

Result<> Connection::beginSnapshot() { return exec("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"); }

void Connection::interrupt() noexcept
{
    if (m_socket >= 0)
        ::shutdown(m_socket, SHUT_RDWR);
}

void Connection::cancelAtServer()
{
    char words[256];
    if (m_cancel)
        (void)PQcancel(m_cancel, words, sizeof words);
}

} // namespace millrace::postgresql
