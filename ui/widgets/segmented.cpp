#include "ui/widgets/segmented.h"
#include "ui/widgets/look.h"
#include <QButtonGroup>
#include <QHBoxLayout>
#include <QKeyEvent>

namespace millrace::ui {

Segmented::Segmented(const QString& accessibleName, const QStringList& options, QWidget* parent)
    : QWidget(parent), m_name(accessibleName), m_group(new QButtonGroup(this)), m_row(new QHBoxLayout(this))
{
    m_row->setContentsMargins(0, 0, 0, 0);
    m_row->setSpacing(0);
    setSizePolicy(QSizePolicy::Fixed, QSizePolicy::Fixed);
    setAccessibleName(accessibleName);
    setOptions(options);
    connect(m_group, &QButtonGroup::idClicked, this, &Segmented::currentChanged);
}

void Segmented::setOptions(const QStringList& options)
{
    const auto buttons = m_group->buttons();
    if (buttons.size() == options.size()) {
        for (int i = 0; i < buttons.size(); ++i) {
            m_group->button(i)->setText(QString(options[i]).replace(QLatin1Char('&'), QStringLiteral("&&")));
            m_group->button(i)->setAccessibleName(m_name + QStringLiteral(": ") + options[i]);
            fitBold(static_cast<QPushButton*>(m_group->button(i)));
        }
        return;
    }
    const int before = std::max(0, current());
    qDeleteAll(buttons);
    for (int i = 0; i < options.size(); ++i) {
        auto* button = new QPushButton(QString(options[i]).replace(QLatin1Char('&'), QStringLiteral("&&")), this);
        button->setCheckable(true);
        button->setAutoDefault(false);
        button->setProperty("segment", options.size() == 1 ? "only" : i == 0 ? "first" : i + 1 == options.size() ? "last" : "middle");
        button->setAccessibleName(m_name + QStringLiteral(": ") + options[i]);
        fitBold(button);
        button->installEventFilter(this);
        m_group->addButton(button, i);
        m_row->addWidget(button);
    }
    setCurrent(std::min<int>(before, int(options.size()) - 1));
}

int Segmented::current() const { return m_group->checkedId(); }

void Segmented::setCurrent(int index)
{
    if (auto* button = m_group->button(index))
        button->setChecked(true);
}

bool Segmented::eventFilter(QObject* watched, QEvent* event)
{
    if (event->type() == QEvent::KeyPress) {
        const int key = static_cast<QKeyEvent*>(event)->key();
        const int step = key == Qt::Key_Right ? 1 : key == Qt::Key_Left ? -1 : 0;
        if (auto* next = step ? m_group->button(m_group->id(qobject_cast<QAbstractButton*>(watched)) + step) : nullptr) {
            next->setFocus(Qt::TabFocusReason);
            next->click();
            return true;
        }
    }
    return QWidget::eventFilter(watched, event);
}

} // namespace millrace::ui
