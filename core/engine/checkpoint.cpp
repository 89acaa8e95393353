#include "core/engine/checkpoint.h"
#include "core/base/node.h"
#include "core/base/text.h"
#include <charconv>

namespace millrace {

namespace {

// 64-bit figures stand as strings: other readers of the store may hold numbers as doubles.
Node text(std::uint64_t value) { return Node(std::to_string(value)); }

std::uint64_t number(const Node& node)
{
    std::uint64_t value = 0;
    const std::string& s = node.scalar();
    std::from_chars(s.data(), s.data() + s.size(), value);
    return value;
}

} // namespace

std::string TableCheckpoint::json() const
{
    Node root = Node::map();
    root.set("phase", phase == Phase::Load ? "load" : "follow");
    if (!mark.empty()) root.set("mark", mark.bytes);
    if (!follow.empty()) root.set("follow", follow.bytes);
    if (midPoll) root.set("mid_poll", true);
    if (run) root.set("run", text(static_cast<std::uint64_t>(run)));
    if (!cursor.empty()) root.set("cursor", cursor);
    if (rows) root.set("rows", text(rows));
    Node list = Node::list();
    for (const auto& s : segments) {
        Node node = Node::map({{"after", s.after.bytes}, {"up_to", s.upTo.bytes}, {"rows", text(s.rows)}, {"hash", text(s.hash)},
                               {"low", text(s.versionLow)}, {"high", text(s.versionHigh)}});
        if (s.torn) node.set("torn", true);
        if (s.sent) node.set("sent", text(s.sent));
        list.add(std::move(node));
    }
    root.set("segments", std::move(list));
    Node cols = Node::list();
    for (const auto& [name, type] : columns)
        cols.add(Node::strings({name, type}));
    root.set("columns", std::move(cols));
    root.set("fingerprint", fingerprint);
    return root.json();
}

Result<TableCheckpoint> TableCheckpoint::fromJson(const std::string& json)
{
    auto root = Node::fromJson(json);
    if (!root)
        return Error{Fault::Storage, "store.bad_checkpoint", "A stored checkpoint is not readable: " + root.error().detail, "Reset the table.", {}};
    TableCheckpoint out;
    out.phase = (*root)["phase"].string() == "follow" ? Phase::Follow : Phase::Load;
    out.mark.bytes = (*root)["mark"].string();
    out.follow.bytes = (*root)["follow"].string();
    out.midPoll = (*root)["mid_poll"].boolean();
    out.run = static_cast<std::int64_t>(number((*root)["run"]));
    out.cursor = (*root)["cursor"].string();
    out.rows = number((*root)["rows"]);
    for (const Node& n : (*root)["segments"].items())
        out.segments.push_back({{n["after"].string()}, {n["up_to"].string()}, number(n["rows"]), number(n["hash"]), number(n["low"]), number(n["high"]), n["torn"].boolean(), number(n["sent"])});
    for (const Node& n : (*root)["columns"].items())
        if (n.items().size() == 2)
            out.columns.emplace_back(n.items()[0].string(), n.items()[1].string());
    out.fingerprint = (*root)["fingerprint"].string();
    return out;
}

} // namespace millrace
