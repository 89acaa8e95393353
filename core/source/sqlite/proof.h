#pragma once
#include "core/engine/source.h"
#include "core/source/sqlite/config.h"

namespace millrace::sqlitesource {

//! Rows for proof only: another connection, other statements and another decoding than the reader's. It shares the value model (the
//! parsers and text forms of core/data) and nothing of cell.h, walk.h, reader.h or poll.h.
Result<std::unique_ptr<BatchReader>> openProof(const Config& config, TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys);

} // namespace millrace::sqlitesource
