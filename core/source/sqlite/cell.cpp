#include "core/source/sqlite/cell.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include "core/source/sqlite/rawvalue.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <optional>

namespace millrace::sqlitesource {

namespace {

constexpr std::size_t largestCell = 64u << 20;

bool isUuid(std::string_view text)
{
    if (text.size() != 36)
        return false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        if (dash ? c != '-' : !((c >= '0' && c <= '9') || (c >= 'a' && c <= 'f')))
            return false;
    }
    return true;
}

//! Plain digits in `text` brought to the declared scale; false when digits would be lost.
bool toScale(std::string& text, unsigned scale)
{
    const auto dot = text.find('.');
    std::size_t have = dot == std::string::npos ? 0 : text.size() - dot - 1;
    while (have > scale && text.back() == '0') { text.pop_back(); --have; }
    if (have > scale)
        return false;
    if (have == 0 && text.back() == '.') text.pop_back();
    if (scale > 0 && have == 0) text += '.';
    text.append(scale - have, '0');
    return true;
}

bool toDecimal(sqlite3_value* value, int type, std::string_view words, const ColumnRule& rule, std::string& out)
{
    out.clear();
    if (type == SQLITE_INTEGER)
        appendInt(out, sqlite3_value_int64(value));
    else if (type == SQLITE_FLOAT) {
        const double real = sqlite3_value_double(value);
        if (!std::isfinite(real) || std::abs(real) >= 1e34 || (real != 0 && std::abs(real) < 1e-34))
            return false;                                         // further digits would be made up
        char digits[96];
        out.assign(digits, std::to_chars(digits, digits + sizeof digits, real, std::chars_format::fixed).ptr);
        if (out == "-0") out = "0";
    } else if (isDecimal(words))
        out = words;
    else
        return false;
    return !rule.scaled || toScale(out, rule.scale);
}

//! The plain text of a value that its declared type does not fit.
std::string_view asText(sqlite3_value* value, int type, std::string& out)
{
    out.clear();
    if (type == SQLITE_INTEGER) appendInt(out, sqlite3_value_int64(value));
    else appendReal(out, sqlite3_value_double(value));
    return out;
}

bool refine(sqlite3_value* value, int type, std::string_view words, const ColumnRule& rule, Batch& batch, std::string& scratch, Cell& cell)
{
    const bool isText = type == SQLITE_TEXT;
    std::int64_t number = 0;
    std::uint8_t digits = 0;
    bool zone = false;
    switch (rule.type) {
    case Type::Bool:
        if (type != SQLITE_INTEGER || (sqlite3_value_int64(value) & ~std::int64_t{1}))
            return false;
        cell = Cell::boolean(sqlite3_value_int64(value) != 0);
        return true;
    case Type::Date:
        if (!isText || !parseDate(words, number))
            return false;
        cell = Cell::date(number);
        return true;
    case Type::Time:
        if (!isText || !parseTime(words, number, digits) || (rule.key && (words.size() < 8 || words[0] == '-' || words[2] != ':')))
            return false;
        cell = Cell::time(Type::Time, number, digits);
        return true;
    case Type::DateTime: case Type::Timestamp:
        // Two keys must never become one. preflight() refuses keys with both ' ' and 'T'; with a zone a key stays text.
        if (!isText || !parseDateTime(words, number, digits, &zone) || (rule.key && zone))
            return false;
        cell = Cell::time(zone ? Type::Timestamp : Type::DateTime, number, digits);
        return true;
    case Type::Decimal:
        if (!toDecimal(value, type, words, rule, scratch))
            return false;
        cell = batch.text(scratch, Type::Decimal);
        return true;
    case Type::Json:
        if (rule.key)
            return false;
        if (type != SQLITE_TEXT) {
            cell = batch.text(asText(value, type, scratch), Type::Json);
            return isJsonNumber(scratch);
        }
        scratch.clear();
        if (!minifyJson(words, scratch))
            return false;
        cell = batch.text(scratch, Type::Json);
        return true;
    case Type::Uuid:
        if (!isText || !isUuid(words))
            return false;
        cell = batch.text(words, Type::Uuid);
        return true;
    default: return false;
    }
}

bool refines(Type type)
{
    switch (type) {
    case Type::Bool: case Type::Date: case Type::Time: case Type::DateTime: case Type::Timestamp: case Type::Decimal: case Type::Json: case Type::Uuid: return true;
    default: return false;
    }
}

} // namespace

std::vector<ColumnRule> columnRules(const TablePlan& plan)
{
    std::vector<ColumnRule> rules;
    for (std::size_t i = 0; i < plan.schema->columns.size(); ++i) {
        const Column& column = plan.schema->columns[i];
        const bool key = std::find(plan.schema->key.begin(), plan.schema->key.end(), i) != plan.schema->key.end();
        rules.push_back({column.type, column.scale, column.precision > 0, key, i < plan.policies.size() ? plan.policies[i] : ValuePolicy::Null});
    }
    return rules;
}

