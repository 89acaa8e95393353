#pragma once
#include "ui/shell/pages.h"
#include "ui/syncs/subject.h"
#include <QElapsedTimer>
#include <QPointer>
#include <map>

class QAction;
class QLabel;
class QSplitter;
class QStackedWidget;
class QToolButton;

namespace millrace::ui {

class Banner;
class ConfirmBar;
class DataTree;
class DemoBar;
class DetailPane;
class FilterBox;
class FilterTree;
class SyncProxy;
class SyncsModel;

//! The home: is everything in step, what is slow, what broke, and act on any table.
class SyncsPage : public Page, public SyncsEntry {
    Q_OBJECT
public:
    SyncsPage(const Context& context, QWidget* parent);
    QString title() const override { return tr("Syncs"); }
    QString iconName() const override { return QStringLiteral("folder-sync"); }
    void snapshotChanged(const SnapshotPtr& snapshot) override;
    void fillMenus(const Menus& menus) override;
    QWidget* filterField() override;
    void refresh() override;
    void activated() override;
    void deactivated() override;
    void saveState() override;
    void select(const QString& sync, const QString& table) override;
    void setWelcome(Page* page) override;
    void showWelcome(bool on) override;
    Banner& banner() override { return *m_banner; }
    void showDetails(int tab) override;
    DetailPane* details() const { return m_details; }
    DataTree* tree() const { return m_tree; }
    FilterTree* filters() const { return m_filters; }
protected:
    void resizeEvent(QResizeEvent* event) override;
private:
    struct Actions {
        QAction *newSync, *run, *incremental, *full, *pause, *stop, *verify, *dryRun, *edit, *reset, *remove, *copyName;
    };
    void makeActions();
    QWidget* makeToolbar();
    void connectAll();
    void selectionMoved();
    void updateActions();
    void settleOrder();
    void showCounts();
    void rowMenu(const QPoint& at);
    Subjects subjects() const;
    std::map<std::string, std::vector<std::string>> selectedTables() const;     //!< by sync; empty list: all its tables
    std::string environmentOf(const std::string& sync) const;
    void run(RunRequest::Kind kind);
    void runFull();
    void pauseOrResume();
    void stop();
    void verify();
    void dryRun();
    void reset();
    void remove();
    void answered(const Result<>& result, const QString& done);
    const Context& m_context;
    Actions m_actions{};
    SyncsModel* m_model;
    SyncProxy* m_proxy;
    DataTree* m_tree;
    FilterTree* m_filters;
    FilterBox* m_filter;
    DetailPane* m_details;
    Banner* m_banner;
    ConfirmBar* m_confirm;
    DemoBar* m_demoBar;
    QLabel *m_count, *m_frozen, *m_nothing;
    QStackedWidget *m_stack, *m_listStack;
    QSplitter* m_split;
    QWidget* m_nothingBox;
    QToolButton* m_columns;
    QPointer<Page> m_welcome;
    SnapshotPtr m_snapshot;
    std::pair<QString, QString> m_wanted;                         //!< to be selected once the engine knows it
    QElapsedTimer m_settled;
    std::map<std::string, bool> m_stopping;
    bool m_known = false, m_welcomeWanted = false;
};

} // namespace millrace::ui
