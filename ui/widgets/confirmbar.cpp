#include "ui/widgets/confirmbar.h"
#include "ui/widgets/iconlabel.h"
#include "ui/widgets/look.h"
#include <QApplication>
#include <QHBoxLayout>
#include <QKeyEvent>
#include <QLineEdit>

namespace millrace::ui {

ConfirmBar::ConfirmBar(QWidget* parent) : QFrame(parent)
{
    setAttribute(Qt::WA_StyledBackground);
    setProperty("banner", "warning");
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 6, 8, 6);
    row->setSpacing(9);
    row->addWidget(new IconLabel(QStringLiteral("data-warning"), 16, Role::Lagging, this));
    m_text = makeLabel({}, nullptr, this);
    m_text->setWordWrap(true);
    row->addWidget(m_text, 1);
    m_reason = makeLabel({}, "secondary", this);
    row->addWidget(m_reason);
    m_name = new QLineEdit(this);
    m_name->setProperty("look", "code");
    m_name->setFixedWidth(170);
    setAccessible(m_name, tr("Name of the target"));
    row->addWidget(m_name);
    m_yes = makeButton({}, {}, "main", this);
    m_no = makeButton(tr("Cancel"), {}, nullptr, this);
    row->addWidget(m_yes);
    row->addWidget(m_no);
    connect(m_name, &QLineEdit::textChanged, this, &ConfirmBar::check);
    connect(m_no, &QPushButton::clicked, this, &ConfirmBar::cancel);
    connect(m_yes, &QPushButton::clicked, this, [this] {
        const auto yes = std::exchange(m_onYes, {});
        cancel();
        if (yes)
            yes();
    });
    hide();
}

void ConfirmBar::ask(const QString& sentence, const QString& verb, const QString& typed, std::function<void()> onYes)
{
    m_text->setText(sentence);
    m_yes->setText(verb);
    m_yes->setAccessibleName(verb);
    m_typed = typed;
    m_onYes = std::move(onYes);
    m_before = QApplication::focusWidget();
    m_name->clear();
    m_name->setVisible(!typed.isEmpty());
    m_reason->setVisible(!typed.isEmpty());
    m_reason->setText(tr("%1 is production. Type its name:").arg(typed));
    setAccessibleName(sentence);
    check();
    show();
    (typed.isEmpty() ? static_cast<QWidget*>(m_no) : m_name)->setFocus(Qt::OtherFocusReason);
}

void ConfirmBar::check() { m_yes->setEnabled(m_typed.isEmpty() || m_name->text().trimmed() == m_typed); }

void ConfirmBar::cancel()
{
    hide();
    m_onYes = {};
    if (m_before && m_before->isVisible())
        m_before->setFocus();
    m_before = nullptr;
}

void ConfirmBar::keyPressEvent(QKeyEvent* event)
{
    if (event->key() == Qt::Key_Escape)
        return cancel();
    if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && m_name->hasFocus())
        return;                                                   // Enter in the field does not submit
    if ((event->key() == Qt::Key_Return || event->key() == Qt::Key_Enter) && focusWidget() && focusWidget()->inherits("QPushButton"))
        return static_cast<QPushButton*>(focusWidget())->click();
    QFrame::keyPressEvent(event);
}

} // namespace millrace::ui
