#pragma once
#include <QStringList>
#include <QWidget>

namespace millrace::ui {

//! The steps at the left of a dialog: number or check, name, and two lines of what was chosen. Up and Down move, Enter goes there.
class StepList : public QWidget {
    Q_OBJECT
public:
    struct Step { QString name; QStringList lines; bool done = false, reachable = true; };
    explicit StepList(QWidget* parent = nullptr);
    void setSteps(const QList<Step>& steps, int current);
signals:
    void chosen(int step);
protected:
    void paintEvent(QPaintEvent*) override;
    void mousePressEvent(QMouseEvent* event) override;
    void keyPressEvent(QKeyEvent* event) override;
private:
    QRect rectOf(int step) const;
    QList<Step> m_steps;
    int m_current = 0, m_focus = 0;
};

} // namespace millrace::ui
