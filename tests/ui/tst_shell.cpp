#include "tests/ui/uisupport.h"
#include "ui/shell/palettebox.h"
#include "ui/shell/rail.h"
#include "ui/shell/shortcuts.h"
#include "ui/syncs/detailpane.h"
#include "ui/syncs/issuestab.h"
#include "ui/syncs/syncspage.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/confirmbar.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/filterbox.h"
#include "ui/widgets/toast.h"
#include <QElapsedTimer>
#include <QLineEdit>
#include <QPushButton>
#include <QTest>

using namespace millrace;
using namespace millrace::test;

namespace {

ui::SyncsPage& syncs(const ui::MainWindow& window) { return *dynamic_cast<ui::SyncsPage*>(window.page(0)); }
void key(QWidget& to, int code, Qt::KeyboardModifiers with = {}) { QTest::keyClick(QApplication::focusWidget() ? QApplication::focusWidget() : &to, Qt::Key(code), with); }

} // namespace

//! The whole window on a fake engine, driven by the keyboard.
class Shell : public QObject {
    Q_OBJECT
private slots:
    void init() { theme().set(ui::Appearance::Light, ui::Density::Normal); }
    void opensQuickly();
    void pagesByKey();
    void runsTheSelectedTables();
    void fullRunOnProductionNeedsTheName();
    void pausesBySpace();
    void errorIsABanner();
    void filterByKeyboard();
    void detailTabsByKey();
    void discardCanBeUndone();
    void discardHappensInTheEnd();
    void retryTellsWhatArrived();
    void paletteGoesToATable();
    void slowEngineDoesNotBlock();
    void stateIsRestored();
    void railFoldsWhenNarrow();
    void noCallOnTheWindowThread();
};

void Shell::opensQuickly()
{
    QElapsedTimer clock;
    WindowFixture fixture;
    theme();
    clock.start();
    fixture.open();
    const qint64 took = clock.elapsed();
    qInfo("the window opens in %lld ms", took);
    QVERIFY(took < 3'000);                                        // a debug build; the release build is measured by the benchmark
}

void Shell::pagesByKey()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    for (int i = window.pageCount() - 1; i >= 0; --i) {
        key(window, Qt::Key_1 + i, Qt::ControlModifier);
        QCOMPARE(window.currentPage(), i);
    }
    key(window, Qt::Key_Comma, Qt::ControlModifier);
    QCOMPARE(window.page(window.currentPage())->title(), QStringLiteral("Settings"));
    key(window, Qt::Key_F1);
    auto* dialog = window.findChild<ui::ShortcutsDialog*>();
    QVERIFY(dialog);
    QCOMPARE(withoutAccessibleName(*dialog), QStringList());
    dialog->close();
}

void Shell::runsTheSelectedTables()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("shop"), QStringLiteral("film"));
    key(window, Qt::Key_R, Qt::ControlModifier);
    QTRY_COMPARE(fixture.engine.lastArgument("start"), std::string("shop tables=film"));
    key(window, Qt::Key_Down, Qt::ShiftModifier);                 // film and order_line
    key(window, Qt::Key_R, Qt::ControlModifier);
    QTRY_COMPARE(fixture.engine.lastArgument("start"), std::string("shop tables=film,order_line"));
    syncs(window).select(QStringLiteral("shop"), {});
    key(window, Qt::Key_R, Qt::ControlModifier);
    QTRY_COMPARE(fixture.engine.lastArgument("start"), std::string("shop"));
    key(window, Qt::Key_2, Qt::ControlModifier);                  // elsewhere the key does nothing
    const auto before = fixture.engine.count("start");
    key(window, Qt::Key_R, Qt::ControlModifier);
    QCOMPARE(fixture.engine.count("start"), before);
}

