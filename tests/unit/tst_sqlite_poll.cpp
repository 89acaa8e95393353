#include "core/base/node.h"
#include "core/source/sqlite/cursor.h"
#include "tests/unit/sqlite_fixture.h"
#include <set>

using namespace millrace;
using namespace millrace::test;
using namespace millrace::sqlitesource;

namespace {

constexpr std::int64_t noon = 1'780'000'000'000;                 // 2026-05-28 20:26:40 UTC, in ms

std::string at(std::int64_t ms) { const RawValue v = boundOf(ms * 1000, {}); return v.bytes; }

//! Keys of what came, deletes with '-'.
std::vector<std::string> keys(const Heard& heard)
{
    std::vector<std::string> out;
    for (const auto& row : heard.rows)
        out.push_back(row[0] == '{' ? row.substr(1, row.find_first_of(",}") - 1) : row);
    return out;
}
using Keys = std::vector<std::string>;

} // namespace

class TestSqlitePoll : public QObject {
    Q_OBJECT
private slots:
    void shapes_data();
    void shapes();
    void boundsNeverPass_data();
    void boundsNeverPass();
    void everyShapePolls_data();
    void everyShapePolls();
    void tiesAcrossBatches();
    void theFutureDoesNotPush();
    void openWriterKeepsTheBound();
    void openWriterBeforeTheMark();
    void idlePollsReadNothing();
    void walLooksBack();
    void nullCursorsComeEachPoll();
    void softDeletesAndLeavingTheFilter();
    void deletedRowsTable();
    void deletedKeysAreComparedExactly();
    void pollsResumeInTheMiddle();
    void writersAreNotKeptOutBetweenBatches();
    void refusedCursors_data();
    void refusedCursors();
    void mixedFormsFoundLater();
    void alteredTable();
};

