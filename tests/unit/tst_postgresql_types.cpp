#include "core/source/postgresql/config.h"
#include "core/source/postgresql/faults.h"
#include "core/source/postgresql/nested.h"
#include "core/source/postgresql/proofjson.h"
#include "core/source/postgresql/rowdecoder.h"
#include "core/source/postgresql/sqltext.h"
#include "core/source/postgresql/triggers.h"
#include "core/data/value.h"
#include <QTest>
#include <limits>

using namespace millrace;
using namespace millrace::postgresql;

namespace {

NativeType type(const char* name, const char* schema = "pg_catalog", char kind = 'b', bool array = false)
{
    NativeType out;
    out.name = name;
    out.schema = schema;
    out.kind = kind;
    out.array = array;
    return out;
}

std::string big(std::initializer_list<int> shorts)
{
    std::string out;
    for (const int s : shorts) {
        out += static_cast<char>(s >> 8);
        out += static_cast<char>(s);
    }
    return out;
}

std::string field(const std::string& bytes)
{
    const auto n = static_cast<std::uint32_t>(bytes.size());
    return std::string {static_cast<char>(n >> 24), static_cast<char>(n >> 16), static_cast<char>(n >> 8), static_cast<char>(n)} + bytes;
}

} // namespace

class TestPostgresqlTypes : public QObject {
    Q_OBJECT
private slots:
    void describes_data();
    void describes();
    void numerics_data();
    void numerics();
    void momentsAsTheServerPrintsThem();
    void nested_data();
    void nested();
    void brokenTextIsRefused_data();
    void brokenTextIsRefused();
    void decodesATuple();
    void brokenTuplesAreRefused();
    void quotes();
    void triggers_data();
    void triggers();
    void errorsHaveClassAndFix_data();
    void errorsHaveClassAndFix();
    void errorsHideThePassword();
    void urls_data();
    void urls();
};

void TestPostgresqlTypes::describes_data()
{
    QTest::addColumn<QString>("name");
    QTest::addColumn<int>("modifier");
    QTest::addColumn<QString>("canonical");
    QTest::addColumn<int>("bits");
    QTest::addColumn<int>("scale");
    QTest::addColumn<int>("precision");
    const auto row = [](const char* name, int modifier, const char* canonical, int bits = 64, int scale = 0, int precision = 0) {
        QTest::addRow("%s %d", name, modifier) << name << modifier << canonical << bits << scale << precision; };
    row("bool", -1, "bool", 8);
    row("int2", -1, "int", 16);
    row("int4", -1, "int", 32);
    row("int8", -1, "int", 64);
    row("oid", -1, "uint", 32);
    row("float4", -1, "real", 32);
    row("numeric", -1, "decimal");
    row("numeric", (10 << 16 | 2) + 4, "decimal", 64, 2, 10);
    row("numeric", (5 << 16 | 0x7fe) + 4, "decimal", 64, 0, 5);              // numeric(5,-2)
    row("timestamp", -1, "datetime", 64, 6);
    row("timestamptz", 3, "timestamp", 64, 3);
    row("time", 0, "time");
    row("timetz", -1, "text");
    row("interval", -1, "text");
    row("jsonb", -1, "json");
    row("bytea", -1, "bytes");
    row("uuid", -1, "uuid");
    row("tsvector", -1, "text");
    row("what is not known", -1, "text");
}

void TestPostgresqlTypes::describes()
{
    QFETCH(QString, name);
    QFETCH(int, modifier);
    QFETCH(QString, canonical);
    QFETCH(int, bits);
    QFETCH(int, scale);
    QFETCH(int, precision);
    ColumnInfo column;
    describeNative(column, type(name.toUtf8().constData()), modifier);
    QCOMPARE(QString::fromStdString(std::string(typeName(column.type))), canonical);
    QCOMPARE(static_cast<int>(column.bits), bits);
    QCOMPARE(static_cast<int>(column.scale), scale);
    QCOMPARE(static_cast<int>(column.precision), precision);
    // a type of the same name in somebody's schema is another type
    describeNative(column, type(name.toUtf8().constData(), "public"), modifier);
    QCOMPARE(column.type, Type::Text);
    describeNative(column, type("hstore", "public"), -1);
    QCOMPARE(column.type, Type::Json);
    describeNative(column, type("_int4", "pg_catalog", 'b', true), -1);
    QCOMPARE(column.type, Type::Array);
}

