#pragma once
#include "ui/shell/pages.h"
#include "ui/welcome/machinefacts.h"
#include <QFrame>

class QGridLayout;
class QHBoxLayout;
class QLabel;
class QLineEdit;
class QPushButton;

namespace millrace::ui {

class Banner;

//! One way to begin: what happens, step by step, and the buttons.
class WayCard : public QFrame {
    Q_OBJECT
public:
    struct Step { QString when, what; };
    WayCard(const QString& iconName, const QString& title, const QString& subtitle, const QString& keys, bool main, QWidget* parent);
    void setSteps(const QList<Step>& steps);
    void addButton(QWidget* button, int stretch = 0);
private:
    QGridLayout* m_steps;
    QHBoxLayout* m_buttons;
};

//! First value within 30 seconds: three ways to begin, what this build can do, what it promises, what this machine has.
class WelcomePage : public Page {
    Q_OBJECT
public:
    WelcomePage(const Context& context, QWidget* parent);
    QString title() const override { return tr("Welcome"); }
    QString iconName() const override { return QStringLiteral("folder-sync"); }
    void snapshotChanged(const SnapshotPtr& snapshot) override;
    void activated() override;
    QLineEdit* urlField() const { return m_url; }
protected:
    bool event(QEvent* event) override;
    void showEvent(QShowEvent* event) override;
private:
    QWidget* makeCards();
    QWidget* makeSupport();
    QWidget* makeMachine();
    QWidget* makeFooter();
    void look();
    void showConnectors(const std::vector<ConnectorSpec>& specs);
    void showMachine(const MachineFacts& machine);
    void previewSettings(const QString& path);
    void openUrl(const QString& words);
    const Context& m_context;
    Banner* m_banner;
    QLabel *m_title, *m_checked = nullptr;
    WayCard* m_import = nullptr;
    QLineEdit* m_url = nullptr;
    QPushButton *m_demo = nullptr, *m_importFile = nullptr;
    QGridLayout *m_reads = nullptr, *m_writes = nullptr, *m_machine = nullptr;
    QString m_drivers, m_file;
    MachineFacts m_facts;
    bool m_looked = false;
};

Page* makeWelcomePage(const Context& context, QWidget* parent);

} // namespace millrace::ui
