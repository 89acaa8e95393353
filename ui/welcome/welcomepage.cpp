#include "ui/welcome/welcomepage.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/format.h"
#include "ui/widgets/iconlabel.h"
#include "ui/widgets/look.h"
#include "ui/widgets/toast.h"
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QDir>
#include <QFileInfo>
#include <QGridLayout>
#include <QKeyEvent>
#include <QLineEdit>
#include <QScrollArea>
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

//! What a connector of this build does, in the words of the table. Unknown ones are shown by their label alone.
struct Support { const char* id; const char* reads; const char* writes; };
const Support kSupport[] = {
    {"mariadb", QT_TRANSLATE_NOOP("Welcome", "by update time, or whole tables"), nullptr},
    {"mysql", QT_TRANSLATE_NOOP("Welcome", "by update time, or whole tables"), nullptr},
    {"postgresql", QT_TRANSLATE_NOOP("Welcome", "by update time, or whole tables"), nullptr},
    {"sqlite", QT_TRANSLATE_NOOP("Welcome", "by update time, or whole tables"), nullptr},
    {"mongodb", nullptr, QT_TRANSLATE_NOOP("Welcome", "one document per row, under its key")},
    {"elasticsearch", nullptr, QT_TRANSLATE_NOOP("Welcome", "an index behind an alias")},
    {"opensearch", nullptr, QT_TRANSLATE_NOOP("Welcome", "an index behind an alias")},
    {"redis", nullptr, QT_TRANSLATE_NOOP("Welcome", "JSON or hashes under a key prefix")},
    {"embedded", nullptr, QT_TRANSLATE_NOOP("Welcome", "the same documents in one file")},
    {"null", nullptr, QT_TRANSLATE_NOOP("Welcome", "counts rows and keeps none, for measuring")},
};

void clear(QGridLayout* grid)
{
    while (QLayoutItem* item = grid->takeAt(0)) {
        delete item->widget();
        delete item;
    }
}

void addPair(QGridLayout* grid, const QString& label, const QString& words)
{
    const int row = grid->rowCount();
    grid->addWidget(makeLabel(label), row, 0, Qt::AlignTop);
    auto* what = makeLabel(words, "secondary");
    what->setWordWrap(true);
    grid->addWidget(what, row, 1);
}

QGridLayout* pairs(QVBoxLayout* column, const QString& title)
{
    column->addWidget(makeLabel(title.toUpper(), "captionBold"));
    auto* grid = new QGridLayout;
    grid->setHorizontalSpacing(14);
    grid->setVerticalSpacing(7);
    grid->setColumnStretch(1, 1);
    column->addLayout(grid);
    column->addStretch(1);
    return grid;
}

} // namespace

WayCard::WayCard(const QString& iconName, const QString& title, const QString& subtitle, const QString& keys, bool main, QWidget* parent)
    : QFrame(parent), m_steps(new QGridLayout), m_buttons(new QHBoxLayout)
{
    setAttribute(Qt::WA_StyledBackground);
    setProperty("surface", main ? "cardMain" : "card");
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(18, 14, 18, 14);
    column->setSpacing(12);
    auto* head = new QHBoxLayout;
    head->setSpacing(12);
    head->addWidget(new IconLabel(iconName, 32, main ? Role::Accent : Role::Text, this));
    auto* words = new QVBoxLayout;
    words->setSpacing(1);
    words->addWidget(makeLabel(title, "section", this));
    auto* more = makeLabel(subtitle, "secondary", this);
    more->setWordWrap(true);
    words->addWidget(more);
    head->addLayout(words, 1);
    head->addWidget(makeLabel(keys, "caption", this));
    column->addLayout(head);
    column->addWidget(makeLine(Qt::Horizontal, this));
    m_steps->setHorizontalSpacing(10);
    m_steps->setVerticalSpacing(9);
    m_steps->setColumnMinimumWidth(0, 44);
    m_steps->setColumnStretch(1, 1);
    column->addLayout(m_steps);
    column->addStretch(1);
    m_buttons->setSpacing(8);
    column->addLayout(m_buttons);
}

