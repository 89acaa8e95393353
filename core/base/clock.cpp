#include "core/base/clock.h"
#include <cstdio>
#include <ctime>

namespace millrace {

std::int64_t SystemClock::nowMs() const
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::int64_t SystemClock::steadyUs() const
{
    return std::chrono::duration_cast<std::chrono::microseconds>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

bool SystemClock::wait(std::chrono::milliseconds duration, std::stop_token stop) const
{
    std::mutex mutex;
    std::condition_variable_any ready;
    std::unique_lock lock(mutex);
    ready.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
}

std::string formatTime(std::int64_t ms)
{
    std::int64_t seconds = ms / 1000, rest = ms % 1000;
    if (rest < 0) { rest += 1000; --seconds; }
    const std::time_t t = seconds;
    std::tm tm{};
    gmtime_r(&t, &tm);
    char out[48];
    std::snprintf(out, sizeof out, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour,
                  tm.tm_min, tm.tm_sec, static_cast<int>(rest));
    return out;
}

} // namespace millrace
