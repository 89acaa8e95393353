#include "tests/ui/uisupport.h"
#include "ui/shell/palettebox.h"
#include "ui/widgets/celldelegate.h"
#include "ui/widgets/confirmbar.h"
#include "ui/widgets/connectorform.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/filterbox.h"
#include "ui/widgets/format.h"
#include "ui/widgets/icons.h"
#include "ui/widgets/look.h"
#include "ui/widgets/segmented.h"
#include "ui/widgets/statewords.h"
#include "ui/widgets/toast.h"
#include <QClipboard>
#include <QHeaderView>
#include <QLineEdit>
#include <QPainter>
#include <QPushButton>
#include <QSignalSpy>
#include <QStandardItemModel>
#include <QImage>
#include <QTest>
#include <set>

using namespace millrace;
using namespace millrace::test;
using ui::Role;

class Widgets : public QObject {
    Q_OBJECT
private slots:
    void initTestCase() { theme().set(ui::Appearance::Light, ui::Density::Normal); }
    void textRolesAreReadable();
    void controlBordersAreVisible();
    void figures_data();
    void figures();
    void statesHaveWordIconAndColour();
    void verifiedWords();
    void iconsAreTinted();
    void iconsWithoutThemeAreDrawn();
    void filterBoxClearsOnEscape();
    void segmentsMoveWithTheKeyboard();
    void toastUndoes();
    void toastExpires();
    void productionNeedsItsNameTyped();
    void copiesRows();
    void columnsAreRestored();
    void spaceTogglesTickedRows();
    void urlAndFieldsFollowEachOther();
    void passwordLeavesTheUrl();
    void paletteRanksStartsFirst();
    void sparklineEndsAtTheRight();
};

void Widgets::textRolesAreReadable()
{
    const Role grounds[] = {Role::Base, Role::Alternate, Role::Window, Role::Selection, Role::Rail};
    const Role words[] = {Role::Text, Role::Secondary, Role::Tertiary, Role::Accent, Role::Prod, Role::Dev, Role::Local, Role::CodeKey, Role::CodeString, Role::CodeNumber, Role::CodeKeyword,
        Role::Idle, Role::Queued, Role::Running, Role::Live, Role::Lagging, Role::Paused, Role::NeedsResync, Role::Failed, Role::Unknown, Role::Verified};
    for (const bool dark : {false, true}) {
        for (const Role word : words)
            for (const Role ground : grounds)
                QVERIFY2(contrast(ui::colorIn(word, dark), ui::colorIn(ground, dark)) >= 4.5,
                    qPrintable(QStringLiteral("role %1 on %2, dark %3: %4").arg(int(word)).arg(int(ground)).arg(dark).arg(contrast(ui::colorIn(word, dark), ui::colorIn(ground, dark)))));
        QVERIFY(contrast(ui::colorIn(Role::OnAccent, dark), ui::colorIn(Role::Accent, dark)) >= 4.5);
        for (const auto& [word, tint] : {std::pair(Role::Verified, Role::GoodTint), std::pair(Role::Lagging, Role::WarningTint), std::pair(Role::Failed, Role::ErrorTint), std::pair(Role::Prod, Role::ErrorTint),
                 std::pair(Role::Accent, Role::InfoTint)})
            QVERIFY2(contrast(ui::colorIn(word, dark), ui::colorIn(tint, dark)) >= 4.5, qPrintable(QString::number(int(word))));
    }
}

void Widgets::controlBordersAreVisible()
{
    for (const bool dark : {false, true})
        QVERIFY(contrast(ui::colorIn(Role::ControlBorder, dark), ui::colorIn(Role::Base, dark)) >= 3.0);
}

