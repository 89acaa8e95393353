#include "core/target/search/session.h"
#include "core/target/search/scan.h"
#include <optional>
#include <unordered_set>

namespace millrace::search {

namespace {

std::string_view slice(const Payload& payload, std::uint32_t at, std::uint32_t size) { return {payload.bytes.data() + at, size}; }
std::string_view keyOf(const Payload& payload, const Payload::Item& item) { return slice(payload, item.keyAt, item.keySize); }

} // namespace

Result<std::unique_ptr<TargetSession>> SearchSession::open(ClusterPtr cluster, std::shared_ptr<Pace> pace, const Clock& clock, TablePlanPtr plan, Lease lease)
{
    std::unique_ptr<SearchSession> session(new SearchSession(std::move(cluster), std::move(pace), clock, std::move(plan), std::move(lease)));
    auto place = Containers(session->m_client, session->m_pace, clock).writable(*session->m_plan, session->m_lease);
    if (!place)
        return place.error();
    auto facts = session->m_client.facts();
    if (!facts)
        return facts.error();
    session->m_place = std::move(*place);
    // The server gives up waiting for a shard before we give up waiting for the server.
    const auto patience = session->m_client.cluster().requestTimeout / 2;
    session->m_path = pathOf(session->m_place.name) + "/_bulk?timeout=" + std::to_string(patience.count()) + "ms";
    if (session->m_place.alias && facts->requiresAlias())
        session->m_path += "&require_alias=true";
    return std::unique_ptr<TargetSession>(std::move(session));
}

Result<std::vector<bool>> SearchSession::foreign(const Payload& payload, std::stop_token stop)
{
    constexpr std::size_t mostIds = 1000;
    std::vector<bool> out(payload.items.size());
    std::unordered_set<std::string_view> writtenHere;
    std::vector<std::size_t> asked;
    std::string unused;
    std::vector<Hit> hits;
    Node ids = Node::list();
    const auto ask = [&]() -> Result<> {
        auto answer = m_client.ask("POST", pathOf(m_place.name) + "/_mget?_source_includes=_mr.s", Node::map({{"ids", ids}}).json(), Http::Body::Json, doing(), stop);
        if (!answer)
            return answer.error();
        if (answer->status != 200)
            return faultOf(m_client.cluster(), *answer, doing());
        if (!readHits(answer->body, false, hits, unused) || hits.size() != asked.size())
            return m_client.cluster().error(Fault::Network, "answer", doing() + ": the answer about documents to delete is not whole.", {});
        for (std::size_t i = 0; i < asked.size(); ++i) {
            if (!hits[i].found)
                continue;
            auto source = Node::fromJson(hits[i].source);
            out[asked[i]] = !source || (*source)[markField]["s"].string() != m_plan->sync;
        }
        asked.clear();
        ids = Node::list();
        return {};
    };
    for (std::size_t i = 0; i < payload.items.size(); ++i) {
        const Payload::Item& item = payload.items[i];
        if (item.op == Op::Upsert)
            writtenHere.insert(keyOf(payload, item));
        else if (!writtenHere.contains(keyOf(payload, item))) {
            ids.add(keyOf(payload, item));
            asked.push_back(i);
            if (asked.size() == mostIds)
                if (auto done = ask(); !done)
                    return done.error();
        }
    }
    if (!asked.empty())
        if (auto done = ask(); !done)
            return done.error();
    return out;
}

Result<WriteReport> SearchSession::write(const Payload& payload, std::stop_token stop)
{
    WriteReport report;
    if (payload.items.empty())
        return report;
    if (auto held = Registry(m_client).check(m_lease); !held)
        return held.error();
    std::vector<bool> leftAlone(payload.items.size());
    if (!m_place.own) {
        auto found = foreign(payload, stop);
        if (!found)
            return found.error();
        leftAlone = std::move(*found);
    }
    m_body.clear();
    std::vector<std::uint32_t> sent;
    sent.reserve(payload.items.size());
    for (std::uint32_t i = 0; i < payload.items.size(); ++i) {
        const Payload::Item& item = payload.items[i];
        if (leftAlone[i]) {
            ++report.deleted;                              // of ours there is nothing under this key
            continue;
        }
        if (item.op == Op::Upsert) m_body.index(keyOf(payload, item), item.version, slice(payload, item.docAt, item.docSize));
        else m_body.remove(keyOf(payload, item), item.version);
        sent.push_back(i);
    }
    std::optional<Error> fatal;
    Bulk bulk(m_client, m_pace, m_clock, m_path);
    const auto settled = [&](std::size_t at, const ItemOutcome& outcome) {
        const Payload::Item& item = payload.items[sent[at]];
        const bool landed = outcome.status == 200 || outcome.status == 201;
        if (landed && item.op == Op::Upsert) ++report.written;
        else if (item.op == Op::Delete && (landed || (outcome.status == 404 && outcome.type.empty()))) ++report.deleted;
        else if (outcome.status == 409) ++report.superseded;
        else {
            Error error = faultOf(m_client.cluster(), outcome.status, outcome.type, outcome.words, doing() + ", key " + std::string(keyOf(payload, item)));
            if (outcome.status == 400 || outcome.status == 413) {           // this row; the others went through
                error.fault = Fault::Data;
                report.rejected.push_back({item.row, std::move(error)});
            } else if (!fatal)
                fatal = std::move(error);
        }
    };
    if (auto done = bulk.send(m_body, settled, doing(), stop); !done)
        return done.error();
    if (fatal)
        return *fatal;
    return report;
}

} // namespace millrace::search
