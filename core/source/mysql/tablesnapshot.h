#pragma once
#include "core/engine/source.h"
#include "core/source/mysql/connection.h"

namespace millrace::mysql {

//! One consistent view of one table in one session. InnoDB gives it across chunks; for other engines moved() asks when the table was
//! last written.
class TableSnapshot final : public Snapshot {
public:
    static Result<std::unique_ptr<Snapshot>> open(const Config& config, TablePlanPtr plan);
    Result<std::unique_ptr<BatchReader>> read(const KeyRange& range) override;
    bool moved() override;
    Result<std::optional<std::uint64_t>> countUntouched(const KeyRange& range, const Position& mark) override;

private:
    TableSnapshot(std::unique_ptr<Connection> connection, TablePlanPtr plan, bool consistent)
        : m_connection(std::move(connection)), m_plan(std::move(plan)), m_consistent(consistent) {}
    std::unique_ptr<Connection> m_connection;
    TablePlanPtr m_plan;
    bool m_consistent;
    std::string m_softDelete;                      //!< SQL expression, or empty
    std::string m_since;                           //!< the server's clock when the rows that moved() speaks of began to be read
};

} // namespace millrace::mysql
