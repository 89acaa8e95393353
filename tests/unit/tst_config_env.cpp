#include "core/config/envimport.h"
#include <QtTest>

using namespace millrace;

static QString q(const std::string& text) { return QString::fromStdString(text); }

class TestConfigEnv : public QObject {
    Q_OBJECT
private slots:
    void mysqlToMongo();
    void postgresToElasticsearch();
    void values_data();
    void values();
    void tablesAndSchedule();
    void mongoUrlWithLogin();
    void passwordFiles();
    void unknownKeysAreNamed();
    void refuses_data();
    void refuses();
};

static const char* const seed = R"(# Source MySQL Database
MYSQL_HOST=your-mysql-host.com
MYSQL_PORT=3306
MYSQL_USER=root
MYSQL_PASSWORD=your-password
MYSQL_DATABASE=your-database-name

# Target MongoDB
MONGODB_URL=mongodb://localhost:27017
MONGODB_DATABASE=ecominsight

# Sync Settings
SYNC_INTERVAL=300          # Sync every 5 minutes (in seconds)
SYNC_BATCH_SIZE=1000       # Records per batch
SYNC_ENABLED=true          # Enable/disable auto sync
SYNC_TABLES=all            # "all" or "orders,products,customers"
)";

void TestConfigEnv::mysqlToMongo()
{
    const auto result = importEnv(seed);
    QVERIFY2(result, result ? "" : result.error().detail.c_str());
    const auto& [file, typed, notes] = *result;
    QCOMPARE(file.connections.size(), std::size_t(2));
    QCOMPARE(q(file.connections[0].name), QString("source"));
    QCOMPARE(q(file.connections[0].url), QString("mysql://root@your-mysql-host.com:3306/your-database-name"));
    QCOMPARE(file.connections[0].secrets.at("password").kind, SecretRef::Kind::Stored);
    QCOMPARE(q(typed.at("source/password")), QString("your-password"));
    QCOMPARE(q(file.connections[1].url), QString("mongodb://localhost:27017/ecominsight"));
    const SyncDef& sync = file.syncs.at(0);
    QCOMPARE(q(sync.name), QString("default"));
    QCOMPARE(q(sync.every), QString("5m"));
    QCOMPARE(sync.settings.batchMax, std::int64_t(1000));
    QCOMPARE(sync.tables.size(), std::size_t(1));
    QCOMPARE(q(sync.tables[0].name), QString("*"));
    QCOMPARE(q(sync.tables[0].id.value_or("")), QString("objectid"));
    QVERIFY(notes.empty());
    QVERIFY(unsupportedKeys(sync).empty());
}

void TestConfigEnv::postgresToElasticsearch()
{
    const auto result = importEnv("PG_HOST=db.example.com\r\nPG_PORT=5432\r\nPG_DATABASE=your_db\r\nPG_USER=your_user\r\nPG_PASSWORD=p\r\nES_HOST=localhost\r\nES_PORT=9200\r\nES_USER=elastic\r\n"
                                  "ES_PASSWORD=q\r\nES_USE_SSL=true\r\nSYNC_INTERVAL=60\r\nMIN_BATCH_SIZE=100\r\nMAX_BATCH_SIZE=1000\r\nRATE_LIMIT=5000\r\nPOOL_SIZE=5\r\nSERVICE_TYPE=sync\r\n");
    QVERIFY2(result, result ? "" : result.error().detail.c_str());
    QCOMPARE(q(result->file.connections[0].url), QString("postgres://your_user@db.example.com:5432/your_db"));
    QCOMPARE(q(result->file.connections[1].url), QString("elasticsearch://elastic@localhost:9200?tls=verify-full"));
    QCOMPARE(result->typedSecrets.size(), std::size_t(2));
    const auto& sync = result->file.syncs[0];
    QVERIFY((sync.settings == SyncSettings{100, 1000, 5000, 5}));
    QCOMPARE(q(sync.every), QString("1m"));
    QVERIFY(!sync.tables[0].id);
}

void TestConfigEnv::values_data()
{
    QTest::addColumn<QString>("line");
    QTest::addColumn<QString>("password");
    QTest::newRow("plain") << "MYSQL_PASSWORD=abc" << "abc";
    QTest::newRow("spaces around") << "  MYSQL_PASSWORD = abc  " << "abc";
    QTest::newRow("export") << "export MYSQL_PASSWORD=abc" << "abc";
    QTest::newRow("comment") << "MYSQL_PASSWORD=abc # not this" << "abc";
    QTest::newRow("hash inside") << "MYSQL_PASSWORD=a#b" << "a#b";
    QTest::newRow("single quotes") << "MYSQL_PASSWORD='a # \"b\\n' # x" << "a # \"b\\n";
    QTest::newRow("double quotes") << "MYSQL_PASSWORD=\"a # \\\"b\\\"\\n\"" << "a # \"b\"\n";
    QTest::newRow("no interpolation") << "MYSQL_PASSWORD=${HOME}$x" << "${HOME}$x";
    QTest::newRow("equals inside") << "MYSQL_PASSWORD=a=b=" << "a=b=";
    QTest::newRow("carriage return") << "MYSQL_PASSWORD=abc\r" << "abc";
    QTest::newRow("last counts") << "MYSQL_PASSWORD=x\nMYSQL_PASSWORD=y" << "y";
}

void TestConfigEnv::values()
{
    QFETCH(QString, line);
    const auto result = importEnv("MYSQL_HOST=h\nMONGODB_DATABASE=d\n" + line.toStdString() + "\n");
    QVERIFY2(result, result ? "" : result.error().detail.c_str());
    QTEST(q(result->typedSecrets.at("source/password")), "password");
}

