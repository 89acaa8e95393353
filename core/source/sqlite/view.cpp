#include "core/source/sqlite/view.h"
#include "core/source/sqlite/catalog.h"

namespace millrace::sqlitesource {

Result<std::unique_ptr<View>> View::open(const Config& config, TablePlanPtr plan)
{
    auto connection = Connection::open(config.path, config.busyTimeout);
    if (!connection)
        return std::move(connection).error();
    std::unique_ptr<View> view(new View(std::move(*connection), std::move(plan)));
    Connection& db = *view->m_connection;
    const auto prepare = [&](const char* sql, Statement& into) -> Result<> {
        auto made = db.prepare(sql);
        if (!made)
            return std::move(made).error();
        into = std::move(*made);
        return {};
    };
    for (auto done : {prepare("BEGIN", view->m_begin), prepare("COMMIT", view->m_commit), prepare("PRAGMA main.schema_version", view->m_schemaVersion)})
        if (!done)
            return std::move(done).error();
    auto wal = db.wal();
    if (!wal)
        return std::move(wal).error().in(db.path());
    auto utf8 = db.utf8();
    if (!utf8)
        return std::move(utf8).error();
    view->m_wal = *wal;
    view->m_utf8 = *utf8;
    return view;
}

Result<> View::begin()
{
    if (m_open)
        return {};
    auto begun = m_begin.step();
    m_begin.reset();
    if (!begun)
        return std::move(begun).error();
    m_open = true;
    // BEGIN alone takes no lock; this first read does, and so fixes the snapshot.
    auto row = m_schemaVersion.step();
    const std::int64_t version = row && *row ? m_schemaVersion.integer(0) : -1;
    m_schemaVersion.reset();
    if (!row) {
        end();
        return std::move(row).error().in("table " + m_plan->label);
    }
    if (version == m_seenVersion)
        return {};
    if (auto same = checkShape(); !same) {
        end();
        return same;
    }
    m_seenVersion = version;
    return {};
}

void View::end()
{
    if (!m_open)
        return;
    // An interrupt may hit the COMMIT itself; a transaction left open would keep writers out for good.
    for (int tries = 0; tries < 3 && !sqlite3_get_autocommit(m_connection->handle()); ++tries) {
        (void)m_commit.step();
        m_commit.reset();
    }
    m_open = false;
}

Result<> View::checkShape()
{
    const auto altered = [&](const std::string& what) {
        return Error{Fault::Schema, "source.sqlite.table_altered", "table " + m_plan->label + ": " + what + " since the plan was made.", "Run a full sync of this table.", {}};
    };
    auto table = readTable(*m_connection, m_plan->table);
    if (!table)
        return table.error().fault == Fault::Schema ? altered("it was dropped or renamed") : std::move(table).error();
    for (const Column& column : m_plan->schema->columns) {
        const ColumnInfo* now = table->column(column.source);
        if (!now)
            return altered("the column " + column.source + " was dropped or renamed");
        if (!column.nativeType.empty() && now->nativeType != column.nativeType)
            return altered("the column " + column.source + " is now " + (now->nativeType.empty() ? "without a type" : now->nativeType) + ", was " + column.nativeType);
    }
    if (m_seenVersion >= 0 && table->primaryKey != m_primaryKey)
        return altered("it has another primary key");
    m_primaryKey = table->primaryKey;
    return {};
}

} // namespace millrace::sqlitesource
