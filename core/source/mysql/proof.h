#pragma once
#include "core/engine/source.h"
#include "core/source/mysql/connection.h"

namespace millrace::mysql {

//! Rows for proof: a session of its own, the text protocol, one plain SELECT and parsing of its own. Nothing of the writing path's reader
//! is used, so that a mistake there cannot hide here.
Result<std::unique_ptr<BatchReader>> openProof(const Config& config, TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys);

} // namespace millrace::mysql
