#include "tests/ui/uisupport.h"
#include "app/gui/trouble.h"
#include "ui/connections/connectionspage.h"
#include "ui/connections/testpane.h"
#include "ui/syncs/detailpane.h"
#include "ui/syncs/syncspage.h"
#include "ui/welcome/importer.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/datatree.h"
#include <QApplication>
#include <QDialog>
#include <QPushButton>
#include <QRegularExpression>
#include <QTest>

using namespace millrace;
using namespace millrace::test;

namespace {

FakeWorld nothingYet()
{
    FakeWorld world = shopWorld();
    world.syncs.clear();
    world.connections.clear();
    world.snapshot.syncs.clear();
    world.snapshot.connections = world.snapshot.healthyConnections = 0;
    return world;
}

//! A demo that is offered and does nothing, so that its bar is there with all its buttons
ui::DemoActions idleDemo()
{
    ui::DemoActions actions;
    actions.create = [](std::stop_token) { return Result<>(); };
    actions.changeRow = actions.breakRow = actions.mendRow = [] { return Result<std::string>("orders 1"); };
    actions.remove = [] { return Result<>(); };
    actions.sync = "shop";
    return actions;
}

//! A world in which the connections can be tested and the shop can be synced anew
FakeWorld everything()
{
    FakeWorld world = busyWorld();
    using Outcome = TestStage::Outcome;
    TestReport report;
    report.server = {"mariadb", "10.11.6-MariaDB"};
    report.stages = {{"dns", "DNS", Outcome::Passed, "db4.shop.internal resolves to 10.20.4.31", {}, 2.1}, {"login", "Login", Outcome::Passed, "millrace@10.20.% by ed25519", {}, 6},
        {"privileges", "Privileges", Outcome::Warning, "SELECT on 9 tables; without PROCESS, commits later than ten minutes are missed by polling", "GRANT PROCESS ON *.* TO 'millrace'@'10.20.%';", 4},
        {"clock", "Clock", Outcome::Failed, "the server's clock is 4 min behind this machine", "SET GLOBAL time_zone = '+00:00';", 3}, {"packet", "Packet limit", Outcome::NotReached, {}, {}, 0}};
    report.error = Error{Fault::Config, "source.mysql.clock", "the server's clock is 4 min behind this machine", {}, {}};
    world.tests["shop-db"] = report;
    PlanReport plan;
    plan.sentences = {{"plan.reads", "Millrace reads 7 tables of shop-db in sessions that are read only. It writes nothing to the source.", {"7 tables", "shop-db"}}};
    world.plans["shop-db-shop-store"] = plan;
    DryRunReport dry;
    for (const char* name : {"addresses", "customers"}) {
        DryRunTable tried;
        tried.table = name;
        tried.read = tried.fits = 1'000;
        dry.tables.push_back(tried);
    }
    dry.tables[1].findings = {{"coerced", "12 values cannot be carried: choose a policy (null is the default).", {"12"}}};
    world.dryRuns["shop-db-shop-store"] = dry;
    return world;
}

void settle()
{
    for (int i = 0; i < 3; ++i) {
        QCoreApplication::sendPostedEvents();
        QCoreApplication::processEvents();
    }
}

} // namespace

//! Every page and dialog, wide and narrow, in words of usual length and 40 % longer: each thing that can have the focus has a name for
//! screen readers, and no word lacks room. Run again with QT_SCALE_FACTOR 1.5 and 2.
class Walk : public QObject {
    Q_OBJECT
private slots:
    void init() { theme().set(ui::Appearance::Light, ui::Density::Normal); m_found.clear(); }
    void cleanup() { QCoreApplication::removeTranslator(&m_long); }
    void pages_data() { rows(); }
    void pages();
    void connections_data() { rows(); }
    void connections();
    void welcome_data() { rows(); }
    void welcome();
    void wizard_data() { rows(); }
    void wizard();
    void dialogs_data() { rows(); }
    void dialogs();
private:
    static void rows();
    void look(QWidget& root, const QString& where);
    LongWords m_long;
    QStringList m_found;
};

