#include "core/engine/pollhorizon.h"
#include <QTest>
#include <random>
#include <set>

using namespace millrace;

class TestPollHorizon : public QObject {
    Q_OBJECT
private slots:
    void quietDatabase();
    void lateCommitHoldsTheBound();
    void openBeforeTheMark();
    void anOldLookChangesNothing();
    void idleTransactionDoesNotGrowThePosition();
    void roundTrip();
    void refusesRubbish();
    void noRowIsEverLost_data();
    void noRowIsEverLost();
};

void TestPollHorizon::quietDatabase()
{
    PollHorizon h;
    h.add({100, 100, {}});
    QCOMPARE(h.lower(), 100);
    h.add({200, 200, {}});
    QCOMPARE(h.lower(), 200);
    QCOMPARE(h.polls().size(), std::size_t(1));
}

void TestPollHorizon::lateCommitHoldsTheBound()
{
    PollHorizon h;
    h.add({100, 100, {}});
    h.add({200, 150, {"T"}});
    QCOMPARE(h.lower(), 100);
    h.add({300, 150, {"T"}});
    QCOMPARE(h.lower(), 100);
    h.add({400, 400, {}});              // T has committed: this poll read from 100 and saw it; the next may start at 400
    QCOMPARE(h.lower(), 400);
}

void TestPollHorizon::openBeforeTheMark()
{
    PollHorizon h;
    h.add({100, 40, {"T"}});
    QCOMPARE(h.lower(), 40);
    h.add({200, 40, {"T", "U"}});
    QCOMPARE(h.lower(), 40);
    h.add({300, 180, {"U"}});
    QCOMPARE(h.lower(), 100);
    h.add({400, 390, {"V"}});
    QCOMPARE(h.lower(), 300);
}

void TestPollHorizon::anOldLookChangesNothing()
{
    PollHorizon h;
    h.add({100, 100, {}});
    h.add({200, 150, {"T"}});
    h.add({200, 200, {}});
    h.add({150, 150, {}});
    QCOMPARE(h.lower(), 100);
}

void TestPollHorizon::idleTransactionDoesNotGrowThePosition()
{
    PollHorizon h;
    h.add({0, 0, {}});
    for (int i = 1; i < 5000; ++i) {
        h.add({i, 1, {"idle"}});
        QCOMPARE(h.lower(), 0);
    }
    QVERIFY(h.node().json().size() < 4096);
    h.add({5000, 5000, {}});
    QCOMPARE(h.lower(), 5000);
}

void TestPollHorizon::roundTrip()
{
    PollHorizon h;
    h.add({1'700'000'000'123'456, 1'700'000'000'000'001, {"7@b", "7@a"}});
    h.add({1'700'000'001'123'456, 1'700'000'000'000'001, {"7@a"}});
    const auto node = Node::fromJson(h.node().json());
    QVERIFY(node.has_value());
    const auto back = PollHorizon::fromNode(*node);
    QVERIFY(back.has_value());
    QCOMPARE(back->node().json(), h.node().json());
    QCOMPARE(back->lower(), h.lower());
}

void TestPollHorizon::refusesRubbish()
{
    QVERIFY(!PollHorizon::fromNode(Node()).has_value());
    QVERIFY(!PollHorizon::fromNode(Node::list()).has_value());
    QVERIFY(!PollHorizon::fromNode(Node::list().add(Node::map())).has_value());
}

void TestPollHorizon::noRowIsEverLost_data()
{
    QTest::addColumn<unsigned>("seed");
    for (unsigned seed = 1; seed <= 200; ++seed)
        QTest::addRow("seed %u", seed) << seed;
}

// A model of a database: transactions begin, write at a time, commit later or never; polls come in between. Every committed write that
// the last poll could see must have been read by some poll, through the bounds that the horizon gave.
void TestPollHorizon::noRowIsEverLost()
{
    QFETCH(unsigned, seed);
    std::mt19937 random(seed);
    struct Transaction { std::int64_t begin, write, commit; bool read = false; };
    std::vector<Transaction> transactions;
    for (int i = 0; i < 60; ++i) {
        const std::int64_t begin = random() % 1000, write = begin + random() % 60, commit = write + (random() % 3 ? random() % 20 : random() % 600);
        transactions.push_back({begin, write, commit});
    }
    PollHorizon horizon;
    const auto observe = [&](std::int64_t now) {
        PollHorizon::Poll poll {now, now, {}};
        for (std::size_t i = 0; i < transactions.size(); ++i)
            if (transactions[i].begin <= now && transactions[i].commit > now) {
                poll.open.push_back(std::to_string(i));
                poll.floor = std::min(poll.floor, transactions[i].begin);
            }
        return poll;
    };
    std::int64_t now = random() % 200;
    horizon.add(observe(now));
    for (auto& t : transactions)
        t.read = t.commit <= now;                                     // the first load saw these
    while (now < 2000) {
        now += 1 + random() % 90;
        const std::int64_t lower = horizon.lower();
        for (auto& t : transactions)
            if (t.commit <= now && t.write >= lower && t.write <= now)
                t.read = true;
        horizon.add(observe(now));
    }
    for (const auto& t : transactions)
        QVERIFY2(t.read, qPrintable(QString("write at %1 committed at %2 was never read").arg(t.write).arg(t.commit)));
}

QTEST_APPLESS_MAIN(TestPollHorizon)
#include "tst_pollhorizon.moc"
