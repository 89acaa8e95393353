#include "ui/syncs/syncspage.h"
#include "ui/syncs/demobar.h"
#include "ui/syncs/detailpane.h"
#include "ui/syncs/filtertree.h"
#include "ui/syncs/issuestab.h"
#include "ui/syncs/syncfilter.h"
#include "ui/syncs/syncsmodel.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/confirmbar.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/filterbox.h"
#include "ui/widgets/format.h"
#include "ui/widgets/icons.h"
#include "ui/widgets/look.h"
#include "ui/widgets/toast.h"
#include "ui/widgets/toolbar.h"
#include <QAction>
#include <QHBoxLayout>
#include <QHeaderView>
#include <QMenu>
#include <QScrollBar>
#include <QSplitter>
#include <QStackedWidget>

namespace millrace::ui {

SyncsPage::SyncsPage(const Context& context, QWidget* parent)
    : Page(parent), m_context(context), m_model(new SyncsModel(this)), m_proxy(new SyncProxy(m_model, this)), m_snapshot(context.monitor.latest())
{
    if (context.demo)
        m_model->setDemo(context.demo.sync);
    makeActions();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeToolbar());
    m_confirm = new ConfirmBar(this);
    m_banner = new Banner(this);
    m_banner->setClosable(true);
    m_banner->setProperty("edge", true);
    m_confirm->setProperty("edge", true);
    m_demoBar = new DemoBar(context, this);
    m_demoBar->hide();
    column->addWidget(m_confirm);
    column->addWidget(m_banner);
    column->addWidget(m_demoBar);

    auto* content = new QWidget(this);
    auto* row = new QHBoxLayout(content);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(0);
    m_filters = new FilterTree(&context.settings, content);
    row->addWidget(m_filters);
    row->addWidget(makeLine(Qt::Vertical, content));
    m_split = new QSplitter(Qt::Vertical, content);
    m_tree = new DataTree(tr("Syncs and their tables"), QStringLiteral("syncs"), &context.settings, false, m_split);
    m_tree->setBranchWidth(18);
    m_tree->setModel(m_proxy);
    m_tree->setDefaultWidths({184, 116, 104, 78, 94, 76, 70, 76, 86, 56, 84, 110});
    m_tree->setSortingEnabled(true);
    m_tree->header()->setSortIndicatorClearable(true);
    m_tree->header()->setSortIndicator(-1, Qt::AscendingOrder);
    m_proxy->sort(-1);
    m_nothingBox = makeSurface("base", m_split);
    auto* nothingRow = new QHBoxLayout(m_nothingBox);
    nothingRow->setAlignment(Qt::AlignTop);
    nothingRow->setContentsMargins(16, 20, 16, 0);
    m_nothing = makeLabel({}, "secondary", m_nothingBox);
    nothingRow->addWidget(m_nothing);
    auto* clear = makeButton(tr("Clear"), {}, "link", m_nothingBox);
    setAccessible(clear, tr("Clear the filter"));
    connect(clear, &QPushButton::clicked, this, [this] { m_filter->setFilter({}); m_filters->clearPicks(); });
    nothingRow->addWidget(clear);
    nothingRow->addStretch(1);
    m_listStack = new QStackedWidget(m_split);
    m_listStack->addWidget(m_tree);
    m_listStack->addWidget(m_nothingBox);
    m_details = new DetailPane(context, m_split);
    m_split->addWidget(m_listStack);
    m_split->addWidget(m_details);
    m_split->setChildrenCollapsible(false);
    m_split->setStretchFactor(0, 3);
    m_split->setStretchFactor(1, 2);
    m_split->setSizes({480, 320});
    m_split->restoreState(context.settings.value(QStringLiteral("syncs/split")).toByteArray());
    m_listStack->setMinimumHeight(90);
    m_details->setMinimumHeight(120);
    row->addWidget(m_split, 1);
    m_stack = new QStackedWidget(this);
    m_stack->addWidget(content);
    column->addWidget(m_stack, 1);
    m_filter->setTable(m_tree);
    connectAll();
    m_settled.start();
    updateActions();
}

