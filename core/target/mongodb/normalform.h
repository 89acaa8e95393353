#pragma once
#include "core/data/batch.h"
#include "core/engine/plan.h"
#include <bson/bson.h>
#include <span>
#include <string>
#include <vector>

namespace millrace::mongodb {

//! The form that proof compares: "field \x1f value \x1e" in field order; values carry a letter for their type, so that 5 and "5" differ
//! while int32 and int64 of one value do not: n null, b bool, i integer, d double, m Decimal128, s string, t date, x binary, {} and [].
//! Nothing here is shared with the encoder: cells come from the value model, documents from libbson's iterators and its Decimal128.

//! The value an element holds. Nesting is bounded by the server (180 levels); deeper ones are cut with a mark that equals nothing.
void appendForm(std::string& out, const bson_iter_t& element);
//! The value the cell must have become.
void appendForm(std::string& out, const Column& column, bool key, const Cell& cell);

//! Key text and form that a row must have.
void expectedForm(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form);
//! Key text, form and owner of a stored document. `_id` is left out where it only repeats the key. `unmarkedIsOurs`: a document without
//! any sync's mark is one of ours too.
void storedForm(const TablePlan& plan, const bson_t& document, std::string& key, std::string& form, bool& ours, bool unmarkedIsOurs = false);

} // namespace millrace::mongodb
