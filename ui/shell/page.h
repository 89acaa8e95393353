#pragma once
#include "core/engine/snapshot.h"
#include "ui/logs/logfeed.h"
#include "ui/shell/enginecalls.h"
#include "ui/shell/enginemonitor.h"
#include <QSettings>
#include <QWidget>
#include <functional>

class QMenu;

namespace millrace::ui {

class Toasts;
class Theme;

//! What the window offers to its pages beyond their own frame. Implemented by MainWindow.
class Navigator {
public:
    virtual ~Navigator() = default;
    virtual void showSync(const QString& sync, const QString& table = {}) = 0;   //!< page Syncs with this row selected
    virtual void showConnection(const QString& name) = 0;
    virtual void newConnection(const QString& url = {}) = 0;                     //!< page Connections with an empty form, or one filled from a URL
    virtual void newSync(const QString& sourceConnection = {}) = 0;              //!< opens the wizard
    virtual void editSync(const QString& sync) = 0;
    virtual void tryDemo() = 0;
    virtual void importSettings(const QString& path = {}) = 0;                   //!< a sync file or .env; empty: asks for one
    virtual void showShortcuts() = 0;
};

//! The demo shop, wired by the application; all empty where there is none. Work functions: called on a background thread.
struct DemoActions {
    std::function<Result<>(std::stop_token)> create;              //!< makes the shop, the connections and the sync, and starts it
    std::function<Result<VerifyReport>(std::stop_token)> prove;   //!< waits for that run, then compares
    std::function<Result<std::string>()> changeRow, breakRow, mendRow;    //!< say in one sentence what was done
    std::function<Result<>()> remove;
    std::string sync = "demo";
    explicit operator bool() const { return static_cast<bool>(create); }
};

//! Reads a settings file into definitions (core/config, wired by the application). Called on a background thread.
using FileReader = std::function<Result<SyncFile>(const std::string& path, std::map<std::string, Secret>& typed)>;

//! What every page is given. All of it outlives the pages.
struct Context {
    EngineCalls& calls;
    EngineMonitor& monitor;
    QSettings& settings;                                          //!< window.ini in the home: geometry, columns, theme
    Toasts& toasts;
    Theme& theme;
    Navigator& go;
    const LogFeed& log;
    const DemoActions& demo;
    const FileReader& readFile;
    std::string home;
};

//! The menus that pages add their actions to; each entry of a context menu is in one of these as well.
struct Menus { QMenu *file, *edit, *view, *sync, *connection, *tools, *help; };

//! One page of the main window. Keep shortcuts of page actions at Qt::WindowShortcut and enable them only while the page is shown
//! (activated/deactivated), so that the menus list them.
class Page : public QWidget {
    Q_OBJECT
public:
    using QWidget::QWidget;
    virtual QString title() const = 0;                            //!< on the rail: one word
    virtual QString iconName() const = 0;
    virtual void snapshotChanged(const SnapshotPtr& snapshot) { (void)snapshot; }    //!< only while shown, and once when it becomes shown
    virtual void fillMenus(const Menus& menus) { (void)menus; }
    virtual QWidget* filterField() { return nullptr; }            //!< Ctrl+F goes there
    virtual void refresh() {}                                     //!< F5
    virtual void activated() {}                                   //!< became the current page; set the focus
    virtual void deactivated() {}
    virtual QString environment() const { return {}; }            //!< "prod": the stripe on top, while something there would be written to it
    virtual bool mayClose() { return true; }                      //!< asks about unsaved edits
    virtual void saveState() {}
signals:
    void environmentChanged();
};

} // namespace millrace::ui
