#include "core/base/filelog.h"
#include "core/base/node.h"
#include "core/base/text.h"
#include <algorithm>
#include <filesystem>

namespace millrace {

namespace {

std::string folder(const std::string& home) { return home + "/logs"; }

//! Servers' words come in any bytes; a JSON line must be UTF-8.
std::string readable(std::string text)
{
    if (!validUtf8(text))
        for (char& c : text)
            if (static_cast<unsigned char>(c) >= 0x80)
                c = '?';
    return text;
}

std::string jsonLine(const LogEntry& entry)
{
    Node line = Node::map({{"time", formatTime(entry.timeMs)}, {"level", levelName(entry.level)}, {"category", entry.category}, {"text", entry.text}});
    for (const auto& [key, value] : entry.fields)
        line.set(line.find(key) ? key + "_" : key, value);
    return line.json() + "\n";
}

std::string plainLine(const LogEntry& entry)
{
    static constexpr std::string_view names[] = {"DEBUG", "INFO", "WARNING", "ERROR"};
    std::string line(names[std::min<std::size_t>(static_cast<std::size_t>(entry.level), 3)]);
    line += " - " + entry.text;
    std::replace(line.begin(), line.end(), '\n', ' ');
    return line + "\n";
}

} // namespace

bool RotatingFile::append(std::string_view line)
{
    namespace fs = std::filesystem;
    // the folder or file may have been cleaned away under us; a line written into a deleted file would be lost unseen
    if (m_handle.isOpen() && !platform::facts(m_path))
        m_handle.close();
    if (m_handle.isOpen() && m_size > 0 && m_size + line.size() > m_bytes)
        rotate();
    if (!m_handle.isOpen()) {
        if (!platform::makePrivateFolder(fs::path(m_path).parent_path().string()))
            return false;
        m_handle = platform::openAppend(m_path);
        if (!m_handle.isOpen())
            return false;
        m_size = m_handle.size();
        if (m_size > 0 && m_size + line.size() > m_bytes) {
            rotate();
            m_handle = platform::openAppend(m_path);
            if (!m_handle.isOpen())
                return false;
            m_size = m_handle.size();
        }
    }
    const bool written = m_handle.write(line);
    if (!written)
        m_handle.truncate(m_size);   // half a line would spoil the next one too
    m_size = m_handle.size();
    return written;
}

void RotatingFile::rotate()
{
    m_handle.close();
    m_size = 0;
    std::error_code ignored;
    const auto name = [&](unsigned i) { return i == 0 ? m_path : m_path + "." + std::to_string(i); };
    const unsigned last = std::max(m_files, 1u) - 1;
    std::filesystem::remove(name(last), ignored);
    for (unsigned i = last; i > 0; --i)
        std::filesystem::rename(name(i - 1), name(i), ignored);
}

FileLog::FileLog(const std::string& home, const Clock& clock, Options options, std::shared_ptr<const Redactor> redactor)
    : m_clock(clock), m_options(options), m_redactor(std::move(redactor)), m_level(options.level),
      m_json(folder(home) + "/millrace.jsonl", options.bytes, options.files), m_plain(folder(home) + "/app.log", options.bytes, options.files)
{
}

void FileLog::write(LogEntry entry) noexcept
try {
    if (entry.level < m_level.load())
        return;
    if (entry.timeMs == 0)
        entry.timeMs = m_clock.nowMs();
    const auto clean = [this](std::string& text) {
        text = readable(m_redactor ? (*m_redactor)(std::move(text)) : std::move(text));
    };
    clean(entry.text);
    clean(entry.category);
    for (auto& [key, value] : entry.fields) {
        clean(key);
        clean(value);
    }
    const std::string line = jsonLine(entry);
    const std::string plain = m_options.plain ? plainLine(entry) : std::string();

    std::lock_guard lock(m_mutex);
    m_ring.push_back({++m_number, std::move(entry)});
    if (m_ring.size() > m_options.ring)
        m_ring.pop_front();
    if (!m_json.append(line))
        ++m_lost;
    if (m_options.plain && !m_plain.append(plain))
        ++m_lost;
} catch (...) {
    ++m_lost;   // out of memory in the log must not end a sync
}

std::vector<FileLog::Kept> FileLog::recent(std::uint64_t after) const
{
    std::lock_guard lock(m_mutex);
    const auto from = std::upper_bound(m_ring.begin(), m_ring.end(), after, [](std::uint64_t n, const Kept& kept) { return n < kept.number; });
    return {from, m_ring.end()};
}

} // namespace millrace
