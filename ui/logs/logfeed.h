#pragma once
#include "core/base/log.h"
#include <cstdint>
#include <vector>

namespace millrace::ui {

//! Where the window reads log lines from: a ring in memory. Called on the window's thread; must not block.
class LogFeed {
public:
    virtual ~LogFeed() = default;
    //! Entries with a sequence above `after`, oldest first; `last` becomes the newest sequence.
    virtual std::vector<LogEntry> since(std::uint64_t after, std::uint64_t& last) const = 0;
};

} // namespace millrace::ui
