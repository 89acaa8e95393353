// The window measured from within, offscreen, wired as `millrace` wires it:
//
//   windowbench start HOME BEGAN     milliseconds from BEGAN (CLOCK_MONOTONIC, ns) to the first painted window
//   windowbench empty HOME BEGAN     the same for an empty window of Qt: the yardstick
//   windowbench idle HOME SECONDS    memory and CPU of the window when nothing happens
//   windowbench stall HOME ROWS TARGET   the demo shop with ROWS rows synced into TARGET (embedded or null) while the window shows all
//                                    its pages in turn: the longest stalls of the event loop
//
// Each prints one JSON object.
#include "app/cli/demo.h"
#include "app/gui/application.h"
#include "core/demo/shop.h"
#include "core/base/platform.h"
#include "ui/shell/translations.h"
#include "ui/widgets/theme.h"
#include <QApplication>
#include <QEventLoop>
#include <QFile>
#include <QTimer>
#include <algorithm>
#include <cstdio>
#include <ctime>
#include <filesystem>

using namespace millrace;

namespace {

std::int64_t nowNs(clockid_t clock = CLOCK_MONOTONIC)
{
    timespec at{};
    clock_gettime(clock, &at);
    return std::int64_t(at.tv_sec) * 1'000'000'000 + at.tv_nsec;
}

double milliseconds(std::int64_t ns) { return double(ns) / 1e6; }

// KB of one line of /proc/self/smaps_rollup
long memory(const char* line)
{
    QFile file(QStringLiteral("/proc/self/smaps_rollup"));
    if (!file.open(QIODevice::ReadOnly))
        return -1;
    for (const QByteArray& each : file.readAll().split('\n'))
        if (each.startsWith(line))
            return each.mid(qsizetype(qstrlen(line))).simplified().split(' ').first().toLong();
    return -1;
}

// How late the event loop is: a timer of 2 ms, and how much later than that it comes
class Watch : public QObject {
public:
    struct Stall { double ms = 0, ownCpuMs = 0; QString during; };
    Watch()
    {
        m_timer.setTimerType(Qt::PreciseTimer);
        m_timer.setInterval(kEveryMs);
        connect(&m_timer, &QTimer::timeout, this, [this] { tick(); });
    }
    void start()
    {
        m_last = nowNs();
        m_lastCpu = nowNs(CLOCK_THREAD_CPUTIME_ID);
        m_timer.start();
    }
    void during(const QString& what)
    {
        if (m_timer.isActive())
            tick();                                               // what came before belongs to what was shown before
        m_during = what;
    }
    std::vector<Stall> stalls;                                    // the longest of each thing shown
    std::int64_t ticks = 0, over50 = 0, over100 = 0;
private:
    static constexpr int kEveryMs = 2;
    void tick()
    {
        const std::int64_t now = nowNs(), cpu = nowNs(CLOCK_THREAD_CPUTIME_ID);
        const double late = milliseconds(now - m_last) - kEveryMs, own = milliseconds(cpu - m_lastCpu);
        m_last = now;
        m_lastCpu = cpu;
        ++ticks;
        over50 += late > 50;
        over100 += late > 100;
        auto known = std::find_if(stalls.begin(), stalls.end(), [this](const Stall& one) { return one.during == m_during; });
        if (known == stalls.end())
            known = stalls.insert(stalls.end(), Stall{0, 0, m_during});
        if (late > known->ms)
            *known = Stall{late, own, m_during};
    }
    QTimer m_timer;
    std::int64_t m_last = 0, m_lastCpu = 0;
    QString m_during = QStringLiteral("Syncs");
};

class FirstPaint : public QObject {
public:
    explicit FirstPaint(std::int64_t began) : m_began(began) {}
    bool eventFilter(QObject* watched, QEvent* event) override
    {
        if (event->type() == QEvent::Paint && !m_seen) {
            m_seen = true;
            // behind this event the picture is complete
            QTimer::singleShot(0, this, [this] {
                std::printf("{\"ms\":%.1f}\n", milliseconds(nowNs() - m_began));
                QApplication::quit();
            });
        }
        return QObject::eventFilter(watched, event);
    }
private:
    std::int64_t m_began;
    bool m_seen = false;
};

// The loop itself, not processEvents() with a limit: that one spins
void rest(int ms)
{
    QEventLoop loop;
    QTimer::singleShot(ms, &loop, &QEventLoop::quit);
    loop.exec();
}

int idle(int seconds)
{
    rest(2'000);
    const std::int64_t wall = nowNs(), cpu = nowNs(CLOCK_PROCESS_CPUTIME_ID);
    rest(seconds * 1000);
    std::printf("{\"rss_kb\":%ld,\"pss_kb\":%ld,\"own_kb\":%ld,\"cpu_percent\":%.2f}\n", memory("Rss:"), memory("Pss:"), memory("Anonymous:"),
        100.0 * double(nowNs(CLOCK_PROCESS_CPUTIME_ID) - cpu) / double(nowNs() - wall));
    return 0;
}

int fail(const Error& error)
{
    std::fprintf(stderr, "%s %s\n", error.detail.c_str(), error.fix.c_str());
    return 1;
}

SyncFile load(const std::string& home, const std::string& target)
{
    SyncFile file = cli::demoFile(home);
    if (target == "null")
        for (ConnectionDef& connection : file.connections)
            if (connection.name == "demo-store")
                connection.url = "null:";
    return file;
}

// Everything that the window has is shown in turn, again and again until the run is over
class Walk : public QObject {
public:
    Walk(ui::MainWindow& window, Watch& watch) : m_window(window), m_watch(watch)
    {
        connect(&m_timer, &QTimer::timeout, this, [this] { next(); });
        m_timer.start(700);
    }
private:
    void next()
    {
        static const char* const tabs[] = {"Overview", "Charts", "Issues", "History", "Log"};
        const int places = 5 + m_window.pageCount() - 1;
        m_at = (m_at + 1) % places;
        if (m_at < 5) {
            m_watch.during(QStringLiteral("Syncs, ") + QLatin1String(tabs[m_at]));
            m_window.showPage(0);
            m_window.showDetails(m_at);
        } else {
            m_watch.during(m_window.page(m_at - 4)->title());
            m_window.showPage(m_at - 4);
        }
    }
    ui::MainWindow& m_window;
    Watch& m_watch;
    QTimer m_timer;
    int m_at = 0;
};

int stall(ui::MainWindow& window, const std::string& home, std::uint64_t rows, const std::string& target)
{
    ui::EngineCalls& calls = window.context().calls;
    const std::string shop = cli::demoShopPath(home);
    std::optional<Result<RunReport>> ended;
    Watch watch;
    calls.run(&window, [shop, rows, file = load(home, target)](Engine& engine) -> Result<> {
        std::error_code failed;
        std::filesystem::create_directories(std::filesystem::path(shop).parent_path(), failed);
        if (auto made = makeShopSqlite(shop, rows); !made)
            return made;
        auto applied = engine.apply(file, {}, false);
        return applied ? Result<>() : Result<>(applied.error());
    }, [&](Result<> made) {
        if (!made) {
            ended = made.error();
            return;
        }
        window.context().monitor.sampleNow();
        window.showSync(QStringLiteral("demo"), {});
        watch.start();
        calls.run(&window, [](Engine& engine) -> Result<RunReport> {
            RunRequest request;
            request.sync = "demo";
            request.trigger = "bench";
            auto run = engine.start(request);
            return run ? engine.wait(*run) : Result<RunReport>(run.error());
        }, [&](Result<RunReport> report) { ended = std::move(report); });
    });
    const Walk walk(window, watch);
    while (!ended)
        rest(20);
    watch.during(QStringLiteral("the end"));
    if (!*ended)
        return fail(ended->error());
    std::uint64_t synced = 0;
    for (const TableReport& table : (*ended)->tables)
        synced += table.synced();
    const auto longest = std::max_element(watch.stalls.begin(), watch.stalls.end(), [](const auto& a, const auto& b) { return a.ms < b.ms; });
    const auto busiest = std::max_element(watch.stalls.begin(), watch.stalls.end(), [](const auto& a, const auto& b) { return a.ownCpuMs < b.ownCpuMs; });
    std::printf("{\"rows\":%llu,\"seconds\":%.1f,\"longest_ms\":%.1f,\"longest_own_cpu_ms\":%.1f,\"during\":\"%s\",\"busiest_ms\":%.1f,\"busiest_during\":\"%s\",\"over_50\":%lld,"
                "\"over_100\":%lld,\"ticks\":%lld,\"rss_kb\":%ld,\"all\":{",
        static_cast<unsigned long long>(synced), double((*ended)->endMs - (*ended)->startMs) / 1000, longest->ms, longest->ownCpuMs, qPrintable(longest->during), busiest->ownCpuMs,
        qPrintable(busiest->during), static_cast<long long>(watch.over50), static_cast<long long>(watch.over100), static_cast<long long>(watch.ticks), memory("Rss:"));
    for (std::size_t i = 0; i < watch.stalls.size(); ++i)
        std::printf("%s\"%s\":[%.1f,%.1f]", i ? "," : "", qPrintable(watch.stalls[i].during), watch.stalls[i].ms, watch.stalls[i].ownCpuMs);
    std::printf("}}\n");
    return (*ended)->outcome == Outcome::Success ? 0 : 1;
}

} // namespace

int main(int argc, char** argv)
{
    const QStringList words(argv + 1, argv + argc);
    const auto word = [&](int i) { return i < words.size() ? words[i] : QString(); };
    const QString what = word(0), home = word(1);
    if (home.isEmpty()) {
        std::fputs("usage: windowbench start|empty|idle|stall HOME …\n", stderr);
        return 2;
    }
    platform::hardenProcess();
    QApplication app(argc, argv);
    FirstPaint paint(word(2).toLongLong());
    if (what == QLatin1String("empty")) {
        QMainWindow window;
        window.resize(1440, 900);
        window.installEventFilter(&paint);
        window.show();
        return QApplication::exec();
    }
    gui::nameApplication(app);
    ui::Theme theme(app);
    ui::installTranslations(app, QString());
    RuntimeOptions options;
    options.home = home.toStdString();
    const auto runtime = openRuntime(options);
    if (!runtime)
        return fail(runtime.error());
    gui::Application shown(app, **runtime, theme);
    if (what == QLatin1String("start")) {
        shown.window().installEventFilter(&paint);
        shown.show();
        return QApplication::exec();
    }
    shown.show();
    if (what == QLatin1String("idle"))
        return idle(std::max(1, word(2).toInt()));
    return stall(shown.window(), (*runtime)->home(), std::max(100ULL, word(2).toULongLong()), word(3).toStdString());
}
