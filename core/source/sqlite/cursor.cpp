#include "core/source/sqlite/cursor.h"
#include "core/data/value.h"

namespace millrace::sqlitesource {

namespace {

std::int64_t floorTo(std::int64_t micros, std::int64_t unit)
{
    const std::int64_t rest = micros % unit;
    return (micros - (rest < 0 ? rest + unit : rest)) / unit;
}

//! "YYYY-MM-DD?HH:MM:SS" of a valid time, then an optional fraction of up to nine digits; what is left is the zone.
bool parts(const std::string& text, std::int64_t& micros, std::string& zone)
{
    std::uint8_t digits = 0;
    if (text.size() < 19 || !parseDateTime(std::string_view(text).substr(0, 19), micros, digits))
        return false;
    std::size_t at = 19;
    if (at < text.size() && text[at] == '.') {
        std::int64_t unit = 100'000;
        const std::size_t from = ++at;
        for (; at < text.size() && text[at] >= '0' && text[at] <= '9'; ++at, unit /= 10)
            micros += (text[at] - '0') * unit;
        if (at == from || at - from > 9)
            return false;
    }
    zone = text.substr(at);
    return true;
}

} // namespace

std::string CursorShape::text() const
{
    switch (kind) {
    case Kind::Text: return std::string("2026-11-21") + separator + "03:30:41" + zone;
    case Kind::Seconds: return "seconds since 1970";
    case Kind::Millis: return "milliseconds since 1970";
    case Kind::Micros: return "microseconds since 1970";
    }
    return {};
}

std::optional<CursorShape> shapeOf(const RawValue& value)
{
    CursorShape shape;
    if (value.type == SQLITE_INTEGER) {
        // 1973 to 5138 in seconds, in milliseconds, in microseconds: the ranges do not meet.
        if (value.number < 100'000'000 || value.number >= 100'000'000'000'000'000)
            return std::nullopt;
        shape.kind = value.number < 100'000'000'000 ? CursorShape::Kind::Seconds
            : value.number < 100'000'000'000'000 ? CursorShape::Kind::Millis : CursorShape::Kind::Micros;
        return shape;
    }
    std::int64_t micros = 0;
    if (value.type != SQLITE_TEXT || !parts(value.bytes, micros, shape.zone) || (!shape.zone.empty() && shape.zone != "Z" && shape.zone != "+00:00"))
        return std::nullopt;
    shape.separator = value.bytes[10];
    return shape;
}

std::optional<std::int64_t> microsOf(const RawValue& value)
{
    const auto shape = shapeOf(value);
    if (!shape)
        return std::nullopt;
    std::int64_t micros = 0;
    std::string zone;
    switch (shape->kind) {
    case CursorShape::Kind::Seconds: return value.number * 1'000'000;
    case CursorShape::Kind::Millis: return value.number * 1000;
    case CursorShape::Kind::Micros: return value.number;
    case CursorShape::Kind::Text: break;
    }
    return parts(value.bytes, micros, zone) ? std::optional(micros) : std::nullopt;
}

RawValue boundOf(std::int64_t micros, const CursorShape& shape)
{
    switch (shape.kind) {
    case CursorShape::Kind::Seconds: return RawValue::integer(floorTo(micros, 1'000'000));
    case CursorShape::Kind::Millis: return RawValue::integer(floorTo(micros, 1000));
    case CursorShape::Kind::Micros: return RawValue::integer(micros);
    case CursorShape::Kind::Text: break;
    }
    std::string text;
    appendDateTime(text, floorTo(micros, 1'000'000) * 1'000'000, 0, false);
    if (text.size() > 10) text[10] = shape.separator;
    return RawValue::text(std::move(text));
}

} // namespace millrace::sqlitesource
