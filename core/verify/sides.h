#pragma once
#include "core/engine/source.h"
#include "core/engine/target.h"
#include <functional>
#include <string>

namespace millrace::verify {

//! A row of the source as it must stand in the target. The views live until the callback returns.
struct SourceRow {
    std::string_view key, form;
    std::span<const Cell> cells;
    bool rejected = false;                         //!< the source could not decode it: `form` matches no document
    bool keyKnown = true;                          //!< false: not even its key could be read
};

//! Reads to the End, or fails: never a part that looks like all.
Result<> eachSourceRow(BatchReader& reader, const Target& target, const TablePlan& plan, const std::function<Result<>(const SourceRow&)>& row, std::stop_token stop);
Result<> eachDocument(DocumentReader& reader, const std::function<Result<>(const ReadBack&)>& document, std::stop_token stop);

} // namespace millrace::verify
