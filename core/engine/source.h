#pragma once
#include "core/data/batch.h"
#include "core/engine/connection.h"
#include "core/engine/discovery.h"
#include "core/engine/plan.h"
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>

namespace millrace {

//! More: rows may follow. Idle: a stream has none now. End: nothing follows, and the batch's `upTo` covers all that was asked for.
enum class ReadState : std::uint8_t { More, Idle, End };

//! Anything rows come out of. Used by one thread, which may differ from the one that made it.
class BatchReader {
public:
    virtual ~BatchReader() = default;
    //! Appends up to `maxRows` rows (and stops early at about 4 MB) and sets `into.upTo`. A batch may be empty, even with More.
    virtual Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) = 0;
};

//! Rows with keys above `after` up to and including `upTo`, both opaque positions that this source set in a batch; empty: open.
struct KeyRange { Position after, upTo; };

//! One view of one table. Where the engine offers a consistent snapshot, all ranges read through one Snapshot see the same rows.
class Snapshot {
public:
    virtual ~Snapshot() = default;
    //! One range at a time; the reader must not outlive the snapshot. Rows come in key order (keyless tables: in any order).
    virtual Result<std::unique_ptr<BatchReader>> read(const KeyRange& range) = 0;
    //! True when rows read earlier through this snapshot may be stale by now, because the engine gives no snapshot across chunks
    //! (SQLite without WAL: a reader would block its writers) and the database has changed in between.
    virtual bool moved() = 0;
    //! For a table followed by time: how many rows the range holds, counted where they are, when its cursor says that none of them
    //! came or changed since `mark` was taken. Nothing: some did, or this source cannot tell; the rows are then read to be compared.
    virtual Result<std::optional<std::uint64_t>> countUntouched(const KeyRange& range, const Position& mark) { (void)range; (void)mark; return std::optional<std::uint64_t>(); }
};

//! One connection to a database, read only by session. Every call may block on the network; none may be made on a GUI thread.
//! An instance is used by one thread at a time; snapshots and readers open connections of their own.
class Source {
public:
    virtual ~Source() = default;
    virtual Result<ServerInfo> server() = 0;
    //! The staged test: stages are reported as they end, in order. Never throws the report away: a failed stage is a finding.
    virtual TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) = 0;
    //! All tables and views whose "schema.name" or "name" matches the glob (empty: all), in a handful of catalogue queries however
    //! many there are. `recommended`, `key` and `warnings` are filled (see recommend()), plus the source's own warnings.
    virtual Result<std::vector<TableInfo>> discover(std::string_view glob, std::stop_token stop) = 0;
    //! The present shape of one table. Fault::Schema when it does not exist.
    virtual Result<TableInfo> describe(const TableRef& table) = 0;
    //! Why this plan cannot be read as it stands (cursor missing, local-time cursor, view without key, ...), or nothing.
    virtual Result<> preflight(const TablePlan& plan) = 0;
    //! The change position of now, to be stored before a snapshot begins (Invariant 3).
    virtual Result<Position> mark(const TablePlan& plan) = 0;
    virtual Result<std::unique_ptr<Snapshot>> snapshot(TablePlanPtr plan) = 0;
    //! Changes since `from` (of mark() or of a batch of an earlier call). For `timestamp` it ends: the last batch (perhaps empty)
    //! carries the position the next poll starts from. From a batch before the last one, the poll that was cut off is gone on with: it
    //! ends where it began to look, and one more poll brings what changed since.
    virtual Result<std::unique_ptr<BatchReader>> changes(TablePlanPtr plan, const Position& from) = 0;
    //! Rows for proof only: another session, other statements and another decoding than snapshot() and changes() use. Filtered and
    //! soft-deleted rows do not come. `keys` limits it to rows with these key cells (exact re-comparison); empty: all rows.
    virtual Result<std::unique_ptr<BatchReader>> proof(TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys) = 0;
};

} // namespace millrace
