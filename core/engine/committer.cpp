#include "core/engine/committer.h"
#include "core/base/crashpoint.h"
#include "core/base/guard.h"

namespace millrace {

Committer::Committer(MetadataStore& store) : m_store(store), m_thread([this](std::stop_token stop) { loop(stop); }) {}

Committer::~Committer()
{
    m_thread.request_stop();
    m_thread.join();
}

void Committer::offer(const std::string& sync, const std::string& table, std::uint64_t order, std::string state)
{
    std::lock_guard lock(m_mutex);
    Slot& slot = m_slots[{sync, table}];
    if (slot.order > order)
        return;                                   // two lanes may hand their marks over in either order
    slot.order = order;
    slot.state = std::move(state);
    slot.dirty = true;
    ++m_offered;
    m_wake.notify_one();
}

Result<> Committer::flush(const std::string& sync, const std::string& table)
{
    std::unique_lock lock(m_mutex);
    const auto it = m_slots.find({sync, table});
    if (it == m_slots.end())
        return {};
    ++m_waiters;
    m_wake.notify_one();
    m_done.wait(lock, [&] { return !it->second.writing && (!it->second.dirty || it->second.error); });
    --m_waiters;
    const auto error = it->second.error;
    m_slots.erase(it);
    if (error)
        return *error;
    return {};
}

void Committer::loop(std::stop_token stop)
{
    std::unique_lock lock(m_mutex);
    while (!stop.stop_requested()) {
        m_wake.wait(lock, stop, [&] { return m_offered > 0; });
        m_wake.wait_for(lock, stop, std::chrono::milliseconds(200), [&] { return m_offered >= 64 || m_waiters > 0; });
        commitDirty(lock);
    }
    commitDirty(lock);
}

void Committer::commitDirty(std::unique_lock<std::mutex>& lock)
{
    std::vector<Checkpoint> group;
    for (auto& [key, slot] : m_slots)
        if (slot.dirty) {
            group.push_back({key.first, key.second, slot.state});
            slot.dirty = false;
            slot.writing = true;
        }
    m_offered = 0;
    if (group.empty())
        return;
    lock.unlock();
    crashPoint("engine.before_commit");
    const auto committed = guarded("the store", [&] { return m_store.commit(group); });
    crashPoint("engine.after_commit");
    lock.lock();
    for (const auto& checkpoint : group)
        if (const auto it = m_slots.find({checkpoint.sync, checkpoint.table}); it != m_slots.end()) {
            it->second.writing = false;
            if (!committed)
                it->second.error = committed.error();
        }
    m_done.notify_all();
}

} // namespace millrace
