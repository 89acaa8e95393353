#pragma once
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

namespace millrace {

//! A queue between two threads, bounded by weight (bytes) and not by count: one fat batch must not cost as much memory as a
//! hundred. A full queue blocks the producer, all the way back to the database's cursor.
template <class T> class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t capacity) : m_capacity(capacity) {}

    //! False when the queue was closed or `stop` was requested; the item is then dropped.
    bool push(T item, std::size_t weight, std::stop_token stop)
    {
        std::unique_lock lock(m_mutex);
        // an oversized item is admitted alone, so it can never deadlock
        const auto fits = [&] { return m_closed || m_weight == 0 || m_weight + weight <= m_capacity; };
        if (!m_space.wait(lock, stop, fits) || m_closed)
            return false;
        m_weight += weight;
        m_items.emplace_back(std::move(item), weight);
        m_ready.notify_one();
        return true;
    }

    //! nullopt: closed and drained, or stopped.
    std::optional<T> pop(std::stop_token stop)
    {
        std::unique_lock lock(m_mutex);
        if (!m_ready.wait(lock, stop, [&] { return m_closed || !m_items.empty(); }) || m_items.empty())
            return std::nullopt;
        auto [item, weight] = std::move(m_items.front());
        m_items.pop_front();
        m_weight -= weight;
        m_space.notify_all();
        return std::optional<T>(std::move(item));
    }

    //! No more pushes; what is inside can still be popped.
    void close()
    {
        { std::lock_guard lock(m_mutex); m_closed = true; }
        m_ready.notify_all();
        m_space.notify_all();
    }

    std::size_t weight() const { std::lock_guard lock(m_mutex); return m_weight; }

private:
    const std::size_t m_capacity;
    mutable std::mutex m_mutex;
    std::condition_variable_any m_space, m_ready;
    std::deque<std::pair<T, std::size_t>> m_items;
    std::size_t m_weight = 0;
    bool m_closed = false;
};

} // namespace millrace
