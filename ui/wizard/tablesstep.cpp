#include "core/base/text.h"
#include "ui/widgets/celldelegate.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/filterbox.h"
#include "ui/widgets/format.h"
#include "ui/widgets/iconlabel.h"
#include "ui/widgets/look.h"
#include "ui/widgets/segmented.h"
#include "ui/wizard/wizardstep.h"
#include <QCoreApplication>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QMenu>
#include <QShortcut>
#include <QSortFilterProxyModel>
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

enum class Show { All, Selected, Warnings, LeftOut };

class TablesFilter final : public QSortFilterProxyModel {
public:
    using QSortFilterProxyModel::QSortFilterProxyModel;
    void set(const QString& words, Show show) { m_words = words; m_show = show; invalidateFilter(); }
    const TablesModel* tables() const { return static_cast<const TablesModel*>(sourceModel()); }
protected:
    bool filterAcceptsRow(int row, const QModelIndex& parent) const override
    {
        const QModelIndex index = sourceModel()->index(row, 0, parent);
        const auto* entry = tables()->entryAt(index);
        if (!entry) {                                     // a schema is shown while one of its tables is
            for (int i = 0; i < sourceModel()->rowCount(index); ++i)
                if (filterAcceptsRow(i, index)) return true;
            return false;
        }
        if (m_show == Show::Selected && !entry->selected()) return false;
        if (m_show == Show::LeftOut && entry->selected()) return false;
        if (m_show == Show::Warnings && (!entry->selected() || entry->info.warnings.empty())) return false;
        if (m_words.isEmpty() || entry->label.contains(m_words, Qt::CaseInsensitive)) return true;
        return std::any_of(entry->info.columns.begin(), entry->info.columns.end(), [&](const ColumnInfo& c) { return text(c.name).contains(m_words, Qt::CaseInsensitive); });
    }
private:
    QString m_words;
    Show m_show = Show::All;
};

QStringList patterns(const QString& line)
{
    QStringList out;
    for (const QString& part : line.split(QLatin1Char(',')))
        if (!part.trimmed().isEmpty()) out << part.trimmed();
    return out;
}

class TablesStep final : public WizardStep {
    Q_DECLARE_TR_FUNCTIONS(TablesStep)
public:
    TablesStep(WizardState& state, QWidget* parent) : WizardStep(state, parent)
    {
        auto* column = new QVBoxLayout(this);
        column->setContentsMargins(0, 0, 0, 0);
        column->setSpacing(8);
        column->addLayout(makeTop());
        column->addWidget(makeRule());
        m_tree = new DataTree(tr("Tables"), QStringLiteral("wizard/tables"), &state.context.settings, false, this);
        m_filter = new TablesFilter(this);
        m_filter->setSourceModel(&state.tables);
        m_tree->setModel(m_filter);
        m_tree->setDefaultWidths({200, 86, 70, 130, 106, 110, 256, 220});
        m_tree->setSelectionMode(QAbstractItemView::ExtendedSelection);
        column->addWidget(m_tree, 1);
        column->addWidget(makeEvidence());
        column->addLayout(makeSummary());
        connect(m_search, &FilterBox::filterChanged, this, [this] { applyFilter(); });
        connect(m_show, &Segmented::currentChanged, this, [this] { applyFilter(); });
        connect(&state.tables, &TablesModel::selectionChanged, this, [this] { tell(); });
        connect(&state.tables, &QAbstractItemModel::modelReset, this, [this] { m_tree->expandAll(); fillRule(); });
        connect(m_tree->selectionModel(), &QItemSelectionModel::currentChanged, this, [this] { showEvidence(); });
        connect(m_tree->cells(), &CellDelegate::chevronClicked, this, &TablesStep::chooseStrategy);
        connect(m_tree, &DataTree::activatedByKey, this, &WizardStep::wantsNext);
        connect(new QShortcut(QKeySequence::Find, this), &QShortcut::activated, m_search, [this] { m_search->setFocus(); });
        connect(new QShortcut(QKeySequence(Qt::ALT | Qt::Key_W), this), &QShortcut::activated, this, &TablesStep::nextWarning);
    }

