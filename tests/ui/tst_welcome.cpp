#include "tests/ui/uisupport.h"
#include "ui/connections/connectionspage.h"
#include "ui/welcome/importer.h"
#include "ui/welcome/welcomepage.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/connectorform.h"
#include "ui/widgets/datatree.h"
#include <QApplication>
#include <QClipboard>
#include <QLabel>
#include <QLineEdit>
#include <QPushButton>
#include <QTest>
#include <QToolButton>
#include <atomic>

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

//! A settings file of two connections, one password and one sync, whatever the path says.
Result<SyncFile> twoConnections(const std::string& path, std::map<std::string, Secret>& typed)
{
    if (path.find("broken") != std::string::npos)
        return Error{Fault::Config, "config.file_yaml", path + ":3: a key has no value.", "Write key: value.", {}};
    SyncFile file;
    ConnectionDef source, target;
    source.name = "source";
    source.url = "mysql://reader@db1.shop.internal/shop";
    source.environment = "prod";
    source.secrets["password"] = {SecretRef::Kind::Stored, {}};
    target.name = "target";
    target.url = "mongodb://127.0.0.1/shop";
    file.connections = {source, target};
    SyncDef sync;
    sync.name = "default";
    sync.source = "source";
    sync.target = "target";
    sync.every = "5m";
    file.syncs = {sync};
    typed.emplace("source/password", Secret("hunter22"));
    return file;
}

//! What was asked of the layouts is done.
void settle()
{
    QCoreApplication::sendPostedEvents();
    QCoreApplication::processEvents();
    QCoreApplication::sendPostedEvents();
}

} // namespace

class Welcome : public QObject {
    Q_OBJECT
private slots:
    void init() { theme().set(ui::Appearance::Light, ui::Density::Normal); }
    void cleanup();
    void shownWhileThereAreNoSyncs();
    void toolsThatDoNotApplyAreOff();
    void demoByKey();
    void urlGoesToTheForm();
    void brokenUrlIsSaid();
    void saysWhatThisBuildDoes();
    void readOnlyHomeIsSaid();
    void importPreviewsFirst();
    void importRefusesABrokenFile();
    void importAgainChangesNothing();
    void everythingHasAName();
    void looks_data();
    void looks();
private:
    void open(FakeWorld world, bool demo = true);
    ui::Importer* importer(const QString& path);
    std::unique_ptr<WindowFixture> fixture;
    ui::WelcomePage* page = nullptr;
    std::shared_ptr<std::atomic_int> demos = std::make_shared<std::atomic_int>(0);
};

void Welcome::open(FakeWorld world, bool demo)
{
    ui::DemoActions actions;
    if (demo)
        actions.create = [made = demos](std::stop_token) -> Result<> { ++*made; return {}; };
    fixture = std::make_unique<WindowFixture>(std::move(world), ui::builtInPlugins(), actions);
    fixture->readFile = twoConnections;
    fixture->open();
    page = fixture->window->findChild<ui::WelcomePage*>();
    QVERIFY(page);
    QTRY_VERIFY(fixture->idle());
}

void Welcome::cleanup()
{
    if (fixture)
        QCOMPARE(callsOnWindowThread(fixture->engine), QStringList());
    fixture.reset();
    *demos = 0;
}

void Welcome::shownWhileThereAreNoSyncs()
{
    open(nothingYet());
    QVERIFY(page->isVisible());
    fixture->engine.edit([](FakeWorld& world) { world.snapshot.syncs = shopWorld().snapshot.syncs; });
    fixture->sample();
    QTRY_VERIFY(!page->isVisible());
}

void Welcome::demoByKey()
{
    open(nothingYet());
    page->activated();
    QTest::keyClick(QApplication::focusWidget(), Qt::Key_T, Qt::AltModifier);
    QTRY_COMPARE(demos->load(), 1);
    QVERIFY(!QApplication::activePopupWidget());
}

void Welcome::urlGoesToTheForm()
{
    open(nothingYet());
    page->urlField()->setFocus();
    QApplication::clipboard()->setText(QStringLiteral("mysql://root:hunter22@db9.shop.internal/loyalty"));
    page->urlField()->paste();
    if (!page->urlField()->text().isEmpty())
        QTest::keyClick(page->urlField(), Qt::Key_Return);
    auto* form = fixture->window->findChild<ui::ConnectionsPageWidget*>();
    QVERIFY(form);
    QTRY_COMPARE(form->editor()->form()->url(), QStringLiteral("mysql://root@db9.shop.internal/loyalty"));
    QVERIFY(form->isVisible());
    QCOMPARE(form->editor()->draft().typed.at("password").reveal(), std::string_view("hunter22"));
    QCOMPARE(page->urlField()->text(), QString());
}

void Welcome::brokenUrlIsSaid()
{
    open(nothingYet());
    QTest::keyClicks(page->urlField(), "mysq://x");
    QTest::keyClick(page->urlField(), Qt::Key_Return);
    const auto banners = page->findChildren<ui::Banner*>();
    QVERIFY(std::any_of(banners.begin(), banners.end(), [](const ui::Banner* banner) { return banner->isVisible() && banner->sentence().contains(QStringLiteral("mysq")); }));
    QVERIFY(page->isVisible());
}

