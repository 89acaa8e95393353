#include "app/cli/commands.h"
#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include "core/base/text.h"
#include <CLI/CLI.hpp>

namespace millrace::cli {

namespace {

std::string whenText(std::int64_t ms) { return ms > 0 ? formatTime(ms) : "-"; }

std::string scheduleOf(const SyncDef& def)
{
    if (def.continuous) return "continuous";
    if (!def.every.empty()) return "every " + def.every;
    return def.cron.empty() ? "by hand" : "cron " + def.cron;
}

int list(Session& session)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    const auto all = (*engine)->syncs();
    if (!all)
        return session.fail(all.error());
    Node map = Node::map();
    std::vector<std::vector<std::string>> rows{{"NAME", "SOURCE", "TARGET", "SCHEDULE", "TABLES"}};
    for (const auto& def : *all) {
        std::vector<std::string> tables;
        for (const auto& rule : def.tables)
            tables.push_back(rule.name);
        map.set(def.name, nodeFromSync(def));
        rows.push_back({def.name, def.source, def.target, scheduleOf(def), tables.empty() ? "*" : join(tables, ", ")});
    }
    if (all->empty()) session.say("No syncs yet. Apply a sync file with: millrace-cli apply FILE");
    else session.table(rows);
    session.answer(Node::map({{"syncs", std::move(map)}}));
    return Ok;
}

int plan(Session& session, const std::string& name)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    const auto def = findSync(**engine, name);
    if (!def)
        return session.fail(def.error());
    const auto report = session.await([&] { return (*engine)->plan(*def); }, [] {});
    if (!report)
        return session.fail(report.error());
    std::vector<std::vector<std::string>> rows{{"TABLE", "TO", "STRATEGY", "CURSOR", "KEY", "ROWS", "WHY"}};
    for (const auto& table : report->tables)
        rows.push_back({table.table, table.container, std::string(strategyName(table.strategy)), table.cursor, join(table.key, ", "), table.rowsEstimate ? "~" + rowsText(*table.rowsEstimate) : "?", table.reason.text});
    session.table(rows);
    int code = report->error ? exitOf(*report->error) : Ok;
    for (const auto& table : report->tables) {
        for (const auto& warning : table.warnings) session.say("  " + table.table + ": " + warning.text);
        for (const auto& note : table.notes) session.say("  " + table.table + ": " + note.text);
        if (!table.error)
            continue;
        session.describe(*table.error, table.table);
        code = worse(code, exitOf(*table.error));
    }
    for (const auto& sentence : report->sentences)
        session.say(sentence.text);
    if (report->error)
        session.describe(*report->error, name);
    session.answer(planJson(*report));
    return session.interrupted() ? Interrupted : code;
}

int dryRun(Session& session, const std::string& name)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    const auto def = findSync(**engine, name);
    if (!def)
        return session.fail(def.error());
    std::stop_source stop;
    const auto report = session.await([&] { return (*engine)->dryRun(*def, stop.get_token()); }, [&] { stop.request_stop(); });
    if (!report)
        return session.fail(report.error());
    int code = report->error ? exitOf(*report->error) : Ok;
    std::vector<std::vector<std::string>> rows{{"TABLE", "TRIED", "FIT", "CANNOT BE CARRIED", "BY POLICY", "BYTES EACH"}};
    for (const auto& table : report->tables)
        rows.push_back({table.table, rowsText(table.read), rowsText(table.fits), rowsText(table.cannotCarry), rowsText(table.coerced), rowsText(static_cast<std::uint64_t>(table.averageBytes))});
    session.table(rows);
    for (const auto& table : report->tables) {
        for (const auto& finding : table.findings) session.say("  " + table.table + ": " + finding.text);
        if (table.cannotCarry > 0) code = worse(code, Partial);
        if (!table.error)
            continue;
        session.describe(*table.error, table.table);
        code = worse(code, exitOf(*table.error));
    }
    if (report->error)
        session.describe(*report->error, name);
    session.say("Nothing was written.");
    session.answer(dryRunJson(*report));
    return session.interrupted() ? Interrupted : code;
}

int status(Session& session, const std::string& name)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    if (!name.empty())
        if (auto def = findSync(**engine, name); !def)
            return session.fail(def.error());
    const auto snapshot = (*engine)->snapshot();
    std::vector<std::vector<std::string>> rows{{"SYNC", "TABLE", "STATE", "ROWS", "PARKED", "LAG", "LAST SYNC", "VERIFIED"}};
    for (const auto& sync : snapshot->syncs) {
        if (!name.empty() && sync.name != name)
            continue;
        rows.push_back({sync.name, "", std::string(stateName(sync.state)), "", "", sync.lagMs >= 0 ? formatDuration(sync.lagMs) : "", sync.nextRunMs > 0 ? "next " + formatTime(sync.nextRunMs) : "", ""});
        for (const auto& table : sync.tables)
            rows.push_back({"", table.table, std::string(stateName(table.state)), rowsText(table.rows), rowsText(table.failed), table.lagKnown && table.lagMs >= 0 ? formatDuration(table.lagMs) : "",
                            whenText(table.lastSyncMs), table.verified.empty() ? "-" : table.verified + " " + whenText(table.verifiedMs)});
    }
    session.table(rows);
    for (const auto& sync : snapshot->syncs)
        for (const auto& table : sync.tables)
            if ((name.empty() || sync.name == name) && !table.error.empty())
                session.describe({Fault::Internal, table.errorId, table.error, table.fix, {}}, sync.name + ", " + table.table);
    session.answer(statusJson(*snapshot, name));
    return Ok;
}

