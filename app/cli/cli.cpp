#include "app/cli/commands.h"
#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include "core/base/text.h"
#include <CLI/CLI.hpp>
#include <algorithm>
#include <ostream>

namespace millrace::cli {

Error notAvailable(const std::string& what)
{
    return {Fault::Usage, "cli.not_available_yet", "'" + what + "' is not available in this version.", {}, {}};
}

void addLaterCommands(CLI::App& app, Action& chosen)
{
    const auto later = [&](const char* word, const char* help, std::initializer_list<const char*> options, std::initializer_list<const char*> flags) {
        auto taken = std::make_shared<std::vector<std::string>>(options.size());
        auto* command = app.add_subcommand(word, help);
        std::size_t i = 0;
        for (const char* option : options)
            command->add_option(option, (*taken)[i++], "Not in this version");
        for (const char* flag : flags)
            command->add_flag(flag)->description("Not in this version");
        command->callback([&chosen, word, taken] { chosen = [word](Session& session) { return session.fail(notAvailable(word)); }; });
    };
    later("rebuild", "Build a target anew beside the old one (not in this version)", {"NAME", "--table"}, {"--promote", "--rollback", "--abandon"});
    later("search", "Search a target (not in this version)", {"TARGET", "INDEX", "--query"}, {});
}

namespace {

void build(CLI::App& app, GlobalOptions& options, Action& chosen)
{
    app.require_subcommand(1);
    app.fallthrough();                                     // global options stand before or after any command
    app.set_version_flag("--version", "millrace-cli " MILLRACE_VERSION);
    app.add_option("--home", options.home, "The folder with all state (MILLRACE_HOME, else the desktop's data folder)");
    auto* json = app.add_flag("--json", options.json, "Print one JSON object on standard output");
    app.add_flag("--jsonl", options.jsonl, "Print events on standard output, one JSON object a line")->excludes(json);
    app.add_flag("--quiet", options.quiet, "No words for people but errors");
    app.add_flag("--yes", options.yes, "Answer every question with yes");
    app.add_flag("--no-color", options.noColor, "No colour on the terminal");
    addDemoCommand(app, chosen);
    addFileCommands(app, chosen);
    addConnectionCommands(app, chosen);
    addSyncCommands(app, chosen);
    addProofCommands(app, chosen);
    addLaterCommands(app, chosen);
    addServeCommand(app, chosen);
    addGeneratedCommands(app, chosen);
}

// The parser names what it did not expect; this adds what was meant.
std::string suggestion(const CLI::App& app, const std::vector<std::string>& arguments)
{
    const CLI::App* at = &app;
    std::vector<std::string> flags;
    const auto collect = [&](const CLI::App& one) {
        for (const CLI::Option* option : one.get_options([](const CLI::Option*) { return true; }))
            for (const auto& name : option->get_lnames())
                flags.push_back("--" + name);
    };
    collect(app);
    for (const auto& word : arguments) {
        if (word.starts_with("--")) {
            const std::string flag = word.substr(0, word.find('='));
            if (std::find(flags.begin(), flags.end(), flag) == flags.end())
                return "There is no option " + flag + " here" + didYouMean(flag, flags) + ".";
            continue;
        }
        const auto subs = at->get_subcommands([](const CLI::App*) { return true; });
        if (subs.empty() || word.starts_with('-'))
            continue;
        std::vector<std::string> names;
        const CLI::App* next = nullptr;
        for (const CLI::App* sub : subs) {
            names.push_back(sub->get_name());
            if (sub->get_name() == word) next = sub;
        }
        if (!next) {
            // the value of a global option (--home DIR) is no command
            if (at == &app && word != arguments.front())
                if (const auto before = std::find(arguments.begin(), arguments.end(), word); *(before - 1) == "--home")
                    continue;
            return "There is no command '" + word + "'" + didYouMean(word, names) + ".";
        }
        at = next;
        collect(*at);
    }
    return {};
}

} // namespace

int runCli(const std::vector<std::string>& arguments, Console& console)
{
    GlobalOptions options;
    Action chosen;
    CLI::App app("Keep databases and document, search, cache and stream systems in step", "millrace-cli");
    build(app, options, chosen);
    try {
        std::vector<std::string> reversed(arguments.rbegin(), arguments.rend());   // as the parser takes them
        app.parse(std::move(reversed));
    } catch (const CLI::CallForVersion& e) {
        console.out << e.what() << std::endl;
        return Ok;
    } catch (const CLI::Success&) {
        console.out << app.help() << std::flush;
        return Ok;
    } catch (const CLI::ParseError& e) {
        options.json = options.json || std::find(arguments.begin(), arguments.end(), "--json") != arguments.end();
        Session session(console, options);
        if (arguments.empty())
            console.err << app.help();
        const std::string meant = suggestion(app, arguments);
        return session.fail({Fault::Usage, "cli.usage", meant.empty() ? e.what() : meant, "See: millrace-cli --help, or COMMAND --help.", {}});
    }
    Session session(console, options);
    return chosen(session);
}

} // namespace millrace::cli
