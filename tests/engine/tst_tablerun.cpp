#include "tests/support/tableworld.h"
#include <QtTest>

using namespace millrace;
using namespace millrace::test;

//! Loads, resumption, polls, deletes and the brake, between fakes: what must hold whatever the stores are.
class TestTableRun : public QObject {
    Q_OBJECT
private:
    static void fill(TableWorld& w, int from, int to, const char* text = "row")
    {
        for (int i = from; i < to; ++i)
            w.database.put("film", {i, std::string(text) + std::to_string(i), nullptr});
    }
    static std::unique_ptr<TableWorld> world(int rows)
    {
        auto w = std::make_unique<TableWorld>();
        w->database.createTable("film", {"id int", "title text", "updated int"}, 1);
        fill(*w, 0, rows);
        return w;
    }
    static void verifyEqual(TableWorld& w, const TablePlanPtr& plan) { QCOMPARE(w.documents(plan), w.expected(plan)); }

private slots:
    void fullCopiesAll()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        const auto report = w->run(plan);
        QVERIFY2(report.outcome == Outcome::Success, report.error ? report.error->detail.c_str() : "");
        QCOMPARE(report.syncType, std::string("full"));
        QCOMPARE(report.read, std::uint64_t{95});
        QCOMPARE(report.written, std::uint64_t{95});
        verifyEqual(*w, plan);
    }

    void secondFullDeletesWhatIsGone()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        for (int i = 10; i < 14; ++i)
            w->database.erase("film", {i});
        const auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Success);
        QCOMPARE(report.deleted, std::uint64_t{4});
        verifyEqual(*w, plan);
    }

    void brakeStopsMassDeletes()
    {
        auto w = world(1000);
        const auto plan = fakePlan(w->database, "film");
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        w->database.clear("film");
        fill(*w, 0, 100);
        auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("engine.delete_brake"));
        QCOMPARE(w->documents(plan).size(), std::size_t{1000});
        w->acceptDeletes = true;
        report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Success);
        verifyEqual(*w, plan);
    }

    void loadResumesAfterFailure_data()
    {
        QTest::addColumn<int>("nth");
        for (int nth = 1; nth <= 10; ++nth)
            QTest::addRow("write %d", nth) << nth;
    }
    void loadResumesAfterFailure()
    {
        QFETCH(int, nth);
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        w->store.failWrite(static_cast<std::uint64_t>(nth), {Fault::Storage, "test.dead", "the process is gone", {}, {}}, 1, FakeStore::When::AfterApply);
        QCOMPARE(w->run(plan).outcome, Outcome::Failed);
        // Between the two processes the source goes on: in copied and in uncopied ranges.
        w->database.erase("film", {3});
        w->database.erase("film", {90});
        w->database.put("film", {5, "changed", nullptr});
        w->database.put("film", {1000, "new", nullptr});
        const auto report = w->run(plan);
        QVERIFY2(report.outcome == Outcome::Success, report.error ? report.error->detail.c_str() : "");
        verifyEqual(*w, plan);
    }

    void resumedLoadReadsTheRestOnly()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        w->store.failWrite(6, {Fault::Storage, "test.dead", "the process is gone", {}, {}});
        QCOMPARE(w->run(plan).outcome, Outcome::Failed);
        const auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Success);
        QVERIFY2(report.read <= 45, std::to_string(report.read).c_str());     // five batches of ten were settled
        QVERIFY(report.rechecked >= 50);
        QCOMPARE(report.written, report.read);                                 // unchanged rows are not written again
        verifyEqual(*w, plan);
    }

    void resumedLoadOfAFollowedTableCountsWhatItCopied_data()
    {
        QTest::addColumn<QString>("between");
        QTest::addColumn<bool>("counted");
        QTest::addRow("nothing") << "" << true;
        QTest::addRow("deleted") << "erase" << false;
        QTest::addRow("updated") << "update" << false;
        QTest::addRow("deleted and inserted") << "erase insert" << false;
    }
    void resumedLoadOfAFollowedTableCountsWhatItCopied()
    {
        QFETCH(QString, between);
        QFETCH(bool, counted);
        auto w = world(95);
        w->database.tick(10);
        const auto plan = fakePlan(w->database, "film", Strategy::Timestamp);
        w->store.failWrite(6, {Fault::Storage, "test.dead", "the process is gone", {}, {}});
        QCOMPARE(w->run(plan).outcome, Outcome::Failed);
        if (between.contains("erase")) w->database.erase("film", {3});
        if (between.contains("update")) w->database.put("film", {5, "changed", nullptr});
        if (between.contains("insert")) w->database.put("film", {0, "new", nullptr});
        const auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Success);
        QCOMPARE(report.rechecked == 0, counted);
        verifyEqual(*w, plan);
    }

    void pollThatWasCutOffIsFollowedByOneOfWhatChangedSince()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film", Strategy::Timestamp);
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        w->database.tick(10);
        for (int i = 0; i < 30; ++i)
            w->database.put("film", {i, "changed", nullptr});
        w->database.tick(10);
        w->database.failRead("film", 15, {Fault::Storage, "test.dead", "the process is gone", {}, {}});
        QCOMPARE(w->run(plan).outcome, Outcome::Failed);
        w->database.put("film", {7, "changed again", nullptr});
        w->database.put("film", {2000, "came later", nullptr});
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        verifyEqual(*w, plan);
    }

    // A chosen key that is not unique, or keys that meet in one text: the last row of each key would stand, under "success".
    void rowsThatShareAKeyAreNoSuccess_data()
    {
        QTest::addColumn<bool>("cutOff");
        QTest::addRow("at once") << false;
        QTest::addRow("resumed") << true;
    }
    void rowsThatShareAKeyAreNoSuccess()
    {
        QFETCH(bool, cutOff);
        auto w = world(95);
        w->database.put("film", {100, "row5", nullptr});
        auto plan = std::make_shared<TablePlan>(*fakePlan(w->database, "film"));
        auto byTitle = std::make_shared<Schema>(*plan->schema);
        byTitle->key = {1};
        plan->schema = byTitle;
        if (cutOff) {
            w->store.failWrite(6, {Fault::Storage, "test.dead", "the process is gone", {}, {}});
            QCOMPARE(w->run(plan).outcome, Outcome::Failed);
        }
        for (int again = 0; again < 2; ++again) {
            const auto report = w->run(plan);
            QCOMPARE(report.outcome, Outcome::Failed);
            QCOMPARE(report.error->id, std::string("engine.key_not_unique"));
        }
        w->database.erase("film", {100});
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
    }

    void lostAnswersAndThrottlingAreRetried()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        w->store.failWrite(3, {Fault::Network, "test.cut", "connection lost", {}, {}}, 2, FakeStore::When::AfterApply);
        const auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Success);
        verifyEqual(*w, plan);
    }

    void readerFailureIsTriedAgainFromTheCheckpoint()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        w->database.failRead("film", 40, {Fault::Network, "test.cut", "server has gone away", {}, {}}, 2);
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        verifyEqual(*w, plan);
    }

    void rejectedRowIsParkedAndTheRestGoesOn()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        w->store.rejectKey("42", {Fault::Data, "target.fake.refused", "no thanks", {}, {}});
        auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Partial);
        QCOMPARE(report.rejected, std::uint64_t{1});
        auto failures = w->meta.failures("sync", "film", {}, {});
        QCOMPARE(failures->size(), std::size_t{1});
        QCOMPARE(failures->front().key, std::string("42"));
        QCOMPARE(w->documents(plan).size(), std::size_t{94});
        w->store.acceptKey("42");
        report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Success);
        QVERIFY(w->meta.failures("sync", "film", {}, {})->empty());
        verifyEqual(*w, plan);
    }

    void tooManyParkedRowsStopTheTable()
    {
        auto w = world(95);
        w->def.maxFailed = 3;
        const auto plan = fakePlan(w->database, "film");
        for (int i = 20; i < 30; ++i)
            w->store.rejectKey(std::to_string(i), {Fault::Data, "target.fake.refused", "no thanks", {}, {}});
        const auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("engine.too_many_failed"));
    }

    void noParkedRowMeansNone()
    {
        auto w = world(95);
        w->def.maxFailed = 0;
        const auto plan = fakePlan(w->database, "film");
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        w->store.rejectKey("20", {Fault::Data, "target.fake.refused", "no thanks", {}, {}});
        const auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("engine.too_many_failed"));
    }

    void timestampFollowsInsertsUpdatesAndTies()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film", Strategy::Timestamp);
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        for (int round = 0; round < 5; ++round) {
            fill(*w, 200 + round * 50, 230 + round * 50, "tie");            // thirty rows in one tick, polled mid-way
            const auto first = w->run(plan);
            QCOMPARE(first.outcome, Outcome::Success);
            QCOMPARE(first.syncType, std::string("incremental"));
            fill(*w, 230 + round * 50, 250 + round * 50, "tie");            // the same tick goes on
            w->database.put("film", {round, "updated", nullptr});
            w->database.tick();
            QCOMPARE(w->run(plan).outcome, Outcome::Success);
            verifyEqual(*w, plan);
        }
    }

    void lateCommitIsSeen()
    {
        auto w = world(10);
        const auto plan = fakePlan(w->database, "film", Strategy::Timestamp);
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        const auto tx = w->database.begin();
        w->database.put(tx, "film", {500, "late", nullptr});
        for (int poll = 0; poll < 3; ++poll) {
            w->database.tick(10);
            w->database.put("film", {600 + poll, "meanwhile", nullptr});
            QCOMPARE(w->run(plan).outcome, Outcome::Success);
        }
        w->database.commit(tx);
        w->database.tick(10);
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        verifyEqual(*w, plan);
    }

    void keylessIsSwappedInWhole()
    {
        TableWorld w;
        w.database.createTable("log", {"line text"}, 0);
        for (int i = 0; i < 25; ++i)
            w.database.put("log", {"line " + std::to_string(i % 7)});
        const auto plan = fakePlan(w.database, "log");
        QCOMPARE(w.run(plan).outcome, Outcome::Success);
        QCOMPARE(w.documents(plan).size(), std::size_t{25});
        w.database.put("log", {"one more"});
        w.store.failWrite(2, {Fault::Storage, "test.dead", "gone", {}, {}});
        QCOMPARE(w.run(plan).outcome, Outcome::Failed);
        QCOMPARE(w.documents(plan).size(), std::size_t{25});               // the old copy serves until the swap
        QCOMPARE(w.run(plan).outcome, Outcome::Success);
        QCOMPARE(w.documents(plan).size(), std::size_t{26});
    }

    void emptiedTargetIsNotCalledInStep()
    {
        auto w = world(20);
        const auto plan = fakePlan(w->database, "film", Strategy::Timestamp);
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        w->store.remove(plan->container);
        const auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("engine.target_emptied"));
        QCOMPARE(w->run(plan, TableRun::Kind::Full).outcome, Outcome::Success);
        verifyEqual(*w, plan);
    }

    void markIsStoredBeforeTheSnapshot()
    {
        auto w = world(20);
        const auto plan = fakePlan(w->database, "film", Strategy::Timestamp);
        bool first = true;
        std::size_t stored = 0;
        w->database.onRead([&](const std::string&, std::uint64_t) {
            if (first) stored = w->meta.committed().size();
            first = false;
        });
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        QCOMPARE(stored, std::size_t{1});
    }

    void checkpointNeverPassesTheTarget()
    {
        auto w = world(95);
        w->store.setLanes(3);
        const auto plan = fakePlan(w->database, "film");
        // Invariant 2: whatever is committed as copied is in the target at that moment.
        bool ahead = false;
        w->meta.onCommit([&](std::span<const Checkpoint> checkpoints) -> Result<> {
            const auto documents = w->documents(plan);
            for (const auto& c : checkpoints) {
                const auto checkpoint = TableCheckpoint::fromJson(c.state);
                std::uint64_t rows = 0;
                for (const auto& s : checkpoint->segments) rows += s.rows;
                for (std::uint64_t i = 0; i < rows; ++i)
                    ahead = ahead || !documents.contains(std::to_string(i));
            }
            return {};
        });
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        QVERIFY(!ahead);
        verifyEqual(*w, plan);
    }

    void fullDiskInTheStoreFailsTheTable()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        int commits = 0;
        w->meta.onCommit([&](std::span<const Checkpoint>) -> Result<> {
            if (++commits > 1) return Error{Fault::Storage, "store.full", "disk full", {}, {}};
            return {};
        });
        const auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("store.full"));
    }

    void rowParkedEarlierAndGoneSinceIsNoLongerParked()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        w->store.rejectKey("42", {Fault::Data, "target.fake.refused", "no thanks", {}, {}});
        QCOMPARE(w->run(plan).outcome, Outcome::Partial);
        w->database.erase("film", {42});
        const auto report = w->run(plan);
        QVERIFY(w->meta.failures("sync", "film", {}, {})->empty());
        QCOMPARE(report.outcome, Outcome::Success);
    }

    void rowParkedBeforeTheLoadWasCutOffStaysParked()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        w->store.rejectKey("5", {Fault::Data, "target.fake.refused", "no thanks", {}, {}});
        w->store.failWrite(6, {Fault::Storage, "test.dead", "the process is gone", {}, {}});
        QCOMPARE(w->run(plan).outcome, Outcome::Failed);
        const auto report = w->run(plan);                                      // goes on after row 49 and does not write row 5 again
        QCOMPARE(w->documents(plan).size(), std::size_t{94});
        QCOMPARE(report.outcome, Outcome::Partial);
        QCOMPARE(w->meta.failures("sync", "film", {}, {})->size(), std::size_t{1});
    }

    void rowReadTwiceInOneRunIsRejectedOnce()
    {
        auto w = world(95);
        w->database.setConsistentSnapshots(false);
        const auto plan = fakePlan(w->database, "film");
        w->store.rejectKey("5", {Fault::Data, "target.fake.refused", "no thanks", {}, {}});
        bool changed = false;
        w->database.onRead([&](const std::string&, std::uint64_t rows) {
            if (rows >= 50 && !std::exchange(changed, true)) w->database.put("film", {6, "changed behind the reader", nullptr});
        });
        const auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Partial);
        QVERIFY(report.rechecked > 0);
        QCOMPARE(report.rejected, std::uint64_t{1});
    }

    void fullStaysFullWhenTheServerIsAwayAtFirst()
    {
        auto w = world(30);
        const auto plan = fakePlan(w->database, "film", Strategy::Timestamp);
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        w->store.put("film", "7", {"damaged by hand", 1, true});
        w->database.failOpen({Fault::Network, "test.cut", "server has gone away", {}, {}}, 2);
        const auto report = w->run(plan, TableRun::Kind::Full);
        QCOMPARE(report.outcome, Outcome::Success);
        QCOMPARE(report.syncType, std::string("full"));
        verifyEqual(*w, plan);
    }

    void rewriteThatWasCutOffIsDoneAgain()
    {
        auto w = world(95);
        const auto plan = fakePlan(w->database, "film");
        w->store.failWrite(6, {Fault::Storage, "test.dead", "the process is gone", {}, {}});
        QCOMPARE(w->run(plan).outcome, Outcome::Failed);                       // five batches are copied
        w->database.put("film", {5, "changed", nullptr});
        w->store.failWrite(5 + 3, {Fault::Storage, "test.dead", "the process is gone", {}, {}});
        QCOMPARE(w->run(plan).outcome, Outcome::Failed);                       // the rest is copied, the changed range written again in part
        w->database.put("film", {5, "row5", nullptr});                         // and the row is as it was when it was first copied
        const auto report = w->run(plan);
        QVERIFY2(report.outcome == Outcome::Success, report.error ? report.error->detail.c_str() : "");
        verifyEqual(*w, plan);
    }

    void strategyChangedToTimestampLoadsOnceMore()
    {
        auto w = world(30);
        QCOMPARE(w->run(fakePlan(w->database, "film")).outcome, Outcome::Success);
        w->database.erase("film", {3});
        const auto plan = fakePlan(w->database, "film", Strategy::Timestamp);
        auto report = w->run(plan);
        QCOMPARE(report.outcome, Outcome::Success);
        QCOMPARE(report.syncType, std::string("full"));                        // a full copy left no position to go on from
        verifyEqual(*w, plan);
        report = w->run(plan);
        QCOMPARE(report.syncType, std::string("incremental"));
        auto other = std::make_shared<TablePlan>(*plan);
        other->cursor = "changed_at";
        QCOMPARE(w->run(other).syncType, std::string("full"));                 // the old position says nothing about another column
        QCOMPARE(w->run(other).syncType, std::string("incremental"));
    }

    void loadWhoseColumnsChangedStartsOver()
    {
        auto w = world(95);
        w->store.failWrite(6, {Fault::Storage, "test.dead", "the process is gone", {}, {}});
        QCOMPARE(w->run(fakePlan(w->database, "film")).outcome, Outcome::Failed);
        w->database.dropColumn("film", "title");
        const auto plan = fakePlan(w->database, "film");
        const auto report = w->run(plan, TableRun::Kind::Full);
        QVERIFY2(report.outcome == Outcome::Success, report.error ? report.error->detail.c_str() : "");
        QCOMPARE(report.read, std::uint64_t{95});
        verifyEqual(*w, plan);
    }

    void somebodyElsesContainerIsReplacedWhole()
    {
        auto w = world(30);
        FakeTarget other(w->store, w->clock);
        auto theirs = std::make_shared<TablePlan>(*fakePlan(w->database, "film", Strategy::Full, "other"));
        auto lease = other.acquire("other", "home-a", 0, {});
        QVERIFY(other.prepare(*theirs, *lease).has_value());
        w->store.put("film", "900", {"theirs", 1, true});
        auto plan = std::make_shared<TablePlan>(*fakePlan(w->database, "film", Strategy::Timestamp));
        plan->ifExists = IfExists::Rebuild;
        const auto report = w->run(plan);
        QVERIFY2(report.outcome == Outcome::Success, report.error ? report.error->detail.c_str() : "");
        QCOMPARE(report.written, std::uint64_t{30});
        verifyEqual(*w, plan);
        w->database.tick();
        w->database.put("film", {3, "later", nullptr});
        QCOMPARE(w->run(plan).syncType, std::string("incremental"));
        verifyEqual(*w, plan);
    }

    void containerThatBecameSomebodyElsesIsNotWrittenByPolls_data()
    {
        QTest::addColumn<bool>("backfill");
        QTest::addRow("poll") << false;
        QTest::addRow("backfill") << true;
    }
    void containerThatBecameSomebodyElsesIsNotWrittenByPolls()
    {
        QFETCH(bool, backfill);
        auto w = world(30);
        auto plan = std::make_shared<TablePlan>(*fakePlan(w->database, "film", Strategy::Timestamp));
        plan->ifExists = IfExists::Rebuild;
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        w->store.remove("film");
        FakeTarget other(w->store, w->clock);
        auto lease = other.acquire("other", "home-a", 0, {});
        QVERIFY(other.prepare(*fakePlan(w->database, "film", Strategy::Full, "other"), *lease).has_value());
        w->store.put("film", "900", {"theirs", 1, true});
        w->database.tick();
        w->database.put("film", {3, "later", nullptr});
        const auto report = w->run(plan, backfill ? TableRun::Kind::Backfill : TableRun::Kind::Normal);
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->fault, Fault::Schema);
        QCOMPARE(w->store.documents("film").size(), std::size_t{1});
    }

    void tableThatPollsEmptiedIsInStep()
    {
        TableWorld w;
        w.database.createTable("cart", {"id int", "gone bool", "updated int"}, 1);
        for (int i = 0; i < 5; ++i)
            w.database.put("cart", {i, false, nullptr});
        auto plan = std::make_shared<TablePlan>(*fakePlan(w.database, "cart", Strategy::Timestamp));
        plan->softDelete = "gone";
        QCOMPARE(w.run(plan).outcome, Outcome::Success);
        w.database.tick();
        for (int i = 0; i < 5; ++i)
            w.database.put("cart", {i, true, nullptr});
        QCOMPARE(w.run(plan).outcome, Outcome::Success);
        QVERIFY(w.documents(plan).empty());
        auto report = w.run(plan);
        QVERIFY2(report.outcome == Outcome::Success, report.error ? report.error->detail.c_str() : "");
        w.database.tick();
        w.database.put("cart", {9, false, nullptr});
        QCOMPARE(w.run(plan).outcome, Outcome::Success);
        w.store.remove(plan->container);                                       // now it holds a row again, and is taken away
        report = w.run(plan);
        QCOMPARE(report.outcome, Outcome::Failed);
        QCOMPARE(report.error->id, std::string("engine.target_emptied"));
    }

    void emptyTable_data()
    {
        QTest::addColumn<bool>("timestamp");
        QTest::addRow("full") << false;
        QTest::addRow("timestamp") << true;
    }
    void emptyTable()
    {
        QFETCH(bool, timestamp);
        auto w = world(0);
        const auto plan = fakePlan(w->database, "film", timestamp ? Strategy::Timestamp : Strategy::Full);
        for (int run = 0; run < 3; ++run) {
            const auto report = w->run(plan);
            QCOMPARE(report.outcome, Outcome::Success);
            QVERIFY(std::any_of(report.notes.begin(), report.notes.end(), [](const Message& m) { return m.id == "read_nothing"; }));
        }
        fill(*w, 0, 3);
        QCOMPARE(w->run(plan).outcome, Outcome::Success);
        verifyEqual(*w, plan);
        w->database.clear("film");
        if (timestamp) return;
        QCOMPARE(w->run(plan).outcome, Outcome::Success);                      // three deletes are below the brake
        QVERIFY(w->documents(plan).empty());
    }

    void stopAtAnyReadKeepsWhatWasDone_data()
    {
        QTest::addColumn<int>("rows");
        QTest::addColumn<bool>("keyless");
        for (const int rows : {0, 10, 50, 90})
            for (const bool keyless : {false, true})
                QTest::addRow("%d rows, %s", rows, keyless ? "no key" : "key") << rows << keyless;
    }
    void stopAtAnyReadKeepsWhatWasDone()
    {
        QFETCH(int, rows);
        QFETCH(bool, keyless);
        TableWorld w;
        w.database.createTable("film", {"id int", "title text"}, keyless ? 0 : 1);
        for (int i = 0; i < 95; ++i)
            w.database.put("film", {i, "x"});
        w.store.setLanes(3);
        const auto plan = fakePlan(w.database, "film");
        std::stop_source stop;
        w.database.onRead([&](const std::string&, std::uint64_t soFar) { if (soFar >= static_cast<std::uint64_t>(rows)) stop.request_stop(); });
        const auto report = w.run(plan, TableRun::Kind::Normal, stop.get_token());
        QCOMPARE(report.outcome, Outcome::Cancelled);
        w.database.onRead({});
        QCOMPARE(w.run(plan).outcome, Outcome::Success);
        QCOMPARE(w.documents(plan).size(), std::size_t{95});
    }
};

QTEST_APPLESS_MAIN(TestTableRun)
#include "tst_tablerun.moc"
