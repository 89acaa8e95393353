#include "ui/widgets/banner.h"
#include "ui/widgets/format.h"
#include "ui/widgets/iconlabel.h"
#include "ui/widgets/look.h"
#include <QAccessible>
#include <QHBoxLayout>
#include <QVBoxLayout>

namespace millrace::ui {

QString sentence(const Error& error) { return text(error.detail.empty() ? error.id : error.detail); }

Banner::Banner(QWidget* parent) : QFrame(parent)
{
    setAttribute(Qt::WA_StyledBackground);
    setProperty("banner", "info");
    m_icon = new IconLabel({}, 16, Role::Accent, this);
    m_text = makeLabel({}, nullptr, this);
    m_fix = makeLabel({}, "secondary", this);
    for (QLabel* label : {m_text, m_fix}) {
        label->setWordWrap(true);
        label->setTextInteractionFlags(Qt::TextSelectableByMouse);
    }
    m_action = makeButton({}, {}, "small", this);
    m_close = makeButton({}, {}, "link", this);
    m_close->setIcon(icon(QStringLiteral("close"), Role::Secondary));
    setAccessible(m_close, tr("Close this message"));
    connect(m_action, &QPushButton::clicked, this, [this] { if (m_onAction) m_onAction(); });
    connect(m_close, &QPushButton::clicked, this, &QWidget::hide);
    auto* words = new QVBoxLayout;
    words->setSpacing(2);
    words->addWidget(m_text);
    words->addWidget(m_fix);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(12, 8, 8, 8);
    row->setSpacing(9);
    row->addWidget(m_icon, 0, Qt::AlignTop);
    row->addLayout(words, 1);
    row->addWidget(m_action, 0, Qt::AlignVCenter);
    row->addWidget(m_close, 0, Qt::AlignTop);
    m_close->hide();
    hide();
}

void Banner::say(Kind kind, const QString& what, const QString& action, std::function<void()> onAction)
{
    struct Look { const char *name, *icon; Role role; };
    static const Look looks[] = {{"info", "data-information", Role::Accent}, {"good", "dialog-ok-apply", Role::Verified},
        {"warning", "data-warning", Role::Lagging}, {"error", "data-error", Role::Failed}};
    const Look& look = looks[static_cast<int>(kind)];
    m_kind = kind;
    setLook(this, "banner", look.name);
    m_icon->set(QString::fromLatin1(look.icon), look.role);
    m_text->setText(what);
    m_fix->hide();
    m_action->setText(action);
    m_action->setAccessibleName(action);
    m_action->setVisible(!action.isEmpty());
    m_onAction = std::move(onAction);
    setAccessibleName(what);
    const bool fresh = !isVisible();
    show();
#if QT_CONFIG(accessibility)
    if (fresh) {
        QAccessibleEvent event(this, QAccessible::Alert);
        QAccessible::updateAccessibility(&event);
    }
#endif
}

void Banner::say(const Error& error, const QString& action, std::function<void()> onAction)
{
    say(error.fault == Fault::Cancelled ? Kind::Info : Kind::Error, ui::sentence(error), action, std::move(onAction));
    m_fix->setText(text(error.fix));
    m_fix->setVisible(!error.fix.empty());
}

void Banner::setClosable(bool on) { m_close->setVisible(on); }
QString Banner::sentence() const { return m_text->text(); }

} // namespace millrace::ui
