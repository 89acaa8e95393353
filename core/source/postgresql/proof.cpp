#include "core/source/postgresql/proof.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include "core/source/postgresql/proofjson.h"
#include <algorithm>
#include <charconv>

namespace millrace::postgresql {

namespace {

constexpr std::size_t batchBytes = 4u << 20, keysPerStatement = 500;

std::string wrapped(std::string_view text, char quote)
{
    std::string out(1, quote);
    for (const char c : text)
        out.append(c == quote ? 2 : 1, c);
    return out + quote;
}
std::string name(std::string_view identifier) { return wrapped(identifier, '"'); }
std::string text(std::string_view words) { return wrapped(words, '\''); }

struct ProofColumn { const ProofType* type = nullptr; int modifier = -1; };

class ProofReader final : public BatchReader {
public:
    ProofReader(std::unique_ptr<Connection> connection, std::unique_ptr<ProofTypes> types, TablePlanPtr plan, std::vector<ProofColumn> columns, std::vector<std::string> statements)
        : m_connection(std::move(connection)), m_types(std::move(types)), m_plan(std::move(plan)), m_columns(std::move(columns)), m_statements(std::move(statements)) {}
    ~ProofReader() override
    {
        if (m_open) {                                              // the rest of the table must not be fetched only to be thrown away
            m_connection->interrupt();
            m_connection->cancelAtServer();
        }
    }

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return cancelled();
        Interruptible guard(*m_connection, stop);
        PGconn* handle = m_connection->handle();
        for (std::size_t rows = 0; rows < maxRows && into.bytes() < batchBytes;) {
            if (!m_open) {
                if (m_next == m_statements.size())
                    return ReadState::End;
                if (!PQsendQueryParams(handle, m_statements[m_next++].c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) || !PQsetSingleRowMode(handle))
                    return guard.finish(m_connection->error().in(m_plan->label));
                m_open = true;
            }
            const ResultPtr result(PQgetResult(handle));
            if (!result) {
                m_open = false;
                continue;
            }
            if (PQresultStatus(result.get()) != PGRES_SINGLE_TUPLE && PQresultStatus(result.get()) != PGRES_TUPLES_OK)
                return guard.finish(m_connection->error(result.get()).in(m_plan->label));
            for (int r = 0; r < PQntuples(result.get()); ++r, ++rows)
                parse(result.get(), r, into);
        }
        return ReadState::More;
    }

private:
    void parse(const PGresult* result, int row, Batch& into)
    {
        const auto cells = into.append(Op::Upsert);
        std::string problem;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const int column = static_cast<int>(i);
            if (PQgetisnull(result, row, column))
                continue;
            const std::string_view words(PQgetvalue(result, row, column), static_cast<std::size_t>(PQgetlength(result, row, column)));
            if (!parseCell(words, i, into, cells[i]) && problem.empty())
                problem = m_plan->schema->columns[i].source + ": '" + std::string(words.substr(0, 60)) + "' is not " + std::string(typeName(m_plan->schema->columns[i].type));
        }
        if (!problem.empty())
            into.reject(into.rows() - 1, {Fault::Data, "source.postgresql.proof_value", "column " + problem, "", {}});
    }

