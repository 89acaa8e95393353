#include "ui/syncs/overviewtab.h"
#include "ui/syncs/synccells.h"
#include "ui/widgets/celldelegate.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/factgrid.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/widgets/statewords.h"
#include <QHeaderView>
#include <QStandardItemModel>
#include <QVBoxLayout>
#include <algorithm>

namespace millrace::ui {
namespace {

const char* stateLook(State state)
{
    switch (state) {
    case State::Failed: case State::NeedsResync: return "error";
    case State::Lagging: return "warning";
    default: return nullptr;
    }
}

QStandardItem* cellItem(const QString& words, bool right = false, Role role = Role::Text, const QString& icon = {}, std::optional<Role> iconRole = {})
{
    CellInfo cell;
    cell.text = words;
    cell.right = right;
    cell.role = role;
    cell.icon = icon;
    cell.iconRole = iconRole;
    auto* item = new QStandardItem(words);
    item->setData(QVariant::fromValue(cell), CellRole);
    return item;
}

} // namespace

OverviewTab::OverviewTab(QWidget* parent) : QScrollArea(parent)
{
    setWidgetResizable(true);
    setFrameShape(QFrame::NoFrame);
    setFocusPolicy(Qt::NoFocus);
    auto* inner = makeSurface("base", this);
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(16, 12, 16, 12);
    column->setSpacing(10);
    m_banner = new Banner(inner);
    column->addWidget(m_banner);
    m_title = makeLabel({}, "section", inner);
    column->addWidget(m_title);
    m_facts = new FactGrid(3, inner);
    column->addWidget(m_facts);
    m_dryTitle = makeLabel({}, "section", inner);
    column->addSpacing(4);
    column->addWidget(m_dryTitle);
    m_dry = new DataTree(tr("Dry run"), {}, nullptr, true, inner);
    m_dryRows = new QStandardItemModel(m_dry);
    m_dry->setModel(m_dryRows);
    m_dry->setProperty("framed", "true");
    m_dry->setMinimumHeight(120);
    column->addWidget(m_dry, 1);
    column->addStretch(0);
    m_dryTitle->hide();
    m_dry->hide();
    setWidget(inner);
}

void OverviewTab::sayTrouble(const SyncView& sync, const TableView& sum, const TableView* table)
{
    const TableView* bad = table;
    if (!table)
        for (const TableView& each : sync.tables)
            if (!each.error.empty() && (!bad || severity(each.state) > severity(bad->state)))
                bad = &each;
    const bool trouble = bad && !bad->error.empty() && (bad->state == State::Failed || bad->state == State::NeedsResync || bad->state == State::Unknown);
    if (trouble) {
        const QString id = text(bad->errorId);
        const QString where = table ? QString() : text(bad->table) + QStringLiteral(": ");
        const Error error{Fault::Internal, bad->errorId, (where + text(bad->error)).toStdString(), bad->fix, {}};
        const QString action = bad->state == State::NeedsResync ? tr("Run full…") : bad->state == State::Unknown ? tr("Verify") : tr("Run again");
        return m_banner->say(error, action, [this, id] { emit fixWanted(id); });
    }
    if (table && !table->note.empty())
        return m_banner->say(Banner::Kind::Info, text(table->note));
    if (sum.failed > 0)
        return m_banner->say(Banner::Kind::Warning, tr("%n row(s) could not be carried and are parked; the rest goes on.", nullptr, int(sum.failed)), tr("Show issues"),
            [this] { emit fixWanted(QStringLiteral("issues")); });
    m_banner->hide();
}

void OverviewTab::showSubjects(const EngineSnapshot& snapshot, const Subjects& subjects)
{
    const bool dry = subjects.size() == 1 && !m_drySync.empty() && subjects.front().sync == m_drySync;
    m_dry->setVisible(dry);
    m_dryTitle->setVisible(dry);
    if (subjects.empty() || !findSync(snapshot, subjects.front().sync)) {
        m_banner->hide();
        m_title->setText(tr("Select a sync or a table"));
        m_facts->setFacts({});
        return;
    }
    const std::int64_t now = snapshot.takenMs;
    QList<Fact> facts;
    if (subjects.size() > 1) {
        m_banner->hide();
        std::uint64_t rows = 0, failed = 0;
        double perSecond = 0;
        QList<Fact> lines;
        for (const Subject& subject : subjects) {
            const SyncView* sync = findSync(snapshot, subject.sync);
            const TableView* table = findTable(snapshot, subject);
            if (!sync || (!table && !subject.table.empty()))
                continue;
            const TableView one = table ? *table : jobSum(*sync);
            rows += one.rows;
            failed += one.failed;
            perSecond += one.writeRate;
            lines << Fact{text(table ? table->table : sync->name), tr("%1, %2 rows, %3 rows/s").arg(stateWord(one.state).word, count(one.rows), rate(one.writeRate)), stateLook(one.state)};
        }
        m_title->setText(tr("%n rows selected: ", nullptr, int(subjects.size())) + tr("%1 rows, %2 rows/s, %3 failed").arg(count(rows), rate(perSecond), count(failed)));
        return m_facts->setFacts(lines);
    }
    const SyncView& sync = *findSync(snapshot, subjects.front().sync);
    const TableView* table = findTable(snapshot, subjects.front());
    const TableView sum = table ? *table : jobSum(sync);
    sayTrouble(sync, sum, table);
    m_title->setText(table ? tr("%1: %2 → %3").arg(text(table->table), text(sync.source), text(sync.target + " / " + table->container))
                           : tr("%1: %2 → %3").arg(text(sync.name), text(sync.source), text(sync.target)));
    const auto cell = [&](SyncColumn column) { return table ? tableCell(sync, *table, column, now).text : jobCell(sync, column, now, false).text; };
    facts << Fact{tr("State"), stateWord(sum.state).word, stateLook(sum.state)} << Fact{tr("Progress"), cell(SyncColumn::Progress), nullptr, timeLeft(sum)}
          << Fact{tr("Rows"), sum.rowsTotal > sum.rows ? tr("%1 of %2").arg(count(sum.rows), count(sum.rowsTotal)) : count(sum.rows)}
          << Fact{tr("Written"), tr("%1 rows/s").arg(rate(sum.writeRate))} << Fact{tr("Read"), tr("%1 rows/s").arg(rate(sum.readRate))};
    facts << Fact{tr("Lag"), cell(SyncColumn::Lag), sum.state == State::Lagging ? "warning" : nullptr} << Fact{tr("Last sync"), cell(SyncColumn::LastSync), nullptr, wholeTime(sum.lastSyncMs)}
          << Fact{tr("Next run"), cell(SyncColumn::NextRun)} << Fact{tr("Strategy"), cell(SyncColumn::Strategy) + (table && !table->cursor.empty() ? tr(" by %1").arg(text(table->cursor)) : QString())}
          << Fact{tr("Schedule"), text(sync.every)};
    facts << Fact{tr("Failed rows"), count(sum.failed), sum.failed ? "error" : nullptr} << Fact{tr("Verified"), cell(SyncColumn::Verified)}
          << Fact{tr("Batch latency"), sum.p50Ms > 0 ? tr("p50 %1, p95 %2").arg(milliseconds(sum.p50Ms), milliseconds(sum.p95Ms)) : dash()}
          << Fact{tr("Retried batches"), count(sum.retried)};
    if (table)
        facts << Fact{tr("Position"), table->position.empty() ? dash() : text(table->position), "code"};
    else
        facts << Fact{tr("Tables"), count(sync.tables.size())};
    m_facts->setFacts(facts);
}

void OverviewTab::setDryRun(const DryRunReport& report)
{
    m_drySync = report.sync;
    std::uint64_t read = 0;
    m_dryRows->clear();
    m_dryRows->setHorizontalHeaderLabels({tr("Table"), tr("Read"), tr("Fits"), tr("Cannot carry"), tr("By policy"), tr("Doc size"), tr("Result")});
    for (const int column : {1, 2, 3, 4, 5})
        m_dryRows->setHeaderData(column, Qt::Horizontal, int(Qt::AlignRight | Qt::AlignVCenter), Qt::TextAlignmentRole);
    for (const DryRunTable& table : report.tables) {
        read += table.read;
        QString result = tr("fits the mapping");
        if (table.error)
            result = sentence(*table.error);
        else if (!table.findings.empty())
            result = text(table.findings.front().text);
        const bool bad = table.error.has_value(), doubtful = table.cannotCarry > 0 || !table.findings.empty();
        m_dryRows->appendRow({cellItem(text(table.table)), cellItem(count(table.read), true), cellItem(count(table.fits), true),
            cellItem(count(table.cannotCarry), true, table.cannotCarry ? Role::Failed : Role::Tertiary), cellItem(count(table.coerced), true, table.coerced ? Role::Text : Role::Tertiary),
            cellItem(table.averageBytes > 0 ? bytes(std::uint64_t(table.averageBytes)) : dash(), true),
            cellItem(result, false, Role::Text, bad ? QStringLiteral("data-error") : doubtful ? QStringLiteral("data-warning") : QStringLiteral("dialog-ok-apply"),
                bad ? Role::Failed : doubtful ? Role::Lagging : Role::Secondary)});
    }
    m_dry->setDefaultWidths({180, 70, 70, 100, 80, 80, 300});
    m_dryTitle->setText(tr("Dry run: %1 rows of %n table(s) in %2; nothing was written", nullptr, int(report.tables.size())).arg(count(read), duration(std::int64_t(report.seconds * 1000))));
}

} // namespace millrace::ui
