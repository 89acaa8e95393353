#pragma once
#include "core/engine/committer.h"
#include "core/engine/engine.h"
#include "core/engine/live.h"
#include "core/engine/tablerun.h"
#include "core/engine/workbench.h"
#include "core/engine/workerpool.h"
#include <functional>
#include <memory>
#include <set>

namespace millrace {

//! One run of one sync: connects, takes the lease, plans, hands its tables to the pool, and sums up. A failing table never stops its
//! neighbours. run() blocks the calling thread.
class SyncRun {
public:
    struct Parts {
        const EngineParts& engine;
        Committer& committer;
        WorkerPool& pool;
        SyncDef def;
        std::vector<SyncDef> all;
        std::vector<ConnectionDef> connections;
        RunRequest request;
        RunId id = 0;
        //! Called once the tables are known, and when one changed its state. On engine threads; must not block.
        std::function<void(const std::string& table, std::shared_ptr<TableLive> live, const TablePlanPtr& plan)> began;
        std::function<void(const TableStatus& status, const TableReport& report)> ended;
        std::function<void(const std::vector<std::string>& undecided)> undecided;
    };
    explicit SyncRun(Parts parts) : m_parts(std::move(parts)) {}
    RunReport run(std::stop_token stop);

private:
    Result<> execute(RunReport& report, std::stop_token stop);
    Result<Lease> takeLease(Target& target, std::stop_token stop);
    TableReport runTable(const SyncTable& table, std::shared_ptr<TableLive> live, const Lease& lease, RateLimiter& rate, std::stop_token stop);
    Result<> forgetAlarms(const SyncTables& tables);
    Result<> stillTheSame(const SyncTable& table, const TablePlan& plan);
    TableReport unfinished(const SyncTable& table, Error error);
    void record(const SyncTable& table, const TableReport& report, Target* counter);
    Parts m_parts;
};

//! The run's outcome from its tables', and "full", "incremental" or "mixed".
void sumUp(RunReport& report);

} // namespace millrace
