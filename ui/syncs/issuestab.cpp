#include "ui/syncs/issuestab.h"
#include "ui/charts/legend.h"
#include "ui/charts/plot.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/codeview.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/factgrid.h"
#include "ui/widgets/filterbox.h"
#include "ui/widgets/format.h"
#include "ui/widgets/icons.h"
#include "ui/widgets/look.h"
#include "ui/widgets/segmented.h"
#include "ui/widgets/toast.h"
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QHBoxLayout>
#include <QJsonDocument>
#include <QJsonObject>
#include <QMenu>
#include <QScrollArea>
#include <QSplitter>
#include <QStackedWidget>
#include <algorithm>
#include <map>

namespace millrace::ui {
namespace {

constexpr int kRoomForWhen = 300;

} // namespace

IssuesTab::IssuesTab(const Context& context, QWidget* parent) : QWidget(parent), m_context(context), m_model(new IssuesModel(this))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeBar());
    m_banner = new Banner(this);
    m_banner->setClosable(true);
    m_banner->setProperty("edge", true);
    column->addWidget(m_banner);
    m_stack = new QStackedWidget(this);
    m_empty = makeLabel({}, "secondary", this);
    m_empty->setAlignment(Qt::AlignHCenter | Qt::AlignTop);
    m_empty->setContentsMargins(0, 28, 0, 0);
    auto* split = new QSplitter(Qt::Horizontal, this);
    auto* left = new QWidget(split);
    auto* leftColumn = new QVBoxLayout(left);
    leftColumn->setContentsMargins(0, 0, 0, 0);
    leftColumn->setSpacing(0);
    m_tree = new DataTree(tr("Failed rows by cause"), QStringLiteral("issues"), &context.settings, false, left);
    m_tree->setModel(m_model);
    m_tree->setDefaultWidths({240, 52, 76, 76, 160});
    m_find->setTable(m_tree);
    leftColumn->addWidget(m_tree, 1);
    leftColumn->addWidget(makeLine(Qt::Horizontal, left));
    m_whenTitle = new Legend(tr("When"), left);
    m_whenTitle->setItems({{Role::Series4, tr("last tried, rows")}});
    leftColumn->addWidget(m_whenTitle);
    m_when = new Plot(tr("Failed rows over time"), [](double value) { return QString::number(value, 'f', value < 3 && value != std::floor(value) ? 1 : 0); }, left);
    m_when->setFixedHeight(92);
    m_when->setLeastTop(3);
    leftColumn->addWidget(m_when);
    split->addWidget(left);
    split->addWidget(makeDetail());
    split->setStretchFactor(0, 3);
    split->setStretchFactor(1, 2);
    split->setSizes({680, 460});
    split->setChildrenCollapsible(false);
    m_stack->addWidget(m_empty);
    m_stack->addWidget(split);
    column->addWidget(m_stack, 1);

    connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this, &IssuesTab::selected);
    connect(m_tree, &QTreeView::clicked, this, [this](const QModelIndex& at) { if (m_model->isMore(at)) m_model->showMore(at); });
    connect(m_tree, &DataTree::activatedByKey, this, [this](const QModelIndex& at) { if (m_model->isMore(at)) m_model->showMore(at); });
    connect(m_tree, &DataTree::contextMenuWanted, this, [this](const QPoint& at) {
        QMenu menu(this);
        menu.addActions(tabActions());
        menu.addSeparator();
        m_tree->fillCopyMenu(&menu);
        menu.exec(at);
    });
    selected();
}

