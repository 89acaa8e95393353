#include "ui/wizard/wizard.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/format.h"
#include "ui/widgets/icons.h"
#include "ui/widgets/look.h"
#include "ui/widgets/stripe.h"
#include "ui/widgets/toast.h"
#include "ui/wizard/steplist.h"
#include "ui/wizard/wizardstep.h"
#include <QCheckBox>
#include <QCoreApplication>
#include <QKeyEvent>
#include <QDialog>
#include <QHBoxLayout>
#include <QLineEdit>
#include <QShortcut>
#include <QStackedWidget>
#include <algorithm>

namespace millrace::ui {

const ConnectorSpec* WizardState::connectorOf(const ConnectionDef& connection) const
{
    const auto url = parseUrl(connection.url);
    if (url)
        for (const auto& spec : connectors)
            if (std::find(spec.schemes.begin(), spec.schemes.end(), url->scheme) != spec.schemes.end())
                return &spec;
    return nullptr;
}

QString WizardState::environment() const
{
    QString worst;
    for (const auto& name : {def.target, def.source})
        if (const ConnectionDef* c = connection(name)) {
            if (c->environment == "prod") return QStringLiteral("prod");
            if (worst.isEmpty()) worst = text(c->environment);
        }
    return worst;
}

namespace {

class Wizard final : public QDialog {
    Q_DECLARE_TR_FUNCTIONS(Wizard)
public:
    Wizard(const Context& context, QWidget* parent, QString source, QString sync, std::function<void(QString)> done)
        : QDialog(parent, Qt::Window), m_state(context), m_done(std::move(done)), m_source(std::move(source)), m_sync(std::move(sync))
    {
        setAttribute(Qt::WA_DeleteOnClose);
        setObjectName(QStringLiteral("wizard"));
        setWindowTitle(m_sync.isEmpty() ? tr("New sync") : tr("Edit %1").arg(m_sync));
        resize(parent ? parent->window()->size().boundedTo({1440, 900}).expandedTo({940, 620}) : QSize(1440, 900));
        m_connectionsSeen = context.monitor.latest()->connections;
        m_state.wantConnection = [this] { stepAside(); };
        connect(&context.monitor, &EngineMonitor::changed, this, [this](const SnapshotPtr& snapshot) {
            if (std::exchange(m_connectionsSeen, snapshot->connections) != snapshot->connections)
                loadConnections();
        });
        build();
        load();
    }
    // The steps look at the state, so they go before it does.
    ~Wizard() override { qDeleteAll(m_steps); }

private:
    void build()
    {
        auto* outer = new QVBoxLayout(this);
        outer->setContentsMargins(0, 0, 0, 0);
        outer->setSpacing(0);
        m_stripe = new Stripe(this);
        outer->addWidget(m_stripe);
        auto* middle = new QHBoxLayout;
        middle->setSpacing(0);
        m_list = new StepList(this);
        middle->addWidget(m_list);
        auto* right = new QVBoxLayout;
        right->setContentsMargins(16, 10, 16, 8);
        right->setSpacing(8);
        auto* head = new QHBoxLayout;
        m_title = makeLabel({}, "title", this);
        m_hint = new ElidedLabel({}, "secondary", this);
        m_pill = makePill({}, "local", this);
        head->addWidget(m_title);
        head->addSpacing(8);
        head->addWidget(m_hint, 1);
        head->addWidget(makePill(tr("READ ONLY session"), "good", this));
        head->addWidget(m_pill);
        right->addLayout(head);
        m_banner = new Banner(this);
        right->addWidget(m_banner);
        m_pages = new QStackedWidget(this);
        right->addWidget(m_pages, 1);
        middle->addLayout(right, 1);
        outer->addLayout(middle, 1);
        outer->addWidget(makeLine(Qt::Horizontal, this));
        outer->addWidget(makeFooter());

        m_review = makeReviewStep(m_state, this);
        for (WizardStep* step : {makeSourceStep(m_state, this), makeTablesStep(m_state, this), makeTargetStep(m_state, this), static_cast<WizardStep*>(m_review)}) {
            m_steps << step;
            m_pages->addWidget(step);
            connect(step, &WizardStep::changed, this, &Wizard::refresh);
            connect(step, &WizardStep::wantsNext, this, &Wizard::next);
        }
        connect(m_list, &StepList::chosen, this, &Wizard::go);
        const auto shortcut = [this](const QKeySequence& keys, auto slot) { connect(new QShortcut(keys, this), &QShortcut::activated, this, slot); };
        shortcut(QKeySequence(Qt::CTRL | Qt::Key_Return), &Wizard::next);
        shortcut(QKeySequence(Qt::CTRL | Qt::Key_Enter), &Wizard::next);
        shortcut(QKeySequence(Qt::CTRL | Qt::Key_D), [this] { go(3); m_review->dryRun(); });
        go(0);
    }

