#include "core/target/mongodb/jsonbson.h"
#include "core/target/mongodb/numbers.h"
#include <charconv>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

namespace millrace::mongodb {

struct JsonBson::Handler : rapidjson::BaseReaderHandler<rapidjson::UTF8<>, Handler> {
    struct Level { std::size_t open; std::uint32_t items; bool array; };
    BsonWriter* out = nullptr;
    std::string_view root;               // the field's name, with NUL
    std::vector<Level> levels;
    std::size_t keyAt = 0;               // where the pending key's type byte stands
    const char* refused = nullptr;

    // Element head of a value: the root's name, the array index, or the key that was written already and waits for its type.
    void begin(std::uint8_t type)
    {
        if (levels.empty()) {
            out->head(type, root);
        } else if (Level& level = levels.back(); level.array) {
            char index[16];
            const auto end = std::to_chars(index, index + sizeof index - 1, level.items++).ptr;
            *end = '\0';
            out->head(type, {index, static_cast<std::size_t>(end - index) + 1});
        } else
            out->patch(keyAt, static_cast<char>(type));
    }
    bool Null() { begin(BSON_TYPE_NULL); return true; }
    bool Bool(bool value) { begin(BSON_TYPE_BOOL); out->byte(value); return true; }
    bool RawNumber(const char* text, rapidjson::SizeType size, bool)
    {
        const JsonNumber number = jsonNumber({text, size});
        switch (number.kind) {
        case JsonNumber::Kind::Int: begin(BSON_TYPE_INT64); out->number(number.i); break;
        case JsonNumber::Kind::Double: begin(BSON_TYPE_DOUBLE); out->number(number.d); break;
        case JsonNumber::Kind::Decimal: begin(BSON_TYPE_DECIMAL128); out->decimalBody(number.decimal); break;
        case JsonNumber::Kind::Text: begin(BSON_TYPE_UTF8); out->textBody({text, size}); break;
        }
        return true;
    }
    bool String(const char* text, rapidjson::SizeType size, bool) { begin(BSON_TYPE_UTF8); out->textBody({text, size}); return true; }
    bool Key(const char* text, rapidjson::SizeType size, bool)
    {
        if (std::memchr(text, 0, size)) {
            refused = "a key inside it holds a zero byte, which a field name cannot";
            return false;
        }
        keyAt = out->at();
        out->byte(0);
        out->raw(text, size);
        out->byte(0);
        return true;
    }
    bool open(bool array)
    {
        if (levels.size() >= static_cast<std::size_t>(mostLevels)) {
            refused = "it is nested deeper than 170 levels";
            return false;
        }
        begin(array ? BSON_TYPE_ARRAY : BSON_TYPE_DOCUMENT);
        levels.push_back({out->open(), 0, array});
        return true;
    }
    bool close() { out->close(levels.back().open); levels.pop_back(); return true; }
    bool StartObject() { return open(false); }
    bool EndObject(rapidjson::SizeType) { return close(); }
    bool StartArray() { return open(true); }
    bool EndArray(rapidjson::SizeType) { return close(); }
};

struct JsonBson::State { Handler handler; rapidjson::Reader reader; };

JsonBson::JsonBson() : m_state(std::make_unique<State>()) {}
JsonBson::~JsonBson() = default;

std::string JsonBson::append(BsonWriter& out, std::string_view nameWithNul, std::string_view json)
{
    Handler& handler = m_state->handler;
    handler.out = &out;
    handler.root = nameWithNul;
    handler.levels.clear();
    handler.refused = nullptr;
    const std::size_t from = out.at();
    rapidjson::MemoryStream stream(json.data(), json.size());
    constexpr unsigned flags = rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
    if (m_state->reader.Parse<flags>(stream, handler))
        return {};
    out.rewind(from);
    if (handler.refused)
        return handler.refused;
    if (m_state->reader.GetParseErrorCode() == rapidjson::kParseErrorNumberTooBig)
        return "a number inside it is beyond 1e308";
    return std::string("it is not JSON: ") + rapidjson::GetParseError_En(m_state->reader.GetParseErrorCode());
}

} // namespace millrace::mongodb
