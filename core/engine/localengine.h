#pragma once
#include "core/engine/engine.h"
#include "core/engine/syncboard.h"
#include "core/engine/syncrun.h"
#include <future>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <thread>

namespace millrace {

//! The engine in this process: configuration, runs, schedule and proof over the ports. See Engine for meaning and threads.
class LocalEngine final : public Engine {
public:
    enum class Access : std::uint8_t { Act, Look };           //!< Look: another process owns the home; nothing is started or changed
    LocalEngine(EngineParts parts, Access access);
    ~LocalEngine() override;                                  //!< stops what runs, after the batches in flight
    Result<> open();                                          //!< reads definitions and statuses; call once before anything else

    SnapshotPtr snapshot() const override { return m_board.snapshot(); }
    std::vector<ConnectorSpec> connectors() const override { return m_parts.connectors.specs(); }

    Result<std::vector<ConnectionDef>> connections() override;
    Result<> saveConnection(ConnectionDef def, const std::map<std::string, Secret>& typed) override;
    Result<> removeConnection(const std::string& name) override;
    Result<std::vector<SyncDef>> syncs() override;
    Result<> saveSync(const SyncDef& def) override;
    Result<> removeSync(const std::string& name, bool dropTarget) override;
    Result<ApplyReport> apply(const SyncFile& file, const std::map<std::string, Secret>& typed, bool dryRun) override;
    Result<std::string> setting(const std::string& key) override { return m_parts.store.setting(key); }
    Result<> saveSetting(const std::string& key, const std::string& value) override;

    TestReport test(const ConnectionDef& def, const std::map<std::string, Secret>& typed, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override;
    Result<Discovery> discover(const std::string& connection, const std::string& glob, std::stop_token stop) override;
    Result<PlanReport> plan(const SyncDef& def) override;
    Result<DryRunReport> dryRun(const SyncDef& def, std::stop_token stop) override;
    Result<std::vector<RunReport>> history(const std::string& sync, std::size_t limit) override { return m_parts.store.history(sync, limit); }
    Result<std::vector<MetricPoint>> metrics(const std::string& sync, const std::string& table, std::int64_t fromMs, std::int64_t toMs) override
    { return m_parts.store.metrics(sync, table, fromMs, toMs); }
    Result<std::vector<AuditEntry>> audit(std::size_t limit) override { return m_parts.store.audit(limit); }

    Result<RunId> start(const RunRequest& request) override;
    Result<RunReport> wait(RunId run) override;
    void stop(const std::string& sync) override;
    Result<> setPaused(const std::string& sync, bool paused) override;
    Result<> reset(const std::string& sync, const std::string& table) override;
    Result<VerifyReport> verify(const std::string& sync, const std::vector<std::string>& tables, std::stop_token stop) override;

    Result<std::vector<FailedRow>> failures(const std::string& sync, const std::string& table, const std::string& cause, const std::string& key) override
    { return m_parts.store.failures(sync, table, cause, key); }
    Result<RunReport> retryFailures(const std::string& sync, const std::string& cause, const std::string& key) override;
    Result<std::uint64_t> discardFailures(const std::string& sync, const std::string& cause, const std::string& key) override;

    void setScheduling(bool on) override { m_scheduling = on; }

private:
    struct Active { RunId id = 0; std::stop_source stop; std::shared_future<RunReport> done; std::jthread thread; };
    struct Opened;                                            //!< a sync with its connections open, for looking and proving
    Result<> mayAct() const;
    Result<SyncDef> syncNamed(const std::string& name);
    Result<> check(const SyncDef& def, const std::vector<ConnectionDef>& connections) const;
    Result<Opened> openSync(const SyncDef& def, bool refresh, std::stop_token stop);
    Result<> refreshBoard();
    //! Keeps runs of a sync away while something else is done to it, for as long as the answer lives; refused while it runs.
    Result<std::shared_ptr<void>> hold(const std::string& sync, std::string fix);
    bool busy(const std::string& sync) const;                 //!< call with m_mutex held
    void tick(std::stop_token stop);
    void sampleBoard(std::int64_t now, bool last = false);
    void storeMetrics();
    void startDue();
    void finishRun(const RunReport& report);

    EngineParts m_parts;
    const Access m_access;
    SyncBoard m_board;
    Committer m_committer;
    WorkerPool m_pool;
    std::mutex m_mutex;                                       //!< m_active, m_futures, m_held
    std::map<std::string, std::unique_ptr<Active>> m_active;
    std::map<RunId, std::shared_future<RunReport>> m_futures;
    std::set<std::string> m_held;
    std::mutex m_refreshMutex;                                //!< an older list of syncs must not be put up after a newer one
    std::mutex m_sumsMutex;
    std::map<std::pair<std::string, std::string>, MetricPoint> m_sums;   //!< sampled, not stored yet
    std::atomic<bool> m_scheduling{false};
    std::jthread m_ticker;
};

} // namespace millrace
