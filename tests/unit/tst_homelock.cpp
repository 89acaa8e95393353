#include "core/base/homelock.h"
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>
#include <csignal>
#include <sys/resource.h>
#include <sys/stat.h>
#include <thread>

using namespace millrace;

//! A second process is this same program with `hold HOME`: it takes the lock, says so, and waits for its input to end.
static int hold(const char* home)
{
    auto lock = HomeLock::take(home, "millrace-cli serve", SystemClock());
    std::puts(lock ? "taken" : lock.error().id.c_str());
    std::fflush(stdout);
    while (std::getchar() != EOF) { }
    return 0;
}

class HomeLockTest : public QObject {
    Q_OBJECT
    QTemporaryDir m_dir;
    SystemClock m_clock;
    std::string home(const char* name) const { return m_dir.filePath(name).toStdString(); }
    bool startHolder(QProcess& process, const std::string& at) const
    {
        process.start(QCoreApplication::applicationFilePath(), {"hold", QString::fromStdString(at)});
        return process.waitForReadyRead(30000) && process.readLine().trimmed() == "taken";
    }
private slots:
    void takesMakesAndReleases()
    {
        const std::string at = home("new/deep");
        QVERIFY(!HomeLock::owner(at));
        {
            auto lock = HomeLock::take(at, "millrace", m_clock);
            QVERIFY(lock.has_value());
            QCOMPARE(platform::facts(at)->mode, 0700u);
            QCOMPARE(platform::facts(at + "/lock")->mode, 0600u);
            const auto owner = HomeLock::owner(at);
            QVERIFY(owner.has_value());
            QCOMPARE(owner->pid, platform::processId());
            QCOMPARE(owner->command, std::string("millrace"));
            QCOMPARE(owner->host, platform::hostName());
            QVERIFY(owner->startMs > 0);
            const auto second = HomeLock::take(at, "again", m_clock);   // even in one process
            QVERIFY(!second);
            QCOMPARE(second.error().id, std::string("home.in_use"));
            QVERIFY(HomeLock::owner(at).has_value());
        }
        QVERIFY(!HomeLock::owner(at));
        QVERIFY(HomeLock::take(at, "millrace", m_clock).has_value());
    }

    void secondProcessIsNamedAndKillReleases()
    {
        const std::string at = home("shared");
        QProcess process;
        QVERIFY(startHolder(process, at));
        const auto refused = HomeLock::take(at, "millrace", m_clock);
        QVERIFY(!refused);
        QCOMPARE(refused.error().id, std::string("home.in_use"));
        QCOMPARE(refused.error().fault, Fault::Config);
        const std::string& words = refused.error().detail;
        QVERIFY2(words.find("process " + std::to_string(process.processId())) != std::string::npos, words.c_str());
        QVERIFY2(words.find("millrace-cli serve") != std::string::npos, words.c_str());
        QVERIFY(!refused.error().fix.empty());
        QCOMPARE(HomeLock::owner(at)->pid, static_cast<std::int64_t>(process.processId()));

        ::kill(static_cast<pid_t>(process.processId()), SIGKILL);
        QVERIFY(process.waitForFinished(30000));
        QVERIFY(!HomeLock::owner(at));                        // the file still names the dead one; the lock decides
        QVERIFY(platform::facts(at + "/lock")->size > 0);
        QVERIFY(HomeLock::take(at, "millrace", m_clock).has_value());
    }

    void askingDoesNotLookLikeOwning()
    {
        const std::string at = home("asked");
        std::atomic<bool> done = false;
        std::jthread asker([&] { while (!done) (void)HomeLock::owner(at); });
        int refused = 0;
        for (int i = 0; i < 200; ++i)
            refused += HomeLock::take(at, "millrace", m_clock).has_value() ? 0 : 1;
        done = true;
        QCOMPARE(refused, 0);
    }

