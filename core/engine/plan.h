#pragma once
#include "core/data/schema.h"
#include "core/engine/discovery.h"
#include <memory>
#include <string>
#include <vector>

namespace millrace {

//! One table of a sync, resolved: what is read, how, and where it lands. Made once per run from the definition, the frozen names
//! and a fresh description of the table; immutable while the run lasts.
struct TablePlan {
    std::string sync;
    TableRef table;
    std::string label;                             //!< the name in answers: "film", or "sakila.film" when the sync spans schemas
    TableKind kind = TableKind::Table;
    SchemaPtr schema;                              //!< columns in source order with their target names; `key` empty: keyless
    std::vector<ValuePolicy> policies;             //!< one per column of `schema`
    Strategy strategy = Strategy::Full;            //!< never Auto
    std::string cursor;                            //!< source column, for timestamp
    std::int64_t overlapMs = 2000;
    std::string softDelete;                        //!< source column or empty
    std::optional<DeletedRows> deletedRows;
    bool byName = false;                           //!< `auto` took the cursor for its type and name: its values may turn out to be no times
    std::string where;                             //!< SQL or empty
    std::string container;                         //!< collection, table: safe for the target, prefix included
    bool objectId = false;                         //!< mongodb `id: objectid`
    bool hash = false;                             //!< redis `format: hash`
    std::int64_t ttlMs = 0;                        //!< redis `ttl`; 0: documents stay
    IfExists ifExists = IfExists::Stop;
    std::vector<std::vector<std::string>> indexes; //!< target field names
    std::string fingerprint;                       //!< of the parts whose change needs a resync (key, columns' types, where)
    bool keyless() const { return schema->key.empty(); }
};
using TablePlanPtr = std::shared_ptr<const TablePlan>;

} // namespace millrace
