#pragma once
#include "core/base/result.h"
#include "core/verify/digest.h"
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace millrace::verify {

//! Sorts records in bounded memory: what does not fit goes to one temporary file as sorted runs, which are merged while reading.
//! add()* finish() next()*. One thread at a time.
class SpillSorter {
public:
    SpillSorter(std::string folder, std::size_t memoryBytes);
    ~SpillSorter();
    SpillSorter(const SpillSorter&) = delete;
    SpillSorter& operator=(const SpillSorter&) = delete;

    Result<> add(const Record& record);
    Result<> finish();
    Result<bool> next(Record& record);             //!< in order; false: no more
    std::uint64_t size() const { return m_size; }
    std::uint64_t spilled() const { return m_written; }   //!< records that went to the file

private:
    struct Run { std::uint64_t at = 0, left = 0; std::vector<Record> buffer; std::size_t next = 0; };
    struct Close { void operator()(std::FILE* file) const { std::fclose(file); } };
    Result<> spill();
    Result<bool> refill(Run& run);
    Error failure(const char* doing) const;

    const std::string m_folder;
    const std::size_t m_memoryBytes;
    std::vector<Record> m_records;
    std::size_t m_next = 0;
    std::vector<Run> m_runs;
    std::vector<std::size_t> m_heap;               //!< indices of runs that have more, the smallest record first
    std::string m_path;
    std::unique_ptr<std::FILE, Close> m_file;
    std::uint64_t m_written = 0, m_size = 0;
};

} // namespace millrace::verify
