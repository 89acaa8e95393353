#include "core/source/sqlite/proof.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include "core/source/sqlite/catalog.h"
#include "core/source/sqlite/connection.h"
#include <algorithm>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace millrace::sqlitesource {

namespace {

constexpr std::size_t largest = 64u << 20, pageRows = 20'000;

//! A key cell on its way back into a WHERE.
struct KeyWord { char kind = 't'; std::string text, other; std::int64_t number = 0; double real = 0; };

KeyWord keyWord(const Cell& cell)
{
    KeyWord out;
    switch (cell.type) {
    case Type::Null: case Type::Unchanged: out.kind = 'n'; break;
    case Type::Bool: case Type::Int: out.kind = 'i'; out.number = cell.i; break;
    case Type::Uint: out.kind = 'i'; out.number = static_cast<std::int64_t>(cell.u); break;
    case Type::Real: out.kind = 'r'; out.real = cell.d; break;
    case Type::Bytes: out.kind = 'b'; out.text = cell.text(); break;
    case Type::DateTime: case Type::Timestamp:
        appendText(out.text, cell);
        out.other = out.text;                                    // the file may have it with ' ' or with 'T'
        if (out.text.size() > 10) out.text[10] = ' ';
        break;
    default: appendText(out.text, cell);
    }
    return out;
}

//! "12.5" with scale 2 -> "12.50"; false when digits would be lost.
bool padded(std::string digits, const Column& column, std::string& out)
{
    if (column.precision > 0) {
        auto dot = digits.find('.');
        if (dot == std::string::npos) { dot = digits.size(); digits += '.'; }
        const std::string wanted = digits.substr(dot + 1, column.scale), rest = digits.size() > dot + 1 + column.scale ? digits.substr(dot + 1 + column.scale) : std::string();
        if (rest.find_first_not_of('0') != std::string::npos)
            return false;
        digits = digits.substr(0, dot) + (column.scale ? "." + wanted + std::string(column.scale - wanted.size(), '0') : std::string());
    }
    out = std::move(digits);
    return true;
}

//! The shortest decimal digits that read back as the same double, without an exponent.
bool plainDigits(double value, std::string& out)
{
    if (!std::isfinite(value) || std::fabs(value) >= 1e34 || (value != 0 && std::fabs(value) < 1e-34))
        return false;
    std::string shortest;
    appendReal(shortest, value == 0 ? 0.0 : value);
    const auto e = shortest.find('e');
    if (e == std::string::npos) { out = shortest; return true; }
    const int exponent = std::atoi(shortest.c_str() + e + 1);
    const bool negative = shortest[0] == '-';
    std::string mantissa = shortest.substr(negative, e - negative);
    const auto dot = mantissa.find('.');
    int point = static_cast<int>(dot == std::string::npos ? mantissa.size() : dot) + exponent;
    if (dot != std::string::npos) mantissa.erase(dot, 1);
    if (point <= 0) { mantissa.insert(0, static_cast<std::size_t>(1 - point), '0'); point = 1; }
    if (point >= static_cast<int>(mantissa.size())) {
        char exact[64];
        std::snprintf(exact, sizeof exact, "%.0f", std::fabs(value));    // a whole number this large: all its digits are exact
        mantissa = exact;
    } else
        mantissa.insert(static_cast<std::size_t>(point), 1, '.');
    out = (negative ? "-" : "") + mantissa;
    return true;
}

//! Reads each value by its storage class and as text where SQL gives text.
class ProofReader final : public BatchReader {
public:
    ProofReader(std::unique_ptr<Connection> connection, TablePlanPtr plan, bool utf8, std::string paging, std::vector<std::vector<KeyWord>> keys)
        : m_connection(std::move(connection)), m_plan(std::move(plan)), m_utf8(utf8), m_paging(std::move(paging)), m_keys(std::move(keys)), m_byKey(!m_keys.empty()) {}

