#include "app/cli/commands.h"
#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include "app/cli/runner.h"
#include "core/base/text.h"
#include "core/config/envimport.h"
#include "core/config/syncfile.h"
#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <ostream>

namespace millrace::cli {

namespace {

using Typed = std::map<std::string, std::string>;

std::map<std::string, Secret> secretsOf(Typed&& typed)
{
    std::map<std::string, Secret> out;
    for (auto& [key, value] : typed)
        out.emplace(key, Secret(std::move(value)));
    return out;
}

void showApply(Session& session, const ApplyReport& report, bool dryRun)
{
    for (const auto& name : report.added) session.say((dryRun ? "would add " : "added ") + name);
    for (const auto& name : report.changed) session.say((dryRun ? "would change " : "changed ") + name);
    for (const auto& note : report.notes) session.warn(note.text);
    if (report.added.empty() && report.changed.empty())
        session.say("Nothing to change.");
}

Result<ApplyReport> applyTo(Engine& engine, const SyncFile& file, Typed&& typed, bool dryRun) { return engine.apply(file, secretsOf(std::move(typed)), dryRun); }

int apply(Session& session, const std::string& path, bool dryRun)
{
    Typed typed;
    const auto file = readSyncFile(path, &typed);
    if (!file)
        return session.fail(file.error());
    auto engine = session.open(dryRun ? Access::Look : Access::Act);
    if (!engine)
        return session.fail(engine.error());
    const auto report = applyTo(**engine, *file, std::move(typed), dryRun);
    if (!report)
        return session.fail(report.error());
    showApply(session, *report, dryRun);
    session.answer(applyJson(*report, dryRun));
    return Ok;
}

int check(Session& session, const std::string& path)
{
    Typed typed;
    const auto file = readSyncFile(path, &typed);
    if (!file)
        return session.fail(file.error());
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    auto report = applyTo(**engine, *file, std::move(typed), true);
    if (!report)
        return session.fail(report.error());
    Node notes = Node::list();
    for (const auto& sync : file->syncs)
        for (const auto& key : unsupportedKeys(sync))
            report->notes.push_back({"not_available_yet", "sync " + sync.name + ": '" + key + "' is kept, but not available in this version: the sync will not run.", {key}});
    for (const auto& note : report->notes) {
        session.warn(note.text);
        notes.add(Node::map({{"id", note.id}, {"text", note.text}}));
    }
    session.say(path + ": " + countText(file->connections.size(), "connection") + " and " + countText(file->syncs.size(), "sync") + ", all in order.");
    session.answer(Node::map({{"file", path}, {"valid", true}, {"connections", static_cast<std::int64_t>(file->connections.size())}, {"syncs", static_cast<std::int64_t>(file->syncs.size())},
                              {"notes", std::move(notes)}}));
    return Ok;
}

int run(Session& session, const std::string& path, bool full)
{
    Typed typed;
    const auto file = readSyncFile(path, &typed);
    if (!file)
        return session.fail(file.error());
    auto engine = session.open(Access::Act);
    if (!engine)
        return session.fail(engine.error());
    const auto applied = applyTo(**engine, *file, std::move(typed), false);
    if (!applied)
        return session.fail(applied.error());
    showApply(session, *applied, false);
    std::vector<RunRequest> requests;
    for (const auto& sync : file->syncs) {
        RunRequest request;
        request.sync = sync.name;
        request.kind = full ? RunRequest::Kind::Full : RunRequest::Kind::Normal;
        requests.push_back(std::move(request));
    }
    const auto reports = runAll(session, **engine, requests);
    Node syncs = Node::map();
    for (const auto& report : reports) {
        showRun(session, report);
        syncs.set(report.sync, runJson(report));
    }
    session.answer(Node::map({{"syncs", std::move(syncs)}}));
    return exitOfAll(session, reports);
}

// Aside and renamed, so that an export that fails leaves the former one whole.
Result<> writeFile(const std::string& path, const std::string& text)
{
    const std::string aside = path + ".part";
    std::ofstream stream(aside, std::ios::binary | std::ios::trunc);
    stream << text;
    stream.close();
    std::error_code failed;
    if (stream)
        std::filesystem::rename(aside, path, failed);
    if (!stream || failed) {
        const std::string words = failed ? failed.message() : std::strerror(errno);
        std::filesystem::remove(aside, failed);
        return Error{Fault::Storage, "cli.write_failed", path + ": " + words + ".", "Check the path and the space on the disk.", {}};
    }
    return {};
}

int exportAll(Session& session, const std::string& path)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    auto connections = (*engine)->connections();
    auto syncs = (*engine)->syncs();
    if (!connections)
        return session.fail(connections.error());
    if (!syncs)
        return session.fail(syncs.error());
    const SyncFile file{*connections, *syncs};
    if (!path.empty() && path != "-") {
        if (auto written = writeFile(path, writeSyncFile(file)); !written)
            return session.fail(written.error());
        session.say("Exported " + countText(syncs->size(), "sync") + " and " + countText(connections->size(), "connection") + " to " + path + ", without secrets.");
        session.answer(Node::map({{"file", path}, {"connections", static_cast<std::int64_t>(connections->size())}, {"syncs", static_cast<std::int64_t>(syncs->size())}}));
        return Ok;
    }
    if (session.machine())
        session.answer(nodeFromSyncFile(file));
    else
        session.console().out << writeSyncFile(file) << std::flush;
    return Ok;
}

int importEnvFile(Session& session, const std::string& path)
{
    const auto text = readTextFile(path);
    if (!text)
        return session.fail(text.error());
    auto imported = importEnv(*text);
    if (!imported)
        return session.fail(std::move(imported).error().in(path));
    std::error_code failed;
    const auto folder = std::filesystem::absolute(path, failed).parent_path();
    for (auto& def : imported->file.connections)
        for (auto& [key, ref] : def.secrets)
            if (ref.kind == SecretRef::Kind::File && !ref.name.starts_with('/'))
                ref.name = (folder / ref.name).lexically_normal().string();
    auto engine = session.open(Access::Act);
    if (!engine)
        return session.fail(engine.error());
    auto report = applyTo(**engine, imported->file, std::move(imported->typedSecrets), false);
    if (!report)
        return session.fail(report.error());
    report->notes.insert(report->notes.begin(), imported->notes.begin(), imported->notes.end());
    showApply(session, *report, false);
    session.say("Run it with: millrace-cli sync run default");
    session.answer(applyJson(*report, false));
    return Ok;
}

} // namespace

