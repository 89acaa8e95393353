#include "app/gui/pictures.h"
#include "ui/widgets/theme.h"
#include <QApplication>
#include <QDir>
#include <QElapsedTimer>
#include <QEventLoop>
#include <QTimer>
#include <cstdio>

namespace millrace::gui {
namespace {

constexpr int kPatienceMs = 120'000;
constexpr QSize kWide{1440, 900}, kNarrow{1000, 700};

void rest(int ms)
{
    QEventLoop loop;
    QTimer::singleShot(ms, &loop, &QEventLoop::quit);
    loop.exec();
}

// Lets the window settle: answers of the engine arrive, charts are drawn
void settle(ui::MainWindow& window, int ms)
{
    QElapsedTimer clock;
    clock.start();
    rest(ms);
    while (window.context().calls.running() > 0 && clock.elapsed() < 5'000)
        rest(20);
}

} // namespace

Pictures::Pictures(ui::MainWindow& window, ui::Theme& theme, QString folder) : m_window(window), m_theme(theme), m_folder(std::move(folder))
{
    connect(&window, &ui::MainWindow::demoProven, this, [this] { QTimer::singleShot(1'500, this, &Pictures::takePages); });
    QTimer::singleShot(kPatienceMs, this, [] {
        std::fputs("The demo did not end within two minutes.\n", stderr);
        QApplication::exit(1);
    });
    QTimer::singleShot(0, this, &Pictures::takeWelcome);
}

void Pictures::save(const QString& name, bool dark)
{
    m_fine = m_window.grab().save(QStringLiteral("%1/millrace-%2%3.png").arg(m_folder, name, dark ? QStringLiteral("-dark") : QString())) && m_fine;
}

void Pictures::dress(bool dark, QSize size)
{
    m_window.resize(size);
    m_theme.set(dark ? ui::Appearance::Dark : ui::Appearance::Light, m_theme.density());
}

void Pictures::takeWelcome()
{
    m_fine = QDir().mkpath(m_folder);
    for (const bool dark : {false, true}) {
        dress(dark, kWide);
        settle(m_window, 400);
        save(QStringLiteral("welcome"), dark);
    }
    m_window.tryDemo();
}

void Pictures::takePages()
{
    for (const bool dark : {false, true}) {
        dress(dark, kWide);
        for (int i = 0; i < m_window.pageCount(); ++i) {
            m_window.showPage(i);
            settle(m_window, 400);
            save(m_window.page(i)->title().toLower(), dark);
        }
        takeTabs(dark, {});
    }
    dress(false, kNarrow);
    for (int i = 0; i < m_window.pageCount(); ++i) {
        m_window.showPage(i);
        settle(m_window, 400);
        save(m_window.page(i)->title().toLower() + QStringLiteral("-narrow"), false);
    }
    takeTabs(false, QStringLiteral("-narrow"));
    QApplication::exit(m_fine ? 0 : 1);
}

void Pictures::takeTabs(bool dark, const QString& tail)
{
    m_window.showPage(0);
    for (int tab = 1; tab <= 5; ++tab) {
        m_window.showDetails(tab - 1);
        settle(m_window, 500);
        save(QStringLiteral("syncs-%1%2").arg(tab).arg(tail), dark);
    }
}

} // namespace millrace::gui
