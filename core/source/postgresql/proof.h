#pragma once
#include "core/engine/source.h"
#include "core/source/postgresql/connection.h"

namespace millrace::postgresql {

//! Rows for proof: a session of its own, the text protocol, one plain SELECT and parsing of its own; arrays, composites and hstores come
//! as the server's JSON. Nothing of the writing path's reader is used, so that a mistake there cannot hide here.
Result<std::unique_ptr<BatchReader>> openProof(const Config& config, TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys);

} // namespace millrace::postgresql
