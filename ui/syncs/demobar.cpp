#include "ui/syncs/demobar.h"
#include "ui/widgets/elidedlabel.h"
#include "ui/widgets/format.h"
#include "ui/widgets/look.h"
#include "ui/widgets/toast.h"
#include <QHBoxLayout>

namespace millrace::ui {

DemoBar::DemoBar(const Context& context, QWidget* parent) : QFrame(parent), m_context(context)
{
    setAttribute(Qt::WA_StyledBackground);
    setProperty("surface", "toolbar");
    setFixedHeight(36);
    auto* row = new QHBoxLayout(this);
    row->setContentsMargins(10, 0, 10, 1);
    row->setSpacing(8);
    row->addWidget(makePill(tr("DEMO"), "info", this));
    m_words = new ElidedLabel(tr("Made-up data on this machine. See what the window does when something happens:"), "secondary", this);
    row->addWidget(m_words);
    const auto add = [&](const QString& words, const char* iconName, auto slot) {
        auto* button = makeButton(words, QString::fromLatin1(iconName), "small", this);
        connect(button, &QPushButton::clicked, this, slot);
        row->addWidget(button);
    };
    if (context.demo.changeRow)
        add(tr("Change a row"), "edit-rename", [this] { tell(m_context.demo.changeRow); });
    if (context.demo.breakRow)
        add(tr("Break a row"), "data-warning", [this] { tell(m_context.demo.breakRow); });
    if (context.demo.mendRow)
        add(tr("Mend it"), "dialog-ok-apply", [this] {
            m_context.calls.run(this, [deed = m_context.demo.mendRow, sync = m_context.demo.sync](Engine& engine) -> Result<std::string> {
                auto mended = deed();
                if (mended)
                    if (auto retried = engine.retryFailures(sync, {}, {}); !retried)
                        return retried.error();
                return mended;
            }, [this](Result<std::string> told) { if (told) m_context.toasts.show(text(*told)); else emit failed(told.error()); });
        });
    row->addStretch(1);
    auto* connectYours = makeButton(tr("Connect yours"), QStringLiteral("server-database"), "small", this);
    connect(connectYours, &QPushButton::clicked, this, [this] { m_context.go.newConnection({}); });
    row->addWidget(connectYours);
    m_yours = connectYours;
    if (context.demo.remove)
        add(tr("Remove the demo"), "edit-delete", [this] {
            m_context.calls.run(this, [deed = m_context.demo.remove](Engine&) { return deed(); }, [this](Result<> gone) {
                if (!gone)
                    return emit failed(gone.error());
                m_context.monitor.sampleNow();
                m_context.toasts.show(tr("The demo is removed."));
            });
        });
}

void DemoBar::resizeEvent(QResizeEvent* event)
{
    QFrame::resizeEvent(event);
    m_words->setVisible(width() >= 860);
    m_yours->setVisible(width() >= 760);
}

void DemoBar::tell(const std::function<Result<std::string>()>& deed)
{
    m_context.calls.run(this, [deed](Engine&) { return deed(); }, [this](Result<std::string> told) {
        if (!told)
            return emit failed(told.error());
        m_context.toasts.show(text(*told));
        emit happened();
    });
}

} // namespace millrace::ui