void SyncsPage::makeActions()
{
    const auto action = [this](const QString& words, const QString& shortWords, const QKeySequence& keys, const char* iconName, auto slot) {
        auto* made = new QAction(icon(QString::fromLatin1(iconName)), words, this);
        made->setIconText(shortWords);
        made->setShortcut(keys);
        if (!keys.isEmpty())
            made->setToolTip(QStringLiteral("%1 (%2)").arg(shortWords, keys.toString(QKeySequence::NativeText)));
        connect(made, &QAction::triggered, this, slot);
        return made;
    };
    m_actions.newSync = action(tr("&New sync…"), tr("New sync"), {}, "list-add", [this] { m_context.go.newSync({}); });
    m_actions.run = action(tr("&Run"), tr("Run"), QKeySequence(Qt::CTRL | Qt::Key_R), "media-playback-start", [this] { run(RunRequest::Kind::Normal); });
    m_actions.incremental = action(tr("Run &incremental"), tr("Run incremental"), {}, "media-playback-start", [this] { run(RunRequest::Kind::Incremental); });
    m_actions.full = action(tr("Run &full…"), tr("Run full"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_R), "view-refresh", [this] { runFull(); });
    m_actions.pause = action(tr("&Pause"), tr("Pause"), QKeySequence(Qt::Key_Space), "media-playback-pause", [this] { pauseOrResume(); });
    m_actions.stop = action(tr("&Stop"), tr("Stop"), {}, "media-playback-stop", [this] { stop(); });
    m_actions.verify = action(tr("&Verify"), tr("Verify"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_V), "dialog-ok-apply", [this] { verify(); });
    m_actions.dryRun = action(tr("&Dry run"), tr("Dry run"), QKeySequence(Qt::CTRL | Qt::Key_D), "preflight-verifier", [this] { dryRun(); });
    m_actions.edit = action(tr("Pr&operties…"), tr("Properties"), QKeySequence(Qt::Key_F4), "configure", [this] {
        if (const auto chosen = subjects(); !chosen.empty())
            m_context.go.editSync(text(chosen.front().sync));
    });
    m_actions.reset = action(tr("Forget the position…"), tr("Forget the position"), {}, "edit-undo", [this] { reset(); });
    m_actions.remove = action(tr("Remo&ve sync"), tr("Remove sync"), QKeySequence::Delete, "edit-delete", [this] { remove(); });
    // Space and Del belong to the tree alone: elsewhere they press buttons and edit text
    m_actions.pause->setShortcutContext(Qt::WidgetShortcut);
    m_actions.remove->setShortcutContext(Qt::WidgetShortcut);
}

QWidget* SyncsPage::makeToolbar()
{
    auto* bar = new ToolBar(this);
    QHBoxLayout* row = bar->row();
    auto* add = makeButton(tr("New sync"), QStringLiteral("list-add"), "main", bar);
    connect(add, &QPushButton::clicked, m_actions.newSync, &QAction::trigger);
    row->addWidget(add);
    row->addSpacing(6);
    auto* runButton = makeToolButton(m_actions.run, bar);
    auto* runMenu = new QMenu(runButton);
    runMenu->addActions({m_actions.run, m_actions.incremental, m_actions.full});
    runButton->setMenu(runMenu);
    runButton->setPopupMode(QToolButton::MenuButtonPopup);
    bar->addTool(runButton);
    bar->addTool(makeToolButton(m_actions.pause, bar));
    bar->addTool(makeToolButton(m_actions.stop, bar));
    const auto separator = [&] {
        QFrame* line = makeLine(Qt::Vertical, bar);
        line->setFixedHeight(20);
        row->addSpacing(6);
        row->addWidget(line);
        row->addSpacing(6);
    };
    separator();
    bar->addTool(makeToolButton(m_actions.verify, bar));
    bar->addTool(makeToolButton(m_actions.dryRun, bar));
    separator();
    auto* columns = m_columns = new QToolButton(bar);
    columns->setText(tr("Columns"));
    columns->setToolTip(tr("Columns"));
    columns->setAccessibleName(tr("Columns"));
    columns->setIcon(icon(QStringLiteral("object-columns")));
    columns->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    columns->setFocusPolicy(Qt::TabFocus);
    auto* columnMenu = new QMenu(columns);
    connect(columnMenu, &QMenu::aboutToShow, this, [this, columnMenu] {
        columnMenu->clear();
        m_tree->fillColumnMenu(columnMenu);
    });
    columns->setMenu(columnMenu);
    columns->setPopupMode(QToolButton::InstantPopup);
    bar->addTool(columns);
    row->addStretch(1);
    m_frozen = makeLabel(tr("order frozen"), "tertiary", bar);
    m_frozen->hide();
    row->addWidget(m_frozen);
    row->addSpacing(8);
    m_count = makeLabel({}, "caption", bar);
    row->addWidget(m_count);
    row->addSpacing(8);
    m_filter = new FilterBox(tr("Filter by name, state:failed, lag>1m"), tr("Filter syncs and tables"), QStringLiteral("view-filter"), bar);
    m_filter->setMinimumWidth(120);
    m_filter->setMaximumWidth(280);
    row->addWidget(m_filter);
    return bar;
}

