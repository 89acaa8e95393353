#include "core/engine/keyedrows.h"
#include "core/data/value.h"
#include "core/engine/keytext.h"
#include <algorithm>

namespace millrace {

namespace {

//! A cell of one batch in another one's arena.
Cell copied(const Cell& cell, Batch& into)
{
    switch (cell.type) {
    case Type::Decimal: case Type::Text: case Type::Bytes: case Type::Json: case Type::Uuid: case Type::Array: return into.text(cell.text(), cell.type);
    default: return cell;
    }
}

} // namespace

KeyedRows::KeyedRows(Source& source, TablePlanPtr plan, const std::set<std::string>& keys) : m_source(source), m_plan(std::move(plan)), m_arena(m_plan->schema)
{
    for (const auto& key : keys)
        m_wanted.emplace(key, keyCells(*m_plan->schema, key, m_arena));
}

Result<ReadState> KeyedRows::read(Batch& into, std::size_t maxRows, std::stop_token stop)
{
    if (m_phase == Phase::Lookup) {
        auto state = lookUp(into, maxRows, stop);
        if (!state || *state != ReadState::End)
            return state;
        m_rows.reset();
        m_phase = m_wanted.empty() ? Phase::Done : Phase::Scan;
        return m_phase == Phase::Done ? ReadState::End : ReadState::More;
    }
    if (m_phase == Phase::Scan) {
        auto state = scan(into, maxRows, stop);
        if (!state || *state != ReadState::End)
            return state;
        deleteGone(into);
        m_rows.reset();
        m_phase = Phase::Done;
    }
    return ReadState::End;
}

Result<ReadState> KeyedRows::lookUp(Batch& into, std::size_t maxRows, std::stop_token stop)
{
    if (!m_rows) {
        std::vector<std::vector<Cell>> cells;
        for (const auto& [key, one] : m_wanted)
            if (one) cells.push_back(*one);
        if (cells.empty())                                     // no keys would mean all rows
            return ReadState::End;
        auto opened = m_source.proof(m_plan, cells);
        if (!opened)
            return std::move(opened).error();
        m_rows = std::move(*opened);
    }
    auto state = m_rows->read(into, maxRows, stop);
    if (!state)
        return state;
    for (std::size_t i = 0; i < into.rows(); ++i)
        m_wanted.erase(keyText(*m_plan->schema, std::as_const(into).row(i)));
    return state;
}

Result<ReadState> KeyedRows::scan(Batch& into, std::size_t maxRows, std::stop_token stop)
{
    if (!m_rows) {
        auto opened = m_source.proof(m_plan, {});
        if (!opened)
            return std::move(opened).error();
        m_rows = std::move(*opened);
    }
    Batch all(m_plan->schema);
    auto state = m_rows->read(all, maxRows, stop);
    if (!state)
        return state;
    for (std::size_t i = 0; i < all.rows(); ++i) {
        const auto row = std::as_const(all).row(i);
        const auto& key = m_plan->schema->key;
        if (std::any_of(key.begin(), key.end(), [&](std::uint32_t k) { return row[k].type == Type::Null; }))
            continue;                                          // NULL is not the text 'null'
        const auto wanted = m_wanted.find(keyText(*m_plan->schema, row));
        if (wanted == m_wanted.end())
            continue;
        m_wanted.erase(wanted);
        const auto cells = into.append(all.op(i));
        for (std::size_t c = 0; c < row.size(); ++c)
            cells[c] = copied(row[c], into);
        for (const RowFailure& failure : all.rejected())
            if (failure.row == i) into.reject(into.rows() - 1, failure.error);
    }
    return state;
}

void KeyedRows::deleteGone(Batch& into)
{
    for (const auto& [key, cells] : m_wanted) {
        if (!cells) {
            ++m_unknown;
            continue;
        }
        const auto row = into.append(Op::Delete);
        for (std::size_t k = 0; k < cells->size(); ++k)
            row[m_plan->schema->key[k]] = copied((*cells)[k], into);
    }
    m_wanted.clear();
}

} // namespace millrace
