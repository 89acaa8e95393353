#include "core/target/redis/hashform.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include "core/engine/jsonencoder.h"
#include "core/engine/jsonform.h"
#include <cstring>
#include <map>

namespace millrace::redis {

namespace {

void appendWord(std::string& out, std::string_view word)
{
    out += '$';
    appendUint(out, word.size());
    out += "\r\n";
    out += word;
    out += "\r\n";
}

void appendValue(std::string& out, const Cell& cell)
{
    switch (cell.type) {
    case Type::Text: case Type::Uuid: case Type::Json: case Type::Array: out += cell.text(); return;
    default: break;
    }
    const std::size_t from = out.size();
    appendJson(out, cell);
    if (out[from] == '"') {                        // base64, times and words such as NaN need no escapes
        out.erase(from, 1);
        out.pop_back();
    }
}

void appendField(std::string& out, std::string_view name, std::string_view value)
{
    appendFormEscaped(out, name);
    out += '\x1f';
    out += '"';
    appendFormEscaped(out, value);
    out += "\"\x1e";
}

} // namespace

HashEncoder::HashEncoder(TablePlanPtr plan) : m_plan(std::move(plan))
{
    for (const Column& column : m_plan->schema->columns)
        appendWord(m_names.emplace_back(), column.name);
}

Result<> HashEncoder::encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out)
{
    for (const std::uint32_t row : rows) {
        if (batch.op(row) == Op::Skip)
            continue;
        Payload::Item item;
        if (!startItem(*m_plan, "redis", batch, row, m_key, out, item))
            continue;
        if (item.op == Op::Upsert) {
            const std::span<const Cell> cells = batch.row(row);
            std::uint32_t words = 0;
            m_document.assign(sizeof words, '\0');
            for (std::size_t i = 0; i < cells.size(); ++i) {
                if (cells[i].type == Type::Unchanged)
                    return Error{Fault::Internal, "target.redis.unchanged", "table " + m_plan->label + ": column " + m_plan->schema->columns[i].source + " came without its value", "", {}};
                if (cells[i].type == Type::Null)
                    continue;
                m_value.clear();
                appendValue(m_value, cells[i]);
                m_document += m_names[i];
                appendWord(m_document, m_value);
                words += 2;
            }
            if (words == 0) {
                out.bytes.resize(item.keyAt);
                out.rejected.push_back({row, {Fault::Data, "target.redis.empty_hash", "all columns are NULL, and Redis has no empty hash", "Use format: json for this table.", {}}});
                continue;
            }
            if (m_document.size() > largestJsonDocument) {
                rejectTooLarge("redis", m_document.size(), item, out);
                m_document = {};
                continue;
            }
            std::memcpy(m_document.data(), &words, sizeof words);
            item.docAt = static_cast<std::uint32_t>(out.bytes.size());
            item.docSize = static_cast<std::uint32_t>(m_document.size());
            out.bytes.insert(out.bytes.end(), m_document.begin(), m_document.end());
        }
        out.items.push_back(item);
    }
    return {};
}

void appendExpectedHashForm(std::string& out, const Schema& schema, std::span<const Cell> row)
{
    std::string value;
    for (std::size_t i = 0; i < row.size(); ++i) {
        const Cell& cell = row[i];
        if (cell.type == Type::Null)
            continue;
        value.clear();
        if (cell.type == Type::Bytes) value = base64(cell.text());
        else if (cell.type == Type::Bool) value = cell.i != 0 ? "true" : "false";
        else if (cell.type == Type::Unchanged) value = "unchanged";
        else appendText(value, cell);
        appendField(out, schema.columns[i].name, value);
    }
}

void appendHashForm(std::string& out, const Schema& schema, const redisReply* fields)
{
    std::map<std::string_view, std::string_view> found;
    const auto word = [](const redisReply* reply) { return std::string_view(reply->str, static_cast<std::size_t>(reply->len)); };
    for (std::size_t i = 0; i + 1 < fields->elements; i += 2)
        found[word(fields->element[i])] = word(fields->element[i + 1]);
    for (const Column& column : schema.columns)
        if (const auto at = found.find(column.name); at != found.end()) {
            appendField(out, at->first, at->second);
            found.erase(at);
        }
    for (const auto& [name, value] : found)
        appendField(out, name, value);
}

} // namespace millrace::redis
