#include "core/engine/pollhorizon.h"
#include <algorithm>
#include <iterator>

namespace millrace {

namespace {

// A transaction idle for days must not let the position grow with every poll. Dropping a poll only makes the bound older, never wrong.
constexpr std::size_t mostPolls = 32;

} // namespace

bool PollHorizon::endedByNewest(const Poll& poll) const
{
    const auto& open = m_polls.back().open;
    return std::none_of(poll.open.begin(), poll.open.end(), [&](const std::string& id) { return std::binary_search(open.begin(), open.end(), id); });
}

void PollHorizon::add(Poll poll)
{
    if (!m_polls.empty() && poll.clock <= m_polls.back().clock)
        return;
    std::sort(poll.open.begin(), poll.open.end());
    poll.floor = std::min(poll.floor, poll.clock);
    m_polls.push_back(std::move(poll));

    const auto settled = std::find_if(m_polls.rbegin(), m_polls.rend(), [&](const Poll& p) { return endedByNewest(p); });
    if (settled != m_polls.rend())
        m_polls.erase(m_polls.begin(), std::prev(settled.base()));
    if (m_polls.size() > mostPolls)
        m_polls.erase(m_polls.begin() + mostPolls / 2);              // the oldest is the bound, the newest are needed next
}

std::int64_t PollHorizon::lower() const
{
    std::int64_t bound = m_polls.front().floor;                      // open since before the first poll: nothing later is safe
    for (const Poll& poll : m_polls)
        if (endedByNewest(poll))
            bound = poll.clock;
    return bound;
}

Node PollHorizon::node() const
{
    Node polls = Node::list();
    for (const Poll& poll : m_polls) {
        Node entry = Node::map({{"clock", poll.clock}});
        if (poll.floor != poll.clock)
            entry.set("floor", poll.floor);
        if (!poll.open.empty())
            entry.set("open", Node::strings(poll.open));
        polls.add(std::move(entry));
    }
    return polls;
}

Result<PollHorizon> PollHorizon::fromNode(const Node& node)
{
    PollHorizon horizon;
    for (const Node& entry : node.items()) {
        if (!entry["clock"].isScalar())
            return Error {Fault::Storage, "engine.position_unreadable", "a poll without a clock in a stored position", "Reset the table.", {}};
        Poll poll;
        poll.clock = entry["clock"].integer();
        poll.floor = entry["floor"].integer(poll.clock);
        for (const Node& id : entry["open"].items())
            poll.open.push_back(id.string());
        std::sort(poll.open.begin(), poll.open.end());
        horizon.m_polls.push_back(std::move(poll));
    }
    if (horizon.m_polls.empty())
        return Error {Fault::Storage, "engine.position_unreadable", "no polls in a stored position", "Reset the table.", {}};
    return horizon;
}

} // namespace millrace