QWidget* IssuesTab::makeBar()
{
    auto* bar = makeSurface("toolbar", this);
    bar->setFixedHeight(44);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(10, 0, 10, 0);
    row->setSpacing(8);
    const auto action = [this](const QString& words, const QKeySequence& keys, const char* iconName) {
        auto* made = new QAction(icon(QString::fromLatin1(iconName)), words, this);
        made->setShortcut(keys);
        made->setShortcutContext(Qt::WidgetWithChildrenShortcut);
        addAction(made);
        return made;
    };
    m_retryAction = action(tr("Retry rows"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_Y), "view-refresh");
    m_discardAction = action(tr("Discard rows"), QKeySequence::Delete, "edit-delete");
    m_exportAction = action(tr("Copy rows as JSON lines"), QKeySequence(Qt::CTRL | Qt::Key_E), "document-export");
    connect(m_retryAction, &QAction::triggered, this, &IssuesTab::retry);
    connect(m_discardAction, &QAction::triggered, this, &IssuesTab::discard);
    connect(m_exportAction, &QAction::triggered, this, &IssuesTab::copyAsJsonLines);
    m_retry = makeButton(tr("Retry group"), QStringLiteral("view-refresh"), "main", bar);
    m_export = makeButton(tr("Export"), QStringLiteral("document-export"), nullptr, bar);
    m_discard = makeButton(tr("Discard"), QStringLiteral("edit-delete"), "danger", bar);
    connect(m_retry, &QPushButton::clicked, m_retryAction, &QAction::trigger);
    connect(m_export, &QPushButton::clicked, m_exportAction, &QAction::trigger);
    connect(m_discard, &QPushButton::clicked, m_discardAction, &QAction::trigger);
    row->addWidget(m_retry);
    row->addWidget(m_export);
    row->addWidget(m_discard);
    m_acts = new ElidedLabel({}, "caption", bar);
    row->addWidget(m_acts, 1);
    m_by = new Segmented(tr("Group"), {tr("By cause"), tr("By table")}, bar);
    connect(m_by, &Segmented::currentChanged, this, [this](int index) {
        m_model->setGroupBy(static_cast<IssuesModel::GroupBy>(index));
        m_tree->expandAll();
        m_tree->goTo(m_model->index(0, 0));
    });
    row->addWidget(m_by);
    m_find = new FilterBox(tr("Find key or text"), tr("Find key or text"), QStringLiteral("edit-find"), bar);
    m_find->setMinimumWidth(90);
    m_find->setMaximumWidth(170);
    connect(m_find, &FilterBox::filterChanged, this, [this](const QString& words) {
        m_model->setWords(words);
        m_tree->expandAll();
    });
    row->addWidget(m_find);
    return bar;
}

QWidget* IssuesTab::makeDetail()
{
    auto* side = makeSurface("base", this);
    auto* column = new QVBoxLayout(side);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* head = makeSurface("toolbar", side);
    head->setFixedHeight(34);
    auto* row = new QHBoxLayout(head);
    row->setContentsMargins(12, 0, 8, 0);
    row->setSpacing(8);
    m_rowTitle = makeLabel({}, "section", head);
    m_rowTries = makeLabel({}, "caption", head);
    row->addWidget(m_rowTitle);
    row->addWidget(m_rowTries);
    row->addStretch(1);
    auto* copy = makeButton({}, QStringLiteral("edit-copy"), "small", head);
    setAccessible(copy, tr("Copy the row"));
    copy->setToolTip(tr("Copy the row"));
    row->addWidget(copy);
    column->addWidget(head);
    m_document = new CodeView(tr("The row as it was read"), CodeView::Language::Json, side);
    connect(copy, &QPushButton::clicked, this, [this] { QApplication::clipboard()->setText(m_document->toPlainText()); });
    column->addWidget(m_document, 3);
    auto* answer = makeSurface("toolbar", side);
    answer->setFixedHeight(28);
    auto* answerRow = new QHBoxLayout(answer);
    answerRow->setContentsMargins(12, 0, 8, 0);
    answerRow->addWidget(makeLabel(tr("Why it could not be carried"), "strong", answer));
    column->addWidget(answer);
    m_server = new CodeView(tr("Why it could not be carried"), CodeView::Language::Plain, side);
    m_server->setTint("error");
    m_server->setMaximumHeight(110);
    m_server->setMinimumHeight(54);
    column->addWidget(m_server, 1);
    auto* more = new QWidget(side);
    auto* moreColumn = new QVBoxLayout(more);
    moreColumn->setContentsMargins(12, 10, 12, 10);
    moreColumn->setSpacing(8);
    m_facts = new FactGrid(1, more);
    moreColumn->addWidget(m_facts);
    m_fixTitle = makeLabel({}, "section", more);
    m_fix = makeLabel({}, nullptr, more);
    m_fix->setWordWrap(true);
    m_fix->setTextInteractionFlags(Qt::TextSelectableByMouse);
    moreColumn->addWidget(m_fixTitle);
    moreColumn->addWidget(m_fix);
    column->addWidget(makeLine(Qt::Horizontal, side));
    column->addWidget(more);
    m_document->setMinimumHeight(110);
    auto* area = new QScrollArea(this);                           // a low pane scrolls instead of squeezing the facts away
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setFocusPolicy(Qt::NoFocus);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    area->setWidget(side);
    return area;
}

QList<QAction*> IssuesTab::tabActions() const { return {m_retryAction, m_discardAction, m_exportAction}; }
QWidget* IssuesTab::filterField() const { return m_find; }
void IssuesTab::saveState() { m_tree->saveState(); }

void IssuesTab::setSubject(const Subject& subject)
{
    if (subject == m_subject)
        return;
    m_subject = subject;
    m_stale = true;
    m_model->setRows({}, 0);
    if (isVisible())
        load();
}

void IssuesTab::follow(std::uint64_t failed)
{
    if (failed == m_failed)
        return;
    m_failed = failed;
    m_stale = true;
    if (isVisible())
        load();
}

void IssuesTab::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_stale)
        load();
}

