#include "ui/widgets/stripe.h"
#include <QPainter>

namespace millrace::ui {

void Stripe::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.fillRect(rect(), color(environmentStripe(m_environment)));
}

} // namespace millrace::ui
