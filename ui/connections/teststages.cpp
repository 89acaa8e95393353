#include "ui/connections/teststages.h"
#include "ui/widgets/cellinfo.h"
#include "ui/widgets/format.h"
#include <QCoreApplication>
#include <algorithm>

namespace millrace::ui {

void TestStages::clear() { set({}); }

void TestStages::set(std::vector<TestStage> stages)
{
    beginResetModel();
    m_stages = std::move(stages);
    endResetModel();
}

void TestStages::add(const TestStage& stage)
{
    beginInsertRows({}, rowCount(), rowCount());
    m_stages.push_back(stage);
    endInsertRows();
}

int TestStages::count(TestStage::Outcome outcome) const
{ return int(std::count_if(m_stages.begin(), m_stages.end(), [&](const TestStage& stage) { return stage.outcome == outcome; })); }

QVariant TestStages::headerData(int section, Qt::Orientation orientation, int role) const
{
    if (orientation != Qt::Horizontal)
        return {};
    if (role == Qt::TextAlignmentRole && section == Time)
        return int(Qt::AlignRight | Qt::AlignVCenter);
    if (role != Qt::DisplayRole)
        return {};
    const QString names[] = {tr("Stage"), tr("What was found"), tr("Time")};
    return names[section];
}

QVariant TestStages::data(const QModelIndex& at, int role) const
{
    if (!at.isValid())
        return {};
    const TestStage& stage = m_stages[std::size_t(at.row())];
    const bool reached = stage.outcome != TestStage::Outcome::NotReached;
    const bool failed = stage.outcome == TestStage::Outcome::Failed;
    const QString label = QCoreApplication::translate("TestStage", stage.label.c_str());
    const QString found = reached ? text(stage.found) : tr("not reached");
    CellInfo cell;
    switch (at.column()) {
    case Stage: {
        cell.text = label;
        cell.bold = failed;
        struct Look { const char* icon; Role role; };
        static const Look looks[] = {{"dialog-ok-apply", Role::Verified}, {"data-warning", Role::Lagging}, {"data-error", Role::Failed}, {"task-process-0", Role::Tertiary}};
        const Look& look = looks[std::size_t(stage.outcome)];
        cell.icon = QString::fromLatin1(look.icon);
        cell.iconRole = look.role;
        break;
    }
    case Found:
        cell.text = found;
        cell.role = failed ? Role::Text : Role::Secondary;
        break;
    default:
        cell.text = reached ? milliseconds(stage.ms) : dash();
        cell.right = true;
        break;
    }
    cell.faint = !reached;
    if (failed)
        cell.tint = Role::ErrorTint;
    switch (role) {
    case CellRole: return QVariant::fromValue(cell);
    case Qt::DisplayRole: return cell.text;
    case Qt::AccessibleTextRole: {
        const QString outcomes[] = {tr("passed"), tr("warning"), tr("failed"), tr("not reached")};
        return at.column() == Stage ? QStringLiteral("%1, %2").arg(label, outcomes[std::size_t(stage.outcome)]) : cell.text;
    }
    case Qt::ToolTipRole: return at.column() == Found && found.size() > 50 ? found : QString();
    default: return {};
    }
}

} // namespace millrace::ui
