#include "ui/shell/rail.h"
#include "ui/widgets/icons.h"
#include "ui/widgets/look.h"
#include <QButtonGroup>
#include <QKeyEvent>
#include <QPainter>
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

constexpr int kWide = 84, kNarrow = 48, kHigh = 56;

} // namespace

RailItem::RailItem(const QString& iconName, const QString& word, QWidget* parent) : QAbstractButton(parent), m_icon(iconName)
{
    setText(word);
    setCheckable(true);
    setAutoExclusive(true);
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(word);
    setAttribute(Qt::WA_Hover);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
}

void RailItem::setBadge(int count, bool warning)
{
    if (count == m_badge && warning == m_badgeWarning)
        return;
    m_badge = count;
    m_badgeWarning = warning;
    setAccessibleDescription(count > 0 ? tr("%n need attention", nullptr, count) : QString());
    update();
}

void RailItem::setCompact(bool on)
{
    m_compact = on;
    setToolTip(text());
    updateGeometry();
    update();
}

QSize RailItem::sizeHint() const { return {m_compact ? kNarrow : kWide, m_compact ? 46 : kHigh}; }

void RailItem::paintEvent(QPaintEvent*)
{
    QPainter p(this);
    if (isChecked()) {
        p.fillRect(rect(), color(Role::Base));
        p.fillRect(QRect(0, 0, 3, height()), color(Role::Accent));
    } else if (underMouse()) {
        p.fillRect(rect(), color(Role::Line));
    }
    const int left = (width() - 22) / 2 + (isChecked() ? 1 : 0);
    const QRect where(left, m_compact ? 12 : 8, 22, 22);
    paintIcon(p, where, m_icon, isChecked() ? Role::Accent : Role::Secondary);
    if (!m_compact) {
        p.setFont(ui::font(isChecked() ? FontRole::CaptionBold : FontRole::Caption));
        p.setPen(color(isChecked() ? Role::Text : Role::Secondary));
        p.drawText(QRect(2, 33, width() - 4, 17), Qt::AlignCenter, p.fontMetrics().elidedText(text(), Qt::ElideRight, width() - 4));
    }
    if (m_badge > 0) {
        const QString number = m_badge > 99 ? QStringLiteral("99+") : QString::number(m_badge);
        p.setFont(ui::font(FontRole::Tiny));
        const int wide = std::max(16, p.fontMetrics().horizontalAdvance(number) + 8);
        const QRectF badge(where.right() - 6, where.top() - 4, wide, 16);
        p.setRenderHint(QPainter::Antialiasing);
        p.setPen(QPen(color(isChecked() ? Role::Base : Role::Rail), 1.5));
        p.setBrush(color(m_badgeWarning ? Role::Lagging : Role::Failed));
        p.drawRoundedRect(badge, 8, 8);
        p.setPen(color(darkNow() ? Role::OnAccent : Role::Base));
        p.drawText(badge, Qt::AlignCenter, number);
        p.setRenderHint(QPainter::Antialiasing, false);
    }
    if (hasFocus()) {
        p.setPen(QPen(color(Role::Accent), 2));
        p.setBrush(Qt::NoBrush);
        p.drawRect(rect().adjusted(1, 1, -1, -1));
    }
}

void RailItem::keyPressEvent(QKeyEvent* event)
{
    auto* rail = qobject_cast<Rail*>(parentWidget());
    if (rail && (event->key() == Qt::Key_Up || event->key() == Qt::Key_Down))
        return rail->step(this, event->key() == Qt::Key_Down ? 1 : -1);
    if (event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter)
        return click();
    QAbstractButton::keyPressEvent(event);
}

Rail::Rail(QWidget* parent) : QFrame(parent), m_column(new QVBoxLayout(this)), m_group(new QButtonGroup(this))
{
    setAttribute(Qt::WA_StyledBackground);
    setProperty("surface", "rail");
    m_column->setContentsMargins(0, 4, 0, 4);
    m_column->setSpacing(0);
    m_column->addStretch(1);
    connect(m_group, &QButtonGroup::idClicked, this, &Rail::chosen);
}

RailItem* Rail::add(const QString& iconName, const QString& word, Place place)
{
    auto* item = new RailItem(iconName, word, this);
    if (place == Place::Bottom)
        m_column->addWidget(item);
    else
        m_column->insertWidget(m_column->count() - 1, item);
    m_group->addButton(item, int(m_items.size()));
    m_items << item;
    return item;
}

void Rail::setCurrent(int index)
{
    if (auto* item = m_items.value(index))
        item->setChecked(true);
}

int Rail::current() const { return m_group->checkedId(); }

void Rail::setCompact(bool on)
{
    for (RailItem* item : std::as_const(m_items))
        item->setCompact(on);
}

void Rail::step(RailItem* from, int by)
{
    if (auto* next = m_items.value(int(m_items.indexOf(from)) + by)) {
        next->setFocus(Qt::TabFocusReason);
        next->click();
    }
}

} // namespace millrace::ui
