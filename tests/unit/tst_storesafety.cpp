#include "core/base/platform.h"
#include "core/base/text.h"
#include "core/store/database.h"
#include "core/store/sqlitestore.h"
#include "tests/support/fakes.h"
#include <QFile>
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>
#include <csignal>
#include <sys/mount.h>
#include <sys/resource.h>
#include <thread>

using namespace millrace;

namespace {

std::vector<Checkpoint> generation(int n)
{
    std::vector<Checkpoint> out;
    for (const char* table : {"actor", "film", "payment"})
        out.push_back({"s", table, std::to_string(n)});
    return out;
}

//! As another process: `commit HOME` stores one generation of three checkpoints after the other and tells each one that is durable.
int commitForEver(const std::string& home)
{
    const SystemClock clock;
    auto store = openStore(home, clock, nullptr);
    if (!store)
        return 3;
    for (int n = 1;; ++n) {
        if (!(*store)->commit(generation(n)))
            return 4;
        std::printf("%d\n", n);
        std::fflush(stdout);
    }
}

//! As another process: `park HOME` saves more in one transaction than fits into SQLite's cache, so that it is half written at the commit.
int parkMuch(const std::string& home)
{
    const SystemClock clock;
    auto store = openStore(home, clock, nullptr);
    std::vector<FailedRow> rows(60);
    for (std::size_t i = 0; i < rows.size(); ++i) {
        rows[i].key = std::to_string(i);
        rows[i].document = std::string(200'000, 'x');
    }
    return store && (*store)->park(rows) ? 0 : 3;
}

const std::vector<Migration>& syntheticSteps()
{
    static const std::vector<Migration> steps = [] {
        auto all = migrations();
        all.push_back({2, "0.2.0", {"ALTER TABLE syncs ADD COLUMN note TEXT NOT NULL DEFAULT ''", "UPDATE syncs SET note = name"}});
        all.push_back({3, "0.3.0", {"CREATE TABLE later (x)"}});
        return all;
    }();
    return steps;
}

//! As another process: `migrate PATH` brings a store to version 3.
int migrateNow(const std::string& path) { return Database::open(path, syntheticSteps(), StoreAccess::Own, nullptr) ? 0 : 3; }

QByteArray bytesOf(const std::string& path)
{
    QFile file(QString::fromStdString(path));
    return file.open(QIODevice::ReadOnly) ? file.readAll() : QByteArray("(unreadable)");
}

void writeBytes(const std::string& path, const QByteArray& bytes)
{
    QFile file(QString::fromStdString(path));
    if (!file.open(QIODevice::WriteOnly) || file.write(bytes) != bytes.size())
        qFatal("cannot write %s", path.c_str());
}

class Collected : public Log {
public:
    void write(LogEntry entry) noexcept override { entries.push_back(std::move(entry)); }
    std::vector<LogEntry> entries;
};

//! A file system of its own, for as long as the object lives.
class Mounted {
public:
    Mounted(const std::string& at, const char* options) : m_at(at) { m_good = mount("millrace-test", at.c_str(), "tmpfs", 0, options) == 0; }
    ~Mounted() { if (m_good) umount2(m_at.c_str(), MNT_DETACH); }
    bool good() const { return m_good; }
    bool makeReadOnly() const { return mount(nullptr, m_at.c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) == 0; }
private:
    const std::string m_at;
    bool m_good = false;
};

} // namespace

class StoreSafetyTest : public QObject {
    Q_OBJECT
    test::FakeClock m_clock;
    std::unique_ptr<QTemporaryDir> m_dir;
    std::string home() const { return m_dir->filePath("home").toStdString(); }
    std::string file() const { return home() + "/millrace.db"; }
    Result<std::unique_ptr<MetadataStore>> open(StoreAccess access = StoreAccess::Own) { return openStore(home(), m_clock, nullptr, access); }
    bool filled()
    {
        auto store = open();
        return store && (*store)->commit(generation(1)) && (*store)->saveSetting("theme", "dark", "anna");
    }
    //! The generation that all three checkpoints agree on; -1 when they do not, or cannot be read.
    int agreed()
    {
        auto store = open();
        if (!store)
            return -1;
        std::set<std::string> states;
        for (const auto& checkpoint : generation(0)) {
            const auto found = (*store)->checkpoint("s", checkpoint.table);
            if (!found)
                return -1;
            states.insert(*found ? (*found)->state : "0");
        }
        return states.size() == 1 ? std::stoi(*states.begin()) : -1;
    }
    static void start(QProcess& process, const QStringList& arguments, const QString& crashPoint = {})
    {
        auto environment = QProcessEnvironment::systemEnvironment();
        if (!crashPoint.isEmpty())
            environment.insert("MILLRACE_CRASHPOINT", crashPoint);
        process.setProcessEnvironment(environment);
        process.start(QCoreApplication::applicationFilePath(), arguments);
    }
private slots:
    void init() { m_dir = std::make_unique<QTemporaryDir>(); }

