#pragma once
#include "ui/shell/page.h"

namespace millrace::ui {

class Banner;

//! Factories of the pages and dialogs. Each is defined in its own folder; MainWindow knows no more of them than this.
class SyncsEntry {
public:
    virtual ~SyncsEntry() = default;
    virtual void select(const QString& sync, const QString& table) = 0;
    virtual void setWelcome(Page* page) = 0;                      //!< shown in place of the tree while there are no syncs
    virtual void showWelcome(bool on) = 0;
    virtual Banner& banner() = 0;                                 //!< above the tree, for what belongs to the page
    virtual void showDetails(int tab) = 0;                        //!< Overview 0, Charts 1, Issues 2, History 3, Log 4
};
struct SyncsPages { Page* page = nullptr; SyncsEntry* entry = nullptr; };
SyncsPages makeSyncsPage(const Context& context, QWidget* parent);        // ui/syncs/syncspage.cpp
Page* makeLogsPage(const Context& context, QWidget* parent);              // ui/logs/logspage.cpp
Page* makeSettingsPage(const Context& context, QWidget* parent);          // ui/settings/settingspage.cpp

//! Connections: also takes a URL for a new connection, or the name of one to select.
class ConnectionsEntry {
public:
    virtual ~ConnectionsEntry() = default;
    virtual void openNew(const QString& url) = 0;
    virtual void select(const QString& name) = 0;
};
struct ConnectionsPage { Page* page = nullptr; ConnectionsEntry* entry = nullptr; };

//! What is plugged in from ui/connections, ui/wizard and ui/welcome. Empty members: the feature is not there yet and its actions are off.
struct Plugins {
    std::function<ConnectionsPage(const Context&, QWidget* parent)> connections;
    //! Shown in place of the tree while there are no syncs, and by View > Welcome.
    std::function<Page*(const Context&, QWidget* parent)> welcome;
    //! Opens the dialog New sync, not modal; `sync` empty: a new one. `done` gets the name of the sync that was made.
    std::function<void(const Context&, QWidget* parent, const QString& source, const QString& sync, std::function<void(QString)> done)> wizard;
    //! Preview of a settings file before it is applied; `path` empty: asks for one.
    std::function<void(const Context&, QWidget* parent, const QString& path)> importer;
};

//! All that this build has (ui/shell/plugins.cpp).
Plugins builtInPlugins();

} // namespace millrace::ui
