#include "ui/widgets/celldelegate.h"
#include "ui/widgets/icons.h"
#include <QAbstractItemView>
#include <QFontMetrics>
#include <QHelpEvent>
#include <QMouseEvent>
#include <QPainter>
#include <QPainterPath>
#include <QToolTip>
#include <algorithm>

namespace millrace::ui {
namespace {

constexpr int kPad = 6, kIcon = 16, kGap = 5, kBox = 14, kPillHeight = 16;
constexpr int kSparkText = 52;                     // figure right of a sparkline
constexpr qsizetype kSparkSlots = 60;              // seconds

QFont cellFont(const CellInfo& cell)
{
    QFont f = font(cell.section ? FontRole::CaptionBold : cell.mono ? FontRole::Code : cell.bold ? FontRole::BodyBold : FontRole::Body);
    if (cell.italic)
        f.setItalic(true);
    return f;
}

int leadWidth(const CellInfo& cell) { return (cell.check ? kBox + kGap + 1 : 0) + (cell.icon.isEmpty() ? 0 : kIcon + kGap); }

int pillsWidth(const CellInfo& cell)
{
    int width = 0;
    for (const PillInfo& pill : cell.pills)
        width += kGap + CellDelegate::pillWidth(pill);
    return width;
}

void paintBar(QPainter& p, QRect r, const CellInfo& cell)
{
    const QFontMetrics metrics(font(FontRole::Body));
    const int label = std::max(metrics.horizontalAdvance(QStringLiteral("100 %")), metrics.horizontalAdvance(cell.text)) + 4;
    const QRectF track(r.x(), r.center().y() - 2, std::max(8, r.width() - label), 6);
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(Qt::NoPen);
    p.setBrush(color(Role::Line));
    p.drawRoundedRect(track, 3, 3);
    QRectF done = track;
    done.setWidth(std::max(cell.progress > 0 ? 6.0 : 0.0, track.width() * std::clamp(cell.progress, 0.0, 1.0)));
    p.setBrush(color(cell.seriesRole));
    p.drawRoundedRect(done, 3, 3);
    p.setRenderHint(QPainter::Antialiasing, false);
}

} // namespace

CellInfo CellDelegate::cell(const QModelIndex& index)
{
    const QVariant value = index.data(CellRole);
    if (value.canConvert<CellInfo>())
        return value.value<CellInfo>();
    CellInfo plain;
    plain.text = index.data(Qt::DisplayRole).toString();
    plain.right = (index.data(Qt::TextAlignmentRole).toInt() & Qt::AlignRight) != 0;
    return plain;
}

int CellDelegate::pillWidth(const PillInfo& pill)
{ return QFontMetrics(font(FontRole::Caption)).horizontalAdvance(pill.text) + 10 + (pill.icon.isEmpty() ? 0 : 16); }

void CellDelegate::paintPill(QPainter& p, const QRect& where, const PillInfo& pill)
{
    p.setRenderHint(QPainter::Antialiasing);
    p.setPen(color(pill.border));
    p.setBrush(pill.tint ? QBrush(color(*pill.tint)) : Qt::NoBrush);
    p.drawRoundedRect(QRectF(where).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3);
    p.setRenderHint(QPainter::Antialiasing, false);
    QRect inner = where.adjusted(5, 0, -5, 0);
    if (!pill.icon.isEmpty()) {
        paintIcon(p, QRect(inner.x() - 2, where.center().y() - 6, 14, 14), pill.icon, pill.role);
        inner.setLeft(inner.left() + 15);
    }
    p.setFont(font(FontRole::Caption));
    p.setPen(color(pill.role));
    p.drawText(inner, Qt::AlignCenter, pill.text);
}

void CellDelegate::paintCheck(QPainter& p, const QRect& where, Qt::CheckState state, bool enabled)
{
    p.setRenderHint(QPainter::Antialiasing);
    const QRectF box = QRectF(where).adjusted(0.5, 0.5, -0.5, -0.5);
    const bool on = state != Qt::Unchecked;
    p.setPen(color(on && enabled ? Role::Accent : Role::ControlBorder));
    p.setBrush(color(on ? (enabled ? Role::Accent : Role::ControlBorder) : Role::Base));
    p.drawRoundedRect(box, 3, 3);
    p.setPen(QPen(color(Role::OnAccent), 1.8, Qt::SolidLine, Qt::RoundCap, Qt::RoundJoin));
    if (state == Qt::Checked)
        p.drawPolyline(QPolygonF{box.topLeft() + QPointF(3, 7), box.topLeft() + QPointF(5.6, 9.6), box.topLeft() + QPointF(10.2, 4)});
    else if (state == Qt::PartiallyChecked)
        p.drawLine(box.topLeft() + QPointF(3.2, 6.5), box.topLeft() + QPointF(9.8, 6.5));
    p.setRenderHint(QPainter::Antialiasing, false);
}

void CellDelegate::paintSpark(QPainter& p, const QRect& where, const QVector<float>& series, Role role)
{
    if (series.size() < 2 || where.width() < 8)
        return;
    // scaled per row, zero at the bottom: the shape matters here, the figure beside it says how much
    const float top = std::max(1.0F, *std::max_element(series.cbegin(), series.cend()));
    QPolygonF line;
    line.reserve(series.size());
    // a minute wide however little of it there is: now is at the right edge
    const double step = double(where.width()) / double(std::max<qsizetype>(kSparkSlots, series.size()) - 1);
    const double left = where.x() + where.width() - double(series.size() - 1) * step;
    for (qsizetype i = 0; i < series.size(); ++i)
        line << QPointF(left + double(i) * step, where.bottom() - double(series[i]) / double(top) * (where.height() - 2));
    QPolygonF area = line;
    area << QPointF(where.right() + 1, where.bottom() + 1) << QPointF(left, where.bottom() + 1);
    p.setRenderHint(QPainter::Antialiasing);
    QColor fill = color(role);
    fill.setAlphaF(0.18F);
    p.setPen(Qt::NoPen);
    p.setBrush(fill);
    p.drawPolygon(area);
    p.setPen(QPen(color(role), 1.2));
    p.setBrush(Qt::NoBrush);
    p.drawPolyline(line);
    p.setRenderHint(QPainter::Antialiasing, false);
}

QRect CellDelegate::checkRect(const QRect& r) const { return {r.x() + kPad, r.y() + (r.height() - 1 - kBox) / 2, kBox, kBox}; }

void CellDelegate::paint(QPainter* painter, const QStyleOptionViewItem& option, const QModelIndex& index) const
{
    QPainter& p = *painter;
    p.save();
    const CellInfo c = cell(index);
    const bool selected = option.state & QStyle::State_Selected;
    const bool active = !option.widget || option.widget->isActiveWindow();
    const QVariant rowTint = index.siblingAtColumn(0).data(RowTintRole);
    QColor ground = color(m_ground);
    if (rowTint.isValid())
        ground = color(static_cast<Role>(rowTint.toInt()));
    if (c.tint)
        ground = color(*c.tint);
    else if (selected)
        ground = color(active ? Role::Selection : Role::IdleSelection);
    p.fillRect(option.rect, ground);
    if (m_lines) {
        p.setPen(color(Role::Grid));
        p.drawLine(option.rect.bottomLeft(), option.rect.bottomRight());
    }
    // the current row of the view that has the focus; a selected one says so by its colour and the edge in drawBranches
    const auto* view = qobject_cast<const QAbstractItemView*>(option.widget);
    if (view && view->hasFocus() && !selected && view->currentIndex().siblingAtColumn(index.column()) == index && !c.section) {
        p.setPen(color(Role::Accent));
        p.drawLine(option.rect.topLeft(), option.rect.topRight());
        p.drawLine(option.rect.bottomLeft(), option.rect.bottomRight());
    }

    const bool enabled = option.state & QStyle::State_Enabled;
    QRect r = option.rect.adjusted(kPad, 0, -kPad, -1);
    if (c.check) {
        paintCheck(p, checkRect(option.rect), *c.check, enabled && !c.faint);
        r.setLeft(r.left() + kBox + kGap + 1);
    }
    const Role words = c.faint ? Role::Tertiary : c.role;
    if (!c.icon.isEmpty()) {
        paintIcon(p, QRect(r.x(), r.y() + (r.height() - kIcon) / 2, kIcon, kIcon), c.icon, c.faint ? Role::Tertiary : c.iconRole.value_or(c.role));
        r.setLeft(r.left() + kIcon + kGap);
    }
    if (c.chevron) {
        paintIcon(p, QRect(r.right() - 11, r.y() + (r.height() - 12) / 2, 12, 12), QStringLiteral("go-down"), Role::Secondary);
        r.setRight(r.right() - 16);
    }
    if (c.kind == CellKind::Progress && c.progress >= 0)
        paintBar(p, r, c);
    if (c.kind == CellKind::Spark && !c.series.isEmpty())
        paintSpark(p, QRect(r.x(), r.y() + 4, std::max(0, r.width() - kSparkText), r.height() - 8), c.series, c.seriesRole);

    const QFont f = cellFont(c);
    p.setFont(f);
    p.setPen(color(c.section ? Role::Secondary : words));
    const bool right = c.right || c.kind != CellKind::Text;
    const QFontMetrics metrics(f);
    const int room = std::max(0, r.width() - pillsWidth(c));
    const QRect textRect(r.x(), r.y(), c.pills.isEmpty() ? r.width() : room, r.height());
    p.drawText(textRect, (right ? Qt::AlignRight : Qt::AlignLeft) | Qt::AlignVCenter | Qt::TextSingleLine,
        metrics.elidedText(c.text, Qt::ElideRight, textRect.width()));
    int x = c.text.isEmpty() ? r.x() : r.x() + std::min(room, metrics.horizontalAdvance(c.text)) + kGap + 3;
    for (const PillInfo& pill : c.pills) {
        const int width = pillWidth(pill);
        if (x + width > option.rect.right() + 1)
            break;
        paintPill(p, QRect(x, r.y() + (r.height() - kPillHeight) / 2, width, kPillHeight), pill);
        x += width + kGap;
    }
    p.restore();
}

QSize CellDelegate::sizeHint(const QStyleOptionViewItem&, const QModelIndex& index) const
{
    const CellInfo c = cell(index);
    int width = 2 * kPad + leadWidth(c) + QFontMetrics(cellFont(c)).horizontalAdvance(c.text) + pillsWidth(c) + (c.chevron ? 16 : 0) + 2;
    if (c.kind == CellKind::Spark)
        width = 2 * kPad + 44 + kSparkText;
    else if (c.kind == CellKind::Progress)
        width = std::max(width, 104);
    return {width, m_row > 0 ? m_row : rowHeight()};
}

bool CellDelegate::editorEvent(QEvent* event, QAbstractItemModel* model, const QStyleOptionViewItem& option, const QModelIndex& index)
{
    if (event->type() != QEvent::MouseButtonRelease && event->type() != QEvent::MouseButtonPress)
        return false;
    const auto* mouse = static_cast<QMouseEvent*>(event);
    if (mouse->button() != Qt::LeftButton)
        return false;
    const CellInfo c = cell(index);
    const QPoint at = mouse->position().toPoint();
    if (c.check && checkRect(option.rect).adjusted(-3, -4, 3, 4).contains(at)) {
        if (event->type() == QEvent::MouseButtonRelease)
            model->setData(index, *c.check == Qt::Checked ? Qt::Unchecked : Qt::Checked, Qt::CheckStateRole);
        return true;
    }
    if (c.chevron && event->type() == QEvent::MouseButtonRelease && at.x() > option.rect.right() - 28)
        emit chevronClicked(index);
    return false;
}

bool CellDelegate::helpEvent(QHelpEvent* event, QAbstractItemView* view, const QStyleOptionViewItem& option, const QModelIndex& index)
{
    if (event->type() != QEvent::ToolTip || !index.isValid())
        return QStyledItemDelegate::helpEvent(event, view, option, index);
    QString tip = index.data(Qt::ToolTipRole).toString();
    // what does not fit says itself whole
    if (tip.isEmpty() && sizeHint(option, index).width() > option.rect.width() + 2) {
        const CellInfo c = cell(index);
        QStringList parts{c.text};
        for (const PillInfo& pill : c.pills)
            parts << pill.text;
        tip = parts.join(QStringLiteral(", "));
    }
    QToolTip::showText(event->globalPos(), tip.isEmpty() ? QString() : QStringLiteral("<p>%1</p>").arg(tip.toHtmlEscaped()), view);
    return true;
}

} // namespace millrace::ui
