#pragma once
#include "core/engine/report.h"
#include <atomic>
#include <mutex>
#include <string>

namespace millrace {

//! Figures of one table's run, sampled by whoever shows them. Counters are written by the run's threads without a lock.
struct RunCounters {
    std::atomic<std::uint64_t> read{0}, written{0}, deleted{0}, rejected{0}, superseded{0}, filtered{0}, coerced{0}, rechecked{0}, bytes{0}, retried{0};
    std::atomic<std::uint64_t> queuedBytes{0};
    std::atomic<std::uint32_t> latencyUs{0}, slowestUs{0};      //!< of the last batch in the target; the slowest since it was last sampled
};

//! What a run tells of one table while it lasts.
class TableLive {
public:
    RunCounters counters;
    std::atomic<State> state{State::Queued};
    std::atomic<std::uint64_t> total{0};                       //!< rows expected; 0: unknown
    void setNote(std::string note) { std::lock_guard lock(m_mutex); m_note = std::move(note); }
    std::string note() const { std::lock_guard lock(m_mutex); return m_note; }
private:
    mutable std::mutex m_mutex;
    std::string m_note;
};

} // namespace millrace
