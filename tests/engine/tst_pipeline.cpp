#include "tests/support/tableworld.h"
#include <QtTest>

using namespace millrace;
using namespace millrace::test;

namespace {

//! A target whose sessions say what the test wants, whatever was sent.
class OddTarget final : public Target {
public:
    OddTarget(FakeStore& store, const Clock& clock, std::function<Result<WriteReport>(const Payload&)> answer) : m_real(store, clock), m_answer(std::move(answer)) {}
    Result<ServerInfo> server() override { return m_real.server(); }
    TestReport test(const std::function<void(const TestStage&)>& done, std::stop_token stop) override { return m_real.test(done, stop); }
    std::string durability() const override { return m_real.durability(); }
    std::string containerName(std::string_view prefix, std::string_view name) const override { return m_real.containerName(prefix, name); }
    Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop) override { return m_real.acquire(sync, owner, atLeast, stop); }
    Result<> heartbeat(const Lease& lease) override { return m_real.heartbeat(lease); }
    Result<> release(const Lease& lease) override { return m_real.release(lease); }
    Result<Prepared> prepare(const TablePlan& plan, const Lease& lease) override { return m_real.prepare(plan, lease); }
    std::unique_ptr<Encoder> encoder(TablePlanPtr plan) const override { return m_real.encoder(plan); }
    Result<std::unique_ptr<TargetSession>> session(TablePlanPtr, const Lease&, bool) override
    {
        class Odd final : public TargetSession {
        public:
            explicit Odd(const std::function<Result<WriteReport>(const Payload&)>& answer) : m_say(answer) {}
            Result<WriteReport> write(const Payload& payload, std::stop_token) override { return m_say(payload); }
        private:
            const std::function<Result<WriteReport>(const Payload&)>& m_say;
        };
        return std::unique_ptr<TargetSession>(std::make_unique<Odd>(m_answer));
    }
    Result<std::uint64_t> countVersions(const TablePlan& plan, std::uint64_t low, std::uint64_t high) override { return m_real.countVersions(plan, low, high); }
    Result<std::uint64_t> deleteVersions(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop) override
    { return m_real.deleteVersions(plan, lease, low, high, stop); }
    Result<std::uint64_t> countOwn(const TablePlan& plan) override { return m_real.countOwn(plan); }
    Result<> beginAside(const TablePlan& plan, const Lease& lease) override { return m_real.beginAside(plan, lease); }
    Result<> promoteAside(const TablePlan& plan, const Lease& lease) override { return m_real.promoteAside(plan, lease); }
    Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr plan, const std::vector<std::string>& keys) override { return m_real.readBack(plan, keys); }
    void expected(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form) const override { m_real.expected(plan, row, key, form); }
    Result<> drop(const TablePlan& plan, const Lease& lease) override { return m_real.drop(plan, lease); }
private:
    FakeTarget m_real;
    std::function<Result<WriteReport>(const Payload&)> m_answer;
};

} // namespace

