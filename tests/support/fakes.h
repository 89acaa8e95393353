#pragma once
#include "core/base/clock.h"
#include "core/engine/source.h"
#include "core/engine/target.h"
#include <atomic>
#include <condition_variable>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

namespace millrace::test {

//! A clock that moves only when told to (or when somebody waits on it). Thread-safe.
class FakeClock final : public Clock {
public:
    explicit FakeClock(std::int64_t nowMs = 1'800'000'000'000) : m_us(nowMs * 1000) {}
    std::int64_t nowMs() const override { return m_us / 1000; }
    std::int64_t steadyUs() const override { return m_us; }
    //! Does not sleep: time jumps to the end of the wait, so that backoff and settling cost nothing.
    bool wait(std::chrono::milliseconds duration, std::stop_token stop) const override { m_us += duration.count() * 1000; return !stop.stop_requested(); }
    void advance(std::chrono::milliseconds duration) { m_us += duration.count() * 1000; }
private:
    mutable std::atomic<std::int64_t> m_us;
};

//! One value of a fake row: null, a number or a text.
struct FakeValue {
    Type type = Type::Null;
    std::int64_t number = 0;
    double real = 0;
    std::string text;
    FakeValue() = default;
    FakeValue(std::nullptr_t) {}
    FakeValue(int v) : type(Type::Int), number(v) {}
    FakeValue(std::int64_t v) : type(Type::Int), number(v) {}
    FakeValue(bool v) : type(Type::Bool), number(v) {}
    FakeValue(double v) : type(Type::Real), real(v) {}
    FakeValue(const char* v) : type(Type::Text), text(v) {}
    FakeValue(std::string v, Type t = Type::Text) : type(t), text(std::move(v)) {}
    Cell cell(Batch& batch) const;
    auto operator<=>(const FakeValue&) const = default;
};
using FakeRow = std::vector<FakeValue>;

//! A database in memory that FakeSources read. Rows have a stamp: the logical clock at which they were written, not at which they
//! were committed, like `updated_at` in real life. The clock moves only by tick(), so ties are the rule. Thread-safe.
class FakeDatabase {
public:
    //! Columns "name type": {"id int", "title text", "updated int"}; the first `keyColumns` are the key (0: keyless). A column called
    //! `updated` is set to the stamp by put().
    void createTable(const std::string& table, const std::vector<std::string>& columns, std::size_t keyColumns = 1);
    void dropColumn(const std::string& table, const std::string& column);
    void dropTable(const std::string& table);
    void put(const std::string& table, FakeRow row);             //!< upsert by key, committed at once; keyless: appends
    void erase(const std::string& table, const FakeRow& key);    //!< leaves a line in the deleted-rows log
    void clear(const std::string& table);
    std::vector<FakeRow> rows(const std::string& table) const;   //!< in key order
    void tick(std::int64_t by = 1);
    std::int64_t now() const;

    //! A transaction that is open from begin to commit: its rows carry stamps of when they were put.
    using Tx = std::uint64_t;
    Tx begin();
    void put(Tx tx, const std::string& table, FakeRow row);
    void commit(Tx tx);

    //! From the `afterRows`-th row of a reader on, the next `times` reads fail.
    void failRead(const std::string& table, std::uint64_t afterRows, Error error, int times = 1);
    void failProof(const std::string& table, std::uint64_t afterRows, Error error, int times = 1);
    void failOpen(Error error, int times = 1);                    //!< server(), describe(), discover(), mark(), snapshot() fail
    void rejectRow(const std::string& table, const FakeRow& key, Error error);   //!< readers reject it, in every read
    void acceptRow(const std::string& table, const FakeRow& key);
    void setFilter(const std::string& where, std::function<bool(const FakeRow&)> keep);   //!< what plan.where means
    void setConsistentSnapshots(bool on);                         //!< off: ranges see the present, and Snapshot::moved() tells (default on)
    //! Called by readers before each read with the rows they gave so far, without any lock held.
    void onRead(std::function<void(const std::string& table, std::uint64_t rowsSoFar)> hook);

private:
    friend class FakeSource;
    friend class FakeSnapshot;
    friend class FakeReader;
    struct Stored { FakeRow row; std::int64_t stamp = 0; };
    struct Fault { std::uint64_t afterRows = 0; Error error; int times = 0; };
    struct Table {
        TableInfo info;
        std::size_t keyColumns = 1;
        std::map<FakeRow, Stored> rows;                           //!< by key; keyless: by ordinal
        std::map<FakeRow, std::int64_t> deleted;
        std::map<FakeRow, Error> rejected;
        std::optional<Fault> readFault, proofFault;
        std::uint64_t revision = 0;
    };
    struct Open { std::int64_t began = 0; std::vector<std::tuple<std::string, FakeRow, std::int64_t>> puts; };
    void store(Table& table, FakeRow row, std::int64_t stamp);
    void stampRow(const Table& table, FakeRow& row) const;

