#pragma once
#include "core/engine/source.h"
#include "core/source/sqlite/config.h"
#include <sqlite3.h>

namespace millrace::sqlitesource {

//! One view of one table. WAL: one read transaction for its whole life. Rollback journal: one per chunk where an index gives the key's
//! order, because a reader would block writers; moved() then tells.
Result<std::unique_ptr<Snapshot>> openSnapshot(const Config& config, TablePlanPtr plan);

//! `"film"."a", "film"."b"`: the plan's columns. Qualified, because a bare "name" that is gone would be read as a string.
std::vector<std::string> columnList(const TablePlan& plan);
//! Where `expression` stands in `columns`; one that is not there is added. A result has no more columns than a table may have.
int placeIn(std::vector<std::string>& columns, const std::string& expression);
//! True, non-zero or a non-null time: the row counts as deleted.
bool isDeleted(sqlite3_value* value);

constexpr std::size_t batchBytes = 4u << 20;

} // namespace millrace::sqlitesource
