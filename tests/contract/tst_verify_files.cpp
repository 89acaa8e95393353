#include "core/source/sqlite/sqlitesource.h"
#include "core/target/embedded/embeddedtarget.h"
#include "core/verify/verifier.h"
#include "tests/support/sourcecontract.h"
#include <QTemporaryDir>
#include <QTest>
#include <numeric>
#include <sqlite3.h>

using namespace millrace;
using namespace millrace::test;

namespace {

template <class T> T must(Result<T> result)
{
    if (!result)
        qFatal("%s: %s", result.error().id.c_str(), result.error().detail.c_str());
    if constexpr (!std::is_void_v<T>)
        return std::move(result).value();
}

void synchronise(Source& source, Target& target, const TablePlanPtr& plan)
{
    const Lease lease = must(target.acquire(plan->sync, "home", 0, {}));
    must(target.prepare(*plan, lease));
    if (plan->keyless())
        must(target.beginAside(*plan, lease));
    auto session = must(target.session(plan, lease, true));
    auto snapshot = must(source.snapshot(plan));
    auto reader = must(snapshot->read({}));
    auto encoder = target.encoder(plan);
    std::uint64_t seq = 1;
    for (ReadState state = ReadState::More; state != ReadState::End;) {
        Batch batch(plan->schema);
        state = must(reader->read(batch, 100, {}));
        batch.version = lease.epoch << 40 | seq;
        seq += batch.rows();
        std::vector<std::uint32_t> rows(batch.rows());
        std::iota(rows.begin(), rows.end(), 0u);
        Payload payload;
        must(encoder->encode(batch, rows, payload));
        must(session->write(payload, {}));
    }
    if (plan->keyless())
        must(target.promoteAside(*plan, lease));
    must(target.release(lease));
}
const RowDifference* sample(const TableVerdict& verdict, const std::string& key)
{
    for (const auto& one : verdict.samples)
        if (one.key == key)
            return &one;
    return nullptr;
}

} // namespace

//! Verification over a real source and a real target: an SQLite database and the embedded store.
class TstVerifyFiles : public QObject {
    Q_OBJECT
private slots:
    void damageInRealFilesIsFound()
    {
        const SystemClock clock;
        QTemporaryDir folder;
        const auto path = [&](const char* name) { return folder.filePath(name).toStdString(); };
        const auto exec = [](const std::string& file, const std::string& sql) {
            sqlite3* db = nullptr;
            char* words = nullptr;
            if (sqlite3_open(file.c_str(), &db) != SQLITE_OK || sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &words) != SQLITE_OK)
                qFatal("%s: %s", sql.c_str(), words);
            sqlite3_close(db);
        };
        exec(path("shop.db"),
            "CREATE TABLE item(id INTEGER, part TEXT, price DECIMAL(8,2), weight REAL, photo BLOB, note TEXT, sold DATETIME, PRIMARY KEY(id, part));"
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i+1 FROM n WHERE i<3000) INSERT INTO item SELECT i, 'p'||(i%3), printf('%d.%02d', i, i%100), i/3.0,"
            " randomblob(8), 'Ä note \"'||i||'\" \n', '2026-01-01 10:00:00' FROM n;");
        ConnectionParams from, to;
        from.url.scheme = "sqlite";
        from.url.path = path("shop.db");
        to.url.scheme = "embedded";
        to.url.path = path("documents.db");
        auto source = must(openSqlite(from));
        auto target = must(openEmbedded(to));
        auto plan = std::make_shared<TablePlan>(*planFor(must(source->describe({"main", "item"}))));
        plan->sync = "shop";
        plan->container = target->containerName("", "item");
        synchronise(*source, *target, plan);

        const auto verify = [&] {
            Verifier::Options options;
            options.spillDir = folder.path().toStdString();
            return must(makeVerifier(clock)->verify(*source, *target, plan, options, {}));
        };
        auto verdict = verify();
        QVERIFY2(verdict.verdict == Verdict::Identical, verdict.error ? verdict.error->detail.c_str() : (verdict.samples.empty() ? "" : (verdict.samples[0].expected + "\n--\n" + verdict.samples[0].actual).c_str()));
        QCOMPARE(verdict.targetRows, std::uint64_t{3000});

        exec(path("documents.db"), "DELETE FROM item WHERE key='[7,\"p1\"]'; UPDATE item SET doc=replace(doc, '\"price\":8.08', '\"price\":8.080') WHERE key='[8,\"p2\"]';"
                                   "INSERT INTO item VALUES('[1,\"p9\"]', '{}', 1);");
        verdict = verify();
        QCOMPARE(verdict.verdict, Verdict::Different);
        QCOMPARE(verdict.missing, std::uint64_t{1});
        QCOMPARE(verdict.extra, std::uint64_t{1});
        QCOMPARE(verdict.different, std::uint64_t{1});
        QVERIFY(sample(verdict, "[8,\"p2\"]") && sample(verdict, "[8,\"p2\"]")->fields == std::vector<std::string>{"price"});

        exec(path("documents.db"), "UPDATE item SET doc='not json' WHERE key='[9,\"p0\"]'");
        QCOMPARE(verify().different, std::uint64_t{2});
    }
};

QTEST_APPLESS_MAIN(TstVerifyFiles)
#include "tst_verify_files.moc"