    bool parseCell(std::string_view words, std::size_t i, Batch& into, Cell& cell)
    {
        const Column& column = m_plan->schema->columns[i];
        const char *from = words.data(), *to = from + words.size();
        std::int64_t number = 0;
        m_text.clear();
        switch (column.type) {
        case Type::Bool: cell = Cell::boolean(words == "t"); return words == "t" || words == "f";
        case Type::Int: cell.type = Type::Int; return std::from_chars(from, to, cell.i).ptr == to;
        case Type::Uint: cell.type = Type::Uint; return std::from_chars(from, to, cell.u).ptr == to;
        case Type::Real: {
            float narrow = 0;
            double wide = 0;
            const bool good = column.bits == 32 ? std::from_chars(from, to, narrow).ptr == to : std::from_chars(from, to, wide).ptr == to;
            cell = Cell::real(column.bits == 32 ? static_cast<double>(narrow) : wide);
            return good;
        }
        case Type::Decimal: cell = into.text(words, Type::Decimal); return isDecimal(words) || words == "NaN" || words.ends_with("Infinity");
        case Type::Date: case Type::DateTime: case Type::Timestamp:
            if (!moment(words, column.type, number))
                return notADate(i, into);
            cell = column.type == Type::Date ? Cell::date(number) : Cell::time(column.type, number, column.scale);
            return true;
        case Type::Time: {
            std::uint8_t digits = 0;
            if (!parseTime(words, number, digits)) return false;
            cell = Cell::time(Type::Time, number, column.scale);
            return true;
        }
        case Type::Json: case Type::Array:
            if (!appendServerJson(m_text, *m_columns[i].type, m_columns[i].modifier, words)) return false;
            cell = into.text(m_text, column.type);
            return true;
        case Type::Uuid: cell = into.text(words, Type::Uuid); return words.size() == 36;
        case Type::Bytes: {
            if (!words.starts_with("\\x")) return false;
            for (std::size_t at = 2; at + 1 < words.size(); at += 2) {
                unsigned char byte = 0;
                if (std::from_chars(from + at, from + at + 2, byte, 16).ptr != from + at + 2) return false;
                m_text += static_cast<char>(byte);
            }
            cell = into.text(m_text, Type::Bytes);
            return true;
        }
        case Type::Text: return parseText(words, i, into, cell);
        case Type::Null: case Type::Unchanged: break;
        }
        return false;
    }

    //! As the server prints it: "2024-01-31 10:00:00.5+00". The year 0000 is never printed, BC years end with " BC".
    static bool moment(std::string_view words, Type type, std::int64_t& out)
    {
        std::uint8_t digits = 0;
        if (type == Type::Date)
            return parseDate(words, out);
        if (type == Type::DateTime)
            return parseDateTime(words, out, digits);
        return words.ends_with("+00") && parseDateTime(words.substr(0, words.size() - 3), out, digits);
    }

    //! A Text column is one by itself, or a date or flag under the policy `text`: real dates are then ISO, others as the server prints them.
    bool parseText(std::string_view words, std::size_t i, Batch& into, Cell& cell)
    {
        const ProofColumn& column = m_columns[i];
        const std::string& type = column.type->name;
        const unsigned digits = column.modifier < 0 ? 6 : static_cast<unsigned>(column.modifier);
        std::int64_t number = 0;
        if (type == "date" && moment(words, Type::Date, number)) appendDate(m_text, number);
        else if (type == "timestamp" && moment(words, Type::DateTime, number)) appendDateTime(m_text, number, digits, false);
        else if (type == "timestamptz" && moment(words, Type::Timestamp, number)) appendDateTime(m_text, number, digits, true);
        else if (type == "bool") m_text = words == "t" ? "true" : "false";
        else m_text = words;
        cell = into.text(m_text);
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
    std::unique_ptr<ProofTypes> m_types;
    TablePlanPtr m_plan;
    std::vector<ProofColumn> m_columns;
    std::vector<std::string> m_statements;
    std::size_t m_next = 0;
    bool m_open = false;
    std::string m_text;
};

//! "column = key cell", compared natively where the type is the server's own, else by its text.
std::string equals(const Column& column, const ProofColumn& type, const Cell& cell)
{
    const std::string plain = name(column.source);
    std::string words;
    switch (cell.type) {
    case Type::Null: return plain + " IS NULL";
    case Type::Bytes: return plain + " = " + text("\\x" + hex(cell.text()));
    case Type::Json: case Type::Array: return "pg_catalog.to_jsonb(" + plain + ") = " + text(cell.text()) + "::pg_catalog.jsonb";
    case Type::Timestamp: case Type::DateTime:
        appendDateTime(words, cell.i, 6, false);
        words[10] = ' ';
        return plain + " = " + text(words + (cell.type == Type::Timestamp ? "+00" : ""));
    default: appendText(words, cell); break;
    }
    if (!type.type->builtIn && !type.type->isEnum)
        return plain + "::pg_catalog.text = " + text(words);
    return plain + " = " + text(words);
}

//! Rows that are not soft-deleted, written anew for the proof.
std::string notDeleted(const std::string& column, const ProofType& type)
{
    const std::string plain = name(column);
    if (type.name == "bool")
        return plain + " IS NOT TRUE";
    if (type.name == "date" || type.name.starts_with("timestamp"))
        return "(" + plain + " IS NULL OR " + plain + " IN ('infinity', '-infinity'))";
    if (type.name == "text" || type.name == "varchar" || type.name == "bpchar" || type.name == "name" || type.isEnum || (!type.builtIn && type.kind == ProofType::Kind::Plain))
        return "(" + plain + " IS NULL OR pg_catalog.lower(" + plain + "::pg_catalog.text) IN ('', '0', 'f', 'false', 'n', 'no'))";
    if (type.name.starts_with("int") || type.name.starts_with("float") || type.name == "numeric" || type.name == "oid")
        return "(" + plain + " IS NULL OR " + plain + " = 0)";
    return plain + " IS NULL";
}

} // namespace

