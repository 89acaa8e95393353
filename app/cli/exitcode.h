#pragma once
#include "core/engine/report.h"
#include <initializer_list>

namespace millrace::cli {

//! The contract's exit codes.
enum Exit : int { Ok = 0, Failure = 1, Usage = 2, Configuration = 3, Connection = 4, Partial = 5, Differences = 6, InUse = 7, Interrupted = 130 };

int exitOf(const Error& error);
int exitOf(const RunReport& report);
int exitOf(const VerifyReport& report);
//! The worse of two, by what an operator must look at first; not the larger number.
int worse(int a, int b);

} // namespace millrace::cli
