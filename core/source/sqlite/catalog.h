#pragma once
#include "core/engine/discovery.h"
#include "core/source/sqlite/connection.h"

namespace millrace::sqlitesource {

//! Tables and views that match the glob, with keys, indexes and foreign keys, in five catalogue queries however many there are.
//! `recommended` and structural warnings are not filled here.
Result<std::vector<TableInfo>> readCatalog(Connection& connection, std::string_view glob);

//! One table. Fault::Schema when it does not exist.
Result<TableInfo> readTable(Connection& connection, const TableRef& table);

//! How rows of a table can be walked: SQL expressions in key order, with the collation under which they are unique.
struct WalkOrder {
    std::vector<std::string> terms;      //!< `"film"."film_id"`; a COLLATE is added where the index has another one than the column
    std::vector<bool> nullable;          //!< SQLite allows NULL in a primary key of a rowid table
    bool indexed = false;                //!< an index gives this order: a walk may stop and start again cheaply
    bool collated = false;               //!< some term has a COLLATE: row comparison alone would not use the index
};
Result<WalkOrder> keyOrder(Connection& connection, const TableRef& table, const std::vector<std::string>& key);

//! The rowid under a name that no column hides; empty: the table has none.
Result<std::string> rowidName(Connection& connection, const TableRef& table);

} // namespace millrace::sqlitesource
