#include "ui/shell/mainwindow.h"
#include "ui/shell/palettebox.h"
#include "ui/shell/rail.h"
#include "ui/shell/shortcuts.h"
#include "ui/shell/statusstrip.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/format.h"
#include "ui/widgets/icons.h"
#include "ui/widgets/look.h"
#include "ui/widgets/statewords.h"
#include "ui/widgets/stripe.h"
#include "ui/widgets/toast.h"
#include <QDialog>
#include <QActionGroup>
#include <QApplication>
#include <QClipboard>
#include <QCloseEvent>
#include <QDragEnterEvent>
#include <QHBoxLayout>
#include <QLabel>
#include <QMenuBar>
#include <QMimeData>
#include <QStackedWidget>
#include <QTextBrowser>
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

// Nothing to show: for windows without a log source
class NoLog final : public LogFeed {
    std::vector<LogEntry> since(std::uint64_t, std::uint64_t&) const override { return {}; }
};
const NoLog kNoLog;

bool looksLikeUrl(const QString& line)
{
    static const QStringList schemes{QStringLiteral("mysql://"), QStringLiteral("mariadb://"), QStringLiteral("postgres://"), QStringLiteral("sqlite:"),
        QStringLiteral("mongodb://"), QStringLiteral("mongodb+srv://"), QStringLiteral("embedded:"), QStringLiteral("kafka://"), QStringLiteral("redis://"),
        QStringLiteral("elasticsearch://"), QStringLiteral("opensearch://"), QStringLiteral("typesense://")};
    return !line.contains(QLatin1Char('\n')) && std::any_of(schemes.begin(), schemes.end(), [&](const QString& scheme) { return line.startsWith(scheme); });
}

} // namespace

MainWindow::MainWindow(Engine& engine, Theme& theme, Setup setup) : m_engine(engine), m_theme(theme), m_setup(std::move(setup))
{
    setWindowTitle(QStringLiteral("Millrace"));
    setWindowIcon(QIcon(QStringLiteral(":/millrace/millrace.svg")));
    setAcceptDrops(true);
    m_settings = std::make_unique<QSettings>(text(m_setup.home) + QStringLiteral("/window.ini"), QSettings::IniFormat);
    m_theme.set(static_cast<Appearance>(m_settings->value(QStringLiteral("appearance"), 0).toInt()), static_cast<Density>(m_settings->value(QStringLiteral("density"), 0).toInt()));
    m_calls = std::make_unique<EngineCalls>(engine);
    m_monitor = std::make_unique<EngineMonitor>(engine);
    m_toasts = new Toasts(this);
    m_context.reset(new Context{*m_calls, *m_monitor, *m_settings, *m_toasts, m_theme, *this, m_setup.log ? *m_setup.log : static_cast<const LogFeed&>(kNoLog), m_setup.demo,
        m_setup.readFile, m_setup.home});

    auto* middle = new QWidget(this);
    auto* column = new QVBoxLayout(middle);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    auto* row = new QHBoxLayout;
    row->setSpacing(0);
    m_rail = new Rail(middle);
    auto* right = new QVBoxLayout;
    right->setSpacing(0);
    m_stripe = new Stripe(middle);
    m_banner = new Banner(middle);
    m_banner->setClosable(true);
    m_banner->setProperty("edge", true);
    m_stack = new QStackedWidget(middle);
    right->addWidget(m_stripe);
    right->addWidget(m_banner);
    right->addWidget(m_stack, 1);
    row->addWidget(m_rail);
    row->addWidget(makeLine(Qt::Vertical, middle));
    row->addLayout(right, 1);
    column->addLayout(row, 1);
    m_status = new StatusStrip(middle);
    m_status->setVault(m_setup.vault);
    column->addWidget(m_status);
    setCentralWidget(middle);

    makePages();
    makeMenus();
    connect(m_rail, &Rail::chosen, this, qOverload<int>(&MainWindow::showPage));
    connect(m_monitor.get(), &EngineMonitor::changed, this, &MainWindow::apply);
    resize(1440, 900);
    setMinimumSize(760, 480);
    restoreGeometry(m_settings->value(QStringLiteral("window/geometry")).toByteArray());
    showPage(std::clamp(m_settings->value(QStringLiteral("window/page"), 0).toInt(), 0, pageCount() - 1));
    apply(m_monitor->latest());
}

QString MainWindow::storedLanguage(const std::string& home)
{ return QSettings(text(home) + QStringLiteral("/window.ini"), QSettings::IniFormat).value(QStringLiteral("language")).toString(); }

