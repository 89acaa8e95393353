// What the page is made of; what it does stands in connectionspage.cpp.
#include "ui/connections/connectionspage.h"
#include "ui/connections/testpane.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/confirmbar.h"
#include "ui/widgets/connectorform.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/filterbox.h"
#include "ui/widgets/icons.h"
#include "ui/widgets/look.h"
#include "ui/widgets/segmented.h"
#include "ui/widgets/toolbar.h"
#include <QAction>
#include <QApplication>
#include <QClipboard>
#include <QEvent>
#include <QHeaderView>
#include <QVBoxLayout>
#include <algorithm>

namespace millrace::ui {
void ConnectionsPageWidget::makeActions()
{
    const auto action = [this](const QString& words, const QString& shortWords, const QKeySequence& keys, const char* iconName, auto slot) {
        auto* made = new QAction(icon(QString::fromLatin1(iconName)), words, this);
        made->setIconText(shortWords);
        made->setShortcut(keys);
        if (!keys.isEmpty())
            made->setToolTip(QStringLiteral("%1 (%2)").arg(shortWords, keys.toString(QKeySequence::NativeText)));
        connect(made, &QAction::triggered, this, slot);
        return made;
    };
    m_actions.create = action(tr("&New connection…"), tr("New connection"), {}, "list-add", [this] { openNew({}); });
    m_actions.test = action(tr("&Test"), tr("Test"), QKeySequence(Qt::CTRL | Qt::Key_T), "run-build", [this] { runTest(); });
    m_actions.duplicate = action(tr("D&uplicate"), tr("Duplicate"), QKeySequence(Qt::CTRL | Qt::SHIFT | Qt::Key_D), "edit-copy", [this] { duplicate(); });
    m_actions.import = action(tr("&Import settings…"), tr("Import"), {}, "document-import", [this] { m_context.go.importSettings(); });
    m_actions.save = action(tr("&Save"), tr("Save"), QKeySequence::Save, "document-save", [this] { save(); });
    m_actions.revert = action(tr("&Revert"), tr("Revert"), {}, "edit-undo", [this] {
        m_drafts.erase(key());
        m_editor->isNew() ? m_editor->startNew({}) : m_editor->load(m_editor->saved(), false);
        editorChanged();
    });
    m_actions.remove = action(tr("&Delete"), tr("Delete"), QKeySequence::Delete, "edit-delete", [this] { remove(); });
    m_actions.use = action(tr("Use in a new s&ync…"), tr("Use in a new sync"), {}, "go-next", [this] { useInSync(); });
    m_actions.paste = action(tr("Paste a connection URL"), tr("Paste"), QKeySequence::Paste, "edit-paste", [this] {
        const QString line = QApplication::clipboard()->text().trimmed();
        if (parseUrl(line.toStdString()))
            openNew(line);
    });
    // Del belongs to the list, Ctrl+V to whatever is no field: elsewhere they edit text
    m_actions.remove->setShortcutContext(Qt::WidgetShortcut);
    m_actions.paste->setShortcutContext(Qt::WidgetWithChildrenShortcut);
    addAction(m_actions.paste);
}

QWidget* ConnectionsPageWidget::makeToolbar()
{
    auto* bar = new ToolBar(this);
    QHBoxLayout* row = bar->row();
    auto* add = makeButton(tr("New connection"), QStringLiteral("list-add"), "main", bar);
    add->setToolTip(tr("New connection (Ctrl+Shift+N)"));
    connect(add, &QPushButton::clicked, m_actions.create, &QAction::trigger);
    row->addWidget(add);
    row->addSpacing(6);
    for (QAction* action : {m_actions.test, m_actions.duplicate, m_actions.import})
        bar->addTool(makeToolButton(action, bar));
    row->addStretch(1);
    return bar;
}

QWidget* ConnectionsPageWidget::makeLeft()
{
    auto* left = new QWidget(this);
    auto* column = new QVBoxLayout(left);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    column->addWidget(makeToolbar());
    m_banner = new Banner(left);
    m_banner->setClosable(true);
    column->addWidget(m_banner);
    auto* bar = makeSurface("toolbar", left);
    bar->setFixedHeight(40);
    auto* row = new QHBoxLayout(bar);
    row->setContentsMargins(10, 0, 10, 0);
    row->setSpacing(8);
    m_filter = new FilterBox(tr("Filter connections"), tr("Filter connections"), QStringLiteral("view-filter"), bar);
    m_filter->setMinimumWidth(100);
    m_filter->setMaximumWidth(196);
    row->addWidget(m_filter, 1);
    m_environments = new Segmented(tr("Environment"), {tr("All"), QStringLiteral("PROD"), QStringLiteral("STAGE"), QStringLiteral("DEV"), QStringLiteral("LOCAL")}, bar);
    row->addWidget(m_environments);
    row->addStretch(1);
    column->addWidget(bar);
    m_list = new DataTree(tr("Connections"), QStringLiteral("connections"), &m_context.settings, false, left);
    m_list->setModel(m_model);
    m_list->setSelectionMode(QAbstractItemView::SingleSelection);
    m_list->setDefaultWidths({126, 92, 118, 200, 90, 52, 96});
    m_list->setSortingEnabled(true);
    m_list->header()->setSortIndicatorClearable(true);
    m_list->header()->setSortIndicator(-1, Qt::AscendingOrder);
    m_list->addAction(m_actions.remove);
    m_filter->setTable(m_list);
    column->addWidget(m_list, 1);
    m_empty = makeEmpty();
    column->addWidget(m_empty, 1);
    m_empty->hide();
    auto* foot = makeSurface("statusbar", left);
    foot->setFixedHeight(28);
    auto* footRow = new QHBoxLayout(foot);
    footRow->setContentsMargins(12, 0, 12, 0);
    m_places = makeLabel({}, "caption", foot);
    footRow->addWidget(m_places);
    column->addWidget(foot);
    left->setMinimumWidth(270);
    left->installEventFilter(this);
    return left;
}

QWidget* ConnectionsPageWidget::makeEmpty()
{
    auto* box = makeSurface("base", this);
    auto* column = new QVBoxLayout(box);
    column->setContentsMargins(24, 24, 24, 24);
    column->setSpacing(10);
    column->addWidget(makeLabel(tr("No connections yet"), "title", box));
    auto* words = makeLabel(tr("A connection says where a database or a document store is and how to log in. Sources are only read."), "secondary", box);
    words->setWordWrap(true);
    column->addWidget(words);
    const auto way = [&](const QString& button, const char* iconName, const QString& what, bool on, auto slot) {
        auto* made = makeButton(button, QString::fromLatin1(iconName), nullptr, box);
        made->setMinimumWidth(std::max(170, made->sizeHint().width()));
        made->setEnabled(on);
        connect(made, &QPushButton::clicked, this, slot);
        column->addSpacing(6);
        column->addWidget(made, 0, Qt::AlignLeft);
        auto* label = makeLabel(what, "secondary", box);
        label->setWordWrap(true);
        column->addWidget(label);
    };
    way(tr("Try the demo"), "media-playback-start", tr("A made-up shop on this machine: no server, no network."), bool(m_context.demo), [this] { m_context.go.tryDemo(); });
    way(tr("Connect a database"), "server-database", tr("Paste a URL at the right, or fill in host and user."), true, [this] { openNew({}); });
    way(tr("Import settings"), "document-import", tr("A sync file or the .env of the service you replace; with a preview."), bool(m_context.readFile), [this] { m_context.go.importSettings(); });
    column->addStretch(1);
    return box;
}

QWidget* ConnectionsPageWidget::makeRight()
{
    auto* right = makeSurface("window", this);
    auto* column = new QVBoxLayout(right);
    column->setContentsMargins(0, 0, 0, 0);
    column->setSpacing(0);
    m_editor = new ConnectionEditor(right);
    m_editor->setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Preferred);
    column->addWidget(m_editor, 0);
    column->addWidget(makeLine(Qt::Horizontal, right));
    m_formBanner = new Banner(right);
    m_formBanner->setClosable(true);
    column->addWidget(m_formBanner);
    m_confirm = new ConfirmBar(right);
    column->addWidget(m_confirm);
    m_test = new TestPane(right);
    column->addWidget(m_test, 1);
    auto* foot = makeSurface("statusbar", right);
    foot->setFixedHeight(46);
    auto* row = new QHBoxLayout(foot);
    row->setContentsMargins(14, 0, 14, 0);
    row->setSpacing(8);
    m_state = makeLabel({}, "caption", foot);
    m_state->setWordWrap(true);
    row->addWidget(m_state, 1);
    m_revert = makeButton(tr("Revert"), {}, nullptr, foot);
    m_save = makeButton(tr("Save"), {}, nullptr, foot);
    m_save->setToolTip(tr("Save (Ctrl+S)"));
    m_use = makeButton(tr("Use in a new sync"), QStringLiteral("go-next"), "main", foot);
    connect(m_revert, &QPushButton::clicked, m_actions.revert, &QAction::trigger);
    connect(m_save, &QPushButton::clicked, m_actions.save, &QAction::trigger);
    connect(m_use, &QPushButton::clicked, m_actions.use, &QAction::trigger);
    for (QPushButton* button : {m_revert, m_save, m_use})
        row->addWidget(button);
    column->addWidget(foot);
    return right;
}

// Without the room for them the environments are found by typing their word in the filter
bool ConnectionsPageWidget::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::Resize && m_environments) {
        const int width = static_cast<QWidget*>(watched)->width();
        m_environments->setVisible(width >= m_environments->sizeHint().width() + 140 || m_environments->current() > 0);
    }
    return Page::eventFilter(watched, event);
}

} // namespace millrace::ui
