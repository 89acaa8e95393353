#pragma once
#include "core/data/schema.h"
#include "core/engine/definition.h"
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace millrace {

//! A sentence for people: faces translate by `id` and fill `args`; `text` is the English one, ready to print.
struct Message { std::string id, text; std::vector<std::string> args; };

struct TableRef {
    std::string schema, name;                      //!< schema: MySQL database, PostgreSQL schema, "main" in SQLite
    bool operator==(const TableRef&) const = default;
    auto operator<=>(const TableRef&) const = default;
};

enum class TableKind : std::uint8_t { Table, View, MaterializedView, PartitionedTable };
std::string_view tableKindName(TableKind);         //!< "table" "view" "materialized_view" "partitioned_table"

struct ColumnInfo {
    std::string name, nativeType;
    Type type = Type::Text;                        //!< canonical type before any policy
    bool nullable = true, generated = false, autoUpdated = false;   //!< autoUpdated: ON UPDATE CURRENT_TIMESTAMP and the like
    std::uint8_t scale = 0, bits = 64;
    std::uint16_t precision = 0;
    std::string charset;
};

struct ForeignKey { std::vector<std::string> columns; std::string table; std::vector<std::string> references; std::string onDelete, onUpdate; };
struct IndexInfo { std::string name; std::vector<std::string> columns; bool unique = false; };

struct Recommendation { Strategy strategy = Strategy::Full; std::string cursor; Message reason; };

struct TableInfo {
    TableRef ref;
    TableKind kind = TableKind::Table;
    std::optional<std::uint64_t> rowsEstimate, bytes;
    std::vector<ColumnInfo> columns;
    std::vector<std::string> primaryKey;           //!< as declared; empty: none
    std::vector<std::string> key;                  //!< what Millrace uses: primary key, else the smallest unique index without nullable columns
    std::vector<ForeignKey> foreignKeys;
    std::vector<IndexInfo> indexes;
    Recommendation recommended;
    std::vector<Message> warnings;                 //!< "no_key", "no_cursor", "cursor_without_index", "deletes_invisible", "fk_cascade", ...
    const ColumnInfo* column(std::string_view name) const;
};

struct ServerInfo {
    std::string engine;                            //!< "mysql" "mariadb" "sqlite" "mongodb" "embedded" "null"
    std::string version;
};

//! One line of the staged test.
struct TestStage {
    enum class Outcome : std::uint8_t { Passed, Warning, Failed, NotReached };
    std::string id;                                //!< "dns" "tcp" "tls" "login" "privileges" "server" "clock" "packet" ...
    std::string label;                             //!< English
    Outcome outcome = Outcome::Passed;
    std::string found;                             //!< one line: what was found
    std::string fix;                               //!< SQL or words to copy; empty when nothing is to be done
    double ms = 0;
};
struct TestReport {
    std::vector<TestStage> stages;
    std::optional<Error> error;                    //!< the first failure, when there is one
    ServerInfo server;
    bool passed() const { return !error; }
};

//! The key by the contract: the primary key; else the smallest unique index without nullable columns (fewest columns, then name).
std::vector<std::string> chooseKey(const TableInfo& table);

//! The same recommendation rules for every source: candidates for the cursor by name and type, warnings from keys, indexes and
//! foreign keys. Fills `key`, `recommended` and the structural warnings of every table (foreign keys need all of them).
void recommend(std::vector<TableInfo>& tables);

} // namespace millrace
