#include "tests/ui/uisupport.h"
#include "ui/logs/logmodel.h"
#include "ui/syncs/filtertree.h"
#include "ui/syncs/issuesmodel.h"
#include "ui/syncs/syncfilter.h"
#include "ui/syncs/syncsmodel.h"
#include "ui/widgets/celldelegate.h"
#include <QAbstractItemModelTester>
#include <QElapsedTimer>
#include <QItemSelectionModel>
#include <QSignalSpy>
#include <QTest>
#include <QTreeView>

using namespace millrace;
using namespace millrace::test;
using ui::SyncColumn;

namespace {

SnapshotPtr snapshot(const std::function<void(EngineSnapshot&)>& change = {})
{
    auto made = std::make_shared<EngineSnapshot>(busyWorld().snapshot);
    if (change)
        change(*made);
    return made;
}

QString shown(const QModelIndex& index, SyncColumn column) { return ui::CellDelegate::cell(index.siblingAtColumn(int(column))).text; }

} // namespace

class SyncsModelTest : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { theme(); }
    void showsJobsAndTables();
    void oneSpanPerLevel();
    void silentWithoutChange();
    void keepsSelectionThroughStructure();
    void jobShowsTheWorst();
    void unknownIsNotTheLastGoodFigure();
    void filterWords_data();
    void filterWords();
    void orderWaitsForSettle();
    void filterTreeCounts();
    void issuesGroupByCause();
    void issuesLoadMoreOnDemand();
    void logFilters();
    void fiveThousandRows();
};

void SyncsModelTest::showsJobsAndTables()
{
    ui::SyncsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.apply(snapshot());
    QCOMPARE(model.rowCount(), 4);
    const QModelIndex order = model.find("shop", "customer_order");
    QCOMPARE(shown(order, SyncColumn::Name), QStringLiteral("customer_order"));
    QCOMPARE(shown(order, SyncColumn::State), QStringLiteral("Running"));
    QCOMPARE(shown(order, SyncColumn::Progress), QStringLiteral("62 %"));
    QCOMPARE(shown(order, SyncColumn::Rows), QStringLiteral("1,944,200"));
    QCOMPARE(shown(order, SyncColumn::Failed), QStringLiteral("37"));
    const QModelIndex job = model.find("shop");
    QCOMPARE(shown(job, SyncColumn::Rows), QStringLiteral("8,412,906"));
    QCOMPARE(shown(job, SyncColumn::Lag), QStringLiteral("6 min"));
    QCOMPARE(ui::CellDelegate::cell(job).pills.first().text, QStringLiteral("PROD"));
}

void SyncsModelTest::oneSpanPerLevel()
{
    ui::SyncsModel model;
    model.apply(snapshot());
    QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
    model.apply(snapshot([](EngineSnapshot& s) {
        s.syncs[0].tables[1].rows += 10;
        s.syncs[0].tables[4].rows += 10;
        s.syncs[1].tables[0].writeRate = 1;
    }));
    QCOMPARE(changed.size(), 3);                                  // shop's tables, documents' tables, the jobs
    QCOMPARE(changed[0].at(0).toModelIndex().row(), 1);
    QCOMPARE(changed[0].at(1).toModelIndex().row(), 4);
}

void SyncsModelTest::silentWithoutChange()
{
    ui::SyncsModel model;
    model.apply(snapshot());
    QSignalSpy changed(&model, &QAbstractItemModel::dataChanged);
    model.apply(snapshot([](EngineSnapshot& s) { ++s.revision; }));
    QCOMPARE(changed.size(), 0);
}

