#pragma once
#include "core/target/redis/registry.h"
#include <set>

namespace millrace::redis {

//! Containers are prefixes: "film" stands for the keys "film:...". What is ours is in the registry and has a companion; nothing else is
//! ever deleted, unless the operator chose `if_exists: rebuild` for a prefix that was there before.
class Containers {
public:
    explicit Containers(Link& link) : m_link(link), m_registry(link) {}

    struct Standing {
        enum class Kind { Absent, Own, Adopted, Foreign, OtherSync };    //!< Adopted: was there before, written by `if_exists: write`
        Kind kind = Kind::Absent;
        std::string other;                         //!< OtherSync: whose; Foreign: a key that was found
        bool ours() const { return kind == Kind::Own || kind == Kind::Adopted; }
    };
    Result<Standing> standing(const TablePlan& plan);

    //! Where a session writes.
    struct Place { bool aside = false, adopted = false; };
    Result<Place> writable(const TablePlan& plan);

    Result<Prepared> prepare(const TablePlan& plan, const Lease& lease);
    Result<std::uint64_t> count(const TablePlan& plan, std::uint64_t low, std::uint64_t high);
    Result<std::uint64_t> countOwn(const TablePlan& plan);
    Result<std::uint64_t> remove(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop);
    Result<> beginAside(const TablePlan& plan, const Lease& lease);
    Result<> promoteAside(const TablePlan& plan, const Lease& lease);
    Result<> drop(const TablePlan& plan, const Lease& lease);

private:
    struct Aside {
        enum class State { None, Building, Promoting, Replacing };       //!< Replacing: promoting over what was not ours
        State state = State::None;
        std::string sync;
    };
    Result<Aside> aside(const TablePlan& plan);
    Result<std::string> firstKey(const std::string& container);          //!< any key of the prefix, or empty
    Result<> apart(const TablePlan& plan);                               //!< no other container's keys begin like ours
    Result<> mayReplace(const TablePlan& plan, const Standing& standing);
    Result<> checkEviction(const TablePlan& plan);
    Result<> clearAside(const TablePlan& plan, const Lease& lease);
    Result<> promote(const TablePlan& plan, const Lease& lease, bool begun, bool replaces);
    Result<std::uint64_t> sweep(KeySet set, const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop);
    Result<std::set<std::string>> all(KeySet set, const std::string& container);
    Result<std::vector<std::string>> strangers(const std::string& container, const std::set<std::string>& known);
    Result<std::uint64_t> runAll(const Commands& commands, const Lease& lease, bool atomic, std::string_view doing, std::stop_token stop = {});
    Link& m_link;
    Registry m_registry;
};

//! Walks the whole key space for the keys of a container; a key may come twice.
class Prefix {
public:
    Prefix(Link& link, const std::string& container) : m_link(link), m_pattern(patternOf(container)) {}
    Result<bool> next(std::vector<std::string>& into, std::stop_token stop);
private:
    Link& m_link;
    const std::string m_pattern;
    std::size_t m_server = 0;
    std::string m_cursor = "0";
};

} // namespace millrace::redis
