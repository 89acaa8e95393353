#include "core/store/sql.h"
#include "core/base/text.h"
#include <QCoreApplication>
#include <QVariant>
#include <atomic>

namespace millrace {

namespace {
// primary result codes of sqlite3.h; Qt hands over the extended code as text
enum : int { Busy = 5, Locked = 6, ReadOnly = 8, IoError = 10, Corrupt = 11, Full = 13, CannotOpen = 14, NotADatabase = 26 };

constexpr const char* freeSpace = "Free some space on this disk and try again; what was saved before is intact.";
} // namespace

Error storeError(const QSqlError& error, std::string_view path)
{
    const std::string detail = std::string(path) + ": " + error.text().trimmed().toStdString();
    switch (error.nativeErrorCode().toInt() & 0xff) {
    case Full: return {Fault::Storage, "store.full", detail, freeSpace};
    case IoError: return {Fault::Storage, "store.io", detail, "Check the disk that holds the home, and the space and quota left on it."};
    case Busy: case Locked: return {Fault::Timeout, "store.busy", detail, "Another program holds the store's file; close it."};
    case ReadOnly: return {Fault::Storage, "store.read_only", detail, "Check that this user may write to the home and that its disk is not mounted read-only."};
    case CannotOpen: return {Fault::Storage, "store.unreadable", detail, "Check the owner and permissions of the home."};
    case Corrupt: case NotADatabase:
        return {Fault::Storage, "store.unreadable", detail + " (the file is damaged)",
                "Keep a copy of the file, then put a backup in its place, or move it away to begin with an empty store. It is left untouched."};
    default: return {Fault::Internal, "store.failed", detail, {}};
    }
}

Query::Query(const QSqlDatabase& db, const char* sql) : m_query(db), m_path(db.databaseName().toStdString())
{
    m_query.setForwardOnly(true);
    if (!m_query.prepare(QString::fromUtf8(sql)))
        m_unprepared = storeError(m_query.lastError(), m_path);
}

Query& Query::text(std::string_view value)
{
    // QString would drop a leading byte order mark and replace what is not UTF-8: such text keeps its bytes as a blob
    const auto size = static_cast<qsizetype>(value.size());
    if (validUtf8(value) && !value.starts_with("\xEF\xBB\xBF"))
        m_query.bindValue(m_at++, value.empty() ? QString(QLatin1String("")) : QString::fromUtf8(value.data(), size));
    else
        m_query.bindValue(m_at++, QByteArray(value.data(), size));
    return *this;
}

Query& Query::number(std::int64_t value) { m_query.bindValue(m_at++, QVariant(static_cast<qlonglong>(value))); return *this; }
Query& Query::real(double value) { m_query.bindValue(m_at++, value); return *this; }
Query& Query::null() { m_query.bindValue(m_at++, QVariant()); return *this; }

Result<> Query::exec()
{
    m_at = 0;
    if (m_unprepared)
        return *m_unprepared;
    if (!m_query.exec())
        return storeError(m_query.lastError(), m_path);
    return {};
}

Result<> Query::ended() const
{
    if (m_query.lastError().isValid())
        return storeError(m_query.lastError(), m_path);
    return {};
}

Result<> execute(const QSqlDatabase& db, const char* sql)
{
    QSqlQuery query(db);
    query.setForwardOnly(true);
    if (!query.exec(QString::fromUtf8(sql)))
        return storeError(query.lastError(), db.databaseName().toStdString());
    return {};
}

Result<std::unique_ptr<SqlConnection>> SqlConnection::open(const std::string& path, bool readOnly)
{
    if (!QCoreApplication::instance())
        return Error{Fault::Internal, "store.no_application", "The store was opened before a QCoreApplication was made", {}};
    static std::atomic<unsigned> counter{0};
    std::unique_ptr<SqlConnection> out(new SqlConnection(QStringLiteral("millrace-store-%1").arg(++counter)));
    out->m_db = QSqlDatabase::addDatabase(QStringLiteral("QSQLITE"), out->m_name);
    if (!out->m_db.isValid())
        return Error{Fault::Config, "store.no_driver", "Qt's SQLite plugin is not installed", "Install the package libqt6sql6-sqlite."};
    out->m_db.setDatabaseName(QString::fromStdString(path));
    out->m_db.setConnectOptions(QStringLiteral("QSQLITE_BUSY_TIMEOUT=10000"));
    if (!out->m_db.open())
        return storeError(out->m_db.lastError(), path);
    // EXTRA is FULL and an fsync of the folder: without it a power cut may bring back the journal of a transaction that was already
    // confirmed upstream (Invariant 1).
    for (const char* pragma : {"PRAGMA synchronous=EXTRA", "PRAGMA mmap_size=0", "PRAGMA foreign_keys=ON",
                               "PRAGMA temp_store=MEMORY", "PRAGMA trusted_schema=OFF", "PRAGMA cell_size_check=ON"})
        if (auto done = execute(out->m_db, pragma); !done && !readOnly)
            return std::move(done).error();
    // Not opened read-only: a killed owner may have left half a transaction, which SQLite must take back before anybody can read.
    if (readOnly)
        if (auto done = execute(out->m_db, "PRAGMA query_only=ON"); !done)
            return std::move(done).error();
    return out;
}

SqlConnection::~SqlConnection()
{
    m_db.close();
    m_db = QSqlDatabase();                         // the last reference must go before the name does
    QSqlDatabase::removeDatabase(m_name);
}

} // namespace millrace
