#include "core/engine/discovery.h"
#include "core/base/text.h"
#include <algorithm>
#include <array>
#include <tuple>

namespace millrace {

namespace {

// Lower case, without '_'; the order is the preference among columns that are alike otherwise. Creation times are not here on purpose.
constexpr std::array cursorNames {
    "updatedat", "modifiedat", "changedat", "lastupdate", "lastupdated", "lastmodified", "lastchanged", "lastchange", "updatetime",
    "updatedtime", "modifiedtime", "modifytime", "changetime", "updatedon", "modifiedon", "changedon", "updateddate", "updatedate",
    "modifieddate", "dateupdated", "datemodified", "updatedts", "updatets", "modifiedts", "updated", "modified", "changed", "mtime"};

int nameRank(std::string_view name)
{
    std::string plain = lower(name);
    std::erase(plain, '_');
    const auto at = std::find(cursorNames.begin(), cursorNames.end(), plain);
    return at == cursorNames.end() ? -1 : static_cast<int>(at - cursorNames.begin());
}

bool leadsAnIndex(const TableInfo& table, const std::string& column)
{
    if (!table.primaryKey.empty() && table.primaryKey.front() == column)
        return true;
    return std::any_of(table.indexes.begin(), table.indexes.end(), [&](const IndexInfo& i) { return !i.columns.empty() && i.columns.front() == column; });
}

const ColumnInfo* chooseCursor(const TableInfo& table)
{
    const ColumnInfo* best = nullptr;
    std::tuple<bool, bool, bool, bool, int> most;
    for (const ColumnInfo& column : table.columns) {
        const int rank = nameRank(column.name);
        const bool instant = column.type == Type::Timestamp || column.type == Type::DateTime;
        // a number or a text that merely has the right name may be anything; only the source can say that it is a cursor
        if (!column.autoUpdated && !(instant && rank >= 0))
            continue;
        const std::tuple candidate(column.autoUpdated, leadsAnIndex(table, column.name), rank >= 0, column.type == Type::Timestamp, -rank);
        if (!best || candidate > most) {
            best = &column;
            most = candidate;
        }
    }
    return best;
}

bool changesRowsHere(const std::string& action)
{
    const std::string word = lower(action);
    return word == "cascade" || word == "set null" || word == "set default";
}

const ForeignKey* cascade(const TableInfo& table)
{
    const auto found = std::find_if(table.foreignKeys.begin(), table.foreignKeys.end(),
        [](const ForeignKey& key) { return changesRowsHere(key.onDelete) || changesRowsHere(key.onUpdate); });
    return found == table.foreignKeys.end() ? nullptr : &*found;
}

void warn(TableInfo& table, std::string id, std::string text, std::vector<std::string> args = {})
{
    std::erase_if(table.warnings, [&](const Message& m) { return m.id == id; });        // discovered again: said once
    table.warnings.push_back({std::move(id), std::move(text), std::move(args)});
}

void recommendFull(TableInfo& table, bool hasCursor)
{
    table.recommended = {};
    if (table.kind == TableKind::View || table.kind == TableKind::MaterializedView) {
        table.recommended.reason = {"view", "views have no log and no key", {}};
        warn(table, "view_without_key", "a view has no key by itself: name one, or it is rebuilt and swapped", {});
        return;
    }
    if (table.key.empty()) {
        table.recommended.reason = {"no_key", "no key to match rows by: rebuild and swap", {}};
        warn(table, "no_key", "no primary key");
        return;
    }
    if (hasCursor)
        return;
    table.recommended.reason = {"no_cursor", "no cursor column; all rows rebuild each time", {}};
    if (table.rowsEstimate) {
        const std::string rows = grouped(*table.rowsEstimate);
        table.recommended.reason = {"no_cursor_rows", "no cursor column; about " + rows + " rows rebuild each time", {rows}};
    }
    warn(table, "no_cursor", "no updated_at");
}

void recommendTimestamp(TableInfo& table, const ColumnInfo& cursor)
{
    const bool indexed = leadsAnIndex(table, cursor.name);
    const ForeignKey* parent = cascade(table);
    Message reason;
    // "always moves" is said only where the database itself moves the column and no cascade writes past it
    if (cursor.autoUpdated && !parent)
        reason = indexed ? Message {"cursor_indexed_moves", cursor.name + " is indexed and always moves", {cursor.name}}
                         : Message {"cursor_moves", cursor.name + " always moves", {cursor.name}};
    else if (cursor.autoUpdated)
        reason = {"cursor_moves_but_cascades", cursor.name + " moves with every statement on this table", {cursor.name}};
    else
        reason = indexed ? Message {"cursor_indexed_by_name", cursor.name + " is indexed; the application has to move it", {cursor.name}}
                         : Message {"cursor_by_name", cursor.name + " looks like the time of the last change; the application has to move it", {cursor.name}};
    table.recommended = {Strategy::Timestamp, cursor.name, std::move(reason)};

    if (!indexed)
        warn(table, "cursor_without_index", cursor.name + " has no index: every poll reads the whole table", {cursor.name});
    if (cursor.nullable)
        warn(table, "cursor_nullable", cursor.name + " can be null: rows without it are read at every poll", {cursor.name});
    warn(table, "deletes_invisible", "deletes invisible");
    if (parent)
        warn(table, "fk_cascade", "changes that cascade from " + parent->table + " do not move " + cursor.name, {parent->table, cursor.name});
}

} // namespace

std::string_view tableKindName(TableKind kind)
{
    switch (kind) {
    case TableKind::Table: return "table";
    case TableKind::View: return "view";
    case TableKind::MaterializedView: return "materialized_view";
    case TableKind::PartitionedTable: return "partitioned_table";
    }
    return "table";
}

const ColumnInfo* TableInfo::column(std::string_view name) const
{
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ColumnInfo& c) { return c.name == name; });
    return found == columns.end() ? nullptr : &*found;
}

std::vector<std::string> chooseKey(const TableInfo& table)
{
    if (!table.primaryKey.empty())
        return table.primaryKey;
    const IndexInfo* best = nullptr;
    for (const IndexInfo& index : table.indexes) {
        const bool usable = index.unique && !index.columns.empty() && std::all_of(index.columns.begin(), index.columns.end(), [&](const std::string& name) {
            const ColumnInfo* column = table.column(name);
            return column && !column->nullable;          // NULLs are not equal: such an index does not keep rows apart
        });
        if (usable && (!best || std::pair(index.columns.size(), index.name) < std::pair(best->columns.size(), best->name)))
            best = &index;
    }
    return best ? best->columns : std::vector<std::string>();
}

void recommend(std::vector<TableInfo>& tables)
{
    for (TableInfo& table : tables) {
        table.key = chooseKey(table);
        const ColumnInfo* cursor = chooseCursor(table);
        if (cursor && !table.key.empty())
            recommendTimestamp(table, *cursor);
        else
            recommendFull(table, cursor != nullptr);
    }
}

} // namespace millrace
