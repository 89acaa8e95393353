#include "ui/widgets/banner.h"
#include "ui/widgets/celldelegate.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/widgets/segmented.h"
#include "ui/wizard/wizardstep.h"
#include <QClipboard>
#include <QCoreApplication>
#include <QGuiApplication>
#include <QFormLayout>
#include <QLineEdit>
#include <QScrollArea>
#include <QSpinBox>
#include <QStandardItemModel>
#include <QTimer>
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

//! When it runs, how hard, the plan in sentences, and the dry run.
class Review final : public ReviewStep {
    Q_DECLARE_TR_FUNCTIONS(Review)
public:
    Review(WizardState& state, QWidget* parent) : ReviewStep(state, parent)
    {
        auto* row = new QHBoxLayout(this);
        row->setContentsMargins(0, 0, 0, 0);
        row->setSpacing(10);
        row->addWidget(makeSchedule(), 0);
        auto* right = new QVBoxLayout;
        right->setSpacing(10);
        right->addWidget(makePlan(), 3);
        right->addWidget(makeDryRun(), 2);
        row->addLayout(right, 1);
        m_wait.setSingleShot(true);
        m_wait.setInterval(250);
        connect(&m_wait, &QTimer::timeout, this, &Review::askPlan);
    }

    QString name() const override { return tr("Schedule & review"); }
    QString title() const override { return tr("Schedule and review"); }
    QString hint() const override { return tr("What will happen, in sentences. Nothing is written before you press the button."); }
    QStringList summary() const override
    {
        QStringList out{m_state.def.continuous ? tr("continuous") : m_state.def.every.empty() ? tr("by hand") : tr("every %1").arg(text(m_state.def.every))};
        out << (m_dryRunDone ? tr("dry run done") : tr("not dry-run yet"));
        return out;
    }
    QString obstacle() const override
    {
        if (!m_everyProblem.isEmpty()) return m_everyProblem;
        return m_planProblem;
    }

    void entered() override
    {
        m_loading = true;                                 // the boxes tell of each change, and not all are filled yet
        m_kind->setCurrent(m_state.def.continuous ? 2 : m_state.def.every.empty() ? 0 : 1);
        if (!m_state.def.every.empty()) m_every->setText(text(m_state.def.every));
        m_rate->setValue(static_cast<int>(m_state.def.settings.rateLimit));
        m_least->setValue(static_cast<int>(m_state.def.settings.batchMin));
        m_most->setValue(static_cast<int>(m_state.def.settings.batchMax));
        m_pool->setValue(static_cast<int>(m_state.def.settings.pool));
        m_brake->setValue(m_state.def.deleteBrakePercent);
        m_loading = false;
        schedule();
        askPlan();
        m_kind->setFocus();
    }

