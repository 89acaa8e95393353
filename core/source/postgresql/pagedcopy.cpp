#include "core/source/postgresql/pagedcopy.h"
#include "core/base/text.h"
#include "core/source/postgresql/faults.h"
#include "core/source/postgresql/sqltext.h"
#include <algorithm>
#include <cstring>

namespace millrace::postgresql {

namespace {

// Pages bound what one statement costs the server and how long it may stay open under a slow target.
constexpr std::uint64_t pageBytes = 32u << 20, mostRows = 250'000, fewestRows = 500, blocksPerPage = 4096;

} // namespace

Result<PagedCopy::Spec> PagedCopy::forPlan(Connection& connection, const TablePlan& plan, const Shape& shape)
{
    Spec spec;
    spec.label = plan.label;
    spec.from = quotedName(plan.table);
    spec.row.useTypes(shape.types);
    const auto& columns = plan.schema->columns;
    for (std::uint32_t i = 0; i < columns.size(); ++i) {
        const ShapeColumn& column = *shape.column(columns[i].source);
        spec.list.push_back(readExpression(quotedName(column.name), column.type));
        spec.row.addColumn(columns[i], column, i < plan.policies.size() ? plan.policies[i] : ValuePolicy::Null, i);
    }
    for (const std::uint32_t i : plan.schema->key) {
        const ShapeColumn& column = *shape.column(columns[i].source);
        spec.order.push_back({quotedName(column.name), column.order, i, column.nullable});
    }
    spec.keyHolds = !shape.inOnePiece();
    if (shape.inOnePiece())
        spec.pages = Pages::None;
    else if (spec.order.empty()) {
        // before version 14 each range of blocks would scan the whole table
        const bool ranges = (shape.kind == 'r' || shape.kind == 'm') && connection.number() >= 140000;
        spec.pages = ranges ? Pages::ByBlock : Pages::None;
        if (ranges) {
            // asked after the snapshot: rows that it sees lie in blocks that are there by now
            auto size = connection.query("SELECT pg_catalog.pg_relation_size(" + std::to_string(shape.oid) + ") / pg_catalog.current_setting('block_size')::bigint");
            if (!size)
                return std::move(size).error();
            spec.blocks = std::stoull("0" + (*size)[0][0].value_or(""));
        }
    }
    return spec;
}

PagedCopy::~PagedCopy()
{
    if (!m_open)
        return;
    // of a page the rest is little; of a whole relation it may be everything, and then the session is given up
    if (m_spec.pages == Pages::None) {
        m_connection.interrupt();
        m_connection.cancelAtServer();
        return;
    }
    for (char* row = nullptr; PQgetCopyData(m_connection.handle(), &row, 0) > 0;)
        PQfreemem(row);
    while (PGresult* result = PQgetResult(m_connection.handle()))
        PQclear(result);
}

// Unlike MySQL, PostgreSQL uses an index for the row form, and not for the one written out. The row form takes its operators from
// pg_catalog alone, so a key with another type's is written out; there the first comparison is what the index serves.
std::string PagedCopy::beyond(const Bounds& bounds, bool after) const
{
    const auto& order = m_spec.order;
    const bool builtIn = std::all_of(order.begin(), order.end(), [](const OrderPart& p) { return p.order.builtIn; });
    std::vector<std::string> names, values;
    for (std::size_t i = 0; i < order.size(); ++i) {
        names.push_back(order[i].expression);
        values.push_back(literal(bounds[i]));
    }
    if (order.size() == 1 && builtIn)
        return names[0] + (after ? " > " : " <= ") + values[0];
    if (builtIn)
        return "ROW(" + join(names, ", ") + ")" + (after ? " > " : " <= ") + "ROW(" + join(values, ", ") + ")";
    const auto compared = [&](std::size_t i, const std::string& by) { return names[i] + " " + by + " " + values[i]; };
    std::vector<std::string> ways;
    for (std::size_t i = 0; i < order.size(); ++i) {
        std::string way;
        for (std::size_t j = 0; j < i; ++j)
            way += compared(j, order[j].order.equal) + " AND ";
        const bool last = i + 1 == order.size();
        ways.push_back("(" + way + compared(i, after ? order[i].order.greater : last ? order[i].order.lessEqual : order[i].order.less) + ")");
    }
    return compared(0, after ? order[0].order.greaterEqual : order[0].order.lessEqual) + " AND (" + join(ways, " OR ") + ")";
}

std::string PagedCopy::statement() const
{
    std::vector<std::string> where = m_spec.where, order;
    if (!m_after.empty())
        where.push_back(beyond(m_after, true));
    if (!m_upTo.empty())
        where.push_back(beyond(m_upTo, false));
    if (m_spec.pages == Pages::ByBlock) {
        where.push_back("ctid >= '(" + std::to_string(m_block) + ",0)'::tid");
        if (m_block + blocksPerPage < m_spec.blocks)
            where.push_back("ctid < '(" + std::to_string(m_block + blocksPerPage) + ",0)'::tid");
    }
    // a key that a person named for a view may hold NULLs: first, so that they are seen and parked
    for (const OrderPart& part : m_spec.order)
        order.push_back(part.expression + (part.nullable ? " NULLS FIRST" : ""));
    std::string sql = "COPY (SELECT " + join(m_spec.list, ", ") + " FROM " + m_spec.from;
    if (!where.empty()) sql += " WHERE " + join(where, " AND ");
    if (!order.empty()) sql += " ORDER BY " + join(order, ", ");
    if (m_spec.pages == Pages::ByKey) sql += " LIMIT " + std::to_string(m_limit);
    return sql + ") TO STDOUT (FORMAT binary)";
}

Error PagedCopy::altered(const std::string& words) const
{ return {Fault::Schema, "source.postgresql.table_altered", m_spec.label + ": " + words, "Reset the table, so that it is described anew.", {}}; }

Result<> PagedCopy::open()
{
    const ResultPtr result(PQexecParams(m_connection.handle(), statement().c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0));
    if (PQresultStatus(result.get()) != PGRES_COPY_OUT)
        return m_connection.error(result.get()).in(m_spec.label);
    if (PQnfields(result.get()) != static_cast<int>(m_spec.list.size()))
        return altered("the columns of the result are not those of the plan");
    m_open = m_first = true;
    m_inPage = m_pageBytes = 0;
    return {};
}

//! After the last row of a statement: true when there is another page.
Result<bool> PagedCopy::closePage()
{
    m_open = false;
    std::optional<Error> error;
    while (PGresult* taken = PQgetResult(m_connection.handle())) {
        const ResultPtr result(taken);
        if (PQresultStatus(taken) != PGRES_COMMAND_OK && !error)
            error = m_connection.error(taken).in(m_spec.label);
    }
    if (error)
        return *error;
    if (m_spec.pages == Pages::ByBlock) {
        m_block += blocksPerPage;
        m_ended = m_block >= m_spec.blocks;
    } else
        m_ended = m_spec.pages == Pages::None || m_inPage < m_limit;
    if (m_ended || m_spec.pages == Pages::ByBlock)
        return !m_ended;
    auto last = bounds();
    if (!last)
        return std::move(last).error();
    m_after = std::move(*last);
    m_limit = std::clamp(m_inPage * pageBytes / std::max<std::uint64_t>(m_pageBytes, 1), fewestRows, mostRows);
    return true;
}

Result<bool> PagedCopy::next()
{
    constexpr std::size_t signature = 11, header = signature + 8;
    for (;;) {
        if (m_ended)
            return false;
        if (!m_open)
            if (auto opened = open(); !opened)
                return std::move(opened).error();
        char* taken = nullptr;
        const int size = PQgetCopyData(m_connection.handle(), &taken, 0);
        if (size == -2) {
            m_open = false;
            return m_connection.error().in(m_spec.label);
        }
        if (size == -1) {
            const auto more = closePage();
            if (!more)
                return more.error();
            continue;
        }
        std::unique_ptr<char, FreeRow> row(taken);
        std::size_t at = 0, length = static_cast<std::size_t>(size);
        if (m_first) {
            if (length < header || std::memcmp(taken, "PGCOPY\n\377\r\n\0", signature) != 0)
                return altered("the server did not answer in the binary form of COPY");
            at = header;
            m_first = false;
            if (at == length)
                continue;
        }
        if (length - at == 2 && taken[at] == '\377' && taken[at + 1] == '\377')
            continue;                                              // the trailer
        m_row = std::move(row);
        if (!m_spec.row.take(taken + at, length - at))
            return altered("the values of a row are not of the planned types");
        ++m_inPage;
        m_pageBytes += length;
        m_onRow = true;
        return true;
    }
}

void PagedCopy::decode(Batch& into, Op op)
{
    m_spec.row.decode(into, op);
    if (m_spec.keyHolds || m_spec.order.empty())
        return;
    m_key.clear();
    m_spec.row.appendKeyBytes(m_key);
    if (m_key == m_lastKey && into.op(into.rows() - 1) != Op::Skip)
        into.reject(into.rows() - 1, {Fault::Data, "source.postgresql.key_twice", "another row has the same key", "Name a key that tells the rows apart.", {}});
    m_lastKey.swap(m_key);
}

Result<PagedCopy::Bounds> PagedCopy::bounds() const
{
    if (!m_onRow)
        return m_after;
    Bounds out;
    for (const OrderPart& part : m_spec.order) {
        auto text = m_spec.row.raw(part.slot);
        if (!text)
            return Error {Fault::Data, "source.postgresql.key_null", m_spec.label + ": " + part.expression + " is NULL; rows cannot be read on from there",
                          "Choose a key without NULL.", {}};
        out.push_back(std::move(*text));
    }
    return out;
}

Result<PagedCopy::Bounds> PagedCopy::fromNode(const Node& node) const
{
    Bounds out;
    for (const Node& item : node.items())
        out.push_back(item.string());
    if (!out.empty() && out.size() != m_spec.order.size())
        return Error {Fault::Storage, "source.postgresql.position", m_spec.label + ": the stored position is not one of this key", "Reset the table.", {}};
    return out;
}

} // namespace millrace::postgresql
