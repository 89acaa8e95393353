#include "core/target/embedded/embeddedtarget.h"
#include <QTemporaryDir>
#include <QTest>
#include <csignal>
#include <functional>
#include <numeric>
#include <sqlite3.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace millrace;

namespace {

constexpr int okay = 0, refused = 3;

TablePlanPtr planOf(bool keyless)
{
    auto schema = std::make_shared<Schema>();
    Column id;
    id.source = id.name = "id";
    id.type = Type::Int;
    id.key = !keyless;
    schema->columns = {id};
    if (!keyless)
        schema->key = {0};
    auto plan = std::make_shared<TablePlan>();
    plan->sync = "sync";
    plan->label = plan->container = "film";
    plan->schema = std::move(schema);
    return plan;
}

//! One process's work: takes the lease, writes rows [from, to), swaps when keyless. Never called by the test's own process, because a
//! crash point arms once per process.
int work(const std::string& path, bool keyless, int from, int to)
{
    ConnectionParams params;
    params.url.path = path;
    auto target = std::move(openEmbedded(params)).value();
    const auto plan = planOf(keyless);
    const auto lease = target->acquire("sync", "home", 0, {});
    if (!lease || !target->prepare(*plan, *lease) || (keyless && !target->beginAside(*plan, *lease)))
        return refused;
    auto session = target->session(plan, *lease, false);
    if (!session)
        return refused;
    for (int at = from; at < to; at += 10) {
        Batch batch(plan->schema);
        batch.version = (lease->epoch << 40) + static_cast<std::uint64_t>(at);
        for (int i = at; i < at + 10; ++i)
            batch.append(Op::Upsert)[0] = Cell::integer(i);
        std::vector<std::uint32_t> rows(batch.rows());
        std::iota(rows.begin(), rows.end(), 0u);
        Payload payload;
        if (!target->encoder(plan)->encode(batch, rows, payload) || !(*session)->write(payload, {}))
            return refused;
    }
    if (keyless && !target->promoteAside(*plan, *lease))
        return refused;
    return okay;
}

//! -SIGNAL when it was killed, else its exit code.
int inChild(const char* crash, const std::function<int()>& body)
{
    const pid_t child = ::fork();
    if (child == 0) {
        if (crash)
            ::setenv("MILLRACE_CRASHPOINT", crash, 1);
        ::_exit(body());
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    return WIFSIGNALED(status) ? -WTERMSIG(status) : WEXITSTATUS(status);
}

//! Rows of the container, by plain SQLite; -1: the file is damaged.
int rowsIn(const std::string& path)
{
    sqlite3* db = nullptr;
    int rows = -1;
    const auto one = [&](const char* sql) {
        sqlite3_stmt* statement = nullptr;
        std::string out;
        if (sqlite3_prepare_v2(db, sql, -1, &statement, nullptr) == SQLITE_OK && sqlite3_step(statement) == SQLITE_ROW)
            out = reinterpret_cast<const char*>(sqlite3_column_text(statement, 0));
        sqlite3_finalize(statement);
        return out;
    };
    if (sqlite3_open(path.c_str(), &db) == SQLITE_OK && one("PRAGMA integrity_check") == "ok")
        rows = std::atoi(one("SELECT count(*) FROM film").c_str());
    sqlite3_close(db);
    return rows;
}

} // namespace

//! Invariant 7 for this target: a killed writer leaves whole payloads or none of them, and whoever comes next goes on.
class TstEmbeddedCrash : public QObject {
    Q_OBJECT
private slots:
    void killedWriter_data()
    {
        QTest::addColumn<QByteArray>("crash");
        QTest::addColumn<bool>("keyless");
        QTest::addColumn<int>("before");
        QTest::addColumn<int>("left");
        QTest::newRow("before the first commit") << QByteArray("embedded.before_commit:1") << false << 0 << 0;
        QTest::newRow("before a commit") << QByteArray("embedded.before_commit:4") << false << 0 << 30;
        QTest::newRow("after a commit") << QByteArray("embedded.after_commit:4") << false << 0 << 40;
        QTest::newRow("while building aside") << QByteArray("embedded.before_commit:3") << true << 20 << 20;
        QTest::newRow("before the swap") << QByteArray("embedded.before_promote:1") << true << 20 << 20;
        QTest::newRow("after the swap") << QByteArray("embedded.after_promote:1") << true << 20 << 100;
    }
    void killedWriter()
    {
        QFETCH(QByteArray, crash);
        QFETCH(bool, keyless);
        QFETCH(int, before);
        QFETCH(int, left);
        QTemporaryDir folder;
        const std::string path = folder.filePath("documents.db").toStdString();
        if (before > 0)
            QCOMPARE(inChild(nullptr, [&] { return work(path, keyless, 1000, 1000 + before); }), okay);
        QCOMPARE(inChild(crash.constData(), [&] { return work(path, keyless, 0, 100); }), -SIGKILL);
        QCOMPARE(rowsIn(path), left);
        QCOMPARE(inChild(nullptr, [&] { return work(path, keyless, 0, 100); }), okay);
        QCOMPARE(rowsIn(path), 100);
    }
};

QTEST_APPLESS_MAIN(TstEmbeddedCrash)
#include "tst_embedded_crash.moc"
