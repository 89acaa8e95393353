#pragma once
#include "core/engine/pollhorizon.h"
#include "core/source/mysql/connection.h"

namespace millrace::mysql {

//! What one poll must know before it opens its snapshot.
struct Observation {
    PollHorizon::Poll poll;                        //!< the newest look at the open transactions; its clock may lie a little before `clock`
    std::int64_t clock = 0;                        //!< the database's clock now, microseconds since 1970, UTC: the poll's upper bound
};

//! Asks the database's clock and the transactions that are open, in this order (see PollHorizon). `connection` must be new: it is used
//! once to find out how old the server's answer is.
//!
//! InnoDB refreshes information_schema.innodb_trx only when nobody has read it for 0.1 s, so readers that come often see an old list, and
//! for ever. Hence a process looks at most once in 120 ms per server and shares what it saw, and a look counts only when the list holds
//! a transaction that was begun just before. An old look is safe, it only moves the next lower bound less far.
//!
//! Without PROCESS there is no list: the clock is then set back by ten minutes, which is best effort.
Result<Observation> observe(Connection& connection);

} // namespace millrace::mysql
