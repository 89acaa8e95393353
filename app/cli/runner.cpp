#include "app/cli/runner.h"
#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include "app/cli/progress.h"
#include "core/base/text.h"

namespace millrace::cli {

std::vector<RunReport> runAll(Session& session, Engine& engine, const std::vector<RunRequest>& requests)
{
    std::vector<RunReport> reports(requests.size());
    std::vector<std::string> syncs;
    const auto failed = [&](std::size_t i, Error error) {
        reports[i].sync = requests[i].sync;
        reports[i].outcome = Outcome::Failed;
        reports[i].error = std::move(error);
    };
    std::vector<std::pair<std::size_t, RunId>> under;
    for (std::size_t i = 0; i < requests.size(); ++i) {
        const auto run = engine.start(requests[i]);
        if (!run) {
            failed(i, run.error());
            continue;
        }
        under.emplace_back(i, *run);
        syncs.push_back(requests[i].sync);
        session.event("run_started", {{"sync", requests[i].sync}, {"run", *run}});
    }
    Progress progress(session, syncs);
    for (const auto& [i, run] : under) {
        auto report = session.await([&engine, id = run] { return engine.wait(id); }, [&] { for (const auto& sync : syncs) engine.stop(sync); },
                                    [&] { progress.tick(*engine.snapshot()); });
        if (report)
            reports[i] = std::move(*report);
        else
            failed(i, std::move(report).error());
        session.clearBar();
        session.event("run_finished", {{"sync", requests[i].sync}, {"run", run}, {"status", outcomeName(reports[i].outcome)}});
    }
    return reports;
}

void showRun(Session& session, const RunReport& report)
{
    if (session.options().quiet)
        return;
    std::vector<std::vector<std::string>> rows{{"TABLE", "STATUS", "TYPE", "READ", "WRITTEN", "DELETED", "PARKED", "TIME"}};
    std::uint64_t synced = 0;
    std::vector<std::string> idle;
    for (const auto& table : report.tables) {
        synced += table.synced();
        rows.push_back({table.table, std::string(outcomeName(shownOutcome(table))), table.syncType, rowsText(table.read), rowsText(table.written), rowsText(table.deleted), rowsText(table.rejected),
                        secondsText(secondsOf(table.startMs, table.endMs))});
    }
    if (rows.size() > 1)
        session.table(rows);
    for (const auto& table : report.tables) {
        if (table.error)
            session.describe(*table.error, table.table);
        else if (table.rejected > 0)
            session.warn(table.table + ": " + rowsText(table.rejected) + (table.rejected == 1 ? " row is" : " rows are") + " parked. See: millrace-cli failures " + report.sync + " list");
        for (const auto& note : table.notes)
            if (note.id == "read_nothing") idle.push_back(table.table);      // one line for all of them
            else session.say("  " + table.table + ": " + note.text);
    }
    if (!idle.empty())
        session.say("Nothing to read: " + join(idle, ", "));
    if (!report.undecided.empty())
        session.warn("New and not synced: " + join(report.undecided, ", ") + ". Name them under tables:, or set new_tables: include or ignore.");
    if (report.error)
        session.describe(*report.error, report.sync);
    const double seconds = secondsOf(report.startMs, report.endMs);
    std::string line = report.sync + ": " + std::string(runJson(report)["status"].scalar()) + ", " + rowsText(synced) + (synced == 1 ? " row in " : " rows in ") + secondsText(seconds);
    if (seconds > 0 && synced > 0)
        line += " (" + rowsText(static_cast<std::uint64_t>(static_cast<double>(synced) / seconds)) + " rows/s)";
    session.say(line);
}

void showVerify(Session& session, const VerifyReport& report)
{
    if (session.options().quiet)
        return;
    std::vector<std::vector<std::string>> rows{{"TABLE", "VERDICT", "SOURCE", "TARGET", "MISSING", "EXTRA", "DIFFERENT", "PARKED", "FOREIGN"}};
    std::uint64_t total = 0;
    for (const auto& table : report.tables) {
        total += table.sourceRows;
        rows.push_back({table.table, std::string(verdictName(table.verdict)), rowsText(table.sourceRows), rowsText(table.targetRows), rowsText(table.missing), rowsText(table.extra),
                        rowsText(table.different), rowsText(table.parked), rowsText(table.foreign)});
    }
    if (rows.size() > 1)
        session.table(rows);
    for (const auto& table : report.tables) {
        if (table.error)
            session.describe(*table.error, table.table);
        for (std::size_t i = 0; i < table.samples.size() && i < 5; ++i) {
            const auto& row = table.samples[i];
            session.say("  " + table.table + " " + row.key + ": " + (row.kind == RowDifference::Kind::Missing ? "missing in the target" : row.kind == RowDifference::Kind::Extra
                ? "only in the target" : "different in " + join(row.fields, ", ")));
        }
        if (table.samples.size() > 5)
            session.say("  " + table.table + ": more of them; --json lists the first " + std::to_string(table.samples.size()) + ".");
    }
    if (report.error)
        session.describe(*report.error, report.sync);
    session.say(report.sync + ": " + (report.verdict == Verdict::Identical ? rowsText(total) + " rows verified identical" : std::string(verdictName(report.verdict))));
}

int exitOfAll(Session& session, const std::vector<RunReport>& reports)
{
    if (session.interrupted())
        return Interrupted;
    int code = Ok;
    for (const auto& report : reports)
        code = worse(code, exitOf(report));
    return code;
}

Result<VerifyReport> runVerify(Session& session, Engine& engine, const std::string& sync, const std::vector<std::string>& tables)
{
    std::stop_source stop;
    return session.await([&] { return engine.verify(sync, tables, stop.get_token()); }, [&] { stop.request_stop(); });
}

} // namespace millrace::cli
