#include "core/engine/keyedrows.h"
#include "core/engine/keytext.h"
#include "core/engine/localengine.h"
#include "core/engine/openedsync.h"
#include "core/base/guard.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <algorithm>
#include <set>

namespace millrace {

Result<VerifyReport> LocalEngine::verify(const std::string& sync, const std::vector<std::string>& wanted, std::stop_token stop)
{
    auto def = syncNamed(sync);
    if (!def) return std::move(def).error();
    auto opened = openSync(*def, false, stop);
    if (!opened) return std::move(opened).error();
    VerifyReport report;
    report.sync = sync;
    Verdict worst = Verdict::Identical;
    std::size_t compared = 0;
    for (const SyncTable& table : opened->tables.tables) {
        if (!wanted.empty() && std::none_of(wanted.begin(), wanted.end(), [&](const auto& w) { return globMatches(w, table.label); }))
            continue;
        TableVerdict verdict;
        verdict.table = table.label;
        if (table.error)
            verdict.error = table.error;
        else {
            Verifier::Options options;
            options.spillDir = m_parts.home + "/tmp";
            options.settleMs = 1000;
            auto proven = m_parts.verifier.verify(*opened->source, *opened->target, table.planned->plan, options, stop);
            if (proven) {
                verdict = std::move(*proven);
                verdict.table = table.label;
            } else
                verdict.error = std::move(proven).error();
        }
        auto parked = parkedRows(m_parts, sync, table.label);
        if (!parked) return std::move(parked).error();
        verdict.parked = *parked;
        if (verdict.error)
            verdict.verdict = Verdict::Unknown;               // Invariant 9
        // A proof that was called off says nothing new, and one of a sync that was removed meanwhile has no place.
        const bool calledOff = verdict.error && verdict.error->fault == Fault::Cancelled;
        if (m_access == Access::Act && table.planned && !calledOff && syncNamed(sync)) {
            auto saved = changeStatus(m_parts, sync, table.label, [&](TableStatus& status) {
                status.container = table.planned->plan->container;
                status.strategy = table.planned->plan->strategy;
                status.verified = verdictName(verdict.verdict);
                status.verifiedMs = m_parts.clock.nowMs();
            });
            if (!saved) return std::move(saved).error();
            m_board.setVerified(sync, table.label, saved->verified, saved->verifiedMs);
        }
        if (verdict.verdict == Verdict::Unknown || (verdict.verdict == Verdict::Different && worst == Verdict::Identical))
            worst = worst == Verdict::Unknown ? worst : verdict.verdict;
        ++compared;
        report.tables.push_back(std::move(verdict));
    }
    if (compared == 0)
        return Error{Fault::Config, "config.no_such_table", "No table of " + sync + " matches.", "See `sync plan " + sync + "`.", {}};
    report.verdict = worst;
    return report;
}

Result<std::uint64_t> LocalEngine::discardFailures(const std::string& sync, const std::string& cause, const std::string& key)
{
    if (auto allowed = mayAct(); !allowed) return std::move(allowed).error();
    auto discarded = m_parts.store.discardFailures(sync, cause, key, "engine");
    if (!discarded) return discarded;
    auto statuses = m_parts.store.statuses(sync);
    if (!statuses) return std::move(statuses).error();
    for (const TableStatus& status : *statuses) {
        auto left = parkedRows(m_parts, sync, status.table);
        if (!left) return std::move(left).error();
        if (*left == status.failed) continue;
        auto saved = changeStatus(m_parts, sync, status.table, [&](TableStatus& now) {
            now.failed = *left;
            now.verified.clear();                             // what was thrown away is not proven to be equal
        });
        if (!saved) return std::move(saved).error();
        m_board.setFailed(sync, status.table, *left);
        m_board.setVerified(sync, status.table, {}, 0);
    }
    return discarded;
}

Result<RunReport> LocalEngine::retryFailures(const std::string& sync, const std::string& cause, const std::string& key)
{
    if (auto allowed = mayAct(); !allowed) return std::move(allowed).error();
    auto def = syncNamed(sync);
    if (!def) return std::move(def).error();
    const auto held = hold(sync, "Wait for it: it takes up failed rows that changed.");
    if (!held) return held.error();
    auto rows = m_parts.store.failures(sync, {}, cause, key);
    if (!rows) return std::move(rows).error();
    auto opened = openSync(*def, false, {});
    if (!opened) return std::move(opened).error();
    auto known = m_parts.store.epoch(sync);
    if (!known) return std::move(known).error();
    auto lease = opened->target->acquire(sync, m_parts.store.owner(), *known, {});
    if (!lease) return std::move(lease).error();
    if (auto saved = m_parts.store.saveEpoch(sync, lease->epoch); !saved) return std::move(saved).error();
    auto id = m_parts.store.beginRun(sync, "retry", m_parts.clock.nowMs());
    if (!id) return std::move(id).error();

    RunReport report;
    report.id = *id;
    report.sync = sync;
    report.trigger = "retry";
    report.syncType = "incremental";
    report.startMs = m_parts.clock.nowMs();
    for (const SyncTable& table : opened->tables.tables) {
        std::set<std::string> keys;
        for (const auto& row : *rows)
            if (row.table == table.label) keys.insert(row.key);
        if (keys.empty()) continue;
        // No key to look such a row up by: it stays parked, and the next full sync takes it up.
        const std::uint64_t withoutKey = std::erase_if(keys, [](const std::string& text) { return isNameWithoutKey(text); });
        TableLive live;
        TableReport out;
        out.table = table.label;
        out.syncType = "incremental";
        out.startMs = m_parts.clock.nowMs();
        const auto again = [&]() -> Result<> {
            if (table.error) return *table.error;
            const TablePlanPtr& plan = table.planned->plan;
            out.strategy = plan->strategy;
            if (keys.empty()) return {};
            if (plan->keyless())
                return Error{Fault::Config, "config.no_key", table.label + " has no key; its rows are taken up by the next full sync.", "sync run " + sync + " --full --tables " + table.label, {}};
            auto prepared = opened->target->prepare(*plan, *lease);
            if (!prepared) return std::move(prepared).error();
            if (prepared->replaces)
                return Error{Fault::Schema, "engine.target_replaced", plan->container + " is somebody else's now.", "sync run " + sync + " --full --tables " + table.label, {}};
            KeyedRows source(*opened->source, plan, keys);
            Parking parking(m_parts.store, m_parts.clock, plan, *id, def->maxFailed, live.counters);
            if (auto loaded = parking.load(); !loaded) return loaded;
            RateLimiter rate(m_parts.clock, def->settings.rateLimit);
            BatchSizer sizer(100, 1000);
            Pipeline flow({source, *opened->target, plan, *lease, false, 0, parking, m_committer, rate, sizer, live, m_parts.clock, nullptr});
            if (auto ran = flow.run({}); !ran) return ran;
            if (source.unknown() > 0)
                return Error{Fault::Config, "engine.key_not_readable", "Some keys of " + table.label + " are too long to be kept: whether their rows are gone is found by a full sync.",
                             "sync run " + sync + " --full --tables " + table.label, {}};
            return {};
        };
        if (auto done = guarded(table.label, again); !done) {
            out.outcome = Outcome::Failed;
            out.error = std::move(done).error();
        } else
            out.outcome = live.counters.rejected || withoutKey ? Outcome::Partial : Outcome::Success;
        out.read = live.counters.read; out.written = live.counters.written; out.deleted = live.counters.deleted;
        out.rejected = live.counters.rejected + withoutKey; out.superseded = live.counters.superseded;
        out.endMs = m_parts.clock.nowMs();
        if (auto left = parkedRows(m_parts, sync, table.label)) {
            auto saved = changeStatus(m_parts, sync, table.label, [&](TableStatus& status) { status.failed = *left; });
            if (!saved) return std::move(saved).error();
            m_board.setFailed(sync, table.label, *left);
        }
        report.tables.push_back(std::move(out));
    }
    report.endMs = m_parts.clock.nowMs();
    if (auto released = opened->target->release(*lease); !released) report.error = std::move(released).error();
    sumUp(report);
    if (auto stored = m_parts.store.endRun(report); !stored) return std::move(stored).error();
    return report;
}

} // namespace millrace
