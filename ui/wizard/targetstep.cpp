#include "ui/widgets/banner.h"
#include "ui/widgets/celldelegate.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/widgets/segmented.h"
#include "ui/wizard/wizardstep.h"
#include <QComboBox>
#include <QCoreApplication>
#include <QFormLayout>
#include <QLineEdit>
#include <QStandardItemModel>
#include <QVBoxLayout>
#include <algorithm>

namespace millrace::ui {
namespace {

//! Where the rows land: connection, the sync's name, prefix, what happens to what is there, and each table's name there.
class TargetStep final : public WizardStep {
    Q_DECLARE_TR_FUNCTIONS(TargetStep)
public:
    TargetStep(WizardState& state, QWidget* parent) : WizardStep(state, parent), m_banner(new Banner(this))
    {
        auto* column = new QVBoxLayout(this);
        column->setContentsMargins(0, 0, 0, 0);
        column->setSpacing(8);
        column->addWidget(m_banner);
        auto* card = makeSurface("card", this);
        auto* form = new QFormLayout(card);
        form->setContentsMargins(12, 10, 12, 10);
        form->setSpacing(8);
        form->setFieldGrowthPolicy(QFormLayout::FieldsStayAtSizeHint);
        m_target = new QComboBox(card);
        m_target->setMinimumWidth(320);
        setAccessible(m_target, tr("Target connection"));
        form->addRow(tr("Target"), m_target);
        m_name = new QLineEdit(card);
        m_name->setMinimumWidth(320);
        setAccessible(m_name, tr("Name of the sync"));
        form->addRow(tr("Name of the sync"), m_name);
        m_prefix = new QLineEdit(card);
        m_prefix->setMinimumWidth(320);
        m_prefix->setPlaceholderText(tr("none"));
        setAccessible(m_prefix, tr("Prefix before every name in the target"));
        form->addRow(tr("Prefix"), m_prefix);
        m_exists = new Segmented(tr("If a container exists that is not ours"), {tr("Stop and ask"), tr("Write into it by key"), tr("Build new and swap")}, card);
        form->addRow(tr("If it exists"), m_exists);
        m_failed = new Segmented(tr("Rows that cannot be carried"), {tr("Park and go on"), tr("Stop the table")}, card);
        form->addRow(tr("Rejected rows"), m_failed);
        column->addWidget(card);
        m_tree = new DataTree(tr("Names in the target"), QStringLiteral("wizard/names"), &state.context.settings, true, this);
        m_model = new QStandardItemModel(0, 3, this);
        m_model->setHorizontalHeaderLabels({tr("Table"), tr("Name in the target"), tr("Fields")});
        m_tree->setModel(m_model);
        m_tree->setDefaultWidths({280, 320, 420});
        m_tree->setEditTriggers(QAbstractItemView::EditKeyPressed | QAbstractItemView::DoubleClicked);
        column->addWidget(m_tree, 1);
        column->addWidget(makeLabel(tr("F2 renames a table in the target. Names are frozen when the sync is created."), "secondary", this));
        connect(m_target, &QComboBox::activated, this, [this] { m_failedToMake = false; chosen(); suggestName(); emit changed(); });
        connect(m_name, &QLineEdit::textEdited, this, [this](const QString& name) { m_named = true; m_state.def.name = name.trimmed().toStdString(); emit changed(); });
        connect(m_prefix, &QLineEdit::textEdited, this, [this](const QString& prefix) { m_state.def.prefix = prefix.toStdString(); fillNames(); emit changed(); });
        connect(m_exists, &Segmented::currentChanged, this, [this](int i) { m_state.def.ifExists = static_cast<IfExists>(i); emit changed(); });
        connect(m_failed, &Segmented::currentChanged, this, [this](int i) { m_state.def.maxFailed = i == 0 ? 1000 : 1; emit changed(); });
        connect(m_model, &QStandardItemModel::itemChanged, this, [this](QStandardItem* item) {
            if (m_filling || item->column() != 1) return;
            QString to = item->text().trimmed();
            const QString prefix = text(m_state.def.prefix);
            if (!prefix.isEmpty() && to.startsWith(prefix)) to = to.mid(prefix.size());
            m_state.tables.setTarget(m_model->item(item->row(), 0)->data(Qt::UserRole).toUInt(), to);
            fillNames();
            emit changed();
        });
    }

