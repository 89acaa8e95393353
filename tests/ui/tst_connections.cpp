#include "tests/ui/uisupport.h"
#include "ui/connections/connectionspage.h"
#include "ui/connections/secretplace.h"
#include "ui/connections/testpane.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/connectorform.h"
#include "ui/widgets/datatree.h"
#include <QAbstractItemModel>
#include <QApplication>
#include <QClipboard>
#include <QComboBox>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTest>

using namespace millrace;
using namespace millrace::test;

namespace {

ConnectionDef connection(const char* name, const char* url, const char* environment)
{
    ConnectionDef def;
    def.name = name;
    def.url = url;
    def.environment = environment;
    return def;
}

//! The shop's connections and some more, with a staged test of `loyalty` that has a warning and a failure.
FakeWorld world()
{
    FakeWorld made = busyWorld();
    made.connections = {connection("shop-primary", "mysql://millrace@db1.shop.internal:3306/shop", "prod"), connection("loyalty", "mysql://millrace@db4.shop.internal:3306/loyalty", "prod"),
        connection("warehouse", "mysql://reader@db2.shop.internal:3306/warehouse?tls=verify-ca", "prod"), connection("shop-staging", "mysql://reader@db1.stage.internal/shop", "stage"),
        connection("shop-dev", "mysql://reader@127.0.0.1:3307/shop", "dev"), connection("kiosk.db", "sqlite:data/kiosk.db", "local"),
        connection("docs1", "mongodb://writer@docs1.shop.internal:27017/shop", "prod"), connection("docs-dev", "mongodb://127.0.0.1:27017/shop", "dev"),
        connection("embedded", "embedded:data/local.mrs", "local")};
    for (std::size_t i = 0; i < 3; ++i)
        made.connections[i].secrets["password"] = {SecretRef::Kind::Stored, {}};
    made.connections[3].secrets["password"] = {SecretRef::Kind::Env, "STAGE_PASSWORD"};
    using Outcome = TestStage::Outcome;
    TestReport report;
    report.server = {"mariadb", "10.11.6-MariaDB"};
    report.stages = {{"dns", "DNS", Outcome::Passed, "db4.shop.internal resolves to 10.20.4.31", {}, 2.1}, {"tcp", "TCP", Outcome::Passed, "10.20.4.31:3306 accepted", {}, 1.2},
        {"tls", "TLS", Outcome::Passed, "TLSv1.3, name and chain verified", {}, 9.4}, {"login", "Login", Outcome::Passed, "millrace@10.20.% by ed25519; session set to READ ONLY", {}, 6},
        {"privileges", "Privileges", Outcome::Warning, "SELECT on 9 tables; without PROCESS, commits later than ten minutes are missed by polling", "GRANT PROCESS ON *.* TO 'millrace'@'10.20.%';", 4},
        {"clock", "Clock", Outcome::Failed, "the server's clock is 4 min behind this machine", "SET GLOBAL time_zone = '+00:00';", 3},
        {"packet", "Packet limit", Outcome::NotReached, {}, {}, 0}};
    report.error = Error{Fault::Config, "source.mysql.clock", "the server's clock is 4 min behind this machine", {}, {}};
    made.tests["loyalty"] = report;
    return made;
}

//! What was asked of the layouts is done.
void settle()
{
    QCoreApplication::sendPostedEvents();
    QCoreApplication::processEvents();
    QCoreApplication::sendPostedEvents();
}

} // namespace

class Connections : public QObject {
    Q_OBJECT
private slots:
    void init();
    void cleanup();
    void keyboardFromUrlToSaved();
    void fieldsWriteTheUrl();
    void pastedPasswordLeavesTheUrl();
    void typeChangesTheFields();
    void secretElsewhere();
    void stagedTest();
    void testUsesUnsavedValues();
    void stoppedTestShowsNothingMore();
    void deleteRefusedWhileUsed();
    void deleteCanBeUndone();
    void editsSurviveLookingElsewhere();
    void productionHostAsksForItsName();
    void duplicateLeavesTheSecret();
    void takenNameIsRefused();
    void emptyList();
    void brokenEngineIsSaid();
    void everythingHasAName();
    void looks_data();
    void looks();
private:
    void open(FakeWorld given);
    QModelIndex rowOf(const QString& name) const;
    void choose(const QString& name);
    bool calm() const { return fixture->idle(); }
    std::unique_ptr<WindowFixture> fixture;
    ui::ConnectionsPageWidget* page = nullptr;
};

