#include "core/target/embedded/embeddedtarget.h"
#include "core/target/embedded/sqlite.h"
#include "core/target/embedded/writegate.h"
#include "tests/support/fakes.h"
#include <QDir>
#include <QFile>
#include <QTemporaryDir>
#include <QTest>
#include <numeric>
#include <thread>

using namespace millrace;
using namespace millrace::embedded;
using namespace millrace::test;

namespace {

TablePlanPtr planOf(const std::string& table, const std::string& sync = "sync")
{
    auto schema = std::make_shared<Schema>();
    Column id, text;
    id.source = id.name = "id";
    id.type = Type::Int;
    id.key = true;
    text.source = text.name = "text";
    schema->columns = {id, text};
    schema->key = {0};
    auto plan = std::make_shared<TablePlan>();
    plan->sync = sync;
    plan->label = plan->container = table;
    plan->schema = std::move(schema);
    return plan;
}

Payload payloadOf(const Target& target, const TablePlanPtr& plan, int from, int to, std::uint64_t version, std::size_t size = 10)
{
    Batch batch(plan->schema);
    batch.version = version;
    for (int i = from; i < to; ++i) {
        const auto cells = batch.append(Op::Upsert);
        cells[0] = Cell::integer(i);
        cells[1] = batch.text(std::string(size, 'x'));
    }
    std::vector<std::uint32_t> rows(batch.rows());
    std::iota(rows.begin(), rows.end(), 0u);
    Payload out;
    if (!target.encoder(plan)->encode(batch, rows, out))
        qFatal("the encoder failed");
    return out;
}

} // namespace

class TstEmbeddedFiles : public QObject {
    Q_OBJECT
    std::unique_ptr<QTemporaryDir> m_folder;
    FakeClock m_clock;

    std::string path(const char* name = "documents.db") const { return m_folder->filePath(name).toStdString(); }
    std::unique_ptr<Target> open(const std::string& file)
    {
        ConnectionParams params;
        params.url.path = file;
        return std::move(openEmbedded(params, &m_clock)).value();
    }
private slots:
    void init() { m_folder = std::make_unique<QTemporaryDir>(); }

    void openingMakesNothing()
    {
        const auto target = open(path());
        QVERIFY(target->test([](const TestStage&) {}, {}).passed());
        auto reader = target->readBack(planOf("film"), {});
        std::vector<ReadBack> out;
        QCOMPARE((*reader)->read(out, 10, {}).value(), ReadState::End);
        QVERIFY(!QFile::exists(QString::fromStdString(path())));
    }

    void badPlaces_data()
    {
        QTest::addColumn<QString>("file");
        QTest::addColumn<QString>("id");
        QTest::newRow("no folder") << "missing/documents.db" << "target.embedded.no_folder";
        QTest::newRow("not SQLite") << "letter.txt" << "target.embedded.not_sqlite";
        QTest::newRow("a folder") << "folder" << "target.embedded.cannot_open";
    }
    void badPlaces()
    {
        QFETCH(QString, file);
        QFETCH(QString, id);
        QFile letter(m_folder->filePath("letter.txt"));
        QVERIFY(letter.open(QIODevice::WriteOnly));
        letter.write(QByteArray(5000, 'a'));
        letter.close();
        QDir(m_folder->path()).mkdir("folder");
        const auto target = open(m_folder->filePath(file).toStdString());
        int told = 0;
        const auto report = target->test([&](const TestStage&) { ++told; }, {});
        QVERIFY(!report.passed());
        QCOMPARE(QString::fromStdString(report.error->id), id);
        QCOMPARE(report.error->fault, Fault::Config);
        QVERIFY(!report.error->fix.empty());
        QCOMPARE(told, static_cast<int>(report.stages.size()));
        const auto lease = target->acquire("sync", "home", 0, {});
        QVERIFY(!lease);
        QCOMPARE(lease.error().fault, Fault::Config);
        QVERIFY(QFile(m_folder->filePath("letter.txt")).size() == 5000);
    }

    void diskFull()
    {
        auto database = Database::open(path(), Database::Mode::Write);
        QVERIFY(database);
        QVERIFY(database->exec("PRAGMA max_page_count=8; CREATE TABLE t(x)"));
        Result<> last;
        for (int i = 0; i < 1000 && last; ++i)
            last = database->exec("INSERT INTO t VALUES(zeroblob(10000))");
        QVERIFY(!last);
        QCOMPARE(last.error().fault, Fault::Storage);
        QCOMPARE(last.error().id, std::string("target.embedded.disk_full"));
        QVERIFY(!last.error().fix.empty());
    }

