#include "core/target/search/registry.h"
#include "core/base/text.h"
#include <algorithm>

namespace millrace::search {

namespace {

constexpr std::int64_t heartbeatMs = 5'000, staleMs = 30'000;
constexpr std::string_view doing = "the registry of leases";

std::string path(const char* what, const std::string& id) { return pathOf(registryIndex) + what + percentEncode(id); }
std::string leaseId(std::string_view sync) { return "lease:" + std::string(sync); }
std::string asideId(std::string_view container) { return "aside:" + std::string(container); }

} // namespace

Error Registry::fenced(std::string_view sync, std::string_view owner) const
{
    return m_client.cluster().error(Fault::Fenced, "fenced", "The sync " + std::string(sync) + " is " + (owner.empty() ? "no longer held by this instance" : "held by " + std::string(owner))
                                    + " in " + m_client.cluster().where() + ".", "Stop the other instance, or wait 30 s after it has ended.");
}

// By id, so it is answered from what is written and not from what can be searched already.
Result<Registry::Entry> Registry::entry(const std::string& id)
{
    auto found = m_client.find(path("/_doc/", id), doing);
    if (!found)
        return found.error();
    Entry out;
    if (!*found || !(**found)["found"].boolean())
        return out;
    out.exists = true;
    out.fields = (**found)["_source"];
    out.sequence = (**found)["_seq_no"].integer();
    out.term = (**found)["_primary_term"].integer();
    return out;
}

Result<bool> Registry::put(const std::string& id, const Entry& before, const Node& fields)
{
    const std::string where = before.exists ? path("/_doc/", id) + "?if_seq_no=" + std::to_string(before.sequence) + "&if_primary_term=" + std::to_string(before.term) : path("/_create/", id);
    auto answer = m_client.ask("PUT", where, fields.json(), Http::Body::Json, doing);
    if (!answer)
        return answer.error();
    if (answer->status == 409)
        return false;
    if (answer->status != 200 && answer->status != 201)
        return faultOf(m_client.cluster(), *answer, doing);
    return true;
}

Result<> Registry::make(std::string_view index, const Node& mapping)
{
    auto there = m_client.find(pathOf(index) + "/_settings?filter_path=*.settings.index.uuid", doing);
    if (!there)
        return there.error();
    if (*there)
        return {};
    const Node body = Node::map({{"settings", Node::map({{"number_of_shards", 1}, {"auto_expand_replicas", "0-1"}})}, {"mappings", mapping}});
    auto made = m_client.call("PUT", pathOf(index), body, doing);
    if (!made && made.error().detail.find("resource_already_exists") == std::string::npos)
        return made.error();
    return {};
}

Result<Lease> Registry::acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, const Clock& clock, std::stop_token stop)
{
    if (auto made = make(registryIndex, Node::map({{"dynamic", false}})); !made)
        return made.error();
    Node summary = Node::map();
    for (const auto& [field, type] : {std::pair<const char*, const char*>{"table_name", "keyword"}, {"sync", "keyword"}, {"index", "keyword"}, {"sync_type", "keyword"}, {"status", "keyword"},
             {"records_synced", "long"}, {"duration_seconds", "double"}, {"last_sync_time", "date"}})
        summary.set(field, Node::map({{"type", type}}));
    if (auto made = make(summaryIndex, Node::map({{"properties", summary}})); !made)
        return made.error();
    for (;;) {
        if (stop.stop_requested())
            return m_client.cluster().cancelled("Taking the lease");
        auto found = entry(leaseId(sync));
        if (!found)
            return found.error();
        auto now = m_client.clock();
        if (!now)
            return now.error();
        const std::string holder = found->fields["owner"].string();
        const auto known = static_cast<std::uint64_t>(found->fields["epoch"].integer());
        if (!holder.empty() && holder != owner) {
            const std::int64_t age = *now - found->fields["heartbeat"].integer();
            if (age < staleMs)
                return fenced(sync, holder);
            // A request that the former owner sent with its last heartbeat may land until its time-out has passed.
            const std::int64_t landed = m_client.cluster().requestTimeout.count() + heartbeatMs;
            if (age < landed) {
                if (!clock.wait(std::chrono::milliseconds(landed - age), stop))
                    return m_client.cluster().cancelled("Taking the lease");
                continue;                                    // it may have come back to life
            }
        }
        const std::uint64_t epoch = std::max(known, atLeast) + 1;
        auto taken = put(leaseId(sync), *found, Node::map({{"owner", owner}, {"epoch", epoch}, {"heartbeat", *now}, {"sync", sync}}));
        if (!taken)
            return taken.error();
        if (*taken)
            return Lease{std::string(sync), std::string(owner), epoch};
    }
}

Result<> Registry::heartbeat(const Lease& lease)
{
    for (;;) {
        auto found = entry(leaseId(lease.sync));
        if (!found)
            return found.error();
        const std::string holder = found->fields["owner"].string();
        if (holder != lease.owner || static_cast<std::uint64_t>(found->fields["epoch"].integer()) != lease.epoch)
            return fenced(lease.sync, holder == lease.owner ? std::string() : holder);
        auto now = m_client.clock();
        if (!now)
            return now.error();
        found->fields.set("heartbeat", *now);
        auto done = put(leaseId(lease.sync), *found, found->fields);
        if (!done)
            return done.error();
        if (*done)
            return {};
    }
}

Result<> Registry::release(const Lease& lease)
{
    auto found = entry(leaseId(lease.sync));
    if (!found)
        return found.error();
    if (found->fields["owner"].string() != lease.owner || static_cast<std::uint64_t>(found->fields["epoch"].integer()) != lease.epoch)
        return {};
    found->fields.set("owner", "");                          // the epoch stays: it must never be given twice
    if (auto done = put(leaseId(lease.sync), *found, found->fields); !done)
        return done.error();
    return {};
}

Result<> Registry::check(const Lease& lease)
{
    auto found = entry(leaseId(lease.sync));
    if (!found)
        return found.error();
    const std::string holder = found->fields["owner"].string();
    if (holder != lease.owner || static_cast<std::uint64_t>(found->fields["epoch"].integer()) != lease.epoch)
        return fenced(lease.sync, holder == lease.owner ? std::string() : holder);
    return {};
}

Result<Registry::Aside> Registry::aside(std::string_view container)
{
    auto found = entry(asideId(container));
    if (!found)
        return found.error();
    const Node& fields = found->fields;
    return Aside{fields["index"].string(), fields["old"].string(), fields["sync"].string(), static_cast<std::uint64_t>(fields["epoch"].integer()), fields["replicas"], fields["refresh"]};
}

Result<> Registry::noteAside(std::string_view container, const Aside& aside)
{
    auto before = entry(asideId(container));
    if (!before)
        return before.error();
    auto done = put(asideId(container), *before, Node::map({{"index", aside.index}, {"old", aside.old}, {"sync", aside.sync}, {"epoch", aside.epoch},
                                                           {"replicas", aside.replicas}, {"refresh", aside.refresh}}));
    if (!done)
        return done.error();
    if (!*done)
        return fenced(aside.sync, {});
    return {};
}

Result<> Registry::endAside(std::string_view container)
{
    auto answer = m_client.ask("DELETE", path("/_doc/", asideId(container)), {}, Http::Body::None, doing);
    if (!answer)
        return answer.error();
    if (answer->status != 200 && answer->status != 404)
        return faultOf(m_client.cluster(), *answer, doing);
    return {};
}

} // namespace millrace::search
