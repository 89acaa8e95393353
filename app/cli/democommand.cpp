#include "app/cli/commands.h"
#include "app/cli/demo.h"
#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include "app/cli/runner.h"
#include "core/base/text.h"
#include "core/demo/shop.h"
#include <CLI/CLI.hpp>
#include <filesystem>

namespace millrace::cli {

namespace {

constexpr auto syncName = "demo";

struct DemoOptions { std::uint64_t rows = 0; bool change = false, breakIt = false, mend = false; };

// One step of the demo: what was done to the shop, then a run or a retry, then the proof.
struct Step { std::string word, row; std::optional<RunReport> run; std::optional<VerifyReport> proof; std::vector<FailedRow> parked; };

int finish(Session& session, Engine& engine, Step& step, std::int64_t beganUs)
{
    const RunReport& run = *step.run;
    showRun(session, run);
    int code = exitOfAll(session, {run});
    Node answer = Node::map({{"step", step.word}});
    if (!step.row.empty())
        answer.set("row", step.row);
    answer.set("run", runJson(run));
    if (code != Interrupted && !(run.id == 0 && run.error)) {
        if (step.word == "change" && code == Ok)
            session.say(step.row + " is in the store, " + secondsText(static_cast<double>(session.console().clock.steadyUs() - beganUs) / 1e6) + " after it changed in the shop.");
        const auto proof = runVerify(session, engine, syncName, {});
        if (!proof)
            return session.fail(proof.error());
        showVerify(session, *proof);
        answer.set("verify", verifyJson(*proof));
        // a parked row is missing in the target: the run has said so already, and says it better
        const int verdict = exitOf(*proof);
        code = code == Partial && verdict == Differences ? Partial : worse(code, verdict);
        const auto parked = engine.failures(syncName, {}, {}, {});
        if (parked && !parked->empty()) {
            answer.set("failures", failuresJson(syncName, *parked)["failures"]);
            for (const auto& row : *parked)
                session.say("Parked: " + row.table + " " + row.key + " [" + row.cause + "] " + row.detail);
        }
    }
    if (step.word == "make" && code == Ok) {
        session.say("");
        session.say("What to do next:");
        session.say("  millrace-cli demo --change    change an order in the shop and watch it arrive");
        session.say("  millrace-cli demo --break     make a row that no store can take, and see it parked");
        session.say("  millrace-cli connections add NAME URL, discover NAME    connect your own database");
    } else if (step.word == "break")
        session.say("All other rows went on. Mend the row and retry it with: millrace-cli demo --mend");
    session.answer(answer);
    return session.interrupted() ? Interrupted : code;
}

RunReport runDemo(Session& session, Engine& engine, RunRequest::Kind kind)
{
    RunRequest request;
    request.sync = syncName;
    request.kind = kind;
    return runAll(session, engine, {request}).front();
}

int make(Session& session, Engine& engine, const DemoOptions& o, const std::string& shop, const std::string& home, std::int64_t beganUs)
{
    std::error_code failed;
    std::filesystem::create_directories(std::filesystem::path(shop).parent_path(), failed);
    if (failed)
        return session.fail({Fault::Storage, "demo.folder", shop + ": " + failed.message() + ".", "Choose another home with --home.", {}});
    // a shop that is there is kept, with the rows that were changed in it, unless another size is asked for
    const bool anew = o.rows > 0 || !std::filesystem::exists(shop, failed);
    if (anew) {
        const std::uint64_t rows = o.rows > 0 ? o.rows : shopRowsByDefault;
        session.say("Making a shop of " + rowsText(rows) + " rows: " + shop);
        auto made = session.await([&] { return makeShopSqlite(shop, rows); }, [] {});
        if (!made)
            return session.fail(made.error());
        if (session.interrupted())
            return Interrupted;
    }
    if (auto applied = engine.apply(demoFile(home), {}, false); !applied)
        return session.fail(applied.error());
    Step step{"make", {}, runDemo(session, engine, anew ? RunRequest::Kind::Full : RunRequest::Kind::Normal), {}, {}};
    return finish(session, engine, step, beganUs);
}

int demo(Session& session, const DemoOptions& o)
{
    auto opened = session.open(Access::Act);
    if (!opened)
        return session.fail(opened.error());
    Engine& engine = **opened;
    const std::string home = session.runtime()->home();
    const std::string shop = demoShopPath(home);
    const std::int64_t beganUs = session.console().clock.steadyUs();
    const auto syncs = engine.syncs();
    if (!syncs)
        return session.fail(syncs.error());
    const auto known = std::find_if(syncs->begin(), syncs->end(), [](const SyncDef& def) { return def.name == syncName; });
    if (known != syncs->end() && known->source != "demo-shop")
        return session.fail({Fault::Config, "demo.name_taken", "There is a sync 'demo' that is not the demo.", "Use another home: millrace-cli --home DIR demo", {}});
    if (!o.change && !o.breakIt && !o.mend)
        return make(session, engine, o, shop, home, beganUs);

    std::error_code failed;
    if (known == syncs->end() || !std::filesystem::exists(shop, failed))
        return session.fail({Fault::Config, "demo.missing", "There is no demo in " + home + " yet.", "Make it with: millrace-cli demo", {}});
    Step step;
    if (o.change) {
        const auto row = changeRow(shop, static_cast<std::uint64_t>(session.console().clock.nowMs()));
        if (!row)
            return session.fail(row.error());
        step = {"change", *row, {}, {}, {}};
        session.say("Changed in the shop: " + *row);
        step.run = runDemo(session, engine, RunRequest::Kind::Normal);
    } else {
        const auto row = o.breakIt ? breakRow(shop) : mendRow(shop);
        if (!row)
            return session.fail(row.error());
        step = {o.breakIt ? "break" : "mend", row->table + " " + row->key, {}, {}, {}};
        session.say((o.breakIt ? "Broke in the shop: " : "Mended in the shop: ") + step.row);
        if (o.breakIt)
            step.run = runDemo(session, engine, RunRequest::Kind::Normal);
        else {
            auto retried = session.await([&] { return engine.retryFailures(syncName, {}, {}); }, [&] { engine.stop(syncName); });
            if (!retried)
                return session.fail(retried.error());
            step.run = std::move(*retried);
        }
    }
    return finish(session, engine, step, beganUs);
}

} // namespace

void addDemoCommand(CLI::App& app, Action& chosen)
{
    auto o = std::make_shared<DemoOptions>();
    auto* command = app.add_subcommand("demo", "Make the demo shop, sync it into the embedded store, verify, print the report");
    auto* rows = command->add_option("--rows", o->rows, "Rows of the shop; makes it anew (25,000 when there is none yet)")->check(CLI::Range(std::uint64_t{100}, std::uint64_t{100'000'000}));
    auto* change = command->add_flag("--change", o->change, "Change one order in the shop and sync it");
    auto* breakIt = command->add_flag("--break", o->breakIt, "Make a row that no store can take, and sync");
    auto* mend = command->add_flag("--mend", o->mend, "Mend that row and retry it");
    change->excludes(breakIt)->excludes(mend)->excludes(rows);
    breakIt->excludes(mend)->excludes(rows);
    mend->excludes(rows);
    command->callback([&chosen, o] { chosen = [o](Session& session) { return demo(session, *o); }; });
}

} // namespace millrace::cli