void TestSqlitePoll::shapes_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<qint64>("number");
    QTest::addColumn<QByteArray>("shape");
    const auto text = [](const char* value, const char* shape) { QTest::addRow("'%s'", value) << QByteArray(value) << qint64(0) << QByteArray(shape); };
    const auto number = [](qint64 value, const char* shape) { QTest::addRow("%lld", value) << QByteArray() << value << QByteArray(shape); };
    text("2026-11-21 03:30:41", "2026-11-21 03:30:41");
    text("2026-11-21 03:30:41.123456789", "2026-11-21 03:30:41");
    text("2026-11-21T03:30:41", "2026-11-21T03:30:41");
    text("2026-11-21T03:30:41.5Z", "2026-11-21T03:30:41Z");
    text("2026-11-21 03:30:41+00:00", "2026-11-21 03:30:41+00:00");
    text("2026-11-21 03:30:41+02:00", "");                       // does not sort by time
    text("2026-11-21 03:30:41.", "");
    text("2026-11-21", "");
    text("2026-02-30 00:00:00", "");
    text("yesterday", "");
    text("1780000000", "");
    number(1'780'000'000, "seconds since 1970");
    number(1'780'000'000'000, "milliseconds since 1970");
    number(1'780'000'000'000'000, "microseconds since 1970");
    number(12, "");                                              // a counter is no time
    number(-5, "");
}

void TestSqlitePoll::shapes()
{
    QFETCH(QByteArray, text);
    QFETCH(qint64, number);
    QFETCH(QByteArray, shape);
    const auto found = shapeOf(text.isEmpty() ? RawValue::integer(number) : RawValue::text(text.toStdString()));
    QCOMPARE(QByteArray::fromStdString(found ? found->text() : std::string()), shape);
}

void TestSqlitePoll::boundsNeverPass_data()
{
    QTest::addColumn<QByteArray>("value");
    for (const char* value : {"2026-11-21 03:30:41", "2026-11-21 03:30:41.000", "2026-11-21 03:30:41.999999999", "2026-11-21T03:30:41Z", "2026-11-21T03:30:41.001Z", "2026-11-21 03:30:41.5+00:00", "1969-12-31 23:59:59.5"})
        QTest::newRow(value) << QByteArray(value);
}

// A bound made from a value sorts at or below that value, as SQLite compares.
void TestSqlitePoll::boundsNeverPass()
{
    QFETCH(QByteArray, value);
    const RawValue raw = RawValue::text(value.toStdString());
    const RawValue bound = boundOf(*microsOf(raw), *shapeOf(raw));
    QVERIFY2(bound.bytes <= raw.bytes, bound.bytes.c_str());
    QCOMPARE(bound.bytes.size(), std::size_t(19));
    QVERIFY(boundOf(-1, *shapeOf(RawValue::integer(1'780'000'000))).number == -1);
}

void TestSqlitePoll::everyShapePolls_data()
{
    QTest::addColumn<QByteArray>("expression");                  // of ?, milliseconds
    QTest::addColumn<QByteArray>("type");
    QTest::newRow("CURRENT_TIMESTAMP") << QByteArray("strftime('%Y-%m-%d %H:%M:%S', ? / 1000, 'unixepoch')") << QByteArray("DATETIME");
    QTest::newRow("with fraction") << QByteArray("strftime('%Y-%m-%d %H:%M:%f', ? / 1000.0, 'unixepoch')") << QByteArray("TEXT");
    QTest::newRow("iso z") << QByteArray("strftime('%Y-%m-%dT%H:%M:%SZ', ? / 1000, 'unixepoch')") << QByteArray("TIMESTAMP");
    QTest::newRow("seconds") << QByteArray("? / 1000") << QByteArray("INTEGER");
    QTest::newRow("milliseconds") << QByteArray("?") << QByteArray("BIGINT");
    QTest::newRow("microseconds") << QByteArray("? * 1000") << QByteArray("");
}

void TestSqlitePoll::everyShapePolls()
{
    QFETCH(QByteArray, expression);
    QFETCH(QByteArray, type);
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at " + type.toStdString() + ", v); CREATE INDEX i ON t(at)");
    const auto put = [&](int id, std::int64_t ms) {
        std::string sql = expression.toStdString();
        sql.replace(sql.find('?'), 1, std::to_string(ms));
        file.exec("INSERT OR REPLACE INTO t VALUES(" + std::to_string(id) + ", " + sql + ", 0)");
    };
    auto clock = std::make_shared<HandClock>(noon + 60'000);
    auto source = file.source(clock);
    for (int i = 1; i <= 5; ++i) put(i, noon - 1'000'000 + i * 1000);
    const auto plan = planOf(*source, "t", {.cursor = "at"});
    QVERIFY(source->preflight(*plan));
    auto mark = source->mark(*plan);
    QVERIFY(mark);
    QCOMPARE(changesOf(*source, plan, *mark).rows.size(), std::size_t(0));       // nothing was committed since the mark
    put(6, noon);
    auto heard = changesOf(*source, plan, *mark);
    QVERIFY2(!heard.error, heard.error ? heard.error->detail.c_str() : "");
    QCOMPARE(keys(heard), (Keys{"3", "4", "5", "6"}));                           // the overlap of 2 s, and the new one
    put(7, noon + 1000);
    heard = changesOf(*source, plan, heard.upTo);
    QCOMPARE(keys(heard), (Keys{"6", "7"}));
    put(2, noon + 9000);
    heard = changesOf(*source, plan, heard.upTo);
    QCOMPARE(keys(heard), (Keys{"6", "7", "2"}));
    // Catalogue 4: the position holds the cursor's own text or integer.
    const auto position = Node::fromJson(heard.upTo.bytes);
    QVERIFY(position);
    const Node& lower = (*position)["rows"]["lower"];
    QVERIFY(lower.kind() == (type == "INTEGER" || type == "BIGINT" || type.isEmpty() ? Node::Kind::Number : Node::Kind::String));
}

// Catalogue 1: a thousand rows in one second, polled while they come.
void TestSqlitePoll::tiesAcrossBatches()
{
    for (const bool wal : {false, true}) {
        SqliteFile file;
        if (wal) file.exec("PRAGMA journal_mode=WAL");
        file.exec("CREATE TABLE t(id TEXT PRIMARY KEY NOT NULL, at DATETIME); CREATE INDEX i ON t(at)");
        auto clock = std::make_shared<HandClock>(noon);
        auto source = file.source(clock);
        const auto plan = planOf(*source, "t", {.cursor = "at", .overlapMs = 0});
        auto mark = source->mark(*plan);
        QVERIFY(mark);
        const auto add = [&](int from, int to) {
            for (int i = from; i < to; ++i) file.exec("INSERT INTO t VALUES('k" + std::to_string(i) + "', '" + at(noon) + "')");
        };
        file.exec("BEGIN");
        add(0, 600);
        file.exec("COMMIT");
        const auto first = changesOf(*source, plan, *mark, 7);
        std::set<std::string> seen(first.rows.begin(), first.rows.end());
        QCOMPARE(seen.size(), std::size_t(600));
        QCOMPARE(first.rows.size(), std::size_t(600));
        file.exec("BEGIN");
        add(600, 1000);
        file.exec("COMMIT");
        for (const auto& row : changesOf(*source, plan, first.upTo, 7).rows) seen.insert(row);
        QCOMPARE(seen.size(), std::size_t(1000));
    }
}

void TestSqlitePoll::theFutureDoesNotPush()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME); CREATE INDEX i ON t(at); INSERT INTO t VALUES(1, '" + at(noon - 5000) + "')");
    auto clock = std::make_shared<HandClock>(noon);
    auto source = file.source(clock);
    const auto plan = planOf(*source, "t", {.cursor = "at", .overlapMs = 0});
    auto mark = source->mark(*plan);
    file.exec("INSERT INTO t VALUES(2, '2099-01-01 00:00:00')");
    auto heard = changesOf(*source, plan, *mark);
    QCOMPARE(keys(heard), (Keys{"1", "2"}));
    clock->ms = noon + 10'000;
    file.exec("INSERT INTO t VALUES(3, '" + at(noon + 10'000) + "')");            // far below the largest time seen
    heard = changesOf(*source, plan, heard.upTo);
    QCOMPARE(keys(heard), (Keys{"3", "2"}));
    clock->ms = noon + 20'000;
    file.exec("INSERT INTO t VALUES(4, '" + at(noon + 20'000) + "')");
    heard = changesOf(*source, plan, heard.upTo);
    QCOMPARE(keys(heard), (Keys{"3", "4", "2"}));                                 // 2 is read again until its time has come
}

// Catalogue 2: a transaction that took its time before the poll commits after it. SQLite lets only one write at once, so rows that are
// dated ahead of the clock are what pushes the bound beyond its time.
void TestSqlitePoll::openWriterKeepsTheBound()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME); CREATE INDEX i ON t(at); CREATE TABLE other(x)");
    file.exec("INSERT INTO t VALUES(1, '" + at(noon + 8000) + "')");              // eight seconds ahead when it was written
    auto clock = std::make_shared<HandClock>(noon);
    auto source = file.source(clock);
    const auto plan = planOf(*source, "t", {.cursor = "at", .overlapMs = 0});
    auto mark = source->mark(*plan);
    sqlite3* late = file.open();
    for (int round = 0; round < 3; ++round) {
        clock->ms = noon + 1000;
        if (round == 0)
            file.exec("INSERT INTO other VALUES(1)");                             // the file has changed, so the poll has something to look at
        SqliteFile::exec(late, "BEGIN IMMEDIATE; INSERT INTO t VALUES(" + std::to_string(100 + round) + ", '" + at(noon + 1000 + round * 10'000) + "')");
        Heard heard;
        Position from = *mark;
        for (int poll = 0; poll < 3; ++poll) {
            clock->ms = noon + 20'000 + poll * 10'000 + round * 40'000;
            heard = changesOf(*source, plan, from);
            QVERIFY2(!heard.error, heard.error ? heard.error->detail.c_str() : "");
            QVERIFY(std::find(heard.rows.begin(), heard.rows.end(), "{" + std::to_string(100 + round)) == heard.rows.end());
            from = heard.upTo;
        }
        SqliteFile::exec(late, "COMMIT");
        heard = changesOf(*source, plan, from);
        const auto found = keys(heard);
        QVERIFY2(std::find(found.begin(), found.end(), std::to_string(100 + round)) != found.end(), from.bytes.c_str());
        mark = heard.upTo;
    }
    sqlite3_close_v2(late);
}

void TestSqlitePoll::openWriterBeforeTheMark()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME); INSERT INTO t VALUES(1, '" + at(noon + 5000) + "')");
    auto clock = std::make_shared<HandClock>(noon + 30'000);
    auto source = file.source(clock);
    const auto plan = planOf(*source, "t", {.cursor = "at", .overlapMs = 0});
    sqlite3* late = file.open();
    SqliteFile::exec(late, "BEGIN IMMEDIATE; INSERT INTO t VALUES(2, '" + at(noon) + "')");
    const auto mark = source->mark(*plan);
    QVERIFY(mark);
    SqliteFile::exec(late, "COMMIT");
    sqlite3_close_v2(late);
    QCOMPARE(keys(changesOf(*source, plan, *mark)), (Keys{"2", "1"}));
}

void TestSqlitePoll::idlePollsReadNothing()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME); INSERT INTO t VALUES(1, '" + at(noon) + "'), (2, NULL)");
    auto source = file.source(std::make_shared<HandClock>(noon));
    const auto plan = planOf(*source, "t", {.cursor = "at"});
    auto first = changesOf(*source, plan, {});
    QCOMPARE(first.rows.size(), std::size_t(2));
    const auto second = changesOf(*source, plan, first.upTo);
    QCOMPARE(second.rows.size(), std::size_t(0));
    QCOMPARE(second.upTo, first.upTo);
    file.exec("CREATE TABLE somewhere_else(x); INSERT INTO somewhere_else VALUES(1)");
    QCOMPARE(changesOf(*source, plan, second.upTo).rows.size(), std::size_t(2));
}

void TestSqlitePoll::walLooksBack()
{
    SqliteFile file;
    file.exec("PRAGMA journal_mode=WAL; CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME); INSERT INTO t VALUES(1, '" + at(noon) + "')");
    auto source = file.source(std::make_shared<HandClock>(noon + 1000));
    const auto plan = planOf(*source, "t", {.cursor = "at", .overlapMs = 0});
    auto heard = changesOf(*source, plan, {});
    file.exec("INSERT INTO t VALUES(2, '" + at(noon - 50'000) + "')");            // a commit late by 50 s
    heard = changesOf(*source, plan, heard.upTo);
    QCOMPARE(keys(heard), (Keys{"2", "1"}));
}

void TestSqlitePoll::nullCursorsComeEachPoll()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME); CREATE INDEX i ON t(at); INSERT INTO t VALUES(1, NULL), (2, '" + at(noon) + "'), (3, NULL)");
    auto source = file.source(std::make_shared<HandClock>(noon + 60'000));
    const auto plan = planOf(*source, "t", {.cursor = "at", .overlapMs = 0});
    auto heard = changesOf(*source, plan, {}, 1);
    QCOMPARE(keys(heard), (Keys{"1", "3", "2"}));
    file.exec("INSERT INTO t VALUES(4, '" + at(noon + 5000) + "')");
    heard = changesOf(*source, plan, heard.upTo, 1);
    QCOMPARE(keys(heard), (Keys{"1", "3", "2", "4"}));
    file.exec("DELETE FROM t WHERE at IS NOT NULL");
    QCOMPARE(keys(changesOf(*source, plan, heard.upTo, 1)), (Keys{"1", "3"}));
}

void TestSqlitePoll::softDeletesAndLeavingTheFilter()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME, v, gone BOOLEAN)");
    for (int i = 1; i <= 4; ++i) file.exec("INSERT INTO t VALUES(" + std::to_string(i) + ", '" + at(noon - 100'000) + "', 10, 0)");
    auto source = file.source(std::make_shared<HandClock>(noon));
    const auto plan = planOf(*source, "t", {.cursor = "at", .softDelete = "gone", .where = "v > 5 -- big", .overlapMs = 0});
    QVERIFY(source->preflight(*plan));
    auto mark = source->mark(*plan);
    file.exec("UPDATE t SET at = '" + at(noon) + "', gone = 1 WHERE id = 1; UPDATE t SET at = '" + at(noon) + "', v = 1 WHERE id = 2; UPDATE t SET at = '" + at(noon) + "', v = NULL WHERE id = 3; UPDATE t SET at = '"
              + at(noon) + "', v = 99 WHERE id = 4");
    QCOMPARE(keys(changesOf(*source, plan, *mark)), (Keys{"-1", "-2", "-3", "4"}));
}

void TestSqlitePoll::deletedRowsTable()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(at DATETIME, id INTEGER PRIMARY KEY, v); CREATE TABLE gone(key INTEGER, at DATETIME)");
    for (int i = 1; i <= 5; ++i) file.exec("INSERT INTO t VALUES('" + at(noon - 100'000) + "', " + std::to_string(i) + ", 0)");
    auto source = file.source(std::make_shared<HandClock>(noon));
    const auto plan = planOf(*source, "t", {.cursor = "at", .deletedRows = DeletedRows{"gone", "key", "at"}, .overlapMs = 0});
    QVERIFY(source->preflight(*plan));
    auto mark = source->mark(*plan);
    file.exec("DELETE FROM t WHERE id IN (1, 2, 3); INSERT INTO gone VALUES(1, '" + at(noon - 3000) + "'), (2, '" + at(noon - 2000) + "'), (3, NULL), (NULL, NULL);"
              "INSERT INTO t VALUES('" + at(noon - 1000) + "', 2, 'again')");
    auto heard = changesOf(*source, plan, *mark, 1);
    QVERIFY2(!heard.error, heard.error ? heard.error->detail.c_str() : "");
    auto rows = keys(heard);
    std::sort(rows.begin(), rows.end());
    QCOMPARE(std::count(rows.begin(), rows.end(), "-1"), 1);
    QCOMPARE(std::count(rows.begin(), rows.end(), "-2"), 0);                      // it is there again
    QCOMPARE(std::count(rows.begin(), rows.end(), "-3"), 1);
    file.exec("DELETE FROM t WHERE id = 4; INSERT INTO gone VALUES(4, '" + at(noon) + "')");
    rows = keys(changesOf(*source, plan, heard.upTo, 1));
    QVERIFY(std::find(rows.begin(), rows.end(), "-4") != rows.end());
    QVERIFY(std::find(rows.begin(), rows.end(), "-1") == rows.end());

    const auto wrong = planOf(*source, "t", {.cursor = "at", .deletedRows = DeletedRows{"gone", "nothing", "at"}});
    QVERIFY(!source->preflight(*wrong));
}

// In a NOCASE column 'a' is found where 'A' was deleted; the document 'A' has to go all the same.
void TestSqlitePoll::deletedKeysAreComparedExactly()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id TEXT COLLATE NOCASE PRIMARY KEY NOT NULL, at DATETIME); CREATE TABLE gone(key TEXT, at DATETIME); INSERT INTO t VALUES('A', '" + at(noon - 100'000) + "')");
    auto source = file.source(std::make_shared<HandClock>(noon));
    const auto plan = planOf(*source, "t", {.cursor = "at", .deletedRows = DeletedRows{"gone", "key", "at"}, .overlapMs = 0});
    auto mark = source->mark(*plan);
    file.exec("DELETE FROM t; INSERT INTO gone VALUES('A', '" + at(noon - 2000) + "'), ('b', '" + at(noon - 2000) + "'); INSERT INTO t VALUES('a', '" + at(noon - 1000) + "'), ('b', '" + at(noon - 1000) + "')");
    const auto rows = keys(changesOf(*source, plan, *mark));
    QCOMPARE(std::count(rows.begin(), rows.end(), "-A"), 1);
    QCOMPARE(std::count(rows.begin(), rows.end(), "-b"), 0);
}

