#pragma once
#include "core/engine/plan.h"
#include "core/engine/target.h"
#include "core/target/embedded/sqlite.h"
#include <optional>
#include <string>

namespace millrace::embedded {

//! What Millrace keeps in the file beside the documents. Functions over one connection; those that change something run inside the
//! caller's transaction.

Result<> makeCatalog(Database& database);          //!< the _mr_* tables; refuses a file of a later format

//! Fault::Fenced unless the lease is held as it stands here (Invariant 5: asked inside the very transaction that writes).
Result<> checkLease(Database& database, const Lease& lease);
Error fenced(const Lease& lease);

//! How a container stands to a plan.
struct Standing {
    enum class Kind { Absent, Own, Adopted, Foreign, OtherSync, View };   //!< Adopted: not made by us, written by `if_exists: write`
    Kind kind = Kind::Absent;
    std::string sync;                              //!< OtherSync: whose
};
Result<Standing> standing(Database& database, const TablePlan& plan);
Result<> remember(Database& database, const TablePlan& plan, bool own);
Result<> forget(Database& database, const std::string& container);
Error notOurs(const TablePlan& plan, const Standing& standing);

std::string documentTable(const std::string& name);                      //!< CREATE TABLE for documents
std::string asideName(const std::string& container);
Result<bool> builtAside(Database& database, const TablePlan& plan);
Result<> dropAside(Database& database, const TablePlan& plan);

Result<std::int64_t> count(Database& database, const TablePlan& plan, bool adopted, std::int64_t low, std::int64_t high);

} // namespace millrace::embedded
