#include "core/verify/differences.h"
#include <algorithm>

namespace millrace::verify {

namespace {

using Forms = std::vector<std::pair<Digest, std::uint64_t>>;

//! The rows of one side, key by key.
class Groups {
public:
    explicit Groups(SpillSorter& sorter) : m_sorter(sorter) {}
    Result<> start() { return advance(); }
    bool atEnd() const { return !m_has; }
    const Digest& key() const { return m_record.key; }
    //! Equal forms come together, so a million equal rows of a keyless table take one place.
    Result<> take(Forms& forms, std::uint64_t& count)
    {
        const Digest group = m_record.key;
        for (; m_has && m_record.key == group; ++count) {
            if (forms.empty() || forms.back().first != m_record.form)
                forms.emplace_back(m_record.form, 0);
            ++forms.back().second;
            if (auto moved = advance(); !moved)
                return moved;
        }
        return {};
    }
private:
    Result<> advance()
    {
        auto more = m_sorter.next(m_record);
        if (!more)
            return more.error();
        m_has = *more;
        return {};
    }
    SpillSorter& m_sorter;
    Record m_record;
    bool m_has = false;
};

} // namespace

const Difference* Differences::find(const Digest& key) const
{
    const auto at = std::lower_bound(listed.begin(), listed.end(), key, [](const Difference& d, const Digest& k) { return d.key < k; });
    return at != listed.end() && at->key == key ? &*at : nullptr;
}

Result<Differences> findDifferences(SpillSorter& source, SpillSorter& target, std::size_t listAtMost)
{
    Differences out;
    Groups s(source), t(target);
    if (auto started = s.start(); !started)
        return started.error();
    if (auto started = t.start(); !started)
        return started.error();
    Forms sourceForms, targetForms;
    while (!s.atEnd() || !t.atEnd()) {
        const Digest key = t.atEnd() || (!s.atEnd() && s.key() < t.key()) ? s.key() : t.key();
        std::uint64_t inSource = 0, inTarget = 0;
        sourceForms.clear();
        targetForms.clear();
        if (!s.atEnd() && s.key() == key)
            if (auto taken = s.take(sourceForms, inSource); !taken)
                return taken.error();
        if (!t.atEnd() && t.key() == key)
            if (auto taken = t.take(targetForms, inTarget); !taken)
                return taken.error();
        const Counts counts = compareForms(sourceForms, targetForms);
        if (counts.none())
            continue;
        out.counts += counts;
        if (out.listed.size() < listAtMost)
            out.listed.push_back({key, inSource, inTarget, counts});
        else
            out.complete = false;
    }
    return out;
}

} // namespace millrace::verify
