#pragma once
#include "core/base/clock.h"
#include "core/engine/target.h"
#include "core/target/embedded/catalog.h"
#include "core/target/embedded/writegate.h"
#include <mutex>

namespace millrace::embedded {

//! Thread-safe, though nobody asks for it: one mutex around one connection.
class EmbeddedTarget final : public Target {
public:
    EmbeddedTarget(std::string path, const Clock& clock) : m_path(std::move(path)), m_clock(clock), m_gate(WriteGate::of(m_path)) {}
    Result<ServerInfo> server() override;
    TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override;
    std::string durability() const override { return "fsynced by SQLite"; }
    std::string containerName(std::string_view prefix, std::string_view name) const override;
    std::string foldedName(std::string_view container) const override;
    std::string fieldRefused(std::string_view name) const override;
    std::string carryNote(const Column& column) const override;
    Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop) override;
    Result<> heartbeat(const Lease& lease) override;
    Result<> release(const Lease& lease) override;
    Result<Prepared> prepare(const TablePlan& plan, const Lease& lease) override;
    std::unique_ptr<Encoder> encoder(TablePlanPtr plan) const override;
    Result<std::unique_ptr<TargetSession>> session(TablePlanPtr plan, const Lease& lease, bool insertOnly) override;
    Result<std::uint64_t> countVersions(const TablePlan& plan, std::uint64_t low, std::uint64_t high) override;
    Result<std::uint64_t> deleteVersions(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop) override;
    Result<std::uint64_t> countOwn(const TablePlan& plan) override;
    bool countsExactly() const override { return true; }
    Result<> beginAside(const TablePlan& plan, const Lease& lease) override;
    Result<> promoteAside(const TablePlan& plan, const Lease& lease) override;
    Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr plan, const std::vector<std::string>& keys) override;
    void expected(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form) const override;
    Result<> drop(const TablePlan& plan, const Lease& lease) override;

private:
    Result<Database*> database();                  //!< opened by the first call; with m_mutex held
    //! One write transaction, inside the gate; `body` gets the connection and runs under the lease unless `lease` is null.
    Result<> transact(const Lease* lease, std::stop_token stop, const std::function<Result<>(Database&)>& body, const char* crash = nullptr);
    Result<> replaceable(Database& db, const TablePlan& plan, const Standing& standing);
    Result<std::uint64_t> deleteOwn(const TablePlan& plan, const Lease& lease, std::int64_t low, std::int64_t high, std::stop_token stop);
    Result<std::uint64_t> deleteMarked(const TablePlan& plan, const Lease& lease, std::int64_t low, std::int64_t high, std::stop_token stop);

    const std::string m_path;
    const Clock& m_clock;
    const std::shared_ptr<WriteGate> m_gate;
    std::mutex m_mutex;
    std::optional<Database> m_database;
};

} // namespace millrace::embedded