    void filesArePrivate()
    {
        QVERIFY(filled());
        QCOMPARE(platform::facts(home())->mode, 0700u);
        QCOMPARE(platform::facts(file())->mode, 0600u);
        QVERIFY(!platform::facts(file() + ".new"));
        QVERIFY(platform::setMode(file(), 0644).has_value());
        QVERIFY(platform::setMode(home(), 0755).has_value());
        Collected log;
        QVERIFY(openStore(home(), m_clock, &log).has_value());
        QCOMPARE(platform::facts(file())->mode, 0600u);               // ours: tightened
        QCOMPARE(platform::facts(home())->mode, 0755u);               // perhaps shared on purpose: reported
        QCOMPARE(log.entries.size(), std::size_t(2));
        QVERIFY(log.entries[0].text.find("chmod 700") != std::string::npos);
    }

    void usesOneDurableRollbackJournal()
    {
        QVERIFY(filled());
        auto database = Database::open(file(), migrations(), StoreAccess::Own, nullptr);
        QVERIFY(database.has_value());
        const auto answers = (*database)->read([](QSqlDatabase& db) -> Result<std::string> {
            std::string out;
            for (const char* sql : {"PRAGMA journal_mode", "PRAGMA synchronous", "PRAGMA mmap_size", "PRAGMA foreign_keys"}) {
                Query query(db, sql);
                if (auto done = query.exec(); !done)
                    return std::move(done).error();
                out += (query.next() ? query.textAt(0) : "-") + " ";
            }
            return out;
        });
        QCOMPARE(*answers, std::string("delete 3 0 1 "));
        QVERIFY(!platform::facts(file() + "-wal"));
    }

    void damageIsRefusedAndTheFileUntouched_data()
    {
        QTest::addColumn<int>("at");                                  // -1: truncated to nothing, -2: half, -3: another program's, -4: text
        QTest::newRow("empty") << -1;
        QTest::newRow("half") << -2;
        QTest::newRow("another program's") << -3;
        QTest::newRow("not SQLite at all") << -4;
        QTest::newRow("magic") << 3;
        QTest::newRow("application id") << 70;
        QTest::newRow("schema page's kind") << 100;
        QTest::newRow("second page's kind") << 4096;
        QTest::newRow("third page's cell count") << 2 * 4096 + 3;
    }
    void damageIsRefusedAndTheFileUntouched()
    {
        QFETCH(int, at);
        QVERIFY(filled());
        QByteArray bytes = bytesOf(file());
        if (at == -1)
            bytes.clear();
        else if (at == -2)
            bytes.truncate(bytes.size() / 2 / 4096 * 4096);
        else if (at == -3)
            bytes.replace(68, 4, QByteArray(4, '\0'));
        else if (at == -4)
            bytes = "these are my notes, do not lose them\n" + QByteArray(5000, 'x');
        else
            bytes[at] = static_cast<char>(bytes[at] ^ 0x55);
        writeBytes(file(), bytes);
        const auto before = QDir(m_dir->filePath("home")).entryList(QDir::Files);
        for (const auto access : {StoreAccess::Own, StoreAccess::Read}) {
            const auto store = open(access);
            if (access == StoreAccess::Read && store)
                continue;                                             // reading checks the head only
            QVERIFY(!store);
            QCOMPARE(store.error().id, std::string("store.unreadable"));
            QCOMPARE(store.error().fault, Fault::Storage);
            QVERIFY(store.error().detail.find(file()) != std::string::npos);
            QVERIFY(!store.error().fix.empty());
        }
        QCOMPARE(bytesOf(file()), bytes);
        QCOMPARE(QDir(m_dir->filePath("home")).entryList(QDir::Files), before);
    }

