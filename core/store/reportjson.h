#pragma once
#include "core/base/node.h"
#include "core/engine/report.h"
#include <string>

namespace millrace {

//! The form in which run reports lie in the store. Not the contract's JSON: it keeps every member, and reading it back gives the same report.
Node nodeFrom(const Error& error);
Error errorFrom(const Node& node);
Node nodeFrom(const TableReport& report);
TableReport tableReportFrom(const Node& node);
std::string_view storedName(Outcome outcome);      //!< unlike outcomeName() it tells cancelled from partial
Outcome outcomeFrom(std::string_view name);

} // namespace millrace