Result<std::unique_ptr<BatchReader>> openProof(const Config& config, TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys)
{
    auto opened = Connection::open(config);
    if (!opened)
        return std::move(opened).error();
    std::unique_ptr<Connection> connection = std::move(*opened);
    // one view for the types and for all statements of an exact re-comparison
    if (auto ok = connection->beginSnapshot(); !ok)
        return std::move(ok).error();
    auto types = std::make_unique<ProofTypes>(*connection);
    auto rows = connection->query("SELECT a.attname, a.atttypid, a.atttypmod FROM pg_catalog.pg_attribute a JOIN pg_catalog.pg_class c ON c.oid = a.attrelid JOIN pg_catalog.pg_namespace n "
                                  "ON n.oid = c.relnamespace WHERE a.attnum > 0 AND NOT a.attisdropped AND n.nspname = " + text(plan->table.schema) + " AND c.relname = " + text(plan->table.name));
    if (!rows)
        return std::move(rows).error();
    const auto typeOf = [&](const std::string& column) -> Result<ProofColumn> {
        for (const auto& row : *rows)
            if (row[0] == column) {
                ProofColumn out;
                out.modifier = static_cast<int>(std::strtol(row[2].value_or("-1").c_str(), nullptr, 10));
                auto found = types->find(row[1].value_or("0"), out.modifier);
                if (!found)
                    return std::move(found).error();
                out.type = *found;
                return out;
            }
        return Error {Fault::Schema, "source.postgresql.table_altered", plan->label + ": column " + column + " is gone", "Reset the table, so that it is described anew.", {}};
    };

    const auto& columns = plan->schema->columns;
    std::vector<ProofColumn> kinds;
    std::vector<std::string> list, conditions;
    for (const Column& column : columns) {
        auto kind = typeOf(column.source);
        if (!kind)
            return std::move(kind).error();
        const bool nested = column.type == Type::Array || column.type == Type::Json;
        list.push_back(nested ? "pg_catalog.to_json(" + name(column.source) + ")" : name(column.source));
        kinds.push_back(*kind);
    }
    if (!plan->where.empty())
        conditions.push_back("(" + plan->where + "\n)");
    if (!plan->softDelete.empty()) {
        const auto kind = typeOf(plan->softDelete);
        if (!kind)
            return kind.error();
        conditions.push_back(notDeleted(plan->softDelete, *kind->type));
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
                parts.push_back(equals(columns[plan->schema->key[i]], kinds[plan->schema->key[i]], keys[k][i]));
            any.push_back("(" + join(parts, " AND ") + ")");
        }
        auto all = conditions;
        all.push_back("(" + join(any, " OR ") + ")");
        statements.push_back(statement(all));
    }
    return std::unique_ptr<BatchReader>(std::make_unique<ProofReader>(std::move(connection), std::move(types), std::move(plan), std::move(kinds), std::move(statements)));
}

} // namespace millrace::postgresql
