#include "core/verify/spill.h"
#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>

namespace millrace::verify {

SpillSorter::SpillSorter(std::string folder, std::size_t memoryBytes)
    : m_folder(std::move(folder)), m_memoryBytes(std::max<std::size_t>(memoryBytes, 64 * 1024)) {}

SpillSorter::~SpillSorter()
{
    m_file.reset();
    std::error_code gone;
    if (!m_path.empty())
        std::filesystem::remove(m_path, gone);
}

Error SpillSorter::failure(const char* doing) const
{
    return {Fault::Storage, "verify.spill", std::string(doing) + " " + (m_path.empty() ? m_folder : m_path) + ": " + std::strerror(errno),
        "Free space there: verification needs 64 bytes a row.", {}};
}

Result<> SpillSorter::add(const Record& record)
{
    if (m_records.capacity() == 0)
        m_records.reserve(std::min<std::size_t>(m_memoryBytes / sizeof(Record), 4096));
    if (m_records.size() == m_records.capacity()) {
        // growing holds the old and the new array for a moment: both count
        const std::size_t most = m_memoryBytes / sizeof(Record);
        if (m_records.size() * 3 <= most)
            m_records.reserve(m_records.size() * 2);
        else if (auto spilled = spill(); !spilled)
            return spilled;
    }
    m_records.push_back(record);
    ++m_size;
    return {};
}

Result<> SpillSorter::spill()
{
    if (m_records.empty())
        return {};
    if (!m_file) {
        std::error_code ignored;
        std::filesystem::create_directories(m_folder, ignored);
        m_path = (std::filesystem::path(m_folder) / ("verify-" + std::to_string(randombytes_random()) + ".tmp")).string();
        m_file.reset(std::fopen(m_path.c_str(), "w+bx"));
        if (!m_file)
            return failure("cannot make a temporary file in");
        // without a name from here on, where the system can: then not even a killed process leaves it behind
        std::filesystem::remove(m_path, ignored);
    }
    std::sort(m_records.begin(), m_records.end());
    if (std::fwrite(m_records.data(), sizeof(Record), m_records.size(), m_file.get()) != m_records.size())
        return failure("cannot write");
    m_runs.push_back({m_written, m_records.size(), {}, 0});
    m_written += m_records.size();
    m_records.clear();
    return {};
}

Result<> SpillSorter::finish()
{
    if (!m_file) {
        std::sort(m_records.begin(), m_records.end());
        return {};
    }
    if (auto spilled = spill(); !spilled)
        return spilled;
    if (std::fflush(m_file.get()) != 0)
        return failure("cannot write");
    m_records = {};
    const std::size_t each = std::clamp<std::size_t>(m_memoryBytes / sizeof(Record) / m_runs.size(), 16, 8192);
    for (std::size_t i = 0; i < m_runs.size(); ++i) {
        m_runs[i].buffer.reserve(std::min<std::size_t>(each, m_runs[i].left));
        auto more = refill(m_runs[i]);
        if (!more)
            return more.error();
        m_heap.push_back(i);
    }
    const auto later = [this](std::size_t a, std::size_t b) { return m_runs[b].buffer[m_runs[b].next] < m_runs[a].buffer[m_runs[a].next]; };
    std::make_heap(m_heap.begin(), m_heap.end(), later);
    return {};
}

Result<bool> SpillSorter::refill(Run& run)
{
    const std::size_t count = std::min<std::uint64_t>(run.buffer.capacity(), run.left);
    run.next = 0;
    run.buffer.resize(count);
    if (count == 0)
        return false;
    if (std::fseek(m_file.get(), static_cast<long>(run.at * sizeof(Record)), SEEK_SET) != 0
        || std::fread(run.buffer.data(), sizeof(Record), count, m_file.get()) != count)
        return failure("cannot read");
    run.at += count;
    run.left -= count;
    return true;
}

Result<bool> SpillSorter::next(Record& record)
{
    if (!m_file) {
        if (m_next == m_records.size())
            return false;
        record = m_records[m_next++];
        return true;
    }
    if (m_heap.empty())
        return false;
    const auto later = [this](std::size_t a, std::size_t b) { return m_runs[b].buffer[m_runs[b].next] < m_runs[a].buffer[m_runs[a].next]; };
    std::pop_heap(m_heap.begin(), m_heap.end(), later);
    Run& run = m_runs[m_heap.back()];
    record = run.buffer[run.next++];
    if (run.next == run.buffer.size()) {
        auto more = refill(run);
        if (!more)
            return more.error();
        if (!*more) {
            run.buffer = {};
            m_heap.pop_back();
            return true;
        }
    }
    std::push_heap(m_heap.begin(), m_heap.end(), later);
    return true;
}

} // namespace millrace::verify