    void lockThroughLinkIsRefused()
    {
        const std::string at = home("linked");
        QVERIFY(platform::makePrivateFolder(at).has_value());
        QVERIFY(QFile::link(m_dir.filePath("elsewhere"), QString::fromStdString(at + "/lock")));
        const auto lock = HomeLock::take(at, "millrace", m_clock);
        QVERIFY(!lock);
        QCOMPARE(lock.error().id, std::string("home.unusable"));
        QVERIFY(!QFile::exists(m_dir.filePath("elsewhere")));
    }

    void homePath_data()
    {
        QTest::addColumn<QString>("option");
        QTest::addColumn<QStringList>("environment");
        QTest::addColumn<QString>("expected");
        QTest::newRow("option wins") << "/a/b/" << QStringList{"MILLRACE_HOME=/m", "HOME=/u"} << "/a/b";
        QTest::newRow("variable") << "" << QStringList{"MILLRACE_HOME=/m/", "XDG_DATA_HOME=/x", "HOME=/u"} << "/m";
        QTest::newRow("xdg") << "" << QStringList{"XDG_DATA_HOME=/x", "HOME=/u"} << "/x/millrace";
        QTest::newRow("relative xdg is ignored") << "" << QStringList{"XDG_DATA_HOME=x", "HOME=/u"} << "/u/.local/share/millrace";
        QTest::newRow("home") << "" << QStringList{"HOME=/u"} << "/u/.local/share/millrace";
        QTest::newRow("dots") << "/a/../b/./c" << QStringList{} << "/b/c";
        QTest::newRow("relative option") << "here" << QStringList{} << QDir::current().absoluteFilePath("here");
    }
    void homePath()
    {
        QFETCH(QString, option);
        QFETCH(QStringList, environment);
        QFETCH(QString, expected);
        const auto path = platform::homePath(option.toStdString(), [&](const std::string& name) -> std::optional<std::string> {
            for (const QString& line : environment)
                if (line.startsWith(QString::fromStdString(name) + "="))
                    return line.mid(static_cast<int>(name.size()) + 1).toStdString();
            return std::nullopt;
        });
        QVERIFY(path.has_value());
        QCOMPARE(QString::fromStdString(*path), expected);
    }

    void filesArePrivateAndReplacedWhole()
    {
        const std::string path = home("file");
        QVERIFY(platform::replaceFile(path, "one").has_value());
        QCOMPARE(platform::facts(path)->mode, 0600u);
        QVERIFY(platform::replaceFile(path, "two").has_value());
        QCOMPARE(*platform::readFile(path, 10), std::string("two"));
        QVERIFY(!platform::facts(path + ".tmp"));
        QCOMPARE(platform::readFile(path, 2).error().id, std::string("file.too_large"));
        QCOMPARE(platform::readFile(path + "x", 2).error().id, std::string("file.missing"));
        QCOMPARE(platform::readFile(m_dir.path().toStdString(), 2).error().id, std::string("file.unreadable"));
        QCOMPARE(platform::createFile(path).error().id, std::string("file.exists"));
        QCOMPARE(platform::replaceFile(home("no/such/folder"), "x").error().fault, Fault::Storage);
    }

    void pipeDoesNotHoldTheReader()
    {
        const std::string path = home("pipe");
        QCOMPARE(mkfifo(path.c_str(), 0600), 0);
        QCOMPARE(platform::readFile(path, 10).error().id, std::string("file.unreadable"));
    }

    void hardeningTurnsCoreDumpsOff()
    {
        platform::hardenProcess();
        rlimit limit{};
        QCOMPARE(getrlimit(RLIMIT_CORE, &limit), 0);
        QCOMPARE(limit.rlim_cur, rlim_t(0));
        QCOMPARE(umask(077), mode_t(077));
    }
};

int main(int argc, char** argv)
{
    if (argc == 3 && std::string_view(argv[1]) == "hold")
        return hold(argv[2]);
    QCoreApplication app(argc, argv);
    HomeLockTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_homelock.moc"
