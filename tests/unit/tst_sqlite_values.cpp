#include "core/source/sqlite/declared.h"
#include "tests/unit/sqlite_fixture.h"
#include <set>

using namespace millrace;
using namespace millrace::test;

// What each declared type makes of each value, in the snapshot and in the proof.
class TestSqliteValues : public QObject {
    Q_OBJECT
private slots:
    void declaredTypes_data();
    void declaredTypes();
    void values_data();
    void values();
    void policyFailParksTheRow();
    void invalidTextIsNeverLossy();
    void utf16Files();
    void keysStayApart();
};

void TestSqliteValues::declaredTypes_data()
{
    QTest::addColumn<QByteArray>("declared");
    QTest::addColumn<int>("type");
    QTest::addColumn<int>("precision");
    QTest::addColumn<int>("scale");
    const auto row = [](const char* declared, Type type, int precision = 0, int scale = 0) { QTest::newRow(declared) << QByteArray(declared) << static_cast<int>(type) << precision << scale; };
    row("", Type::Text);
    row("INTEGER", Type::Int);
    row("bigint unsigned", Type::Int);
    row("TINYINT(1)", Type::Int);
    row("FLOATING POINT", Type::Int);                            // SQLite's own rule: "INT" is found first
    row("VARCHAR(255)", Type::Text);
    row("NATIVE CHARACTER(70)", Type::Text);
    row("CLOB", Type::Text);
    row("BLOB", Type::Bytes);
    row("VARBINARY(16)", Type::Bytes);
    row("DOUBLE PRECISION", Type::Real);
    row("FLOAT", Type::Real);
    row("BOOLEAN", Type::Bool);
    row("Bool", Type::Bool);
    row("DATE", Type::Date);
    row("DATETIME", Type::DateTime);
    row("DATETIME(3)", Type::DateTime, 0, 3);
    row("TIMESTAMP", Type::DateTime);
    row("TIMESTAMP(6) WITH TIME ZONE", Type::Timestamp, 0, 6);
    row("timestamptz", Type::Timestamp);
    row("TIME", Type::Time);
    row("DECIMAL(10,2)", Type::Decimal, 10, 2);
    row("DECIMAL(10, 5)", Type::Decimal, 10, 5);
    row("NUMERIC", Type::Decimal);
    row("NUMERIC(12)", Type::Decimal, 12, 0);
    row("JSON", Type::Json);
    row("UUID", Type::Uuid);
    row("STRING", Type::Text);
    row("DECIMAL(", Type::Decimal);
    row("DECIMAL(99999999999,9)", Type::Decimal, 0, 9);
}

void TestSqliteValues::declaredTypes()
{
    QFETCH(QByteArray, declared);
    QFETCH(int, type);
    QFETCH(int, precision);
    QFETCH(int, scale);
    const auto found = sqlitesource::readDeclared(declared.toStdString());
    QCOMPARE(typeName(found.type), typeName(static_cast<Type>(type)));
    QCOMPARE(static_cast<int>(found.precision), precision);
    QCOMPARE(static_cast<int>(found.scale), scale);
}

