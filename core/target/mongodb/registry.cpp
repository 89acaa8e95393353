#include "core/target/mongodb/registry.h"
#include <condition_variable>
#include <mutex>

namespace millrace::mongodb {

namespace {

constexpr std::int64_t heartbeatMs = 5'000, staleMs = 30'000;

std::string id(std::string_view kind, std::string_view name) { return std::string(kind) + ":" + std::string(name); }

Error fenced(std::string_view sync, std::string_view owner, const Deployment& deployment)
{
    return {Fault::Fenced, "target.mongodb.fenced", "The sync " + std::string(sync) + " is " + (owner.empty() ? "no longer held by this instance" : "held by " + std::string(owner))
            + " in " + deployment.where() + ".", "Stop the other instance, or wait 30 s after it has ended.", {}};
}

bool pause(std::chrono::milliseconds duration, std::stop_token stop)
{
    std::mutex mutex;
    std::condition_variable_any wake;
    std::unique_lock lock(mutex);
    wake.wait_for(lock, stop, duration, [] { return false; });
    return !stop.stop_requested();
}

} // namespace

Result<Bson> Registry::entry(std::string_view kind, std::string_view name)
{
    Bson filter;
    filter.text("_id", id(kind, name));
    return m_client.findOne(registryCollection, filter.get(), nullptr, "reading _mr_registry");
}

Result<> Registry::put(std::string_view kind, std::string_view name, Bson fields)
{
    Bson filter, set, update, updates, command;
    filter.text("_id", id(kind, name));
    set.document("$set", fields);
    update.document("q", filter).document("u", set).flag("upsert", true);
    updates.document("0", update);
    command.text("update", registryCollection).array("updates", updates);
    if (auto done = m_client.write(command, "writing _mr_registry"); !done)
        return done.error();
    return {};
}

Result<> Registry::erase(std::string_view kind, std::string_view name)
{
    Bson filter, item, items, command;
    filter.text("_id", id(kind, name));
    item.document("q", filter).int32("limit", 1);
    items.document("0", item);
    command.text("delete", registryCollection).array("deletes", items);
    if (auto done = m_client.write(command, "writing _mr_registry"); !done)
        return done.error();
    return {};
}

Result<std::int64_t> Registry::serverTime()
{
    Bson command;
    command.int32("hello", 1);
    auto reply = m_client.read(command, "asking for the server's clock", "admin");
    if (!reply)
        return reply.error();
    return reply->numberAt("localTime");
}

// Optimistic: the entry is changed only as it was read, so of two homes that take it at once one reads again.
Result<Lease> Registry::acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop)
{
    for (;;) {
        if (stop.stop_requested())
            return cancelled("Taking the lease");
        auto found = entry("lease", sync);
        if (!found)
            return found.error();
        const bool exists = found->has("_id");
        const std::string holder = found->textAt("owner");
        const auto known = static_cast<std::uint64_t>(found->numberAt("epoch"));
        if (exists && !holder.empty() && holder != owner) {
            auto now = serverTime();
            if (!now)
                return now.error();
            const std::int64_t age = *now - found->numberAt("heartbeat");
            if (age < staleMs)
                return fenced(sync, holder, m_client.deployment());
            // A request that the former owner sent with its last heartbeat may land until its time-out has passed.
            const std::int64_t landed = m_client.deployment().requestTimeout.count() + heartbeatMs;
            if (age < landed) {
                if (!pause(std::chrono::milliseconds(landed - age), stop))
                    return cancelled("Taking the lease");
                continue;                                    // it may have come back to life
            }
        }
        const std::uint64_t epoch = std::max(known, atLeast) + 1;
        Bson filter, fields, now, update, command;
        filter.text("_id", id("lease", sync));
        if (exists)
            filter.int64("epoch", static_cast<std::int64_t>(known)).text("owner", holder).int64("takes", found->numberAt("takes"));
        else
            filter.int32("epoch", -1);                       // nothing has it: an upsert, or E11000 when somebody was faster
        fields.text("owner", owner).int64("epoch", static_cast<std::int64_t>(epoch)).text("sync", sync).int64("takes", found->numberAt("takes") + 1);
        now.flag("heartbeat", true).flag("since", true);
        update.document("$set", fields).document("$currentDate", now);
        command.text("findAndModify", registryCollection).document("query", filter).document("update", update).flag("new", true).flag("upsert", !exists);
        auto taken = m_client.write(command, "taking the lease of " + std::string(sync));
        if (!taken) {
            if (taken.error().detail.find("E11000") != std::string::npos)
                continue;
            return taken.error();
        }
        if (taken->numberAt("value.epoch") == static_cast<std::int64_t>(epoch) && taken->textAt("value.owner") == owner)
            return Lease{std::string(sync), std::string(owner), epoch};
    }
}

