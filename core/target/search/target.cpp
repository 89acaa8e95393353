#include "core/target/search/encoder.h"
#include "core/target/search/readback.h"
#include "core/target/search/searchtarget.h"
#include "core/target/search/session.h"
#include "core/target/search/stages.h"
#include <mutex>

namespace millrace {

namespace search {
namespace {

//! One connection behind a mutex. Leases and containers have one each, so that a heartbeat never waits behind a long count.
class Line {
public:
    explicit Line(ClusterPtr cluster) : m_client(std::move(cluster)) {}
    template <class Call> auto with(Call call) -> decltype(call(std::declval<Client&>()))
    {
        std::lock_guard lock(m_mutex);
        return call(m_client);
    }
private:
    std::mutex m_mutex;
    Client m_client;
};

class SearchTarget final : public Target {
    template <class Call> auto containers(Call call) { return m_control.with([&](Client& c) { return call(Containers(c, m_pace, m_clock)); }); }
public:
    SearchTarget(ClusterPtr cluster, const Clock& clock) : m_cluster(std::move(cluster)), m_clock(clock) {}

    Result<ServerInfo> server() override
    {
        auto facts = m_control.with([](Client& c) { return c.facts(); });
        if (!facts)
            return facts.error();
        return serverInfo(*facts);
    }
    TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override { return runStages(m_cluster, m_clock, stageDone, std::move(stop)); }

    std::string durability() const override { return "acknowledged by the primary shard and its replicas in step, in the transaction log of each"; }
    std::string containerName(std::string_view prefix, std::string_view name) const override { return aliasName(prefix, name); }
    std::string fieldRefused(std::string_view name) const override { return search::fieldRefused(name); }
    std::string carryNote(const Column& column) const override { return search::carryNote(column, types(column)); }
    unsigned lanes() const override { return 2; }

    Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop) override
    { return m_leases.with([&](Client& c) { return Registry(c).acquire(sync, owner, atLeast, m_clock, stop); }); }
    Result<> heartbeat(const Lease& lease) override { return m_leases.with([&](Client& c) { return Registry(c).heartbeat(lease); }); }
    Result<> release(const Lease& lease) override { return m_leases.with([&](Client& c) { return Registry(c).release(lease); }); }

    Result<Prepared> prepare(const TablePlan& plan, const Lease& lease) override { return containers([&](Containers c) { return c.prepare(plan, lease); }); }
    std::unique_ptr<Encoder> encoder(TablePlanPtr plan) const override { return std::make_unique<SearchEncoder>(std::move(plan), m_cluster->kind); }
    Result<std::unique_ptr<TargetSession>> session(TablePlanPtr plan, const Lease& lease, bool) override
    { return SearchSession::open(m_cluster, m_pace, m_clock, std::move(plan), lease); }
    Result<std::uint64_t> countVersions(const TablePlan& plan, std::uint64_t low, std::uint64_t high) override
    { return containers([&](Containers c) { return c.count(plan, low, high); }); }
    Result<std::uint64_t> deleteVersions(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop) override
    { return containers([&](Containers c) { return c.remove(plan, lease, low, high, stop); }); }
    Result<std::uint64_t> countOwn(const TablePlan& plan) override { return countVersions(plan, 0, UINT64_MAX); }
    Result<> beginAside(const TablePlan& plan, const Lease& lease) override { return containers([&](Containers c) { return c.beginAside(plan, lease); }); }
    Result<> promoteAside(const TablePlan& plan, const Lease& lease) override { return containers([&](Containers c) { return c.promoteAside(plan, lease); }); }
    Result<> drop(const TablePlan& plan, const Lease& lease) override { return containers([&](Containers c) { return c.drop(plan, lease); }); }

    Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr plan, const std::vector<std::string>& keys) override
    { return SearchReader::open(m_cluster, m_clock, std::move(plan), keys); }
    void expected(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form) const override { expectedForm(plan, row, key, form); }

    //! The form that other tools read of a table's last sync.
    Result<> saveSummary(const Lease& lease, const Summary& s) override
    {
        const Node document = Node::map({{"table_name", s.table}, {"sync_type", s.syncType}, {"records_synced", s.records}, {"status", s.status}, {"duration_seconds", s.seconds},
                                         {"last_sync_time", s.lastSyncTime}, {"sync", lease.sync}, {"index", s.container}});
        return m_control.with([&](Client& c) -> Result<> {
            if (auto held = Registry(c).check(lease); !held)
                return held;
            if (auto done = c.call("PUT", pathOf(summaryIndex) + "/_doc/" + pathOf(lease.sync + ":" + s.container).substr(1), document, "writing " + std::string(summaryIndex)); !done)
                return done.error();
            return {};
        });
    }

private:
    //! What the server has; asked when a column's note depends on it, and once. A server that cannot be asked is taken to have all:
    //! making the index tells in any case.
    FieldTypes types(const Column& column) const
    {
        if (column.type != Type::Decimal && !(column.type == Type::Uint && column.bits > 63))
            return {};
        return m_control.with([&](Client& c) {
            if (m_types)
                return *m_types;
            auto probed = probeTypes(c, m_clock.nowMs());
            if (!probed)
                return FieldTypes();
            m_types = *probed;
            return *probed;
        });
    }

    const ClusterPtr m_cluster;
    const Clock& m_clock;
    const std::shared_ptr<Pace> m_pace = std::make_shared<Pace>();
    mutable Line m_control{m_cluster}, m_leases{m_cluster};
    mutable std::optional<FieldTypes> m_types;            // under m_control's lock
};

} // namespace
} // namespace search

Result<std::unique_ptr<Target>> openSearch(const ConnectionParams& params, const Clock* clock)
{
    static const SystemClock systemClock;
    auto cluster = search::makeCluster(params, params.url.scheme == "opensearch" ? opensearchSpec() : elasticsearchSpec());
    if (!cluster)
        return cluster.error();
    return std::unique_ptr<Target>(std::make_unique<search::SearchTarget>(std::move(*cluster), clock ? *clock : systemClock));
}

} // namespace millrace
