#include "core/target/embedded/encoder.h"
#include "core/base/text.h"
#include "core/data/value.h"

namespace millrace::embedded {

namespace {

constexpr std::uint64_t seqMask = (std::uint64_t{1} << 40) - 1;

std::uint32_t put(std::vector<char>& bytes, std::string_view text)
{
    const auto at = static_cast<std::uint32_t>(bytes.size());
    bytes.insert(bytes.end(), text.begin(), text.end());
    return at;
}

} // namespace

EmbeddedEncoder::EmbeddedEncoder(TablePlanPtr plan) : m_plan(std::move(plan))
{
    for (const Column& column : m_plan->schema->columns) {
        std::string name = m_names.empty() ? "{" : ",";
        appendJsonString(name, column.name);
        m_names.push_back(name + ':');
    }
}

Result<> EmbeddedEncoder::encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out)
{
    const Schema& schema = *m_plan->schema;
    for (const std::uint32_t row : rows) {
        if (batch.op(row) == Op::Skip)
            continue;
        const std::span<const Cell> cells = batch.row(row);
        for (const std::uint32_t i : schema.key)
            if (cells[i].type == Type::Null) {
                // two such rows would silently become one document
                out.rejected.push_back({row, {Fault::Data, "target.embedded.null_key", "key column " + schema.columns[i].source + " is NULL",
                                                 "Give the row a key, or choose a key without NULLs for this table.", {}}});
                break;
            }
        if (!out.rejected.empty() && out.rejected.back().row == row)
            continue;

        Payload::Item item;
        item.row = row;
        item.op = batch.op(row);
        item.version = batch.version + row;
        const std::size_t before = out.bytes.size();
        m_text.clear();
        if (schema.key.empty())
            appendUint(m_text, item.version & seqMask);            // the row's ordinal
        else
            appendKeyText(m_text, schema, cells);
        item.keySize = static_cast<std::uint32_t>(m_text.size());
        item.keyAt = put(out.bytes, m_text);

        if (item.op == Op::Upsert) {
            m_text.clear();
            for (std::size_t i = 0; i < cells.size(); ++i) {
                if (cells[i].type == Type::Unchanged)
                    return Error{Fault::Internal, "target.embedded.unchanged", "table " + m_plan->label + ": column " + schema.columns[i].source
                        + " came without its value", "", {}};
                m_text += m_names[i];
                appendJson(m_text, cells[i]);
            }
            m_text += m_text.empty() ? "{}" : "}";
            if (m_text.size() > largestDocument) {
                out.bytes.resize(before);
                out.rejected.push_back({row, {Fault::Data, "target.embedded.too_large", "the document has " + grouped(m_text.size()) + " bytes; the limit is "
                                                 + grouped(largestDocument), "Exclude the large column from the sync.", {}}});
                m_text = {};
                continue;
            }
            item.docSize = static_cast<std::uint32_t>(m_text.size());
            item.docAt = put(out.bytes, m_text);
        }
        out.items.push_back(item);
    }
    return {};
}

} // namespace millrace::embedded
