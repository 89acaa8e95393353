#pragma once
#include "core/engine/discovery.h"
#include "core/source/mysql/connection.h"
#include <map>

namespace millrace::mysql {

//! Reads information_schema: a fixed number of queries however many tables there are. Names of result columns are never used, because
//! MySQL 8 and later print them in upper case.
class Catalog {
public:
    explicit Catalog(Connection& connection) : m_connection(connection) {}

    //! All tables and views outside the system's own databases (with a database in the URL: only there).
    Result<std::vector<TableInfo>> tables(std::string_view glob);
    //! One table, with what only a look at its rows can tell (TINYINT(1) that holds more than 0 and 1).
    Result<TableInfo> table(const TableRef& ref);

    //! Whether the server's own zone is UTC the whole year, so that DATETIME columns it fills are UTC. False also when it cannot be told.
    Result<bool> serverInUtc();
    Result<bool> seesTransactions();               //!< has PROCESS
    Result<bool> hidesLag();                       //!< read only like a replica, and this account may not ask how far behind it is
    //! As information_schema prints it. Fault::Schema when there is no such column.
    Result<std::string> columnType(const TableRef& ref, const std::string& column, bool* nullable = nullptr);
    Result<std::string> engineOf(const TableRef& ref);     //!< "InnoDB"; empty for a view

private:
    Result<std::vector<TableInfo>> read(const std::string& schemaCondition, const std::string& tableName);
    Result<> readColumns(std::map<TableRef, TableInfo>& tables, const std::string& where);
    Result<> readIndexes(std::map<TableRef, TableInfo>& tables, const std::string& where);
    Result<> readForeignKeys(std::map<TableRef, TableInfo>& tables, const std::string& where);
    void readJsonChecks(std::map<TableRef, TableInfo>& tables, const std::string& schemaCondition, const std::string& tableName);
    Result<> sampleFlags(TableInfo& table);
    Result<> addOwnFindings(std::vector<TableInfo>& tables);
    Connection& m_connection;
    std::map<TableRef, std::string> m_rowEnds;     //!< MariaDB's column GENERATED ALWAYS AS ROW END
};

} // namespace millrace::mysql
