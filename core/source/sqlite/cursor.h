#pragma once
#include "core/source/sqlite/rawvalue.h"
#include <optional>
#include <string>

namespace millrace::sqlitesource {

//! How an application writes the time of a change. A cursor is never turned into a double: it stays text or integer.
struct CursorShape {
    enum class Kind : std::uint8_t { Text, Seconds, Millis, Micros } kind = Kind::Text;
    char separator = ' ';                //!< of Text: ' ' as CURRENT_TIMESTAMP writes it, or 'T'
    std::string zone;                    //!< of Text: "", "Z" or "+00:00"; other offsets do not sort by time
    bool operator==(const CursorShape&) const = default;
    std::string text() const;            //!< for people: "2026-11-21 03:30:41", "seconds since 1970"
};

//! nullopt: not a time in one of these forms. Fraction digits may differ from row to row.
std::optional<CursorShape> shapeOf(const RawValue& value);
//! Microseconds since 1970 of a value of any shape.
std::optional<std::int64_t> microsOf(const RawValue& value);
//! A bound in that shape at or below `micros`. Text is cut to whole seconds and carries no zone, so that it sorts below every
//! way to write the same second ("…41Z" sorts above "…41.5Z").
RawValue boundOf(std::int64_t micros, const CursorShape& shape);

} // namespace millrace::sqlitesource
