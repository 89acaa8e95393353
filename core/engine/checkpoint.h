#pragma once
#include "core/base/result.h"
#include "core/data/batch.h"
#include "core/data/schema.h"
#include <cstdint>
#include <string>
#include <vector>

namespace millrace {

//! A run of keys that one process copied under one snapshot. A later process cannot know whether its rows are still the same: it
//! reads the range again and compares `rows` and `hash` before it deletes anything (engine.md, "Full loads").
struct Segment {
    Position after, upTo;                         //!< (after, upTo], opaque to the engine
    std::uint64_t rows = 0, hash = 0;             //!< hash: sum of rowHash over its rows
    std::uint64_t versionLow = 0, versionHigh = 0;   //!< [low, high): what its documents carry
    bool torn = false;                            //!< being written again: the sum proves nothing until that is done
    std::uint64_t sent = 0;                       //!< of its rows, those that were to become documents
};

//! The durable state of one table: what Checkpoint::state holds, as JSON.
struct TableCheckpoint {
    enum class Phase : std::uint8_t { Load, Follow };
    Phase phase = Phase::Load;                    //!< Follow: a load was completed
    Position mark;                                //!< change position stored before the load's first snapshot (Invariant 3)
    Position follow;                              //!< next poll starts here (phase Follow)
    bool midPoll = false;                         //!< `follow` lies inside a poll that was cut off, bounded by when it began
    std::string cursor;                           //!< the time column that `follow` speaks of
    std::uint64_t rows = 0;                       //!< in the target when last counted: an empty container then means it was taken away
    std::int64_t run = 0;                         //!< in which this load began: what failed since then is not read again when it is resumed
    std::vector<Segment> segments;                //!< copied so far, in key order; the last one grows
    std::vector<std::pair<std::string, std::string>> columns;   //!< source column -> type name the documents are written with
    std::string fingerprint;

    std::string json() const;
    static Result<TableCheckpoint> fromJson(const std::string& text);
};

} // namespace millrace