Result<> Registry::heartbeat(const Lease& lease)
{
    Bson filter, now, set, update, updates, command;
    filter.text("_id", id("lease", lease.sync)).text("owner", lease.owner).int64("epoch", static_cast<std::int64_t>(lease.epoch));
    now.flag("heartbeat", true);
    set.document("$currentDate", now);
    update.document("q", filter).document("u", set);
    updates.document("0", update);
    command.text("update", registryCollection).array("updates", updates);
    auto done = m_client.write(command, "renewing the lease of " + lease.sync);
    if (!done)
        return done.error();
    if (done->numberAt("n") != 1)
        return check(lease).has_value() ? Result<>() : Result<>(check(lease).error());
    return {};
}

Result<> Registry::release(const Lease& lease)
{
    Bson filter, fields, set, update, updates, command;
    filter.text("_id", id("lease", lease.sync)).text("owner", lease.owner).int64("epoch", static_cast<std::int64_t>(lease.epoch));
    fields.text("owner", "");                                // the epoch stays: it must never be given twice
    set.document("$set", fields);
    update.document("q", filter).document("u", set);
    updates.document("0", update);
    command.text("update", registryCollection).array("updates", updates);
    if (auto done = m_client.write(command, "giving the lease of " + lease.sync + " back"); !done)
        return done.error();
    return {};
}

Result<> Registry::check(const Lease& lease)
{
    auto found = entry("lease", lease.sync);
    if (!found)
        return found.error();
    if (found->textAt("owner") != lease.owner || static_cast<std::uint64_t>(found->numberAt("epoch")) != lease.epoch)
        return fenced(lease.sync, found->textAt("owner") == lease.owner ? std::string() : found->textAt("owner"), m_client.deployment());
    return {};
}

Result<std::string> Registry::ownerOf(std::string_view container)
{
    auto found = entry("table", container);
    if (!found)
        return found.error();
    return found->textAt("sync");
}

Result<> Registry::claim(std::string_view container, std::string_view sync)
{
    Bson fields;
    fields.text("sync", sync);
    return put("table", container, std::move(fields));
}

Result<> Registry::forget(std::string_view container)
{
    if (auto done = erase("aside", container); !done)
        return done;
    return erase("table", container);
}

Result<bool> Registry::asideActive(std::string_view container, const Lease& lease)
{
    auto found = entry("aside", container);
    if (!found)
        return found.error();
    return found->textAt("sync") == lease.sync && static_cast<std::uint64_t>(found->numberAt("epoch")) == lease.epoch;
}

Result<> Registry::noteAside(std::string_view container, const Lease& lease, std::string_view uuid)
{
    Bson fields;
    fields.text("sync", lease.sync).int64("epoch", static_cast<std::int64_t>(lease.epoch)).text("uuid", uuid);
    return put("aside", container, std::move(fields));
}

Result<> Registry::endAside(std::string_view container) { return erase("aside", container); }

Result<std::string> Registry::asideUuid(std::string_view container, std::string_view sync)
{
    auto found = entry("aside", container);
    if (!found)
        return found.error();
    return found->textAt("sync") == sync ? found->textAt("uuid") : std::string();
}

} // namespace millrace::mongodb