    void newerStoreIsRefusedWithTheVersionNeeded()
    {
        QVERIFY(filled());
        QVERIFY(Database::open(file(), syntheticSteps(), StoreAccess::Own, nullptr).has_value());
        const QByteArray bytes = bytesOf(file());
        for (const auto access : {StoreAccess::Own, StoreAccess::Read}) {
            const auto store = open(access);
            QVERIFY(!store);
            QCOMPARE(store.error().id, std::string("store.newer_version"));
            QVERIFY2(store.error().fix.find("0.3.0") != std::string::npos, store.error().fix.c_str());
        }
        QCOMPARE(bytesOf(file()), bytes);
    }

    void migrationKeepsEverythingAndABackup()
    {
        QVERIFY(filled());
        auto steps = syntheticSteps();
        {
            Collected log;
            auto database = Database::open(file(), steps, StoreAccess::Own, &log);
            QVERIFY(database.has_value());
            const auto theme = (*database)->read([](QSqlDatabase& db) { return settingOf(db, "SELECT value FROM settings WHERE key = 'theme'"); });
            QCOMPARE(*theme, std::string("dark"));
            const auto version = (*database)->read([](QSqlDatabase& db) { return settingOf(db, "PRAGMA user_version"); });
            QCOMPARE(*version, std::string("3"));
            QCOMPARE(log.entries.size(), std::size_t(2));
        }
        QCOMPARE(platform::facts(file() + ".v1.bak")->mode, 0600u);
        QVERIFY(platform::facts(file() + ".v2.bak"));
        QVERIFY(!platform::facts(file() + ".v3.bak"));
        const QByteArray migrated = bytesOf(file());
        QVERIFY(Database::open(file(), steps, StoreAccess::Own, nullptr).has_value());   // nothing left to do
        QCOMPARE(bytesOf(file()), migrated);

        // the backup is a whole store of the former version
        writeBytes(file(), bytesOf(file() + ".v1.bak"));
        QCOMPARE(agreed(), 1);
    }

    void failingMigrationChangesNothing()
    {
        QVERIFY(filled());
        auto steps = migrations();
        steps.push_back({2, "0.2.0", {"CREATE TABLE half (x)", "INSERT INTO no_such_table VALUES (1)"}});
        const auto database = Database::open(file(), steps, StoreAccess::Own, nullptr);
        QVERIFY(!database);
        QVERIFY(database.error().detail.find("no_such_table") != std::string::npos);
        QCOMPARE(agreed(), 1);                                        // still version 1, still whole
        QVERIFY(platform::facts(file() + ".v1.bak"));
    }

    void migrationSurvivesKill_data()
    {
        QTest::addColumn<QString>("point");
        for (const char* point : {"store.migration.backed_up:1", "store.migration.applied:1", "store.migration.backed_up:2", "store.migration.applied:2"})
            QTest::newRow(point) << point;
    }
    void migrationSurvivesKill()
    {
        QFETCH(QString, point);
        QVERIFY(filled());
        QProcess process;
        start(process, {"migrate", QString::fromStdString(file())}, point);
        QVERIFY(process.waitForFinished(60000));
        QCOMPARE(process.exitStatus(), QProcess::CrashExit);
        auto database = Database::open(file(), syntheticSteps(), StoreAccess::Own, nullptr);
        QVERIFY2(database.has_value(), database ? "" : database.error().detail.c_str());
        const auto theme = (*database)->read([](QSqlDatabase& db) { return settingOf(db, "SELECT value FROM settings WHERE key = 'theme'"); });
        QCOMPARE(*theme, std::string("dark"));
    }

