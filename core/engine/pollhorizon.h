#pragma once
#include "core/base/node.h"
#include <cstdint>
#include <string>
#include <vector>

namespace millrace {

//! Where the next poll by time must start, so that a transaction that commits late is not lost (engine.md, "Polling"). Pure: it holds
//! what each poll saw (the database's clock and the transactions open then) and answers with a lower bound.
//!
//! A row whose cursor is at or before the clock of poll k was written by a transaction that had committed at k, or was open at k. So
//! the next lower bound is the clock of the newest poll whose open transactions had all ended when the last poll looked. Judging that
//! at the *coming* poll instead loses the row: it would skip the very poll that first sees the commit.
//!
//! The caller must ask the clock first, then the open transactions, and only then open the snapshot that it reads through.
class PollHorizon {
public:
    struct Poll {
        std::int64_t clock = 0;                    //!< microseconds since 1970, the database's clock, UTC
        std::int64_t floor = 0;                    //!< begin of the oldest open transaction, or the clock: the bound while none better is known
        std::vector<std::string> open;             //!< identities that do not change while the transaction lives
    };

    //! Adds a poll (also the mark before a first load) and forgets those that no later answer can need. What is not newer than the
    //! newest is passed over: a poll that could not look at the transactions leaves the bound where it is.
    void add(Poll poll);
    bool empty() const { return m_polls.empty(); }
    //! Lower bound of the next poll, before any overlap. Needs at least one poll.
    std::int64_t lower() const;
    const std::vector<Poll>& polls() const { return m_polls; }
    const Poll& newest() const { return m_polls.back(); }

    Node node() const;
    static Result<PollHorizon> fromNode(const Node& node);

private:
    bool endedByNewest(const Poll& poll) const;
    std::vector<Poll> m_polls;                     //!< oldest first
};

} // namespace millrace
