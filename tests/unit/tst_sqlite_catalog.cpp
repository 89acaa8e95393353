#include "tests/unit/sqlite_fixture.h"
#include <QDir>
#include <QFile>

using namespace millrace;
using namespace millrace::test;

class TestSqliteCatalog : public QObject {
    Q_OBJECT
private slots:
    void discovers();
    void keys_data();
    void keys();
    void brokenViewsDoNotHideTheRest();
    void manyTablesInFewQueries();
    void missingTableIsASchemaFault();
    void openingMakesNothing_data();
    void openingMakesNothing();
    void relativePaths();
    void namesThatLookLikeUris();
    void options();
    void stages();
    void stagesOfAMissingFile();
    void notADatabase();
};

namespace {

const TableInfo* named(const std::vector<TableInfo>& tables, const std::string& name)
{
    for (const auto& table : tables)
        if (table.ref.name == name) return &table;
    return nullptr;
}

using Words = std::vector<std::string>;

} // namespace

void TestSqliteCatalog::discovers()
{
    SqliteFile file;
    file.exec("CREATE TABLE city(id INTEGER PRIMARY KEY, name TEXT NOT NULL, updated_at DATETIME);"
              "CREATE TABLE person(id INTEGER PRIMARY KEY, city_id INTEGER REFERENCES city ON DELETE CASCADE ON UPDATE SET NULL, email VARCHAR(80) NOT NULL UNIQUE,"
              " doubled INTEGER GENERATED ALWAYS AS (id * 2) VIRTUAL, price DECIMAL(8,3), updated_at DATETIME);"
              "CREATE INDEX person_moved ON person(updated_at); CREATE INDEX person_expr ON person(lower(email)); CREATE UNIQUE INDEX person_partial ON person(price) WHERE price > 0;"
              "CREATE TABLE pair(a INTEGER, b TEXT, PRIMARY KEY(b, a)) WITHOUT ROWID;"
              "CREATE TABLE child(x INTEGER, y TEXT, FOREIGN KEY(y, x) REFERENCES pair(b, a));"
              "CREATE VIEW grown AS SELECT id, email FROM person; CREATE VIRTUAL TABLE words USING fts5(body);"
              "INSERT INTO city(id, name) VALUES(1,'x'),(2,'y'),(3,'z'); ANALYZE");
    auto source = file.source();
    auto tables = source->discover({}, {});
    QVERIFY(tables);
    Words names;
    for (const auto& t : *tables) names.push_back(t.ref.name);
    QCOMPARE(names, (Words{"child", "city", "grown", "pair", "person", "words"}));       // no shadow tables, no sqlite_stat1

    const TableInfo& person = *named(*tables, "person");
    QCOMPARE(person.ref.schema, std::string("main"));
    QCOMPARE(person.primaryKey, Words{"id"});
    QCOMPARE(person.key, Words{"id"});
    QVERIFY(!person.column("id")->nullable);
    QVERIFY(!person.column("email")->nullable);
    QVERIFY(person.column("city_id")->nullable);
    QVERIFY(person.column("doubled")->generated);
    QCOMPARE(person.column("price")->nativeType, std::string("DECIMAL(8,3)"));
    QCOMPARE(static_cast<int>(person.column("price")->scale), 3);
    QCOMPARE(person.foreignKeys.size(), std::size_t(1));
    QCOMPARE(person.foreignKeys[0].table, std::string("city"));
    QCOMPARE(person.foreignKeys[0].references, Words{"id"});                             // not said in the schema: the parent's key
    QCOMPARE(person.foreignKeys[0].onDelete, std::string("cascade"));
    QCOMPARE(person.foreignKeys[0].onUpdate, std::string("set null"));
    QVERIFY(std::none_of(person.indexes.begin(), person.indexes.end(), [](const IndexInfo& i) { return i.name == "person_expr"; }));
    QVERIFY(std::none_of(person.indexes.begin(), person.indexes.end(), [](const IndexInfo& i) { return i.name == "person_partial" && i.unique; }));
    QVERIFY(person.recommended.strategy == Strategy::Timestamp);
    QCOMPARE(person.recommended.cursor, std::string("updated_at"));

    QCOMPARE(named(*tables, "pair")->key, (Words{"b", "a"}));
    QVERIFY(!named(*tables, "pair")->column("a")->nullable);
    QCOMPARE(named(*tables, "child")->foreignKeys[0].columns, (Words{"y", "x"}));
    QVERIFY(named(*tables, "child")->key.empty());                                       // a rowid may be used again: no key
    QVERIFY(named(*tables, "grown")->kind == TableKind::View);
    QCOMPARE(named(*tables, "city")->rowsEstimate.value_or(0), std::uint64_t(3));

    QCOMPARE(source->discover("p*", {})->size(), std::size_t(2));
    QCOMPARE(source->discover("main.city", {})->size(), std::size_t(1));
    const auto server = source->server();
    QCOMPARE(server->engine, std::string("sqlite"));
}

