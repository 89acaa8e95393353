#pragma once
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <stop_token>
#include <string>

namespace millrace {

//! Time is passed in, so that tests need no sleep. Thread-safe.
class Clock {
public:
    virtual ~Clock() = default;
    virtual std::int64_t nowMs() const = 0;          //!< wall clock, UTC, milliseconds since 1970
    virtual std::int64_t steadyUs() const = 0;       //!< monotonic microseconds
    //! Sleeps; returns false when `stop` ended it early.
    virtual bool wait(std::chrono::milliseconds duration, std::stop_token stop) const = 0;
};

class SystemClock final : public Clock {
public:
    std::int64_t nowMs() const override;
    std::int64_t steadyUs() const override;
    bool wait(std::chrono::milliseconds duration, std::stop_token stop) const override;
};

//! RFC 3339 with milliseconds and `Z`: "2026-11-21T03:30:41.120Z".
std::string formatTime(std::int64_t msSinceEpoch);

} // namespace millrace
