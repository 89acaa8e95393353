#include "core/data/value.h"
#include "core/base/jsonscan.h"
#include "core/base/text.h"
#include <charconv>
#include <cmath>
#include <xxhash.h>

namespace millrace {

namespace {

constexpr std::pair<std::string_view, Type> typeNames[] = {
    {"null", Type::Null}, {"unchanged", Type::Unchanged}, {"bool", Type::Bool}, {"int", Type::Int}, {"uint", Type::Uint}, {"real", Type::Real},
    {"decimal", Type::Decimal}, {"text", Type::Text}, {"bytes", Type::Bytes}, {"json", Type::Json}, {"date", Type::Date}, {"time", Type::Time},
    {"datetime", Type::DateTime}, {"timestamp", Type::Timestamp}, {"uuid", Type::Uuid}, {"array", Type::Array}};

void appendPadded(std::string& out, std::uint64_t value, unsigned width)
{
    char digits[24];
    const auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    for (auto n = static_cast<unsigned>(end - digits); n < width; ++n)
        out += '0';
    out.append(digits, end);
}

void appendFraction(std::string& out, std::uint64_t micros, unsigned digits)
{
    if (digits == 0)
        return;
    char text[7];
    for (int i = 5; i >= 0; --i, micros /= 10)
        text[i] = static_cast<char>('0' + micros % 10);
    out += '.';
    out.append(text, std::min(digits, 6u));
}

bool twoDigits(std::string_view text, std::size_t at, unsigned& out)
{
    if (at + 2 > text.size() || text[at] < '0' || text[at] > '9' || text[at + 1] < '0' || text[at + 1] > '9')
        return false;
    out = static_cast<unsigned>((text[at] - '0') * 10 + text[at + 1] - '0');
    return true;
}

//! ".123" -> micros 123000, digits 3; advances `at` past it. False for more than six digits or none after the dot.
bool fraction(std::string_view text, std::size_t& at, std::int64_t& micros, std::uint8_t& digits)
{
    micros = 0;
    digits = 0;
    if (at >= text.size() || text[at] != '.')
        return true;
    for (++at; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, ++digits) {
        if (digits == 6)
            return false;
        micros = micros * 10 + (text[at] - '0');
    }
    if (digits == 0)
        return false;
    for (int i = digits; i < 6; ++i)
        micros *= 10;
    return true;
}

bool isQuotedInKey(Type type)
{
    return !(type == Type::Bool || type == Type::Int || type == Type::Uint || type == Type::Real || type == Type::Decimal || type == Type::Null);
}

void appendKeyPart(std::string& out, const Cell& cell)
{
    if (cell.type == Type::Bytes) {
        out += '"';
        out += hex(cell.text());
        out += '"';
    } else if (isQuotedInKey(cell.type)) {
        std::string text;
        appendText(text, cell);
        appendJsonString(out, text);
    } else
        appendJson(out, cell);
}

void limitKey(std::string& out, std::size_t from)
{
    constexpr std::size_t longest = 512;
    if (out.size() - from <= longest)
        return;
    const std::string digest = sha256Hex(std::string_view(out).substr(from));
    out.resize(from);
    out += '#';
    out += digest;
}

std::uint64_t cellHash(std::uint64_t seed, const Cell& cell)
{
    const bool inArena = cell.type == Type::Decimal || cell.type == Type::Text || cell.type == Type::Bytes || cell.type == Type::Json
                      || cell.type == Type::Uuid || cell.type == Type::Array;
    const std::uint64_t tagged = seed * 0x9E3779B97F4A7C15ull + static_cast<std::uint64_t>(cell.type) + 1;
    if (inArena)
        return XXH3_64bits_withSeed(cell.p, cell.size, tagged);
    // of times, the number of fraction digits is part of the document
    return XXH3_64bits_withSeed(&cell.i, sizeof cell.i, tagged + (static_cast<std::uint64_t>(cell.size) << 32));
}

struct Minifier {
    std::string& out;
    bool comma = false;                                           // a value stands before this one in the same list or object
    void next() { if (comma) out += ','; comma = true; }
    void open(char c) { next(); out += c; comma = false; }
    void close(char c) { out += c; comma = true; }
    void null() { next(); out += "null"; }
    void boolean(bool b) { next(); out += b ? "true" : "false"; }
    void number(std::string_view lexeme) { next(); out += lexeme; }
    void string(std::string_view text) { next(); appendJsonString(out, text); }
    void key(std::string_view text) { next(); appendJsonString(out, text); out += ':'; comma = false; }
};

} // namespace

std::string_view typeName(Type type)
{
    for (const auto& [name, value] : typeNames)
        if (value == type)
            return name;
    return "text";
}

bool typeFromName(std::string_view name, Type& out)
{
    for (const auto& [known, value] : typeNames)
        if (known == name && value != Type::Null && value != Type::Unchanged) {
            out = value;
            return true;
        }
    return false;
}

std::int64_t daysFromCivil(int year, unsigned month, unsigned day)
{
    year -= month <= 2;
    const std::int64_t era = (year >= 0 ? year : year - 399) / 400;
    const auto yearOfEra = static_cast<unsigned>(year - era * 400);
    const unsigned dayOfYear = (153 * (month + (month > 2 ? -3u : 9u)) + 2) / 5 + day - 1;
    const unsigned dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear;
    return era * 146097 + static_cast<std::int64_t>(dayOfEra) - 719468;
}

void civilFromDays(std::int64_t days, int& year, unsigned& month, unsigned& day)
{
    days += 719468;
    const std::int64_t era = (days >= 0 ? days : days - 146096) / 146097;
    const auto dayOfEra = static_cast<unsigned>(days - era * 146097);
    const unsigned yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146096) / 365;
    const unsigned dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100);
    const unsigned shifted = (5 * dayOfYear + 2) / 153;
    day = dayOfYear - (153 * shifted + 2) / 5 + 1;
    month = shifted < 10 ? shifted + 3 : shifted - 9;
    year = static_cast<int>(yearOfEra + era * 400) + (month <= 2);
}

