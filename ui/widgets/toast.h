#pragma once
#include <QFrame>
#include <QPointer>
#include <QTimer>
#include <functional>

class QLabel;
class QPushButton;

namespace millrace::ui {

//! One line at the bottom of the window for what was just done: 10 s, with Undo where the deed can be undone. Hovering or focus
//! stops its clock. There is no "are you sure?" in Millrace; there is this.
class Toast : public QFrame {
    Q_OBJECT
public:
    Toast(const QString& text, std::function<void()> undo, std::function<void()> expired, QWidget* window);
    bool undoable() const { return static_cast<bool>(m_undo); }
    void undo();
    void dismiss();                                               //!< as if its time was over
signals:
    void gone();
protected:
    void enterEvent(QEnterEvent*) override { m_held = true; }
    void leaveEvent(QEvent*) override { m_held = false; }
private:
    void tick();
    void finish(bool undone);
    std::function<void()> m_undo, m_expired;
    QLabel* m_clock = nullptr;
    QTimer m_timer;
    int m_left = 10;
    bool m_held = false, m_done = false;
};

//! Stacks the toasts of one window. What a discarded thing really does is run in `expired`, so that Undo can always undo:
//! `expired` runs when the time is over, when the toast is dismissed, and when the window closes.
class Toasts : public QObject {
    Q_OBJECT
public:
    explicit Toasts(QWidget* window);
    Toast* show(const QString& text);                             //!< to be held by a QPointer
    Toast* show(const QString& text, std::function<void()> undo, std::function<void()> expired = {});
    bool undoLast();                                              //!< Ctrl+Z; false when there is nothing to undo
    void flush();                                                 //!< before the window closes
    int open() const { return static_cast<int>(m_toasts.size()); }
protected:
    bool eventFilter(QObject* watched, QEvent* event) override;
private:
    void place();
    QWidget* m_window;
    QList<QPointer<Toast>> m_toasts;
};

} // namespace millrace::ui
