#pragma once
#include "ui/shell/mainwindow.h"
#include <QObject>

namespace millrace::gui {

//! Takes a picture of every page in light and dark, once the demo is there and proven, and then ends the application: exit 0, or 1
//! when a picture could not be saved or the demo did not end in time.
class Pictures : public QObject {
    Q_OBJECT
public:
    Pictures(ui::MainWindow& window, ui::Theme& theme, QString folder);
private:
    void take();
    bool save(const QString& name);
    ui::MainWindow& m_window;
    ui::Theme& m_theme;
    QString m_folder;
};

} // namespace millrace::gui
