#include "app/cli/commands.h"
#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include "core/base/text.h"
#include "core/engine/connection.h"
#include <CLI/CLI.hpp>
#include <filesystem>
#include <istream>

namespace millrace::cli {

namespace {

struct ConnectionOptions { std::string name, url, passwordEnv, passwordFile, environment, ssh; bool passwordStdin = false; };

// What the command line says of a connection, in the sync file's form, so that both are checked by one reader.
Result<ConnectionDef> definitionOf(Session& session, const ConnectionOptions& o, std::map<std::string, std::string>& typed)
{
    Node node = Node::map({{"url", o.url}});
    std::error_code failed;
    const std::string here = std::filesystem::current_path(failed).string();
    if (!o.passwordEnv.empty())
        node.set("password", Node::map({{"env", o.passwordEnv}}));
    if (!o.passwordFile.empty())
        node.set("password", Node::map({{"file", o.passwordFile}}));
    if (o.passwordStdin) {
        std::string password;
        std::getline(session.console().in, password);
        if (password.ends_with('\r')) password.pop_back();
        if (password.empty())
            return Error{Fault::Usage, "cli.no_password", "Nothing was read from standard input.", "Pipe the password in: printf %s \"$PASSWORD\" | millrace-cli …", {}};
        node.set("password", password);
    }
    if (!o.environment.empty())
        node.set("environment", o.environment);
    if (!o.ssh.empty())
        node.set("ssh", o.ssh);
    return connectionFromNode(o.name, node, here, &typed);
}

Result<> checkConnector(Engine& engine, const ConnectionDef& def)
{
    const auto url = parseUrl(def.url);
    if (!url)
        return url.error();
    std::vector<std::string> schemes;
    for (const auto& spec : engine.connectors())
        for (const auto& scheme : spec.schemes) {
            if (scheme == url->scheme)
                return checkOptions(*url, spec);
            schemes.push_back(scheme);
        }
    return Error{Fault::Config, "config.not_available_yet", "The scheme '" + url->scheme + "' is not available in this version.", "Available: " + join(schemes, ", ") + ".", {}};
}

void warnOfHistory(Session& session, const std::string& url)
{
    Secret secret;
    if (const auto parsed = parseUrl(url, &secret); parsed && !secret.empty())
        session.warn("The URL held a password. It was taken out and kept as a secret, but the shell's history has it now. Use --password-env, --password-file or --password-stdin.");
}

int save(Session& session, const ConnectionOptions& o, bool edit)
{
    auto engine = session.open(Access::Act);
    if (!engine)
        return session.fail(engine.error());
    auto all = (*engine)->connections();
    if (!all)
        return session.fail(all.error());
    const auto old = std::find_if(all->begin(), all->end(), [&](const ConnectionDef& def) { return def.name == o.name; });
    if (edit && old == all->end())
        return session.fail(findConnection(**engine, o.name).error());
    if (!edit && old != all->end())
        return session.fail({Fault::Config, "config.connection_exists", "There is a connection '" + o.name + "' already.", "Change it with: millrace-cli connections edit " + o.name + " URL", {}});
    ConnectionOptions wanted = o;
    if (edit && wanted.url.empty())
        wanted.url = old->url;
    std::map<std::string, std::string> typed;
    auto def = definitionOf(session, wanted, typed);
    if (!def)
        return session.fail(def.error());
    if (edit) {
        if (o.url.empty()) def->baseDir = old->baseDir;
        if (o.environment.empty()) def->environment = old->environment;
        if (o.ssh.empty()) def->ssh = old->ssh;
        def->secrets.insert(old->secrets.begin(), old->secrets.end());       // what was given now stays in front
    }
    if (auto checked = checkConnector(**engine, *def); !checked)
        return session.fail(checked.error());
    warnOfHistory(session, o.url);
    std::map<std::string, Secret> secrets;
    for (auto& [key, value] : typed)
        secrets.emplace(key.substr(o.name.size() + 1), Secret(std::move(value)));
    if (auto saved = (*engine)->saveConnection(*def, secrets); !saved)
        return session.fail(saved.error());
    session.say((edit ? "Changed connection " : "Added connection ") + o.name + ": " + def->url);
    session.answer(Node::map({{"connection", o.name}, {"url", def->url}, {"status", edit ? "changed" : "added"}}));
    return Ok;
}

std::string secretWords(const ConnectionDef& def)
{
    std::vector<std::string> words;
    for (const auto& [key, ref] : def.secrets) {
        switch (ref.kind) {
        case SecretRef::Kind::None: break;
        case SecretRef::Kind::Stored: words.push_back(key + " kept"); break;
        case SecretRef::Kind::Env: words.push_back(key + " from $" + ref.name); break;
        case SecretRef::Kind::File: words.push_back(key + " from " + ref.name); break;
        case SecretRef::Kind::Keychain: words.push_back(key + " from keychain " + ref.name); break;
        }
    }
    return join(words, ", ");
}

int list(Session& session)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    auto all = (*engine)->connections();
    if (!all)
        return session.fail(all.error());
    Node map = Node::map();
    std::vector<std::vector<std::string>> rows{{"NAME", "URL", "SECRET", "ENVIRONMENT"}};
    for (const auto& def : *all) {
        map.set(def.name, connectionJson(def));
        rows.push_back({def.name, def.url, secretWords(def), def.environment});
    }
    if (all->empty()) session.say("No connections yet. Add one with: millrace-cli connections add NAME URL");
    else session.table(rows);
    session.answer(Node::map({{"connections", std::move(map)}}));
    return Ok;
}

int show(Session& session, const std::string& name)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    auto def = findConnection(**engine, name);
    if (!def)
        return session.fail(def.error());
    session.table({{"NAME", def->name}, {"URL", def->url}, {"SECRET", secretWords(*def)}, {"ENVIRONMENT", def->environment}, {"SSH", def->ssh}, {"FOLDER", def->baseDir}});
    Node node = Node::map({{"name", def->name}});
    const Node described = connectionJson(*def);
    for (const auto& [key, value] : described.fields())
        node.set(key, value);
    session.answer(node);
    return Ok;
}

