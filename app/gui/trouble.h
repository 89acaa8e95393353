#pragma once
#include "core/base/result.h"
#include <QDialog>

namespace millrace::gui {

//! Shown when the home cannot be opened: what happened and what to do, and a second try. Never a crash, never an empty window.
class Trouble : public QDialog {
    Q_OBJECT
public:
    Trouble(const Error& error, const QString& home, QWidget* parent = nullptr);
};

} // namespace millrace::gui
