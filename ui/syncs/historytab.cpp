#include "ui/syncs/historytab.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/cellinfo.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/widgets/statewords.h"
#include <QMenu>
#include <QStandardItemModel>
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

QStandardItem* item(const QString& words, bool right = false, Role role = Role::Text, const QString& icon = {}, const QString& tip = {})
{
    CellInfo cell;
    cell.text = words;
    cell.right = right;
    cell.role = role;
    cell.icon = icon;
    auto* made = new QStandardItem(words);
    made->setData(QVariant::fromValue(cell), CellRole);
    made->setToolTip(tip);
    return made;
}

QStandardItem* figure(std::uint64_t number, Role role = Role::Text) { return item(count(number), true, number ? role : Role::Tertiary); }

} // namespace

HistoryTab::HistoryTab(const Context& context, QWidget* parent)
    : QWidget(parent), m_context(context), m_table(new DataTree(tr("Runs"), QStringLiteral("history"), &context.settings, true, this)), m_rows(new QStandardItemModel(this)),
      m_banner(new Banner(this)), m_empty(makeLabel({}, "secondary", this))
{
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(m_banner);
    column->addWidget(m_empty, 0, Qt::AlignHCenter);
    column->addWidget(m_table, 1);
    m_empty->setContentsMargins(0, 24, 0, 0);
    m_rows->setHorizontalHeaderLabels({tr("Started"), tr("Outcome"), tr("Kind"), tr("By"), tr("Duration"), tr("Read"), tr("Written"), tr("Deleted"), tr("Failed"), tr("Rows/s"), tr("What happened")});
    for (const int right : {4, 5, 6, 7, 8, 9})
        m_rows->setHeaderData(right, Qt::Horizontal, int(Qt::AlignRight | Qt::AlignVCenter), Qt::TextAlignmentRole);
    m_table->setModel(m_rows);
    m_table->setDefaultWidths({130, 96, 90, 80, 80, 84, 84, 72, 60, 72, 200});
    connect(m_table, &DataTree::contextMenuWanted, this, [this](const QPoint& at) {
        QMenu menu(this);
        m_table->fillCopyMenu(&menu);
        menu.exec(at);
    });
}

void HistoryTab::saveState() { m_table->saveState(); }

void HistoryTab::setSubject(const Subject& subject)
{
    if (subject == m_subject)
        return;
    m_subject = subject;
    m_stale = true;
    m_lastSyncMs = -1;
    m_rows->setRowCount(0);
    if (isVisible())
        load();
}

void HistoryTab::follow(std::int64_t lastSyncMs)
{
    if (lastSyncMs == m_lastSyncMs)
        return;
    m_lastSyncMs = lastSyncMs;
    m_stale = true;
    if (isVisible())
        load();
}

void HistoryTab::showEvent(QShowEvent* event)
{
    QWidget::showEvent(event);
    if (m_stale)
        load();
}

void HistoryTab::load()
{
    m_stale = false;
    if (m_subject.sync.empty())
        return;
    m_context.calls.run(this, [name = m_subject.sync](Engine& engine) { return engine.history(name, 200); }, [this, asked = m_subject](Result<std::vector<RunReport>> runs) {
        if (!(asked == m_subject))
            return;
        if (!runs)
            return m_banner->say(runs.error(), tr("Try again"), [this] { load(); });
        m_banner->hide();
        fill(*runs);
    });
}

void HistoryTab::fill(const std::vector<RunReport>& runs)
{
    m_rows->setRowCount(0);
    const std::int64_t now = m_context.monitor.latest()->takenMs;
    for (const RunReport& run : runs) {
        TableReport sum;
        sum.outcome = run.outcome;
        sum.startMs = run.startMs;
        sum.endMs = run.endMs;
        sum.error = run.error;
        sum.syncType = run.syncType;
        bool found = m_subject.table.empty();
        for (const TableReport& table : run.tables) {
            if (m_subject.table.empty()) {
                sum.read += table.read;
                sum.written += table.written;
                sum.deleted += table.deleted;
                sum.rejected += table.rejected;
                if (table.error && !sum.error)
                    sum.error = Error{table.error->fault, table.error->id, table.table + ": " + table.error->detail, table.error->fix, {}};
                for (const Message& note : table.notes)
                    sum.notes.push_back({note.id, table.table + ": " + note.text, {}});
            } else if (table.table == m_subject.table) {
                sum = table;
                found = true;
            }
        }
        if (!found)
            continue;
        const StateWord word = outcomeWord(sum.outcome);
        const double seconds = double(std::max<std::int64_t>(1, sum.endMs - sum.startMs)) / 1000;
        const bool ended = sum.endMs > 0;
        QString what = sum.error ? sentence(*sum.error) : QString();
        for (const Message& note : sum.notes)
            what += (what.isEmpty() ? QString() : QStringLiteral("; ")) + text(note.text);
        m_rows->appendRow({item(when(sum.startMs, now), false, Role::Text, {}, wholeTime(sum.startMs)), item(ended ? word.word : tr("Running"), false, ended ? word.role : Role::Running, ended ? word.icon : QStringLiteral("media-playback-start")),
            item(text(sum.syncType), false, Role::Secondary), item(text(run.trigger), false, Role::Secondary), item(ended ? duration(sum.endMs - sum.startMs) : dash(), true), figure(sum.read),
            figure(sum.written), figure(sum.deleted), figure(sum.rejected, Role::Failed), item(ended ? rate(double(sum.written + sum.deleted) / seconds) : dash(), true), item(what, false, Role::Secondary)});
    }
    m_empty->setText(m_rows->rowCount() ? QString() : tr("No runs yet."));
    m_empty->setVisible(m_rows->rowCount() == 0);
}

} // namespace millrace::ui