int test(Session& session, const std::string& name)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    auto def = findConnection(**engine, name);
    if (!def)
        return session.fail(def.error());
    std::stop_source stop;
    const auto report = session.await([&] { return (*engine)->test(*def, {}, [](const TestStage&) {}, stop.get_token()); }, [&] { stop.request_stop(); });
    std::vector<std::vector<std::string>> rows{{"STAGE", "OUTCOME", "FOUND", "TIME"}};
    for (const auto& stage : report.stages) {
        char ms[32];
        std::snprintf(ms, sizeof ms, "%.1f ms", stage.ms);
        rows.push_back({stage.label, std::string(stageWord(stage.outcome)), stage.found, stage.outcome == TestStage::Outcome::NotReached ? "" : ms});
    }
    session.table(rows);
    for (const auto& stage : report.stages)
        if (!stage.fix.empty() && stage.outcome != TestStage::Outcome::Passed)
            session.say(stage.label + ": " + stage.fix);
    if (report.error)
        session.describe(*report.error, name);
    else
        session.say(name + ": " + report.server.engine + " " + report.server.version + " answers.");
    session.answer(testJson(name, report));
    return session.interrupted() ? Interrupted : report.error ? exitOf(*report.error) : Ok;
}

int remove(Session& session, const std::string& name)
{
    auto engine = session.open(Access::Act);
    if (!engine)
        return session.fail(engine.error());
    if (auto def = findConnection(**engine, name); !def)
        return session.fail(def.error());
    if (auto sure = session.confirm("Remove the connection " + name + " and its stored secrets?", false); !sure)
        return session.fail(sure.error());
    if (auto gone = (*engine)->removeConnection(name); !gone)
        return session.fail(gone.error());
    session.say("Removed connection " + name + ".");
    session.answer(Node::map({{"connection", name}, {"status", "removed"}}));
    return Ok;
}