void TestPostgresqlTypes::numerics_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<QString>("text");
    const auto row = [](const char* name, std::initializer_list<int> shorts, const char* text) { QTest::newRow(name) << QByteArray::fromStdString(big(shorts)) << text; };
    // count, weight, sign, scale, groups of four digits
    row("zero", {0, 0, 0, 0}, "0");
    row("zero with scale", {0, 0, 0, 2}, "0.00");
    row("one", {1, 0, 0, 0, 1}, "1");
    row("negative", {2, 0, 0x4000, 2, 12, 5000}, "-12.50");
    row("ten thousand", {1, 1, 0, 0, 1}, "10000");
    row("groups keep zeros", {3, 2, 0, 0, 1, 2, 3}, "100020003");
    row("small", {1, -1, 0, 4, 1}, "0.0001");
    row("smaller", {1, -2, 0, 5, 1000}, "0.00001");
    row("trailing zeros", {1, 0, 0, 6, 7}, "7.000000");
    row("nan", {0, 0, 0xC000, 0}, "NaN");
    row("infinity", {0, 0, 0xD000, 0}, "Infinity");
    row("minus infinity", {0, 0, 0xF000, 0}, "-Infinity");
    row("short", {1, 0, 0}, "refused");
    row("count beyond the end", {2, 0, 0, 0, 1}, "refused");
    row("unknown sign", {1, 0, 0x1234, 0, 1}, "refused");
}

void TestPostgresqlTypes::numerics()
{
    QFETCH(QByteArray, bytes);
    QFETCH(QString, text);
    std::string out;
    const bool good = appendNumeric(out, bytes.constData(), static_cast<std::size_t>(bytes.size()));
    QCOMPARE(good ? QString::fromStdString(out) : QString("refused"), text);
}