void Shell::fullRunOnProductionNeedsTheName()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("shop"), QStringLiteral("film"));
    key(window, Qt::Key_R, Qt::ControlModifier | Qt::ShiftModifier);
    auto* bar = syncs(window).findChild<ui::ConfirmBar*>();
    QVERIFY(bar->isVisible());
    auto* name = bar->findChild<QLineEdit*>();
    QVERIFY(name->hasFocus());
    QTest::keyClicks(name, QStringLiteral("docs1"));
    key(window, Qt::Key_Return);
    QVERIFY(bar->isVisible());
    QCOMPARE(fixture.engine.count("start"), std::size_t(0));
    key(window, Qt::Key_Tab);
    QCOMPARE(QApplication::focusWidget()->accessibleName(), QStringLiteral("Run full"));
    key(window, Qt::Key_Return);
    QTRY_COMPARE(fixture.engine.lastArgument("start"), std::string("shop full tables=film"));
    syncs(window).select(QStringLiteral("billing"), {});          // local: no typing, but still asked
    key(window, Qt::Key_R, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY(bar->isVisible() && !name->isVisible());
    key(window, Qt::Key_Escape);
    QVERIFY(!bar->isVisible());
    QCOMPARE(fixture.engine.count("start"), std::size_t(1));
}

void Shell::pausesBySpace()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("documents"), {});
    key(window, Qt::Key_Space);
    QTRY_COMPARE(fixture.engine.lastArgument("setPaused"), std::string("documents on"));
    QTRY_VERIFY(fixture.idle());
    QTRY_COMPARE(window.context().toasts.open(), 1);
    key(window, Qt::Key_Space);
    QTRY_COMPARE(fixture.engine.lastArgument("setPaused"), std::string("documents off"));
}

void Shell::errorIsABanner()
{
    WindowFixture fixture;
    fixture.engine.edit([](FakeWorld& world) { world.errors["start"] = Error{Fault::Config, "engine.already_running", "shop is running already.", "Wait for it or stop it.", {}}; });
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("shop"), {});
    key(window, Qt::Key_R, Qt::ControlModifier);
    QTRY_VERIFY(syncs(window).banner().isVisible());
    QCOMPARE(syncs(window).banner().sentence(), QStringLiteral("shop is running already."));
    QVERIFY(!QApplication::activeModalWidget());
}

void Shell::filterByKeyboard()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    key(window, Qt::Key_F, Qt::ControlModifier);
    auto* box = dynamic_cast<ui::FilterBox*>(syncs(window).filterField());
    QVERIFY(box && box->hasFocus());
    QTest::keyClicks(box, QStringLiteral("state:failed"));
    ui::DataTree* tree = syncs(window).tree();
    QTRY_COMPARE(tree->model()->rowCount(), 1);
    box->setFilter(QStringLiteral("nothing-is-called-this"));
    QVERIFY(!tree->isVisible());
    QTest::keyClick(box, Qt::Key_Escape);
    QVERIFY(tree->isVisible());
    QCOMPARE(tree->model()->rowCount(), 4);
}

void Shell::detailTabsByKey()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("shop"), QStringLiteral("customer_order"));
    for (int tab = ui::DetailPane::TabCount - 1; tab >= 0; --tab) {
        key(window, Qt::Key_1 + tab, Qt::AltModifier);
        QCOMPARE(int(syncs(window).details()->tab()), tab);
    }
    QTRY_VERIFY(fixture.idle());
    QVERIFY(fixture.engine.count("history") >= 1);
    QVERIFY(fixture.engine.count("failures") >= 1);
}

void Shell::discardCanBeUndone()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("shop"), QStringLiteral("customer_order"));
    key(window, Qt::Key_3, Qt::AltModifier);
    ui::IssuesTab* issues = syncs(window).details()->issues();
    QTRY_COMPARE(issues->model().visibleRows(), 37);
    issues->findChild<ui::DataTree*>()->setFocus();
    key(window, Qt::Key_Delete);
    QCOMPARE(issues->model().visibleRows(), 6);                   // the first cause is gone from sight at once
    QCOMPARE(fixture.engine.count("discardFailures"), std::size_t(0));
    key(window, Qt::Key_Z, Qt::ControlModifier);
    QCOMPARE(issues->model().visibleRows(), 37);
    window.context().toasts.flush();
    QTRY_VERIFY(fixture.idle());
    QCOMPARE(fixture.engine.count("discardFailures"), std::size_t(0));
}

void Shell::discardHappensInTheEnd()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("shop"), QStringLiteral("customer_order"));
    key(window, Qt::Key_3, Qt::AltModifier);
    ui::IssuesTab* issues = syncs(window).details()->issues();
    QTRY_COMPARE(issues->model().visibleRows(), 37);
    issues->findChild<ui::DataTree*>()->setFocus();
    key(window, Qt::Key_Down);                                    // one row of the first cause
    key(window, Qt::Key_Delete);
    QCOMPARE(issues->model().visibleRows(), 36);
    window.close();                                               // its time is over when the window closes
    QTRY_COMPARE(fixture.engine.lastArgument("discardFailures"), std::string("shop source.mysql.zero_date 41877"));
    QTRY_COMPARE(fixture.engine.world().failures.size(), std::size_t(36));
}