void Walk::rows()
{
    QTest::addColumn<bool>("longWords");
    QTest::addColumn<QSize>("size");
    for (const bool longWords : {false, true})
        for (const QSize size : {QSize(1440, 900), QSize(1000, 700)})
            QTest::addRow("%s, %d wide", longWords ? "40 %% longer" : "English", size.width()) << longWords << size;
}

void Walk::look(QWidget& root, const QString& where)
{
    settle();
    for (const QString& one : withoutAccessibleName(root))
        m_found << where + QStringLiteral(": no name: ") + one;
    for (const QString& one : clippedTexts(root))
        m_found << where + QStringLiteral(": ") + one;
    if (qEnvironmentVariableIsSet("MILLRACE_WALK_PICTURES"))
        saveScreenshot(root, QStringLiteral("walk-%1-%2-%3").arg(QString::fromLatin1(QTest::currentTestFunction()), QString::fromLatin1(QTest::currentDataTag()), where)
            .replace(QRegularExpression(QStringLiteral("[^\\w-]+")), QStringLiteral("-")));
}

#define OPEN_WINDOW(...)                                                 \
    QFETCH(bool, longWords);                                             \
    QFETCH(QSize, size);                                                 \
    if (longWords)                                                       \
        QCoreApplication::installTranslator(&m_long);                    \
    WindowFixture fixture{__VA_ARGS__};                                  \
    ui::MainWindow& window = fixture.open(size.width(), size.height());  \
    QTRY_VERIFY(fixture.idle())
#define NOTHING_FOUND QVERIFY2(m_found.isEmpty(), qPrintable(m_found.join(QLatin1Char('\n'))))

void Walk::pages()
{
    OPEN_WINDOW(everything(), ui::builtInPlugins(), idleDemo());
    auto* page = dynamic_cast<ui::SyncsPage*>(window.page(0));
    for (const auto& [sync, table] : {std::pair("shop", "customer_order"), std::pair("billing", "invoice_line"), std::pair("shop", "")}) {
        page->select(QString::fromLatin1(sync), QString::fromLatin1(table));
        for (int tab = 0; tab < ui::DetailPane::TabCount; ++tab) {
            page->details()->setTab(static_cast<ui::DetailPane::Tab>(tab));
            QTRY_VERIFY(fixture.idle());
            look(window, QStringLiteral("%1 %2 tab %3").arg(QLatin1String(sync), QLatin1String(table)).arg(tab));
        }
    }
    // a theme that comes and goes leaves every tab where it was
    theme().set(ui::Appearance::Dark, ui::Density::Normal);
    look(window, QStringLiteral("dark"));
    theme().set(ui::Appearance::Light, ui::Density::Normal);
    page->banner().say(Error{Fault::Config, "engine.already_running", "shop is running already, and the sentence that says so is long enough to need a second line in a narrow window.", "Wait for it or stop it.", {}});
    QTest::keyClick(page->tree(), Qt::Key_R, Qt::ControlModifier | Qt::ShiftModifier);
    look(window, QStringLiteral("a question above the list"));
    for (int i = 1; i < window.pageCount(); ++i) {
        window.showPage(i);
        QTRY_VERIFY(fixture.idle());
        look(window, window.page(i)->title());
    }
    NOTHING_FOUND;
}

