#pragma once
#include "ui/logs/logfeed.h"
#include <QSettings>
#include <QTimer>
#include <QWidget>
#include <array>

class QLabel;
class QPushButton;

namespace millrace::ui {

class DataTree;
class FilterBox;
class LogModel;
class LogProxy;

//! Level chips, filter, regular expressions, follow the tail. The page Logs shows all; the tab Log one sync or table.
//! Scrolling up stops following; scrolling to the end follows again.
class LogView : public QWidget {
    Q_OBJECT
public:
    LogView(const LogFeed& feed, QSettings& settings, const QString& stateKey, QWidget* parent = nullptr);
    void setScope(const std::string& sync, const std::string& table);
    QWidget* filterField() const;
    DataTree* table() const { return m_table; }
    void poll();
    void saveState();
protected:
    void showEvent(QShowEvent* event) override;
private:
    void applyLevels();
    void applyWords();
    void showCount();
    LogModel* m_model;
    LogProxy* m_proxy;
    DataTree* m_table;
    FilterBox* m_filter;
    std::array<QPushButton*, 4> m_chips{};
    QPushButton *m_regex, *m_follow;
    QLabel* m_count;
    QTimer m_timer;
};

} // namespace millrace::ui
