#pragma once
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/base/platform.h"
#include "core/base/redactor.h"
#include <atomic>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace millrace {

//! Text lines in one file that moves to `.1`, `.2`, ... when it is full. Not thread-safe.
class RotatingFile {
public:
    RotatingFile(std::string path, std::uint64_t bytes, unsigned files) : m_path(std::move(path)), m_bytes(bytes), m_files(files) {}
    bool append(std::string_view line);            //!< false: the line is lost (disk full, folder gone); the next one is tried anew
private:
    void rotate();
    const std::string m_path;
    const std::uint64_t m_bytes;
    const unsigned m_files;
    platform::Handle m_handle;
    std::uint64_t m_size = 0;
};

//! `<home>/logs/millrace.jsonl`, one JSON object a line, and the newest entries in memory for the window. A log that cannot be written
//! never stops a sync: lost lines are counted. Thread-safe.
class FileLog final : public Log {
public:
    struct Options {
        Level level = Level::Info;                 //!< entries below are dropped
        std::uint64_t bytes = 10u << 20;           //!< of one file
        unsigned files = 5;                        //!< all together
        std::size_t ring = 5000;                   //!< entries kept in memory
        bool plain = false;                        //!< also logs/app.log: "INFO - Starting incremental sync for all tables..."
    };
    struct Kept { std::uint64_t number = 0; LogEntry entry; };

    FileLog(const std::string& home, const Clock& clock, Options options, std::shared_ptr<const Redactor> redactor = {});
    FileLog(const std::string& home, const Clock& clock) : FileLog(home, clock, Options{}) {}

    void write(LogEntry entry) noexcept override;  //!< an entry without a time gets the clock's
    void setLevel(Level level) { m_level = level; }
    //! Entries after that number, oldest first; numbers count from 1 and never repeat. 0: all that are kept.
    std::vector<Kept> recent(std::uint64_t after = 0) const;
    std::uint64_t lost() const { return m_lost; }  //!< lines that no file took
private:
    const Clock& m_clock;
    const Options m_options;
    const std::shared_ptr<const Redactor> m_redactor;
    std::atomic<Level> m_level;
    std::atomic<std::uint64_t> m_lost{0};
    mutable std::mutex m_mutex;
    RotatingFile m_json, m_plain;
    std::deque<Kept> m_ring;
    std::uint64_t m_number = 0;
};

} // namespace millrace