void TestSqliteCatalog::keys_data()
{
    QTest::addColumn<QByteArray>("definition");
    QTest::addColumn<QByteArray>("key");
    QTest::newRow("integer primary key") << QByteArray("id INTEGER PRIMARY KEY, v") << QByteArray("id");
    QTest::newRow("text primary key") << QByteArray("v, code TEXT PRIMARY KEY") << QByteArray("code");
    QTest::newRow("unique not null") << QByteArray("a INTEGER NOT NULL, b INTEGER NOT NULL, c TEXT NOT NULL UNIQUE, UNIQUE(a, b)") << QByteArray("c");
    QTest::newRow("unique but nullable") << QByteArray("a INTEGER UNIQUE") << QByteArray("");
    QTest::newRow("nothing") << QByteArray("a, b") << QByteArray("");
}

void TestSqliteCatalog::keys()
{
    QFETCH(QByteArray, definition);
    QFETCH(QByteArray, key);
    SqliteFile file;
    file.exec("CREATE TABLE t(" + definition.toStdString() + ")");
    auto source = file.source();
    const auto info = source->describe({"main", "t"});
    QVERIFY(info);
    QCOMPARE(info->key, key.isEmpty() ? Words() : Words{key.toStdString()});
}

void TestSqliteCatalog::brokenViewsDoNotHideTheRest()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY); CREATE TABLE gone(x); CREATE VIEW broken AS SELECT x FROM gone; CREATE VIEW fine AS SELECT id FROM t; DROP TABLE gone");
    auto source = file.source();
    const auto tables = source->discover({}, {});
    QVERIFY2(tables, tables ? "" : tables.error().detail.c_str());
    QCOMPARE(tables->size(), std::size_t(3));
    QCOMPARE(named(*tables, "t")->key, Words{"id"});
    QCOMPARE(named(*tables, "fine")->columns.size(), std::size_t(1));
    const auto& warnings = named(*tables, "broken")->warnings;
    QVERIFY(std::any_of(warnings.begin(), warnings.end(), [](const Message& m) { return m.id == "unreadable"; }));
}

void TestSqliteCatalog::manyTablesInFewQueries()
{
    SqliteFile file;
    std::string sql = "BEGIN;";
    for (int i = 0; i < 2000; ++i) {
        const std::string n = std::to_string(i);
        sql += "CREATE TABLE t" + n + "(id INTEGER PRIMARY KEY, a TEXT, updated_at DATETIME); CREATE INDEX i" + n + " ON t" + n + "(updated_at);";
    }
    file.exec(sql + "COMMIT");
    auto source = file.source();
    (void)source->discover("none", {});                                                  // reads the schema once
    QElapsedTimer timer;
    timer.start();
    const auto tables = source->discover({}, {});
    QVERIFY(tables);
    QCOMPARE(tables->size(), std::size_t(2000));
    QVERIFY2(timer.elapsed() < 8000, qPrintable(QString::number(timer.elapsed())));      // a millisecond a table at the very most, sanitizers included
}

void TestSqliteCatalog::missingTableIsASchemaFault()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    auto source = file.source();
    const auto info = source->describe({"main", "nothing"});
    QVERIFY(!info);
    QVERIFY(info.error().fault == Fault::Schema);
}

void TestSqliteCatalog::openingMakesNothing_data()
{
    QTest::addColumn<QByteArray>("path");
    QTest::newRow("missing") << QByteArray("no-such-file.db");
    QTest::newRow("folder") << QByteArray(".");
    QTest::newRow("missing folder") << QByteArray("a/b/c.db");
    QTest::newRow("memory") << QByteArray(":memory:");
}

