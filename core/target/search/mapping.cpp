#include "core/target/search/mapping.h"
#include "core/base/text.h"
#include "core/target/search/names.h"
#include <charconv>
#include <random>
#include <set>

namespace millrace::search {

namespace {

constexpr unsigned exactDigits = 15;               // of a scaled_float, which passes through a double
constexpr int longestTerm = 8191;                  // characters: four bytes each stay below Lucene's 32,766

Node type(const char* name) { return Node::map({{"type", name}}); }
// Without the limit one long value would park its row.
Node keyword() { return Node::map({{"type", "keyword"}, {"ignore_above", longestTerm}}); }

//! varchar(100), "character varying(100)", nchar(10): the declared characters; 0: none.
unsigned declaredLength(std::string_view nativeType)
{
    const std::string text = lower(nativeType);
    if (text.starts_with("enum")) return 1;
    if (text.starts_with("tinytext")) return 255;
    if (text.find("char") == std::string::npos)
        return 0;
    const auto open = text.find('(');
    unsigned length = 0;
    if (open != std::string::npos)
        std::from_chars(text.data() + open + 1, text.data() + text.size(), length);
    return length;
}

const char* itemType(std::string_view nativeType)
{
    std::string text = lower(nativeType);
    if (text.starts_with('_')) text.erase(0, 1);
    while (text.ends_with("[]")) text.resize(text.size() - 2);
    static const std::set<std::string> whole{"integer", "int", "int2", "int4", "int8", "bigint", "smallint"};
    return whole.contains(text) ? "long" : text == "boolean" || text == "bool" ? "boolean" : nullptr;
}

bool isScaled(const Column& column) { return column.precision > 0 && column.precision <= exactDigits && column.scale <= exactDigits; }

} // namespace

Node fieldMapping(const Column& column, const FieldTypes& types)
{
    switch (column.type) {
    case Type::Bool: return type("boolean");
    case Type::Int: return type("long");
    case Type::Uint: return column.bits <= 63 ? type("long") : types.unsignedLong ? type("unsigned_long") : keyword();
    case Type::Real: return type("double");
    case Type::Decimal: {
        if (!isScaled(column) || !types.scaledFloat)
            return keyword();
        std::int64_t factor = 1;
        for (unsigned i = 0; i < column.scale; ++i)
            factor *= 10;
        return Node::map({{"type", "scaled_float"}, {"scaling_factor", factor}});
    }
    case Type::Date: case Type::DateTime: case Type::Timestamp: return type("date");
    case Type::Time: case Type::Uuid: return keyword();
    case Type::Bytes: return type("binary");
    case Type::Json: return Node::map({{"type", "object"}, {"enabled", false}});
    case Type::Array: {
        const char* item = itemType(column.nativeType);
        return item ? type(item) : keyword();
    }
    case Type::Text: case Type::Null: case Type::Unchanged: break;
    }
    Node text = type("text");
    if (const unsigned length = declaredLength(column.nativeType); length > 0 && length <= 255)
        text.set("fields", Node::map({{"keyword", keyword()}}));
    return text;
}

Node properties(const TablePlan& plan, const FieldTypes& types)
{
    Node out = Node::map();
    for (const Column& column : plan.schema->columns)
        out.set(column.name, fieldMapping(column, types));
    if (plan.ifExists == IfExists::Write)
        out.set(std::string(markField), Node::map({{"properties", Node::map({{"s", type("keyword")}})}}));
    return out;
}

std::string carryNote(const Column& column, const FieldTypes& types)
{
    std::string note;
    const auto say = [&](std::string_view text) { note += note.empty() ? "" : "; "; note += text; };
    switch (column.type) {
    case Type::Real: say("NaN and infinity become null"); break;
    case Type::Decimal:
        if (!isScaled(column)) say("searched as a keyword, not by range, because it may have more than 15 digits; NaN becomes null");
        else if (!types.scaledFloat) say("searched as a keyword, not by range, because this server has no scaled_float");
        break;
    case Type::Uint:
        if (column.bits > 63 && !types.unsignedLong) say("searched as a keyword, not by range, because this server has no unsigned_long");
        break;
    case Type::DateTime: case Type::Timestamp:
        if (column.scale > 3) say("searched by the millisecond; the document keeps its microseconds");
        break;
    case Type::Json: say("kept in the document as it is, but not searched"); break;
    case Type::Text:
        if (column.key) say("a row whose key is an empty text is parked, because no document can have it");
        break;
    default: break;
    }
    if (column.name.find('.') != std::string::npos)
        say("the dot in the field's name makes an object for searches");
    return note;
}

Result<FieldTypes> probeTypes(Client& client, std::int64_t nowMs)
{
    FieldTypes types;
    const std::string index = stampedIndex("millrace-probe", nowMs, std::random_device{}());
    for (int tries = 0;; ++tries) {
        Node fields = Node::map();
        if (types.scaledFloat) fields.set("d", Node::map({{"type", "scaled_float"}, {"scaling_factor", 100}}));
        if (types.unsignedLong) fields.set("u", type("unsigned_long"));
        const Node body = Node::map({{"settings", Node::map({{"number_of_shards", 1}, {"number_of_replicas", 0}})}, {"mappings", Node::map({{"properties", fields}})}});
        auto made = client.call("PUT", pathOf(index), body, "asking which field types the server has");
        if (!made && tries < 3 && withoutRefused(made.error(), types))
            continue;
        if (!made)
            return made.error();
        if (auto gone = client.call("DELETE", pathOf(index), "taking the index away that asked for field types"); !gone)
            return gone.error();
        return types;
    }
}

bool withoutRefused(const Error& refusal, FieldTypes& types)
{
    // "No handler for type [x] declared on field [y]", "The mapper type [x] declared on field [y] does not exist": by version.
    const auto names = [&](std::string_view name) { return refusal.detail.find("type [" + std::string(name) + "] declared on field") != std::string::npos; };
    if (types.scaledFloat && names("scaled_float")) { types.scaledFloat = false; return true; }
    if (types.unsignedLong && names("unsigned_long")) { types.unsignedLong = false; return true; }
    return false;
}

std::string conflict(const Node& present, const Node& wanted)
{
    static const std::set<std::string> numbers{"long", "integer", "short", "byte", "unsigned_long", "double", "float", "half_float", "scaled_float"};
    // An object has no type of its own in a mapping.
    const std::string is = present["type"].string("object"), becomes = wanted["type"].string("object");
    const auto family = [&](const std::string& name) -> std::string { return numbers.contains(name) ? "number" : name == "date_nanos" ? "date" : name == "flattened" ? "object" : name; };
    const std::string from = family(is), to = family(becomes);
    if (from == to)
        return {};
    // Texts take any value; the other families take their own only.
    const bool strict = from == "number" || from == "date" || from == "boolean" || from == "binary" || from == "object" || to == "object";
    if (!strict || (from == "number" && to == "keyword" && is != "long"))
        return {};
    return "is " + is + " there, and would have to be " + becomes;
}

} // namespace millrace::search