// In a low pane the rows come before the picture of when they failed
void IssuesTab::resizeEvent(QResizeEvent* event)
{
    QWidget::resizeEvent(event);
    m_when->setVisible(height() >= kRoomForWhen);
    m_whenTitle->setVisible(height() >= kRoomForWhen);
}

void IssuesTab::load()
{
    m_stale = false;
    if (m_subject.sync.empty() || m_loading)
        return;
    m_loading = true;
    const Subject asked = m_subject;
    m_context.calls.run(this, [asked](Engine& engine) { return engine.failures(asked.sync, asked.table, {}, {}); }, [this, asked](Result<std::vector<FailedRow>> rows) {
        m_loading = false;
        if (!(asked == m_subject))
            return load();
        if (!rows)
            return m_banner->say(rows.error(), tr("Try again"), [this] { load(); });
        m_banner->hide();
        const auto before = m_model->row(m_tree->currentIndex());
        const auto keep = before ? std::optional(IssuesModel::idOf(*before)) : std::nullopt;
        const bool wasGroup = m_model->isGroup(m_tree->currentIndex());
        m_model->setRows(std::move(*rows), m_context.monitor.latest()->takenMs);
        m_tree->expandAll();
        QModelIndex at = m_model->index(0, 0);
        for (int group = 0; keep && group < m_model->rowCount(); ++group)
            for (int child = 0; child < m_model->rowCount(m_model->index(group, 0)); ++child) {
                const QModelIndex index = m_model->index(child, 0, m_model->index(group, 0));
                if (const FailedRow* row = m_model->row(index); row && IssuesModel::idOf(*row) == *keep)
                    at = wasGroup ? m_model->index(group, 0) : index;
            }
        m_tree->goTo(at);
        selected();
        drawHistogram();
    });
}

void IssuesTab::selected()
{
    const QModelIndex at = m_tree->currentIndex();
    const auto rows = m_model->rowsOf(at);
    const bool any = m_model->visibleRows() > 0;
    m_stack->setCurrentIndex(any || !m_find->text().isEmpty() ? 1 : 0);
    m_empty->setText(m_subject.sync.empty() ? QString() : tr("No failed rows."));
    for (QPushButton* button : {m_retry, m_discard, m_export})
        button->setEnabled(!rows.empty());
    for (QAction* action : tabActions())
        action->setEnabled(!rows.empty());
    const bool group = m_model->isGroup(at);
    m_retry->setText(group ? tr("Retry group") : tr("Retry row"));
    m_acts->setText(rows.empty() ? QString() : group ? tr("acts on %n row(s) of this group", nullptr, int(rows.size())) : tr("acts on this row"));
    showRow(rows.empty() ? nullptr : rows.front(), rows.size(), group);
}

void IssuesTab::showRow(const FailedRow* row, std::size_t rows, bool group)
{
    if (!row) {
        m_rowTitle->clear();
        m_rowTries->clear();
        m_document->clear();
        m_server->clear();
        m_facts->setFacts({});
        m_fixTitle->clear();
        m_fix->clear();
        return;
    }
    m_rowTitle->setText(text(row->table) + QLatin1Char(' ') + text(row->key));
    m_rowTries->setText(group ? tr("the first of %n", nullptr, int(rows)) : tr("tried %n time(s)", nullptr, int(row->tries)));
    m_document->setPlainText(row->document.empty() ? tr("The row could not be read.") : CodeView::prettyJson(text(row->document)));
    m_server->setPlainText(text(row->detail));
    QList<Fact> facts{{tr("Cause"), text(row->cause), "code"}};
    if (!row->column.empty())
        facts << Fact{tr("Column"), text(row->column), "code"};
    facts << Fact{tr("First"), wholeTime(row->firstMs)} << Fact{tr("Last try"), wholeTime(row->lastMs)};
    if (!row->position.empty())
        facts << Fact{tr("Read at"), text(row->position), "code"};
    m_facts->setFacts(facts);
    m_fixTitle->setText(row->fix.empty() ? QString() : group ? tr("Fix for all %n row(s)", nullptr, int(rows)) : tr("What helps"));
    m_fix->setText(text(row->fix));
    m_fixTitle->setVisible(!row->fix.empty());
    m_fix->setVisible(!row->fix.empty());
}

bool IssuesTab::wholeCause(const QModelIndex& at) const
{ return m_model->isGroup(at) && m_by->current() == 0 && m_subject.table.empty() && m_find->text().isEmpty(); }

