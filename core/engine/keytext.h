#pragma once
#include "core/data/batch.h"
#include <optional>
#include <string_view>
#include <vector>

namespace millrace {

//! The key cells behind a key text, typed by the schema's key columns; nullopt for a hashed key ('#' and a digest) or a text that is
//! none. The cells' text lives in `arena`.
std::optional<std::vector<Cell>> keyCells(const Schema& schema, std::string_view text, Batch& arena);

} // namespace millrace
