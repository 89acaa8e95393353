#include "ui/widgets/filterbox.h"
#include "ui/widgets/icons.h"
#include <QAction>
#include <QKeyEvent>

namespace millrace::ui {

FilterBox::FilterBox(const QString& placeholder, const QString& accessibleName, const QString& iconName, QWidget* parent) : QLineEdit(parent)
{
    setPlaceholderText(placeholder);
    setAccessibleName(accessibleName);
    setClearButtonEnabled(true);
    addAction(icon(iconName, Role::Secondary), QLineEdit::LeadingPosition);
    m_wait.setSingleShot(true);
    m_wait.setInterval(120);
    connect(this, &QLineEdit::textChanged, this, [this] { m_wait.start(); });
    connect(&m_wait, &QTimer::timeout, this, [this] { emit filterChanged(text()); });
}

void FilterBox::setFilter(const QString& what)
{
    setText(what);
    m_wait.stop();
    emit filterChanged(what);
}

void FilterBox::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape && !text().isEmpty())
        return setFilter({});
    if ((event->key() == Qt::Key_Down || event->key() == Qt::Key_Return || event->key() == Qt::Key_Escape) && m_table) {
        m_wait.stop();
        emit filterChanged(text());
        return m_table->setFocus(Qt::TabFocusReason);
    }
    QLineEdit::keyPressEvent(event);
}

} // namespace millrace::ui
