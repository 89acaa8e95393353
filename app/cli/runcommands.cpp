#include "app/cli/commands.h"
#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include "app/cli/runner.h"
#include "core/base/text.h"
#include <CLI/CLI.hpp>
#include <algorithm>

namespace millrace::cli {

namespace {

struct RunOptions { std::string name, tables, where, duration; bool full = false, incremental = false, acceptDeletes = false; };

RunRequest requestOf(const RunOptions& o)
{
    RunRequest request;
    request.sync = o.name;
    request.kind = o.full ? RunRequest::Kind::Full : o.incremental ? RunRequest::Kind::Incremental : RunRequest::Kind::Normal;
    for (const auto& part : split(o.tables, ','))
        if (auto name = trimmed(part); !name.empty())
            request.tables.push_back(std::move(name));
    request.where = o.where;
    request.acceptDeletes = o.acceptDeletes;
    return request;
}

bool neverStarted(const RunReport& report) { return report.id == 0 && report.error; }

int run(Session& session, const RunOptions& o)
{
    auto engine = session.open(Access::Act);
    if (!engine)
        return session.fail(engine.error());
    if (auto def = findSync(**engine, o.name); !def)
        return session.fail(def.error());
    const auto reports = runAll(session, **engine, {requestOf(o)});
    const RunReport& report = reports.front();
    if (neverStarted(report))
        return session.fail(*report.error);
    showRun(session, report);
    session.answer(runJson(report));
    return exitOfAll(session, reports);
}

void merge(RunReport& sum, const RunReport& poll)
{
    if (sum.startMs == 0) {
        sum = poll;
        return;
    }
    sum.id = poll.id;
    sum.endMs = poll.endMs;
    sum.outcome = poll.outcome;                            // the last word counts: an earlier failure was caught up with
    sum.error = poll.error;
    if (sum.syncType != poll.syncType)
        sum.syncType = "mixed";
    for (const auto& table : poll.tables) {
        const auto known = std::find_if(sum.tables.begin(), sum.tables.end(), [&](const TableReport& one) { return one.table == table.table; });
        if (known == sum.tables.end()) {
            sum.tables.push_back(table);
            continue;
        }
        TableReport next = table;
        next.startMs = known->startMs;
        next.read += known->read; next.written += known->written; next.deleted += known->deleted; next.superseded += known->superseded;
        next.filtered += known->filtered; next.coerced += known->coerced; next.rechecked += known->rechecked; next.bytes += known->bytes;
        next.rejected = std::max(next.rejected, known->rejected);              // the same parked row is met at every poll
        *known = std::move(next);
    }
}

int follow(Session& session, const RunOptions& o)
{
    constexpr auto pause = std::chrono::milliseconds(1000), step = std::chrono::milliseconds(100);
    std::int64_t lengthMs = -1;
    if (!o.duration.empty()) {
        const auto parsed = parseDuration(o.duration);
        if (!parsed)
            return session.fail({Fault::Usage, "cli.duration", "--for: " + parsed.error().detail, parsed.error().fix, {}});
        lengthMs = *parsed;
    }
    auto engine = session.open(Access::Act);
    if (!engine)
        return session.fail(engine.error());
    if (auto def = findSync(**engine, o.name); !def)
        return session.fail(def.error());
    const Clock& clock = session.console().clock;
    const std::int64_t beginUs = clock.steadyUs();
    const auto over = [&] { return session.interrupted() || (lengthMs >= 0 && clock.steadyUs() - beginUs >= lengthMs * 1000); };
    RunReport sum;
    std::int64_t polls = 0;
    for (bool first = true;; first = false) {
        RunOptions poll = o;
        const auto report = runAll(session, **engine, {requestOf(poll)}).front();
        if (first && neverStarted(report))
            return session.fail(*report.error);
        ++polls;
        const bool changed = std::any_of(report.tables.begin(), report.tables.end(), [](const TableReport& table) { return table.synced() > 0 || table.error; });
        merge(sum, report);
        if (first || changed || report.error)
            showRun(session, report);
        // what passes by itself is waited out; everything else needs somebody
        if (report.error && !report.error->transient() && report.error->fault != Fault::Cancelled)
            break;
        for (auto waited = step; waited <= pause && !over(); waited += step)
            clock.wait(step, {});
        if (over())
            break;
    }
    Node result = runJson(sum);
    result.set("polls", polls);
    session.answer(result);
    session.say(o.name + ": followed for " + secondsText(static_cast<double>(clock.steadyUs() - beginUs) / 1e6) + ", " + std::to_string(polls) + (polls == 1 ? " poll" : " polls"));
    return exitOfAll(session, {sum});
}

} // namespace

void addRunCommands(CLI::App& sync, Action& chosen)
{
    auto o = std::make_shared<RunOptions>();
    auto* command = sync.add_subcommand("run", "Run a sync once, and wait for it");
    command->add_option("NAME", o->name, "The sync's name")->required();
    auto* full = command->add_flag("--full", o->full, "Read everything again");
    auto* incremental = command->add_flag("--incremental", o->incremental, "Only what changed");
    full->excludes(incremental);
    command->add_option("--tables", o->tables, "Only these tables: names or patterns, with commas between them");
    command->add_option("--where", o->where, "Re-read and upsert just the rows for which this SQL is true");
    command->add_flag("--accept-deletes", o->acceptDeletes, "Let this run delete more than the delete brake allows");
    command->callback([&chosen, o] { chosen = [o](Session& session) { return run(session, *o); }; });

    auto f = std::make_shared<RunOptions>();
    auto* followed = sync.add_subcommand("follow", "Run a sync continuously in the foreground");
    followed->add_option("NAME", f->name, "The sync's name")->required();
    followed->add_option("--for", f->duration, "End after this time: 60s, 5m; without it until Ctrl+C");
    followed->callback([&chosen, f] { chosen = [f](Session& session) { return follow(session, *f); }; });
}

} // namespace millrace::cli
