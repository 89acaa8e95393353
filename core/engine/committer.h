#pragma once
#include "core/base/clock.h"
#include "core/engine/store.h"
#include <condition_variable>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>

namespace millrace {

//! The one thread that moves checkpoints (Invariant 2). Groups what arrives within 200 ms, or 64 marks, into one transaction: one
//! fsync serves many batches. Thread-safe.
class Committer {
public:
    explicit Committer(MetadataStore& store);
    ~Committer();                                                  //!< commits what was offered

    //! `order` grows per table within one attempt; an older mark than the newest offered is dropped.
    void offer(const std::string& sync, const std::string& table, std::uint64_t order, std::string state);
    //! Blocks until all that was offered for this table is durable, or the store failed; forgets the table's order.
    Result<> flush(const std::string& sync, const std::string& table);

private:
    using Key = std::pair<std::string, std::string>;
    struct Slot { std::uint64_t order = 0; std::string state; bool dirty = false, writing = false; std::optional<Error> error; };
    void loop(std::stop_token stop);
    void commitDirty(std::unique_lock<std::mutex>& lock);

    MetadataStore& m_store;
    std::mutex m_mutex;
    std::condition_variable_any m_wake, m_done;
    std::map<Key, Slot> m_slots;
    std::size_t m_offered = 0, m_waiters = 0;
    std::jthread m_thread;
};

} // namespace millrace
