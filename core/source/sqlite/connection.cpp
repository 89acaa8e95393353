#include "core/source/sqlite/connection.h"
#include "core/base/text.h"
#include <sys/stat.h>
#include <thread>

namespace millrace::sqlitesource {

namespace {

Error errorOf(sqlite3* db, int code, std::string_view doing)
{
    std::string words = db ? sqlite3_errmsg(db) : sqlite3_errstr(code);
    const auto make = [&](Fault fault, const char* id, std::string fix) {
        return Error{fault, std::string("source.sqlite.") + id, std::string(doing) + ": " + words, std::move(fix), {}};
    };
    switch (code & 0xff) {
    case SQLITE_INTERRUPT: return make(Fault::Cancelled, "cancelled", {});
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return make(Fault::Timeout, "busy", "Another program holds the file. The table is tried again; a long transaction there has to end.");
    case SQLITE_NOTADB: return make(Fault::Storage, "not_a_database", "Name an SQLite 3 database file. Encrypted ones are not supported.");
    case SQLITE_CORRUPT: return make(Fault::Storage, "damaged", "Run PRAGMA integrity_check on a copy of the file, and restore it from a backup.");
    case SQLITE_READONLY:
        return make(Fault::Storage, "needs_recovery", "A writer of this file has crashed. Open it once with a program that may write, so that SQLite can recover it.");
    case SQLITE_CANTOPEN:
        return make(Fault::Config, "cannot_open", "Check that this user may read the file; a database in WAL mode also needs its -shm and -wal files, or a folder that can be written.");
    case SQLITE_PERM:
    case SQLITE_AUTH: return make(Fault::Auth, "not_permitted", "Grant this user the right to read the file.");
    case SQLITE_IOERR: return make(Fault::Storage, "read_failed", "Check the disk and the mount of the file.");
    case SQLITE_NOMEM:
    case SQLITE_FULL: return make(Fault::Storage, "no_space", "Free memory, or space in the folder for temporary files.");
    case SQLITE_TOOBIG: return make(Fault::Data, "too_large", {});
    case SQLITE_ERROR: return make(Fault::Config, "sql", "Check the names, the filter and the views of this database.");
    default: return make(Fault::Internal, "unexpected", {});
    }
}

} // namespace

std::string quotedName(std::string_view name)
{
    std::string out = "\"";
    for (const char c : name) {
        if (c == '"') out += '"';
        out += c;
    }
    return out += '"';
}

Result<bool> Statement::step()
{
    const int code = sqlite3_step(handle());
    if (code == SQLITE_ROW)
        return true;
    if (code == SQLITE_DONE)
        return false;
    sqlite3* db = sqlite3_db_handle(handle());
    return errorOf(db, sqlite3_extended_errcode(db), "reading");
}

std::string Statement::text(int column) const
{
    const auto* p = reinterpret_cast<const char*>(sqlite3_column_text(handle(), column));
    return p ? std::string(p, static_cast<std::size_t>(sqlite3_column_bytes(handle(), column))) : std::string();
}

Result<std::unique_ptr<Connection>> Connection::open(const std::string& path, std::chrono::milliseconds busyTimeout)
{
    struct stat found{};
    if (path.find('\0') != std::string::npos || ::stat(path.c_str(), &found) != 0)
        return Error{Fault::Config, "source.sqlite.file_missing", "There is no database file " + path + ".", "Correct the path. Millrace never creates a source.", {}};
    if (!S_ISREG(found.st_mode))
        return Error{Fault::Config, "source.sqlite.file_missing", path + " is not a file.", "Name the database file itself.", {}};
    // A name that starts with '/' or './' cannot be taken for a URI ("file:...") or for ":memory:", whatever SQLite was built with.
    std::unique_ptr<Connection> made(new Connection(path.starts_with('/') ? path : "./" + path));
    const int code = sqlite3_open_v2(made->m_path.c_str(), &made->m_db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, nullptr);
    if (code != SQLITE_OK)
        return errorOf(made->m_db, code, made->m_path);
    made->m_busyTimeout = busyTimeout;
    sqlite3_busy_handler(made->m_db, &Connection::onBusy, made.get());
    // sqlite3_interrupt() is forgotten when it comes just before a statement's first step; this sees the stop then.
    sqlite3_progress_handler(made->m_db, 20'000, [](void* self) { return static_cast<int>(static_cast<Connection*>(self)->m_stop.stop_requested()); }, made.get());
    // A hostile schema must not run anything but plain SQL, and nothing here may write.
    sqlite3_db_config(made->m_db, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
    sqlite3_db_config(made->m_db, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
    for (const char* setting : {"PRAGMA query_only = 1", "PRAGMA cell_size_check = 1", "PRAGMA cache_size = -8192"})
        if (auto set = made->run(setting); !set)
            return std::move(set).error().in(path);
    return made;
}

int Connection::onBusy(void* self, int tries)
{
    auto& connection = *static_cast<Connection*>(self);
    const auto now = std::chrono::steady_clock::now();
    if (tries == 0)
        connection.m_busySince = now;
    if (connection.m_stop.stop_requested() || now - connection.m_busySince >= connection.m_busyTimeout)
        return 0;
    std::this_thread::sleep_for(std::chrono::milliseconds(tries < 10 ? 1 + tries : 20));
    return 1;
}

Error Connection::error(std::string_view doing) const
{
    if (m_stop.stop_requested())
        return {Fault::Cancelled, "source.sqlite.cancelled", std::string(doing) + ": stopped", {}, {}};
    return errorOf(m_db, sqlite3_extended_errcode(m_db), doing);
}

Result<Statement> Connection::prepare(std::string_view sql)
{
    sqlite3_stmt* made = nullptr;
    const char* rest = nullptr;
    if (sqlite3_prepare_v3(m_db, sql.data(), static_cast<int>(sql.size()), 0, &made, &rest) != SQLITE_OK)
        return error("preparing");
    Statement statement(made);
    // Words of an operator (a filter) stand in these texts: what ends the statement early must not go unnoticed.
    if (!statement || !trimmed(std::string_view(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest))).empty())
        return Error{Fault::Config, "source.sqlite.sql", "The SQL ends too early: a filter must be one expression.", "Remove ';' and comments from it.", {}};
    return statement;
}

Result<> Connection::run(std::string_view sql)
{
    auto statement = prepare(sql);
    if (!statement)
        return std::move(statement).error();
    for (;;) {
        auto row = statement->step();
        if (!row)
            return std::move(row).error();
        if (!*row)
            return {};
    }
}

Result<std::string> Connection::word(std::string_view sql)
{
    auto statement = prepare(sql);
    if (!statement)
        return std::move(statement).error();
    auto row = statement->step();
    if (!row)
        return std::move(row).error();
    return *row ? statement->text(0) : std::string();
}

Result<bool> Connection::wal()
{
    auto mode = word("PRAGMA journal_mode");
    if (!mode)
        return std::move(mode).error();
    return lower(*mode) == "wal";
}

Result<bool> Connection::utf8()
{
    auto encoding = word("PRAGMA encoding");
    if (!encoding)
        return std::move(encoding).error();
    return *encoding == "UTF-8";
}

std::string Connection::changeStamp()
{
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(m_db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods)
        return {};
    // Header of the format: change counter at 24, pages at 28, free list at 32 and 36, schema cookie at 40 (sqlite.org/fileformat2.html).
    // The inode tells a file that was put in place of the other.
    char header[20];
    struct stat found{};
    if (file->pMethods->xRead(file, header, sizeof header, 24) != SQLITE_OK || ::stat(m_path.c_str(), &found) != 0)
        return {};
    return hex({header, sizeof header}) + "-" + std::to_string(found.st_ino);
}

bool Connection::writerActive()
{
    sqlite3_file* file = nullptr;
    if (sqlite3_file_control(m_db, "main", SQLITE_FCNTL_FILE_POINTER, &file) != SQLITE_OK || !file || !file->pMethods)
        return true;                                             // not knowing is treated as the worse case
    int reserved = 1;
    return file->pMethods->xCheckReservedLock(file, &reserved) != SQLITE_OK || reserved != 0;
}

} // namespace millrace::sqlitesource