    QString name() const override { return tr("Tables"); }
    QString title() const override { return tr("Choose tables"); }
    QString hint() const override { return tr("Estimates come from the server's statistics; no table is scanned."); }
    QStringList summary() const override
    {
        const auto& t = m_state.tables;
        if (t.entries().empty()) return {tr("not chosen yet")};
        QStringList out{tr("%1 of %2 selected").arg(t.selectedCount()).arg(t.entries().size())};
        if (t.warningCount()) out << tr("%n warnings", nullptr, t.warningCount());
        return out;
    }
    QString obstacle() const override { return m_state.tables.selectedCount() == 0 ? tr("no table is selected") : QString(); }
    void entered() override
    {
        fillRule();
        m_tree->expandAll();
        if (!m_tree->currentIndex().isValid() && m_filter->rowCount())
            m_tree->setCurrentIndex(m_filter->index(0, 0, m_filter->index(0, 0)));
        tell();
        m_tree->setFocus();
    }

private:
    QLayout* makeTop()
    {
        auto* row = new QHBoxLayout;
        row->setSpacing(8);
        m_search = new FilterBox(tr("Search tables and columns"), tr("Search tables and columns"), QStringLiteral("edit-find"), this);
        m_search->setMinimumWidth(120);
        m_search->setMaximumWidth(260);
        m_show = new Segmented(tr("Show"), {tr("All"), tr("Selected"), tr("Warnings"), tr("Left out")}, this);
        row->addWidget(m_search);
        row->addWidget(m_show);
        row->addStretch(1);
        row->addWidget(makeLabel(tr("Set for selection:"), "secondary", this));
        auto* strategy = makeButton(tr("Strategy"), QStringLiteral("view-refresh"), nullptr, this);
        connect(strategy, &QPushButton::clicked, this, [this, strategy] { strategyMenu(strategy->mapToGlobal(QPoint(0, strategy->height()))); });
        row->addWidget(strategy);
        return row;
    }

    QWidget* makeRule()
    {
        auto* card = makeSurface("card", this);
        auto* column = new QVBoxLayout(card);
        column->setContentsMargins(12, 8, 12, 8);
        column->setSpacing(8);
        auto* row = new QHBoxLayout;
        row->setSpacing(8);
        column->addLayout(row);
        row->addWidget(makeLabel(tr("Rule"), "strong", card));
        row->addWidget(makeLabel(tr("include"), nullptr, card));
        m_include = new QLineEdit(card);
        m_include->setFont(ui::font(FontRole::Code));
        setAccessible(m_include, tr("Include these tables"), tr("Patterns with * and ?, with commas between them"));
        row->addWidget(m_include, 2);
        row->addWidget(makeLabel(tr("except"), nullptr, card));
        m_except = new QLineEdit(card);
        m_except->setFont(ui::font(FontRole::Code));
        m_except->setPlaceholderText(QStringLiteral("audit_*, *_tmp"));
        setAccessible(m_except, tr("Except these tables"), tr("Patterns with * and ?, with commas between them"));
        row->addWidget(m_except, 3);
        m_matches = makePill({}, "info", card);
        row->addWidget(m_matches);
        m_byHand = makeLabel({}, "secondary", card);
        row->addWidget(m_byHand);
        row->addStretch(1);
        m_laterBox = new QWidget(card);
        auto* later = new QHBoxLayout(m_laterBox);
        later->setContentsMargins(0, 0, 0, 0);
        later->addWidget(makeLabel(tr("New tables later:"), "secondary", m_laterBox));
        m_later = new Segmented(tr("New tables later"), {tr("Include"), tr("Ask me"), tr("Ignore")}, m_laterBox);
        later->addWidget(m_later);
        row->addWidget(m_laterBox);
        m_rule = column;
        for (QLineEdit* edit : {m_include, m_except})
            connect(edit, &QLineEdit::textEdited, this, [this] { m_state.tables.setRule(patterns(m_include->text()), patterns(m_except->text())); });
        connect(m_later, &Segmented::currentChanged, this, [this](int i) { m_state.def.newTables = static_cast<NewTables>(i); });
        return card;
    }

