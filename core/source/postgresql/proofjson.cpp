#include "core/source/postgresql/proofjson.h"
#include "core/base/jsonscan.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <charconv>
#include <cmath>

namespace millrace::postgresql {

namespace {

int intOf(const std::optional<std::string>& text)
{
    int value = -1;
    if (text)
        std::from_chars(text->data(), text->data() + text->size(), value);
    return value;
}

//! Gets what JsonScanner reads and writes it anew, knowing the type that stands at each place.
class Rewriter {
public:
    Rewriter(std::string& out, const ProofType& type, int modifier) : m_out(out), m_root(type), m_modifier(modifier) {}
    bool good() const { return m_good; }

    void null() { next(); m_out += "null"; }
    void boolean(bool value) { next(); m_out += value ? "true" : "false"; }
    void number(std::string_view lexeme)
    {
        next();
        const ProofType& type = expected();
        if (type.name == "float4") real(static_cast<double>(parsed<float>(lexeme)));
        else if (type.name == "float8") real(parsed<double>(lexeme));
        else m_out += lexeme;
    }
    void string(std::string_view text)
    {
        next();
        const ProofType& type = expected();
        if (type.name == "oid") m_out += text;
        else if (type.name == "bytea") bytes(text);
        else if (type.name == "date" || type.name == "timestamp" || type.name == "timestamptz" || type.name == "time") moment(type.name, text);
        else appendJsonString(m_out, text);
    }
    void key(std::string_view text)
    {
        next();
        appendJsonString(m_out, text);
        m_out += ':';
        m_comma = false;
        if (!m_open.empty()) ++m_open.back().field;
    }
    void open(char bracket)
    {
        next();
        m_out += bracket;
        m_comma = false;
        const ProofType& type = expected();
        // a bracket inside of an array is its next dimension, unless its items hold brackets of their own
        const bool dimension = !m_open.empty() && m_open.back().array && bracket == '[' && type.kind != ProofType::Kind::Json;
        Frame frame;
        frame.modifier = modifier();
        if (dimension) frame = m_open.back();
        else if (type.kind == ProofType::Kind::Array && bracket == '[') { frame.type = type.item; frame.array = true; }
        else if (type.kind == ProofType::Kind::Record && bracket == '{') frame.record = &type;
        else frame.type = &raw();
        m_open.push_back(frame);
    }
    void close(char bracket)
    {
        m_out += bracket;
        m_comma = true;
        m_open.pop_back();
    }

private:
    struct Frame { const ProofType *type = nullptr, *record = nullptr; bool array = false; int field = -1, modifier = -1; };

    static const ProofType& raw()
    {
        static const ProofType type {ProofType::Kind::Json, {}, true, false, nullptr, {}};
        return type;
    }
    void next() { if (m_comma) m_out += ','; m_comma = true; }
    const ProofType& expected() const
    {
        if (m_open.empty()) return m_root;
        const Frame& top = m_open.back();
        if (!top.record) return *top.type;
        return top.field >= 0 && static_cast<std::size_t>(top.field) < top.record->fields.size() ? *top.record->fields[static_cast<std::size_t>(top.field)].first : raw();
    }
    int modifier() const
    {
        if (m_open.empty()) return m_modifier;
        const Frame& top = m_open.back();
        if (!top.record) return top.modifier;
        return top.field >= 0 && static_cast<std::size_t>(top.field) < top.record->fields.size() ? top.record->fields[static_cast<std::size_t>(top.field)].second : -1;
    }
    unsigned digits() const { return modifier() < 0 ? 6 : static_cast<unsigned>(std::min(modifier(), 6)); }
    template <class Number> Number parsed(std::string_view text)
    {
        Number value = 0;
        m_good = m_good && std::from_chars(text.data(), text.data() + text.size(), value).ptr == text.data() + text.size();
        return value;
    }
    void real(double value) { appendReal(m_out, value); }
    void bytes(std::string_view text)
    {
        std::string raw;
        for (std::size_t i = 2; i + 1 < text.size(); i += 2) {
            unsigned char byte = 0;
            m_good = m_good && std::from_chars(text.data() + i, text.data() + i + 2, byte, 16).ptr == text.data() + i + 2;
            raw += static_cast<char>(byte);
        }
        m_good = m_good && text.starts_with("\\x");
        m_out += "\"" + base64(raw) + "\"";
    }
    void moment(const std::string& name, std::string_view text)
    {
        std::int64_t value = 0;
        std::uint8_t given = 0;
        m_out += '"';
        if (name == "time" && parseTime(text, value, given)) appendTime(m_out, value, digits());
        else if (name == "date" && parseDate(text, value)) appendDate(m_out, value);
        else if (name.starts_with("timestamp") && parseDateTime(text, value, given)) appendDateTime(m_out, value, digits(), name == "timestamptz");
        else {                                                      // infinite, BC, beyond 9999: the words of the text protocol
            std::string words(text);
            if (const auto t = words.find('T'); name != "time" && t != std::string::npos) words[t] = ' ';
            if (const auto zone = words.find("+00:00"); zone != std::string::npos) words.erase(zone + 3, 3);
            m_out += words;
        }
        m_out += '"';
    }

