#include "core/source/postgresql/transactionwatch.h"
#include <algorithm>
#include <charconv>

namespace millrace::postgresql {

namespace {

constexpr std::int64_t second = 1'000'000, lookBack = 3600 * second;

std::int64_t number(const std::optional<std::string>& text)
{
    std::int64_t value = 0;
    if (text)
        std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

const char* const micros = "(pg_catalog.date_part('epoch', %) * 1000000)::pg_catalog.int8";

std::string epoch(const std::string& moment)
{
    std::string out = micros;
    return out.replace(out.find('%'), 1, moment);
}

} // namespace

Result<PollHorizon::Poll> observe(Connection& connection, const PollHorizon& earlier)
{
    auto clock = connection.query("SELECT " + epoch("pg_catalog.clock_timestamp()"));
    if (!clock)
        return std::move(clock).error();
    PollHorizon::Poll poll {number((*clock)[0][0]), number((*clock)[0][0]), {}};
    auto open = connection.query(
        "SELECT l.virtualtransaction, " + epoch("a.xact_start") + ", a.pid IS NOT NULL FROM pg_catalog.pg_locks l LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid "
        "WHERE l.locktype = 'virtualxid' AND l.granted AND l.mode = 'ExclusiveLock' AND l.pid <> pg_catalog.pg_backend_pid() "
        "AND (a.datid IS NULL OR a.datid = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())) "
        "AND NOT coalesce(a.application_name = 'millrace' AND a.usename = current_user, false) AND coalesce(a.backend_type, '') NOT IN ('autovacuum worker', 'walsender')");
    if (!open)
        return std::move(open).error();
    for (const auto& row : *open) {
        poll.open.push_back(row[0].value_or(std::string()));
        poll.floor = std::min(poll.floor, row[1] ? number(row[1]) : poll.clock - lookBack);
    }
    auto prepared = connection.query("SELECT transaction, " + epoch("prepared") + " FROM pg_catalog.pg_prepared_xacts WHERE database = pg_catalog.current_database()");
    if (!prepared)
        return std::move(prepared).error();
    for (const auto& row : *prepared) {
        poll.open.push_back("prepared " + row[0].value_or(std::string()));
        poll.floor = std::min(poll.floor, number(row[1]) - lookBack);        // its begin is nowhere to be seen
    }
    if (!prepared->empty() && !earlier.empty())
        for (const auto& before : earlier.polls())
            poll.open.insert(poll.open.end(), before.open.begin(), before.open.end());
    std::sort(poll.open.begin(), poll.open.end());
    poll.open.erase(std::unique(poll.open.begin(), poll.open.end()), poll.open.end());
    return poll;
}

} // namespace millrace::postgresql