void WayCard::setSteps(const QList<Step>& steps)
{
    clear(m_steps);
    int row = 0;
    for (const Step& step : steps) {
        m_steps->addWidget(makeLabel(step.when, "secondary", this), row, 0, Qt::AlignTop | Qt::AlignRight);
        auto* what = makeLabel(step.what, nullptr, this);
        what->setWordWrap(true);
        m_steps->addWidget(what, row++, 1, Qt::AlignTop);
    }
}

void WayCard::addButton(QWidget* button, int stretch) { m_buttons->addWidget(button, stretch); }

WelcomePage::WelcomePage(const Context& context, QWidget* parent) : Page(parent), m_context(context)
{
    auto* outer = new QVBoxLayout(this);
    outer->setContentsMargins(0, 0, 0, 0);
    auto* area = new QScrollArea(this);
    area->setWidgetResizable(true);
    area->setFrameShape(QFrame::NoFrame);
    area->setFocusPolicy(Qt::NoFocus);
    area->setHorizontalScrollBarPolicy(Qt::ScrollBarAlwaysOff);
    auto* inner = makeSurface("window", area);
    auto* column = new QVBoxLayout(inner);
    column->setContentsMargins(32, 26, 32, 16);
    column->setSpacing(16);
    auto* head = new QVBoxLayout;
    head->setSpacing(4);
    m_title = makeLabel(tr("No syncs yet"), "big", inner);
    head->addWidget(m_title);
    head->addWidget(makeLabel(tr("Millrace copies tables into document stores, keeps them in step, and proves that they are."), "secondary", inner));
    column->addLayout(head);
    m_banner = new Banner(inner);
    column->addWidget(m_banner);
    column->addWidget(makeCards(), 4);
    column->addWidget(makeSupport(), 0);
    column->addWidget(makeMachine(), 0);
    column->addWidget(makeFooter());
    column->addStretch(1);
    area->setWidget(inner);
    outer->addWidget(area);

    auto* paste = new QAction(this);
    paste->setShortcut(QKeySequence::Paste);
    paste->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    connect(paste, &QAction::triggered, this, [this] { openUrl(QApplication::clipboard()->text()); });
    addAction(paste);
}

