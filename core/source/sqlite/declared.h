#pragma once
#include "core/data/schema.h"

namespace millrace::sqlitesource {

//! What a declared type promises. SQLite enforces none of it (outside STRICT tables): each value is looked at (see cell.h).
struct Declared { Type type = Type::Text; std::uint8_t scale = 0; std::uint16_t precision = 0; };

//! By the type's own word where it has a meaning here (BOOLEAN, DATE, DATETIME, DECIMAL, JSON, UUID), else by SQLite's affinity rules
//! (sqlite.org/datatype3.html, 3.1). No declared type: text.
Declared readDeclared(std::string_view nativeType);

} // namespace millrace::sqlitesource
