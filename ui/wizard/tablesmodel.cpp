#include "ui/wizard/tablesmodel.h"
#include "core/base/text.h"
#include "core/engine/planner.h"
#include "ui/widgets/cellinfo.h"
#include "ui/widgets/format.h"
#include <algorithm>

namespace millrace::ui {

namespace {

constexpr quintptr groupMark = 0;                 // internalId of a group; tables carry group + 1

bool isView(const TableInfo& info) { return info.kind == TableKind::View || info.kind == TableKind::MaterializedView; }

QString strategyWord(Strategy strategy, bool keyless)
{
    if (strategy == Strategy::Timestamp) return TablesModel::tr("Timestamp");
    return keyless ? TablesModel::tr("Full rebuild") : TablesModel::tr("Full");
}

bool matches(const QString& pattern, const TablesModel::Entry& entry)
{
    const std::string p = pattern.toStdString();
    return globMatches(p, entry.info.ref.name) || globMatches(p, entry.label.toStdString()) || globMatches(p, entry.info.ref.schema + "." + entry.info.ref.name);
}

} // namespace

void TablesModel::setTables(std::vector<TableInfo> tables, bool spansSchemas)
{
    beginResetModel();
    m_entries.clear();
    m_groups.clear();
    for (TableInfo& info : tables) {
        Entry entry;
        entry.label = text(tableLabel(info.ref, spansSchemas));
        const QString schema = text(info.ref.schema);
        if (m_groups.empty() || m_groups.back().name != schema)
            m_groups.push_back({schema, {}});
        m_groups.back().members.push_back(m_entries.size());
        entry.info = std::move(info);
        m_entries.push_back(std::move(entry));
    }
    applyRule();
    endResetModel();
    emit selectionChanged();
}

void TablesModel::setRule(const QStringList& include, const QStringList& except)
{
    m_include = include;
    m_except = except;
    applyRule();
    tell();
}

void TablesModel::applyRule()
{
    for (Entry& entry : m_entries) {
        // A glob takes base tables; a view is taken by its own name.
        entry.matched = std::any_of(m_include.begin(), m_include.end(), [&](const QString& p) {
            return matches(p, entry) && (!isView(entry.info) || !p.contains(QLatin1Char('*')));
        });
        entry.leftOutBy.clear();
        for (const QString& p : m_except)
            if (entry.matched && matches(p, entry)) {
                entry.matched = false;
                entry.leftOutBy = p;
            }
        if (entry.byHand == std::optional(entry.matched))
            entry.byHand.reset();
    }
}

void TablesModel::load(const SyncDef& def)
{
    QStringList include, except;
    for (const auto& p : def.exclude)
        except << text(p);
    for (Entry& entry : m_entries) {
        entry.byHand.reset();
        entry.strategy = Strategy::Auto;
        entry.to.clear();
    }
    std::vector<const TableRule*> named;
    for (const TableRule& rule : def.tables) {
        if (rule.name.find_first_of("*?") != std::string::npos) include << text(rule.name);
        else named.push_back(&rule);
    }
    if (def.tables.empty())
        include << QStringLiteral("*");
    m_include = include;
    m_except = except;
    applyRule();
    for (const TableRule* rule : named)
        for (Entry& entry : m_entries)
            if (matches(text(rule->name), entry)) {
                if (!entry.matched) entry.byHand = true;
                if (rule->strategy) entry.strategy = *rule->strategy;
                if (rule->to) entry.to = text(*rule->to);
            }
    tell();
}

void TablesModel::store(SyncDef& def) const
{
    // What the operator wrote for a table and this dialog does not show is kept.
    std::vector<TableRule> rules;
    for (const QString& p : m_include) {
        const auto kept = std::find_if(def.tables.begin(), def.tables.end(), [&](const TableRule& r) { return r.name == p.toStdString(); });
        rules.push_back(kept == def.tables.end() ? TableRule{} : *kept);
        rules.back().name = p.toStdString();
    }
    std::vector<std::string> except;
    for (const QString& p : m_except)
        except.push_back(p.toStdString());
    for (const Entry& entry : m_entries) {
        const std::string label = entry.label.toStdString();
        const auto kept = std::find_if(def.tables.begin(), def.tables.end(), [&](const TableRule& r) { return r.name == label; });
        if (entry.selected()) {
            TableRule rule = kept == def.tables.end() ? TableRule{} : *kept;
            rule.name = label;
            rule.strategy = entry.strategy == Strategy::Auto ? std::nullopt : std::optional(entry.strategy);
            rule.to = entry.to.isEmpty() ? std::nullopt : std::optional(entry.to.toStdString());
            if (!entry.matched || rule.strategy || rule.to || (kept != def.tables.end() && !m_include.contains(entry.label)))
                rules.push_back(std::move(rule));
        } else if (entry.matched)
            except.push_back(label);                   // unticked by hand
    }
    def.tables = std::move(rules);
    def.exclude = std::move(except);
}

Strategy TablesModel::effective(const Entry& entry) { return entry.strategy == Strategy::Auto ? entry.info.recommended.strategy : entry.strategy; }

const TablesModel::Entry* TablesModel::entryAt(const QModelIndex& index) const
{
    if (!index.isValid() || index.internalId() == groupMark)
        return nullptr;
    return &m_entries[m_groups[index.internalId() - 1].members[static_cast<std::size_t>(index.row())]];
}

QModelIndex TablesModel::indexOf(std::size_t entry) const
{
    for (std::size_t g = 0; g < m_groups.size(); ++g)
        for (std::size_t row = 0; row < m_groups[g].members.size(); ++row)
            if (m_groups[g].members[row] == entry)
                return createIndex(static_cast<int>(row), 0, g + 1);
    return {};
}

void TablesModel::setStrategy(const QModelIndex& index, Strategy strategy)
{
    if (auto* entry = const_cast<Entry*>(entryAt(index))) {
        entry->strategy = strategy == entry->info.recommended.strategy ? Strategy::Auto : strategy;
        tell();
    }
}

void TablesModel::setTarget(std::size_t entry, const QString& to)
{
    m_entries[entry].to = to == m_entries[entry].label ? QString() : to;
    tell();
}

void TablesModel::tell()
{
    if (!m_groups.empty()) {
        emit dataChanged(index(0, 0), index(static_cast<int>(m_groups.size()) - 1, ColumnCount - 1));
        for (std::size_t g = 0; g < m_groups.size(); ++g)
            emit dataChanged(createIndex(0, 0, g + 1), createIndex(static_cast<int>(m_groups[g].members.size()) - 1, ColumnCount - 1, g + 1));
    }
    emit selectionChanged();
}

int TablesModel::selectedCount() const { return static_cast<int>(std::count_if(m_entries.begin(), m_entries.end(), [](const Entry& e) { return e.selected(); })); }
int TablesModel::leftOutCount() const { return static_cast<int>(m_entries.size()) - selectedCount(); }
int TablesModel::byHandCount() const { return static_cast<int>(std::count_if(m_entries.begin(), m_entries.end(), [](const Entry& e) { return e.byHand.has_value(); })); }

int TablesModel::warningCount() const
{
    int n = 0;
    for (const Entry& e : m_entries)
        if (e.selected()) n += static_cast<int>(e.info.warnings.size());
    return n;
}

std::uint64_t TablesModel::selectedRows() const
{
    std::uint64_t sum = 0;
    for (const Entry& e : m_entries)
        if (e.selected()) sum += e.info.rowsEstimate.value_or(0);
    return sum;
}

std::uint64_t TablesModel::selectedBytes() const
{
    std::uint64_t sum = 0;
    for (const Entry& e : m_entries)
        if (e.selected()) sum += e.info.bytes.value_or(0);
    return sum;
}

QModelIndex TablesModel::index(int row, int column, const QModelIndex& parent) const
{
    if (!hasIndex(row, column, parent))
        return {};
    return parent.isValid() ? createIndex(row, column, static_cast<quintptr>(parent.row()) + 1) : createIndex(row, column, groupMark);
}

QModelIndex TablesModel::parent(const QModelIndex& child) const
{
    if (!child.isValid() || child.internalId() == groupMark)
        return {};
    return createIndex(static_cast<int>(child.internalId() - 1), 0, groupMark);
}

int TablesModel::rowCount(const QModelIndex& parent) const
{
    if (!parent.isValid())
        return static_cast<int>(m_groups.size());
    if (parent.internalId() != groupMark || parent.column() != 0)
        return 0;
    return static_cast<int>(m_groups[static_cast<std::size_t>(parent.row())].members.size());
}

Qt::CheckState TablesModel::groupState(const Group& group) const
{
    const auto on = std::count_if(group.members.begin(), group.members.end(), [&](std::size_t i) { return m_entries[i].selected(); });
    return on == 0 ? Qt::Unchecked : static_cast<std::size_t>(on) == group.members.size() ? Qt::Checked : Qt::PartiallyChecked;
}

QVariant TablesModel::data(const QModelIndex& index, int role) const
{
    if (!index.isValid())
        return {};
    const Entry* entry = entryAt(index);
    CellInfo cell;
    if (!entry) {
        const Group& group = m_groups[static_cast<std::size_t>(index.row())];
        if (role == Qt::CheckStateRole && index.column() == NameColumn)
            return groupState(group);
        std::uint64_t rows = 0, size = 0;
        std::size_t views = 0;
        for (const auto i : group.members) {
            rows += m_entries[i].info.rowsEstimate.value_or(0);
            size += m_entries[i].info.bytes.value_or(0);
            views += isView(m_entries[i].info);
        }
        cell.bold = true;
        switch (index.column()) {
        case NameColumn: cell.text = group.name; cell.icon = QStringLiteral("server-database"); cell.check = groupState(group); break;
        case RowsColumn: cell.text = count(rows); cell.right = true; break;
        case SizeColumn: cell.text = bytes(size); cell.right = true; break;
        case KeyColumn: {
            cell.bold = false;
            cell.role = Role::Secondary;
            cell.text = tr("%n tables", nullptr, static_cast<int>(group.members.size() - views));
            if (views) cell.text += tr(", %n views", nullptr, static_cast<int>(views));
            break;
        }
        default: break;
        }
    } else {
        if (role == Qt::CheckStateRole && index.column() == NameColumn)
            return entry->selected() ? Qt::Checked : Qt::Unchecked;
        const TableInfo& info = entry->info;
        const bool on = entry->selected();
        cell.faint = !on;
        switch (index.column()) {
        case NameColumn:
            cell.text = text(info.ref.name);
            cell.icon = isView(info) ? QStringLiteral("view-list-text") : QStringLiteral("table");
            cell.check = on ? Qt::Checked : Qt::Unchecked;
            break;
        case RowsColumn: cell.text = info.rowsEstimate ? count(*info.rowsEstimate) : dash(); cell.right = true; break;
        case SizeColumn: cell.text = isView(info) ? tr("view") : info.bytes ? bytes(*info.bytes) : dash(); cell.right = true; break;
        case KeyColumn:
            cell.text = info.key.empty() ? tr("none") : text(join(info.key, ", "));
            if (info.key.empty()) cell.role = Role::Failed;
            else cell.icon = QStringLiteral("primarykey_constraint");
            break;
        case CursorColumn:
            cell.text = info.recommended.cursor.empty() ? tr("none") : text(info.recommended.cursor);
            if (info.recommended.cursor.empty()) cell.role = Role::Secondary;
            break;
        case StrategyColumn: cell.text = on ? strategyWord(effective(*entry), info.key.empty()) : dash(); cell.chevron = on; break;
        case ReasonColumn:
            cell.role = Role::Secondary;
            if (on) cell.text = entry->strategy == Strategy::Auto ? text(info.recommended.reason.text) : tr("chosen by hand");
            else if (!entry->leftOutBy.isEmpty()) cell.text = tr("left out by rule %1").arg(entry->leftOutBy);
            else if (entry->byHand) cell.text = tr("left out by hand");
            else if (isView(info)) cell.text = tr("views have no key of their own");
            else cell.text = tr("not in the rule");
            break;
        case WarningsColumn:
            if (on)
                for (const Message& w : info.warnings) {
                    const bool hard = w.id == "no_key";
                    cell.pills.push_back({text(w.text.size() > 40 ? w.id : w.text).replace(QLatin1Char('_'), QLatin1Char(' ')), hard ? QStringLiteral("data-error") : QStringLiteral("data-warning"),
                                          hard ? Role::Failed : Role::Lagging, hard ? Role::ErrorBorder : Role::WarningBorder, hard ? Role::ErrorTint : Role::WarningTint});
                }
            break;
        default: break;
        }
    }
    if (role == CellRole) return QVariant::fromValue(cell);
    if (role == Qt::DisplayRole || role == PlainRole || role == Qt::AccessibleTextRole) {
        QString words = cell.text;
        for (const auto& pill : cell.pills) words += (words.isEmpty() ? QString() : QStringLiteral(", ")) + pill.text;
        return words;
    }
    if (role == Qt::ToolTipRole && entry && index.column() == WarningsColumn) {
        QStringList lines;
        for (const Message& w : entry->info.warnings) lines << text(w.text);
        return lines.join(QLatin1Char('\n'));
    }
    return {};
}

bool TablesModel::setData(const QModelIndex& index, const QVariant& value, int role)
{
    if (role != Qt::CheckStateRole || index.column() != NameColumn)
        return false;
    const bool on = value.toInt() == Qt::Checked;
    const auto tick = [&](Entry& entry) {
        entry.byHand = on == entry.matched ? std::nullopt : std::optional(on);
    };
    if (auto* entry = const_cast<Entry*>(entryAt(index)))
        tick(*entry);
    else
        for (const auto i : m_groups[static_cast<std::size_t>(index.row())].members)
            tick(m_entries[i]);
    tell();
    return true;
}

QVariant TablesModel::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole)
        return int(section == RowsColumn || section == SizeColumn ? Qt::AlignRight | Qt::AlignVCenter : Qt::AlignLeft | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    switch (section) {
    case NameColumn: return tr("Table");
    case RowsColumn: return tr("Rows (est.)");
    case SizeColumn: return tr("Size");
    case KeyColumn: return tr("Key");
    case CursorColumn: return tr("Cursor column");
    case StrategyColumn: return tr("Strategy");
    case ReasonColumn: return tr("Why this strategy");
    case WarningsColumn: return tr("Warnings");
    default: return {};
    }
}

Qt::ItemFlags TablesModel::flags(const QModelIndex& index) const
{
    if (!index.isValid())
        return Qt::NoItemFlags;
    Qt::ItemFlags flags = Qt::ItemIsEnabled | Qt::ItemIsSelectable;
    if (index.column() == NameColumn)
        flags |= Qt::ItemIsUserCheckable;
    return flags;
}

} // namespace millrace::ui
