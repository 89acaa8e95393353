#pragma once
#include "core/engine/plan.h"
#include "core/target/search/client.h"

namespace millrace::search {

//! Field types that not every server has: modules, licences and versions decide. What is missing becomes the next best.
struct FieldTypes { bool scaledFloat = true, unsignedLong = true; };

//! Asks the server by an index that is taken away again at once; nothing else tells for sure.
Result<FieldTypes> probeTypes(Client& client, std::int64_t nowMs);
//! Takes what the server's refusal names out of `types`; false when it names none of them.
bool withoutRefused(const Error& refusal, FieldTypes& types);

//! The field's mapping for a column.
Node fieldMapping(const Column& column, const FieldTypes& types);
//! The mapping's properties of a table; with the mark's field where documents carry one.
Node properties(const TablePlan& plan, const FieldTypes& types);
//! What this store cannot carry exactly, in one sentence, or empty.
std::string carryNote(const Column& column, const FieldTypes& types);

//! Why a column cannot go into a field that the index has already: its values would all be refused, or mean something else. Empty: it can.
std::string conflict(const Node& present, const Node& wanted);

} // namespace millrace::search
