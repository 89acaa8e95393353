#pragma once
#include "core/engine/discovery.h"
#include "core/source/postgresql/connection.h"
#include <map>

namespace millrace::postgresql {

//! Reads pg_catalog: a fixed number of queries however many tables there are.
class Catalog {
public:
    explicit Catalog(Connection& connection) : m_connection(connection) {}

    //! All tables and views outside the system's own schemas that this user may read. Partitions come with their table alone.
    Result<std::vector<TableInfo>> tables(std::string_view glob);
    //! One table. Fault::Auth with the GRANT when it is there but may not be read.
    Result<TableInfo> table(const TableRef& ref);

    //! Whether the zone that sessions of this user begin in is UTC the whole year, so that TIMESTAMP columns they fill are UTC.
    Result<bool> serverInUtc();
    //! Sees when other users' transactions began: a superuser, or a member of pg_read_all_stats.
    Result<bool> seesActivity();
    Result<bool> inRecovery();                     //!< a standby: the primary's open transactions cannot be seen from here
    //! The canonical type of a column. Fault::Schema when there is no such column.
    Result<ColumnInfo> column(const TableRef& ref, const std::string& name);

private:
    struct Found { TableInfo info; bool readable = true, rowSecurity = false; };
    using Tables = std::map<std::uint32_t, Found>;
    Result<Tables> read(const std::string& filter);
    Result<> readColumns(Tables& tables, const std::string& filter);
    Result<> readIndexes(Tables& tables, const std::string& filter);
    Result<> readForeignKeys(Tables& tables, const std::string& filter);
    Result<> readTriggers(Tables& tables, const std::string& filter);
    Result<> addOwnFindings(std::vector<TableInfo>& tables);
    Connection& m_connection;
};

//! SQL that both the catalogue and the reader need: domains resolved to what they are made of. A common table expression `base` of
//! (oid, type, modifier), to stand after WITH RECURSIVE.
extern const char* const domainBase;

Error privilegeMissing(const TableRef& ref, const Config& config);

} // namespace millrace::postgresql
