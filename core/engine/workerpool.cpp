#include "core/engine/workerpool.h"

namespace millrace {

class WorkerPool::Group {
public:
    explicit Group(unsigned most) : limit(most ? most : 1) {}
    const unsigned limit;
    unsigned running = 0;
    std::deque<std::function<void()>> waiting;
};

WorkerPool::WorkerPool(unsigned threads)
{
    for (unsigned i = 0; i < (threads ? threads : 1); ++i)
        m_threads.emplace_back([this](std::stop_token stop) { loop(stop); });
}

WorkerPool::~WorkerPool()
{
    for (auto& thread : m_threads)
        thread.request_stop();
    m_threads.clear();
}

std::shared_ptr<WorkerPool::Group> WorkerPool::group(unsigned limit)
{
    auto made = std::make_shared<Group>(limit);
    std::lock_guard lock(m_mutex);
    std::erase_if(m_turns, [](const auto& g) { return g.expired(); });
    m_turns.push_back(made);
    return made;
}

void WorkerPool::submit(const std::shared_ptr<Group>& group, std::function<void()> task)
{
    { std::lock_guard lock(m_mutex); group->waiting.push_back(std::move(task)); }
    m_ready.notify_one();
}

void WorkerPool::wait(const std::shared_ptr<Group>& group)
{
    std::unique_lock lock(m_mutex);
    m_done.wait(lock, [&] { return group->waiting.empty() && group->running == 0; });
}

std::shared_ptr<WorkerPool::Group> WorkerPool::next() const
{
    for (const auto& turn : m_turns)
        if (auto group = turn.lock(); group && !group->waiting.empty() && group->running < group->limit)
            return group;
    return nullptr;
}

void WorkerPool::loop(std::stop_token stop)
{
    std::unique_lock lock(m_mutex);
    while (!stop.stop_requested()) {
        std::shared_ptr<Group> group;
        if (!m_ready.wait(lock, stop, [&] { return (group = next()) != nullptr; }))
            return;
        auto task = std::move(group->waiting.front());
        group->waiting.pop_front();
        ++group->running;
        std::erase_if(m_turns, [&](const auto& g) { return g.expired() || g.lock() == group; });
        m_turns.push_back(group);                        // to the back of the queue
        lock.unlock();
        try {
            task();
        } catch (...) {                                  // a task reports its own end; what escapes it must not end the process
        }
        task = nullptr;
        lock.lock();
        --group->running;
        m_done.notify_all();
        m_ready.notify_one();                            // its limit may have held a task back
    }
}

} // namespace millrace
