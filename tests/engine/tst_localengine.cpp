#include "core/engine/localengine.h"
#include "tests/support/fakes.h"
#include "tests/support/memorystore.h"
#include <QtTest>

using namespace millrace;
using namespace millrace::test;

namespace {

//! Hands out sources and targets on one fake database and one fake store, by URL scheme.
class FakeConnectors final : public Connectors {
public:
    FakeConnectors(FakeDatabase& database, FakeStore& store, const Clock& clock) : m_database(database), m_store(store), m_clock(clock) {}
    std::vector<ConnectorSpec> specs() const override
    {
        ConnectorSpec source, target;
        source.id = "sqlite"; source.label = "Fake database"; source.schemes = {"sqlite"}; source.source = true;
        target.id = "embedded"; target.label = "Fake store"; target.schemes = {"embedded"}; target.target = true;
        return {source, target};
    }
    Result<std::unique_ptr<Source>> openSource(const ConnectionParams&) const override { return std::unique_ptr<Source>(std::make_unique<FakeSource>(m_database)); }
    Result<std::unique_ptr<Target>> openTarget(const ConnectionParams&) const override { return std::unique_ptr<Target>(std::make_unique<FakeTarget>(m_store, m_clock)); }
private:
    FakeDatabase& m_database;
    FakeStore& m_store;
    const Clock& m_clock;
};

class NoSecrets final : public SecretVault {
public:
    Result<Secret> resolve(const SecretRef&, std::string_view) override { return Secret("secret"); }
    Result<SecretRef> keep(std::string_view, const Secret&) override { return SecretRef{SecretRef::Kind::Stored, {}}; }
    Result<> forget(std::string_view) override { return {}; }
    std::string describe() const override { return "test"; }
};

class NoProof final : public Verifier {
public:
    Result<TableVerdict> verify(Source&, Target&, TablePlanPtr, const Options&, std::stop_token) override
    {
        TableVerdict verdict;
        verdict.verdict = answer;
        return verdict;
    }
    Verdict answer = Verdict::Identical;
};

class Collected final : public Log {
public:
    void write(LogEntry entry) noexcept override { std::lock_guard lock(m_mutex); entries.push_back(std::move(entry)); }
    std::vector<LogEntry> entries;
private:
    std::mutex m_mutex;
};

struct World {
    SystemClock clock;
    FakeDatabase database;
    FakeStore store;
    MemoryStore meta;
    NoSecrets vault;
    NoProof verifier;
    Collected log;
    FakeConnectors connectors{database, store, clock};
    std::unique_ptr<LocalEngine> engine;

    explicit World(const std::vector<std::string>& tables = {"film", "actor"}, int rows = 50)
    {
        for (const auto& table : tables) {
            database.createTable(table, {"id int", "title text", "updated int"}, 1);
            for (int i = 0; i < rows; ++i)
                database.put(table, {i, table + std::to_string(i), nullptr});
        }
        start();
        ConnectionDef source, target;
        source.name = "shop"; source.url = "sqlite:///tmp/shop.db";
        target.name = "docs"; target.url = "embedded:///tmp/docs.db";
        if (!engine->saveConnection(source, {}) || !engine->saveConnection(target, {}) || !engine->saveSync(def()))
            qFatal("the world cannot be set up");
    }
    void start(LocalEngine::Access access = LocalEngine::Access::Act)
    {
        engine = std::make_unique<LocalEngine>(EngineParts{meta, vault, connectors, verifier, clock, log, "/tmp", {}, 3}, access);
        if (!engine->open()) qFatal("the engine does not open");
    }
    static SyncDef def()
    {
        SyncDef d;
        d.name = "sync"; d.source = "shop"; d.target = "docs";
        return d;
    }
    RunReport run(RunRequest request = {})
    {
        request.sync = "sync";
        auto id = engine->start(request);
        if (!id) { RunReport r; r.error = id.error(); return r; }
        return engine->wait(*id).value_or(RunReport{});
    }
};

} // namespace