Decoded decode(sqlite3_value* value, int type, bool utf8, const ColumnRule& rule, Batch& batch, std::string& scratch, Cell& cell, bool& borrowed)
{
    borrowed = false;
    std::string_view words;
    const bool refining = refines(rule.type);
    switch (type) {
    case SQLITE_NULL: cell = Cell::null(); return Decoded::Exact;
    case SQLITE_INTEGER:
        if (!refining) { cell = Cell::integer(sqlite3_value_int64(value)); return Decoded::Exact; }
        break;
    case SQLITE_FLOAT:
        if (!refining) { cell = Cell::real(sqlite3_value_double(value)); return Decoded::Exact; }
        break;
    case SQLITE_TEXT: {
        if (!utf8 && loneSurrogate(value))
            return Decoded::InvalidText;
        // The blob call gives the same bytes without making room for a terminator, which would copy every text once more.
        const void* p = utf8 ? sqlite3_value_blob(value) : static_cast<const void*>(sqlite3_value_text(value));
        words = {static_cast<const char*>(p ? p : ""), static_cast<std::size_t>(sqlite3_value_bytes(value))};
        if (!validUtf8(words))
            return Decoded::InvalidText;
        break;
    }
    default: {
        const void* p = sqlite3_value_blob(value);
        words = {static_cast<const char*>(p ? p : ""), static_cast<std::size_t>(sqlite3_value_bytes(value))};
    }
    }
    if (words.size() > largestCell)
        return Decoded::TooLarge;
    if (refining && type != SQLITE_BLOB && refine(value, type, words, rule, batch, scratch, cell))
        return Decoded::Exact;
    if (type == SQLITE_INTEGER || type == SQLITE_FLOAT) {
        cell = batch.text(asText(value, type, scratch));
        return Decoded::Coerced;
    }
    cell.type = type == SQLITE_BLOB ? Type::Bytes : Type::Text;
    cell.size = static_cast<std::uint32_t>(words.size());
    cell.p = words.data();
    borrowed = true;
    return refining ? Decoded::Coerced : Decoded::Exact;
}

RowDecoder::RowDecoder(const TablePlan& plan, bool utf8) : m_schema(plan.schema), m_label(plan.label), m_rules(columnRules(plan)), m_utf8(utf8) {}

Error RowDecoder::rowError(const char* id, const Column& column, std::string_view words, std::string_view fix) const
{
    return {Fault::Data, std::string("source.sqlite.") + id, "table " + m_label + ", column " + column.source + ": " + std::string(words), std::string(fix), {}};
}

void RowDecoder::append(sqlite3_stmt* statement, Batch& batch, Op op)
{
    const auto cells = batch.append(op);
    const std::size_t row = batch.rows() - 1;
    std::optional<Error> bad;
    std::size_t size = 0;
    m_borrowed.clear();
    for (std::uint32_t i = 0; i < m_rules.size(); ++i) {
        const ColumnRule& rule = m_rules[i];
        if (op == Op::Delete && !rule.key)
            continue;
        sqlite3_value* value = sqlite3_column_value(statement, static_cast<int>(i));
        bool borrowed = false;
        switch (decode(value, sqlite3_value_type(value), m_utf8, rule, batch, m_scratch, cells[i], borrowed)) {
        case Decoded::Exact: break;
        case Decoded::Coerced:
            if (rule.policy != ValuePolicy::Fail)
                ++batch.coerced;
            else if (!bad)
                bad = rowError("not_as_declared", m_schema->columns[i], "the value is not a " + std::string(typeName(rule.type)) + " as the column declares",
                               "Correct the value, or choose the policy text for the column.");
            break;
        case Decoded::InvalidText:
            // Never lossy: replacement characters would look like the truth (catalogue 30).
            if (rule.key)                                        // its bytes at least, so that the operator can find the row
                cells[i] = batch.text({static_cast<const char*>(sqlite3_value_blob(value)), static_cast<std::size_t>(sqlite3_value_bytes(value))}, Type::Bytes);
            if (!bad)
                bad = rowError("invalid_utf8", m_schema->columns[i], "the text is not valid UTF-8", "Correct the text in the source, or store it as a BLOB.");
            break;
        case Decoded::TooLarge:
            if (!bad)
                bad = rowError("too_large", m_schema->columns[i], "the value is above 64 MB", "Leave the column out: columns: {exclude: [...]}.");
            break;
        }
        if (borrowed) {
            m_borrowed.push_back(i);
            size += cells[i].size;
        }
    }
    if (size > 0) {
        char* at = batch.allocate(size);
        for (const auto i : m_borrowed) {
            std::memcpy(at, cells[i].p, cells[i].size);
            cells[i].p = at;
            at += cells[i].size;
        }
    }
    if (bad)
        batch.reject(row, std::move(*bad));
}

void RowDecoder::rejectNullKey(Batch& batch) const
{
    batch.reject(batch.rows() - 1, {Fault::Data, "source.sqlite.null_key", "table " + m_label + ": the row's key has a NULL, so it cannot be told from others",
                                    "Give the row a key, or choose other key columns.", {}});
}

} // namespace millrace::sqlitesource
