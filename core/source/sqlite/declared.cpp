#include "core/source/sqlite/declared.h"
#include "core/base/text.h"
#include <algorithm>
#include <charconv>
#include <utility>

namespace millrace::sqlitesource {

namespace {

constexpr std::pair<std::string_view, Type> words[] = {
    {"boolean", Type::Bool}, {"bool", Type::Bool}, {"date", Type::Date}, {"datetime", Type::DateTime}, {"timestamp", Type::DateTime},
    {"timestamp without time zone", Type::DateTime}, {"smalldatetime", Type::DateTime}, {"timestamptz", Type::Timestamp},
    {"timestamp with time zone", Type::Timestamp}, {"datetimeoffset", Type::Timestamp}, {"time", Type::Time},
    {"time without time zone", Type::Time}, {"json", Type::Json}, {"jsonb", Type::Json}, {"uuid", Type::Uuid}, {"guid", Type::Uuid},
    {"uniqueidentifier", Type::Uuid}, {"decimal", Type::Decimal}, {"dec", Type::Decimal}, {"numeric", Type::Decimal},
    {"number", Type::Decimal}, {"num", Type::Decimal}, {"money", Type::Decimal}, {"smallmoney", Type::Decimal}, {"string", Type::Text},
    {"binary", Type::Bytes}, {"varbinary", Type::Bytes}, {"bytea", Type::Bytes}};

unsigned numberAt(std::string_view text, unsigned most)
{
    const std::string plain = trimmed(text);
    unsigned value = 0;
    std::from_chars(plain.data(), plain.data() + plain.size(), value);
    return std::min(value, most);
}

Type byAffinity(std::string_view word)
{
    const auto has = [&](std::string_view part) { return word.find(part) != std::string_view::npos; };
    if (has("int")) return Type::Int;
    if (has("char") || has("clob") || has("text")) return Type::Text;
    if (has("blob")) return Type::Bytes;
    if (has("real") || has("floa") || has("doub")) return Type::Real;
    return Type::Text;
}

} // namespace

Declared readDeclared(std::string_view nativeType)
{
    const std::string all = lower(trimmed(nativeType));
    const auto open = all.find('(');
    std::string word = trimmed(std::string_view(all).substr(0, open));
    std::vector<std::string> arguments;
    if (open != std::string::npos) {
        const auto close = all.find(')', open);
        arguments = split(std::string_view(all).substr(open + 1, close == std::string::npos ? close : close - open - 1), ',');
        if (close != std::string::npos)                          // "timestamp(3) with time zone"
            word = trimmed(word + all.substr(close + 1));
    }
    Declared out;
    const auto known = std::find_if(std::begin(words), std::end(words), [&](const auto& w) { return w.first == word; });
    out.type = known != std::end(words) ? known->second : byAffinity(all);
    if (out.type == Type::Decimal && !arguments.empty()) {
        out.precision = static_cast<std::uint16_t>(numberAt(arguments[0], 1000));
        out.scale = arguments.size() > 1 ? static_cast<std::uint8_t>(numberAt(arguments[1], 255)) : 0;
    }
    if ((out.type == Type::Time || out.type == Type::DateTime || out.type == Type::Timestamp) && !arguments.empty())
        out.scale = static_cast<std::uint8_t>(numberAt(arguments[0], 6));
    return out;
}

} // namespace millrace::sqlitesource
