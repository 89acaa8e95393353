#pragma once
#include "core/engine/report.h"
#include <memory>
#include <string>
#include <vector>

namespace millrace {

//! What the faces show of one table; a copy, never a view into the engine.
struct TableView {
    std::string sync, table, container;
    State state = State::Idle;
    Strategy strategy = Strategy::Full;
    std::string syncType;                          //!< of the run under way, else of the last one
    double progress = -1;                          //!< 0..1; < 0: no end known
    std::uint64_t rows = 0, rowsTotal = 0;         //!< done in this run or known in the target; total: 0 when unknown
    double readRate = 0, writeRate = 0;            //!< rows per second, last sample
    std::vector<float> recent;                     //!< written per second, the last 60 s, oldest first
    std::int64_t lagMs = -1;                       //!< < 0: does not apply or unknown (see lagKnown)
    bool lagKnown = false;
    std::int64_t lastSyncMs = 0, nextRunMs = 0;    //!< 0: never, none
    std::uint64_t failed = 0;
    std::string verified;                          //!< "", identical, different, unknown
    std::int64_t verifiedMs = 0;
    std::string error, errorId, fix;               //!< why it is Failed, Needs resync or Unknown
    std::string note;                              //!< what it waits for: "retry in 4 s: …"
    double p50Ms = 0, p95Ms = 0;                   //!< batch latency in the target
    std::uint64_t retried = 0;
    std::string cursor, position;
};

struct SyncView {
    std::string name, source, target, environment, sourceEngine, targetEngine;
    std::vector<std::string> tags;
    State state = State::Idle;
    bool paused = false;
    RunId run = 0;                                 //!< under way; 0: none
    std::int64_t nextRunMs = 0, lagMs = -1;
    std::string every;                             //!< "every 5m", "continuous", "by hand"
    std::vector<TableView> tables;
};

//! Immutable; made at most ten times a second. Hand it around as SnapshotPtr.
struct EngineSnapshot {
    std::uint64_t revision = 0;
    std::int64_t takenMs = 0;
    std::vector<SyncView> syncs;
    double rowsPerSecond = 0;
    std::size_t queuedBytes = 0, budgetBytes = 0;
    std::uint64_t failedRows = 0;
    std::size_t connections = 0, healthyConnections = 0;
};
using SnapshotPtr = std::shared_ptr<const EngineSnapshot>;

} // namespace millrace