void Connections::open(FakeWorld given)
{
    fixture = std::make_unique<WindowFixture>(std::move(given));
    ui::MainWindow& window = fixture->open();
    for (int i = 0; i < window.pageCount(); ++i)
        if (auto* found = dynamic_cast<ui::ConnectionsPageWidget*>(window.page(i))) {
            page = found;
            window.showPage(i);
        }
    QVERIFY(page);
    QTRY_VERIFY(calm());
}

void Connections::init() { theme().set(ui::Appearance::Light, ui::Density::Normal); }

void Connections::cleanup()
{
    if (fixture)
        QCOMPARE(callsOnWindowThread(fixture->engine), QStringList());
    fixture.reset();
    page = nullptr;
}

QModelIndex Connections::rowOf(const QString& name) const
{
    const auto* model = page->list()->model();
    for (int section = 0; section < model->rowCount(); ++section)
        for (int row = 0; row < model->rowCount(model->index(section, 0)); ++row)
            if (const QModelIndex at = model->index(row, 0, model->index(section, 0)); at.data().toString() == name)
                return at;
    return {};
}

void Connections::choose(const QString& name)
{
    const QModelIndex at = rowOf(name);
    QVERIFY2(at.isValid(), qPrintable(name));
    page->list()->setCurrentIndex(at);
}

void Connections::keyboardFromUrlToSaved()
{
    open(world());
    ui::MainWindow& window = *fixture->window;
    QTest::keyClick(&window, Qt::Key_N, Qt::ControlModifier | Qt::ShiftModifier);
    auto* url = page->editor()->form()->urlField();
    QTRY_VERIFY(url->hasFocus());
    QTest::keyClicks(url, "mysql://reader@db9.shop.internal:3310/loyal");
    QCOMPARE(page->editor()->name()->text(), QStringLiteral("loyal"));
    QCOMPARE(page->editor()->environment()->currentData().toString(), QStringLiteral("prod"));
    QTest::keyClick(url, Qt::Key_Tab);
    QVERIFY(page->editor()->name()->hasFocus());
    QTest::keyClicks(page->editor()->name(), "points");
    QTest::keyClick(page->editor()->name(), Qt::Key_Tab);
    QVERIFY(page->editor()->environment()->hasFocus());
    QStringList passed;
    for (int i = 0; i < 12 && QApplication::focusWidget()->objectName() != QLatin1String("password"); ++i) {
        QTest::keyClick(QApplication::focusWidget(), Qt::Key_Tab);
        passed << QApplication::focusWidget()->accessibleName();
    }
    QCOMPARE(passed.join(QStringLiteral(", ")), QStringLiteral("Type, Host, Port, User, Password"));
    QTest::keyClicks(QApplication::focusWidget(), "s3cret!");
    QTest::keyClick(&window, Qt::Key_S, Qt::ControlModifier);
    QTRY_COMPARE(fixture->engine.count("saveConnection"), std::size_t(1));
    QTRY_VERIFY(calm());
    const auto saved = fixture->engine.world();
    QCOMPARE(saved.connections.back().name, std::string("points"));
    QCOMPARE(saved.connections.back().url, std::string("mysql://reader@db9.shop.internal:3310/loyal"));
    QVERIFY(saved.secrets.count("points/password"));
    QVERIFY(rowOf(QStringLiteral("points")).isValid());
    QCOMPARE(page->list()->currentIndex().data().toString(), QStringLiteral("points"));
    QVERIFY(!page->editor()->dirty());
    QVERIFY(page->editor()->secretPlace()->stored());
}

void Connections::fieldsWriteTheUrl()
{
    open(world());
    choose(QStringLiteral("loyalty"));
    auto* host = page->editor()->findChild<QLineEdit*>(QStringLiteral("host"));
    QVERIFY(host);
    host->setFocus();
    host->selectAll();
    QTest::keyClicks(host, "db5.shop.internal");
    QCOMPARE(page->editor()->form()->url(), QStringLiteral("mysql://millrace@db5.shop.internal:3306/loyalty"));
    QVERIFY(page->editor()->dirty());
}

