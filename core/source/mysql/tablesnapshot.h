#pragma once
#include "core/engine/source.h"
#include "core/source/mysql/connection.h"

namespace millrace::mysql {

//! One consistent view of one table in one session. InnoDB gives it across chunks; other engines do not, and then moved() is true.
class TableSnapshot final : public Snapshot {
public:
    static Result<std::unique_ptr<Snapshot>> open(const Config& config, TablePlanPtr plan);
    Result<std::unique_ptr<BatchReader>> read(const KeyRange& range) override;
    bool moved() override { return !m_consistent; }

private:
    TableSnapshot(std::unique_ptr<Connection> connection, TablePlanPtr plan, bool consistent)
        : m_connection(std::move(connection)), m_plan(std::move(plan)), m_consistent(consistent) {}
    std::unique_ptr<Connection> m_connection;
    TablePlanPtr m_plan;
    bool m_consistent;
    std::string m_softDelete;                      //!< SQL expression, or empty
};

} // namespace millrace::mysql