    QWidget* makeFooter()
    {
        auto* footer = makeSurface("window", this);
        auto* row = new QHBoxLayout(footer);
        row->setContentsMargins(14, 10, 14, 10);
        auto* cancel = makeButton(tr("Cancel"), {}, nullptr, footer);
        connect(cancel, &QPushButton::clicked, this, &QDialog::reject);
        m_typeWords = makeLabel({}, nullptr, footer);
        m_typed = new QLineEdit(footer);
        m_typed->setFixedWidth(130);
        setAccessible(m_typed, tr("Name of the production target"));
        connect(m_typed, &QLineEdit::textChanged, this, &Wizard::refresh);
        m_why = new ElidedLabel({}, "secondary", footer);
        m_back = makeButton(tr("Back"), QStringLiteral("go-previous"), nullptr, footer);
        connect(m_back, &QPushButton::clicked, this, [this] { go(m_at - 1); });
        m_start = new QCheckBox(tr("Start the first sync now"), footer);
        m_start->setChecked(true);
        setAccessible(m_start, m_start->text());
        m_next = makeButton({}, {}, "main", footer);
        m_next->setObjectName(QStringLiteral("next"));
        connect(m_next, &QPushButton::clicked, this, &Wizard::next);
        row->addWidget(cancel);
        row->addSpacing(16);
        row->addWidget(m_typeWords);
        row->addWidget(m_typed);
        row->addStretch(1);
        row->addWidget(m_why);
        row->addSpacing(8);
        row->addWidget(m_back);
        row->addWidget(m_start);
        row->addWidget(m_next);
        return footer;
    }

    void load()
    {
        struct Loaded { std::vector<ConnectionDef> connections; std::vector<SyncDef> syncs; std::vector<ConnectorSpec> specs; };
        m_state.context.calls.run(this, [](Engine& engine) -> Result<Loaded> {
            auto connections = engine.connections();
            if (!connections) return std::move(connections).error();
            auto syncs = engine.syncs();
            if (!syncs) return std::move(syncs).error();
            return Loaded{std::move(*connections), std::move(*syncs), engine.connectors()};
        }, [this](Result<Loaded> loaded) {
            if (!loaded) return m_banner->say(loaded.error(), tr("Try again"), [this] { load(); });
            m_state.connections = std::move(loaded->connections);
            m_state.connectors = std::move(loaded->specs);
            for (const SyncDef& def : loaded->syncs) {
                if (text(def.name) == m_sync) { m_state.def = def; m_state.editing = true; }
                else m_state.takenNames.push_back(def.name);
            }
            if (!m_source.isEmpty()) m_state.def.source = m_source.toStdString();
            go(0);
        });
    }

    // The form of a new connection is in the window, which this dialog would cover
    void stepAside()
    {
        setProperty("aside", true);
        hide();
        if (parentWidget()) parentWidget()->window()->activateWindow();
        m_state.context.go.newConnection();
        m_state.context.toasts.show(tr("Save the connection, and the new sync goes on with it."));
    }

    void loadConnections()
    {
        m_state.context.calls.run(this, [](Engine& engine) { return engine.connections(); }, [this](Result<std::vector<ConnectionDef>> loaded) {
            if (!loaded) return m_banner->say(loaded.error(), tr("Try again"), [this] { loadConnections(); });
            const bool aside = property("aside").toBool();
            for (const ConnectionDef& fresh : *loaded) {
                const ConnectorSpec* spec = m_state.connectorOf(fresh);
                if (!aside || !spec || m_state.connection(fresh.name)) continue;
                if (m_at == 0 && spec->source) m_state.def.source = fresh.name, m_state.discovery.reset();
                if (m_at == 2 && spec->target) m_state.def.target = fresh.name;
            }
            const bool grown = loaded->size() > m_state.connections.size();
            m_state.connections = std::move(*loaded);
            if (aside && grown) {
                setProperty("aside", false);
                show();
                activateWindow();
            }
            if (isVisible() && (m_at == 0 || m_at == 2)) m_steps[m_at]->entered();
            refresh();
        });
    }

    void go(int step)
    {
        step = std::clamp(step, 0, static_cast<int>(m_steps.size()) - 1);
        // A later step makes no sense without what the ones before it give.
        for (int i = 0; i < step; ++i)
            if (!m_steps[i]->obstacle().isEmpty()) { step = i; break; }
        m_at = step;
        if (std::exchange(m_askedToLeave, false)) m_banner->hide();
        m_pages->setCurrentIndex(step);
        m_title->setText(m_steps[step]->title());
        m_hint->setText(m_steps[step]->hint());
        refresh();
        m_steps[step]->entered();
        refresh();
    }

    void next()
    {
        if (!m_next->isEnabled()) return;
        if (m_at + 1 < m_steps.size()) return go(m_at + 1);
        save();
    }

