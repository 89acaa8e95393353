#include "ui/widgets/toast.h"
#include "ui/widgets/look.h"
#include <QAccessible>
#include <QEvent>
#include <QHBoxLayout>

namespace millrace::ui {

Toast::Toast(const QString& text, std::function<void()> undoWork, std::function<void()> expired, QWidget* window)
    : QFrame(window), m_undo(std::move(undoWork)), m_expired(std::move(expired))
{
    setProperty("toast", true);
    setAttribute(Qt::WA_StyledBackground);
    setAccessibleName(text);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(14, 5, 10, 5);
    row->setSpacing(10);
    row->addWidget(makeLabel(text));
    if (m_undo) {
        auto* button = makeButton(tr("Undo"));
        button->setAccessibleDescription(text);
        connect(button, &QPushButton::clicked, this, &Toast::undo);
        row->addWidget(button);
    }
    m_clock = makeLabel(tr("%1 s").arg(m_left), "caption");
    m_clock->setMinimumWidth(28);
    row->addWidget(m_clock);
    m_timer.setInterval(1000);
    connect(&m_timer, &QTimer::timeout, this, &Toast::tick);
    m_timer.start();
    adjustSize();
}

void Toast::tick()
{
    if (m_held || isAncestorOf(window()->focusWidget()))
        return;
    if (--m_left <= 0)
        return finish(false);
    m_clock->setText(tr("%1 s").arg(m_left));
}

void Toast::undo() { finish(true); }
void Toast::dismiss() { finish(false); }

void Toast::finish(bool undone)
{
    if (m_done)
        return;
    m_done = true;
    m_timer.stop();
    hide();
    if (undone && m_undo)
        m_undo();
    if (!undone && m_expired)
        m_expired();
    emit gone();
    deleteLater();
}

Toasts::Toasts(QWidget* window) : QObject(window), m_window(window) { window->installEventFilter(this); }

Toast* Toasts::show(const QString& text) { return show(text, {}, {}); }

Toast* Toasts::show(const QString& text, std::function<void()> undo, std::function<void()> expired)
{
    auto* toast = new Toast(text, std::move(undo), std::move(expired), m_window);
    connect(toast, &Toast::gone, this, [this, toast] { m_toasts.removeAll(QPointer<Toast>(toast)); place(); });
    m_toasts.append(toast);
    while (m_toasts.size() > 3)
        m_toasts.first()->dismiss();
    place();
    toast->show();
    toast->raise();
#if QT_CONFIG(accessibility)
    QAccessibleEvent event(toast, QAccessible::Alert);
    QAccessible::updateAccessibility(&event);
#endif
    return toast;
}

bool Toasts::undoLast()
{
    for (auto it = m_toasts.rbegin(); it != m_toasts.rend(); ++it)
        if (*it && (*it)->undoable()) {
            (*it)->undo();
            return true;
        }
    return false;
}

void Toasts::flush()
{
    const auto all = m_toasts;
    for (const auto& toast : all)
        if (toast)
            toast->dismiss();
}

void Toasts::place()
{
    int y = m_window->height() - 26 - 14;
    for (auto it = m_toasts.rbegin(); it != m_toasts.rend(); ++it) {
        if (!*it)
            continue;
        (*it)->adjustSize();
        y -= (*it)->height();
        (*it)->move((m_window->width() - (*it)->width()) / 2, y);
        y -= 8;
    }
}

bool Toasts::eventFilter(QObject* watched, QEvent* event)
{
    if (watched == m_window && event->type() == QEvent::Resize)
        place();
    return QObject::eventFilter(watched, event);
}

} // namespace millrace::ui
