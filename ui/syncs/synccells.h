#pragma once
#include "core/engine/snapshot.h"
#include "ui/widgets/cellinfo.h"
#include <QVariant>

namespace millrace::ui {

enum class SyncColumn : int { Name, State, Progress, Rows, Rate, Lag, LastSync, NextRun, Strategy, Failed, Verified, Target, Count };

//! What the cells of page Syncs say. Pure functions of the snapshot, so that tests can ask them directly.
QString syncColumnTitle(SyncColumn column);
bool rightAligned(SyncColumn column);
CellInfo tableCell(const SyncView& sync, const TableView& table, SyncColumn column, std::int64_t nowMs);
CellInfo jobCell(const SyncView& sync, SyncColumn column, std::int64_t nowMs, bool demo);
QVariant tableSortKey(const SyncView& sync, const TableView& table, SyncColumn column);
QVariant jobSortKey(const SyncView& sync, SyncColumn column);
QString tableTip(const SyncView& sync, const TableView& table, SyncColumn column, std::int64_t nowMs);

//! Worst of the tables by the rules of the state words; the sync's own state when it has none.
State jobState(const SyncView& sync);
//! The same figures added up over a job's tables (worst lag, summed rates).
TableView jobSum(const SyncView& sync);
//! "12 min 30 s left" as a range, or empty.
QString timeLeft(const TableView& table);

} // namespace millrace::ui
