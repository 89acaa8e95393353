#include "core/base/boundedqueue.h"
#include <QtTest>
#include <atomic>
#include <condition_variable>
#include <memory>
#include <thread>

using namespace millrace;

class TestBoundedQueue : public QObject {
    Q_OBJECT
private slots:
    void keepsTheOrder();
    void fullQueuesBlock();
    void oversizedItemsGoAlone();
    void closingDrains();
    void stopEndsBothSides();
    void manyThreadsLoseNothing();
    void takesWhatOnlyMoves();
};

namespace {

//! True when `condition` came true within five seconds.
template <class Condition> bool soon(Condition condition)
{
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(5);
    while (!condition()) {
        if (std::chrono::steady_clock::now() > until) return false;
        std::this_thread::yield();
    }
    return true;
}

} // namespace

void TestBoundedQueue::keepsTheOrder()
{
    BoundedQueue<int> queue(100);
    for (int i = 0; i < 10; ++i) QVERIFY(queue.push(i, 10, {}));
    QCOMPARE(queue.weight(), std::size_t(100));
    for (int i = 0; i < 10; ++i) QCOMPARE(queue.pop({}).value_or(-1), i);
    QCOMPARE(queue.weight(), std::size_t(0));
}

void TestBoundedQueue::fullQueuesBlock()
{
    BoundedQueue<int> queue(10);
    QVERIFY(queue.push(1, 6, {}));
    std::atomic<bool> pushed = false;
    std::jthread producer([&](std::stop_token stop) { if (queue.push(2, 6, stop)) pushed = true; });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    QVERIFY(!pushed);                                            // 6 + 6 is above 10
    QCOMPARE(queue.weight(), std::size_t(6));
    QCOMPARE(queue.pop({}).value_or(-1), 1);
    QVERIFY(soon([&] { return pushed.load(); }));
    QCOMPARE(queue.pop({}).value_or(-1), 2);
}

void TestBoundedQueue::oversizedItemsGoAlone()
{
    BoundedQueue<int> queue(10);
    QVERIFY(queue.push(1, 1000, {}));                            // must not wait for ever
    std::atomic<bool> pushed = false;
    std::jthread producer([&](std::stop_token stop) { if (queue.push(2, 1, stop)) pushed = true; });
    for (int i = 0; i < 1000; ++i) std::this_thread::yield();
    QVERIFY(!pushed);
    QCOMPARE(queue.pop({}).value_or(-1), 1);
    QVERIFY(soon([&] { return pushed.load(); }));
}

void TestBoundedQueue::closingDrains()
{
    BoundedQueue<int> queue(10);
    QVERIFY(queue.push(1, 10, {}));
    std::atomic<int> refused = 0;
    std::jthread producer([&] { if (!queue.push(2, 10, {})) ++refused; });
    queue.close();
    QVERIFY(soon([&] { return refused == 1; }));
    QVERIFY(!queue.push(3, 1, {}));
    QCOMPARE(queue.pop({}).value_or(-1), 1);
    QVERIFY(!queue.pop({}));
    QVERIFY(!queue.pop({}));
}

void TestBoundedQueue::stopEndsBothSides()
{
    BoundedQueue<int> full(1), empty(1);
    QVERIFY(full.push(1, 1, {}));
    std::stop_source stop;
    std::atomic<int> ended = 0;
    {
        std::jthread producer([&] { if (!full.push(2, 1, stop.get_token())) ++ended; });
        std::jthread consumer([&] { if (!empty.pop(stop.get_token())) ++ended; });
        stop.request_stop();
    }
    QCOMPARE(ended.load(), 2);
    QCOMPARE(full.pop({}).value_or(-1), 1);                      // what was inside is not lost
}

void TestBoundedQueue::manyThreadsLoseNothing()
{
    constexpr int each = 5000, producers = 4;
    BoundedQueue<int> queue(64);
    std::atomic<long long> sum = 0;
    std::atomic<int> count = 0;
    {
        std::vector<std::jthread> consumers;
        for (int i = 0; i < 3; ++i)
            consumers.emplace_back([&] { while (auto item = queue.pop({})) { sum += *item; ++count; } });
        {
            std::vector<std::jthread> workers;
            for (int p = 0; p < producers; ++p)
                workers.emplace_back([&, p] { for (int i = 0; i < each; ++i) queue.push(p * each + i, static_cast<std::size_t>(1 + i % 70), {}); });
        }
        queue.close();
    }
    const long long n = producers * each;
    QCOMPARE(count.load(), static_cast<int>(n));
    QCOMPARE(sum.load(), n * (n - 1) / 2);
    QCOMPARE(queue.weight(), std::size_t(0));
}

void TestBoundedQueue::takesWhatOnlyMoves()
{
    BoundedQueue<std::unique_ptr<int>> queue(10);
    QVERIFY(queue.push(std::make_unique<int>(7), 1, {}));
    QCOMPARE(**queue.pop({}), 7);
}

QTEST_APPLESS_MAIN(TestBoundedQueue)
#include "tst_boundedqueue.moc"