MainWindow::~MainWindow()
{
    // dialogs and pages first: they hold references into the context
    m_calls.reset();
    qDeleteAll(findChildren<QDialog*>(Qt::FindDirectChildrenOnly));
    delete takeCentralWidget();
}

void MainWindow::addPage(Page* added, bool bottom)
{
    m_pages.push_back(added);
    m_stack->addWidget(added);
    m_rail->add(added->iconName(), added->title(), bottom ? Rail::Place::Bottom : Rail::Place::Top);
    connect(added, &Page::environmentChanged, this, [this, added] {
        if (m_stack->currentWidget() == added)
            m_stripe->setEnvironment(added->environment());
    });
}

void MainWindow::makePages()
{
    m_syncs = makeSyncsPage(*m_context, m_stack);
    addPage(m_syncs.page, false);
    if (m_setup.plugins.welcome)
        m_syncs.entry->setWelcome(m_setup.plugins.welcome(*m_context, m_stack));
    if (m_setup.plugins.connections) {
        m_connections = m_setup.plugins.connections(*m_context, m_stack);
        addPage(m_connections.page, false);
    }
    addPage(m_logs = makeLogsPage(*m_context, m_stack), false);
    addPage(m_settingsPage = makeSettingsPage(*m_context, m_stack), true);
}

