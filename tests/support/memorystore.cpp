#include "tests/support/memorystore.h"
#include <algorithm>

namespace millrace::test {

using Lock = std::lock_guard<std::mutex>;

template <class Map> static auto values(const Map& map)
{
    std::vector<typename Map::mapped_type> out;
    for (const auto& [key, value] : map)
        out.push_back(value);
    return out;
}

Result<std::vector<ConnectionDef>> MemoryStore::connections() { Lock lock(m_mutex); return values(m_connections); }
Result<> MemoryStore::saveConnection(const ConnectionDef& def, std::string_view) { Lock lock(m_mutex); m_connections[def.name] = def; return {}; }
Result<> MemoryStore::removeConnection(std::string_view name, std::string_view) { Lock lock(m_mutex); m_connections.erase(std::string(name)); return {}; }
Result<std::vector<SyncDef>> MemoryStore::syncs() { Lock lock(m_mutex); return values(m_syncs); }
Result<> MemoryStore::saveSync(const SyncDef& def, std::string_view) { Lock lock(m_mutex); m_syncs[def.name] = def; return {}; }

Result<> MemoryStore::removeSync(std::string_view name, std::string_view)
{
    Lock lock(m_mutex);
    m_syncs.erase(std::string(name));
    std::erase_if(m_checkpoints, [&](const auto& c) { return c.first.first == name; });
    std::erase_if(m_statuses, [&](const auto& s) { return s.first.first == name; });
    std::erase_if(m_failures, [&](const auto& f) { return f.sync == name; });
    return {};
}

Result<bool> MemoryStore::paused(std::string_view sync) { Lock lock(m_mutex); return m_paused[std::string(sync)]; }
Result<> MemoryStore::setPaused(std::string_view sync, bool paused, std::string_view) { Lock lock(m_mutex); m_paused[std::string(sync)] = paused; return {}; }

Result<std::optional<Checkpoint>> MemoryStore::checkpoint(std::string_view sync, std::string_view table)
{
    Lock lock(m_mutex);
    const auto it = m_checkpoints.find({std::string(sync), std::string(table)});
    return it == m_checkpoints.end() ? std::optional<Checkpoint>() : it->second;
}

Result<> MemoryStore::commit(std::span<const Checkpoint> checkpoints)
{
    if (m_hook)
        if (auto allowed = m_hook(checkpoints); !allowed)
            return allowed;
    Lock lock(m_mutex);
    for (const auto& c : checkpoints) {
        m_checkpoints[{c.sync, c.table}] = c;
        m_committed.push_back(c);
    }
    return {};
}

Result<> MemoryStore::forget(std::string_view sync, std::string_view table)
{
    Lock lock(m_mutex);
    std::erase_if(m_checkpoints, [&](const auto& c) { return c.first.first == sync && (table.empty() || c.first.second == table); });
    return {};
}

Result<std::uint64_t> MemoryStore::epoch(std::string_view sync) { Lock lock(m_mutex); return m_epochs[std::string(sync)]; }
Result<> MemoryStore::saveEpoch(std::string_view sync, std::uint64_t epoch) { Lock lock(m_mutex); m_epochs[std::string(sync)] = epoch; return {}; }

Result<std::vector<TableStatus>> MemoryStore::statuses(std::string_view sync)
{
    Lock lock(m_mutex);
    auto all = values(m_statuses);
    std::erase_if(all, [&](const auto& s) { return !sync.empty() && s.sync != sync; });
    return all;
}

Result<> MemoryStore::saveStatus(const TableStatus& status) { Lock lock(m_mutex); m_statuses[{status.sync, status.table}] = status; return {}; }

Result<RunId> MemoryStore::beginRun(std::string_view sync, std::string_view trigger, std::int64_t startMs)
{
    Lock lock(m_mutex);
    RunReport report;
    report.id = m_next++;
    report.sync = sync;
    report.trigger = trigger;
    report.startMs = startMs;
    m_runs[report.id] = report;
    return report.id;
}

Result<> MemoryStore::endRun(const RunReport& report) { Lock lock(m_mutex); m_runs[report.id] = report; return {}; }

Result<std::vector<RunReport>> MemoryStore::history(std::string_view sync, std::size_t limit)
{
    Lock lock(m_mutex);
    auto all = values(m_runs);
    std::erase_if(all, [&](const auto& r) { return !sync.empty() && r.sync != sync; });
    std::reverse(all.begin(), all.end());
    if (all.size() > limit) all.resize(limit);
    return all;
}

Result<> MemoryStore::park(std::span<const FailedRow> rows)
{
    Lock lock(m_mutex);
    for (const auto& row : rows) {
        const auto it = std::find_if(m_failures.begin(), m_failures.end(), [&](const auto& f) {
            return f.sync == row.sync && f.table == row.table && f.key == row.key && f.cause == row.cause;
        });
        if (it == m_failures.end()) {
            m_failures.push_back(row);
            m_failures.back().id = m_next++;
        } else {
            ++it->tries;
            it->lastMs = row.lastMs;
            it->run = row.run;
        }
    }
    return {};
}

Result<std::vector<FailedRow>> MemoryStore::failures(std::string_view sync, std::string_view table, std::string_view cause, std::string_view key)
{
    Lock lock(m_mutex);
    std::vector<FailedRow> out;
    for (const auto& f : m_failures)
        if (f.sync == sync && (table.empty() || f.table == table) && (cause.empty() || f.cause == cause) && (key.empty() || f.key == key))
            out.push_back(f);
    return out;
}

Result<> MemoryStore::removeFailures(std::string_view sync, std::string_view table, const std::vector<std::string>& keys)
{
    Lock lock(m_mutex);
    std::erase_if(m_failures, [&](const auto& f) { return f.sync == sync && f.table == table && std::find(keys.begin(), keys.end(), f.key) != keys.end(); });
    return {};
}

Result<> MemoryStore::removeFailuresBefore(std::string_view sync, std::string_view table, RunId run)
{
    Lock lock(m_mutex);
    std::erase_if(m_failures, [&](const auto& f) { return f.sync == sync && f.table == table && f.run < run; });
    return {};
}

Result<std::uint64_t> MemoryStore::discardFailures(std::string_view sync, std::string_view cause, std::string_view key, std::string_view)
{
    Lock lock(m_mutex);
    return static_cast<std::uint64_t>(std::erase_if(m_failures, [&](const auto& f) {
        return f.sync == sync && (cause.empty() || f.cause == cause) && (key.empty() || f.key == key);
    }));
}

Result<> MemoryStore::addMetric(std::string_view sync, std::string_view table, const MetricPoint& point)
{
    Lock lock(m_mutex);
    m_metrics.emplace_back(std::string(sync) + "/" + std::string(table), point);
    return {};
}

Result<std::vector<MetricPoint>> MemoryStore::metrics(std::string_view sync, std::string_view table, std::int64_t fromMs, std::int64_t toMs)
{
    Lock lock(m_mutex);
    std::vector<MetricPoint> out;
    for (const auto& [name, point] : m_metrics)
        if (name == std::string(sync) + "/" + std::string(table) && point.timeMs >= fromMs && point.timeMs <= toMs)
            out.push_back(point);
    return out;
}

Result<std::string> MemoryStore::setting(std::string_view key) { Lock lock(m_mutex); return m_settings[std::string(key)]; }
Result<> MemoryStore::saveSetting(std::string_view key, std::string_view value, std::string_view) { Lock lock(m_mutex); m_settings[std::string(key)] = value; return {}; }

} // namespace millrace::test
