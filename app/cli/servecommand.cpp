#include "app/cli/commands.h"
#include "app/cli/exitcode.h"
#include "core/base/text.h"
#include <CLI/CLI.hpp>
#include <csignal>

namespace millrace::cli {

namespace {

bool anyRunning(const EngineSnapshot& snapshot)
{
    return std::any_of(snapshot.syncs.begin(), snapshot.syncs.end(), [](const SyncView& sync) { return sync.run != 0; });
}

// What happens is told by the log; with --jsonl also every change of a table's state.
void tell(Session& session, std::uint64_t& lastLog, std::map<std::string, std::string>& states)
{
    for (const auto& entry : session.runtime()->logSince(lastLog, lastLog))
        if (entry.level >= Level::Info)
            session.say(formatTime(entry.timeMs) + " " + std::string(levelName(entry.level)) + " " + entry.text);
    const SnapshotPtr snapshot = session.runtime()->engine().snapshot();
    for (const auto& sync : snapshot->syncs)
        for (const auto& table : sync.tables) {
            std::string& before = states[sync.name + "/" + table.table];
            if (before == stateName(table.state))
                continue;
            before = stateName(table.state);
            session.event("state", {{"sync", sync.name}, {"table", table.table}, {"state", before}, {"rows", table.rows}, {"failed", table.failed}, {"error", table.errorId.empty() ? Node() : Node(table.errorId)}});
        }
}

int serve(Session& session)
{
    auto engine = session.open(Access::Act);
    if (!engine)
        return session.fail(engine.error());
    const auto syncs = (*engine)->syncs();
    if (!syncs)
        return session.fail(syncs.error());
    (*engine)->setScheduling(true);
    std::size_t scheduled = 0;
    for (const auto& def : *syncs)
        scheduled += def.continuous || !def.every.empty() || !def.cron.empty();
    session.say("Serving " + session.runtime()->home() + ": " + std::to_string(scheduled) + " of " + std::to_string(syncs->size()) + " syncs have a schedule. End with SIGTERM or Ctrl+C.");
    session.event("serving", {{"home", session.runtime()->home()}, {"syncs", static_cast<std::int64_t>(syncs->size())}, {"scheduled", static_cast<std::int64_t>(scheduled)}});
    std::uint64_t lastLog = 0;
    std::map<std::string, std::string> states;
    const Clock& clock = session.console().clock;
    while (!session.interrupted()) {
        tell(session, lastLog, states);
        clock.wait(std::chrono::milliseconds(200), {});
    }
    const int signal = session.console().signal();
    (*engine)->setScheduling(false);
    const SnapshotPtr last = (*engine)->snapshot();
    for (const auto& sync : last->syncs)
        if (sync.run != 0)
            (*engine)->stop(sync.name);
    if (anyRunning(*(*engine)->snapshot()))
        session.say("Stopping after the batch in flight.");
    // a batch that hangs is cut off by its own time-out; the position is committed by then
    for (int i = 0; i < 600 && anyRunning(*(*engine)->snapshot()); ++i)
        clock.wait(std::chrono::milliseconds(100), {});
    tell(session, lastLog, states);
    session.say("Stopped; positions are kept.");
    session.answer(Node::map({{"status", "stopped"}}));
    return signal == SIGTERM ? Ok : Interrupted;
}

} // namespace

void addServeCommand(CLI::App& app, Action& chosen)
{
    app.add_subcommand("serve", "Run scheduled syncs until SIGTERM")->callback([&chosen] { chosen = serve; });
}

} // namespace millrace::cli