    QWidget* makeEvidence()
    {
        auto* card = makeSurface("card", this);
        card->setFixedHeight(112);
        auto* column = new QVBoxLayout(card);
        column->setContentsMargins(12, 8, 12, 8);
        column->setSpacing(2);
        m_evidenceTitle = makeLabel({}, "section", card);
        column->addWidget(m_evidenceTitle);
        for (auto& line : m_evidence) {
            auto* row = new QHBoxLayout;
            line.icon = new IconLabel(QStringLiteral("dialog-ok-apply"), 16, Role::Secondary, card);
            line.words = new ElidedLabel({}, nullptr, card);
            row->addWidget(line.icon);
            row->addSpacing(4);
            row->addWidget(line.words, 1);
            column->addLayout(row);
        }
        column->addStretch(1);
        return card;
    }

    QLayout* makeSummary()
    {
        auto* row = new QHBoxLayout;
        row->setSpacing(14);
        m_sum = makeLabel({}, "strong", this);
        m_sumMore = new ElidedLabel({}, "secondary", this);
        m_sumWarnings = makeLabel({}, "warning", this);
        row->addWidget(m_sum);
        row->addWidget(m_sumMore, 1);
        row->addWidget(m_sumWarnings);
        return row;
    }

    // A narrow window has the words about new tables below the rule instead of beside it
    void resizeEvent(QResizeEvent* event) override
    {
        WizardStep::resizeEvent(event);
        const bool below = width() < kRuleWidth;
        if (below == (m_rule->indexOf(m_laterBox) >= 0))
            return;
        auto* beside = static_cast<QHBoxLayout*>(m_rule->itemAt(0)->layout());
        if (below) {
            beside->removeWidget(m_laterBox);
            m_rule->addWidget(m_laterBox, 0, Qt::AlignLeft);
        } else {
            m_rule->removeWidget(m_laterBox);
            beside->addWidget(m_laterBox);
        }
    }

    void fillRule()
    {
        if (!m_include->hasFocus()) m_include->setText(m_state.tables.include().join(QLatin1String(", ")));
        if (!m_except->hasFocus()) m_except->setText(m_state.tables.except().join(QLatin1String(", ")));
        m_later->setCurrent(static_cast<int>(m_state.def.newTables));
    }

    void applyFilter()
    {
        m_filter->set(m_search->text().trimmed(), static_cast<Show>(m_show->current()));
        m_tree->expandAll();
    }

    void tell()
    {
        const TablesModel& t = m_state.tables;
        const auto all = static_cast<int>(t.entries().size());
        m_show->setOptions({tr("All %1").arg(all), tr("Selected %1").arg(t.selectedCount()), tr("Warnings %1").arg(t.warningCount()), tr("Left out %1").arg(t.leftOutCount())});
        int matched = 0;
        for (const auto& e : t.entries()) matched += e.matched;
        m_matches->setText(tr("matches %1 of %2 tables").arg(matched).arg(all));
        m_byHand->setText(t.byHandCount() ? tr("%n by hand", nullptr, t.byHandCount()) : QString());
        m_sum->setText(tr("%n tables", nullptr, t.selectedCount()));
        m_sumMore->setText(tr("%1 rows (est.), %2").arg(count(t.selectedRows()), bytes(t.selectedBytes())));
        m_sumWarnings->setText(t.warningCount() ? tr("%n warnings", nullptr, t.warningCount()) : QString());
        showEvidence();
        emit changed();
    }

