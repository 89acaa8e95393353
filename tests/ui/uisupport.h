#pragma once
#include "tests/support/fakeengine.h"
#include "ui/shell/mainwindow.h"
#include "ui/widgets/theme.h"
#include <QTemporaryDir>
#include <QTranslator>
#include <memory>

namespace millrace::test {

//! A log with lines of every level, for pages that show one.
class FakeLog final : public ui::LogFeed {
public:
    void add(Level level, std::string category, std::string text, std::vector<std::pair<std::string, std::string>> fields = {});
    std::vector<LogEntry> since(std::uint64_t after, std::uint64_t& last) const override;
private:
    std::vector<LogEntry> m_lines;
};

//! A world that looks like a working day: four jobs in every state, charts of an hour, 37 failed rows of three causes.
FakeWorld busyWorld();

//! The whole window on a fake engine, with settings in a folder of its own.
struct WindowFixture {
    explicit WindowFixture(FakeWorld world = busyWorld(), ui::Plugins plugins = ui::builtInPlugins(), ui::DemoActions demo = {});
    ~WindowFixture();
    ui::MainWindow& open(int width = 1440, int height = 900);
    void sample() const;                                          //!< the snapshot of now reaches the pages
    bool idle() const;                                            //!< no engine call is under way
    QTemporaryDir home;
    FakeEngine engine;
    FakeLog log;
    ui::Plugins plugins;
    ui::DemoActions demo;
    ui::FileReader readFile;                                      //!< set before open()
    std::unique_ptr<ui::MainWindow> window;
};

ui::Theme& theme();                                               //!< one per test program
//! Saves to build/screenshots/NAME.png.
void saveScreenshot(QWidget& widget, const QString& name);

//! "Class objectName" of every widget that can take the focus and has no name for a screen reader.
QStringList withoutAccessibleName(QWidget& root);
//! Labels and buttons whose text needs more room than they have.
QStringList clippedTexts(QWidget& root);
//! Makes every text 40 % longer with umlauts, as German does.
class LongWords final : public QTranslator {
public:
    using QTranslator::QTranslator;
    bool isEmpty() const override { return false; }
    QString translate(const char* context, const char* source, const char* disambiguation, int n) const override;
};

//! WCAG contrast of two colours.
double contrast(const QColor& a, const QColor& b);
//! Engine calls that were made on the thread of the window (snapshot() is not counted by the fake).
QStringList callsOnWindowThread(const FakeEngine& engine);

} // namespace millrace::test
