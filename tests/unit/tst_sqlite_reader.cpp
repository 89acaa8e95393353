#include "core/source/sqlite/connection.h"
#include "core/source/sqlite/walk.h"
#include "tests/unit/sqlite_fixture.h"
#include <QFile>
#include <QFileInfo>
#include <set>
#include <thread>

using namespace millrace;
using namespace millrace::test;

class TestSqliteReader : public QObject {
    Q_OBJECT
private slots:
    void chunksPartitionExactly_data();
    void chunksPartitionExactly();
    void rangesAreHalfOpen();
    void compositeKeysUseTheIndex();
    void nullKeysAreParked();
    void writersAreNotKeptOut();
    void walSnapshotsStandStill();
    void alteredTablesStop_data();
    void alteredTablesStop();
    void newColumnsDoNotStop();
    void softDeletesAndFilters();
    void filtersAreOneExpression_data();
    void filtersAreOneExpression();
    void withoutKey();
    void asManyColumnsAsATableMayHave();
    void cancelEndsALongStatement();
    void nothingIsWritten();
    void busyFilesAreTriedAgain();
    void damagedPositionsAreRefused();
};

void TestSqliteReader::chunksPartitionExactly_data()
{
    QTest::addColumn<QByteArray>("sql");
    QTest::addColumn<QByteArray>("key");
    QTest::newRow("integer") << QByteArray("CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(-5,0),(0,1),(7,2),(9223372036854775807,3),(-9223372036854775808,4)") << QByteArray();
    QTest::newRow("nocase text") << QByteArray("CREATE TABLE t(k TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, v); INSERT INTO t VALUES('b',0),('A',1),('a ',2),('',3),('Ärger',4),('ärger',5)") << QByteArray();
    QTest::newRow("index collation differs") << QByteArray("CREATE TABLE t(k TEXT COLLATE NOCASE NOT NULL, v); CREATE UNIQUE INDEX u ON t(k COLLATE BINARY); INSERT INTO t VALUES('a',0),('A',1),('b',2),('B',3),('aa',4)") << QByteArray();
    QTest::newRow("every storage class") << QByteArray("CREATE TABLE t(k PRIMARY KEY NOT NULL, v) WITHOUT ROWID; INSERT INTO t VALUES(1,0),(1.5,1),('1.25',2),(x'31',3),(x'',4),('',5),(0.1,6),(0.30000000000000004,7),(0.3,8),(-9e999,9),(9007199254740993,10),(9007199254740992.0,11)") << QByteArray();
    QTest::newRow("composite") << QByteArray("CREATE TABLE t(a INTEGER NOT NULL, b TEXT NOT NULL, v, PRIMARY KEY(a,b)) WITHOUT ROWID; INSERT INTO t VALUES(1,'x',0),(1,'y',1),(2,'',2),(2,'x',3),(2,'xx',4),(3,'a',5)") << QByteArray();
    QTest::newRow("composite with collation") << QByteArray("CREATE TABLE t(a TEXT NOT NULL, b TEXT COLLATE NOCASE NOT NULL, v); CREATE UNIQUE INDEX u ON t(a COLLATE NOCASE, b COLLATE BINARY); INSERT INTO t VALUES('p','a',0),('p','A',1),('q','b',2),('q','B',3)") << QByteArray();
    QTest::newRow("descending index") << QByteArray("CREATE TABLE t(a INTEGER NOT NULL, b INTEGER NOT NULL, v, PRIMARY KEY(a DESC, b)); INSERT INTO t VALUES(1,1,0),(1,2,1),(2,1,2),(2,2,3),(3,1,4)") << QByteArray();
    QTest::newRow("text that is not utf-8") << QByteArray("CREATE TABLE t(k TEXT PRIMARY KEY NOT NULL, v); INSERT INTO t VALUES('a',0),(CAST(x'ff' AS TEXT),1),(CAST(x'fe61' AS TEXT),2),('z',3)") << QByteArray();
    QTest::newRow("chosen key without index") << QByteArray("CREATE TABLE t(k TEXT, v); INSERT INTO t VALUES('c',0),('a',1),('b',2)") << QByteArray("k");
    QTest::newRow("view with a chosen key") << QByteArray("CREATE TABLE base(k INTEGER PRIMARY KEY, v); INSERT INTO base VALUES(1,0),(2,1),(3,2); CREATE VIEW t AS SELECT k, v * 10 AS v FROM base") << QByteArray("k");
    QTest::newRow("hostile names") << QByteArray("CREATE TABLE t(\"k\"\" ; DROP TABLE t; --\nx\" INTEGER PRIMARY KEY, \"[v] 'q' `b`\"); INSERT INTO t VALUES(1,0),(2,1)") << QByteArray();
}

