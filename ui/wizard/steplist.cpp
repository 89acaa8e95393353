#include "ui/wizard/steplist.h"
#include "ui/widgets/icons.h"
#include "ui/widgets/theme.h"
#include <QKeyEvent>
#include <algorithm>
#include <QMouseEvent>
#include <QPainter>

namespace millrace::ui {

namespace { constexpr int stepHeight = 76, stepWidth = 212; }

StepList::StepList(QWidget* parent) : QWidget(parent)
{
    setFixedWidth(stepWidth);
    setFocusPolicy(Qt::TabFocus);
    setAccessibleName(tr("Steps"));
}

void StepList::setSteps(const QList<Step>& steps, int current)
{
    m_steps = steps;
    if (m_current != current) m_focus = current;
    m_current = current;
    QStringList words;
    for (int i = 0; i < steps.size(); ++i)
        words << QStringLiteral("%1 %2%3").arg(i + 1).arg(steps[i].name, i == current ? tr(" (current)") : steps[i].done ? tr(" (done)") : QString());
    setAccessibleDescription(words.join(QLatin1String(", ")));
    update();
}

QRect StepList::rectOf(int step) const { return {0, step * stepHeight, width(), stepHeight}; }

void StepList::paintEvent(QPaintEvent*)
{
    QPainter painter(this);
    painter.setRenderHint(QPainter::Antialiasing);
    painter.fillRect(rect(), color(Role::Rail));
    painter.fillRect(QRect(width() - 1, 0, 1, height()), color(Role::Line));
    for (int i = 0; i < m_steps.size(); ++i) {
        const QRect where = rectOf(i);
        const Step& step = m_steps[i];
        const bool current = i == m_current;
        if (current) {
            painter.fillRect(where, color(Role::Base));
            painter.fillRect(QRect(0, where.top(), 3, where.height()), color(Role::Accent));
        }
        const QRect mark(13, where.top() + 12, 20, 20);
        if (step.done)
            paintIcon(painter, mark.adjusted(2, 2, -2, -2), QStringLiteral("dialog-ok-apply"), Role::Secondary);    // green is for what was compared
        else {
            painter.setPen(QPen(color(current ? Role::Accent : Role::ControlBorder), 1.4));
            painter.setBrush(current ? color(Role::Accent) : QColor(Qt::transparent));
            painter.drawEllipse(mark);
            painter.setPen(color(current ? Role::OnAccent : Role::Secondary));
            painter.setFont(ui::font(FontRole::CaptionBold));
            painter.drawText(mark, Qt::AlignCenter, QString::number(i + 1));
        }
        QRect line(44, where.top() + 12, width() - 52, 20);
        painter.setFont(ui::font(current ? FontRole::Section : FontRole::Body));
        painter.setPen(color(step.reachable ? Role::Text : Role::Tertiary));
        painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, step.name);
        painter.setFont(ui::font(FontRole::Caption));
        painter.setPen(color(Role::Secondary));
        for (const QString& words : step.lines.mid(0, 2)) {
            line.translate(0, 18);
            painter.drawText(line, Qt::AlignLeft | Qt::AlignVCenter, painter.fontMetrics().elidedText(words, Qt::ElideRight, line.width()));
        }
        if (hasFocus() && i == m_focus) {
            painter.setPen(QPen(color(Role::Accent), 2));
            painter.setBrush(Qt::NoBrush);
            painter.drawRect(where.adjusted(2, 2, -3, -3));
        }
    }
    painter.setFont(ui::font(FontRole::Caption));
    painter.setPen(color(Role::Tertiary));
    painter.drawText(rect().adjusted(14, 0, -14, -14), Qt::AlignLeft | Qt::AlignBottom | Qt::TextWordWrap,
                     tr("Steps can be visited in any order. Nothing is written before you press Create."));
}

void StepList::mousePressEvent(QMouseEvent* event)
{
    const int step = event->position().toPoint().y() / stepHeight;
    if (step < m_steps.size() && m_steps[step].reachable)
        emit chosen(step);
}

void StepList::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Up || event->key() == Qt::Key_Down) {
        m_focus = std::clamp(m_focus + (event->key() == Qt::Key_Up ? -1 : 1), 0, static_cast<int>(m_steps.size()) - 1);
        update();
    } else if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter || event->key() == Qt::Key_Space) && m_steps.value(m_focus).reachable)
        emit chosen(m_focus);
    else
        QWidget::keyPressEvent(event);
}

} // namespace millrace::ui