void TestSqliteValues::values_data()
{
    QTest::addColumn<QByteArray>("declared");
    QTest::addColumn<QByteArray>("literal");
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<int>("type");
    QTest::addColumn<bool>("coerced");
    const auto row = [](const char* declared, const char* literal, const char* json, Type type, bool coerced = false) {
        QTest::addRow("%s %s", declared, literal) << QByteArray(declared) << QByteArray(literal) << QByteArray(json) << static_cast<int>(type) << coerced;
    };
    row("", "5", "5", Type::Int);
    row("", "'5'", "\"5\"", Type::Text);
    row("", "5.5", "5.5", Type::Real);
    row("", "x'00ff'", "\"AP8=\"", Type::Bytes);
    row("", "NULL", "null", Type::Null);
    row("INTEGER", "9223372036854775807", "9223372036854775807", Type::Int);
    row("INTEGER", "-9223372036854775808", "-9223372036854775808", Type::Int);
    row("INTEGER", "'abc'", "\"abc\"", Type::Text);
    row("INTEGER", "1.5", "1.5", Type::Real);
    row("REAL", "1", "1", Type::Real);
    row("REAL", "0.1", "0.1", Type::Real);
    row("REAL", "9e999", "\"Infinity\"", Type::Real);
    row("REAL", "5e-324", "5e-324", Type::Real);
    row("TEXT", "''", "\"\"", Type::Text);
    row("TEXT", "12", "\"12\"", Type::Text);                      // text affinity
    row("TEXT", "'😀 zwölf'", "\"😀 zwölf\"", Type::Text);
    row("TEXT", "'a' || char(0) || 'b'", "\"a\\u0000b\"", Type::Text);
    row("BLOB", "'text in a blob column'", "\"text in a blob column\"", Type::Text);
    row("BOOLEAN", "0", "false", Type::Bool);
    row("BOOLEAN", "1", "true", Type::Bool);
    row("BOOLEAN", "2", "\"2\"", Type::Text, true);
    row("BOOLEAN", "-1", "\"-1\"", Type::Text, true);
    row("BOOLEAN", "'yes'", "\"yes\"", Type::Text, true);
    row("DATE", "'2024-02-29'", "\"2024-02-29\"", Type::Date);
    row("DATE", "'2023-02-29'", "\"2023-02-29\"", Type::Text, true);
    row("DATE", "'2024-02-29 00:00:00'", "\"2024-02-29 00:00:00\"", Type::Text, true);
    row("DATE", "1700000000", "\"1700000000\"", Type::Text, true);
    row("DATE", "x'41'", "\"QQ==\"", Type::Bytes, true);
    row("DATETIME", "'2024-02-29 12:34:56'", "\"2024-02-29T12:34:56\"", Type::DateTime);
    row("DATETIME", "'2024-02-29T12:34:56.120'", "\"2024-02-29T12:34:56.120\"", Type::DateTime);
    row("DATETIME", "'2024-02-29 12:34:56.1234567'", "\"2024-02-29 12:34:56.1234567\"", Type::Text, true);
    row("DATETIME", "'2024-02-29 12:34'", "\"2024-02-29 12:34\"", Type::Text, true);
    row("TIMESTAMP", "'2024-02-29 12:34:56'", "\"2024-02-29T12:34:56\"", Type::DateTime);
    row("TIMESTAMP", "'2024-02-29T12:34:56Z'", "\"2024-02-29T12:34:56Z\"", Type::Timestamp);
    row("TIMESTAMP", "'2024-02-29T12:34:56.5+02:00'", "\"2024-02-29T10:34:56.5Z\"", Type::Timestamp);
    row("TIME", "'08:30:00'", "\"08:30:00\"", Type::Time);
    row("TIME", "'8 in the morning'", "\"8 in the morning\"", Type::Text, true);
    row("DECIMAL(10,2)", "5", "5.00", Type::Decimal);
    row("DECIMAL(10,2)", "12.5", "12.50", Type::Decimal);
    row("DECIMAL(10,2)", "'12.50'", "12.50", Type::Decimal);
    row("DECIMAL(10,2)", "-0.07", "-0.07", Type::Decimal);
    row("DECIMAL(10,2)", "12.345", "\"12.345\"", Type::Text, true);
    row("DECIMAL(10,2)", "'n/a'", "\"n/a\"", Type::Text, true);
    row("DECIMAL(10,2)", "9e999", "\"Infinity\"", Type::Text, true);
    row("DECIMAL(40,2)", "'12345678901234567890123456789.25'", "12345678901234568227576610816.00", Type::Decimal);   // numeric affinity: the file holds a double
    row("DECIMAL(40,2)", "1e22", "10000000000000000000000.00", Type::Decimal);
    row("DECIMAL(6,6)", "0.000001", "0.000001", Type::Decimal);
    row("DECIMAL", "1e-7", "0.0000001", Type::Decimal);
    row("DECIMAL", "12.25", "12.25", Type::Decimal);
    row("NUMERIC(5)", "12", "12", Type::Decimal);
    row("NUMERIC(5)", "12.5", "\"12.5\"", Type::Text, true);
    row("JSON", "'{\"b\": 1.10, \"a\": [ ]}'", "{\"b\":1.10,\"a\":[]}", Type::Json);
    row("JSON", "'{broken'", "\"{broken\"", Type::Text, true);
    row("JSON", "5", "5", Type::Json);
    row("JSON", "1.5", "1.5", Type::Json);
    row("UUID", "'0926447e-025c-e316-1e3e-46c7e2b39427'", "\"0926447e-025c-e316-1e3e-46c7e2b39427\"", Type::Uuid);
    row("UUID", "'0926447E-025C-E316-1E3E-46C7E2B39427'", "\"0926447E-025C-E316-1E3E-46C7E2B39427\"", Type::Text, true);
}

void TestSqliteValues::values()
{
    QFETCH(QByteArray, declared);
    QFETCH(QByteArray, literal);
    QFETCH(QByteArray, json);
    QFETCH(int, type);
    QFETCH(bool, coerced);
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, v " + declared.toStdString() + ")");
    file.exec("INSERT INTO t VALUES(1, " + literal.toStdString() + ")");
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    auto snapshot = source->snapshot(plan);
    QVERIFY(snapshot);
    for (auto reader : {&Source::snapshot, static_cast<decltype(&Source::snapshot)>(nullptr)}) {
        auto opened = reader ? (*snapshot)->read({}) : source->proof(plan, {});
        QVERIFY(opened);
        Batch batch(plan->schema);
        QVERIFY((*opened)->read(batch, 10, {}));
        QCOMPARE(batch.rows(), std::size_t(1));
        std::string text;
        appendJson(text, batch.row(0)[1]);
        QCOMPARE(QByteArray::fromStdString(text), json);
        QCOMPARE(typeName(batch.row(0)[1].type), typeName(static_cast<Type>(type)));
        if (reader)
            QCOMPARE(batch.coerced, coerced ? 1u : 0u);
    }
}

