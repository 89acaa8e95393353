#include "ui/connections/testpane.h"
#include "ui/connections/teststages.h"
#include "ui/widgets/codeview.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include <QApplication>
#include <QClipboard>
#include <QDateTime>
#include <QHeaderView>
#include <QRegularExpression>
#include <QVBoxLayout>
#include <algorithm>

namespace millrace::ui {
namespace {

bool isSql(const QString& words)
{
    static const QRegularExpression start(QStringLiteral("^\\s*(--|GRANT |REVOKE |SET |CREATE |ALTER |CALL |FLUSH )"));
    return start.match(words).hasMatch();
}

} // namespace

TestPane::TestPane(QWidget* parent) : QWidget(parent), m_stages(new TestStages(this))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(14, 8, 14, 8);
    column->setSpacing(7);
    auto* head = new QHBoxLayout;
    head->setSpacing(8);
    head->addWidget(makeLabel(tr("Test"), "section", this));
    m_when = new ElidedLabel({}, "secondary", this);
    m_when->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    head->addWidget(m_when, 1);
    m_passed = makePill({}, "good", this);
    m_warnings = makePill({}, "warning", this);
    m_failed = makePill({}, "error", this);
    for (QLabel* pill : {m_passed, m_warnings, m_failed})
        head->addWidget(pill);
    m_button = makeButton(tr("Test"), QStringLiteral("run-build"), nullptr, this);
    m_button->setToolTip(tr("Tests with the values above, saved or not (Ctrl+T)"));
    connect(m_button, &QPushButton::clicked, this, [this] { if (m_running) emit stopWanted(); else emit testWanted(); });
    head->addWidget(m_button);
    column->addLayout(head);

    m_hint = makeLabel(tr("Not tested yet. The test logs in with the values above, saved or not, and changes nothing on the server."), "secondary", this);
    m_hint->setWordWrap(true);
    column->addWidget(m_hint);
    m_list = new DataTree(tr("Stages of the test"), {}, nullptr, true, this);
    m_list->setProperty("framed", "true");
    m_list->setModel(m_stages);
    m_list->setDefaultWidths({126, 300, 66});
    m_list->header()->setStretchLastSection(false);
    m_list->header()->setSectionResizeMode(TestStages::Found, QHeaderView::Stretch);
    m_list->header()->setSectionsMovable(false);
    column->addWidget(m_list, 100);

    m_fixBox = new QWidget(this);
    auto* fixColumn = new QVBoxLayout(m_fixBox);
    fixColumn->setContentsMargins(0, 0, 0, 0);
    fixColumn->setSpacing(6);
    auto* fixHead = new QHBoxLayout;
    fixHead->setSpacing(8);
    fixHead->addWidget(makeLabel(tr("Fix"), "section", m_fixBox));
    m_fixWords = new ElidedLabel({}, "secondary", m_fixBox);
    m_fixWords->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
    fixHead->addWidget(m_fixWords, 1);
    m_copy = makeButton(tr("Copy"), QStringLiteral("edit-copy"), nullptr, m_fixBox);
    setAccessible(m_copy, tr("Copy the fix"));
    connect(m_copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(fix()); });
    fixHead->addWidget(m_copy);
    fixColumn->addLayout(fixHead);
    m_sql = new CodeView(tr("Fix"), CodeView::Language::Sql, m_fixBox);
    m_plain = new CodeView(tr("Fix"), CodeView::Language::Plain, m_fixBox);
    for (CodeView* view : {m_sql, m_plain}) {
        view->setProperty("look", "code");
        fixColumn->addWidget(view);
    }
    column->addWidget(m_fixBox);
    column->addStretch(1);
    connect(m_list->selectionModel(), &QItemSelectionModel::selectionChanged, this, &TestPane::showFix);
    clear();
}

void TestPane::clear()
{
    setRunning(false);
    m_stages->clear();
    m_about.clear();
    m_when->clear();
    m_hint->show();
    m_list->hide();
    showCounts();
    showFix();
}