bool validDate(int year, unsigned month, unsigned day)
{
    static constexpr unsigned lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (year < 0 || year > 9999 || month < 1 || month > 12 || day < 1)
        return false;
    const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return day <= lengths[month - 1] + (month == 2 && leap ? 1 : 0);
}

std::int64_t microsOf(int year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second, unsigned micros)
{
    return ((daysFromCivil(year, month, day) * 24 + hour) * 60 + minute) * 60'000'000 + static_cast<std::int64_t>(second) * 1'000'000 + micros;
}

void appendDate(std::string& out, std::int64_t days)
{
    int year; unsigned month, day;
    civilFromDays(days, year, month, day);
    if (year < 0) { out += '-'; year = -year; }
    appendPadded(out, static_cast<std::uint64_t>(year), 4);
    out += '-';
    appendPadded(out, month, 2);
    out += '-';
    appendPadded(out, day, 2);
}

void appendTime(std::string& out, std::int64_t micros, unsigned digits)
{
    if (micros < 0) out += '-';
    const std::uint64_t magnitude = micros < 0 ? 0 - static_cast<std::uint64_t>(micros) : static_cast<std::uint64_t>(micros);
    const std::uint64_t seconds = magnitude / 1'000'000;
    appendPadded(out, seconds / 3600, 2);
    out += ':';
    appendPadded(out, seconds / 60 % 60, 2);
    out += ':';
    appendPadded(out, seconds % 60, 2);
    appendFraction(out, magnitude % 1'000'000, digits);
}

void appendDateTime(std::string& out, std::int64_t micros, unsigned digits, bool zulu)
{
    constexpr std::int64_t perDay = 86'400'000'000;
    std::int64_t days = micros / perDay, rest = micros % perDay;
    if (rest < 0) { rest += perDay; --days; }
    appendDate(out, days);
    out += 'T';
    appendTime(out, rest, digits);
    if (zulu) out += 'Z';
}