void TestSqliteValues::policyFailParksTheRow()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, d DATE); INSERT INTO t VALUES(1, '2024-01-01'), (2, 'soon'), (3, NULL)");
    auto source = file.source();
    const auto plan = planOf(*source, "t", {.policy = ValuePolicy::Fail});
    const std::vector<std::string> expected{"{1,\"2024-01-01\"}", "!2 source.sqlite.not_as_declared", "{3,null}"};
    QCOMPARE(copyOf(*source, plan).rows, expected);
    const auto proof = proofOf(*source, plan).rows;
    QCOMPARE(proof.size(), std::size_t(3));
    QCOMPARE(proof[1], expected[1]);
}

void TestSqliteValues::invalidTextIsNeverLossy()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(id INTEGER PRIMARY KEY, v TEXT, j JSON);"
              "INSERT INTO t VALUES(1, CAST(x'61ff62' AS TEXT), NULL), (2, 'fine', NULL), (3, CAST(x'eda080' AS TEXT), NULL), (4, 'x', CAST(x'22ff22' AS TEXT))");
    auto source = file.source();
    for (const auto policy : {ValuePolicy::Null, ValuePolicy::Text, ValuePolicy::Fail}) {
        const auto plan = planOf(*source, "t", {.policy = policy});
        const std::vector<std::string> expected{"!1 source.sqlite.invalid_utf8", "{2,\"fine\",null}", "!3 source.sqlite.invalid_utf8", "!4 source.sqlite.invalid_utf8"};
        QCOMPARE(copyOf(*source, plan).rows, expected);
        const auto proof = proofOf(*source, plan).rows;
        QCOMPARE(proof[0], expected[0]);
        QCOMPARE(proof[1], expected[1]);
        QCOMPARE(proof[2].substr(0, 2), std::string("!3"));
    }
}

void TestSqliteValues::utf16Files()
{
    SqliteFile file;
    file.exec("PRAGMA encoding='UTF-16le'; CREATE TABLE t(id TEXT PRIMARY KEY NOT NULL, v TEXT);"
              "INSERT INTO t VALUES('Ärger', '😀'), ('Zoo', ''), (CAST(x'3dd8' AS TEXT), 'lone')");
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    const std::vector<std::string> expected{"!3dd8 source.sqlite.invalid_utf8", "{\"Zoo\",\"\"}", "{\"Ärger\",\"😀\"}"};
    auto rows = copyOf(*source, plan, 1).rows;
    std::sort(rows.begin(), rows.end());
    QCOMPARE(rows, expected);
    const auto proof = proofOf(*source, plan).rows;
    QVERIFY(std::find(proof.begin(), proof.end(), expected[2]) != proof.end());
    QVERIFY(std::find(proof.begin(), proof.end(), "!3dd8 source.sqlite.invalid_utf8") != proof.end());
}

// Two rows must never become one because their keys are refined to the same value.
void TestSqliteValues::keysStayApart()
{
    SqliteFile file;
    file.exec("CREATE TABLE t(at DATETIME PRIMARY KEY NOT NULL, v); INSERT INTO t VALUES('2024-01-01 00:00:00', 1), ('2024-01-01 00:00:00.0', 2), ('2024-01-01 00:00:00Z', 3),"
              " ('2024-01-01 02:00:00+02:00', 4)");
    auto source = file.source();
    const auto plan = planOf(*source, "t");
    QVERIFY(source->preflight(*plan));
    auto snapshot = source->snapshot(plan);
    QVERIFY(snapshot);
    auto reader = (*snapshot)->read({});
    Batch batch(plan->schema);
    QVERIFY((*reader)->read(batch, 10, {}));
    std::set<std::string> keys;
    std::vector<std::vector<Cell>> cells;
    for (std::size_t i = 0; i < batch.rows(); ++i) {
        keys.insert(keyText(*plan->schema, batch.row(i)));
        cells.push_back({batch.row(i)[0]});
    }
    QCOMPARE(keys.size(), std::size_t(4));
    QCOMPARE(proofOf(*source, plan, cells).rows.size(), std::size_t(4));

    file.exec("INSERT INTO t VALUES('2024-01-01T00:00:00', 5)");
    const auto refused = source->preflight(*plan);
    QVERIFY(!refused);
    QCOMPARE(refused.error().id, std::string("source.sqlite.key_times"));
}

QTEST_APPLESS_MAIN(TestSqliteValues)
#include "tst_sqlite_values.moc"
