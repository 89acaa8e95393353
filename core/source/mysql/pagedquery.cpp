#include "core/source/mysql/pagedquery.h"
#include "core/base/text.h"
#include "core/source/mysql/faults.h"
#include <algorithm>
#include <charconv>

namespace millrace::mysql {

namespace {

// A chunk should fit what lies between server and client, so that a slow consumer does not keep a statement open.
constexpr std::uint64_t chunkBytes = 8u << 20, mostRows = 50'000, fewestRows = 200;

//! Parameters of one execution. They own their values; the binds point into them.
class Parameters {
public:
    explicit Parameters(std::size_t most) { m_values.reserve(most); }
    bool add(BoundKind kind, std::string text)
    {
        Value& v = m_values.emplace_back();
        v.text = std::move(text);
        v.kind = kind;
        const char *from = v.text.data(), *to = from + v.text.size();
        switch (kind) {
        case BoundKind::Int: return std::from_chars(from, to, v.i).ptr == to;
        case BoundKind::Uint: return std::from_chars(from, to, v.u).ptr == to;
        case BoundKind::Real: return std::from_chars(from, to, v.d).ptr == to;
        default: return true;
        }
    }
    std::vector<MYSQL_BIND> binds()
    {
        std::vector<MYSQL_BIND> out(m_values.size());
        for (std::size_t i = 0; i < out.size(); ++i) {
            Value& v = m_values[i];
            MYSQL_BIND& b = out[i];
            b.buffer = &v.i;
            b.is_unsigned = v.kind == BoundKind::Uint;
            switch (v.kind) {
            case BoundKind::Int: case BoundKind::Uint: b.buffer_type = MYSQL_TYPE_LONGLONG; continue;
            case BoundKind::Real: b.buffer_type = MYSQL_TYPE_DOUBLE; continue;
            case BoundKind::Decimal: b.buffer_type = MYSQL_TYPE_NEWDECIMAL; break;
            case BoundKind::Text: b.buffer_type = MYSQL_TYPE_STRING; break;
            case BoundKind::Bytes: b.buffer_type = MYSQL_TYPE_BLOB; break;
            }
            v.length = v.text.size();
            b.buffer = v.text.data();
            b.buffer_length = v.length;
            b.length = &v.length;
        }
        return out;
    }
private:
    struct Value { std::string text; BoundKind kind = BoundKind::Text; unsigned long length = 0; union { std::int64_t i = 0; std::uint64_t u; double d; }; };
    std::vector<Value> m_values;
};

//! One value per `?` of the keyset: (a), (a, b), (a, b, c) ...
bool addBounds(Parameters& parameters, const std::vector<OrderPart>& order, const PagedQuery::Bounds& bounds)
{
    for (std::size_t i = 0; i < order.size(); ++i)
        for (std::size_t j = 0; j <= i; ++j)
            if (!parameters.add(order[j].kind, bounds[j]))
                return false;
    return true;
}

bool fromHex(std::string_view text, std::string& out)
{
    if (text.size() % 2)
        return false;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned char byte = 0;
        if (std::from_chars(text.data() + i, text.data() + i + 2, byte, 16).ptr != text.data() + i + 2)
            return false;
        out += static_cast<char>(byte);
    }
    return true;
}

Error unreadablePosition(const std::string& label)
{ return {Fault::Storage, "source.mysql.position", label + ": the stored position is not one of this key", "Reset the table.", {}}; }

} // namespace

Result<> beginSnapshot(Connection& connection)
{
    if (auto begun = connection.exec("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"); !begun)
        return begun;
    return connection.exec("SAVEPOINT millrace");
}

PagedQuery::Spec PagedQuery::forPlan(const TablePlan& plan)
{
    Spec spec;
    spec.label = plan.label;
    spec.from = quotedName(plan.table);
    const auto& columns = plan.schema->columns;
    const bool view = plan.kind == TableKind::View;
    for (std::uint32_t i = 0; i < columns.size(); ++i) {
        spec.list.push_back(readExpression(columns[i].source, parseNativeType(columns[i].nativeType)));
        spec.slots.addColumn(columns[i], i < plan.policies.size() ? plan.policies[i] : ValuePolicy::Null, i, view);
    }
    for (const std::uint32_t i : plan.schema->key) {
        const NativeType type = parseNativeType(columns[i].nativeType);
        OrderPart part {quotedName(columns[i].source), boundKind(type), i};
        // sorted by number but compared by text: only the number is both
        if (type.isEnum() || type.isSet()) {
            part.expression = "CAST(" + part.expression + " AS SIGNED)";
            part.kind = BoundKind::Int;
            spec.list.push_back(part.expression);
            part.slot = spec.slots.addInteger();
        }
        spec.order.push_back(std::move(part));
    }
    return spec;
}

PagedQuery::PagedQuery(Connection& connection, Spec spec) : m_connection(connection), m_spec(std::move(spec)) {}

PagedQuery::~PagedQuery()
{
    // closing a statement fetches the rest of its result: of a chunk that is little, of a whole table it may be everything
    if (m_open && m_spec.order.empty() && !m_ended) {
        m_connection.interrupt();
        m_connection.killAtServer();
    }
}

// The row form (a, b) > (?, ?) scans: the server uses no range on it. Written out, it reads what it returns.
std::string PagedQuery::keyset(const char* beyond, const char* last) const
{
    std::string out = "(";
    for (std::size_t i = 0; i < m_spec.order.size(); ++i) {
        if (i) out += " OR ";
        out += '(';
        for (std::size_t j = 0; j < i; ++j)
            out += m_spec.order[j].expression + " = ? AND ";
        out += m_spec.order[i].expression + " " + (i + 1 == m_spec.order.size() ? last : beyond) + " ?)";
    }
    return out + ")";
}

