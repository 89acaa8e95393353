#include "core/target/search/encoder.h"
#include "core/data/value.h"
#include "core/engine/jsonencoder.h"
#include "core/target/search/names.h"
#include <cmath>

namespace millrace::search {

namespace {

//! No number of JSON can say it, and a text does not fit a number's field.
bool becomesNull(const Cell& cell)
{
    return (cell.type == Type::Real && !std::isfinite(cell.d)) || (cell.type == Type::Decimal && !isDecimal(cell.text()));
}

} // namespace

SearchEncoder::SearchEncoder(TablePlanPtr plan, std::string kind) : m_plan(std::move(plan)), m_kind(std::move(kind))
{
    for (const Column& column : m_plan->schema->columns) {
        std::string name = m_names.empty() ? "{" : ",";
        appendJsonString(name, column.name);
        m_names.push_back(name + ':');
    }
    m_end = m_names.empty() ? "{" : "";
    if (m_plan->ifExists == IfExists::Write) {
        m_end += m_names.empty() ? "" : ",";
        appendJsonString(m_end, markField);
        m_end += ":{\"s\":";
        appendJsonString(m_end, m_plan->sync);
        m_end += '}';
    }
    m_end += '}';
}

Result<> SearchEncoder::encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out)
{
    for (const std::uint32_t row : rows) {
        if (batch.op(row) == Op::Skip)
            continue;
        Payload::Item item;
        if (!startItem(*m_plan, m_kind, batch, row, m_text, out, item))
            continue;
        if (item.keySize == 0) {
            out.rejected.push_back({row, {Fault::Data, "target." + m_kind + ".empty_key", "the key is an empty text, and no document can have an empty _id",
                                             "Give the row a key, or choose another key for this table.", {}}});
            continue;
        }
        if (item.op == Op::Upsert) {
            const std::span<const Cell> cells = batch.row(row);
            m_text.clear();
            for (std::size_t i = 0; i < cells.size(); ++i) {
                if (cells[i].type == Type::Unchanged)
                    return Error{Fault::Internal, "target." + m_kind + ".unchanged", "table " + m_plan->label + ": column " + m_plan->schema->columns[i].source
                        + " came without its value", "", {}};
                m_text += m_names[i];
                appendJson(m_text, becomesNull(cells[i]) ? Cell::null() : cells[i]);
            }
            m_text += m_end;
            if (m_text.size() > largestJsonDocument) {
                rejectTooLarge(m_kind, m_text.size(), item, out);
                m_text = {};
                continue;
            }
            item.docSize = static_cast<std::uint32_t>(m_text.size());
            item.docAt = static_cast<std::uint32_t>(out.bytes.size());
            out.bytes.insert(out.bytes.end(), m_text.begin(), m_text.end());
        }
        out.items.push_back(item);
    }
    return {};
}

} // namespace millrace::search
