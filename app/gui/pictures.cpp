#include "app/gui/pictures.h"
#include "ui/widgets/theme.h"
#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QTimer>
#include <cstdio>

namespace millrace::gui {
namespace {

constexpr int kPatienceMs = 120'000;

// Lets the window settle: answers of the engine arrive, charts are drawn
void settle(ui::MainWindow& window, int ms)
{
    QElapsedTimer clock;
    clock.start();
    while (clock.elapsed() < ms || (window.context().calls.running() > 0 && clock.elapsed() < 5'000))
        QApplication::processEvents(QEventLoop::AllEvents, 20);
}

} // namespace

Pictures::Pictures(ui::MainWindow& window, ui::Theme& theme, QString folder) : m_window(window), m_theme(theme), m_folder(std::move(folder))
{
    connect(&window, &ui::MainWindow::demoProven, this, [this] { QTimer::singleShot(1'500, this, &Pictures::take); });
    QTimer::singleShot(kPatienceMs, this, [] {
        std::fputs("The demo did not end within two minutes.\n", stderr);
        QApplication::exit(1);
    });
}

bool Pictures::save(const QString& name) { return m_window.grab().save(m_folder + QLatin1Char('/') + name + QStringLiteral(".png")); }

void Pictures::take()
{
    if (!QDir().mkpath(m_folder))
        return QApplication::exit(1);
    m_window.resize(1440, 900);
    bool fine = true;
    for (const bool dark : {false, true}) {
        m_theme.set(dark ? ui::Appearance::Dark : ui::Appearance::Light, m_theme.density());
        const QString tail = dark ? QStringLiteral("-dark") : QString();
        for (int i = 0; i < m_window.pageCount(); ++i) {
            m_window.showPage(i);
            settle(m_window, 400);
            fine = save(QStringLiteral("millrace-") + m_window.page(i)->title().toLower() + tail) && fine;
        }
        m_window.showPage(0);
        for (int tab = 1; tab <= 5; ++tab) {
            m_window.showDetails(tab - 1);
            settle(m_window, 500);
            fine = save(QStringLiteral("millrace-syncs-%1%2").arg(tab).arg(tail)) && fine;
        }
    }
    QApplication::exit(fine ? 0 : 1);
}

} // namespace millrace::gui
