#pragma once
#include "core/data/batch.h"
#include "core/source/sqlite/rawvalue.h"
#include <optional>

namespace millrace::sqlitesource {

//! One column that is followed: the cursor, or the time in a deleted-rows table.
struct Followed {
    RawValue lower;                      //!< the next poll reads from here; NULL: from the start
    std::optional<RawValue> pending;     //!< becomes `lower` once the writer that the last poll saw has ended
    // of the poll under way
    RawValue upper, nextLower;
    std::optional<RawValue> nextPending;
    bool operator==(const Followed&) const = default;
};

//! What a poll's position holds. As JSON; cursor values keep their storage class.
struct PollState {
    enum class Phase : std::uint8_t { None, NoTime, Range, DeletedNoTime, DeletedRange };
    Followed rows, deleted;
    std::string stamp;                   //!< of the file when the last poll began; empty in WAL mode
    Phase phase = Phase::None;           //!< None: between polls
    std::vector<RawValue> after;         //!< the last row read in this phase
    bool operator==(const PollState&) const = default;

    Position position() const;
    static Result<PollState> from(const Position& position);    //!< empty: everything is to be read
};

} // namespace millrace::sqlitesource
