#include "ui/syncs/filtertree.h"
#include "ui/widgets/celldelegate.h"
#include "ui/widgets/format.h"
#include "ui/widgets/statewords.h"
#include <QHeaderView>
#include <QStandardItemModel>

namespace millrace::ui {
namespace {

constexpr int kKey = Qt::UserRole + 1, kCount = Qt::UserRole + 2;

QString engineIcon(const std::string& engine)
{
    if (engine == "sqlite")
        return QStringLiteral("text-x-generic");
    if (engine == "embedded")
        return QStringLiteral("folder-database");
    return QStringLiteral("server-database");
}

} // namespace

FilterTree::FilterTree(QSettings* settings, QWidget* parent) : DataTree(tr("Filters"), {}, settings, false, parent), m_items(new QStandardItemModel(0, 2, this))
{
    const QString titles[] = {tr("STATUS"), tr("SOURCE"), tr("TARGET"), tr("TAG")};
    for (int section = 0; section < SectionCount; ++section) {
        auto* head = new QStandardItem(titles[section]);
        CellInfo cell;
        cell.text = titles[section];
        cell.section = true;
        head->setData(QVariant::fromValue(cell), CellRole);
        head->setFlags(Qt::ItemIsEnabled);
        auto* side = new QStandardItem;
        side->setFlags(Qt::ItemIsEnabled);
        m_items->appendRow({head, side});
        m_sections[section] = head;
    }
    setModel(m_items);
    header()->hide();
    header()->setStretchLastSection(false);
    header()->setSectionResizeMode(0, QHeaderView::Stretch);
    header()->setSectionResizeMode(1, QHeaderView::Fixed);
    header()->resizeSection(1, 38);
    setBranchWidth(14);
    setGround(Role::Window, false);
    cells()->setRowHeight(21);
    setProperty("surface", "window");
    setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    setFixedWidth(176);
    setObjectName(QStringLiteral("filters"));
    show(Status, {}, tr("All"), QStringLiteral("view-process-tree"), int(Role::Secondary), 0, 0);
    for (const millrace::State state : statesInOrder())
        show(Status, text(stateName(state)), stateWord(state).word, stateWord(state).icon, int(stateWord(state).role), 0, m_sections[Status]->rowCount());
    expandAll();
    goTo(m_sections[Status]->child(0)->index());
    connect(selectionModel(), &QItemSelectionModel::selectionChanged, this, [this] { if (!m_quiet) emit picked(picks()); });
}

void FilterTree::show(Section section, const QString& key, const QString& words, const QString& icon, int iconRole, int number, int at)
{
    QStandardItem* head = m_sections[section];
    QStandardItem *name = nullptr, *figure = nullptr;
    for (int row = 0; row < head->rowCount(); ++row)
        if (head->child(row)->data(kKey).toString() == key)
            name = head->child(row), figure = head->child(row, 1);
    if (name && name->data(kCount).toInt() == number)
        return;
    if (!name) {
        name = new QStandardItem(words);
        figure = new QStandardItem;
        name->setData(key, kKey);
        CellInfo cell;
        cell.text = words;
        cell.icon = icon;
        cell.iconRole = static_cast<Role>(iconRole);
        name->setData(QVariant::fromValue(cell), CellRole);
        head->insertRow(at, {name, figure});
    }
    name->setData(number, kCount);
    name->setAccessibleText(words + QStringLiteral(", ") + count(std::uint64_t(number)));
    CellInfo cell;
    cell.text = number > 0 || key.isEmpty() ? count(std::uint64_t(number)) : QString();
    cell.right = true;
    cell.role = Role::Secondary;
    figure->setData(QVariant::fromValue(cell), CellRole);
}

void FilterTree::follow(Section section, const std::map<std::string, int>& counts, const QString& icon, const std::map<std::string, QString>& icons)
{
    QStandardItem* head = m_sections[section];
    for (int row = head->rowCount() - 1; row >= 0; --row)
        if (!counts.contains(head->child(row)->data(kKey).toString().toStdString()))
            head->removeRow(row);
    int at = 0;
    for (const auto& [name, tables] : counts) {
        const auto own = icons.find(name);
        show(section, text(name), text(name), own == icons.end() ? icon : own->second, int(Role::Secondary), tables, at++);
    }
    setRowHidden(section, {}, counts.empty());
}

void FilterTree::apply(const EngineSnapshot& snapshot)
{
    std::map<millrace::State, int> states;
    std::map<std::string, int> sources, targets, tags;
    std::map<std::string, QString> sourceIcons, targetIcons;
    int all = 0;
    for (const SyncView& sync : snapshot.syncs) {
        const int tables = int(sync.tables.size());
        all += tables;
        sources[sync.source] += tables;
        targets[sync.target] += tables;
        sourceIcons[sync.source] = engineIcon(sync.sourceEngine);
        targetIcons[sync.target] = engineIcon(sync.targetEngine);
        for (const std::string& tag : sync.tags)
            tags[tag] += tables;
        for (const TableView& table : sync.tables)
            ++states[table.state];
    }
    m_quiet = true;
    const FilterPicks before = picks();
    show(Status, {}, tr("All"), {}, 0, all, 0);
    for (const millrace::State state : statesInOrder())
        show(Status, text(stateName(state)), {}, {}, 0, states[state], 0);
    follow(Source, sources, QStringLiteral("server-database"), sourceIcons);
    follow(Target, targets, QStringLiteral("server-database"), targetIcons);
    follow(Tag, tags, QStringLiteral("bookmarks"), {});
    m_quiet = false;
    if (!(picks() == before))                                     // what was picked is gone
        emit picked(picks());
}

int FilterTree::countOf(millrace::State state) const
{
    for (int row = 0; row < m_sections[Status]->rowCount(); ++row)
        if (m_sections[Status]->child(row)->data(kKey).toString() == text(stateName(state)))
            return m_sections[Status]->child(row)->data(kCount).toInt();
    return 0;
}

void FilterTree::clearPicks() { goTo(m_sections[Status]->child(0)->index()); }

FilterPicks FilterTree::picks() const
{
    FilterPicks found;
    for (const QModelIndex& at : selectionModel()->selectedRows()) {
        const QString key = at.data(kKey).toString();
        if (key.isEmpty())
            continue;
        switch (at.parent().row()) {
        case Status:
            if (const auto state = stateFromWord(key))
                found.states.insert(*state);
            break;
        case Source: found.sources.insert(key.toStdString()); break;
        case Target: found.targets.insert(key.toStdString()); break;
        case Tag: found.tags.insert(key.toStdString()); break;
        default: break;
        }
    }
    return found;
}

} // namespace millrace::ui
