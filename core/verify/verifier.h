#pragma once
#include "core/base/clock.h"
#include "core/engine/verifier.h"
#include <memory>

namespace millrace {

//! The verifier for tables of any size: 32 bytes per row and side, in memory as far as allowed, else spilled. Both sides are read at the
//! same time, each on its own thread. Whatever goes wrong ends in Verdict::Unknown with the error in the verdict (Invariant 9).
//! Stateless: may verify several tables at once. `clock` must outlive it.
std::unique_ptr<Verifier> makeVerifier(const Clock& clock);

} // namespace millrace
