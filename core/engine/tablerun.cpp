#include "core/engine/tablerun.h"
#include "core/base/crashpoint.h"
#include "core/base/guard.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <algorithm>

namespace millrace {

namespace {

std::uint64_t hashOf(const Batch& batch)
{
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < batch.rows(); ++i)
        sum += rowHash(batch.row(i)) ^ static_cast<std::uint64_t>(batch.op(i) == Op::Upsert);
    return sum;
}

std::uint64_t upserts(const Batch& batch)
{
    std::uint64_t count = 0;
    for (std::size_t i = 0; i < batch.rows(); ++i)
        count += batch.op(i) == Op::Upsert;
    return count;
}

std::uint64_t firstVersionOf(const Lease& lease) { return lease.epoch << 40; }

using Columns = std::vector<std::pair<std::string, std::string>>;

Columns columnsOf(const TablePlan& plan)
{
    Columns out;
    for (const Column& c : plan.schema->columns)
        out.emplace_back(c.source, typeName(c.type));
    return out;
}

bool sameColumns(Columns a, Columns b)
{
    std::sort(a.begin(), a.end());
    std::sort(b.begin(), b.end());
    return a == b;
}

//! True when a stored position can be gone on from: there is one, and it speaks of the column that is read by now.
bool goesOn(const TableCheckpoint& checkpoint, const Position& position, const TablePlan& plan)
{
    return !position.empty() && (checkpoint.cursor.empty() || checkpoint.cursor == plan.cursor);
}

} // namespace

TableRun::TableRun(Parts parts)
    : m_parts(std::move(parts)), m_parking(m_parts.store, m_parts.clock, m_parts.plan, m_parts.run, m_parts.def.maxFailed, m_parts.live.counters),
      m_sizer(static_cast<std::size_t>(std::max<std::int64_t>(1, m_parts.def.settings.batchMin)), static_cast<std::size_t>(std::max<std::int64_t>(1, m_parts.def.settings.batchMax)))
{
    m_seq = m_parts.firstSeq;
    m_report.table = m_parts.plan->label;
    m_report.strategy = m_parts.plan->strategy;
}

