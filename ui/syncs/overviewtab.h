#pragma once
#include "ui/syncs/subject.h"
#include "ui/widgets/banner.h"
#include <QScrollArea>

class QLabel;
class QStandardItemModel;

namespace millrace::ui {

class DataTree;
class FactGrid;

//! The tab Overview: why it is in this state, the counts, position and lag; several rows: their sums and one line each; the last dry run.
class OverviewTab : public QScrollArea {
    Q_OBJECT
public:
    explicit OverviewTab(QWidget* parent = nullptr);
    void showSubjects(const EngineSnapshot& snapshot, const Subjects& subjects);
    void setDryRun(const DryRunReport& report);
signals:
    void fixWanted(const QString& errorId);                       //!< the banner's action: run full, verify, ...
private:
    void sayTrouble(const SyncView& sync, const TableView& sum, const TableView* table);
    Banner* m_banner;
    QLabel *m_title, *m_dryTitle;
    FactGrid* m_facts;
    DataTree* m_dry;
    QStandardItemModel* m_dryRows;
    std::string m_drySync;
};

} // namespace millrace::ui