    void creationSurvivesKill()
    {
        for (const char* point : {"store.migration.applied:1", "store.create.filled:1"}) {
            QProcess process;
            start(process, {"commit", QString::fromStdString(home())}, point);
            QVERIFY(process.waitForFinished(60000));
            QCOMPARE(process.exitStatus(), QProcess::CrashExit);
            QVERIFY(!platform::facts(file()));
            QVERIFY(platform::facts(file() + ".new"));
        }
        QCOMPARE(agreed(), 0);
        QVERIFY(!platform::facts(file() + ".new"));
    }

    void killAtCommitLeavesWholeCommits_data()
    {
        QTest::addColumn<QString>("point");
        for (int n : {2, 3, 9})
            for (const char* where : {"before", "after"})
                QTest::addRow("%s %d", where, n) << QStringLiteral("store.commit.%1:%2").arg(QLatin1String(where)).arg(n);
        for (int n = 0; n < 8; ++n)
            QTest::addRow("any moment %d", n) << QString();
    }
    void killAtCommitLeavesWholeCommits()
    {
        QFETCH(QString, point);
        QProcess process;
        start(process, {"commit", QString::fromStdString(home())}, point);
        QByteArray told;
        if (point.isEmpty())
            while (told.count('\n') < 20 && process.waitForReadyRead(30000))
                told += process.readAllStandardOutput();
        if (point.isEmpty())
            ::kill(static_cast<pid_t>(process.processId()), SIGKILL);
        QVERIFY(process.waitForFinished(60000));
        QCOMPARE(process.exitStatus(), QProcess::CrashExit);
        told += process.readAllStandardOutput();
        told.truncate(told.lastIndexOf('\n') + 1);
        const auto lines = told.trimmed().split('\n');
        const int last = lines.last().isEmpty() ? 0 : lines.last().toInt();
        const int found = agreed();
        QVERIFY2(found >= last, qPrintable(QStringLiteral("told %1, found %2").arg(last).arg(found)));   // Invariant 7
        QVERIFY(found <= last + 1);
        if (point.contains("before"))
            QCOMPARE(found, last);
        if (point.contains("after"))
            QCOMPARE(found, last + 1);                                // durable, and nobody told
    }

    void halfATransactionIsTakenBack_data()
    {
        QTest::addColumn<bool>("reader");
        QTest::newRow("by the next owner") << false;
        QTest::newRow("by one who only looks") << true;
    }
    void halfATransactionIsTakenBack()
    {
        QFETCH(bool, reader);
        QVERIFY(filled());
        const auto size = platform::facts(file())->size;
        QProcess process;
        start(process, {"park", QString::fromStdString(home())}, "store.commit.before:2");
        QVERIFY(process.waitForFinished(60000));
        QCOMPARE(process.exitStatus(), QProcess::CrashExit);
        QVERIFY(platform::facts(file())->size > size + 1'000'000);    // half of it is in the file
        QVERIFY(platform::facts(file() + "-journal"));
        {
            auto store = open(reader ? StoreAccess::Read : StoreAccess::Own);
            QVERIFY2(store.has_value(), store ? "" : store.error().detail.c_str());
            QVERIFY((*store)->failures("", "", "", "")->empty());
            QCOMPARE((*store)->setting("theme").value_or(""), std::string("dark"));
        }
        QCOMPARE(platform::facts(file())->size, size);
        QCOMPARE(agreed(), 1);
    }

