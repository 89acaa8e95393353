#include "ui/widgets/look.h"
#include "ui/widgets/icons.h"
#include <QAction>
#include <QStyle>
#include <QVariant>

namespace millrace::ui {

QLabel* makeLabel(const QString& text, const char* look, QWidget* parent)
{
    auto* label = new QLabel(text, parent);
    label->setTextFormat(Qt::PlainText);
    if (look)
        label->setProperty("look", look);
    return label;
}

QFrame* makeSurface(const char* surface, QWidget* parent)
{
    auto* frame = new QFrame(parent);
    frame->setAttribute(Qt::WA_StyledBackground);
    frame->setProperty("surface", surface);
    return frame;
}

QFrame* makeLine(Qt::Orientation orientation, QWidget* parent)
{
    QFrame* line = makeSurface("line", parent);
    if (orientation == Qt::Horizontal)
        line->setFixedHeight(1);
    else
        line->setFixedWidth(1);
    return line;
}

QPushButton* makeButton(const QString& text, const QString& iconName, const char* look, QWidget* parent)
{
    auto* button = new QPushButton(text, parent);
    const bool main = look && qstrcmp(look, "main") == 0;
    const bool danger = look && qstrcmp(look, "danger") == 0;
    const bool link = look && qstrcmp(look, "link") == 0;
    if (!iconName.isEmpty())
        button->setIcon(icon(iconName, main ? Role::OnAccent : danger ? Role::Failed : link ? Role::Accent : Role::Secondary));
    if (look)
        button->setProperty("look", look);
    button->setAutoDefault(false);
    button->setAccessibleName(text);
    return button;
}

QToolButton* makeToolButton(QAction* action, QWidget* parent)
{
    auto* button = new QToolButton(parent);
    button->setDefaultAction(action);
    button->setToolButtonStyle(Qt::ToolButtonTextBesideIcon);
    button->setFocusPolicy(Qt::TabFocus);
    button->setAutoRaise(true);
    button->setAccessibleName(action->iconText());
    return button;
}

QLabel* makePill(const QString& text, const char* kind, QWidget* parent)
{
    QLabel* pill = makeLabel(text, nullptr, parent);
    pill->setProperty("pill", kind);
    pill->setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    pill->setAlignment(Qt::AlignCenter);
    pill->setMinimumHeight(18);
    return pill;
}

void fitBold(QPushButton* button) { button->setMinimumWidth(QFontMetrics(font(FontRole::BodyBold)).horizontalAdvance(button->text()) + 24); }

void setLook(QWidget* widget, const char* property, const QVariant& value)
{
    if (widget->property(property) == value)
        return;
    widget->setProperty(property, value);
    widget->style()->unpolish(widget);
    widget->style()->polish(widget);
    widget->update();
}

void setAccessible(QWidget* widget, const QString& name, const QString& description)
{
    widget->setAccessibleName(name);
    if (!description.isEmpty())
        widget->setAccessibleDescription(description);
}

} // namespace millrace::ui
