#include "ui/logs/logview.h"
#include "ui/shell/pages.h"
#include "ui/widgets/datatree.h"
#include <QVBoxLayout>

namespace millrace::ui {
namespace {

class LogsPage final : public Page {
public:
    LogsPage(const Context& context, QWidget* parent) : Page(parent), m_view(new LogView(context.log, context.settings, QStringLiteral("logs"), this))
    {
        auto* column = new QVBoxLayout(this);
        column->setContentsMargins(0, 0, 0, 0);
        column->addWidget(m_view);
    }
    QString title() const override { return LogView::tr("Logs"); }
    QString iconName() const override { return QStringLiteral("view-list-text"); }
    QWidget* filterField() override { return m_view->filterField(); }
    void activated() override { m_view->table()->setFocus(); }
    void saveState() override { m_view->saveState(); }
private:
    LogView* m_view;
};

} // namespace

Page* makeLogsPage(const Context& context, QWidget* parent) { return new LogsPage(context, parent); }

} // namespace millrace::ui
