#pragma once
#include "core/base/log.h"
#include "core/engine/connection.h"
#include "core/engine/report.h"
#include "core/engine/snapshot.h"
#include "core/engine/store.h"
#include <functional>
#include <map>
#include <stop_token>

namespace millrace {

struct RunRequest {
    enum class Kind : std::uint8_t { Normal, Full, Incremental };   //!< Normal: full where nothing is there yet, else by strategy
    std::string sync;
    Kind kind = Kind::Normal;
    std::vector<std::string> tables;               //!< labels or globs; empty: all
    std::string where;                             //!< partial backfill: re-read and upsert just those rows
    bool acceptDeletes = false;                    //!< lifts the delete brake for this run
    std::string trigger = "cli";
};

//! Selected tables of a sync with their fresh description, for the wizard and `plan`.
struct Discovery { std::string connection; ServerInfo server; std::vector<TableInfo> tables; };

//! What changed by applying a file; for `apply --dry-run` and the import preview.
struct ApplyReport { std::vector<std::string> added, changed, same; std::vector<Message> notes; };

//! The engine as the faces see it: commands in, immutable snapshots out. Small on purpose, so that a remote implementation can stand
//! behind it. Thread-safe. snapshot(), stop(), setPaused() and start() return at once; all others may take as long as a database
//! takes: a window calls them from a background thread, never from its own.
class Engine {
public:
    virtual ~Engine() = default;
    virtual SnapshotPtr snapshot() const = 0;
    virtual std::vector<ConnectorSpec> connectors() const = 0;

    // configuration
    virtual Result<std::vector<ConnectionDef>> connections() = 0;
    //! `typed` are secrets entered by hand ("password" -> value); they go to the vault and become references.
    virtual Result<> saveConnection(ConnectionDef def, const std::map<std::string, Secret>& typed) = 0;
    virtual Result<> removeConnection(const std::string& name) = 0;                  //!< refused while a sync uses it, naming it
    virtual Result<std::vector<SyncDef>> syncs() = 0;
    virtual Result<> saveSync(const SyncDef& def) = 0;                               //!< checked against connectors and names first
    virtual Result<> removeSync(const std::string& name, bool dropTarget) = 0;
    virtual Result<ApplyReport> apply(const SyncFile& file, const std::map<std::string, Secret>& typed, bool dryRun) = 0;
    virtual Result<std::string> setting(const std::string& key) = 0;
    virtual Result<> saveSetting(const std::string& key, const std::string& value) = 0;

    // looking
    virtual TestReport test(const ConnectionDef& def, const std::map<std::string, Secret>& typed, const std::function<void(const TestStage&)>& stageDone,
                            std::stop_token stop) = 0;                               //!< with the values given, saved or not
    virtual Result<Discovery> discover(const std::string& connection, const std::string& glob, std::stop_token stop) = 0;
    virtual Result<PlanReport> plan(const SyncDef& def) = 0;                         //!< a definition, saved or not
    virtual Result<DryRunReport> dryRun(const SyncDef& def, std::stop_token stop) = 0;   //!< 1,000 rows a table; writes nothing
    virtual Result<std::vector<RunReport>> history(const std::string& sync, std::size_t limit) = 0;
    virtual Result<std::vector<MetricPoint>> metrics(const std::string& sync, const std::string& table, std::int64_t fromMs, std::int64_t toMs) = 0;
    virtual Result<std::vector<AuditEntry>> audit(std::size_t limit) = 0;

    // acting
    virtual Result<RunId> start(const RunRequest& request) = 0;                      //!< Fault::Config "engine.already_running" when it runs
    virtual Result<RunReport> wait(RunId run) = 0;
    virtual void stop(const std::string& sync) = 0;                                  //!< after the batches in flight; the position is kept
    virtual Result<> setPaused(const std::string& sync, bool paused) = 0;            //!< a running one stops, a paused one is not scheduled
    virtual Result<> reset(const std::string& sync, const std::string& table) = 0;   //!< empty table: all
    virtual Result<VerifyReport> verify(const std::string& sync, const std::vector<std::string>& tables, std::stop_token stop) = 0;

    // parked rows
    virtual Result<std::vector<FailedRow>> failures(const std::string& sync, const std::string& table, const std::string& cause, const std::string& key) = 0;
    virtual Result<RunReport> retryFailures(const std::string& sync, const std::string& cause, const std::string& key) = 0;   //!< re-reads the rows by key
    virtual Result<std::uint64_t> discardFailures(const std::string& sync, const std::string& cause, const std::string& key) = 0;

    // schedule
    virtual void setScheduling(bool on) = 0;                                         //!< due syncs are started while this is on
};

} // namespace millrace