    Result<> prepare()
    {
        const std::string name = quotedName(m_plan->table.name);
        std::vector<std::string> columns, conditions;
        for (const Column& column : m_plan->schema->columns) {
            columns.push_back(name + "." + quotedName(column.source));
        }
        if (!m_plan->where.empty())
            conditions.push_back("(" + m_plan->where + "\n)");
        if (!m_plan->softDelete.empty()) {
            const std::string s = name + "." + quotedName(m_plan->softDelete);
            conditions.push_back("NOT CASE typeof(" + s + ") WHEN 'null' THEN 0 WHEN 'text' THEN lower(trim(" + s
                                 + ", ' ' || char(9, 10, 13))) NOT IN ('', '0', 'false', 'f', 'no', 'n', 'off') WHEN 'blob' THEN length(" + s + ") > 0 ELSE " + s + " <> 0 END");
        }
        if (m_byKey)
            for (std::size_t i = 0; i < m_plan->schema->key.size(); ++i)
                conditions.push_back(name + "." + quotedName(m_plan->schema->columns[m_plan->schema->key[i]].source) + " IN (?" + std::to_string(2 * i + 1) + ", ?" + std::to_string(2 * i + 2) + ")");
        else if (!m_paging.empty()) {
            conditions.push_back(m_paging + " > ?1");
            columns.push_back(m_paging);
        }
        std::string sql = "SELECT " + join(columns, ", ") + " FROM main." + name + (conditions.empty() ? "" : " WHERE " + join(conditions, " AND "));
        if (!m_byKey && !m_paging.empty())
            sql += " ORDER BY " + m_paging + " LIMIT " + std::to_string(pageRows);
        auto made = m_connection->prepare(sql);
        if (!made)
            return std::move(made).error().in("table " + m_plan->label);
        m_statement = std::move(*made);
        return {};
    }

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return Error{Fault::Cancelled, "source.sqlite.cancelled", "Stopped while proving " + m_plan->label + ".", {}, {}};
        const Cancel cancel(*m_connection, stop);
        for (std::size_t n = 0; n < maxRows && into.bytes() < (4u << 20);) {
            if (!m_running && !beginPage())
                return ReadState::End;
            const int code = sqlite3_step(m_statement.handle());
            if (code != SQLITE_ROW && code != SQLITE_DONE)
                return m_connection->error("proving " + m_plan->label);
            if (code == SQLITE_DONE) {
                m_statement.reset();
                m_running = false;
                continue;
            }
            take(into);
            ++n;
            ++m_pageCount;
        }
        return ReadState::More;
    }

private:
    //! The next key, the next page, or the whole; false when nothing is left.
    bool beginPage()
    {
        sqlite3_stmt* s = m_statement.handle();
        if (m_byKey) {
            if (m_nextKey == m_keys.size())
                return false;
            int at = 0;
            for (const KeyWord& word : m_keys[m_nextKey])
                for (const std::string* text : {&word.text, word.other.empty() ? &word.text : &word.other}) {
                    ++at;
                    if (word.kind == 'i') sqlite3_bind_int64(s, at, word.number);
                    else if (word.kind == 'r') sqlite3_bind_double(s, at, word.real);
                    else if (word.kind == 'b') sqlite3_bind_blob(s, at, text->data(), static_cast<int>(text->size()), SQLITE_TRANSIENT);
                    else if (word.kind == 'n') sqlite3_bind_null(s, at);
                    else sqlite3_bind_text(s, at, text->data(), static_cast<int>(text->size()), SQLITE_TRANSIENT);
                }
            ++m_nextKey;
        } else if (!m_paging.empty()) {
            if (m_begun && m_pageCount < pageRows)
                return false;
            if (m_begun) sqlite3_bind_int64(s, 1, m_lastRowid);
            else sqlite3_bind_double(s, 1, -1e300);              // below every rowid, the smallest one too
        } else if (m_begun)
            return false;
        m_begun = m_running = true;
        m_pageCount = 0;
        return true;
    }

