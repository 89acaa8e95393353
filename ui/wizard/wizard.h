#pragma once
#include "ui/shell/page.h"
#include <QWidget>

namespace millrace::ui {

//! Opens the dialog New sync (or Edit sync) as a window of its own, not modal. `done` gets the name of the sync that was saved.
void openWizard(const Context& context, QWidget* parent, const QString& source, const QString& sync, std::function<void(QString)> done);

} // namespace millrace::ui
