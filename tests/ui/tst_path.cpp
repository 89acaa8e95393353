#include "tests/ui/uisupport.h"
#include "app/cli/demo.h"
#include "app/gui/application.h"
#include "core/demo/shop.h"
#include "ui/connections/connectionspage.h"
#include "ui/connections/testpane.h"
#include "ui/syncs/detailpane.h"
#include "ui/syncs/issuestab.h"
#include "ui/syncs/subject.h"
#include "ui/syncs/syncspage.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/connectorform.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/toast.h"
#include <QApplication>
#include <QDialog>
#include <QFile>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QSignalSpy>
#include <QTemporaryDir>
#include <QTest>
#include <sqlite3.h>

using namespace millrace;
using namespace millrace::test;

namespace {

constexpr int kSoon = 30'000;                      // a busy machine is slow, not wrong
#undef QTRY_VERIFY
#undef QTRY_COMPARE
#define QTRY_VERIFY(condition) QTRY_VERIFY_WITH_TIMEOUT(condition, kSoon)
#define QTRY_COMPARE(actual, expected) QTRY_COMPARE_WITH_TIMEOUT(actual, expected, kSoon)

//! The window on the real engine, in a home of its own, wired as the application wires it.
struct Real {
    Real()
    {
        RuntimeOptions options;
        options.home = folder.path().toStdString() + "/home";
        auto opened = openRuntime(options);
        if (!opened)
            qFatal("%s", opened.error().detail.c_str());
        runtime = std::move(*opened);
        app = std::make_unique<gui::Application>(*static_cast<QApplication*>(QApplication::instance()), *runtime, theme());
        app->window().resize(1440, 900);
        app->show();
        (void)QTest::qWaitForWindowActive(&app->window());
    }
    ui::MainWindow& window() const { return app->window(); }
    ui::SyncsPage& syncs() const { return *dynamic_cast<ui::SyncsPage*>(window().page(0)); }
    ui::ConnectionsPageWidget& connections() const { return *dynamic_cast<ui::ConnectionsPageWidget*>(window().page(1)); }
    void back() const                                             //!< what a window manager does when a dialog goes
    {
        window().activateWindow();
        (void)QTest::qWaitForWindowActive(&window());
    }
    QDialog* wizard() const { return window().findChild<QDialog*>(QStringLiteral("wizard")); }
    SnapshotPtr now() const { return runtime->engine().snapshot(); }
    std::string path(const char* name) const { return folder.path().toStdString() + "/" + name; }
    QTemporaryDir folder;
    std::unique_ptr<Runtime> runtime;
    std::unique_ptr<gui::Application> app;
};

QWidget* focus() { return QApplication::focusWidget() ? QApplication::focusWidget() : QApplication::topLevelWidgets().constFirst(); }
void key(int code, Qt::KeyboardModifiers with = {}) { QTest::keyClick(focus(), Qt::Key(code), with); }
void type(const std::string& words) { QTest::keyClicks(focus(), QString::fromStdString(words)); }

//! Tab until the focus is on what is called so; false when it comes round without
bool tabTo(const QString& name)
{
    for (int i = 0; i < 80; ++i) {
        QWidget* now = QApplication::focusWidget();
        if (!now)
            return false;
        if (now->accessibleName() == name)
            return true;
        key(Qt::Key_Tab);
    }
    return false;
}

QString tip(ui::Banner& banner) { return banner.isVisible() ? banner.sentence() : QString(); }

const TableView* tableOf(const EngineSnapshot& snapshot, const std::string& sync, const std::string& table) { return ui::findTable(snapshot, {sync, table}); }

bool ended(const EngineSnapshot& snapshot, const std::string& sync)
{
    const SyncView* view = ui::findSync(snapshot, sync);
    return view && view->run == 0 && !view->tables.empty() && view->tables.front().state != State::Running && view->tables.front().state != State::Queued;
}

std::int64_t number(const std::string& file, const char* sql)
{
    sqlite3* db = nullptr;
    sqlite3_stmt* statement = nullptr;
    std::int64_t out = -1;
    if (sqlite3_open_v2(file.c_str(), &db, SQLITE_OPEN_READONLY, nullptr) == SQLITE_OK && sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) == SQLITE_OK
        && sqlite3_step(statement) == SQLITE_ROW)
        out = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return out;
}

