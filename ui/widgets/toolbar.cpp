#include "ui/widgets/toolbar.h"
#include <QEvent>
#include <QHBoxLayout>
#include <QToolButton>

namespace millrace::ui {

ToolBar::ToolBar(QWidget* parent) : QFrame(parent), m_row(new QHBoxLayout(this))
{
    setAttribute(Qt::WA_StyledBackground);
    setProperty("surface", "toolbar");
    setFixedHeight(44);
    m_row->setContentsMargins(10, 0, 10, 0);
    m_row->setSpacing(4);
}

void ToolBar::addTool(QToolButton* tool)
{
    m_row->addWidget(tool);
    m_tools.push_back(tool);
}

// Whoever holds it may make it as narrow as its icons
QSize ToolBar::minimumSizeHint() const
{
    const QSize now = m_row->minimumSize();
    int words = 0;
    if (!m_folded)
        for (const QToolButton* tool : m_tools)
            words += tool->fontMetrics().horizontalAdvance(tool->text());
    return {now.width() - words, now.height()};
}

bool ToolBar::event(QEvent* event)
{
    const bool answer = QFrame::event(event);
    if (event->type() == QEvent::Resize || event->type() == QEvent::LayoutRequest)
        fold();
    return answer;
}

void ToolBar::fold()
{
    const int needs = m_row->minimumSize().width();
    if (!m_folded && needs > width()) {
        show(false);
        m_saved = needs - m_row->minimumSize().width();
    } else if (m_folded && needs + m_saved + 4 <= width()) {
        show(true);
    }
}

void ToolBar::show(bool words)
{
    m_folded = !words;
    for (QToolButton* tool : m_tools)
        tool->setToolButtonStyle(words ? Qt::ToolButtonTextBesideIcon : Qt::ToolButtonIconOnly);
    m_row->invalidate();
}

} // namespace millrace::ui