int discover(Session& session, const std::string& name, const std::string& glob)
{
    auto engine = session.open(Access::Look);
    if (!engine)
        return session.fail(engine.error());
    if (auto def = findConnection(**engine, name); !def)
        return session.fail(def.error());
    std::stop_source stop;
    const auto found = session.await([&] { return (*engine)->discover(name, glob, stop.get_token()); }, [&] { stop.request_stop(); });
    if (!found)
        return session.fail(found.error());
    std::vector<std::vector<std::string>> rows{{"TABLE", "KIND", "ROWS", "KEY", "STRATEGY", "CURSOR", "WARNINGS"}};
    bool schemas = false;
    for (const auto& table : found->tables)
        schemas = schemas || table.ref.schema != found->tables.front().ref.schema;
    for (const auto& table : found->tables) {
        std::vector<std::string> warnings;
        for (const auto& warning : table.warnings)
            warnings.push_back(warning.text);
        rows.push_back({schemas ? table.ref.schema + "." + table.ref.name : table.ref.name, std::string(tableKindName(table.kind)), table.rowsEstimate ? "~" + rowsText(*table.rowsEstimate) : "?",
                        join(table.key, ", "), std::string(strategyName(table.recommended.strategy)), table.recommended.cursor, join(warnings, "; ")});
    }
    session.table(rows);
    session.say(found->server.engine + " " + found->server.version + ": " + countText(found->tables.size(), "table"));
    session.answer(discoverJson(*found));
    return Ok;
}

void addFields(CLI::App& command, ConnectionOptions& o)
{
    auto* env = command.add_option("--password-env", o.passwordEnv, "The environment variable that holds the password");
    auto* file = command.add_option("--password-file", o.passwordFile, "The file that holds the password");
    auto* standardInput = command.add_flag("--password-stdin", o.passwordStdin, "Read the password from standard input");
    env->excludes(file)->excludes(standardInput);
    file->excludes(standardInput);
    command.add_option("--environment", o.environment, "prod, stage, dev or local");
    command.add_option("--ssh", o.ssh, "Tunnel through this host: user@host");
}

} // namespace

void addConnectionCommands(CLI::App& app, Action& chosen)
{
    auto* group = app.add_subcommand("connections", "Add, change, list, test and remove connections");
    group->require_subcommand(1);
    for (const bool edit : {false, true}) {
        auto o = std::make_shared<ConnectionOptions>();
        auto* command = group->add_subcommand(edit ? "edit" : "add", edit ? "Change a connection; what is not given stays" : "Add a connection");
        command->add_option("NAME", o->name, "The connection's name")->required();
        command->add_option("URL", o->url, "scheme://user@host:port/database, or sqlite:///path.db")->required(!edit);
        addFields(*command, *o);
        command->callback([&chosen, o, edit] { chosen = [o, edit](Session& session) { return save(session, *o, edit); }; });
    }
    group->add_subcommand("list", "List the connections")->callback([&chosen] { chosen = list; });
    const auto named = [&](const char* word, const char* help, int (*run)(Session&, const std::string&)) {
        auto name = std::make_shared<std::string>();
        auto* command = group->add_subcommand(word, help);
        command->add_option("NAME", *name, "The connection's name")->required();
        command->callback([&chosen, name, run] { chosen = [name, run](Session& session) { return run(session, *name); }; });
    };
    named("show", "Show one connection, without its secrets", show);
    named("test", "Test a connection stage by stage", test);
    named("remove", "Remove a connection that no sync uses", remove);

    struct DiscoverOptions { std::string connection, glob; };
    auto o = std::make_shared<DiscoverOptions>();
    auto* command = app.add_subcommand("discover", "Show tables, columns, keys and the recommended strategy");
    command->add_option("CONNECTION", o->connection, "The connection's name")->required();
    command->add_option("--table", o->glob, "Only tables that match this pattern (* and ?)");
    command->callback([&chosen, o] { chosen = [o](Session& session) { return discover(session, o->connection, o->glob); }; });
}

} // namespace millrace::cli
