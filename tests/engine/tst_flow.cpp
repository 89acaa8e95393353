#include "core/engine/ackledger.h"
#include "core/engine/checkpoint.h"
#include "core/engine/committer.h"
#include "core/engine/flow.h"
#include "core/engine/keytext.h"
#include "core/engine/syncboard.h"
#include "core/engine/workerpool.h"
#include "core/data/value.h"
#include "tests/support/fakes.h"
#include "tests/support/memorystore.h"
#include <QtTest>
#include <latch>
#include <random>

using namespace millrace;
using namespace millrace::test;

//! The small parts between reader and checkpoint.
class TestFlow : public QObject {
    Q_OBJECT
private slots:
    void onlyTheContiguousPrefixMoves()
    {
        AckLedger ledger;
        for (int i = 0; i < 4; ++i)
            QCOMPARE(ledger.open("state" + std::to_string(i), 1), static_cast<std::uint64_t>(i));
        QVERIFY(!ledger.settle(2));
        QVERIFY(!ledger.settle(3));
        QCOMPARE(ledger.settle(0)->state, std::string("state0"));
        QCOMPARE(ledger.settle(1)->state, std::string("state3"));
        QCOMPARE(ledger.inFlight(), std::size_t{0});
    }

    void allPartsOfABatchMustSettle()
    {
        AckLedger ledger;
        const auto seq = ledger.open("state", 3);
        QVERIFY(!ledger.settle(seq));
        QVERIFY(!ledger.settle(seq));
        QVERIFY(ledger.settle(seq).has_value());
    }

    void anySettlingOrderGivesAnIncreasingPrefix()
    {
        std::mt19937 random(7);
        for (int round = 0; round < 200; ++round) {
            AckLedger ledger;
            std::vector<std::uint64_t> order;
            for (std::uint64_t i = 0; i < 30; ++i)
                order.push_back(ledger.open(std::to_string(i), 1));
            std::shuffle(order.begin(), order.end(), random);
            std::set<std::uint64_t> settled;
            for (const auto seq : order) {
                settled.insert(seq);
                if (const auto mark = ledger.settle(seq))
                    for (std::uint64_t i = 0; i <= std::stoull(mark->state); ++i)
                        QVERIFY(settled.contains(i));
            }
        }
    }

    void committerDropsOlderMarks()
    {
        MemoryStore store;
        Committer committer(store);
        committer.offer("sync", "film", 5, "new");
        committer.offer("sync", "film", 3, "old");
        QVERIFY(committer.flush("sync", "film").has_value());
        QCOMPARE((*store.checkpoint("sync", "film"))->state, std::string("new"));
    }

    void committerGroupsAndReportsFailure()
    {
        MemoryStore store;
        store.onCommit([](std::span<const Checkpoint>) -> Result<> { return Error{Fault::Storage, "store.full", "disk full", {}, {}}; });
        Committer committer(store);
        committer.offer("sync", "film", 1, "x");
        const auto flushed = committer.flush("sync", "film");
        QVERIFY(!flushed);
        QCOMPARE(flushed.error().id, std::string("store.full"));
    }

    void destroyedCommitterLosesNothing()
    {
        MemoryStore store;
        { Committer committer(store); committer.offer("sync", "film", 1, "last"); }
        QCOMPARE((*store.checkpoint("sync", "film"))->state, std::string("last"));
    }

