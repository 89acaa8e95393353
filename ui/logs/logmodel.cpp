#include "ui/logs/logmodel.h"
#include "ui/widgets/cellinfo.h"
#include "ui/widgets/format.h"
#include <QDateTime>
#include <algorithm>

namespace millrace::ui {
namespace {

struct LevelLook { const char* icon; Role role; };
LevelLook lookOf(Level level)
{
    switch (level) {
    case Level::Debug: return {"", Role::Tertiary};
    case Level::Info: return {"", Role::Secondary};
    case Level::Warning: return {"data-warning", Role::Lagging};
    case Level::Error: break;
    }
    return {"data-error", Role::Failed};
}

std::string_view field(const LogEntry& entry, std::string_view key)
{
    for (const auto& [name, value] : entry.fields)
        if (name == key)
            return value;
    return {};
}

QString whole(const LogEntry& entry)
{
    QString line = text(entry.text);
    for (const auto& [name, value] : entry.fields)
        line += QStringLiteral("   ") + text(name) + QLatin1Char('=') + text(value);
    return line;
}

} // namespace

bool LogModel::poll()
{
    std::uint64_t last = m_seen;
    std::vector<LogEntry> fresh = m_feed.since(m_seen, last);
    m_seen = std::max(m_seen, last);
    if (fresh.empty())
        return false;
    if (fresh.size() > kMost)
        fresh.erase(fresh.begin(), fresh.end() - kMost);
    const int over = int(m_entries.size() + fresh.size()) - kMost;
    if (over > 0) {
        beginRemoveRows({}, 0, over - 1);
        for (int i = 0; i < over; ++i)
            --m_counts[std::size_t(m_entries[std::size_t(i)].level)];
        m_entries.erase(m_entries.begin(), m_entries.begin() + over);
        endRemoveRows();
    }
    beginInsertRows({}, int(m_entries.size()), int(m_entries.size() + fresh.size()) - 1);
    for (LogEntry& entry : fresh) {
        ++m_counts[std::size_t(entry.level)];
        m_entries.push_back(std::move(entry));
    }
    endInsertRows();
    return true;
}

void LogModel::clear()
{
    beginResetModel();
    m_entries.clear();
    m_counts = {};
    endResetModel();
}

QVariant LogModel::data(const QModelIndex& at, int role) const
{
    if (!at.isValid())
        return {};
    const LogEntry& line = entry(at.row());
    if (role == Qt::ToolTipRole && at.column() == Message)
        return whole(line);
    if (role == PlainRole && at.column() == Time)
        return QString::fromStdString(std::to_string(line.timeMs));
    if (role != CellRole && role != Qt::DisplayRole)
        return {};
    CellInfo cell;
    switch (at.column()) {
    case Time: cell.text = QDateTime::fromMSecsSinceEpoch(line.timeMs).toString(QStringLiteral("HH:mm:ss.zzz")); cell.mono = true; cell.role = Role::Secondary; break;
    case Level_: {
        const LevelLook look = lookOf(line.level);
        cell.text = text(levelName(line.level));
        cell.icon = QString::fromLatin1(look.icon);
        cell.role = look.role;
        break;
    }
    case Category: cell.text = text(line.category); cell.role = Role::Secondary; break;
    default: cell.text = whole(line); cell.role = line.level == Level::Debug ? Role::Tertiary : Role::Text; break;
    }
    return role == CellRole ? QVariant::fromValue(cell) : QVariant(cell.text);
}

QVariant LogModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal || role != Qt::DisplayRole)
        return {};
    switch (section) {
    case Time: return tr("Time");
    case Level_: return tr("Level");
    case Category: return tr("Category");
    default: return tr("Message");
    }
}

bool LogProxy::setWords(const QString& typed, bool regex)
{
    if (regex) {
        const QRegularExpression next(typed, QRegularExpression::CaseInsensitiveOption);
        if (!next.isValid())
            return false;
        m_regex = next;
    }
    m_useRegex = regex && !typed.isEmpty();
    m_words = regex ? QStringList() : typed.split(QLatin1Char(' '), Qt::SkipEmptyParts);
    invalidateFilter();
    return true;
}

void LogProxy::setScope(const std::string& sync, const std::string& table)
{
    if (sync == m_sync && table == m_table)
        return;
    m_sync = sync;
    m_table = table;
    invalidateFilter();
}

bool LogProxy::filterAcceptsRow(int row, const QModelIndex&) const
{
    const LogEntry& line = static_cast<const LogModel*>(sourceModel())->entry(row);
    if (!m_levels[std::size_t(line.level)])
        return false;
    if (!m_sync.empty() && field(line, "sync") != m_sync)
        return false;
    if (!m_table.empty() && field(line, "table") != m_table && !field(line, "table").empty())
        return false;
    if (!m_useRegex && m_words.isEmpty())
        return true;
    const QString all = text(line.category) + QLatin1Char(' ') + whole(line);
    if (m_useRegex)
        return m_regex.match(all).hasMatch();
    return std::all_of(m_words.begin(), m_words.end(), [&](const QString& word) { return all.contains(word, Qt::CaseInsensitive); });
}

} // namespace millrace::ui
