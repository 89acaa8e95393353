#include "core/target/redis/redistarget.h"
#include "core/data/value.h"
#include "core/engine/jsonencoder.h"
#include "core/engine/jsonform.h"
#include "core/target/redis/containers.h"
#include "core/target/redis/hashform.h"
#include "core/target/redis/readback.h"
#include "core/target/redis/session.h"
#include "core/target/redis/stages.h"
#include <mutex>

namespace millrace {

namespace redis {
namespace {

//! One link behind a mutex, made when first needed and again after trouble on the network. Leases and containers have one each, so that
//! a heartbeat never waits behind a long count.
class Line {
public:
    template <class Call> auto with(const DeploymentPtr& deployment, Call call) -> decltype(call(std::declval<Link&>()))
    {
        std::lock_guard lock(m_mutex);
        if (!m_link) {
            auto link = Link::open(deployment);
            if (!link)
                return link.error();
            m_link = std::move(*link);
        }
        auto result = call(*m_link);
        // what was stopped halfway has answers on the way that nobody waits for
        if (!result && (result.error().transient() || result.error().fault == Fault::Cancelled))
            m_link.reset();
        return result;
    }
private:
    std::mutex m_mutex;
    std::unique_ptr<Link> m_link;
};

class RedisTarget final : public Target {
public:
    explicit RedisTarget(DeploymentPtr deployment) : m_deployment(std::move(deployment)) {}

    Result<ServerInfo> server() override
    { return m_control.with(m_deployment, [](Link& l) { return Result<ServerInfo>(ServerInfo{"redis", l.hello().version}); }); }
    TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override { return runStages(m_deployment, stageDone, stop); }

    std::string durability() const override
    {
        return std::string("acknowledged by the primary; a crash or a switch of it can lose the last writes, by its own appendfsync")
            + (m_deployment->mayEvict ? "; keys may be evicted: a cache" : "");
    }
    std::string containerName(std::string_view prefix, std::string_view name) const override { return safeContainer(prefix, name); }
    std::string fieldRefused(std::string_view name) const override
    {
        if (name == "_id" || name == "_mr")
            return "the field name " + std::string(name) + " is reserved";
        return name.starts_with('$') ? "a field name must not start with $" : std::string();
    }
    std::string carryNote(const Column& column) const override
    { return column.type == Type::Real ? "NaN and infinity become the texts \"NaN\", \"Infinity\" and \"-Infinity\"" : std::string(); }
    bool understands(std::string_view key) const override { return key == "format" || key == "ttl"; }
    unsigned lanes() const override { return 2; }

    Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop) override
    { return m_leases.with(m_deployment, [&](Link& l) { return Registry(l).acquire(sync, owner, atLeast, stop); }); }
    Result<> heartbeat(const Lease& lease) override { return m_leases.with(m_deployment, [&](Link& l) { return Registry(l).heartbeat(lease); }); }
    Result<> release(const Lease& lease) override { return m_leases.with(m_deployment, [&](Link& l) { return Registry(l).release(lease); }); }

    Result<Prepared> prepare(const TablePlan& plan, const Lease& lease) override
    { return m_control.with(m_deployment, [&](Link& l) { return Containers(l).prepare(plan, lease); }); }
    std::unique_ptr<Encoder> encoder(TablePlanPtr plan) const override
    {
        if (plan->hash)
            return std::make_unique<HashEncoder>(std::move(plan));
        return std::make_unique<JsonEncoder>(std::move(plan), "redis");
    }
    Result<std::unique_ptr<TargetSession>> session(TablePlanPtr plan, const Lease& lease, bool) override
    {
        auto link = Link::open(m_deployment);
        if (!link)
            return link.error();
        auto place = Containers(**link).writable(*plan);
        if (!place)
            return place.error();
        return std::unique_ptr<TargetSession>(std::make_unique<RedisSession>(std::move(*link), std::move(plan), lease, *place));
    }
    Result<std::uint64_t> countVersions(const TablePlan& plan, std::uint64_t low, std::uint64_t high) override
    { return m_control.with(m_deployment, [&](Link& l) { return Containers(l).count(plan, low, high); }); }
    Result<std::uint64_t> deleteVersions(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop) override
    { return m_control.with(m_deployment, [&](Link& l) { return Containers(l).remove(plan, lease, low, high, stop); }); }
    Result<std::uint64_t> countOwn(const TablePlan& plan) override
    { return m_control.with(m_deployment, [&](Link& l) { return Containers(l).countOwn(plan); }); }
    Result<> beginAside(const TablePlan& plan, const Lease& lease) override
    { return m_control.with(m_deployment, [&](Link& l) { return Containers(l).beginAside(plan, lease); }); }
    Result<> promoteAside(const TablePlan& plan, const Lease& lease) override
    { return m_control.with(m_deployment, [&](Link& l) { return Containers(l).promoteAside(plan, lease); }); }
    Result<> drop(const TablePlan& plan, const Lease& lease) override
    { return m_control.with(m_deployment, [&](Link& l) { return Containers(l).drop(plan, lease); }); }

    Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr plan, const std::vector<std::string>& keys) override
    {
        auto link = Link::open(m_deployment);
        if (!link)
            return link.error();
        return std::unique_ptr<DocumentReader>(std::make_unique<RedisReader>(std::move(*link), std::move(plan), keys));
    }
    void expected(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form) const override
    {
        key = plan.keyless() ? std::string() : keyText(*plan.schema, row);
        form.clear();
        if (plan.hash) appendExpectedHashForm(form, *plan.schema, row);
        else appendExpectedForm(form, *plan.schema, row);
    }

private:
    const DeploymentPtr m_deployment;
    Line m_control, m_leases;
};

} // namespace
} // namespace redis

Result<std::unique_ptr<Target>> openRedis(const ConnectionParams& params)
{
    auto deployment = redis::makeDeployment(params);
    if (!deployment)
        return deployment.error();
    return std::unique_ptr<Target>(std::make_unique<redis::RedisTarget>(std::move(*deployment)));
}

} // namespace millrace
