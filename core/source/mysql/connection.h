#pragma once
#include "core/source/mysql/config.h"
#include <functional>
#include <memory>
#include <mysql.h>
#include <optional>
#include <stop_token>
#include <vector>

namespace millrace::mysql {

//! A stored result of a catalogue query: small by nature.
using Rows = std::vector<std::vector<std::optional<std::string>>>;

//! One session, read only, in UTC and utf8mb4. Used by one thread at a time; only interrupt() may come from another.
class Connection {
public:
    //! Logs in and sets the session up. With TLS required, a session in plaintext is an error, and the password does not leave this
    //! machine when the server offers no TLS.
    static Result<std::unique_ptr<Connection>> open(const Config& config);
    ~Connection();
    Connection(const Connection&) = delete;

    MYSQL* handle() { return m_handle; }
    const Config& config() const { return m_config; }
    bool mariadb() const { return m_mariadb; }
    std::string version() const;
    std::string cipher() const;                    //!< empty: plaintext

    Result<> exec(const std::string& sql);
    Result<Rows> query(const std::string& sql);
    Error error();                                 //!< of the last call on this handle
    std::string literal(std::string_view text);    //!< 'text', escaped for this session

    //! Ends whatever blocks on the network, at once. Thread-safe while the connection lives; the connection is dead afterwards.
    void interrupt() noexcept;
    //! After interrupt(): asks the server to stop the statement too, by a second session. Best effort, bounded in time.
    void killAtServer();

private:
    explicit Connection(const Config& config) : m_config(config) {}
    Result<> login();
    Result<> prepareSession();
    Config m_config;
    MYSQL* m_handle = nullptr;
    int m_socket = -1;
    bool m_mariadb = false, m_dead = false;
};

//! While it lives, a requested stop interrupts the connection. `finish` turns the error of an interrupted call into Fault::Cancelled.
class Interruptible {
public:
    Interruptible(Connection& connection, std::stop_token stop)
        : m_connection(connection), m_stop(std::move(stop)), m_callback(m_stop, [&connection] { connection.interrupt(); }) {}
    Error finish(Error error);
private:
    Connection& m_connection;
    std::stop_token m_stop;
    std::stop_callback<std::function<void()>> m_callback;
};

Error cancelled();

} // namespace millrace::mysql