// Catalogue 7 and 16: whatever the chunk size and wherever it is taken up again, each row comes exactly once.
void TestSqliteReader::chunksPartitionExactly()
{
    QFETCH(QByteArray, sql);
    QFETCH(QByteArray, key);
    for (const bool wal : {false, true}) {
        SqliteFile file;
        if (wal) file.exec("PRAGMA journal_mode=WAL");
        file.exec(sql.toStdString());
        auto source = file.source();
        PlanWith with;
        if (!key.isEmpty()) with.key = {key.toStdString()};
        const auto plan = planOf(*source, "t", with);
        QVERIFY(!plan->keyless());
        const auto whole = copyOf(*source, plan);
        QVERIFY(!whole.error);
        sqlite3_stmt* count = nullptr;
        QCOMPARE(sqlite3_prepare_v2(file.db(), "SELECT count(*) FROM t", -1, &count, nullptr), SQLITE_OK);
        QCOMPARE(sqlite3_step(count), SQLITE_ROW);
        QCOMPARE(static_cast<std::int64_t>(whole.rows.size()), sqlite3_column_int64(count, 0));
        sqlite3_finalize(count);
        QCOMPARE(std::set<std::string>(whole.rows.begin(), whole.rows.end()).size(), whole.rows.size());
        for (std::size_t size = 1; size <= whole.rows.size(); ++size) {
            QCOMPARE(copyOf(*source, plan, size).rows, whole.rows);
            auto snapshot = source->snapshot(plan);
            auto first = (*snapshot)->read({});
            Heard head = hear(**first, plan, size, [](const Heard&) { return false; });
            first->reset();
            auto rest = (*snapshot)->read({head.upTo, {}});
            const Heard tail = hear(**rest, plan, size);
            head.rows.insert(head.rows.end(), tail.rows.begin(), tail.rows.end());
            QCOMPARE(head.rows, whole.rows);
        }
    }
}

void TestSqliteReader::rangesAreHalfOpen()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY(a, b)); INSERT INTO t VALUES(1,1),(1,2),(2,1),(2,2),(3,1)");
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    const Position low{"{\"k\":[1,1]}"}, high{"{\"k\":[2,1]}"};
    QCOMPARE(copyOf(*source, plan, 10, {low, high}).rows, (std::vector<std::string>{"{1,2}", "{2,1}"}));
    QCOMPARE(copyOf(*source, plan, 1, {{}, low}).rows, (std::vector<std::string>{"{1,1}"}));
    QCOMPARE(copyOf(*source, plan, 1, {high, {}}).rows, (std::vector<std::string>{"{2,2}", "{3,1}"}));
    QCOMPARE(copyOf(*source, plan, 10, {high, low}).rows.size(), std::size_t(0));
}

