#include "app/cli/session.h"
#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include "core/base/text.h"
#include <algorithm>
#include <cstdio>
#include <istream>
#include <ostream>

namespace millrace::cli {

namespace {

// Terminal cells, near enough for names: code points, not bytes.
std::size_t widthOf(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

// Names and server words may hold line breaks and escape sequences: neither may reach a terminal.
std::string printable(std::string_view text, bool lines)
{
    std::string out;
    for (const char c : text) {
        if (c == '\n' && lines) out += "\n  ";
        else if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) out += ' ';
        else out += c;
    }
    return out;
}

template <class Def> Result<Def> findNamed(const std::vector<Def>& all, const std::string& name, const char* id, const char* kind)
{
    std::vector<std::string> names;
    for (const auto& def : all) {
        if (def.name == name)
            return def;
        names.push_back(def.name);
    }
    return Error{Fault::Config, id, std::string("There is no ") + kind + " '" + name + "'" + didYouMean(name, names) + ".",
                 names.empty() ? std::string("There is none yet.") : "There are: " + join(names, ", ") + ".", {}};
}

} // namespace

Result<Engine*> Session::open(Access access)
{
    RuntimeOptions options;
    options.home = m_options.home;
    options.access = access;
    auto runtime = m_console.open(options);
    if (!runtime)
        return runtime.error();
    m_runtime = std::move(*runtime);
    return &m_runtime->engine();
}

std::string Session::colored(const char* code, const std::string& words) const
{
    if (!m_console.terminal || m_console.noColor || m_options.noColor)
        return words;
    return std::string("\x1b[") + code + "m" + words + "\x1b[0m";
}

void Session::bar(const std::string& line)
{
    m_console.err << "\r\x1b[K" << line << std::flush;
    m_bar = true;
}

void Session::clearBar()
{
    if (m_bar)
        m_console.err << "\r\x1b[K" << std::flush;
    m_bar = false;
}

void Session::say(const std::string& words)
{
    clearBar();
    if (!m_options.quiet)
        m_console.err << printable(words, true) << std::endl;
}

void Session::sayStopping()
{
    if (!m_stopping)
        say("Stopping after the batch in flight.");
    m_stopping = true;
}

void Session::warn(const std::string& words)
{
    clearBar();
    if (!m_options.quiet)
        m_console.err << colored("33", "warning:") << " " << printable(words, true) << std::endl;
}

void Session::table(const std::vector<std::vector<std::string>>& rows)
{
    if (m_options.quiet || machine() || rows.empty())
        return;
    clearBar();
    std::vector<std::size_t> widths;
    for (const auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (i >= widths.size()) widths.push_back(0);
            widths[i] = std::max(widths[i], widthOf(row[i]));
        }
    std::vector<bool> numbers(widths.size(), rows.size() > 1);
    for (std::size_t r = 1; r < rows.size(); ++r)
        for (std::size_t i = 0; i < rows[r].size(); ++i)
            numbers[i] = numbers[i] && rows[r][i].find_first_not_of("0123456789,") == std::string::npos;
    bool head = true;
    for (const auto& row : rows) {
        std::string line;
        for (std::size_t i = 0; i < row.size(); ++i) {
            const std::string blanks(widths[i] - widthOf(row[i]), ' ');
            line += numbers[i] ? blanks + printable(row[i], false) : printable(row[i], false) + (i + 1 < row.size() ? blanks : "");
            line += i + 1 < row.size() ? "  " : "";
        }
        m_console.err << (head ? colored("1", line) : line) << "\n";
        head = false;
    }
    m_console.err.flush();
}

void Session::answer(const Node& node)
{
    if (m_options.jsonl)
        event("result", {{"result", node}});
    else if (m_options.json)
        m_console.out << node.json() << std::endl;
}

void Session::event(const char* name, std::initializer_list<Node::Field> fields)
{
    if (!m_options.jsonl)
        return;
    Node line = Node::map({{"event", name}, {"time", formatTime(m_console.clock.nowMs())}});
    for (const auto& [key, value] : fields)
        line.set(key, value);
    m_console.out << line.json() << std::endl;
}

void Session::describe(const Error& error, const std::string& where)
{
    clearBar();
    m_console.err << colored("31", "error:") << " " << printable(where.empty() ? error.detail : where + ": " + error.detail, true) << " [" << error.id << "]\n";
    if (!error.fix.empty())
        m_console.err << "  " << colored("1", "what to do:") << " " << printable(error.fix, true) << "\n";
    m_console.err.flush();
}

int Session::fail(const Error& error)
{
    describe(error, {});
    answer(Node::map({{"error", errorJson(error)}}));
    return exitOf(error);
}

Result<> Session::confirm(const std::string& question, bool mustBeGiven)
{
    if (m_options.yes)
        return {};
    if (!m_console.answers) {
        if (!mustBeGiven)
            return {};
        return Error{Fault::Usage, "cli.confirmation", question + " Nobody can be asked here.", "Give --yes.", {}};
    }
    m_console.err << printable(question, false) << " [y/N] " << std::flush;
    std::string reply;
    std::getline(m_console.in, reply);
    reply = lower(trimmed(reply));
    if (reply == "y" || reply == "yes")
        return {};
    return Error{Fault::Usage, "cli.not_confirmed", "Nothing was done.", {}, {}};
}

std::string rowsText(std::uint64_t rows) { return grouped(rows); }

std::string countText(std::uint64_t count, const char* noun) { return grouped(count) + " " + noun + (count == 1 ? "" : "s"); }

std::string secondsText(double seconds)
{
    char text[32];
    std::snprintf(text, sizeof text, seconds < 10 ? "%.2f s" : "%.1f s", seconds);
    return text;
}

Result<ConnectionDef> findConnection(Engine& engine, const std::string& name)
{
    auto all = engine.connections();
    return all ? findNamed(*all, name, "config.no_connection", "connection") : Result<ConnectionDef>(all.error());
}

Result<SyncDef> findSync(Engine& engine, const std::string& name)
{
    auto all = engine.syncs();
    return all ? findNamed(*all, name, "config.no_sync", "sync") : Result<SyncDef>(all.error());
}

} // namespace millrace::cli