    void backoffGrowsAndObeysTheServer()
    {
        Backoff backoff({std::chrono::milliseconds(100), std::chrono::milliseconds(1000), 6}, 1);
        Error error{Fault::Throttled, "x", "y", {}, {}};
        std::int64_t longest = 0;
        for (int i = 0; i < 6; ++i) {
            QVERIFY(!backoff.exhausted());
            longest = std::max<std::int64_t>(longest, backoff.next(error).count());
            QVERIFY(longest <= 1000);
        }
        QVERIFY(backoff.exhausted());
        error.retryAfter = std::chrono::seconds(30);
        QCOMPARE(backoff.next(error).count(), std::int64_t{30'000});
    }

    void batchSizeStaysWithinItsLimits()
    {
        BatchSizer sizer(100, 5000);
        for (int i = 0; i < 20; ++i) sizer.wrote(sizer.rows(), std::chrono::milliseconds(1));
        QCOMPARE(sizer.rows(), std::size_t{5000});
        for (int i = 0; i < 20; ++i) sizer.trouble();
        QCOMPARE(sizer.rows(), std::size_t{100});
        BatchSizer fixed(10, 10);
        fixed.wrote(10, std::chrono::milliseconds(1));
        QCOMPARE(fixed.rows(), std::size_t{10});
    }

    void rateLimitSpreadsRows()
    {
        FakeClock clock;
        RateLimiter rate(clock, 1000);
        const auto began = clock.steadyUs();
        for (int i = 0; i < 50; ++i) QVERIFY(rate.pass(100, {}));
        const double seconds = static_cast<double>(clock.steadyUs() - began) / 1e6;
        QVERIFY2(seconds >= 4.8 && seconds < 5.2, std::to_string(seconds).c_str());
    }

    void checkpointSurvivesItsText()
    {
        TableCheckpoint c;
        c.phase = TableCheckpoint::Phase::Load;
        c.mark.bytes = "{\"clock\":\"2026-01-01 00:00:00.000001\",\"open\":[]}";
        c.segments.push_back({{}, {"[\"a b\\\"\"]"}, 18446744073709551615ull, 9223372036854775809ull, 1ull << 40, (1ull << 40) + 7});
        c.columns = {{"id", "int"}, {"na\nme", "text"}};
        c.fingerprint = "abc";
        const auto back = TableCheckpoint::fromJson(c.json());
        QVERIFY(back.has_value());
        QCOMPARE(back->json(), c.json());
        QCOMPARE(back->segments[0].hash, c.segments[0].hash);
        QVERIFY(!TableCheckpoint::fromJson("{\"phase\":"));
    }

    void poolSharesFairly()
    {
        WorkerPool pool(2);
        auto greedy = pool.group(8), modest = pool.group(8);
        std::mutex mutex;
        std::vector<char> order;
        std::latch start(1);
        const auto task = [&](char who) { return [&, who] { start.wait(); std::lock_guard lock(mutex); order.push_back(who); }; };
        for (int i = 0; i < 20; ++i) pool.submit(greedy, task('g'));
        for (int i = 0; i < 4; ++i) pool.submit(modest, task('m'));
        start.count_down();
        pool.wait(greedy);
        pool.wait(modest);
        const auto last = std::find(order.rbegin(), order.rend(), 'm');
        QVERIFY2(order.rend() - last <= 14, std::string(order.begin(), order.end()).c_str());   // not behind the twenty
    }

    void poolRespectsAGroupsLimit()
    {
        WorkerPool pool(4);
        auto group = pool.group(2);
        std::atomic<int> running{0}, most{0};
        for (int i = 0; i < 40; ++i)
            pool.submit(group, [&] {
                const int now = ++running;
                for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {}
                std::this_thread::yield();
                --running;
            });
        pool.wait(group);
        QVERIFY(most <= 2);
    }

    void worstStateWins()
    {
        QCOMPARE(worstState({State::Idle, State::Running, State::Failed}), State::Failed);
        QCOMPARE(worstState({State::Idle, State::Unknown, State::Running}), State::Unknown);
        QCOMPARE(worstState({State::Paused, State::Running}), State::Running);
        QCOMPARE(worstState({}), State::Idle);
    }

    void intervalsAreNotMadeUpFor()
    {
        SyncDef def;
        QCOMPARE(nextDue(def, 0, 1000), std::int64_t{0});
        def.every = "10s";
        QCOMPARE(nextDue(def, 0, 1000), std::int64_t{1000});
        QCOMPARE(nextDue(def, 5000, 6000), std::int64_t{15000});
        QCOMPARE(nextDue(def, 5000, 60000), std::int64_t{60000});
    }

    void keyCellsComeBackFromTheirText()
    {
        auto schema = std::make_shared<Schema>();
        for (const auto& [name, type] : {std::pair{"a", Type::Int}, std::pair{"b", Type::Text}, std::pair{"c", Type::Bytes}, std::pair{"d", Type::Timestamp}}) {
            Column c;
            c.name = c.source = name;
            c.type = type;
            schema->columns.push_back(c);
        }
        schema->key = {0, 1, 2, 3};
        Batch batch(schema);
        auto row = batch.append(Op::Upsert);
        row[0] = Cell::integer(-7);
        row[1] = batch.text("a\"b,[]");
        row[2] = batch.text(std::string_view("\0\xff", 2), Type::Bytes);
        row[3] = Cell::time(Type::Timestamp, 1'700'000'000'123'000, 3);
        const std::string text = keyText(*schema, batch.row(0));
        Batch arena(schema);
        const auto cells = keyCells(*schema, text, arena);
        QVERIFY(cells.has_value());
        QCOMPARE(keyTextOf(*cells), text);
        QVERIFY(!keyCells(*schema, "#" + std::string(64, 'a'), arena));
        QVERIFY(!keyCells(*schema, "[1,2]", arena));
    }
};

QTEST_APPLESS_MAIN(TestFlow)
#include "tst_flow.moc"
