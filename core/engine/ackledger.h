#pragma once
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

namespace millrace {

//! Batches settle out of order; only the contiguous settled prefix may move the checkpoint (Invariant 2). Thread-safe.
class AckLedger {
public:
    struct Mark { std::uint64_t seq; std::string state; };

    //! `state` is the checkpoint once this batch and all before it are settled; `parts` lanes will settle it (at least 1: a batch
    //! whose rows were all filtered is settled by its opener).
    std::uint64_t open(std::string state, unsigned parts)
    {
        std::lock_guard lock(m_mutex);
        m_open.push_back({std::move(state), parts ? parts : 1});
        return m_first + m_open.size() - 1;
    }

    //! One part of batch `seq` is durable (or parked). Returns the new checkpoint when the prefix grew.
    std::optional<Mark> settle(std::uint64_t seq)
    {
        std::lock_guard lock(m_mutex);
        --m_open[seq - m_first].parts;
        std::optional<Mark> mark;
        for (; !m_open.empty() && m_open.front().parts == 0; m_open.pop_front(), ++m_first)
            mark = Mark{m_first, std::move(m_open.front().state)};
        return mark;
    }

    std::size_t inFlight() const { std::lock_guard lock(m_mutex); return m_open.size(); }

private:
    struct Entry { std::string state; unsigned parts; };
    mutable std::mutex m_mutex;
    std::deque<Entry> m_open;
    std::uint64_t m_first = 0;
};

} // namespace millrace
