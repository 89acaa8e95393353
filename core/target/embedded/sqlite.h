#pragma once
#include "core/base/result.h"
#include <memory>
#include <string>
#include <string_view>

struct sqlite3;
struct sqlite3_stmt;

namespace millrace::embedded {

//! `"name"`, with quotes inside doubled: the only way a name enters a statement.
std::string identifier(std::string_view name);

//! A prepared statement. Dies before its database.
class Statement {
public:
    explicit Statement(sqlite3_stmt* handle) : m_handle(handle) {}
    //! The bytes must live until the next reset(): they are not copied.
    Statement& bind(int at, std::string_view text);
    Statement& bind(int at, std::int64_t value);
    int step();                                    //!< SQLite's code: SQLITE_ROW, SQLITE_DONE or an error
    void reset();
    std::int64_t integer(int column) const;
    std::string_view text(int column) const;       //!< until the next step()
    bool isNull(int column) const;
private:
    struct Finalize { void operator()(sqlite3_stmt* handle) const; };
    std::unique_ptr<sqlite3_stmt, Finalize> m_handle;
};

//! One connection to the file. Used by one thread at a time.
class Database {
public:
    enum class Mode { Write, Read };               //!< Write makes the file; Read refuses every change but may roll back a dead writer's journal
    static Result<Database> open(const std::string& path, Mode mode);
    Result<> exec(const std::string& sql);
    Result<Statement> prepare(const std::string& sql);
    //! Runs a statement that gives at most one number; nothing: `otherwise`.
    Result<std::int64_t> number(Statement& statement, std::int64_t otherwise = 0);
    Result<> run(Statement& statement);            //!< to its end, then resets it
    std::int64_t changes() const;                  //!< rows that the last INSERT, UPDATE or DELETE touched
    Error error() const;                           //!< the last failure of this connection, by what can be done about it
private:
    struct Close { void operator()(sqlite3* handle) const; };
    std::unique_ptr<sqlite3, Close> m_handle;
    std::string m_path;
};

//! BEGIN IMMEDIATE ... COMMIT; what is not committed is rolled back.
class Transaction {
public:
    explicit Transaction(Database& database) : m_database(database) {}
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    Result<> begin();
    Result<> commit();
private:
    Database& m_database;
    bool m_open = false;
};

} // namespace millrace::embedded