void TestSqlitePoll::pollsResumeInTheMiddle()
{
    for (const bool wal : {false, true}) {
        SqliteFile file;
        if (wal) file.exec("PRAGMA journal_mode=WAL");
        file.exec("CREATE TABLE t(a INTEGER NOT NULL, b TEXT NOT NULL, at DATETIME, PRIMARY KEY(a, b)); CREATE INDEX i ON t(at)");
        for (int i = 0; i < 20; ++i)
            file.exec("INSERT INTO t VALUES(" + std::to_string(i % 3) + ", 'b" + std::to_string(i) + "', " + (i % 5 == 0 ? std::string("NULL") : "'" + at(noon - 10'000 + i / 4 * 1000) + "'") + ")");
        auto source = file.source(std::make_shared<HandClock>(noon));
        const auto plan = planOf(*source, "t", {.cursor = "at", .overlapMs = 0});
        const auto whole = changesOf(*source, plan, {}, 100).rows;
        QCOMPARE(whole.size(), std::size_t(20));
        for (std::size_t stopAfter = 1; stopAfter < 20; ++stopAfter) {
            auto reader = source->changes(plan, {});
            Heard head = hear(**reader, plan, stopAfter, [](const Heard&) { return false; });
            reader->reset();
            const Heard tail = changesOf(*source, plan, head.upTo, 4);
            head.rows.insert(head.rows.end(), tail.rows.begin(), tail.rows.end());
            QCOMPARE(head.rows, whole);
        }
    }
}

void TestSqlitePoll::writersAreNotKeptOutBetweenBatches()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME, v); CREATE INDEX i ON t(at)");
    for (int i = 1; i <= 6; ++i) file.exec("INSERT INTO t VALUES(" + std::to_string(i) + ", '" + at(noon - 10'000 + i * 1000) + "', 0)");
    auto source = file.source(std::make_shared<HandClock>(noon));
    const auto plan = planOf(*source, "t", {.cursor = "at", .overlapMs = 0});
    auto reader = source->changes(plan, {});
    Heard heard = hear(**reader, plan, 2, [&](const Heard& so) {
        if (so.batches == 1) file.exec("UPDATE t SET v = 1, at = '" + at(noon) + "' WHERE id IN (1, 5)");
        return true;
    });
    QVERIFY(!heard.error);
    QCOMPARE(keys(heard), (Keys{"1", "2", "3", "4", "6"}));                       // 5 went beyond this poll's upper bound
    reader->reset();
    const auto next = changesOf(*source, plan, heard.upTo);
    QCOMPARE(keys(next), (Keys{"6", "1", "5"}));
}

void TestSqlitePoll::refusedCursors_data()
{
    QTest::addColumn<QByteArray>("sql");
    QTest::newRow("two forms") << QByteArray("INSERT INTO t VALUES(1, '2024-01-01 00:00:00'), (2, '2024-01-01T00:00:00Z')");
    QTest::newRow("text and number") << QByteArray("INSERT INTO t VALUES(1, '2024-01-01 00:00:00'), (2, 1700000000)");
    QTest::newRow("seconds and milliseconds") << QByteArray("INSERT INTO t VALUES(1, 1700000000), (2, 1700000000000)");
    QTest::newRow("a counter") << QByteArray("INSERT INTO t VALUES(1, 1), (2, 2)");
    QTest::newRow("julian day") << QByteArray("INSERT INTO t VALUES(1, 2460311.5)");
    QTest::newRow("local time with offset") << QByteArray("INSERT INTO t VALUES(1, '2024-01-01 00:00:00+02:00')");
    QTest::newRow("date only") << QByteArray("INSERT INTO t VALUES(1, '2024-01-01')");
    QTest::newRow("blob") << QByteArray("INSERT INTO t VALUES(1, x'3230')");
    QTest::newRow("no column") << QByteArray("ALTER TABLE t RENAME COLUMN at TO moved");
}

void TestSqlitePoll::refusedCursors()
{
    QFETCH(QByteArray, sql);
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at)");
    file.exec(sql.toStdString());
    auto source = file.source();
    auto plan = std::make_shared<TablePlan>(*planOf(*source, "t"));
    plan->strategy = Strategy::Timestamp;
    plan->cursor = "at";
    const auto ready = source->preflight(*plan);
    QVERIFY(!ready);
    QVERIFY2(ready.error().fault == Fault::Config && ready.error().id == "source.sqlite.cursor", ready.error().detail.c_str());
    QVERIFY(!ready.error().fix.empty());
}

