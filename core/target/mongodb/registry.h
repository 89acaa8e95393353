#pragma once
#include "core/engine/target.h"
#include "core/target/mongodb/client.h"

namespace millrace::mongodb {

inline constexpr std::string_view registryCollection = "_mr_registry", summaryCollection = "_sync_metadata", asidePrefix = "_mr_aside_", keyIndex = "_mr_key";

inline std::string asideName(std::string_view container) { return std::string(asidePrefix) + std::string(container); }

//! Leases of syncs and owners of collections, as documents of `_mr_registry`:
//!   {_id: "lease:<sync>", owner, epoch, heartbeat}, {_id: "table:<collection>", sync}, {_id: "aside:<collection>", sync, epoch, uuid?}.
//! Lease reads go to the primary with the local concern. That is enough: a primary that lost its set without knowing could still show an
//! old lease, but it can no longer acknowledge a majority write, and what a former owner sends late carries lower versions (Invariant 5).
class Registry {
public:
    explicit Registry(const Client& client) : m_client(client) {}

    Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop);
    Result<> heartbeat(const Lease& lease);
    Result<> release(const Lease& lease);
    Result<> check(const Lease& lease);                          //!< Fenced when it is no longer ours

    Result<std::string> ownerOf(std::string_view container);     //!< the sync, or empty
    Result<> claim(std::string_view container, std::string_view sync);
    Result<> forget(std::string_view container);                 //!< table and aside entries

    //! The side container that this lease builds, if any.
    Result<bool> asideActive(std::string_view container, const Lease& lease);
    Result<> noteAside(std::string_view container, const Lease& lease, std::string_view uuid);
    Result<> endAside(std::string_view container);
    Result<std::string> asideUuid(std::string_view container, std::string_view sync);
private:
    Result<Bson> entry(std::string_view kind, std::string_view name);
    Result<> put(std::string_view kind, std::string_view name, Bson fields);
    Result<> erase(std::string_view kind, std::string_view name);
    Result<std::int64_t> serverTime();
    const Client& m_client;
};

} // namespace millrace::mongodb
