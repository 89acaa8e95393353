#include "core/base/filelog.h"
#include "core/base/node.h"
#include "core/base/text.h"
#include <QTemporaryDir>
#include <QtTest>
#include <thread>

using namespace millrace;

class FixedClock : public Clock {
public:
    std::int64_t nowMs() const override { return 1763697041120; }
    std::int64_t steadyUs() const override { return 0; }
    bool wait(std::chrono::milliseconds, std::stop_token) const override { return true; }
};

class FileLogTest : public QObject {
    Q_OBJECT
    FixedClock m_clock;
    static LogEntry entry(std::string text, Level level = Level::Info) { return {0, level, "engine", std::move(text), {}}; }
    static std::vector<Node> lines(const std::string& path)
    {
        std::vector<Node> out;
        const std::string text = platform::readFile(path, 1u << 26).value_or("");
        for (const auto& line : split(text, '\n'))
            if (!line.empty())
                out.push_back(Node::fromJson(line).value_or(Node("not JSON: " + line)));
        return out;
    }
private slots:
    void writesOneObjectALine()
    {
        const QTemporaryDir dir;
        const std::string home = dir.path().toStdString(), file = home + "/logs/millrace.jsonl";
        FileLog log(home, m_clock);
        log.write({1763697041120, Level::Warning, "source.mysql", "two\nlines \"quoted\"", {{"sync", "sakila"}, {"text", "shadow"}}});
        log.write(entry("bytes \xff\xfe here"));
        const auto all = lines(file);
        QCOMPARE(all.size(), std::size_t(2));
        QCOMPARE(all[0].json(), std::string("{\"time\":\"2025-11-21T03:50:41.120Z\",\"level\":\"warning\",\"category\":\"source.mysql\","
                                            "\"text\":\"two\\nlines \\\"quoted\\\"\",\"sync\":\"sakila\",\"text_\":\"shadow\"}"));
        QCOMPARE(all[1]["text"].string(), std::string("bytes ?? here"));
        QCOMPARE(all[1]["time"].string(), std::string("2025-11-21T03:50:41.120Z"));
        QCOMPARE(platform::facts(file)->mode, 0600u);
        QCOMPARE(platform::facts(home + "/logs")->mode, 0700u);
        QVERIFY(!platform::facts(home + "/logs/app.log"));
        QCOMPARE(log.lost(), std::uint64_t(0));
    }

    void plainFormOfTheSeed()
    {
        const QTemporaryDir dir;
        FileLog::Options options;
        options.plain = true;
        FileLog log(dir.path().toStdString(), m_clock, options);
        log.write(entry("Starting incremental sync for all tables..."));
        log.write(entry("table film:\nno cursor", Level::Warning));
        log.write(entry("not shown", Level::Debug));
        QCOMPARE(*platform::readFile(dir.path().toStdString() + "/logs/app.log", 4096),
                 std::string("INFO - Starting incremental sync for all tables...\nWARNING - table film: no cursor\n"));
    }

    void levelFilters()
    {
        const QTemporaryDir dir;
        FileLog log(dir.path().toStdString(), m_clock);
        log.write(entry("quiet", Level::Debug));
        log.setLevel(Level::Debug);
        log.write(entry("loud", Level::Debug));
        QCOMPARE(log.recent().size(), std::size_t(1));
        QCOMPARE(log.recent()[0].entry.text, std::string("loud"));
    }

    void rotatesBySizeAndKeepsTheNewest()
    {
        const QTemporaryDir dir;
        const std::string file = dir.path().toStdString() + "/logs/millrace.jsonl";
        FileLog::Options options;
        options.bytes = 1000;
        options.files = 3;
        {
            FileLog log(dir.path().toStdString(), m_clock, options);
            for (int i = 0; i < 100; ++i)
                log.write(entry("line " + std::to_string(i)));
        }
        FileLog log(dir.path().toStdString(), m_clock, options);   // goes on in the file that is there
        log.write(entry("line 100"));
        std::vector<std::string> kept;
        for (const char* suffix : {".2", ".1", ""}) {
            QVERIFY(platform::facts(file + suffix)->size <= 1000);
            for (const auto& line : lines(file + suffix))
                kept.push_back(line["text"].string());
        }
        QVERIFY(!platform::facts(file + ".3"));
        QVERIFY(kept.size() > 15);
        for (std::size_t i = 0; i < kept.size(); ++i)
            QCOMPARE(kept[i], "line " + std::to_string(101 - kept.size() + i));
    }

