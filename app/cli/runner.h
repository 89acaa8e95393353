#pragma once
#include "app/cli/session.h"

namespace millrace::cli {

//! Starts all requests side by side and waits for them, with progress; a signal stops them after the batches in flight. A run that
//! could not start is a report whose `error` says why.
std::vector<RunReport> runAll(Session& session, Engine& engine, const std::vector<RunRequest>& requests);

void showRun(Session& session, const RunReport& report);         //!< for people
void showVerify(Session& session, const VerifyReport& report);
//! The exit code of several runs: interrupted when a signal came, else the worst.
int exitOfAll(Session& session, const std::vector<RunReport>& reports);

//! Proof of the given tables (empty: all), stopped by a signal.
Result<VerifyReport> runVerify(Session& session, Engine& engine, const std::string& sync, const std::vector<std::string>& tables);

} // namespace millrace::cli