void TestSqlitePoll::mixedFormsFoundLater()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at); INSERT INTO t VALUES(1, '2024-01-01 00:00:00')");
    auto source = file.source();
    const auto plan = planOf(*source, "t", {.cursor = "at"});
    auto mark = source->mark(*plan);
    QVERIFY(mark);
    file.exec("INSERT INTO t VALUES(2, 1700000000)");                             // sorts below every text: it would never be read
    const auto heard = changesOf(*source, plan, *mark);
    QVERIFY(heard.error);
    QCOMPARE(heard.error->id, std::string("source.sqlite.cursor"));
}

void TestSqlitePoll::alteredTable()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, at DATETIME, v); INSERT INTO t VALUES(1, '2024-01-01 00:00:00', 0), (2, '2024-01-01 00:00:01', 0); CREATE INDEX i ON t(at)");
    auto source = file.source();
    const auto plan = planOf(*source, "t", {.cursor = "at"});
    auto reader = source->changes(plan, {});
    const Heard heard = hear(**reader, plan, 1, [&](const Heard& so) {
        if (so.batches == 1) file.exec("ALTER TABLE t DROP COLUMN v");
        return true;
    });
    QVERIFY(heard.error);
    QCOMPARE(heard.error->id, std::string("source.sqlite.table_altered"));
}

QTEST_APPLESS_MAIN(TestSqlitePoll)
#include "tst_sqlite_poll.moc"
