#include "core/store/reportjson.h"
#include "core/base/text.h"
#include <QString>
#include <array>

namespace millrace {

namespace {

constexpr std::array<std::string_view, 12> faultNames = {"cancelled", "usage", "config", "auth", "network", "timeout",
                                                         "throttled", "schema", "data", "storage", "fenced", "internal"};
static_assert(faultNames.size() == static_cast<std::size_t>(Fault::Internal) + 1);
constexpr std::array<std::string_view, 5> outcomeNames = {"success", "partial", "failed", "unknown", "cancelled"};
static_assert(outcomeNames.size() == static_cast<std::size_t>(Outcome::Cancelled) + 1);

//! Servers' words come in any bytes; JSON must be UTF-8 or it cannot be read back.
std::string readable(const std::string& text) { return validUtf8(text) ? text : QString::fromUtf8(text.data(), static_cast<qsizetype>(text.size())).toStdString(); }

std::uint64_t count(const Node& node, std::string_view key) { return static_cast<std::uint64_t>(node[key].integer()); }

Strategy strategyFrom(const std::string& name)
{
    for (int i = 0; i <= static_cast<int>(Strategy::Push); ++i)
        if (strategyName(static_cast<Strategy>(i)) == name)
            return static_cast<Strategy>(i);
    return Strategy::Full;
}

} // namespace

std::string_view storedName(Outcome outcome) { return outcomeNames[static_cast<std::size_t>(outcome)]; }

Outcome outcomeFrom(std::string_view name)
{
    for (std::size_t i = 0; i < outcomeNames.size(); ++i)
        if (outcomeNames[i] == name)
            return static_cast<Outcome>(i);
    return Outcome::Unknown;                       // Invariant 9
}

Node nodeFrom(const Error& error)
{
    Node node = Node::map({{"fault", faultNames[static_cast<std::size_t>(error.fault)]}, {"id", error.id}, {"detail", readable(error.detail)}, {"fix", readable(error.fix)}});
    if (error.retryAfter.count() > 0)
        node.set("retry_after_ms", static_cast<std::int64_t>(error.retryAfter.count()));
    return node;
}

Error errorFrom(const Node& node)
{
    Error error;
    const std::string fault = node["fault"].string();
    for (std::size_t i = 0; i < faultNames.size(); ++i)
        if (faultNames[i] == fault)
            error.fault = static_cast<Fault>(i);
    error.id = node["id"].string();
    error.detail = node["detail"].string();
    error.fix = node["fix"].string();
    error.retryAfter = std::chrono::milliseconds(node["retry_after_ms"].integer());
    return error;
}

Node nodeFrom(const TableReport& r)
{
    Node node = Node::map({{"table", readable(r.table)}, {"outcome", storedName(r.outcome)}, {"sync_type", r.syncType}, {"strategy", strategyName(r.strategy)},
                           {"read", r.read}, {"written", r.written}, {"deleted", r.deleted}, {"rejected", r.rejected}, {"superseded", r.superseded},
                           {"filtered", r.filtered}, {"coerced", r.coerced}, {"rechecked", r.rechecked}, {"bytes", r.bytes}, {"start_ms", r.startMs},
                           {"end_ms", r.endMs}, {"position", readable(r.position)}});
    Node notes = Node::list();
    for (const Message& note : r.notes) {
        Node args = Node::list();
        for (const std::string& arg : note.args)
            args.add(readable(arg));
        notes.add(Node::map({{"id", note.id}, {"text", readable(note.text)}, {"args", std::move(args)}}));
    }
    node.set("notes", std::move(notes));
    if (r.error)
        node.set("error", nodeFrom(*r.error));
    return node;
}

TableReport tableReportFrom(const Node& node)
{
    TableReport r;
    r.table = node["table"].string();
    r.outcome = outcomeFrom(node["outcome"].string());
    r.syncType = node["sync_type"].string();
    r.strategy = strategyFrom(node["strategy"].string());
    r.read = count(node, "read");
    r.written = count(node, "written");
    r.deleted = count(node, "deleted");
    r.rejected = count(node, "rejected");
    r.superseded = count(node, "superseded");
    r.filtered = count(node, "filtered");
    r.coerced = count(node, "coerced");
    r.rechecked = count(node, "rechecked");
    r.bytes = count(node, "bytes");
    r.startMs = node["start_ms"].integer();
    r.endMs = node["end_ms"].integer();
    r.position = node["position"].string();
    for (const Node& item : node["notes"].items()) {
        Message note{item["id"].string(), item["text"].string(), {}};
        for (const Node& arg : item["args"].items())
            note.args.push_back(arg.string());
        r.notes.push_back(std::move(note));
    }
    if (node.find("error"))
        r.error = errorFrom(node["error"]);
    return r;
}

} // namespace millrace
