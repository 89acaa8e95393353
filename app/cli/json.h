#pragma once
#include "core/base/node.h"
#include "core/engine/engine.h"
#include <string>

namespace millrace::cli {

//! The answers as the contract words them: field names and order are what scripts hold on to. Only ever add, at the end.
Node errorJson(const Error& error);                     //!< {"id","detail","fix"}
Node runJson(const RunReport& report);                  //!< `sync run --json`
Node statusJson(const EngineSnapshot& snapshot, const std::string& sync);   //!< `sync status --json`; empty: all syncs
Node verifyJson(const VerifyReport& report);
Node discoverJson(const Discovery& discovery);
Node planJson(const PlanReport& report);
Node dryRunJson(const DryRunReport& report);
Node historyJson(const std::string& sync, const std::vector<RunReport>& runs);
Node failuresJson(const std::string& sync, const std::vector<FailedRow>& rows);
Node failureJson(const FailedRow& row);
Node testJson(const std::string& connection, const TestReport& report);
Node applyJson(const ApplyReport& report, bool dryRun);
Node connectionJson(const ConnectionDef& def);

Node timeOrNull(std::int64_t ms);                       //!< RFC 3339 with Z; 0: null
double secondsOf(std::int64_t fromMs, std::int64_t toMs);
std::string_view stageWord(TestStage::Outcome outcome); //!< "passed" "warning" "failed" "not_reached"
//! A table's outcome as the contract prints it: parked rows make it partial.
Outcome shownOutcome(const TableReport& table);

} // namespace millrace::cli