void Connections::pastedPasswordLeavesTheUrl()
{
    open(world());
    page->openNew({});
    auto* url = page->editor()->form()->urlField();
    QApplication::clipboard()->setText(QStringLiteral("mysql://root:hunter22@db9.shop.internal/loyalty"));
    url->paste();
    QTest::keyClicks(url, "x");
    QCOMPARE(url->text(), QStringLiteral("mysql://root@db9.shop.internal/loyaltyx"));
    const auto draft = page->editor()->draft();
    QCOMPARE(draft.def.url, std::string("mysql://root@db9.shop.internal/loyaltyx"));
    QCOMPARE(draft.typed.at("password").reveal(), std::string_view("hunter22"));
    // and as a URL that came from elsewhere
    page->openNew(QStringLiteral("mysql://root:tooMuch@db8.shop.internal/loyalty"));
    QVERIFY(!url->text().contains(QStringLiteral("tooMuch")));
    QCOMPARE(page->editor()->draft().typed.at("password").reveal(), std::string_view("tooMuch"));
}

void Connections::typeChangesTheFields()
{
    open(world());
    page->openNew({});
    auto* type = page->editor()->type();
    const int sqlite = type->findData(QStringLiteral("sqlite"));
    type->setCurrentIndex(sqlite);
    emit type->activated(sqlite);
    auto* file = page->editor()->findChild<QLineEdit*>(QStringLiteral("database"));
    QVERIFY(file);
    QVERIFY(!page->editor()->findChild<QLineEdit*>(QStringLiteral("host")));
    QTest::keyClicks(file, "/srv/kiosk.db");
    QCOMPARE(page->editor()->form()->url(), QStringLiteral("sqlite:///srv/kiosk.db"));
    QCOMPARE(page->editor()->problem(), QString());
    QVERIFY(!page->editor()->secretPlace()->isVisible());
}

void Connections::secretElsewhere()
{
    open(world());
    choose(QStringLiteral("shop-staging"));
    auto* place = page->editor()->secretPlace();
    QCOMPARE(place->name()->text(), QStringLiteral("STAGE_PASSWORD"));
    auto* password = page->editor()->findChild<QLineEdit*>(QStringLiteral("password"));
    QVERIFY(!password->isEnabled());
    const int file = place->kind()->findText(QStringLiteral("File"));
    place->kind()->setCurrentIndex(file);
    emit place->kind()->activated(file);
    place->name()->clear();
    QTest::keyClicks(place->name(), "/run/secrets/stage");
    const auto draft = page->editor()->draft();
    QCOMPARE(draft.def.secrets.at("password").kind, SecretRef::Kind::File);
    QCOMPARE(draft.def.secrets.at("password").name, std::string("/run/secrets/stage"));
    QVERIFY(draft.typed.empty());
}

void Connections::stagedTest()
{
    open(world());
    choose(QStringLiteral("loyalty"));
    QTest::keyClick(fixture->window.get(), Qt::Key_T, Qt::ControlModifier);
    const auto* model = page->testPane()->list()->model();
    QTRY_COMPARE(model->rowCount(), 7);
    QTRY_VERIFY(calm());
    QCOMPARE(model->index(0, 0).data().toString(), QStringLiteral("DNS"));
    QCOMPARE(model->index(6, 1).data().toString(), QStringLiteral("not reached"));
    QVERIFY(model->index(2, 2).data().toString().contains(QStringLiteral("9.4 ms")));
    QStringList pills;
    for (const auto* label : page->testPane()->findChildren<QLabel*>())
        if (label->property("pill").isValid() && label->isVisible())
            pills << label->text();
    QCOMPARE(pills.size(), 3);
    QVERIFY(pills[0].startsWith(QStringLiteral("4 ")));
    QVERIFY(page->testPane()->fix().contains(QStringLiteral("GRANT PROCESS")));
    QPushButton* copy = nullptr;
    for (auto* button : page->testPane()->findChildren<QPushButton*>())
        if (button->accessibleName() == QLatin1String("Copy the fix"))
            copy = button;
    QVERIFY(copy && copy->isVisible());
    QTest::mouseClick(copy, Qt::LeftButton);
    QCOMPARE(QApplication::clipboard()->text(), page->testPane()->fix());
    // the list remembers it, also after another look
    QCOMPARE(rowOf(QStringLiteral("loyalty")).siblingAtColumn(ui::ConnectionsModel::Test).data().toString(), QStringLiteral("Clock"));
    choose(QStringLiteral("shop-primary"));
    QCOMPARE(model->rowCount(), 0);
    choose(QStringLiteral("loyalty"));
    QCOMPARE(model->rowCount(), 7);
}