void TestSqliteReader::compositeKeysUseTheIndex()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(a INTEGER NOT NULL, b INTEGER NOT NULL, v, PRIMARY KEY(a, b)) WITHOUT ROWID");
    auto connection = sqlitesource::Connection::open(file.path(), std::chrono::milliseconds(100));
    QVERIFY(connection);
    auto plan = (*connection)->prepare("EXPLAIN QUERY PLAN SELECT * FROM t WHERE " + sqlitesource::beyond({"t.a", "t.b"}, 1, ">") + " ORDER BY t.a, t.b");
    QVERIFY(plan);
    std::string words;
    while (*plan->step()) words += plan->text(3) + "\n";
    QVERIFY2(words.find("(a,b)>(?,?)") != std::string::npos && words.find("B-TREE") == std::string::npos, words.c_str());
}

// SQLite allows NULL in a primary key, and more than one row of it.
void TestSqliteReader::nullKeysAreParked()
{
    for (const bool wal : {false, true}) {
        SqliteFile file;
        if (wal) file.exec("PRAGMA journal_mode=WAL");
        file.exec("CREATE TABLE t(a TEXT, b TEXT, PRIMARY KEY(a, b)); INSERT INTO t VALUES('x','1'),(NULL,'1'),(NULL,'1'),('x',NULL),('y','1')");
        auto source = file.source();
        const auto plan = planOf(*source, "t");
        for (const std::size_t size : {1u, 2u, 10u}) {
            auto rows = copyOf(*source, plan, size).rows;
            QCOMPARE(rows.size(), std::size_t(5));
            QCOMPARE(std::count_if(rows.begin(), rows.end(), [](const auto& r) { return r.find("null_key") != std::string::npos; }), 3);
            QCOMPARE(std::vector<std::string>(rows.end() - 2, rows.end()), (std::vector<std::string>{"{\"x\",\"1\"}", "{\"y\",\"1\"}"}));
        }
        const auto info = source->describe({"main", "t"});
        QVERIFY(std::any_of(info->warnings.begin(), info->warnings.end(), [](const Message& m) { return m.id == "nullable_key"; }));
    }
}

// Without WAL a reader blocks writers: between two chunks an application must be able to commit, and moved() must tell.
void TestSqliteReader::writersAreNotKeptOut()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,0),(2,0),(3,0),(4,0)");
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    auto snapshot = source->snapshot(plan);
    QVERIFY(snapshot);
    QVERIFY(!(*snapshot)->moved());
    auto reader = (*snapshot)->read({});
    const Heard heard = hear(**reader, plan, 2, [&](const Heard& so) {
        if (so.batches == 1) file.exec("UPDATE t SET v = 9 WHERE k IN (1, 4)");
        return true;
    });
    QVERIFY(!heard.error);
    QCOMPARE(heard.rows, (std::vector<std::string>{"{1,0}", "{2,0}", "{3,0}", "{4,9}"}));
    QVERIFY((*snapshot)->moved());
    QVERIFY((*snapshot)->moved());
    reader->reset();
    // Reading again answers it; only a further change moves it again.
    auto again = (*snapshot)->read({});
    QCOMPARE(hear(**again, plan).rows[0], std::string("{1,9}"));
    again->reset();
    QVERIFY(!(*snapshot)->moved());
    file.exec("UPDATE t SET v = 10 WHERE k = 2");
    QVERIFY((*snapshot)->moved());
}

void TestSqliteReader::walSnapshotsStandStill()
{
    SqliteFile file;
    file.exec("PRAGMA journal_mode=WAL; CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,0),(2,0),(3,0),(4,0)");
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    auto snapshot = source->snapshot(plan);
    QVERIFY(snapshot);
    auto reader = (*snapshot)->read({{}, {"{\"k\":[2]}"}});
    const Heard low = hear(**reader, plan, 1, [&](const Heard& so) {
        if (so.batches == 1) file.exec("UPDATE t SET v = 9; DELETE FROM t WHERE k = 3; INSERT INTO t VALUES(5,5)");
        return true;
    });
    reader->reset();
    auto rest = (*snapshot)->read({low.upTo, {}});
    const Heard high = hear(**rest, plan, 1);
    QCOMPARE(low.rows, (std::vector<std::string>{"{1,0}", "{2,0}"}));
    QCOMPARE(high.rows, (std::vector<std::string>{"{3,0}", "{4,0}"}));
    QVERIFY(!(*snapshot)->moved());
}