    void take(Batch& into)
    {
        sqlite3_stmt* s = m_statement.handle();
        const auto cells = into.append(Op::Upsert);
        const std::size_t row = into.rows() - 1;
        const Schema& schema = *m_plan->schema;
        std::string trouble;
        const char* why = nullptr;
        bool nullKey = false;
        for (std::size_t i = 0; i < schema.columns.size(); ++i) {
            const int at = static_cast<int>(i), kind = sqlite3_column_type(s, at);   // asked for before the value, which may change it
            const bool key = std::find(schema.key.begin(), schema.key.end(), i) != schema.key.end();
            nullKey = nullKey || (key && kind == SQLITE_NULL);
            if (!cell(s, at, kind, schema.columns[i], key, i < m_plan->policies.size() && m_plan->policies[i] == ValuePolicy::Fail, into, cells[i]) && trouble.empty()) {
                trouble = schema.columns[i].source;
                why = m_why;
            }
        }
        if (!m_byKey && !m_paging.empty())
            m_lastRowid = sqlite3_column_int64(s, static_cast<int>(schema.columns.size()));
        if (!trouble.empty())
            into.reject(row, {Fault::Data, std::string("source.sqlite.") + why, "table " + m_plan->label + ", column " + trouble + ": the value cannot be carried", {}, {}});
        else if (nullKey)
            into.reject(row, {Fault::Data, "source.sqlite.null_key", "table " + m_plan->label + ": the row's key has a NULL", {}, {}});
    }

    //! False: the row cannot be carried, and m_why says why in the reader's words, so that a row tried again keeps its cause.
    bool cell(sqlite3_stmt* s, int at, int kind, const Column& column, bool key, bool failing, Batch& into, Cell& out)
    {
        if (kind == SQLITE_NULL)
            return true;
        if (kind == SQLITE_INTEGER || kind == SQLITE_FLOAT)
            return number(kind == SQLITE_INTEGER, sqlite3_column_int64(s, at), sqlite3_column_double(s, at), column, key, failing, into, out);
        if (kind == SQLITE_BLOB) {
            const auto size = static_cast<std::size_t>(sqlite3_column_bytes(s, at));
            if (size > largest)
                return refused("too_large");
            out = into.text({static_cast<const char*>(sqlite3_column_blob(s, at)), size}, Type::Bytes);
            return !declared(column.type) || replaced(failing, into);
        }
        if (!m_utf8) {
            const auto* units = static_cast<const char16_t*>(sqlite3_column_text16(s, at));
            const int size = sqlite3_column_bytes16(s, at);
            if (loneSurrogate(units, size / 2)) {
                if (key) out = into.text({reinterpret_cast<const char*>(units), static_cast<std::size_t>(size)}, Type::Bytes);
                return refused("invalid_utf8");
            }
        }
        const char* p = reinterpret_cast<const char*>(sqlite3_column_text(s, at));
        const std::string_view words(p ? p : "", static_cast<std::size_t>(sqlite3_column_bytes(s, at)));
        if (!validUtf8(words)) {
            if (key) out = into.text(words, Type::Bytes);
            return refused("invalid_utf8");
        }
        if (words.size() > largest)
            return refused("too_large");
        if (declared(column.type) && parsed(words, column, key, into, out))
            return true;
        out = into.text(words);
        return !declared(column.type) || replaced(failing, into);
    }

    //! A value that its column's type does not fit goes as text and is counted, or parks its row.
    bool replaced(bool failing, Batch& into)
    {
        if (failing)
            return refused("not_as_declared");
        ++into.coerced;
        return true;
    }
    bool refused(const char* why)
    {
        m_why = why;
        return false;
    }

    static bool declared(Type type)
    {
        return type != Type::Text && type != Type::Int && type != Type::Uint && type != Type::Real && type != Type::Bytes && type != Type::Array;
    }

    bool number(bool whole, std::int64_t i, double d, const Column& column, bool key, bool failing, Batch& into, Cell& out)
    {
        std::string text, digits;
        if (whole) appendInt(text, i); else appendReal(text, d);
        if (!declared(column.type)) {
            out = whole ? Cell::integer(i) : Cell::real(d);
            return true;
        }
        if (column.type == Type::Bool && whole && (i == 0 || i == 1)) { out = Cell::boolean(i == 1); return true; }
        if (column.type == Type::Json && !key && (whole || std::isfinite(d))) { out = into.text(text, Type::Json); return true; }
        if (column.type == Type::Decimal && (whole || plainDigits(d, digits)) && padded(whole ? text : digits, column, digits)) {
            out = into.text(digits, Type::Decimal);
            return true;
        }
        out = into.text(text);
        return replaced(failing, into);
    }

