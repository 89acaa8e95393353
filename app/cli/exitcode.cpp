#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include <algorithm>
#include <array>

namespace millrace::cli {

int exitOf(const Error& error)
{
    if (error.id == "home.in_use" || error.id == "engine.already_running")
        return InUse;
    // a file that cannot be opened is a server that cannot be reached
    static constexpr std::array unreachable{"source.sqlite.file_missing", "source.sqlite.cannot_open", "source.sqlite.not_a_database", "target.embedded.cannot_open",
                                            "target.embedded.not_sqlite", "target.embedded.no_folder"};
    if (std::find(unreachable.begin(), unreachable.end(), error.id) != unreachable.end())
        return Connection;
    switch (error.fault) {
    case Fault::Cancelled: return Interrupted;
    case Fault::Usage: return Usage;
    case Fault::Config: return Configuration;
    case Fault::Auth: case Fault::Network: case Fault::Timeout: case Fault::Throttled: return Connection;
    case Fault::Fenced: return InUse;
    case Fault::Schema: case Fault::Data: case Fault::Storage: case Fault::Internal: return Failure;
    }
    return Failure;
}

int exitOf(const RunReport& report)
{
    if (report.error && report.error->fault != Fault::Cancelled)
        return exitOf(*report.error);
    const auto parked = std::any_of(report.tables.begin(), report.tables.end(), [](const TableReport& table) { return shownOutcome(table) != Outcome::Success; });
    switch (report.outcome) {
    case Outcome::Success: return parked ? Partial : Ok;
    case Outcome::Partial: case Outcome::Cancelled: return Partial;
    case Outcome::Failed: case Outcome::Unknown: return Failure;
    }
    return Failure;
}

int exitOf(const VerifyReport& report)
{
    if (report.verdict == Verdict::Identical)
        return Ok;
    if (report.verdict == Verdict::Different)
        return Differences;
    return report.error ? exitOf(*report.error) : Failure;
}

int worse(int a, int b)
{
    static constexpr std::array order{Ok, Partial, Differences, InUse, Connection, Configuration, Usage, Failure, Interrupted};
    const auto rank = [](int code) { return std::find(order.begin(), order.end(), code) - order.begin(); };
    return rank(a) >= rank(b) ? a : b;
}

} // namespace millrace::cli
