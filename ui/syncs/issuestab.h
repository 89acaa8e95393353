#pragma once
#include "ui/shell/page.h"
#include "ui/syncs/issuesmodel.h"
#include "ui/syncs/subject.h"

class QAction;
class QLabel;
class QPushButton;
class QStackedWidget;

namespace millrace::ui {

class Banner;
class CodeView;
class DataTree;
class FactGrid;
class FilterBox;
class Plot;
class Legend;
class Segmented;

//! The tab Issues: causes -> rows at the left, the row as it was read and the target's own words at the right. Fix a cause, not a
//! row: buttons act on the selected cause and say on how many rows. A discard waits for its toast, so Undo really undoes.
class IssuesTab : public QWidget {
    Q_OBJECT
public:
    explicit IssuesTab(const Context& context, QWidget* parent = nullptr);
    void setSubject(const Subject& subject);
    void follow(std::uint64_t failed);                            //!< the number in the snapshot; a change reads the rows again
    QList<QAction*> tabActions() const;
    QWidget* filterField() const;
    void saveState();
    const IssuesModel& model() const { return *m_model; }
protected:
    void showEvent(QShowEvent* event) override;
    void resizeEvent(QResizeEvent* event) override;
private:
    QWidget* makeBar();
    QWidget* makeDetail();
    void load();
    void selected();
    void retry();
    void discard();
    void copyAsJsonLines();
    void showRow(const FailedRow* row, std::size_t rows, bool group);
    void drawHistogram();
    bool wholeCause(const QModelIndex& at) const;                 //!< the group is all there is of its cause in this sync
    const Context& m_context;
    Subject m_subject;
    IssuesModel* m_model;
    DataTree* m_tree;
    Banner* m_banner;
    QStackedWidget* m_stack;
    QLabel *m_empty, *m_acts, *m_rowTitle, *m_rowTries, *m_fixTitle, *m_fix;
    QPushButton *m_retry, *m_discard, *m_export;
    Segmented* m_by;
    FilterBox* m_find;
    CodeView *m_document, *m_server;
    FactGrid* m_facts;
    Plot* m_when;
    Legend* m_whenTitle;
    QAction *m_retryAction, *m_discardAction, *m_exportAction;
    std::uint64_t m_failed = 0;
    bool m_stale = true, m_loading = false;
};

} // namespace millrace::ui
