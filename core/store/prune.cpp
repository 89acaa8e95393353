#include "core/store/storeimpl.h"
#include <charconv>

namespace millrace {

namespace {

constexpr std::int64_t second = 1000, minute = 60 * second, hour = 60 * minute, day = 24 * hour;

//! Points of `fromSpan` to below `toSpan` seconds that are older than `keep` become points of `toSpan` seconds.
struct Tier { std::int64_t fromSpan, toSpan, keepMs; };
constexpr Tier tiers[] = {{1, 60, 2 * hour}, {60, 900, 2 * day}};
constexpr std::int64_t chartsMs = 30 * day;

//! Read, written and rejected are per second; a bucket's value times its length is the same number of rows as before, so an idle part of
//! a minute lowers its rate. Lag and p95 keep the worst; what arrives late is added to a bucket that is there.
Result<> rollUp(const QSqlDatabase& db, const Tier& tier, std::int64_t before)
{
    const std::string span = std::to_string(tier.toSpan), bucket = "time_ms / " + std::to_string(tier.toSpan * second);
    const std::string sql =
        "INSERT INTO metrics (sync, table_name, time_ms, span_s, read, written, rejected, lag_ms, p50_ms, p95_ms)"
        " SELECT sync, table_name, " + bucket + " * " + std::to_string(tier.toSpan * second) + ", " + span + ", sum(read * span_s) / " + span
        + ", sum(written * span_s) / " + span + ", sum(rejected * span_s) / " + span + ", max(lag_ms), sum(p50_ms * span_s) / sum(span_s), max(p95_ms)"
          " FROM metrics WHERE span_s >= ? AND span_s < ? AND time_ms < ? GROUP BY sync, table_name, " + bucket
        + " ON CONFLICT (sync, table_name, time_ms, span_s) DO UPDATE SET read = read + excluded.read, written = written + excluded.written,"
          " rejected = rejected + excluded.rejected, lag_ms = max(lag_ms, excluded.lag_ms), p50_ms = max(p50_ms, excluded.p50_ms),"
          " p95_ms = max(p95_ms, excluded.p95_ms)";
    Query query(db, sql.c_str());
    return query.number(tier.fromSpan).number(tier.toSpan).number(before).exec();
}

Result<std::int64_t> limit(const QSqlDatabase& db, std::string_view key, std::int64_t otherwise)
{
    auto text = settingIn(db, key);
    if (!text)
        return std::move(text).error();
    std::int64_t value = 0;
    const auto [end, code] = std::from_chars(text->data(), text->data() + text->size(), value);
    return code == std::errc() && end == text->data() + text->size() && value > 0 ? value : otherwise;
}

} // namespace

// Three transactions: a full disk in one of them must not undo the others.
Result<> SqliteStore::prune(std::int64_t nowMs)
{
    if (auto flushed = flushMetrics(); !flushed)
        return flushed;
    if (auto done = m_database->write([&](QSqlDatabase& db) { return rollUpMetrics(db, nowMs); }); !done)
        return done;
    if (auto done = m_database->write([&](QSqlDatabase& db) { return pruneHistory(db, nowMs); }); !done)
        return done;
    return m_database->write([&](QSqlDatabase& db) { return pruneFailures(db); });
}

Result<> SqliteStore::rollUpMetrics(QSqlDatabase& db, std::int64_t nowMs) const
{
    for (const Tier& tier : tiers) {
        // only whole buckets, so that none is rolled up twice
        const std::int64_t before = (nowMs - tier.keepMs) / (tier.toSpan * second) * (tier.toSpan * second);
        if (auto done = rollUp(db, tier, before); !done)
            return done;
        Query erase(db, "DELETE FROM metrics WHERE span_s >= ? AND span_s < ? AND time_ms < ?");
        if (auto done = erase.number(tier.fromSpan).number(tier.toSpan).number(before).exec(); !done)
            return done;
    }
    Query old(db, "DELETE FROM metrics WHERE time_ms < ?");
    return old.number(nowMs - chartsMs).exec();
}

Result<> SqliteStore::pruneHistory(QSqlDatabase& db, std::int64_t nowMs) const
{
    const auto days = limit(db, "retention.history_days", 90);
    if (!days)
        return days.error();
    const auto runs = limit(db, "retention.history_runs", 10'000);
    if (!runs)
        return runs.error();
    Query byAge(db, "DELETE FROM runs WHERE running = 0 AND start_ms < ?");
    if (auto done = byAge.number(nowMs - *days * day).exec(); !done)
        return done;
    Query byNumber(db, "DELETE FROM runs WHERE running = 0 AND id IN (SELECT id FROM"
                       " (SELECT id, row_number() OVER (PARTITION BY sync ORDER BY id DESC) AS n FROM runs) WHERE n > ?)");
    return byNumber.number(*runs).exec();
}

//! Parked rows are kept until they arrive or are discarded: dropping one would hide that it is missing. Only a number that no sync reaches
//! by its own limit (max_failed) is cut, and that is said and audited.
Result<> SqliteStore::pruneFailures(QSqlDatabase& db) const
{
    const auto most = limit(db, "retention.failures", 100'000);
    if (!most)
        return most.error();
    Query over(db, "SELECT sync, count(*) - ? FROM failures GROUP BY sync HAVING count(*) > ?");
    if (auto done = over.number(*most).number(*most).exec(); !done)
        return done;
    std::vector<std::pair<std::string, std::int64_t>> syncs;
    while (over.next())
        syncs.emplace_back(over.textAt(0), over.numberAt(1));
    if (auto done = over.ended(); !done)
        return done;
    for (const auto& [sync, count] : syncs) {
        Query erase(db, "DELETE FROM failures WHERE id IN (SELECT id FROM failures WHERE sync = ? ORDER BY last_ms, id LIMIT ?)");
        if (auto done = erase.text(sync).number(count).exec(); !done)
            return done;
        if (auto noted = note(db, "retention", "failures.dropped", sync, std::to_string(count) + " oldest failed rows", ""); !noted)
            return noted;
        if (m_log)
            m_log->write({0, Level::Warning, "store", "The list of failed rows was over its limit; the oldest " + std::to_string(count) + " were dropped. Verify the sync.",
                          {{"sync", sync}}});
    }
    return {};
}

} // namespace millrace
