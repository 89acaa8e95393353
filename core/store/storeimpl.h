#pragma once
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/engine/store.h"
#include "core/store/database.h"
#include <memory>
#include <string>
#include <vector>

namespace millrace {

//! The metadata store over one SQLite file. One source file for each group of methods.
class SqliteStore final : public MetadataStore {
public:
    SqliteStore(std::unique_ptr<Database> database, const Clock& clock, Log* log, StoreAccess access);
    ~SqliteStore() override;
    Result<> start();                              //!< this home's identity; what a killed process left open

    // definitions.cpp
    Result<std::vector<ConnectionDef>> connections() override;
    Result<> saveConnection(const ConnectionDef& def, std::string_view actor) override;
    Result<> removeConnection(std::string_view name, std::string_view actor) override;
    Result<std::vector<SyncDef>> syncs() override;
    Result<> saveSync(const SyncDef& def, std::string_view actor) override;
    Result<> removeSync(std::string_view name, std::string_view actor) override;
    Result<bool> paused(std::string_view sync) override;
    Result<> setPaused(std::string_view sync, bool paused, std::string_view actor) override;

    // checkpoints.cpp
    Result<std::optional<Checkpoint>> checkpoint(std::string_view sync, std::string_view table) override;
    Result<> commit(std::span<const Checkpoint> checkpoints) override;
    Result<> forget(std::string_view sync, std::string_view table) override;
    Result<std::uint64_t> epoch(std::string_view sync) override;
    Result<> saveEpoch(std::string_view sync, std::uint64_t epoch) override;
    Result<std::vector<TableStatus>> statuses(std::string_view sync) override;
    Result<> saveStatus(const TableStatus& status) override;

    // runs.cpp
    Result<RunId> beginRun(std::string_view sync, std::string_view trigger, std::int64_t startMs) override;
    Result<> endRun(const RunReport& report) override;
    Result<std::vector<RunReport>> history(std::string_view sync, std::size_t limit) override;

    // failures.cpp
    Result<> park(std::span<const FailedRow> rows) override;
    Result<std::vector<FailedRow>> failures(std::string_view sync, std::string_view table, std::string_view cause, std::string_view key) override;
    Result<> removeFailures(std::string_view sync, std::string_view table, const std::vector<std::string>& keys) override;
    Result<> removeFailuresBefore(std::string_view sync, std::string_view table, RunId run) override;
    Result<std::uint64_t> discardFailures(std::string_view sync, std::string_view cause, std::string_view key, std::string_view actor) override;

    // metrics.cpp
    Result<> addMetric(std::string_view sync, std::string_view table, const MetricPoint& point) override;
    Result<std::vector<MetricPoint>> metrics(std::string_view sync, std::string_view table, std::int64_t fromMs, std::int64_t toMs) override;

    // sqlitestore.cpp, prune.cpp
    Result<std::vector<AuditEntry>> audit(std::size_t limit) override;
    Result<std::string> setting(std::string_view key) override;
    Result<> saveSetting(std::string_view key, std::string_view value, std::string_view actor) override;
    Result<> prune(std::int64_t nowMs) override;
    std::string owner() const override { return m_owner; }
private:
    struct PendingMetric { std::string sync, table; MetricPoint point; };
    Result<> note(QSqlDatabase& db, std::string_view actor, std::string_view action, std::string_view subject, std::string_view before,
                  std::string_view after) const;   //!< the audit line, in the change's own transaction
    Result<> flushMetrics();
    Result<> rollUpMetrics(QSqlDatabase& db, std::int64_t nowMs) const;
    Result<> pruneHistory(QSqlDatabase& db, std::int64_t nowMs) const;
    Result<> pruneFailures(QSqlDatabase& db) const;

    std::unique_ptr<Database> m_database;
    const Clock& m_clock;
    Log* const m_log;
    const StoreAccess m_access;
    std::string m_owner;
    std::mutex m_metricsMutex;
    std::vector<PendingMetric> m_pendingMetrics;
    std::int64_t m_firstPendingUs = 0;
};

//! An SQL list's end: LIMIT -1 is no limit.
inline std::int64_t sqlLimit(std::size_t limit) { return limit == 0 ? -1 : static_cast<std::int64_t>(limit); }
Result<std::string> settingIn(const QSqlDatabase& db, std::string_view key);

} // namespace millrace
