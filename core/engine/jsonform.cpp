#include "core/engine/jsonform.h"
#include "core/data/value.h"
#include <cmath>
#include <rapidjson/reader.h>

namespace millrace {

namespace {

void appendEscaped(std::string& out, std::string_view text) { appendFormEscaped(out, text); }

void appendString(std::string& out, std::string_view text)
{
    out += '"';
    appendEscaped(out, text);
    out += '"';
}

//! Writes the form while RapidJSON reads. `base` is the depth at which values stand by themselves: 1 in a document, 0 in a json cell.
struct FormWriter : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, FormWriter> {
    std::string& out;
    const std::size_t base;
    std::size_t depth = 0;
    bool first = true, afterKey = false;

    FormWriter(std::string& target, std::size_t baseDepth) : out(target), base(baseDepth) {}
    bool top() const { return depth == base; }
    void before()
    {
        if (afterKey) afterKey = false;
        else if (depth > base && !first) out += ',';
        first = false;
    }
    bool after() { if (base == 1 && depth == 1) out += '\x1e'; return true; }
    bool scalar(std::string_view lexeme) { if (depth < base) return false; before(); out += lexeme; return after(); }
    bool Null() { return scalar("null"); }
    bool Bool(bool b) { return scalar(b ? "true" : "false"); }
    bool RawNumber(const char* s, rapidjson::SizeType n, bool) { return scalar({s, n}); }
    bool String(const char* s, rapidjson::SizeType n, bool)
    {
        if (depth < base) return false;
        before();
        if (top()) appendString(out, {s, n});
        else appendJsonString(out, {s, n});
        return after();
    }
    bool Key(const char* s, rapidjson::SizeType n, bool)
    {
        if (top()) {
            appendEscaped(out, {s, n});
            out += '\x1f';
        } else {
            if (!first) out += ',';
            appendJsonString(out, {s, n});
            out += ':';
        }
        first = false;
        afterKey = true;
        return true;
    }
    bool open(char c)
    {
        if (base == 1 && depth == 0) { ++depth; return c == '{'; }
        before();
        out += c;
        ++depth;
        first = true;
        return true;
    }
    bool close(char c)
    {
        --depth;
        if (base == 1 && depth == 0) return true;
        out += c;
        first = false;
        return after();
    }
    bool StartObject() { return open('{'); }
    bool EndObject(rapidjson::SizeType) { return close('}'); }
    bool StartArray() { return open('['); }
    bool EndArray(rapidjson::SizeType) { return close(']'); }
};

bool parse(std::string& out, std::string_view json, std::size_t base)
{
    const std::size_t from = out.size();
    FormWriter writer(out, base);
    rapidjson::MemoryStream stream(json.data(), json.size());
    rapidjson::Reader reader;
    constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
    if (reader.Parse<flags>(stream, writer))
        return true;
    out.resize(from);
    return false;
}

void appendValue(std::string& out, const Cell& cell)
{
    switch (cell.type) {
    case Type::Null: out += "null"; return;
    case Type::Bool: out += cell.i != 0 ? "true" : "false"; return;
    case Type::Int: out += std::to_string(cell.i); return;
    case Type::Uint: out += std::to_string(cell.u); return;
    case Type::Decimal:
        if (isDecimal(cell.text())) { out += cell.text(); return; }
        appendString(out, cell.text());
        return;
    case Type::Real:
        if (std::isfinite(cell.d)) { appendReal(out, cell.d); return; }
        break;
    case Type::Text: case Type::Uuid: appendString(out, cell.text()); return;
    case Type::Json: case Type::Array:
        if (!parse(out, cell.text(), 0)) {
            out += "not JSON: ";
            appendEscaped(out, cell.text());
        }
        return;
    case Type::Bytes: out += '"'; appendBase64(out, cell.text()); out += '"'; return;
    case Type::Date: case Type::Time: case Type::DateTime: case Type::Timestamp: break;
    case Type::Unchanged: out += "unchanged"; return;      // is no value: never equal to one that was read
    }
    out += '"';
    appendText(out, cell);
    out += '"';
}

} // namespace

void appendFormEscaped(std::string& out, std::string_view text)
{
    for (const char c : text) {
        if (c >= '\x1d' && c <= '\x1f') {
            out += '\x1d';
            out += static_cast<char>('a' + (c - '\x1d'));
        } else
            out += c;
    }
}

void appendExpectedForm(std::string& out, const Schema& schema, std::span<const Cell> row)
{
    for (std::size_t i = 0; i < row.size(); ++i) {
        appendEscaped(out, schema.columns[i].name);
        out += '\x1f';
        appendValue(out, row[i]);
        out += '\x1e';
    }
}

bool appendDocumentForm(std::string& out, std::string_view json) { return parse(out, json, 1); }

} // namespace millrace