    mutable std::mutex m_mutex;
    std::map<std::string, Table> m_tables;
    std::map<Tx, Open> m_open;
    std::map<std::string, std::function<bool(const FakeRow&)>> m_filters;
    std::function<void(const std::string&, std::uint64_t)> m_hook;
    std::optional<Fault> m_openFault;
    std::int64_t m_now = 1;
    std::int64_t m_ordinal = 0;
    Tx m_nextTx = 1;
    bool m_consistent = true;
};

//! Reads a FakeDatabase, which must outlive it. Timestamp changes obey the horizon: the position never passes an open transaction.
class FakeSource : public Source {
public:
    explicit FakeSource(FakeDatabase& database) : m_database(database) {}
    Result<ServerInfo> server() override;
    TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override;
    Result<std::vector<TableInfo>> discover(std::string_view glob, std::stop_token stop) override;
    Result<TableInfo> describe(const TableRef& table) override;
    Result<> preflight(const TablePlan& plan) override;
    Result<Position> mark(const TablePlan& plan) override;
    Result<std::unique_ptr<Snapshot>> snapshot(TablePlanPtr plan) override;
    Result<std::unique_ptr<BatchReader>> changes(TablePlanPtr plan, const Position& from) override;
    Result<std::unique_ptr<BatchReader>> proof(TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys) override;
private:
    Result<> opening();
    FakeDatabase& m_database;
};

//! A document store in memory that FakeTargets write; it survives them, like a server survives its clients. Thread-safe.
class FakeStore {
public:
    struct Document { std::string form; std::uint64_t version = 0; bool ours = true; };
    using Documents = std::map<std::string, Document>;           //!< by key text

    Documents documents(const std::string& container) const;
    bool exists(const std::string& container) const;
    void put(const std::string& container, const std::string& key, Document document);   //!< a foreign client, or damage done by hand
    void erase(const std::string& container, const std::string& key);
    void remove(const std::string& container);
    void ageLease(const std::string& sync, std::int64_t seconds);
    std::uint64_t writes() const;                                 //!< payloads that were applied
    std::uint64_t epoch(const std::string& sync) const;

    enum class When { BeforeApply, AfterApply };                  //!< AfterApply: applied, but the answer is lost
    //! The n-th write from now (1: the next) and the `times` - 1 after it fail.
    void failWrite(std::uint64_t nth, Error error, int times = 1, When when = When::BeforeApply);
    void failReadBack(std::uint64_t afterDocuments, Error error, int times = 1);
    void failOpen(Error error, int times = 1);                    //!< server(), acquire(), prepare(), session() fail
    void rejectKey(const std::string& key, Error error);          //!< the store refuses this document, the others go on
    void acceptKey(const std::string& key);
    //! Writes wait (slow ack) until letGo(); held() tells how many wait now.
    void hold();
    void letGo();
    std::size_t held() const;
    //! Called after each applied write, without any lock held.
    void onWrite(std::function<void(const std::string& container, const WriteReport&)> hook);
    void setLanes(unsigned lanes);                                //!< default 1

private:
    friend class FakeTarget;
    friend class FakeTargetSession;
    friend class FakeDocumentReader;
    struct Container { std::string sync; bool own = true; Documents documents; std::optional<Documents> aside; };
    struct Held { std::string owner; std::uint64_t epoch = 0; std::int64_t beatMs = 0; bool live = false; };
    struct Fault { std::uint64_t nth = 0; Error error; int times = 0; When when = When::BeforeApply; };
    bool holds(const Lease& lease) const;

    mutable std::mutex m_mutex;
    std::condition_variable_any m_changed;
    std::map<std::string, Container> m_containers;
    std::map<std::string, Held> m_leases;
    std::map<std::string, Error> m_rejects;
    std::optional<Fault> m_writeFault, m_readFault, m_openFault;
    std::function<void(const std::string&, const WriteReport&)> m_hook;
    std::uint64_t m_writes = 0;
    std::size_t m_waiting = 0;
    unsigned m_lanes = 1;
    bool m_hold = false;
};

//! Writes into a FakeStore, which must outlive it. A document is its normal form: "field \x1f value \x1e", values as JSON texts.
class FakeTarget : public Target {
public:
    FakeTarget(FakeStore& store, const Clock& clock) : m_store(store), m_clock(clock) {}
    Result<ServerInfo> server() override;
    TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override;
    std::string durability() const override { return "kept in memory"; }
    std::string containerName(std::string_view prefix, std::string_view name) const override;
    std::string foldedName(std::string_view container) const override;
    unsigned lanes() const override;
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
    Result<> opening();
    FakeStore& m_store;
    const Clock& m_clock;
};

//! A plan with all columns under their own names, as a run would resolve it.
TablePlanPtr fakePlan(const FakeDatabase& database, const std::string& table, Strategy strategy = Strategy::Full, const std::string& sync = "sync");

} // namespace millrace::test
