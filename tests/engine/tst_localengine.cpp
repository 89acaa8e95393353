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
    Result<std::unique_ptr<Source>> openSource(const ConnectionParams&) const override
    {
        if (opening) opening();
        return std::unique_ptr<Source>(std::make_unique<FakeSource>(m_database));
    }
    Result<std::unique_ptr<Target>> openTarget(const ConnectionParams&) const override { return std::unique_ptr<Target>(std::make_unique<FakeTarget>(m_store, m_clock)); }
    std::function<void()> opening;
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
        if (looking) looking();
        if (error) return *error;
        TableVerdict verdict;
        verdict.verdict = answer;
        return verdict;
    }
    Verdict answer = Verdict::Identical;
    std::optional<Error> error;
    std::function<void()> looking;
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
        for (const auto& s : w.meta.statuses("sync").value_or({}))
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

    void aCopiedTableThatIsGoneIsTold()
    {
        World w;
        QCOMPARE(w.run().outcome, Outcome::Success);
        auto statuses = w.meta.statuses("sync");
        TableStatus gone = statuses->front();
        gone.table = gone.container = "category";
        QVERIFY(w.meta.saveStatus(gone).has_value());
        const auto report = w.run();
        QCOMPARE(report.outcome, Outcome::Partial);
        const auto it = std::find_if(report.tables.begin(), report.tables.end(), [](const TableReport& t) { return t.table == "category"; });
        QVERIFY(it != report.tables.end());
        QCOMPARE(it->error->id, std::string("engine.table_gone"));
        auto def = World::def();
        def.exclude = {"category"};
        QCOMPARE(w.engine->snapshot()->syncs[0].state, State::NeedsResync);
        QVERIFY(w.engine->saveSync(def).has_value());
        QCOMPARE(w.run().outcome, Outcome::Success);
        QCOMPARE(w.engine->snapshot()->syncs[0].state, State::Idle);
    }

    void typoInTheDefinitionIsToldOnceAndLeavesNothingBehind()
    {
        World w;
        auto def = World::def();
        TableRule all, typo;
        all.name = "*";
        typo.name = "flim";
        def.tables = {all, typo};
        QVERIFY(w.engine->saveSync(def).has_value());
        for (int run = 0; run < 2; ++run) {
            const auto report = w.run();
            QCOMPARE(report.outcome, Outcome::Partial);
            QCOMPARE(report.tables.size(), std::size_t{3});
        }
        QVERIFY(w.engine->saveSync(World::def()).has_value());
        const auto report = w.run();
        QCOMPARE(report.outcome, Outcome::Success);
        QCOMPARE(report.tables.size(), std::size_t{2});
        QCOMPARE(w.engine->snapshot()->syncs[0].state, State::Idle);
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
        for (const auto& s : w.meta.statuses("sync").value_or({})) {
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

    void whoLooksSeesWhatTheOwnerDid()
    {
        World w;
        LocalEngine looking(EngineParts{w.meta, w.vault, w.connectors, w.verifier, w.clock, w.log, "/tmp", {}, 3}, LocalEngine::Access::Look);
        QVERIFY(looking.open().has_value());
        QVERIFY(looking.snapshot()->syncs[0].tables.empty());
        QCOMPARE(w.run().outcome, Outcome::Success);
        QTRY_VERIFY_WITH_TIMEOUT(looking.snapshot()->syncs[0].tables.size() == 2, 10000);
    }

    void firstRunOfOneTableLeavesTheOthersChosen()
    {
        World w;
        RunRequest one;
        one.tables = {"film"};
        QCOMPARE(w.run(one).tables.size(), std::size_t{1});
        QCOMPARE(w.run().tables.size(), std::size_t{2});
        QCOMPARE(w.store.documents("actor").size(), std::size_t{50});
    }

    void firstRunThatWasKilledLeavesTheOthersChosen()
    {
        World w;
        std::atomic<bool> early{false};                                     // two tables write side by side
        w.store.onWrite([&](const std::string&, const WriteReport&) { if (w.meta.statuses("sync")->size() != 2) early = true; });
        QCOMPARE(w.run().outcome, Outcome::Success);
        QVERIFY(!early);                                                    // all are chosen before the first document is written
    }

    void killBeforeTheFirstLeaseLeavesAllChosen()
    {
        World w;
        // A process that was killed while it stored its choice.
        TableStatus film;
        film.sync = "sync"; film.table = film.container = "film";
        QVERIFY(w.meta.saveStatus(film).has_value());
        QCOMPARE(w.run().tables.size(), std::size_t{2});
    }

    void nameThatWasRefusedCanBeChanged()
    {
        World w({"film"});
        FakeTarget other(w.store, w.clock);
        auto lease = other.acquire("other", "home-b", 0, {});
        QVERIFY(other.prepare(*fakePlan(w.database, "film", Strategy::Full, "other"), *lease).has_value());
        w.store.put("film", "900", {"theirs", 1, true});
        QCOMPARE(w.run().outcome, Outcome::Failed);
        auto def = World::def();
        def.prefix = "mine-";
        QVERIFY(w.engine->saveSync(def).has_value());
        QCOMPARE(w.run().outcome, Outcome::Success);
        QCOMPARE(w.store.documents("mine-film").size(), std::size_t{50});
        def.prefix = "later-";                                              // now there is something under the name: it stays
        QVERIFY(w.engine->saveSync(def).has_value());
        QCOMPARE(w.run().outcome, Outcome::Success);
        QVERIFY(!w.store.exists("later-film"));
        QVERIFY(w.engine->removeSync("sync", true).has_value());
        QVERIFY(!w.store.exists("mine-film"));
        QCOMPARE(w.store.documents("film").size(), std::size_t{1});
    }

    void typoInATableNameSpoilsNoState()
    {
        World w;
        QCOMPARE(w.run().outcome, Outcome::Success);
        RunRequest typo;
        typo.tables = {"flim"};
        const auto report = w.run(typo);
        QCOMPARE(report.error->id, std::string("config.no_such_table"));
        QCOMPARE(w.engine->snapshot()->syncs[0].state, State::Idle);
    }

    void sourceThatIsAwayIsShownByTheNextProcessToo()
    {
        World w;
        QCOMPARE(w.run().outcome, Outcome::Success);
        w.database.failOpen({Fault::Auth, "test.login", "access denied", "Check the password.", {}}, 1);
        QCOMPARE(w.run().outcome, Outcome::Failed);
        QCOMPARE(w.engine->snapshot()->syncs[0].state, State::Failed);
        w.start();
        QCOMPARE(w.engine->snapshot()->syncs[0].state, State::Failed);
        QCOMPARE(w.engine->snapshot()->syncs[0].tables[0].errorId, std::string("test.login"));
        QCOMPARE(w.run().outcome, Outcome::Success);
        QCOMPARE(w.engine->snapshot()->syncs[0].state, State::Idle);
    }

    void whatALibraryThrowsFailsTheRunAndNotTheProcess_data()
    {
        QTest::addColumn<int>("nth");
        QTest::addRow("while the run begins") << 1;
        QTest::addRow("in the first table") << 2;
        QTest::addRow("in the second table") << 3;
    }
    void whatALibraryThrowsFailsTheRunAndNotTheProcess()
    {
        QFETCH(int, nth);
        World w;
        std::atomic<int> calls{0};
        w.connectors.opening = [&] { if (++calls == nth) throw std::runtime_error("a bug in a connector"); };
        const auto report = w.run();
        QCOMPARE(report.outcome, nth == 1 ? Outcome::Failed : Outcome::Partial);
        const auto& snapshot = *w.engine->snapshot();
        if (nth > 1) QCOMPARE(snapshot.syncs[0].state, State::Failed);
        QCOMPARE(snapshot.syncs[0].run, RunId{0});
        QCOMPARE(w.run().outcome, Outcome::Success);
    }

    void stopThatComesAfterTheLastTableIsNoCancel()
    {
        World w;
        w.store.onWrite([&](const std::string&, const WriteReport&) { if (w.store.writes() == 2) w.engine->stop("sync"); });
        const auto report = w.run();
        // Each table is one batch: what was asked for was done. (Where the stop came before the reader's end, it is a cancel.)
        const bool all = std::all_of(report.tables.begin(), report.tables.end(), [](const TableReport& t) { return t.outcome == Outcome::Success; });
        QCOMPARE(report.outcome, all ? Outcome::Success : Outcome::Cancelled);
    }

    void dropThatWasInterruptedTakesTheLoadUpWithNewColumns()
    {
        World w({"film"}, 5000);
        w.store.failWrite(3, {Fault::Storage, "test.dead", "disk full", {}, {}});
        QCOMPARE(w.run().outcome, Outcome::Failed);
        w.database.dropColumn("film", "title");
        RunRequest full;
        full.kind = RunRequest::Kind::Full;
        const auto report = w.run(full);
        QVERIFY2(report.outcome == Outcome::Success, report.tables.empty() || !report.tables[0].error ? "" : report.tables[0].error->detail.c_str());
        QCOMPARE(w.store.documents("film").size(), std::size_t{5000});
    }

    void proofAndRunKeepEachOthersFacts()
    {
        World w({"film"});
        QCOMPARE(w.run().outcome, Outcome::Success);
        w.verifier.looking = [&] {                                          // the sync runs while the proof looks
            w.database.tick();
            w.database.put("film", {100, "new", nullptr});
            QCOMPARE(w.run().outcome, Outcome::Success);
        };
        const auto before = w.meta.statuses("sync")->front();
        QVERIFY(w.engine->verify("sync", {}, {}).has_value());
        const auto after = w.meta.statuses("sync")->front();
        QCOMPARE(after.rows, std::uint64_t{51});
        QVERIFY(after.lastSyncMs >= before.lastSyncMs);
        QCOMPARE(after.verified, std::string("identical"));
        w.verifier.looking = {};
        QCOMPARE(w.run().outcome, Outcome::Success);
        QCOMPARE(w.meta.statuses("sync")->front().verified, std::string("identical"));
    }

    void cancelledProofLeavesTheLastVerdict()
    {
        World w({"film"});
        QCOMPARE(w.run().outcome, Outcome::Success);
        QVERIFY(w.engine->verify("sync", {}, {}).has_value());
        w.verifier.error = Error{Fault::Cancelled, "verify.stopped", "stopped", {}, {}};
        QCOMPARE(w.engine->verify("sync", {}, {})->verdict, Verdict::Unknown);
        QCOMPARE(w.meta.statuses("sync")->front().verified, std::string("identical"));
    }

    void nothingElseHappensToASyncWhileFailedRowsAreRetried()
    {
        World w;
        w.store.rejectKey("7", {Fault::Data, "target.fake.refused", "no", {}, {}});
        QCOMPARE(w.run().outcome, Outcome::Partial);
        w.store.acceptKey("7");
        w.store.hold();
        std::optional<Result<RunReport>> retried;
        std::jthread other([&] { retried = w.engine->retryFailures("sync", {}, {}); });
        const bool waits = QTest::qWaitFor([&] { return w.store.held() > 0; }, 5000);
        RunRequest request;
        request.sync = "sync";
        const auto started = w.engine->start(request);
        const auto reset = w.engine->reset("sync", {});
        const auto removed = w.engine->removeSync("sync", false);
        w.store.letGo();
        other.join();
        QVERIFY(waits);
        QVERIFY(!started && started.error().id == "engine.already_running");
        QVERIFY(!reset && reset.error().id == "engine.already_running");
        QVERIFY(!removed && removed.error().id == "engine.already_running");
        QVERIFY(*retried && (*retried)->outcome == Outcome::Success);
        QCOMPARE(w.run().outcome, Outcome::Success);
    }

    void rowParkedForTwoCausesIsOneRow()
    {
        World w({"film"});
        auto def = World::def();
        w.store.rejectKey("7", {Fault::Data, "target.fake.refused", "no", {}, {}});
        QCOMPARE(w.run().outcome, Outcome::Partial);
        w.store.rejectKey("7", {Fault::Data, "target.fake.too_large", "too large", {}, {}});
        w.database.tick();
        w.database.put("film", {7, "changed", nullptr});
        QCOMPARE(w.run().outcome, Outcome::Partial);
        QCOMPARE(w.meta.statuses("sync")->front().failed, std::uint64_t{1});
        QCOMPARE(w.engine->verify("sync", {}, {})->tables[0].parked, std::uint64_t{1});
    }

    void newIntervalCountsAtOnce()
    {
        World w;
        auto def = World::def();
        def.every = "1d";
        QVERIFY(w.engine->saveSync(def).has_value());
        QCOMPARE(w.run().outcome, Outcome::Success);
        const auto due = [&] { return w.engine->snapshot()->syncs[0].nextRunMs; };
        QTRY_VERIFY(due() > w.clock.nowMs() + 3'600'000);
        def.every = "1m";
        QVERIFY(w.engine->saveSync(def).has_value());
        QTRY_VERIFY(due() < w.clock.nowMs() + 3'600'000);
        def.every.clear();
        QVERIFY(w.engine->saveSync(def).has_value());
        QTRY_COMPARE(due(), std::int64_t{0});
    }

    void pausedStaysPausedAfterARunByHand()
    {
        World w;
        auto def = World::def();
        def.every = "1m";
        QVERIFY(w.engine->saveSync(def).has_value());
        QVERIFY(w.engine->setPaused("sync", true).has_value());
        QCOMPARE(w.run().outcome, Outcome::Success);
        QVERIFY(w.engine->snapshot()->syncs[0].paused);
        QCOMPARE(w.engine->snapshot()->syncs[0].nextRunMs, std::int64_t{0});
        w.start();
        QVERIFY(w.engine->snapshot()->syncs[0].paused);
        QCOMPARE(w.engine->snapshot()->syncs[0].nextRunMs, std::int64_t{0});
    }

    void removedSyncDoesNotComeBackAsAGhost()
    {
        World w({"film"});
        QCOMPARE(w.run().outcome, Outcome::Success);
        w.verifier.looking = [&] { QVERIFY(w.engine->removeSync("sync", false).has_value()); };
        (void)w.engine->verify("sync", {}, {}).has_value();
        QTRY_VERIFY(w.engine->snapshot()->syncs.empty());
        QVERIFY(w.meta.statuses("sync")->empty());
    }

    void shortRunsLeaveTheirFigures()
    {
        World w({"film"});
        QCOMPARE(w.run().outcome, Outcome::Success);
        w.engine.reset();                                                   // what was not stored yet is stored at the end
        double written = 0;
        for (const auto& point : w.meta.metrics("sync", "film", 0, INT64_MAX).value_or({})) written += point.written * point.spanSeconds;
        QCOMPARE(written, 50.0);
    }

    void lagBeforeARunIsKeptForTheCharts()
    {
        World w({"film"});
        auto def = World::def();
        def.every = "5m";
        QVERIFY(w.engine->saveSync(def).has_value());
        QCOMPARE(w.run().outcome, Outcome::Success);
        w.engine.reset();
        auto status = w.meta.statuses("sync").value_or({}).at(0);
        status.lastSyncMs -= 90'000;                                        // as if the last run were that long ago
        QVERIFY(w.meta.saveStatus(status).has_value());
        w.start();
        QCOMPARE(w.run().outcome, Outcome::Success);
        w.engine.reset();
        double lag = 0;
        for (const auto& point : w.meta.metrics("sync", "film", 0, INT64_MAX).value_or({})) lag = std::max(lag, point.lagMs);
        QVERIFY2(lag >= 90'000 && lag < 120'000, std::to_string(lag).c_str());
    }
};

QTEST_APPLESS_MAIN(TestLocalEngine)
#include "tst_localengine.moc"
