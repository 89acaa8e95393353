#include "core/source/mysql/faults.h"
#include "core/source/mysql/nativetype.h"
#include "core/source/mysql/pagedquery.h"
#include "core/source/mysql/softdelete.h"
#include <QTest>

using namespace millrace;
using namespace millrace::mysql;

class TestMysqlTypes : public QObject {
    Q_OBJECT
private slots:
    void describes_data();
    void describes();
    void quotes();
    void noticesRetypedColumns_data();
    void noticesRetypedColumns();
    void errorsHaveClassAndFix_data();
    void errorsHaveClassAndFix();
    void errorsHideThePassword();
    void grantsNameTheAccount();
};

void TestMysqlTypes::describes_data()
{
    QTest::addColumn<QString>("native");
    QTest::addColumn<QString>("type");
    QTest::addColumn<int>("bits");
    QTest::addColumn<int>("scale");
    const auto row = [](const char* native, const char* type, int bits = 64, int scale = 0) { QTest::newRow(native) << native << type << bits << scale; };
    row("tinyint(1)", "bool", 8);
    row("tinyint(1) unsigned", "uint", 8);
    row("tinyint(4)", "int", 8);
    row("tinyint", "int", 8);
    row("smallint unsigned", "uint", 16);
    row("mediumint(9)", "int", 24);
    row("int(10) unsigned zerofill", "uint", 32);
    row("bigint(20)", "int", 64);
    row("bit(1)", "bool", 8);
    row("bit(12)", "uint", 16);
    row("bit(64)", "uint", 64);
    row("year(4)", "int", 16);
    row("float", "real", 32);
    row("float(7,4)", "real", 32);
    row("double unsigned", "real", 64);
    row("decimal(65,30)", "decimal", 64, 30);
    row("decimal(10,0)", "decimal");
    row("date", "date");
    row("datetime(6)", "datetime", 64, 6);
    row("timestamp", "timestamp");
    row("timestamp(3)", "timestamp", 64, 3);
    row("time(2)", "time", 64, 2);
    row("char(36)", "text");
    row("mediumtext", "text");
    row("enum('tinyint(1)','x unsigned')", "text");
    row("set('a','b')", "array");
    row("json", "json");
    row("uuid", "uuid");
    row("inet6", "text");
    row("binary(16)", "bytes");
    row("longblob", "bytes");
    row("multipolygon", "bytes");
    row("vector(3)", "bytes");
    row("something new", "text");
}

void TestMysqlTypes::describes()
{
    QFETCH(QString, native);
    QFETCH(QString, type);
    QFETCH(int, bits);
    QFETCH(int, scale);
    ColumnInfo column;
    column.nativeType = native.toStdString();
    describeNative(column);
    QCOMPARE(QString::fromStdString(std::string(typeName(column.type))), type);
    QCOMPARE(static_cast<int>(column.bits), bits);
    QCOMPARE(static_cast<int>(column.scale), scale);
}

void TestMysqlTypes::quotes()
{
    QCOMPARE(quotedName("a`b"), std::string("`a``b`"));
    QCOMPARE(quotedName(TableRef {"s`", "t"}), std::string("`s```.`t`"));
    QCOMPARE(PagedQuery::condition("a > 1 -- all"), std::string("(a > 1 -- all\n)"));
}

void TestMysqlTypes::noticesRetypedColumns_data()
{
    QTest::addColumn<QString>("native");
    QTest::addColumn<int>("now");
    QTest::addColumn<bool>("isUnsigned");
    QTest::addColumn<bool>("same");
    QTest::newRow("int") << "int" << int(MYSQL_TYPE_LONG) << false << true;
    QTest::newRow("int became bigint") << "int" << int(MYSQL_TYPE_LONGLONG) << false << false;
    QTest::newRow("int became unsigned") << "int" << int(MYSQL_TYPE_LONG) << true << false;
    QTest::newRow("int became text") << "int" << int(MYSQL_TYPE_VAR_STRING) << false << false;
    QTest::newRow("datetime became timestamp") << "datetime" << int(MYSQL_TYPE_TIMESTAMP) << false << false;
    QTest::newRow("varchar became text") << "varchar(10)" << int(MYSQL_TYPE_BLOB) << false << true;
    QTest::newRow("year") << "year" << int(MYSQL_TYPE_YEAR) << true << true;
}