void TestSqliteCatalog::openingMakesNothing()
{
    QFETCH(QByteArray, path);
    QTemporaryDir folder;
    ConnectionParams params;
    params.url.scheme = "sqlite";
    params.url.path = path.toStdString();
    params.baseDir = folder.path().toStdString();
    auto source = openSqlite(params);
    QVERIFY(source);
    const auto server = (*source)->server();
    QVERIFY(!server);
    QCOMPARE(server.error().id, std::string("source.sqlite.file_missing"));
    QVERIFY2(server.error().detail.find(path.toStdString()) != std::string::npos, server.error().detail.c_str());
    QCOMPARE(QDir(folder.path()).entryList(QDir::AllEntries | QDir::NoDotAndDotDot).size(), 0);
}

void TestSqliteCatalog::relativePaths()
{
    SqliteFile file("shop.db");
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    auto params = file.params();
    params.baseDir = file.path().substr(0, file.path().rfind('/'));
    params.url.path = "shop.db";
    auto source = openSqlite(params);
    QVERIFY(source);
    QVERIFY((*source)->server());
}

// A file may be called "file:x?mode=rwc"; it must not be read as a URI with options.
void TestSqliteCatalog::namesThatLookLikeUris()
{
    SqliteFile file("file:x?mode=rwc&cache=shared");
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    auto params = file.params();
    params.baseDir = file.path().substr(0, file.path().rfind('/'));
    params.url.path = "file:x?mode=rwc&cache=shared";
    auto source = openSqlite(params);
    QVERIFY(source);
    QVERIFY((*source)->describe({"main", "t"}));
    params.url.path = "file:new?mode=rwc";
    source = openSqlite(params);
    QVERIFY(!(*source)->server());
}

void TestSqliteCatalog::options()
{
    SqliteFile file;
    auto params = file.params();
    params.url.options["busy_timeot"] = "5";
    auto source = openSqlite(params);
    QVERIFY(!source);
    QVERIFY2(source.error().detail.find("busy_timeout") != std::string::npos, source.error().detail.c_str());
    params.url.options.clear();
    params.url.options["busy_timeout"] = "soon";
    QVERIFY(!openSqlite(params));
    params.url.options.clear();
    params.url.path.clear();
    QVERIFY(!openSqlite(params));
}

void TestSqliteCatalog::stages()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY)");
    std::vector<std::string> heard;
    auto source = file.source();
    const TestReport report = source->test([&](const TestStage& stage) { heard.push_back(stage.id); }, {});
    QVERIFY(report.passed());
    QCOMPARE(heard, (Words{"file", "readable", "integrity", "journal", "tables"}));
    QCOMPARE(report.stages.size(), std::size_t(5));
    for (const auto& stage : report.stages) {
        QVERIFY2(stage.outcome == TestStage::Outcome::Passed, stage.id.c_str());
        QVERIFY(!stage.found.empty());
    }
}

void TestSqliteCatalog::stagesOfAMissingFile()
{
    ConnectionParams params;
    params.url.scheme = "sqlite";
    params.url.path = "/no/such/file.db";
    auto source = openSqlite(params);
    const TestReport report = (*source)->test({}, {});
    QVERIFY(!report.passed());
    QVERIFY(report.stages[0].outcome == TestStage::Outcome::Failed);
    QVERIFY(!report.stages[0].fix.empty());
    for (std::size_t i = 1; i < report.stages.size(); ++i)
        QVERIFY(report.stages[i].outcome == TestStage::Outcome::NotReached);
}

void TestSqliteCatalog::notADatabase()
{
    QTemporaryDir folder;
    QFile text(folder.filePath("notes.txt"));
    QVERIFY(text.open(QIODevice::WriteOnly));
    text.write(QByteArray(5000, 'x'));
    text.close();
    ConnectionParams params;
    params.url.scheme = "sqlite";
    params.url.path = text.fileName().toStdString();
    auto source = openSqlite(params);
    const auto tables = (*source)->discover({}, {});
    QVERIFY(!tables);
    QCOMPARE(tables.error().id, std::string("source.sqlite.not_a_database"));
    QVERIFY(!(*source)->test({}, {}).passed());
}

QTEST_APPLESS_MAIN(TestSqliteCatalog)
#include "tst_sqlite_catalog.moc"
