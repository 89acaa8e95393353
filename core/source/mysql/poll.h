#pragma once
#include "core/engine/source.h"
#include "core/source/mysql/connection.h"

namespace millrace::mysql {

//! A position before anything was polled.
Result<Position> markNow(const Config& config);

//! One poll by time: deleted rows first, then rows without a cursor, then the window of the cursor, all from one consistent snapshot. It
//! ends; the last batch carries the position of the next poll. Every batch carries a position to go on from within this poll.
Result<std::unique_ptr<BatchReader>> openPoll(const Config& config, TablePlanPtr plan, const Position& from);

//! A condition, never NULL, that holds for the rows a poll from `from` may bring.
Result<std::string> changedSince(Connection& connection, const TablePlan& plan, const Position& from);

} // namespace millrace::mysql
