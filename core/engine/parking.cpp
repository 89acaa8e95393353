#include "core/engine/parking.h"
#include "core/data/value.h"
#include "core/engine/keytext.h"
#include <algorithm>

namespace millrace {

namespace {

//! The row as JSON for people, as far as it could be read: the engine's own names, no target's form.
std::string describe(const Batch& batch, std::uint32_t row)
{
    constexpr std::size_t longestValue = 4096;
    std::string out = "{";
    const auto& columns = batch.schema().columns;
    const auto cells = batch.row(row);
    for (std::size_t i = 0; i < columns.size(); ++i) {
        if (i) out += ',';
        appendJsonString(out, columns[i].name);
        out += ':';
        if (cells[i].type == Type::Text && cells[i].size > longestValue)
            appendJsonString(out, "(" + std::to_string(cells[i].size) + " bytes)");
        else if (cells[i].type == Type::Bytes && cells[i].size > longestValue)
            appendJsonString(out, "(" + std::to_string(cells[i].size) + " bytes)");
        else
            appendJson(out, cells[i]);
    }
    return out += '}';
}

} // namespace

Parking::Parking(MetadataStore& store, const Clock& clock, TablePlanPtr plan, RunId run, std::int64_t limit, RunCounters& counters)
    : m_store(store), m_clock(clock), m_plan(std::move(plan)), m_run(run), m_limit(limit), m_counters(counters) {}

Result<> Parking::load()
{
    auto rows = m_store.failures(m_plan->sync, m_plan->label, {}, {});
    if (!rows)
        return std::move(rows).error();
    std::lock_guard lock(m_mutex);
    m_keys.clear();
    for (auto& row : *rows)
        m_keys.emplace(std::move(row.key), 0);
    m_any = !m_keys.empty();
    return {};
}

void Parking::newPass()
{
    std::lock_guard lock(m_mutex);
    m_withoutKey.clear();
}

Result<> Parking::park(const Batch& batch, std::span<const RowFailure> rows)
{
    if (rows.empty())
        return {};
    const std::int64_t now = m_clock.nowMs();
    // The store is written under the lock, here and below: what it holds and what is known here must not drift apart.
    std::lock_guard lock(m_mutex);
    std::vector<FailedRow> failed;
    for (const RowFailure& failure : rows) {
        FailedRow f;
        f.sync = m_plan->sync;
        f.table = m_plan->label;
        f.cause = failure.error.id;
        f.detail = failure.error.detail;
        f.fix = failure.error.fix;
        f.document = describe(batch, failure.row);
        const auto& key = batch.schema().key;
        if (m_plan->keyless())
            f.key = "row " + std::to_string((batch.version & ((std::uint64_t{1} << 40) - 1)) + failure.row);
        else if (std::any_of(key.begin(), key.end(), [&](std::uint32_t k) { return batch.row(failure.row)[k].type == Type::Null; }))
            f.key = nameWithoutKey(f.document, m_withoutKey);
        else
            f.key = keyText(batch.schema(), batch.row(failure.row));
        f.firstMs = f.lastMs = now;
        f.run = m_run;
        failed.push_back(std::move(f));
    }
    if (auto stored = m_store.park(failed); !stored)
        return stored;
    for (std::size_t i = 0; i < failed.size(); ++i) {
        m_counters.rejected += m_rejected.insert(failed[i].key).second;
        auto& version = m_keys[failed[i].key];
        version = std::max(version, batch.version + rows[i].row);
    }
    m_any = true;
    if (m_keys.size() > static_cast<std::size_t>(std::max<std::int64_t>(0, m_limit)))
        return Error{Fault::Data, "engine.too_many_failed",
                     std::to_string(m_keys.size()) + " rows of " + m_plan->label + " are parked; the last one: " + failed.back().detail,
                     "Fix the cause shown by `failures`, or raise max_failed.", {}};
    return {};
}

Result<> Parking::arrived(const Batch& batch, std::span<const std::uint32_t> rows, std::span<const RowFailure> except)
{
    if (!m_any.load(std::memory_order_relaxed) || m_plan->keyless())
        return {};
    std::vector<std::string> keys;
    std::lock_guard lock(m_mutex);
    for (const std::uint32_t row : rows) {
        if (std::any_of(except.begin(), except.end(), [&](const RowFailure& f) { return f.row == row; }))
            continue;
        std::string key = keyText(batch.schema(), batch.row(row));
        if (const auto it = m_keys.find(key); it != m_keys.end() && it->second <= batch.version + row) {
            m_keys.erase(it);
            keys.push_back(std::move(key));
        }
    }
    m_any = !m_keys.empty();
    return keys.empty() ? Result<>{} : m_store.removeFailures(m_plan->sync, m_plan->label, keys);
}

std::uint64_t Parking::parked() const
{
    std::lock_guard lock(m_mutex);
    return m_keys.size();
}

} // namespace millrace
