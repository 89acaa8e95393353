#include "core/source/postgresql/sqltext.h"
#include "core/data/value.h"
#include <cstdio>
#include <limits>

namespace millrace::postgresql {

namespace {

constexpr std::int64_t dayMicros = 86'400'000'000;
const std::int64_t firstDay = daysFromCivil(1, 1, 1) - epochDays, lastDay = daysFromCivil(9999, 12, 31) - epochDays;

std::string quoted(std::string_view text, char quote)
{
    std::string out(1, quote);
    for (const char c : text)
        out.append(c == quote ? 2 : 1, c);
    return out += quote;
}

//! "2024-01-31" and, for years before 1, the " BC" that ends the whole value.
std::string civil(std::int64_t days, bool& before)
{
    int year = 0;
    unsigned month = 0, day = 0;
    civilFromDays(days + epochDays, year, month, day);
    before = year < 1;
    char text[48];
    std::snprintf(text, sizeof text, "%04d-%02u-%02u", before ? 1 - year : year, month, day);
    return text;
}

} // namespace

std::string quotedName(std::string_view identifier) { return quoted(identifier, '"'); }
std::string quotedName(const TableRef& table) { return table.schema.empty() ? quotedName(table.name) : quotedName(table.schema) + "." + quotedName(table.name); }
std::string literal(std::string_view text) { return quoted(text, '\''); }
std::string condition(const std::string& where) { return "(" + where + "\n)"; }

bool ordinaryDate(std::int32_t days) { return days >= firstDay && days <= lastDay; }
bool ordinaryTimestamp(std::int64_t micros) { return micros >= firstDay * dayMicros && micros < (lastDay + 1) * dayMicros; }

std::string serverDate(std::int32_t days)
{
    if (days == std::numeric_limits<std::int32_t>::max()) return "infinity";
    if (days == std::numeric_limits<std::int32_t>::min()) return "-infinity";
    bool before = false;
    std::string out = civil(days, before);
    return before ? out + " BC" : out;
}

std::string serverTimestamp(std::int64_t micros, bool zone)
{
    if (micros == std::numeric_limits<std::int64_t>::max()) return "infinity";
    if (micros == std::numeric_limits<std::int64_t>::min()) return "-infinity";
    std::int64_t days = micros / dayMicros, rest = micros % dayMicros;
    if (rest < 0) {
        rest += dayMicros;
        --days;
    }
    bool before = false;
    std::string out = civil(days, before) + " ";
    appendTime(out, rest, 0);
    if (const std::int64_t fraction = rest % 1'000'000; fraction) {
        char text[32];
        std::snprintf(text, sizeof text, ".%06lld", static_cast<long long>(fraction));
        std::string digits = text;
        digits.erase(digits.find_last_not_of('0') + 1);
        out += digits;
    }
    if (zone) out += "+00";
    return before ? out + " BC" : out;
}

} // namespace millrace::postgresql
