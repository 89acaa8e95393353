#pragma once
#include "core/engine/target.h"
#include "core/target/embedded/sqlite.h"
#include "core/target/embedded/writegate.h"
#include <optional>

namespace millrace::embedded {

//! Writes payloads into one table over a connection of its own, one transaction each.
class EmbeddedSession final : public TargetSession {
public:
    //! `table`: where documents go (the container, or what is built aside). `adopted`: documents of others live there too.
    static Result<std::unique_ptr<TargetSession>> open(const std::string& path, std::shared_ptr<WriteGate> gate, TablePlanPtr plan, Lease lease,
        const std::string& table, bool adopted);
    Result<WriteReport> write(const Payload& payload, std::stop_token stop) override;
private:
    EmbeddedSession(Database database, std::shared_ptr<WriteGate> gate, TablePlanPtr plan, Lease lease)
        : m_database(std::move(database)), m_gate(std::move(gate)), m_plan(std::move(plan)), m_lease(std::move(lease)) {}
    Result<> prepare(const std::string& table, bool adopted);
    Result<> upsert(std::string_view key, std::string_view doc, std::int64_t version, WriteReport& report);
    Result<> remove(std::string_view key, std::int64_t version, WriteReport& report);

    Database m_database;                           // before the statements: they die first
    std::shared_ptr<WriteGate> m_gate;
    TablePlanPtr m_plan;
    Lease m_lease;
    std::optional<Statement> m_leaseHeld, m_upsert, m_delete, m_probe, m_mark, m_unmark;   //!< the marks only where others' documents live
};

} // namespace millrace::embedded
