#include "app/gui/trouble.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include <QHBoxLayout>
#include <QVBoxLayout>

namespace millrace::gui {

Trouble::Trouble(const Error& error, const QString& home, QWidget* parent) : QDialog(parent)
{
    setWindowTitle(QStringLiteral("Millrace"));
    setMinimumWidth(560);
    auto* column = new QVBoxLayout(this);
    column->setContentsMargins(24, 20, 24, 20);
    column->setSpacing(14);
    column->addWidget(ui::makeLabel(tr("Millrace cannot open its home"), "title", this));
    auto* banner = new ui::Banner(this);
    banner->say(error);
    column->addWidget(banner);
    if (!home.isEmpty())
        column->addWidget(ui::makeLabel(home, "code", this));
    QLabel* hint = ui::makeLabel(tr("Nothing was changed. Another home can be given with --home FOLDER or MILLRACE_HOME."), "secondary", this);
    hint->setWordWrap(true);
    column->addWidget(hint);
    auto* row = new QHBoxLayout;
    row->addStretch(1);
    QPushButton* quit = ui::makeButton(tr("Quit"), {}, nullptr, this);
    QPushButton* again = ui::makeButton(tr("Try again"), QStringLiteral("view-refresh"), "main", this);
    connect(quit, &QPushButton::clicked, this, &QDialog::reject);
    connect(again, &QPushButton::clicked, this, &QDialog::accept);
    row->addWidget(quit);
    row->addWidget(again);
    column->addLayout(row);
    again->setFocus();
}

} // namespace millrace::gui
