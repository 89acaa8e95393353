#include "core/target/embedded/catalog.h"
#include <sqlite3.h>

namespace millrace::embedded {

namespace {
constexpr std::int64_t format = 1;
}

Result<> makeCatalog(Database& database)
{
    if (auto made = database.exec(
            "CREATE TABLE IF NOT EXISTS _mr_info (name TEXT PRIMARY KEY, value INTEGER);"
            "INSERT OR IGNORE INTO _mr_info VALUES ('format', 1);"
            "CREATE TABLE IF NOT EXISTS _mr_lease (sync TEXT PRIMARY KEY, owner TEXT NOT NULL, epoch INTEGER NOT NULL, beat_ms INTEGER NOT NULL, held INTEGER NOT NULL);"
            "CREATE TABLE IF NOT EXISTS _mr_container (container TEXT PRIMARY KEY COLLATE NOCASE, sync TEXT NOT NULL, source TEXT NOT NULL, own INTEGER NOT NULL);"
            "CREATE TABLE IF NOT EXISTS _mr_aside (container TEXT PRIMARY KEY COLLATE NOCASE, sync TEXT NOT NULL);"
            "CREATE TABLE IF NOT EXISTS _mr_mark (container TEXT COLLATE NOCASE, key TEXT, PRIMARY KEY (container, key)) WITHOUT ROWID;");
        !made)
        return made;
    auto ask = database.prepare("SELECT value FROM _mr_info WHERE name='format'");
    if (!ask)
        return ask.error();
    auto found = database.number(*ask, format);
    if (!found)
        return found.error();
    if (*found > format)
        return Error{Fault::Config, "target.embedded.newer_format", "the file was written by a later version of Millrace", "Use that version, or name another file.", {}};
    return {};
}

Error fenced(const Lease& lease)
{
    return {Fault::Fenced, "target.embedded.fenced", "sync " + lease.sync + " is written by another instance now", "Stop one of the two.", {}};
}

Result<> checkLease(Database& database, const Lease& lease)
{
    auto ask = database.prepare("SELECT 1 FROM _mr_lease WHERE sync=?1 AND owner=?2 AND epoch=?3 AND held=1");
    if (!ask)
        return ask.error();
    ask->bind(1, lease.sync).bind(2, lease.owner).bind(3, static_cast<std::int64_t>(lease.epoch));
    auto ours = database.number(*ask);
    if (!ours)
        return ours.error();
    if (*ours == 0)
        return fenced(lease);
    return {};
}

Result<Standing> standing(Database& database, const TablePlan& plan)
{
    auto look = database.prepare("SELECT type FROM sqlite_schema WHERE name=?1 COLLATE NOCASE AND type IN ('table','view')");
    if (!look)
        return look.error();
    look->bind(1, plan.container);
    int code = look->step();
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return database.error();
    if (code == SQLITE_DONE)
        return Standing{};
    if (look->text(0) == "view")
        return Standing{Standing::Kind::View, {}};

    auto ask = database.prepare("SELECT own, sync FROM _mr_container WHERE container=?1");
    if (!ask)
        return ask.error();
    ask->bind(1, plan.container);
    code = ask->step();
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        return database.error();
    if (code == SQLITE_DONE)
        return Standing{Standing::Kind::Foreign, {}};
    if (ask->text(1) != plan.sync)
        return Standing{Standing::Kind::OtherSync, std::string(ask->text(1))};
    return Standing{ask->integer(0) ? Standing::Kind::Own : Standing::Kind::Adopted, {}};
}

Result<> remember(Database& database, const TablePlan& plan, bool own)
{
    auto put = database.prepare("INSERT INTO _mr_container VALUES (?1,?2,?3,?4) ON CONFLICT(container) DO UPDATE SET container=?1, sync=?2, source=?3, own=?4");
    if (!put)
        return put.error();
    put->bind(1, plan.container).bind(2, plan.sync).bind(3, plan.label).bind(4, own ? 1 : 0);
    return database.run(*put);
}

Result<> forget(Database& database, const std::string& container)
{
    for (const char* sql : {"DELETE FROM _mr_container WHERE container=?1", "DELETE FROM _mr_mark WHERE container=?1"}) {
        auto statement = database.prepare(sql);
        if (!statement)
            return statement.error();
        statement->bind(1, container);
        if (auto done = database.run(*statement); !done)
            return done;
    }
    return {};
}

Error notOurs(const TablePlan& plan, const Standing& standing)
{
    if (standing.kind == Standing::Kind::View)
        return {Fault::Config, "target.embedded.not_ours", "\"" + plan.container + "\" is a view in this file", "Choose another name with `to:` or `prefix:`.", {}};
    if (standing.kind == Standing::Kind::OtherSync)
        return {Fault::Config, "target.embedded.not_ours", "table \"" + plan.container + "\" belongs to the sync " + standing.sync,
            "Choose another name with `to:` or `prefix:`, or `if_exists: rebuild` when that sync is gone.", {}};
    return {Fault::Config, "target.embedded.not_ours", "table \"" + plan.container + "\" was there before and was not made by this sync",
        "Choose `if_exists: write` or `rebuild`, or another name with `to:` or `prefix:`.", {}};
}

// with a rowid: documents are appended wherever their keys sort, large ones stay out of the key's tree, and a full-text index can refer to them
std::string documentTable(const std::string& name)
{
    return "CREATE TABLE " + identifier(name) + " (key TEXT PRIMARY KEY NOT NULL, doc TEXT NOT NULL, version INTEGER NOT NULL)";
}

std::string asideName(const std::string& container) { return "_mr_aside_" + container; }

Result<bool> builtAside(Database& database, const TablePlan& plan)
{
    auto ask = database.prepare("SELECT 1 FROM _mr_aside WHERE container=?1 AND sync=?2");
    if (!ask)
        return ask.error();
    ask->bind(1, plan.container).bind(2, plan.sync);
    auto found = database.number(*ask);
    if (!found)
        return found.error();
    return *found != 0;
}

Result<> dropAside(Database& database, const TablePlan& plan)
{
    if (auto dropped = database.exec("DROP TABLE IF EXISTS " + identifier(asideName(plan.container))); !dropped)
        return dropped;
    auto forgotten = database.prepare("DELETE FROM _mr_aside WHERE container=?1");
    if (!forgotten)
        return forgotten.error();
    forgotten->bind(1, plan.container);
    return database.run(*forgotten);
}

Result<std::int64_t> count(Database& database, const TablePlan& plan, bool adopted, std::int64_t low, std::int64_t high)
{
    const std::string table = identifier(plan.container);
    std::string sql = "SELECT count(*) FROM " + table;
    if (adopted)
        sql += " AS t WHERE EXISTS (SELECT 1 FROM _mr_mark AS m WHERE m.container=?3 AND m.key=t.key) AND version>=?1 AND version<=?2";
    else if (low > 0 || high < INT64_MAX)
        sql += " WHERE version>=?1 AND version<=?2";
    auto ask = database.prepare(sql);
    if (!ask)
        return ask.error();
    ask->bind(1, low).bind(2, high);
    if (adopted)
        ask->bind(3, plan.container);
    return database.number(*ask);
}

} // namespace millrace::embedded
