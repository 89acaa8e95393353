#include "core/target/mongodb/readback.h"
#include "core/target/mongodb/normalform.h"
#include <charconv>
#include <rapidjson/document.h>

namespace millrace::mongodb {

namespace {

bool cellOf(const Column& column, std::string_view text, bool quoted, bool alone, Cell& out, std::vector<std::string>& arena)
{
    const char* end = text.data() + text.size();
    switch (column.type) {
    case Type::Int: {
        std::int64_t value = 0;
        const auto parsed = std::from_chars(text.data(), end, value);
        out = Cell::integer(value);
        return !quoted && parsed.ec == std::errc() && parsed.ptr == end;
    }
    case Type::Uint: {
        std::uint64_t value = 0;
        const auto parsed = std::from_chars(text.data(), end, value);
        out = Cell::uinteger(value);
        return !quoted && parsed.ec == std::errc() && parsed.ptr == end && value <= static_cast<std::uint64_t>(INT64_MAX);
    }
    case Type::Text: case Type::Uuid:
        if (!quoted && !alone)
            return false;
        arena.emplace_back(text);
        out.type = Type::Text;
        out.p = arena.back().data();
        out.size = static_cast<std::uint32_t>(arena.back().size());
        return true;
    default: return false;
    }
}

void appendCell(Bson& out, std::string_view name, const Cell& cell)
{
    if (cell.type == Type::Text) out.text(name, cell.text());
    else out.int64(name, cell.i);                    // numbers are compared by value, whatever their width
}

} // namespace

std::optional<std::vector<Cell>> keyCells(const Schema& schema, const std::string& key, std::vector<std::string>& arena)
{
    std::vector<Cell> out(schema.key.size());
    if (schema.key.empty() || (key.starts_with('#') && key.size() == 65))
        return std::nullopt;
    if (schema.key.size() == 1)
        return cellOf(schema.columns[schema.key[0]], key, false, true, out[0], arena) ? std::optional(out) : std::nullopt;
    rapidjson::Document json;
    json.Parse<rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag>(key.data(), key.size());
    if (json.HasParseError() || !json.IsArray() || json.Size() != schema.key.size())
        return std::nullopt;
    for (rapidjson::SizeType i = 0; i < json.Size(); ++i) {
        // Numbers come as strings too; the column's type tells them apart, and a text column's value is always quoted in a key.
        if (!json[i].IsString())
            return std::nullopt;
        const Column& column = schema.columns[schema.key[i]];
        if (!cellOf(column, {json[i].GetString(), json[i].GetStringLength()}, column.type == Type::Text || column.type == Type::Uuid, false, out[i], arena))
            return std::nullopt;
    }
    return out;
}

MongoReader::MongoReader(std::unique_ptr<Client> client, TablePlanPtr plan, const std::vector<std::string>& keys, bool unmarkedIsOurs)
    : m_client(std::move(client)), m_plan(std::move(plan)), m_wanted(keys.begin(), keys.end()), m_unmarkedIsOurs(unmarkedIsOurs), m_collection(m_client->collection(m_plan->container))
{
    m_texts.reserve(keys.size() * std::max<std::size_t>(1, m_plan->schema->key.size()));     // cells point into it
    bool numeric = true;
    for (const auto i : m_plan->schema->key) {
        const Type type = m_plan->schema->columns[i].type;
        numeric = numeric && (type == Type::Int || type == Type::Uint || type == Type::Text || type == Type::Uuid);
    }
    m_byKey = !keys.empty() && numeric && !m_plan->keyless();
    for (const auto& key : keys) {
        if (!m_byKey)
            break;
        if (auto cells = keyCells(*m_plan->schema, key, m_texts))
            m_keys.push_back(std::move(*cells));
        else
            m_byKey = false;
    }
}

void MongoReader::open(const bson_t* filter)
{
    Bson options;
    const ReadConcern concern(mongoc_read_concern_new());
    mongoc_read_concern_set_level(concern.get(), MONGOC_READ_CONCERN_LEVEL_MAJORITY);
    mongoc_read_concern_append(concern.get(), options.get());
    options.int32("batchSize", 1000);
    const ReadPrefs preference(mongoc_read_prefs_new(m_client->deployment().readMode));
    m_cursor.reset(mongoc_collection_find_with_opts(m_collection.get(), filter, options.get(), preference.get()));
}

Bson MongoReader::filterFor(std::size_t& from) const
{
    constexpr std::size_t most = 500;
    const Schema& schema = *m_plan->schema;
    Bson either;
    for (std::size_t n = 0; from < m_keys.size() && n < most; ++n, ++from) {
        Bson one;
        for (std::size_t k = 0; k < schema.key.size(); ++k)
            appendCell(one, schema.columns[schema.key[k]].name, m_keys[from][k]);
        if (!m_plan->objectId) {
            Bson id;
            if (schema.key.size() == 1)
                appendCell(id, "_id", m_keys[from][0]);
            else
                id.document("_id", one);
            one = std::move(id);
        }
        either.document(std::to_string(n), one);
    }
    Bson filter;
    filter.array("$or", either);
    return filter;
}

bool MongoReader::next(const bson_t*& document)
{
    for (;;) {
        if (!m_cursor) {
            if (m_byKey) {
                const Bson filter = filterFor(m_at);
                open(filter.get());
            } else {
                const Bson all;
                open(all.get());
            }
        }
        if (mongoc_cursor_next(m_cursor.get(), &document))
            return true;
        bson_error_t error{};
        if (mongoc_cursor_error(m_cursor.get(), &error) || !m_byKey || m_at >= m_keys.size())
            return false;
        m_cursor.reset();
    }
}

Result<ReadState> MongoReader::read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop)
{
    constexpr std::size_t mostBytes = 8u << 20;              // large documents come a few at a time
    std::size_t bytes = 0;
    for (std::size_t n = 0; n < maxDocuments && bytes < mostBytes && !m_end;) {
        if (stop.stop_requested())
            return cancelled("Reading " + m_plan->container + " back");
        const bson_t* document = nullptr;
        if (!next(document)) {
            bson_error_t error{};
            if (m_cursor && mongoc_cursor_error(m_cursor.get(), &error))
                return faultOf(error, nullptr, m_client->deployment(), "table " + m_plan->label + ": reading " + m_plan->container + " back");
            m_end = true;
            break;
        }
        ReadBack found;
        storedForm(*m_plan, *document, found.key, found.form, found.ours, m_unmarkedIsOurs);
        if (!m_wanted.empty() && !m_wanted.contains(found.key))
            continue;
        bytes += found.form.size();
        into.push_back(std::move(found));
        ++n;
    }
    return m_end ? ReadState::End : ReadState::More;
}

} // namespace millrace::mongodb
