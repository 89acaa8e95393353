#include "tests/ui/uisupport.h"
#include "ui/syncs/detailpane.h"
#include "ui/syncs/syncspage.h"
#include <QTest>

using namespace millrace;
using namespace millrace::test;

//! Pictures of every page in both themes, for eyes; what they must hold is checked by the other tests.
class ShellLook : public QObject {
    Q_OBJECT
private slots:
    void pages_data()
    {
        QTest::addColumn<bool>("dark");
        QTest::newRow("light") << false;
        QTest::newRow("dark") << true;
    }
    void pages();
};

void ShellLook::pages()
{
    QFETCH(bool, dark);
    const QString tail = dark ? QStringLiteral("-dark") : QString();
    WindowFixture fixture;
    ui::MainWindow& window = fixture.open();
    theme().set(dark ? ui::Appearance::Dark : ui::Appearance::Light, ui::Density::Normal);
    auto* page = dynamic_cast<ui::SyncsPage*>(window.page(0));
    QVERIFY(page);
    page->select(QStringLiteral("shop"), QStringLiteral("customer_order"));
    const char* const names[] = {"overview", "charts", "issues", "history", "log"};
    for (int tab = 0; tab < ui::DetailPane::TabCount; ++tab) {
        page->details()->setTab(static_cast<ui::DetailPane::Tab>(tab));
        QTRY_VERIFY(fixture.idle());
        QTest::qWait(30);
        saveScreenshot(window, QStringLiteral("syncs-%1%2").arg(QString::fromLatin1(names[tab]), tail));
    }
    for (int i = 1; i < window.pageCount(); ++i) {
        window.showPage(i);
        QTRY_VERIFY(fixture.idle());
        QTest::qWait(30);
        saveScreenshot(window, window.page(i)->title().toLower() + tail);
    }
    QCOMPARE(callsOnWindowThread(fixture.engine), QStringList());
}

QTEST_MAIN(ShellLook)
#include "tst_shell_look.moc"
