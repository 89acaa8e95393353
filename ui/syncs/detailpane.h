#pragma once
#include "ui/shell/page.h"
#include "ui/syncs/subject.h"

class QLabel;
class QStackedWidget;
class QTabBar;

namespace millrace::ui {

class ChartsPane;
class HistoryTab;
class IssuesTab;
class LogView;
class OverviewTab;
class Segmented;

//! What follows the selection: Overview, Charts, Issues, History, Log (Alt+1 to Alt+5).
class DetailPane : public QWidget {
    Q_OBJECT
public:
    enum Tab : int { Overview, Charts, Issues, History, Log, TabCount };
    explicit DetailPane(const Context& context, QWidget* parent = nullptr);
    void setSubjects(const Subjects& subjects);
    void apply(const SnapshotPtr& snapshot);
    void setTab(Tab tab);
    Tab tab() const;
    void setDryRun(const DryRunReport& report);
    IssuesTab* issues() const { return m_issues; }
    void saveState();
signals:
    void fixWanted(const QString& errorId);
private:
    void showTitle();
    const Context& m_context;
    Subjects m_subjects;
    QTabBar* m_tabs;
    QStackedWidget* m_stack;
    QLabel *m_name, *m_sync;
    Segmented* m_span;
    OverviewTab* m_overview;
    ChartsPane* m_charts;
    IssuesTab* m_issues;
    HistoryTab* m_history;
    LogView* m_log;
};

} // namespace millrace::ui
