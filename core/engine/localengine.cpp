#include "core/engine/localengine.h"
#include "core/base/guard.h"
#include "core/base/homelock.h"
#include "core/base/text.h"
#include <algorithm>

namespace millrace {

//! The run as a whole could not begin or end: no table of it can say so.
static bool failedBefore(const RunReport& run)
{
    return run.outcome == Outcome::Failed && run.error && run.error->fault != Fault::Cancelled && run.error->fault != Fault::Usage;
}

LocalEngine::LocalEngine(EngineParts parts, Access access)
    : m_parts(std::move(parts)), m_access(access), m_committer(m_parts.store), m_pool(m_parts.workers) {}

LocalEngine::~LocalEngine()
{
    m_ticker.request_stop();
    const bool opened = m_ticker.joinable();
    if (opened)
        m_ticker.join();
    std::map<std::string, std::unique_ptr<Active>> active;
    {
        std::lock_guard lock(m_mutex);
        active.swap(m_active);
    }
    for (auto& [name, run] : active)
        run->stop.request_stop();
    active.clear();                                           // joins: each ends after the batches in flight
    if (opened) {
        sampleBoard(m_parts.clock.nowMs(), true);
        storeMetrics();
    }
}

Result<> LocalEngine::open()
{
    if (auto loaded = refreshBoard(); !loaded)
        return loaded;
    m_board.sample(m_parts.clock.nowMs());
    m_ticker = std::jthread([this](std::stop_token stop) { tick(stop); });
    return {};
}

Result<> LocalEngine::refreshBoard()
{
    std::lock_guard lock(m_refreshMutex);
    auto connections = m_parts.store.connections();
    if (!connections) return std::move(connections).error();
    m_board.setConnections(*connections);
    auto syncs = m_parts.store.syncs();
    if (!syncs) return std::move(syncs).error();
    for (const SyncDef& def : *syncs) {
        auto statuses = m_parts.store.statuses(def.name);
        if (!statuses) return std::move(statuses).error();
        auto paused = m_parts.store.paused(def.name);
        if (!paused) return std::move(paused).error();
        m_board.setSync(def, *paused, *statuses);
        auto newest = m_parts.store.history(def.name, 1);
        if (!newest) return std::move(newest).error();
        bool ours = false;
        {
            std::lock_guard running(m_mutex);
            ours = busy(def.name);
        }
        const RunReport* run = newest->empty() ? nullptr : &newest->front();
        const bool open = run && run->endMs == 0;
        if (open && !ours)
            m_board.setOpenRun(def.name, run->startMs, m_access == Access::Look && HomeLock::owner(m_parts.home) ? State::Running : State::Unknown);
        else if (run && !open && failedBefore(*run))
            m_board.setOpenRun(def.name, run->startMs, State::Failed);
        else
            m_board.setOpenRun(def.name, 0, State::Unknown);
        std::int64_t last = 0;
        for (const auto& s : *statuses) last = std::max(last, s.lastSyncMs);
        if (*paused)
            m_board.setNextDue(def.name, 0);
        else if (m_board.nextDue(def.name) == 0)
            m_board.setNextDue(def.name, nextDue(def, last, m_parts.clock.nowMs()));
    }
    for (const auto& name : m_board.names())
        if (std::none_of(syncs->begin(), syncs->end(), [&](const SyncDef& def) { return def.name == name; }))
            m_board.removeSync(name);
    return {};
}

Result<> LocalEngine::mayAct() const
{
    if (m_access == Access::Act)
        return {};
    return Error{Fault::Config, "home.in_use", "Another process owns this home; this one only looks.", "Use that one, or stop it first.", {}};
}

Result<SyncDef> LocalEngine::syncNamed(const std::string& name)
{
    auto all = m_parts.store.syncs();
    if (!all) return std::move(all).error();
    for (auto& def : *all)
        if (def.name == name)
            return std::move(def);
    return noSuchSync(*all, name);
}

// --- schedule and sampling -----------------------------------------------------------------------------------------------------------

void LocalEngine::tick(std::stop_token stop)
{
    constexpr std::int64_t metricEveryMs = 5000, pruneEveryMs = 3'600'000, lookEveryMs = 1000;
    std::int64_t lastPrune = 0, lastMetric = 0, lastLook = 0;
    const auto once = [&]() -> Result<> {
        const std::int64_t now = m_parts.clock.nowMs();
        if (m_access == Access::Look) {
            // Another process runs the syncs; what it has stored is what can be seen here.
            if (now - lastLook >= lookEveryMs) {
                lastLook = now;
                (void)refreshBoard().has_value();
            }
            m_board.sample(now);
            return {};
        }
        sampleBoard(now);
        if (now - lastMetric >= metricEveryMs) {
            lastMetric = now;
            storeMetrics();
        }
        if (now - lastPrune >= pruneEveryMs) {
            lastPrune = now;
            (void)m_parts.store.prune(now).has_value();
        }
        if (m_scheduling)
            startDue();
        return {};
    };
    while (m_parts.clock.wait(std::chrono::milliseconds(100), stop))
        if (auto done = guarded("the schedule", once); !done)
            m_parts.log.write({m_parts.clock.nowMs(), Level::Error, "engine", done.error().detail, {{"error", done.error().id}}});
}

void LocalEngine::sampleBoard(std::int64_t now, bool last)
{
    std::lock_guard lock(m_sumsMutex);
    for (const auto& sampled : m_board.sample(now, last)) {
        MetricPoint& sum = m_sums[{sampled.sync, sampled.table}];
        sum.read += sampled.point.read;
        sum.written += sampled.point.written;
        sum.rejected += sampled.point.rejected;
        sum.lagMs = std::max(sum.lagMs, sampled.point.lagMs);
        sum.p50Ms = sampled.point.p50Ms;
        sum.p95Ms = std::max(sum.p95Ms, sampled.point.p95Ms);
        sum.timeMs = now;
    }
}

void LocalEngine::storeMetrics()
{
    decltype(m_sums) sums;
    {
        std::lock_guard lock(m_sumsMutex);
        sums.swap(m_sums);
    }
    if (m_access == Access::Look)
        return;
    for (auto& [key, sum] : sums) {
        sum.spanSeconds = 5;
        for (double* figure : {&sum.read, &sum.written, &sum.rejected})
            *figure /= sum.spanSeconds;                       // stored as rows per second
        (void)m_parts.store.addMetric(key.first, key.second, sum).has_value();
    }
}

void LocalEngine::startDue()
{
    const std::int64_t now = m_parts.clock.nowMs();
    for (const auto& name : m_board.names()) {
        const std::int64_t due = m_board.nextDue(name);
        if (due == 0 || due > now)
            continue;
        if (auto paused = m_parts.store.paused(name); !paused || *paused) {
            m_board.setNextDue(name, 0);
            continue;
        }
        RunRequest request;
        request.sync = name;
        request.trigger = "schedule";
        if (auto started = start(request); !started && started.error().id != "engine.already_running") {
            m_parts.log.write({now, Level::Error, "engine", "The sync " + name + " could not be started: " + started.error().detail, {{"sync", name}}});
            m_board.setNextDue(name, now + 60'000);
        }
    }
}

// --- runs ------------------------------------------------------------------------------------------------------------------------------

bool LocalEngine::busy(const std::string& sync) const
{
    const auto it = m_active.find(sync);
    return m_held.contains(sync) || (it != m_active.end() && it->second->done.wait_for(std::chrono::seconds(0)) != std::future_status::ready);
}

Result<std::shared_ptr<void>> LocalEngine::hold(const std::string& sync, std::string fix)
{
    std::lock_guard lock(m_mutex);
    if (busy(sync))
        return Error{Fault::Config, "engine.already_running", "The sync " + sync + " is running.", std::move(fix), {}};
    m_held.insert(sync);
    return std::shared_ptr<void>(this, [this, sync](void*) {
        std::lock_guard release(m_mutex);
        m_held.erase(sync);
    });
}

Result<RunId> LocalEngine::start(const RunRequest& request)
{
    if (auto allowed = mayAct(); !allowed) return std::move(allowed).error();
    auto all = m_parts.store.syncs();
    if (!all) return std::move(all).error();
    auto connections = m_parts.store.connections();
    if (!connections) return std::move(connections).error();
    const auto def = std::find_if(all->begin(), all->end(), [&](const SyncDef& d) { return d.name == request.sync; });
    if (def == all->end())
        return noSuchSync(*all, request.sync);
    auto paused = m_parts.store.paused(request.sync);
    if (!paused) return std::move(paused).error();

    std::lock_guard lock(m_mutex);
    if (busy(request.sync))
        return Error{Fault::Config, "engine.already_running", "The sync " + request.sync + " is running.", "Wait for it, or stop it first.", {}};
    m_active.erase(request.sync);
    // Nobody asks for the reports of runs that the schedule started; only the newest are kept.
    constexpr std::size_t reportsKept = 100;
    for (auto it = m_futures.begin(); it != m_futures.end() && m_futures.size() > reportsKept;)
        it = it->second.wait_for(std::chrono::seconds(0)) == std::future_status::ready ? m_futures.erase(it) : std::next(it);
    auto id = m_parts.store.beginRun(request.sync, request.trigger, m_parts.clock.nowMs());
    if (!id) return id;
    auto active = std::make_unique<Active>();
    active->id = *id;
    auto promise = std::make_shared<std::promise<RunReport>>();
    active->done = promise->get_future().share();
    m_futures[*id] = active->done;
    m_board.setSync(*def, *paused, {});
    m_board.runBegan(request.sync, *id);
    SyncRun::Parts parts{m_parts, m_committer, m_pool, *def, std::move(*all), std::move(*connections), request, *id,
                         [this, name = request.sync](const std::string& table, std::shared_ptr<TableLive> live, const TablePlanPtr& plan) {
                             m_board.tableBegan(name, table, std::move(live), plan);
                         },
                         [this](const TableStatus& status, const TableReport& report) { m_board.tableEnded(status, report); },
                         [this, name = request.sync](const std::vector<std::string>& undecided) {
                             for (const auto& table : undecided)
                                 m_parts.log.write({m_parts.clock.nowMs(), Level::Warning, "engine", "The table " + table + " is new and waits for a decision (new_tables: ask).", {{"sync", name}}});
                         }};
    active->thread = std::jthread([this, parts = std::move(parts), promise, stop = active->stop.get_token()]() mutable {
        RunReport report;
        report.id = parts.id;
        report.sync = parts.def.name;
        const auto ended = guarded(report.sync, [&]() -> Result<> {
            report = SyncRun(std::move(parts)).run(stop);
            finishRun(report);
            return {};
        });
        if (!ended) {
            report.outcome = Outcome::Failed;
            report.error = ended.error();
            m_board.runEnded(report.sync, report, 0);
        }
        promise->set_value(std::move(report));                // last: whoever waits may end the engine
    });
    m_active[request.sync] = std::move(active);
    return *id;
}

void LocalEngine::finishRun(const RunReport& report)
{
    if (auto stored = m_parts.store.endRun(report); !stored)
        m_parts.log.write({m_parts.clock.nowMs(), Level::Error, "engine", "The outcome of run " + std::to_string(report.id) + " could not be stored: " + stored.error().detail, {{"sync", report.sync}}});
    std::int64_t due = 0;
    if (auto paused = m_parts.store.paused(report.sync); paused && !*paused)
        if (auto def = syncNamed(report.sync))
            due = nextDue(*def, report.startMs, m_parts.clock.nowMs());
    if (report.error && report.error->fault != Fault::Cancelled && report.error->fault != Fault::Usage)
        // The run could not begin or lost its lease: what was green before is not known to be so now, for the next process too.
        if (auto statuses = m_parts.store.statuses(report.sync))
            for (const auto& table : *statuses)
                (void)changeStatus(m_parts, report.sync, table.table, [&](TableStatus& status) {
                    status.state = State::Failed;
                    status.lastError = report.error->detail;
                    status.lastErrorId = report.error->id;
                }).has_value();
    (void)refreshBoard().has_value();                         // what was stored of tables that did not run
    m_board.runEnded(report.sync, report, due);
    sampleBoard(m_parts.clock.nowMs());
    if (report.error)
        m_parts.log.write({m_parts.clock.nowMs(), Level::Error, "engine", "The sync " + report.sync + " ended: " + report.error->detail,
                           {{"sync", report.sync}, {"run", std::to_string(report.id)}, {"error", report.error->id}}});
    else {
        std::uint64_t synced = 0, good = 0;
        for (const auto& t : report.tables) {
            synced += t.synced();
            good += t.outcome == Outcome::Success;
        }
        m_parts.log.write({m_parts.clock.nowMs(), Level::Info, "engine", "Sync " + report.sync + " completed: " + std::to_string(good) + " successful, "
                           + std::to_string(report.tables.size() - good) + " not, " + std::to_string(synced) + " records synced", {{"sync", report.sync}, {"run", std::to_string(report.id)}}});
    }
}

Result<RunReport> LocalEngine::wait(RunId run)
{
    std::shared_future<RunReport> done;
    {
        std::lock_guard lock(m_mutex);
        const auto it = m_futures.find(run);
        if (it == m_futures.end())
            return Error{Fault::Usage, "engine.no_such_run", "Run " + std::to_string(run) + " is not of this process.", {}, {}};
        done = it->second;
    }
    RunReport report = done.get();
    std::lock_guard lock(m_mutex);
    m_futures.erase(run);
    return report;
}

void LocalEngine::stop(const std::string& sync)
{
    std::lock_guard lock(m_mutex);
    if (const auto it = m_active.find(sync); it != m_active.end())
        it->second->stop.request_stop();
}

Result<> LocalEngine::setPaused(const std::string& sync, bool paused)
{
    if (auto allowed = mayAct(); !allowed) return allowed;
    auto def = syncNamed(sync);
    if (!def) return std::move(def).error();
    if (auto stored = m_parts.store.setPaused(sync, paused, "engine"); !stored) return stored;
    if (paused) stop(sync);
    m_board.setPaused(sync, paused);
    m_board.setNextDue(sync, paused ? 0 : nextDue(*def, 0, m_parts.clock.nowMs()));
    return {};
}

Result<> LocalEngine::reset(const std::string& sync, const std::string& table)
{
    if (auto allowed = mayAct(); !allowed) return allowed;
    if (auto def = syncNamed(sync); !def) return std::move(def).error();
    const auto held = hold(sync, "Stop it first.");
    if (!held) return held.error();
    if (!table.empty()) {
        auto statuses = m_parts.store.statuses(sync);
        if (!statuses) return std::move(statuses).error();
        if (std::none_of(statuses->begin(), statuses->end(), [&](const auto& s) { return s.table == table; }))
            return Error{Fault::Config, "config.no_such_table", "The sync " + sync + " has not synced a table '" + table + "'.", "See `sync status " + sync + "`.", {}};
    }
    return m_parts.store.forget(sync, table);
}

} // namespace millrace