void appendReal(std::string& out, double value)
{
    if (std::isnan(value)) { out += "NaN"; return; }
    if (std::isinf(value)) { out += value < 0 ? "-Infinity" : "Infinity"; return; }
    char digits[32];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void appendInt(std::string& out, std::int64_t value)
{
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void appendUint(std::string& out, std::uint64_t value)
{
    char digits[24];
    out.append(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

void appendJsonString(std::string& out, std::string_view text)
{
    out += '"';
    std::size_t clean = 0;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        out.append(text.substr(clean, i - clean));
        clean = i + 1;
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\b': out += "\\b"; break;
        case '\f': out += "\\f"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            out += "\\u00";
            out += "0123456789abcdef"[c >> 4];
            out += "0123456789abcdef"[c & 15];
        }
    }
    out.append(text.substr(clean));
    out += '"';
}

void appendBase64(std::string& out, std::string_view bytes) { out += base64(bytes); }

void appendJson(std::string& out, const Cell& cell)
{
    switch (cell.type) {
    case Type::Null: case Type::Unchanged: out += "null"; return;
    case Type::Bool: out += cell.i ? "true" : "false"; return;
    case Type::Int: appendInt(out, cell.i); return;
    case Type::Uint: appendUint(out, cell.u); return;
    case Type::Real:
        if (std::isfinite(cell.d)) { appendReal(out, cell.d); return; }
        break;
    case Type::Decimal:
        if (cell.size && (cell.p[cell.size - 1] >= '0' && cell.p[cell.size - 1] <= '9')) { out += cell.text(); return; }
        break;                                                    // "NaN" goes as a string
    case Type::Json: case Type::Array: out += cell.text(); return;
    case Type::Text: case Type::Uuid: appendJsonString(out, cell.text()); return;
    case Type::Bytes: out += '"'; appendBase64(out, cell.text()); out += '"'; return;
    case Type::Date: case Type::Time: case Type::DateTime: case Type::Timestamp: break;
    }
    out += '"';
    appendText(out, cell);
    out += '"';
}

void appendText(std::string& out, const Cell& cell)
{
    switch (cell.type) {
    case Type::Null: case Type::Unchanged: out += "null"; return;
    case Type::Bool: out += cell.i ? "true" : "false"; return;
    case Type::Int: appendInt(out, cell.i); return;
    case Type::Uint: appendUint(out, cell.u); return;
    case Type::Real: appendReal(out, cell.d); return;
    case Type::Date: appendDate(out, cell.i); return;
    case Type::Time: appendTime(out, cell.i, cell.size); return;
    case Type::DateTime: appendDateTime(out, cell.i, cell.size, false); return;
    case Type::Timestamp: appendDateTime(out, cell.i, cell.size, true); return;
    case Type::Bytes: out += hex(cell.text()); return;
    case Type::Decimal: case Type::Text: case Type::Json: case Type::Uuid: case Type::Array: out += cell.text(); return;
    }
}

void appendKeyText(std::string& out, const Schema& schema, std::span<const Cell> row)
{
    const std::size_t from = out.size();
    if (schema.key.size() == 1)
        appendText(out, row[schema.key[0]]);
    else {
        out += '[';
        for (std::size_t i = 0; i < schema.key.size(); ++i) {
            if (i) out += ',';
            appendKeyPart(out, row[schema.key[i]]);
        }
        out += ']';
    }
    limitKey(out, from);
}

std::string keyText(const Schema& schema, std::span<const Cell> row)
{
    std::string out;
    appendKeyText(out, schema, row);
    return out;
}

std::string keyTextOf(const std::vector<Cell>& key)
{
    std::string out;
    if (key.size() == 1)
        appendText(out, key[0]);
    else {
        out += '[';
        for (std::size_t i = 0; i < key.size(); ++i) {
            if (i) out += ',';
            appendKeyPart(out, key[i]);
        }
        out += ']';
    }
    limitKey(out, 0);
    return out;
}

std::uint64_t rowHash(std::span<const Cell> row)
{
    std::uint64_t hash = row.size();
    for (const Cell& cell : row)
        hash = cellHash(hash, cell);
    return hash;
}

std::uint64_t keyHash(const Schema& schema, std::span<const Cell> row)
{
    std::uint64_t hash = schema.key.size();
    for (const auto i : schema.key)
        hash = cellHash(hash, row[i]);
    return hash;
}

bool parseDate(std::string_view text, std::int64_t& days)
{
    unsigned high, low, month, day;
    if (text.size() != 10 || text[4] != '-' || text[7] != '-' || !twoDigits(text, 0, high) || !twoDigits(text, 2, low) || !twoDigits(text, 5, month)
        || !twoDigits(text, 8, day) || !validDate(static_cast<int>(high * 100 + low), month, day))
        return false;
    days = daysFromCivil(static_cast<int>(high * 100 + low), month, day);
    return true;
}

bool parseDateTime(std::string_view text, std::int64_t& micros, std::uint8_t& digits, bool* hadZone)
{
    std::int64_t days, part = 0;
    unsigned hour, minute, second;
    if (text.size() < 19 || !parseDate(text.substr(0, 10), days) || (text[10] != 'T' && text[10] != ' ') || !twoDigits(text, 11, hour) || text[13] != ':'
        || !twoDigits(text, 14, minute) || text[16] != ':' || !twoDigits(text, 17, second) || hour > 23 || minute > 59 || second > 59)
        return false;
    std::size_t at = 19;
    if (!fraction(text, at, part, digits))
        return false;
    std::int64_t offset = 0;
    bool zone = false;
    if (at < text.size() && text[at] == 'Z') { zone = true; ++at; }
    else if (at + 6 == text.size() && (text[at] == '+' || text[at] == '-')) {
        unsigned hours, minutes;
        if (!twoDigits(text, at + 1, hours) || text[at + 3] != ':' || !twoDigits(text, at + 4, minutes) || hours > 23 || minutes > 59)
            return false;
        offset = static_cast<std::int64_t>(hours * 60 + minutes) * 60'000'000 * (text[at] == '-' ? -1 : 1);
        zone = true;
        at += 6;
    }
    if (at != text.size())
        return false;
    micros = ((days * 24 + hour) * 60 + minute) * 60'000'000 + static_cast<std::int64_t>(second) * 1'000'000 + part - offset;
    if (hadZone) *hadZone = zone;
    return true;
}

bool parseTime(std::string_view text, std::int64_t& micros, std::uint8_t& digits)
{
    const bool negative = !text.empty() && text[0] == '-';
    if (negative) text.remove_prefix(1);
    const auto colon = text.find(':');
    if (colon == std::string_view::npos || colon < 1 || colon > 3)
        return false;
    unsigned hours = 0, minute, second;
    const auto parsed = std::from_chars(text.data(), text.data() + colon, hours);
    if (parsed.ec != std::errc() || parsed.ptr != text.data() + colon || !twoDigits(text, colon + 1, minute) || colon + 3 >= text.size()
        || text[colon + 3] != ':' || !twoDigits(text, colon + 4, second) || minute > 59 || second > 59)
        return false;
    std::size_t at = colon + 6;
    std::int64_t part = 0;
    if (!fraction(text, at, part, digits) || at != text.size())
        return false;
    micros = (static_cast<std::int64_t>(hours) * 3600 + minute * 60 + second) * 1'000'000 + part;
    if (negative) micros = -micros;
    return true;
}

bool isJsonNumber(std::string_view text)
{
    std::size_t i = 0;
    const auto digits = [&] { const auto from = i; while (i < text.size() && text[i] >= '0' && text[i] <= '9') ++i; return i - from; };
    if (i < text.size() && text[i] == '-') ++i;
    const auto first = i;
    const auto whole = digits();
    if (whole == 0 || (whole > 1 && text[first] == '0'))
        return false;
    if (i < text.size() && text[i] == '.') { ++i; if (!digits()) return false; }
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        ++i;
        if (i < text.size() && (text[i] == '+' || text[i] == '-')) ++i;
        if (!digits()) return false;
    }
    return i == text.size();
}

bool isDecimal(std::string_view text)
{
    return isJsonNumber(text) && text.find_first_of("eE") == std::string_view::npos;
}

bool minifyJson(std::string_view text, std::string& out)
{
    const std::size_t from = out.size();
    Minifier minifier{out};
    JsonScanner<Minifier> scanner(minifier, 1000);
    if (scanner.scan(text))
        return true;
    out.resize(from);
    return false;
}

} // namespace millrace