    void commitsAreSyncedAndAnyClientReads()
    {
        auto database = Database::open(path(), Database::Mode::Write);
        QVERIFY(database);
        auto synchronous = database->prepare("PRAGMA synchronous");
        QCOMPARE(database->number(*synchronous).value(), std::int64_t{2});
        auto mode = database->prepare("SELECT journal_mode='truncate' FROM pragma_journal_mode");
        QCOMPARE(database->number(*mode).value(), std::int64_t{1});
        auto reader = Database::open(path(), Database::Mode::Read);
        QVERIFY(reader);
        QVERIFY(!reader->exec("CREATE TABLE nothing(x)"));
    }

    void laterFormatIsLeftAlone()
    {
        {
            const auto target = open(path());
            QVERIFY(target->acquire("sync", "home", 0, {}));
            auto database = Database::open(path(), Database::Mode::Write);
            QVERIFY(database->exec("UPDATE _mr_info SET value=99 WHERE name='format'"));
        }
        const auto refused = open(path())->acquire("sync", "home", 0, {});
        QVERIFY(!refused);
        QCOMPARE(refused.error().id, std::string("target.embedded.newer_format"));
    }

    void viewsOfOthersSurviveASwap()
    {
        const auto target = open(path());
        const auto plan = planOf("film");
        const Lease lease = target->acquire("sync", "home", 0, {}).value();
        QVERIFY(target->prepare(*plan, lease));
        auto database = Database::open(path(), Database::Mode::Write);
        QVERIFY(database->exec("CREATE VIEW titles AS SELECT key, json_extract(doc, '$.text') AS text FROM film"));
        QVERIFY(target->beginAside(*plan, lease));
        auto session = target->session(plan, lease, true);
        QVERIFY((*session)->write(payloadOf(*target, plan, 0, 5, lease.epoch << 40), {}));
        const auto swapped = target->promoteAside(*plan, lease);
        QVERIFY2(swapped, swapped ? "" : swapped.error().detail.c_str());
        auto count = database->prepare("SELECT count(text) FROM titles");
        QVERIFY2(count, count ? "" : count.error().detail.c_str());
        QCOMPARE(database->number(*count).value(), std::int64_t{5});
    }

    void indexesOfOthersAreKeptUp()
    {
        const auto target = open(path());
        const auto plan = planOf("film");
        const Lease lease = target->acquire("sync", "home", 0, {}).value();
        QVERIFY(target->prepare(*plan, lease));
        auto database = Database::open(path(), Database::Mode::Write);
        QVERIFY(database->exec("CREATE INDEX by_text ON film(json_extract(doc, '$.text'))"));
        auto session = target->session(plan, lease, true);
        const auto written = (*session)->write(payloadOf(*target, plan, 0, 5, lease.epoch << 40), {});
        QVERIFY2(written, written ? "" : written.error().detail.c_str());
        QCOMPARE(written->written, std::uint64_t{5});
    }

    void viewIsNoContainer()
    {
        const auto target = open(path());
        auto plan = std::make_shared<TablePlan>(*planOf("film"));
        const Lease lease = target->acquire("sync", "home", 0, {}).value();
        auto database = Database::open(path(), Database::Mode::Write);
        QVERIFY(database->exec("CREATE VIEW Film AS SELECT 1"));
        for (const IfExists way : {IfExists::Stop, IfExists::Write, IfExists::Rebuild}) {
            plan->ifExists = way;
            const auto refused = target->prepare(*plan, lease);
            QVERIFY(!refused);
            QCOMPARE(refused.error().id, std::string("target.embedded.not_ours"));
        }
    }

    void tableOfAnotherShapeIsNotWritten()
    {
        const auto target = open(path());
        auto plan = std::make_shared<TablePlan>(*planOf("film"));
        plan->ifExists = IfExists::Write;
        const Lease lease = target->acquire("sync", "home", 0, {}).value();
        auto database = Database::open(path(), Database::Mode::Write);
        QVERIFY(database->exec("CREATE TABLE film(id, title)"));
        const auto refused = target->prepare(*plan, lease);
        QVERIFY(!refused);
        QCOMPARE(refused.error().id, std::string("target.embedded.shape"));
    }

