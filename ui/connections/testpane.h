#pragma once
#include "core/engine/discovery.h"
#include <QWidget>

class QLabel;
class QPushButton;

namespace millrace::ui {

class CodeView;
class DataTree;
class TestStages;

//! The staged test of a connection: fills line by line, counts in pills, and what to do about the findings, to copy. Millrace never
//! runs a fix.
class TestPane : public QWidget {
    Q_OBJECT
public:
    explicit TestPane(QWidget* parent = nullptr);
    void clear();                                                 //!< nothing was tested yet
    void begin();
    void add(const TestStage& stage);
    void finish(const TestReport& report, std::int64_t atMs);
    void cancelled();
    //! The form says something else now than what was tested.
    void setOutdated(bool on);
    bool running() const { return m_running; }
    QPushButton* button() const { return m_button; }
    DataTree* list() const { return m_list; }
    QString fix() const;                                          //!< what Copy copies
signals:
    void testWanted();
    void stopWanted();
private:
    void showCounts();
    void showFix();
    void setRunning(bool on);
    TestStages* m_stages;
    DataTree* m_list;
    QLabel *m_when, *m_passed, *m_warnings, *m_failed, *m_hint, *m_fixWords;
    QPushButton *m_button, *m_copy;
    CodeView *m_sql, *m_plain;
    QWidget* m_fixBox;
    QString m_about;
    bool m_running = false;
};

} // namespace millrace::ui
