#include "ui/syncs/detailpane.h"
#include "ui/charts/chartspane.h"
#include "ui/logs/logview.h"
#include "ui/syncs/historytab.h"
#include "ui/syncs/issuestab.h"
#include "ui/syncs/overviewtab.h"
#include "ui/syncs/synccells.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/widgets/segmented.h"
#include <QHBoxLayout>
#include <QStackedWidget>
#include <QTabBar>
#include <algorithm>

namespace millrace::ui {

DetailPane::DetailPane(const Context& context, QWidget* parent) : QWidget(parent), m_context(context)
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = makeSurface("toolbar", this);
    head->setFixedHeight(35);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(0, 0, 10, 0);
    row->setSpacing(8);
    m_tabs = new QTabBar(head);
    m_tabs->setExpanding(false);
    m_tabs->setDrawBase(false);
    m_tabs->setUsesScrollButtons(true);
    m_tabs->setAccessibleName(tr("Details of the selected row"));
    const QString words[] = {tr("Overview"), tr("Charts"), tr("Issues"), tr("History"), tr("Log")};
    for (const QString& word : words)
        m_tabs->addTab(word);
    row->addWidget(m_tabs, 1, Qt::AlignBottom);                   // all the room there is: a bar that is as wide as its tabs loses one when a font changes
    m_name = makeLabel({}, "strong", head);
    m_sync = makeLabel({}, "secondary", head);
    row->addWidget(m_name);
    row->addWidget(m_sync);
    QStringList spans;
    for (const auto& [word, ms] : ChartsPane::spans())
        spans << word;
    m_span = new Segmented(tr("Time range"), spans, head);
    row->addSpacing(6);
    row->addWidget(m_span);
    column->addWidget(head);

    m_stack = new QStackedWidget(this);
    m_stack->addWidget(m_overview = new OverviewTab(m_stack));
    m_stack->addWidget(m_charts = new ChartsPane(context.calls, m_stack));
    m_stack->addWidget(m_issues = new IssuesTab(context, m_stack));
    m_stack->addWidget(m_history = new HistoryTab(context, m_stack));
    m_stack->addWidget(m_log = new LogView(context.log, context.settings, QStringLiteral("log"), m_stack));
    column->addWidget(m_stack, 1);

    const int span = std::clamp(context.settings.value(QStringLiteral("charts/span"), 1).toInt(), 0, int(ChartsPane::spans().size()) - 1);
    m_span->setCurrent(span);
    m_charts->setSpan(ChartsPane::spans()[span].second);
    const auto setSpan = [this](int index) {
        m_charts->setSpan(ChartsPane::spans()[index].second);
        m_context.settings.setValue(QStringLiteral("charts/span"), index);
    };
    connect(m_span, &Segmented::currentChanged, this, setSpan);
    connect(m_charts, &ChartsPane::spanWheeled, this, [this, setSpan](int steps) {
        const int next = std::clamp(m_span->current() - steps, 0, int(ChartsPane::spans().size()) - 1);
        m_span->setCurrent(next);
        setSpan(next);
    });
    connect(m_tabs, &QTabBar::currentChanged, this, [this](int index) {
        m_stack->setCurrentIndex(index);
        m_span->setVisible(index == Charts);
        m_context.settings.setValue(QStringLiteral("syncs/tab"), index);
    });
    connect(m_overview, &OverviewTab::fixWanted, this, &DetailPane::fixWanted);
    m_span->hide();
    setTab(static_cast<Tab>(std::clamp(context.settings.value(QStringLiteral("syncs/tab"), 0).toInt(), 0, TabCount - 1)));
}

void DetailPane::setTab(Tab tab)
{
    m_tabs->setCurrentIndex(tab);
    m_stack->setCurrentIndex(tab);
    m_span->setVisible(tab == Charts);
}

DetailPane::Tab DetailPane::tab() const { return static_cast<Tab>(m_tabs->currentIndex()); }
void DetailPane::setDryRun(const DryRunReport& report) { m_overview->setDryRun(report); apply(m_context.monitor.latest()); }

void DetailPane::saveState()
{
    m_issues->saveState();
    m_history->saveState();
    m_log->saveState();
}

void DetailPane::setSubjects(const Subjects& subjects)
{
    m_subjects = subjects;
    // several rows: the tabs that know one subject show the first one's job
    const Subject first = subjects.empty() ? Subject{} : subjects.size() == 1 ? subjects.front() : Subject{subjects.front().sync, {}};
    m_charts->setSubject(first.sync, first.table);
    m_issues->setSubject(first);
    m_history->setSubject(first);
    m_log->setScope(first.sync, first.table);
    apply(m_context.monitor.latest());
}

void DetailPane::apply(const SnapshotPtr& snapshot)
{
    m_overview->showSubjects(*snapshot, m_subjects);
    m_charts->sample(*snapshot);
    showTitle();
    std::uint64_t failed = 0;
    if (!m_subjects.empty()) {
        const SyncView* sync = findSync(*snapshot, m_subjects.front().sync);
        const TableView* table = m_subjects.size() == 1 ? findTable(*snapshot, m_subjects.front()) : nullptr;
        if (sync) {
            const TableView sum = table ? *table : jobSum(*sync);
            failed = sum.failed;
            m_issues->follow(sum.failed);
            m_history->follow(sync->run == 0 ? jobSum(*sync).lastSyncMs : 0);
        }
    }
    const QString words = failed ? tr("Issues (%1)").arg(count(failed)) : tr("Issues");
    if (m_tabs->tabText(Issues) != words)
        m_tabs->setTabText(Issues, words);
}

void DetailPane::showTitle()
{
    if (m_subjects.size() != 1) {
        m_name->setText(m_subjects.empty() ? QString() : tr("%n rows", nullptr, int(m_subjects.size())));
        m_sync->setText({});
        return;
    }
    const Subject& one = m_subjects.front();
    m_name->setText(text(one.table.empty() ? one.sync : one.table));
    m_sync->setText(one.table.empty() ? QString() : text(one.sync));
}

} // namespace millrace::ui
