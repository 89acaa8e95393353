#pragma once
#include "core/data/batch.h"
#include "core/engine/connection.h"
#include "core/engine/discovery.h"
#include "core/engine/plan.h"
#include "core/engine/source.h"
#include <functional>
#include <memory>
#include <stop_token>

namespace millrace {

//! Encoded rows of one lane. Made by an Encoder, written by a session of the same target; the bytes are the target's own form.
struct Payload {
    struct Item {
        std::uint32_t row = 0;              //!< in the batch it came from
        Op op = Op::Upsert;
        std::uint32_t keyAt = 0, keySize = 0, docAt = 0, docSize = 0;   //!< slices of `bytes`
        std::uint64_t version = 0;
    };
    std::vector<char> bytes;
    std::vector<Item> items;
    std::vector<RowFailure> rejected;       //!< rows that this target cannot carry (too large, ...): parked, the rest goes on
    void clear() { bytes.clear(); items.clear(); rejected.clear(); }
};

//! Pure: no I/O, and the same rows give the same bytes. One per lane thread.
class Encoder {
public:
    virtual ~Encoder() = default;
    //! Appends the given rows of the batch (Skip rows are passed over).
    virtual Result<> encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out) = 0;
};

struct WriteReport {
    std::uint64_t written = 0, deleted = 0, superseded = 0;
    std::vector<RowFailure> rejected;       //!< with the server's own words
};

//! One live connection, owned by one writer thread.
class TargetSession {
public:
    virtual ~TargetSession() = default;
    //! Returns once the payload is durable in the strongest mode configured (Invariant 1). Idempotent by key and version
    //! (Invariants 4 and 5). Fault::Fenced when the lease is no longer ours.
    virtual Result<WriteReport> write(const Payload& payload, std::stop_token stop) = 0;
};

//! The right to write one sync's containers, written into the target so that a second home is fenced too.
struct Lease { std::string sync, owner; std::uint64_t epoch = 0; };

struct Prepared {
    bool fresh = false;                     //!< made now, or ours and empty: a first load may insert without looking
    std::uint64_t documents = 0;            //!< ours, for the delete brake
    bool replaces = false;                  //!< not ours, and plan.ifExists is Rebuild: load aside (beginAside), then promote over it
};

//! A document read back for proof: its key text and its normal form (see Target::expected).
struct ReadBack { std::string key, form; bool ours = true; };
class DocumentReader {
public:
    virtual ~DocumentReader() = default;
    virtual Result<ReadState> read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop) = 0;
};

//! A store that documents are written to. Same threading rules as Source; sessions, encoders and readers live on their own threads.
class Target {
public:
    virtual ~Target() = default;
    virtual Result<ServerInfo> server() = 0;
    virtual TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) = 0;

    //! How durable a returned write is, in words for the plan: "fsynced by SQLite", "acknowledged by a majority, journaled".
    virtual std::string durability() const = 0;
    //! The contract's one naming rule for this store: `prefix + name` with what is forbidden replaced by '_'.
    virtual std::string containerName(std::string_view prefix, std::string_view name) const = 0;
    //! Names that differ for people but meet in this store (case in SQLite) fold to one text.
    virtual std::string foldedName(std::string_view container) const { return std::string(container); }
    //! A source column that cannot be a field here ("_id", "_mr", "$x" ...): the reason, or empty.
    virtual std::string fieldRefused(std::string_view name) const { (void)name; return {}; }
    //! What this store cannot carry exactly for this column, in one sentence for the plan ("microseconds are cut to milliseconds"), or empty.
    virtual std::string carryNote(const Column& column) const { (void)column; return {}; }
    //! Keys of a table's entry that only some stores act on: "format", "ttl". A sync that gives one to another store is refused.
    virtual bool understands(std::string_view key) const { (void)key; return false; }
    //! Sessions that may write one table side by side (1: the store serialises writers).
    virtual unsigned lanes() const { return 1; }

    //! Takes the lease with an epoch above both `atLeast` and all that the target knows. The same owner may take it again at once
    //! (its home's lock proved the former process dead). Another owner whose heartbeat is younger than 30 s: Fault::Fenced, naming it;
    //! older: waits out `takeoverWait` first, so that no request of the former one can still land.
    virtual Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop) = 0;
    virtual Result<> heartbeat(const Lease& lease) = 0;          //!< at least every 5 s while a run lasts; Fenced when taken over
    virtual Result<> release(const Lease& lease) = 0;

    //! Makes or checks the container: ours, new, or somebody else's (then by plan.ifExists: Stop -> Fault::Config "….not_ours").
    virtual Result<Prepared> prepare(const TablePlan& plan, const Lease& lease) = 0;
    virtual std::unique_ptr<Encoder> encoder(TablePlanPtr plan) const = 0;
    //! `insertOnly`: the container is fresh and no key can be there yet except by an earlier try of this very load.
    virtual Result<std::unique_ptr<TargetSession>> session(TablePlanPtr plan, const Lease& lease, bool insertOnly) = 0;
    //! Our documents with low <= version < high (in our own container, or with our mark): how many, and their deletion in bounded batches.
    virtual Result<std::uint64_t> countVersions(const TablePlan& plan, std::uint64_t low, std::uint64_t high) = 0;
    virtual Result<std::uint64_t> deleteVersions(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop) = 0;
    virtual Result<std::uint64_t> countOwn(const TablePlan& plan) = 0;
    //! countOwn() counts every document whose write returned, and none goes by itself: a load is then proven by it.
    virtual bool countsExactly() const { return false; }

    //! Keyless tables are built aside and swapped in whole: after beginAside() sessions of this plan write to the side container.
    virtual Result<> beginAside(const TablePlan& plan, const Lease& lease) = 0;
    virtual Result<> promoteAside(const TablePlan& plan, const Lease& lease) = 0;   //!< one atomic swap; the old one goes

    //! Proof: another session and another decoding than the writers use.
    virtual Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr plan, const std::vector<std::string>& keys) = 0;
    //! The key text and normal form that the row must have here, after what the plan states this target cannot carry. The form is a
    //! run of "field \x1f value \x1e" with typed values, in field order, so that a difference can be named by field.
    virtual void expected(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form) const = 0;

    //! What other tools read of our last sync (MongoDB: `_sync_metadata`). Best effort is not enough: an error is reported.
    struct Summary { std::string table, container, syncType, status, lastSyncTime; std::uint64_t records = 0; double seconds = 0; };
    virtual Result<> saveSummary(const Lease& lease, const Summary& summary) { (void)lease; (void)summary; return {}; }
    virtual Result<> drop(const TablePlan& plan, const Lease& lease) = 0;           //!< only a container that is ours
};

} // namespace millrace