void Connections::testUsesUnsavedValues()
{
    open(world());
    page->openNew(QStringLiteral("mysql://reader:pw1234@db9.shop.internal/fresh"));
    QTest::keyClick(fixture->window.get(), Qt::Key_T, Qt::ControlModifier);
    QTRY_COMPARE(fixture->engine.lastArgument("test"), std::string("fresh"));
    QTRY_COMPARE(page->testPane()->list()->model()->rowCount(), 1);
    QCOMPARE(fixture->engine.count("saveConnection"), std::size_t(0));
}

void Connections::stoppedTestShowsNothingMore()
{
    open(world());
    choose(QStringLiteral("loyalty"));
    fixture->engine.hold();
    page->testPane()->button()->click();
    QTRY_COMPARE(fixture->engine.count("test"), std::size_t(1));
    QVERIFY(page->testPane()->running());
    page->testPane()->button()->click();
    QVERIFY(!page->testPane()->running());
    fixture->engine.release();
    QTRY_VERIFY(calm());
    QCOMPARE(page->testPane()->list()->model()->rowCount(), 0);
}

void Connections::deleteRefusedWhileUsed()
{
    open(world());
    choose(QStringLiteral("shop-primary"));
    page->editor()->deleteButton()->click();
    QStringList said;
    for (const auto* banner : page->findChildren<ui::Banner*>())
        if (banner->isVisible())
            said << banner->sentence();
    QCOMPARE(said.size(), 1);
    QVERIFY2(said[0].contains(QStringLiteral("used by shop, documents")), qPrintable(said[0]));
    QCOMPARE(fixture->engine.count("removeConnection"), std::size_t(0));
    QVERIFY(rowOf(QStringLiteral("shop-primary")).isValid());
}

void Connections::deleteCanBeUndone()
{
    open(world());
    choose(QStringLiteral("shop-dev"));
    page->editor()->deleteButton()->click();
    QVERIFY(!rowOf(QStringLiteral("shop-dev")).isValid());
    QTest::keyClick(fixture->window.get(), Qt::Key_Z, Qt::ControlModifier);
    QTRY_VERIFY(rowOf(QStringLiteral("shop-dev")).isValid());
    QCOMPARE(fixture->engine.count("removeConnection"), std::size_t(0));
    choose(QStringLiteral("shop-dev"));
    page->editor()->deleteButton()->click();
    fixture->window->close();
    QTRY_COMPARE(fixture->engine.count("removeConnection"), std::size_t(1));
    QCOMPARE(fixture->engine.lastArgument("removeConnection"), std::string("shop-dev"));
}

void Connections::editsSurviveLookingElsewhere()
{
    open(world());
    choose(QStringLiteral("loyalty"));
    auto* database = page->editor()->findChild<QLineEdit*>(QStringLiteral("database"));
    database->selectAll();
    QTest::keyClicks(database, "points");
    choose(QStringLiteral("docs1"));
    QVERIFY(!page->editor()->dirty());
    choose(QStringLiteral("loyalty"));
    QVERIFY(page->editor()->dirty());
    QCOMPARE(page->editor()->form()->url(), QStringLiteral("mysql://millrace@db4.shop.internal:3306/points"));
}

void Connections::productionHostAsksForItsName()
{
    open(world());
    choose(QStringLiteral("shop-primary"));
    auto* host = page->editor()->findChild<QLineEdit*>(QStringLiteral("host"));
    host->selectAll();
    QTest::keyClicks(host, "db7.shop.internal");
    QTest::keyClick(fixture->window.get(), Qt::Key_S, Qt::ControlModifier);
    QLineEdit* typed = nullptr;
    for (auto* field : page->findChildren<QLineEdit*>())
        if (field->accessibleName() == QLatin1String("Name of the target") && field->isVisible())
            typed = field;
    QVERIFY(typed);
    QTest::keyClicks(typed, "shop-primary");
    QTest::keyClick(typed, Qt::Key_Return);
    QCOMPARE(fixture->engine.count("saveConnection"), std::size_t(0));
    for (auto* button : typed->parentWidget()->findChildren<QPushButton*>())
        if (button->text() == QLatin1String("Save"))
            button->click();
    QTRY_COMPARE(fixture->engine.count("saveConnection"), std::size_t(1));
    QTRY_VERIFY(calm());
    QVERIFY(!page->editor()->dirty());
}