void TestMysqlTypes::noticesRetypedColumns()
{
    QFETCH(QString, native);
    QFETCH(int, now);
    QFETCH(bool, isUnsigned);
    QFETCH(bool, same);
    MYSQL_FIELD field {};
    field.type = static_cast<enum_field_types>(now);
    field.flags = isUnsigned ? UNSIGNED_FLAG : 0;
    field.charsetnr = 45;
    QCOMPARE(matches(parseNativeType(native.toStdString()), field, false), same);
    field.charsetnr = 63;                                          // text that became bytes
    if (native.startsWith("varchar"))
        QVERIFY(!matches(parseNativeType(native.toStdString()), field, false));
}

void TestMysqlTypes::errorsHaveClassAndFix_data()
{
    QTest::addColumn<int>("number");
    QTest::addColumn<int>("fault");
    QTest::addColumn<QString>("id");
    QTest::newRow("password") << 1045 << int(Fault::Auth) << "source.mysql.login";
    QTest::newRow("select denied") << 1142 << int(Fault::Auth) << "source.mysql.privilege";
    QTest::newRow("process denied") << 1227 << int(Fault::Auth) << "source.mysql.privilege";
    QTest::newRow("away") << 2003 << int(Fault::Network) << "source.mysql.unreachable";
    QTest::newRow("lost") << 2013 << int(Fault::Network) << "source.mysql.connection_lost";
    QTest::newRow("too many") << 1040 << int(Fault::Throttled) << "source.mysql.too_many_connections";
    QTest::newRow("dropped") << 1146 << int(Fault::Schema) << "source.mysql.table_missing";
    QTest::newRow("altered") << 1412 << int(Fault::Timeout) << "source.mysql.altered_meanwhile";
    QTest::newRow("lock") << 1205 << int(Fault::Timeout) << "source.mysql.lock_wait";
    QTest::newRow("unknown client error") << 2999 << int(Fault::Network) << "source.mysql.server_error";
    QTest::newRow("unknown server error") << 1999 << int(Fault::Internal) << "source.mysql.server_error";
}

void TestMysqlTypes::errorsHaveClassAndFix()
{
    QFETCH(int, number);
    QFETCH(int, fault);
    QFETCH(QString, id);
    const Error error = errorFrom(static_cast<unsigned>(number), "the server's words", {});
    QCOMPARE(static_cast<int>(error.fault), fault);
    QCOMPARE(QString::fromStdString(error.id), id);
    QVERIFY(error.detail.find("the server's words") != std::string::npos);
    if (error.fault == Fault::Auth || error.fault == Fault::Schema)
        QVERIFY(!error.fix.empty());
}

void TestMysqlTypes::errorsHideThePassword()
{
    Config config;
    config.password = Secret("p4ss/word");
    const Error error = errorFrom(1064, "near 'p4ss/word' or p4ss%2Fword", config);
    QVERIFY2(error.detail.find("p4ss") == std::string::npos, error.detail.c_str());
}

void TestMysqlTypes::grantsNameTheAccount()
{
    Config config;
    config.user = "reader";
    config.database = "sh`op";
    QCOMPARE(accountIn("SELECT command denied to user 'small'@'10.0.0.%' for table `a`", config), std::string("'small'@'10.0.0.%'"));
    QCOMPARE(accountIn("nothing here", config), std::string("'reader'@'%'"));
    QCOMPARE(accountIn("'@'", config), std::string("'reader'@'%'"));
    QCOMPARE(errorFrom(1142, "denied to user 'small'@'h' for", config).fix, std::string("GRANT SELECT ON `sh``op`.* TO 'small'@'h';"));
}

QTEST_APPLESS_MAIN(TestMysqlTypes)
#include "tst_mysql_types.moc"