void TestPostgresqlTypes::momentsAsTheServerPrintsThem()
{
    QCOMPARE(serverDate(0), std::string("2000-01-01"));
    QCOMPARE(serverDate(std::numeric_limits<std::int32_t>::max()), std::string("infinity"));
    QCOMPARE(serverDate(-730119), std::string("0001-01-01"));
    QCOMPARE(serverDate(-730120), std::string("0001-12-31 BC"));
    QVERIFY(ordinaryDate(-730119) && !ordinaryDate(-730120));
    QVERIFY(ordinaryDate(2921939) && !ordinaryDate(2921940));
    QCOMPARE(serverDate(2921940), std::string("10000-01-01"));
    QCOMPARE(serverTimestamp(500'000, true), std::string("2000-01-01 00:00:00.5+00"));
    QCOMPARE(serverTimestamp(-1, false), std::string("1999-12-31 23:59:59.999999"));
    QCOMPARE(serverTimestamp(std::numeric_limits<std::int64_t>::min(), true), std::string("-infinity"));
    QCOMPARE(serverTimestamp(-730120 * 86'400'000'000, true), std::string("0001-12-31 00:00:00+00 BC"));
}

void TestPostgresqlTypes::nested_data()
{
    QTest::addColumn<int>("type");
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("json");
    QTest::newRow("ints") << 1 << "{1,NULL,-3}" << "[1,null,-3]";
    QTest::newRow("empty") << 1 << "{}" << "[]";
    QTest::newRow("bounds") << 1 << "[2:3][0:0]={{1},{2}}" << "[[1],[2]]";
    QTest::newRow("texts") << 2 << "{a,\"b \\\"q\\\"\",\"NULL\",NULL,\"\"}" << "[\"a\",\"b \\\"q\\\"\",\"NULL\",null,\"\"]";
    QTest::newRow("record") << 3 << "(1,\"a,\"\"b\"\"\",)" << "{\"n\":1,\"t\":\"a,\\\"b\\\"\",\"list\":null}";
    QTest::newRow("record in parts") << 3 << "(,\"\",\"{1,2}\")" << "{\"n\":null,\"t\":\"\",\"list\":[1,2]}";
    QTest::newRow("records") << 4 << "{\"(1,\\\"x y\\\",\\\"{1}\\\")\"}" << "[{\"n\":1,\"t\":\"x y\",\"list\":[1]}]";
    QTest::newRow("hstore") << 5 << "\"a\"=>\"1\", \"b\\\"\"=>NULL" << "{\"a\":\"1\",\"b\\\"\":null}";
    QTest::newRow("moments") << 6 << "{\"2024-01-01 00:00:00.5+00\",infinity,\"0044-03-15 00:00:00+00 BC\"}" << "[\"2024-01-01T00:00:00.500000Z\",\"infinity\",\"0044-03-15 00:00:00+00 BC\"]";
}

namespace {

TypeTree tree()
{
    TypeTree types;
    TypeTree::Node number {Wire::Int4, ',', {}}, text {Wire::Text, ',', {}}, moment {Wire::TimestampTz, ',', {}};
    types.add(100, {Wire::Array, ',', {{7, -1, ""}}});                         // 1
    types.add(101, {Wire::Array, ',', {{8, -1, ""}}});                         // 2
    types.add(102, {Wire::Record, ',', {{7, -1, "n"}, {8, -1, "t"}, {1, -1, "list"}}});      // 3
    types.add(103, {Wire::Array, ',', {{3, -1, ""}}});                         // 4
    types.add(104, {Wire::Hstore, ',', {}});                                   // 5
    types.add(105, {Wire::Array, ',', {{9, -1, ""}}});                         // 6
    types.add(23, number);                                                     // 7
    types.add(25, text);                                                       // 8
    types.add(1184, moment);                                                   // 9
    return types;
}

} // namespace

void TestPostgresqlTypes::nested()
{
    QFETCH(int, type);
    QFETCH(QString, text);
    QFETCH(QString, json);
    const TypeTree types = tree();
    std::string out;
    QVERIFY(Nested(types).append(out, static_cast<std::uint32_t>(type), -1, text.toStdString()));
    QCOMPARE(QString::fromStdString(out), json);
}

void TestPostgresqlTypes::brokenTextIsRefused_data()
{
    QTest::addColumn<int>("type");
    QTest::addColumn<QString>("text");
    for (const char* text : {"", "{", "{1", "}", "1}", "{1}}", "{\"", "{1,x}", "[1:2]"})
        QTest::addRow("array %s", text) << 1 << text;
    for (const char* text : {"", "()", "(1)", "(1,2)", "(1,2,3,4)", "(1,\"", "1,2,3", "(x,y,z)"})
        QTest::addRow("record %s", text) << 3 << text;
    for (const char* text : {"a", "\"a\"", "\"a\"=>", "\"a\"=>1", "\"a\"=>\"1\"\"b\"=>\"2\"", "\"a\"=>\"1\", "})
        QTest::addRow("hstore %s", text) << 5 << text;
}

void TestPostgresqlTypes::brokenTextIsRefused()
{
    QFETCH(int, type);
    QFETCH(QString, text);
    const TypeTree types = tree();
    std::string out;
    QVERIFY2(!Nested(types).append(out, static_cast<std::uint32_t>(type), -1, text.toStdString()), out.c_str());
}

void TestPostgresqlTypes::decodesATuple()
{
    auto schema = std::make_shared<Schema>();
    RowDecoder decoder;
    const std::pair<const char*, Type> columns[] = {{"int4", Type::Int}, {"text", Type::Text}, {"uuid", Type::Uuid}, {"float8", Type::Real}, {"jsonb", Type::Json}, {"date", Type::Date}};
    for (std::uint32_t i = 0; i < std::size(columns); ++i) {
        Column column;
        column.source = column.name = columns[i].first;
        column.type = columns[i].second;
        column.key = i == 0;
        schema->columns.push_back(column);
        ShapeColumn shape;
        shape.type = type(columns[i].first);
        decoder.addColumn(column, shape, ValuePolicy::Null, i);
    }
    schema->key = {0};
    const std::string uuid("\x12\x3e\x45\x67\xe8\x9b\x12\xd3\xa4\x56\x42\x66\x55\x44\x00\x00", 16);
    const std::string tuple = big({6}) + field(std::string("\xff\xff\xff\xfe", 4)) + field("caf\xC3\xA9") + field(uuid) + field(std::string("\x3f\xf8\0\0\0\0\0\0", 8)) + field("\1[1, 2]")
                            + field(std::string("\x7f\xff\xff\xff", 4));
    QVERIFY(decoder.take(tuple.data(), tuple.size()));
    Batch batch(schema);
    decoder.decode(batch, Op::Upsert);
    std::string out;
    for (const Cell& cell : batch.row(0)) {
        appendJson(out, cell);
        out += ' ';
    }
    QCOMPARE(out, std::string("-2 \"caf\xC3\xA9\" \"123e4567-e89b-12d3-a456-426655440000\" 1.5 [1,2] null "));
    QCOMPARE(batch.coerced, std::uint64_t(1));
    QCOMPARE(decoder.raw(5).value(), std::string("infinity"));
    QCOMPARE(decoder.raw(0).value(), std::string("-2"));
    const std::string broken = big({6}) + field(std::string("\0\0\0\1", 4)) + field("\xff\xfe") + field(uuid) + field(std::string(8, '\0')) + field("\1[]") + field(std::string(4, '\0'));
    QVERIFY(decoder.take(broken.data(), broken.size()));
    decoder.decode(batch, Op::Upsert);
    QCOMPARE(batch.rejected().size(), std::size_t(1));
    QCOMPARE(batch.rejected()[0].error.id, std::string("source.postgresql.invalid_utf8"));
}

void TestPostgresqlTypes::brokenTuplesAreRefused()
{
    RowDecoder decoder;
    Column column;
    column.type = Type::Int;
    ShapeColumn shape;
    shape.type = type("int4");
    decoder.addColumn(column, shape, ValuePolicy::Null, 0);
    const std::string good = big({1}) + field("abcd");
    QVERIFY(decoder.take(good.data(), good.size()));
    for (std::size_t cut = 0; cut < good.size(); ++cut)
        QVERIFY(!decoder.take(good.data(), cut));
    for (const std::string& wrong : {big({2}) + field("abcd"), big({1}) + field("abcde"), big({1}) + field("abcd") + "x", big({0})})
        QVERIFY(!decoder.take(wrong.data(), wrong.size()));
    const std::string null = big({1, -1, -1});
    QVERIFY(decoder.take(null.data(), null.size()));
    QVERIFY(!decoder.raw(0).has_value());
}

void TestPostgresqlTypes::quotes()
{
    QCOMPARE(quotedName(TableRef {"a\"b", "c d"}), std::string("\"a\"\"b\".\"c d\""));
    QCOMPARE(literal("it's \\ so"), std::string("'it''s \\ so'"));
    QCOMPARE(condition("a > 1 -- b"), std::string("(a > 1 -- b\n)"));
}

void TestPostgresqlTypes::triggers_data()
{
    QTest::addColumn<QString>("source");
    QTest::addColumn<QString>("arguments");
    QTest::addColumn<bool>("moves");
    QTest::newRow("assigns") << "BEGIN\n  NEW.updated_at = now();\n  RETURN NEW;\nEND" << "" << true;
    QTest::newRow("plsql form") << "begin new.\"updated_at\":=current_timestamp; return new; end" << "" << true;
    QTest::newRow("another column") << "begin new.updated_at_2 := now(); return new; end" << "" << false;
    QTest::newRow("no clock") << "begin new.updated_at := old.updated_at; return new; end" << "" << false;
    QTest::newRow("sometimes") << "begin if new.a <> old.a then new.updated_at := now(); end if; return new; end" << "" << false;
    QTest::newRow("in a comment") << "begin -- new.updated_at := now();\n return new; end" << "" << false;
    QTest::newRow("moddatetime") << "moddatetime" << "updated_at\\000" << true;
    QTest::newRow("moddatetime of another") << "moddatetime" << "changed\\000" << false;
}

void TestPostgresqlTypes::triggers()
{
    QFETCH(QString, source);
    QFETCH(QString, arguments);
    QFETCH(bool, moves);
    QCOMPARE(triggerMoves(source.toStdString(), arguments.toStdString(), "updated_at"), moves);
}

void TestPostgresqlTypes::errorsHaveClassAndFix_data()
{
    QTest::addColumn<QString>("state");
    QTest::addColumn<QString>("words");
    QTest::addColumn<int>("fault");
    QTest::addColumn<QString>("id");
    QTest::addColumn<QString>("fix");
    const auto row = [](const char* state, const char* words, Fault fault, const char* id, const char* fix) { QTest::addRow("%s %s", state, words) << state << words << static_cast<int>(fault) << id << fix; };
    row("42501", "permission denied for table film", Fault::Auth, "privilege", "GRANT SELECT ON TABLE \"film\" TO \"reader\";");
    row("42501", "permission denied for schema shut", Fault::Auth, "privilege", "GRANT USAGE ON SCHEMA \"shut\" TO \"reader\";");
    row("42P01", "relation does not exist", Fault::Schema, "table_missing", "dropped or renamed");
    row("42703", "column does not exist", Fault::Schema, "table_altered", "reset the table");
    row("55P03", "canceling statement due to lock timeout", Fault::Timeout, "lock_wait", "schema change");
    row("57014", "canceling statement due to statement timeout", Fault::Timeout, "statement_timeout", "statement_timeout");
    row("57P01", "terminating connection due to administrator command", Fault::Network, "connection_lost", "");
    row("25P03", "terminating connection due to idle-in-transaction timeout", Fault::Network, "idle_timeout", "");
    row("53300", "too many clients", Fault::Throttled, "too_many_connections", "pool");
    row("28P01", "password authentication failed", Fault::Auth, "login", "password");
    row("XX001", "invalid page", Fault::Storage, "corrupted", "damaged");
    row("99999", "something new", Fault::Internal, "server_error", "");
}

void TestPostgresqlTypes::errorsHaveClassAndFix()
{
    QFETCH(QString, state);
    QFETCH(QString, words);
    QFETCH(int, fault);
    QFETCH(QString, id);
    QFETCH(QString, fix);
    Config config;
    config.user = "reader";
    const Error error = errorFrom(state.toStdString(), words.toStdString(), config);
    QCOMPARE(static_cast<int>(error.fault), fault);
    QCOMPARE(error.id, "source.postgresql." + id.toStdString());
    QVERIFY2(error.fix.find(fix.toStdString()) != std::string::npos, error.fix.c_str());
    QVERIFY(error.detail.find(words.toStdString()) != std::string::npos);
}

void TestPostgresqlTypes::errorsHideThePassword()
{
    Config config;
    config.password = Secret("s3cret-word");
    const Error error = errorFrom("28P01", "user \"s3cret-word\" is refused", config);
    QVERIFY(error.detail.find("s3cret") == std::string::npos);
    QVERIFY(errorFrom("42501", "permission denied for table s3cret-word", config).fix.find("s3cret") == std::string::npos);
}

void TestPostgresqlTypes::urls_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("place");
    QTest::newRow("host") << "postgres://reader@db.example.com/shop" << "db.example.com:5432 verify-full";
    QTest::newRow("other name") << "postgresql://reader@db.example.com:6000/shop?tls=require" << "db.example.com:6000 require";
    QTest::newRow("loopback") << "postgres://reader@localhost/shop" << "localhost:5432 disable";
    QTest::newRow("socket") << "postgres:///shop?host=/run/pg&port=5433" << "/run/pg/.s.PGSQL.5433 disable";
    QTest::newRow("default socket") << "postgres:///shop" << "/var/run/postgresql/.s.PGSQL.5432 disable";
    QTest::newRow("no database") << "postgres://reader@h" << "source.postgresql.database";
    QTest::newRow("no authority") << "postgres://reader@h/d?tls=verify-ca" << "source.postgresql.tls_ca";
    QTest::newRow("tls on a socket") << "postgres:///d?host=/run/pg&tls=require" << "source.postgresql.tls_socket";
    QTest::newRow("time-out") << "postgres://h/d?lock_timeout=0" << "source.postgresql.lock_timeout";
    QTest::newRow("unknown option") << "postgres://h/d?sslmode=require" << "config.url_option";
}

void TestPostgresqlTypes::urls()
{
    QFETCH(QString, url);
    QFETCH(QString, place);
    ConnectionParams params;
    const auto parsed = parseUrl(url.toStdString());
    QVERIFY2(parsed.has_value(), parsed ? "" : parsed.error().detail.c_str());
    params.url = *parsed;
    const auto config = configFrom(params);
    const char* const modes[] = {"disable", "require", "verify-ca", "verify-full"};
    QCOMPARE(config ? QString::fromStdString(config->place()) + " " + modes[static_cast<int>(config->tls)] : QString::fromStdString(config.error().id), place);
}

QTEST_APPLESS_MAIN(TestPostgresqlTypes)
#include "tst_postgresql_types.moc"
