#include "app/gui/application.h"
#include "app/gui/demoactions.h"
#include "ui/shell/translations.h"
#include <QApplication>

namespace millrace::gui {
namespace {

class RuntimeLog final : public ui::LogFeed {
public:
    explicit RuntimeLog(const Runtime& runtime) : m_runtime(runtime) {}
    std::vector<LogEntry> since(std::uint64_t after, std::uint64_t& last) const override { return m_runtime.logSince(after, last); }
private:
    const Runtime& m_runtime;
};

} // namespace

void nameApplication(QApplication& app)
{
    app.setApplicationName(QStringLiteral("millrace"));
    app.setApplicationDisplayName(QStringLiteral("Millrace"));
    app.setApplicationVersion(QStringLiteral(MILLRACE_VERSION));
    app.setDesktopFileName(QStringLiteral("millrace"));
}

Application::Application(QApplication& app, Runtime& runtime, ui::Theme& theme) : m_log(std::make_unique<RuntimeLog>(runtime))
{
    ui::MainWindow::Setup setup;
    setup.home = runtime.home();
    setup.log = m_log.get();
    setup.demo = demoActions(runtime.engine(), runtime.home());
    setup.readFile = fileReader();
    setup.plugins = ui::builtInPlugins();
    ui::installTranslations(app, ui::MainWindow::storedLanguage(setup.home));
    m_window = std::make_unique<ui::MainWindow>(runtime.engine(), theme, std::move(setup));
}

Application::~Application() = default;

void Application::show()
{
    m_window->show();
    m_window->context().calls.run(m_window.get(), [](Engine& engine) { engine.setScheduling(true); return 0; }, [](int) {});
}

} // namespace millrace::gui
