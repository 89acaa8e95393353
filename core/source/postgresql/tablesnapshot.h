#pragma once
#include "core/engine/source.h"
#include "core/source/postgresql/connection.h"
#include "core/source/postgresql/shape.h"

namespace millrace::postgresql {

//! One consistent view of one table in one session, across all its pages.
class TableSnapshot final : public Snapshot {
public:
    static Result<std::unique_ptr<Snapshot>> open(const Config& config, TablePlanPtr plan);
    Result<std::unique_ptr<BatchReader>> read(const KeyRange& range) override;
    bool moved() override { return false; }

private:
    TableSnapshot(std::unique_ptr<Connection> connection, TablePlanPtr plan, Shape shape)
        : m_connection(std::move(connection)), m_plan(std::move(plan)), m_shape(std::move(shape)) {}
    std::unique_ptr<Connection> m_connection;
    TablePlanPtr m_plan;
    Shape m_shape;
};

} // namespace millrace::postgresql
