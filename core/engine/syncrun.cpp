#include "core/engine/syncrun.h"
#include "core/base/guard.h"
#include "core/base/text.h"
#include <algorithm>

namespace millrace {

void sumUp(RunReport& report)
{
    std::size_t good = 0, failed = 0, cancelled = 0;
    for (const auto& t : report.tables) {
        good += t.outcome == Outcome::Success;
        failed += t.outcome == Outcome::Failed || t.outcome == Outcome::Unknown;
        cancelled += t.outcome == Outcome::Cancelled;
        if (!t.syncType.empty())
            report.syncType = report.syncType.empty() || report.syncType == t.syncType ? t.syncType : "mixed";
    }
    if (report.syncType.empty())
        report.syncType = "full";
    if (report.error)
        report.outcome = report.error->fault == Fault::Cancelled ? Outcome::Cancelled : Outcome::Failed;
    else if (good == report.tables.size())
        report.outcome = Outcome::Success;
    else if (failed == report.tables.size())
        report.outcome = Outcome::Failed;
    else
        report.outcome = cancelled && !failed ? Outcome::Cancelled : Outcome::Partial;
}

RunReport SyncRun::run(std::stop_token stop)
{
    RunReport report;
    report.id = m_parts.id;
    report.sync = m_parts.def.name;
    report.trigger = m_parts.request.trigger;
    report.startMs = m_parts.engine.clock.nowMs();
    if (auto done = guarded(m_parts.def.name, [&] { return execute(report, stop); }); !done)
        report.error = std::move(done).error();
    report.endMs = m_parts.engine.clock.nowMs();
    sumUp(report);
    return report;
}

Result<Lease> SyncRun::takeLease(Target& target, std::stop_token stop)
{
    auto& store = m_parts.engine.store;
    auto known = store.epoch(m_parts.def.name);
    if (!known)
        return std::move(known).error();
    auto lease = target.acquire(m_parts.def.name, store.owner(), *known, stop);
    if (!lease)
        return lease;
    if (auto saved = store.saveEpoch(m_parts.def.name, lease->epoch); !saved)
        return std::move(saved).error();
    return lease;
}

Result<> SyncRun::execute(RunReport& report, std::stop_token stop)
{
    const auto& engine = m_parts.engine;
    const SyncDef& def = m_parts.def;
    if (const auto later = unsupportedKeys(def); !later.empty())
        return Error{Fault::Config, "config.not_available_yet", "The sync " + def.name + " uses what this version cannot do yet: " + join(later, ", ") + ".", "Take these keys out.", {}};
    const ConnectionDef* from = findConnection(m_parts.connections, def.source);
    const ConnectionDef* to = findConnection(m_parts.connections, def.target);
    if (!from) return noSuchConnection(m_parts.connections, def.source);
    if (!to) return noSuchConnection(m_parts.connections, def.target);
    auto sourceParams = openParams(engine, *from);
    if (!sourceParams) return std::move(sourceParams).error();
    auto targetParams = openParams(engine, *to);
    if (!targetParams) return std::move(targetParams).error();
    auto source = engine.connectors.openSource(*sourceParams);
    if (!source) return std::move(source).error();
    auto target = engine.connectors.openTarget(*targetParams);
    if (!target) return std::move(target).error();

    const bool full = m_parts.request.kind == RunRequest::Kind::Full;
    auto tables = planSync(engine, def, m_parts.all, m_parts.connections, **source, **target, full, stop);
    if (!tables) return std::move(tables).error();
    report.undecided = tables->undecided;
    if (m_parts.undecided) m_parts.undecided(tables->undecided);
    // Names are frozen when a table is first chosen. All are stored before the first lease is taken: a table that an earlier run did not
    // come to (killed, or asked for others) must not look like a new one that waits for a decision.
    for (SyncTable& table : tables->tables)
        if (!table.status && !table.selected.error) {
            auto chosen = changeStatus(engine, def.name, table.label, [&](TableStatus& status) {
                if (!table.planned) return;
                status.container = table.planned->plan->container;
                status.strategy = table.planned->plan->strategy;
            });
            if (!chosen) return std::move(chosen).error();
        }
    if (auto calmed = forgetAlarms(*tables); !calmed) return calmed;
    if (!m_parts.request.tables.empty()) {
        for (const auto& wanted : m_parts.request.tables)
            if (std::none_of(tables->tables.begin(), tables->tables.end(), [&](const SyncTable& t) { return globMatches(wanted, t.label); })) {
                std::vector<std::string> known;
                for (const auto& t : tables->tables) known.push_back(t.label);
                return Error{Fault::Usage, "config.no_such_table", "The sync " + def.name + " has no table '" + wanted + "'" + didYouMean(wanted, known) + ".", "See `sync plan " + def.name + "`.", {}};
            }
        std::erase_if(tables->tables, [&](const SyncTable& t) {
            return std::none_of(m_parts.request.tables.begin(), m_parts.request.tables.end(), [&](const auto& w) { return globMatches(w, t.label); });
        });
    }
    if (tables->tables.empty())
        return Error{Fault::Config, "config.no_tables", "No table of " + def.source + " matches the rule of " + def.name + ".", "See `discover " + def.source + "`.", {}};

    auto lease = takeLease(**target, stop);
    if (!lease) return std::move(lease).error();

    // The lease is kept alive beside the tables; losing it stops them all (Invariant 5).
    std::stop_source halt;
    std::stop_callback link(stop, [&] { halt.request_stop(); });
    std::optional<Error> fenced;
    std::jthread keeper([&](std::stop_token done) {
        int failures = 0;
        while (engine.clock.wait(std::chrono::seconds(5), done)) {
            const auto beat = guarded("the lease of " + def.name, [&] { return (*target)->heartbeat(*lease); });
            failures = beat ? 0 : failures + 1;
            if (!beat && (beat.error().fault == Fault::Fenced || failures >= 5)) {
                fenced = beat.error();
                halt.request_stop();
                return;
            }
        }
    });

    RateLimiter rate(engine.clock, def.settings.rateLimit);
    auto group = m_parts.pool.group(static_cast<unsigned>(std::max<std::int64_t>(1, def.settings.pool)));
    report.tables.resize(tables->tables.size());
    // Whatever ends this function, no table outlives what it refers to.
    struct Joined { WorkerPool& pool; std::shared_ptr<WorkerPool::Group> group; std::stop_source& halt; ~Joined() { halt.request_stop(); pool.wait(group); } };
    const Joined joined{m_parts.pool, group, halt};
    for (std::size_t i = 0; i < tables->tables.size(); ++i) {
        const SyncTable& table = tables->tables[i];
        auto live = std::make_shared<TableLive>();
        if (table.selected.info.rowsEstimate) live->total = *table.selected.info.rowsEstimate;
        if (m_parts.began) m_parts.began(table.label, live, table.planned ? table.planned->plan : nullptr);
        m_parts.pool.submit(group, [this, &table, &slot = report.tables[i], live, &lease, &rate, &halt] {
            const auto ran = guarded(table.label, [&]() -> Result<> { slot = runTable(table, live, *lease, rate, halt.get_token()); return {}; });
            if (!ran) slot = unfinished(table, ran.error());
        });
    }
    m_parts.pool.wait(group);
    keeper.request_stop();
    keeper.join();
    auto released = (*target)->release(*lease);
    if (fenced)
        return *fenced;
    if (!released && released.error().fault != Fault::Fenced)
        engine.log.write({engine.clock.nowMs(), Level::Warning, "engine", "The lease of " + def.name + " could not be given back: " + released.error().detail, {{"sync", def.name}}});
    // A stop that came after all was done stopped nothing.
    if (stop.stop_requested() && std::any_of(report.tables.begin(), report.tables.end(), [](const TableReport& t) { return t.outcome == Outcome::Cancelled; }))
        return Error{Fault::Cancelled, "engine.stopped", "Stopped; what was written is kept.", {}, {}};
    return {};
}

//! A table that was taken out of the sync shows no old alarm.
Result<> SyncRun::forgetAlarms(const SyncTables& tables)
{
    auto statuses = m_parts.engine.store.statuses(m_parts.def.name);
    if (!statuses) return std::move(statuses).error();
    for (const auto& status : *statuses) {
        if (status.lastErrorId.empty() || std::any_of(tables.tables.begin(), tables.tables.end(), [&](const SyncTable& t) { return t.label == status.table; }))
            continue;
        auto calmed = changeStatus(m_parts.engine, m_parts.def.name, status.table, [](TableStatus& now) {
            now.state = State::Idle;
            now.lastError.clear();
            now.lastErrorId.clear();
        });
        if (!calmed) return std::move(calmed).error();
    }
    return {};
}

// A table that was gone and is back may be another one: its cursor says nothing of rows that went with the old one.
Result<> SyncRun::stillTheSame(const SyncTable& table, const TablePlan& plan)
{
    const std::string last = table.status ? table.status->lastErrorId : std::string();
    const bool wasGone = last == "engine.table_gone" || last == "engine.table_missing" || last == "engine.table_returned";
    if (!wasGone || plan.strategy != Strategy::Timestamp || m_parts.request.kind == RunRequest::Kind::Full)
        return {};
    auto stored = m_parts.engine.store.checkpoint(m_parts.def.name, table.label);
    if (!stored) return std::move(stored).error();
    if (!*stored) return {};                               // reset meanwhile: the next run starts over
    auto checkpoint = TableCheckpoint::fromJson((*stored)->state);
    if (!checkpoint) return std::move(checkpoint).error();
    if (checkpoint->phase == TableCheckpoint::Phase::Load) return {};
    return Error{Fault::Schema, "engine.table_returned", "The table " + table.label + " was gone and is back: rows that it lost would stay in the target.",
                 "Run a full sync of this table: sync run " + m_parts.def.name + " --full --tables " + table.label, {}};
}

TableReport SyncRun::unfinished(const SyncTable& table, Error error)
{
    TableReport report;
    report.table = table.label;
    report.startMs = report.endMs = m_parts.engine.clock.nowMs();
    report.outcome = error.fault == Fault::Cancelled ? Outcome::Cancelled : Outcome::Failed;
    report.error = std::move(error);
    record(table, report, nullptr);
    return report;
}

TableReport SyncRun::runTable(const SyncTable& table, std::shared_ptr<TableLive> live, const Lease& lease, RateLimiter& rate, std::stop_token stop)
{
    const auto& engine = m_parts.engine;
    const auto failed = [&](Error error) { return unfinished(table, std::move(error)); };
    if (table.error)
        return failed(*table.error);
    if (stop.stop_requested())
        return failed({Fault::Cancelled, "engine.stopped", "Stopped before this table began.", {}, {}});
    // A handle is born, used and dies on one thread: this table's own.
    auto sourceParams = openParams(engine, *findConnection(m_parts.connections, m_parts.def.source));
    if (!sourceParams) return failed(std::move(sourceParams).error());
    auto targetParams = openParams(engine, *findConnection(m_parts.connections, m_parts.def.target));
    if (!targetParams) return failed(std::move(targetParams).error());
    auto source = engine.connectors.openSource(*sourceParams);
    if (!source) return failed(std::move(source).error());
    auto opened = engine.connectors.openTarget(*targetParams);
    if (!opened) return failed(std::move(opened).error());
    const std::unique_ptr<Target> target = std::move(*opened);

    TablePlanPtr plan = table.planned->plan;
    if (auto same = stillTheSame(table, *plan); !same)
        return failed(std::move(same).error());
    TableRun::Kind kind = m_parts.request.kind == RunRequest::Kind::Full ? TableRun::Kind::Full : TableRun::Kind::Normal;
    if (!m_parts.request.where.empty()) {
        auto narrowed = std::make_shared<TablePlan>(*plan);
        narrowed->where = plan->where.empty() ? m_parts.request.where : "(" + plan->where + ") AND (" + m_parts.request.where + ")";
        plan = std::move(narrowed);
        kind = TableRun::Kind::Backfill;
        if (plan->keyless())
            return failed({Fault::Config, "config.no_key", table.label + " has no key: it is rebuilt whole and takes no partial backfill.", "Leave out --where.", {}});
    }
    TableRun run({**source, *target, plan, lease, engine.store, m_parts.committer, rate, engine.clock, *live, m_parts.id, m_parts.def, m_parts.request.acceptDeletes,
                  table.selected.info.rowsEstimate, 0});
    TableReport report = run.run(kind, stop);
    report.notes.insert(report.notes.begin(), table.planned->notes.begin(), table.planned->notes.end());
    std::erase_if(report.notes, [](const Message& m) { return m.id == "carry"; });
    record(table, report, target.get());
    if (report.outcome == Outcome::Success || report.outcome == Outcome::Partial) {
        const auto saved = target->saveSummary(lease, {table.label, plan->container, report.syncType, std::string(outcomeName(report.outcome)), formatTime(report.endMs),
                                                       report.synced(), static_cast<double>(report.endMs - report.startMs) / 1000.0});
        if (!saved)
            report.notes.push_back({"summary_failed", "The summary in the target could not be written: " + saved.error().detail, {}});
    }
    return report;
}

void SyncRun::record(const SyncTable& table, const TableReport& report, Target* counter)
{
    const auto& engine = m_parts.engine;
    const bool good = report.outcome == Outcome::Success || report.outcome == Outcome::Partial;
    // Counting a large container after every poll would cost more than the poll.
    constexpr std::uint64_t cheapToCount = 200'000;
    const std::uint64_t before = table.status ? table.status->rows : 0;
    const auto rows = good && counter && (report.syncType == "full" || (report.synced() > 0 && before < cheapToCount))
                          ? counter->countOwn(*table.planned->plan) : Result<std::uint64_t>(before);
    const auto parked = parkedRows(engine, m_parts.def.name, table.label);
    TableStatus status = table.status.value_or(TableStatus{});
    status.sync = m_parts.def.name;
    status.table = table.label;
    const auto change = [&](TableStatus& now) {
        if (table.planned) {
            now.container = table.planned->plan->container;
            now.strategy = report.syncType.empty() ? table.planned->plan->strategy : report.strategy;
            now.fingerprint = table.planned->plan->fingerprint;
        }
        if (good) {
            now.state = State::Idle;
            now.lastSyncMs = report.endMs;
            now.lastError.clear();
            now.lastErrorId.clear();
            if (rows) now.rows = *rows;
        } else if (report.outcome != Outcome::Cancelled && report.error) {
            now.state = report.error->fault == Fault::Schema ? State::NeedsResync : State::Failed;
            now.lastError = report.error->detail + (report.error->fix.empty() ? "" : " " + report.error->fix);
            now.lastErrorId = report.error->id;
        }
        if (parked) now.failed = *parked;
    };
    change(status);
    if (const auto saved = changeStatus(engine, status.sync, status.table, change); saved)
        status = *saved;
    else
        engine.log.write({engine.clock.nowMs(), Level::Error, "engine", "The status of " + status.table + " could not be stored: " + saved.error().detail, {{"sync", status.sync}}});
    std::vector<std::pair<std::string, std::string>> fields{{"sync", status.sync}, {"table", status.table}, {"run", std::to_string(m_parts.id)}};
    if (report.error) fields.emplace_back("error", report.error->id);
    engine.log.write({engine.clock.nowMs(), report.outcome == Outcome::Failed ? Level::Error : Level::Info, "engine",
                      report.error ? table.label + ": " + report.error->detail
                                   : table.label + ": " + report.syncType + " sync, " + std::to_string(report.read) + " rows read, " + std::to_string(report.written) + " written, "
                                         + std::to_string(report.deleted) + " deleted, " + std::to_string(report.rejected) + " parked",
                      std::move(fields)});
    if (m_parts.ended) m_parts.ended(status, report);
}

} // namespace millrace