TableReport TableRun::run(Kind kind, std::stop_token stop)
{
    auto& live = m_parts.live;
    m_report.startMs = m_parts.clock.nowMs();
    live.state = State::Running;
    Backoff backoff({std::chrono::milliseconds(200), std::chrono::milliseconds(15'000), 5}, m_parts.lease.epoch);
    Result<> outcome;
    for (;;) {
        outcome = m_parking.load();
        if (outcome)
            outcome = guarded(m_parts.plan->label, [&] { return attempt(kind, stop); });
        // The positions of this attempt are durable before anybody hears of its outcome (Invariant 1).
        if (auto flushed = m_parts.committer.flush(m_parts.plan->sync, m_parts.plan->label); !flushed && outcome)
            outcome = std::move(flushed);
        if (outcome || !outcome.error().transient() || backoff.exhausted() || stop.stop_requested())
            break;
        const auto pause = backoff.next(outcome.error());
        ++live.counters.retried;
        live.setNote("retry in " + std::to_string(pause.count()) + " ms: " + outcome.error().detail);
        if (!m_parts.clock.wait(pause, stop))
            break;
        live.setNote({});
    }
    const auto& c = live.counters;
    m_report.read = c.read; m_report.written = c.written; m_report.deleted = c.deleted; m_report.rejected = c.rejected;
    m_report.superseded = c.superseded; m_report.filtered = c.filtered; m_report.coerced = c.coerced; m_report.rechecked = c.rechecked; m_report.bytes = c.bytes;
    m_report.endMs = m_parts.clock.nowMs();
    if (!outcome) {
        m_report.error = outcome.error();
        m_report.outcome = outcome.error().fault == Fault::Cancelled ? Outcome::Cancelled : Outcome::Failed;
    } else
        // Invariant 9: this is reached only after a scan to its end, every row accounted for and the checkpoint fsynced.
        m_report.outcome = m_parking.parked() > 0 ? Outcome::Partial : Outcome::Success;
    if (outcome && m_report.read == 0)
        m_report.notes.push_back({"read_nothing", "There was nothing to read.", {m_report.table}});
    if (m_report.coerced)
        m_report.notes.push_back({"coerced", grouped(m_report.coerced) + " values were replaced by the stated policy.", {std::to_string(m_report.coerced)}});
    live.setNote({});
    return m_report;
}

Result<> TableRun::attempt(Kind kind, std::stop_token stop)
{
    auto ready = m_parts.source.preflight(*m_parts.plan);
    if (!ready && m_parts.plan->byName && ready.error().id.ends_with(".cursor")) {
        copyWhole(ready.error());
        ready = m_parts.source.preflight(*m_parts.plan);
    }
    if (!ready)
        return ready;
    const TablePlan& plan = *m_parts.plan;
    if (kind == Kind::Backfill)
        return backfill(stop);
    auto stored = m_parts.store.checkpoint(plan.sync, plan.label);
    if (!stored)
        return std::move(stored).error();
    TableCheckpoint checkpoint;
    bool begun = false;
    if (*stored) {
        auto parsed = TableCheckpoint::fromJson((*stored)->state);
        if (!parsed)
            return std::move(parsed).error();
        checkpoint = std::move(*parsed);
        begun = true;
        if (checkpoint.fingerprint != plan.fingerprint && kind != Kind::Full)
            return Error{Fault::Schema, "engine.needs_resync", "The key, filter, soft-delete column or field names of " + plan.label + " changed since its documents were written.",
                         "Run a full sync of this table: sync run " + plan.sync + " --full --tables " + plan.label, {}};
    }
    const bool byTime = plan.strategy == Strategy::Timestamp;
    const bool loaded = begun && checkpoint.phase == TableCheckpoint::Phase::Follow;
    // A load goes on where it was cut off, also one that was asked for, unless its documents would be of two kinds.
    const bool resume = begun && !loaded && checkpoint.fingerprint == plan.fingerprint && sameColumns(checkpoint.columns, columnsOf(plan))
                        && (!byTime || goesOn(checkpoint, checkpoint.mark, plan));
    m_report.syncType = "full";
    if (loaded && kind == Kind::Normal && byTime && goesOn(checkpoint, checkpoint.follow, plan)) {
        m_report.syncType = "incremental";
        return follow(std::move(checkpoint), stop);
    }
    if (!resume) {
        checkpoint = {};
        checkpoint.fingerprint = plan.fingerprint;
        checkpoint.columns = columnsOf(plan);
        checkpoint.run = m_parts.run;
        if (byTime) {
            checkpoint.cursor = plan.cursor;
            auto mark = m_parts.source.mark(plan);
            if (!mark)
                return std::move(mark).error();
            checkpoint.mark = std::move(*mark);
        }
    }
    if (plan.keyless())
        return swapWhole(std::move(checkpoint), stop);
    return load(std::move(checkpoint), !resume, stop);
}

//! The cursor that `auto` took cannot be followed (times of two forms, words): all rows are read instead, which is always right.
void TableRun::copyWhole(const Error& why)
{
    auto whole = std::make_shared<TablePlan>(*m_parts.plan);
    whole->strategy = m_report.strategy = Strategy::Full;
    whole->cursor.clear();
    whole->byName = false;
    m_parts.plan = std::move(whole);
    m_report.notes.push_back({"cursor_unfit", "Copied whole: " + why.detail, {why.detail}});
}

Result<> TableRun::save(const TableCheckpoint& checkpoint)
{
    const Checkpoint row{m_parts.plan->sync, m_parts.plan->label, checkpoint.json()};
    return m_parts.store.commit({&row, 1});
}

Pipeline TableRun::pipeline(BatchReader& reader, Flow flow, std::function<std::string(const Batch&, ReadState)> checkpoint)
{
    return Pipeline({reader, m_parts.target, m_parts.plan, m_parts.lease, flow == Flow::FirstLoad, m_seq, m_parking, m_parts.committer, m_parts.rate, m_sizer,
                     m_parts.live, m_parts.clock, std::move(checkpoint), flow != Flow::Changes});
}

// --- full load -------------------------------------------------------------------------------------------------------------------

Result<> TableRun::load(TableCheckpoint checkpoint, bool fresh, std::stop_token stop)
{
    const TablePlan& plan = *m_parts.plan;
    auto prepared = m_parts.target.prepare(plan, m_parts.lease);
    if (!prepared)
        return std::move(prepared).error();
    if (prepared->replaces)
        return swapWhole(std::move(checkpoint), stop);
    if (fresh) {
        // Invariant 3: the position is durable before the snapshot begins.
        if (auto saved = save(checkpoint); !saved)
            return saved;
        crashPoint("engine.after_mark");
    }
    if (prepared->fresh && !checkpoint.segments.empty()) {
        checkpoint.segments.clear();                    // the container was taken away: what was copied is gone
        if (auto saved = save(checkpoint); !saved)
            return saved;
    }
    m_parts.live.total = m_parts.rowsEstimate.value_or(0);
    auto snapshot = m_parts.source.snapshot(m_parts.plan);
    if (!snapshot)
        return std::move(snapshot).error();
    const std::size_t stale = checkpoint.segments.size();
    if (auto copied = copy(**snapshot, checkpoint, prepared->fresh, stop); !copied)
        return copied;
    crashPoint("engine.load_read");
    // Rows of earlier snapshots may have changed or gone since: look again before anything is deleted (engine.md, "Full loads").
    if (stale > 0)
        if (auto checked = recheck(**snapshot, checkpoint, stale, stop); !checked)
            return checked;
    bool stands = true;
    for (int pass = 0; (*snapshot)->moved(); ++pass) {
        if (pass == 3) {
            stands = false;
            m_report.notes.push_back({"source_moved", plan.label + " changed while it was copied; the next run takes up the rest.", {plan.label}});
            break;
        }
        if (auto checked = recheck(**snapshot, checkpoint, checkpoint.segments.size(), stop); !checked)
            return checked;
    }
    snapshot->reset();                                 // not holding the source while the target deletes
    if (!prepared->fresh || stale > 0)
        if (auto deleted = deleteGone(checkpoint, stop); !deleted)
            return deleted;
    crashPoint("engine.before_load_done");
    if (auto flushed = m_parts.committer.flush(plan.sync, plan.label); !flushed)
        return flushed;
    std::uint64_t sent = 0;
    for (const Segment& s : checkpoint.segments)
        sent += s.sent;
    if (auto apart = stands ? keptApart(sent) : Result<>(); !apart) {
        checkpoint.segments.clear();                    // what was copied is not what was read: the next run copies it again
        if (auto saved = save(checkpoint); !saved)
            return saved;
        return apart;
    }
    checkpoint.phase = TableCheckpoint::Phase::Follow;
    checkpoint.follow = checkpoint.mark;
    checkpoint.rows = 0;
    for (const Segment& s : checkpoint.segments)
        checkpoint.rows += s.rows;
    checkpoint.segments.clear();
    if (auto saved = save(checkpoint); !saved)
        return saved;
    crashPoint("engine.after_load_done");
    m_report.position = checkpoint.follow.bytes;
    // The whole table was read: what failed before this load began either failed again or is gone.
    if (auto removed = m_parts.store.removeFailuresBefore(plan.sync, plan.label, checkpoint.run); !removed)
        return removed;
    return m_parking.load();
}

Result<> TableRun::copy(Snapshot& snapshot, TableCheckpoint& checkpoint, bool insertOnly, std::stop_token stop)
{
    KeyRange rest;
    if (!checkpoint.segments.empty())
        rest.after = checkpoint.segments.back().upTo;
    auto reader = snapshot.read(rest);
    if (!reader)
        return std::move(reader).error();
    Segment grown;
    grown.after = rest.after;
    grown.versionLow = firstVersionOf(m_parts.lease) | m_seq;
    TableCheckpoint next = checkpoint;
    next.segments.push_back(grown);
    auto flow = pipeline(**reader, insertOnly ? Flow::FirstLoad : Flow::Load, [&](const Batch& batch, ReadState) {
        Segment& s = next.segments.back();
        if (!batch.upTo.empty()) s.upTo = batch.upTo;
        s.rows += batch.rows();
        s.sent += upserts(batch);
        s.hash += hashOf(batch);
        s.versionHigh = batch.version + batch.rows();
        return s.rows ? next.json() : checkpoint.json();
    });
    const auto ran = flow.run(stop);
    m_seq = flow.nextSeq();
    if (!ran)
        return ran;
    if (next.segments.back().rows)
        checkpoint = std::move(next);
    return {};
}

Result<> TableRun::recheck(Snapshot& snapshot, TableCheckpoint& checkpoint, std::size_t segments, std::stop_token stop)
{
    for (std::size_t i = 0; i < segments; ++i) {
        m_parts.live.setNote("looking again at rows copied before");
        auto same = unchanged(snapshot, checkpoint.segments[i], checkpoint.mark, stop);
        if (!same)
            return std::move(same).error();
        if (!*same) {
            // Cut off in the middle, the range holds documents of two copies. Were the source then back at the first one, its sum
            // would match and deleteGone() take the second copy's documents for gone: so first the sum is said to prove nothing.
            if (!std::exchange(checkpoint.segments[i].torn, true)) {
                if (auto flushed = m_parts.committer.flush(m_parts.plan->sync, m_parts.plan->label); !flushed)
                    return flushed;
                if (auto saved = save(checkpoint); !saved)
                    return saved;
            }
            if (auto rewritten = rewrite(snapshot, checkpoint.segments[i], stop); !rewritten)
                return rewritten;
        }
        crashPoint("engine.after_recheck");
    }
    m_parts.live.setNote({});
    return {};
}

Result<bool> TableRun::unchanged(Snapshot& snapshot, const Segment& segment, const Position& mark, std::stop_token stop)
{
    if (segment.torn)
        return false;
    if (m_parts.plan->strategy == Strategy::Timestamp) {
        const auto counted = snapshot.countUntouched({segment.after, segment.upTo}, mark);
        if (!counted)
            return counted.error();
        if (*counted == segment.rows)
            return true;
    }
    auto reader = snapshot.read({segment.after, segment.upTo});
    if (!reader)
        return std::move(reader).error();
    std::uint64_t rows = 0, hash = 0;
    for (;;) {
        Batch batch(m_parts.plan->schema);
        auto state = (*reader)->read(batch, 5000, stop);
        if (!state)
            return std::move(state).error();
        if (stop.stop_requested())
            return Error{Fault::Cancelled, "engine.stopped", "Stopped; the position is kept.", {}, {}};
        rows += batch.rows();
        hash += hashOf(batch);
        m_parts.live.counters.rechecked += batch.rows();
        if (*state == ReadState::End)
            return rows == segment.rows && hash == segment.hash;
    }
}

Result<> TableRun::rewrite(Snapshot& snapshot, Segment& segment, std::stop_token stop)
{
    auto reader = snapshot.read({segment.after, segment.upTo});
    if (!reader)
        return std::move(reader).error();
    Segment now{segment.after, segment.upTo, 0, 0, firstVersionOf(m_parts.lease) | m_seq, 0};
    auto flow = pipeline(**reader, Flow::Load, [&](const Batch& batch, ReadState) {
        now.rows += batch.rows();
        now.sent += upserts(batch);
        now.hash += hashOf(batch);
        return std::string();                          // the stored segments stay true until the whole load is done
    });
    const auto ran = flow.run(stop);
    m_seq = flow.nextSeq();
    if (!ran)
        return ran;
    now.versionHigh = firstVersionOf(m_parts.lease) | m_seq;
    // What still carries the old copy's versions was not in the source any more.
    auto gone = m_parts.target.countVersions(*m_parts.plan, segment.versionLow, segment.versionHigh);
    if (!gone)
        return std::move(gone).error();
    if (auto allowed = brake(*gone, segment.rows); !allowed)
        return allowed;
    auto deleted = m_parts.target.deleteVersions(*m_parts.plan, m_parts.lease, segment.versionLow, segment.versionHigh, stop);
    if (!deleted)
        return std::move(deleted).error();
    m_parts.live.counters.deleted += *deleted;
    segment = now;
    return {};
}

Result<> TableRun::brake(std::uint64_t gone, std::uint64_t documents)
{
    constexpr std::uint64_t alwaysAllowed = 100;
    const double share = documents ? 100.0 * static_cast<double>(gone) / static_cast<double>(documents) : 100.0;
    if (m_parts.acceptDeletes || gone <= alwaysAllowed || share <= m_parts.def.deleteBrakePercent)
        return {};
    return Error{Fault::Data, "engine.delete_brake", "This run would delete " + grouped(gone) + " of " + grouped(documents) + " documents of " + m_parts.plan->container
                 + ", more than the brake allows. Nothing was deleted.", "If that is right: sync run " + m_parts.plan->sync + " --accept-deletes --tables " + m_parts.plan->label, {}};
}

// Invariant 9: as many documents as rows. Fewer: rows met in one key (a chosen key that is not unique, 1 and '1' in a column without a
// type) and only the last of them stands.
Result<> TableRun::keptApart(std::uint64_t sent)
{
    const TablePlan& plan = *m_parts.plan;
    if (!m_parts.target.countsExactly())
        return {};
    auto documents = m_parts.target.countOwn(plan);
    if (!documents)
        return std::move(documents).error();
    const std::uint64_t expected = sent - std::min(sent, m_parking.parked());
    if (*documents >= expected)
        return {};
    std::vector<std::string> key;
    for (const auto k : plan.schema->key)
        key.push_back(plan.schema->columns[k].source);
    return Error{Fault::Data, "engine.key_not_unique", grouped(sent) + " rows of " + plan.label + " were written and " + grouped(*documents)
                 + " documents are there: rows share their key (" + join(key, ", ") + ").", "Name a key that is unique under key:, or leave the table out.", {}};
}

// What carries a version of no copied segment is gone from the source: documents of former runs, and those that a killed process wrote
// beyond its last checkpoint and that were deleted before this one read their range.
Result<> TableRun::deleteGone(const TableCheckpoint& checkpoint, std::stop_token stop)
{
    const TablePlan& plan = *m_parts.plan;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> copied, gaps;
    for (const Segment& s : checkpoint.segments)
        copied.emplace_back(s.versionLow, s.versionHigh);
    std::sort(copied.begin(), copied.end());
    std::uint64_t from = 0;
    copied.emplace_back(firstVersionOf(m_parts.lease) | m_seq, 0);
    for (const auto& [low, high] : copied) {
        if (from < low)
            gaps.emplace_back(from, low);
        from = std::max(from, high);
    }
    std::uint64_t gone = 0;
    for (const auto& [low, high] : gaps) {
        auto some = m_parts.target.countVersions(plan, low, high);
        if (!some)
            return std::move(some).error();
        gone += *some;
    }
    if (gone == 0)
        return {};
    auto documents = m_parts.target.countOwn(plan);
    if (!documents)
        return std::move(documents).error();
    if (auto allowed = brake(gone, *documents); !allowed)
        return allowed;
    crashPoint("engine.before_deletes");
    for (const auto& [low, high] : gaps) {
        auto deleted = m_parts.target.deleteVersions(plan, m_parts.lease, low, high, stop);
        if (!deleted)
            return std::move(deleted).error();
        m_parts.live.counters.deleted += *deleted;
    }
    crashPoint("engine.after_deletes");
    return {};
}

// --- without a key, or in place of somebody else's container: built aside, swapped in whole -----------------------------------------------------------------------------------

Result<> TableRun::swapWhole(TableCheckpoint checkpoint, std::stop_token stop)
{
    const TablePlan& plan = *m_parts.plan;
    auto prepared = m_parts.target.prepare(plan, m_parts.lease);
    if (!prepared)
        return std::move(prepared).error();
    auto before = m_parts.target.countOwn(plan);
    if (!before)
        return std::move(before).error();
    if (auto begun = m_parts.target.beginAside(plan, m_parts.lease); !begun)
        return begun;
    auto snapshot = m_parts.source.snapshot(m_parts.plan);
    if (!snapshot)
        return std::move(snapshot).error();
    auto reader = (*snapshot)->read({});
    if (!reader)
        return std::move(reader).error();
    if (plan.keyless())
        m_seq = 0;                                      // the ordinal is the key: every build counts from the start
    std::uint64_t sent = 0;
    auto flow = pipeline(**reader, Flow::FirstLoad, [&](const Batch& batch, ReadState) {
        sent += upserts(batch);
        return std::string();                           // nothing to resume: what is aside is built again
    });
    const auto ran = flow.run(stop);
    m_seq = flow.nextSeq();
    if (!ran)
        return ran;
    if ((*snapshot)->moved())
        m_report.notes.push_back({"source_moved", plan.label + " changed while it was copied; the next full sync takes up the rest.", {plan.label}});
    reader->reset();
    snapshot->reset();                                  // not holding the source while the target swaps
    if (*before > flow.rowsRead())
        if (auto allowed = brake(*before - flow.rowsRead(), *before); !allowed)
            return allowed;
    crashPoint("engine.before_promote");
    if (auto promoted = m_parts.target.promoteAside(plan, m_parts.lease); !promoted)
        return promoted;
    crashPoint("engine.after_promote");
    if (!plan.keyless())
        if (auto apart = keptApart(sent); !apart)
            return apart;
    checkpoint.phase = TableCheckpoint::Phase::Follow;
    checkpoint.follow = checkpoint.mark;
    checkpoint.rows = flow.rowsRead();
    checkpoint.segments.clear();
    if (auto saved = save(checkpoint); !saved)
        return saved;
    if (auto removed = m_parts.store.removeFailuresBefore(plan.sync, plan.label, m_parts.run); !removed)
        return removed;
    return m_parking.load();
}

// --- changes and backfill ------------------------------------------------------------------------------------------------------------

Result<Prepared> TableRun::ours()
{
    const TablePlan& plan = *m_parts.plan;
    auto prepared = m_parts.target.prepare(plan, m_parts.lease);
    if (prepared && prepared->replaces)
        return Error{Fault::Schema, "engine.target_replaced", plan.container + " held the rows of " + plan.label + " and is somebody else's now.",
                     "Run a full sync of this table to replace it: sync run " + plan.sync + " --full --tables " + plan.label, {}};
    return prepared;
}

Result<> TableRun::follow(TableCheckpoint checkpoint, std::stop_token stop)
{
    const TablePlan& plan = *m_parts.plan;
    auto prepared = ours();
    if (!prepared)
        return std::move(prepared).error();
    if (prepared->fresh && checkpoint.rows > 0)
        return Error{Fault::Schema, "engine.target_emptied", plan.container + " held the rows of " + plan.label + " and is empty now.",
                     "Run a full sync of this table: sync run " + plan.sync + " --full --tables " + plan.label, {}};
    checkpoint.cursor = plan.cursor;
    m_parts.live.total = 0;                            // how many changes there are is not known before they are read
    // A poll that was cut off sees what was there when it began. What changed since then is a poll of its own: without it this run would
    // be called a success over changes that were committed before it (Invariant 9).
    if (checkpoint.midPoll) {
        if (auto polled = poll(checkpoint, stop); !polled)
            return polled;
        if (auto flushed = m_parts.committer.flush(plan.sync, plan.label); !flushed)
            return flushed;                            // the next pipeline counts its marks from the start
    }
    if (auto polled = poll(checkpoint, stop); !polled)
        return polled;
    m_report.position = checkpoint.follow.bytes;
    return recount(std::move(checkpoint));
}

Result<> TableRun::poll(TableCheckpoint& checkpoint, std::stop_token stop)
{
    auto reader = m_parts.source.changes(m_parts.plan, checkpoint.follow);
    if (!reader)
        return std::move(reader).error();
    auto flow = pipeline(**reader, Flow::Changes, [&](const Batch& batch, ReadState state) {
        if (!batch.upTo.empty())
            checkpoint.follow = batch.upTo;
        checkpoint.midPoll = state != ReadState::End;
        return checkpoint.json();
    });
    const auto ran = flow.run(stop);
    m_seq = flow.nextSeq();
    return ran;
}

// Polls may fill a container that was loaded empty, or empty it; whether it was taken away is judged by what it held last.
// Counting a large one after every poll would cost more than the poll, and it is not emptied by a few deletes.
Result<> TableRun::recount(TableCheckpoint checkpoint)
{
    constexpr std::uint64_t cheapToCount = 10'000;
    const auto& c = m_parts.live.counters;
    if (checkpoint.rows > cheapToCount || (checkpoint.rows ? c.deleted == 0 : c.written == 0))
        return {};
    auto documents = m_parts.target.countOwn(*m_parts.plan);
    if (!documents)
        return std::move(documents).error();
    if (*documents == checkpoint.rows)
        return {};
    checkpoint.rows = *documents;
    if (auto flushed = m_parts.committer.flush(m_parts.plan->sync, m_parts.plan->label); !flushed)
        return flushed;
    return save(checkpoint);
}

Result<> TableRun::backfill(std::stop_token stop)
{
    m_report.syncType = "full";
    if (auto prepared = ours(); !prepared)
        return std::move(prepared).error();
    auto snapshot = m_parts.source.snapshot(m_parts.plan);
    if (!snapshot)
        return std::move(snapshot).error();
    auto reader = (*snapshot)->read({});
    if (!reader)
        return std::move(reader).error();
    auto flow = pipeline(**reader, Flow::Changes, nullptr);
    const auto ran = flow.run(stop);
    m_seq = flow.nextSeq();
    return ran;
}

} // namespace millrace
