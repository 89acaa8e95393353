#pragma once
#include "core/target/search/bulk.h"
#include "core/target/search/mapping.h"
#include "core/target/search/registry.h"

namespace millrace::search {

//! Indices behind aliases as the engine's containers: made, checked, counted, built aside, swapped, dropped. Whose an index is stands in
//! its own mapping (`_meta.millrace`), so it moves with the index.
class Containers {
public:
    Containers(Client& client, std::shared_ptr<Pace> pace, const Clock& clock) : m_client(client), m_registry(client), m_pace(std::move(pace)), m_clock(clock) {}

    Result<Prepared> prepare(const TablePlan& plan, const Lease& lease);
    struct Place { std::string name; bool alias = true, own = true; };    //!< where sessions write; not own: others write there too
    Result<Place> writable(const TablePlan& plan, const Lease& lease);
    Result<std::uint64_t> count(const TablePlan& plan, std::uint64_t low, std::uint64_t high);
    Result<std::uint64_t> remove(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop);
    Result<> beginAside(const TablePlan& plan, const Lease& lease);
    Result<> promoteAside(const TablePlan& plan, const Lease& lease);
    Result<> drop(const TablePlan& plan, const Lease& lease);

    struct Found {
        bool exists = false, alias = false, own = false;
        std::string index;                         //!< the concrete one; empty when there are several
        std::string owner;                         //!< the sync in its mapping, or empty
        Node fields;                               //!< the mapping's properties
    };
    Result<Found> look(const TablePlan& plan);

private:
    Result<std::string> create(const TablePlan& plan, const std::string& alias);
    Result<> complete(const TablePlan& plan, const Found& found);
    Result<> forgetAside(const TablePlan& plan, const Found& live);
    Result<> dropIndex(const std::string& index);
    Result<std::uint64_t> counted(const TablePlan& plan, const Found& found);
    Error notOurs(const TablePlan& plan, const Found& found) const;
    Client& m_client;
    Registry m_registry;
    std::shared_ptr<Pace> m_pace;
    const Clock& m_clock;
};

} // namespace millrace::search
