#include "core/target/embedded/sqlite.h"
#include <sqlite3.h>

namespace millrace::embedded {

std::string identifier(std::string_view name)
{
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"')
            out += '"';
        out += c;
    }
    return out += '"';
}

void Statement::Finalize::operator()(sqlite3_stmt* handle) const { sqlite3_finalize(handle); }

Statement& Statement::bind(int at, std::string_view text)
{
    // an empty view may have no address, and SQLite takes a null address for NULL
    sqlite3_bind_text64(m_handle.get(), at, text.empty() ? "" : text.data(), text.size(), SQLITE_STATIC, SQLITE_UTF8);
    return *this;
}

Statement& Statement::bind(int at, std::int64_t value)
{
    sqlite3_bind_int64(m_handle.get(), at, value);
    return *this;
}

int Statement::step() { return sqlite3_step(m_handle.get()); }
void Statement::reset() { sqlite3_reset(m_handle.get()); }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(m_handle.get(), column); }
bool Statement::isNull(int column) const { return sqlite3_column_type(m_handle.get(), column) == SQLITE_NULL; }

std::string_view Statement::text(int column) const
{
    const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(m_handle.get(), column));
    return bytes ? std::string_view(bytes, static_cast<std::size_t>(sqlite3_column_bytes(m_handle.get(), column))) : std::string_view();
}

void Database::Close::operator()(sqlite3* handle) const { sqlite3_close_v2(handle); }

Result<Database> Database::open(const std::string& path, Mode mode)
{
    Database database;
    database.m_path = path;
    sqlite3* handle = nullptr;
    const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX | (mode == Mode::Write ? SQLITE_OPEN_CREATE : 0);
    const int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
    database.m_handle.reset(handle);
    if (code != SQLITE_OK)
        return database.error();
    sqlite3_extended_result_codes(handle, 1);
    sqlite3_busy_timeout(handle, 10'000);

    // trusted_schema stays on: without it SQLite 3.40 refuses to write a table that its owner indexed by json_extract(doc, ...)
    std::string pragmas = "PRAGMA mmap_size=0; PRAGMA cache_size=-32768;";
    if (mode == Mode::Read)
        pragmas += "PRAGMA query_only=ON;";
    else
        pragmas += "PRAGMA page_size=16384;"             // of a new file only; loads a fifth faster than 4096
                   "PRAGMA synchronous=FULL;"
                   "PRAGMA legacy_alter_table=ON;";      // a swap must not trip over views that other clients made
    if (auto set = database.exec(pragmas); !set)
        return set.error();
    if (mode == Mode::Read)
        return database;

    // TRUNCATE and not DELETE: with synchronous=FULL SQLite syncs the truncation too, so a commit that returned survives a power cut
    // (Invariant 1); an unlinked journal may come back. And not WAL: Debian's SQLite has the WAL-reset bug, and a file in WAL mode
    // cannot be read from a read-only place. A file that its owner put into WAL mode stays so; FULL is durable there as well.
    auto journal = database.prepare("PRAGMA journal_mode");
    if (!journal)
        return journal.error();
    if (journal->step() != SQLITE_ROW)
        return database.error();
    const bool wal = journal->text(0) == "wal";
    journal->reset();
    if (!wal)
        if (auto set = database.exec("PRAGMA journal_mode=TRUNCATE"); !set)
            return set.error();
    return database;
}

Result<> Database::exec(const std::string& sql)
{
    if (sqlite3_exec(m_handle.get(), sql.c_str(), nullptr, nullptr, nullptr) != SQLITE_OK)
        return error();
    return {};
}

Result<Statement> Database::prepare(const std::string& sql)
{
    sqlite3_stmt* handle = nullptr;
    if (sqlite3_prepare_v3(m_handle.get(), sql.c_str(), static_cast<int>(sql.size() + 1), SQLITE_PREPARE_PERSISTENT, &handle, nullptr) != SQLITE_OK)
        return error();
    return Statement(handle);
}

Result<std::int64_t> Database::number(Statement& statement, std::int64_t otherwise)
{
    const int code = statement.step();
    if (code != SQLITE_ROW && code != SQLITE_DONE) {
        Error failure = error();
        statement.reset();
        return failure;
    }
    const std::int64_t value = code == SQLITE_ROW && !statement.isNull(0) ? statement.integer(0) : otherwise;
    statement.reset();
    return value;
}

Result<> Database::run(Statement& statement)
{
    int code;
    while ((code = statement.step()) == SQLITE_ROW) {}
    if (code != SQLITE_DONE) {
        Error failure = error();
        statement.reset();
        return failure;
    }
    statement.reset();
    return {};
}

std::int64_t Database::changes() const { return sqlite3_changes64(m_handle.get()); }

Error Database::error() const
{
    const int code = m_handle ? sqlite3_extended_errcode(m_handle.get()) : SQLITE_NOMEM;
    const std::string words = m_path + ": " + (m_handle ? sqlite3_errmsg(m_handle.get()) : "out of memory");
    switch (code & 0xff) {
    case SQLITE_FULL:
        return {Fault::Storage, "target.embedded.disk_full", words, "Free space on the disk that holds the file, then run again: the sync goes on from its last checkpoint.", {}};
    case SQLITE_IOERR: case SQLITE_NOLFS:
        return {Fault::Storage, "target.embedded.io", words, "Check the disk that holds the file.", {}};
    case SQLITE_CORRUPT:
        return {Fault::Storage, "target.embedded.damaged", words, "Move the file away and run a full sync: it is made anew from the source.", {}};
    case SQLITE_NOTADB:
        return {Fault::Config, "target.embedded.not_sqlite", words, "Name another file: this one is not an SQLite database.", {}};
    case SQLITE_BUSY: case SQLITE_LOCKED:
        return {Fault::Timeout, "target.embedded.busy", words, "Another program holds the file; end its transaction.", {}};
    case SQLITE_CANTOPEN: case SQLITE_READONLY: case SQLITE_PERM: case SQLITE_AUTH:
        return {Fault::Config, "target.embedded.cannot_open", words, "Make the file and its folder writable for this user, or name another file.", {}};
    case SQLITE_TOOBIG:
        return {Fault::Data, "target.embedded.too_large", words, "", {}};
    case SQLITE_CONSTRAINT: case SQLITE_MISMATCH:
        return {Fault::Data, "target.embedded.refused", words, "A constraint or trigger in the file refuses this document.", {}};
    case SQLITE_INTERRUPT:
        return {Fault::Cancelled, "target.embedded.cancelled", words, "", {}};
    default: break;
    }
    if (words.find("no such table") != std::string::npos || words.find("no such column") != std::string::npos)
        return {Fault::Schema, "target.embedded.container_changed", words, "Somebody changed or dropped the table; reset the sync and run it again.", {}};
    return {Fault::Internal, "target.embedded.sqlite", words, "", {}};
}

Transaction::~Transaction()
{
    if (m_open)
        (void)m_database.exec("ROLLBACK");               // fails when SQLite has rolled back by itself (disk full): then there is nothing to do
}

Result<> Transaction::begin()
{
    auto begun = m_database.exec("BEGIN IMMEDIATE");
    m_open = begun.has_value();
    return begun;
}

Result<> Transaction::commit()
{
    auto committed = m_database.exec("COMMIT");
    m_open = !committed.has_value();
    return committed;
}

} // namespace millrace::embedded
