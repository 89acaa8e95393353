#include "core/store/storeimpl.h"
#include <algorithm>

namespace millrace {

namespace {
// A point a second and table would cost an fsync each: points wait until there are this many or the oldest is this old. A killed process
// loses these seconds of a chart and nothing else.
constexpr std::size_t pendingPoints = 256;
constexpr std::int64_t pendingUs = 10'000'000;
constexpr std::size_t pendingAtMost = 10'000;

constexpr const char* oneTable =
    "SELECT time_ms, span_s, read, written, rejected, lag_ms, p50_ms, p95_ms FROM metrics"
    " WHERE sync = ? AND table_name = ? AND time_ms >= ? AND time_ms < ? ORDER BY time_ms, span_s";
constexpr const char* allTables =
    "SELECT time_ms, span_s, sum(read), sum(written), sum(rejected), max(lag_ms), avg(p50_ms), max(p95_ms) FROM metrics"
    " WHERE sync = ? AND time_ms >= ? AND time_ms < ? GROUP BY time_ms, span_s ORDER BY time_ms, span_s";
} // namespace

Result<> SqliteStore::addMetric(std::string_view sync, std::string_view table, const MetricPoint& point)
{
    const std::int64_t now = m_clock.steadyUs();
    {
        std::lock_guard lock(m_metricsMutex);
        if (m_pendingMetrics.empty())
            m_firstPendingUs = now;
        m_pendingMetrics.push_back({std::string(sync), std::string(table), point});
        if (m_pendingMetrics.size() < pendingPoints && now - m_firstPendingUs < pendingUs)
            return {};
    }
    return flushMetrics();
}

Result<> SqliteStore::flushMetrics()
{
    std::vector<PendingMetric> points;
    {
        std::lock_guard lock(m_metricsMutex);
        points.swap(m_pendingMetrics);
    }
    if (points.empty())
        return {};
    auto saved = m_database->write([&](QSqlDatabase& db) -> Result<> {
        Query query(db, "INSERT OR REPLACE INTO metrics (sync, table_name, time_ms, span_s, read, written, rejected, lag_ms, p50_ms, p95_ms)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        for (const auto& [sync, table, p] : points)
            if (auto done = query.text(sync).text(table).number(p.timeMs).number(std::int64_t(std::max(p.spanSeconds, 1u))).real(p.read).real(p.written)
                                .real(p.rejected).real(p.lagMs).real(p.p50Ms).real(p.p95Ms).exec(); !done)
                return done;
        return {};
    });
    if (saved)
        return saved;
    // kept for the next try, within bounds: a full disk may get room again
    std::lock_guard lock(m_metricsMutex);
    points.insert(points.end(), m_pendingMetrics.begin(), m_pendingMetrics.end());
    if (points.size() > pendingAtMost)
        points.erase(points.begin(), points.end() - pendingAtMost);
    m_pendingMetrics.swap(points);
    m_firstPendingUs = m_clock.steadyUs();
    return saved;
}

Result<std::vector<MetricPoint>> SqliteStore::metrics(std::string_view sync, std::string_view table, std::int64_t fromMs, std::int64_t toMs)
{
    if (auto flushed = flushMetrics(); !flushed && m_log)
        m_log->write({0, Level::Warning, "store", "Chart points could not be saved: " + flushed.error().detail, {{"error", flushed.error().id}}});
    using Points = std::vector<MetricPoint>;
    return m_database->read([&](QSqlDatabase& db) -> Result<Points> {
        Query query(db, table.empty() ? allTables : oneTable);
        query.text(sync);
        if (!table.empty())
            query.text(table);
        if (auto done = query.number(fromMs).number(toMs).exec(); !done)
            return std::move(done).error();
        Points out;
        while (query.next()) {
            MetricPoint p;
            p.timeMs = query.numberAt(0);
            p.spanSeconds = static_cast<std::uint32_t>(query.numberAt(1));
            p.read = query.realAt(2);
            p.written = query.realAt(3);
            p.rejected = query.realAt(4);
            p.lagMs = query.realAt(5);
            p.p50Ms = query.realAt(6);
            p.p95Ms = query.realAt(7);
            out.push_back(p);
        }
        if (auto done = query.ended(); !done)
            return std::move(done).error();
        return out;
    });
}

} // namespace millrace
