#include "app/cli/json.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include "core/engine/connection.h"
#include <cmath>

namespace millrace::cli {

namespace {

Node textOrNull(const std::string& text) { return text.empty() ? Node() : Node(text); }
Node countOrNull(const std::optional<std::uint64_t>& count) { return count ? Node(*count) : Node(); }

Node messages(const std::vector<Message>& all)
{
    Node out = Node::list();
    for (const auto& one : all)
        out.add(Node::map({{"id", one.id}, {"text", one.text}}));
    return out;
}

// A table that did not succeed says why, also when it was rows and not the table that failed.
Node reasonOf(const TableReport& table, const std::string& sync)
{
    if (table.error)
        return errorJson(*table.error);
    if (table.rejected > 0)
        return Node::map({{"id", "engine.rows_parked"}, {"detail", grouped(table.rejected) + (table.rejected == 1 ? " row is parked." : " rows are parked.")},
                          {"fix", "See them with: millrace-cli failures " + sync + " list"}});
    if (table.outcome == Outcome::Cancelled)
        return Node::map({{"id", "engine.stopped"}, {"detail", "Stopped before the end; the position is kept."}, {"fix", "Run the sync again to go on."}});
    return Node::map({{"id", "engine.unknown_outcome"}, {"detail", "The outcome is not known."}, {"fix", "Run the sync again, then verify it."}});
}

Node tableJson(const TableReport& table, const std::string& sync)
{
    const double seconds = secondsOf(table.startMs, table.endMs);
    const Outcome outcome = shownOutcome(table);
    const bool arrived = outcome == Outcome::Success || outcome == Outcome::Partial;
    const auto rate = seconds > 0 ? static_cast<std::int64_t>(std::llround(static_cast<double>(table.synced()) / seconds)) : 0;
    Node out = Node::map({{"status", outcomeName(outcome)}, {"sync_type", table.syncType}, {"strategy", strategyName(table.strategy)}, {"records_synced", table.synced()},
                          {"read", table.read}, {"written", table.written}, {"deleted", table.deleted}, {"rejected", table.rejected}, {"superseded", table.superseded},
                          {"filtered", table.filtered}, {"bytes", table.bytes}, {"duration_seconds", seconds}, {"rows_per_second", rate},
                          {"last_sync_time", arrived ? timeOrNull(table.endMs) : Node()}, {"position", table.position}});
    if (outcome != Outcome::Success)
        out.set("error", reasonOf(table, sync));
    out.set("coerced", table.coerced);
    out.set("rechecked", table.rechecked);
    std::vector<Message> notes = table.notes;
    if (outcome == Outcome::Success && table.read == 0 && notes.empty())
        notes.push_back({"read_nothing", table.syncType == "full" ? "The table is empty." : "Nothing changed since the last run.", {}});
    if (!notes.empty())
        out.set("notes", messages(notes));
    return out;
}

Node tableStatusJson(const TableView& table)
{
    Node verified;
    if (!table.verified.empty())
        verified = Node::map({{"result", table.verified}, {"at", timeOrNull(table.verifiedMs)}});
    Node out = Node::map({{"state", stateName(table.state)}, {"rows", table.rows}, {"failed", table.failed}, {"last_sync_time", timeOrNull(table.lastSyncMs)}, {"verified", std::move(verified)},
                          {"strategy", strategyName(table.strategy)}, {"sync_type", textOrNull(table.syncType)}, {"lag_ms", table.lagKnown && table.lagMs >= 0 ? Node(table.lagMs) : Node()},
                          {"container", textOrNull(table.container)}, {"next_run_time", timeOrNull(table.nextRunMs)}});
    if (table.rowsTotal > 0)
        out.set("rows_total", table.rowsTotal);
    if (!table.errorId.empty() || !table.error.empty())
        out.set("error", Node::map({{"id", table.errorId}, {"detail", table.error}, {"fix", table.fix}}));
    return out;
}

} // namespace

Node timeOrNull(std::int64_t ms) { return ms > 0 ? Node(formatTime(ms)) : Node(); }
double secondsOf(std::int64_t fromMs, std::int64_t toMs) { return toMs > fromMs ? static_cast<double>(toMs - fromMs) / 1000.0 : 0.0; }
Node errorJson(const Error& error) { return Node::map({{"id", error.id}, {"detail", error.detail}, {"fix", error.fix}}); }
Outcome shownOutcome(const TableReport& table) { return table.outcome == Outcome::Success && table.rejected > 0 ? Outcome::Partial : table.outcome; }

std::string_view stageWord(TestStage::Outcome outcome)
{
    switch (outcome) {
    case TestStage::Outcome::Passed: return "passed";
    case TestStage::Outcome::Warning: return "warning";
    case TestStage::Outcome::Failed: return "failed";
    case TestStage::Outcome::NotReached: return "not_reached";
    }
    return "not_reached";
}

Node runJson(const RunReport& report)
{
    std::uint64_t synced = 0;
    std::int64_t good = 0, partial = 0, failed = 0;
    Node tables = Node::map();
    for (const auto& table : report.tables) {
        synced += table.synced();
        const Outcome outcome = shownOutcome(table);
        ++(outcome == Outcome::Success ? good : outcome == Outcome::Failed || outcome == Outcome::Unknown ? failed : partial);
        tables.set(table.table, tableJson(table, report.sync));
    }
    const Outcome outcome = report.outcome == Outcome::Success && good != static_cast<std::int64_t>(report.tables.size()) ? Outcome::Partial : report.outcome;
    Node out = Node::map({{"sync", report.sync}, {"sync_type", report.syncType}, {"start_time", timeOrNull(report.startMs)}, {"end_time", timeOrNull(report.endMs)},
                          {"duration_seconds", secondsOf(report.startMs, report.endMs)}, {"total_records_synced", synced}, {"successful_tables", good}, {"failed_tables", failed},
                          {"status", outcomeName(outcome)}, {"tables", std::move(tables)}, {"partial_tables", partial}, {"run", report.id}, {"trigger", report.trigger}});
    if (!report.undecided.empty())
        out.set("undecided", Node::strings(report.undecided));
    if (report.error)
        out.set("error", errorJson(*report.error));
    return out;
}

Node statusJson(const EngineSnapshot& snapshot, const std::string& sync)
{
    Node syncs = Node::map();
    for (const auto& view : snapshot.syncs) {
        if (!sync.empty() && view.name != sync)
            continue;
        Node tables = Node::map();
        for (const auto& table : view.tables)
            tables.set(table.table, tableStatusJson(table));
        syncs.set(view.name, Node::map({{"state", stateName(view.state)}, {"lag_ms", view.lagMs >= 0 ? Node(view.lagMs) : Node()}, {"next_run_time", timeOrNull(view.nextRunMs)},
                                        {"tables", std::move(tables)}, {"paused", view.paused}, {"source", view.source}, {"target", view.target}, {"schedule", textOrNull(view.every)}}));
    }
    return Node::map({{"syncs", std::move(syncs)}});
}

Node verifyJson(const VerifyReport& report)
{
    Node tables = Node::map();
    for (const auto& table : report.tables) {
        Node one = Node::map({{"status", verdictName(table.verdict)}, {"source_rows", table.sourceRows}, {"target_rows", table.targetRows}, {"missing", table.missing}, {"extra", table.extra},
                              {"different", table.different}, {"parked", table.parked}, {"foreign", table.foreign}, {"checked", "full"}, {"as_of", Node::list().add(timeOrNull(table.fromMs)).add(timeOrNull(table.toMs))}});
        if (table.error)
            one.set("error", errorJson(*table.error));
        Node samples = Node::list();
        for (const auto& row : table.samples)
            samples.add(Node::map({{"kind", row.kind == RowDifference::Kind::Missing ? "missing" : row.kind == RowDifference::Kind::Extra ? "extra" : "different"}, {"key", row.key},
                                   {"fields", Node::strings(row.fields)}, {"expected", row.expected}, {"actual", row.actual}}));
        if (!table.samples.empty())
            one.set("samples", std::move(samples));
        tables.set(table.table, std::move(one));
    }
    Node out = Node::map({{"sync", report.sync}, {"status", verdictName(report.verdict)}, {"tables", std::move(tables)}});
    if (report.error)
        out.set("error", errorJson(*report.error));
    return out;
}

Node discoverJson(const Discovery& discovery)
{
    Node tables = Node::list();
    for (const auto& table : discovery.tables) {
        Node keys = Node::list(), columns = Node::list();
        for (const auto& key : table.foreignKeys)
            keys.add(Node::map({{"columns", Node::strings(key.columns)}, {"table", key.table}, {"references", Node::strings(key.references)}, {"on_delete", textOrNull(lower(key.onDelete))}}));
        for (const auto& column : table.columns)
            columns.add(Node::map({{"name", column.name}, {"native_type", column.nativeType}, {"type", typeName(column.type)}, {"nullable", column.nullable}}));
        const auto& best = table.recommended;
        tables.add(Node::map({{"schema", table.ref.schema}, {"name", table.ref.name}, {"kind", tableKindName(table.kind)}, {"rows_estimate", countOrNull(table.rowsEstimate)},
                              {"bytes", countOrNull(table.bytes)}, {"primary_key", Node::strings(table.primaryKey)}, {"foreign_keys", std::move(keys)}, {"columns", std::move(columns)},
                              {"recommended", Node::map({{"strategy", strategyName(best.strategy)}, {"cursor", textOrNull(best.cursor)}, {"reason", best.reason.text}})},
                              {"warnings", messages(table.warnings)}, {"key", Node::strings(table.key)}}));
    }
    return Node::map({{"connection", discovery.connection}, {"engine", discovery.server.engine}, {"version", discovery.server.version}, {"tables", std::move(tables)}});
}

Node planJson(const PlanReport& report)
{
    Node tables = Node::map(), sentences = Node::list();
    for (const auto& table : report.tables) {
        Node one = Node::map({{"container", table.container}, {"strategy", strategyName(table.strategy)}, {"cursor", textOrNull(table.cursor)}, {"key", Node::strings(table.key)},
                              {"rows_estimate", countOrNull(table.rowsEstimate)}, {"reason", table.reason.text}, {"warnings", messages(table.warnings)}, {"notes", messages(table.notes)}});
        if (table.error)
            one.set("error", errorJson(*table.error));
        tables.set(table.table, std::move(one));
    }
    for (const auto& sentence : report.sentences)
        sentences.add(sentence.text);
    Node out = Node::map({{"sync", report.sync}, {"tables", std::move(tables)}, {"sentences", std::move(sentences)}});
    if (report.error)
        out.set("error", errorJson(*report.error));
    return out;
}

Node dryRunJson(const DryRunReport& report)
{
    Node tables = Node::map();
    for (const auto& table : report.tables) {
        Node one = Node::map({{"read", table.read}, {"fits", table.fits}, {"cannot_carry", table.cannotCarry}, {"coerced", table.coerced}, {"average_bytes", std::round(table.averageBytes)},
                              {"findings", messages(table.findings)}});
        if (table.error)
            one.set("error", errorJson(*table.error));
        tables.set(table.table, std::move(one));
    }
    Node out = Node::map({{"sync", report.sync}, {"duration_seconds", report.seconds}, {"tables", std::move(tables)}});
    if (report.error)
        out.set("error", errorJson(*report.error));
    return out;
}

Node historyJson(const std::string& sync, const std::vector<RunReport>& runs)
{
    Node list = Node::list();
    for (const auto& run : runs)
        list.add(runJson(run));
    return Node::map({{"sync", sync}, {"runs", std::move(list)}});
}

Node failureJson(const FailedRow& row)
{
    return Node::map({{"id", row.id}, {"table", row.table}, {"key", row.key}, {"cause", row.cause}, {"detail", row.detail}, {"fix", row.fix}, {"column", textOrNull(row.column)},
                      {"tries", static_cast<std::int64_t>(row.tries)}, {"first_time", timeOrNull(row.firstMs)}, {"last_time", timeOrNull(row.lastMs)}, {"run", row.run},
                      {"document", textOrNull(row.document)}});
}

Node failuresJson(const std::string& sync, const std::vector<FailedRow>& rows)
{
    Node list = Node::list();
    for (const auto& row : rows)
        list.add(failureJson(row));
    return Node::map({{"sync", sync}, {"failures", std::move(list)}});
}

Node testJson(const std::string& connection, const TestReport& report)
{
    Node stages = Node::list();
    for (const auto& stage : report.stages)
        stages.add(Node::map({{"id", stage.id}, {"label", stage.label}, {"outcome", stageWord(stage.outcome)}, {"found", stage.found}, {"fix", textOrNull(stage.fix)}, {"ms", std::round(stage.ms * 10) / 10}}));
    Node out = Node::map({{"connection", connection}, {"passed", report.passed()}, {"engine", textOrNull(report.server.engine)}, {"version", textOrNull(report.server.version)}, {"stages", std::move(stages)}});
    if (report.error)
        out.set("error", errorJson(*report.error));
    return out;
}

Node applyJson(const ApplyReport& report, bool dryRun)
{
    return Node::map({{"added", Node::strings(report.added)}, {"changed", Node::strings(report.changed)}, {"same", Node::strings(report.same)}, {"notes", messages(report.notes)}, {"dry_run", dryRun}});
}

Node connectionJson(const ConnectionDef& def)
{
    Node out = nodeFromConnection(def);
    out.set("environment", def.environment);
    if (!def.baseDir.empty())
        out.set("base_dir", def.baseDir);
    return out;
}

} // namespace millrace::cli
