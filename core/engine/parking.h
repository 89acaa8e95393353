#pragma once
#include "core/base/clock.h"
#include "core/engine/live.h"
#include "core/engine/plan.h"
#include "core/engine/store.h"
#include <map>
#include <mutex>
#include <span>
#include <unordered_map>
#include <unordered_set>

namespace millrace {

//! The parked rows of one table while it runs: rows that could not be carried are stored durably before their batch settles
//! (Invariant 1), and rows that arrive after all leave the list. Thread-safe.
class Parking {
public:
    Parking(MetadataStore& store, const Clock& clock, TablePlanPtr plan, RunId run, std::int64_t limit, RunCounters& counters);
    void newPass();                                                     //!< rows are read from the start of a range again
    Result<> load();                                                    //!< the keys parked before this run
    //! Durable on return. Fault::Data "engine.too_many_failed" once more than the limit are parked.
    Result<> park(const Batch& batch, std::span<const RowFailure> rows);
    //! These rows were written or deleted: they are no longer failed, unless a newer version of the row is (the reader is ahead of the
    //! writers). Costs nothing while no row of the table is parked.
    Result<> arrived(const Batch& batch, std::span<const std::uint32_t> rows, std::span<const RowFailure> except);
    std::uint64_t parked() const;
private:
    MetadataStore& m_store;
    const Clock& m_clock;
    TablePlanPtr m_plan;
    const RunId m_run;
    const std::int64_t m_limit;
    RunCounters& m_counters;
    mutable std::mutex m_mutex;
    std::unordered_map<std::string, std::uint64_t> m_keys;             //!< parked rows, with the version that failed; 0: before this run
    std::map<std::string, std::uint64_t> m_withoutKey;                 //!< in this pass: equal rows without a key are told by their number
    std::unordered_set<std::string> m_rejected;                        //!< in this run: a row that is read again counts once
    std::atomic<bool> m_any{false};
};

} // namespace millrace
