#pragma once
#include "core/engine/source.h"
#include "core/source/postgresql/connection.h"

namespace millrace::postgresql {

//! A position before anything was polled.
Result<Position> markNow(const Config& config);

//! One poll by time: deleted rows first, then rows without a (finite) cursor, then the window of the cursor, all from one snapshot. It
//! ends; the last batch carries the position of the next poll. Every batch carries a position to go on from within this poll.
Result<std::unique_ptr<BatchReader>> openPoll(const Config& config, TablePlanPtr plan, const Position& from);

TableRef deletedTable(const TablePlan& plan);

} // namespace millrace::postgresql