void TestSqliteReader::alteredTablesStop_data()
{
    QTest::addColumn<QByteArray>("ddl");
    QTest::newRow("dropped") << QByteArray("DROP TABLE t");
    QTest::newRow("renamed") << QByteArray("ALTER TABLE t RENAME TO u");
    QTest::newRow("column dropped") << QByteArray("ALTER TABLE t DROP COLUMN v");
    QTest::newRow("column renamed") << QByteArray("ALTER TABLE t RENAME COLUMN v TO z");
    QTest::newRow("retyped") << QByteArray("BEGIN; CREATE TABLE n(k INTEGER PRIMARY KEY, v TEXT, w); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t; COMMIT");
    QTest::newRow("rekeyed") << QByteArray("BEGIN; CREATE TABLE n(k INTEGER, v INTEGER, w PRIMARY KEY); INSERT INTO n SELECT * FROM t; DROP TABLE t; ALTER TABLE n RENAME TO t; COMMIT");
}

void TestSqliteReader::alteredTablesStop()
{
    QFETCH(QByteArray, ddl);
    SqliteFile file;
    file.exec("CREATE TABLE t(k INTEGER PRIMARY KEY, v INTEGER, w); INSERT INTO t VALUES(1,0,1),(2,0,2),(3,0,3)");
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    auto snapshot = source->snapshot(plan);
    auto reader = (*snapshot)->read({});
    const Heard heard = hear(**reader, plan, 1, [&](const Heard& so) {
        if (so.batches == 1) file.exec(ddl.toStdString());
        return true;
    });
    QVERIFY(heard.error);
    QCOMPARE(heard.error->id, std::string("source.sqlite.table_altered"));
    QVERIFY(heard.error->fault == Fault::Schema);
    QCOMPARE(heard.rows.size(), std::size_t(1));
}

void TestSqliteReader::newColumnsDoNotStop()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,0),(2,0)");
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    auto snapshot = source->snapshot(plan);
    auto reader = (*snapshot)->read({});
    const Heard heard = hear(**reader, plan, 1, [&](const Heard& so) {
        if (so.batches == 1) file.exec("ALTER TABLE t ADD COLUMN fresh TEXT DEFAULT 'x'");
        return true;
    });
    QVERIFY(!heard.error);
    QCOMPARE(heard.rows, (std::vector<std::string>{"{1,0}", "{2,0}"}));
}

void TestSqliteReader::softDeletesAndFilters()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(k INTEGER PRIMARY KEY, v, gone); INSERT INTO t VALUES(1,'a',NULL),(2,'b',0),(3,'c',1),(4,'d','2024-01-01 00:00:00'),(5,'e','0'),(6,'f',''),(7,'g','false'),(8,'h',0.0),(9,'i',x''),(10,'j',-1),(11,'k',' No ')");
    auto source = file.source();
    const auto plan = planOf(*source, "t", {.softDelete = "gone", .where = "v <> 'b' -- not that one"});
    const auto rows = copyOf(*source, plan, 3).rows;
    std::vector<std::string> deleted, kept;
    for (const auto& row : rows) (row[0] == '-' ? deleted : kept).push_back(row);
    QCOMPARE(deleted, (std::vector<std::string>{"-3", "-4", "-10"}));
    QCOMPARE(kept.size(), std::size_t(7));
    // The proof's own SQL comes to the same end.
    QCOMPARE(proofOf(*source, plan, {}, 2).rows, kept);
}

