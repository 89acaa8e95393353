#pragma once
#include "core/engine/pollhorizon.h"
#include "core/source/postgresql/connection.h"

namespace millrace::postgresql {

//! Asks the database's clock and then the transactions that are open, in this order (see PollHorizon). `connection` must be in no
//! transaction.
//!
//! What default columns write is now(), the begin of the transaction, which may lie long before it has an xid: a snapshot's list of
//! xids would miss it. Every open transaction holds a lock on its virtual xid, and pg_locks shows those to everybody. Transactions of
//! our own sessions, of other databases and of vacuum write no row here and do not count. Whoever is prepared (two-phase commit) loses
//! its virtual xid: while there is one, no transaction that was open in `earlier` counts as ended.
//!
//! When other users' transactions began is hidden without pg_read_all_stats; the bound for one that was open before the first position
//! is then an hour back, which is best effort.
Result<PollHorizon::Poll> observe(Connection& connection, const PollHorizon& earlier);

} // namespace millrace::postgresql
