#include "core/engine/definition.h"
#include "core/base/text.h"
#include <array>
#include <charconv>
#include <limits>

namespace millrace {

namespace {
constexpr std::array<std::string_view, 7> strategies{"auto", "full", "timestamp", "change-log", "log", "topic", "push"};
constexpr std::array<std::string_view, 3> ifExistsWords{"stop", "write", "rebuild"};
constexpr std::array<std::string_view, 3> newTablesWords{"include", "ask", "ignore"};
constexpr std::array<std::string_view, 3> policies{"null", "text", "fail"};
struct Unit { std::string_view name; std::int64_t ms; };
constexpr std::array<Unit, 5> units{{{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1}}};
} // namespace

std::string_view strategyName(Strategy strategy) { return strategies[static_cast<std::size_t>(strategy)]; }
std::string_view ifExistsName(IfExists word) { return ifExistsWords[static_cast<std::size_t>(word)]; }
std::string_view newTablesName(NewTables word) { return newTablesWords[static_cast<std::size_t>(word)]; }
std::string_view policyName(ValuePolicy word) { return policies[static_cast<std::size_t>(word)]; }

bool TableRule::operator==(const TableRule& other) const
{
    return name == other.name && strategy == other.strategy && key == other.key && cursor == other.cursor && softDelete == other.softDelete
        && where == other.where && to == other.to && id == other.id && every == other.every && format == other.format && overlapMs == other.overlapMs && ttlMs == other.ttlMs
        && deletedRows == other.deletedRows && excludeColumns == other.excludeColumns && rename == other.rename && policy == other.policy
        && indexes == other.indexes && later.json() == other.later.json();
}

Result<std::int64_t> parseDuration(std::string_view raw)
{
    const std::string text = trimmed(raw);
    const Error wrong{Fault::Config, "config.duration", "'" + text + "' is not a duration.", "Write a whole number and a unit: 250ms, 2s, 5m, 1h, 1d.", {}};
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || number < 0)
        return wrong;
    const std::string unit = trimmed(std::string_view(end, static_cast<std::size_t>(text.data() + text.size() - end)));
    for (const auto& [name, ms] : units) {
        if (unit != name && !(unit.empty() && name == "s"))
            continue;
        if (number > std::numeric_limits<std::int64_t>::max() / ms)
            return wrong;
        return number * ms;
    }
    return wrong;
}

std::string formatDuration(std::int64_t ms)
{
    if (ms == 0)
        return "0s";
    for (const auto& [name, factor] : units)
        if (ms % factor == 0)
            return std::to_string(ms / factor) + std::string(name);
    return {};
}

std::vector<std::string> unsupportedKeys(const SyncDef& def)
{
    std::vector<std::string> out;
    if (!def.cron.empty())
        out.push_back("cron");
    for (const auto& rule : def.tables)
        for (const auto& [key, value] : rule.later.fields()) {
            if (key != "columns") {
                out.push_back(rule.name + ": " + key);
                continue;
            }
            for (const auto& field : value.fields())
                out.push_back(rule.name + ": columns." + field.first);
        }
    return out;
}

} // namespace millrace
