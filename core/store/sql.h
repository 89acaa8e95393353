#pragma once
#include "core/base/result.h"
#include <QSqlDatabase>
#include <QSqlError>
#include <QSqlQuery>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

//! What SQLite said, as an Error: store.full, store.io, store.unreadable, store.busy, store.read_only or store.failed.
Error storeError(const QSqlError& error, std::string_view path);

//! One prepared statement over one connection; lives on that connection's thread. Bind each `?` in order (Qt knows no `?1`), then exec; may be run again.
class Query {
public:
    Query(const QSqlDatabase& db, const char* sql);
    Query& text(std::string_view value);           //!< byte-exact: what is not plain UTF-8 is stored as a blob
    Query& number(std::int64_t value);
    Query& number(std::uint64_t value) { return number(static_cast<std::int64_t>(value)); }
    Query& real(double value);
    Query& null();
    Result<> exec();
    bool next() { return m_query.next(); }
    //! After the last next(): whether the rows ended or reading failed.
    Result<> ended() const;
    std::string textAt(int column) const { return m_query.value(column).toByteArray().toStdString(); }
    std::int64_t numberAt(int column) const { return m_query.value(column).toLongLong(); }
    double realAt(int column) const { return m_query.value(column).toDouble(); }
    bool nullAt(int column) const { return m_query.isNull(column); }
    std::uint64_t changed() const { return static_cast<std::uint64_t>(m_query.numRowsAffected()); }
    std::int64_t insertedId() const { return m_query.lastInsertId().toLongLong(); }
private:
    QSqlQuery m_query;
    std::string m_path;
    std::optional<Error> m_unprepared;
    int m_at = 0;
};

//! Runs one statement without parameters.
Result<> execute(const QSqlDatabase& db, const char* sql);

//! An open SQLite file; made, used and destroyed on one thread.
class SqlConnection {
public:
    static Result<std::unique_ptr<SqlConnection>> open(const std::string& path, bool readOnly);
    ~SqlConnection();
    QSqlDatabase& db() { return m_db; }
    SqlConnection(const SqlConnection&) = delete;
    SqlConnection& operator=(const SqlConnection&) = delete;
private:
    explicit SqlConnection(QString name) : m_name(std::move(name)) {}
    const QString m_name;
    QSqlDatabase m_db;
};

} // namespace millrace
