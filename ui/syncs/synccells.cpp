#include "ui/syncs/synccells.h"
#include "ui/widgets/format.h"
#include "ui/widgets/statewords.h"
#include <QCoreApplication>
#include <algorithm>

namespace millrace::ui {
namespace {

struct SyncCells { Q_DECLARE_TR_FUNCTIONS(SyncCells) };                 // the context of the translations

CellInfo plain(QString words, Role role = Role::Text)
{
    CellInfo cell;
    cell.text = std::move(words);
    cell.role = role;
    return cell;
}

CellInfo figure(QString words, Role role = Role::Text)
{
    CellInfo cell = plain(std::move(words), role);
    cell.right = true;
    return cell;
}

CellInfo wordCell(const StateWord& word, bool colourText)
{
    CellInfo cell = plain(word.word, colourText ? word.role : Role::Text);
    cell.icon = word.icon;
    cell.iconRole = word.role;
    return cell;
}

CellInfo progressCell(State state, double progress, std::uint64_t rows, std::uint64_t total, bool ran)
{
    CellInfo cell = figure({}, Role::Secondary);
    cell.kind = CellKind::Progress;
    cell.seriesRole = stateWord(state).role;
    const bool end = progress >= 0 && (state == State::Running || state == State::Failed || (state == State::Paused && progress < 1));
    if (end) {
        cell.progress = progress;
        cell.text = percent(progress);
        cell.role = Role::Text;
        return cell;
    }
    switch (state) {
    case State::Running: cell.text = SyncCells::tr("reading"); break;
    case State::Queued: cell.text = SyncCells::tr("next in line"); break;
    case State::Failed: cell.text = SyncCells::tr("stopped"); break;
    case State::NeedsResync: cell.text = SyncCells::tr("full run needed"); break;
    case State::Unknown: cell.text = SyncCells::tr("no proof of end"); break;
    default: cell.text = total > rows ? SyncCells::tr("%1 left").arg(count(total - rows)) : ran ? SyncCells::tr("caught up") : SyncCells::tr("not run yet");
    }
    return cell;
}

CellInfo rateCell(State state, double perSecond, const std::vector<float>& recent)
{
    const bool moving = state == State::Running || state == State::Live || state == State::Lagging || perSecond > 0
        || std::any_of(recent.begin(), recent.end(), [](float value) { return value > 0; });
    CellInfo cell = figure(moving ? rate(perSecond) : dash(), moving ? Role::Text : Role::Tertiary);
    cell.kind = CellKind::Spark;
    cell.seriesRole = stateWord(state).role;
    if (moving)
        cell.series = QVector<float>(recent.begin(), recent.end());
    return cell;
}

CellInfo lagCell(State state, bool known, std::int64_t lagMs)
{
    if (known && lagMs >= 0)
        return figure(duration(lagMs), state == State::Lagging ? Role::Lagging : state == State::Failed ? Role::Failed : Role::Text);
    const bool lost = state == State::Failed || state == State::NeedsResync || state == State::Unknown;
    return lost ? figure(SyncCells::tr("unknown"), Role::Unknown) : figure(dash(), Role::Tertiary);
}

CellInfo nextRunCell(const SyncView& sync, State state, std::int64_t nextMs, std::int64_t nowMs)
{
    if (sync.paused || state == State::Paused)
        return figure(SyncCells::tr("paused"), Role::Secondary);
    if (state == State::NeedsResync)
        return figure(SyncCells::tr("after repair"), Role::Secondary);
    if (nextMs > 0)
        return figure(nextMs <= nowMs ? SyncCells::tr("now") : when(nextMs, nowMs), Role::Secondary);
    const QString every = text(sync.every);
    if (every == QLatin1String("by hand"))
        return figure(SyncCells::tr("by hand"), Role::Secondary);
    return figure(every.isEmpty() ? dash() : every == QLatin1String("continuous") ? SyncCells::tr("continuous") : every, Role::Secondary);
}

CellInfo failedCell(std::uint64_t failed)
{
    CellInfo cell = figure(count(failed), failed > 0 ? Role::Failed : Role::Tertiary);
    cell.bold = failed > 0;
    return cell;
}

CellInfo jobVerified(const SyncView& sync, std::int64_t nowMs)
{
    int differ = 0, lost = 0, never = 0;
    std::int64_t oldest = 0;
    for (const TableView& table : sync.tables) {
        if (table.verified == "different")
            ++differ;
        else if (table.verified == "unknown")
            ++lost;
        else if (table.verified.empty())
            ++never;
        else if (oldest == 0 || table.verifiedMs < oldest)
            oldest = table.verifiedMs;
    }
    if (differ > 0)
        return wordCell({differ == 1 ? SyncCells::tr("1 differs") : SyncCells::tr("%1 differ").arg(differ), QStringLiteral("data-warning"), Role::Lagging}, false);
    if (lost > 0)
        return wordCell({SyncCells::tr("no proof"), QStringLiteral("data-error"), Role::Failed}, false);
    if (sync.tables.empty() || never == int(sync.tables.size()))
        return wordCell({SyncCells::tr("never"), QStringLiteral("question"), Role::Tertiary}, true);
    if (never > 0)
        return wordCell({SyncCells::tr("%1 pending").arg(never), QStringLiteral("question"), Role::Tertiary}, true);
    for (const TableView& table : sync.tables)
        if (verifiedWord(table, nowMs).role != Role::Verified)
            return wordCell(verifiedWord(table, nowMs), true);
    return wordCell({whenShort(oldest, nowMs), QStringLiteral("dialog-ok-apply"), Role::Verified}, false);
}

QString jobStrategy(const SyncView& sync)
{
    if (sync.tables.empty())
        return dash();
    for (const TableView& table : sync.tables)
        if (table.strategy != sync.tables.front().strategy)
            return SyncCells::tr("mixed");
    return strategyWord(sync.tables.front().strategy);
}

} // namespace

QString syncColumnTitle(SyncColumn column)
{
    switch (column) {
    case SyncColumn::Name: return SyncCells::tr("Name");
    case SyncColumn::State: return SyncCells::tr("State");
    case SyncColumn::Progress: return SyncCells::tr("Progress");
    case SyncColumn::Rows: return SyncCells::tr("Rows");
    case SyncColumn::Rate: return SyncCells::tr("Rows/s");
    case SyncColumn::Lag: return SyncCells::tr("Lag");
    case SyncColumn::LastSync: return SyncCells::tr("Last sync");
    case SyncColumn::NextRun: return SyncCells::tr("Next run");
    case SyncColumn::Strategy: return SyncCells::tr("Strategy");
    case SyncColumn::Failed: return SyncCells::tr("Failed");
    case SyncColumn::Verified: return SyncCells::tr("Verified");
    case SyncColumn::Target: return SyncCells::tr("Target");
    case SyncColumn::Count: break;
    }
    return {};
}

bool rightAligned(SyncColumn column)
{
    return column == SyncColumn::Rows || column == SyncColumn::Rate || column == SyncColumn::Lag || column == SyncColumn::LastSync
        || column == SyncColumn::NextRun || column == SyncColumn::Failed;
}

State jobState(const SyncView& sync)
{
    State worst = sync.tables.empty() ? sync.state : State::Idle;
    for (const TableView& table : sync.tables)
        if (severity(table.state) > severity(worst))
            worst = table.state;
    // a run that has not reached its first table yet, or a pause, is known to the job alone
    return severity(sync.state) > severity(worst) ? sync.state : worst;
}

TableView jobSum(const SyncView& sync)
{
    TableView sum;
    sum.sync = sync.name;
    sum.state = jobState(sync);
    double done = 0, weight = 0;
    for (const TableView& table : sync.tables) {
        sum.rows += table.rows;
        sum.rowsTotal += std::max(table.rows, table.rowsTotal);
        sum.readRate += table.readRate;
        sum.writeRate += table.writeRate;
        sum.failed += table.failed;
        sum.retried += table.retried;
        sum.p50Ms = std::max(sum.p50Ms, table.p50Ms);
        sum.p95Ms = std::max(sum.p95Ms, table.p95Ms);
        sum.lastSyncMs = std::max(sum.lastSyncMs, table.lastSyncMs);
        if (table.lagKnown && table.lagMs > sum.lagMs) {
            sum.lagMs = table.lagMs;
            sum.lagKnown = true;
        }
        if (table.progress >= 0 && table.state == State::Running) {
            const double w = double(std::max<std::uint64_t>(1, table.rowsTotal));
            done += w * table.progress;
            weight += w;
        }
        if (sum.recent.size() < table.recent.size())
            sum.recent.insert(sum.recent.begin(), table.recent.size() - sum.recent.size(), 0.0F);
        for (std::size_t i = 0; i < table.recent.size(); ++i)
            sum.recent[sum.recent.size() - 1 - i] += table.recent[table.recent.size() - 1 - i];
    }
    sum.progress = weight > 0 ? done / weight : -1;
    sum.nextRunMs = sync.nextRunMs;
    return sum;
}

QString timeLeft(const TableView& table)
{
    if (table.rowsTotal <= table.rows || table.writeRate < 1)
        return {};
    const double seconds = double(table.rowsTotal - table.rows) / table.writeRate;
    return SyncCells::tr("%1 to %2 left").arg(duration(std::int64_t(seconds * 800)), duration(std::int64_t(seconds * 1300)));
}

CellInfo tableCell(const SyncView& sync, const TableView& table, SyncColumn column, std::int64_t nowMs)
{
    switch (column) {
    case SyncColumn::Name: {
        CellInfo cell = plain(text(table.table));
        cell.icon = QStringLiteral("table");
        cell.iconRole = Role::Secondary;
        return cell;
    }
    case SyncColumn::State: return wordCell(stateWord(table.state), true);
    case SyncColumn::Progress: return progressCell(table.state, table.progress, table.rows, table.rowsTotal, table.lastSyncMs > 0);
    case SyncColumn::Rows: return figure(count(table.rows));
    case SyncColumn::Rate: return rateCell(table.state, table.writeRate, table.recent);
    case SyncColumn::Lag: return lagCell(table.state, table.lagKnown, table.lagMs);
    case SyncColumn::LastSync: return figure(when(table.lastSyncMs, nowMs), table.lastSyncMs ? Role::Text : Role::Tertiary);
    case SyncColumn::NextRun: return nextRunCell(sync, table.state, table.nextRunMs, nowMs);
    case SyncColumn::Strategy: return plain(strategyWord(table.strategy), Role::Secondary);
    case SyncColumn::Failed: return failedCell(table.failed);
    case SyncColumn::Verified: {
        const StateWord word = verifiedWord(table, nowMs);
        return wordCell(word, word.role == Role::Tertiary);
    }
    case SyncColumn::Target: return plain(text(table.container), Role::Secondary);
    case SyncColumn::Count: break;
    }
    return {};
}

CellInfo jobCell(const SyncView& sync, SyncColumn column, std::int64_t nowMs, bool demo)
{
    const TableView sum = jobSum(sync);
    switch (column) {
    case SyncColumn::Name: {
        CellInfo cell = plain(text(sync.name));
        cell.bold = true;
        const QString environment = text(sync.environment);
        PillInfo pill;
        pill.text = demo ? SyncCells::tr("DEMO") : environmentWord(environment);
        pill.role = demo ? Role::Accent : environmentText(environment);
        pill.border = demo ? Role::Accent : environmentStripe(environment);
        cell.pills << pill;
        return cell;
    }
    case SyncColumn::State: return wordCell(stateWord(sum.state), true);
    case SyncColumn::Progress: {
        const auto stopped = std::count_if(sync.tables.begin(), sync.tables.end(), [](const TableView& table) { return table.state == State::Failed || table.state == State::NeedsResync; });
        if (stopped > 0 && sum.state != State::Running)
            return figure(SyncCells::tr("%1 of %2 stopped").arg(stopped).arg(sync.tables.size()), Role::Secondary);
        return progressCell(sum.state, sum.progress, sum.rows, sum.rowsTotal, sum.lastSyncMs > 0);
    }
    case SyncColumn::Rows: {
        CellInfo cell = figure(count(sum.rows));
        cell.bold = true;
        return cell;
    }
    case SyncColumn::Rate: {
        CellInfo cell = rateCell(sum.state, sum.writeRate, sum.recent);
        cell.bold = !cell.series.isEmpty();
        return cell;
    }
    case SyncColumn::Lag: return lagCell(sum.state, sum.lagKnown, sum.lagMs);
    case SyncColumn::LastSync: return figure(when(sum.lastSyncMs, nowMs), sum.lastSyncMs ? Role::Text : Role::Tertiary);
    case SyncColumn::NextRun: return nextRunCell(sync, sync.state, sum.nextRunMs, nowMs);
    case SyncColumn::Strategy: return plain(jobStrategy(sync), Role::Secondary);
    case SyncColumn::Failed: return failedCell(sum.failed);
    case SyncColumn::Verified: return jobVerified(sync, nowMs);
    case SyncColumn::Target: return plain(text(sync.target), Role::Secondary);
    case SyncColumn::Count: break;
    }
    return {};
}

QVariant tableSortKey(const SyncView& sync, const TableView& table, SyncColumn column)
{
    switch (column) {
    case SyncColumn::Name: return text(table.table);
    case SyncColumn::State: return severity(table.state);
    case SyncColumn::Progress: return table.progress;
    case SyncColumn::Rows: return qulonglong(table.rows);
    case SyncColumn::Rate: return table.writeRate;
    case SyncColumn::Lag: return table.lagKnown ? qlonglong(table.lagMs) : qlonglong(-1);
    case SyncColumn::LastSync: return qlonglong(table.lastSyncMs);
    case SyncColumn::NextRun: return qlonglong(table.nextRunMs ? table.nextRunMs : sync.nextRunMs);
    case SyncColumn::Strategy: return strategyWord(table.strategy);
    case SyncColumn::Failed: return qulonglong(table.failed);
    case SyncColumn::Verified: return qlonglong(table.verified == "identical" ? table.verifiedMs : table.verified.empty() ? -1 : -2);
    case SyncColumn::Target: return text(table.container);
    case SyncColumn::Count: break;
    }
    return {};
}

QVariant jobSortKey(const SyncView& sync, SyncColumn column)
{
    if (column == SyncColumn::Name)
        return text(sync.name);
    if (column == SyncColumn::Target)
        return text(sync.target);
    return tableSortKey(sync, jobSum(sync), column);
}

QString tableTip(const SyncView& sync, const TableView& table, SyncColumn column, std::int64_t)
{
    switch (column) {
    case SyncColumn::Name: return {};
    case SyncColumn::State:
        return table.error.empty() ? text(table.note) : table.fix.empty() ? text(table.error) : text(table.error) + QLatin1Char(' ') + text(table.fix);
    case SyncColumn::Progress: return table.rowsTotal > 0 ? SyncCells::tr("%1 of %2 rows. %3").arg(count(table.rows), count(table.rowsTotal), timeLeft(table)).trimmed() : QString();
    case SyncColumn::Rate: return SyncCells::tr("%1 rows/s written, %2 rows/s read; the line is the last 60 s").arg(rate(table.writeRate), rate(table.readRate));
    case SyncColumn::LastSync: return wholeTime(table.lastSyncMs);
    case SyncColumn::NextRun: return table.nextRunMs ? wholeTime(table.nextRunMs) : text(sync.every);
    case SyncColumn::Verified: return table.verifiedMs ? SyncCells::tr("Compared %1").arg(wholeTime(table.verifiedMs)) : QString();
    default: return {};
    }
}

} // namespace millrace::ui
