#pragma once
#include "core/target/mongodb/registry.h"

namespace millrace::mongodb {

//! Collections as the engine's containers: made, checked, indexed, counted, built aside, swapped, dropped.
class Containers {
public:
    explicit Containers(const Client& client) : m_client(client), m_registry(client) {}

    Result<Prepared> prepare(const TablePlan& plan, const Lease& lease);
    //! The collection that sessions of this lease write to; refused when it is neither ours nor to be written by key.
    Result<std::string> writable(const TablePlan& plan, const Lease& lease);
    Result<std::uint64_t> count(const TablePlan& plan, std::uint64_t low, std::uint64_t high);
    Result<std::uint64_t> countOwn(const TablePlan& plan);
    Result<std::uint64_t> remove(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop);
    Result<> beginAside(const TablePlan& plan, const Lease& lease);
    Result<> promoteAside(const TablePlan& plan, const Lease& lease);
    Result<> drop(const TablePlan& plan, const Lease& lease);

    //! Whether documents without any sync's mark count as this sync's: in a container that it made.
    Result<bool> ownsUnmarked(const TablePlan& plan);

private:
    struct Found { bool exists = false; std::string type, uuid; };
    Result<Found> find(std::string_view collection);
    Result<bool> hasDocuments(std::string_view collection);
    Result<bool> ours(const TablePlan& plan, const Found& found);
    Result<> create(std::string_view collection);
    Result<> index(const TablePlan& plan, std::string_view collection);
    Result<> makeIndex(std::string_view collection, const std::vector<std::string>& fields, std::string_view name, bool unique, std::string_view label);
    Result<> dropCollection(std::string_view collection);
    Result<std::uint64_t> estimate(std::string_view collection);
    Error notOurs(const TablePlan& plan, std::string_view owner) const;
    const Client& m_client;
    Registry m_registry;
};

} // namespace millrace::mongodb
