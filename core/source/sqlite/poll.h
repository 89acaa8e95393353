#pragma once
#include "core/base/clock.h"
#include "core/engine/source.h"
#include "core/source/sqlite/config.h"

namespace millrace::sqlitesource {

// Following a table by its cursor column.
//
// A poll reads `cursor >= lower` up to the largest cursor of its first view, in the order (cursor, key), and hands on the next lower
// bound: min(largest cursor seen, the clock then) - overlap. What is committed later than that view carries the time of its own
// transaction, which began after the view unless a writer was at work during it. SQLite has one writer at a time, so:
//   - rollback journal: the reserved lock tells whether one was. Then the bound stays where it was until that writer has ended, which
//     the file's change counter tells (only the one writer can have moved it). An unchanged counter also means: nothing to read.
//   - WAL: a writer cannot be seen without disturbing it, so the bound looks back another 60 s. Best effort: a transaction that is
//     open for longer can commit rows below the bound; verify finds them.
// A row dated into the future cannot push the bound beyond the clock; it is read again at each poll until its time has come.
// Rows without a time are read at each poll.

Result<Position> markTable(const Config& config, const TablePlan& plan, const Clock& clock);
Result<std::unique_ptr<BatchReader>> openPoll(const Config& config, TablePlanPtr plan, const Position& from, std::shared_ptr<const Clock> clock);
//! Why the cursor (or the deleted-rows table) cannot be followed, or nothing.
Result<> checkCursors(const Config& config, const TablePlan& plan);

} // namespace millrace::sqlitesource
