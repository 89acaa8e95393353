#include "core/target/redis/containers.h"
#include "core/base/crashpoint.h"
#include "core/base/text.h"
#include "core/target/redis/faults.h"
#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

namespace millrace::redis {

namespace {

constexpr std::size_t atOnce = 500;                // documents a script touches: a server does nothing else meanwhile
constexpr std::size_t mostAtomic = 50'000;         // documents swapped in one step, a third of a second; above that, and in a cluster, in many
constexpr const char* scanned = "1000";
using Kind = Containers::Standing::Kind;

Error notOurs(const TablePlan& plan, const Containers::Standing& standing)
{
    if (standing.kind == Kind::OtherSync)
        return {Fault::Config, "target.redis.not_ours", "the keys " + plan.container + ":* belong to the sync " + standing.other,
                "Choose another name with `to:` or `prefix:`, or `if_exists: rebuild` when that sync is gone.", {}};
    return {Fault::Config, "target.redis.not_ours", "keys that begin with " + plan.container + ": were there before and were not made by this sync, for one " + standing.other,
            "Choose `if_exists: write` or `rebuild`, or another name with `to:` or `prefix:`.", {}};
}

std::uint64_t number(std::string_view words)
{
    std::uint64_t out = 0;
    std::from_chars(words.data(), words.data() + words.size(), out);
    return out;
}

std::vector<std::vector<std::string>> bySlot(const Link& link, const std::vector<std::string>& documents)
{
    std::vector<std::vector<std::string>> out;
    if (!link.cluster()) {
        for (std::size_t from = 0; from < documents.size(); from += atOnce)
            out.emplace_back(documents.begin() + static_cast<std::ptrdiff_t>(from), documents.begin() + static_cast<std::ptrdiff_t>(std::min(from + atOnce, documents.size())));
        return out;
    }
    std::map<int, std::vector<std::string>> parts;
    for (const std::string& document : documents) {
        auto& part = parts[slotOf(document)];
        part.push_back(document);
        if (part.size() == atOnce)
            out.push_back(std::exchange(part, {}));
    }
    for (auto& [slot, part] : parts)
        if (!part.empty())
            out.push_back(std::move(part));
    return out;
}

//! Documents of the set aside are named as they stand there.
void addSweep(Commands& commands, const Link& link, const Registry& registry, const Lease& lease, KeySet set, const std::string& container, const std::vector<std::string>& documents,
              std::uint64_t low, std::uint64_t high)
{
    const int slot = link.slot(documents.front());
    const std::string members = registryKey(set, container, slot);
    const auto guard = registry.guard(lease, members);
    beginScript(commands, slot, sweepScript(), 2 + 2 * documents.size(), 4);
    commands.argument(guard.key);
    commands.argument(members);
    for (const std::string& document : documents) {
        commands.argument(document);
        commands.argument(set == KeySet::Aside ? asideCompanionKey(documentOfAside(document)) : companionKey(document));
    }
    commands.argument(guard.owner);
    commands.argument(guard.epoch);
    commands.number(low);
    commands.number(high);
}

void addPromote(Commands& commands, const Link& link, const Registry& registry, const Lease& lease, const std::string& container, const std::vector<std::string>& documents)
{
    const int slot = link.slot(documents.front());
    const std::string own = registryKey(KeySet::Own, container, slot);
    const auto guard = registry.guard(lease, own);
    beginScript(commands, slot, promoteScript(), 4 + 4 * documents.size(), 2);
    commands.argument(guard.key);
    commands.argument(own);
    commands.argument(registryKey(KeySet::Aside, container, slot));
    commands.argument(registryKey(KeySet::Old, container, slot));
    for (const std::string& document : documents) {
        commands.argument(document);
        commands.argument(companionKey(document));
        commands.argument(asideKey(document));
        commands.argument(asideCompanionKey(document));
    }
    commands.argument(guard.owner);
    commands.argument(guard.epoch);
}

} // namespace

Result<bool> Prefix::next(std::vector<std::string>& into, std::stop_token stop)
{
    into.clear();
    if (m_server >= m_link.servers())
        return false;
    auto reply = m_link.askServer(m_server, {"SCAN", m_cursor, "MATCH", m_pattern, "COUNT", scanned}, "looking for the keys " + m_pattern, stop);
    if (!reply)
        return reply.error();
    m_cursor = text((*reply)->element[0]);
    for (std::size_t i = 0; i < (*reply)->element[1]->elements; ++i)
        into.emplace_back(text((*reply)->element[1]->element[i]));
    if (m_cursor == "0")
        ++m_server;
    return true;
}

Result<std::string> Containers::firstKey(const std::string& container)
{
    Prefix prefix(m_link, container);
    std::vector<std::string> keys;
    for (;;) {
        auto more = prefix.next(keys, {});
        if (!more)
            return more.error();
        if (!keys.empty())
            return keys.front();
        if (!*more)
            return std::string();
    }
}

Result<Containers::Standing> Containers::standing(const TablePlan& plan)
{
    for (const auto key : {containersKey, adoptedKey}) {
        auto found = m_link.ask(m_link.slot(key), {"HGET", key, plan.container}, "asking whose the keys " + plan.container + ":* are");
        if (!found)
            return found.error();
        if (isNil(found->get()))
            continue;
        const std::string_view sync = text(found->get());
        if (sync != plan.sync)
            return Standing{Kind::OtherSync, std::string(sync)};
        return Standing{key == containersKey ? Kind::Own : Kind::Adopted, {}};
    }
    auto any = firstKey(plan.container);
    if (!any)
        return any.error();
    return any->empty() ? Standing{} : Standing{Kind::Foreign, *any};
}

Result<> Containers::apart(const TablePlan& plan)
{
    for (const auto key : {containersKey, adoptedKey}) {
        auto names = m_link.ask(m_link.slot(key), {"HKEYS", key}, "asking for the names in use");
        if (!names)
            return names.error();
        for (std::size_t i = 0; i < (*names)->elements; ++i) {
            const std::string other(text((*names)->element[i]));
            if ((other + ":").starts_with(plan.container + ":") != (plan.container + ":").starts_with(other + ":"))
                return Error{Fault::Config, "target.redis.overlap", "the keys " + plan.container + ":* and " + other + ":*, which Millrace writes already, would mix", "Choose another name with `to:` or `prefix:`.", {}};
        }
    }
    return {};
}

//! A container of another sync may be replaced only when that sync is not at work.
Result<> Containers::mayReplace(const TablePlan& plan, const Standing& standing)
{
    if (standing.kind != Kind::OtherSync)
        return {};
    auto busy = m_registry.atWork(standing.other);
    if (!busy)
        return busy.error();
    return *busy ? Result<>(notOurs(plan, standing)) : Result<>();
}

//! Redis may drop keys by itself when memory runs out, and nobody is told: such a server holds a cache and no copy.
Result<> Containers::checkEviction(const TablePlan& plan)
{
    if (m_link.deployment()->mayEvict)
        return {};
    for (std::size_t i = 0; i < m_link.servers(); ++i) {
        auto info = m_link.askServer(i, {"INFO", "memory"}, "asking for the eviction policy");
        if (!info)
            return info.error();
        const std::string words(text(info->get()));
        const auto at = words.find("maxmemory_policy:");
        const std::string policy = at == std::string::npos ? std::string() : words.substr(at + 17, words.find_first_of("\r\n", at) - at - 17);
        if (policy.starts_with("allkeys-") || (policy.starts_with("volatile-") && plan.ttlMs > 0))
            return fault(Fault::Config, "evicts", *m_link.deployment(), "table " + plan.label, "the server's maxmemory-policy is " + policy + ": it may drop documents without a word",
                         "CONFIG SET maxmemory-policy noeviction, or add eviction=accept to the URL when a cache is what you want.");
    }
    return {};
}

Result<Containers::Aside> Containers::aside(const TablePlan& plan)
{
    auto found = m_link.ask(m_link.slot(asideStateKey), {"HGET", asideStateKey, plan.container}, "asking what is built aside");
    if (!found)
        return found.error();
    const std::string words(text(found->get()));
    if (words.empty())
        return Aside{};
    const auto blank = words.find(' ');
    const std::string state = words.substr(0, blank);
    return Aside{state == "promoting" ? Aside::State::Promoting : state == "replacing" ? Aside::State::Replacing : Aside::State::Building, words.substr(blank + 1)};
}

Result<Containers::Place> Containers::writable(const TablePlan& plan)
{
    auto built = aside(plan);
    if (!built)
        return built.error();
    if (built->state == Aside::State::Building && built->sync == plan.sync)
        return Place{true, false};
    auto stands = standing(plan);
    if (!stands)
        return stands.error();
    if (!stands->ours())
        return notOurs(plan, *stands);
    return Place{false, stands->kind == Kind::Adopted};
}

Result<Prepared> Containers::prepare(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held.error();
    auto built = aside(plan);
    if (!built)
        return built.error();
    if (built->state != Aside::State::None && built->sync == plan.sync) {
        // left by a run that did not end: a swap goes on (Invariant 7), what was only built goes away
        auto done = built->state == Aside::State::Building ? clearAside(plan, lease) : promote(plan, lease, true, built->state == Aside::State::Replacing);
        if (!done)
            return done.error();
    }
    if (auto keeps = checkEviction(plan); !keeps)
        return keeps.error();
    auto stands = standing(plan);
    if (!stands)
        return stands.error();
    Prepared prepared;
    if (stands->kind == Kind::Absent || stands->kind == Kind::Foreign)
        if (auto free = apart(plan); !free)
            return free.error();
    if (stands->kind == Kind::Absent) {
        std::vector<std::vector<std::string>> steps = {{"HSET", std::string(containersKey), plan.container, plan.sync}};
        for (const std::string& key : registryKeys(m_link, KeySet::Own, plan.container))
            steps.push_back({"DEL", key});
        if (auto made = m_registry.guarded(lease, steps, "making " + plan.container); !made)
            return made.error();
        prepared.fresh = true;
        return prepared;
    }
    if (stands->kind != Kind::Own) {
        if (plan.ifExists == IfExists::Rebuild) {
            if (auto may = mayReplace(plan, *stands); !may)
                return may.error();
            prepared.replaces = true;
            return prepared;
        }
        if (plan.ifExists == IfExists::Stop || stands->kind == Kind::OtherSync)
            return notOurs(plan, *stands);
        if (auto made = m_registry.guarded(lease, {{"HSET", std::string(adoptedKey), plan.container, plan.sync}}, "adopting " + plan.container); !made)
            return made.error();
    }
    auto documents = countOwn(plan);
    if (!documents)
        return documents.error();
    prepared.documents = *documents;
    prepared.fresh = stands->kind == Kind::Own && *documents == 0;
    return prepared;
}

Result<std::uint64_t> Containers::countOwn(const TablePlan& plan)
{
    // with a ttl the registry still names what has expired
    return plan.ttlMs > 0 ? count(plan, 0, UINT64_MAX) : cardinality(m_link, KeySet::Own, plan.container);
}

Result<std::uint64_t> Containers::count(const TablePlan& plan, std::uint64_t low, std::uint64_t high)
{
    std::uint64_t out = 0;
    Members members(m_link, KeySet::Own, plan.container);
    std::vector<std::string> documents;
    for (;;) {
        auto more = members.next(documents, {});
        if (!more)
            return more.error();
        Commands commands;
        for (const std::string& document : documents) {
            const std::string companion = companionKey(document);
            commands.add(m_link.slot(companion), {"GET", companion});
        }
        auto replies = m_link.run(commands);
        if (!replies)
            return replies.error();
        for (const Reply& reply : *replies) {
            if (isError(reply.get()))
                return faultOf(text(reply.get()), *m_link.deployment(), "counting the keys of " + plan.container);
            const std::uint64_t version = number(text(reply.get()));
            out += !isNil(reply.get()) && low <= version && version < high;
        }
        if (!*more)
            return out;
    }
}

Result<std::uint64_t> Containers::runAll(const Commands& commands, const Lease& lease, bool atomic, std::string_view doing, std::stop_token stop)
{
    Commands wrapped;
    if (atomic) {
        // inside MULTI nobody can follow up with a script that is missing
        for (const Script* script : {&promoteScript(), &sweepScript(), &guardedScript()})
            wrapped.add(-1, {"SCRIPT", "LOAD", script->text});
        wrapped.add(-1, {"MULTI"});
        for (std::size_t i = 0; i < commands.size(); ++i)
            wrapped.append(-1, commands.bytesOf(i));
        wrapped.add(-1, {"EXEC"});
    }
    auto replies = m_link.run(atomic ? wrapped : commands, stop);
    if (!replies)
        return replies.error();
    std::uint64_t sum = 0;
    const auto look = [&](const redisReply* reply) -> Result<> {
        if (isError(reply))
            return errorCode(text(reply)) == "FENCED" ? fenced(lease) : faultOf(text(reply), *m_link.deployment(), doing);
        if (reply->type == REDIS_REPLY_INTEGER)
            sum += static_cast<std::uint64_t>(reply->integer);
        return {};
    };
    for (const Reply& reply : *replies) {
        if (auto fine = look(reply.get()); !fine)
            return fine.error();
        for (std::size_t i = 0; reply->type == REDIS_REPLY_ARRAY && i < reply->elements; ++i)
            if (auto fine = look(reply->element[i]); !fine)
                return fine.error();
    }
    return sum;
}

Result<std::uint64_t> Containers::sweep(KeySet set, const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop)
{
    std::uint64_t deleted = 0;
    Members members(m_link, set, plan.container);
    std::vector<std::string> documents;
    for (;;) {
        if (stop.stop_requested())
            return cancelled("Deleting keys of " + plan.container);
        auto more = members.next(documents, stop);
        if (!more)
            return more.error();
        if (m_link.cluster())
            if (auto held = m_registry.check(lease, stop); !held)
                return held.error();
        Commands commands;
        for (const auto& part : bySlot(m_link, documents))
            addSweep(commands, m_link, m_registry, lease, set, plan.container, part, low, high);
        auto done = runAll(commands, lease, false, "deleting keys of " + plan.container, stop);
        if (!done)
            return done;
        deleted += *done;
        if (!*more)
            return deleted;
    }
}

Result<std::uint64_t> Containers::remove(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop)
{
    if (auto held = m_registry.check(lease); !held)
        return held.error();
    auto stands = standing(plan);
    if (!stands)
        return stands.error();
    return stands->ours() ? sweep(KeySet::Own, plan, lease, low, high, stop) : Result<std::uint64_t>(std::uint64_t{0});
}

Result<> Containers::clearAside(const TablePlan& plan, const Lease& lease)
{
    if (auto gone = sweep(KeySet::Aside, plan, lease, 0, UINT64_MAX, {}); !gone)
        return gone.error();
    std::vector<std::vector<std::string>> steps;
    const auto own = registryKeys(m_link, KeySet::Own, plan.container), old = registryKeys(m_link, KeySet::Old, plan.container), side = registryKeys(m_link, KeySet::Aside, plan.container);
    for (std::size_t i = 0; i < own.size(); ++i) {
        steps.push_back({"SUNIONSTORE", own[i], own[i], old[i]});            // a swap in a cluster that had only begun
        steps.push_back({"DEL", old[i]});
        steps.push_back({"DEL", side[i]});
    }
    steps.push_back({"HDEL", std::string(asideStateKey), plan.container});
    return m_registry.guarded(lease, steps, "clearing what was built aside for " + plan.container);
}

Result<> Containers::beginAside(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held;
    auto stands = standing(plan);
    if (!stands)
        return stands.error();
    const bool ours = stands->kind == Kind::Absent || stands->kind == Kind::Own;
    if (!ours && plan.ifExists != IfExists::Rebuild)
        return notOurs(plan, *stands);
    if (auto may = mayReplace(plan, *stands); !may)
        return may;
    if (auto free = stands->kind == Kind::Absent || stands->kind == Kind::Foreign ? apart(plan) : Result<>(); !free)
        return free;
    if (auto cleared = clearAside(plan, lease); !cleared)
        return cleared;
    return m_registry.guarded(lease, {{"HSET", std::string(asideStateKey), plan.container, "building " + plan.sync}}, "beginning to build " + plan.container + " aside");
}

Result<std::set<std::string>> Containers::all(KeySet set, const std::string& container)
{
    std::set<std::string> out;
    Members members(m_link, set, container);
    std::vector<std::string> batch;
    for (;;) {
        auto more = members.next(batch, {});
        if (!more)
            return more.error();
        out.insert(batch.begin(), batch.end());
        if (!*more)
            return out;
    }
}

Result<std::vector<std::string>> Containers::strangers(const std::string& container, const std::set<std::string>& known)
{
    std::set<std::string> out;
    Prefix prefix(m_link, container);
    std::vector<std::string> batch;
    for (;;) {
        auto more = prefix.next(batch, {});
        if (!more)
            return more.error();
        for (std::string& key : batch)
            if (!known.contains(key))
                out.insert(std::move(key));
        if (!*more)
            return std::vector<std::string>(out.begin(), out.end());
    }
}

Result<> Containers::promoteAside(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held;
    auto built = aside(plan);
    if (!built)
        return built.error();
    auto stands = standing(plan);
    if (!stands)
        return stands.error();
    if (built->state == Aside::State::None || built->sync != plan.sync) {
        if (stands->kind == Kind::Own)
            return {};                             // it was done, and the answer got lost
        return Error{Fault::Internal, "target.redis.no_aside", "nothing was built aside for " + plan.container, "", {}};
    }
    if (built->state != Aside::State::Building)
        return promote(plan, lease, true, built->state == Aside::State::Replacing);
    if (auto may = mayReplace(plan, *stands); !may)
        return may;
    return promote(plan, lease, false, stands->kind != Kind::Own && stands->kind != Kind::Absent);
}

//! New documents take their places, then what is not among them goes. On one server, up to mostAtomic documents, all of it is one
//! transaction: a reader sees the old container or the new one. Every step may be repeated, and `begun` goes on after a death.
Result<> Containers::promote(const TablePlan& plan, const Lease& lease, bool begun, bool replaces)
{
    const std::string doing = "swapping in " + plan.container;
    auto side = all(KeySet::Aside, plan.container), own = all(KeySet::Own, plan.container), old = all(KeySet::Old, plan.container);
    for (const auto* set : {&side, &own, &old})
        if (!*set)
            return set->error();
    std::vector<std::string> fresh, stale;
    std::set<std::string> known;
    for (const std::string& document : *side) {
        fresh.push_back(documentOfAside(document));
        known.insert(fresh.back());
    }
    if (begun)                                     // then what is in the registry is new
        known.insert(own->begin(), own->end());
    for (const std::string& document : begun ? *old : *own)
        if (!known.contains(document))
            stale.push_back(document);
    known.insert(own->begin(), own->end());
    known.insert(old->begin(), old->end());
    std::vector<std::string> foreign;
    if (replaces) {
        auto found = strangers(plan.container, known);
        if (!found)
            return found.error();
        foreign = std::move(*found);
    }
    const bool atomic = !m_link.cluster() && fresh.size() + stale.size() + foreign.size() <= mostAtomic;

    Commands commands;
    const auto guarded = [&](const std::vector<std::vector<std::string>>& steps) {
        std::vector<std::string> words = {"EVALSHA", guardedScript().sha1, "1", leaseKey(lease.sync), lease.owner, std::to_string(lease.epoch)};
        for (const auto& step : steps) {
            if (m_link.cluster()) {
                commands.add(m_link.slot(step[1]), step);
                continue;
            }
            words.push_back(std::to_string(step.size()));
            words.insert(words.end(), step.begin(), step.end());
        }
        if (!m_link.cluster())
            commands.add(-1, words);
    };
    const auto flush = [&]() -> Result<> {
        if (atomic)
            return {};                             // all of it goes at the end
        if (m_link.cluster())
            if (auto held = m_registry.check(lease); !held)
                return held;
        auto done = runAll(commands, lease, false, doing);
        commands.clear();
        return done ? Result<>() : Result<>(done.error());
    };
    const auto ownKeys = registryKeys(m_link, KeySet::Own, plan.container), oldKeys = registryKeys(m_link, KeySet::Old, plan.container),
               sideKeys = registryKeys(m_link, KeySet::Aside, plan.container);
    if (!begun) {
        std::vector<std::vector<std::string>> steps;
        for (std::size_t i = 0; i < ownKeys.size(); ++i) {
            steps.push_back({"SUNIONSTORE", oldKeys[i], oldKeys[i], ownKeys[i]});
            steps.push_back({"DEL", ownKeys[i]});
        }
        guarded(steps);
        if (auto done = flush(); !done)
            return done;
        guarded({{"HSET", std::string(asideStateKey), plan.container, (replaces ? "replacing " : "promoting ") + plan.sync}});
        if (auto done = flush(); !done)
            return done;
    }
    crashPoint("redis.before_promote");
    for (const auto& part : bySlot(m_link, fresh)) {
        addPromote(commands, m_link, m_registry, lease, plan.container, part);
        if (auto done = flush(); !done)
            return done;
    }
    for (const auto& part : bySlot(m_link, stale)) {
        addSweep(commands, m_link, m_registry, lease, KeySet::Old, plan.container, part, 0, UINT64_MAX);
        if (auto done = flush(); !done)
            return done;
    }
    for (const std::string& key : foreign)
        guarded({{"DEL", key}});
    if (auto done = flush(); !done)
        return done;
    std::vector<std::vector<std::string>> sets;
    for (std::size_t i = 0; i < ownKeys.size(); ++i) {
        sets.push_back({"DEL", oldKeys[i]});
        sets.push_back({"DEL", sideKeys[i]});
    }
    // the state last: as long as it stands, a swap that died goes on
    for (const auto& steps : {std::vector<std::vector<std::string>>{{"HSET", std::string(containersKey), plan.container, plan.sync}, {"HDEL", std::string(adoptedKey), plan.container}}, sets,
             std::vector<std::vector<std::string>>{{"HDEL", std::string(asideStateKey), plan.container}}}) {
        guarded(steps);
        if (auto done = flush(); !done)
            return done;
    }
    if (atomic)
        if (auto done = runAll(commands, lease, true, doing); !done)
            return done.error();
    crashPoint("redis.after_promote");
    return {};
}

Result<> Containers::drop(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held;
    auto stands = standing(plan);
    if (!stands)
        return stands.error();
    if (stands->kind == Kind::Absent)
        return {};
    if (stands->kind != Kind::Own)
        return notOurs(plan, *stands);
    if (auto cleared = clearAside(plan, lease); !cleared)
        return cleared;
    if (auto gone = sweep(KeySet::Own, plan, lease, 0, UINT64_MAX, {}); !gone)
        return gone.error();
    std::vector<std::vector<std::string>> steps;
    for (const std::string& key : registryKeys(m_link, KeySet::Own, plan.container))
        steps.push_back({"DEL", key});
    steps.push_back({"HDEL", std::string(containersKey), plan.container});
    return m_registry.guarded(lease, steps, "dropping " + plan.container);
}

} // namespace millrace::redis
