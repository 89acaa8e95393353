#pragma once
#include "core/base/clock.h"
#include "core/base/result.h"
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <mutex>
#include <random>

namespace millrace {

//! Waiting times between tries: doubling from `first` to `longest`, with full jitter (AWS Architecture Blog, "Exponential Backoff
//! And Jitter"), never below what the server asked for.
class Backoff {
public:
    struct Policy { std::chrono::milliseconds first{100}, longest{10'000}; unsigned tries = 6; };
    Backoff(Policy policy, std::uint64_t seed) : m_policy(policy), m_random(seed) {}
    bool exhausted() const { return m_tried >= m_policy.tries; }
    std::chrono::milliseconds next(const Error& error)
    {
        const auto ceiling = std::min<std::int64_t>(m_policy.longest.count(), m_policy.first.count() << std::min(m_tried, 20u));
        ++m_tried;
        const auto jittered = ceiling / 2 + static_cast<std::int64_t>(m_random() % static_cast<std::uint64_t>(ceiling / 2 + 1));
        return std::max(std::chrono::milliseconds(jittered), error.retryAfter);
    }
    unsigned tried() const { return m_tried; }
    void reset() { m_tried = 0; }
private:
    Policy m_policy;
    std::minstd_rand m_random;
    unsigned m_tried = 0;
};

//! Rows per batch between the operator's limits: doubles while the target answers fast, halves when it is slow or in trouble. Thread-safe.
class BatchSizer {
public:
    BatchSizer(std::size_t least, std::size_t most) : m_least(std::max<std::size_t>(least, 1)), m_most(std::max(m_least, most)),
        m_rows(std::clamp<std::size_t>(1000, m_least, m_most)) {}
    std::size_t rows() const { return m_rows.load(std::memory_order_relaxed); }
    void wrote(std::size_t rows, std::chrono::microseconds took)
    {
        const std::size_t now = this->rows();
        if (took > std::chrono::milliseconds(500)) m_rows = std::max(m_least, now / 2);
        else if (took < std::chrono::milliseconds(100) && rows * 2 >= now) m_rows = std::min(m_most, now * 2);
    }
    void trouble() { m_rows = std::max(m_least, rows() / 2); }
private:
    const std::size_t m_least, m_most;
    std::atomic<std::size_t> m_rows;
};

//! A token bucket of rows per second, shared by the tables of one sync. 0: no limit. Thread-safe.
class RateLimiter {
public:
    RateLimiter(const Clock& clock, std::int64_t rowsPerSecond) : m_clock(clock), m_rate(rowsPerSecond), m_freeAtUs(clock.steadyUs()) {}
    //! Waits until `rows` may pass; false when stopped.
    bool pass(std::size_t rows, std::stop_token stop)
    {
        if (m_rate <= 0)
            return !stop.stop_requested();
        std::int64_t waitUs;
        {
            std::lock_guard lock(m_mutex);
            const std::int64_t now = m_clock.steadyUs();
            waitUs = std::max<std::int64_t>(0, m_freeAtUs - now);
            m_freeAtUs = std::max(now, m_freeAtUs) + static_cast<std::int64_t>(rows) * 1'000'000 / m_rate;
        }
        return waitUs == 0 ? !stop.stop_requested() : m_clock.wait(std::chrono::milliseconds(waitUs / 1000 + 1), stop);
    }
private:
    const Clock& m_clock;
    const std::int64_t m_rate;
    std::mutex m_mutex;
    std::int64_t m_freeAtUs;
};

} // namespace millrace