void Welcome::toolsThatDoNotApplyAreOff()
{
    open(nothingYet());
    QStringList on;
    for (const auto* tool : fixture->window->page(0)->findChildren<QToolButton*>())
        if (tool->isVisible() && tool->isEnabled() && !tool->accessibleName().isEmpty())
            on << tool->accessibleName();
    QCOMPARE(on.join(QLatin1Char(',')), QString());
    QVERIFY(!fixture->window->page(0)->filterField()->isEnabled());
}

void Welcome::saysWhatThisBuildDoes()
{
    open(nothingYet());
    QStringList words;
    for (const auto* label : page->findChildren<QLabel*>())
        words << label->text();
    QVERIFY(words.contains(QStringLiteral("MySQL")));
    QVERIFY(words.contains(QStringLiteral("Embedded store")));
    for (const char* later : {"PostgreSQL", "Elasticsearch", "Kafka", "Redis", "Typesense"})
        QVERIFY2(!words.contains(QString::fromLatin1(later)), later);
    QVERIFY(std::any_of(words.begin(), words.end(), [](const QString& word) { return word.startsWith(QStringLiteral("writable, ")) && word.endsWith(QStringLiteral("free")); }));
}

void Welcome::readOnlyHomeIsSaid()
{
    const ui::MachineFacts facts = ui::lookAtMachine("/nowhere/at/all", QString());
    QCOMPARE(facts.facts.front().kind, ui::MachineFact::Kind::Failed);
    QVERIFY(facts.facts.front().fix.contains(QStringLiteral("/nowhere/at/all")));
}

ui::Importer* Welcome::importer(const QString& path)
{
    fixture->window->importSettings(path);
    return fixture->window->findChild<ui::Importer*>();
}

void Welcome::importPreviewsFirst()
{
    open(nothingYet());
    auto* dialog = importer(QStringLiteral("shop.env"));
    QVERIFY(dialog);
    QTRY_COMPARE(dialog->list()->model()->rowCount(), 3);
    QCOMPARE(dialog->list()->model()->index(0, 1).data().toString(), QStringLiteral("added"));
    QCOMPARE(fixture->engine.lastArgument("apply"), std::string("dry"));
    QVERIFY(fixture->engine.world().connections.empty());
    QVERIFY(dialog->applyButton()->isEnabled());
    settle();
    QCOMPARE(withoutAccessibleName(*dialog), QStringList());
    settle();
    saveScreenshot(*dialog, QStringLiteral("import-preview"));
    QTest::keyClick(dialog->applyButton(), Qt::Key_Space);
    QTRY_COMPARE(fixture->engine.world().connections.size(), std::size_t(2));
    QVERIFY(fixture->engine.world().secrets.count("source/password"));
    QTRY_VERIFY(!fixture->window->findChild<ui::Importer*>());
}

void Welcome::importRefusesABrokenFile()
{
    open(nothingYet());
    auto* dialog = importer(QStringLiteral("broken.yml"));
    QTRY_VERIFY(dialog->banner()->isVisible());
    QVERIFY(dialog->banner()->sentence().startsWith(QStringLiteral("broken.yml:3")));
    QVERIFY(!dialog->applyButton()->isEnabled());
    QCOMPARE(fixture->engine.count("apply"), std::size_t(0));
    dialog->reject();
}

void Welcome::importAgainChangesNothing()
{
    FakeWorld world = nothingYet();
    std::map<std::string, Secret> typed;
    const auto file = twoConnections("shop.env", typed);
    world.connections = file->connections;
    world.syncs = file->syncs;
    open(world);
    auto* dialog = importer(QStringLiteral("shop.env"));
    QTRY_COMPARE(dialog->list()->model()->rowCount(), 3);
    QVERIFY(!dialog->applyButton()->isEnabled());
    dialog->reject();
}

void Welcome::everythingHasAName()
{
    open(nothingYet());
    settle();
    QCOMPARE(withoutAccessibleName(*page), QStringList());
    QCOMPARE(clippedTexts(*page).join(QLatin1Char('\n')), QString());
}

void Welcome::looks_data()
{
    QTest::addColumn<bool>("dark");
    QTest::newRow("light") << false;
    QTest::newRow("dark") << true;
}

void Welcome::looks()
{
    QFETCH(bool, dark);
    const QString tail = dark ? QStringLiteral("-dark") : QString();
    open(nothingYet());
    theme().set(dark ? ui::Appearance::Dark : ui::Appearance::Light, ui::Density::Normal);
    settle();
    saveScreenshot(*fixture->window, QStringLiteral("welcome") + tail);
    fixture->window->resize(1000, 640);
    settle();
    saveScreenshot(*fixture->window, QStringLiteral("welcome-small") + tail);
}

QTEST_MAIN(Welcome)
#include "tst_welcome.moc"