void TestPane::begin()
{
    m_stages->clear();
    m_about = tr("Testing…");
    m_when->setText(m_about);
    m_hint->hide();
    m_list->show();
    setRunning(true);
    showCounts();
    showFix();
}

void TestPane::add(const TestStage& stage)
{
    m_stages->add(stage);
    showFix();
    m_list->scrollToBottom();
    showCounts();
}

void TestPane::finish(const TestReport& report, std::int64_t atMs)
{
    // an engine that failed before its first stage still has something to say
    std::vector<TestStage> stages = report.stages;
    if (stages.empty() && report.error)
        stages.push_back({"settings", "Settings", TestStage::Outcome::Failed, report.error->detail, report.error->fix, 0});
    m_stages->set(std::move(stages));
    double ms = 0;
    for (const TestStage& stage : m_stages->stages())
        ms += stage.ms;
    const QDateTime at = QDateTime::fromMSecsSinceEpoch(atMs);
    m_about = tr("%1, %2 in all").arg(at.date() == QDate::currentDate() ? at.toString(QStringLiteral("HH:mm:ss")) : wholeTime(atMs), milliseconds(ms));
    m_when->setText(m_about);
    m_hint->hide();
    m_list->show();
    setRunning(false);
    showCounts();
    showFix();
}

void TestPane::cancelled()
{
    setRunning(false);
    m_about = tr("Stopped");
    m_when->setText(m_about);
}

void TestPane::setOutdated(bool on)
{
    if (!m_running)
        m_when->setText(on && !m_about.isEmpty() ? tr("%1, before the last change").arg(m_about) : m_about);
}

void TestPane::setRunning(bool on)
{
    m_running = on;
    m_button->setText(on ? tr("Stop test") : m_about.isEmpty() ? tr("Test") : tr("Test again"));
    m_button->setAccessibleName(m_button->text());
}

void TestPane::showCounts()
{
    const auto show = [](QLabel* pill, int n, const QString& words) {
        pill->setText(words);
        pill->setVisible(n > 0);
    };
    const int passed = m_stages->count(TestStage::Outcome::Passed), warnings = m_stages->count(TestStage::Outcome::Warning), failed = m_stages->count(TestStage::Outcome::Failed);
    show(m_passed, passed, tr("%1 passed").arg(passed));
    show(m_warnings, warnings, tr("%n warning(s)", nullptr, warnings));
    show(m_failed, failed, tr("%1 failed").arg(failed));
}

QString TestPane::fix() const
{
    QStringList words;
    const QModelIndexList chosen = m_list->selectionModel()->selectedRows();
    for (const QModelIndex& row : chosen)
        if (const std::string& one = m_stages->stages()[std::size_t(row.row())].fix; !one.empty())
            words << text(one);
    if (words.isEmpty())
        for (const TestStage& stage : m_stages->stages())
            if (!stage.fix.empty() && !words.contains(text(stage.fix)))
                words << text(stage.fix);
    return words.join(QLatin1Char('\n'));
}

void TestPane::showFix()
{
    const int height = 28 + std::max(1, m_stages->rowCount()) * rowHeight();
    m_list->setMaximumHeight(height);
    m_list->setMinimumHeight(std::min(76, height));
    const QString words = m_running ? QString() : fix();
    const bool sql = isSql(words);
    m_copy->setText(sql ? tr("Copy SQL") : tr("Copy"));
    m_copy->setMinimumWidth(m_copy->sizeHint().width());
    m_sql->setVisible(sql);
    m_plain->setVisible(!sql);
    CodeView* view = sql ? m_sql : m_plain;
    view->setPlainText(words);
    const QFontMetrics metrics(ui::font(FontRole::Code));
    int lines = 0;
    for (const QString& line : words.split(QLatin1Char('\n')))
        lines += 1 + metrics.horizontalAdvance(line) / std::max(200, width() - 60);
    view->setFixedHeight(std::min(6, lines) * metrics.lineSpacing() + 26);
    m_fixBox->setVisible(!words.isEmpty());
    m_fixWords->setText(sql ? tr("run it as an administrator; Millrace never runs it for you") : tr("what to do now"));
}

} // namespace millrace::ui
