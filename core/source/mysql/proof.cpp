#include "core/source/mysql/proof.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <algorithm>
#include <charconv>

namespace millrace::mysql {

namespace {

constexpr std::size_t batchBytes = 4u << 20, keysPerStatement = 500;

std::string name(std::string_view identifier)
{
    std::string out = "`";
    for (const char c : identifier)
        out.append(c == '`' ? 2 : 1, c);
    return out + "`";
}

//! The first word of the declared type: "decimal" of "decimal(10,2) unsigned".
std::string word(const Column& column)
{
    const std::string all = lower(column.nativeType);
    return all.substr(0, all.find_first_of("( "));
}

bool oneOf(const std::string& text, std::initializer_list<std::string_view> words) { return std::find(words.begin(), words.end(), text) != words.end(); }

//! "0000-01-01" is no date either: its year is unknown.
bool yearZero(std::string_view text) { return text.starts_with("0000-"); }

//! What makes the text protocol exact: FLOAT is printed with six digits, BIT as raw bytes.
std::string expression(const Column& column)
{
    const std::string type = word(column), plain = name(column.source);
    if (oneOf(type, {"float", "double", "real"}))
        return plain + " * 1e0";
    if (type == "bit")
        return plain + " + 0";
    if (type == "vector")
        return "CAST(" + plain + " AS BINARY)";
    return plain;
}

class ProofReader final : public BatchReader {
public:
    ProofReader(std::unique_ptr<Connection> connection, TablePlanPtr plan, std::vector<std::string> statements)
        : m_connection(std::move(connection)), m_plan(std::move(plan)), m_statements(std::move(statements)) {}
    ~ProofReader() override
    {
        if (m_result) {                                            // the rest of the table must not be fetched only to be thrown away
            m_connection->interrupt();
            m_connection->killAtServer();
            mysql_free_result(m_result);
        }
    }

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return cancelled();
        Interruptible guard(*m_connection, stop);
        MYSQL* handle = m_connection->handle();
        for (std::size_t rows = 0; rows < maxRows && into.bytes() < batchBytes;) {
            if (!m_result) {
                if (m_next == m_statements.size())
                    return ReadState::End;
                const std::string& sql = m_statements[m_next++];
                if (mysql_real_query(handle, sql.data(), sql.size()) || !(m_result = mysql_use_result(handle)))
                    return guard.finish(m_connection->error().in(m_plan->label));
            }
            const MYSQL_ROW row = mysql_fetch_row(m_result);
            if (!row) {
                if (mysql_errno(handle))
                    return guard.finish(m_connection->error().in(m_plan->label));
                mysql_free_result(m_result);
                m_result = nullptr;
                continue;
            }
            parse(row, mysql_fetch_lengths(m_result), into);
            ++rows;
        }
        return ReadState::More;
    }

private:
    void parse(MYSQL_ROW row, const unsigned long* lengths, Batch& into)
    {
        const auto cells = into.append(Op::Upsert);
        std::string problem;
        for (std::size_t i = 0; i < cells.size(); ++i)
            if (row[i] && !parseCell({row[i], lengths[i]}, i, into, cells[i]) && problem.empty())
                problem = m_plan->schema->columns[i].source + ": '" + std::string(row[i], std::min(lengths[i], 60ul)) + "' is not " + std::string(typeName(m_plan->schema->columns[i].type));
        if (!problem.empty())
            into.reject(into.rows() - 1, {Fault::Data, "source.mysql.proof_value", "column " + problem, "", {}});
    }

    bool parseCell(std::string_view text, std::size_t i, Batch& into, Cell& cell)
    {
        const Column& column = m_plan->schema->columns[i];
        const char *from = text.data(), *to = from + text.size();
        std::int64_t number = 0;
        std::uint8_t digits = 0;
        m_text.clear();
        switch (column.type) {
        case Type::Bool:
            if (text == "0" || text == "1") { cell = Cell::boolean(text == "1"); return true; }
            return false;
        case Type::Int:
            if (std::from_chars(from, to, number).ptr != to) return false;
            cell = Cell::integer(number);
            return true;
        case Type::Uint: {
            std::uint64_t value = 0;
            if (std::from_chars(from, to, value).ptr != to) return false;
            cell = Cell::uinteger(value);
            return true;
        }
        case Type::Real: {
            double value = 0;
            if (std::from_chars(from, to, value).ptr != to) return false;
            cell = Cell::real(value);
            return true;
        }
        case Type::Decimal: {
            auto begin = text.find_first_not_of('0');
            if (begin == std::string_view::npos || text[begin] == '.') begin = begin == 0 ? 0 : std::min(begin, text.size()) - 1;
            cell = into.text(text.substr(begin), Type::Decimal);
            return isDecimal(cell.text());
        }
        case Type::Date:
            if (!yearZero(text) && parseDate(text, number)) { cell = Cell::date(number); return true; }
            return notADate(i, into);
        case Type::DateTime: case Type::Timestamp:
            if (!yearZero(text) && parseDateTime(text, number, digits)) { cell = Cell::time(column.type, number, column.scale); return true; }
            return notADate(i, into);
        case Type::Time:
            if (!parseTime(text, number, digits)) return false;
            cell = Cell::time(Type::Time, number, column.scale);
            return true;
        case Type::Json:
            if (!minifyJson(text, m_text)) return false;
            cell = into.text(m_text, Type::Json);
            return true;
        case Type::Array: {
            const auto members = text.empty() ? std::vector<std::string>() : split(text, ',');
            m_text = "[";
            for (const auto& member : members) {
                if (m_text.size() > 1) m_text += ',';
                appendJsonString(m_text, member);
            }
            m_text += ']';
            cell = into.text(m_text, Type::Array);
            return true;
        }
        case Type::Uuid: cell = into.text(lower(text), Type::Uuid); return true;
        case Type::Bytes: cell = into.text(text, Type::Bytes); return true;
        case Type::Text: return parseText(text, column, into, cell);
        case Type::Null: case Type::Unchanged: break;
        }
        return false;
    }