void SyncsPage::connectAll()
{
    m_tree->addActions({m_actions.pause, m_actions.remove});
    connect(m_tree->selectionModel(), &QItemSelectionModel::selectionChanged, this, &SyncsPage::selectionMoved);
    connect(m_tree, &DataTree::contextMenuWanted, this, &SyncsPage::rowMenu);
    connect(m_tree, &DataTree::activatedByKey, this, [this] { m_details->setFocus(); });
    connect(m_tree, &QTreeView::doubleClicked, this, [this](const QModelIndex& at) { if (m_proxy->hasChildren(at)) m_tree->setExpanded(at, !m_tree->isExpanded(at)); });
    connect(m_filter, &FilterBox::filterChanged, this, [this](const QString& words) {
        m_proxy->setWords(words);
        m_tree->expandAll();
        showCounts();
    });
    connect(m_filters, &FilterTree::picked, this, [this](const FilterPicks& picks) {
        m_proxy->setPicks(picks);
        m_tree->expandAll();
        showCounts();
    });
    connect(m_details, &DetailPane::fixWanted, this, [this](const QString& id) {
        if (id == QLatin1String("issues"))
            return m_details->setTab(DetailPane::Issues);
        const auto chosen = subjects();
        const TableView* table = chosen.empty() ? nullptr : findTable(*m_snapshot, chosen.front());
        const SyncView* sync = chosen.empty() ? nullptr : findSync(*m_snapshot, chosen.front().sync);
        const State state = table ? table->state : sync ? jobState(*sync) : State::Idle;
        if (state == State::NeedsResync)
            runFull();
        else if (state == State::Unknown)
            verify();
        else
            run(RunRequest::Kind::Normal);
    });
    connect(m_demoBar, &DemoBar::happened, this, [this] { select(text(m_context.demo.sync), {}); run(RunRequest::Kind::Normal); });
    connect(m_demoBar, &DemoBar::failed, this, [this](const Error& error) { m_banner->say(error); });
    for (int tab = 0; tab < DetailPane::TabCount; ++tab) {
        auto* action = new QAction(this);
        action->setShortcut(QKeySequence(QStringLiteral("Alt+%1").arg(tab + 1)));
        action->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        connect(action, &QAction::triggered, this, [this, tab] { m_details->setTab(static_cast<DetailPane::Tab>(tab)); });
        addAction(action);
    }
}

void SyncsPage::fillMenus(const Menus& menus)
{
    menus.sync->addActions({m_actions.run, m_actions.incremental, m_actions.full, m_actions.pause, m_actions.stop});
    menus.sync->addSeparator();
    menus.sync->addActions({m_actions.verify, m_actions.dryRun});
    menus.sync->addSeparator();
    menus.sync->addActions({m_actions.edit, m_actions.reset, m_actions.remove});
    menus.sync->addSeparator();
    menus.sync->addActions(m_details->issues()->tabActions());
    QMenu* copy = menus.edit->addMenu(tr("&Copy rows"));
    m_tree->fillCopyMenu(copy);
    QMenu* columns = menus.view->addMenu(tr("&Columns"));
    connect(columns, &QMenu::aboutToShow, this, [this, columns] { columns->clear(); m_tree->fillColumnMenu(columns); });
    connect(menus.view->addAction(tr("&Welcome")), &QAction::triggered, this, [this] { showWelcome(!m_welcomeWanted); });
}

QWidget* SyncsPage::filterField() { return m_filter; }

void SyncsPage::setWelcome(Page* page)
{
    m_welcome = page;
    m_stack->addWidget(page);
    snapshotChanged(m_context.monitor.latest());
}

