#pragma once
#include "ui/connections/connectioneditor.h"
#include "ui/connections/connectionsmodel.h"
#include "ui/shell/pages.h"
#include <map>
#include <memory>
#include <set>

class QAction;
class QSplitter;

namespace millrace::ui {

class Banner;
class ConfirmBar;
class DataTree;
class FilterBox;
class Segmented;
class TestPane;

//! Which server, which environment, how safe, and why it does not work: the list at the left, the form and its test at the right.
class ConnectionsPageWidget : public Page, public ConnectionsEntry {
    Q_OBJECT
public:
    ConnectionsPageWidget(const Context& context, QWidget* parent);
    QString title() const override { return tr("Connections"); }
    QString iconName() const override { return QStringLiteral("server-database"); }
    void snapshotChanged(const SnapshotPtr& snapshot) override;
    void fillMenus(const Menus& menus) override;
    QWidget* filterField() override;
    void refresh() override { load(); }
    void activated() override;
    void deactivated() override;
    bool mayClose() override;
    void saveState() override;
    void openNew(const QString& url) override;
    void select(const QString& name) override;
    ConnectionEditor* editor() const { return m_editor; }
    TestPane* testPane() const { return m_test; }
    DataTree* list() const { return m_list; }
protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
private:
    struct Actions { QAction *create, *test, *duplicate, *import, *save, *revert, *remove, *use, *paste; };
    struct Known { TestReport report; std::int64_t atMs = 0; QString url; };
    void makeActions();
    QWidget* makeToolbar();
    QWidget* makeLeft();
    QWidget* makeRight();
    QWidget* makeEmpty();
    void load();
    void showRows();
    void showConnection(const QString& name);
    void stash();                                                 //!< keeps what was typed, so that another row may be looked at
    void editorChanged();
    void updateActions();
    void runTest();
    void stopTest();
    void testDone(const QString& name, const QString& url, TestReport report);
    void save();
    void saveNow(const ConnectionDraft& draft);
    void duplicate();
    void remove();
    void useInSync();
    void rowMenu(const QPoint& at);
    QStringList usersOf(const QString& name) const;
    QString key() const { return m_editor->isNew() ? QString() : QString::fromStdString(m_editor->saved().name); }
    const Context& m_context;
    Actions m_actions{};
    ConnectionsModel* m_model;
    DataTree* m_list = nullptr;
    FilterBox* m_filter = nullptr;
    Segmented* m_environments = nullptr;
    Banner *m_banner = nullptr, *m_formBanner = nullptr;
    ConfirmBar* m_confirm = nullptr;
    ConnectionEditor* m_editor = nullptr;
    TestPane* m_test = nullptr;
    QLabel *m_state = nullptr, *m_places = nullptr;
    QPushButton *m_save = nullptr, *m_revert = nullptr, *m_use = nullptr;
    QWidget* m_empty = nullptr;
    QSplitter* m_split = nullptr;
    std::vector<ConnectionDef> m_defs;
    std::map<QString, QStringList> m_users;
    std::map<QString, ConnectionDraft> m_drafts;                  //!< by name; empty: the new one
    std::map<QString, Known> m_known;                             //!< tests of this session
    std::set<QString> m_removing;                                 //!< deleted, while Undo is offered
    QString m_wanted, m_testing;
    CallHandle m_testCall;
    std::shared_ptr<bool> m_testMark;                             //!< false: the test was stopped, its last stages are not shown
    LastTest m_lastOfNew;
    std::size_t m_connectionsSeen = 0;
    bool m_loaded = false, m_haveConnectors = false, m_saving = false, m_arranging = false, m_shown = false;
};

ConnectionsPage makeConnectionsPage(const Context& context, QWidget* parent);

} // namespace millrace::ui
