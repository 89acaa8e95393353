#include "core/store/reportjson.h"
#include "core/store/storeimpl.h"
#include <map>

namespace millrace {

namespace {

Result<std::map<RunId, std::vector<TableReport>>> tablesOf(const QSqlDatabase& db, const std::vector<RunReport>& runs)
{
    std::map<RunId, std::vector<TableReport>> out;
    Query query(db, "SELECT report, table_name, outcome FROM run_tables WHERE run = ? ORDER BY position");
    for (const RunReport& run : runs) {
        if (auto done = query.number(run.id).exec(); !done)
            return std::move(done).error();
        auto& tables = out[run.id];
        while (query.next()) {
            const auto node = Node::fromJson(query.textAt(0));
            TableReport report = node ? tableReportFrom(*node) : TableReport();
            report.table = query.textAt(1);
            report.outcome = outcomeFrom(query.textAt(2));
            tables.push_back(std::move(report));
        }
        if (auto done = query.ended(); !done)
            return std::move(done).error();
    }
    return out;
}

} // namespace

// Invariant 9: written as unknown before anything is done, so that a killed process leaves the truth behind.
Result<RunId> SqliteStore::beginRun(std::string_view sync, std::string_view trigger, std::int64_t startMs)
{
    return m_database->write([&](QSqlDatabase& db) -> Result<RunId> {
        Query query(db, "INSERT INTO runs (sync, cause, start_ms, outcome, running) VALUES (?, ?, ?, ?, 1)");
        if (auto done = query.text(sync).text(trigger).number(startMs).text(storedName(Outcome::Unknown)).exec(); !done)
            return std::move(done).error();
        return RunId(query.insertedId());
    });
}

Result<> SqliteStore::endRun(const RunReport& report)
{
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        Query run(db, "UPDATE runs SET end_ms = ?, outcome = ?, sync_type = ?, error = ?, running = 0 WHERE id = ?");
        run.number(report.endMs).text(storedName(report.outcome)).text(report.syncType);
        if (report.error)
            run.text(nodeFrom(*report.error).json());
        else
            run.null();
        if (auto done = run.number(report.id).exec(); !done)
            return done;
        if (run.changed() == 0)
            return Error{Fault::Internal, "store.unknown_run", "Run " + std::to_string(report.id) + " was never begun", {}};
        Query erase(db, "DELETE FROM run_tables WHERE run = ?");
        if (auto done = erase.number(report.id).exec(); !done)
            return done;
        Query table(db, "INSERT INTO run_tables (run, position, table_name, outcome, report) VALUES (?, ?, ?, ?, ?)");
        std::int64_t position = 0;
        for (const TableReport& t : report.tables)
            if (auto done = table.number(report.id).number(position++).text(t.table).text(storedName(t.outcome)).text(nodeFrom(t).json()).exec(); !done)
                return done;
        return {};
    });
}

Result<std::vector<RunReport>> SqliteStore::history(std::string_view sync, std::size_t limit)
{
    using Runs = std::vector<RunReport>;
    return m_database->read([&](QSqlDatabase& db) -> Result<Runs> {
        Query query(db, sync.empty() ? "SELECT id, sync, cause, start_ms, end_ms, outcome, sync_type, error FROM runs ORDER BY id DESC LIMIT ?"
                                     : "SELECT id, sync, cause, start_ms, end_ms, outcome, sync_type, error FROM runs WHERE sync = ? ORDER BY id DESC LIMIT ?");
        if (!sync.empty())
            query.text(sync);
        if (auto done = query.number(sqlLimit(limit)).exec(); !done)
            return std::move(done).error();
        Runs out;
        while (query.next()) {
            RunReport run;
            run.id = query.numberAt(0);
            run.sync = query.textAt(1);
            run.trigger = query.textAt(2);
            run.startMs = query.numberAt(3);
            run.endMs = query.nullAt(4) ? 0 : query.numberAt(4);
            run.outcome = outcomeFrom(query.textAt(5));
            run.syncType = query.textAt(6);
            if (!query.nullAt(7))
                if (const auto node = Node::fromJson(query.textAt(7)); node)
                    run.error = errorFrom(*node);
            out.push_back(std::move(run));
        }
        if (auto done = query.ended(); !done)
            return std::move(done).error();
        auto tables = tablesOf(db, out);
        if (!tables)
            return std::move(tables).error();
        for (RunReport& run : out)
            run.tables = std::move((*tables)[run.id]);
        return out;
    });
}

} // namespace millrace