    void versionsOfOthersDoNotCount()
    {
        const auto target = open(path());
        auto plan = std::make_shared<TablePlan>(*planOf("film"));
        plan->ifExists = IfExists::Write;
        const Lease lease = target->acquire("sync", "home", 0, {}).value();
        auto database = Database::open(path(), Database::Mode::Write);
        QVERIFY(database->exec("CREATE TABLE film(key TEXT PRIMARY KEY, doc, version); INSERT INTO film VALUES('1', '{}', 9000000000000000000), ('2', '{}', 'v2'), ('3', '{}', NULL)"));
        QVERIFY(target->prepare(*plan, lease));
        auto session = target->session(plan, lease, false);
        const auto written = (*session)->write(payloadOf(*target, plan, 1, 4, (lease.epoch << 40) + 100), {});
        QVERIFY(written);
        QCOMPARE(written->written, std::uint64_t{3});
        const auto late = (*session)->write(payloadOf(*target, plan, 1, 4, (lease.epoch << 40) + 50), {});   // now they are ours
        QVERIFY(late);
        QCOMPARE(late->superseded, std::uint64_t{3});
        QCOMPARE(target->countOwn(*plan).value(), std::uint64_t{3});
    }

    void droppedTableNeedsResync()
    {
        const auto target = open(path());
        const auto plan = planOf("film");
        const Lease lease = target->acquire("sync", "home", 0, {}).value();
        QVERIFY(target->prepare(*plan, lease));
        auto session = target->session(plan, lease, true);
        auto database = Database::open(path(), Database::Mode::Write);
        QVERIFY(database->exec("DROP TABLE film"));
        const auto refused = (*session)->write(payloadOf(*target, plan, 0, 5, lease.epoch << 40), {});
        QVERIFY(!refused);
        QCOMPARE(refused.error().fault, Fault::Schema);
        QVERIFY(target->prepare(*plan, lease)->fresh);     // and the next run makes it anew
    }

    void tablesSideBySide()
    {
        // four tables of two syncs, four threads, one file: all in, none waits for SQLite's sleeping retries to run out
        std::vector<std::string> failures(4);
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < 4; ++t)
                threads.emplace_back([this, t, &failures] {
                    const auto target = open(path());
                    const std::string sync = "sync" + std::to_string(t);
                    const auto plan = planOf("table" + std::to_string(t), sync);
                    const auto lease = target->acquire(sync, "home", 0, {});
                    if (!lease) { failures[static_cast<std::size_t>(t)] = lease.error().detail; return; }
                    const auto prepared = target->prepare(*plan, *lease);
                    if (!prepared) { failures[static_cast<std::size_t>(t)] = prepared.error().detail; return; }
                    auto session = target->session(plan, *lease, true);
                    if (!session) { failures[static_cast<std::size_t>(t)] = session.error().detail; return; }
                    for (int i = 0; i < 50; ++i)
                        if (auto written = (*session)->write(payloadOf(*target, plan, i * 20, i * 20 + 20, (lease->epoch << 40) + static_cast<std::uint64_t>(i) * 20), {}); !written)
                            failures[static_cast<std::size_t>(t)] = written.error().detail;
                });
        }
        for (const auto& failure : failures)
            QCOMPARE(failure, std::string());
        const auto target = open(path());
        for (int t = 0; t < 4; ++t)
            QCOMPARE(target->countOwn(*planOf("table" + std::to_string(t), "sync" + std::to_string(t))).value(), std::uint64_t{1000});
    }

    void gateIsFairAndHearsStop()
    {
        const auto gate = WriteGate::of("/one");
        QVERIFY(gate == WriteGate::of("/one"));
        QVERIFY(gate != WriteGate::of("/two"));
        QVERIFY(gate->enter({}));
        std::atomic<int> order{0};
        std::atomic<int> second{0};
        std::atomic<bool> entered{true};
        std::jthread stopped([&](std::stop_token stop) { entered = gate->enter(stop); });
        stopped.request_stop();
        stopped.join();
        QVERIFY(!entered);
        {
            std::jthread waiting([&] { WritePass pass(*gate, {}); second = ++order; });
            ++order;
            gate->leave();
        }
        QCOMPARE(second.load(), 2);
        QVERIFY(gate->enter({}));
        gate->leave();
    }
};

QTEST_APPLESS_MAIN(TstEmbeddedFiles)
#include "tst_embedded_files.moc"
