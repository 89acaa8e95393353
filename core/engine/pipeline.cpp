#include "core/engine/pipeline.h"
#include "core/base/crashpoint.h"
#include "core/base/guard.h"
#include "core/data/value.h"

namespace millrace {

struct Pipeline::Lane {
    explicit Lane(std::size_t bytes, std::uint64_t seed) : queue(bytes), backoff({}, seed) {}
    BoundedQueue<Work> queue;
    std::unique_ptr<Encoder> encoder;
    std::unique_ptr<TargetSession> session;
    Payload payload;
    Backoff backoff;
    std::jthread thread;
};

Pipeline::Pipeline(Parts parts) : m_parts(std::move(parts)), m_seq(m_parts.firstSeq)
{
    const unsigned lanes = std::max(1u, m_parts.plan->keyless() ? 1u : m_parts.target.lanes());
    for (unsigned i = 0; i < lanes; ++i) {
        m_lanes.push_back(std::make_unique<Lane>(m_parts.queueBytes / lanes, m_parts.lease.epoch * 31 + i + 1));
        m_lanes.back()->encoder = m_parts.target.encoder(m_parts.plan);
    }
}

Pipeline::~Pipeline() = default;

Result<> Pipeline::run(std::stop_token stop)
{
    // One stop for all threads: the caller's stop, or the first error anywhere.
    std::stop_callback link(stop, [this] { m_halt.request_stop(); });
    m_parts.parking.newPass();
    auto read = guarded(m_parts.plan->label, [&] {
        for (auto& lane : m_lanes)
            lane->thread = std::jthread([this, &lane = *lane] {
                if (auto written = guarded(m_parts.plan->label, [&] { return laneLoop(lane, m_halt.get_token()); }); !written)
                    fail(std::move(written).error());
                lane.session.reset();              // a connection dies on the thread that it lived on
            });
        return readAll(m_halt.get_token());
    });
    if (!read)
        fail(std::move(read).error());
    for (auto& lane : m_lanes)
        lane->queue.close();
    for (auto& lane : m_lanes)
        if (lane->thread.joinable())
            lane->thread.join();
    m_parts.live.counters.queuedBytes = 0;
    if (m_error)
        return *m_error;
    if (stop.stop_requested()) {
        m_end = false;
        return Error{Fault::Cancelled, "engine.stopped", "Stopped; the position is kept.", {}, {}};
    }
    return {};
}

void Pipeline::fail(Error error)
{
    std::lock_guard lock(m_mutex);
    // A stop that follows an error is its consequence; the error is the news.
    if (!m_error && !(error.fault == Fault::Cancelled && m_halt.stop_requested()))
        m_error = std::move(error);
    m_halt.request_stop();
}

Result<> Pipeline::readAll(std::stop_token stop)
{
    auto& counters = m_parts.live.counters;
    for (;;) {
        auto batch = std::make_shared<Batch>(m_parts.plan->schema);
        auto state = m_parts.reader.read(*batch, m_parts.sizer.rows(), stop);
        crashPoint("engine.after_read");
        if (!state)
            return std::move(state).error();
        if (stop.stop_requested())
            return {};
        if (m_parts.dropDeletes)
            for (std::size_t i = 0; i < batch->rows(); ++i)
                if (batch->op(i) == Op::Delete) {
                    batch->setOp(i, Op::Skip);
                    ++batch->filtered;
                }
        batch->version = m_parts.lease.epoch << 40 | m_seq;
        m_seq += batch->rows();
        m_rows += batch->rows();
        counters.read += batch->rows();
        counters.filtered += batch->filtered;
        counters.coerced += batch->coerced;
        counters.bytes += batch->bytes();
        if (!m_parts.rate.pass(batch->rows(), stop))
            return {};
        if (auto handed = hand(std::move(batch), *state, stop); !handed)
            return handed;
        if (*state == ReadState::End) {
            m_end = true;
            return {};
        }
    }
}

Result<> Pipeline::hand(std::shared_ptr<const Batch> batch, ReadState state, std::stop_token stop)
{
    if (auto parked = m_parts.parking.park(*batch, batch->rejected()); !parked)
        return parked;
    std::vector<std::vector<std::uint32_t>> rows(m_lanes.size());
    for (std::uint32_t i = 0; i < batch->rows(); ++i)
        if (batch->op(i) != Op::Skip)
            rows[m_lanes.size() == 1 ? 0 : keyHash(batch->schema(), batch->row(i)) % m_lanes.size()].push_back(i);
    unsigned parts = 0;
    for (const auto& r : rows)
        parts += !r.empty();
    const std::uint64_t seq = m_ledger.open(m_parts.checkpoint ? m_parts.checkpoint(*batch, state) : std::string(), parts);
    if (parts == 0) {
        settle(seq);
        return {};
    }
    for (std::size_t lane = 0; lane < rows.size(); ++lane) {
        if (rows[lane].empty())
            continue;
        const std::size_t weight = batch->bytes() * rows[lane].size() / batch->rows() + 1;
        m_parts.live.counters.queuedBytes += weight;
        if (!m_lanes[lane]->queue.push({batch, std::move(rows[lane]), seq}, weight, stop))
            return {};
    }
    return {};
}

Result<> Pipeline::laneLoop(Lane& lane, std::stop_token stop)
{
    while (auto work = lane.queue.pop(stop)) {
        const std::size_t weight = work->batch->bytes() * work->rows.size() / work->batch->rows() + 1;
        m_parts.live.counters.queuedBytes -= weight;
        if (auto written = write(lane, *work, stop); !written)
            return written;
        settle(work->ledgerSeq);
    }
    return {};
}

Result<> Pipeline::write(Lane& lane, const Work& work, std::stop_token stop)
{
    auto& counters = m_parts.live.counters;
    lane.payload.clear();
    if (auto encoded = lane.encoder->encode(*work.batch, work.rows, lane.payload); !encoded)
        return encoded;
    lane.backoff.reset();
    WriteReport report;
    if (!lane.payload.items.empty())
        for (;;) {
            Error error;
            if (!lane.session) {
                auto session = m_parts.target.session(m_parts.plan, m_parts.lease, m_parts.insertOnly);
                if (session) lane.session = std::move(*session);
                else error = std::move(session).error();
            }
            if (lane.session) {
                crashPoint("engine.before_write");
                const std::int64_t began = m_parts.clock.steadyUs();
                auto written = lane.session->write(lane.payload, stop);
                crashPoint("engine.after_write");
                const auto took = std::chrono::microseconds(m_parts.clock.steadyUs() - began);
                if (written) {
                    m_parts.sizer.wrote(work.rows.size(), took);
                    counters.latencyUs = static_cast<std::uint32_t>(std::min<std::int64_t>(took.count(), UINT32_MAX));
                    if (counters.latencyUs > counters.slowestUs) counters.slowestUs = counters.latencyUs.load();
                    report = std::move(*written);
                    break;
                }
                error = std::move(written).error();
                lane.session.reset();              // its connection may be in any state
            }
            if (!error.transient() || lane.backoff.exhausted())
                return error;
            // An unanswered write may have landed: the same payload again is harmless (Invariant 4).
            ++counters.retried;
            m_parts.sizer.trouble();
            const auto pause = lane.backoff.next(error);
            m_parts.live.setNote("retry in " + std::to_string(pause.count()) + " ms: " + error.detail);
            if (!m_parts.clock.wait(pause, stop))
                return Error{Fault::Cancelled, "engine.stopped", "Stopped while waiting to try again.", {}, {}};
            m_parts.live.setNote({});
        }
    // Invariant 9: every row that went out has an outcome, or the batch did not happen.
    const std::uint64_t accounted = report.written + report.deleted + report.superseded + report.rejected.size();
    if (accounted != lane.payload.items.size())
        return Error{Fault::Internal, "engine.unaccounted", "The target accounted for " + std::to_string(accounted) + " of "
                     + std::to_string(lane.payload.items.size()) + " rows of " + m_parts.plan->label + ".", "Run again; nothing was marked as synced.", {}};
    auto rejected = std::move(lane.payload.rejected);
    rejected.insert(rejected.end(), std::make_move_iterator(report.rejected.begin()), std::make_move_iterator(report.rejected.end()));
    if (auto parked = m_parts.parking.park(*work.batch, rejected); !parked)
        return parked;
    if (auto noted = m_parts.parking.arrived(*work.batch, work.rows, rejected); !noted)
        return noted;
    counters.written += report.written;
    counters.deleted += report.deleted;
    counters.superseded += report.superseded;
    return {};
}

void Pipeline::settle(std::uint64_t ledgerSeq)
{
    // Invariants 1 and 2: only what is durable in the target, or parked, and only the contiguous prefix, reaches the committer.
    auto mark = m_ledger.settle(ledgerSeq);
    crashPoint("engine.after_settle");
    if (mark && !mark->state.empty())
        m_parts.committer.offer(m_parts.plan->sync, m_parts.plan->label, mark->seq, std::move(mark->state));
}

} // namespace millrace