QWidget* WelcomePage::makeCards()
{
    auto* box = new QWidget(this);
    auto* row = new QHBoxLayout(box);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(16);

    auto* demo = new WayCard(QStringLiteral("media-playback-start"), tr("Try the demo"), tr("No server, no network, about 30 seconds"), tr("Alt+T"), true, box);
    demo->setSteps({{tr("first"), tr("A shop with 7 tables and about 25,000 rows and an embedded document store are made on this machine")},
        {tr("then"), tr("Its sync starts by itself; progress, rows/s and lag are in the window you will use later")},
        {tr("proof"), tr("Source and target are compared, and only what is identical turns green")}, {tr("play"), tr("Change a row and watch it arrive, or break one and repair it")}});
    m_demo = makeButton(tr("Try the demo"), QStringLiteral("media-playback-start"), "main", demo);
    m_demo->setEnabled(bool(m_context.demo));
    connect(m_demo, &QPushButton::clicked, this, [this] { m_context.go.tryDemo(); });
    demo->addButton(m_demo);
    auto* removed = makeLabel(m_context.demo ? tr("removed again with one click") : tr("not part of this build"), "caption", demo);
    removed->setWordWrap(true);
    demo->addButton(removed, 1);

    auto* own = new WayCard(QStringLiteral("server-database"), tr("Connect a database"), tr("Reads only, until you decide otherwise"), tr("Ctrl+Shift+N"), false, box);
    own->setSteps({{QStringLiteral("1"), tr("Paste a URL or fill in host and user")}, {QStringLiteral("2"), tr("Test: name, TCP, TLS, login and privileges, each with its time and a fix to copy")},
        {QStringLiteral("3"), tr("Tick tables; Millrace proposes key, cursor and strategy for each and says why")}, {QStringLiteral("4"), tr("Review the plan in plain sentences, dry-run it, create")}});
    auto* connectButton = makeButton(tr("Connect a database"), QStringLiteral("server-database"), nullptr, own);
    m_url = new QLineEdit(own);
    m_url->setPlaceholderText(tr("or paste a URL"));
    m_url->setToolTip(tr("The URL of a database; Ctrl+V anywhere on this page does the same"));
    m_url->setAccessibleName(tr("URL of a database"));
    m_url->setMinimumWidth(96);
    connect(connectButton, &QPushButton::clicked, this, [this] { const QString url = m_url->text().trimmed(); m_url->clear(); m_context.go.newConnection(url); });
    connect(m_url, &QLineEdit::returnPressed, this, [this] { openUrl(m_url->text()); });
    // what is pasted whole goes on at once; a typed one waits for Enter
    connect(m_url, &QLineEdit::textEdited, this, [this, before = qsizetype(0)](const QString& words) mutable {
        const bool pasted = words.size() - before > 8;
        before = words.size();
        if (pasted && parseUrl(words.trimmed().toStdString()))
            openUrl(words);
    });
    own->addButton(connectButton);
    own->addButton(m_url, 1);

    m_import = new WayCard(QStringLiteral("document-import"), tr("Import settings"), tr("From the service you replace"), tr("Ctrl+Shift+I"), false, box);
    m_import->setSteps({{QStringLiteral(".env"), tr("MYSQL_…, MONGODB_… and SYNC_… settings become two connections and a sync")},
        {QStringLiteral(".yml"), tr("A sync file of Millrace, written by hand or exported by the command line")}, {tr("drop"), tr("Drop a file anywhere in this window")},
        {tr("first"), tr("You see what would be added or changed; nothing is imported before")}});
    m_importFile = makeButton({}, QStringLiteral("document-import"), nullptr, m_import);
    connect(m_importFile, &QPushButton::clicked, this, [this] { m_context.go.importSettings(m_file); });
    m_importFile->hide();
    auto* choose = makeButton(tr("Choose file…"), {}, nullptr, m_import);
    setAccessible(choose, tr("Choose a settings file"));
    choose->setEnabled(bool(m_context.readFile));
    connect(choose, &QPushButton::clicked, this, [this] { m_context.go.importSettings({}); });
    m_import->addButton(m_importFile);
    m_import->addButton(choose);
    m_import->addButton(makeLabel(m_context.readFile ? QString() : tr("not part of this build"), "caption", m_import), 1);
    for (WayCard* card : {demo, own, m_import})
        row->addWidget(card, 1);
    box->setMinimumHeight(270);
    return box;
}

QWidget* WelcomePage::makeSupport()
{
    auto* card = makeSurface("card", this);
    auto* row = new QHBoxLayout(card);
    row->setContentsMargins(18, 14, 18, 14);
    row->setSpacing(18);
    const auto column = [&](const QString& title, int stretch) {
        if (row->count() > 0)
            row->addWidget(makeLine(Qt::Vertical, card));
        auto* words = new QVBoxLayout;
        words->setSpacing(9);
        row->addLayout(words, stretch);
        return pairs(words, title);
    };
    m_reads = column(tr("Reads from"), 4);
    m_writes = column(tr("Writes to"), 4);
    QGridLayout* rely = column(tr("What you can rely on"), 5);
    addPair(rely, tr("Source"), tr("sessions are read only"));
    addPair(rely, tr("Progress"), tr("moves only after the target has confirmed"));
    addPair(rely, tr("Green"), tr("means compared and identical, never just “no error”"));
    addPair(rely, tr("Deletes"), tr("more than 5 % in a run stop and ask"));
    addPair(rely, tr("Passwords"), tr("encrypted file, keychain or a reference; never in the log"));
    return card;
}