void MainWindow::makeMenus()
{
    auto* bar = new QFrame(this);
    bar->setAttribute(Qt::WA_StyledBackground);
    bar->setProperty("surface", "toolbar");
    bar->setFixedHeight(29);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(0, 0, 10, 1);
    m_menuBar = new QMenuBar(bar);
    m_menuBar->setNativeMenuBar(false);
    row->addWidget(m_menuBar, 1);
    m_palette = new PaletteBox([this] {
        std::vector<PaletteBox::Entry> entries;
        for (const SyncView& sync : m_monitor->latest()->syncs) {
            entries.push_back({text(sync.name), tr("sync"), QStringLiteral("folder-sync"), [this, name = text(sync.name)] { showSync(name, {}); }});
            for (const TableView& table : sync.tables)
                entries.push_back({text(table.table), text(sync.name), QStringLiteral("table"),
                    [this, name = text(sync.name), label = text(table.table)] { showSync(name, label); }});
        }
        for (const QAction* menu : m_menuBar->actions())
            fillPalette(menu->menu(), QString(menu->text()).remove(QLatin1Char('&')), &entries);
        return entries;
    }, this);
    row->addWidget(m_palette);
    setMenuWidget(bar);

    const auto menu = [this](const QString& title) { return m_menuBar->addMenu(title); };
    const Menus menus{menu(tr("&File")), menu(tr("&Edit")), menu(tr("&View")), menu(tr("&Sync")), menu(tr("&Connection")), menu(tr("&Tools")), menu(tr("&Help"))};
    const auto add = [this](QMenu* to, const QString& words, const QKeySequence& keys, const char* iconName, auto slot) {
        QAction* action = to->addAction(words, this, slot);
        action->setShortcut(keys);
        if (iconName)
            action->setIcon(icon(QString::fromLatin1(iconName)));
        return action;
    };
    add(menus.file, tr("&New sync…"), QKeySequence::New, "list-add", [this] { newSync({}); })->setEnabled(bool(m_setup.plugins.wizard));
    add(menus.file, tr("New &connection…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_N), "server-database", [this] { newConnection({}); })
        ->setEnabled(m_connections.entry != nullptr);
    add(menus.file, tr("&Import settings…"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_I), "document-import", [this] { importSettings({}); })
        ->setEnabled(bool(m_setup.plugins.importer));
    add(menus.file, tr("Try the &demo"), {}, "media-playback-start", [this] { tryDemo(); })->setEnabled(bool(m_setup.demo));
    menus.file->addSeparator();
    add(menus.file, tr("&Quit"), QKeySequence(Qt::CTRL | Qt::Key_Q), nullptr, [this] { close(); });

    add(menus.edit, tr("&Undo"), QKeySequence::Undo, "edit-undo", [this] { m_toasts->undoLast(); });
    add(menus.edit, tr("&Filter"), QKeySequence::Find, "view-filter", [this] {
        if (QWidget* field = page(currentPage())->filterField())
            field->setFocus(Qt::ShortcutFocusReason);
    });
    add(menus.edit, tr("&Go to anything"), QKeySequence(Qt::CTRL | Qt::Key_P), "edit-find", [this] { m_palette->open(); });
    add(menus.edit, tr("&Paste a connection URL"), {}, nullptr, [this] { pasted(); })->setEnabled(m_connections.entry != nullptr);

    for (int i = 0; i < pageCount(); ++i) {
        QAction* action = add(menus.view, page(i)->title(), QKeySequence(QStringLiteral("Ctrl+%1").arg(i + 1)), nullptr, [this, i] { showPage(i); });
        action->setIcon(icon(page(i)->iconName()));
        action->setCheckable(true);
        m_pageActions << action;
    }
    menus.view->addSeparator();
    add(menus.view, tr("&Refresh"), QKeySequence::Refresh, "view-refresh", [this] { m_monitor->sampleNow(); page(currentPage())->refresh(); });
    QMenu* look = menus.view->addMenu(tr("&Appearance"));
    auto* group = new QActionGroup(this);
    const QString words[] = {tr("As the &system"), tr("&Light"), tr("&Dark")};
    for (int i = 0; i < 3; ++i) {
        QAction* action = look->addAction(words[i], this, [this, i] { setAppearance(i); });
        action->setCheckable(true);
        action->setChecked(int(m_theme.appearance()) == i);
        group->addAction(action);
    }
    connect(&m_theme, &Theme::changed, this, [this, group] { group->actions().at(int(m_theme.appearance()))->setChecked(true); });

    for (Page* each : m_pages)
        each->fillMenus(menus);
    menus.tools->addSeparator();
    add(menus.tools, tr("&Logs"), QKeySequence(Qt::CTRL | Qt::Key_L), "view-list-text", [this] { showPage(m_logs); });
    add(menus.tools, tr("&Settings"), QKeySequence(Qt::CTRL | Qt::Key_Comma), "configure", [this] { showPage(m_settingsPage); });
    add(menus.help, tr("&Keyboard shortcuts"), QKeySequence::HelpContents, nullptr, [this] { showShortcuts(); });
    add(menus.help, tr("&About Millrace"), {}, nullptr, [this] {
        m_toasts->show(tr("Millrace %1, free software under the GPL, version 3 or later. Settings and data: %2").arg(QApplication::applicationVersion(), text(m_setup.home)));
    });
    if (menus.connection->isEmpty())
        menus.connection->menuAction()->setVisible(false);
}

void MainWindow::fillPalette(QMenu* menu, const QString& path, void* to) const
{
    auto& entries = *static_cast<std::vector<PaletteBox::Entry>*>(to);
    for (QAction* action : menu->actions()) {
        if (action->isSeparator() || !action->isEnabled() || !action->isVisible())
            continue;
        if (action->menu()) {
            fillPalette(action->menu(), path, to);
            continue;
        }
        QString detail = path;
        if (!action->shortcut().isEmpty())
            detail += QStringLiteral(", ") + action->shortcut().toString(QKeySequence::NativeText);
        entries.push_back({QString(action->text()).remove(QLatin1Char('&')).remove(QStringLiteral("…")), detail, QStringLiteral("dialog-scripts"),
            [guard = QPointer<QAction>(action)] { if (guard) guard->trigger(); }});
    }
}

int MainWindow::currentPage() const { return m_stack->currentIndex(); }

void MainWindow::showPage(const Page* wanted)
{
    for (int i = 0; i < pageCount(); ++i)
        if (page(i) == wanted)
            showPage(i);
}

void MainWindow::showPage(int index)
{
    const int before = m_stack->currentIndex();
    Page* next = page(index);
    if (before >= 0 && before != index)
        page(before)->deactivated();
    m_stack->setCurrentIndex(index);
    m_rail->setCurrent(index);
    for (int i = 0; i < m_pageActions.size(); ++i)
        m_pageActions[i]->setChecked(i == index);
    m_stripe->setEnvironment(next->environment());
    next->snapshotChanged(m_monitor->latest());
    next->activated();
}

void MainWindow::apply(const SnapshotPtr& snapshot)
{
    page(currentPage())->snapshotChanged(snapshot);
    m_status->apply(*snapshot);
    int attention = 0;
    bool onlyLate = true;
    for (const SyncView& sync : snapshot->syncs)
        for (const TableView& table : sync.tables)
            if (needsPerson(table.state)) {
                ++attention;
                onlyLate = onlyLate && table.state == State::Lagging;
            }
    m_rail->item(0)->setBadge(attention, onlyLate);
}

void MainWindow::sayAbove(const Error& error) { m_banner->say(error); }

void MainWindow::setAppearance(int appearance)
{
    m_theme.set(static_cast<Appearance>(appearance), m_theme.density());
    m_settings->setValue(QStringLiteral("appearance"), appearance);
}

void MainWindow::showSync(const QString& sync, const QString& table)
{
    showPage(m_syncs.page);
    m_syncs.entry->select(sync, table);
}

void MainWindow::showConnection(const QString& name)
{
    if (!m_connections.entry)
        return;
    showPage(m_connections.page);
    m_connections.entry->select(name);
}

void MainWindow::newConnection(const QString& url)
{
    if (!m_connections.entry)
        return;
    showPage(m_connections.page);
    m_connections.entry->openNew(url);
}

void MainWindow::newSync(const QString& source)
{
    if (m_setup.plugins.wizard)
        m_setup.plugins.wizard(*m_context, this, source, {}, [this](const QString& made) { m_monitor->sampleNow(); showSync(made, {}); });
}

void MainWindow::editSync(const QString& sync)
{
    if (m_setup.plugins.wizard)
        m_setup.plugins.wizard(*m_context, this, {}, sync, [this](const QString& made) { m_monitor->sampleNow(); showSync(made, {}); });
}

void MainWindow::tryDemo()
{
    if (!m_setup.demo)
        return;
    const QPointer<Toast> busy = m_toasts->show(tr("Making the demo shop…"));
    m_calls->run(this, [create = m_setup.demo.create](Engine&, std::stop_token stop) { return create(stop); }, [this, busy](Result<> made) {
        if (busy)
            busy->dismiss();
        if (!made)
            return sayAbove(made.error());
        m_monitor->sampleNow();
        showSync(text(m_setup.demo.sync), {});
        if (m_setup.demo.prove)
            proveDemo();
    });
}

void MainWindow::proveDemo()
{
    m_calls->run(this, [prove = m_setup.demo.prove](Engine&, std::stop_token stop) { return prove(stop); }, [this](Result<VerifyReport> report) {
        m_monitor->sampleNow();
        if (!report || report->error)
            return sayAbove(report ? *report->error : report.error());
        std::uint64_t rows = 0;
        for (const TableVerdict& table : report->tables)
            rows += table.sourceRows;
        if (report->verdict == Verdict::Identical)
            m_syncs.entry->banner().say(Banner::Kind::Good, tr("%1: %2 rows of %n table(s) are in the store, compared with the shop and identical.", nullptr, int(report->tables.size())).arg(text(m_setup.demo.sync), count(rows)));
        else
            m_syncs.entry->banner().say(Banner::Kind::Warning, tr("The demo's rows are not proven identical, see the column Verified."));
        emit demoProven();
    });
}

void MainWindow::importSettings(const QString& path)
{
    if (m_setup.plugins.importer)
        m_setup.plugins.importer(*m_context, this, path);
}

void MainWindow::showShortcuts()
{
    auto* dialog = new ShortcutsDialog(*m_menuBar, this);
    dialog->setAttribute(Qt::WA_DeleteOnClose);
    dialog->show();
}

void MainWindow::pasted()
{
    const QString line = QApplication::clipboard()->text().trimmed();
    if (looksLikeUrl(line))
        newConnection(line);
    else
        m_toasts->show(tr("The clipboard holds no connection URL."));
}

void MainWindow::closeEvent(QCloseEvent* event)
{
    for (Page* each : m_pages)
        if (!each->mayClose())
            return event->ignore();
    m_toasts->flush();
    m_settings->setValue(QStringLiteral("window/geometry"), saveGeometry());
    m_settings->setValue(QStringLiteral("window/page"), currentPage());
    for (Page* each : m_pages)
        each->saveState();
    m_settings->sync();
    event->accept();
}

void MainWindow::resizeEvent(QResizeEvent* event)
{
    QMainWindow::resizeEvent(event);
    m_rail->setCompact(width() < 1000);
    if (m_palette)
        m_palette->setFixedWidth(width() < 1000 ? 200 : std::clamp(m_palette->fontMetrics().horizontalAdvance(m_palette->placeholderText()) + 40, 280, 360));
}

void MainWindow::dragEnterEvent(QDragEnterEvent* event)
{
    if (event->mimeData()->hasUrls() || looksLikeUrl(event->mimeData()->text().trimmed()))
        event->acceptProposedAction();
}

void MainWindow::dropEvent(QDropEvent* event)
{
    const QList<QUrl> files = event->mimeData()->urls();
    const QString file = files.isEmpty() ? QString() : files.first().toLocalFile();
    if (file.endsWith(QLatin1String(".sqlite")) || file.endsWith(QLatin1String(".db")) || file.endsWith(QLatin1String(".sqlite3")))
        newConnection(QStringLiteral("sqlite://") + file);
    else if (!file.isEmpty())
        importSettings(file);
    else
        newConnection(event->mimeData()->text().trimmed());
    event->acceptProposedAction();
}

} // namespace millrace::ui
