#include "ui/connections/connectionspage.h"
#include "ui/connections/secretplace.h"
#include "ui/connections/testpane.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/confirmbar.h"
#include "ui/widgets/connectorform.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/filterbox.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/widgets/segmented.h"
#include "ui/widgets/toast.h"
#include <QAction>
#include <QComboBox>
#include <QDateTime>
#include <QLineEdit>
#include <QMenu>
#include <QMessageBox>
#include <QSplitter>
#include <QVBoxLayout>
#include <algorithm>

namespace millrace::ui {
namespace {

const char* const kEnvironments[] = {"", "prod", "stage", "dev", "local"};

} // namespace

ConnectionsPageWidget::ConnectionsPageWidget(const Context& context, QWidget* parent) : Page(parent), m_context(context), m_model(new ConnectionsModel(this))
{
    makeActions();
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_split = new QSplitter(Qt::Horizontal, this);
    m_split->setChildrenCollapsible(false);
    m_split->addWidget(makeLeft());
    m_split->addWidget(makeRight());
    m_split->setStretchFactor(0, 3);
    m_split->setStretchFactor(1, 2);
    m_split->setSizes({790, 566});
    m_split->restoreState(context.settings.value(QStringLiteral("connections/split")).toByteArray());
    column->addWidget(m_split, 1);

    connect(m_list->selectionModel(), &QItemSelectionModel::currentChanged, this, [this](const QModelIndex& now) {
        if (m_arranging)
            return;
        if (const ConnectionRow* row = m_model->row(now))
            showConnection(text(row->def.name));
    });
    connect(m_list, &DataTree::contextMenuWanted, this, &ConnectionsPageWidget::rowMenu);
    connect(m_list, &DataTree::activatedByKey, this, [this] { m_editor->focusFirst(); });
    connect(m_filter, &FilterBox::filterChanged, this, [this] { showRows(); });
    connect(m_environments, &Segmented::currentChanged, this, [this] { showRows(); });
    connect(m_editor, &ConnectionEditor::edited, this, &ConnectionsPageWidget::editorChanged);
    connect(m_editor, &ConnectionEditor::deleteWanted, this, &ConnectionsPageWidget::remove);
    connect(m_editor, &ConnectionEditor::syncWanted, this, [this](const QString& sync) { m_context.go.showSync(sync); });
    connect(m_test, &TestPane::testWanted, this, &ConnectionsPageWidget::runTest);
    connect(m_test, &TestPane::stopWanted, this, &ConnectionsPageWidget::stopTest);
    updateActions();
}

void ConnectionsPageWidget::fillMenus(const Menus& menus)
{
    menus.connection->addActions({m_actions.create, m_actions.test, m_actions.use});
    menus.connection->addSeparator();
    menus.connection->addActions({m_actions.save, m_actions.revert, m_actions.duplicate, m_actions.remove});
    QMenu* copy = menus.edit->addMenu(tr("Copy connections"));
    m_list->fillCopyMenu(copy);
}

QWidget* ConnectionsPageWidget::filterField() { return m_filter; }

void ConnectionsPageWidget::activated()
{
    m_shown = true;
    load();
    updateActions();
    (m_defs.empty() && m_loaded ? static_cast<QWidget*>(m_editor->form()->urlField()) : m_list)->setFocus();
}

void ConnectionsPageWidget::deactivated()
{
    m_shown = false;
    updateActions();
}

void ConnectionsPageWidget::saveState() { m_context.settings.setValue(QStringLiteral("connections/split"), m_split->saveState()); }

bool ConnectionsPageWidget::mayClose()
{
    stash();
    if (m_drafts.empty())
        return true;
    QStringList names;
    for (const auto& draft : m_drafts)
        names << (draft.first.isEmpty() ? tr("a new connection") : draft.first);
    QMessageBox ask(QMessageBox::Question, tr("Unsaved connections"), tr("Changes of %1 are not saved.").arg(names.join(QStringLiteral(", "))), QMessageBox::NoButton, this);
    auto* discard = ask.addButton(tr("Discard changes"), QMessageBox::DestructiveRole);
    auto* back = ask.addButton(tr("Go back"), QMessageBox::RejectRole);
    ask.setDefaultButton(back);
    ask.exec();
    if (ask.clickedButton() == discard)
        return true;
    m_context.go.showConnection(m_drafts.begin()->first);
    return false;
}

void ConnectionsPageWidget::snapshotChanged(const SnapshotPtr& snapshot)
{
    std::map<QString, QStringList> users;
    for (const SyncView& sync : snapshot->syncs)
        for (const std::string& name : {sync.source, sync.target})
            if (QStringList& all = users[text(name)]; !all.contains(text(sync.name)))
                all << text(sync.name);
    const bool moved = users != m_users;
    m_users = std::move(users);
    if (m_loaded && snapshot->connections != m_connectionsSeen)
        load();                                                   // the demo, an import or the command line made or removed one
    m_connectionsSeen = snapshot->connections;
    if (moved)
        showRows();
}

QStringList ConnectionsPageWidget::usersOf(const QString& name) const
{
    const auto users = m_users.find(name);
    return users == m_users.end() ? QStringList() : users->second;
}

void ConnectionsPageWidget::load()
{
    struct Answer { std::vector<ConnectorSpec> specs; Result<std::vector<ConnectionDef>> defs; };
    m_context.calls.run(this, [](Engine& engine) { return Answer{engine.connectors(), engine.connections()}; }, [this](Answer answer) {
        if (!answer.defs)
            return m_banner->say(answer.defs.error(), tr("Try again"), [this] { load(); });
        m_banner->hide();
        const bool first = !m_loaded;
        m_loaded = true;
        m_defs = std::move(*answer.defs);
        if (!m_haveConnectors) {
            m_haveConnectors = true;
            m_model->setConnectors(answer.specs);
            m_editor->setConnectors(std::move(answer.specs));
        }
        // what was saved, here or elsewhere, with the places that its secrets have now
        for (const ConnectionDef& def : m_defs)
            if (!m_editor->isNew() && def.name == m_editor->saved().name && !(def == m_editor->saved()) && !m_editor->dirty())
                m_editor->load(def, false);
        showRows();
        if (const QString wanted = std::exchange(m_wanted, {}); !wanted.isNull()) {
            if (wanted.startsWith(QLatin1Char('+')))
                openNew(wanted.mid(1));
            else
                select(wanted);
        } else if (first) {
            const QModelIndex head = m_model->index(m_model->rowCount(m_model->index(0, 0)) > 0 ? 0 : 1, 0);
            if (const QModelIndex top = m_model->index(0, 0, head); top.isValid())
                m_list->setCurrentIndex(top);
            else
                openNew({});
        }
    });
}

void ConnectionsPageWidget::showRows()
{
    std::vector<ConnectionRow> rows;
    QStringList names;
    int stored = 0, environment = 0, files = 0, keychain = 0;
    for (const ConnectionDef& def : m_defs) {
        const QString name = text(def.name);
        names << name;
        if (m_removing.count(name))
            continue;
        const bool edited = m_drafts.count(name) || (m_haveConnectors && key() == name && m_editor->dirty());
        rows.push_back({def, usersOf(name), LastTest::read(m_context.settings, name), edited});
        for (const auto& secret : def.secrets)
            ++(secret.second.kind == SecretRef::Kind::Env ? environment : secret.second.kind == SecretRef::Kind::File ? files : secret.second.kind == SecretRef::Kind::Keychain ? keychain : stored);
    }
    QStringList places;
    const auto place = [&](const QString& words, int n) { if (n > 0) places << QStringLiteral("%1 (%2)").arg(words).arg(n); };
    place(tr("stored in this home"), stored);
    place(tr("environment variable"), environment);
    place(tr("file"), files);
    place(tr("keychain"), keychain);
    m_places->setText(places.isEmpty() ? tr("Passwords: none") : tr("Passwords: %1").arg(places.join(QStringLiteral(", "))));

    const bool none = rows.empty() && m_loaded;
    m_arranging = true;
    bool moved = m_model->setRows(std::move(rows));
    moved = m_model->setFilter(m_filter->text(), QString::fromLatin1(kEnvironments[std::max(0, m_environments->current())])) || moved;
    if (moved) {
        m_list->expandAll();
        if (const QModelIndex at = m_model->find(key()); at.isValid())
            m_list->setCurrentIndex(at);
    }
    m_arranging = false;
    const auto counted = [this](const QString& word, const char* code) { return QStringLiteral("%1 %2").arg(word).arg(*code ? m_model->count(QString::fromLatin1(code)) : m_model->total()); };
    m_environments->setOptions({counted(tr("All"), ""), counted(QStringLiteral("PROD"), "prod"), counted(QStringLiteral("STAGE"), "stage"), counted(QStringLiteral("DEV"), "dev"),
        counted(QStringLiteral("LOCAL"), "local")});
    m_list->setVisible(!none);
    m_empty->setVisible(none);
    m_editor->setTakenNames(names);
    m_editor->setUsers(m_editor->isNew() ? QStringList() : usersOf(key()));
    updateActions();
}

void ConnectionsPageWidget::stash()
{
    if (!m_haveConnectors)
        return;
    if (m_editor->dirty())
        m_drafts[key()] = m_editor->draft();
    else
        m_drafts.erase(key());
}

void ConnectionsPageWidget::showConnection(const QString& name)
{
    const auto def = std::find_if(m_defs.begin(), m_defs.end(), [&](const ConnectionDef& one) { return text(one.name) == name; });
    if (def == m_defs.end() || (!m_editor->isNew() && key() == name))
        return;
    stopTest();
    stash();
    m_confirm->cancel();
    m_formBanner->hide();
    const auto draft = m_drafts.find(name);
    m_editor->load(*def, false, draft == m_drafts.end() ? nullptr : &draft->second);
    if (const auto known = m_known.find(name); known != m_known.end())
        m_test->finish(known->second.report, known->second.atMs);
    else
        m_test->clear();
    editorChanged();
}

void ConnectionsPageWidget::openNew(const QString& url)
{
    if (!m_haveConnectors) {
        m_wanted = QLatin1Char('+') + url;
        return;
    }
    stopTest();
    stash();
    m_confirm->cancel();
    m_formBanner->hide();
    m_test->clear();
    m_arranging = true;
    m_list->setCurrentIndex({});
    m_list->clearSelection();
    m_arranging = false;
    QStringList names;
    for (const ConnectionDef& def : m_defs)
        names << text(def.name);
    m_editor->setTakenNames(names);
    if (const auto draft = m_drafts.find(QString()); draft != m_drafts.end() && url.isEmpty())
        m_editor->load({}, true, &draft->second);
    else
        m_editor->startNew(url);
    editorChanged();
    m_editor->focusFirst();
}

void ConnectionsPageWidget::select(const QString& name)
{
    if (!m_loaded) {
        m_wanted = name;
        return;
    }
    if (name.isEmpty())
        return openNew({});
    m_filter->setFilter({});
    m_environments->setCurrent(0);
    showRows();
    if (const QModelIndex at = m_model->find(name); at.isValid()) {
        m_list->setCurrentIndex(at);
        m_list->scrollTo(at);
        showConnection(name);
    }
}

void ConnectionsPageWidget::editorChanged()
{
    if (const auto known = m_known.find(key()); known != m_known.end())
        m_test->setOutdated(known->second.url != m_editor->form()->url());
    showRows();
}

void ConnectionsPageWidget::updateActions()
{
    const bool ready = m_haveConnectors;
    const QString problem = ready ? m_editor->problem() : QString();
    const bool dirty = ready && m_editor->dirty(), isNew = m_editor->isNew();
    const bool fine = ready && problem.isEmpty();
    m_actions.create->setEnabled(ready && m_shown);
    m_actions.test->setEnabled(fine && m_shown && !m_test->running());
    m_actions.duplicate->setEnabled(ready && !isNew && m_shown);
    m_actions.import->setEnabled(bool(m_context.readFile) && m_shown);
    m_actions.save->setEnabled(fine && dirty && !m_saving && m_shown);
    m_actions.revert->setEnabled(dirty && !m_saving && m_shown);
    m_actions.remove->setEnabled(ready && !isNew && m_shown);
    m_actions.use->setEnabled(fine && !dirty && !isNew && m_editor->source() && m_shown);
    m_actions.paste->setEnabled(ready && m_shown);
    m_test->button()->setEnabled(fine || m_test->running());
    m_save->setEnabled(fine && dirty && !m_saving);
    m_save->setText(m_saving ? tr("Saving…") : tr("Save"));
    m_revert->setEnabled(dirty && !m_saving);
    m_use->setEnabled(fine && !dirty && !isNew && m_editor->source());
    QString words = dirty ? problem.isEmpty() ? tr("Unsaved changes") : problem : isNew ? tr("Paste a URL or fill in the fields.") : tr("No unsaved changes");
    if (!dirty && !isNew && ready && !m_editor->source())
        words = tr("No unsaved changes. A new sync starts from its source.");
    else if (dirty && problem.isEmpty())
        words = tr("Unsaved changes. Save before using it in a sync.");
    m_state->setText(words);
    setLook(m_state, "look", dirty && !problem.isEmpty() ? "warningCaption" : "caption");
}

void ConnectionsPageWidget::runTest()
{
    if (!m_haveConnectors || !m_editor->problem().isEmpty())
        return;
    stopTest();
    const ConnectionDraft draft = m_editor->draft();
    const QString name = key(), url = text(draft.def.url);
    m_testing = name;
    m_formBanner->hide();
    m_test->begin();
    updateActions();
    // stages of a test that was stopped may still arrive
    auto current = std::make_shared<bool>(true);
    m_testMark = current;
    const auto post = m_context.calls.poster(this);
    m_testCall = m_context.calls.run(this, [draft, post, current, this](Engine& engine, std::stop_token stop) {
        return engine.test(draft.def, draft.typed, [post, current, this](const TestStage& stage) {
            post([this, current, stage] { if (*current) m_test->add(stage); });
        }, stop);
    }, [this, name, url](TestReport report) { testDone(name, url, std::move(report)); });
}

void ConnectionsPageWidget::stopTest()
{
    if (!m_test->running())
        return;
    m_testCall.cancel();
    if (m_testMark)
        *m_testMark = false;
    m_test->cancelled();
    updateActions();
}

void ConnectionsPageWidget::testDone(const QString& name, const QString& url, TestReport report)
{
    const std::int64_t at = QDateTime::currentMSecsSinceEpoch();
    m_test->finish(report, at);
    LastTest last{at, 0, 0, 0, text(report.server.version), url, {}};
    for (const TestStage& stage : report.stages) {
        last.passed += stage.outcome == TestStage::Outcome::Passed;
        last.warnings += stage.outcome == TestStage::Outcome::Warning;
        last.failed += stage.outcome == TestStage::Outcome::Failed;
        if (stage.outcome == TestStage::Outcome::Failed && last.failure.isEmpty())
            last.failure = text(stage.label);
    }
    if (report.error && last.failed == 0) {
        last.failed = 1;
        last.failure = text(report.error->id);
    }
    m_known[name] = {std::move(report), at, url};
    if (!name.isEmpty())
        last.write(m_context.settings, name);
    else
        m_lastOfNew = last;
    editorChanged();
}

void ConnectionsPageWidget::save()
{
    if (!m_haveConnectors || !m_editor->problem().isEmpty() || !m_editor->dirty() || m_saving)
        return;
    const ConnectionDraft draft = m_editor->draft();
    const QStringList users = usersOf(key());
    if (m_editor->isNew() || m_editor->saved().environment != "prod" || draft.def.url == m_editor->saved().url)
        return saveNow(draft);
    const QString words = users.isEmpty() ? tr("Changes where %1 is. No sync uses it.").arg(key()) : tr("%1 will connect to %2 from their next run on.")
        .arg(users.join(QStringLiteral(", ")), placeOf(draft.def.url, m_editor->form()->spec()));
    m_confirm->ask(words, tr("Save"), key(), [this, draft] { saveNow(draft); });
}

void ConnectionsPageWidget::saveNow(const ConnectionDraft& draft)
{
    m_saving = true;
    updateActions();
    const QString before = key();
    m_context.calls.run(this, [draft](Engine& engine) { return engine.saveConnection(draft.def, draft.typed); }, [this, draft, before](Result<> saved) {
        m_saving = false;
        updateActions();
        if (!saved)
            return m_formBanner->say(saved.error());
        const QString name = text(draft.def.name);
        m_formBanner->hide();
        m_drafts.erase(before);
        if (before.isEmpty())
            if (const auto known = m_known.find(QString()); known != m_known.end()) {
                if (m_lastOfNew.url == text(draft.def.url))
                    m_lastOfNew.write(m_context.settings, name);
                m_known[name] = std::move(known->second);
                m_known.erase(known);
            }
        m_context.toasts.show(tr("%1 saved.").arg(name));
        m_context.monitor.sampleNow();
        if (key() == before) {
            m_editor->load(draft.def, false);
            m_wanted = name;
        }
        load();
    });
}

void ConnectionsPageWidget::duplicate()
{
    if (m_editor->isNew())
        return;
    const ConnectionDraft now = m_editor->draft();
    openNew(text(now.def.url));
    const int at = m_editor->environment()->findData(text(now.def.environment));
    m_editor->environment()->setCurrentIndex(at);
    emit m_editor->environment()->activated(at);
    // a place is copied, a secret that Millrace keeps is not: it belongs to the name
    for (const auto& secret : now.def.secrets)
        if (secret.second.kind == SecretRef::Kind::Env || secret.second.kind == SecretRef::Kind::File)
            m_editor->secretPlace()->set(secret.second);
    m_editor->name()->setFocus();
    m_editor->name()->selectAll();
    editorChanged();
}

void ConnectionsPageWidget::remove()
{
    if (m_editor->isNew())
        return;
    const QString name = key();
    if (const QStringList users = usersOf(name); !users.isEmpty())
        return m_formBanner->say(Banner::Kind::Warning, tr("%1 is used by %2. Remove or change the syncs first.").arg(name, users.join(QStringLiteral(", "))),
            tr("Show them"), [this] { m_editor->setTab(ConnectionEditor::UsedBy); });
    const QModelIndex at = m_list->currentIndex();
    QModelIndex next = m_list->indexBelow(at);
    if (!m_model->row(next))
        next = m_list->indexAbove(at);
    const ConnectionRow* neighbour = m_model->row(next);
    const QString nextName = neighbour ? text(neighbour->def.name) : QString();
    m_drafts.erase(name);
    m_removing.insert(name);
    m_editor->startNew({});
    if (nextName.isEmpty())
        openNew({});
    else
        select(nextName);
    showRows();
    m_context.toasts.show(tr("%1 deleted.").arg(name), [this, name] { m_removing.erase(name); select(name); }, [this, name] {
        m_context.calls.run(this, [name = name.toStdString()](Engine& engine) { return engine.removeConnection(name); }, [this, name](Result<> removed) {
            m_removing.erase(name);
            if (!removed)
                m_banner->say(removed.error());
            m_context.monitor.sampleNow();
            load();
        });
    });
}

void ConnectionsPageWidget::useInSync()
{
    if (!m_editor->isNew() && m_editor->source())
        m_context.go.newSync(key());
}

void ConnectionsPageWidget::rowMenu(const QPoint& at)
{
    QMenu menu(this);
    menu.addActions({m_actions.test, m_actions.use, m_actions.duplicate});
    menu.addSeparator();
    m_list->fillCopyMenu(menu.addMenu(tr("Copy")));
    m_list->fillColumnMenu(menu.addMenu(tr("Columns")));
    menu.addAction(m_actions.remove);
    menu.exec(at);
}

ConnectionsPage makeConnectionsPage(const Context& context, QWidget* parent)
{
    auto* page = new ConnectionsPageWidget(context, parent);
    return {page, page};
}

} // namespace millrace::ui
