#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

enum class Level : std::uint8_t { Debug, Info, Warning, Error };

struct LogEntry {
    std::int64_t timeMs = 0;
    Level level = Level::Info;
    std::string category;                                        //!< "engine", "source.mysql", ...
    std::string text;                                            //!< already redacted
    std::vector<std::pair<std::string, std::string>> fields;     //!< sync, table, run, error id, ...
};

//! Where log lines go. Called on any thread; must not block for long and must not throw.
class Log {
public:
    virtual ~Log() = default;
    virtual void write(LogEntry entry) noexcept = 0;
};

std::string_view levelName(Level level);     //!< "debug" "info" "warning" "error"

} // namespace millrace
