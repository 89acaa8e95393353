#pragma once
#include "core/data/batch.h"
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

//! The key cells behind a key text, typed by the schema's key columns; nullopt for a hashed key ('#' and a digest) or a text that is
//! none. The cells' text lives in `arena`.
std::optional<std::vector<Cell>> keyCells(const Schema& schema, std::string_view text, Batch& arena);

//! What a row with a NULL in its key is parked under: no key tells it from others, so its content does, and `seen` counts equal ones.
std::string nameWithoutKey(const std::string& document, std::map<std::string, std::uint64_t>& seen);
bool isNameWithoutKey(std::string_view parkedKey);

} // namespace millrace
