#pragma once
#include "core/engine/engine.h"
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace millrace::test {

//! What a FakeEngine knows and answers. Maps are by sync or connection name.
struct FakeWorld {
    EngineSnapshot snapshot;
    std::vector<ConnectorSpec> connectors;
    std::vector<ConnectionDef> connections;
    std::vector<SyncDef> syncs;
    std::map<std::string, std::string> settings;
    std::map<std::string, Discovery> discoveries;
    std::map<std::string, TestReport> tests;            //!< missing: one stage that passes
    std::map<std::string, PlanReport> plans;
    std::map<std::string, DryRunReport> dryRuns;
    std::map<std::string, RunReport> outcomes;          //!< what the next run of a sync ends with; missing: success
    std::map<std::string, VerifyReport> verdicts;       //!< missing: identical
    std::map<std::string, std::vector<RunReport>> history;
    std::vector<MetricPoint> metrics;
    std::vector<FailedRow> failures;
    std::vector<AuditEntry> audit;
    std::map<std::string, Error> errors;                //!< call name ("start", "discover", ...) -> what it fails with
    std::map<std::string, Secret> secrets;              //!< "connection/password" -> typed secrets that were handed over
    bool holdRuns = false;                              //!< wait() returns only after finishRuns() or stop()
};

//! A shop with seven tables in every state, a second sync, failed rows, history and metrics; the same at every call.
FakeWorld shopWorld();

//! An engine without databases: answers from its world, applies what is saved to it, and records every call with its thread.
class FakeEngine final : public Engine {
public:
    struct Call { std::string name, argument; std::thread::id thread; };

    explicit FakeEngine(FakeWorld world = {}) : m_world(std::move(world)) {}
    ~FakeEngine() override;

    void edit(const std::function<void(FakeWorld&)>& change);       //!< also counts the snapshot's revision up
    FakeWorld world() const;
    std::vector<Call> calls() const;                                 //!< all but snapshot() and connectors(), in order
    std::size_t count(const std::string& name) const;
    std::string lastArgument(const std::string& name) const;
    void hold();                                                     //!< slow calls block from now on, as a database that does not answer
    void release();
    void finishRuns();

    SnapshotPtr snapshot() const override;
    std::vector<ConnectorSpec> connectors() const override;
    Result<std::vector<ConnectionDef>> connections() override;
    Result<> saveConnection(ConnectionDef def, const std::map<std::string, Secret>& typed) override;
    Result<> removeConnection(const std::string& name) override;
    Result<std::vector<SyncDef>> syncs() override;
    Result<> saveSync(const SyncDef& def) override;
    Result<> removeSync(const std::string& name, bool dropTarget) override;
    Result<ApplyReport> apply(const SyncFile& file, const std::map<std::string, Secret>& typed, bool dryRun) override;
    Result<std::string> setting(const std::string& key) override;
    Result<> saveSetting(const std::string& key, const std::string& value) override;
    TestReport test(const ConnectionDef& def, const std::map<std::string, Secret>& typed, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override;
    Result<Discovery> discover(const std::string& connection, const std::string& glob, std::stop_token stop) override;
    Result<PlanReport> plan(const SyncDef& def) override;
    Result<DryRunReport> dryRun(const SyncDef& def, std::stop_token stop) override;
    Result<std::vector<RunReport>> history(const std::string& sync, std::size_t limit) override;
    Result<std::vector<MetricPoint>> metrics(const std::string& sync, const std::string& table, std::int64_t fromMs, std::int64_t toMs) override;
    Result<std::vector<AuditEntry>> audit(std::size_t limit) override;
    Result<RunId> start(const RunRequest& request) override;
    Result<RunReport> wait(RunId run) override;
    void stop(const std::string& sync) override;
    Result<> setPaused(const std::string& sync, bool paused) override;
    Result<> reset(const std::string& sync, const std::string& table) override;
    Result<VerifyReport> verify(const std::string& sync, const std::vector<std::string>& tables, std::stop_token stop) override;
    Result<std::vector<FailedRow>> failures(const std::string& sync, const std::string& table, const std::string& cause, const std::string& key) override;
    Result<RunReport> retryFailures(const std::string& sync, const std::string& cause, const std::string& key) override;
    Result<std::uint64_t> discardFailures(const std::string& sync, const std::string& cause, const std::string& key) override;
    void setScheduling(bool on) override;

private:
    //! Records the call, waits while held, and gives the error that the world has for it.
    std::optional<Error> enter(const char* name, std::string argument = {});
    void record(const char* name, std::string argument);
    SyncView* view(const std::string& sync);

    mutable std::mutex m_mutex;
    std::condition_variable_any m_changed;
    FakeWorld m_world;
    std::vector<Call> m_calls;
    std::map<RunId, std::string> m_runs;
    std::set<std::string> m_stopped;
    RunId m_nextRun = 1;
    bool m_held = false;
};

} // namespace millrace::test