    void dryRun() override
    {
        if (m_dryRunning) return m_dryCall.cancel(), endDryRun(tr("Stopped."));
        m_dryRunning = true;
        m_dryButton->setText(tr("Stop"));
        m_dryWords->setText(tr("Reading up to 1,000 rows of each table…"));
        m_dryModel->setRowCount(0);
        m_dryCall = m_state.context.calls.run(this, [def = m_state.finished()](Engine& engine, std::stop_token stop) { return engine.dryRun(def, stop); }, [this](Result<DryRunReport> report) {
            if (!report) {
                m_banner->say(report.error());
                return endDryRun({});
            }
            fillDryRun(*report);
        });
    }

private:
    QWidget* makeSchedule()
    {
        auto* card = makeSurface("card", this);
        card->setMaximumWidth(460);
        auto* column = new QVBoxLayout(card);
        column->setContentsMargins(12, 10, 12, 10);
        column->setSpacing(10);
        auto* head = new QHBoxLayout;
        head->addWidget(makeLabel(tr("Runs"), "section", card));
        head->addStretch(1);
        m_kind = new Segmented(tr("Runs"), {tr("By hand"), tr("Interval"), tr("Continuous")}, card);
        head->addWidget(m_kind);
        column->addLayout(head);
        auto* form = new QFormLayout;
        form->setSpacing(8);
        m_every = new QLineEdit(QStringLiteral("5m"), card);
        setAccessible(m_every, tr("Interval"), tr("A figure and a unit: 30s, 5m, 1h"));
        m_everyHint = makeLabel({}, "secondary", card);
        auto* every = new QHBoxLayout;
        m_every->setFixedWidth(100);
        every->addWidget(m_every);
        every->addWidget(m_everyHint, 1);
        form->addRow(tr("Every"), every);
        m_rate = spin(0, 100'000'000, tr("Rate limit"), tr(" rows/s"));
        m_rate->setSpecialValueText(tr("no limit"));
        form->addRow(tr("Rate limit"), m_rate);
        auto* batch = new QHBoxLayout;
        m_least = spin(1, 1'000'000, tr("Smallest batch"), {});
        m_most = spin(1, 1'000'000, tr("Largest batch"), {});
        batch->addWidget(m_least);
        batch->addWidget(makeLabel(tr("to"), "secondary", card));
        batch->addWidget(m_most);
        batch->addWidget(makeLabel(tr("rows"), "secondary", card));
        batch->addStretch(1);
        form->addRow(tr("Batches of"), batch);
        m_pool = spin(1, 64, tr("Tables side by side"), {});
        form->addRow(tr("Tables side by side"), m_pool);
        m_brake = new QDoubleSpinBox(card);
        m_brake->setRange(0, 100);
        m_brake->setDecimals(1);
        m_brake->setSuffix(tr(" % deletes in one run"));
        setAccessible(m_brake, tr("Stop above this share of deletes"));
        form->addRow(tr("Stop above"), m_brake);
        column->addLayout(form);
        column->addWidget(makeLine(Qt::Horizontal, card));
        m_next = makeLabel({}, "secondary", card);
        m_next->setWordWrap(true);
        column->addWidget(m_next);
        column->addStretch(1);
        connect(m_kind, &Segmented::currentChanged, this, [this] { schedule(); });
        connect(m_every, &QLineEdit::textEdited, this, [this] { schedule(); });
        for (QSpinBox* box : {m_rate, m_least, m_most, m_pool})
            connect(box, &QSpinBox::valueChanged, this, [this] { schedule(); });
        connect(m_brake, &QDoubleSpinBox::valueChanged, this, [this] { schedule(); });
        return card;
    }

    QSpinBox* spin(int from, int to, const QString& name, const QString& suffix)
    {
        auto* box = new QSpinBox(this);
        box->setRange(from, to);
        box->setGroupSeparatorShown(true);
        box->setSuffix(suffix);
        box->setMinimumWidth(100);
        setAccessible(box, name);
        return box;
    }

    QWidget* makePlan()
    {
        auto* card = makeSurface("card", this);
        auto* column = new QVBoxLayout(card);
        column->setContentsMargins(12, 10, 12, 10);
        column->setSpacing(6);
        auto* head = new QHBoxLayout;
        head->addWidget(makeLabel(tr("What will happen"), "section", card));
        head->addStretch(1);
        auto* copy = makeButton(tr("Copy as text"), QStringLiteral("edit-copy"), "link", card);
        connect(copy, &QPushButton::clicked, this, [this] { QGuiApplication::clipboard()->setText(m_planText); });
        head->addWidget(copy);
        column->addLayout(head);
        m_banner = new Banner(card);
        column->addWidget(m_banner);
        auto* area = new QScrollArea(card);
        area->setWidgetResizable(true);
        area->setFrameShape(QFrame::NoFrame);
        area->setFocusPolicy(Qt::NoFocus);
        m_sentences = new QLabel(area);
        m_sentences->setTextFormat(Qt::RichText);
        m_sentences->setWordWrap(true);
        m_sentences->setAlignment(Qt::AlignTop | Qt::AlignLeft);
        m_sentences->setTextInteractionFlags(Qt::TextSelectableByMouse);
        area->setWidget(m_sentences);
        column->addWidget(area, 1);
        return card;
    }

