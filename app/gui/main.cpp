#include "app/gui/application.h"
#include "app/gui/pictures.h"
#include "app/gui/trouble.h"
#include "core/base/platform.h"
#include "ui/shell/translations.h"
#include "ui/widgets/format.h"
#include "ui/widgets/theme.h"
#include <QApplication>
#include <QCommandLineParser>
#include <QTimer>

using namespace millrace;

namespace {

struct Wishes { std::string home; bool demo = false; QString pictures; };

Wishes wishes(QApplication& app)
{
    QCommandLineParser parser;
    parser.setApplicationDescription(QApplication::translate("main", "Keeps databases and document stores in step, and proves that they are."));
    parser.addHelpOption();
    parser.addVersionOption();
    const QCommandLineOption home(QStringLiteral("home"), QApplication::translate("main", "Folder that holds all state (default: MILLRACE_HOME, else the desktop's data folder)."), QStringLiteral("DIR"));
    const QCommandLineOption demo(QStringLiteral("demo"), QApplication::translate("main", "Make the demo shop and sync it."));
    const QCommandLineOption pictures(QStringLiteral("screenshot"), QApplication::translate("main", "Run the demo, save a picture of every page in light and dark, and end."), QStringLiteral("DIR"));
    parser.addOptions({home, demo, pictures});
    parser.process(app);
    return {parser.value(home).toStdString(), parser.isSet(demo), parser.value(pictures)};
}

// The home, or nothing when it cannot be had and the operator gave up
std::unique_ptr<Runtime> open(const Wishes& wish)
{
    RuntimeOptions options;
    options.home = wish.home;
    options.preferKeychain = wish.pictures.isEmpty();
    for (;;) {
        auto runtime = openRuntime(options);
        if (runtime)
            return std::move(*runtime);
        std::fprintf(stderr, "millrace: %s %s\n", runtime.error().detail.c_str(), runtime.error().fix.c_str());
        if (!wish.pictures.isEmpty())
            return nullptr;
        gui::Trouble trouble(runtime.error(), ui::text(wish.home));
        if (trouble.exec() != QDialog::Accepted)
            return nullptr;
    }
}

} // namespace

int main(int argc, char** argv)
{
    millrace::platform::hardenProcess();
    QApplication app(argc, argv);
    gui::nameApplication(app);
    const Wishes wish = wishes(app);
    ui::Theme theme(app);
    ui::installTranslations(app, QString());
    const auto runtime = open(wish);
    if (!runtime)
        return 1;
    gui::Application shown(app, *runtime, theme);
    ui::MainWindow& window = shown.window();
    shown.show();
    std::unique_ptr<gui::Pictures> pictures;
    if (!wish.pictures.isEmpty())
        pictures = std::make_unique<gui::Pictures>(window, theme, wish.pictures);
    else if (wish.demo)
        QTimer::singleShot(0, &window, [&window] { window.tryDemo(); });
    return QApplication::exec();
}
