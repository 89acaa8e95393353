#include "ui/widgets/filterbox.h"
#include "ui/widgets/icons.h"
#include <QKeyEvent>
#include <QPainter>
#include <algorithm>

namespace millrace::ui {

FilterBox::FilterBox(const QString& placeholder, const QString& accessibleName, const QString& iconName, QWidget* parent) : QLineEdit(parent), m_icon(iconName)
{
    setPlaceholderText(placeholder);
    setAccessibleName(accessibleName);
    setToolTip(placeholder);                                      // a narrow one cuts it off
    setClearButtonEnabled(true);
    setProperty("icon", true);
    m_wait.setSingleShot(true);
    m_wait.setInterval(120);
    connect(this, &QLineEdit::textChanged, this, [this] { m_wait.start(); });
    connect(&m_wait, &QTimer::timeout, this, [this] { emit filterChanged(text()); });
}

QSize FilterBox::sizeHint() const { return {std::max(150, fontMetrics().horizontalAdvance(placeholderText()) + 46), QLineEdit::sizeHint().height()}; }

void FilterBox::setFilter(const QString& what)
{
    setText(what);
    m_wait.stop();
    emit filterChanged(what);
}

void paintFieldIcon(QLineEdit& field, const QString& iconName)
{
    QPainter painter(&field);
    paintIcon(painter, QRect(7, (field.height() - 16) / 2, 16, 16), iconName, Role::Secondary);
}

void FilterBox::paintEvent(QPaintEvent* event)
{
    QLineEdit::paintEvent(event);
    paintFieldIcon(*this, m_icon);
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