void IssuesTab::retry()
{
    const QModelIndex at = m_tree->currentIndex();
    const auto rows = m_model->rowsOf(at);
    if (rows.empty())
        return;
    // key by key for a few, else by cause: trying rows that were not selected does no harm
    const bool byCause = m_model->isGroup(at) && (wholeCause(at) || rows.size() > 50);
    std::set<std::pair<std::string, std::string>> wanted;
    for (const FailedRow* row : rows)
        wanted.emplace(row->cause, byCause ? std::string() : row->key);
    m_retry->setEnabled(false);
    m_retry->setText(tr("Retrying…"));
    const std::string sync = m_subject.sync;
    m_context.calls.run(this, [sync, wanted](Engine& engine) -> Result<std::uint64_t> {
        std::uint64_t written = 0;
        for (const auto& [cause, key] : wanted) {
            auto report = engine.retryFailures(sync, cause, key);
            if (!report)
                return report.error();
            for (const TableReport& table : report->tables)
                written += table.synced();
        }
        return written;
    }, [this, tried = rows.size()](Result<std::uint64_t> written) {
        if (!written) {
            m_banner->say(written.error());
            return selected();
        }
        m_context.toasts.show(tr("%1 of %2 rows arrived.").arg(count(*written), count(tried)));
        m_context.monitor.sampleNow();
        load();
    });
}

void IssuesTab::discard()
{
    const QModelIndex at = m_tree->currentIndex();
    const auto rows = m_model->rowsOf(at);
    if (rows.empty())
        return;
    std::vector<IssuesModel::Id> ids;
    for (const FailedRow* row : rows)
        ids.push_back(IssuesModel::idOf(*row));
    const bool group = wholeCause(at) && ids.size() > 200;         // few: key by key, so that rows parked meanwhile stay
    QString what = tr("%n row(s) discarded", nullptr, int(ids.size()));
    if (ids.size() <= 2)
        what += QStringLiteral(", ") + text(ids.front().key) + (ids.size() == 2 ? tr(" and %1").arg(text(ids.back().key)) : QString());
    m_model->hideRows(ids);
    m_tree->expandAll();
    m_tree->goTo(m_model->index(0, 0));
    selected();
    drawHistogram();
    QPointer<IssuesTab> guard(this);
    EngineCalls& calls = m_context.calls;
    m_context.toasts.show(what, [guard, ids] {
        if (!guard)
            return;
        guard->m_model->unhideRows(ids);
        guard->m_tree->expandAll();
        guard->m_tree->goTo(guard->m_model->index(0, 0));
        guard->selected();
        guard->drawHistogram();
    }, [guard, ids, group, &calls] {
        calls.run(guard.data(), [ids, group](Engine& engine) -> Result<> {
            std::set<std::pair<std::string, std::string>> done;   // by cause when the whole cause goes, else key by key
            for (const auto& id : ids)
                if (done.emplace(id.cause, group ? std::string() : id.key).second)
                    if (auto gone = engine.discardFailures(id.sync, id.cause, group ? std::string() : id.key); !gone)
                        return gone.error();
            return {};
        }, [guard, ids](Result<> gone) {
            if (!guard)
                return;
            guard->m_model->unhideRows(ids);                      // gone from the store, or visible again with the reason
            if (!gone)
                guard->m_banner->say(gone.error());
            guard->m_context.monitor.sampleNow();
            guard->load();
        });
    });
}

void IssuesTab::copyAsJsonLines()
{
    QByteArray lines;
    const auto rows = m_model->rowsOf(m_tree->currentIndex());
    for (const FailedRow* row : rows) {
        const QJsonObject object{{QStringLiteral("table"), text(row->table)}, {QStringLiteral("key"), text(row->key)}, {QStringLiteral("cause"), text(row->cause)},
            {QStringLiteral("detail"), text(row->detail)}, {QStringLiteral("position"), text(row->position)}, {QStringLiteral("tries"), int(row->tries)},
            {QStringLiteral("row"), text(row->document)}};
        lines += QJsonDocument(object).toJson(QJsonDocument::Compact) + '\n';
    }
    QApplication::clipboard()->setText(QString::fromUtf8(lines));
    m_context.toasts.show(tr("%n row(s) copied as JSON lines.", nullptr, int(rows.size())));
}

void IssuesTab::drawHistogram()
{
    std::int64_t first = 0, last = 0;
    for (const FailedRow& row : m_model->all()) {
        first = first == 0 ? row.lastMs : std::min(first, row.lastMs);
        last = std::max(last, row.lastMs);
    }
    const std::int64_t now = std::max(last, m_context.monitor.latest()->takenMs);
    const std::int64_t from = std::min(first, now - 3'600'000) - 60'000;
    const std::int64_t step = std::max<std::int64_t>(60'000, (now - from) / 60);
    std::map<std::int64_t, double> buckets;
    for (const FailedRow& row : m_model->all())
        buckets[row.lastMs / step * step] += 1;
    PlotBars bars{tr("failed"), Role::Series4, double(step), {}};
    for (const auto& [at, rows] : buckets)
        bars.points.append(QPointF(double(at), rows));
    m_when->setRange(from, now + step, double(step));
    m_when->setBars({bars});
}

} // namespace millrace::ui
