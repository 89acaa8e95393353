#pragma once
#include "core/engine/checkpoint.h"
#include "core/engine/definition.h"
#include "core/engine/discovery.h"
#include "core/engine/plan.h"
#include "core/engine/report.h"
#include "core/engine/store.h"
#include "core/engine/target.h"
#include <map>
#include <set>

namespace millrace {

//! A table that a sync's rule chose, with what the entries say together (a later entry refines an earlier one).
struct Selected {
    TableInfo info;
    TableRule rule;                                   //!< merged; `name` is the label
    std::string label;
    bool byName = false;                              //!< named exactly, not by a glob alone
    std::optional<Error> error;                       //!< named, but not there
};

struct Selection {
    std::vector<Selected> tables;                     //!< in the source's order
    std::vector<std::string> undecided;               //!< new since the first run, with `new_tables: ask`
};

//! "film", or "sakila.film" when the connection spans databases or schemas; tables of the schema "public" are named without it.
std::string tableLabel(const TableRef& ref, bool spansSchemas);

//! Applies include, exclude and new-table rules. Globs choose base tables; a view is chosen by its exact name. `known`: labels chosen by
//! earlier runs; empty: the first run, which takes all that match. `copied`: those of them that hold documents; one that is gone is told.
Selection select(const SyncDef& def, const std::vector<TableInfo>& tables, bool spansSchemas, const std::set<std::string>& known,
                 const std::set<std::string>& copied = {});

//! One table's plan. `frozen` is its checkpoint's columns: new columns stay out (noted as drift), a dropped, retyped or re-keyed one is
//! Fault::Schema "engine.needs_resync". Empty: all columns as they are now. `frozenContainer`: the name from the first run, or empty.
struct Planned { TablePlanPtr plan; Message reason; std::vector<Message> notes; };
Result<Planned> planTable(const SyncDef& def, const Selected& selected, const Target& target, const std::vector<std::pair<std::string, std::string>>& frozen,
                          const std::string& frozenContainer);

//! Two tables of any syncs on one target that would meet in one name: an error before anything is written. `others`: folded container
//! name -> "sync/table" of the other syncs on the same target.
std::optional<Error> nameClash(const std::vector<TablePlanPtr>& plans, const Target& target, const std::map<std::string, std::string>& others);

//! The plan in sentences (screens.md, "Wording of 02 to 04"); English, with stable ids.
std::vector<Message> planSentences(const SyncDef& def, const std::vector<PlanTable>& tables, const std::vector<TablePlanPtr>& plans, const Target& target);

} // namespace millrace
