#pragma once
#include <QDialog>

class QMenuBar;

namespace millrace::ui {

//! F1: every key that does something now, read from the menus, so that the list cannot be out of date.
class ShortcutsDialog : public QDialog {
    Q_OBJECT
public:
    ShortcutsDialog(const QMenuBar& menus, QWidget* parent);
};

} // namespace millrace::ui