class TestLocalEngine : public QObject {
    Q_OBJECT
private slots:
    void runsAllTables()
    {
        World w;
        const auto report = w.run();
        QCOMPARE(report.outcome, Outcome::Success);
        QCOMPARE(report.tables.size(), std::size_t{2});
        QCOMPARE(w.store.documents("film").size(), std::size_t{50});
        QCOMPARE(w.engine->history("sync", 10)->size(), std::size_t{1});
        const auto snapshot = w.engine->snapshot();
        QCOMPARE(snapshot->syncs.size(), std::size_t{1});
        QCOMPARE(snapshot->syncs[0].tables.size(), std::size_t{2});
        QVERIFY(snapshot->syncs[0].state == State::Idle);
    }

    void oneFailingTableDoesNotStopItsNeighbour()
    {
        World w;
        w.database.failRead("film", 10, {Fault::Data, "source.fake.broken", "broken page", {}, {}}, 100);
        const auto report = w.run();
        QCOMPARE(report.outcome, Outcome::Partial);
        QCOMPARE(w.store.documents("actor").size(), std::size_t{50});
        auto statuses = w.meta.statuses("sync");
        for (const auto& s : *statuses)
            QCOMPARE(s.state, s.table == "film" ? State::Failed : State::Idle);
    }

    void droppedColumnNeedsResync()
    {
        World w;
        QCOMPARE(w.run().outcome, Outcome::Success);
        w.database.dropColumn("film", "title");
        const auto report = w.run();
        QCOMPARE(report.outcome, Outcome::Partial);
        for (const auto& s : *w.meta.statuses("sync"))
            QCOMPARE(s.state, s.table == "film" ? State::NeedsResync : State::Idle);
        RunRequest full;
        full.kind = RunRequest::Kind::Full;
        QCOMPARE(w.run(full).outcome, Outcome::Success);
    }

    void newTableWaitsForADecision()
    {
        World w;
        QCOMPARE(w.run().outcome, Outcome::Success);
        w.database.createTable("category", {"id int", "name text"}, 1);
        w.database.put("category", {1, "Drama"});
        QCOMPARE(w.run().tables.size(), std::size_t{2});
        QVERIFY(std::any_of(w.log.entries.begin(), w.log.entries.end(), [](const LogEntry& e) { return e.text.find("category") != std::string::npos; }));
        auto def = World::def();
        def.newTables = NewTables::Include;
        QVERIFY(w.engine->saveSync(def).has_value());
        QCOMPARE(w.run().tables.size(), std::size_t{3});
    }

