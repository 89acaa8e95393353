#pragma once
#include "core/engine/report.h"
#include "core/engine/source.h"
#include "core/engine/target.h"
#include <string>

namespace millrace {

//! Proves that a table and its container hold the same (core/verify). It shares the value model with the engine; no reader,
//! encoder or session of the writing path. Memory is bounded; both sides are spilled, sorted and merged.
class Verifier {
public:
    virtual ~Verifier() = default;
    struct Options {
        std::string spillDir;                      //!< temporary files, removed at the end
        std::size_t memoryBytes = 64u << 20;
        std::int64_t settleMs = 0;                 //!< rows that differ are looked at again after this time (rows in flight)
        std::function<void(std::uint64_t rows)> progress;
    };
    virtual Result<TableVerdict> verify(Source& source, Target& target, TablePlanPtr plan, const Options& options, std::stop_token stop) = 0;
};

} // namespace millrace