//! What the pipeline makes of a target's answers.
class TestPipeline : public QObject {
    Q_OBJECT
private:
    static TableReport runWith(TableWorld& w, std::function<Result<WriteReport>(const Payload&)> answer)
    {
        w.database.createTable("film", {"id int", "title text"}, 1);
        for (int i = 0; i < 25; ++i)
            w.database.put("film", {i, "x"});
        FakeSource source(w.database);
        OddTarget target(w.store, w.clock, std::move(answer));
        auto lease = target.acquire("sync", "home-a", 0, {});
        Committer committer(w.meta);
        RateLimiter rate(w.clock, 0);
        TableLive live;
        TableRun table({source, target, fakePlan(w.database, "film"), *lease, w.meta, committer, rate, w.clock, live, 1, w.def, false, {}, 0});
        return table.run(TableRun::Kind::Normal, {});
    }
    static WriteReport allWritten(const Payload& payload)
    {
        WriteReport report;
        report.written = payload.items.size();
        return report;
    }
private slots:
    void anAnswerThatLeavesRowsOutIsAFailure()
    {
        TableWorld w;
        const auto report = runWith(w, [](const Payload& p) -> Result<WriteReport> { auto r = allWritten(p); --r.written; return r; });
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("engine.unaccounted"));
    }

    void transientErrorsEndAfterTheTriesAndKeepThePosition()
    {
        TableWorld w;
        int calls = 0;
        const auto report = runWith(w, [&](const Payload& p) -> Result<WriteReport> {
            if (++calls == 1) return allWritten(p);
            return Error{Fault::Network, "test.cut", "no answer", {}, {}};
        });
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("test.cut"));
        QVERIFY(calls > 5);
        std::uint64_t most = 0;
        for (const auto& c : w.meta.committed())
            for (const auto& s : TableCheckpoint::fromJson(c.state).value_or({}).segments)
                most = std::max(most, s.rows);
        QCOMPARE(most, std::uint64_t{10});
    }

    void fencedIsNotRetried()
    {
        TableWorld w;
        int calls = 0;
        const auto report = runWith(w, [&](const Payload&) -> Result<WriteReport> { ++calls; return Error{Fault::Fenced, "target.fenced", "taken over", {}, {}}; });
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->fault, Fault::Fenced);
        QCOMPARE(calls, 1);
    }

    void supersededRowsAreNotFailures()
    {
        TableWorld w;
        const auto report = runWith(w, [](const Payload& p) -> Result<WriteReport> { WriteReport r; r.superseded = p.items.size(); return r; });
        QCOMPARE(report.outcome, Outcome::Success);
        QCOMPARE(report.superseded, std::uint64_t{25});
        QCOMPARE(report.synced(), std::uint64_t{0});
    }

    // An exception that leaves a thread ends the process; one that passes the reader while lanes wait would hang it.
    void whatALibraryThrowsWhileWritingIsAFailureOfTheTable()
    {
        TableWorld w;
        w.store.setLanes(3);
        const auto report = runWith(w, [](const Payload&) -> Result<WriteReport> { throw std::runtime_error("a bug in a session"); });
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("engine.exception"));
        QVERIFY(report.error->detail.find("a bug in a session") != std::string::npos);
    }

    void whatALibraryThrowsWhileReadingIsAFailureOfTheTable()
    {
        TableWorld w;
        w.store.setLanes(3);
        w.database.onRead([](const std::string&, std::uint64_t rows) { if (rows >= 10) throw std::bad_alloc(); });
        const auto report = runWith(w, [](const Payload& p) -> Result<WriteReport> { return allWritten(p); });
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("engine.out_of_memory"));
    }

    void olderRowThatArrivesLateDoesNotHideANewerFailure()
    {
        TableWorld w;
        w.database.createTable("film", {"id int", "title text"}, 1);
        const auto plan = fakePlan(w.database, "film");
        RunCounters counters;
        Parking parking(w.meta, w.clock, plan, 1, 1000, counters);
        const auto batch = [&](std::uint64_t version) {
            auto b = std::make_unique<Batch>(plan->schema);
            b->append(Op::Upsert)[0] = Cell::integer(7);
            b->version = version;
            return b;
        };
        const auto older = batch(10), newer = batch(20), newest = batch(30);
        const std::vector<std::uint32_t> rows{0};
        const std::vector<RowFailure> failure{{0, {Fault::Data, "source.fake.broken", "unreadable", {}, {}}}};
        QVERIFY(parking.park(*newer, failure).has_value());                 // the reader is ahead of the writers
        QVERIFY(parking.arrived(*older, rows, {}).has_value());
        QCOMPARE(parking.parked(), std::uint64_t{1});
        QCOMPARE(w.meta.failures("sync", "film", {}, {})->size(), std::size_t{1});
        QVERIFY(parking.arrived(*newest, rows, {}).has_value());
        QVERIFY(w.meta.failures("sync", "film", {}, {})->empty());
    }

    void readerThatWaitsForAFailedLaneIsLetGo()
    {
        TableWorld w;
        w.database.createTable("film", {"id int", "title text"}, 1);
        for (int i = 0; i < 500; ++i)
            w.database.put("film", {i, std::string(1000, 'x')});
        FakeSource source(w.database);
        std::atomic<int> reads{0};
        w.database.onRead([&](const std::string&, std::uint64_t) { ++reads; });
        OddTarget target(w.store, w.clock, [&](const Payload&) -> Result<WriteReport> {
            while (reads < 3) std::this_thread::yield();                // the queue holds one batch: the reader is waiting now, or soon
            return Error{Fault::Storage, "test.full", "disk full", {}, {}};
        });
        auto lease = target.acquire("sync", "home-a", 0, {});
        QVERIFY(target.prepare(*fakePlan(w.database, "film"), *lease).has_value());
        Committer committer(w.meta);
        RateLimiter rate(w.clock, 0);
        BatchSizer sizer(10, 10);
        TableLive live;
        const auto plan = fakePlan(w.database, "film");
        Parking parking(w.meta, w.clock, plan, 1, 1000, live.counters);
        auto snapshot = source.snapshot(plan);
        auto reader = (*snapshot)->read({});
        Pipeline flow({**reader, target, plan, *lease, false, 0, parking, committer, rate, sizer, live, w.clock, nullptr, false, 1});
        const auto ran = flow.run({});
        QVERIFY(!ran);
        QCOMPARE(ran.error().id, std::string("test.full"));
        QVERIFY(!flow.reachedEnd());
    }
};

QTEST_APPLESS_MAIN(TestPipeline)
#include "tst_pipeline.moc"
