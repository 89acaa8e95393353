#include "core/source/sqlite/rawvalue.h"
#include "core/base/text.h"
#include <bit>
#include <charconv>
#include <cmath>

namespace millrace::sqlitesource {

namespace {

Error damaged() { return {Fault::Storage, "source.sqlite.position", "A stored position cannot be read.", "Start this table over: sync reset NAME --table TABLE.", {}}; }

bool unhex(std::string_view text, std::string& out)
{
    if (text.size() % 2)
        return false;
    for (std::size_t i = 0; i < text.size(); i += 2) {
        unsigned byte = 0;
        const auto [end, error] = std::from_chars(text.data() + i, text.data() + i + 2, byte, 16);
        if (error != std::errc() || end != text.data() + i + 2)
            return false;
        out += static_cast<char>(byte);
    }
    return true;
}

} // namespace

bool loneSurrogate(sqlite3_value* value)
{
    const auto* p = static_cast<const char16_t*>(sqlite3_value_text16(value));
    const int units = sqlite3_value_bytes16(value) / 2;
    for (int i = 0; p && i < units; ++i) {
        if (p[i] < 0xD800 || p[i] > 0xDFFF)
            continue;
        if (p[i] > 0xDBFF || i + 1 == units || p[i + 1] < 0xDC00 || p[i + 1] > 0xDFFF)
            return true;
        ++i;
    }
    return false;
}

void RawValue::assign(sqlite3_value* value, int known, bool utf8)
{
    type = known;
    wide = known == SQLITE_TEXT && !utf8 && loneSurrogate(value);
    if (wide) {
        const int size = sqlite3_value_bytes16(value);
        bytes.assign(static_cast<const char*>(sqlite3_value_text16(value)), static_cast<std::size_t>(size));
        return;
    }
    switch (known) {
    case SQLITE_INTEGER: number = sqlite3_value_int64(value); return;
    case SQLITE_FLOAT: real = sqlite3_value_double(value); return;
    case SQLITE_TEXT: case SQLITE_BLOB: {
        const void* p = known == SQLITE_TEXT ? static_cast<const void*>(sqlite3_value_text(value)) : sqlite3_value_blob(value);
        bytes.assign(static_cast<const char*>(p ? p : ""), static_cast<std::size_t>(sqlite3_value_bytes(value)));
        return;
    }
    default: return;
    }
}

void RawValue::bind(sqlite3_stmt* statement, int index) const
{
    switch (type) {
    case SQLITE_INTEGER: sqlite3_bind_int64(statement, index, number); return;
    case SQLITE_FLOAT: sqlite3_bind_double(statement, index, real); return;
    case SQLITE_TEXT: sqlite3_bind_text64(statement, index, bytes.data(), bytes.size(), SQLITE_TRANSIENT, wide ? SQLITE_UTF16 : SQLITE_UTF8); return;
    case SQLITE_BLOB: sqlite3_bind_blob64(statement, index, bytes.data(), bytes.size(), SQLITE_TRANSIENT); return;
    default: sqlite3_bind_null(statement, index);
    }
}

Node RawValue::node() const
{
    switch (type) {
    case SQLITE_INTEGER: return Node(number);
    case SQLITE_FLOAT: {
        // The bits and not the digits: a key must be found again exactly.
        char digits[17] = {};
        std::to_chars(digits, digits + sizeof digits, std::bit_cast<std::uint64_t>(real), 16);
        return Node::map({{"r", Node(digits)}});
    }
    case SQLITE_TEXT: return wide ? Node::map({{"w", Node(hex(bytes))}}) : validUtf8(bytes) ? Node(bytes) : Node::map({{"t", Node(hex(bytes))}});
    case SQLITE_BLOB: return Node::map({{"b", Node(hex(bytes))}});
    default: return {};
    }
}

Result<RawValue> RawValue::fromNode(const Node& node)
{
    RawValue out;
    switch (node.kind()) {
    case Node::Kind::Null: return out;
    case Node::Kind::Number: {
        const std::string& text = node.scalar();
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out.number);
        if (error != std::errc() || end != text.data() + text.size())
            return damaged();
        out.type = SQLITE_INTEGER;
        return out;
    }
    case Node::Kind::String: return text(node.scalar());
    case Node::Kind::Map: break;
    default: return damaged();
    }
    if (node.fields().size() != 1)
        return damaged();
    const auto& [kind, value] = node.fields()[0];
    if (kind == "r") {
        const std::string& text = value.scalar();
        std::uint64_t bits = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), bits, 16);
        if (error != std::errc() || end != text.data() + text.size())
            return damaged();
        out.type = SQLITE_FLOAT;
        out.real = std::bit_cast<double>(bits);
        return std::isnan(out.real) ? Result<RawValue>(damaged()) : out;   // SQLite has none
    }
    out.wide = kind == "w";
    out.type = kind == "b" ? SQLITE_BLOB : SQLITE_TEXT;
    if ((kind != "t" && kind != "b" && kind != "w") || !unhex(value.scalar(), out.bytes))
        return damaged();
    return out;
}

Node nodeOf(const std::vector<RawValue>& values)
{
    Node out = Node::list();
    for (const RawValue& value : values)
        out.add(value.node());
    return out;
}

Result<std::vector<RawValue>> valuesOf(const Node& node)
{
    std::vector<RawValue> out;
    for (const Node& item : node.items()) {
        auto value = RawValue::fromNode(item);
        if (!value)
            return std::move(value).error();
        out.push_back(std::move(*value));
    }
    return out;
}

} // namespace millrace::sqlitesource