void Walk::connections()
{
    OPEN_WINDOW(everything());
    auto* page = dynamic_cast<ui::ConnectionsPageWidget*>(window.page(1));
    window.showPage(1);
    QTRY_VERIFY(fixture.idle());
    for (const char* name : {"shop-db", "shop-store"}) {
        page->select(QString::fromLatin1(name));
        page->testPane()->button()->click();
        QTRY_VERIFY(fixture.idle());
        for (int tab = 0; tab < 4; ++tab) {
            page->editor()->setTab(static_cast<ui::ConnectionEditor::Tab>(tab));
            look(window, QStringLiteral("%1 tab %2").arg(QLatin1String(name)).arg(tab));
        }
    }
    for (const char* url : {"", "mysql://reader@db.example.org/shop", "sqlite:///data/shop.db", "mongodb://docs1.shop.internal:27017/shop?replicaSet=rs0", "null:", "mysq://wrong"}) {
        page->openNew(QString::fromLatin1(url));
        for (int tab = 0; tab < 4; ++tab) {
            page->editor()->setTab(static_cast<ui::ConnectionEditor::Tab>(tab));
            look(window, QStringLiteral("new %1 tab %2").arg(QLatin1String(url)).arg(tab));
        }
    }
    NOTHING_FOUND;
}

void Walk::welcome()
{
    OPEN_WINDOW(nothingYet(), ui::builtInPlugins(), idleDemo());
    for (int i = 0; i < window.pageCount(); ++i) {
        window.showPage(i);
        QTRY_VERIFY(fixture.idle());
        look(window, window.page(i)->title());
    }
    NOTHING_FOUND;
}

void Walk::wizard()
{
    OPEN_WINDOW(everything());
    window.newSync(QStringLiteral("shop-db"));
    auto* dialog = window.findChild<QDialog*>(QStringLiteral("wizard"));
    QVERIFY(dialog);
    dialog->resize(size);
    auto* next = dialog->findChild<QPushButton*>(QStringLiteral("next"));
    for (int step = 0; step < 4; ++step) {
        QTRY_VERIFY(fixture.idle());
        if (step == 3) {
            QTest::keyClick(dialog, Qt::Key_D, Qt::ControlModifier);
            QTRY_VERIFY(fixture.engine.count("dryRun") > 0 && fixture.idle());
        }
        look(*dialog, QStringLiteral("step %1").arg(step + 1));
        QTRY_VERIFY2(next->isEnabled(), qPrintable(QString::number(step)));
        if (step < 3)
            QTest::keyClick(dialog, Qt::Key_Return, Qt::ControlModifier);
    }
    NOTHING_FOUND;
}

void Walk::dialogs()
{
    QFETCH(QSize, size);
    if (size.width() != 1000)
        return;                                                   // they have a size of their own
    QFETCH(bool, longWords);
    if (longWords)
        QCoreApplication::installTranslator(&m_long);
    WindowFixture fixture(nothingYet());
    fixture.readFile = [](const std::string& path, std::map<std::string, Secret>&) -> Result<SyncFile> {
        if (path.find("broken") != std::string::npos)
            return Error{Fault::Config, "config.file_yaml", path + ":3: a key has no value.", "Write key: value.", {}};
        SyncFile file;
        ConnectionDef source;
        source.name = "source";
        source.url = "mysql://reader@db1.shop.internal/shop";
        source.environment = "prod";
        file.connections = {source};
        return file;
    };
    ui::MainWindow& window = fixture.open();
    window.showShortcuts();
    look(*window.findChild<QDialog*>(), QStringLiteral("shortcuts"));
    window.findChild<QDialog*>()->close();
    QTRY_VERIFY(!window.findChild<QDialog*>());
    for (const char* file : {"broken.yml", "shop.yml"}) {
        window.importSettings(QString::fromLatin1(file));
        QTRY_VERIFY(fixture.idle());
        look(*window.findChild<ui::Importer*>(), QString::fromLatin1(file));
        window.findChild<ui::Importer*>()->close();
        QTRY_VERIFY(!window.findChild<ui::Importer*>());
    }
    gui::Trouble trouble(Error{Fault::Config, "home.in_use", "The home /home/ada/.local/share/millrace is in use by millrace-cli serve, process 4711 on workstation-12 since 09:14.", "Stop that process, or start with another --home.", {}},
        QStringLiteral("/home/ada/.local/share/millrace"));
    trouble.show();
    look(trouble, QStringLiteral("trouble"));
    NOTHING_FOUND;
}

QTEST_MAIN(Walk)
#include "tst_walk.moc"
