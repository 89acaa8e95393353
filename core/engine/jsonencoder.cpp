#include "core/engine/jsonencoder.h"
#include "core/base/text.h"
#include "core/data/value.h"

namespace millrace {

namespace {

constexpr std::uint64_t seqMask = (std::uint64_t{1} << 40) - 1;

std::uint32_t put(std::vector<char>& bytes, std::string_view text)
{
    const auto at = static_cast<std::uint32_t>(bytes.size());
    bytes.insert(bytes.end(), text.begin(), text.end());
    return at;
}

} // namespace

bool startItem(const TablePlan& plan, const std::string& store, const Batch& batch, std::uint32_t row, std::string& scratch, Payload& out, Payload::Item& item)
{
    const Schema& schema = *plan.schema;
    const std::span<const Cell> cells = batch.row(row);
    for (const std::uint32_t i : schema.key)
        if (cells[i].type == Type::Null) {
            // two such rows would silently become one document
            out.rejected.push_back({row, {Fault::Data, "target." + store + ".null_key", "key column " + schema.columns[i].source + " is NULL",
                                             "Give the row a key, or choose a key without NULLs for this table.", {}}});
            return false;
        }
    item.row = row;
    item.op = batch.op(row);
    item.version = batch.version + row;
    scratch.clear();
    if (schema.key.empty())
        appendUint(scratch, item.version & seqMask);               // the row's ordinal
    else
        appendKeyText(scratch, schema, cells);
    item.keySize = static_cast<std::uint32_t>(scratch.size());
    item.keyAt = put(out.bytes, scratch);
    return true;
}

void rejectTooLarge(const std::string& store, std::size_t bytes, const Payload::Item& item, Payload& out)
{
    out.bytes.resize(item.keyAt);
    out.rejected.push_back({item.row, {Fault::Data, "target." + store + ".too_large", "the document has " + grouped(bytes) + " bytes; the limit is "
                                          + grouped(largestJsonDocument), "Exclude the large column from the sync.", {}}});
}

JsonEncoder::JsonEncoder(TablePlanPtr plan, std::string store) : m_plan(std::move(plan)), m_store(std::move(store))
{
    for (const Column& column : m_plan->schema->columns) {
        std::string name = m_names.empty() ? "{" : ",";
        appendJsonString(name, column.name);
        m_names.push_back(name + ':');
    }
}

Result<> JsonEncoder::encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out)
{
    for (const std::uint32_t row : rows) {
        if (batch.op(row) == Op::Skip)
            continue;
        Payload::Item item;
        if (!startItem(*m_plan, m_store, batch, row, m_text, out, item))
            continue;
        if (item.op == Op::Upsert) {
            const std::span<const Cell> cells = batch.row(row);
            m_text.clear();
            for (std::size_t i = 0; i < cells.size(); ++i) {
                if (cells[i].type == Type::Unchanged)
                    return Error{Fault::Internal, "target." + m_store + ".unchanged", "table " + m_plan->label + ": column " + m_plan->schema->columns[i].source
                        + " came without its value", "", {}};
                m_text += m_names[i];
                appendJson(m_text, cells[i]);
            }
            m_text += m_text.empty() ? "{}" : "}";
            if (m_text.size() > largestJsonDocument) {
                rejectTooLarge(m_store, m_text.size(), item, out);
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

} // namespace millrace
