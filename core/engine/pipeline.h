#pragma once
#include "core/base/boundedqueue.h"
#include "core/base/clock.h"
#include "core/engine/ackledger.h"
#include "core/engine/committer.h"
#include "core/engine/flow.h"
#include "core/engine/parking.h"
#include "core/engine/target.h"
#include <functional>
#include <mutex>

namespace millrace {

//! reader -> split by key hash -> bounded queues -> encode and write per lane -> ack ledger -> committer, for one table and one
//! reader. The calling thread reads; one thread per lane writes. Order holds per key (Invariant 5), because a key always takes the
//! same lane.
class Pipeline {
public:
    struct Parts {
        BatchReader& reader;
        Target& target;
        TablePlanPtr plan;
        Lease lease;
        bool insertOnly = false;
        std::uint64_t firstSeq = 0;                    //!< versions are lease.epoch << 40 | seq
        Parking& parking;
        Committer& committer;
        RateLimiter& rate;
        BatchSizer& sizer;
        TableLive& live;
        const Clock& clock;
        //! The checkpoint once this batch and all before it are settled; empty: no checkpoint moves. Called on the reading thread, in order.
        std::function<std::string(const Batch&, ReadState)> checkpoint;
        //! A full load does not send deletes: a row that is marked as deleted is left out, and what is gone is deleted by version at the end.
        bool dropDeletes = false;
        std::size_t queueBytes = 8u << 20;
    };
    explicit Pipeline(Parts parts);
    ~Pipeline();
    //! Until End, stop or the first error that retries did not mend. On return no thread of it runs; positions are offered, not yet
    //! flushed. `reachedEnd()` tells a complete scan from a stopped one.
    Result<> run(std::stop_token stop);
    bool reachedEnd() const { return m_end; }
    std::uint64_t nextSeq() const { return m_seq; }
    std::uint64_t rowsRead() const { return m_rows; }

private:
    struct Work { std::shared_ptr<const Batch> batch; std::vector<std::uint32_t> rows; std::uint64_t ledgerSeq = 0; };
    struct Lane;
    Result<> readAll(std::stop_token stop);
    Result<> hand(std::shared_ptr<const Batch> batch, ReadState state, std::stop_token stop);
    Result<> write(Lane& lane, const Work& work, std::stop_token stop);
    Result<> laneLoop(Lane& lane, std::stop_token stop);
    void settle(std::uint64_t ledgerSeq);
    void fail(Error error);

    Parts m_parts;
    AckLedger m_ledger;
    std::vector<std::unique_ptr<Lane>> m_lanes;
    std::stop_source m_halt;
    std::mutex m_mutex;
    std::optional<Error> m_error;
    std::uint64_t m_seq, m_rows = 0;
    bool m_end = false;
};

} // namespace millrace
