#include "core/target/embedded/writegate.h"
#include <algorithm>
#include <map>

namespace millrace::embedded {

std::shared_ptr<WriteGate> WriteGate::of(const std::string& path)
{
    static std::mutex mutex;
    static std::map<std::string, std::weak_ptr<WriteGate>> gates;
    std::lock_guard lock(mutex);
    auto gate = gates[path].lock();
    if (!gate) {
        std::erase_if(gates, [](const auto& entry) { return entry.second.expired(); });
        gate = std::make_shared<WriteGate>();
        gates[path] = gate;
    }
    return gate;
}

bool WriteGate::enter(std::stop_token stop)
{
    std::unique_lock lock(m_mutex);
    const std::uint64_t ticket = m_next++;
    m_waiting.push_back(ticket);
    if (m_turn.wait(lock, std::move(stop), [&] { return m_waiting.front() == ticket; }))
        return true;
    m_waiting.erase(std::find(m_waiting.begin(), m_waiting.end(), ticket));
    m_turn.notify_all();
    return false;
}

void WriteGate::leave()
{
    { std::lock_guard lock(m_mutex); m_waiting.pop_front(); }
    m_turn.notify_all();
}

} // namespace millrace::embedded