void TestSqliteReader::filtersAreOneExpression_data()
{
    QTest::addColumn<QByteArray>("where");
    QTest::addColumn<bool>("valid");
    QTest::newRow("plain") << QByteArray("v > 1") << true;
    QTest::newRow("subquery") << QByteArray("k IN (SELECT max(k) FROM t)") << true;
    QTest::newRow("own table's name") << QByteArray("t.v > 1") << true;
    QTest::newRow("comment") << QByteArray("v > 1 --") << true;
    QTest::newRow("second statement") << QByteArray("1); DELETE FROM t; --") << false;
    QTest::newRow("semicolon") << QByteArray("v > 1;") << false;
    QTest::newRow("no column") << QByteArray("nothing > 1") << false;
    QTest::newRow("no sql") << QByteArray("v >") << false;
    QTest::newRow("attach") << QByteArray("1); ATTACH '/tmp/x' AS y; SELECT (1") << false;
}

void TestSqliteReader::filtersAreOneExpression()
{
    QFETCH(QByteArray, where);
    QFETCH(bool, valid);
    SqliteFile file;
    file.exec("CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1),(2,2)");
    auto source = file.source();
    const auto plan = planOf(*source, "t", {.where = where.toStdString()});
    const auto ready = source->preflight(*plan);
    QCOMPARE(static_cast<bool>(ready), valid);
    if (valid)
        QCOMPARE(copyOf(*source, plan).rows, (std::vector<std::string>{"{2,2}"}));
    else
        QVERIFY(ready.error().fault == Fault::Config);
}

void TestSqliteReader::withoutKey()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(rowid TEXT, v); INSERT INTO t VALUES('a',1),('a',1),('b',2); CREATE VIEW w AS SELECT v FROM t; CREATE TABLE none(rowid, oid, _rowid_); INSERT INTO none VALUES(1,2,3),(1,2,3)");
    auto source = file.source();
    for (const char* name : {"t", "w", "none"}) {
        const auto plan = planOf(*source, name);
        QVERIFY(plan->keyless());
        const auto whole = copyOf(*source, plan).rows;
        QCOMPARE(whole.size(), name == std::string("none") ? std::size_t(2) : std::size_t(3));
        QCOMPARE(copyOf(*source, plan, 1).rows, whole);
        QCOMPARE(proofOf(*source, plan, {}, 1).rows, whole);
    }
}

// 2,000 columns fill a whole result: nothing may be asked for beside them.
void TestSqliteReader::asManyColumnsAsATableMayHave()
{
    std::string columns;
    for (int i = 3; i < 2000; ++i)
        columns += ", c" + std::to_string(i);
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME, gone" + columns + "); CREATE TABLE bare(a, b, c" + columns + "); CREATE TABLE deleted(id INTEGER, at DATETIME);"
              "INSERT INTO t(id, at, gone, c1999) VALUES(1,'2026-11-21 00:00:00',0,'x'),(2,'2026-11-21 00:00:01',1,'y'),(3,'2026-11-21 00:00:02',0,'z');"
              "INSERT INTO bare(a, c1999) VALUES(1,2),(1,2)");
    auto source = file.source();
    const auto plan = planOf(*source, "t", {.cursor = "at", .softDelete = "gone", .deletedRows = DeletedRows{"deleted", "id", "at"}});
    const auto copied = copyOf(*source, plan, 1);
    QVERIFY2(!copied.error, copied.error ? copied.error->detail.c_str() : "");
    QCOMPARE(copied.rows.size(), std::size_t(3));
    QCOMPARE(copied.rows[1], std::string("-2"));
    const auto proven = proofOf(*source, plan, {}, 1);
    QVERIFY2(!proven.error, proven.error ? proven.error->detail.c_str() : "");
    QCOMPARE(proven.rows, (std::vector<std::string>{copied.rows[0], copied.rows[2]}));
    auto mark = source->mark(*plan);
    QVERIFY(mark);
    file.exec("UPDATE t SET c1999 = 'new', at = datetime('now') WHERE id = 1; DELETE FROM t WHERE id = 3; INSERT INTO deleted VALUES(3, datetime('now'))");
    const auto changes = changesOf(*source, plan, *mark, 1);
    QVERIFY2(!changes.error, changes.error ? changes.error->detail.c_str() : "");
    QCOMPARE(std::count(changes.rows.begin(), changes.rows.end(), "-3"), 1);
    QVERIFY(std::any_of(changes.rows.begin(), changes.rows.end(), [](const std::string& row) { return row.ends_with("\"new\"}"); }));

    const auto bare = planOf(*source, "bare");
    QVERIFY(bare->keyless());
    QCOMPARE(copyOf(*source, bare).rows.size(), std::size_t(2));
    QCOMPARE(proofOf(*source, bare).rows.size(), std::size_t(2));
}

