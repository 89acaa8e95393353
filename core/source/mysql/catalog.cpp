#include "core/source/mysql/catalog.h"
#include "core/base/text.h"
#include "core/source/mysql/nativetype.h"
#include <algorithm>
#include <charconv>

namespace millrace::mysql {

namespace {

constexpr const char* systemSchemas = "('mysql', 'information_schema', 'performance_schema', 'sys')";

std::uint64_t toNumber(const std::optional<std::string>& text)
{
    std::uint64_t value = 0;
    if (text)
        std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

std::string text(const std::optional<std::string>& cell) { return cell.value_or(std::string()); }

bool says(const std::optional<std::string>& cell, std::string_view words) { return cell && lower(*cell).find(words) != std::string::npos; }

TableInfo* find(std::map<TableRef, TableInfo>& tables, const std::vector<std::optional<std::string>>& row)
{
    const auto found = tables.find({text(row[0]), text(row[1])});
    return found == tables.end() ? nullptr : &found->second;
}

ColumnInfo* findColumn(TableInfo& table, std::string_view name)
{
    const auto found = std::find_if(table.columns.begin(), table.columns.end(), [&](const ColumnInfo& c) { return c.name == name; });
    return found == table.columns.end() ? nullptr : &*found;
}

//! Replaces what recommend() chose where only this server can know better.
void dropLocalCursor(TableInfo& table)
{
    const ColumnInfo* cursor = table.column(table.recommended.cursor);
    if (!cursor || cursor->type != Type::DateTime)
        return;
    const std::string name = cursor->name;
    table.recommended = {Strategy::Full, "", {"local_time_cursor", name + " is in local time: a clock change would lose rows", {name}}};
    std::erase_if(table.warnings, [](const Message& m) { return m.id == "deletes_invisible" || m.id.starts_with("cursor_") || m.id == "fk_cascade"; });
    table.warnings.push_back({"no_cursor", "no updated_at in UTC", {}});
}

} // namespace

Result<std::vector<TableInfo>> Catalog::tables(std::string_view glob)
{
    const std::string& database = m_connection.config().database;
    auto all = read(database.empty() ? std::string("NOT IN ") + systemSchemas : "= " + m_connection.literal(database), {});
    if (!all)
        return all;
    if (!glob.empty())
        std::erase_if(*all, [&](const TableInfo& t) { return !globMatches(glob, t.ref.name) && !globMatches(glob, t.ref.schema + "." + t.ref.name); });
    recommend(*all);
    if (auto ok = addOwnFindings(*all); !ok)
        return std::move(ok).error();
    return all;
}

Result<TableInfo> Catalog::table(const TableRef& ref)
{
    auto found = read("= " + m_connection.literal(ref.schema), ref.name);
    if (!found)
        return std::move(found).error();
    std::erase_if(*found, [&](const TableInfo& t) { return t.ref != ref; });           // the comparison of names may fold case
    if (found->empty())
        return Error {Fault::Schema, "source.mysql.table_missing", "there is no table " + ref.schema + "." + ref.name + " that this account can see",
                      "Check the name, and SELECT on the table.", {}};
    if (auto ok = sampleFlags(found->front()); !ok)
        return std::move(ok).error();
    recommend(*found);
    if (auto ok = addOwnFindings(*found); !ok)
        return std::move(ok).error();
    return std::move(found->front());
}

Result<std::vector<TableInfo>> Catalog::read(const std::string& schemaCondition, const std::string& tableName)
{
    const auto where = [&](const char* alias) {
        std::string out = std::string(alias) + ".table_schema " + schemaCondition;
        if (!tableName.empty())
            out += " AND " + std::string(alias) + ".table_name = " + m_connection.literal(tableName);
        return out;
    };
    auto rows = m_connection.query("SELECT t.table_schema, t.table_name, t.table_type, t.engine, t.table_rows, t.data_length + t.index_length, t.create_options "
                                   "FROM information_schema.tables t WHERE t.table_type IN ('BASE TABLE', 'VIEW', 'SYSTEM VERSIONED') AND " + where("t"));
    if (!rows)
        return std::move(rows).error();
    std::map<TableRef, TableInfo> tables;
    for (const auto& row : *rows) {
        TableInfo& table = tables[{text(row[0]), text(row[1])}];
        table.ref = {text(row[0]), text(row[1])};
        table.kind = says(row[2], "view") ? TableKind::View : says(row[6], "partitioned") ? TableKind::PartitionedTable : TableKind::Table;
        if (row[4]) table.rowsEstimate = toNumber(row[4]);
        if (row[5]) table.bytes = toNumber(row[5]);
        // no snapshot and no transactions there: said once, here, because later only the rows would show it
        if (table.kind != TableKind::View && row[3] && !says(row[3], "innodb") && !says(row[3], "rocksdb"))
            table.warnings.push_back({"not_transactional", "engine " + *row[3] + " has no snapshots: rows that change during a copy are read again", {*row[3]}});
    }
    if (auto ok = readColumns(tables, where("c")); !ok) return std::move(ok).error();
    if (auto ok = readIndexes(tables, where("s")); !ok) return std::move(ok).error();
    if (auto ok = readForeignKeys(tables, where("k")); !ok) return std::move(ok).error();
    readJsonChecks(tables, schemaCondition, tableName);
    std::vector<TableInfo> out;
    for (auto& [ref, table] : tables) {
        table.key = chooseKey(table);
        out.push_back(std::move(table));
    }
    return out;
}

Result<> Catalog::readColumns(std::map<TableRef, TableInfo>& tables, const std::string& where)
{
    auto rows = m_connection.query("SELECT c.table_schema, c.table_name, c.column_name, c.column_type, c.is_nullable, c.extra, c.character_set_name, "
                                   "c.generation_expression = 'ROW END' "
                                   "FROM information_schema.columns c WHERE " + where + " ORDER BY c.table_schema, c.table_name, c.ordinal_position");
    if (!rows)
        return std::move(rows).error();
    for (const auto& row : *rows) {
        TableInfo* table = find(tables, row);
        if (!table)
            continue;
        ColumnInfo column;
        column.name = text(row[2]);
        column.nativeType = text(row[3]);
        column.nullable = says(row[4], "yes");
        column.generated = says(row[5], "generated");
        column.autoUpdated = says(row[5], "on update");
        column.charset = text(row[6]);
        describeNative(column);
        if (row[7] == "1")
            m_rowEnds[table->ref] = column.name;
        table->columns.push_back(std::move(column));
    }
    return {};
}

Result<> Catalog::readIndexes(std::map<TableRef, TableInfo>& tables, const std::string& where)
{
    auto rows = m_connection.query("SELECT s.table_schema, s.table_name, s.index_name, s.non_unique, s.column_name, s.sub_part, s.index_type "
                                   "FROM information_schema.statistics s WHERE " + where + " ORDER BY s.table_schema, s.table_name, s.index_name, s.seq_in_index");
    if (!rows)
        return std::move(rows).error();
    for (const auto& row : *rows) {
        TableInfo* table = find(tables, row);
        if (!table || says(row[6], "fulltext") || says(row[6], "spatial") || says(row[6], "vector"))
            continue;                                  // some engines name no type at all
        const std::string name = text(row[2]);
        // A system-versioned table has it in each of its keys, for the rows of the past; the current ones all end at the same time.
        if (const auto end = m_rowEnds.find(table->ref); end != m_rowEnds.end() && row[4] == end->second)
            continue;
        if (name == "PRIMARY") {
            table->primaryKey.push_back(text(row[4]));
            continue;
        }
        if (table->indexes.empty() || table->indexes.back().name != name)
            table->indexes.push_back({name, {}, toNumber(row[3]) == 0});
        IndexInfo& index = table->indexes.back();
        index.columns.push_back(text(row[4]));
        if (!row[4] || row[5])                     // over an expression, or over the first characters only: nothing to page by
            index.unique = false;
    }
    return {};
}

Result<> Catalog::readForeignKeys(std::map<TableRef, TableInfo>& tables, const std::string& where)
{
    auto rows = m_connection.query("SELECT k.table_schema, k.table_name, k.constraint_name, k.column_name, k.referenced_table_schema, k.referenced_table_name, "
                                   "k.referenced_column_name, r.delete_rule, r.update_rule FROM information_schema.key_column_usage k "
                                   "JOIN information_schema.referential_constraints r ON r.constraint_schema = k.constraint_schema "
                                   "AND r.constraint_name = k.constraint_name AND r.table_name = k.table_name "
                                   "WHERE k.referenced_table_name IS NOT NULL AND " + where
                                   + " ORDER BY k.table_schema, k.table_name, k.constraint_name, k.ordinal_position");
    if (!rows)
        return std::move(rows).error();
    const TableInfo* last = nullptr;
    std::string lastName;
    for (const auto& row : *rows) {
        TableInfo* table = find(tables, row);
        if (!table)
            continue;
        if (table != last || lastName != text(row[2])) {
            const std::string parent = text(row[4]) == table->ref.schema ? text(row[5]) : text(row[4]) + "." + text(row[5]);
            table->foreignKeys.push_back({{}, parent, {}, lower(text(row[7])), lower(text(row[8]))});
        }
        last = table;
        lastName = text(row[2]);
        table->foreignKeys.back().columns.push_back(text(row[3]));
        table->foreignKeys.back().references.push_back(text(row[6]));
    }
    return {};
}

// MariaDB's JSON is a LONGTEXT with a check; where the checks cannot be read, the column stays text.
void Catalog::readJsonChecks(std::map<TableRef, TableInfo>& tables, const std::string& schemaCondition, const std::string& tableName)
{
    if (!m_connection.mariadb())
        return;
    std::string sql = "SELECT constraint_schema, table_name, check_clause FROM information_schema.check_constraints WHERE constraint_schema " + schemaCondition
                    + " AND check_clause LIKE 'json\\_valid(%'";
    if (!tableName.empty())
        sql += " AND table_name = " + m_connection.literal(tableName);
    const auto rows = m_connection.query(sql);
    if (!rows)
        return;
    for (const auto& row : *rows) {
        TableInfo* table = find(tables, row);
        const std::string clause = text(row[2]);   // json_valid(`doc`)
        const auto open = clause.find('`'), close = clause.rfind('`');
        if (!table || open == std::string::npos || close <= open || clause.substr(close) != "`)")
            continue;
        std::string name = clause.substr(open + 1, close - open - 1);
        for (std::size_t at = 0; (at = name.find("``", at)) != std::string::npos; ++at)
            name.erase(at, 1);
        if (ColumnInfo* column = findColumn(*table, name); column && column->type == Type::Text)
            column->type = Type::Json;
    }
}

// TINYINT(1) is how MySQL spells BOOLEAN, and also how people spell small numbers. The first and the last 20,000 rows are looked at in one
// statement, some tens of milliseconds; a value beyond 1 elsewhere is not lost, because the reader rejects it in a bool column.
Result<> Catalog::sampleFlags(TableInfo& table)
{
    std::vector<ColumnInfo*> flags;
    for (ColumnInfo& column : table.columns)
        if (column.type == Type::Bool && parseNativeType(column.nativeType).base == "tinyint")
            flags.push_back(&column);
    if (flags.empty() || table.kind == TableKind::View)             // a view may take any time to compute
        return {};
    std::vector<std::string> names, answers, backwards;
    for (const ColumnInfo* column : flags) {
        names.push_back(quotedName(column->name));
        answers.push_back("MAX(" + names.back() + " NOT IN (0, 1))");
    }
    for (const std::string& key : table.key)
        backwards.push_back(quotedName(key) + " DESC");
    const std::string rows = "SELECT " + join(names, ", ") + " FROM " + quotedName(table.ref);
    std::string sample = "(" + rows + " LIMIT 20000)";
    if (!backwards.empty())
        sample += " UNION ALL (" + rows + " ORDER BY " + join(backwards, ", ") + " LIMIT 20000)";
    auto found = m_connection.query("SELECT " + join(answers, ", ") + " FROM (" + sample + ") sample");
    if (!found)
        return std::move(found).error().in("table " + table.ref.name);
    for (std::size_t i = 0; i < flags.size(); ++i)
        if (toNumber((*found)[0][i]) == 1)
            flags[i]->type = Type::Int;
    return {};
}

Result<> Catalog::addOwnFindings(std::vector<TableInfo>& tables)
{
    const auto utc = serverInUtc();
    if (!utc)
        return utc.error();
    const auto sees = seesTransactions();
    if (!sees)
        return sees.error();
    const auto lag = hidesLag();
    if (!lag)
        return lag.error();
    for (TableInfo& table : tables) {
        if (!*utc)
            dropLocalCursor(table);
        if (*lag && table.recommended.strategy == Strategy::Timestamp)
            table.warnings.push_back({"replica_lag_unseen", "the server is read only, perhaps a replica, and its lag cannot be seen: rows that arrive late are missed", {}});
        if (!*sees && table.recommended.strategy == Strategy::Timestamp)
            table.warnings.push_back({"best_effort_horizon", "open transactions cannot be seen: a commit later than ten minutes is missed", {}});
    }
    return {};
}

// Two days half a year apart, because a zone like London's is UTC for one of them.
Result<bool> Catalog::serverInUtc()
{
    auto rows = m_connection.query("SELECT CONVERT_TZ('2024-01-15 12:00:00', @@global.time_zone, '+00:00') = '2024-01-15 12:00:00' "
                                   "AND CONVERT_TZ('2024-07-15 12:00:00', @@global.time_zone, '+00:00') = '2024-07-15 12:00:00'");
    if (!rows)
        return std::move(rows).error();
    return toNumber((*rows)[0][0]) == 1;
}

Result<bool> Catalog::seesTransactions()
{
    auto rows = m_connection.query("SELECT 1 FROM information_schema.innodb_trx LIMIT 1");
    if (rows)
        return true;
    if (rows.error().fault == Fault::Auth)
        return false;
    return std::move(rows).error();
}

Result<bool> Catalog::hidesLag()
{
    auto rows = m_connection.query("SELECT @@global.read_only");
    if (!rows)
        return std::move(rows).error();
    if (rows->empty() || text((*rows)[0][0]) == "0" || says((*rows)[0][0], "off"))
        return false;
    const auto seen = m_connection.exec("SHOW REPLICA STATUS");
    return !seen && seen.error().fault == Fault::Auth;
}

Result<std::string> Catalog::columnType(const TableRef& ref, const std::string& column, bool* nullable)
{
    auto rows = m_connection.query("SELECT column_type, is_nullable FROM information_schema.columns WHERE table_schema = " + m_connection.literal(ref.schema)
                                   + " AND table_name = " + m_connection.literal(ref.name) + " AND column_name = " + m_connection.literal(column));
    if (!rows)
        return std::move(rows).error();
    if (rows->empty())
        return Error {Fault::Schema, "source.mysql.table_altered", ref.schema + "." + ref.name + " has no column " + column, "Check the sync's definition of this table.", {}};
    if (nullable)
        *nullable = says((*rows)[0][1], "yes");
    return text((*rows)[0][0]);
}

Result<std::string> Catalog::engineOf(const TableRef& ref)
{
    auto rows = m_connection.query("SELECT engine FROM information_schema.tables WHERE table_schema = " + m_connection.literal(ref.schema) + " AND table_name = "
                                   + m_connection.literal(ref.name));
    if (!rows)
        return std::move(rows).error();
    return rows->empty() ? std::string() : text((*rows)[0][0]);
}

} // namespace millrace::mysql