    QWidget* makeDryRun()
    {
        auto* card = makeSurface("card", this);
        auto* column = new QVBoxLayout(card);
        column->setContentsMargins(12, 10, 12, 10);
        column->setSpacing(6);
        auto* head = new QHBoxLayout;
        head->addWidget(makeLabel(tr("Dry run"), "section", card));
        m_dryWords = new ElidedLabel(tr("Reads 1,000 rows of each table, encodes them, writes nothing."), "secondary", card);
        head->addSpacing(8);
        head->addWidget(m_dryWords, 1);
        m_dryButton = makeButton(tr("Dry run"), QStringLiteral("preflight-verifier"), nullptr, card);
        m_dryButton->setToolTip(QStringLiteral("Ctrl+D"));
        connect(m_dryButton, &QPushButton::clicked, this, &Review::dryRun);
        head->addWidget(m_dryButton);
        column->addLayout(head);
        m_dryModel = new QStandardItemModel(0, 6, this);
        m_dryModel->setHorizontalHeaderLabels({tr("Table"), tr("Read"), tr("Fits"), tr("Cannot carry"), tr("Doc size"), tr("Result")});
        auto* tree = new DataTree(tr("Dry run by table"), QStringLiteral("wizard/dryrun"), &m_state.context.settings, true, card);
        tree->setModel(m_dryModel);
        tree->setDefaultWidths({160, 60, 60, 90, 76, 240});
        for (const int figures : {1, 2, 3, 4})
            m_dryModel->setHeaderData(figures, Qt::Horizontal, int(Qt::AlignRight | Qt::AlignVCenter), Qt::TextAlignmentRole);
        column->addWidget(tree, 1);
        return card;
    }

    void schedule()
    {
        if (m_loading) return;
        SyncDef& def = m_state.def;
        m_every->setEnabled(m_kind->current() == 1);
        def.continuous = m_kind->current() == 2;
        def.every.clear();
        m_everyProblem.clear();
        m_everyHint->clear();
        if (m_kind->current() == 1) {
            const auto parsed = parseDuration(m_every->text().trimmed().toStdString());
            if (!parsed || *parsed <= 0) {
                m_everyProblem = tr("the interval is not readable");
                m_everyHint->setText(tr("30s, 5m, 1h"));
                setLook(m_everyHint, "look", "error");
            } else {
                def.every = m_every->text().trimmed().toStdString();
                m_everyHint->setText(duration(*parsed));
                setLook(m_everyHint, "look", "secondary");
            }
        }
        def.settings.rateLimit = m_rate->value();
        def.settings.batchMin = m_least->value();
        def.settings.batchMax = std::max(m_most->value(), m_least->value());
        def.settings.pool = m_pool->value();
        def.deleteBrakePercent = m_brake->value();
        m_next->setText(m_kind->current() == 0 ? tr("It runs when you press Run, or by millrace-cli.")
                                               : tr("It runs while this window, or “millrace-cli serve”, is open. A run that takes longer than the interval is not made up for."));
        emit changed();
        m_wait.start();
    }

    void askPlan()
    {
        m_planCall.cancel();
        m_planCall = m_state.context.calls.run(this, [def = m_state.finished()](Engine& engine) { return engine.plan(def); }, [this](Result<PlanReport> plan) {
            m_planProblem.clear();
            m_banner->hide();
            if (!plan) {
                m_planProblem = tr("the plan has a problem");
                m_banner->say(plan.error());
                m_sentences->clear();
            } else
                showPlan(*plan);
            emit changed();
        });
    }