Error PagedQuery::statementError(MYSQL_STMT* statement) const
{ return errorFrom(mysql_stmt_errno(statement), mysql_stmt_error(statement), m_connection.config()).in(m_spec.label); }

Result<PagedQuery::Statement> PagedQuery::prepare(bool bounded) const
{
    std::vector<std::string> where = m_spec.where;
    if (bounded)
        where.push_back(keyset(">", ">"));
    if (!m_upTo.empty())
        where.push_back(keyset("<", "<="));
    std::string sql = "SELECT " + join(m_spec.list, ", ") + " FROM " + m_spec.from;
    if (!where.empty())
        sql += " WHERE " + join(where, " AND ");
    if (!m_spec.order.empty() && !m_spec.aggregate) {
        std::vector<std::string> order;
        for (const OrderPart& part : m_spec.order)
            order.push_back(part.expression);
        sql += " ORDER BY " + join(order, ", ") + " LIMIT ?";
    }
    Statement statement(mysql_stmt_init(m_connection.handle()));
    if (!statement)
        return Error {Fault::Internal, "source.mysql.memory", "out of memory", "", {}};
    if (mysql_stmt_prepare(statement.get(), sql.data(), sql.size()))
        return statementError(statement.get());
    return statement;
}

Result<> PagedQuery::openChunk()
{
    const bool bounded = !m_after.empty();
    Statement& statement = bounded ? m_following : m_first;
    if (!statement) {
        auto prepared = prepare(bounded);
        if (!prepared)
            return std::move(prepared).error();
        statement = std::move(*prepared);
    }
    Parameters parameters(m_spec.order.size() * (m_spec.order.size() + 1) + 1);
    if ((bounded && !addBounds(parameters, m_spec.order, m_after)) || (!m_upTo.empty() && !addBounds(parameters, m_spec.order, m_upTo)))
        return unreadablePosition(m_spec.label);
    if (!m_spec.order.empty() && !m_spec.aggregate)
        parameters.add(BoundKind::Uint, std::to_string(m_limit));
    auto binds = parameters.binds();
    if ((!binds.empty() && mysql_stmt_bind_param(statement.get(), binds.data())) || mysql_stmt_execute(statement.get()))
        return statementError(statement.get());
    // each chunk, because the server re-prepares by itself when the table was altered
    if (auto bound = m_spec.slots.bind(statement.get(), m_spec.label); !bound)
        return bound;
    m_open = statement.get();
    m_inChunk = m_chunkBytes = 0;
    return {};
}

Result<> PagedQuery::closeChunk()
{
    mysql_stmt_free_result(m_open);
    m_open = nullptr;
    if (!m_spec.inSnapshot)
        return {};
    auto released = m_connection.exec("ROLLBACK TO SAVEPOINT millrace");
    return released ? Result<>() : Result<>(std::move(released).error().in(m_spec.label));
}

Result<bool> PagedQuery::next()
{
    for (;;) {
        if (m_ended)
            return false;
        if (!m_open)
            if (auto opened = openChunk(); !opened)
                return std::move(opened).error();
        const int code = mysql_stmt_fetch(m_open);
        if (code == 0 || code == MYSQL_DATA_TRUNCATED) {           // truncated: a long value, fetched in decode()
            ++m_inChunk;
            m_onRow = true;
            return true;
        }
        if (code != MYSQL_NO_DATA)
            return statementError(m_open);
        if (m_spec.order.empty() || m_inChunk < m_limit) {
            m_ended = true;
            if (auto closed = closeChunk(); !closed)
                return std::move(closed).error();
            return false;
        }
        auto last = bounds();
        if (!last)
            return std::move(last).error();
        m_after = std::move(*last);
        if (auto closed = closeChunk(); !closed)
            return std::move(closed).error();
        if (m_chunkBytes)
            m_limit = std::clamp(m_inChunk * chunkBytes / m_chunkBytes, fewestRows, mostRows);
    }
}

void PagedQuery::decode(Batch& into, Op op)
{
    const std::size_t before = into.bytes();
    m_spec.slots.decode(m_open, into, op);
    m_chunkBytes += into.bytes() - before;
}

Result<PagedQuery::Bounds> PagedQuery::bounds() const
{
    if (!m_onRow)
        return m_after;
    Bounds out;
    for (const OrderPart& part : m_spec.order) {
        auto text = m_spec.slots.raw(part.slot);
        if (!text)
            return Error {Fault::Data, "source.mysql.key_null", m_spec.label + ": " + part.expression + " is NULL; rows cannot be read on from there",
                          "Choose a key without NULL.", {}};
        out.push_back(std::move(*text));
    }
    return out;
}

Node PagedQuery::node(const Bounds& bounds) const
{
    Node out = Node::list();
    for (std::size_t i = 0; i < bounds.size(); ++i)
        out.add(m_spec.order[i].kind == BoundKind::Bytes ? hex(bounds[i]) : bounds[i]);
    return out;
}

Result<PagedQuery::Bounds> PagedQuery::fromNode(const Node& node) const
{
    Bounds out;
    for (const Node& item : node.items()) {
        out.push_back(item.string());
        std::string bytes;
        if (out.size() <= m_spec.order.size() && m_spec.order[out.size() - 1].kind == BoundKind::Bytes) {
            if (!fromHex(item.string(), bytes))
                return unreadablePosition(m_spec.label);
            out.back() = bytes;
        }
    }
    if (!out.empty() && out.size() != m_spec.order.size())
        return unreadablePosition(m_spec.label);
    return out;
}

} // namespace millrace::mysql