void Connections::duplicateLeavesTheSecret()
{
    open(world());
    choose(QStringLiteral("loyalty"));
    QTest::keyClick(fixture->window.get(), Qt::Key_D, Qt::ControlModifier | Qt::ShiftModifier);
    QVERIFY(page->editor()->isNew());
    const auto draft = page->editor()->draft();
    QCOMPARE(draft.def.name, std::string("loyalty-2"));
    QCOMPARE(draft.def.environment, std::string("prod"));
    QVERIFY(draft.def.secrets.empty());
    choose(QStringLiteral("shop-staging"));
    QTest::keyClick(fixture->window.get(), Qt::Key_D, Qt::ControlModifier | Qt::ShiftModifier);
    QCOMPARE(page->editor()->draft().def.secrets.at("password").name, std::string("STAGE_PASSWORD"));
}

void Connections::takenNameIsRefused()
{
    open(world());
    page->openNew(QStringLiteral("mysql://reader@db9.shop.internal/fresh"));
    page->editor()->name()->selectAll();
    QTest::keyClicks(page->editor()->name(), "loyalty");
    QVERIFY(page->editor()->problem().contains(QStringLiteral("loyalty")));
    QTest::keyClick(fixture->window.get(), Qt::Key_S, Qt::ControlModifier);
    QCOMPARE(fixture->engine.count("saveConnection"), std::size_t(0));
}

void Connections::emptyList()
{
    FakeWorld none = world();
    none.connections.clear();
    open(none);
    QStringList buttons;
    for (const auto* button : page->findChildren<QPushButton*>())
        if (button->isVisible())
            buttons << button->text();
    QVERIFY(buttons.contains(QStringLiteral("Try the demo")));
    QVERIFY(buttons.contains(QStringLiteral("Connect a database")));
    QVERIFY(page->editor()->isNew());
    settle();
    saveScreenshot(*fixture->window, QStringLiteral("connections-empty"));
}

void Connections::brokenEngineIsSaid()
{
    FakeWorld broken = world();
    broken.errors["connections"] = Error{Fault::Storage, "store.damaged", "The store cannot be read.", "Restore it from the copy.", {}};
    open(broken);
    const auto banners = page->findChildren<ui::Banner*>();
    QVERIFY(std::any_of(banners.begin(), banners.end(), [](const ui::Banner* banner) { return banner->isVisible() && banner->sentence() == QLatin1String("The store cannot be read."); }));
}

void Connections::everythingHasAName()
{
    open(world());
    for (const char* name : {"loyalty", "docs1", "kiosk.db", "shop-staging"}) {
        choose(QString::fromLatin1(name));
        for (int tab = 0; tab < 4; ++tab) {
            page->editor()->setTab(static_cast<ui::ConnectionEditor::Tab>(tab));
            settle();
            QCOMPARE(withoutAccessibleName(*page), QStringList());
            QCOMPARE(clippedTexts(*page).join(QLatin1Char('\n')), QString());
        }
    }
}

void Connections::looks_data()
{
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
}

void Connections::looks()
{
    QFETCH(bool, dark);
    const QString tail = dark ? QStringLiteral("-dark") : QString();
    open(world());
    theme().set(dark ? ui::Appearance::Dark : ui::Appearance::Light, ui::Density::Normal);
    for (const char* name : {"docs1", "shop-primary", "loyalty"}) {
        choose(QString::fromLatin1(name));
        page->testPane()->button()->click();
        QTRY_VERIFY(calm());
        settle();
        saveScreenshot(*fixture->window, QStringLiteral("connections-%1%2").arg(QString::fromLatin1(name), tail));
    }
    page->editor()->setTab(ui::ConnectionEditor::Tls);
    settle();
    saveScreenshot(*fixture->window, QStringLiteral("connections-tls") + tail);
    page->openNew({});
    settle();
    saveScreenshot(*fixture->window, QStringLiteral("connections-new") + tail);
    fixture->window->resize(1000, 640);
    choose(QStringLiteral("loyalty"));
    page->editor()->setTab(ui::ConnectionEditor::General);
    settle();
    saveScreenshot(*fixture->window, QStringLiteral("connections-small") + tail);
}

QTEST_MAIN(Connections)
#include "tst_connections.moc"
