#include "core/source/mysql/transactionwatch.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <algorithm>
#include <charconv>
#include <chrono>
#include <map>
#include <memory>
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

std::int64_t number(const std::optional<std::string>& text)
{
    std::int64_t value = 0;
    if (text)
        std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

//! A statement has its time from its begin on, but no transaction while it waits for a table that somebody locks, backs up or alters.
//! What may write and runs for a second is taken for a transaction; what is younger falls into the least overlap.
Result<> addWaiting(Connection& connection, PollHorizon::Poll& poll)
{
    auto running = connection.query("SHOW PROCESSLIST");
    if (!running)
        return std::move(running).error();
    for (const auto& row : *running) {                         // id, user, host, database, command, seconds, state, statement
        if (row.size() < 8 || (row[4] != "Query" && row[4] != "Execute") || number(row[5]) < 1 || number(row[0]) == static_cast<std::int64_t>(mysql_thread_id(connection.handle())))
            continue;
        const std::string statement = lower(row[7].value_or(std::string()).substr(0, 60));
        const auto word = std::min(statement.find_first_not_of(" \t\r\n("), statement.size());
        if (statement.compare(word, 6, "select") == 0 || statement.compare(word, 4, "show") == 0)
            continue;
        poll.open.push_back("q" + row[0].value_or(std::string()));
        poll.floor = std::min(poll.floor, poll.clock - (number(row[5]) + 1) * second);
    }
    return {};
}

//! On a replica rows arrive with the time they had at its source: until the lag is over, nothing behind it is safe. Without the right to
//! see the lag the catalogue warns (replica_lag_unseen).
Result<> addReplication(Connection& connection, PollHorizon::Poll& poll)
{
    MYSQL* handle = connection.handle();
    bool asked = mysql_query(handle, "SHOW REPLICA STATUS") == 0;
    if (!asked && mysql_errno(handle) == 1064)
        asked = mysql_query(handle, "SHOW SLAVE STATUS") == 0;
    if (!asked)
        return connection.error().fault == Fault::Auth ? Result<>() : Result<>(connection.error());
    const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> result(mysql_store_result(handle), mysql_free_result);
    const MYSQL_ROW row = result ? mysql_fetch_row(result.get()) : nullptr;
    for (unsigned i = 0; row && i < mysql_num_fields(result.get()); ++i) {
        if (!lower(mysql_fetch_fields(result.get())[i].name).starts_with("seconds_behind_"))
            continue;
        if (!row[i])
            poll.open.push_back("replication");                // it stands still, who knows since when
        else if (const auto lag = number(std::string(row[i])); lag > 0)
            poll.clock -= (lag + 1) * second;
        poll.floor = std::min(poll.floor, poll.clock);
    }
    return {};
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
        poll.open.push_back(row[2].value_or(std::string()));
        poll.floor = std::min(poll.floor, clock - std::max<std::int64_t>(number(row[3]), 0) - clockChange);
    }
    if (auto ok = addWaiting(connection, poll); !ok)
        return std::move(ok).error();
    if (auto ok = addReplication(connection, poll); !ok)
        return std::move(ok).error();
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
