#include "core/source/sqlite/catalog.h"
#include "core/base/text.h"
#include "core/source/sqlite/declared.h"
#include <algorithm>
#include <charconv>
#include <map>
#include <set>

namespace millrace::sqlitesource {

namespace {

using Tables = std::map<std::string, TableInfo, std::less<>>;

// Shadow tables of virtual ones and SQLite's own stay out. ?1, where there is one, is the table's name: told to the list itself, because
// SQLite makes the list of all tables before it looks at a WHERE, and that for each of a thousand tables would be a million.
const std::string listed = " l WHERE l.schema = 'main' AND l.type IN ('table', 'view', 'virtual') AND l.name NOT LIKE 'sqlite\\_%' ESCAPE '\\'";

std::string tableList(const std::string& joined, std::string_view only)
{
    std::string out = listed;
    out.insert(out.find(" WHERE"), joined);
    return only.empty() ? "pragma_table_list" + out : "pragma_table_list(?1)" + out + " AND l.name = ?1";
}

Result<Statement> query(Connection& connection, const std::string& columns, const std::string& joined, const std::string& rest, std::string_view only)
{
    auto statement = connection.prepare("SELECT " + columns + " FROM " + tableList(joined, only) + rest);
    if (statement && !only.empty())
        statement->bind(1, only);
    return statement;
}

template <class Row> Result<> each(Result<Statement> statement, Row row)
{
    if (!statement)
        return std::move(statement).error();
    for (;;) {
        auto more = statement->step();
        if (!more)
            return std::move(more).error();
        if (!*more)
            return {};
        row(*statement);
    }
}

Result<> readNames(Connection& connection, std::string_view only, std::string_view glob, Tables& tables, std::set<std::string>& withoutRowid)
{
    return each(query(connection, "l.name, l.type, l.wr", "", "", only), [&](Statement& row) {
        TableInfo table;
        table.ref = {"main", row.text(0)};
        table.kind = row.text(1) == "view" ? TableKind::View : TableKind::Table;
        if (!glob.empty() && !globMatches(glob, table.ref.name) && !globMatches(glob, "main." + table.ref.name))
            return;
        if (row.integer(2))
            withoutRowid.insert(table.ref.name);
        tables.emplace(table.ref.name, std::move(table));
    });
}

Result<> readColumns(Connection& connection, std::string_view only, Tables& tables, const std::set<std::string>& withoutRowid)
{
    std::map<std::string, std::vector<std::pair<std::int64_t, std::string>>> keys;
    auto read = each(query(connection, "l.name, x.name, x.type, x.\"notnull\", x.pk, x.hidden", " JOIN pragma_table_xinfo(l.name, 'main') x", "", only), [&](Statement& row) {
        const auto table = tables.find(row.text(0));
        if (table == tables.end() || row.integer(5) == 1)         // 1: hidden column of a virtual table
            return;
        ColumnInfo column;
        column.name = row.text(1);
        column.nativeType = row.text(2);
        const Declared declared = readDeclared(column.nativeType);
        column.type = declared.type;
        column.scale = declared.scale;
        column.precision = declared.precision;
        column.nullable = row.integer(3) == 0;
        column.generated = row.integer(5) == 2 || row.integer(5) == 3;
        if (const auto place = row.integer(4))
            keys[table->first].emplace_back(place, column.name);
        table->second.columns.push_back(std::move(column));
    });
    if (!read)
        return read;
    for (auto& [name, key] : keys) {
        TableInfo& table = tables.find(name)->second;
        std::sort(key.begin(), key.end());
        for (auto& [place, column] : key)
            table.primaryKey.push_back(column);
        // INTEGER PRIMARY KEY is the rowid itself and is never NULL, whatever it says; keys of WITHOUT ROWID tables neither.
        for (ColumnInfo& column : table.columns)
            if ((withoutRowid.contains(name) && std::find(table.primaryKey.begin(), table.primaryKey.end(), column.name) != table.primaryKey.end())
                || (table.primaryKey.size() == 1 && column.name == table.primaryKey[0] && lower(column.nativeType) == "integer"))
                column.nullable = false;
    }
    return {};
}

Result<> readIndexes(Connection& connection, std::string_view only, Tables& tables)
{
    std::set<std::pair<std::string, std::string>> expressions;
    auto read = each(query(connection, "l.name, i.name, i.\"unique\" AND NOT i.partial, k.name, k.cid",
                           " JOIN pragma_index_list(l.name, 'main') i JOIN pragma_index_xinfo(i.name, 'main') k", " AND k.key = 1 ORDER BY l.name, i.name, k.seqno", only),
        [&](Statement& row) {
            const auto table = tables.find(row.text(0));
            if (table == tables.end())
                return;
            auto& indexes = table->second.indexes;
            const std::string name = row.text(1);
            if (indexes.empty() || indexes.back().name != name)
                indexes.push_back({name, {}, row.integer(2) != 0});
            if (row.integer(4) < 0 && row.isNull(3))
                expressions.emplace(table->first, name);
            indexes.back().columns.push_back(row.text(3));
        });
    for (const auto& [table, name] : expressions)
        std::erase_if(tables.find(table)->second.indexes, [&](const IndexInfo& index) { return index.name == name; });
    return read;
}

Result<> readForeignKeys(Connection& connection, std::string_view only, Tables& tables)
{
    std::string last;
    return each(query(connection, "l.name, f.id, f.\"table\", f.\"from\", f.\"to\", f.on_update, f.on_delete", " JOIN pragma_foreign_key_list(l.name, 'main') f",
                      " ORDER BY l.name, f.id DESC, f.seq", only), [&](Statement& row) {
        const auto table = tables.find(row.text(0));
        if (table == tables.end())
            return;
        auto& keys = table->second.foreignKeys;
        const std::string id = table->first + "\n" + row.text(1);
        if (id != last)
            keys.push_back({{}, row.text(2), {}, lower(row.text(6)), lower(row.text(5))});
        last = id;
        keys.back().columns.push_back(row.text(3));
        if (!row.isNull(4))
            keys.back().references.push_back(row.text(4));
        else if (const auto parent = tables.find(row.text(2)); parent != tables.end() && keys.back().columns.size() <= parent->second.primaryKey.size())
            keys.back().references.push_back(parent->second.primaryKey[keys.back().columns.size() - 1]);
    });
}

// ANALYZE leaves "rows n1 n2 ..." per index; a partial index says less than the table has.
Result<> readEstimates(Connection& connection, Tables& tables)
{
    auto there = connection.word("SELECT count(*) FROM sqlite_master WHERE name = 'sqlite_stat1'");
    if (!there)
        return std::move(there).error();
    if (*there == "0")
        return {};
    return each(connection.prepare("SELECT tbl, stat FROM sqlite_stat1"), [&](Statement& row) {
        const auto table = tables.find(row.text(0));
        if (table == tables.end())
            return;
        std::uint64_t rows = 0;
        const std::string stat = row.text(1);
        std::from_chars(stat.data(), stat.data() + stat.size(), rows);
        auto& estimate = table->second.rowsEstimate;
        estimate = std::max(estimate.value_or(0), rows);
    });
}

// One broken view makes every query over all of them fail: then each is asked alone, and the broken ones say so.
Result<> readColumnsOneByOne(Connection& connection, Tables& tables, const std::set<std::string>& withoutRowid)
{
    for (auto& [name, table] : tables) {
        table.columns.clear();
        table.primaryKey.clear();
        if (auto read = readColumns(connection, name, tables, withoutRowid); !read) {
            table.columns.clear();
            table.warnings.push_back({"unreadable", "cannot be read: " + read.error().detail, {read.error().detail}});
        }
    }
    return {};
}

Result<Tables> readAll(Connection& connection, std::string_view only, std::string_view glob)
{
    Tables tables;
    std::set<std::string> withoutRowid;
    if (auto read = readNames(connection, only, glob, tables, withoutRowid); !read)
        return std::move(read).error();
    if (auto read = readColumns(connection, only, tables, withoutRowid); !read) {
        if (!only.empty() || read.error().fault != Fault::Config)
            return std::move(read).error();
        if (auto again = readColumnsOneByOne(connection, tables, withoutRowid); !again)
            return std::move(again).error();
    }
    if (auto read = readIndexes(connection, only, tables); !read)
        return std::move(read).error();
    if (auto read = readForeignKeys(connection, only, tables); !read)
        return std::move(read).error();
    if (auto read = readEstimates(connection, tables); !read)
        return std::move(read).error();
    return tables;
}

} // namespace

Result<std::vector<TableInfo>> readCatalog(Connection& connection, std::string_view glob)
{
    auto tables = readAll(connection, {}, glob);
    if (!tables)
        return std::move(tables).error();
    std::vector<TableInfo> out;
    for (auto& [name, table] : *tables)
        out.push_back(std::move(table));
    return out;
}

Result<TableInfo> readTable(Connection& connection, const TableRef& table)
{
    auto tables = readAll(connection, table.name, {});
    if (!tables)
        return std::move(tables).error();
    const auto found = tables->find(table.name);
    if (found == tables->end())
        return Error{Fault::Schema, "source.sqlite.table_missing", "There is no table or view '" + table.name + "' in " + connection.path() + ".",
                     "Restore it, or take it out of the sync.", {}};
    return std::move(found->second);
}

Result<WalkOrder> keyOrder(Connection& connection, const TableRef& table, const std::vector<std::string>& key)
{
    auto info = readTable(connection, table);
    if (!info)
        return std::move(info).error();
    WalkOrder order;
    // The index that makes these columns unique, and under which collation. 'a' and 'A' may both be keys of a NOCASE column.
    std::map<std::string, std::string> collations;
    if (info->kind == TableKind::Table) {
        auto statement = connection.prepare("SELECT i.name, k.name, k.coll FROM pragma_index_list(?1, 'main') i JOIN pragma_index_xinfo(i.name, 'main') k"
                                            " WHERE k.key = 1 AND i.\"unique\" AND NOT i.partial ORDER BY i.origin = 'pk' DESC, i.name, k.seqno");
        if (!statement)
            return std::move(statement).error();
        statement->bind(1, table.name);
        std::vector<std::pair<std::string, std::vector<std::pair<std::string, std::string>>>> indexes;
        if (auto read = each(std::move(statement), [&](Statement& row) {
                if (indexes.empty() || indexes.back().first != row.text(0))
                    indexes.push_back({row.text(0), {}});
                indexes.back().second.emplace_back(row.text(1), row.text(2));
            }); !read)
            return std::move(read).error();
        for (const auto& [name, columns] : indexes) {
            const bool same = columns.size() == key.size() && std::equal(key.begin(), key.end(), columns.begin(), [](const auto& k, const auto& c) { return k == c.first; });
            if (!same)
                continue;
            collations.insert(columns.begin(), columns.end());
            order.indexed = true;
            break;
        }
        const bool rowid = info->primaryKey == key && key.size() == 1 && info->column(key[0]) && lower(info->column(key[0])->nativeType) == "integer";
        order.indexed = order.indexed || rowid;
    }
    for (const auto& name : key) {
        const ColumnInfo* column = info->column(name);
        if (!column)
            return Error{Fault::Schema, "source.sqlite.table_altered", "The key column " + name + " of " + table.name + " is gone.", "Run a full sync of this table.", {}};
        std::string term = quotedName(table.name) + "." + quotedName(name);
        const char* own = nullptr;
        if (info->kind == TableKind::Table)
            sqlite3_table_column_metadata(connection.handle(), "main", table.name.c_str(), name.c_str(), nullptr, &own, nullptr, nullptr, nullptr);
        const auto wanted = collations.find(name);
        const std::string collation = wanted != collations.end() ? wanted->second : order.indexed ? std::string() : "BINARY";
        if (!collation.empty() && lower(collation) != lower(own ? own : "BINARY")) {
            term += " COLLATE " + quotedName(collation);
            order.collated = true;
        }
        order.terms.push_back(std::move(term));
        order.nullable.push_back(column->nullable);
    }
    return order;
}

Result<std::string> rowidName(Connection& connection, const TableRef& table)
{
    auto statement = connection.prepare("SELECT l.type = 'table' AND NOT l.wr FROM pragma_table_list(?1) l WHERE l.schema = 'main' AND l.name = ?1");
    if (!statement)
        return std::move(statement).error();
    statement->bind(1, table.name);
    auto row = statement->step();
    if (!row)
        return std::move(row).error();
    if (!*row || !statement->integer(0))
        return std::string();
    auto info = readTable(connection, table);
    if (!info)
        return std::move(info).error();
    for (const char* name : {"_rowid_", "rowid", "oid"})
        if (std::none_of(info->columns.begin(), info->columns.end(), [&](const ColumnInfo& c) { return lower(c.name) == name; }))
            return quotedName(table.name) + "." + name;
    return std::string();
}

} // namespace millrace::sqlitesource
