#pragma once
#include "core/data/batch.h"
#include <string>
#include <string_view>

namespace millrace {

//! The normal form of a row as it must stand in a JSON document: "field \x1f value \x1e" in field order. A value is its JSON lexeme,
//! with texts as `"` and their bytes as they are; of json and arrays the minified text. Made from the cells and not by way of the
//! encoder, so that a slip of the encoder shows as a difference.
void appendExpectedForm(std::string& out, const Schema& schema, std::span<const Cell> row);

//! The same form of a document that was read. False when it is not a JSON object.
bool appendDocumentForm(std::string& out, std::string_view json);

//! The two separators of the form cannot stand inside a value or name: \x1d and a letter stand for them.
void appendFormEscaped(std::string& out, std::string_view text);

} // namespace millrace
