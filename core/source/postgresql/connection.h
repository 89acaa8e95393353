#pragma once
#include "core/source/postgresql/config.h"
#include <functional>
#include <libpq-fe.h>
#include <memory>
#include <optional>
#include <stop_token>
#include <vector>

namespace millrace::postgresql {

struct FreeResult { void operator()(PGresult* r) const { PQclear(r); } };
using ResultPtr = std::unique_ptr<PGresult, FreeResult>;

//! A stored result of a catalogue query: small by nature.
using Rows = std::vector<std::vector<std::optional<std::string>>>;

//! One session: read only, in UTC and UTF-8, with an empty search_path and time-outs, whatever the server's own settings are. Used by
//! one thread at a time; only interrupt() may come from another.
class Connection {
public:
    //! Logs in and sets the session up. With TLS required, a session in plaintext is an error, and the password does not leave this
    //! machine when the server offers no TLS. A stop ends the attempt.
    static Result<std::unique_ptr<Connection>> open(const Config& config, std::stop_token stop = {});
    ~Connection();
    Connection(const Connection&) = delete;

    PGconn* handle() { return m_handle; }
    const Config& config() const { return m_config; }
    int number() const;                            //!< 150018 for 15.18
    std::string version() const;                   //!< "15.18"
    std::string cipher() const;                    //!< empty: plaintext

    Result<> exec(const std::string& sql);         //!< one or more statements of ours; a result is thrown away
    Result<Rows> query(const std::string& sql);    //!< exactly one statement
    //! BEGIN: one view of the database for all that follows, until the connection ends.
    Result<> beginSnapshot();
    bool alive() const { return PQstatus(m_handle) == CONNECTION_OK && PQtransactionStatus(m_handle) == PQTRANS_IDLE; }
    Error error(const PGresult* result = nullptr); //!< of the last call on this handle

    //! Ends whatever blocks on the network, at once. Thread-safe while the connection lives; the connection is dead afterwards.
    void interrupt() noexcept;
    //! After interrupt(): asks the server to stop the statement too. Best effort, bounded in time.
    void cancelAtServer();

private:
    explicit Connection(const Config& config) : m_config(config) {}
    Result<> login(std::stop_token stop);
    Result<> prepareSession();
    Config m_config;
    PGconn* m_handle = nullptr;
    PGcancel* m_cancel = nullptr;
    int m_socket = -1;
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

} // namespace millrace::postgresql
