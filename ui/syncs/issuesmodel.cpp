#include "ui/syncs/issuesmodel.h"
#include "ui/widgets/cellinfo.h"
#include "ui/widgets/format.h"
#include <algorithm>
#include <map>

namespace millrace::ui {
namespace {

// "target.mongodb.too_large" of column note -> "too large: note"
QString causeTitle(const FailedRow& row)
{
    QString last = text(row.cause).section(QLatin1Char('.'), -1).replace(QLatin1Char('_'), QLatin1Char(' '));
    return row.column.empty() ? last : last + QStringLiteral(": ") + text(row.column);
}

} // namespace

void IssuesModel::setRows(std::vector<FailedRow> rows, std::int64_t nowMs)
{
    m_nowMs = nowMs;
    m_rows = std::move(rows);
    regroup();
}

void IssuesModel::setGroupBy(GroupBy by) { m_by = by; regroup(); }
void IssuesModel::setWords(const QString& words) { m_words = words; regroup(); }
void IssuesModel::hideRows(const std::vector<Id>& ids) { m_hidden.insert(ids.begin(), ids.end()); regroup(); }

void IssuesModel::unhideRows(const std::vector<Id>& ids)
{
    for (const Id& id : ids)
        m_hidden.erase(id);
    regroup();
}

void IssuesModel::regroup()
{
    beginResetModel();
    std::map<QString, int> shownBefore;
    for (const auto& group : m_groups)
        shownBefore[group->title] = group->shown;
    m_groups.clear();
    std::map<QString, Group*> byTitle;
    for (std::size_t i = 0; i < m_rows.size(); ++i) {
        const FailedRow& failed = m_rows[i];
        if (m_hidden.contains(idOf(failed)))
            continue;
        if (!m_words.isEmpty() && !text(failed.key).contains(m_words, Qt::CaseInsensitive) && !text(failed.detail).contains(m_words, Qt::CaseInsensitive)
            && !text(failed.document).contains(m_words, Qt::CaseInsensitive))
            continue;
        const QString title = m_by == GroupBy::Cause ? causeTitle(failed) : text(failed.table);
        Group*& group = byTitle[title];
        if (!group) {
            m_groups.push_back(std::make_unique<Group>());
            group = m_groups.back().get();
            group->title = title;
            const auto before = shownBefore.find(title);
            group->shown = before == shownBefore.end() ? kShown : before->second;
        }
        group->rows.push_back(i);
    }
    std::stable_sort(m_groups.begin(), m_groups.end(), [](const auto& a, const auto& b) { return a->rows.size() > b->rows.size(); });
    endResetModel();
}

int IssuesModel::visibleRows() const
{
    std::size_t all = 0;
    for (const auto& group : m_groups)
        all += group->rows.size();
    return int(all);
}

void IssuesModel::showMore(const QModelIndex& line)
{
    auto* group = static_cast<Group*>(line.internalPointer());
    const QModelIndex at = parent(line);
    const int before = group->shown, after = std::min(int(group->rows.size()), before + kShown);
    if (after <= before)
        return;
    // the line "n more rows" goes, and comes again below when rows are left: its words are other ones then
    beginRemoveRows(at, before, before);
    group->lineGone = true;
    endRemoveRows();
    beginInsertRows(at, before, after == int(group->rows.size()) ? after - 1 : after);
    group->shown = after;
    group->lineGone = false;
    endInsertRows();
}

bool IssuesModel::isGroup(const QModelIndex& at) const { return at.isValid() && !at.internalPointer(); }

bool IssuesModel::isMore(const QModelIndex& at) const
{
    const auto* group = at.isValid() ? static_cast<const Group*>(at.internalPointer()) : nullptr;
    return group && at.row() >= group->shown;
}

const FailedRow* IssuesModel::row(const QModelIndex& at) const
{
    const auto rows = rowsOf(at);
    return rows.empty() ? nullptr : rows.front();
}

std::vector<const FailedRow*> IssuesModel::rowsOf(const QModelIndex& at) const
{
    std::vector<const FailedRow*> found;
    if (!at.isValid())
        return found;
    if (const auto* group = static_cast<const Group*>(at.internalPointer())) {
        if (!isMore(at))
            found.push_back(&m_rows[group->rows[std::size_t(at.row())]]);
        return found;
    }
    for (const std::size_t i : m_groups[std::size_t(at.row())]->rows)
        found.push_back(&m_rows[i]);
    return found;
}

QModelIndex IssuesModel::index(int rowAt, int column, const QModelIndex& parentIndex) const
{
    if (rowAt < 0 || column < 0 || column >= ColumnCount || rowAt >= rowCount(parentIndex))
        return {};
    return createIndex(rowAt, column, parentIndex.isValid() ? m_groups[std::size_t(parentIndex.row())].get() : nullptr);
}

QModelIndex IssuesModel::parent(const QModelIndex& at) const
{
    const auto* group = at.isValid() ? static_cast<const Group*>(at.internalPointer()) : nullptr;
    if (!group)
        return {};
    const auto it = std::find_if(m_groups.begin(), m_groups.end(), [group](const auto& one) { return one.get() == group; });
    return createIndex(int(it - m_groups.begin()), 0, nullptr);
}

int IssuesModel::rowCount(const QModelIndex& at) const
{
    if (!at.isValid())
        return int(m_groups.size());
    if (at.internalPointer() || at.column() > 0)
        return 0;
    const Group& group = *m_groups[std::size_t(at.row())];
    const int rows = int(group.rows.size());
    return rows > group.shown ? group.shown + (group.lineGone ? 0 : 1) : rows;
}

QVariant IssuesModel::data(const QModelIndex& at, int role) const
{
    if (!at.isValid())
        return {};
    if (role == RowTintRole)
        return at.internalPointer() ? QVariant() : QVariant(int(Role::Alternate));
    if (role == Qt::TextAlignmentRole)
        return int(Qt::AlignVCenter | (at.column() >= Rows && at.column() <= Last ? Qt::AlignRight : Qt::AlignLeft));
    if (role != CellRole && role != Qt::DisplayRole)
        return {};
    CellInfo cell;
    cell.right = at.column() >= Rows && at.column() <= Last;
    const auto rows = rowsOf(at);
    if (isMore(at)) {
        const auto* group = static_cast<const Group*>(at.internalPointer());
        if (at.column() == Name) {
            cell.text = tr("%1 more rows").arg(count(group->rows.size() - std::size_t(group->shown)));
            cell.role = Role::Accent;
        }
    } else if (isGroup(at)) {
        const auto [first, last] = [&] {
            std::int64_t low = rows.front()->firstMs, high = rows.front()->lastMs;
            for (const FailedRow* each : rows) {
                low = std::min(low, each->firstMs);
                high = std::max(high, each->lastMs);
            }
            return std::pair(low, high);
        }();
        switch (at.column()) {
        case Name:
            cell.text = m_groups[std::size_t(at.row())]->title;
            cell.bold = true;
            cell.icon = m_by == GroupBy::Cause ? QStringLiteral("data-error") : QStringLiteral("table");
            cell.iconRole = m_by == GroupBy::Cause ? Role::Failed : Role::Secondary;
            break;
        case Rows: cell.text = count(rows.size()); cell.bold = true; break;
        case First: cell.text = when(first, m_nowMs); cell.role = Role::Secondary; break;
        case Last: cell.text = when(last, m_nowMs); cell.role = Role::Secondary; break;
        default: cell.text = text(rows.front()->fix); cell.role = Role::Secondary;
        }
    } else {
        const FailedRow& failed = *rows.front();
        switch (at.column()) {
        case Name:
            cell.text = m_by == GroupBy::Cause ? text(failed.table) + QLatin1Char(' ') + text(failed.key) : text(failed.key);
            cell.mono = true;
            cell.icon = QStringLiteral("table");
            cell.iconRole = Role::Secondary;
            break;
        case Rows: cell.text = tr("%1×").arg(failed.tries); cell.role = Role::Secondary; break;
        case First: cell.text = when(failed.firstMs, m_nowMs); cell.role = Role::Secondary; break;
        case Last: cell.text = when(failed.lastMs, m_nowMs); cell.role = Role::Secondary; break;
        default: cell.text = text(failed.detail);
        }
    }
    return role == CellRole ? QVariant::fromValue(cell) : QVariant(cell.text);
}

QVariant IssuesModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return int(Qt::AlignVCenter | (section >= Rows && section <= Last ? Qt::AlignRight : Qt::AlignLeft));
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Name: return m_by == GroupBy::Cause ? tr("Cause and row") : tr("Table and row");
    case Rows: return tr("Rows");
    case First: return tr("First");
    case Last: return tr("Last");
    default: return tr("Value or suggested fix");
    }
}

} // namespace millrace::ui