void SyncsPage::showWelcome(bool on)
{
    m_welcomeWanted = on;
    snapshotChanged(m_context.monitor.latest());
}

void SyncsPage::showDetails(int tab) { m_details->setTab(static_cast<DetailPane::Tab>(tab)); }

void SyncsPage::snapshotChanged(const SnapshotPtr& snapshot)
{
    m_snapshot = snapshot;
    const bool hadNone = m_model->rowCount() == 0;
    m_model->apply(snapshot);
    m_filters->apply(*snapshot);
    const bool welcome = m_welcome && (snapshot->syncs.empty() || m_welcomeWanted);
    m_stack->setCurrentIndex(welcome ? 1 : 0);
    if (welcome)
        m_welcome->snapshotChanged(snapshot);
    for (QWidget* part : {static_cast<QWidget*>(m_filter), static_cast<QWidget*>(m_columns)})
        part->setEnabled(!welcome);
    // what was proven is told as of then: not above an empty page, nor while rows move again
    const bool moving = std::any_of(snapshot->syncs.begin(), snapshot->syncs.end(),
        [&](const SyncView& sync) { return sync.run != 0 && m_banner->sentence().startsWith(text(sync.name) + QLatin1Char(':')); });
    if (snapshot->syncs.empty() || (moving && m_banner->kind() == Banner::Kind::Good))
        m_banner->hide();
    if (hadNone && m_model->rowCount() > 0) {
        m_tree->expandAll();
        if (!m_tree->currentIndex().isValid())
            m_tree->goTo(m_proxy->index(0, 0));
    }
    settleOrder();
    showCounts();
    m_details->apply(snapshot);
    updateActions();
    const bool demo = m_context.demo && findSync(*snapshot, m_context.demo.sync) && !welcome;
    m_demoBar->setVisible(demo);
    if (!m_wanted.first.isEmpty() && m_model->find(m_wanted.first.toStdString(), {}).isValid()) {
        const auto wanted = std::exchange(m_wanted, {});
        select(wanted.first, wanted.second);
    }
}

// Rows are sorted and filtered anew every 2 s at most, and never under the pointer
void SyncsPage::settleOrder()
{
    const bool matters = m_proxy->filtered() || m_proxy->sortColumn() >= 0;
    const bool frozen = matters && m_tree->orderFrozen();
    m_frozen->setVisible(frozen);
    if (!matters || frozen || m_settled.elapsed() < 2000)
        return;
    m_settled.restart();
    const int scroll = m_tree->verticalScrollBar()->value();
    m_proxy->settle();
    m_tree->verticalScrollBar()->setValue(scroll);
}

void SyncsPage::showCounts()
{
    const int shown = m_proxy->tablesShown(), all = m_proxy->tablesInAll();
    m_count->setVisible(m_stack->currentIndex() == 0);
    m_count->setText(tr("%1 of %2 tables").arg(count(std::uint64_t(shown)), count(std::uint64_t(all))));
    const bool nothing = m_proxy->rowCount() == 0 && m_model->rowCount() > 0;
    m_listStack->setCurrentIndex(nothing ? 1 : 0);
    if (nothing)
        m_nothing->setText(m_filter->text().isEmpty() ? tr("No table matches the filter at the left.") : tr("No table matches %1.").arg(m_filter->text()));
}

Subjects SyncsPage::subjects() const
{
    Subjects chosen;
    for (const QModelIndex& at : m_tree->selectionModel()->selectedRows()) {
        const QModelIndex source = m_proxy->mapToSource(at);
        const SyncView* sync = m_model->sync(source);
        const TableView* table = m_model->table(source);
        if (sync)
            chosen.push_back({sync->name, table ? table->table : std::string()});
    }
    return chosen;
}

std::map<std::string, std::vector<std::string>> SyncsPage::selectedTables() const
{
    std::map<std::string, std::vector<std::string>> tables;
    const Subjects chosen = subjects();
    for (const Subject& one : chosen)
        tables[one.sync];
    for (const Subject& one : chosen) {
        const bool whole = std::find(chosen.begin(), chosen.end(), Subject{one.sync, {}}) != chosen.end();
        if (!whole)
            tables[one.sync].push_back(one.table);
    }
    return tables;
}