    void twoTablesOntoOneNameAreRefusedBeforeAnythingIsWritten()
    {
        World w;
        auto def = World::def();
        TableRule all, film;
        all.name = "*";
        film.name = "film"; film.to = "actor";
        def.tables = {all, film};
        QVERIFY(w.engine->saveSync(def).has_value());
        const auto report = w.run();
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("config.name_clash"));
        QVERIFY(!w.store.exists("actor"));
    }

    void secondHomeIsRefusedWhileTheFirstHoldsTheLease()
    {
        World w;
        FakeTarget other(w.store, w.clock);
        auto lease = other.acquire("sync", "home-b", 0, {});
        QVERIFY(lease.has_value());
        const auto report = w.run();
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->fault, Fault::Fenced);
        QVERIFY(other.release(*lease).has_value());
        QCOMPARE(w.run().outcome, Outcome::Success);
    }

    void startedTwiceIsRefused()
    {
        World w;
        w.store.hold();
        RunRequest request;
        request.sync = "sync";
        auto first = w.engine->start(request);
        QVERIFY(first.has_value());
        QTRY_VERIFY(w.store.held() > 0);
        auto second = w.engine->start(request);
        QVERIFY(!second);
        QCOMPARE(second.error().id, std::string("engine.already_running"));
        w.store.letGo();
        QCOMPARE(w.engine->wait(*first)->outcome, Outcome::Success);
    }

    void stopKeepsThePositionAndTheNextRunGoesOn()
    {
        World w({"film"}, 5000);
        w.store.hold();
        RunRequest request;
        request.sync = "sync";
        auto id = w.engine->start(request);
        QTRY_VERIFY(w.store.held() > 0);
        w.engine->stop("sync");
        w.store.letGo();
        const auto stopped = w.engine->wait(*id);
        QCOMPARE(stopped->outcome, Outcome::Cancelled);
        QCOMPARE(w.run().outcome, Outcome::Success);
        QCOMPARE(w.store.documents("film").size(), std::size_t{5000});
    }

    void intervalStartsARunWhileSchedulingIsOn()
    {
        World w;
        auto def = World::def();
        def.every = "250ms";
        QVERIFY(w.engine->saveSync(def).has_value());
        w.engine->setScheduling(true);
        QTRY_VERIFY_WITH_TIMEOUT(w.engine->history("sync", 10)->size() >= 3, 10000);
        QVERIFY(w.engine->setPaused("sync", true).has_value());
        w.engine->setScheduling(false);
    }

    void parkedRowsAreRetriedByKey()
    {
        World w;
        w.store.rejectKey("7", {Fault::Data, "target.fake.refused", "no", {}, {}});
        QCOMPARE(w.run().outcome, Outcome::Partial);
        QCOMPARE(w.engine->failures("sync", {}, {}, {})->size(), std::size_t{2});      // one of each table
        w.store.acceptKey("7");
        const auto retried = w.engine->retryFailures("sync", {}, {});
        QVERIFY(retried.has_value());
        QCOMPARE(retried->outcome, Outcome::Success);
        QVERIFY(w.engine->failures("sync", {}, {}, {})->empty());
        QCOMPARE(w.store.documents("film").size(), std::size_t{50});
    }

    void partialBackfillMovesNoCheckpoint()
    {
        World w;
        QCOMPARE(w.run().outcome, Outcome::Success);
        w.database.setFilter("id < 5", [](const FakeRow& row) { return row[0].number < 5; });
        w.store.erase("film", "3");
        const auto before = w.meta.committed().size();
        RunRequest request;
        request.where = "id < 5";
        const auto report = w.run(request);
        QCOMPARE(report.outcome, Outcome::Success);
        QCOMPARE(report.tables[0].read, std::uint64_t{5});
        QCOMPARE(w.store.documents("film").size(), std::size_t{50});
        QCOMPARE(w.meta.committed().size(), before);
    }

    void planSaysWhatWillHappen()
    {
        World w;
        const auto plan = w.engine->plan(World::def());
        QVERIFY(plan.has_value());
        QCOMPARE(plan->tables.size(), std::size_t{2});
        QVERIFY(plan->sentences.front().text.find("2 tables") != std::string::npos);
        QVERIFY(!w.store.exists("film"));
    }

    void dryRunWritesNothing()
    {
        World w;
        const auto dry = w.engine->dryRun(World::def(), {});
        QVERIFY(dry.has_value());
        QCOMPARE(dry->tables[0].read, std::uint64_t{50});
        QVERIFY(!w.store.exists("film"));
    }

    void verdictIsKeptWithItsTime()
    {
        World w;
        QCOMPARE(w.run().outcome, Outcome::Success);
        const auto proof = w.engine->verify("sync", {}, {});
        QVERIFY(proof.has_value());
        QCOMPARE(proof->verdict, Verdict::Identical);
        for (const auto& s : *w.meta.statuses("sync")) {
            QCOMPARE(s.verified, std::string("identical"));
            QVERIFY(s.verifiedMs > 0);
        }
        w.verifier.answer = Verdict::Different;
        QCOMPARE(w.engine->verify("sync", {}, {})->verdict, Verdict::Different);
    }

    void usedConnectionIsNotRemoved()
    {
        World w;
        const auto removed = w.engine->removeConnection("shop");
        QVERIFY(!removed);
        QCOMPARE(removed.error().id, std::string("config.connection_in_use"));
    }

    void whoOnlyLooksChangesNothing()
    {
        World w;
        w.start(LocalEngine::Access::Look);
        QVERIFY(!w.engine->saveSync(World::def()));
        QVERIFY(!w.engine->start({"sync", {}, {}, {}, false, "test"}));
        QVERIFY(w.engine->plan(World::def()).has_value());
    }
};

QTEST_APPLESS_MAIN(TestLocalEngine)
#include "tst_localengine.moc"
