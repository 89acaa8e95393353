#include "core/store/prepare.h"
#include "core/base/crashpoint.h"
#include "core/base/platform.h"
#include "core/store/sql.h"
#include <cstdio>
#include <filesystem>

namespace millrace {

namespace {

constexpr int applicationId = 0x4d696c6c;          // "Mill", in the file's header: tells our file from any other SQLite file

struct Facts { int version = 0; std::string needs; };

Error unreadable(const std::string& path, const std::string& why)
{
    return {Fault::Storage, "store.unreadable", path + ": " + why,
            "Keep a copy of the file, then put a backup in its place, or move it away to begin with an empty store. It is left untouched."};
}

Error fileTrouble(Error error)
{
    error.id = error.id == "file.full" ? "store.full" : "store.io";
    return error;
}

//! By the header's bytes, before SQLite opens the file: opening alone may write (a foreign file in WAL mode).
Result<> recognise(const std::string& path)
{
    const platform::Handle file = platform::openRead(path);
    if (!file.isOpen())
        return Error{Fault::Storage, "store.unreadable", path + ": " + platform::lastErrorText(), "Check the owner and permissions of the home."};
    const std::string header = platform::contents(file, 100);
    if (header.size() < 100 || !header.starts_with("SQLite format 3"))
        return unreadable(path, "the file is damaged (it does not begin like an SQLite file)");
    int application = 0;
    for (const char c : header.substr(68, 4))
        application = application << 8 | static_cast<unsigned char>(c);
    if (application != applicationId)
        return unreadable(path, "this is an SQLite file of another program, or damaged");
    return {};
}

Result<std::int64_t> pragma(const QSqlDatabase& db, const char* sql)
{
    Query query(db, sql);
    if (auto done = query.exec(); !done)
        return std::move(done).error();
    if (!query.next())
        return Error{Fault::Internal, "store.failed", std::string(sql) + " gave no answer", {}};
    return query.numberAt(0);
}

Result<Facts> look(const QSqlDatabase& db)
{
    Facts facts;
    auto version = pragma(db, "PRAGMA user_version");
    if (!version)
        return std::move(version).error();
    facts.version = static_cast<int>(*version);
    // may fail in a store of a far newer form; then its version number must do
    if (Query query(db, "SELECT value FROM settings WHERE key = 'store.needs'"); query.exec() && query.next())
        facts.needs = query.textAt(0);
    return facts;
}

Result<> check(const QSqlDatabase& db, const std::string& path)
{
    Query query(db, "PRAGMA quick_check(3)");
    if (auto done = query.exec(); !done)
        return done;
    std::string found;
    while (query.next())
        found += (found.empty() ? "" : "; ") + query.textAt(0);
    if (auto done = query.ended(); !done)
        return done;
    if (found != "ok")
        return unreadable(path, "the file is damaged (" + found + ")");
    return {};
}

Result<> apply(const QSqlDatabase& db, const Migration& step)
{
    for (const auto& statement : step.statements)
        if (auto done = execute(db, statement.c_str()); !done)
            return done;
    Query needs(db, "INSERT INTO settings (key, value) VALUES ('store.needs', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    if (auto done = needs.text(step.needs).exec(); !done)
        return done;
    return execute(db, ("PRAGMA user_version = " + std::to_string(step.version)).c_str());
}

Result<> migrate(const QSqlDatabase& db, const Migration& step)
{
    if (auto begun = execute(db, "BEGIN IMMEDIATE"); !begun)
        return begun;
    auto applied = apply(db, step);
    crashPoint("store.migration.applied");
    if (applied)
        applied = execute(db, "COMMIT");
    if (!applied)
        (void)execute(db, "ROLLBACK");             // SQLite may have done so already
    return applied;
}

//! VACUUM INTO writes a whole, consistent copy through SQLite itself. The file must not be opened and closed by other means while SQLite
//! has it open: closing any descriptor of it drops this process's POSIX locks on it.
Result<> backup(const QSqlDatabase& db, const std::string& path, int version)
{
    const std::string copy = path + ".v" + std::to_string(version) + ".bak", aside = copy + ".tmp";
    std::remove(aside.c_str());
    if (auto made = platform::createFile(aside); !made)
        return fileTrouble(std::move(made).error());
    Query query(db, "VACUUM INTO ?");
    auto done = query.text(aside).exec();
    if (done)
        done = platform::syncFile(aside);
    std::error_code code;
    if (done)
        std::filesystem::rename(aside, copy, code);
    if (done && !code)
        return platform::syncFile(std::filesystem::path(path).parent_path().string());
    std::remove(aside.c_str());
    if (done)
        return Error{Fault::Storage, "store.io", copy + ": " + code.message(), {}};
    return std::move(done).error().in("backup before an upgrade of the store");
}

//! The file appears under its name only when it is complete, so an empty or half file of that name is always damage.
Result<> create(const std::string& path, const std::vector<Migration>& steps)
{
    const std::string aside = path + ".new";
    std::remove((aside + "-journal").c_str());
    std::remove(aside.c_str());
    if (auto made = platform::createFile(aside); !made)
        return fileTrouble(std::move(made).error());
    const auto fill = [&]() -> Result<> {
        auto connection = SqlConnection::open(aside, false);
        if (!connection)
            return std::move(connection).error();
        if (auto set = execute((*connection)->db(), ("PRAGMA application_id = " + std::to_string(applicationId)).c_str()); !set)
            return set;
        for (const auto& step : steps)
            if (auto done = migrate((*connection)->db(), step); !done)
                return done;
        return {};
    };
    auto done = fill();
    crashPoint("store.create.filled");
    if (done)
        done = platform::syncFile(aside);
    std::error_code code;
    if (done) {
        std::filesystem::create_hard_link(aside, path, code);   // unlike rename it cannot replace a file that came meanwhile
        if (code && code != std::errc::file_exists) {
            code.clear();
            std::filesystem::rename(aside, path, code);         // a file system without links
        }
    }
    std::remove(aside.c_str());
    if (!done)
        return done;
    if (code && code != std::errc::file_exists)
        return Error{Fault::Storage, "store.io", path + ": " + code.message(), {}};
    return platform::syncFile(std::filesystem::path(path).parent_path().string());
}

Result<> upgrade(SqlConnection& connection, const std::string& path, const std::vector<Migration>& steps, int version, Log* log)
{
    for (const auto& step : steps) {
        if (step.version <= version)
            continue;
        if (auto kept = backup(connection.db(), path, version); !kept)
            return kept;
        crashPoint("store.migration.backed_up");
        if (auto done = migrate(connection.db(), step); !done)
            return Error(std::move(done).error()).in("upgrade of the store from version " + std::to_string(version));
        if (log)
            log->write({0, Level::Info, "store", "The store was upgraded from version " + std::to_string(version) + " to " + std::to_string(step.version),
                        {{"backup", path + ".v" + std::to_string(version) + ".bak"}}});
        version = step.version;
    }
    return {};
}

} // namespace

Result<> prepareStore(const std::string& path, const std::vector<Migration>& steps, StoreAccess access, Log* log)
{
    const auto file = platform::facts(path);
    if (!file && access == StoreAccess::Read)
        return Error{Fault::Config, "store.missing", "There is no store in this home yet (" + path + ")", "Add a connection first, or name another home with --home DIR."};
    if (!file)
        return create(path, steps);
    if (file->kind != platform::FileFacts::Kind::File)
        return unreadable(path, "this is not a plain file");
    if (file->size == 0)
        return unreadable(path, "the file is empty");
    if (auto ours = recognise(path); !ours)
        return ours;

    auto connection = SqlConnection::open(path, access == StoreAccess::Read);
    if (!connection)
        return std::move(connection).error();
    const auto facts = look((*connection)->db());
    if (!facts)
        return facts.error();
    const int newest = steps.back().version;
    if (facts->version > newest)
        return Error{Fault::Config, "store.newer_version",
                     path + " was written by a newer Millrace (store version " + std::to_string(facts->version) + "; this one knows " + std::to_string(newest) + ")",
                     facts->needs.empty() ? "Install the newer version." : "Install Millrace " + facts->needs + " or newer."};
    if (access == StoreAccess::Read && facts->version < newest)
        return Error{Fault::Config, "store.older_version", path + " is of an older version and another process owns the home",
                     "Restart that process with this version of Millrace."};
    if (access == StoreAccess::Read)
        return {};
    if (auto whole = check((*connection)->db(), path); !whole)
        return whole;
    if (file->readableByOthers() || file->writableByOthers()) {
        // the file was made by us with 0600: whoever loosened it did so by accident (a copy, an unpacked archive)
        if (auto set = platform::setMode(path, 0600); !set)
            return set;
        if (log)
            log->write({0, Level::Warning, "store", path + " could be read by other users and is private again", {}});
    }
    return upgrade(**connection, path, steps, facts->version, log);
}

} // namespace millrace
