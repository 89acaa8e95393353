#pragma once
#include "core/data/schema.h"
#include <string>
#include <string_view>

namespace millrace::mongodb {

//! `prefix + name` as a collection: '$' and NUL replaced by '_'; no leading '_' or '.' (ours are `_mr_…` and `_sync_metadata`), no
//! leading "system."; cut so that the namespace and that of its side container stay within the server's 255 bytes.
std::string collectionName(std::string_view prefix, std::string_view name, std::string_view database);

//! Why a source column cannot be a field, or empty. Dots are allowed: MongoDB stores them since 3.6, and carryNote() says what they cost.
std::string fieldRefused(std::string_view name);

//! What MongoDB cannot carry exactly for this column, in one sentence, or empty.
std::string carryNote(const Column& column);

} // namespace millrace::mongodb
