#include "core/engine/workbench.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/celldelegate.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/wizard/wizardstep.h"
#include <QCoreApplication>
#include <QStandardItemModel>
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

//! Which database is read. Picking one discovers its tables at once, so that the next step is ready.
class SourceStep final : public WizardStep {
    Q_DECLARE_TR_FUNCTIONS(SourceStep)
public:
    SourceStep(WizardState& state, QWidget* parent) : WizardStep(state, parent), m_banner(new Banner(this))
    {
        auto* column = new QVBoxLayout(this);
        column->setContentsMargins(0, 0, 0, 0);
        column->setSpacing(8);
        column->addWidget(m_banner);
        m_tree = new DataTree(tr("Source connections"), QStringLiteral("wizard/sources"), &state.context.settings, true, this);
        m_model = new QStandardItemModel(0, 4, this);
        m_model->setHorizontalHeaderLabels({tr("Name"), tr("Environment"), tr("Type"), tr("Address")});
        m_tree->setModel(m_model);
        m_tree->setDefaultWidths({260, 110, 140, 420});
        column->addWidget(m_tree, 1);
        auto* row = new QHBoxLayout;
        auto* fresh = makeButton(tr("New connection…"), QStringLiteral("list-add"), nullptr, this);
        connect(fresh, &QPushButton::clicked, this, [this] { m_state.wantConnection(); });
        row->addWidget(fresh);
        m_found = makeLabel({}, "secondary", this);
        row->addSpacing(8);
        row->addWidget(m_found, 1);
        column->addLayout(row);
        connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& now) { pick(now.siblingAtColumn(0).data(Qt::UserRole).toString()); });
        connect(m_tree, &DataTree::activatedByKey, this, &WizardStep::wantsNext);
    }

    QString name() const override { return tr("Source"); }
    QString title() const override { return tr("Choose a source"); }
    QString hint() const override { return tr("It is only ever read, in sessions that are read only."); }
    QStringList summary() const override
    {
        const ConnectionDef* c = m_state.connection(m_state.def.source);
        if (!c) return {tr("not chosen yet")};
        QString server = m_state.discovery ? text(m_state.discovery->server.engine) + QLatin1Char(' ') + text(m_state.discovery->server.version).section(QLatin1Char('-'), 0, 0) : QString();
        return {text(c->name), server};
    }
    QString obstacle() const override
    {
        if (m_state.def.source.empty()) return tr("no source is chosen");
        if (m_busy) return tr("reading the catalogue…");
        return m_state.discovery ? QString() : tr("the source cannot be read");
    }
    void entered() override
    {
        fill();
        if (!m_state.def.source.empty() && !m_state.discovery && !m_busy) discover();
        m_tree->setFocus();
    }

private:
    void fill()
    {
        m_model->setRowCount(0);                               // clear() would forget the widths of the columns
        int current = -1;
        for (const ConnectionDef& c : m_state.connections) {
            const ConnectorSpec* spec = m_state.connectorOf(c);
            if (!spec || !spec->source) continue;
            QList<QStandardItem*> row;
            const auto cell = [&](const QString& words, Role role = Role::Text, bool mono = false) {
                auto* item = new QStandardItem(words);
                CellInfo info;
                info.text = words;
                info.role = role;
                info.mono = mono;
                item->setData(QVariant::fromValue(info), CellRole);
                item->setEditable(false);
                row << item;
            };
            cell(text(c.name));
            cell(environmentWord(text(c.environment)), environmentText(text(c.environment)));
            cell(shortLabel(spec->label), Role::Secondary);
            cell(text(c.url), Role::Text, true);
            row[0]->setData(text(c.name), Qt::UserRole);
            row[0]->setData(int(environmentStripe(text(c.environment))), StripeRole);
            if (c.name == m_state.def.source) current = m_model->rowCount();
            m_model->appendRow(row);
        }
        if (m_model->rowCount() == 0)
            m_banner->say(Banner::Kind::Info, tr("There is no connection to read from yet."), tr("New connection"), [this] { m_state.wantConnection(); });
        else if (current < 0 && m_model->rowCount() == 1)
            current = 0;                                   // the only one there is
        if (current >= 0) {
            m_tree->setCurrentIndex(m_model->index(current, 0));
            pick(m_model->index(current, 0).data(Qt::UserRole).toString());
        }
    }

    void pick(const QString& name)
    {
        if (name.isEmpty() || name.toStdString() == m_state.def.source) return;
        m_state.def.source = name.toStdString();
        m_state.discovery.reset();
        discover();
    }

    void discover()
    {
        m_call.cancel();
        m_busy = true;
        m_banner->hide();
        m_found->setText(tr("Reading…"));
        emit changed();
        const std::string source = m_state.def.source;
        m_call = m_state.context.calls.run(this, [source](Engine& engine, std::stop_token stop) { return engine.discover(source, {}, stop); }, [this](Result<Discovery> found) {
            m_busy = false;
            if (!found) {
                m_found->clear();
                m_banner->say(found.error(), tr("Try again"), [this] { discover(); });
            } else {
                const ConnectionDef* c = m_state.connection(m_state.def.source);
                const bool spans = c && spansSchemas(*c);
                m_found->setText(found->tables.empty() ? tr("%1 has no tables this user can read").arg(text(found->connection)) : tr("%n tables and views", nullptr, static_cast<int>(found->tables.size())));
                m_state.tables.setTables(found->tables, spans);
                m_state.tables.load(m_state.def);
                m_state.discovery = std::move(*found);
            }
            emit changed();
        });
    }

    Banner* m_banner;
    DataTree* m_tree;
    QStandardItemModel* m_model;
    QLabel* m_found;
    CallHandle m_call;
    bool m_busy = false;
};

} // namespace

WizardStep* makeSourceStep(WizardState& state, QWidget* parent) { return new SourceStep(state, parent); }

} // namespace millrace::ui
