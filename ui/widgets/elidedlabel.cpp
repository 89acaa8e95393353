#include "ui/widgets/elidedlabel.h"
#include <QHelpEvent>
#include <QPainter>
#include <QStyle>
#include <QToolTip>
#include <algorithm>

namespace millrace::ui {

ElidedLabel::ElidedLabel(const QString& text, const char* look, QWidget* parent) : QLabel(text, parent)
{
    setTextFormat(Qt::PlainText);
    if (look)
        setProperty("look", look);
    setSizePolicy(QSizePolicy::Preferred, QSizePolicy::Preferred);
}

QSize ElidedLabel::minimumSizeHint() const
{
    const QSize whole = QLabel::minimumSizeHint();
    return {std::min(whole.width(), fontMetrics().averageCharWidth() * 6), whole.height()};
}

bool ElidedLabel::elided() const { return fontMetrics().horizontalAdvance(text()) > contentsRect().width(); }

bool ElidedLabel::event(QEvent* event)
{
    if (event->type() == QEvent::ToolTip && toolTip().isEmpty()) {
        QToolTip::showText(static_cast<QHelpEvent*>(event)->globalPos(), elided() ? QStringLiteral("<p>%1</p>").arg(text().toHtmlEscaped()) : QString(), this);
        return true;
    }
    return QLabel::event(event);
}

void ElidedLabel::paintEvent(QPaintEvent* event)
{
    if (!elided())
        return QLabel::paintEvent(event);
    QPainter painter(this);
    const QRect where = contentsRect();
    style()->drawItemText(&painter, where, int(Qt::AlignLeft | Qt::AlignVCenter), palette(), isEnabled(), fontMetrics().elidedText(text(), Qt::ElideRight, where.width()), foregroundRole());
}

} // namespace millrace::ui
