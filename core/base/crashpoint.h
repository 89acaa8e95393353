#pragma once

namespace millrace {

//! A named place at which a test can kill the process: with MILLRACE_CRASHPOINT=name:n in the environment the n-th passage raises
//! SIGKILL. Costs one relaxed load when the variable is not set.
void crashPoint(const char* name);

} // namespace millrace
