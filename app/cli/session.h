#pragma once
#include "app/cli/console.h"
#include "core/base/node.h"
#include <chrono>
#include <future>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

namespace millrace::cli {

struct GlobalOptions {
    std::string home;
    bool json = false, jsonl = false, quiet = false, yes = false, noColor = false;
};

using Access = RuntimeOptions::Access;

//! One call of the command: its options, its two outputs and the engine, opened when a command asks for it.
class Session {
public:
    Session(Console& console, const GlobalOptions& options) : m_console(console), m_options(options) {}

    Result<Engine*> open(Access access);
    Runtime* runtime() { return m_runtime.get(); }
    Console& console() { return m_console; }
    const GlobalOptions& options() const { return m_options; }
    bool machine() const { return m_options.json || m_options.jsonl; }

    void say(const std::string& words);                    //!< a line for people; silent with --quiet
    void warn(const std::string& words);
    //! Aligned columns for people; the first row is the head. Silent with --quiet and when a machine reads the result.
    void table(const std::vector<std::vector<std::string>>& rows);
    void bar(const std::string& line);                     //!< the one line that is drawn over; any words clear it first
    void clearBar();
    void answer(const Node& node);                         //!< the one object on stdout, when --json or --jsonl asks for it
    void event(const char* name, std::initializer_list<Node::Field> fields);   //!< one line, with --jsonl only
    int fail(const Error& error);                          //!< prints it everywhere it belongs; returns the exit code
    void describe(const Error& error, const std::string& where);               //!< for people, inside a report
    //! Asks on a terminal; without one `mustBeGiven` demands --yes, else silence is consent.
    Result<> confirm(const std::string& question, bool mustBeGiven);
    bool interrupted() const { return m_console.signal() != 0; }
    std::string colored(const char* code, const std::string& words) const;

    //! Runs `work` on a thread of its own. Meanwhile `tick` is called ten times a second, and `interrupt` once on a signal.
    template <class Work> auto await(Work work, const std::function<void()>& interrupt, const std::function<void()>& tick = {}) -> std::invoke_result_t<Work>
    {
        auto future = std::async(std::launch::async, std::move(work));
        bool told = false;
        while (future.wait_for(std::chrono::milliseconds(told || !tick ? 50 : 100)) != std::future_status::ready) {
            if (interrupted() && !told) {
                told = true;
                sayStopping();
                interrupt();
            }
            if (tick)
                tick();
        }
        return future.get();
    }

private:
    void sayStopping();                                    //!< once, however many runs are stopped
    Console& m_console;
    GlobalOptions m_options;
    bool m_stopping = false, m_bar = false;
    std::unique_ptr<Runtime> m_runtime;
};

//! "12,345" and "1.9 s" for people.
std::string rowsText(std::uint64_t rows);
std::string secondsText(double seconds);
std::string countText(std::uint64_t count, const char* noun);    //!< "1 sync", "2 syncs"

Result<ConnectionDef> findConnection(Engine& engine, const std::string& name);     //!< names the nearest one when it is missing
Result<SyncDef> findSync(Engine& engine, const std::string& name);

} // namespace millrace::cli