    void eightThreadsAtOnce()
    {
        auto store = open();
        QVERIFY(store.has_value());
        std::atomic<int> wrong = 0;
        {
            std::vector<std::jthread> threads;
            for (int t = 0; t < 8; ++t)
                threads.emplace_back([&, t] {
                    const std::string name = "sync" + std::to_string(t);
                    for (int i = 1; i <= 25; ++i) {
                        const std::vector<Checkpoint> both = {{name, "a", std::to_string(i)}, {name, "b", std::to_string(i)}};
                        if (!(*store)->commit(both))
                            ++wrong;
                        const auto run = (*store)->beginRun(name, "cli", i);
                        const auto a = (*store)->checkpoint(name, "a");
                        const auto all = (*store)->statuses("");
                        (void)(*store)->addMetric(name, "a", {i * 1000, 1, 1});
                        if (!run || !a || !*a || (*a)->state != std::to_string(i) || !all)
                            ++wrong;
                    }
                });
        }
        QCOMPARE(wrong.load(), 0);
        const auto history = (*store)->history("", 0);
        QCOMPARE(history->size(), std::size_t(200));
        QCOMPARE((*store)->metrics("sync3", "a", 0, INT64_MAX)->size(), std::size_t(25));
    }

    void readersLookWhileTheOwnerWrites()
    {
        QCOMPARE(open(StoreAccess::Read).error().id, std::string("store.missing"));
        auto owner = open();
        QVERIFY((*owner)->commit(generation(1)).has_value());
        auto reader = open(StoreAccess::Read);
        QVERIFY(reader.has_value());
        QCOMPARE((*reader)->owner(), (*owner)->owner());
        std::atomic<bool> done = false;
        std::atomic<int> wrong = 0, reads = 0;
        std::jthread looking([&] {
            while (!done || reads == 0) {
                const auto found = (*reader)->checkpoint("s", "film");
                wrong += found && *found ? 0 : 1;
                ++reads;
            }
        });
        for (int n = 2; n < 60; ++n)
            wrong += (*owner)->commit(generation(n)) ? 0 : 1;
        done = true;
        looking.join();
        QCOMPARE(wrong.load(), 0);
        QCOMPARE((*(*reader)->checkpoint("s", "film"))->state, std::string("59"));
        QCOMPARE((*reader)->commit(generation(1)).error().id, std::string("store.read_only"));
        QCOMPARE((*reader)->saveSetting("a", "b", "c").error().id, std::string("store.read_only"));
        QCOMPARE((*reader)->prune(0).error().id, std::string("store.read_only"));
    }

    void olderStoreIsNotMigratedByReaders()
    {
        QVERIFY(filled());
        const auto database = Database::open(file(), syntheticSteps(), StoreAccess::Read, nullptr);
        QVERIFY(!database);
        QCOMPARE(database.error().id, std::string("store.older_version"));
    }

