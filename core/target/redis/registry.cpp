#include "core/target/redis/registry.h"
#include "core/target/redis/faults.h"
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <thread>

namespace millrace::redis {

namespace {

constexpr std::int64_t leaseMs = 30'000, heartbeatMs = 5'000;
constexpr int slotsAtOnce = 512;
constexpr const char* batchSize = "2000";

Error errorOf(const Reply& reply, const Lease& lease, const Deployment& deployment, std::string_view doing)
{
    return errorCode(text(reply.get())) == "FENCED" ? fenced(lease) : faultOf(text(reply.get()), deployment, doing);
}

} // namespace

Error fenced(const Lease& lease)
{
    return {Fault::Fenced, "target.redis.fenced", "sync " + lease.sync + " is written by another instance now", "Stop one of the two.", {}};
}

void beginScript(Commands& commands, int slot, const Script& script, std::size_t keys, std::size_t arguments)
{
    commands.begin(slot, 3 + keys + arguments);
    commands.argument("EVALSHA");
    commands.argument(script.sha1);
    commands.number(keys);
}

Result<Lease> Registry::acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop)
{
    Lease lease{std::string(sync), std::string(owner), 0};
    const std::string key = leaseKey(sync), doing = "taking the lease of sync " + lease.sync;
    // On one server a write asks for the lease within its own step, so none of the former owner's can land later.
    const std::int64_t wait = m_link.cluster() ? leaseMs + heartbeatMs + m_link.deployment()->requestTimeout.count() : 0;
    for (;;) {
        if (stop.stop_requested())
            return cancelled(doing);
        Commands commands;
        commands.add(m_link.slot(key), {"EVALSHA", acquireScript().sha1, "1", key, owner, std::to_string(atLeast), std::to_string(leaseMs), std::to_string(wait)});
        auto replies = m_link.run(commands, stop);
        if (!replies)
            return replies.error();
        const redisReply* reply = replies->front().get();
        if (isError(reply))
            return faultOf(text(reply), *m_link.deployment(), doing);
        if (reply->elements != 2)
            return fault(Fault::Internal, "server_error", *m_link.deployment(), doing, "the script's answer has another form");
        if (reply->element[0]->integer == 2) {
            lease.epoch = static_cast<std::uint64_t>(reply->element[1]->integer);
            return lease;
        }
        if (reply->element[0]->integer == 0)
            return Error{Fault::Fenced, "target.redis.leased", "sync " + lease.sync + " is being written by " + std::string(text(reply->element[1])),
                         "Stop that instance, or wait half a minute after it ended.", {}};
        std::this_thread::sleep_for(std::chrono::milliseconds(std::min(100LL, reply->element[1]->integer)));
    }
}

Registry::Guard Registry::guard(const Lease& lease, std::string_view otherKey) const
{
    if (m_link.cluster())
        return {std::string(otherKey), {}, {}};
    return {leaseKey(lease.sync), lease.owner, std::to_string(lease.epoch)};
}

Result<> Registry::heartbeat(const Lease& lease)
{
    const std::string key = leaseKey(lease.sync);
    Commands commands;
    commands.add(m_link.slot(key), {"EVALSHA", beatScript().sha1, "1", key, lease.owner, std::to_string(lease.epoch), "1"});
    auto replies = m_link.run(commands);
    if (!replies)
        return replies.error();
    if (isError(replies->front().get()))
        return errorOf(replies->front(), lease, *m_link.deployment(), "the heartbeat of sync " + lease.sync);
    return {};
}

Result<> Registry::release(const Lease& lease)
{
    const std::string key = leaseKey(lease.sync);
    Commands commands;
    commands.add(m_link.slot(key), {"EVALSHA", beatScript().sha1, "1", key, lease.owner, std::to_string(lease.epoch), "0"});
    auto replies = m_link.run(commands);
    if (!replies)
        return replies.error();
    if (!isError(replies->front().get()))
        return {};
    auto error = errorOf(replies->front(), lease, *m_link.deployment(), "giving the lease of sync " + lease.sync + " back");
    return error.fault == Fault::Fenced ? Result<>() : Result<>(std::move(error));      // somebody else's by now
}

Result<> Registry::check(const Lease& lease, std::stop_token stop)
{
    const std::string key = leaseKey(lease.sync);
    auto reply = m_link.ask(m_link.slot(key), {"HMGET", key, "owner", "epoch", "held"}, "asking for the lease of sync " + lease.sync, stop);
    if (!reply)
        return reply.error();
    const redisReply* found = reply->get();
    const bool ours = found->elements == 3 && text(found->element[0]) == lease.owner && text(found->element[1]) == std::to_string(lease.epoch) && text(found->element[2]) == "1";
    return ours ? Result<>() : Result<>(fenced(lease));
}

