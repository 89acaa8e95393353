#include "core/source/mysql/transactionwatch.h"
#include "core/data/value.h"
#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <mutex>
#include <thread>

namespace millrace::mysql {

namespace {

using Steady = std::chrono::steady_clock;

constexpr std::int64_t second = 1'000'000;
constexpr std::int64_t lookBack = 600 * second;                // without PROCESS
constexpr std::int64_t clockChange = 3605 * second;            // trx_started is in the server's own zone: across a clock change an age may be an hour short
constexpr auto refreshed = std::chrono::milliseconds(120);

struct Look { std::mutex mutex; Steady::time_point at {}; std::optional<PollHorizon::Poll> poll; };

//! One per server, because the list that they share is the server's. Never removed: there are few servers.
Look& lookFor(const Config& config)
{
    static std::mutex mutex;
    static std::map<std::string, Look> looks;
    const std::lock_guard lock(mutex);
    return looks[config.user + "@" + config.place()];
}

Result<std::int64_t> askClock(Connection& connection)
{
    auto clock = connection.query("SELECT CAST(UTC_TIMESTAMP(6) AS CHAR)");
    if (!clock)
        return std::move(clock).error();
    std::int64_t micros = 0;
    std::uint8_t digits = 0;
    if (!parseDateTime(*(*clock)[0][0], micros, digits))
        return Error {Fault::Internal, "source.mysql.clock", "the server's clock says " + *(*clock)[0][0], "", {}};
    return micros;
}

//! nullopt: the list is older than this call.
Result<std::optional<PollHorizon::Poll>> askTransactions(Connection& connection, std::int64_t clock)
{
    // our own transaction is in the list, or the list was made before it
    if (auto ok = connection.exec("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"); !ok)
        return std::move(ok).error();
    auto open = connection.query("SELECT trx_mysql_thread_id = CONNECTION_ID(), trx_is_read_only, CONCAT(trx_mysql_thread_id, '@', trx_started), "
                                 "TIMESTAMPDIFF(MICROSECOND, trx_started, CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', 'SYSTEM')) FROM information_schema.innodb_trx");
    if (auto ok = connection.exec("COMMIT"); !ok)
        return std::move(ok).error();
    if (!open)
        return std::move(open).error();
    PollHorizon::Poll poll {clock, clock, {}};
    bool fresh = false;
    for (const auto& row : *open) {
        if (row[0] == "1")
            fresh = true;
        if (row[1] == "1")                                     // cannot commit anything late; most of them are ours
            continue;
        std::int64_t age = 0;
        if (row[3])
            std::from_chars(row[3]->data(), row[3]->data() + row[3]->size(), age);
        poll.open.push_back(row[2].value_or(std::string()));
        poll.floor = std::min(poll.floor, clock - std::max<std::int64_t>(age, 0) - clockChange);
    }
    return fresh ? std::optional(std::move(poll)) : std::nullopt;
}

} // namespace

Result<Observation> observe(Connection& connection)
{
    Observation now;
    Look& look = lookFor(connection.config());
    const std::lock_guard lock(look.mutex);
    const auto clock = askClock(connection);
    if (!clock)
        return clock.error();
    now.clock = *clock;
    if (!look.poll || Steady::now() - look.at > refreshed) {
        auto seen = askTransactions(connection, *clock);
        // nothing to go by yet, and somebody else has just read the list: wait until it may be made anew
        for (int tries = 0; tries < 10 && !look.poll && seen && !*seen; ++tries) {
            std::this_thread::sleep_for(refreshed);
            seen = askTransactions(connection, *clock);
        }
        look.at = Steady::now();
        if (!seen && seen.error().fault != Fault::Auth)
            return std::move(seen).error();
        if (!seen)
            look.poll.reset();
        else if (*seen)
            look.poll = std::move(**seen);
    }
    now.poll = look.poll.value_or(PollHorizon::Poll {now.clock - lookBack, now.clock - lookBack, {}});
    return now;
}

} // namespace millrace::mysql