void SyncsModelTest::keepsSelectionThroughStructure()
{
    ui::SyncsModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    ui::SyncProxy proxy(&model);
    QAbstractItemModelTester proxyTester(&proxy, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.apply(snapshot());
    QTreeView view;
    view.setModel(&proxy);
    view.expandAll();
    const QModelIndex before = proxy.mapFromSource(model.find("documents", "price_history"));
    view.setCurrentIndex(before);
    model.apply(snapshot([](EngineSnapshot& s) {
        s.syncs.erase(s.syncs.begin());                           // a job goes
        SyncView added;
        added.name = "added";
        added.tables.resize(2);
        added.tables[0].table = "a";
        added.tables[1].table = "b";
        s.syncs.insert(s.syncs.begin(), added);                   // another comes
        std::swap(s.syncs[2], s.syncs[3]);                        // two change places
        TableView fresh = s.syncs[1].tables[0];
        fresh.table = "fresh";
        s.syncs[1].tables.insert(s.syncs[1].tables.begin(), fresh);
        std::reverse(s.syncs[1].tables.begin(), s.syncs[1].tables.end());
    }));
    QCOMPARE(model.rowCount(), 4);
    QCOMPARE(shown(view.currentIndex(), SyncColumn::Name), QStringLiteral("price_history"));
    QVERIFY(view.isExpanded(view.currentIndex().parent()));
    QCOMPARE(model.rowCount(model.find("documents")), 3);
    model.apply(snapshot([](EngineSnapshot& s) { s.syncs.clear(); }));
    QCOMPARE(model.rowCount(), 0);
}

void SyncsModelTest::jobShowsTheWorst()
{
    const auto world = busyWorld();
    QCOMPARE(ui::jobState(world.snapshot.syncs[0]), State::Running);      // Running before Lagging and Live
    QCOMPARE(ui::jobState(world.snapshot.syncs[3]), State::Failed);
    SyncView job = world.snapshot.syncs[3];
    job.state = State::Idle;
    job.tables[1].state = State::Idle;
    QCOMPARE(ui::jobState(job), State::NeedsResync);
    job.tables[2].state = State::Running;
    QCOMPARE(ui::jobState(job), State::Unknown);
}

void SyncsModelTest::unknownIsNotTheLastGoodFigure()
{
    ui::SyncsModel model;
    model.apply(snapshot());
    QCOMPARE(shown(model.find("billing", "tax_rate"), SyncColumn::Lag), QStringLiteral("unknown"));
    TableView idle;
    idle.state = State::Idle;
    QCOMPARE(ui::tableCell({}, idle, SyncColumn::Lag, 0).text, QStringLiteral("–"));
    QCOMPARE(ui::tableCell({}, idle, SyncColumn::LastSync, 0).text, QStringLiteral("–"));
    QCOMPARE(ui::tableCell({}, idle, SyncColumn::Rows, 0).text, QStringLiteral("0"));
}

void SyncsModelTest::filterWords_data()
{
    QTest::addColumn<QString>("typed");
    QTest::addColumn<int>("tables");
    QTest::newRow("nothing") << "" << 15;
    QTest::newRow("part of a name") << "order" << 2;
    QTest::newRow("two words") << "order line" << 1;
    QTest::newRow("case does not matter") << "ORDER" << 2;
    QTest::newRow("a job's name takes its tables") << "warehouse" << 2;
    QTest::newRow("state") << "state:failed" << 1;
    QTest::newRow("two states") << "state:failed,lagging" << 2;
    QTest::newRow("state of two words") << "state:needs_resync" << 1;
    QTest::newRow("lag") << "lag>1m" << 6;
    QTest::newRow("an unknown lag is not below") << "lag<1h" << 13;
    QTest::newRow("failed") << "failed>0" << 1;
    QTest::newRow("target") << "target:embedded" << 6;
    QTest::newRow("source") << "source:kiosk" << 4;
    QTest::newRow("tag") << "tag:storefront" << 9;
    QTest::newRow("combined") << "target:docs1 state:live" << 3;
    QTest::newRow("minus") << "-target:docs1" << 6;
    QTest::newRow("not understood is a word") << "state:green" << 0;
    QTest::newRow("unfinished") << "lag>" << 0;
    QTest::newRow("rows") << "rows>1000000" << 5;
}

void SyncsModelTest::filterWords()
{
    QFETCH(QString, typed);
    QFETCH(int, tables);
    ui::SyncsModel model;
    ui::SyncProxy proxy(&model);
    model.apply(snapshot());
    proxy.setWords(typed);
    QCOMPARE(proxy.tablesShown(), tables);
    QCOMPARE(proxy.tablesInAll(), 15);
}

void SyncsModelTest::orderWaitsForSettle()
{
    ui::SyncsModel model;
    ui::SyncProxy proxy(&model);
    model.apply(snapshot());
    proxy.sort(int(SyncColumn::Rows), Qt::DescendingOrder);
    const auto first = [&] { return shown(proxy.index(0, 0, proxy.mapFromSource(model.find("shop"))), SyncColumn::Name); };
    QCOMPARE(first(), QStringLiteral("order_line"));
    model.apply(snapshot([](EngineSnapshot& s) { s.syncs[0].tables[0].rows = 99'000'000; }));
    QCOMPARE(first(), QStringLiteral("order_line"));              // rows do not jump by themselves
    proxy.settle();
    QCOMPARE(first(), QStringLiteral("address"));
}

void SyncsModelTest::filterTreeCounts()
{
    ui::FilterTree tree(nullptr);
    tree.apply(*snapshot());
    QCOMPARE(tree.countOf(millrace::State::Running), 2);
    QCOMPARE(tree.countOf(millrace::State::Idle), 3);
    QCOMPARE(tree.countOf(millrace::State::Failed), 1);
    QVERIFY(tree.picks() == ui::FilterPicks{});
    QSignalSpy picked(&tree, &ui::FilterTree::picked);
    const QModelIndex status = tree.model()->index(0, 0);
    tree.selectionModel()->select(tree.model()->index(1, 0, status), QItemSelectionModel::ClearAndSelect | QItemSelectionModel::Rows);
    tree.selectionModel()->select(tree.model()->index(3, 0, status), QItemSelectionModel::Select | QItemSelectionModel::Rows);
    QCOMPARE(tree.picks().states, (std::set<millrace::State>{millrace::State::Running, millrace::State::Lagging}));
    QCOMPARE(picked.size(), 2);
    tree.apply(*snapshot([](EngineSnapshot& s) { s.syncs[0].tables[5].state = millrace::State::Idle; }));
    QCOMPARE(tree.countOf(millrace::State::Lagging), 0);
    QCOMPARE(tree.picks().states.size(), std::size_t(2));         // picked rows stay picked at zero
}

void SyncsModelTest::issuesGroupByCause()
{
    ui::IssuesModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setRows(busyWorld().failures, 1);
    QCOMPARE(model.rowCount(), 3);                                // 37 rows are three causes
    QCOMPARE(model.rowCount(model.index(0, 0)), 31);
    QCOMPARE(model.rowsOf(model.index(0, 0)).size(), std::size_t(31));
    QCOMPARE(ui::CellDelegate::cell(model.index(0, 0)).text, QStringLiteral("zero date: placed_at"));
    model.hideRows({ui::IssuesModel::idOf(*model.row(model.index(2, 0)))});
    QCOMPARE(model.rowCount(), 2);
    model.unhideRows({{"shop", "customer_order", "source.mysql.invalid_utf8", "41877"}});
    QCOMPARE(model.rowCount(), 3);
    model.setGroupBy(ui::IssuesModel::GroupBy::Table);
    QCOMPARE(model.rowCount(), 1);
    model.setWords(QStringLiteral("17.1 MB"));
    QCOMPARE(model.visibleRows(), 5);
}

void SyncsModelTest::issuesLoadMoreOnDemand()
{
    std::vector<FailedRow> rows(1'300, busyWorld().failures.front());
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i].key = std::to_string(i);
    ui::IssuesModel model;
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    model.setRows(rows, 1);
    const QModelIndex group = model.index(0, 0);
    QCOMPARE(model.rowCount(group), 501);
    QVERIFY(model.isMore(model.index(500, 0, group)));
    QCOMPARE(ui::CellDelegate::cell(model.index(500, 0, group)).text, QStringLiteral("800 more rows"));
    model.showMore(model.index(500, 0, group));
    QCOMPARE(model.rowCount(group), 1'001);
    model.showMore(model.index(1'000, 0, group));
    QCOMPARE(model.rowCount(group), 1'300);
    QVERIFY(!model.isMore(model.index(1'299, 0, group)));
}

void SyncsModelTest::logFilters()
{
    FakeLog log;
    log.add(Level::Debug, "engine", "Batch acknowledged", {{"sync", "shop"}, {"table", "film"}});
    log.add(Level::Warning, "source.mysql", "Slow page", {{"sync", "shop"}});
    log.add(Level::Error, "target.embedded", "Disk full", {{"sync", "billing"}, {"table", "invoice"}});
    ui::LogModel model(log);
    QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
    ui::LogProxy proxy;
    proxy.setSourceModel(&model);
    QVERIFY(model.poll());
    QVERIFY(!model.poll());
    QCOMPARE(proxy.rowCount(), 3);
    proxy.setLevels({false, false, true, true});
    QCOMPARE(proxy.rowCount(), 2);
    proxy.setScope("shop", "film");
    QCOMPARE(proxy.rowCount(), 1);                                // a line of the sync without a table belongs to each table
    proxy.setScope({}, {});
    QVERIFY(proxy.setWords(QStringLiteral("disk"), false));
    QCOMPARE(proxy.rowCount(), 1);
    QVERIFY(proxy.setWords(QStringLiteral("^source\\."), true));
    QCOMPARE(proxy.rowCount(), 1);
    QVERIFY(!proxy.setWords(QStringLiteral("("), true));          // not valid: the former filter stays
    QCOMPARE(proxy.rowCount(), 1);
    log.add(Level::Error, "source.mysql", "Gone");
    QVERIFY(model.poll());
    QCOMPARE(proxy.rowCount(), 2);
}

void SyncsModelTest::fiveThousandRows()
{
    auto many = std::make_shared<EngineSnapshot>();
    for (int s = 0; s < 50; ++s) {
        SyncView job = busyWorld().snapshot.syncs[0];
        job.name = "job" + std::to_string(s);
        const TableView table = job.tables[2];
        job.tables.clear();
        for (int t = 0; t < 100; ++t) {
            job.tables.push_back(table);
            job.tables.back().table = "table" + std::to_string(t);
        }
        many->syncs.push_back(job);
    }
    ui::SyncsModel model;
    ui::SyncProxy proxy(&model);
    model.apply(many);
    QTreeView view;
    view.setModel(&proxy);
    view.setUniformRowHeights(true);
    view.setItemDelegate(new ui::CellDelegate(&view));
    view.resize(1'200, 800);
    view.expandAll();
    view.show();
    QElapsedTimer clock;
    qint64 worst = 0;
    for (int round = 0; round < 8; ++round) {
        auto next = std::make_shared<EngineSnapshot>(*many);
        for (SyncView& sync : next->syncs)
            for (TableView& table : sync.tables)
                table.rows += std::uint64_t(round) + 1;
        clock.restart();
        model.apply(next);
        QApplication::processEvents();
        worst = std::max(worst, clock.elapsed());
    }
    qInfo("an update of 5,000 rows takes %lld ms at worst", worst);
    QVERIFY2(worst < 400, "the window would stall");              // a debug build on a busy machine; a release build takes a tenth
}

QTEST_MAIN(SyncsModelTest)
#include "tst_syncs_model.moc"