void Widgets::figures_data()
{
    QTest::addColumn<QString>("shown");
    QTest::addColumn<QString>("expected");
    QTest::newRow("count") << ui::count(8'412'906) << "8,412,906";
    QTest::newRow("zero") << ui::count(0) << "0";
    QTest::newRow("tenths") << ui::duration(1'240) << "1.2 s";
    QTest::newRow("seconds") << ui::duration(38'900) << "38 s";
    QTest::newRow("minutes and seconds") << ui::duration(252'000) << "4 min 12 s";
    QTest::newRow("whole minutes") << ui::duration(180'000) << "3 min";
    QTest::newRow("minutes") << ui::duration(1'329'000) << "22 min";
    QTest::newRow("hours") << ui::duration(11'400'000) << "3 h 10 min";
    QTest::newRow("unknown duration") << ui::duration(-1) << "–";
    QTest::newRow("bytes") << ui::bytes(38u << 20) << "38 MB";
    QTest::newRow("small megabytes") << ui::bytes(1'600'000) << "1.5 MB";
    QTest::newRow("percent is never rounded up to the end") << ui::percent(0.999) << "99 %";
    QTest::newRow("never") << ui::when(0, 1) << "–";
    QTest::newRow("milliseconds") << ui::milliseconds(86.4) << "86 ms";
}

void Widgets::figures()
{
    QFETCH(QString, shown);
    QFETCH(QString, expected);
    QCOMPARE(shown, expected);
}

void Widgets::statesHaveWordIconAndColour()
{
    std::set<QString> words, icons;
    for (const State state : ui::statesInOrder()) {
        const ui::StateWord word = ui::stateWord(state);
        QVERIFY(words.insert(word.word).second);
        QVERIFY(icons.insert(word.icon).second);
        QVERIFY(word.role != Role::Verified);                     // the only green one is the proof
        QCOMPARE(ui::stateFromWord(word.word), std::optional(state));
        QCOMPARE(ui::stateFromWord(ui::text(stateName(state))), std::optional(state));
    }
    QCOMPARE(words.size(), std::size_t(9));
    QVERIFY(!ui::stateFromWord(QStringLiteral("green")));
    QVERIFY(ui::outcomeWord(Outcome::Success).role != Role::Verified);
}

void Widgets::verifiedWords()
{
    TableView table;
    QCOMPARE(ui::verifiedWord(table, 1'000'000).word, QStringLiteral("never"));
    table.verified = "identical";
    table.verifiedMs = table.lastSyncMs = 1'000'000;
    QCOMPARE(ui::verifiedWord(table, 1'000'000).role, Role::Verified);
    table.lastSyncMs += 120'000;                                  // written after the proof
    QCOMPARE(ui::verifiedWord(table, 1'200'000).word, QStringLiteral("stale"));
    table.verified = "different";
    QCOMPARE(ui::verifiedWord(table, 1'200'000).word, QStringLiteral("differs"));
    table.verified = "unknown";
    QCOMPARE(ui::verifiedWord(table, 1'200'000).word, QStringLiteral("no proof"));
}

namespace {

bool has(const QImage& image, const QColor& color)
{
    for (int y = 0; y < image.height(); ++y)
        for (int x = 0; x < image.width(); ++x)
            if (const QColor at = image.pixelColor(x, y); at.alpha() > 120 && std::abs(at.red() - color.red()) < 8 && std::abs(at.green() - color.green()) < 8 && std::abs(at.blue() - color.blue()) < 8)
                return true;
    return false;
}

} // namespace

void Widgets::iconsAreTinted()
{
    for (const State state : ui::statesInOrder()) {
        const ui::StateWord word = ui::stateWord(state);
        const QImage image = ui::iconPixmap(word.icon, 32, word.role, 1).toImage();
        bool any = false;
        for (int y = 0; y < 32 && !any; ++y)
            for (int x = 0; x < 32 && !any; ++x)
                any = image.pixelColor(x, y).alpha() > 200;
        QVERIFY2(any, qPrintable(word.icon));
        QVERIFY2(has(image, ui::color(word.role)), qPrintable(word.icon));
    }
    QVERIFY(has(ui::iconPixmap(QStringLiteral("data-error"), 32, Role::Failed, 1).toImage(), Qt::white));   // its glyph stays white
}

void Widgets::iconsWithoutThemeAreDrawn()
{
    const QImage image = ui::iconPixmap(QStringLiteral("no-such-icon-anywhere"), 16, Role::Secondary, 2).toImage();
    QCOMPARE(image.size(), QSize(32, 32));
    QVERIFY(has(image, ui::color(Role::Secondary)));
}

void Widgets::filterBoxClearsOnEscape()
{
    ui::FilterBox box(QStringLiteral("Filter"), QStringLiteral("Filter"));
    QSignalSpy changed(&box, &ui::FilterBox::filterChanged);
    box.show();
    QTest::keyClicks(&box, QStringLiteral("film"));
    QTRY_COMPARE(changed.size(), 1);                              // one signal for four keys
    QCOMPARE(changed.takeFirst().at(0).toString(), QStringLiteral("film"));
    QTest::keyClick(&box, Qt::Key_Escape);
    QCOMPARE(box.text(), QString());
    QCOMPARE(changed.takeFirst().at(0).toString(), QString());
}

void Widgets::segmentsMoveWithTheKeyboard()
{
    ui::Segmented segments(QStringLiteral("Range"), {QStringLiteral("1 h"), QStringLiteral("6 h"), QStringLiteral("R&D")});
    QSignalSpy changed(&segments, &ui::Segmented::currentChanged);
    segments.show();
    const auto buttons = segments.findChildren<QPushButton*>();
    QCOMPARE(segments.current(), 0);
    QTest::keyClick(buttons[0], Qt::Key_Right);
    QCOMPARE(segments.current(), 1);
    QCOMPARE(changed.size(), 1);
    QCOMPARE(buttons[2]->text(), QStringLiteral("R&&D"));
}

void Widgets::toastUndoes()
{
    QWidget window;
    window.resize(600, 400);
    window.show();
    ui::Toasts toasts(&window);
    int undone = 0, done = 0;
    toasts.show(QStringLiteral("2 rows discarded"), [&] { ++undone; }, [&] { ++done; });
    toasts.show(QStringLiteral("copied"));                        // cannot be undone, so Ctrl+Z reaches the one before
    QVERIFY(toasts.undoLast());
    QCOMPARE(undone, 1);
    toasts.flush();
    QCOMPARE(done, 0);
    QVERIFY(!toasts.undoLast());
}

void Widgets::toastExpires()
{
    QWidget window;
    window.resize(600, 400);
    window.show();
    ui::Toasts toasts(&window);
    int undone = 0, done = 0;
    for (int i = 0; i < 4; ++i)
        toasts.show(QStringLiteral("row discarded"), [&] { ++undone; }, [&] { ++done; });
    QCOMPARE(done, 1);                                            // a fourth one ends the first
    toasts.flush();                                               // the window closes: what was done stays done
    QCOMPARE(done, 4);
    QCOMPARE(undone, 0);
}

void Widgets::productionNeedsItsNameTyped()
{
    QWidget window;
    window.resize(900, 100);
    ui::ConfirmBar bar(&window);
    window.show();
    int yes = 0;
    bar.ask(QStringLiteral("Full run."), QStringLiteral("Run full"), QStringLiteral("search1"), [&] { ++yes; });
    auto* name = bar.findChild<QLineEdit*>();
    auto* button = bar.findChildren<QPushButton*>().first();
    QVERIFY(!button->isEnabled());
    QTest::keyClicks(name, QStringLiteral("search"));
    QVERIFY(!button->isEnabled());
    QTest::keyClicks(name, QStringLiteral("1"));
    QVERIFY(button->isEnabled());
    QTest::keyClick(name, Qt::Key_Return);                        // Enter in the field does not submit
    QCOMPARE(yes, 0);
    QTest::mouseClick(button, Qt::LeftButton);
    QCOMPARE(yes, 1);
    QVERIFY(!bar.isVisible());
    bar.ask(QStringLiteral("Full run."), QStringLiteral("Run full"), {}, [&] { ++yes; });
    QTest::keyClick(&bar, Qt::Key_Escape);
    QCOMPARE(yes, 1);
}

namespace {

QStandardItemModel* smallModel(QObject* parent)
{
    auto* model = new QStandardItemModel(parent);
    model->setHorizontalHeaderLabels({QStringLiteral("Name"), QStringLiteral("Rows")});
    model->appendRow({new QStandardItem(QStringLiteral("film, \"new\"")), new QStandardItem(QStringLiteral("1,000"))});
    model->appendRow({new QStandardItem(QStringLiteral("actor")), new QStandardItem(QStringLiteral("200"))});
    return model;
}

} // namespace

void Widgets::copiesRows()
{
    ui::DataTree tree(QStringLiteral("Tables"), {}, nullptr, true);
    tree.setModel(smallModel(&tree));
    tree.show();
    tree.selectAll();
    QTest::keyClick(&tree, Qt::Key_C, Qt::ControlModifier);
    QCOMPARE(QApplication::clipboard()->text(), QStringLiteral("Name\tRows\nfilm, \"new\"\t1,000\nactor\t200\n"));
    QCOMPARE(tree.selectionAs(QStringLiteral("csv")), QStringLiteral("Name,Rows\n\"film, \"\"new\"\"\",\"1,000\"\nactor,200\n"));
    QVERIFY(tree.selectionAs(QStringLiteral("json")).contains(QStringLiteral("\"Rows\": \"200\"")));
}

void Widgets::columnsAreRestored()
{
    QTemporaryDir folder;
    QSettings settings(folder.filePath(QStringLiteral("w.ini")), QSettings::IniFormat);
    {
        ui::DataTree tree(QStringLiteral("Tables"), QStringLiteral("t"), &settings, true);
        tree.setModel(smallModel(&tree));
        tree.header()->resizeSection(0, 333);
        tree.header()->setSectionHidden(1, true);
    }
    ui::DataTree tree(QStringLiteral("Tables"), QStringLiteral("t"), &settings, true);
    tree.setModel(smallModel(&tree));
    tree.setDefaultWidths({100, 100});
    QVERIFY(tree.header()->isSectionHidden(1));
    tree.header()->setSectionHidden(1, false);
    QVERIFY(tree.header()->sectionSize(0) >= 333);
}

namespace {

//! Rows with a tick box.
class Ticks final : public QStandardItemModel {
public:
    using QStandardItemModel::QStandardItemModel;
    QVariant data(const QModelIndex& index, int role) const override
    {
        if (role != ui::CellRole)
            return QStandardItemModel::data(index, role);
        ui::CellInfo cell;
        cell.text = QStandardItemModel::data(index, Qt::DisplayRole).toString();
        cell.check = static_cast<Qt::CheckState>(QStandardItemModel::data(index, Qt::CheckStateRole).toInt());
        return QVariant::fromValue(cell);
    }
};

} // namespace

void Widgets::spaceTogglesTickedRows()
{
    ui::DataTree tree(QStringLiteral("Tables"), {}, nullptr, true);
    Ticks model;
    for (int i = 0; i < 3; ++i)
        model.appendRow(new QStandardItem(QStringLiteral("t%1").arg(i)));
    tree.setModel(&model);
    tree.resize(300, 200);
    tree.show();
    tree.setCurrentIndex(model.index(0, 0));
    tree.selectAll();
    QTest::keyClick(&tree, Qt::Key_Space);
    for (int i = 0; i < 3; ++i)
        QCOMPARE(model.index(i, 0).data(Qt::CheckStateRole).toInt(), int(Qt::Checked));
    QTest::mouseClick(tree.viewport(), Qt::LeftButton, {}, QPoint(12, tree.visualRect(model.index(1, 0)).center().y()));
    QCOMPARE(model.index(1, 0).data(Qt::CheckStateRole).toInt(), int(Qt::Unchecked));
    QCOMPARE(model.index(2, 0).data(Qt::CheckStateRole).toInt(), int(Qt::Checked));
}

void Widgets::urlAndFieldsFollowEachOther()
{
    ui::ConnectorForm form;
    form.setConnectors(shopWorld().connectors);
    form.setUrl(QStringLiteral("mysql://reader@db1.shop.internal:3306/shop"));
    QVERIFY(form.spec());
    QCOMPARE(form.spec()->id, std::string("mysql"));
    const auto field = [&](const char* name) { return form.findChild<QLineEdit*>(QString::fromLatin1(name)); };
    QCOMPARE(field("host")->text(), QStringLiteral("db1.shop.internal"));
    QCOMPARE(field("port")->text(), QStringLiteral("3306"));
    QCOMPARE(field("user")->text(), QStringLiteral("reader"));
    field("database")->selectAll();
    QTest::keyClicks(field("database"), QStringLiteral("billing"));
    QCOMPARE(form.url(), QStringLiteral("mysql://reader@db1.shop.internal:3306/billing"));
    form.urlField()->setFocus();
    form.urlField()->setCursorPosition(int(form.urlField()->text().size()));
    QTest::keyClicks(form.urlField(), QStringLiteral("2"));
    QCOMPARE(field("database")->text(), QStringLiteral("billing2"));
    form.setUrl(QStringLiteral("mysql://reader@db1/shop?tsl=require"));
    QVERIFY(form.problem().contains(QStringLiteral("tls")));      // the nearest option is named
    form.setUrl(QStringLiteral("nosuch://host/"));
    QVERIFY(!form.problem().isEmpty());
}

void Widgets::passwordLeavesTheUrl()
{
    ui::ConnectorForm form;
    form.setConnectors(shopWorld().connectors);
    form.setUrl(QStringLiteral("mysql://reader:s3cret@db1/shop"));
    QVERIFY(!form.url().contains(QStringLiteral("s3cret")));
    const auto typed = form.typedSecrets();
    QVERIFY(typed.contains("password"));
    QCOMPARE(std::string(typed.at("password").reveal()), std::string("s3cret"));
    QCOMPARE(form.findChild<QLineEdit*>(QStringLiteral("password"))->echoMode(), QLineEdit::Password);
}

void Widgets::paletteRanksStartsFirst()
{
    QVERIFY(ui::PaletteBox::rank(QStringLiteral("customer"), QStringLiteral("cust")) > ui::PaletteBox::rank(QStringLiteral("shop customer"), QStringLiteral("cust")));
    QVERIFY(ui::PaletteBox::rank(QStringLiteral("shop customer"), QStringLiteral("cust")) > ui::PaletteBox::rank(QStringLiteral("discustomer"), QStringLiteral("cust")));
    QCOMPARE(ui::PaletteBox::rank(QStringLiteral("film"), QStringLiteral("cust")), 0);
}

// Five seconds are a twelfth of a minute: what came just now is at the right edge, and the rest is empty
void Widgets::sparklineEndsAtTheRight()
{
    QImage picture(120, 20, QImage::Format_RGB32);
    picture.fill(Qt::white);
    {
        QPainter painter(&picture);
        ui::CellDelegate::paintSpark(painter, QRect(0, 0, 120, 20), {5, 5, 5, 5, 5}, Role::Running);
    }
    const auto touched = [&](int from, int to) {
        for (int x = from; x < to; ++x)
            for (int y = 0; y < picture.height(); ++y)
                if (picture.pixelColor(x, y) != QColor(Qt::white))
                    return true;
        return false;
    };
    QVERIFY(!touched(0, 100));
    QVERIFY(touched(112, 120));
}

QTEST_MAIN(Widgets)
#include "tst_widgets.moc"
