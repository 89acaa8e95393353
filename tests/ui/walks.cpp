// What every window is walked for: names for screen readers, and words that have no room.
#include "tests/ui/uisupport.h"
#include <QAbstractButton>
#include <QAccessible>
#include <QComboBox>
#include <QHeaderView>
#include <QLabel>
#include <QLineEdit>
#include <QStyleOptionComboBox>
#include <QTabBar>
#include <QToolButton>

namespace millrace::test {

QStringList withoutAccessibleName(QWidget& root)
{
    QStringList found;
    for (QWidget* widget : root.findChildren<QWidget*>()) {
        if (widget->focusPolicy() == Qt::NoFocus || widget->inherits("QScrollBar") || !widget->isEnabled() || !widget->isVisibleTo(&root))
            continue;
        // words that can be marked with the mouse take the focus by a click; an empty one says nothing to anybody
        if (const auto* label = qobject_cast<QLabel*>(widget); label && label->text().isEmpty())
            continue;
        // Qt's own parts: the field inside a spin box, the button inside a line edit, the view inside a combo box
        if (widget->parentWidget() && (widget->parentWidget()->inherits("QAbstractSpinBox") || widget->parentWidget()->inherits("QLineEdit") || widget->parentWidget()->inherits("QComboBox")))
            continue;
        QAccessibleInterface* accessible = QAccessible::queryAccessibleInterface(widget);
        if (!accessible || accessible->text(QAccessible::Name).trimmed().isEmpty())
            found << QStringLiteral("%1 \"%2\" in %3").arg(QString::fromLatin1(widget->metaObject()->className()), widget->objectName(),
                widget->parentWidget() ? QString::fromLatin1(widget->parentWidget()->metaObject()->className()) : QString());
    }
    return found;
}

namespace {

// Nothing of it may lie outside of what contains it, unless that scrolls
QString cutOff(const QWidget& widget, const QWidget& root)
{
    for (const QWidget* outer = widget.parentWidget(); outer; outer = outer->parentWidget()) {
        if (outer->parentWidget() && outer->parentWidget()->inherits("QAbstractScrollArea"))
            return {};
        const QRect where(widget.mapTo(outer, QPoint()), widget.size());
        if (!outer->rect().adjusted(-1, -1, 1, 1).contains(where))
            return QStringLiteral("cut off by %1 %2: %3,%4 %5x%6 in %7x%8").arg(QString::fromLatin1(outer->metaObject()->className()), outer->objectName()).arg(where.x()).arg(where.y())
                .arg(where.width()).arg(where.height()).arg(outer->width()).arg(outer->height());
        if (outer == &root)
            break;
    }
    return {};
}

QString clippedWords(const QWidget& widget)
{
    const auto has = [&](int width, int height) { return QStringLiteral("has %1 x %2, needs %3 x %4").arg(widget.width()).arg(widget.height()).arg(width).arg(height); };
    const int line = widget.fontMetrics().height();
    if (const auto* label = qobject_cast<const QLabel*>(&widget)) {
        if (label->text().isEmpty() || label->inherits("millrace::ui::ElidedLabel"))     // ends in "…" and has a tooltip
            return {};
        if (label->wordWrap())
            return widget.height() + 1 < label->heightForWidth(widget.width()) ? has(widget.width(), label->heightForWidth(widget.width())) : QString();
        return widget.width() + 1 < label->minimumSizeHint().width() || widget.height() + 1 < line ? has(label->minimumSizeHint().width(), line) : QString();
    }
    if (const auto* button = qobject_cast<const QAbstractButton*>(&widget)) {
        const bool iconOnly = widget.inherits("QToolButton") && static_cast<const QToolButton&>(widget).toolButtonStyle() == Qt::ToolButtonIconOnly;
        if (button->text().isEmpty() || iconOnly)
            return {};
        return widget.width() + 1 < widget.minimumSizeHint().width() || widget.height() + 1 < line ? has(widget.minimumSizeHint().width(), line) : QString();
    }
    if (const auto* box = qobject_cast<const QComboBox*>(&widget)) {
        QStyleOptionComboBox option;
        option.initFrom(box);
        option.subControls = QStyle::SC_All;
        const int room = box->style()->subControlRect(QStyle::CC_ComboBox, &option, QStyle::SC_ComboBoxEditField, box).width();
        const int needs = widget.fontMetrics().horizontalAdvance(box->currentText()) + (box->itemIcon(box->currentIndex()).isNull() ? 0 : box->iconSize().width() + 4);
        return room + 2 < needs ? has(widget.width() + needs - room, line) : QString();
    }
    if (const auto* field = qobject_cast<const QLineEdit*>(&widget)) {
        if (!field->text().isEmpty() || field->placeholderText().isEmpty() || field->parentWidget()->inherits("QComboBox"))
            return {};
        // a hint may end in "…" when a tooltip says it whole
        const int whole = widget.fontMetrics().horizontalAdvance(field->placeholderText()) + 20, needs = field->toolTip().isEmpty() ? whole : std::min(whole, 90);
        return widget.width() < needs ? has(needs, line) : QString();
    }
    if (const auto* tabs = qobject_cast<const QTabBar*>(&widget)) {
        for (int i = 0; i < tabs->count(); ++i)
            if (tabs->tabRect(i).right() > tabs->width() + 1)
                return QStringLiteral("the tab %1 is out of sight").arg(tabs->tabText(i));
        return {};
    }
    if (const auto* header = qobject_cast<const QHeaderView*>(&widget)) {
        const QFontMetrics metrics(ui::font(ui::FontRole::CaptionBold));
        for (int i = 0; i < header->count(); ++i) {
            const QString word = header->model()->headerData(i, header->orientation()).toString();
            if (header->orientation() == Qt::Horizontal && !header->isSectionHidden(i) && header->sectionSize(i) < metrics.horizontalAdvance(word) + 12)
                return QStringLiteral("the header %1 has %2").arg(word).arg(header->sectionSize(i));
        }
    }
    return {};
}

QString wordsOf(const QWidget& widget)
{
    if (const auto* label = qobject_cast<const QLabel*>(&widget))
        return label->text();
    if (const auto* button = qobject_cast<const QAbstractButton*>(&widget))
        return button->text();
    if (const auto* field = qobject_cast<const QLineEdit*>(&widget))
        return field->text().isEmpty() ? field->placeholderText() : field->text();
    if (const auto* box = qobject_cast<const QComboBox*>(&widget))
        return box->currentText();
    return widget.accessibleName();
}

} // namespace

QStringList clippedTexts(QWidget& root)
{
    QStringList found;
    for (QWidget* widget : root.findChildren<QWidget*>()) {
        if (!widget->isVisibleTo(&root) || widget->width() == 0 || widget->inherits("millrace::ui::RailItem"))
            continue;
        // Qt's own parts follow what they are parts of
        if (widget->objectName().startsWith(QLatin1String("qt_")) || (widget->parentWidget() && widget->parentWidget()->inherits("QAbstractSpinBox")))
            continue;
        const QString words = wordsOf(*widget);
        const bool speaks = qobject_cast<QLabel*>(widget) || qobject_cast<QAbstractButton*>(widget) || qobject_cast<QComboBox*>(widget) || qobject_cast<QLineEdit*>(widget);
        QString why = clippedWords(*widget);
        if (why.isEmpty() && speaks && !words.isEmpty())
            why = cutOff(*widget, root);
        if (!why.isEmpty())
            found << QStringLiteral("%1 \"%2\" %3").arg(QString::fromLatin1(widget->metaObject()->className()), words, why);
    }
    return found;
}

QString LongWords::translate(const char*, const char* source, const char*, int) const
{
    QString words = QString::fromUtf8(source);
    if (words.size() < 3 || words == QLatin1String("%1 s") || words.startsWith(QLatin1Char('%')))
        return words;
    const qsizetype more = std::max<qsizetype>(1, words.size() * 2 / 5);
    for (qsizetype i = 0; i < more; ++i)
        words += QStringLiteral("äßüö").at(i % 4);
    return words;
}

} // namespace millrace::test
