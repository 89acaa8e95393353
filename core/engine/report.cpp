#include "core/engine/report.h"

namespace millrace {

std::string_view stateName(State state)
{
    switch (state) {
    case State::Idle: return "idle";
    case State::Queued: return "queued";
    case State::Running: return "running";
    case State::Live: return "live";
    case State::Lagging: return "lagging";
    case State::Paused: return "paused";
    case State::NeedsResync: return "needs_resync";
    case State::Failed: return "failed";
    case State::Unknown: return "unknown";
    }
    return "unknown";
}

std::string_view outcomeName(Outcome outcome)
{
    switch (outcome) {
    case Outcome::Success: return "success";
    case Outcome::Partial: case Outcome::Cancelled: return "partial";
    case Outcome::Failed: return "failed";
    case Outcome::Unknown: return "unknown";
    }
    return "unknown";
}

std::string_view verdictName(Verdict verdict)
{
    switch (verdict) {
    case Verdict::Identical: return "identical";
    case Verdict::Different: return "different";
    case Verdict::Unknown: return "unknown";
    }
    return "unknown";
}

} // namespace millrace
