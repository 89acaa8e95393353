#include "ui/charts/legend.h"
#include <QPainter>

namespace millrace::ui {

void Legend::setItems(QList<Item> items)
{
    m_items = std::move(items);
    QStringList words;
    for (const Item& item : std::as_const(m_items))
        words << item.words;
    setAccessibleDescription(words.join(QStringLiteral(", ")));
    update();
}

void Legend::paintEvent(QPaintEvent*)
{
    QPainter p(this);
    p.setFont(ui::font(FontRole::BodyBold));
    p.setPen(color(Role::Text));
    const int title = p.fontMetrics().horizontalAdvance(m_title);
    p.drawText(QRect(8, 0, title + 4, height()), Qt::AlignLeft | Qt::AlignVCenter, m_title);
    p.setFont(ui::font(FontRole::Caption));
    const QFontMetrics metrics = p.fontMetrics();
    int right = width() - 10;
    // what does not fit is left out from the left, never painted over the title
    for (auto it = m_items.crbegin(); it != m_items.crend(); ++it) {
        const int wide = metrics.horizontalAdvance(it->words);
        if (right - wide - 18 < title + 18)
            break;
        p.setPen(color(Role::Secondary));
        p.drawText(QRect(right - wide, 0, wide + 1, height()), Qt::AlignLeft | Qt::AlignVCenter, it->words);
        right -= wide + 16;
        if (it->swatch && it->dashed) {
            p.setPen(QPen(color(it->role), 2, Qt::DotLine));
            p.drawLine(right, height() / 2 + 1, right + 11, height() / 2 + 1);
        } else if (it->swatch) {
            p.fillRect(QRect(right, height() / 2, 10, 3), color(it->role));
        }
        right -= 12;
    }
}

} // namespace millrace::ui
