#pragma once
#include "core/engine/definition.h"
#include "core/engine/live.h"
#include "core/engine/plan.h"
#include "core/engine/snapshot.h"
#include "core/engine/store.h"
#include <deque>
#include <map>
#include <memory>
#include <mutex>

namespace millrace {

//! What is known of every sync and table right now, and the immutable snapshots made from it. Thread-safe; nothing here touches the
//! store or the network.
class SyncBoard {
public:
    void setConnections(const std::vector<ConnectionDef>& connections);
    void setSync(const SyncDef& def, bool paused, const std::vector<TableStatus>& statuses);
    void removeSync(const std::string& name);
    std::vector<std::string> names() const;

    //! The run that began then was another process's and has no end: it is at work (Running) or dead (Unknown); or it failed as a whole
    //! (Failed). 0: none of these.
    void setOpenRun(const std::string& sync, std::int64_t sinceMs, State as);
    void runBegan(const std::string& sync, RunId run);
    void tableBegan(const std::string& sync, const std::string& table, std::shared_ptr<TableLive> live, const TablePlanPtr& plan);
    void tableEnded(const TableStatus& status, const TableReport& report);
    void runEnded(const std::string& sync, const RunReport& report, std::int64_t nextDueMs);
    void setPaused(const std::string& sync, bool paused);
    void setVerified(const std::string& sync, const std::string& table, const std::string& verdict, std::int64_t atMs);
    void setFailed(const std::string& sync, const std::string& table, std::uint64_t failed);
    void setNextDue(const std::string& sync, std::int64_t dueMs);
    std::int64_t nextDue(const std::string& sync) const;          //!< 0: none

    //! One sample: rates since the last one, sparklines, a new snapshot. Returns the points to be stored, once a second, of tables that run
    //! or have run in that second; `last`: also of the second that is not over.
    struct Sampled { std::string sync, table; MetricPoint point; };
    std::vector<Sampled> sample(std::int64_t nowMs, bool last = false);
    SnapshotPtr snapshot() const;

private:
    struct Table {
        TableStatus status;
        std::shared_ptr<TableLive> live;
        std::string syncType, cursor, position, fix;
        std::uint64_t lastRead = 0, lastWritten = 0, lastRejected = 0;
        double readRate = 0, writeRate = 0;
        std::deque<float> recent;
        MetricPoint second;                                       //!< what this second has added up
    };
    struct Sync { SyncDef def; bool paused = false; RunId run = 0; std::int64_t nextDueMs = 0, openSinceMs = 0; State openAs = State::Unknown; std::map<std::string, Table> tables; };
    void publish(std::int64_t nowMs);
    TableView view(const Sync& sync, const Table& table, std::int64_t nowMs) const;
    static std::int64_t lagOf(const Sync& sync, const Table& table, std::int64_t nowMs);   //!< < 0: by hand, or never synced

    mutable std::mutex m_mutex;
    std::map<std::string, Sync> m_syncs;
    std::vector<ConnectionDef> m_connections;
    SnapshotPtr m_snapshot = std::make_shared<EngineSnapshot>();
    std::int64_t m_lastSampleMs = 0, m_lastSecondMs = 0;
    std::uint64_t m_revision = 0;
};

//! A job shows the worst of Failed, Needs resync and Unknown; otherwise Running, Lagging, Live, Paused, Queued, Idle in this order.
State worstState(const std::vector<State>& states);

//! Next due time of an interval schedule, or 0 when the sync runs by hand.
std::int64_t nextDue(const SyncDef& def, std::int64_t lastStartMs, std::int64_t nowMs);

} // namespace millrace