    void fullDiskLosesNothing()
    {
        QVERIFY(platform::makePrivateFolder(home()).has_value());
        const Mounted disk(home(), "size=512k,mode=0700");
        if (!disk.good())
            QSKIP("this user may not mount a small tmpfs");
        const std::string other = home() + "/other";
        QVERIFY(platform::replaceFile(other, std::string(150'000, 'x')).has_value());
        auto store = open();
        QVERIFY2(store.has_value(), store ? "" : store.error().detail.c_str());
        QVERIFY((*store)->commit(generation(1)).has_value());
        Result<> saved;
        FailedRow row;
        row.sync = "s";
        row.cause = "c";
        row.document = std::string(20'000, 'x');
        int parked = 0;
        for (; parked < 1000; ++parked) {
            row.key = std::to_string(parked);
            saved = (*store)->park({&row, 1});
            if (!saved)
                break;
        }
        QVERIFY(!saved);
        QCOMPARE(saved.error().id, std::string("store.full"));
        QCOMPARE(saved.error().fault, Fault::Storage);
        const auto rows = (*store)->failures("s", "", "", "");
        QCOMPARE(static_cast<int>(rows->size()), parked);             // what was saved before is there, the last one is not
        store->reset();
        QCOMPARE(agreed(), 1);
        QVERIFY(QFile::remove(QString::fromStdString(other)));
        {   // room again: it goes on
            auto again = open();
            QVERIFY((*again)->commit(generation(2)).has_value());
        }
        QCOMPARE(agreed(), 2);

        QFile filler(QString::fromStdString(home() + "/filler"));     // no room for the copy: no migration
        QVERIFY(filler.open(QIODevice::WriteOnly | QIODevice::Unbuffered));
        while (filler.write(QByteArray(4096, 'x')) > 0) { }
        const auto database = Database::open(file(), syntheticSteps(), StoreAccess::Own, nullptr);
        QVERIFY(!database);
        QCOMPARE(database.error().id, std::string("store.full"));
        QVERIFY(!platform::facts(file() + ".v1.bak"));
        QVERIFY(!platform::facts(file() + ".v1.bak.tmp"));
        QCOMPARE(agreed(), 2);
    }

    //! As a full disk, for users who may not mount: SQLite meets a write that fails half way.
    void fileLimitLosesNothing()
    {
        QVERIFY(filled());
        auto store = open();
        rlimit limit{};
        QCOMPARE(getrlimit(RLIMIT_FSIZE, &limit), 0);
        const rlimit small{platform::facts(file())->size + 20'000, limit.rlim_max};
        const auto former = std::signal(SIGXFSZ, SIG_IGN);
        QCOMPARE(setrlimit(RLIMIT_FSIZE, &small), 0);
        FailedRow row;
        row.document = std::string(100'000, 'x');
        const auto parked = (*store)->park({&row, 1});
        setrlimit(RLIMIT_FSIZE, &limit);
        std::signal(SIGXFSZ, former);
        QVERIFY(!parked);
        QCOMPARE(parked.error().fault, Fault::Storage);
        QVERIFY(parked.error().id == "store.io" || parked.error().id == "store.full");
        QVERIFY((*store)->park({&row, 1}).has_value());               // the same connection goes on
        store->reset();
        QCOMPARE(agreed(), 1);
    }

    void noRoomForAFirstStore()
    {
        QVERIFY(platform::makePrivateFolder(home()).has_value());
        const Mounted disk(home(), "size=16k,mode=0700");
        if (!disk.good())
            QSKIP("this user may not mount a small tmpfs");
        const auto store = open();
        QVERIFY(!store);
        QCOMPARE(store.error().id, std::string("store.full"));
        QVERIFY(QDir(m_dir->filePath("home")).isEmpty(QDir::Files | QDir::Hidden));
    }

    void readOnlyDiskIsReported()
    {
        QVERIFY(platform::makePrivateFolder(home()).has_value());
        const Mounted disk(home(), "size=2m,mode=0700");
        if (!disk.good())
            QSKIP("this user may not mount a small tmpfs");
        QVERIFY(filled());
        QVERIFY(disk.makeReadOnly());
        const auto store = open();
        QVERIFY(!store);
        QCOMPARE(store.error().id, std::string("store.read_only"));
        const auto reader = open(StoreAccess::Read);
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().detail.c_str());
        QCOMPARE((*reader)->setting("theme").value_or(""), std::string("dark"));
    }

    void metricPointsWaitForRoom()
    {
        auto store = open();
        for (int i = 0; i < 3; ++i)
            QVERIFY((*store)->addMetric("s", "film", {i * 1000, 1, 1}).has_value());
        store->reset();                                               // saved when the store closes
        store = open();
        QCOMPARE((*store)->metrics("s", "film", 0, INT64_MAX)->size(), std::size_t(3));
    }

private:
    static Result<std::string> settingOf(QSqlDatabase& db, const char* sql)
    {
        Query query(db, sql);
        if (auto done = query.exec(); !done)
            return std::move(done).error();
        return query.next() ? query.textAt(0) : std::string();
    }
};

int main(int argc, char** argv)
{
    QCoreApplication app(argc, argv);
    if (argc == 3 && std::string_view(argv[1]) == "commit")
        return commitForEver(argv[2]);
    if (argc == 3 && std::string_view(argv[1]) == "park")
        return parkMuch(argv[2]);
    if (argc == 3 && std::string_view(argv[1]) == "migrate")
        return migrateNow(argv[2]);
    StoreSafetyTest test;
    return QTest::qExec(&test, argc, argv);
}
#include "tst_storesafety.moc"
