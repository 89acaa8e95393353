#include "ui/shell/shortcuts.h"
#include "ui/widgets/datatree.h"
#include "ui/widgets/look.h"
#include <QMenu>
#include <QMenuBar>
#include <QStandardItemModel>
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

QString plain(QString words) { return words.remove(QLatin1Char('&')).remove(QStringLiteral("…")); }

void collect(const QMenu& menu, const QString& where, QStandardItemModel& into)
{
    for (const QAction* action : menu.actions()) {
        if (action->menu())
            collect(*action->menu(), where, into);
        else if (!action->shortcut().isEmpty() && into.findItems(plain(action->text())).isEmpty())    // several tables offer to copy their rows
            into.appendRow({new QStandardItem(plain(action->text())), new QStandardItem(action->shortcut().toString(QKeySequence::NativeText)), new QStandardItem(where)});
    }
}

} // namespace

ShortcutsDialog::ShortcutsDialog(const QMenuBar& menus, QWidget* parent) : QDialog(parent)
{
    setWindowTitle(tr("Keyboard shortcuts"));
    resize(560, 560);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(16, 14, 16, 14);
    column->addWidget(makeLabel(tr("Keyboard shortcuts"), "title"));
    auto* table = new DataTree(tr("Keyboard shortcuts"), {}, nullptr, true, this);
    auto* model = new QStandardItemModel(table);
    for (const QAction* action : menus.actions())
        if (action->menu())
            collect(*action->menu(), plain(action->text()), *model);
    const std::pair<QString, QString> more[] = {{tr("Open or close a row of the tree"), tr("Right, Left")}, {tr("Detail tabs"), tr("Alt+1 to Alt+5")},
        {tr("Menu of the row"), QStringLiteral("Shift+F10")}, {tr("Copy rows"), QStringLiteral("Ctrl+C")}, {tr("Clear the filter"), QStringLiteral("Esc")}};
    for (const auto& [what, key] : more)
        model->appendRow({new QStandardItem(what), new QStandardItem(key), new QStandardItem(tr("Tables"))});
    model->setHorizontalHeaderLabels({tr("Action"), tr("Key"), tr("Menu")});
    table->setProperty("framed", "true");
    table->setModel(model);
    table->setDefaultWidths({290, 130, 80});
    column->addWidget(table, 1);
    auto* close = makeButton(tr("Close"));
    connect(close, &QPushButton::clicked, this, &QDialog::accept);
    column->addWidget(close, 0, Qt::AlignRight);
    table->setCurrentIndex(model->index(0, 0));
}

} // namespace millrace::ui
