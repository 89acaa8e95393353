#include "core/engine/syncboard.h"
#include "core/engine/connection.h"
#include <algorithm>
#include <array>

namespace millrace {

namespace {

constexpr std::size_t sparkSeconds = 60;
constexpr std::int64_t lagAlertMs = 30'000;
constexpr double quietLagMs = 1500;

std::string cadence(const SyncDef& def)
{
    if (def.continuous) return "continuous";
    if (!def.every.empty()) return "every " + def.every;
    if (!def.cron.empty()) return "cron " + def.cron;
    return "by hand";
}

std::string engineOf(const ConnectionDef* def)
{
    if (!def) return {};
    const auto url = parseUrl(def->url);
    return url ? url->scheme : std::string();
}

} // namespace

State worstState(const std::vector<State>& states)
{
    static constexpr std::array order{State::Failed, State::NeedsResync, State::Unknown, State::Running, State::Lagging, State::Live, State::Paused, State::Queued, State::Idle};
    for (const State state : order)
        if (std::find(states.begin(), states.end(), state) != states.end())
            return state;
    return State::Idle;
}

std::int64_t nextDue(const SyncDef& def, std::int64_t lastStartMs, std::int64_t nowMs)
{
    std::int64_t step = 0;
    if (def.continuous) step = 1000;
    else if (!def.every.empty())
        if (const auto parsed = parseDuration(def.every)) step = *parsed;
    if (step <= 0)
        return 0;
    if (lastStartMs == 0)
        return nowMs;
    // A run that took longer than its interval is not made up for; the next one is due at once.
    return std::max(lastStartMs + step, nowMs);
}

void SyncBoard::setConnections(const std::vector<ConnectionDef>& connections)
{
    std::lock_guard lock(m_mutex);
    m_connections = connections;
}

void SyncBoard::setSync(const SyncDef& def, bool paused, const std::vector<TableStatus>& statuses)
{
    std::lock_guard lock(m_mutex);
    Sync& sync = m_syncs[def.name];
    sync.def = def;
    sync.paused = paused;
    for (const auto& status : statuses)
        sync.tables[status.table].status = status;
}

void SyncBoard::removeSync(const std::string& name)
{
    std::lock_guard lock(m_mutex);
    m_syncs.erase(name);
}

std::vector<std::string> SyncBoard::names() const
{
    std::lock_guard lock(m_mutex);
    std::vector<std::string> out;
    for (const auto& [name, sync] : m_syncs)
        out.push_back(name);
    return out;
}

void SyncBoard::setOpenRun(const std::string& sync, std::int64_t sinceMs, State as)
{
    std::lock_guard lock(m_mutex);
    if (const auto it = m_syncs.find(sync); it != m_syncs.end()) {
        it->second.openSinceMs = sinceMs;
        it->second.openAs = as;
    }
}

void SyncBoard::runBegan(const std::string& sync, RunId run)
{
    std::lock_guard lock(m_mutex);
    if (const auto it = m_syncs.find(sync); it != m_syncs.end()) {
        it->second.run = run;
        it->second.nextDueMs = 0;
        it->second.openSinceMs = 0;
    }
}

void SyncBoard::tableBegan(const std::string& sync, const std::string& table, std::shared_ptr<TableLive> live, const TablePlanPtr& plan)
{
    std::lock_guard lock(m_mutex);
    Table& t = m_syncs[sync].tables[table];
    t.status.sync = sync;
    t.status.table = table;
    t.live = std::move(live);
    t.lastRead = t.lastWritten = t.lastRejected = 0;
    if (plan) {
        t.status.container = plan->container;
        t.status.strategy = plan->strategy;
        t.cursor = plan->cursor;
    }
}

void SyncBoard::tableEnded(const TableStatus& status, const TableReport& report)
{
    std::lock_guard lock(m_mutex);
    Sync& sync = m_syncs[status.sync];
    Table& t = sync.tables[status.table];
    t.second.lagMs = std::max(t.second.lagMs, static_cast<double>(lagOf(sync, t, report.endMs)));   // what it was until now
    t.status = status;
    if (t.live) {
        const RunCounters& c = t.live->counters;                  // what came since the last sample; a short run has had none
        t.second.read += static_cast<double>(c.read - t.lastRead);
        t.second.written += static_cast<double>(c.written + c.deleted - t.lastWritten);
        t.second.rejected += static_cast<double>(c.rejected - t.lastRejected);
        t.second.p50Ms = c.latencyUs / 1000.0;
        t.second.p95Ms = std::max(t.second.p95Ms, c.slowestUs / 1000.0);
    }
    t.live.reset();
    t.readRate = t.writeRate = 0;
    t.syncType = report.syncType;
    t.position = report.position;
    t.fix = report.error ? report.error->fix : std::string();
}

void SyncBoard::runEnded(const std::string& sync, const RunReport& report, std::int64_t nextDueMs)
{
    std::lock_guard lock(m_mutex);
    const auto it = m_syncs.find(sync);
    if (it == m_syncs.end())
        return;
    it->second.run = 0;
    it->second.nextDueMs = nextDueMs;
    for (auto& [name, table] : it->second.tables) {
        table.live.reset();
        table.readRate = table.writeRate = 0;
        if (report.error && report.error->fault != Fault::Cancelled && report.error->fault != Fault::Usage) {
            // The run could not begin or lost its lease: what was green before is not known to be so now.
            table.status.state = State::Failed;
            table.status.lastError = report.error->detail;
            table.status.lastErrorId = report.error->id;
            table.fix = report.error->fix;
        }
    }
}

void SyncBoard::setPaused(const std::string& sync, bool paused)
{
    std::lock_guard lock(m_mutex);
    if (const auto it = m_syncs.find(sync); it != m_syncs.end())
        it->second.paused = paused;
}

void SyncBoard::setVerified(const std::string& sync, const std::string& table, const std::string& verdict, std::int64_t atMs)
{
    std::lock_guard lock(m_mutex);
    const auto it = m_syncs.find(sync);
    if (it == m_syncs.end())
        return;                                                   // removed meanwhile
    Table& t = it->second.tables[table];
    t.status.sync = sync;
    t.status.table = table;
    t.status.verified = verdict;
    t.status.verifiedMs = atMs;
}

void SyncBoard::setFailed(const std::string& sync, const std::string& table, std::uint64_t failed)
{
    std::lock_guard lock(m_mutex);
    if (const auto it = m_syncs.find(sync); it != m_syncs.end())
        it->second.tables[table].status.failed = failed;
}

void SyncBoard::setNextDue(const std::string& sync, std::int64_t dueMs)
{
    std::lock_guard lock(m_mutex);
    if (const auto it = m_syncs.find(sync); it != m_syncs.end())
        it->second.nextDueMs = dueMs;
}

std::int64_t SyncBoard::nextDue(const std::string& sync) const
{
    std::lock_guard lock(m_mutex);
    const auto it = m_syncs.find(sync);
    return it == m_syncs.end() || it->second.run ? 0 : it->second.nextDueMs;
}

std::vector<SyncBoard::Sampled> SyncBoard::sample(std::int64_t nowMs, bool last)
{
    std::lock_guard lock(m_mutex);
    std::vector<Sampled> points;
    const double seconds = m_lastSampleMs ? static_cast<double>(nowMs - m_lastSampleMs) / 1000.0 : 0;
    const bool wholeSecond = last || nowMs - m_lastSecondMs >= 1000;
    for (auto& [syncName, sync] : m_syncs)
        for (auto& [tableName, t] : sync.tables) {
            if (t.live && seconds > 0) {
                const RunCounters& c = t.live->counters;
                const std::uint64_t read = c.read, written = c.written + c.deleted, rejected = c.rejected;
                // Rates are smoothed over about a second, so that figures stay readable.
                const double weight = std::min(1.0, seconds);
                t.readRate += weight * (static_cast<double>(read - t.lastRead) / seconds - t.readRate);
                t.writeRate += weight * (static_cast<double>(written - t.lastWritten) / seconds - t.writeRate);
                t.second.read += static_cast<double>(read - t.lastRead);
                t.second.written += static_cast<double>(written - t.lastWritten);
                t.second.rejected += static_cast<double>(rejected - t.lastRejected);
                t.lastRead = read;
                t.lastWritten = written;
                t.lastRejected = rejected;
            }
            if (!wholeSecond)
                continue;
            t.recent.push_back(static_cast<float>(t.second.written));
            if (t.recent.size() > sparkSeconds) t.recent.pop_front();
            if (t.live) {
                t.second.lagMs = std::max(t.second.lagMs, static_cast<double>(lagOf(sync, t, nowMs)));
                t.second.p50Ms = t.live->counters.latencyUs / 1000.0;
                t.second.p95Ms = t.live->counters.slowestUs.exchange(0) / 1000.0;
            }
            // A quiet poll that is in time leaves no point: a thousand tables a second would fill the store with zeros.
            if (t.live || t.second.read > 0 || t.second.written > 0 || t.second.rejected > 0 || t.second.lagMs > quietLagMs) {
                t.second.timeMs = nowMs;
                points.push_back({syncName, tableName, t.second});
            }
            t.second = {};
        }
    m_lastSampleMs = nowMs;
    if (wholeSecond) m_lastSecondMs = nowMs;
    publish(nowMs);
    return points;
}

std::int64_t SyncBoard::lagOf(const Sync& sync, const Table& t, std::int64_t nowMs)
{
    if (t.status.lastSyncMs == 0 || (!sync.def.continuous && sync.def.every.empty()))
        return -1;
    return std::max<std::int64_t>(0, nowMs - t.status.lastSyncMs);
}

TableView SyncBoard::view(const Sync& sync, const Table& t, std::int64_t nowMs) const
{
    TableView v;
    v.sync = t.status.sync;
    v.table = t.status.table;
    v.container = t.status.container;
    v.strategy = t.status.strategy;
    v.syncType = t.syncType;
    v.state = t.status.state;
    v.rows = t.status.rows;
    v.failed = t.status.failed;
    v.lastSyncMs = t.status.lastSyncMs;
    v.nextRunMs = sync.nextDueMs;
    v.verified = t.status.verified;
    v.verifiedMs = t.status.verifiedMs;
    v.error = t.status.lastError;
    v.errorId = t.status.lastErrorId;
    v.fix = t.fix;
    v.cursor = t.cursor;
    v.position = t.position;
    v.readRate = t.readRate;
    v.writeRate = t.writeRate;
    v.recent.assign(t.recent.begin(), t.recent.end());
    if (t.live) {
        const RunCounters& c = t.live->counters;
        v.state = t.live->state;
        v.rows = c.read;
        v.rowsTotal = t.live->total;
        v.progress = v.rowsTotal ? std::min(1.0, static_cast<double>(v.rows) / static_cast<double>(v.rowsTotal)) : -1;
        v.note = t.live->note();
        v.p50Ms = c.latencyUs / 1000.0;
        v.p95Ms = c.slowestUs / 1000.0;
        v.retried = c.retried;
        v.failed = std::max<std::uint64_t>(v.failed, c.rejected);
    } else if (v.state == State::Idle) {
        if (sync.paused) v.state = State::Paused;
    }
    v.lagMs = lagOf(sync, t, nowMs);
    if (v.lagMs >= 0) {
        v.lagKnown = v.state != State::Failed && v.state != State::NeedsResync && v.state != State::Unknown;
        if (sync.def.continuous && v.state == State::Idle)
            v.state = v.lagMs > lagAlertMs ? State::Lagging : State::Live;
    }
    // Invariant 9: what that run did with a table that it did not end is not known.
    const bool resting = v.state == State::Idle || v.state == State::Live || v.state == State::Lagging || v.state == State::Paused;
    if (sync.openSinceMs && !sync.run && resting && t.status.lastSyncMs < sync.openSinceMs)
        v.state = sync.openAs;
    return v;
}

void SyncBoard::publish(std::int64_t nowMs)
{
    auto out = std::make_shared<EngineSnapshot>();
    out->revision = ++m_revision;
    out->takenMs = nowMs;
    out->budgetBytes = std::size_t{256} << 20;
    out->connections = m_connections.size();
    for (const auto& [name, sync] : m_syncs) {
        SyncView s;
        s.name = name;
        s.source = sync.def.source;
        s.target = sync.def.target;
        s.tags = sync.def.tags;
        s.paused = sync.paused;
        s.run = sync.run;
        s.nextRunMs = sync.nextDueMs;
        s.every = cadence(sync.def);
        const ConnectionDef *from = nullptr, *to = nullptr;
        for (const auto& c : m_connections) {
            if (c.name == sync.def.source) from = &c;
            if (c.name == sync.def.target) to = &c;
        }
        s.sourceEngine = engineOf(from);
        s.targetEngine = engineOf(to);
        s.environment = from && from->environment == "prod" ? "prod" : to ? to->environment : "local";
        std::vector<State> states;
        for (const auto& [tableName, table] : sync.tables) {
            s.tables.push_back(view(sync, table, nowMs));
            const TableView& v = s.tables.back();
            states.push_back(v.state);
            s.lagMs = std::max(s.lagMs, v.lagMs);
            out->rowsPerSecond += v.writeRate;
            out->failedRows += v.failed;
            if (table.live) out->queuedBytes += table.live->counters.queuedBytes;
        }
        s.state = states.empty() ? (sync.run ? State::Running : sync.openSinceMs ? sync.openAs : sync.paused ? State::Paused : State::Idle) : worstState(states);
        out->syncs.push_back(std::move(s));
    }
    m_snapshot = std::move(out);
}

SnapshotPtr SyncBoard::snapshot() const
{
    std::lock_guard lock(m_mutex);
    return m_snapshot;
}

} // namespace millrace