void addFileCommands(CLI::App& app, Action& chosen)
{
    struct Options { std::string path; bool flag = false; };
    const auto add = [&](const char* word, const char* help, const char* flag, const char* flagHelp, bool required, int (*start)(Session&, const Options&)) {
        auto o = std::make_shared<Options>();
        auto* command = app.add_subcommand(word, help);
        command->add_option("FILE", o->path, "The file; - is standard input")->required(required);
        if (flag)
            command->add_flag(flag, o->flag, flagHelp);
        command->callback([&chosen, o, start] { chosen = [o, start](Session& session) { return start(session, *o); }; });
    };
    add("apply", "Add and change what a sync file says; nothing is removed", "--dry-run", "Only say what would change", true, [](Session& s, const Options& o) { return apply(s, o.path, o.flag); });
    add("export", "Write connections and syncs as a sync file, without secrets", nullptr, nullptr, false, [](Session& s, const Options& o) { return exportAll(s, o.path); });
    add("check", "Check a sync file without changing anything", nullptr, nullptr, true, [](Session& s, const Options& o) { return check(s, o.path); });
    add("run", "Apply a sync file, then run its syncs once", "--full", "Read everything again", true, [](Session& s, const Options& o) { return run(s, o.path, o.flag); });
    add("import-env", "Import a .env file as the connections source and target and the sync default", nullptr, nullptr, true, [](Session& s, const Options& o) { return importEnvFile(s, o.path); });
}

} // namespace millrace::cli
