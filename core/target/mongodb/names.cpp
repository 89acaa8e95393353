#include "core/target/mongodb/names.h"
#include "core/base/text.h"
#include "core/target/mongodb/registry.h"

namespace millrace::mongodb {

std::string collectionName(std::string_view prefix, std::string_view name, std::string_view database)
{
    std::string out(prefix);
    out += name;
    for (char& c : out)
        if (c == '$' || c == '\0')
            c = '_';
    if (out.starts_with("system."))
        out[6] = '_';
    if (out.starts_with('.'))
        out[0] = '_';
    if (out.empty() || out.starts_with('_'))
        out.insert(0, out.empty() ? "t_" : "t");
    if (out.ends_with('.'))
        out.back() = '_';
    constexpr std::size_t longestNamespace = 255, digest = 9;
    const std::size_t longest = longestNamespace - database.size() - 1 - asidePrefix.size();
    if (out.size() > longest) {
        const std::string mark = "_" + sha256Hex(out).substr(0, digest - 1);
        std::size_t cut = longest - digest;
        while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xC0) == 0x80)      // not inside a character
            --cut;
        out.resize(cut);
        out += mark;
    }
    return out;
}

std::string fieldRefused(std::string_view name)
{
    if (name.empty()) return "a field needs a name";
    if (name == "_id") return "MongoDB keeps the document's key in _id";
    if (name == "_mr") return "_mr holds the version and the sync of a document";
    if (name.starts_with('$')) return "a field that starts with '$' is an operator to MongoDB";
    if (name.find('\0') != std::string_view::npos) return "a field name cannot hold a zero byte";
    return {};
}

std::string carryNote(const Column& column)
{
    std::string note;
    const auto say = [&](std::string_view text) { note += note.empty() ? "" : "; "; note += text; };
    switch (column.type) {
    case Type::DateTime: case Type::Timestamp:
        if (column.scale > 3) say(column.key ? "kept as text, because a key must not lose its microseconds" : "microseconds are cut to milliseconds");
        break;
    case Type::Decimal:
        if (column.precision > 34) say("more than 34 digits do not fit Decimal128: kept as text");
        else if (column.precision == 0) say("values of more than 34 digits are kept as text");
        break;
    case Type::Uint:
        if (column.bits > 63) say("values above 9223372036854775807 are Decimal128");
        break;
    case Type::Json: case Type::Array: say("numbers are int64, else double where exact, else Decimal128"); break;
    default: break;
    }
    if (column.name.find('.') != std::string::npos)
        say("the dot in the field's name means a path in MongoDB's queries");
    return note;
}

} // namespace millrace::mongodb