    void showPlan(const PlanReport& plan)
    {
        QString html;
        m_planText.clear();
        for (const Message& m : plan.sentences) {
            QString words = text(m.text).toHtmlEscaped();
            for (const auto& arg : m.args)                    // figures and names stand out
                if (!arg.empty()) {
                    const QString escaped = text(arg).toHtmlEscaped();
                    const auto at = words.indexOf(escaped);
                    if (at >= 0 && escaped.size() < 60) words.replace(at, escaped.size(), QLatin1String("<b>") + escaped + QLatin1String("</b>"));
                }
            html += QLatin1String("<p style='margin:0 0 6px 0'>") + words + QLatin1String("</p>");
            m_planText += text(m.text) + QLatin1Char('\n');
        }
        for (const PlanTable& t : plan.tables)
            if (t.error)
                html += QLatin1String("<p style='margin:0 0 6px 0; color:%1'>").arg(color(Role::Failed).name()) + text(t.table + ": " + t.error->detail + " " + t.error->fix).toHtmlEscaped() + QLatin1String("</p>");
        m_sentences->setText(html);
        m_sentences->setAccessibleName(tr("What will happen"));
        m_sentences->setAccessibleDescription(m_planText);
    }

    void fillDryRun(const DryRunReport& report)
    {
        std::uint64_t rows = 0;
        m_dryModel->setRowCount(0);
        for (const DryRunTable& t : report.tables) {
            rows += t.read;
            QList<QStandardItem*> row;
            const auto cell = [&](const QString& words, bool right, Role role = Role::Text, const QString& icon = {}) {
                auto* item = new QStandardItem(words);
                CellInfo info;
                info.text = words;
                info.right = right;
                info.role = role;
                info.icon = icon;
                item->setData(QVariant::fromValue(info), CellRole);
                item->setEditable(false);
                row << item;
            };
            cell(text(t.table), false);
            cell(count(t.read), true);
            cell(count(t.fits), true);
            cell(count(t.cannotCarry), true, t.cannotCarry ? Role::Failed : Role::Secondary);
            cell(t.averageBytes > 0 ? bytes(static_cast<std::uint64_t>(t.averageBytes)) : dash(), true, Role::Secondary);
            if (t.error) cell(text(t.error->detail), false, Role::Failed, QStringLiteral("data-error"));
            else if (!t.findings.empty()) cell(text(t.findings.front().text), false, Role::Lagging, QStringLiteral("data-warning"));
            else cell(t.read ? tr("fits the mapping") : tr("no rows"), false, Role::Secondary, QStringLiteral("dialog-ok-apply"));
            m_dryModel->appendRow(row);
        }
        m_dryRunDone = true;
        endDryRun(tr("%1 rows of %2 tables in %3; nothing was written").arg(count(rows)).arg(report.tables.size()).arg(duration(static_cast<std::int64_t>(report.seconds * 1000))));
    }

    void endDryRun(const QString& words)
    {
        m_dryRunning = false;
        m_dryButton->setText(m_dryRunDone ? tr("Run again") : tr("Dry run"));
        m_dryWords->setText(words);
        emit changed();
    }

    Segmented* m_kind = nullptr;
    QLineEdit* m_every = nullptr;
    QSpinBox *m_rate = nullptr, *m_least = nullptr, *m_most = nullptr, *m_pool = nullptr;
    QDoubleSpinBox* m_brake = nullptr;
    QLabel *m_everyHint = nullptr, *m_next = nullptr, *m_sentences = nullptr, *m_dryWords = nullptr;
    Banner* m_banner = nullptr;
    QPushButton* m_dryButton = nullptr;
    QStandardItemModel* m_dryModel = nullptr;
    QString m_planText, m_planProblem, m_everyProblem;
    CallHandle m_planCall, m_dryCall;
    QTimer m_wait;
    bool m_dryRunning = false, m_dryRunDone = false, m_loading = false;
};

} // namespace

ReviewStep* makeReviewStep(WizardState& state, QWidget* parent) { return new Review(state, parent); }

} // namespace millrace::ui
