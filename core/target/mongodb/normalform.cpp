#include "core/target/mongodb/normalform.h"
#include "core/base/jsonscan.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <optional>

namespace millrace::mongodb {

namespace {

constexpr int deepest = 190;

void appendField(std::string& out, std::string_view name, std::string_view value)
{
    out += name;
    out += '\x1f';
    out += value;
    out += '\x1e';
}

void appendDate(std::string& out, std::int64_t ms)
{
    out += "t:";
    if (ms > -200'000'000'000'000 && ms < 300'000'000'000'000)
        appendDateTime(out, ms * 1000, 3, true);
    else
        appendInt(out, ms);
}

std::string decimalText(const bson_decimal128_t& value)
{
    char text[BSON_DECIMAL128_STRING];
    bson_decimal128_to_string(&value, text);
    return text;
}

//! "1.23E-9" -> "0.00000000123": keys are written in plain digits everywhere.
std::string plainDecimal(std::string text)
{
    const auto e = text.find('E');
    if (e == std::string::npos)
        return text;
    int power = std::atoi(text.c_str() + e + 1);
    std::string digits;
    const bool negative = text[0] == '-';
    for (const char c : std::string_view(text).substr(0, e))
        if (c >= '0' && c <= '9') digits += c;
    if (const auto dot = text.find('.'); dot != std::string::npos && dot < e)
        power -= static_cast<int>(e - dot) - 1;
    if (power >= 0)
        digits.append(static_cast<std::size_t>(power), '0');
    else {
        const auto decimals = static_cast<std::size_t>(-power);
        if (digits.size() <= decimals) digits.insert(0, decimals + 1 - digits.size(), '0');
        digits.insert(digits.size() - decimals, ".");
    }
    return (negative ? "-" : "") + digits;
}

//! Sign, digits without zeros at either end, and the power of the first digit: two texts of one value give one result.
struct Digits {
    bool negative = false;
    std::string digits;
    long power = 0;
    explicit Digits(std::string_view text)
    {
        const auto e = text.find_first_of("eE");
        long exponent = 0;
        if (e != std::string_view::npos) {
            const std::string tail(text.substr(e + 1));
            exponent = std::strtol(tail.c_str(), nullptr, 10);
        }
        long seen = 0, point = -1;
        for (const char c : text.substr(0, e)) {
            if (c == '-') negative = true;
            else if (c == '.') point = seen;
            else if (c >= '0' && c <= '9') { digits += c; ++seen; }
        }
        power = (point < 0 ? seen : point) + exponent;
        const auto first = digits.find_first_not_of('0');
        if (first == std::string::npos) { digits.clear(); power = 0; return; }
        power -= static_cast<long>(first);
        digits.erase(0, first);
        digits.erase(digits.find_last_not_of('0') + 1);
    }
    bool operator==(const Digits&) const = default;
};

//! More than 34 digits whose last are zeros fit Decimal128 all the same; libbson takes them only as an exponent.
std::string within34(std::string_view text)
{
    const Digits all(text);
    const auto e = text.find_first_of("eE");
    const auto first = text.find_first_of("123456789");
    if (first == std::string_view::npos || (e != std::string_view::npos && first > e) || all.digits.size() > 34)
        return std::string(text);
    std::size_t written = 0;
    for (const char c : text.substr(first, e == std::string_view::npos ? e : e - first))
        written += c != '.';
    if (written <= 34)
        return std::string(text);
    return (all.negative ? "-" : "") + all.digits + std::string(34 - all.digits.size(), '0') + "E" + std::to_string(all.power - 34);
}

bool decimalOf(std::string_view text, bson_decimal128_t& out)
{
    if (const auto e = text.find_first_of("eE"); e != std::string_view::npos && text.size() - e > 8)
        return false;                                     // libbson reads the exponent into an int
    if (Digits(text).digits.size() > 34)
        return false;                                     // libbson 1.23 does not see every digit that it would lose
    const std::string fitting = within34(text);
    return bson_decimal128_from_string_w_len(fitting.data(), static_cast<int>(fitting.size()), &out) && (text == "NaN" || decimalText(out) != "NaN");
}

//! The fewest digits that read back as this double.
Digits shortestDigits(double value)
{
    char text[40];
    for (int precision = 0; precision <= 16; ++precision) {
        std::snprintf(text, sizeof text, "%.*e", precision, value);
        if (std::strtod(text, nullptr) == value)
            break;
    }
    return Digits(text);
}

//! JSON text straight to the form, numbers by the contract's rule.
struct JsonForm {
    std::string& out;
    bool comma = false;
    void next() { if (comma) out += ','; comma = true; }
    void null() { next(); out += 'n'; }
    void boolean(bool value) { next(); out += value ? "b:true" : "b:false"; }
    void number(std::string_view lexeme)
    {
        next();
        std::int64_t whole = 0;
        const auto parsed = std::from_chars(lexeme.data(), lexeme.data() + lexeme.size(), whole);
        if (parsed.ec == std::errc() && parsed.ptr == lexeme.data() + lexeme.size() && lexeme != "-0") {
            out += "i:";
            out += lexeme;
            return;
        }
        const double nearest = std::strtod(std::string(lexeme).c_str(), nullptr);
        std::string shortest;
        appendReal(shortest, nearest);
        if (std::isfinite(nearest) && shortestDigits(nearest) == Digits(lexeme)) {
            out += "d:" + shortest;
            return;
        }
        if (bson_decimal128_t value; decimalOf(lexeme, value))
            out += "m:" + decimalText(value);
        else {
            out += "s:";
            appendJsonString(out, lexeme);
        }
    }
    void string(std::string_view text) { next(); out += "s:"; appendJsonString(out, text); }
    void key(std::string_view text) { next(); appendJsonString(out, text); out += ':'; comma = false; }
    void open(char c) { next(); out += c; comma = false; }
    void close(char c) { out += c; comma = true; }
};

void appendJsonForm(std::string& out, std::string_view json)
{
    JsonForm handler{out};
    JsonScanner<JsonForm> scanner(handler, 1000);
    const std::size_t from = out.size();
    if (!scanner.scan(json)) {
        out.resize(from);
        out += "!not JSON";
    }
}

void appendValue(std::string& out, const bson_iter_t& element, int depth)
{
    std::uint32_t size = 0;
    switch (bson_iter_type(&element)) {
    case BSON_TYPE_NULL: out += 'n'; return;
    case BSON_TYPE_BOOL: out += bson_iter_bool(&element) ? "b:true" : "b:false"; return;
    case BSON_TYPE_INT32: case BSON_TYPE_INT64: out += "i:"; appendInt(out, bson_iter_as_int64(&element)); return;
    case BSON_TYPE_DOUBLE: out += "d:"; appendReal(out, bson_iter_double(&element)); return;
    case BSON_TYPE_DECIMAL128: {
        bson_decimal128_t value;
        bson_iter_decimal128(&element, &value);
        out += "m:" + decimalText(value);
        return;
    }
    case BSON_TYPE_UTF8: {
        const char* text = bson_iter_utf8(&element, &size);
        out += "s:";
        appendJsonString(out, {text, size});
        return;
    }
    case BSON_TYPE_DATE_TIME: appendDate(out, bson_iter_date_time(&element)); return;
    case BSON_TYPE_BINARY: {
        bson_subtype_t subtype;
        const std::uint8_t* bytes = nullptr;
        bson_iter_binary(&element, &subtype, &size, &bytes);
        out += "x:";
        if (subtype != BSON_SUBTYPE_BINARY) out += std::to_string(static_cast<int>(subtype)) + ":";
        appendBase64(out, {reinterpret_cast<const char*>(bytes), size});
        return;
    }
    case BSON_TYPE_DOCUMENT: case BSON_TYPE_ARRAY: {
        const bool array = bson_iter_type(&element) == BSON_TYPE_ARRAY;
        bson_iter_t child;
        if (depth >= deepest || !bson_iter_recurse(&element, &child)) { out += "!too deep"; return; }
        out += array ? '[' : '{';
        for (bool first = true; bson_iter_next(&child); first = false) {
            if (!first) out += ',';
            if (!array) {
                appendJsonString(out, {bson_iter_key(&child), bson_iter_key_len(&child)});
                out += ':';
            }
            appendValue(out, child, depth + 1);
        }
        out += array ? ']' : '}';
        return;
    }
    case BSON_TYPE_OID: {
        char text[25];
        bson_oid_to_string(bson_iter_oid(&element), text);
        out += std::string("o:") + text;
        return;
    }
    default: out += "?" + std::to_string(static_cast<int>(bson_iter_type(&element)));
    }
}

bool keptAsText(const Column& column, bool key, const Cell& cell) { return key && (column.scale > 3 || cell.i % 1000 != 0); }

//! Fraction digits of a stored date in a key text: the declared ones when they say it all, else three.
std::uint8_t dateDigits(std::int64_t micros, std::uint8_t scale)
{
    static constexpr std::int64_t units[] = {1'000'000, 100'000, 10'000, 1'000};
    return scale <= 3 && micros % units[scale] == 0 ? scale : 3;
}

std::int64_t floorMs(std::int64_t micros)
{
    const std::int64_t ms = micros / 1000;
    return micros % 1000 < 0 ? ms - 1 : ms;
}

//! A cell for the key text, its text in `arena` when it needs one.
Cell textCell(std::string& arena)
{
    Cell cell;
    cell.type = Type::Text;
    cell.p = arena.data();
    cell.size = static_cast<std::uint32_t>(arena.size());
    return cell;
}

Cell keyCellOf(const Column& column, const bson_iter_t& element, std::string& arena)
{
    std::uint32_t size = 0;
    switch (bson_iter_type(&element)) {
    case BSON_TYPE_NULL: return Cell::null();
    case BSON_TYPE_BOOL: return Cell::boolean(bson_iter_bool(&element));
    case BSON_TYPE_INT32: case BSON_TYPE_INT64: return Cell::integer(bson_iter_as_int64(&element));
    case BSON_TYPE_DOUBLE: return Cell::real(bson_iter_double(&element));
    case BSON_TYPE_UTF8: {
        const char* text = bson_iter_utf8(&element, &size);
        arena.assign(text, size);
        return textCell(arena);
    }
    case BSON_TYPE_DECIMAL128: {
        bson_decimal128_t value;
        bson_iter_decimal128(&element, &value);
        arena = plainDecimal(decimalText(value));
        Cell cell = textCell(arena);
        cell.type = Type::Decimal;
        return cell;
    }
    case BSON_TYPE_BINARY: {
        bson_subtype_t subtype;
        const std::uint8_t* bytes = nullptr;
        bson_iter_binary(&element, &subtype, &size, &bytes);
        arena.assign(reinterpret_cast<const char*>(bytes), size);
        Cell cell = textCell(arena);
        cell.type = Type::Bytes;
        return cell;
    }
    case BSON_TYPE_DATE_TIME: {
        const std::int64_t ms = bson_iter_date_time(&element);
        if (column.type == Type::Date && ms % 86'400'000 == 0)
            return Cell::date(ms / 86'400'000);
        return Cell::time(column.type == Type::Timestamp ? Type::Timestamp : Type::DateTime, ms * 1000, dateDigits(ms * 1000, column.scale));
    }
    default:
        arena.clear();
        appendValue(arena, element, 0);
        return textCell(arena);
    }
}

Cell keyCellOf(const Column& column, const Cell& cell, std::string& arena)
{
    if (cell.type == Type::Json || cell.type == Type::Array) {
        arena.clear();
        appendJsonForm(arena, cell.text());
        return textCell(arena);
    }
    if ((cell.type == Type::DateTime || cell.type == Type::Timestamp) && !keptAsText(column, true, cell))
        return Cell::time(cell.type, cell.i, dateDigits(cell.i, column.scale));
    return cell;
}

//! The key that an _id is: of several columns it must be a document of just these in their order. Anything else is a key of its own.
std::string idKeyText(const Schema& schema, const bson_iter_t& id)
{
    const std::size_t parts = schema.key.size();
    std::vector<Cell> cells(std::max<std::size_t>(parts, 1));
    std::vector<std::string> arenas(cells.size());
    bson_iter_t part;
    if (parts > 1 && BSON_ITER_HOLDS_DOCUMENT(&id) && bson_iter_recurse(&id, &part)) {
        std::size_t k = 0;
        bool more = bson_iter_next(&part);
        for (; more && k < parts && schema.columns[schema.key[k]].name == bson_iter_key(&part); more = bson_iter_next(&part), ++k)
            cells[k] = keyCellOf(schema.columns[schema.key[k]], part, arenas[k]);
        if (k == parts && !more)
            return keyTextOf(cells);
    }
    cells.resize(1);
    cells[0] = keyCellOf(parts == 1 ? schema.columns[schema.key[0]] : Column(), id, arenas[0]);
    return keyTextOf(cells);
}

} // namespace

void appendForm(std::string& out, const bson_iter_t& element) { appendValue(out, element, 0); }

void appendForm(std::string& out, const Column& column, bool key, const Cell& cell)
{
    switch (cell.type) {
    case Type::Null: out += 'n'; return;
    case Type::Unchanged: out += "!unchanged"; return;
    case Type::Bool: out += cell.i ? "b:true" : "b:false"; return;
    case Type::Int: out += "i:"; appendInt(out, cell.i); return;
    case Type::Uint: out += cell.u <= static_cast<std::uint64_t>(INT64_MAX) ? "i:" : "m:"; appendUint(out, cell.u); return;
    case Type::Real: out += "d:"; appendReal(out, cell.d); return;
    case Type::Decimal:
        if (bson_decimal128_t value; column.precision <= 34 && decimalOf(cell.text(), value)) {
            out += "m:" + decimalText(value);
            return;
        }
        [[fallthrough]];
    case Type::Text: case Type::Uuid: out += "s:"; appendJsonString(out, cell.text()); return;
    case Type::Bytes: out += "x:"; appendBase64(out, cell.text()); return;
    case Type::Date: appendDate(out, cell.i * 86'400'000); return;
    case Type::DateTime: case Type::Timestamp:
        if (!keptAsText(column, key, cell)) {
            appendDate(out, floorMs(cell.i));
            return;
        }
        [[fallthrough]];
    case Type::Time: out += "s:\""; appendText(out, cell); out += '"'; return;
    case Type::Json: case Type::Array: appendJsonForm(out, cell.text()); return;
    }
}

void expectedForm(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form)
{
    const Schema& schema = *plan.schema;
    key.clear();
    form.clear();
    std::vector<Cell> cells;
    std::vector<std::string> arenas(schema.key.size());
    for (std::size_t k = 0; k < schema.key.size(); ++k)
        cells.push_back(keyCellOf(schema.columns[schema.key[k]], row[schema.key[k]], arenas[k]));
    key = keyTextOf(cells);
    std::string value;
    for (std::size_t i = 0; i < row.size(); ++i) {
        value.clear();
        const bool inKey = std::find(schema.key.begin(), schema.key.end(), i) != schema.key.end();
        appendForm(value, schema.columns[i], inKey, row[i]);
        appendField(form, schema.columns[i].name, value);
    }
}

void storedForm(const TablePlan& plan, const bson_t& document, std::string& key, std::string& form, bool& ours, bool unmarkedIsOurs)
{
    const Schema& schema = *plan.schema;
    key.clear();
    form.clear();
    ours = unmarkedIsOurs;
    std::vector<Cell> cells(schema.key.size());
    std::vector<std::string> arenas(schema.key.size()), keyForms(schema.key.size());
    std::vector<bool> found(schema.key.size());
    std::string id, idText, value;
    bson_iter_t iter, mark;
    if (!bson_iter_init(&iter, &document))
        return;
    while (bson_iter_next(&iter)) {
        const std::string_view name(bson_iter_key(&iter), bson_iter_key_len(&iter));
        if (name == "_mr") {
            if (BSON_ITER_HOLDS_DOCUMENT(&iter) && bson_iter_recurse(&iter, &mark) && bson_iter_find(&mark, "s") && !BSON_ITER_HOLDS_NULL(&mark))
                ours = BSON_ITER_HOLDS_UTF8(&mark) && plan.sync == bson_iter_utf8(&mark, nullptr);
            continue;
        }
        value.clear();
        appendForm(value, iter);
        if (name == "_id") {
            id = value;
            idText = idKeyText(schema, iter);
            continue;
        }
        for (std::size_t k = 0; k < schema.key.size(); ++k)
            if (schema.columns[schema.key[k]].name == name) {
                if (plan.objectId)
                    cells[k] = keyCellOf(schema.columns[schema.key[k]], iter, arenas[k]);
                keyForms[k] = value;
                found[k] = true;
            }
        appendField(form, name, value);
    }
    const bool whole = plan.objectId && !schema.key.empty() && std::find(found.begin(), found.end(), false) == found.end();
    key = whole ? keyTextOf(cells) : idText;
    if (plan.objectId || (schema.key.empty() && id.starts_with("i:")))
        return;
    // An _id that does not repeat the key's fields stands in the form, where it equals no row.
    std::string repeated = keyForms.size() == 1 ? keyForms[0] : "{";
    if (keyForms.size() != 1) {
        for (std::size_t k = 0; k < keyForms.size(); ++k) {
            if (k) repeated += ',';
            appendJsonString(repeated, schema.columns[schema.key[k]].name);
            repeated += ':' + keyForms[k];
        }
        repeated += '}';
    }
    if (id == repeated)
        return;
    std::string front;
    appendField(front, "_id", id);
    form.insert(0, front);
}

} // namespace millrace::mongodb
