#include "app/cli/commands.h"
#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include "app/cli/runner.h"
#include "core/base/text.h"
#include <CLI/CLI.hpp>
#include <ostream>

namespace millrace::cli {

namespace {

struct VerifyOptions { std::string name, tables; bool repair = false, dryRun = false; };
struct FailureOptions { std::string name, action, table, cause, key; };

int verify(Session& session, const VerifyOptions& o)
{
    if (o.repair)
        return session.fail(notAvailable("verify --repair"));
    if (o.dryRun)
        return session.fail({Fault::Usage, "cli.usage", "--dry-run belongs to --repair.", {}, {}});
    auto engine = session.open(Access::Act);
    if (!engine)
        return session.fail(engine.error());
    if (auto def = findSync(**engine, o.name); !def)
        return session.fail(def.error());
    std::vector<std::string> tables;
    for (const auto& part : split(o.tables, ','))
        if (auto name = trimmed(part); !name.empty())
            tables.push_back(std::move(name));
    const auto report = runVerify(session, **engine, o.name, tables);
    if (!report)
        return session.fail(report.error());
    showVerify(session, *report);
    session.answer(verifyJson(*report));
    return session.interrupted() ? Interrupted : exitOf(*report);
}

int list(Session& session, Engine& engine, const FailureOptions& o, bool whole)
{
    const auto rows = engine.failures(o.name, o.table, o.cause, o.key);
    if (!rows)
        return session.fail(rows.error());
    if (whole && session.options().jsonl) {
        for (const auto& row : *rows)
            session.console().out << failureJson(row).json() << "\n";
        session.console().out << std::flush;
        return Ok;
    }
    if (whole && !session.options().json) {
        session.console().out << failuresJson(o.name, *rows).json(true) << std::endl;
        return Ok;
    }
    std::vector<std::vector<std::string>> lines{{"TABLE", "KEY", "CAUSE", "TRIES", "LAST TRY", "DETAIL"}};
    for (const auto& row : *rows)
        lines.push_back({row.table, row.key, row.cause, std::to_string(row.tries), formatTime(row.lastMs), row.detail});
    if (rows->empty()) session.say(o.name + ": no parked rows.");
    else session.table(lines);
    std::map<std::string, std::string> fixes;
    for (const auto& row : *rows)
        if (!row.fix.empty()) fixes[row.cause] = row.fix;
    for (const auto& [cause, fix] : fixes)
        session.say("  " + cause + ": " + fix);
    session.answer(failuresJson(o.name, *rows));
    return Ok;
}

int retry(Session& session, Engine& engine, const FailureOptions& o)
{
    const auto report = session.await([&] { return engine.retryFailures(o.name, o.cause, o.key); }, [&] { engine.stop(o.name); });
    if (!report)
        return session.fail(report.error());
    showRun(session, *report);
    session.answer(runJson(*report));
    return exitOfAll(session, {*report});
}

int discard(Session& session, Engine& engine, const FailureOptions& o)
{
    const auto rows = engine.failures(o.name, {}, o.cause, o.key);
    if (!rows)
        return session.fail(rows.error());
    if (auto sure = session.confirm("Discard " + rowsText(rows->size()) + (rows->size() == 1 ? " parked row" : " parked rows") + " of " + o.name + "? They stay missing in the target.", false); !sure)
        return session.fail(sure.error());
    const auto gone = engine.discardFailures(o.name, o.cause, o.key);
    if (!gone)
        return session.fail(gone.error());
    session.say(o.name + ": discarded " + rowsText(*gone) + (*gone == 1 ? " parked row." : " parked rows."));
    session.answer(Node::map({{"sync", o.name}, {"discarded", *gone}}));
    return Ok;
}

int failures(Session& session, const FailureOptions& o)
{
    if (o.action == "edit")
        return session.fail(notAvailable("failures edit"));
    const bool looks = o.action == "list" || o.action == "export";
    if (!o.table.empty() && !looks)
        return session.fail({Fault::Usage, "cli.usage", "--table belongs to list and export.", "Choose rows with --cause and --key.", {}});
    auto engine = session.open(looks ? Access::Look : Access::Act);
    if (!engine)
        return session.fail(engine.error());
    if (auto def = findSync(**engine, o.name); !def)
        return session.fail(def.error());
    if (looks)
        return list(session, **engine, o, o.action == "export");
    return o.action == "retry" ? retry(session, **engine, o) : discard(session, **engine, o);
}

} // namespace

void addProofCommands(CLI::App& app, Action& chosen)
{
    auto v = std::make_shared<VerifyOptions>();
    auto* proof = app.add_subcommand("verify", "Prove that source and target hold the same");
    proof->add_option("NAME", v->name, "The sync's name")->required();
    proof->add_option("--table", v->tables, "Only these tables, with commas between them");
    proof->add_flag("--repair", v->repair, "Write what is missing or different (not in this version)");
    proof->add_flag("--dry-run", v->dryRun, "With --repair: only say what would be written");
    proof->callback([&chosen, v] { chosen = [v](Session& session) { return verify(session, *v); }; });

    auto f = std::make_shared<FailureOptions>();
    auto* command = app.add_subcommand("failures", "List, retry, discard and export parked rows");
    command->add_option("NAME", f->name, "The sync's name")->required();
    command->add_option("ACTION", f->action, "list, retry, edit, discard or export")->required()->check(CLI::IsMember({"list", "retry", "edit", "discard", "export"}));
    command->add_option("--table", f->table, "Only rows of this table (list, export)");
    command->add_option("--cause", f->cause, "Only rows parked for this cause");
    command->add_option("--key", f->key, "Only the row with this key");
    command->callback([&chosen, f] { chosen = [f](Session& session) { return failures(session, *f); }; });
}

} // namespace millrace::cli
