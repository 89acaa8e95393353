#include "core/source/sqlite/pollstate.h"

namespace millrace::sqlitesource {

namespace {

Node nodeOf(const Followed& followed)
{
    Node out = Node::map({{"lower", followed.lower.node()}});
    if (followed.pending) out.set("pending", followed.pending->node());
    if (!followed.upper.isNull()) out.set("upper", followed.upper.node());
    if (!followed.nextLower.isNull()) out.set("next", followed.nextLower.node());
    if (followed.nextPending) out.set("next_pending", followed.nextPending->node());
    return out;
}

Result<> read(const Node& node, Followed& into)
{
    const auto value = [&](const char* key, RawValue& out) -> Result<> {
        auto read = RawValue::fromNode(node[key]);
        if (!read)
            return std::move(read).error();
        out = std::move(*read);
        return {};
    };
    if (node.find("pending")) into.pending.emplace();
    if (node.find("next_pending")) into.nextPending.emplace();
    for (auto done : {value("lower", into.lower), value("upper", into.upper), value("next", into.nextLower),
                      into.pending ? value("pending", *into.pending) : Result<>(), into.nextPending ? value("next_pending", *into.nextPending) : Result<>()})
        if (!done)
            return done;
    return {};
}

} // namespace

Position PollState::position() const
{
    Node out = Node::map({{"rows", nodeOf(rows)}});
    if (deleted != Followed()) out.set("deleted", nodeOf(deleted));
    if (!stamp.empty()) out.set("stamp", Node(stamp));
    if (phase != Phase::None) {
        out.set("phase", Node(static_cast<int>(phase)));
        out.set("after", sqlitesource::nodeOf(after));
    }
    return {out.json()};
}

Result<PollState> PollState::from(const Position& position)
{
    PollState state;
    if (position.empty())
        return state;
    auto node = Node::fromJson(position.bytes);
    if (!node)
        return std::move(node).error();
    if (auto done = read((*node)["rows"], state.rows); !done)
        return std::move(done).error();
    if (auto done = read((*node)["deleted"], state.deleted); !done)
        return std::move(done).error();
    auto after = valuesOf((*node)["after"]);
    if (!after)
        return std::move(after).error();
    state.after = std::move(*after);
    state.stamp = (*node)["stamp"].string();
    const auto phase = (*node)["phase"].integer();
    if (phase < 0 || phase > static_cast<int>(Phase::DeletedRange))
        return Error{Fault::Storage, "source.sqlite.position", "A stored position cannot be read.", "Start this table over: sync reset NAME --table TABLE.", {}};
    state.phase = static_cast<Phase>(phase);
    if (state.phase == Phase::None)
        state.after.clear();
    return state;
}

} // namespace millrace::sqlitesource