QWidget* WelcomePage::makeMachine()
{
    auto* card = makeSurface("card", this);
    auto* column = new QVBoxLayout(card);
    column->setContentsMargins(18, 12, 18, 12);
    column->setSpacing(8);
    auto* head = new QHBoxLayout;
    head->addWidget(makeLabel(tr("This machine").toUpper(), "captionBold", card));
    head->addStretch(1);
    m_checked = makeLabel(tr("Looking…"), "caption", card);
    head->addWidget(m_checked);
    column->addLayout(head);
    m_machine = new QGridLayout;
    m_machine->setHorizontalSpacing(8);
    m_machine->setVerticalSpacing(7);
    column->addLayout(m_machine);
    return card;
}

QWidget* WelcomePage::makeFooter()
{
    auto* foot = new QWidget(this);
    auto* row = new QHBoxLayout(foot);
    row->setContentsMargins(0, 0, 0, 0);
    row->setSpacing(12);
    auto* words = makeLabel(tr("Drop a .env, .yml or .sqlite file anywhere in this window, or press Ctrl+V with a database URL."), "secondary", foot);
    words->setWordWrap(true);
    row->addWidget(words, 1);
    auto* keys = makeButton(tr("Shortcuts  F1"), {}, "link", foot);
    connect(keys, &QPushButton::clicked, this, [this] { m_context.go.showShortcuts(); });
    auto* line = makeButton(tr("Command line"), {}, "link", foot);
    connect(line, &QPushButton::clicked, this, [this] {
        QApplication::clipboard()->setText(QStringLiteral("millrace-cli --help"));
        m_context.toasts.show(tr("“millrace-cli --help” is on the clipboard: it does all of this in a terminal."));
    });
    row->addWidget(keys);
    row->addWidget(line);
    return foot;
}

void WelcomePage::snapshotChanged(const SnapshotPtr& snapshot) { m_title->setText(snapshot->syncs.empty() ? tr("No syncs yet") : tr("Welcome")); }

void WelcomePage::activated() { (m_demo->isEnabled() ? static_cast<QWidget*>(m_demo) : m_url)->setFocus(); }

void WelcomePage::showEvent(QShowEvent* event)
{
    Page::showEvent(event);
    if (!m_looked)
        look();
}

// Alt+T also opens the menu Tools: inside this page the key belongs to the demo
bool WelcomePage::event(QEvent* event)
{
    if (event->type() == QEvent::ShortcutOverride || event->type() == QEvent::KeyPress) {
        const auto* key = static_cast<QKeyEvent*>(event);
        if (key->key() == Qt::Key_T && key->modifiers() == Qt::AltModifier && m_demo->isEnabled()) {
            event->accept();
            if (event->type() == QEvent::KeyPress)
                m_demo->click();
            return true;
        }
    }
    return Page::event(event);
}

void WelcomePage::openUrl(const QString& words)
{
    const QString url = words.trimmed();
    if (url.isEmpty())
        return;
    if (const auto parsed = parseUrl(url.toStdString()); !parsed)
        return m_banner->say(parsed.error());
    m_banner->hide();
    m_url->clear();                                               // it may hold a password
    m_context.go.newConnection(url);
}

void WelcomePage::look()
{
    m_looked = true;
    struct Answer { std::vector<ConnectorSpec> specs; MachineFacts machine; };
    m_context.calls.run(this, [home = m_context.home, start = QDir::currentPath()](Engine& engine) { return Answer{engine.connectors(), lookAtMachine(home, start)}; },
        [this](Answer answer) {
            showConnectors(answer.specs);
            showMachine(answer.machine);
            if (!answer.machine.settingsFile.isEmpty() && m_context.readFile)
                previewSettings(answer.machine.settingsFile);
        });
}