void execute(const std::string& file, const char* sql)
{
    sqlite3* db = nullptr;
    if (sqlite3_open(file.c_str(), &db) == SQLITE_OK)
        QCOMPARE(sqlite3_exec(db, sql, nullptr, nullptr, nullptr), SQLITE_OK);
    sqlite3_close(db);
}

} // namespace

//! From a fresh home to a sync that runs, by the keyboard alone, on the real engine; wrong input on the way, and things pulled away.
class Path : public QObject {
    Q_OBJECT
private slots:
    void init();
    void demoFromWelcome();
    void ownDatabase();
    void wrongInput();
    void noSource();
    void sourceDeleted();
    void targetGone();
    void targetUnreachable();
    void closedWhileRunning();
    void homeCannotBeWritten();
private:
    void save(Real& real, const std::string& url);
    void wizardToEnd(Real& real);
    QString obstacle(Real& real);
    void atRest(Real& real, const std::string& sync);
};

void Path::init() { theme().set(ui::Appearance::Light, ui::Density::Normal); }

// No run and no call, and the window knows it: what a key may do is decided by what the window shows
void Path::atRest(Real& real, const std::string& sync)
{
    QTRY_VERIFY(ended(*real.now(), sync) && real.window().context().calls.running() == 0);
    real.window().context().monitor.sampleNow();
    QTRY_VERIFY(ended(*real.window().context().monitor.latest(), sync));
}

