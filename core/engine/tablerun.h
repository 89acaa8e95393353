#pragma once
#include "core/engine/checkpoint.h"
#include "core/engine/pipeline.h"
#include "core/engine/source.h"

namespace millrace {

//! One table, from its checkpoint to the end of this run: a full load (resumed when an earlier one was cut off), or the changes
//! since the last poll. Runs on one worker thread; all it needs is passed in.
class TableRun {
public:
    enum class Kind : std::uint8_t { Normal, Full, Backfill };       //!< Backfill: re-read what plan.where selects; no checkpoint, no deletes
    struct Parts {
        Source& source;
        Target& target;
        TablePlanPtr plan;
        Lease lease;
        MetadataStore& store;
        Committer& committer;
        RateLimiter& rate;
        const Clock& clock;
        TableLive& live;
        RunId run = 0;
        const SyncDef& def;
        bool acceptDeletes = false;
        std::optional<std::uint64_t> rowsEstimate;
        std::uint64_t firstSeq = 0;                   //!< above what an earlier run under the same lease used for this table
    };
    explicit TableRun(Parts parts);
    //! Never throws; the report says what happened. Transient failures are tried again from the checkpoint before they are reported.
    TableReport run(Kind kind, std::stop_token stop);

    std::uint64_t nextSeq() const { return m_seq; }

private:
    Result<> attempt(Kind kind, std::stop_token stop);
    Result<> load(TableCheckpoint checkpoint, bool fresh, std::stop_token stop);
    Result<> copy(Snapshot& snapshot, TableCheckpoint& checkpoint, bool insertOnly, std::stop_token stop);
    Result<> recheck(Snapshot& snapshot, TableCheckpoint& checkpoint, std::size_t segments, std::stop_token stop);
    Result<bool> unchanged(Snapshot& snapshot, const Segment& segment, const Position& mark, std::stop_token stop);
    Result<> rewrite(Snapshot& snapshot, Segment& segment, std::stop_token stop);
    Result<> deleteGone(const TableCheckpoint& checkpoint, std::stop_token stop);
    Result<> brake(std::uint64_t gone, std::uint64_t documents);
    Result<> keptApart(std::uint64_t sent);
    Result<> swapWhole(TableCheckpoint checkpoint, std::stop_token stop);
    Result<> follow(TableCheckpoint checkpoint, std::stop_token stop);
    Result<> poll(TableCheckpoint& checkpoint, std::stop_token stop);
    Result<> recount(TableCheckpoint checkpoint);
    Result<> backfill(std::stop_token stop);
    Result<Prepared> ours();                         //!< prepare(), refused where somebody else's container stands by now
    void copyWhole(const Error& why);
    Result<> save(const TableCheckpoint& checkpoint);
    enum class Flow : std::uint8_t { FirstLoad, Load, Changes };   //!< FirstLoad: into a fresh container, without looking
    Pipeline pipeline(BatchReader& reader, Flow flow, std::function<std::string(const Batch&, ReadState)> checkpoint);

    Parts m_parts;
    Parking m_parking;
    BatchSizer m_sizer;
    TableReport m_report;
    std::uint64_t m_seq = 0;                      //!< next sequence number of this lease's versions, for this table
};

} // namespace millrace