void TestSqliteReader::cancelEndsALongStatement()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1)");
    auto source = file.source();
    const auto plan = planOf(*source, "t", {.where = "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000000) SELECT max(i) FROM n) > 0"});
    auto snapshot = source->snapshot(plan);
    auto reader = (*snapshot)->read({});
    std::stop_source stop;
    std::thread later([&] {
        // The statement is at work once its transaction holds a read lock; before that the stop is seen at the start. Both must end it.
        std::this_thread::yield();
        stop.request_stop();
    });
    Batch batch(plan->schema);
    const auto state = (*reader)->read(batch, 10, stop.get_token());
    later.join();
    QVERIFY(!state);
    QVERIFY(state.error().fault == Fault::Cancelled);
}

void TestSqliteReader::nothingIsWritten()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1)");
    const auto bytes = [&] { QFile f(QString::fromStdString(file.path())); (void)f.open(QIODevice::ReadOnly); return f.readAll(); };
    const QByteArray before = bytes();
    QVERIFY(QFile::setPermissions(QString::fromStdString(file.path()), QFile::ReadOwner));
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    QCOMPARE(copyOf(*source, plan).rows.size(), std::size_t(1));
    QCOMPARE(bytes(), before);
    QCOMPARE(QFileInfo(QString::fromStdString(file.path())).dir().entryList(QDir::Files).size(), 1);
    auto connection = sqlitesource::Connection::open(file.path(), std::chrono::milliseconds(100));
    for (const char* sql : {"DELETE FROM t", "CREATE TABLE u(x)", "PRAGMA user_version = 7", "VACUUM"})
        QVERIFY2(!(*connection)->run(sql) || bytes() == before, sql);
    QCOMPARE(bytes(), before);
}

void TestSqliteReader::busyFilesAreTriedAgain()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(k INTEGER PRIMARY KEY, v); INSERT INTO t VALUES(1,1)");
    auto params = file.params();
    params.url.options["busy_timeout"] = "20";
    auto source = openSqlite(params);
    QVERIFY(source);
    const auto plan = planOf(**source, "t");
    file.exec("BEGIN EXCLUSIVE");
    const Heard heard = copyOf(**source, plan);
    QVERIFY(heard.error);
    QCOMPARE(heard.error->id, std::string("source.sqlite.busy"));
    QVERIFY(heard.error->transient());
    file.exec("COMMIT");
    QCOMPARE(copyOf(**source, plan).rows.size(), std::size_t(1));
}

void TestSqliteReader::damagedPositionsAreRefused()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(a INTEGER NOT NULL, b INTEGER NOT NULL, PRIMARY KEY(a, b))");
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    for (const char* bytes : {"{", "{\"k\":[1]}", "{\"k\":[1.5,2]}", "{\"k\":[{\"r\":\"zz\"},1]}", "{\"k\":[{\"b\":\"0\"},1]}", "{\"k\":[[1],1]}"})
        QVERIFY2(copyOf(*source, plan, 10, {{bytes}, {}}).error, bytes);
}

QTEST_APPLESS_MAIN(TestSqliteReader)
#include "tst_sqlite_reader.moc"
