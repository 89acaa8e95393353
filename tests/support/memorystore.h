#pragma once
#include "core/engine/store.h"
#include <atomic>
#include <functional>
#include <map>
#include <mutex>

namespace millrace::test {

//! A metadata store in memory for engine tests; it outlives engines as the file outlives processes. Thread-safe.
class MemoryStore final : public MetadataStore {
public:
    Result<std::vector<ConnectionDef>> connections() override;
    Result<> saveConnection(const ConnectionDef& def, std::string_view actor) override;
    Result<> removeConnection(std::string_view name, std::string_view actor) override;
    Result<std::vector<SyncDef>> syncs() override;
    Result<> saveSync(const SyncDef& def, std::string_view actor) override;
    Result<> removeSync(std::string_view name, std::string_view actor) override;
    Result<bool> paused(std::string_view sync) override;
    Result<> setPaused(std::string_view sync, bool paused, std::string_view actor) override;
    Result<std::optional<Checkpoint>> checkpoint(std::string_view sync, std::string_view table) override;
    Result<> commit(std::span<const Checkpoint> checkpoints) override;
    Result<> forget(std::string_view sync, std::string_view table) override;
    Result<std::uint64_t> epoch(std::string_view sync) override;
    Result<> saveEpoch(std::string_view sync, std::uint64_t epoch) override;
    Result<std::vector<TableStatus>> statuses(std::string_view sync) override;
    Result<> saveStatus(const TableStatus& status) override;
    Result<RunId> beginRun(std::string_view sync, std::string_view trigger, std::int64_t startMs) override;
    Result<> endRun(const RunReport& report) override;
    Result<std::vector<RunReport>> history(std::string_view sync, std::size_t limit) override;
    Result<> park(std::span<const FailedRow> rows) override;
    Result<std::vector<FailedRow>> failures(std::string_view sync, std::string_view table, std::string_view cause, std::string_view key) override;
    Result<> removeFailures(std::string_view sync, std::string_view table, const std::vector<std::string>& keys) override;
    Result<> removeFailuresBefore(std::string_view sync, std::string_view table, RunId run) override;
    Result<std::uint64_t> discardFailures(std::string_view sync, std::string_view cause, std::string_view key, std::string_view actor) override;
    Result<> addMetric(std::string_view sync, std::string_view table, const MetricPoint& point) override;
    Result<std::vector<MetricPoint>> metrics(std::string_view sync, std::string_view table, std::int64_t fromMs, std::int64_t toMs) override;
    Result<std::vector<AuditEntry>> audit(std::size_t) override { return std::vector<AuditEntry>{}; }
    Result<std::string> setting(std::string_view key) override;
    Result<> saveSetting(std::string_view key, std::string_view value, std::string_view actor) override;
    Result<> prune(std::int64_t) override { return {}; }
    std::string owner() const override { return m_owner; }

    void setOwner(std::string owner) { m_owner = std::move(owner); }
    //! Called before each commit of checkpoints, without a lock; an error it returns is the commit's.
    void onCommit(std::function<Result<>(std::span<const Checkpoint>)> hook) { m_hook = std::move(hook); }
    //! Every checkpoint ever committed, oldest first.
    std::vector<Checkpoint> committed() const { std::lock_guard lock(m_mutex); return m_committed; }

private:
    mutable std::mutex m_mutex;
    std::string m_owner = "home-a";
    std::map<std::string, ConnectionDef> m_connections;
    std::map<std::string, SyncDef> m_syncs;
    std::map<std::string, bool> m_paused;
    std::map<std::pair<std::string, std::string>, Checkpoint> m_checkpoints;
    std::vector<Checkpoint> m_committed;
    std::map<std::string, std::uint64_t> m_epochs;
    std::map<std::pair<std::string, std::string>, TableStatus> m_statuses;
    std::map<RunId, RunReport> m_runs;
    std::vector<FailedRow> m_failures;
    std::map<std::string, std::string> m_settings;
    std::vector<std::pair<std::string, MetricPoint>> m_metrics;
    std::function<Result<>(std::span<const Checkpoint>)> m_hook;
    std::int64_t m_next = 1;
};

} // namespace millrace::test
