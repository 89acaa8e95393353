#include "ui/widgets/iconlabel.h"
#include <QPainter>

namespace millrace::ui {

void IconLabel::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    if (!m_name.isEmpty())
        paintIcon(painter, rect(), m_name, m_tint);
}

} // namespace millrace::ui