Result<bool> Registry::atWork(const std::string& sync)
{
    const std::string key = leaseKey(sync);
    auto lease = m_link.ask(m_link.slot(key), {"HMGET", key, "held", "beat"}, "asking for the lease of sync " + sync);
    if (!lease)
        return lease.error();
    auto now = m_link.ask(-1, {"TIME"}, "asking for the server's time");
    if (!now)
        return now.error();
    if ((*lease)->elements != 2 || text((*lease)->element[0]) != "1" || (*now)->elements != 2)
        return false;
    const auto number = [](std::string_view words) { return std::strtoll(std::string(words).c_str(), nullptr, 10); };
    return number(text((*now)->element[0])) * 1000 - number(text((*lease)->element[1])) < leaseMs;
}

Result<> Registry::guarded(const Lease& lease, const std::vector<std::vector<std::string>>& steps, std::string_view doing)
{
    Commands commands;
    if (m_link.cluster()) {
        if (auto held = check(lease); !held)
            return held;
        for (const auto& step : steps)
            commands.add(m_link.slot(step[1]), step);
    } else {
        std::vector<std::string> words = {"EVALSHA", guardedScript().sha1, "1", leaseKey(lease.sync), lease.owner, std::to_string(lease.epoch)};
        for (const auto& step : steps) {
            words.push_back(std::to_string(step.size()));
            words.insert(words.end(), step.begin(), step.end());
        }
        commands.add(-1, words);
    }
    auto replies = m_link.run(commands);
    if (!replies)
        return replies.error();
    for (const Reply& reply : *replies)
        if (isError(reply.get()))
            return errorOf(reply, lease, *m_link.deployment(), doing);
    return {};
}

Result<bool> Members::next(std::vector<std::string>& into, std::stop_token stop)
{
    into.clear();
    return m_link.cluster() ? nextOfCluster(into, stop) : nextOfOne(into, stop);
}

Result<bool> Members::nextOfOne(std::vector<std::string>& into, std::stop_token stop)
{
    if (m_began && m_cursor == "0")
        return false;
    auto reply = m_link.ask(-1, {"SSCAN", registryKey(m_set, m_container, -1), m_cursor, "COUNT", batchSize}, "reading the registry of " + m_container, stop);
    if (!reply)
        return reply.error();
    m_began = true;
    m_cursor = text((*reply)->element[0]);
    for (std::size_t i = 0; i < (*reply)->element[1]->elements; ++i)
        into.emplace_back(text((*reply)->element[1]->element[i]));
    return true;
}

Result<bool> Members::nextOfCluster(std::vector<std::string>& into, std::stop_token stop)
{
    if (m_slot >= slotCount)
        return false;
    Commands commands;
    for (const int end = m_slot + slotsAtOnce; m_slot < end; ++m_slot)
        commands.add(m_slot, {"SMEMBERS", registryKey(m_set, m_container, m_slot)});
    auto replies = m_link.run(commands, stop);
    if (!replies)
        return replies.error();
    for (const Reply& reply : *replies) {
        if (isError(reply.get()))
            return faultOf(text(reply.get()), *m_link.deployment(), "reading the registry of " + m_container);
        for (std::size_t i = 0; i < reply->elements; ++i)
            into.emplace_back(text(reply->element[i]));
    }
    return true;
}

std::vector<std::string> registryKeys(const Link& link, KeySet set, std::string_view container)
{
    std::vector<std::string> out;
    if (!link.cluster())
        return {registryKey(set, container, -1)};
    for (int slot = 0; slot < slotCount; ++slot)
        out.push_back(registryKey(set, container, slot));
    return out;
}

Result<std::uint64_t> cardinality(Link& link, KeySet set, std::string_view container)
{
    Commands commands;
    for (const std::string& key : registryKeys(link, set, container))
        commands.add(link.slot(key), {"SCARD", key});
    auto replies = link.run(commands);
    if (!replies)
        return replies.error();
    std::uint64_t out = 0;
    for (const Reply& reply : *replies) {
        if (isError(reply.get()))
            return faultOf(text(reply.get()), *link.deployment(), "counting the keys of " + std::string(container));
        out += static_cast<std::uint64_t>(reply->integer);
    }
    return out;
}

} // namespace millrace::redis
