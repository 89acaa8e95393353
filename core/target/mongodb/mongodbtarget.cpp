#include "core/target/mongodb/mongodbtarget.h"
#include "core/data/value.h"
#include "core/target/mongodb/containers.h"
#include "core/target/mongodb/encoder.h"
#include "core/target/mongodb/names.h"
#include "core/target/mongodb/normalform.h"
#include "core/target/mongodb/readback.h"
#include "core/target/mongodb/session.h"
#include "core/target/mongodb/stages.h"
#include <mutex>

namespace millrace {

namespace mongodb {
namespace {

//! One connection behind a mutex, made when first needed and again after trouble on the network. Leases and containers have one each,
//! so that a heartbeat never waits behind a long count.
class Line {
public:
    explicit Line(Client::Purpose purpose) : m_purpose(purpose) {}
    template <class Call> auto with(const DeploymentPtr& deployment, Call call) -> decltype(call(std::declval<const Client&>()))
    {
        std::lock_guard lock(m_mutex);
        if (!m_client) {
            auto client = Client::connect(deployment, m_purpose);
            if (!client)
                return client.error();
            m_client = std::move(*client);
        }
        auto result = call(*m_client);
        if (!result && result.error().transient())
            m_client.reset();
        return result;
    }
private:
    const Client::Purpose m_purpose;
    std::mutex m_mutex;
    std::unique_ptr<Client> m_client;
};

class MongodbTarget final : public Target {
public:
    explicit MongodbTarget(DeploymentPtr deployment) : m_deployment(std::move(deployment)) {}

    Result<ServerInfo> server() override
    { return m_control.with(m_deployment, [](const Client& c) { return serverInfo(c); }); }
    TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override { return runStages(m_deployment, stageDone, stop); }

    std::string durability() const override
    {
        const std::string& w = m_deployment->writeConcern;
        std::string out = w == "majority" ? "acknowledged by a majority" : w == "1" ? "acknowledged by the primary alone: a failover can lose it"
                        : "acknowledged with w=" + w;
        return out + (m_deployment->journal ? ", journaled" : ", not journaled: a power cut can lose it");
    }
    std::string containerName(std::string_view prefix, std::string_view name) const override { return collectionName(prefix, name, m_deployment->database); }
    std::string fieldRefused(std::string_view name) const override { return mongodb::fieldRefused(name); }
    std::string carryNote(const Column& column) const override { return mongodb::carryNote(column); }
    unsigned lanes() const override { return 2; }

    Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop) override
    { return m_leases.with(m_deployment, [&](const Client& c) { return Registry(c).acquire(sync, owner, atLeast, stop); }); }
    Result<> heartbeat(const Lease& lease) override
    { return m_leases.with(m_deployment, [&](const Client& c) { return Registry(c).heartbeat(lease); }); }
    Result<> release(const Lease& lease) override
    { return m_leases.with(m_deployment, [&](const Client& c) { return Registry(c).release(lease); }); }

    Result<Prepared> prepare(const TablePlan& plan, const Lease& lease) override
    { return m_control.with(m_deployment, [&](const Client& c) { return Containers(c).prepare(plan, lease); }); }
    std::unique_ptr<Encoder> encoder(TablePlanPtr plan) const override { return std::make_unique<MongoEncoder>(std::move(plan)); }

    Result<std::unique_ptr<TargetSession>> session(TablePlanPtr plan, const Lease& lease, bool insertOnly) override
    {
        auto client = Client::connect(m_deployment, Client::Purpose::Write);
        if (!client)
            return client.error();
        auto collection = Containers(**client).writable(*plan, lease);
        if (!collection)
            return collection.error();
        return std::unique_ptr<TargetSession>(std::make_unique<MongoSession>(std::move(*client), std::move(plan), lease, std::move(*collection), insertOnly));
    }
    Result<std::uint64_t> countVersions(const TablePlan& plan, std::uint64_t low, std::uint64_t high) override
    { return m_control.with(m_deployment, [&](const Client& c) { return Containers(c).count(plan, low, high); }); }
    Result<std::uint64_t> deleteVersions(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop) override
    { return m_control.with(m_deployment, [&](const Client& c) { return Containers(c).remove(plan, lease, low, high, stop); }); }
    Result<std::uint64_t> countOwn(const TablePlan& plan) override
    { return m_control.with(m_deployment, [&](const Client& c) { return Containers(c).countOwn(plan); }); }
    Result<> beginAside(const TablePlan& plan, const Lease& lease) override
    { return m_control.with(m_deployment, [&](const Client& c) { return Containers(c).beginAside(plan, lease); }); }
    Result<> promoteAside(const TablePlan& plan, const Lease& lease) override
    { return m_control.with(m_deployment, [&](const Client& c) { return Containers(c).promoteAside(plan, lease); }); }
    Result<> drop(const TablePlan& plan, const Lease& lease) override
    { return m_control.with(m_deployment, [&](const Client& c) { return Containers(c).drop(plan, lease); }); }

    Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr plan, const std::vector<std::string>& keys) override
    {
        auto client = Client::connect(m_deployment, Client::Purpose::Control);
        if (!client)
            return client.error();
        auto unmarked = Containers(**client).ownsUnmarked(*plan);
        if (!unmarked)
            return unmarked.error();
        return std::unique_ptr<DocumentReader>(std::make_unique<MongoReader>(std::move(*client), std::move(plan), keys, *unmarked));
    }
    void expected(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form) const override { expectedForm(plan, row, key, form); }

    Result<> saveSummary(const Lease& lease, const Summary& summary) override
    { return m_control.with(m_deployment, [&](const Client& c) { return writeSummary(c, lease, summary); }); }

private:
    //! The seed's form of `_sync_metadata`, which other tools read, with the sync and collection added.
    static Result<> writeSummary(const Client& client, const Lease& lease, const Summary& summary)
    {
        if (auto held = Registry(client).check(lease); !held)
            return held;
        Bson filter, fields, now, update, item, items, command;
        filter.text("_id", lease.sync + ":" + summary.container);
        fields.text("table_name", summary.table).text("sync_type", summary.syncType).int64("records_synced", static_cast<std::int64_t>(summary.records))
            .text("status", summary.status).real("duration_seconds", summary.seconds).text("last_sync_time", summary.lastSyncTime)
            .text("sync", lease.sync).text("collection", summary.container);
        now.flag("timestamp", true);
        update.document("$set", fields).document("$currentDate", now);
        item.document("q", filter).document("u", update).flag("upsert", true);
        items.document("0", item);
        command.text("update", summaryCollection).array("updates", items);
        if (auto done = client.write(command, "writing _sync_metadata"); !done)
            return done.error();
        return {};
    }

    const DeploymentPtr m_deployment;
    Line m_control{Client::Purpose::Control}, m_leases{Client::Purpose::Write};
};

} // namespace
} // namespace mongodb

Result<std::unique_ptr<Target>> openMongodb(const ConnectionParams& params)
{
    auto deployment = mongodb::makeDeployment(params);
    if (!deployment)
        return deployment.error();
    return std::unique_ptr<Target>(std::make_unique<mongodb::MongodbTarget>(std::move(*deployment)));
}

} // namespace millrace