void WelcomePage::showConnectors(const std::vector<ConnectorSpec>& specs)
{
    clear(m_reads);
    clear(m_writes);
    QStringList drivers;
    for (const ConnectorSpec& spec : specs) {
        const Support* known = nullptr;
        for (const Support& one : kSupport)
            if (spec.id == one.id)
                known = &one;
        const auto words = [&](const char* what) { return what ? QCoreApplication::translate("Welcome", what) : QString(); };
        const QString label = shortLabel(spec.label);
        if (spec.source)
            addPair(m_reads, label, words(known ? known->reads : nullptr));
        if (spec.target)
            addPair(m_writes, label, words(known ? known->writes : nullptr));
        if (spec.id != "null" && spec.id != "embedded")
            drivers << label;
    }
    m_drivers = drivers.join(QStringLiteral(", "));
}

void WelcomePage::showMachine(const MachineFacts& machine)
{
    m_facts = machine;
    clear(m_machine);
    QList<MachineFact> facts = machine.facts;
    facts.insert(1, {MachineFact::Kind::Fine, tr("Drivers"), m_drivers, {}});
    const int columns = 2;
    int i = 0;
    for (const MachineFact& fact : facts) {
        struct Look { const char* icon; Role role; };
        static const Look looks[] = {{"dialog-ok-apply", Role::Secondary}, {"data-information", Role::Accent}, {"data-warning", Role::Lagging}, {"data-error", Role::Failed}};
        const Look& shown = looks[int(fact.kind)];
        const int row = i / columns, column = i % columns * 4;
        m_machine->addWidget(new IconLabel(QString::fromLatin1(shown.icon), 16, shown.role, this), row, column);
        m_machine->addWidget(makeLabel(fact.label), row, column + 1);
        auto* value = new ElidedLabel(fact.value, "secondary");
        value->setSizePolicy(QSizePolicy::Ignored, QSizePolicy::Preferred);
        m_machine->addWidget(value, row, column + 2);
        m_machine->setColumnMinimumWidth(column + 1, 96);
        m_machine->setColumnStretch(column + 2, 1);
        if (fact.kind == MachineFact::Kind::Failed || fact.kind == MachineFact::Kind::Warning)
            m_banner->say(fact.kind == MachineFact::Kind::Failed ? Banner::Kind::Error : Banner::Kind::Warning, tr("%1: %2. %3").arg(fact.label, fact.value, fact.fix),
                tr("Check again"), [this] { m_banner->hide(); look(); });
        ++i;
    }
    m_checked->setText(tr("checked in %1").arg(milliseconds(machine.ms)));
}

void WelcomePage::previewSettings(const QString& path)
{
    struct Answer { Result<SyncFile> file; };
    m_context.calls.run(this, [read = m_context.readFile, path](Engine&) {
        std::map<std::string, Secret> typed;
        return Answer{read(path.toStdString(), typed)};
    }, [this, path](Answer answer) {
        const QString name = QFileInfo(path).fileName();
        if (!answer.file)
            return;                                               // a file of somebody else; Choose file… says what is wrong with it
        m_file = path;
        QList<WayCard::Step> steps{{tr("file"), tr("%1 in the folder you started from").arg(name)}};
        for (const ConnectionDef& def : answer.file->connections) {
            const auto url = parseUrl(def.url);
            steps << WayCard::Step{url ? text(url->scheme) : QString(), url && !url->hosts.empty() ? tr("%1, database %2").arg(text(url->host()), text(url->path)) : text(def.url)};
        }
        for (const SyncDef& def : answer.file->syncs)
            steps << WayCard::Step{tr("sync"), def.every.empty() ? text(def.name) : tr("%1, every %2").arg(text(def.name), text(def.every))};
        steps = steps.mid(0, 6);
        steps << WayCard::Step{tr("first"), tr("You see what would be added or changed; nothing is imported before")};
        m_import->setSteps(steps);
        m_importFile->setText(tr("Import %1").arg(name));
        m_importFile->setAccessibleName(m_importFile->text());
        m_importFile->show();
    });
}

Page* makeWelcomePage(const Context& context, QWidget* parent) { return new WelcomePage(context, parent); }

} // namespace millrace::ui
