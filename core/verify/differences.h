#pragma once
#include "core/verify/spill.h"
#include <algorithm>
#include <cstdint>
#include <vector>

namespace millrace::verify {

struct Counts {
    std::uint64_t missing = 0, extra = 0, different = 0;
    bool none() const { return missing + extra + different == 0; }
    Counts& operator+=(const Counts& other) { missing += other.missing; extra += other.extra; different += other.different; return *this; }
    bool operator==(const Counts&) const = default;
};

//! One key whose rows are not the same on both sides, with how many rows each side has (several only when keys meet in one text).
struct Difference {
    Digest key;
    std::uint64_t inSource = 0, inTarget = 0;
    Counts counts;
};

struct Differences {
    Counts counts;                                 //!< of all, listed or not
    std::vector<Difference> listed;                //!< in order of key; at most as many as asked for
    bool complete = true;                          //!< all are listed
    const Difference* find(const Digest& key) const;
};

//! Rows of one key on both sides as sorted pairs (form, how often): what pairs up equal is fine, what pairs up unequal is different,
//! and the rest is missing or extra.
template <class Forms> Counts compareForms(const Forms& source, const Forms& target)
{
    std::uint64_t equal = 0, inSource = 0, inTarget = 0;
    for (const auto& [form, count] : source) inSource += count;
    for (const auto& [form, count] : target) inTarget += count;
    for (auto s = source.begin(), t = target.begin(); s != source.end() && t != target.end();) {
        if (s->first == t->first) equal += std::min(s++->second, t++->second);
        else if (s->first < t->first) ++s;
        else ++t;
    }
    const std::uint64_t pairs = std::min(inSource, inTarget);
    return {inSource - pairs, inTarget - pairs, pairs - equal};
}

//! Merges two finished sorters.
Result<Differences> findDifferences(SpillSorter& source, SpillSorter& target, std::size_t listAtMost);

} // namespace millrace::verify
