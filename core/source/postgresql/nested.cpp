#include "core/source/postgresql/nested.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <charconv>
#include <cmath>

namespace millrace::postgresql {

namespace {

constexpr std::size_t deepest = 64;                // composites can nest without end only through arrays of themselves

bool hexBytes(std::string_view text, std::string& out)
{
    if (!text.starts_with("\\x") || text.size() % 2)
        return false;
    for (std::size_t i = 2; i < text.size(); i += 2) {
        unsigned char byte = 0;
        if (std::from_chars(text.data() + i, text.data() + i + 2, byte, 16).ptr != text.data() + i + 2)
            return false;
        out += static_cast<char>(byte);
    }
    return true;
}

template <class Number> bool appendFloat(std::string& out, std::string_view text)
{
    Number number = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), number).ptr != text.data() + text.size())
        return false;
    if (!std::isfinite(number)) out += '"';
    appendReal(out, static_cast<double>(number));
    if (!std::isfinite(number)) out += '"';
    return true;
}

//! Times that the canonical types hold are ISO 8601; infinite, BC and beyond-9999 ones stay words.
void appendMoment(std::string& out, Wire wire, int modifier, std::string_view text)
{
    std::int64_t number = 0;
    std::uint8_t digits = 0;
    std::string zoned(text);
    if (wire == Wire::TimestampTz && zoned.ends_with("+00"))
        zoned += ":00";
    out += '"';
    const bool bc = text.ends_with("BC") || text.starts_with("0000");
    if (wire == Wire::Time && parseTime(text, number, digits))
        appendTime(out, number, fractionDigits(modifier));
    else if (wire == Wire::Date && !bc && parseDate(text, number))
        appendDate(out, number);
    else if (wire != Wire::Time && wire != Wire::Date && !bc && parseDateTime(zoned, number, digits))
        appendDateTime(out, number, fractionDigits(modifier), wire == Wire::TimestampTz);
    else
        out += text;
    out += '"';
}

} // namespace

std::string& Nested::scratch(std::size_t depth)
{
    if (m_scratch.empty())
        m_scratch.resize(deepest + 1);             // once: references into it must hold
    m_scratch[depth].clear();
    return m_scratch[depth];
}

bool Nested::value(std::string& out, std::uint32_t type, int modifier, std::string_view text, std::size_t depth)
{
    if (depth >= deepest)
        return false;
    const TypeTree::Node& node = m_types.node(type);
    switch (node.wire) {
    case Wire::Bool: out += text == "t" ? "true" : "false"; return text == "t" || text == "f";
    case Wire::Int2: case Wire::Int4: case Wire::Int8: case Wire::Oid: out += text; return isDecimal(text);
    case Wire::Float4: return appendFloat<float>(out, text);
    case Wire::Float8: return appendFloat<double>(out, text);
    case Wire::Numeric:
        if (isDecimal(text)) out += text;
        else appendJsonString(out, text);          // NaN and infinities
        return true;
    case Wire::Date: case Wire::Time: case Wire::Timestamp: case Wire::TimestampTz: appendMoment(out, node.wire, modifier, text); return true;
    case Wire::Json: case Wire::Jsonb: return minifyJson(text, out);
    case Wire::Bytea: {
        std::string& bytes = scratch(depth);
        if (!hexBytes(text, bytes))
            return false;
        out += '"';
        appendBase64(out, bytes);
        out += '"';
        return true;
    }
    case Wire::Array: return array(out, node, modifier, text, depth);
    case Wire::Record: return record(out, node, text, depth);
    case Wire::Hstore: return hstore(out, text, depth);
    case Wire::Text: case Wire::Uuid: case Wire::Printed: appendJsonString(out, text); return true;
    }
    return false;
}

bool Nested::array(std::string& out, const TypeTree::Node& node, int modifier, std::string_view text, std::size_t depth)
{
    std::size_t at = 0;
    if (text.starts_with('[')) {                                    // "[0:2]={1,2,3}": bounds are dropped
        at = text.find('=');
        if (at == std::string_view::npos)
            return false;
        ++at;
    }
    std::string& item = scratch(depth);
    std::size_t open = 0;
    bool comma = false;
    while (at < text.size()) {
        const char c = text[at];
        if (c == node.delimiter) {
            ++at;
            continue;
        }
        if (c == '}') {
            if (open == 0)
                return false;
            out += ']';
            comma = true;
            ++at;
            if (--open == 0)
                return at == text.size();
            continue;
        }
        if (comma) out += ',';
        if (c == '{') {
            out += '[';
            comma = false;
            ++open;
            ++at;
            continue;
        }
        if (open == 0)
            return false;
        item.clear();
        const bool quoted = c == '"';
        if (quoted) ++at;
        for (; at < text.size() && (quoted ? text[at] != '"' : text[at] != node.delimiter && text[at] != '}'); ++at) {
            if (text[at] == '\\' && ++at == text.size())
                return false;
            item += text[at];
        }
        if (quoted) ++at;
        comma = true;
        if (!quoted && item == "NULL") out += "null";
        else if (!value(out, node.parts[0].type, modifier, item, depth + 1))
            return false;
    }
    return false;
}

bool Nested::record(std::string& out, const TypeTree::Node& node, std::string_view text, std::size_t depth)
{
    if (text.size() < 2 || text.front() != '(' || text.back() != ')')
        return false;
    std::string& item = scratch(depth);
    std::size_t at = 1;
    const std::size_t end = text.size() - 1;
    out += '{';
    for (std::size_t field = 0; field < node.parts.size(); ++field) {
        if (field > 0) {
            if (at >= end || text[at] != ',')
                return false;
            ++at;
            out += ',';
        }
        item.clear();
        bool null = true, quoted = false;
        for (; at < end && (quoted || text[at] != ','); ++at) {
            null = false;
            if (text[at] == '\\') {
                if (++at == end)
                    return false;
                item += text[at];
            } else if (text[at] == '"') {
                if (quoted && at + 1 < end && text[at + 1] == '"') item += text[++at];
                else quoted = !quoted;
            } else
                item += text[at];
        }
        appendJsonString(out, node.parts[field].name);
        out += ':';
        if (null) out += "null";
        else if (!value(out, node.parts[field].type, node.parts[field].modifier, item, depth + 1))
            return false;
    }
    out += '}';
    return at == end;
}

bool Nested::hstore(std::string& out, std::string_view text, std::size_t depth)
{
    std::string& item = scratch(depth);
    std::size_t at = 0;
    const auto word = [&] {
        item.clear();
        if (at >= text.size() || text[at] != '"')
            return false;
        for (++at; at < text.size() && text[at] != '"'; ++at) {
            if (text[at] == '\\' && ++at == text.size())
                return false;
            item += text[at];
        }
        return at++ < text.size();
    };
    out += '{';
    while (at < text.size()) {
        if (at > 0) {
            if (text.substr(at, 2) != ", ")
                return false;
            at += 2;
            out += ',';
        }
        if (!word() || text.substr(at, 2) != "=>")
            return false;
        appendJsonString(out, item);
        out += ':';
        at += 2;
        if (text.substr(at, 4) == "NULL") {
            out += "null";
            at += 4;
        } else if (word())
            appendJsonString(out, item);
        else
            return false;
    }
    out += '}';
    return true;
}

} // namespace millrace::postgresql
