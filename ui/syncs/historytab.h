#pragma once
#include "core/engine/report.h"
#include "ui/shell/page.h"
#include "ui/syncs/subject.h"

class QLabel;
class QStandardItemModel;

namespace millrace::ui {

class Banner;
class DataTree;

//! The tab History: the runs of a sync, or what they did to one table, newest first.
class HistoryTab : public QWidget {
    Q_OBJECT
public:
    explicit HistoryTab(const Context& context, QWidget* parent = nullptr);
    void setSubject(const Subject& subject);
    void follow(std::int64_t lastSyncMs);                         //!< a run ended: read again
    void saveState();
protected:
    void showEvent(QShowEvent* event) override;
private:
    void load();
    void fill(const std::vector<RunReport>& runs);
    const Context& m_context;
    Subject m_subject;
    DataTree* m_table;
    QStandardItemModel* m_rows;
    Banner* m_banner;
    QLabel* m_empty;
    std::int64_t m_lastSyncMs = -1;
    bool m_stale = true;
};

} // namespace millrace::ui
