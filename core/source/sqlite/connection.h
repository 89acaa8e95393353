#pragma once
#include "core/base/result.h"
#include <chrono>
#include <memory>
#include <optional>
#include <sqlite3.h>
#include <stop_token>
#include <string>
#include <string_view>

namespace millrace::sqlitesource {

std::string quotedName(std::string_view name);                       //!< "film" -> "\"film\"", quotes inside doubled

//! A prepared statement. Steps report false at the end; the row's pointers live until the next step.
class Statement {
public:
    Statement() = default;
    explicit Statement(sqlite3_stmt* statement) : m_statement(statement) {}
    sqlite3_stmt* handle() const { return m_statement.get(); }
    explicit operator bool() const { return m_statement != nullptr; }
    Result<bool> step();
    void reset() { if (m_statement) sqlite3_reset(m_statement.get()); }
    void bind(int index, std::string_view text) { sqlite3_bind_text64(handle(), index, text.data(), text.size(), SQLITE_TRANSIENT, SQLITE_UTF8); }
    void bind(int index, std::int64_t value) { sqlite3_bind_int64(handle(), index, value); }
    std::string text(int column) const;
    std::int64_t integer(int column) const { return sqlite3_column_int64(handle(), column); }
    bool isNull(int column) const { return sqlite3_column_type(handle(), column) == SQLITE_NULL; }
private:
    struct Finalize { void operator()(sqlite3_stmt* s) const { sqlite3_finalize(s); } };
    std::unique_ptr<sqlite3_stmt, Finalize> m_statement;
};

//! One read-only handle on a database file. Used by one thread at a time; only Cancel may touch it from another one.
class Connection {
public:
    //! `path` is absolute or relative to the working directory; it is never read as a URI and never created.
    static Result<std::unique_ptr<Connection>> open(const std::string& path, std::chrono::milliseconds busyTimeout);
    Connection(const Connection&) = delete;
    Connection& operator=(const Connection&) = delete;
    ~Connection() { sqlite3_close_v2(m_db); }

    sqlite3* handle() const { return m_db; }
    const std::string& path() const { return m_path; }
    Result<Statement> prepare(std::string_view sql);
    Result<> run(std::string_view sql);
    Result<std::string> word(std::string_view sql);              //!< first column of the first row; empty when there is none
    Error error(std::string_view doing) const;                   //!< what the handle says of its last call

    Result<bool> wal();                                          //!< the file is in WAL mode
    Result<bool> utf8();                                         //!< else text is kept as UTF-16

    // What the file itself says; valid inside a read transaction of a rollback-journal database.
    std::string changeStamp();                                   //!< changes with every commit of any connection; empty when unknown
    bool writerActive();                                         //!< another connection holds the reserved lock

private:
    friend class Cancel;
    explicit Connection(std::string path) : m_path(std::move(path)) {}
    static int onBusy(void* self, int tries);
    sqlite3* m_db = nullptr;
    std::string m_path;
    std::chrono::milliseconds m_busyTimeout{5000};
    std::chrono::steady_clock::time_point m_busySince{};
    std::stop_token m_stop;
};

//! While it lives, a stop request interrupts the connection's statement and ends waiting for locks.
class Cancel {
public:
    Cancel(Connection& connection, std::stop_token stop) : m_connection(connection), m_callback(stop, Interrupt{connection.m_db}) { connection.m_stop = stop; }
    ~Cancel() { m_connection.m_stop = {}; }
    Cancel(const Cancel&) = delete;
    Cancel& operator=(const Cancel&) = delete;
private:
    struct Interrupt { sqlite3* db; void operator()() const { sqlite3_interrupt(db); } };
    Connection& m_connection;
    std::stop_callback<Interrupt> m_callback;
};

} // namespace millrace::sqlitesource
