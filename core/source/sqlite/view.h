#pragma once
#include "core/engine/plan.h"
#include "core/source/sqlite/config.h"
#include "core/source/sqlite/connection.h"

namespace millrace::sqlitesource {

//! A connection with a read transaction that is opened and closed at will, and that watches the table's shape. In WAL mode it may stay
//! open for long; with a rollback journal it must not, because a reader keeps every writer from committing.
class View {
public:
    static Result<std::unique_ptr<View>> open(const Config& config, TablePlanPtr plan);
    Connection& connection() { return *m_connection; }
    bool wal() const { return m_wal; }
    bool utf8() const { return m_utf8; }
    bool isOpen() const { return m_open; }
    //! Begins the read transaction and fixes what it sees. Fault::Schema when the table is no longer what the plan says.
    Result<> begin();
    void end();
    ~View() { end(); }
private:
    View(std::unique_ptr<Connection> connection, TablePlanPtr plan) : m_connection(std::move(connection)), m_plan(std::move(plan)) {}
    Result<> checkShape();
    std::unique_ptr<Connection> m_connection;
    TablePlanPtr m_plan;
    Statement m_begin, m_commit, m_schemaVersion;
    std::int64_t m_seenVersion = -1;
    std::vector<std::string> m_primaryKey;
    bool m_wal = false, m_utf8 = true, m_open = false;
};

} // namespace millrace::sqlitesource