    bool parsed(std::string_view words, const Column& column, bool key, Batch& into, Cell& out)
    {
        std::int64_t n = 0;
        std::uint8_t digits = 0;
        bool zone = false;
        std::string text;
        switch (column.type) {
        case Type::Date:
            if (!parseDate(words, n)) return false;
            out = Cell::date(n);
            return true;
        case Type::Time:
            if (!parseTime(words, n, digits) || (key && !(words.size() > 2 && words[0] != '-' && words[2] == ':'))) return false;
            out = Cell::time(Type::Time, n, digits);
            return true;
        case Type::DateTime: case Type::Timestamp:
            if (!parseDateTime(words, n, digits, &zone) || (key && zone)) return false;
            out = Cell::time(zone ? Type::Timestamp : Type::DateTime, n, digits);
            return true;
        case Type::Decimal:
            if (!isDecimal(words) || !padded(std::string(words), column, text)) return false;
            out = into.text(text, Type::Decimal);
            return true;
        case Type::Json:
            if (key || !minifyJson(words, text)) return false;
            out = into.text(text, Type::Json);
            return true;
        case Type::Uuid: {
            if (words.size() != 36) return false;
            for (std::size_t i = 0; i < 36; ++i)
                if (std::string_view(i == 8 || i == 13 || i == 18 || i == 23 ? "-" : "0123456789abcdef").find(words[i]) == std::string_view::npos) return false;
            out = into.text(words, Type::Uuid);
            return true;
        }
        default: return false;
        }
    }

    static bool loneSurrogate(const char16_t* p, int units)
    {
        for (int i = 0; i < units; ++i) {
            const bool high = (p[i] & 0xFC00) == 0xD800, low = (p[i] & 0xFC00) == 0xDC00;
            if (low || (high && (i + 1 == units || (p[i + 1] & 0xFC00) != 0xDC00)))
                return true;
            i += high;
        }
        return false;
    }

    std::unique_ptr<Connection> m_connection;
    TablePlanPtr m_plan;
    bool m_utf8;
    std::string m_paging;
    std::vector<std::vector<KeyWord>> m_keys;
    bool m_byKey, m_begun = false, m_running = false;
    std::size_t m_nextKey = 0, m_pageCount = 0;
    std::int64_t m_lastRowid = 0;
    const char* m_why = "";
    Statement m_statement;
};

} // namespace

Result<std::unique_ptr<BatchReader>> openProof(const Config& config, TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys)
{
    auto connection = Connection::open(config.path, config.busyTimeout);
    if (!connection)
        return std::move(connection).error();
    auto wal = (*connection)->wal();
    if (!wal)
        return std::move(wal).error();
    auto utf8 = (*connection)->utf8();
    if (!utf8)
        return std::move(utf8).error();
    // One statement is one view of the table. With a rollback journal that would keep writers out for as long as the proof lasts, so
    // there it goes by pages of rowids; a row that changes in between is looked at again by verify.
    std::string paging;
    if (!*wal) {
        auto rowid = rowidName(**connection, plan->table);
        if (!rowid)
            return std::move(rowid).error();
        // a table of as many columns as a result may have leaves it no place
        if (plan->schema->columns.size() < static_cast<std::size_t>(sqlite3_limit((*connection)->handle(), SQLITE_LIMIT_COLUMN, -1)))
            paging = std::move(*rowid);
    }
    std::vector<std::vector<KeyWord>> words;
    for (const auto& key : keys) {
        words.emplace_back();
        for (const Cell& cell : key)
            words.back().push_back(keyWord(cell));
    }
    auto reader = std::make_unique<ProofReader>(std::move(*connection), std::move(plan), *utf8, std::move(paging), std::move(words));
    if (auto prepared = reader->prepare(); !prepared)
        return std::move(prepared).error();
    return std::unique_ptr<BatchReader>(std::move(reader));
}

} // namespace millrace::sqlitesource