    std::string& m_out;
    const ProofType& m_root;
    int m_modifier;
    std::vector<Frame> m_open;
    bool m_comma = false, m_good = true;
};

} // namespace

Result<const ProofType*> ProofTypes::find(const std::string& oid, int& modifier)
{
    const auto [place, fresh] = m_known.try_emplace(oid);
    Known& known = place->second;
    if (fresh) {
        known.type = std::make_unique<ProofType>();
        ProofType& type = *known.type;
        auto rows = m_connection.query("SELECT t.typtype, t.typname, n.nspname = 'pg_catalog', t.typbasetype, t.typtypmod, t.typelem, t.typrelid, t.typoutput = 'pg_catalog.array_out'::regproc "
                                       "FROM pg_catalog.pg_type t JOIN pg_catalog.pg_namespace n ON n.oid = t.typnamespace WHERE t.oid = " + oid);
        if (!rows)
            return std::move(rows).error();
        if (rows->empty())
            return Error {Fault::Schema, "source.postgresql.table_altered", "a type is gone", "", {}};
        const auto& row = rows->front();
        type.builtIn = row[2] == "t";
        type.isEnum = row[0] == "e";
        if (type.builtIn)
            type.name = *row[1];
        if (row[0] == "d") {
            known.domainOf = *row[3];
            known.modifier = intOf(row[4]);
        } else if (row[7] == "t") {
            type.kind = ProofType::Kind::Array;
            int none = -1;
            auto item = find(*row[5], none);
            if (!item)
                return item;
            type.item = *item;
        } else if (row[0] == "c") {
            type.kind = ProofType::Kind::Record;
            auto fields = m_connection.query("SELECT atttypid, atttypmod FROM pg_catalog.pg_attribute WHERE attrelid = " + *row[6] + " AND attnum > 0 AND NOT attisdropped ORDER BY attnum");
            if (!fields)
                return std::move(fields).error();
            for (const auto& field : *fields) {
                int of = intOf(field[1]);
                auto found = find(*field[0], of);
                if (!found)
                    return found;
                type.fields.emplace_back(*found, of);
            }
        } else if (type.name == "json" || type.name == "jsonb" || (!type.builtIn && row[1] == "hstore"))
            type.kind = ProofType::Kind::Json;
    }
    if (!known.domainOf.empty()) {
        modifier = known.modifier;
        return find(known.domainOf, modifier);
    }
    return known.type.get();
}

bool appendServerJson(std::string& out, const ProofType& type, int modifier, std::string_view json)
{
    Rewriter rewriter(out, type, modifier);
    JsonScanner<Rewriter> scanner(rewriter, 1000);
    return scanner.scan(json) && rewriter.good();
}

} // namespace millrace::postgresql
