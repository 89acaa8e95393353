#include "app/cli/generated.h"
#include "app/cli/commands.h"
#include "app/cli/exitcode.h"
#include "core/base/text.h"
#include <CLI/CLI.hpp>
#include <ostream>

namespace millrace::cli {

namespace {

std::vector<const CLI::App*> shown(const CLI::App& app)
{
    std::vector<const CLI::App*> out;
    for (const CLI::App* sub : app.get_subcommands([](const CLI::App*) { return true; }))
        if (!sub->get_group().empty())                     // an empty group hides a command
            out.push_back(sub);
    return out;
}

std::vector<const CLI::Option*> optionsOf(const CLI::App& app, bool positional)
{
    std::vector<const CLI::Option*> out;
    for (const CLI::Option* option : app.get_options([](const CLI::Option*) { return true; }))
        if (option->get_positional() == positional && !option->get_group().empty())
            out.push_back(option);
    return out;
}

std::vector<std::string> flagsOf(const CLI::App& app)
{
    std::vector<std::string> out;
    for (const CLI::Option* option : optionsOf(app, false))
        for (const auto& name : option->get_lnames())
            out.push_back("--" + name);
    return out;
}

void completionCases(std::string& out, const CLI::App& app, const std::string& path)
{
    std::vector<std::string> words;
    for (const CLI::App* sub : shown(app))
        words.push_back(sub->get_name());
    if (app.get_name() == "failures" )
        words = {"list", "retry", "edit", "discard", "export"};
    for (auto& flag : flagsOf(app))
        words.push_back(std::move(flag));
    out += "        '" + path + "') words='" + join(words, " ") + "' ;;\n";
    for (const CLI::App* sub : shown(app))
        completionCases(out, *sub, path.empty() ? sub->get_name() : path + " " + sub->get_name());
}

// roff reads a leading '.' or ''' as a command, and '-' as a hyphen that cannot be pasted.
std::string roff(std::string_view text)
{
    std::string out;
    for (const char c : text) {
        if (c == '\\') out += "\\e";
        else if (c == '-') out += "\\-";
        else out += c;
    }
    if (out.starts_with('.') || out.starts_with('\''))
        out.insert(0, "\\&");
    return out;
}

void manOptions(std::string& out, const CLI::App& app)
{
    for (const CLI::Option* option : optionsOf(app, false)) {
        if (option == app.get_help_ptr() && app.get_parent())
            continue;                                      // said once, for all commands
        std::vector<std::string> names;
        for (const auto& name : option->get_snames()) names.push_back("-" + name);
        for (const auto& name : option->get_lnames()) names.push_back("--" + name);
        out += ".TP\n\\fB" + roff(join(names, ", ")) + "\\fR";
        if (option->get_items_expected_max() > 0 && !option->get_lnames().empty() && option->get_type_size_max() > 0)
            out += " \\fI" + lower(option->get_lnames().back()) + "\\fR";
        out += "\n" + roff(option->get_description()) + "\n";
    }
}

void manCommands(std::string& out, const CLI::App& app, const std::string& path)
{
    for (const CLI::App* sub : shown(app)) {
        const std::string name = path.empty() ? sub->get_name() : path + " " + sub->get_name();
        if (!shown(*sub).empty()) {
            manCommands(out, *sub, name);
            continue;
        }
        out += ".SS " + roff(name);
        for (const CLI::Option* option : optionsOf(*sub, true))
            out += option->get_required() ? " " + option->get_name(true) : " [" + option->get_name(true) + "]";
        out += "\n" + roff(sub->get_description()) + "\n";
        for (const CLI::Option* option : optionsOf(*sub, true))
            out += ".TP\n\\fI" + roff(option->get_name(true)) + "\\fR\n" + roff(option->get_description()) + "\n";
        manOptions(out, *sub);
    }
}

} // namespace

std::string bashCompletion(const CLI::App& app)
{
    std::string commands;
    const std::function<void(const CLI::App&)> collect = [&](const CLI::App& one) {
        for (const CLI::App* sub : shown(one)) {
            commands += (commands.empty() ? "" : "|") + sub->get_name();
            collect(*sub);
        }
    };
    collect(app);
    std::string out = "# bash completion for millrace-cli, made by: millrace-cli completion bash\n"
                      "_millrace_cli()\n{\n    local cur=${COMP_WORDS[COMP_CWORD]} path='' words='' word\n"
                      "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n        case $word in\n            " + commands + ") path=\"${path:+$path }$word\" ;;\n        esac\n    done\n"
                      "    case $path in\n";
    completionCases(out, app, {});
    out += "    esac\n    words+=' " + join(flagsOf(app), " ") + "'\n    COMPREPLY=($(compgen -W \"$words\" -- \"$cur\"))\n}\ncomplete -o default -F _millrace_cli millrace-cli\n";
    return out;
}

std::string manPage(const CLI::App& app)
{
    std::string out = ".TH MILLRACE\\-CLI 1 \"\" \"Millrace " MILLRACE_VERSION "\" \"User Commands\"\n.SH NAME\nmillrace\\-cli \\- " + roff(app.get_description())
        + "\n.SH SYNOPSIS\n.B millrace\\-cli\n[\\fIoptions\\fR] \\fIcommand\\fR [\\fIarguments\\fR]\n.SH OPTIONS\nThese stand before or after any command.\n";
    manOptions(out, app);
    out += ".SH COMMANDS\n";
    manCommands(out, app, {});
    out += ".SH EXIT STATUS\nOf several syncs the worst.\n";
    for (const auto& [code, words] : std::initializer_list<std::pair<int, const char*>>{
             {Ok, "all went well"}, {Failure, "failure, unknown outcome, or all tables failed"}, {Usage, "the command line is wrong"}, {Configuration, "a file, name or setting is wrong"},
             {Connection, "connection or login"}, {Partial, "some tables failed, or rows are parked"}, {Differences, "verification found differences"},
             {InUse, "the home or the sync is in use"}, {Interrupted, "interrupted"}})
        out += ".TP\n.B " + std::to_string(code) + "\n" + roff(words) + "\n";
    out += ".SH ENVIRONMENT\n.TP\n.B MILLRACE_HOME\nThe folder with all state, unless \\fB\\-\\-home\\fR names one.\n.TP\n.B MILLRACE_KEY_FILE\nThe key of the encrypted file that keeps typed secrets.\n"
           ".TP\n.B NO_COLOR\nNo colour when it is set.\n.SH FILES\n.TP\n.I $XDG_DATA_HOME/millrace\nThe home: metadata store, logs, kept secrets, demo.\n";
    return out;
}

void addGeneratedCommands(CLI::App& app, Action& chosen)
{
    auto shell = std::make_shared<std::string>();
    auto* completion = app.add_subcommand("completion", "Print the completion script of a shell");
    completion->group("");
    completion->add_option("SHELL", *shell, "bash")->required()->check(CLI::IsMember({"bash"}));
    completion->callback([&chosen, &app] { chosen = [&app](Session& session) { session.console().out << bashCompletion(app) << std::flush; return Ok; }; });
    auto* man = app.add_subcommand("man", "Print the manual page");
    man->group("");
    man->callback([&chosen, &app] { chosen = [&app](Session& session) { session.console().out << manPage(app) << std::flush; return Ok; }; });
}

} // namespace millrace::cli
