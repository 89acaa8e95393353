#pragma once
#include "core/engine/pollhorizon.h"
#include "core/engine/source.h"
#include "core/source/mysql/connection.h"

namespace millrace::mysql {

//! The database's clock and the transactions open at it, asked in this order (see PollHorizon). Without PROCESS the transactions cannot
//! be seen: the clock is then set back by a fixed ten minutes, which is best effort.
struct Observation {
    PollHorizon::Poll poll;
    std::int64_t clock = 0;                        //!< upper bound of this poll
};
Result<Observation> observe(Connection& connection);

//! A position before anything was polled.
Position markFrom(const Observation& observation);

//! One poll by time: deleted rows first, then rows without a cursor, then the window of the cursor, all from one consistent snapshot. It
//! ends; the last batch carries the position of the next poll. Every batch carries a position to go on from within this poll.
Result<std::unique_ptr<BatchReader>> openPoll(const Config& config, TablePlanPtr plan, const Position& from);

} // namespace millrace::mysql
