#include "core/source/postgresql/catalog.h"
#include "core/base/text.h"
#include "core/source/postgresql/sqltext.h"
#include "core/source/postgresql/triggers.h"
#include "core/source/postgresql/valuetype.h"
#include <algorithm>
#include <charconv>

namespace millrace::postgresql {

const char* const domainBase =
    "step(oid, type, modifier) AS (SELECT oid, typbasetype, typtypmod FROM pg_catalog.pg_type WHERE typtype = 'd' "
    "UNION ALL SELECT s.oid, t.typbasetype, t.typtypmod FROM step s JOIN pg_catalog.pg_type t ON t.oid = s.type WHERE t.typtype = 'd'), "
    "base(oid, type, modifier) AS (SELECT s.oid, s.type, s.modifier FROM step s JOIN pg_catalog.pg_type t ON t.oid = s.type WHERE t.typtype <> 'd')";

namespace {

template <class Number> Number toNumber(const std::optional<std::string>& text, Number otherwise = 0)
{
    Number value = otherwise;
    if (text)
        std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

std::string text(const std::optional<std::string>& cell) { return cell.value_or(std::string()); }
bool yes(const std::optional<std::string>& cell) { return cell == "t"; }

TableKind kindOf(const std::string& relkind)
{
    return relkind == "v" ? TableKind::View : relkind == "m" ? TableKind::MaterializedView : relkind == "p" ? TableKind::PartitionedTable : TableKind::Table;
}

const char* ruleOf(const std::string& letter)
{
    return letter == "c" ? "cascade" : letter == "n" ? "set null" : letter == "d" ? "set default" : letter == "r" ? "restrict" : "no action";
}

//! Replaces what recommend() chose where only this server can know better.
void readWhole(TableInfo& table, Message reason, Message warning)
{
    table.recommended = {Strategy::Full, "", std::move(reason)};
    std::erase_if(table.warnings, [](const Message& m) { return m.id == "deletes_invisible" || m.id.starts_with("cursor_") || m.id == "fk_cascade"; });
    table.warnings.push_back(std::move(warning));
}

} // namespace

Error privilegeMissing(const TableRef& ref, const Config& config)
{
    return {Fault::Auth, "source.postgresql.privilege", (config.user.empty() ? "this user" : config.user) + " may not read " + ref.schema + "." + ref.name,
            "GRANT USAGE ON SCHEMA " + quotedName(ref.schema) + " TO " + config.account() + "; GRANT SELECT ON " + quotedName(ref) + " TO " + config.account() + ";", {}};
}

Result<std::vector<TableInfo>> Catalog::tables(std::string_view glob)
{
    const std::string& schema = m_connection.config().schema;
    const std::string filter = "c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't' AND "
        + (schema.empty() ? std::string("n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'") : "n.nspname = " + literal(schema));
    auto found = read(filter);
    if (!found)
        return std::move(found).error();
    std::vector<TableInfo> all;
    for (auto& [oid, one] : *found)
        if (one.readable && (glob.empty() || globMatches(glob, one.info.ref.name) || globMatches(glob, one.info.ref.schema + "." + one.info.ref.name)))
            all.push_back(std::move(one.info));
    std::sort(all.begin(), all.end(), [](const TableInfo& a, const TableInfo& b) { return a.ref < b.ref; });
    recommend(all);
    if (auto ok = addOwnFindings(all); !ok)
        return std::move(ok).error();
    return all;
}

Result<TableInfo> Catalog::table(const TableRef& ref)
{
    auto found = read("c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname = " + literal(ref.schema) + " AND c.relname = " + literal(ref.name));
    if (!found)
        return std::move(found).error();
    if (found->empty())
        return Error {Fault::Schema, "source.postgresql.table_missing", "there is no table " + ref.schema + "." + ref.name, "Check the name; names are case-sensitive.", {}};
    Found& one = found->begin()->second;
    if (!one.readable)
        return privilegeMissing(ref, m_connection.config());
    std::vector<TableInfo> all;
    all.push_back(std::move(one.info));
    recommend(all);
    if (auto ok = addOwnFindings(all); !ok)
        return std::move(ok).error();
    return std::move(all.front());
}

// Sizes come from the planner's statistics: asking for the files themselves would wait for whoever has a table locked.
Result<Catalog::Tables> Catalog::read(const std::string& filter)
{
    auto rows = m_connection.query(
        "WITH RECURSIVE tree(root, oid) AS (SELECT inhparent, inhrelid FROM pg_catalog.pg_inherits UNION SELECT t.root, i.inhrelid FROM tree t JOIN pg_catalog.pg_inherits i ON i.inhparent = t.oid), "
        "size AS (SELECT m.root, sum(greatest(k.reltuples, 0)) AS rows, sum(k.relpages::bigint) AS pages, bool_or(k.reltuples < 0) AS unknown FROM tree m JOIN pg_catalog.pg_class k ON k.oid = m.oid "
        "WHERE k.relkind IN ('r', 'f', 'm') GROUP BY m.root) "
        "SELECT c.oid, n.nspname, c.relname, c.relkind, "
        "CASE WHEN c.relkind = 'v' OR coalesce(s.unknown, false) OR (c.relkind <> 'p' AND c.reltuples < 0) THEN NULL ELSE (greatest(c.reltuples, 0) * (c.relkind <> 'p')::int + coalesce(s.rows, 0))::bigint END, "
        "CASE WHEN c.relkind = 'v' THEN NULL ELSE (c.relpages::bigint + coalesce(s.pages, 0) + coalesce(t.relpages, 0)) * pg_catalog.current_setting('block_size')::bigint END, "
        "pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT')), "
        "c.relrowsecurity AND pg_catalog.row_security_active(c.oid), c.relkind IN ('r', 'f') AND s.root IS NOT NULL, "
        "EXISTS (SELECT FROM pg_catalog.pg_inherits i WHERE i.inhrelid = c.oid AND NOT c.relispartition), c.reltuples = 0 AND c.relpages = 0 AND c.relkind <> 'p' "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace LEFT JOIN size s ON s.root = c.oid LEFT JOIN pg_catalog.pg_class t ON t.oid = c.reltoastrelid AND c.reltoastrelid <> 0 "
        "WHERE " + filter);
    if (!rows)
        return std::move(rows).error();
    Tables tables;
    for (const auto& row : *rows) {
        Found& found = tables[toNumber<std::uint32_t>(row[0])];
        TableInfo& table = found.info;
        table.ref = {text(row[1]), text(row[2])};
        table.kind = kindOf(text(row[3]));
        if (row[4]) table.rowsEstimate = toNumber<std::uint64_t>(row[4]);
        if (row[5]) table.bytes = toNumber<std::uint64_t>(row[5]);
        if (yes(row[10]) && m_connection.number() < 140000)        // before version 14, never analysed looks like empty
            table.rowsEstimate.reset();
        found.readable = yes(row[6]);
        if (yes(row[7]))
            table.warnings.push_back({"row_security", "row-level security hides some rows from this user: they count as not there", {}});
        if (row[3] == "f")
            table.warnings.push_back({"foreign_table", "a foreign table: its rows come through this server from another one", {}});
        if (yes(row[8]))
            table.warnings.push_back({"inherited", "rows of the tables that inherit from it come too; no key holds across them, so a key that is there twice is parked", {}});
        if (yes(row[9]))
            table.warnings.push_back({"inherits", "its rows also come with the table that it inherits from", {}});
    }
    if (auto ok = readColumns(tables, filter); !ok) return std::move(ok).error();
    if (auto ok = readIndexes(tables, filter); !ok) return std::move(ok).error();
    if (auto ok = readForeignKeys(tables, filter); !ok) return std::move(ok).error();
    if (auto ok = readTriggers(tables, filter); !ok) return std::move(ok).error();
    for (auto& [oid, found] : tables)
        found.info.key = chooseKey(found.info);
    return tables;
}

Result<> Catalog::readColumns(Tables& tables, const std::string& filter)
{
    auto rows = m_connection.query(
        std::string("WITH RECURSIVE ") + domainBase
        + " SELECT c.oid, a.attname, pg_catalog.format_type(a.atttypid, a.atttypmod), a.attnotnull OR y.typnotnull, a.attgenerated <> '', coalesce(b.modifier, a.atttypmod), "
          "t.typname, tn.nspname, t.typtype, t.typoutput = 'pg_catalog.array_out'::pg_catalog.regproc, pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT') "
          "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
          "JOIN pg_catalog.pg_type y ON y.oid = a.atttypid LEFT JOIN base b ON b.oid = a.atttypid JOIN pg_catalog.pg_type t ON t.oid = coalesce(b.type, a.atttypid) "
          "JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace WHERE " + filter + " ORDER BY c.oid, a.attnum");
    if (!rows)
        return std::move(rows).error();
    for (const auto& row : *rows) {
        const auto found = tables.find(toNumber<std::uint32_t>(row[0]));
        if (found == tables.end())
            continue;
        TableInfo& table = found->second.info;
        if (!yes(row[10])) {
            std::erase_if(table.warnings, [](const Message& m) { return m.id == "columns_hidden"; });
            table.warnings.push_back({"columns_hidden", "this user may not read all columns: those stay out", {}});
            continue;
        }
        ColumnInfo column;
        column.name = text(row[1]);
        column.nativeType = text(row[2]);
        column.nullable = !yes(row[3]);
        column.generated = yes(row[4]);
        NativeType type;
        type.name = text(row[6]);
        type.schema = text(row[7]);
        type.kind = text(row[8]).empty() ? 'b' : text(row[8])[0];
        type.array = yes(row[9]);
        describeNative(column, type, toNumber<int>(row[5], -1));
        table.columns.push_back(std::move(column));
    }
    return {};
}

Result<> Catalog::readIndexes(Tables& tables, const std::string& filter)
{
    auto rows = m_connection.query(
        "SELECT c.oid, x.relname, i.indisprimary, i.indisunique AND i.indpred IS NULL AND i.indisvalid AND m.amname = 'btree', a.attname "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_index i ON i.indrelid = c.oid AND i.indisvalid "
        "JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid JOIN pg_catalog.pg_am m ON m.oid = x.relam "
        "CROSS JOIN LATERAL pg_catalog.unnest(i.indkey::pg_catalog.int2[]) WITH ORDINALITY k(attnum, place) LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.attnum AND k.attnum <> 0 "
        "WHERE k.place <= i.indnkeyatts AND " + filter + " ORDER BY c.oid, x.relname, k.place");
    if (!rows)
        return std::move(rows).error();
    for (const auto& row : *rows) {
        const auto found = tables.find(toNumber<std::uint32_t>(row[0]));
        if (found == tables.end())
            continue;
        TableInfo& table = found->second.info;
        if (yes(row[2])) {
            table.primaryKey.push_back(text(row[4]));
            continue;
        }
        const std::string name = text(row[1]);
        if (table.indexes.empty() || table.indexes.back().name != name)
            table.indexes.push_back({name, {}, yes(row[3])});
        table.indexes.back().columns.push_back(text(row[4]));
        if (!row[4])                                               // over an expression: nothing to page by
            table.indexes.back().unique = false;
    }
    // A key with a column that may not be read is none.
    for (auto& [oid, found] : tables)
        if (std::any_of(found.info.primaryKey.begin(), found.info.primaryKey.end(), [&t = found.info](const std::string& c) { return !t.column(c); }))
            found.info.primaryKey.clear();
    return {};
}

Result<> Catalog::readForeignKeys(Tables& tables, const std::string& filter)
{
    auto rows = m_connection.query(
        "SELECT c.oid, f.oid, a.attname, pn.nspname, p.relname, pa.attname, f.confdeltype, f.confupdtype FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_constraint f ON f.conrelid = c.oid AND f.contype = 'f' AND f.conparentid = 0 JOIN pg_catalog.pg_class p ON p.oid = f.confrelid "
        "JOIN pg_catalog.pg_namespace pn ON pn.oid = p.relnamespace CROSS JOIN LATERAL ROWS FROM (pg_catalog.unnest(f.conkey), pg_catalog.unnest(f.confkey)) WITH ORDINALITY k(mine, theirs, place) "
        "JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum = k.mine JOIN pg_catalog.pg_attribute pa ON pa.attrelid = p.oid AND pa.attnum = k.theirs "
        "WHERE " + filter + " ORDER BY c.oid, f.conname, k.place");
    if (!rows)
        return std::move(rows).error();
    std::string last;
    for (const auto& row : *rows) {
        const auto found = tables.find(toNumber<std::uint32_t>(row[0]));
        if (found == tables.end())
            continue;
        TableInfo& table = found->second.info;
        if (last != text(row[1])) {
            last = text(row[1]);
            ForeignKey& key = table.foreignKeys.emplace_back();
            key.table = text(row[3]) == table.ref.schema ? text(row[4]) : text(row[3]) + "." + text(row[4]);
            key.onDelete = ruleOf(text(row[6]));
            key.onUpdate = ruleOf(text(row[7]));
        }
        table.foreignKeys.back().columns.push_back(text(row[2]));
        table.foreignKeys.back().references.push_back(text(row[5]));
    }
    return {};
}

// PostgreSQL has no ON UPDATE: what always moves a column is a trigger before each update of each row.
Result<> Catalog::readTriggers(Tables& tables, const std::string& filter)
{
    auto rows = m_connection.query(
        "SELECT c.oid, p.prosrc, pg_catalog.encode(g.tgargs, 'escape') FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace "
        "JOIN pg_catalog.pg_trigger g ON g.tgrelid = c.oid JOIN pg_catalog.pg_proc p ON p.oid = g.tgfoid "
        "WHERE NOT g.tgisinternal AND g.tgenabled IN ('O', 'A') AND g.tgqual IS NULL AND pg_catalog.cardinality(g.tgattr::pg_catalog.int2[]) = 0 AND g.tgtype & 1 <> 0 AND g.tgtype & 2 <> 0 AND g.tgtype & 16 <> 0 AND "
        + filter);
    if (!rows)
        return std::move(rows).error();
    for (const auto& row : *rows)
        if (const auto found = tables.find(toNumber<std::uint32_t>(row[0])); found != tables.end())
            for (ColumnInfo& column : found->second.info.columns)
                column.autoUpdated = column.autoUpdated || ((column.type == Type::Timestamp || column.type == Type::DateTime) && triggerMoves(text(row[1]), text(row[2]), column.name));
    return {};
}

Result<> Catalog::addOwnFindings(std::vector<TableInfo>& tables)
{
    const auto utc = serverInUtc();
    if (!utc)
        return utc.error();
    const auto sees = seesActivity();
    if (!sees)
        return sees.error();
    const auto standby = inRecovery();
    if (!standby)
        return standby.error();
    for (TableInfo& table : tables) {
        if (table.recommended.strategy != Strategy::Timestamp)
            continue;
        const ColumnInfo* cursor = table.column(table.recommended.cursor);
        if (*standby)
            readWhole(table, {"standby", "a standby does not show the primary's open transactions: late commits would be missed", {}}, {"no_cursor", "no polling on a standby", {}});
        else if (cursor && cursor->type == Type::DateTime && !*utc)
            readWhole(table, {"local_time_cursor", cursor->name + " is in local time: a clock change would lose rows", {cursor->name}}, {"no_cursor", "no updated_at in UTC", {}});
        else if (!*sees)
            table.warnings.push_back({"best_effort_horizon", "when other users' transactions began cannot be seen: one that was open for more than an hour at the first sync is missed", {}});
    }
    return {};
}

// Two days half a year apart, because a zone like London's is UTC for one of them. reset_val is what the server gave this session.
Result<bool> Catalog::serverInUtc()
{
    auto rows = m_connection.query("SELECT ('2024-01-15 12:00'::timestamp AT TIME ZONE reset_val) = '2024-01-15 12:00+00' AND ('2024-07-15 12:00'::timestamp AT TIME ZONE reset_val) = '2024-07-15 12:00+00' "
                                   "FROM pg_catalog.pg_settings WHERE name = 'TimeZone'");
    if (!rows)
        return std::move(rows).error();
    return !rows->empty() && yes((*rows)[0][0]);
}

Result<bool> Catalog::seesActivity()
{
    auto rows = m_connection.query("SELECT pg_catalog.pg_has_role('pg_read_all_stats', 'USAGE')");
    if (!rows)
        return std::move(rows).error();
    return yes((*rows)[0][0]);
}

Result<bool> Catalog::inRecovery()
{
    auto rows = m_connection.query("SELECT pg_catalog.pg_is_in_recovery()");
    if (!rows)
        return std::move(rows).error();
    return yes((*rows)[0][0]);
}

Result<ColumnInfo> Catalog::column(const TableRef& ref, const std::string& name)
{
    auto found = read("n.nspname = " + literal(ref.schema) + " AND c.relname = " + literal(ref.name));
    if (!found)
        return std::move(found).error();
    const ColumnInfo* column = found->empty() ? nullptr : found->begin()->second.info.column(name);
    if (!column)
        return Error {Fault::Schema, "source.postgresql.table_altered", ref.schema + "." + ref.name + " has no column " + name, "Check the sync's definition of this table.", {}};
    return *column;
}

} // namespace millrace::postgresql