void Shell::retryTellsWhatArrived()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("shop"), {});
    key(window, Qt::Key_3, Qt::AltModifier);
    ui::IssuesTab* issues = syncs(window).details()->issues();
    QTRY_COMPARE(issues->model().visibleRows(), 37);
    issues->findChild<ui::DataTree*>()->setFocus();
    key(window, Qt::Key_Y, Qt::ControlModifier | Qt::ShiftModifier);
    QTRY_COMPARE(fixture.engine.lastArgument("retryFailures"), std::string("shop source.mysql.zero_date "));
    QTRY_COMPARE(issues->model().visibleRows(), 6);
}

void Shell::paletteGoesToATable()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    key(window, Qt::Key_3, Qt::ControlModifier);
    key(window, Qt::Key_P, Qt::ControlModifier);
    auto* box = window.findChild<ui::PaletteBox*>();
    QVERIFY(box->hasFocus());
    QTest::keyClicks(box, QStringLiteral("invoice_l"));
    key(window, Qt::Key_Return);
    QCOMPARE(window.currentPage(), 0);
    QCOMPARE(syncs(window).tree()->currentIndex().siblingAtColumn(0).data().toString(), QStringLiteral("invoice_line"));
    key(window, Qt::Key_P, Qt::ControlModifier);
    QTest::keyClicks(box, QStringLiteral("settings"));
    key(window, Qt::Key_Return);
    QCOMPARE(window.page(window.currentPage())->title(), QStringLiteral("Settings"));
}

void Shell::slowEngineDoesNotBlock()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("shop"), QStringLiteral("customer_order"));
    QTRY_VERIFY(fixture.idle());
    fixture.engine.hold();                                        // a database that does not answer
    QElapsedTimer clock;
    clock.start();
    for (int tab = 0; tab < ui::DetailPane::TabCount; ++tab) {
        key(window, Qt::Key_1 + tab, Qt::AltModifier);
        QApplication::processEvents();
    }
    for (int i = 0; i < window.pageCount(); ++i)
        window.showPage(i);
    QVERIFY(clock.elapsed() < 3'000);
    QVERIFY(!fixture.idle());
    fixture.engine.release();
    QTRY_VERIFY(fixture.idle());
}

void Shell::stateIsRestored()
{
    WindowFixture fixture;
    {
        ui::MainWindow& window = fixture.open(1300, 800);
        key(window, Qt::Key_4, Qt::AltModifier);
        window.showPage(window.pageCount() - 1);
        window.close();
        fixture.window.reset();
    }
    ui::MainWindow& window = fixture.open(1300, 800);
    QCOMPARE(window.currentPage(), window.pageCount() - 1);
    QCOMPARE(syncs(window).details()->tab(), ui::DetailPane::History);
}

void Shell::railFoldsWhenNarrow()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    auto* rail = window.findChild<ui::Rail*>();
    const int wide = rail->width();
    window.resize(940, 700);
    QTRY_VERIFY(rail->width() < wide);
    QVERIFY(!syncs(window).findChild<QWidget*>(QStringLiteral("filters"))->isVisible());
}

void Shell::noCallOnTheWindowThread()
{
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    syncs(window).select(QStringLiteral("billing"), QStringLiteral("invoice_line"));
    for (const int code : {int(Qt::Key_R), int(Qt::Key_D)})
        key(window, code, Qt::ControlModifier);
    key(window, Qt::Key_V, Qt::ControlModifier | Qt::ShiftModifier);
    for (int i = 0; i < window.pageCount(); ++i)
        window.showPage(i);
    QTRY_VERIFY(fixture.engine.count("verify") == 1 && fixture.engine.count("dryRun") == 1);
    QTRY_VERIFY(fixture.idle());
    window.close();
    QVERIFY(fixture.engine.calls().size() >= 5);
    QCOMPARE(callsOnWindowThread(fixture.engine), QStringList());
}

QTEST_MAIN(Shell)
#include "tst_shell.moc"
