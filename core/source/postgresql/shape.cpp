#include "core/source/postgresql/shape.h"
#include "core/base/text.h"
#include "core/source/postgresql/catalog.h"
#include "core/source/postgresql/sqltext.h"
#include <algorithm>
#include <charconv>

namespace millrace::postgresql {

namespace {

template <class Number> Number number(const std::optional<std::string>& text, Number otherwise = 0)
{
    Number value = otherwise;
    if (text)
        std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

std::string text(const std::optional<std::string>& cell) { return cell.value_or(std::string()); }

Error altered(const TablePlan& plan, const std::string& words)
{ return {Fault::Schema, "source.postgresql.table_altered", plan.label + ": " + words, "Reset the table, so that it is described anew.", {}}; }

const char* const typeColumns = "t.oid, t.typname, tn.nspname, t.typtype, t.typoutput = 'pg_catalog.array_out'::pg_catalog.regproc, pg_catalog.quote_ident(f.nspname) || '.' || pg_catalog.quote_ident(p.proname)";
const char* const typeTables = "pg_catalog.pg_type t JOIN pg_catalog.pg_namespace tn ON tn.oid = t.typnamespace JOIN pg_catalog.pg_proc p ON p.oid = t.typoutput JOIN pg_catalog.pg_namespace f ON f.oid = p.pronamespace";

NativeType typeOf(const std::vector<std::optional<std::string>>& row, std::size_t at)
{
    NativeType type;
    type.oid = number<std::uint32_t>(row[at]);
    type.name = text(row[at + 1]);
    type.schema = text(row[at + 2]);
    type.kind = text(row[at + 3]).empty() ? 'b' : text(row[at + 3])[0];
    type.array = row[at + 4] == "t";
    type.output = text(row[at + 5]);
    return type;
}

//! Everything that arrays, composites and hstores of this table are made of, found in one walk over the catalogue.
Result<> readTree(Connection& connection, Shape& shape)
{
    shape.types = std::make_shared<TypeTree>();
    std::vector<std::string> roots;
    for (const ShapeColumn& column : shape.columns)
        if (const Wire wire = column.type.wire(); wire == Wire::Array || wire == Wire::Record || wire == Wire::Hstore)
            roots.push_back(std::to_string(column.type.oid));
    if (roots.empty())
        return {};
    auto rows = connection.query(
        std::string("WITH RECURSIVE ") + domainBase + ", part(owner, type, modifier, name, place) AS ("
        "SELECT t.oid, t.typelem, -1, NULL::pg_catalog.name, 1 FROM pg_catalog.pg_type t WHERE t.typoutput = 'pg_catalog.array_out'::pg_catalog.regproc UNION ALL "
        "SELECT t.oid, a.atttypid, a.atttypmod, a.attname, a.attnum FROM pg_catalog.pg_type t JOIN pg_catalog.pg_attribute a ON a.attrelid = t.typrelid AND a.attnum > 0 AND NOT a.attisdropped WHERE t.typtype = 'c'), "
        "plain AS (SELECT part.owner, coalesce(b.type, part.type) AS type, coalesce(b.modifier, part.modifier) AS modifier, part.name, part.place FROM part LEFT JOIN base b ON b.oid = part.type), "
        "walk(oid) AS (SELECT unnest FROM pg_catalog.unnest(ARRAY[" + join(roots, ", ") + "]::pg_catalog.oid[]) UNION SELECT plain.type FROM walk JOIN plain ON plain.owner = walk.oid) "
        "SELECT " + typeColumns + ", t.typdelim, plain.type, plain.modifier, plain.name FROM walk JOIN " + typeTables + " ON t.oid = walk.oid LEFT JOIN plain ON plain.owner = t.oid ORDER BY t.oid, plain.place");
    if (!rows)
        return std::move(rows).error();
    struct Edge { std::uint32_t node; TypeTree::Part part; };
    std::vector<Edge> edges;
    std::map<std::uint32_t, char> delimiters;
    std::uint32_t last = 0, index = 0;
    for (const auto& row : *rows) {
        const NativeType type = typeOf(row, 0);
        if (type.oid != last)
            index = shape.types->add(last = type.oid, {type.wire(), ',', {}});
        delimiters[type.oid] = text(row[6]).empty() ? ',' : text(row[6])[0];
        if (row[7])
            edges.push_back({index, {number<std::uint32_t>(row[7]), number<int>(row[8], -1), text(row[9])}});
    }
    for (Edge& edge : edges) {
        TypeTree::Node& node = shape.types->node(edge.node);
        if (node.wire == Wire::Array)                              // elements stand apart by their own type's character (';' for boxes)
            node.delimiter = delimiters.contains(edge.part.type) ? delimiters[edge.part.type] : ',';
        edge.part.type = shape.types->find(edge.part.type);
        node.parts.push_back(std::move(edge.part));
    }
    for (ShapeColumn& column : shape.columns)
        column.tree = shape.types->find(column.type.oid);
    return {};
}

Result<> readComparisons(Connection& connection, Shape& shape, const std::vector<std::string>& keys)
{
    std::vector<std::string> types;
    for (const ShapeColumn& column : shape.columns)
        if (!column.type.builtIn() && column.type.kind == 'b' && !column.type.array && std::find(keys.begin(), keys.end(), column.name) != keys.end())
            types.push_back(std::to_string(column.type.oid));
    if (types.empty())
        return {};
    auto rows = connection.query(
        "SELECT c.opcintype, a.amopstrategy, n.nspname, o.oprname FROM pg_catalog.pg_opclass c JOIN pg_catalog.pg_am m ON m.oid = c.opcmethod AND m.amname = 'btree' "
        "JOIN pg_catalog.pg_amop a ON a.amopfamily = c.opcfamily AND a.amoplefttype = c.opcintype AND a.amoprighttype = c.opcintype AND a.amopstrategy BETWEEN 1 AND 5 "
        "JOIN pg_catalog.pg_operator o ON o.oid = a.amopopr JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace WHERE c.opcdefault AND c.opcintype IN (" + join(types, ", ") + ")");
    if (!rows)
        return std::move(rows).error();
    for (const auto& row : *rows)
        for (ShapeColumn& column : shape.columns)
            if (column.type.oid == number<std::uint32_t>(row[0])) {
                const std::string written = "OPERATOR(" + quotedName(text(row[2])) + "." + text(row[3]) + ")";
                Comparisons& by = column.order;
                (row[1] == "1" ? by.less : row[1] == "2" ? by.lessEqual : row[1] == "3" ? by.equal : row[1] == "4" ? by.greaterEqual : by.greater) = written;
                column.order.builtIn = false;
            }
    return {};
}

//! A lock on the shape alone: readers and writers go on, ALTER, DROP and TRUNCATE wait. LOCK takes no snapshot, so what it waited for
//! is seen afterwards; without it, a table that is truncated or rewritten in between would look empty to an older snapshot.
Result<> lockedSnapshot(Connection& connection, const TablePlan& plan)
{
    if (auto ok = connection.beginSnapshot(); !ok)
        return ok;
    if (plan.kind == TableKind::MaterializedView)
        return {};
    auto locked = connection.exec("LOCK TABLE " + quotedName(plan.table) + " IN ACCESS SHARE MODE");
    if (locked)
        return {};
    // a foreign table, or one of which only some columns may be read
    const bool refused = locked.error().id == "source.postgresql.server_error" || locked.error().fault == Fault::Auth;
    if (!refused)
        return std::move(locked).error().in(plan.label);
    if (auto ok = connection.exec("ROLLBACK"); !ok)
        return ok;
    return connection.beginSnapshot();
}

} // namespace

const ShapeColumn* Shape::column(std::string_view name) const
{
    const auto found = std::find_if(columns.begin(), columns.end(), [&](const ShapeColumn& c) { return c.name == name; });
    return found == columns.end() ? nullptr : &*found;
}

Result<Shape> lookAt(Connection& connection, const TableRef& table, const std::vector<std::string>& keys)
{
    auto rows = connection.query(
        std::string("WITH RECURSIVE ") + domainBase + " SELECT c.oid, c.relkind, c.relhassubclass, a.attname, coalesce(b.modifier, a.atttypmod), a.attnotnull, " + typeColumns
        + " FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped "
          "LEFT JOIN base b ON b.oid = a.atttypid JOIN " + typeTables + " ON t.oid = coalesce(b.type, a.atttypid) WHERE n.nspname = " + literal(table.schema)
        + " AND c.relname = " + literal(table.name) + " ORDER BY a.attnum");
    if (!rows)
        return std::move(rows).error();
    if (rows->empty())
        return Error {Fault::Schema, "source.postgresql.table_missing", "there is no table " + table.schema + "." + table.name, "Check the sync's definition of this table.", {}};
    Shape shape;
    shape.oid = number<std::uint32_t>(rows->front()[0]);
    shape.kind = text(rows->front()[1])[0];
    shape.hasChildren = rows->front()[2] == "t";
    for (const auto& row : *rows) {
        ShapeColumn& column = shape.columns.emplace_back();
        column.name = text(row[3]);
        column.modifier = number<int>(row[4], -1);
        column.nullable = row[5] != "t";
        column.type = typeOf(row, 6);
    }
    if (auto ok = readTree(connection, shape); !ok)
        return std::move(ok).error();
    if (auto ok = readComparisons(connection, shape, keys); !ok)
        return std::move(ok).error();
    return shape;
}

Result<Shape> beginReading(Connection& connection, const TablePlan& plan)
{
    if (auto ok = lockedSnapshot(connection, plan); !ok)
        return std::move(ok).error();
    std::vector<std::string> keys;
    for (const std::uint32_t i : plan.schema->key)
        keys.push_back(plan.schema->columns[i].source);
    auto shape = lookAt(connection, plan.table, keys);
    if (!shape)
        return std::move(shape).error().in(plan.label);
    for (const Column& planned : plan.schema->columns) {
        const ShapeColumn* column = shape->column(planned.source);
        if (!column)
            return altered(plan, "column " + planned.source + " is gone");
        ColumnInfo now;
        describeNative(now, column->type, column->modifier);
        if ((now.type != planned.type && planned.type != Type::Text) || (planned.type == now.type && now.bits != planned.bits) || (now.type == Type::Decimal && now.scale != planned.scale))
            return altered(plan, "column " + planned.source + " is no longer " + planned.nativeType);
    }
    return shape;
}

} // namespace millrace::postgresql