    QString name() const override { return tr("Target"); }
    QString title() const override { return tr("Choose a target"); }
    QString hint() const override { return tr("Each table gets a container of its own there."); }
    QStringList summary() const override
    {
        const ConnectionDef* c = m_state.connection(m_state.def.target);
        return c ? QStringList{text(c->name), m_state.def.prefix.empty() ? QString() : tr("prefix %1").arg(text(m_state.def.prefix))} : QStringList{tr("not chosen yet")};
    }
    QString obstacle() const override
    {
        if (m_making) return tr("making the embedded store…");
        if (m_state.def.target.empty()) return tr("no target is chosen");
        if (m_state.def.name.empty()) return tr("the sync has no name");
        if (std::find(m_state.takenNames.begin(), m_state.takenNames.end(), m_state.def.name) != m_state.takenNames.end())
            return tr("a sync called %1 exists").arg(text(m_state.def.name));
        return m_clash;
    }
    void entered() override
    {
        fillTargets();
        suggestName();
        m_name->setEnabled(!m_state.editing);
        m_prefix->setText(text(m_state.def.prefix));
        m_exists->setCurrent(static_cast<int>(m_state.def.ifExists));
        m_failed->setCurrent(m_state.def.maxFailed == 1 ? 1 : 0);
        fillNames();
        m_target->setFocus();
        emit changed();
    }

private:
    //! The embedded store needs no server: it is offered as long as there is none, and proposed where nothing else is there to write to.
    void fillTargets()
    {
        m_target->clear();
        bool embedded = false;
        for (const ConnectionDef& c : m_state.connections)
            if (const ConnectorSpec* spec = m_state.connectorOf(c); spec && spec->target) {
                m_target->addItem(QStringLiteral("%1  (%2, %3)").arg(text(c.name), shortLabel(spec->label), environmentWord(text(c.environment))), text(c.name));
                embedded = embedded || spec->id == "embedded";
            }
        const bool none = m_target->count() == 0;
        const bool known = std::any_of(m_state.connectors.begin(), m_state.connectors.end(), [](const ConnectorSpec& spec) { return spec.id == "embedded"; });
        if (!embedded && known)
            m_target->addItem(tr("New embedded store in this home, no server needed"), QStringLiteral("+embedded"));
        if (none)
            m_banner->say(Banner::Kind::Info, known ? tr("There is no connection to write to yet, so an embedded store is proposed: one SQLite file in the home.") : tr("There is no connection to write to yet."),
                tr("New connection"), [this] { m_state.wantConnection(); });
        else if (!m_failedToMake)
            m_banner->hide();
        int current = m_target->findData(text(m_state.def.target));
        if (current < 0 && m_target->count()) current = 0;
        m_target->setCurrentIndex(current);
        chosen();
    }

    void chosen()
    {
        const QString name = m_target->currentData().toString();
        if (name == QLatin1String("+embedded"))
            return makeEmbedded();
        if (!name.isEmpty()) m_state.def.target = name.toStdString();
    }

    void makeEmbedded()
    {
        m_state.def.target.clear();
        if (m_making || m_failedToMake)
            return;
        m_making = true;
        ConnectionDef def;
        def.name = "embedded";
        for (int n = 2; m_state.connection(def.name); ++n)
            def.name = "embedded-" + std::to_string(n);
        ConnectionUrl url;
        url.scheme = "embedded";
        url.path = m_state.context.home + "/" + def.name + ".db";
        def.url = url.text();
        def.environment = "local";
        m_state.context.calls.run(this, [def](Engine& engine) { return engine.saveConnection(def, {}); }, [this, def](Result<> saved) {
            m_making = false;
            if (!saved) {
                m_failedToMake = true;
                m_banner->say(saved.error(), tr("Try again"), [this] { m_failedToMake = false; chosen(); emit changed(); });
                return emit changed();
            }
            if (!m_state.connection(def.name)) m_state.connections.push_back(def);    // the dialog may have read them meanwhile
            m_state.def.target = m_state.madeTarget = def.name;
            fillTargets();
            suggestName();
            emit changed();
        });
    }

    void suggestName()
    {
        if (!m_state.editing && !m_named && !m_state.def.target.empty()) {
            std::string name = m_state.def.source + "-" + m_state.def.target;
            for (int n = 2; std::find(m_state.takenNames.begin(), m_state.takenNames.end(), name) != m_state.takenNames.end(); ++n)
                name = m_state.def.source + "-" + m_state.def.target + "-" + std::to_string(n);
            m_state.def.name = name;
        }
        m_name->setText(text(m_state.def.name));
    }

    void fillNames()
    {
        m_filling = true;
        m_model->setRowCount(0);                               // clear() would forget the widths of the columns
        QSet<QString> seen;
        m_clash.clear();
        for (std::size_t i = 0; i < m_state.tables.entries().size(); ++i) {
            const auto& entry = m_state.tables.entries()[i];
            if (!entry.selected()) continue;
            const QString to = text(m_state.def.prefix) + (entry.to.isEmpty() ? entry.label : entry.to);
            const bool twice = seen.contains(to);
            if (twice) m_clash = tr("two tables would be called %1").arg(to);
            seen.insert(to);
            QList<QStandardItem*> row;
            const auto cell = [&](const QString& words, Role role, bool bold = false) {
                auto* item = new QStandardItem(words);
                CellInfo info;
                info.text = words;
                info.role = role;
                info.bold = bold;
                item->setData(QVariant::fromValue(info), CellRole);
                item->setEditable(false);
                row << item;
            };
            cell(entry.label, Role::Text);
            cell(to, twice ? Role::Failed : entry.to.isEmpty() ? Role::Text : Role::Accent, !entry.to.isEmpty());
            cell(tr("%n fields", nullptr, static_cast<int>(entry.info.columns.size())), Role::Secondary);
            row[0]->setData(QVariant::fromValue(static_cast<uint>(i)), Qt::UserRole);
            row[1]->setEditable(true);
            m_model->appendRow(row);
        }
        m_filling = false;
    }

    Banner* m_banner;
    QComboBox* m_target;
    QLineEdit *m_name, *m_prefix;
    Segmented *m_exists, *m_failed;
    DataTree* m_tree;
    QStandardItemModel* m_model;
    QString m_clash;
    bool m_named = false, m_filling = false, m_making = false, m_failedToMake = false;
};

} // namespace

WizardStep* makeTargetStep(WizardState& state, QWidget* parent) { return new TargetStep(state, parent); }

} // namespace millrace::ui
