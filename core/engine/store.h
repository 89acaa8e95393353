#pragma once
#include "core/data/batch.h"
#include "core/engine/definition.h"
#include "core/engine/report.h"
#include "core/base/secret.h"
#include <memory>
#include <span>

namespace millrace {

//! The newest durable position of one table. `state` is the engine's own JSON (see core/engine/checkpoint.h).
struct Checkpoint { std::string sync, table, state; };

//! What is remembered of a table between runs.
struct TableStatus {
    std::string sync, table, container;            //!< container: the frozen name
    State state = State::Idle;
    std::uint64_t rows = 0, failed = 0;
    std::int64_t lastSyncMs = 0;                   //!< 0: never
    Strategy strategy = Strategy::Full;
    std::string lastError, lastErrorId;
    std::string verified;                          //!< "", "identical", "different", "unknown"
    std::int64_t verifiedMs = 0;
    std::string fingerprint;                       //!< of the plan that the documents were written with
};

struct MetricPoint { std::int64_t timeMs = 0; double read = 0, written = 0, rejected = 0, lagMs = 0, p50Ms = 0, p95Ms = 0; std::uint32_t spanSeconds = 1; };
struct AuditEntry { std::int64_t id = 0, timeMs = 0; std::string actor, action, subject, before, after; };

//! The metadata store: one SQLite file in the home (core/store). All calls are thread-safe and durable on return; they may take
//! milliseconds (fsync), so never call them on a GUI thread or per row. An unreadable store is reported and never overwritten.
class MetadataStore {
public:
    virtual ~MetadataStore() = default;

    virtual Result<std::vector<ConnectionDef>> connections() = 0;
    virtual Result<> saveConnection(const ConnectionDef& def, std::string_view actor) = 0;       //!< audited
    virtual Result<> removeConnection(std::string_view name, std::string_view actor) = 0;
    virtual Result<std::vector<SyncDef>> syncs() = 0;
    virtual Result<> saveSync(const SyncDef& def, std::string_view actor) = 0;
    virtual Result<> removeSync(std::string_view name, std::string_view actor) = 0;              //!< with its tables, checkpoints, failures
    virtual Result<bool> paused(std::string_view sync) = 0;
    virtual Result<> setPaused(std::string_view sync, bool paused, std::string_view actor) = 0;

    virtual Result<std::optional<Checkpoint>> checkpoint(std::string_view sync, std::string_view table) = 0;
    virtual Result<> commit(std::span<const Checkpoint> checkpoints) = 0;                         //!< one transaction, fsynced on return
    virtual Result<> forget(std::string_view sync, std::string_view table) = 0;                   //!< checkpoint only; empty table: all of the sync
    virtual Result<std::uint64_t> epoch(std::string_view sync) = 0;                               //!< the largest ever stored, 0: none
    virtual Result<> saveEpoch(std::string_view sync, std::uint64_t epoch) = 0;

    virtual Result<std::vector<TableStatus>> statuses(std::string_view sync) = 0;                 //!< empty: of all syncs
    virtual Result<> saveStatus(const TableStatus& status) = 0;

    virtual Result<RunId> beginRun(std::string_view sync, std::string_view trigger, std::int64_t startMs) = 0;   //!< its outcome is unknown until endRun
    virtual Result<> endRun(const RunReport& report) = 0;
    virtual Result<std::vector<RunReport>> history(std::string_view sync, std::size_t limit) = 0; //!< newest first

    virtual Result<> park(std::span<const FailedRow> rows) = 0;                                   //!< same (sync, table, key, cause): counts a try
    virtual Result<std::vector<FailedRow>> failures(std::string_view sync, std::string_view table, std::string_view cause, std::string_view key) = 0;
    virtual Result<> removeFailures(std::string_view sync, std::string_view table, const std::vector<std::string>& keys) = 0;   //!< these keys arrived
    virtual Result<> removeFailuresBefore(std::string_view sync, std::string_view table, RunId run) = 0;                        //!< a whole load replaced them
    virtual Result<std::uint64_t> discardFailures(std::string_view sync, std::string_view cause, std::string_view key, std::string_view actor) = 0;

    virtual Result<> addMetric(std::string_view sync, std::string_view table, const MetricPoint& point) = 0;
    virtual Result<std::vector<MetricPoint>> metrics(std::string_view sync, std::string_view table, std::int64_t fromMs, std::int64_t toMs) = 0;
    virtual Result<std::vector<AuditEntry>> audit(std::size_t limit) = 0;
    virtual Result<std::string> setting(std::string_view key) = 0;                                //!< empty: not set
    virtual Result<> saveSetting(std::string_view key, std::string_view value, std::string_view actor) = 0;
    virtual Result<> prune(std::int64_t nowMs) = 0;                                               //!< retention and metric roll-up
    virtual std::string owner() const = 0;                                                        //!< this home's identity, for leases
};

//! Where secrets are kept (core/secrets). Thread-safe.
class SecretVault {
public:
    virtual ~SecretVault() = default;
    //! The value behind a reference; `key` is "connection/password". Fault::Auth with a fix when it is missing or locked.
    virtual Result<Secret> resolve(const SecretRef& ref, std::string_view key) = 0;
    virtual Result<SecretRef> keep(std::string_view key, const Secret& secret) = 0;               //!< keychain or encrypted file, by the vault's mode
    virtual Result<> forget(std::string_view key) = 0;
    virtual std::string describe() const = 0;                                                     //!< "encrypted file", "keychain", for people
};

} // namespace millrace
