#pragma once
#include "core/engine/target.h"
#include "core/target/search/client.h"
#include "core/target/search/names.h"

namespace millrace::search {

//! Leases of syncs, and indices that are built aside, as documents of `millrace-registry`:
//!   "lease:<sync>" {owner, epoch, heartbeat, sync}, "aside:<container>" {sync, epoch, index, old, replicas, refresh}.
//! Every change names the sequence number that was read, so of two homes that change one entry at once only one does.
class Registry {
public:
    explicit Registry(Client& client) : m_client(client) {}

    Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, const Clock& clock, std::stop_token stop);
    Result<> heartbeat(const Lease& lease);
    Result<> release(const Lease& lease);
    Result<> check(const Lease& lease);                          //!< Fenced when it is no longer ours

    struct Aside {
        std::string index;                                       //!< what is built; empty: nothing is
        std::string old;                                         //!< what it takes the place of, ours too; goes after the swap
        std::string sync;
        std::uint64_t epoch = 0;
        Node replicas, refresh;                                  //!< settings to put back before the swap
        bool of(const Lease& lease) const { return !index.empty() && sync == lease.sync && epoch == lease.epoch; }
    };
    Result<Aside> aside(std::string_view container);
    Result<> noteAside(std::string_view container, const Aside& aside);
    Result<> endAside(std::string_view container);

private:
    struct Entry { bool exists = false; Node fields; std::int64_t sequence = 0, term = 0; };
    Result<Entry> entry(const std::string& id);
    Result<bool> put(const std::string& id, const Entry& before, const Node& fields);      //!< false: it has changed in between
    Result<> make(std::string_view index, const Node& mapping);
    Error fenced(std::string_view sync, std::string_view owner) const;
    Client& m_client;
};

} // namespace millrace::search
