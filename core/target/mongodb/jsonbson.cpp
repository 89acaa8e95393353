#include "core/target/mongodb/jsonbson.h"
#include "core/base/jsonscan.h"
#include "core/target/mongodb/numbers.h"
#include <charconv>

namespace millrace::mongodb {

struct JsonBson::Handler {
    struct Level { std::size_t open; std::uint32_t items; bool array; };
    BsonWriter* out = nullptr;
    std::string_view root;               // the field's name, with NUL
    std::vector<Level> levels;
    std::size_t keyAt = 0;               // where the pending key's type byte stands
    bool nulInKey = false;

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
    void null() { begin(BSON_TYPE_NULL); }
    void boolean(bool value) { begin(BSON_TYPE_BOOL); out->byte(value); }
    void number(std::string_view lexeme)
    {
        const JsonNumber parsed = jsonNumber(lexeme);
        switch (parsed.kind) {
        case JsonNumber::Kind::Int: begin(BSON_TYPE_INT64); out->number(parsed.i); break;
        case JsonNumber::Kind::Double: begin(BSON_TYPE_DOUBLE); out->number(parsed.d); break;
        case JsonNumber::Kind::Decimal: begin(BSON_TYPE_DECIMAL128); out->decimalBody(parsed.decimal); break;
        case JsonNumber::Kind::Text: begin(BSON_TYPE_UTF8); out->textBody(lexeme); break;
        }
    }
    void string(std::string_view text) { begin(BSON_TYPE_UTF8); out->textBody(text); }
    void key(std::string_view text)
    {
        nulInKey = nulInKey || text.find('\0') != std::string_view::npos;
        keyAt = out->at();
        out->byte(0);
        out->raw(text.data(), text.size());
        out->byte(0);
    }
    void open(char c)
    {
        begin(c == '[' ? BSON_TYPE_ARRAY : BSON_TYPE_DOCUMENT);
        levels.push_back({out->open(), 0, c == '['});
    }
    void close(char) { out->close(levels.back().open); levels.pop_back(); }
};

struct JsonBson::State {
    Handler handler;
    JsonScanner<Handler> scanner{handler, mostLevels};
};

JsonBson::JsonBson() : m_state(std::make_unique<State>()) {}
JsonBson::~JsonBson() = default;

std::string JsonBson::append(BsonWriter& out, std::string_view nameWithNul, std::string_view json)
{
    Handler& handler = m_state->handler;
    handler.out = &out;
    handler.root = nameWithNul;
    handler.levels.clear();
    handler.nulInKey = false;
    const std::size_t from = out.at();
    const bool parsed = m_state->scanner.scan(json);
    if (parsed && !handler.nulInKey)
        return {};
    out.rewind(from);
    return parsed ? "a key inside it holds a zero byte, which a field name cannot" : std::string("its JSON cannot be stored: ") + m_state->scanner.reason();
}

} // namespace millrace::mongodb
