#include "tests/ui/uisupport.h"
#include "ui/wizard/tablesmodel.h"
#include <QAbstractItemModelTester>
#include <QDialog>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTreeView>
#include <QtTest>

using namespace millrace;
using namespace millrace::ui;
using namespace millrace::test;

namespace {

TableInfo table(const std::string& schema, const std::string& name, std::uint64_t rows, TableKind kind = TableKind::Table)
{
    TableInfo info;
    info.ref = {schema, name};
    info.kind = kind;
    info.rowsEstimate = rows;
    info.bytes = rows * 100;
    ColumnInfo id, changed;
    id.name = "id"; id.type = Type::Int; id.nullable = false;
    changed.name = "updated_at"; changed.type = Type::Timestamp;
    info.columns = {id, changed};
    if (kind == TableKind::Table) info.primaryKey = info.key = {"id"};
    info.recommended.strategy = kind == TableKind::Table ? Strategy::Timestamp : Strategy::Full;
    info.recommended.cursor = "updated_at";
    info.recommended.reason = {"cursor_indexed", "updated_at is indexed", {}};
    return info;
}

std::vector<TableInfo> someTables()
{
    return {table("shop", "address", 6001), table("shop", "audit_event", 12'904'118), table("shop", "customer", 599'214), table("shop", "daily_sales", 0, TableKind::View),
            table("shop", "session_tmp", 18'220)};
}

} // namespace

//! Choosing tables, and the dialog New sync driven as a person would.
class TestWizard : public QObject {
    Q_OBJECT
private slots:
    void theRuleDecidesAndAHandBeatsIt()
    {
        TablesModel model;
        QAbstractItemModelTester tester(&model, QAbstractItemModelTester::FailureReportingMode::QtTest);
        model.setTables(someTables(), false);
        QCOMPARE(model.selectedCount(), 4);                          // a glob takes no view
        model.setRule({QStringLiteral("*")}, {QStringLiteral("audit_*"), QStringLiteral("*_tmp")});
        QCOMPARE(model.selectedCount(), 2);
        QVERIFY(model.setData(model.indexOf(1), Qt::Checked, Qt::CheckStateRole));
        QVERIFY(model.setData(model.indexOf(3), Qt::Checked, Qt::CheckStateRole));
        QVERIFY(model.setData(model.indexOf(0), Qt::Unchecked, Qt::CheckStateRole));
        QCOMPARE(model.selectedCount(), 3);
        QCOMPARE(model.byHandCount(), 3);
        SyncDef def;
        model.store(def);
        QCOMPARE(def.exclude, (std::vector<std::string>{"audit_*", "*_tmp", "address"}));
        QCOMPARE(def.tables.size(), std::size_t{3});                 // *, audit_event, daily_sales
        TablesModel again;
        again.setTables(someTables(), false);
        again.load(def);
        QCOMPARE(again.selectedCount(), 3);
    }

    void whatTheFileSaidOfATableSurvivesTheDialog()
    {
        SyncDef def;
        TableRule all, customer;
        all.name = "*";
        customer.name = "customer";
        customer.where = "id > 5";
        customer.rename = {{"id", "customer_id"}};
        def.tables = {all, customer};
        TablesModel model;
        model.setTables(someTables(), false);
        model.load(def);
        model.setStrategy(model.indexOf(2), Strategy::Full);
        model.store(def);
        const auto it = std::find_if(def.tables.begin(), def.tables.end(), [](const TableRule& r) { return r.name == "customer"; });
        QVERIFY(it != def.tables.end());
        QCOMPARE(*it->where, std::string("id > 5"));
        QCOMPARE(it->rename.size(), std::size_t{1});
        QVERIFY(it->strategy == Strategy::Full);
    }

    void fiveThousandTablesAreTickedAtOnce()
    {
        std::vector<TableInfo> many;
        for (int i = 0; i < 5000; ++i)
            many.push_back(table("shop", "t" + std::to_string(i), 10));
        TablesModel model;
        model.setTables(std::move(many), false);
        QVERIFY(model.setData(model.index(0, 0), Qt::Unchecked, Qt::CheckStateRole));
        QCOMPARE(model.selectedCount(), 0);
        QVERIFY(model.setData(model.index(0, 0), Qt::Checked, Qt::CheckStateRole));
        QCOMPARE(model.selectedCount(), 5000);
    }

    void fourEntersMakeASync()
    {
        FakeWorld world;
        ConnectorSpec source, target;
        source.id = "sqlite"; source.label = "SQLite"; source.schemes = {"sqlite"}; source.source = true;
        target.id = "embedded"; target.label = "Embedded store"; target.schemes = {"embedded"}; target.target = true;
        world.connectors = {source, target};
        ConnectionDef shop, docs;
        shop.name = "shop"; shop.url = "sqlite:///data/shop.db";
        docs.name = "docs"; docs.url = "embedded:///data/docs.db";
        world.connections = {shop, docs};
        Discovery found;
        found.connection = "shop";
        found.server = {"sqlite", "3.40.1"};
        found.tables = someTables();
        world.discoveries["shop"] = found;
        PlanReport plan;
        plan.sentences = {{"plan.reads", "Millrace reads 4 tables of shop in sessions that are read only. It writes nothing to the source.", {"4 tables", "shop"}}};
        world.plans["shop-docs"] = plan;
        WindowFixture f(std::move(world));
        f.open();
        QVERIFY(f.plugins.wizard);
        QTest::keyClick(f.window.get(), Qt::Key_N, Qt::ControlModifier);
        QTRY_VERIFY(f.window->findChild<QDialog*>(QStringLiteral("wizard")));
        auto* dialog = f.window->findChild<QDialog*>(QStringLiteral("wizard"));
        auto* next = dialog->findChild<QPushButton*>(QStringLiteral("next"));
        QTRY_VERIFY(next->isEnabled());
        QTRY_VERIFY(f.idle());
        saveScreenshot(*dialog, QStringLiteral("wizard-1-source"));
        const auto enter = [&] { QTest::keyClick(dialog->focusWidget() ? dialog->focusWidget() : dialog, Qt::Key_Return); };
        enter();
        QTRY_COMPARE(next->text(), QStringLiteral("Next: Target"));
        saveScreenshot(*dialog, QStringLiteral("wizard-2-tables"));
        QCOMPARE(withoutAccessibleName(*dialog), QStringList());
        enter();
        QTRY_COMPARE(next->text(), QStringLiteral("Next: Schedule && review"));
        saveScreenshot(*dialog, QStringLiteral("wizard-3-target"));
        enter();
        QTRY_COMPARE(next->text(), QStringLiteral("Create sync"));
        QTRY_VERIFY(f.engine.count("plan") > 0 && f.idle());
        QTest::keyClick(dialog, Qt::Key_D, Qt::ControlModifier);
        QTRY_VERIFY(f.engine.count("dryRun") > 0 && f.idle());
        saveScreenshot(*dialog, QStringLiteral("wizard-4-review"));
        QTRY_VERIFY2(clippedTexts(*dialog).isEmpty(), qPrintable(clippedTexts(*dialog).join(QStringLiteral(" | "))));
        QTRY_VERIFY(next->isEnabled());
        enter();
        QTRY_VERIFY(f.engine.count("saveSync") == 1);
        QTRY_VERIFY(f.engine.count("start") == 1);
        const auto syncs = f.engine.world().syncs;
        QCOMPARE(syncs.size(), std::size_t{1});
        QCOMPARE(syncs[0].name, std::string("shop-docs"));
        QCOMPARE(syncs[0].source, std::string("shop"));
        QCOMPARE(syncs[0].target, std::string("docs"));
        QVERIFY(syncs[0].settings == SyncSettings());                // what was not touched stays as it was
        QCOMPARE(syncs[0].deleteBrakePercent, 5.0);
        QCOMPARE(callsOnWindowThread(f.engine), QStringList());
    }

    // What was saved is there, whether its first run starts or not: the dialog ends and says so
    void savedButNotStarted()
    {
        FakeWorld world = shopWorld();
        world.errors["start"] = Error{Fault::Config, "engine.paused", "The home is busy with a rebuild.", "Wait for it.", {}};
        WindowFixture f(std::move(world));
        f.open();
        f.window->newSync(QStringLiteral("shop-db"));
        QTRY_VERIFY(f.window->findChild<QDialog*>(QStringLiteral("wizard")));
        auto* dialog = f.window->findChild<QDialog*>(QStringLiteral("wizard"));
        auto* next = dialog->findChild<QPushButton*>(QStringLiteral("next"));
        for (const char* words : {"Next: Tables", "Next: Target", "Next: Schedule && review", "Create sync"}) {
            QTRY_COMPARE(next->text(), QString::fromLatin1(words));
            QTRY_VERIFY(next->isEnabled() && f.idle());
            QTest::keyClick(dialog, Qt::Key_Return, Qt::ControlModifier);
        }
        QTRY_COMPARE(f.engine.count("start"), std::size_t{1});
        QTRY_VERIFY(!f.window->findChild<QDialog*>(QStringLiteral("wizard")));
        QCOMPARE(f.engine.count("saveSync"), std::size_t{1});
        QStringList words;
        for (const auto* label : f.window->findChildren<QLabel*>())
            words << label->text();
        QVERIFY(words.join(QLatin1Char('\n')).contains(QStringLiteral("not started: The home is busy with a rebuild.")));
    }

    void productionWantsTheNameTyped()
    {
        FakeWorld world;
        ConnectorSpec source, target;
        source.id = "sqlite"; source.label = "SQLite"; source.schemes = {"sqlite"}; source.source = true;
        target.id = "embedded"; target.label = "Embedded store"; target.schemes = {"embedded"}; target.target = true;
        world.connectors = {source, target};
        ConnectionDef shop, docs;
        shop.name = "shop"; shop.url = "sqlite:///data/shop.db";
        docs.name = "docs"; docs.url = "embedded:///data/docs.db"; docs.environment = "prod";
        world.connections = {shop, docs};
        Discovery found;
        found.tables = someTables();
        world.discoveries["shop"] = found;
        WindowFixture f(std::move(world));
        f.open();
        QTest::keyClick(f.window.get(), Qt::Key_N, Qt::ControlModifier);
        QTRY_VERIFY(f.window->findChild<QDialog*>(QStringLiteral("wizard")));
        auto* dialog = f.window->findChild<QDialog*>(QStringLiteral("wizard"));
        auto* next = dialog->findChild<QPushButton*>(QStringLiteral("next"));
        for (const char* words : {"Next: Tables", "Next: Target", "Next: Schedule && review"}) {
            QTRY_COMPARE(next->text(), QString::fromLatin1(words));
            QTRY_VERIFY(next->isEnabled());
            QTest::keyClick(dialog, Qt::Key_Return, Qt::ControlModifier);
        }
        QTRY_COMPARE(next->text(), QStringLiteral("Create sync"));
        QTRY_VERIFY(f.idle());
        QVERIFY(!next->isEnabled());
        for (QLineEdit* edit : dialog->findChildren<QLineEdit*>())
            if (edit->accessibleName().contains(QStringLiteral("production"))) {
                edit->setFocus();
                QTest::keyClicks(edit, QStringLiteral("docs"));
                QTest::keyClick(edit, Qt::Key_Return);                // Enter in the field does not submit
            }
        QCOMPARE(f.engine.count("saveSync"), std::size_t{0});
        QVERIFY(next->isEnabled());
    }
};

QTEST_MAIN(TestWizard)
#include "tst_wizard.moc"