    void refresh()
    {
        const QString environment = m_state.environment();
        m_stripe->setEnvironment(environment);
        const ConnectionDef* source = m_state.connection(m_state.def.source);
        m_pill->setVisible(source != nullptr);
        if (source) {
            m_pill->setText(environmentWord(text(source->environment)) + QLatin1Char(' ') + text(source->name));
            setLook(m_pill, "pill", QByteArray::fromStdString(source->environment));
        }
        QList<StepList::Step> shown;
        for (int i = 0; i < m_steps.size(); ++i) {
            bool before = true;
            for (int k = 0; k < i; ++k) before = before && m_steps[k]->obstacle().isEmpty();
            shown << StepList::Step{m_steps[i]->name(), m_steps[i]->summary(), i < m_at && m_steps[i]->obstacle().isEmpty(), before};
        }
        m_list->setSteps(shown, m_at);
        const bool last = m_at + 1 == m_steps.size();
        const ConnectionDef* target = m_state.connection(m_state.def.target);
        const bool mustType = last && target && target->environment == "prod";
        m_typeWords->setVisible(mustType);
        m_typed->setVisible(mustType);
        if (mustType) m_typeWords->setText(tr("%1 is production. Type its name to create:").arg(text(target->name)));
        QString why = m_steps[m_at]->obstacle();
        if (why.isEmpty() && mustType && m_typed->text().toStdString() != target->name) why = tr("the name is not typed yet");
        if (m_saving) why = tr("saving…");
        m_why->setText(why);
        m_next->setEnabled(why.isEmpty());
        m_next->setText(!last ? tr("Next: %1").arg(m_steps[m_at + 1]->name()).replace(QLatin1Char('&'), QLatin1String("&&")) : m_state.editing ? tr("Save sync") : tr("Create sync"));
        m_next->setAccessibleName(m_next->text());
        m_back->setVisible(m_at > 0);
        m_start->setVisible(last && !m_state.editing);
    }

    void save()
    {
        m_saving = true;
        refresh();
        const SyncDef def = m_state.finished();
        const bool start = m_start->isVisible() && m_start->isChecked();
        struct Made { Result<> saved; std::optional<Error> notStarted; };
        m_state.context.calls.run(this, [def, start](Engine& engine) {
            Made made{engine.saveSync(def), {}};
            if (!made.saved || !start) return made;
            RunRequest request;
            request.sync = def.name;
            request.trigger = "window";
            if (auto run = engine.start(request); !run) made.notStarted = std::move(run).error();
            return made;
        }, [this, name = text(def.name)](Made made) {
            m_saving = false;
            if (!made.saved) {
                m_banner->say(made.saved.error());
                return refresh();
            }
            // it is there from now on, whether it runs or not: pressing the button again would only say that the name is taken
            m_state.madeTarget.clear();
            m_state.context.toasts.show(made.notStarted ? tr("%1 created, but not started: %2").arg(name, sentence(*made.notStarted))
                                        : m_state.editing ? tr("%1 saved").arg(name) : tr("%1 created").arg(name));
            if (m_done) m_done(name);
            accept();
        });
    }

    void done(int result) override
    {
        if (result == QDialog::Rejected && !m_state.madeTarget.empty())
            m_state.context.calls.run(static_cast<QObject*>(nullptr), [name = m_state.madeTarget](Engine& engine) { return engine.removeConnection(name); }, [](Result<>) {});
        QDialog::done(result);
    }

    void keyPressEvent(QKeyEvent* event) override
    {
        // Esc comes easily; what was chosen in the steps is not thrown away by one
        if (event->key() == Qt::Key_Escape && m_at > 0 && !m_askedToLeave) {
            m_askedToLeave = true;
            return m_banner->say(Banner::Kind::Info, tr("Nothing is created yet. Esc once more leaves and forgets what was chosen."), tr("Leave"), [this] { reject(); });
        }
        // Enter in a field belongs to the field; the steps say when it means Next.
        if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) {
            if (m_next->isEnabled() && !m_typed->hasFocus()) next();
            return;
        }
        QDialog::keyPressEvent(event);
    }

    WizardState m_state;
    std::function<void(QString)> m_done;
    QString m_source, m_sync;
    Stripe* m_stripe = nullptr;
    StepList* m_list = nullptr;
    QLabel *m_title = nullptr, *m_hint = nullptr, *m_pill = nullptr, *m_why = nullptr, *m_typeWords = nullptr;
    Banner* m_banner = nullptr;
    QStackedWidget* m_pages = nullptr;
    QLineEdit* m_typed = nullptr;
    QCheckBox* m_start = nullptr;
    QPushButton *m_back = nullptr, *m_next = nullptr;
    QList<WizardStep*> m_steps;
    ReviewStep* m_review = nullptr;
    int m_at = 0;
    bool m_saving = false, m_askedToLeave = false;
    std::size_t m_connectionsSeen = 0;
};

} // namespace

void openWizard(const Context& context, QWidget* parent, const QString& source, const QString& sync, std::function<void(QString)> done)
{
    // one that waits for a connection comes back, unless another source is asked for
    for (auto* waiting : parent->findChildren<QDialog*>(QStringLiteral("wizard"), Qt::FindDirectChildrenOnly)) {
        if (!waiting->property("aside").toBool()) continue;
        if (source.isEmpty() && sync.isEmpty()) {
            waiting->setProperty("aside", false);
            waiting->show();
            return waiting->activateWindow();
        }
        waiting->reject();
        waiting->deleteLater();                                   // hidden already, so closing it does not
    }
    auto* wizard = new Wizard(context, parent, source, sync, std::move(done));
    wizard->show();
    wizard->activateWindow();
}

} // namespace millrace::ui