    void showEvidence()
    {
        const auto* entry = m_state.tables.entryAt(m_filter->mapToSource(m_tree->currentIndex()));
        m_evidenceTitle->setText(entry ? entry->label : tr("Select a table to see why its strategy fits, and what it cannot see."));
        std::vector<std::tuple<QString, Role, QString>> lines;
        if (entry) {
            const TableInfo& info = entry->info;
            if (info.key.empty()) lines.emplace_back(QStringLiteral("data-error"), Role::Failed, tr("No key to match rows by: rebuilt beside the old copy and swapped in"));
            else lines.emplace_back(QStringLiteral("dialog-ok-apply"), Role::Secondary, tr("Key %1: pages are read by key, never by OFFSET").arg(text(join(info.key, ", "))));
            if (!info.recommended.reason.text.empty()) lines.emplace_back(QStringLiteral("dialog-ok-apply"), Role::Secondary, text(info.recommended.reason.text));
            for (const Message& w : info.warnings)
                if (w.id != "no_key") lines.emplace_back(QStringLiteral("data-warning"), Role::Lagging, text(w.text));
        }
        for (std::size_t i = 0; i < m_evidence.size(); ++i) {
            const bool on = i < lines.size();
            m_evidence[i].icon->setVisible(on);
            m_evidence[i].words->setVisible(on);
            if (!on) continue;
            m_evidence[i].icon->set(std::get<0>(lines[i]), std::get<1>(lines[i]));
            m_evidence[i].words->setText(std::get<2>(lines[i]));
        }
    }

    void chooseStrategy(const QModelIndex& index)
    {
        m_tree->setCurrentIndex(index);
        strategyMenu(m_tree->viewport()->mapToGlobal(m_tree->visualRect(index).bottomLeft()));
    }

    void strategyMenu(const QPoint& at)
    {
        auto* menu = new QMenu(this);
        menu->setAttribute(Qt::WA_DeleteOnClose);
        const auto add = [&](const QString& words, Strategy strategy) {
            connect(menu->addAction(words), &QAction::triggered, this, [this, strategy] {
                for (const QModelIndex& row : m_tree->selectionModel()->selectedRows())
                    m_state.tables.setStrategy(m_filter->mapToSource(row), strategy);
            });
        };
        add(tr("As recommended"), Strategy::Auto);
        add(tr("Timestamp: rows whose cursor column moved"), Strategy::Timestamp);
        add(tr("Full: the whole table each time"), Strategy::Full);
        menu->popup(at);
    }

    void nextWarning()
    {
        const auto& entries = m_state.tables.entries();
        const QModelIndex now = m_filter->mapToSource(m_tree->currentIndex());
        std::size_t from = 0;
        for (std::size_t i = 0; i < entries.size(); ++i)
            if (m_state.tables.entryAt(now) == &entries[i]) from = i + 1;
        for (std::size_t n = 0; n < entries.size(); ++n) {
            const std::size_t i = (from + n) % entries.size();
            if (entries[i].selected() && !entries[i].info.warnings.empty())
                return m_tree->setCurrentIndex(m_filter->mapFromSource(m_state.tables.indexOf(i)));
        }
    }

    struct Line { IconLabel* icon = nullptr; QLabel* words = nullptr; };
    static constexpr int kRuleWidth = 1000;
    FilterBox* m_search = nullptr;
    QVBoxLayout* m_rule = nullptr;
    QWidget* m_laterBox = nullptr;
    Segmented *m_show = nullptr, *m_later = nullptr;
    QLineEdit *m_include = nullptr, *m_except = nullptr;
    QLabel *m_matches = nullptr, *m_byHand = nullptr, *m_evidenceTitle = nullptr, *m_sum = nullptr, *m_sumMore = nullptr, *m_sumWarnings = nullptr;
    std::array<Line, 4> m_evidence;
    DataTree* m_tree = nullptr;
    TablesFilter* m_filter = nullptr;
};

} // namespace

WizardStep* makeTablesStep(WizardState& state, QWidget* parent) { return new TablesStep(state, parent); }

} // namespace millrace::ui
