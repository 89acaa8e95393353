#pragma once
#include "ui/shell/pages.h"
#include <QMainWindow>
#include <QPointer>
#include <memory>
#include <vector>

class QAction;
class QMenu;
class QMenuBar;
class QStackedWidget;

namespace millrace::ui {

class Banner;
class PaletteBox;
class Rail;
class StatusStrip;
class Stripe;

//! The window: rail, pages, menus, palette box, status strip. Knows the pages by their interface alone.
class MainWindow : public QMainWindow, public Navigator {
    Q_OBJECT
public:
    struct Setup {
        std::string home;
        const LogFeed* log = nullptr;                             //!< outlives the window
        DemoActions demo;
        FileReader readFile;
        QString vault;                                            //!< for the status strip
        Plugins plugins;
    };
    MainWindow(Engine& engine, Theme& theme, Setup setup);
    ~MainWindow() override;

    static QString storedLanguage(const std::string& home);       //!< for installTranslations before the window is made

    int pageCount() const { return static_cast<int>(m_pages.size()); }
    Page* page(int index) const { return m_pages.at(static_cast<std::size_t>(index)); }
    int currentPage() const;
    void showPage(int index);
    void showPage(const Page* page);
    const Context& context() const { return *m_context; }
    void showDetails(int tab) { m_syncs.entry->showDetails(tab); }
    void sayAbove(const Error& error);                            //!< the banner above the pages

    void showSync(const QString& sync, const QString& table) override;
    void showConnection(const QString& name) override;
    void newConnection(const QString& url) override;
    void newSync(const QString& source) override;
    void editSync(const QString& sync) override;
    void tryDemo() override;
    void importSettings(const QString& path) override;
    void showShortcuts() override;
signals:
    void demoProven();
protected:
    void closeEvent(QCloseEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
    void dragEnterEvent(QDragEnterEvent* event) override;
    void dropEvent(QDropEvent* event) override;
private:
    void makePages();
    void makeMenus();
    void addPage(Page* page, bool bottom);
    void apply(const SnapshotPtr& snapshot);
    void pasted();
    void proveDemo();
    void setAppearance(int appearance);
    void fillPalette(QMenu* menu, const QString& path, void* entries) const;
    Engine& m_engine;
    Theme& m_theme;
    Setup m_setup;
    std::unique_ptr<QSettings> m_settings;
    std::unique_ptr<EngineMonitor> m_monitor;
    Toasts* m_toasts = nullptr;
    std::unique_ptr<Context> m_context;
    std::vector<Page*> m_pages;
    SyncsPages m_syncs;
    Page *m_logs = nullptr, *m_settingsPage = nullptr;
    ConnectionsPage m_connections;
    Rail* m_rail = nullptr;
    QStackedWidget* m_stack = nullptr;
    Stripe* m_stripe = nullptr;
    Banner* m_banner = nullptr;
    StatusStrip* m_status = nullptr;
    PaletteBox* m_palette = nullptr;
    QMenuBar* m_menuBar = nullptr;
    QList<QAction*> m_pageActions;
    std::unique_ptr<EngineCalls> m_calls;                         //!< last: its destructor waits for the work under way
};

} // namespace millrace::ui
