#pragma once
#include "ui/shell/mainwindow.h"
#include <QObject>

namespace millrace::gui {

//! Takes a picture of Welcome, runs the demo, takes one of every page in light and dark and in a narrow window once it is proven, and
//! then ends the application: exit 0, or 1 when a picture could not be saved or the demo did not end in time.
class Pictures : public QObject {
    Q_OBJECT
public:
    Pictures(ui::MainWindow& window, ui::Theme& theme, QString folder);
private:
    void takeWelcome();
    void takePages();
    void takeTabs(bool dark, const QString& tail);
    void dress(bool dark, QSize size);
    void save(const QString& name, bool dark);
    ui::MainWindow& m_window;
    ui::Theme& m_theme;
    QString m_folder;
    bool m_fine = true;
};

} // namespace millrace::gui