    //! A Text column is one by itself, or a date under the policy `text`: real dates are then ISO, others as the server prints them.
    bool parseText(std::string_view text, const Column& column, Batch& into, Cell& cell)
    {
        const std::string type = word(column);
        std::int64_t number = 0;
        std::uint8_t digits = 0;
        if ((type == "datetime" || type == "timestamp") && !yearZero(text) && parseDateTime(text, number, digits)) {
            appendDateTime(m_text, number, digits, type == "timestamp");
            cell = into.text(m_text);
        } else if (oneOf(type, {"decimal", "int", "tinyint", "smallint", "mediumint", "bigint"}) && text.size() > 1 && text[0] == '0') {
            const auto begin = std::min(text.find_first_not_of('0'), text.size() - 1);
            cell = into.text(text.substr(text[begin] == '.' ? begin - 1 : begin));
        } else
            cell = into.text(text);
        return validUtf8(cell.text());
    }

    bool notADate(std::size_t column, Batch& into)
    {
        if (m_plan->policies.size() > column && m_plan->policies[column] != ValuePolicy::Null)
            return false;
        if (m_plan->schema->columns[column].key)
            return false;
        ++into.coerced;
        return true;
    }

    std::unique_ptr<Connection> m_connection;
    TablePlanPtr m_plan;
    std::vector<std::string> m_statements;
    std::size_t m_next = 0;
    MYSQL_RES* m_result = nullptr;
    std::string m_text;
};

//! A key cell as SQL that the column compares natively with.
std::string literal(Connection& connection, const Cell& cell)
{
    switch (cell.type) {
    case Type::Null: return "NULL";
    case Type::Bool: return cell.i ? "1" : "0";
    case Type::Bytes: return "X'" + hex(cell.text()) + "'";
    case Type::Timestamp: case Type::DateTime: {
        std::string text;
        appendDateTime(text, cell.i, cell.size, false);
        text[10] = ' ';
        return "'" + text + "'";
    }
    case Type::Int: case Type::Uint: case Type::Real: case Type::Decimal: {
        std::string text;
        appendText(text, cell);
        return cell.type == Type::Real && text.find_first_of("eE") == std::string::npos ? text + "e0" : text;
    }
    case Type::Array: {
        const auto members = Node::fromJson(cell.text());
        std::vector<std::string> parts;
        if (members)
            for (const Node& item : members->items())
                parts.push_back(item.string());
        return connection.literal(join(parts, ","));
    }
    default: {
        std::string text;
        appendText(text, cell);
        return connection.literal(text);
    }
    }
}

//! Rows that are soft-deleted, written anew for the proof: a time that is one, a number other than zero, a word that is not a no.
std::string notDeleted(const std::string& column, const std::string& type)
{
    const std::string plain = name(column);
    if (type.find("char") != std::string::npos || type.find("text") != std::string::npos || type == "enum")
        return "COALESCE(LOWER(" + plain + ") IN ('', '0', 'f', 'false', 'n', 'no'), TRUE)";
    return "COALESCE(" + plain + " + 0, 0) = 0";
}

} // namespace

Result<std::unique_ptr<BatchReader>> openProof(const Config& config, TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys)
{
    auto connection = Connection::open(config);
    if (!connection)
        return std::move(connection).error();
    const auto& columns = plan->schema->columns;
    std::vector<std::string> list, conditions;
    for (const Column& column : columns)
        list.push_back(expression(column));
    if (!plan->where.empty())
        conditions.push_back("(" + plan->where + "\n)");
    if (!plan->softDelete.empty()) {
        auto type = (*connection)->query("SELECT data_type FROM information_schema.columns WHERE table_schema = " + (*connection)->literal(plan->table.schema)
                                         + " AND table_name = " + (*connection)->literal(plan->table.name) + " AND column_name = "
                                         + (*connection)->literal(plan->softDelete));
        if (!type)
            return std::move(type).error();
        conditions.push_back(notDeleted(plan->softDelete, type->empty() ? "" : lower((*type)[0][0].value_or(""))));
    }
    const std::string select = "SELECT " + join(list, ", ") + " FROM " + name(plan->table.schema) + "." + name(plan->table.name);
    const auto statement = [&](const std::vector<std::string>& all) { return all.empty() ? select : select + " WHERE " + join(all, " AND "); };

    std::vector<std::string> statements;
    if (keys.empty())
        statements.push_back(statement(conditions));
    for (std::size_t at = 0; at < keys.size(); at += keysPerStatement) {
        std::vector<std::string> any;
        for (std::size_t k = at; k < std::min(at + keysPerStatement, keys.size()); ++k) {
            std::vector<std::string> parts;
            for (std::size_t i = 0; i < plan->schema->key.size() && i < keys[k].size(); ++i)
                parts.push_back(name(columns[plan->schema->key[i]].source) + " = " + literal(**connection, keys[k][i]));
            any.push_back("(" + join(parts, " AND ") + ")");
        }
        auto all = conditions;
        all.push_back("(" + join(any, " OR ") + ")");
        statements.push_back(statement(all));
    }
    // one view for all statements of an exact re-comparison
    if (auto ok = (*connection)->exec("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY"); !ok)
        return std::move(ok).error();
    return std::unique_ptr<BatchReader>(std::make_unique<ProofReader>(std::move(*connection), std::move(plan), std::move(statements)));
}

} // namespace millrace::mysql
