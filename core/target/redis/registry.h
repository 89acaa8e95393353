#pragma once
#include "core/engine/plan.h"
#include "core/engine/target.h"
#include "core/target/redis/keys.h"
#include "core/target/redis/link.h"
#include <optional>

namespace millrace::redis {

//! Leases and what is written under them. On one server every write asks for the lease in the same step; in a cluster the lease is in
//! one slot and documents are in others, so it is asked before each payload, and a takeover waits out the longest request (engine.md).
class Registry {
public:
    explicit Registry(Link& link) : m_link(link) {}
    Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop);
    Result<> heartbeat(const Lease& lease);
    Result<> release(const Lease& lease);
    Result<> check(const Lease& lease, std::stop_token stop = {});
    Result<bool> atWork(const std::string& sync);                        //!< held, with a heartbeat of the last half minute
    //! All of the commands under the lease; in a cluster one after the other.
    Result<> guarded(const Lease& lease, const std::vector<std::vector<std::string>>& commands, std::string_view doing);
    //! The first two KEYS of a script and its first two ARGV, by whether the lease is within its reach.
    struct Guard { std::string key, owner, epoch; };
    Guard guard(const Lease& lease, std::string_view otherKey) const;

private:
    Link& m_link;
};

Error fenced(const Lease& lease);
//! Starts a script's command: EVALSHA, its keys' count and both of the guard's halves are up to the caller after this.
void beginScript(Commands& commands, int slot, const Script& script, std::size_t keys, std::size_t arguments);

//! The keys of a set, batch by batch; a key may come twice.
class Members {
public:
    Members(Link& link, KeySet set, std::string container) : m_link(link), m_set(set), m_container(std::move(container)) {}
    //! Fills `into`; false: there are no more. An empty batch is not the end.
    Result<bool> next(std::vector<std::string>& into, std::stop_token stop);
private:
    Result<bool> nextOfOne(std::vector<std::string>& into, std::stop_token stop);
    Result<bool> nextOfCluster(std::vector<std::string>& into, std::stop_token stop);
    Link& m_link;
    const KeySet m_set;
    const std::string m_container;
    std::string m_cursor = "0";
    bool m_began = false;
    int m_slot = 0;
};

Result<std::uint64_t> cardinality(Link& link, KeySet set, std::string_view container);
//! The names of a container's sets: one, or one per slot of a cluster.
std::vector<std::string> registryKeys(const Link& link, KeySet set, std::string_view container);

} // namespace millrace::redis