    void ringKeepsTheNewestAndCountsOn()
    {
        const QTemporaryDir dir;
        FileLog::Options options;
        options.ring = 10;
        FileLog log(dir.path().toStdString(), m_clock, options);
        for (int i = 1; i <= 25; ++i)
            log.write(entry(std::to_string(i)));
        const auto all = log.recent();
        QCOMPARE(all.size(), std::size_t(10));
        QCOMPARE(all.front().number, std::uint64_t(16));
        const auto fresh = log.recent(23);
        QCOMPARE(fresh.size(), std::size_t(2));
        QCOMPARE(fresh[0].entry.text, std::string("24"));
        QVERIFY(log.recent(25).empty());
    }

    void knownSecretsAreCutEverywhere()
    {
        const QTemporaryDir dir;
        const std::string canary = "k4n/rie vogel";
        auto redactor = std::make_shared<Redactor>();
        redactor->know(Secret(canary));
        redactor->know(Secret(canary + "-longer"));
        redactor->know(Secret("ab"));
        FileLog::Options options;
        options.plain = true;
        FileLog log(dir.path().toStdString(), m_clock, options, redactor);
        log.write({0, Level::Error, "source.mysql", "login as u:" + canary + " failed, " + canary + "-longer too, about abba",
                   {{"url", "mysql://u:" + percentEncode(canary) + "@h"}, {"header", base64(canary)}}});
        std::string text;
        for (const char* name : {"/logs/millrace.jsonl", "/logs/app.log"})
            text += platform::readFile(dir.path().toStdString() + name, 1u << 20).value_or("");
        text += log.recent()[0].entry.text;
        for (const std::string& form : {canary, percentEncode(canary), base64(canary), std::string("-longer")})
            QVERIFY2(text.find(form) == std::string::npos, text.c_str());
        QVERIFY(text.find("***") != std::string::npos);
        QVERIFY(text.find("abba") != std::string::npos);
    }

    void anUnwritableFolderCostsLinesOnly()
    {
        const QTemporaryDir dir;
        const std::string home = dir.path().toStdString();
        QVERIFY(platform::createFile(home + "/logs").has_value());    // a file where the folder should be
        FileLog log(home, m_clock);
        log.write(entry("one"));
        log.write(entry("two"));
        QCOMPARE(log.lost(), std::uint64_t(2));
        QCOMPARE(log.recent().size(), std::size_t(2));
        QVERIFY(QFile::remove(QString::fromStdString(home + "/logs")));
        log.write(entry("three"));                                    // it is tried anew with each line
        QCOMPARE(lines(home + "/logs/millrace.jsonl").size(), std::size_t(1));
        QVERIFY(QDir(QString::fromStdString(home + "/logs")).removeRecursively());
        log.write(entry("four"));
        QCOMPARE(lines(home + "/logs/millrace.jsonl").size(), std::size_t(1));
        QCOMPARE(log.lost(), std::uint64_t(2));
    }

    void fullDiskCostsLinesOnly()
    {
        if (!QFile::exists("/dev/full"))
            QSKIP("no /dev/full on this system");
        const QTemporaryDir dir;
        RotatingFile file("/dev/full", 1000, 1);
        QVERIFY(!file.append("x\n"));
        QVERIFY(!file.append("y\n"));
    }

    void manyThreadsWriteWholeLines()
    {
        const QTemporaryDir dir;
        const std::string file = dir.path().toStdString() + "/logs/millrace.jsonl";
        FileLog::Options options;
        options.bytes = 20000;
        options.files = 50;
        FileLog log(dir.path().toStdString(), m_clock, options);
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < 8; ++t)
                threads.emplace_back([&log, t] { for (int i = 0; i < 200; ++i) log.write(entry("t" + std::to_string(t) + " " + std::to_string(i))); });
        }
        std::size_t count = 0;
        for (int i = 0; i < 50; ++i)
            for (const auto& line : lines(i ? file + "." + std::to_string(i) : file)) {
                QVERIFY(line.isMap());
                ++count;
            }
        QCOMPARE(count, std::size_t(1600));
    }
};

QTEST_APPLESS_MAIN(FileLogTest)
#include "tst_filelog.moc"