// Ctrl+Shift+N, the URL, Ctrl+T, Ctrl+S
void Path::save(Real& real, const std::string& url)
{
    key(Qt::Key_N, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_VERIFY(real.connections().editor()->form()->urlField()->hasFocus());
    type(url);
    key(Qt::Key_T, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(!real.connections().testPane()->running() && real.connections().testPane()->list()->model()->rowCount() > 0, kSoon);
    key(Qt::Key_S, Qt::ControlModifier);
    QTRY_VERIFY(!real.connections().editor()->isNew());
    QTRY_COMPARE(real.window().context().calls.running(), 0);
}

void Path::wizardToEnd(Real& real)
{
    QTRY_VERIFY(real.wizard() && real.wizard()->isVisible());
    auto* next = real.wizard()->findChild<QPushButton*>(QStringLiteral("next"));
    for (const char* words : {"Next: Tables", "Next: Target", "Next: Schedule && review", "Create sync"}) {
        QTRY_COMPARE_WITH_TIMEOUT(next->text(), QString::fromLatin1(words), kSoon);
        QTRY_VERIFY_WITH_TIMEOUT(next->isEnabled(), kSoon);
        QTRY_COMPARE_WITH_TIMEOUT(real.window().context().calls.running(), 0, kSoon);
        QTest::keyClick(real.wizard(), Qt::Key_Return);
    }
    QTRY_VERIFY_WITH_TIMEOUT(!real.wizard(), kSoon);
    real.back();
    QTRY_VERIFY_WITH_TIMEOUT(!real.now()->syncs.empty(), kSoon);
}

void Path::demoFromWelcome()
{
    Real real;
    QSignalSpy proven(&real.window(), &ui::MainWindow::demoProven);
    key(Qt::Key_T, Qt::AltModifier);
    QTRY_COMPARE_WITH_TIMEOUT(proven.count(), 1, kSoon);
    const SnapshotPtr seen = real.now();
    const SyncView* demo = ui::findSync(*seen, "demo");
    QVERIFY(demo);
    QCOMPARE(demo->tables.size(), std::size_t(7));
    for (const TableView& table : demo->tables) {
        QCOMPARE(stateName(table.state), std::string_view("idle"));
        QTRY_COMPARE(tableOf(*real.now(), "demo", table.table)->verified, std::string("identical"));
    }
    QVERIFY(tip(real.syncs().banner()).contains(QStringLiteral("identical")));
    // a row that cannot be carried is told in the tree, in the tab and on the strip, and gone again when it is mended
    QVERIFY(tabTo(QStringLiteral("Break a row")));
    key(Qt::Key_Space);
    QTRY_VERIFY_WITH_TIMEOUT(tableOf(*real.now(), "demo", "reviews")->failed == 1 && ended(*real.now(), "demo"), kSoon);
    real.syncs().select(QStringLiteral("demo"), QStringLiteral("reviews"));
    key(Qt::Key_3, Qt::AltModifier);
    QTRY_COMPARE(real.syncs().details()->issues()->model().visibleRows(), 1);
    // what was proven before the row broke is not shown as proven now
    QVERIFY(tableOf(*real.now(), "demo", "reviews")->verified != "identical" || tableOf(*real.now(), "demo", "reviews")->verifiedMs < tableOf(*real.now(), "demo", "reviews")->lastSyncMs);
    QVERIFY(!tip(real.syncs().banner()).contains(QStringLiteral("identical")));
    saveScreenshot(real.window(), QStringLiteral("path-broken-row"));
    QVERIFY(tabTo(QStringLiteral("Mend it")));
    key(Qt::Key_Space);
    QTRY_COMPARE_WITH_TIMEOUT(tableOf(*real.now(), "demo", "reviews")->failed, std::uint64_t(0), kSoon);
    QTRY_COMPARE(real.syncs().details()->issues()->model().visibleRows(), 0);
    QVERIFY(tabTo(QStringLiteral("Remove the demo")));
    key(Qt::Key_Space);
    QTRY_VERIFY_WITH_TIMEOUT(real.now()->syncs.empty(), kSoon);
    QTRY_VERIFY(!real.syncs().tree()->isVisible());               // Welcome is back
    QCOMPARE(tip(real.syncs().banner()), QString());
    QVERIFY(!QFile::exists(QString::fromStdString(real.runtime->home()) + QStringLiteral("/demo/shop.db")));
}

void Path::ownDatabase()
{
    Real real;
    const std::string shop = real.path("own shop.db");
    QVERIFY(makeShopSqlite(shop, 3'000).has_value());
    save(real, "sqlite://" + shop);
    QVERIFY(tabTo(QStringLiteral("Use in a new sync")));
    key(Qt::Key_Space);
    wizardToEnd(real);
    // no target was there: the embedded store of this home was proposed and made
    QCOMPARE(real.window().currentPage(), 0);
    const std::string sync = real.now()->syncs.empty() ? std::string() : real.now()->syncs.front().name;
    QCOMPARE(sync, std::string("own-shop-embedded"));
    QTRY_VERIFY_WITH_TIMEOUT(ended(*real.now(), sync) && tableOf(*real.now(), sync, "orders")->rows > 0, kSoon);
    QCOMPARE(std::int64_t(tableOf(*real.now(), sync, "orders")->rows), number(shop, "SELECT count(*) FROM orders"));
    QCOMPARE(number(real.runtime->home() + "/embedded.db", "SELECT count(*) FROM orders"), number(shop, "SELECT count(*) FROM orders"));
    QCOMPARE(tableOf(*real.now(), sync, "orders")->verified, std::string());
    // every tab and page shows it without a stumble
    QTRY_VERIFY(real.syncs().tree()->hasFocus());
    for (int tab = 0; tab < ui::DetailPane::TabCount; ++tab) {
        key(Qt::Key_1 + tab, Qt::AltModifier);
        QTRY_COMPARE(real.window().context().calls.running(), 0);
        QCOMPARE(int(real.syncs().details()->tab()), tab);
    }
    key(Qt::Key_V, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_VERIFY_WITH_TIMEOUT(tip(real.syncs().banner()).contains(QStringLiteral("identical")), kSoon);
    QTRY_COMPARE(tableOf(*real.now(), sync, "orders")->verified, std::string("identical"));
    // a row is changed in the source, and a run carries it over
    execute(shop, "UPDATE orders SET status = 'returned', updated_at = strftime('%Y-%m-%d %H:%M:%f', 'now') WHERE rowid = 7");
    key(Qt::Key_R, Qt::ControlModifier);
    QTRY_COMPARE_WITH_TIMEOUT(number(real.runtime->home() + "/embedded.db", "SELECT count(*) FROM orders WHERE key = '7' AND doc LIKE '%returned%'"), std::int64_t(1), kSoon);
    for (int page = 1; page < real.window().pageCount(); ++page) {
        key(Qt::Key_1 + page, Qt::ControlModifier);
        QTRY_COMPARE(real.window().currentPage(), page);
        QTRY_COMPARE(real.window().context().calls.running(), 0);
        QVERIFY(real.window().page(page)->isAncestorOf(QApplication::focusWidget()));
    }
    QVERIFY(tabTo(QStringLiteral("Theme: As the system")));
    key(Qt::Key_Right);
    QCOMPARE(QApplication::focusWidget()->accessibleName(), QStringLiteral("Theme: Light"));
    key(Qt::Key_1, Qt::ControlModifier);
    saveScreenshot(real.window(), QStringLiteral("path-own-database"));
}

QString Path::obstacle(Real& real)
{
    QStringList words;
    for (const auto* label : real.wizard()->findChildren<QLabel*>())
        if (label->isVisible())
            words << label->text();
    return words.join(QLatin1Char('\n'));
}

void Path::wrongInput()
{
    Real real;
    const std::string shop = real.path("shop.db");
    QVERIFY(makeShopSqlite(shop, 1'000).has_value());
    // a file that is not there: the test says so, and says what to do
    key(Qt::Key_N, Qt::ControlModifier | Qt::ShiftModifier);
    auto* url = real.connections().editor()->form()->urlField();
    QTRY_VERIFY(url->hasFocus());
    type("sqlit:///x.db");
    QVERIFY(!real.connections().testPane()->button()->isEnabled());
    key(Qt::Key_T, Qt::ControlModifier);
    QVERIFY(!real.connections().testPane()->running());
    url->selectAll();
    type("sqlite://" + real.path("nothing.db"));
    key(Qt::Key_T, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(!real.connections().testPane()->running() && real.connections().testPane()->list()->model()->rowCount() > 0, kSoon);
    QVERIFY(!real.connections().testPane()->fix().isEmpty());
    QVERIFY(!QFile::exists(QString::fromStdString(real.path("nothing.db"))));
    key(Qt::Key_S, Qt::ControlModifier);
    QTRY_VERIFY(!real.connections().editor()->isNew());
    // it may be saved, but a sync cannot start from it
    QTRY_COMPARE(real.window().context().calls.running(), 0);
    real.window().newSync(QStringLiteral("nothing"));
    QTRY_VERIFY(real.wizard());
    auto* next = real.wizard()->findChild<QPushButton*>(QStringLiteral("next"));
    QTRY_VERIFY_WITH_TIMEOUT(obstacle(real).contains(QStringLiteral("the source cannot be read")), kSoon);
    QVERIFY(!next->isEnabled());
    key(Qt::Key_Return);
    QCOMPARE(next->text(), QStringLiteral("Next: Tables"));
    key(Qt::Key_Escape);
    QTRY_VERIFY(!real.wizard());
    real.back();
    save(real, "sqlite://" + shop);
    real.window().newSync(QStringLiteral("shop"));
    QTRY_VERIFY(real.wizard());
    next = real.wizard()->findChild<QPushButton*>(QStringLiteral("next"));
    QTRY_VERIFY_WITH_TIMEOUT(next->isEnabled(), kSoon);
    QTest::keyClick(real.wizard(), Qt::Key_Return);
    // no table left
    QTRY_VERIFY(tabTo(QStringLiteral("Include these tables")));
    qobject_cast<QLineEdit*>(QApplication::focusWidget())->selectAll();
    type("nothing_like_this");
    QTRY_VERIFY(obstacle(real).contains(QStringLiteral("no table is selected")));
    QVERIFY(!next->isEnabled());
    qobject_cast<QLineEdit*>(QApplication::focusWidget())->selectAll();
    type("*");
    QTRY_VERIFY(next->isEnabled());
    QTest::keyClick(real.wizard(), Qt::Key_Return, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(next->isEnabled() && next->text() == QLatin1String("Next: Schedule && review"), kSoon);
    QTRY_VERIFY(tabTo(QStringLiteral("Name of the sync")));
    qobject_cast<QLineEdit*>(QApplication::focusWidget())->clear();
    type(" ");
    QTRY_VERIFY(obstacle(real).contains(QStringLiteral("the sync has no name")));
    type("x");
    QTest::keyClick(real.wizard(), Qt::Key_Return, Qt::ControlModifier);
    QTRY_COMPARE(next->text(), QStringLiteral("Create sync"));
    QVERIFY(tabTo(QStringLiteral("Runs: Interval")) || tabTo(QStringLiteral("Runs: By hand")));
    for (auto* button : real.wizard()->findChildren<QPushButton*>())
        if (button->accessibleName() == QLatin1String("Runs: Interval"))
            QTest::keyClick(button, Qt::Key_Space);
    QVERIFY(tabTo(QStringLiteral("Interval")));
    qobject_cast<QLineEdit*>(QApplication::focusWidget())->selectAll();
    type("soon");
    QTRY_VERIFY(obstacle(real).contains(QStringLiteral("the interval is not readable")));
    QVERIFY(!next->isEnabled());
    // one Esc asks, the second leaves; and what the dialog had made is gone with it
    key(Qt::Key_Escape);
    QVERIFY(real.wizard()->isVisible());
    key(Qt::Key_Escape);
    QTRY_VERIFY(!real.wizard());
    QTRY_COMPARE(real.window().context().calls.running(), 0);
    QCOMPARE(real.runtime->engine().connections()->size(), std::size_t(2));
    QVERIFY(real.now()->syncs.empty());
    QVERIFY(!QFile::exists(QString::fromStdString(real.runtime->home() + "/embedded.db")));
}

// The dialog steps aside for the form of a new connection, and goes on with it
void Path::noSource()
{
    Real real;
    const std::string shop = real.path("late.db");
    QVERIFY(makeShopSqlite(shop, 500).has_value());
    key(Qt::Key_N, Qt::ControlModifier);
    QTRY_VERIFY(real.wizard() && real.wizard()->isVisible());
    QTRY_COMPARE(real.window().context().calls.running(), 0);
    QVERIFY(tabTo(QStringLiteral("New connection…")));
    key(Qt::Key_Space);
    QTRY_COMPARE(real.window().currentPage(), 1);
    QVERIFY(!real.wizard()->isVisible());
    real.back();
    QTRY_VERIFY(real.connections().editor()->form()->urlField()->hasFocus());
    type("sqlite://" + shop);
    key(Qt::Key_S, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(real.wizard()->isVisible(), kSoon);
    wizardToEnd(real);
    QTRY_VERIFY_WITH_TIMEOUT(!real.now()->syncs.empty() && ended(*real.now(), real.now()->syncs.front().name), kSoon);
    QCOMPARE(real.now()->syncs.front().source, std::string("late"));
}

void Path::sourceDeleted()
{
    Real real;
    const std::string shop = real.path("shop.db");
    QVERIFY(makeShopSqlite(shop, 60'000).has_value());
    save(real, "sqlite://" + shop);
    real.window().newSync(QStringLiteral("shop"));
    wizardToEnd(real);
    const std::string sync = real.now()->syncs.front().name;
    // in the middle of the load
    QTRY_VERIFY_WITH_TIMEOUT(real.now()->rowsPerSecond > 0 || ended(*real.now(), sync), kSoon);
    QVERIFY(QFile::remove(QString::fromStdString(shop)));
    atRest(real, sync);
    key(Qt::Key_1, Qt::ControlModifier);
    real.syncs().select(QString::fromStdString(sync), {});
    key(Qt::Key_R, Qt::ControlModifier);
    QTRY_VERIFY_WITH_TIMEOUT(ui::findSync(*real.now(), sync)->run == 0 && tableOf(*real.now(), sync, "orders")->state == State::Failed, kSoon);
    const TableView table = *tableOf(*real.now(), sync, "orders");
    QVERIFY(QString::fromStdString(table.error).contains(QStringLiteral("shop.db")));
    QVERIFY(!table.fix.empty());
    QVERIFY(table.verified != "identical");
    key(Qt::Key_1, Qt::AltModifier);
    QTRY_COMPARE(real.window().context().monitor.latest()->revision, real.now()->revision);
    saveScreenshot(real.window(), QStringLiteral("path-source-deleted"));
    // proving it now must not turn anything green
    key(Qt::Key_V, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_VERIFY_WITH_TIMEOUT(real.syncs().banner().isVisible(), kSoon);
    QVERIFY(!tip(real.syncs().banner()).contains(QStringLiteral("identical")));
    QVERIFY(tableOf(*real.now(), sync, "orders")->verified != "identical");
}

void Path::targetGone()
{
    Real real;
    QVERIFY(makeShopSqlite(real.path("shop.db"), 2'000).has_value());
    save(real, "sqlite://" + real.path("shop.db"));
    real.window().newSync(QStringLiteral("shop"));
    wizardToEnd(real);
    const std::string sync = real.now()->syncs.front().name;
    atRest(real, sync);
    const QString store = QString::fromStdString(real.runtime->home() + "/embedded.db");
    QVERIFY(QFile::remove(store));
    QFile::remove(store + QStringLiteral("-wal"));
    QFile::remove(store + QStringLiteral("-shm"));
    key(Qt::Key_1, Qt::ControlModifier);
    real.syncs().select(QString::fromStdString(sync), {});
    key(Qt::Key_V, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_VERIFY_WITH_TIMEOUT(real.syncs().banner().isVisible(), kSoon);
    QVERIFY2(!tip(real.syncs().banner()).contains(QStringLiteral("identical")), qPrintable(tip(real.syncs().banner())));
    saveScreenshot(real.window(), QStringLiteral("path-target-gone"));
    atRest(real, sync);
    key(Qt::Key_R, Qt::ControlModifier);
    const auto runs = [&] { return real.runtime->engine().history(sync, 9).value_or({}); };
    QTRY_VERIFY(runs().size() == 2 && runs().front().endMs > 0);
    atRest(real, sync);
    // either it says that the target is not what it was, or the rows are there again: never green over an empty store
    const SnapshotPtr seen = real.now();
    const bool there = number(store.toStdString(), "SELECT count(*) FROM orders") == number(real.path("shop.db"), "SELECT count(*) FROM orders");
    QVERIFY(there || (tableOf(*seen, sync, "orders")->verified != "identical" && tableOf(*seen, sync, "orders")->state == State::NeedsResync));
}

void Path::targetUnreachable()
{
    Real real;
    QVERIFY(makeShopSqlite(real.path("shop.db"), 1'000).has_value());
    save(real, "sqlite://" + real.path("shop.db"));
    save(real, "mongodb://127.0.0.1:1/shop");                     // nobody listens there
    QVERIFY(!real.connections().testPane()->fix().isEmpty());
    SyncDef def;
    def.name = "far";
    def.source = "shop";
    def.target = "shop-2";
    TableRule all;
    all.name = "*";
    def.tables = {all};
    QVERIFY(real.runtime->engine().saveSync(def).has_value());
    key(Qt::Key_1, Qt::ControlModifier);
    QTRY_VERIFY(ui::findSync(*real.now(), "far"));
    real.window().context().monitor.sampleNow();
    real.syncs().select(QStringLiteral("far"), {});
    key(Qt::Key_R, Qt::ControlModifier);
    const auto outcome = [&] {
        const auto runs = real.runtime->engine().history("far", 1);
        return runs && !runs->empty() ? runs->front().outcome : Outcome::Unknown;
    };
    QTRY_COMPARE_WITH_TIMEOUT(outcomeName(outcome()), std::string_view("failed"), 60'000);
    // the window says so, whether any table was reached or not
    QTRY_VERIFY(ui::findSync(*real.window().context().monitor.latest(), "far")->state == State::Failed || !tip(real.syncs().banner()).isEmpty());
    saveScreenshot(real.window(), QStringLiteral("path-target-unreachable"));
}

void Path::closedWhileRunning()
{
    auto real = std::make_unique<Real>();
    QVERIFY(makeShopSqlite(real->path("shop.db"), 100'000).has_value());
    save(*real, "sqlite://" + real->path("shop.db"));
    real->window().newSync(QStringLiteral("shop"));
    wizardToEnd(*real);
    QTRY_VERIFY(real->now()->rowsPerSecond > 0 || ended(*real->now(), real->now()->syncs.front().name));
    real->window().close();
    QElapsedTimer clock;
    clock.start();
    real.reset();
    QVERIFY(clock.elapsed() < 60'000);                            // no wait for the load's end, and no hang
}

void Path::homeCannotBeWritten()
{
    QTemporaryDir folder;
    QFile blocking(folder.filePath(QStringLiteral("home")));
    QVERIFY(blocking.open(QIODevice::WriteOnly));
    RuntimeOptions options;
    options.home = folder.filePath(QStringLiteral("home")).toStdString();
    const auto opened = openRuntime(options);
    QVERIFY(!opened.has_value());
    QVERIFY(!opened.error().detail.empty() && !opened.error().fix.empty());
}

QTEST_MAIN(Path)
#include "tst_path.moc"