void TestConfigEnv::tablesAndSchedule()
{
    const auto with = [](const char* more) { return importEnv(std::string("MYSQL_HOST=h\nMONGODB_DATABASE=d\n") + more); };
    const auto some = with("SYNC_TABLES=orders, products ,customers\nSYNC_ENABLED=false\nSYNC_INTERVAL=60\n");
    QCOMPARE(some->file.syncs[0].tables.size(), std::size_t(3));
    QCOMPARE(q(some->file.syncs[0].tables[1].name), QString("products"));
    QCOMPARE(some->file.syncs[0].newTables, NewTables::Ask);
    QVERIFY(some->file.syncs[0].every.empty());
    QCOMPARE(q(with("")->file.syncs[0].every), QString("5m"));
    QCOMPARE(with("SYNC_BATCH_SIZE=50\n")->file.syncs[0].settings.batchMin, std::int64_t(50));
}

void TestConfigEnv::mongoUrlWithLogin()
{
    const auto result = importEnv("MYSQL_HOST=h\nMONGODB_URL=mongodb://app:s3cret@m1,m2/admin?replicaSet=rs\nMONGODB_DATABASE=shop\n");
    QVERIFY(result);
    QCOMPARE(q(result->file.connections[1].url), QString("mongodb://app@m1,m2/shop?authSource=admin&replicaSet=rs"));
    QCOMPARE(q(result->typedSecrets.at("target/password")), QString("s3cret"));
}

void TestConfigEnv::passwordFiles()
{
    const auto result = importEnv("MYSQL_HOST=h\nMYSQL_PASSWORD_FILE=/run/secrets/mysql\nMONGODB_DATABASE=d\n");
    QVERIFY(result);
    QVERIFY((result->file.connections[0].secrets.at("password") == SecretRef{SecretRef::Kind::File, "/run/secrets/mysql"}));
    QVERIFY(result->typedSecrets.empty());
}

void TestConfigEnv::unknownKeysAreNamed()
{
    const auto result = importEnv("MYSQL_HOST=h\nMYSQL_PASWORD=hunter2\nDEBUG=1\nMONGODB_DATABASE=d\nSYNC_INTERVAL=60\nMONGODB_URL=mongodb://h\n");
    QVERIFY(result);
    QCOMPARE(result->notes.size(), std::size_t(2));
    QCOMPARE(q(result->notes[0].text), QString("line 2: MYSQL_PASWORD is not known (did you mean 'MYSQL_PASSWORD'?) and was left out."));
    QVERIFY(q(result->notes[1].text).startsWith("line 3: DEBUG is not known"));
}

void TestConfigEnv::refuses_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<QString>("id");
    QTest::addColumn<QString>("words");
    QTest::newRow("nothing") << "" << "config.env_no_source" << "no source";
    QTest::newRow("no target") << "MYSQL_HOST=h\n" << "config.env_no_target" << "no target";
    QTest::newRow("no database") << "MYSQL_HOST=h\nMONGODB_URL=mongodb://h\n" << "config.env_no_target" << "database";
    QTest::newRow("two sources") << "MYSQL_HOST=h\nPG_HOST=h\nMONGODB_DATABASE=d\n" << "config.env_two_sources" << "MYSQL_";
    QTest::newRow("two targets") << "MYSQL_HOST=h\nES_HOST=h\nMONGODB_DATABASE=d\n" << "config.env_two_targets" << "ES_";
    QTest::newRow("port") << "MYSQL_HOST=h\nMYSQL_PORT=33o6\nMONGODB_DATABASE=d\n" << "config.env_value" << "line 2: MYSQL_PORT";
    QTest::newRow("host") << "MYSQL_HOST=h:3306:1\nMONGODB_DATABASE=d\n" << "config.env_value" << "line 1: MYSQL_HOST";
    QTest::newRow("flag") << "MYSQL_HOST=h\nMONGODB_DATABASE=d\nSYNC_ENABLED=maybe\n" << "config.env_value" << "line 3";
    QTest::newRow("interval") << "MYSQL_HOST=h\nMONGODB_DATABASE=d\nSYNC_INTERVAL=5m\n" << "config.env_value" << "line 3";
    QTest::newRow("not a line") << "MYSQL_HOST=h\nhunter2\n" << "config.env_syntax" << "line 2";
    QTest::newRow("open quote") << "MYSQL_PASSWORD=\"hunter2\n" << "config.env_syntax" << "line 1";
    QTest::newRow("after quote") << "MYSQL_PASSWORD='hunter2' x\n" << "config.env_syntax" << "line 1";
    QTest::newRow("mongo scheme") << "MYSQL_HOST=h\nMONGODB_URL=http://h\nMONGODB_DATABASE=d\n" << "config.url_scheme" << "line 2";
    QTest::newRow("batches") << "MYSQL_HOST=h\nMONGODB_DATABASE=d\nMIN_BATCH_SIZE=9\nMAX_BATCH_SIZE=5\n" << "config.env_value" << "line 3";
}

void TestConfigEnv::refuses()
{
    QFETCH(QString, text);
    QFETCH(QString, words);
    const auto result = importEnv(text.toStdString());
    QVERIFY(!result);
    QTEST(q(result.error().id), "id");
    QVERIFY2(q(result.error().detail).contains(words), result.error().detail.c_str());
    QVERIFY(!q(result.error().detail + result.error().fix).contains("hunter2"));
}

QTEST_APPLESS_MAIN(TestConfigEnv)
#include "tst_config_env.moc"