int history(Session& session, const std::string& name, std::size_t limit)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    if (auto def = findSync(**engine, name); !def)
        return session.fail(def.error());
    const auto runs = (*engine)->history(name, limit);
    if (!runs)
        return session.fail(runs.error());
    std::vector<std::vector<std::string>> rows{{"RUN", "STARTED", "TIME", "TYPE", "STATUS", "ROWS", "BY"}};
    for (const auto& run : *runs) {
        std::uint64_t synced = 0;
        for (const auto& table : run.tables) synced += table.synced();
        rows.push_back({std::to_string(run.id), whenText(run.startMs), secondsText(secondsOf(run.startMs, run.endMs)), run.syncType, std::string(outcomeName(run.outcome)), rowsText(synced), run.trigger});
    }
    if (runs->empty()) session.say(name + " has not run yet.");
    else session.table(rows);
    session.answer(historyJson(name, *runs));
    return Ok;
}

// One change to one sync: found, asked for, done, said.
int change(Session& session, const std::string& name, const std::string& question, bool mustBeGiven, const char* done, const std::function<Result<>(Engine&)>& act)
{
    auto engine = session.open(Access::Act);
    if (!engine)
        return session.fail(engine.error());
    if (auto def = findSync(**engine, name); !def)
        return session.fail(def.error());
    if (!question.empty())
        if (auto sure = session.confirm(question, mustBeGiven); !sure)
            return session.fail(sure.error());
    if (auto result = act(**engine); !result)
        return session.fail(result.error());
    session.say(name + ": " + done + ".");
    session.answer(Node::map({{"sync", name}, {"status", done}}));
    return Ok;
}

int pause(Session& session, const std::string& name) { return change(session, name, {}, false, "paused", [&](Engine& engine) { return engine.setPaused(name, true); }); }
int resume(Session& session, const std::string& name) { return change(session, name, {}, false, "resumed", [&](Engine& engine) { return engine.setPaused(name, false); }); }

int remove(Session& session, const std::string& name, bool dropTarget)
{
    // dropping deletes documents: a script has to say so twice
    return change(session, name, dropTarget ? "Remove the sync " + name + " and everything it wrote into its target?" : "Remove the sync " + name + "? What it wrote stays in the target.", dropTarget, "removed",
                  [&](Engine& engine) { return engine.removeSync(name, dropTarget); });
}

int reset(Session& session, const std::string& name, const std::string& table)
{
    return change(session, name, "Forget the position of " + (table.empty() ? name : name + ", table " + table) + "? The next run starts over.", false, "reset",
                  [&](Engine& engine) { return engine.reset(name, table); });
}

} // namespace

void addSyncCommands(CLI::App& app, Action& chosen)
{
    auto* group = app.add_subcommand("sync", "Plan, run, watch and change syncs");
    group->require_subcommand(1);
    struct Options { std::string name, table; bool drop = false; std::size_t limit = 20; };
    const auto add = [&](const char* word, const char* help, bool required, int (*start)(Session&, const Options&)) {
        auto o = std::make_shared<Options>();
        auto* command = group->add_subcommand(word, help);
        command->add_option("NAME", o->name, "The sync's name")->required(required);
        command->callback([&chosen, o, start] { chosen = [o, start](Session& session) { return start(session, *o); }; });
        return std::pair(command, o);
    };
    group->add_subcommand("list", "List the syncs")->callback([&chosen] { chosen = list; });
    add("plan", "Say in sentences what a run would do", true, [](Session& s, const Options& o) { return plan(s, o.name); });
    add("dry-run", "Try 1,000 rows of each table; nothing is written", true, [](Session& s, const Options& o) { return dryRun(s, o.name); });
    addRunCommands(*group, chosen);
    add("status", "State, rows, lag and verification of each table", false, [](Session& s, const Options& o) { return status(s, o.name); });
    auto [past, limit] = add("history", "The last runs", true, [](Session& s, const Options& o) { return history(s, o.name, o.limit); });
    past->add_option("--limit", limit->limit, "How many runs")->check(CLI::Range(1, 10000));
    add("pause", "Stop scheduling a sync; a running one stops after its batch", true, [](Session& s, const Options& o) { return pause(s, o.name); });
    add("resume", "Schedule a paused sync again", true, [](Session& s, const Options& o) { return resume(s, o.name); });
    auto [gone, drop] = add("remove", "Remove a sync; its documents stay", true, [](Session& s, const Options& o) { return remove(s, o.name, o.drop); });
    gone->add_flag("--drop-target", drop->drop, "Also delete what it wrote into the target");
    auto [over, table] = add("reset", "Forget the position: the next run starts over", true, [](Session& s, const Options& o) { return reset(s, o.name, o.table); });
    over->add_option("--table", table->table, "Only this table");
}

} // namespace millrace::cli