std::string SyncsPage::environmentOf(const std::string& name) const
{
    const SyncView* sync = findSync(*m_snapshot, name);
    return sync ? sync->environment : std::string();
}

void SyncsPage::selectionMoved()
{
    m_details->setSubjects(subjects());
    updateActions();
}

void SyncsPage::updateActions()
{
    const auto chosen = selectedTables();
    bool anyRunning = false, anyPaused = false, anyStopping = false;
    for (const auto& [name, tables] : chosen) {
        const SyncView* sync = findSync(*m_snapshot, name);
        if (!sync)
            continue;
        anyRunning = anyRunning || sync->run != 0;
        anyPaused = anyPaused || sync->paused;
        if (sync->run == 0)
            m_stopping.erase(name);
        anyStopping = anyStopping || m_stopping.contains(name);
    }
    const bool here = isVisible() || !m_known, any = !chosen.empty() && m_stack->currentIndex() == 0;
    m_known = true;
    m_actions.newSync->setEnabled(true);
    for (QAction* action : {m_actions.run, m_actions.incremental, m_actions.full, m_actions.pause, m_actions.verify, m_actions.dryRun, m_actions.edit, m_actions.reset, m_actions.remove})
        action->setEnabled(any && here);
    m_actions.stop->setEnabled(any && anyRunning && !anyStopping && here);
    m_actions.stop->setIconText(anyStopping ? tr("Stopping…") : tr("Stop"));
    m_actions.pause->setIconText(anyPaused ? tr("Resume") : tr("Pause"));
    m_actions.pause->setText(anyPaused ? tr("&Resume") : tr("&Pause"));
    m_actions.pause->setIcon(icon(anyPaused ? QStringLiteral("media-playback-start") : QStringLiteral("media-playback-pause")));
}

void SyncsPage::rowMenu(const QPoint& at)
{
    QMenu menu(this);
    menu.addActions({m_actions.run, m_actions.incremental, m_actions.full, m_actions.dryRun});
    menu.addSeparator();
    menu.addActions({m_actions.pause, m_actions.stop, m_actions.verify});
    menu.addSeparator();
    m_tree->fillCopyMenu(menu.addMenu(tr("Copy")));
    menu.addActions({m_actions.edit, m_actions.reset, m_actions.remove});
    menu.exec(at);
}

void SyncsPage::select(const QString& sync, const QString& table)
{
    m_welcomeWanted = false;
    snapshotChanged(m_context.monitor.latest());
    const QModelIndex source = m_model->find(sync.toStdString(), table.toStdString());
    if (!source.isValid()) {                                      // made just now: the next snapshot has it
        m_wanted = {sync, table};
        return;
    }
    QModelIndex at = m_proxy->mapFromSource(source);
    if (source.isValid() && !at.isValid()) {                      // hidden by the filter: what was asked for wins
        m_filter->setFilter({});
        m_filters->clearPicks();
        at = m_proxy->mapFromSource(source);
    }
    if (!at.isValid())
        return;
    if (at.parent().isValid())
        m_tree->expand(at.parent());
    m_tree->goTo(at);
    m_tree->scrollTo(at);
    m_tree->setFocus();
}

void SyncsPage::refresh() { m_proxy->settle(); }

void SyncsPage::activated()
{
    updateActions();
    if (m_stack->currentIndex() == 1 && m_welcome)
        m_welcome->activated();
    else
        m_tree->setFocus();
}

void SyncsPage::deactivated()
{
    m_wanted = {};
    for (QAction* action : {m_actions.run, m_actions.incremental, m_actions.full, m_actions.pause, m_actions.stop, m_actions.verify, m_actions.dryRun, m_actions.edit, m_actions.reset,
             m_actions.remove})
        action->setEnabled(false);
}

void SyncsPage::saveState()
{
    m_tree->saveState();
    m_details->saveState();
    m_context.settings.setValue(QStringLiteral("syncs/split"), m_split->saveState());
}

void SyncsPage::resizeEvent(QResizeEvent* event)
{
    Page::resizeEvent(event);
    m_filters->setVisible(window()->width() >= 1200 || window()->width() < 100);
}

SyncsPages makeSyncsPage(const Context& context, QWidget* parent)
{
    auto* page = new SyncsPage(context, parent);
    return {page, page};
}

} // namespace millrace::ui
