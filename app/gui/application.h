#pragma once
#include "app/wiring/runtime.h"
#include "ui/shell/mainwindow.h"
#include <memory>

class QApplication;

namespace millrace::gui {

void nameApplication(QApplication& app);

//! The window on a runtime, wired as `millrace` shows it; the benchmark of the window measures this very thing. `runtime` and `theme`
//! outlive it.
class Application {
public:
    Application(QApplication& app, Runtime& runtime, ui::Theme& theme);
    ~Application();
    ui::MainWindow& window() { return *m_window; }
    void show();                                                  //!< and starts the scheduler, off the window's thread
private:
    std::unique_ptr<ui::LogFeed> m_log;
    std::unique_ptr<ui::MainWindow> m_window;
};

} // namespace millrace::gui
