#include "core/target/search/containers.h"
#include "core/base/crashpoint.h"
#include "core/target/search/scan.h"
#include <optional>
#include <random>

namespace millrace::search {

namespace {

// How long a deleted document's version is remembered: longer than any request may take, so that none of a former owner can land after
// it was forgotten (Invariant 5).
constexpr const char* tombstones = "10m";
constexpr std::size_t deleteBatch = 2000;
constexpr std::uint64_t allVersions = std::uint64_t{1} << 62;

std::string doing(const TablePlan& plan, std::string_view what) { return "table " + plan.label + ": " + std::string(what) + " " + plan.container; }

Node action(const char* what, const std::string& index, const std::string& alias) { return Node::map({{what, Node::map({{"index", index}, {"alias", alias}})}}); }

} // namespace

Result<Containers::Found> Containers::look(const TablePlan& plan)
{
    auto answer = m_client.find(pathOf(plan.container) + "?filter_path=*.aliases,*.mappings._meta,*.mappings.properties", doing(plan, "looking for"));
    if (!answer)
        return answer.error();
    Found out;
    if (!*answer || (*answer)->fields().empty()) {
        // An index without alias and mapping answers with nothing at all under the filter.
        if (!*answer)
            return out;
        out.exists = true;
        out.index = plan.container;
        return out;
    }
    out.exists = true;
    const Node& all = **answer;
    out.alias = !all.find(plan.container);
    if (all.fields().size() > 1)
        return out;
    const auto& [index, facts] = all.fields()[0];
    const Node& meta = facts["mappings"]["_meta"]["millrace"];
    out.index = index;
    out.owner = meta["sync"].string();
    out.own = out.alias && out.owner == plan.sync && meta["container"].string() == plan.container;
    out.fields = facts["mappings"]["properties"];
    return out;
}

Error Containers::notOurs(const TablePlan& plan, const Found& found) const
{
    std::string whose;
    if (found.index.empty()) whose = " is an alias of several indices";
    else if (!found.owner.empty()) whose = " belongs to the sync " + found.owner;
    else whose = found.alias ? " is an alias of the index " + found.index + ", which Millrace did not make" : " is an index that Millrace did not make";
    return m_client.cluster().error(Fault::Config, "not_ours", "table " + plan.label + ": " + plan.container + whose + ".",
                                    found.index.empty() ? "Choose another name (to: or prefix:)."
                                                        : "Choose another name (to: or prefix:), or if_exists: write to write by key beside its documents, or if_exists: rebuild to put a new index in its place.");
}

Result<std::string> Containers::create(const TablePlan& plan, const std::string& alias)
{
    const Cluster& cluster = m_client.cluster();
    const std::string index = stampedIndex(plan.container, m_clock.nowMs(), std::random_device{}());
    Node settings = Node::map({{"gc_deletes", tombstones}});
    if (cluster.shards) settings.set("number_of_shards", *cluster.shards);
    if (cluster.replicas) settings.set("number_of_replicas", *cluster.replicas);
    const Node meta = Node::map({{"millrace", Node::map({{"sync", plan.sync}, {"container", plan.container}, {"source", plan.label}, {"format", 1}})}});
    for (FieldTypes types;;) {
        // One request: there is no moment at which the index is there without its alias.
        const Node body = Node::map({{"aliases", Node::map({{alias, Node::map()}})}, {"settings", Node::map({{"index", settings}})},
                                     {"mappings", Node::map({{"dynamic", "strict"}, {"_meta", meta}, {"properties", properties(plan, types)}})}});
        auto made = m_client.call("PUT", pathOf(index), body, doing(plan, "making the index of"));
        if (made)
            return index;
        if (withoutRefused(made.error(), types))
            continue;
        Error error = std::move(made).error();
        if (error.fault == Fault::Data)                     // of a whole mapping, not of a row
            error.fault = Fault::Config;
        return error;
    }
}

//! New columns get their fields; a field that is there with a type that cannot hold the column stops the table.
Result<> Containers::complete(const TablePlan& plan, const Found& found)
{
    for (FieldTypes types;;) {
        Node missing = Node::map();
        const Node wantedFields = properties(plan, types);
        for (const auto& [name, wanted] : wantedFields.fields()) {
            const Node* present = found.fields.find(name);
            if (!present) {
                missing.set(name, wanted);
                continue;
            }
            if (const std::string why = conflict(*present, wanted); !why.empty())
                return m_client.cluster().error(Fault::Config, "mapping_conflict", "table " + plan.label + ": the field " + name + " of " + found.index + " " + why + ".",
                                                "Rename the column or choose another name for the table (to:); or remove the index, so that the next full run makes it anew.");
        }
        if (missing.fields().empty())
            return {};
        auto done = m_client.call("PUT", pathOf(found.index) + "/_mapping", Node::map({{"properties", missing}}), doing(plan, "adding fields to"));
        if (done)
            return {};
        if (withoutRefused(done.error(), types))
            continue;
        Error error = std::move(done).error();
        if (error.fault == Fault::Data)
            error.fault = Fault::Config;
        return error;
    }
}

Result<Prepared> Containers::prepare(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held.error();
    auto found = look(plan);
    if (!found)
        return found.error();
    Prepared out;
    if (found->exists && !found->own) {
        if (plan.ifExists == IfExists::Stop || found->index.empty())
            return notOurs(plan, *found);
        if (plan.ifExists == IfExists::Rebuild) {
            out.replaces = true;
            return out;
        }
    }
    if (!found->exists) {
        if (auto made = create(plan, plan.container); !made)
            return made.error();
        crashPoint("search.index_made");
        out.fresh = true;
        return out;
    }
    if (auto done = complete(plan, *found); !done)
        return done.error();
    auto documents = counted(plan, *found);
    if (!documents)
        return documents.error();
    out.documents = *documents;
    out.fresh = found->own && *documents == 0;
    return out;
}

Result<Containers::Place> Containers::writable(const TablePlan& plan, const Lease& lease)
{
    auto aside = m_registry.aside(plan.container);
    if (!aside)
        return aside.error();
    if (aside->of(lease))
        return Place{asideAlias(plan.container), true, true};
    auto found = look(plan);
    if (!found)
        return found.error();
    if (found->own || (plan.ifExists == IfExists::Write && !found->index.empty()))
        return Place{plan.container, found->alias, found->own};
    if (!found->exists)
        return m_client.cluster().error(Fault::Schema, "index_gone", "table " + plan.label + ": there is no index " + plan.container + ".", "Run the table again in full.");
    return notOurs(plan, *found);
}

Result<std::uint64_t> Containers::counted(const TablePlan& plan, const Found& found)
{
    const std::string what = doing(plan, "counting");
    if (auto done = m_client.refresh(found.index, what); !done)
        return done.error();
    const Node query = found.own ? Node::map({{"match_all", Node::map()}}) : Node::map({{"term", Node::map({{std::string(markField) + ".s", plan.sync}})}});
    auto answer = m_client.call("POST", pathOf(found.index) + "/_count", Node::map({{"query", query}}), what);
    if (!answer)
        return answer.error();
    if ((*answer)["_shards"]["failed"].integer() != 0)
        return m_client.cluster().error(Fault::Network, "answer", what + ": not every shard took part.", "Look at the cluster's health, then try again.");
    return static_cast<std::uint64_t>((*answer)["count"].integer());
}

// The version of a document cannot be searched for, so this is a scan of ids and versions, once a load.
Result<std::uint64_t> Containers::count(const TablePlan& plan, std::uint64_t low, std::uint64_t high)
{
    auto found = look(plan);
    if (!found)
        return found.error();
    if (!found->exists || found->index.empty())
        return std::uint64_t{0};
    if (low == 0 && high >= allVersions)
        return counted(plan, *found);
    std::uint64_t n = 0;
    for (Scan scan(m_client, {found->index, found->own ? std::string() : plan.sync, false});;) {
        auto hits = scan.next(doing(plan, "counting"), {});
        if (!hits)
            return hits.error();
        if ((*hits)->empty())
            return n;
        for (const Hit& hit : **hits)
            n += hit.version >= low && hit.version < high;
    }
}

// Each delete names the version that was seen: what was written again meanwhile is newer and stays.
Result<std::uint64_t> Containers::remove(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop)
{
    const std::string what = doing(plan, "deleting from");
    if (stop.stop_requested())
        return m_client.cluster().cancelled(what);
    if (auto held = m_registry.check(lease); !held)
        return held.error();
    auto found = look(plan);
    if (!found)
        return found.error();
    if (!found->exists || found->index.empty())
        return std::uint64_t{0};
    Bulk bulk(m_client, m_pace, m_clock, pathOf(found->index) + "/_bulk");
    BulkBody body;
    std::uint64_t removed = 0;
    std::optional<Error> refused;
    const auto flush = [&]() -> Result<> {
        if (auto held = m_registry.check(lease); !held)
            return held;
        auto sent = bulk.send(body, [&](std::size_t, const ItemOutcome& outcome) {
            if (outcome.status == 200) ++removed;
            else if (outcome.status != 404 && outcome.status != 409) refused = faultOf(m_client.cluster(), outcome.status, outcome.type, outcome.words, what);
        }, what, stop);
        body.clear();
        return !sent ? sent : refused ? Result<>(*refused) : Result<>();
    };
    for (Scan scan(m_client, {found->index, found->own ? std::string() : plan.sync, false});;) {
        auto hits = scan.next(what, stop);
        if (!hits)
            return hits.error();
        for (const Hit& hit : **hits) {
            if (hit.version < low || hit.version >= high)
                continue;
            body.remove(hit.id, hit.version);
            if (body.items() >= deleteBatch)
                if (auto done = flush(); !done)
                    return done.error();
        }
        if (!(*hits)->empty())
            continue;
        if (body.items() > 0)
            if (auto done = flush(); !done)
                return done.error();
        return removed;
    }
}

Result<> Containers::dropIndex(const std::string& index)
{
    auto answer = m_client.ask("DELETE", pathOf(index), {}, Http::Body::None, "removing the index " + index);
    if (!answer)
        return answer.error();
    if (answer->status != 200 && answer->status != 404)
        return faultOf(m_client.cluster(), *answer, "removing the index " + index);
    return {};
}

//! What an earlier try left: an index that never came in, or the one whose place was taken. What serves is never touched.
Result<> Containers::forgetAside(const TablePlan& plan, const Found& live)
{
    auto aside = m_registry.aside(plan.container);
    if (!aside)
        return aside.error();
    for (const std::string* index : {&aside->index, &aside->old})
        if (!index->empty() && *index != live.index)
            if (auto done = dropIndex(*index); !done)
                return done;
    return m_registry.endAside(plan.container);
}

Result<> Containers::beginAside(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held;
    auto live = look(plan);
    if (!live)
        return live.error();
    if (auto done = forgetAside(plan, *live); !done)
        return done;
    auto made = create(plan, asideAlias(plan.container));
    if (!made)
        return made.error();
    Registry::Aside aside;
    aside.index = *made;
    aside.sync = lease.sync;
    aside.epoch = lease.epoch;
    if (auto noted = m_registry.noteAside(plan.container, aside); !noted)
        return noted;
    crashPoint("search.aside_made");
    // Nobody searches it yet: it is refreshed and copied once it is whole.
    const std::string settingsPath = pathOf(*made) + "/_settings", what = doing(plan, "preparing the new index of");
    auto settings = m_client.call("GET", settingsPath + "?flat_settings=true", what);
    if (!settings)
        return settings.error();
    const Node& now = (*settings)[*made]["settings"];
    Node load = Node::map({{"refresh_interval", "-1"}});
    aside.refresh = now["index.refresh_interval"];
    if (const std::string expand = now["index.auto_expand_replicas"].string("false"); expand == "false") {
        aside.replicas = now["index.number_of_replicas"];
        load.set("number_of_replicas", 0);
    }
    if (auto noted = m_registry.noteAside(plan.container, aside); !noted)
        return noted;
    if (auto done = m_client.call("PUT", settingsPath, Node::map({{"index", load}}), what); !done)
        return done.error();
    return {};
}

Result<> Containers::promoteAside(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held;
    auto aside = m_registry.aside(plan.container);
    if (!aside)
        return aside.error();
    if (!aside->of(lease))
        return m_client.cluster().error(Fault::Internal, "no_aside", "table " + plan.label + ": no new index was built in this run.", "Run the table again in full.");
    auto live = look(plan);
    if (!live)
        return live.error();
    const std::string what = doing(plan, "putting the new index in place of");
    if (live->index != aside->index) {                       // else the answer was lost, the swap was not
        Node restore = Node::map({{"refresh_interval", aside->refresh}});
        if (!aside->replicas.isNull())
            restore.set("number_of_replicas", aside->replicas);
        if (auto done = m_client.call("PUT", pathOf(aside->index) + "/_settings", Node::map({{"index", restore}}), what); !done)
            return done.error();
        if (auto done = m_client.refresh(aside->index, what); !done)
            return done;
        if (live->own && aside->old != live->index) {
            aside->old = live->index;
            if (auto noted = m_registry.noteAside(plan.container, *aside); !noted)
                return noted;
        }
        crashPoint("search.before_swap");
        // One request, done as a whole or not at all: never a moment with no alias, or with two indices behind it.
        Node actions = Node::list();
        if (live->exists && live->index.empty())
            return notOurs(plan, *live);
        if (live->exists)
            actions.add(live->alias ? action("remove", live->index, plan.container) : Node::map({{"remove_index", Node::map({{"index", live->index}})}}));
        actions.add(action("add", aside->index, plan.container));
        actions.add(action("remove", aside->index, asideAlias(plan.container)));
        if (auto done = m_client.call("POST", "/_aliases", Node::map({{"actions", actions}}), what); !done)
            return done.error();
    }
    crashPoint("search.after_swap");
    if (!aside->old.empty())
        if (auto done = dropIndex(aside->old); !done)
            return done;
    return m_registry.endAside(plan.container);
}

Result<> Containers::drop(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held;
    auto found = look(plan);
    if (!found)
        return found.error();
    if (found->exists && !found->own)
        return notOurs(plan, *found);
    if (auto done = forgetAside(plan, *found); !done)
        return done;
    if (found->exists)
        if (auto done = dropIndex(found->index); !done)
            return done;
    const std::string what = "removing the summary of " + plan.container;
    auto answer = m_client.ask("DELETE", pathOf(summaryIndex) + "/_doc/" + pathOf(plan.sync + ":" + plan.container).substr(1), {}, Http::Body::None, what);
    if (!answer)
        return answer.error();
    if (answer->status != 200 && answer->status != 404)
        return faultOf(m_client.cluster(), *answer, what);
    return {};
}

} // namespace millrace::search
