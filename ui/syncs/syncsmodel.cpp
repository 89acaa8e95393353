#include "ui/syncs/syncsmodel.h"
#include "ui/widgets/format.h"
#include "ui/widgets/statewords.h"
#include <algorithm>

namespace millrace::ui {
namespace {

// Everything that a cell shows
bool looksSame(const TableView& a, const TableView& b)
{
    return a.state == b.state && a.rows == b.rows && a.rowsTotal == b.rowsTotal && a.progress == b.progress && a.readRate == b.readRate && a.writeRate == b.writeRate
        && a.lagMs == b.lagMs && a.lagKnown == b.lagKnown && a.lastSyncMs == b.lastSyncMs && a.nextRunMs == b.nextRunMs && a.failed == b.failed && a.verified == b.verified
        && a.verifiedMs == b.verifiedMs && a.strategy == b.strategy && a.container == b.container && a.error == b.error && a.note == b.note && a.recent == b.recent;
}

} // namespace

SyncsModel::SyncsModel(QObject* parent) : QAbstractItemModel(parent), m_snapshot(std::make_shared<EngineSnapshot>()) {}

int SyncsModel::rowOf(const Job* job) const
{
    const auto it = std::find_if(m_jobs.begin(), m_jobs.end(), [job](const auto& one) { return one.get() == job; });
    return int(it - m_jobs.begin());
}

void SyncsModel::apply(const SnapshotPtr& snapshot)
{
    if (!snapshot || snapshot == m_snapshot)
        return;
    const SnapshotPtr before = m_snapshot;                        // rows point into it until they are set anew
    follow(*snapshot);
    m_snapshot = snapshot;
    for (std::size_t i = 0; i < m_jobs.size(); ++i) {
        m_jobs[i]->view = &snapshot->syncs[i];
        for (std::size_t t = 0; t < m_jobs[i]->tables.size(); ++t)
            m_jobs[i]->tables[t] = &snapshot->syncs[i].tables[t];
    }
    announce(*before);
}

void SyncsModel::follow(const EngineSnapshot& next)
{
    const auto wanted = [&](const std::string& name) { return std::any_of(next.syncs.begin(), next.syncs.end(), [&](const SyncView& sync) { return sync.name == name; }); };
    for (int row = int(m_jobs.size()) - 1; row >= 0; --row)
        if (!wanted(m_jobs[std::size_t(row)]->name)) {
            beginRemoveRows({}, row, row);
            m_jobs.erase(m_jobs.begin() + row);
            endRemoveRows();
        }
    for (int row = 0; row < int(next.syncs.size()); ++row) {
        const SyncView& sync = next.syncs[std::size_t(row)];
        const auto it = std::find_if(m_jobs.begin(), m_jobs.end(), [&](const auto& job) { return job->name == sync.name; });
        if (it == m_jobs.end()) {
            auto job = std::make_unique<Job>();
            job->name = sync.name;
            job->view = &sync;
            for (const TableView& table : sync.tables) {
                job->names.push_back(table.table);
                job->tables.push_back(&table);
            }
            beginInsertRows({}, row, row);
            m_jobs.insert(m_jobs.begin() + row, std::move(job));
            endInsertRows();
            continue;
        }
        if (const int at = int(it - m_jobs.begin()); at != row) {
            beginMoveRows({}, at, at, {}, row);
            std::rotate(m_jobs.begin() + row, it, it + 1);
            endMoveRows();
        }
        followTables(*m_jobs[std::size_t(row)], index(row, 0), sync);
    }
}

void SyncsModel::followTables(Job& job, const QModelIndex& at, const SyncView& next)
{
    if (std::equal(job.names.begin(), job.names.end(), next.tables.begin(), next.tables.end(), [](const std::string& name, const TableView& table) { return name == table.table; }))
        return;
    for (int row = int(job.names.size()) - 1; row >= 0; --row)
        if (std::none_of(next.tables.begin(), next.tables.end(), [&](const TableView& table) { return table.table == job.names[std::size_t(row)]; })) {
            beginRemoveRows(at, row, row);
            job.names.erase(job.names.begin() + row);
            job.tables.erase(job.tables.begin() + row);
            endRemoveRows();
        }
    for (int row = 0; row < int(next.tables.size()); ++row) {
        const TableView& table = next.tables[std::size_t(row)];
        const auto it = std::find(job.names.begin(), job.names.end(), table.table);
        if (it == job.names.end()) {
            beginInsertRows(at, row, row);
            job.names.insert(job.names.begin() + row, table.table);
            job.tables.insert(job.tables.begin() + row, &table);
            endInsertRows();
        } else if (const int from = int(it - job.names.begin()); from != row) {
            beginMoveRows(at, from, from, at, row);
            std::rotate(job.names.begin() + row, it, it + 1);
            std::rotate(job.tables.begin() + row, job.tables.begin() + from, job.tables.begin() + from + 1);
            endMoveRows();
        }
    }
}

// One span per level: from the first row that looks different to the last
void SyncsModel::announce(const EngineSnapshot& before)
{
    int firstJob = -1, lastJob = -1;
    for (int row = 0; row < int(m_jobs.size()); ++row) {
        const Job& job = *m_jobs[std::size_t(row)];
        const auto old = std::find_if(before.syncs.begin(), before.syncs.end(), [&](const SyncView& sync) { return sync.name == job.name; });
        const bool fresh = old == before.syncs.end() || old->tables.size() != job.tables.size();
        int first = -1, last = -1;
        for (int t = 0; t < int(job.tables.size()); ++t)
            if (fresh || old->tables[std::size_t(t)].table != job.names[std::size_t(t)] || !looksSame(old->tables[std::size_t(t)], *job.tables[std::size_t(t)])) {
                first = first < 0 ? t : first;
                last = t;
            }
        const bool jobMoved = fresh || first >= 0 || old->state != job.view->state || old->paused != job.view->paused || old->nextRunMs != job.view->nextRunMs
            || old->environment != job.view->environment || old->every != job.view->every || old->run != job.view->run;
        if (jobMoved) {
            firstJob = firstJob < 0 ? row : firstJob;
            lastJob = row;
        }
        if (first >= 0) {
            const QModelIndex at = index(row, 0);
            emit dataChanged(index(first, 0, at), index(last, columnCount() - 1, at));
        }
    }
    if (firstJob >= 0)
        emit dataChanged(index(firstJob, 0), index(lastJob, columnCount() - 1));
}

const SyncView* SyncsModel::sync(const QModelIndex& at) const
{
    if (!at.isValid())
        return nullptr;
    const auto* job = static_cast<const Job*>(at.internalPointer());
    return job ? job->view : m_jobs[std::size_t(at.row())]->view;
}

const TableView* SyncsModel::table(const QModelIndex& at) const
{
    const auto* job = at.isValid() ? static_cast<const Job*>(at.internalPointer()) : nullptr;
    return job ? job->tables[std::size_t(at.row())] : nullptr;
}

QModelIndex SyncsModel::find(const std::string& syncName, const std::string& tableName) const
{
    for (int row = 0; row < int(m_jobs.size()); ++row) {
        const Job& job = *m_jobs[std::size_t(row)];
        if (job.name != syncName)
            continue;
        const QModelIndex at = index(row, 0);
        const auto it = std::find(job.names.begin(), job.names.end(), tableName);
        return tableName.empty() || it == job.names.end() ? at : index(int(it - job.names.begin()), 0, at);
    }
    return {};
}

QModelIndex SyncsModel::index(int row, int column, const QModelIndex& parentIndex) const
{
    if (row < 0 || column < 0 || column >= columnCount() || row >= rowCount(parentIndex))
        return {};
    return createIndex(row, column, parentIndex.isValid() ? m_jobs[std::size_t(parentIndex.row())].get() : nullptr);
}

QModelIndex SyncsModel::parent(const QModelIndex& at) const
{
    const auto* job = at.isValid() ? static_cast<const Job*>(at.internalPointer()) : nullptr;
    return job ? createIndex(rowOf(job), 0, nullptr) : QModelIndex();
}

int SyncsModel::rowCount(const QModelIndex& at) const
{
    if (!at.isValid())
        return int(m_jobs.size());
    return at.internalPointer() || at.column() > 0 ? 0 : int(m_jobs[std::size_t(at.row())]->tables.size());
}

QVariant SyncsModel::data(const QModelIndex& at, int role) const
{
    const SyncView* job = sync(at);
    if (!job)
        return {};
    const TableView* row = table(at);
    const auto column = static_cast<SyncColumn>(at.column());
    const std::int64_t now = m_snapshot->takenMs;
    switch (role) {
    case CellRole: return QVariant::fromValue(row ? tableCell(*job, *row, column, now) : jobCell(*job, column, now, !m_demo.empty() && job->name == m_demo));
    case Qt::DisplayRole: return row ? tableCell(*job, *row, column, now).text : jobCell(*job, column, now, false).text;
    case Qt::ToolTipRole: return row ? tableTip(*job, *row, column, now) : tableTip(*job, jobSum(*job), column, now);
    case SortRole: return row ? tableSortKey(*job, *row, column) : jobSortKey(*job, column);
    case Qt::TextAlignmentRole: return int((rightAligned(column) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    case Qt::AccessibleTextRole: return syncColumnTitle(column) + QStringLiteral(": ") + data(at, Qt::DisplayRole).toString();
    case StripeRole: return at.column() == 0 && !row ? QVariant(int(environmentStripe(text(job->environment)))) : QVariant();
    case RowTintRole: return row ? QVariant() : QVariant(int(Role::Alternate));
    default: return {};
    }
}

QVariant SyncsModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    const auto column = static_cast<SyncColumn>(section);
    if (role == Qt::DisplayRole)
        return syncColumnTitle(column);
    if (role == Qt::TextAlignmentRole)
        return int((rightAligned(column) ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter);
    return {};
}

} // namespace millrace::ui
