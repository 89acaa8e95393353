#include "tests/contract/mysqlfixture.h"
#include <QElapsedTimer>
#include <QTest>
#include <atomic>
#include <set>
#include <thread>

using namespace millrace;
using namespace millrace::test;

namespace {

//! Reads a table whole, as text per row.
std::vector<std::string> readTable(Source& source, const TablePlanPtr& plan, std::vector<std::string>* rejected = nullptr)
{
    std::vector<std::string> out;
    auto snapshot = source.snapshot(plan);
    if (!snapshot)
        return {snapshot.error().id};
    auto reader = (*snapshot)->read({});
    for (;;) {
        Batch batch(plan->schema);
        const auto state = (*reader)->read(batch, 100, {});
        if (!state)
            return {state.error().id};
        for (std::size_t i = 0; i < batch.rows(); ++i)
            out.push_back(keyText(*plan->schema, batch.row(i)));
        for (const auto& failure : batch.rejected())
            if (rejected) rejected->push_back(failure.error.id);
        if (*state == ReadState::End)
            return out;
    }
}

const TestStage* stage(const TestReport& report, std::string_view id)
{
    const auto found = std::find_if(report.stages.begin(), report.stages.end(), [&](const TestStage& s) { return s.id == id; });
    return found == report.stages.end() ? nullptr : &*found;
}

bool warns(const TableInfo& table, std::string_view id)
{ return std::any_of(table.warnings.begin(), table.warnings.end(), [&](const Message& m) { return m.id == id; }); }

} // namespace

class TestSourceMysql : public QObject {
    Q_OBJECT
private slots:
    void initTestCase();
    void contract_data();
    void contract();
    void everyKeyTypePages_data();
    void everyKeyTypePages();
    void boolColumnRejectsTwo();
    void zeroDateInKeyIsParked();
    void allDatabases();
    void describesConstraints();
    void serverOptionsDoNotChangeWhatIsRead();
    void localTimeCursorIsRefused();
    void nonTransactionalTablesMove();
    void keysOfOddTables();
    void schemaChangesWaitForAChunk();
    void writersBehindALockAreNotMissed();
    void thousandsOfTables();

private:
    void need(const Result<>& result) { QVERIFY2(result.has_value(), result ? "" : result.error().detail.c_str()); }
    //! CREATE OR REPLACE TABLE, which MySQL does not have. `table` begins with its name.
    void recreate(const std::string& table)
    {
        need(m_server->exec("DROP TABLE IF EXISTS " + table.substr(0, table.find(' '))));
        need(m_server->exec("CREATE TABLE " + table));
    }
    std::unique_ptr<Source> open(const ConnectionParams& params)
    {
        auto source = openMysql(params);
        return source ? std::move(*source) : nullptr;
    }
    std::unique_ptr<MariaDbServer> m_server;
};

void TestSourceMysql::initTestCase()
{
    std::string reason;
    m_server = MariaDbServer::start(reason);
    if (!m_server)
        QSKIP(reason.c_str());
}

void TestSourceMysql::contract_data()
{
    QTest::addColumn<int>("check");
    for (std::size_t i = 0; i < sourceChecks().size(); ++i)
        QTest::newRow(sourceChecks()[i].name.c_str()) << static_cast<int>(i);
}

void TestSourceMysql::contract()
{
    QFETCH(int, check);
    MysqlFixture fixture(*m_server);
    const CheckResult result = sourceChecks()[static_cast<std::size_t>(check)].run(fixture);
    if (result.outcome == CheckResult::Outcome::Skipped)
        QSKIP(result.text.c_str());
    QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.substr(0, 4000).c_str());
}

// The bound of a page goes back natively: any key type must page without a lost or doubled row.
void TestSourceMysql::everyKeyTypePages_data()
{
    QTest::addColumn<QString>("type");
    QTest::addColumn<QString>("value");
    QTest::newRow("bigint unsigned") << "BIGINT UNSIGNED" << "18446744073709551615 - %1";
    QTest::newRow("bigint") << "BIGINT" << "9007199254740992 + %1";
    QTest::newRow("decimal") << "DECIMAL(40,10)" << "123456789012345678901234567890.0000000001 + %1 * 0.0000000003";
    QTest::newRow("double") << "DOUBLE" << "0.1 * %1";
    QTest::newRow("float") << "FLOAT" << "0.1 * %1";
    QTest::newRow("date") << "DATE" << "'2024-02-01' + INTERVAL %1 DAY";
    QTest::newRow("datetime") << "DATETIME(6)" << "'2024-02-01 00:00:00.999990' + INTERVAL %1 MICROSECOND";
    QTest::newRow("timestamp") << "TIMESTAMP(6)" << "'2024-02-01 00:00:00.999990' + INTERVAL %1 MICROSECOND";
    QTest::newRow("time") << "TIME(3)" << "ADDTIME('-20:00:00.000', SEC_TO_TIME(%1 * 3600.5))";
    QTest::newRow("year") << "YEAR" << "1990 + %1";
    QTest::newRow("bit") << "BIT(40)" << "1 << %1";
    QTest::newRow("bool") << "TINYINT(1)" << "%1";
    QTest::newRow("enum") << "ENUM('z','b','y','a','x','c','w','d')" << "%1 + 1";
    QTest::newRow("set") << "SET('z','b','y','a','x','c','w','d')" << "%1 * 5";
    QTest::newRow("binary") << "VARBINARY(20)" << "UNHEX(CONCAT('FF00', LPAD(HEX(%1 * 9), 4, '0')))";
    QTest::newRow("char ci") << "CHAR(10) COLLATE utf8mb4_general_ci" << "CHAR(97 + %1 + IF(%1 % 2, -32, 0) USING utf8mb4)";
    QTest::newRow("latin1") << "VARCHAR(10) CHARACTER SET latin1 COLLATE latin1_german2_ci" << "CONVERT(UNHEX(HEX(224 + %1 % 8 + FLOOR(%1 / 8) * 8)) USING latin1)";
}

void TestSourceMysql::everyKeyTypePages()
{
    QFETCH(QString, type);
    QFETCH(QString, value);
    const bool few = type == "TINYINT(1)" || type.startsWith("ENUM");
    const bool folded = type.contains("latin1");                       // letters that are equal there are left out by IGNORE
    const std::string table = "keys_of_" + std::to_string(qHash(type));
    recreate("" + table + " (k " + type.toStdString() + " NOT NULL PRIMARY KEY, n INT)");
    const int rows = few ? (type.startsWith("ENUM") ? 8 : 2) : 20;
    for (int i = 0; i < rows; ++i)
        need(m_server->exec("INSERT " + std::string(folded ? "IGNORE " : "") + "INTO " + table + " VALUES (" + value.arg(i).toStdString() + ", " + std::to_string(i) + ")"));
    auto source = open(m_server->params());
    const auto info = source->describe({m_server->database(), table});
    QVERIFY2(info.has_value(), info ? "" : info.error().detail.c_str());
    const auto plan = planFor(*info);
    const auto whole = readTable(*source, plan);
    if (!folded)
        QCOMPARE(whole.size(), std::size_t(rows));
    QVERIFY(whole.size() > 1);
    QCOMPARE(std::set<std::string>(whole.begin(), whole.end()).size(), whole.size());
    // read on from each row
    auto snapshot = source->snapshot(plan);
    QVERIFY(snapshot.has_value());
    std::vector<std::string> stepped;
    KeyRange range;
    for (;;) {
        auto reader = (*snapshot)->read(range);
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().detail.c_str());
        Batch batch(plan->schema);
        const auto state = (*reader)->read(batch, 1, {});
        QVERIFY2(state.has_value(), state ? "" : state.error().detail.c_str());
        if (batch.rows() == 0)
            break;
        QVERIFY2(stepped.size() < 100, "the same row comes again and again");
        stepped.push_back(keyText(*plan->schema, batch.row(0)));
        std::vector<Cell> key {batch.row(0)[plan->schema->key[0]]};
        // an exact re-read finds the very row (FLOAT keys too)
        auto proof = source->proof(plan, {key});
        QVERIFY(proof.has_value());
        Batch proven(plan->schema);
        QVERIFY((*proof)->read(proven, 10, {}).has_value());
        QCOMPARE(proven.rows(), std::size_t(1));
        QCOMPARE(keyText(*plan->schema, proven.row(0)), stepped.back());
        range.after = batch.upTo;
    }
    QCOMPARE(stepped, whole);
}

void TestSourceMysql::boolColumnRejectsTwo()
{
    recreate("flags (id INT PRIMARY KEY, flag TINYINT(1))");
    need(m_server->exec("INSERT INTO flags VALUES (1, 0), (2, 1)"));
    auto source = open(m_server->params());
    const auto plan = planFor(*source->describe({m_server->database(), "flags"}));
    need(m_server->exec("INSERT INTO flags VALUES (3, 2)"));              // after it was looked at
    std::vector<std::string> rejected;
    const auto rows = readTable(*source, plan, &rejected);
    QCOMPARE(rows, std::vector<std::string>({"1", "2", "3"}));
    QCOMPARE(rejected, std::vector<std::string>({"source.mysql.bool_range"}));
}

void TestSourceMysql::zeroDateInKeyIsParked()
{
    recreate("dated (d DATE NOT NULL PRIMARY KEY, n INT)");
    auto session = m_server->session();
    need(session->exec("INSERT INTO dated VALUES ('0000-00-00', 1), ('2020-01-01', 2), ('2020-00-00', 3)"));
    auto source = open(m_server->params());
    std::vector<std::string> rejected;
    QCOMPARE(readTable(*source, planFor(*source->describe({m_server->database(), "dated"})), &rejected).size(), std::size_t(3));
    QCOMPARE(rejected, std::vector<std::string>({"source.mysql.zero_date", "source.mysql.zero_date"}));
}

void TestSourceMysql::allDatabases()
{
    const std::string second = m_server->database() + "_b";
    need(m_server->exec("CREATE DATABASE IF NOT EXISTS " + second));
    recreate("" + second + ".twin (id INT PRIMARY KEY)");
    recreate("twin (id INT PRIMARY KEY)");
    ConnectionParams params = m_server->params();
    params.url.path.clear();
    auto source = open(params);
    auto found = source->discover("twin", {});
    QVERIFY2(found.has_value(), found ? "" : found.error().detail.c_str());
    QCOMPARE(found->size(), std::size_t(2));
    found = source->discover(second + ".tw*", {});
    QCOMPARE(found->size(), std::size_t(1));
    QCOMPARE(found->front().ref.schema, second);
    for (const TableInfo& table : source->discover("", {}).value_or({}))
        QVERIFY(table.ref.schema != "mysql" && table.ref.schema != "information_schema" && table.ref.schema != "performance_schema" && table.ref.schema != "sys");
    need(m_server->exec("DROP DATABASE " + second));
}

void TestSourceMysql::describesConstraints()
{
    recreate("parent (id SMALLINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, doc JSON, last_update TIMESTAMP NOT NULL "
                        "DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP, KEY (last_update))");
    recreate("child (a INT NOT NULL, b INT NOT NULL, parent_id SMALLINT UNSIGNED, part VARCHAR(300), updated_at DATETIME NOT NULL, "
                        "UNIQUE KEY u2 (a, b), UNIQUE KEY u1 (part(10)), total INT AS (a + b) VIRTUAL, "
                        "CONSTRAINT fk FOREIGN KEY (parent_id) REFERENCES parent (id) ON DELETE SET NULL ON UPDATE CASCADE)");
    need(m_server->exec("CREATE OR REPLACE VIEW seen AS SELECT id, last_update FROM parent"));
    recreate("parted (id INT PRIMARY KEY) PARTITION BY HASH (id) PARTITIONS 2");
    auto source = open(m_server->params());
    const TableInfo parent = *source->describe({m_server->database(), "parent"}), child = *source->describe({m_server->database(), "child"});
    QCOMPARE(parent.primaryKey, std::vector<std::string>({"id"}));
    QCOMPARE(parent.columns[0].nativeType.substr(0, 8), std::string("smallint"));
    QCOMPARE(static_cast<int>(parent.columns[0].bits), 16);
    QCOMPARE(parent.columns[1].type, Type::Json);
    QVERIFY(parent.column("last_update")->autoUpdated);
    QCOMPARE(parent.recommended.cursor, std::string("last_update"));
    QCOMPARE(parent.recommended.reason.id, std::string("cursor_indexed_moves"));
    QVERIFY(parent.rowsEstimate.has_value() && parent.bytes.has_value());
    QCOMPARE(child.key, std::vector<std::string>({"a", "b"}));
    QCOMPARE(child.foreignKeys.size(), std::size_t(1));
    QCOMPARE(child.foreignKeys[0].table, std::string("parent"));
    QCOMPARE(child.foreignKeys[0].onDelete, std::string("set null"));
    QCOMPARE(child.foreignKeys[0].onUpdate, std::string("cascade"));
    QVERIFY(child.column("total")->generated);
    QCOMPARE(source->describe({m_server->database(), "seen"})->kind, TableKind::View);
    QVERIFY(warns(*source->describe({m_server->database(), "seen"}), "view_without_key"));
    QCOMPARE(source->describe({m_server->database(), "parted"})->kind, TableKind::PartitionedTable);
    PlanOptions options;
    options.key = {"id"};
    need(m_server->exec("INSERT INTO parent (doc) VALUES ('{}'), (NULL)"));
    QCOMPARE(readTable(*source, planFor(*source->describe({m_server->database(), "seen"}), options)).size(), std::size_t(2));
}

void TestSourceMysql::serverOptionsDoNotChangeWhatIsRead()
{
    std::string reason;
    MariaDbServer::Options options;
    options.external = false;
    options.arguments = {"--default-time-zone=+05:30", "--sql-mode=ANSI_QUOTES,NO_BACKSLASH_ESCAPES,PAD_CHAR_TO_FULL_LENGTH", "--init-connect=SET sql_select_limit=3",
                         "--character-set-server=latin1"};
    const auto strange = MariaDbServer::start(reason, options);
    if (!strange)
        QSKIP(reason.c_str());
    // init_connect spares accounts with SUPER
    need(strange->exec("CREATE USER plain@'%'"));
    need(strange->exec("GRANT SELECT, PROCESS ON *.* TO plain@'%'"));
    need(strange->exec("CREATE TABLE t (id INT PRIMARY KEY, c CHAR(10), ts TIMESTAMP(6) NOT NULL)"));
    for (int i = 0; i < 10; ++i)
        need(strange->exec("INSERT INTO t VALUES (" + std::to_string(i) + ", 'a\\\\b', '2026-01-01 10:00:00')"));
    ConnectionParams params = strange->params();
    params.url.user = "plain";
    auto source = open(params);
    const auto plan = planFor(*source->describe({strange->database(), "t"}));
    QCOMPARE(readTable(*source, plan).size(), std::size_t(10));
    auto reader = source->proof(plan, {});
    Batch batch(plan->schema);
    QVERIFY((*reader)->read(batch, 100, {}).has_value());
    QCOMPARE(batch.rows(), std::size_t(10));
    std::string text;
    appendJson(text, batch.row(0)[1]);
    appendJson(text, batch.row(0)[2]);
    QCOMPARE(text, std::string("\"a\\\\b\"\"2026-01-01T10:00:00.000000Z\""));
}

void TestSourceMysql::localTimeCursorIsRefused()
{
    std::string reason;
    MariaDbServer::Options options;
    options.external = false;
    options.arguments = {"--default-time-zone=+02:00"};
    const auto berlin = MariaDbServer::start(reason, options);
    if (!berlin)
        QSKIP(reason.c_str());
    need(berlin->exec("CREATE TABLE t (id INT PRIMARY KEY, updated_at DATETIME NOT NULL, moved TIMESTAMP NOT NULL)"));
    auto source = open(berlin->params());
    const TableInfo info = *source->describe({berlin->database(), "t"});
    QCOMPARE(info.recommended.strategy, Strategy::Full);
    QCOMPARE(info.recommended.reason.id, std::string("local_time_cursor"));
    PlanOptions plan;
    plan.strategy = Strategy::Timestamp;
    plan.cursor = "updated_at";
    const auto refused = source->preflight(*planFor(info, plan));
    QVERIFY(!refused.has_value());
    QCOMPARE(refused.error().id, std::string("source.mysql.local_time_cursor"));
    plan.cursor = "moved";
    QVERIFY(source->preflight(*planFor(info, plan)).has_value());
    const TestReport report = source->test({}, {});
    QCOMPARE(stage(report, "clock")->outcome, TestStage::Outcome::Warning);
    // the open-transaction list is in the server's zone, the clock is not: a late commit must still be found
    MysqlFixture fixture(*berlin);
    for (const SourceCheck& check : sourceChecks())
        if (check.name == "late_commit" || check.name == "open_before_mark") {
            const CheckResult result = check.run(fixture);
            QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.c_str());
        }
}

void TestSourceMysql::nonTransactionalTablesMove()
{
    recreate("old_engine (id INT PRIMARY KEY) ENGINE=MyISAM");
    need(m_server->exec("INSERT INTO old_engine VALUES (1), (2), (3)"));
    auto source = open(m_server->params());
    const TableInfo info = *source->describe({m_server->database(), "old_engine"});
    QVERIFY(warns(info, "not_transactional"));
    auto snapshot = source->snapshot(planFor(info));
    QVERIFY(snapshot.has_value());
    need(m_server->exec("INSERT INTO old_engine VALUES (4)"));
    QVERIFY((*snapshot)->moved());
}

// The catalogue is asked a handful of times however many tables there are; asking per table would take many seconds.
// What the server adds to a key, or does not say of it.
void TestSourceMysql::keysOfOddTables()
{
    auto source = open(m_server->params());
    if (m_server->mariadb()) {
        recreate("versioned (id INT, v INT, rs TIMESTAMP(6) GENERATED ALWAYS AS ROW START, re TIMESTAMP(6) GENERATED ALWAYS AS ROW END, PRIMARY KEY (id), "
                 "PERIOD FOR SYSTEM_TIME (rs, re)) WITH SYSTEM VERSIONING");
        need(m_server->exec("INSERT INTO versioned (id, v) VALUES (1, 1), (2, 2)"));
        need(m_server->exec("UPDATE versioned SET v = 5 WHERE id = 1"));
        const auto info = source->describe({m_server->database(), "versioned"});
        QVERIFY(info.has_value());
        QCOMPARE(info->key, std::vector<std::string>({"id"}));
        QCOMPARE(readTable(*source, planFor(*info)), std::vector<std::string>({"1", "2"}));
    }
    if (!m_server->exec("CREATE TABLE archived (id INT AUTO_INCREMENT PRIMARY KEY, v INT) ENGINE=ARCHIVE"))
        return;
    const auto info = source->describe({m_server->database(), "archived"});
    QVERIFY(info.has_value());
    QCOMPARE(info->key, std::vector<std::string>({"id"}));
}

// A load holds no lock on the table for longer than a chunk.
void TestSourceMysql::schemaChangesWaitForAChunk()
{
    recreate("waited (id INT PRIMARY KEY, v INT)");
    std::string rows;
    for (int i = 0; i < 6000; ++i)
        rows += (i ? ",(" : "(") + std::to_string(i) + ",1)";
    need(m_server->exec("INSERT INTO waited VALUES " + rows));
    auto source = open(m_server->params());
    const auto info = source->describe({m_server->database(), "waited"});
    QVERIFY(info.has_value());
    const auto plan = planFor(*info);
    auto snapshot = source->snapshot(plan);
    auto reader = (*snapshot)->read({});
    Batch first(plan->schema);
    QVERIFY((*reader)->read(first, 10, {}).has_value());
    std::atomic<bool> altered = false;
    const std::jthread ddl([&] {
        auto session = m_server->session();
        altered = session && session->exec("SET SESSION lock_wait_timeout = 30") && session->exec("ALTER TABLE waited ADD COLUMN w VARCHAR(10) DEFAULT 'new'");
    });
    auto watcher = m_server->session();
    QTRY_VERIFY_WITH_TIMEOUT(!watcher->rows("SELECT 1 FROM information_schema.processlist WHERE state LIKE 'Waiting for table metadata lock%'")->empty(), 20'000);
    std::optional<Error> error;
    QElapsedTimer timer;
    timer.start();
    for (ReadState state = ReadState::More; state == ReadState::More && !error;) {
        Batch batch(plan->schema);
        auto more = (*reader)->read(batch, 100, {});
        if (!more)
            error = more.error();
        else
            state = *more;
        QVERIFY(timer.elapsed() < 60'000);
    }
    QVERIFY(!error || error->transient());             // some changes leave the old rows readable
    QTRY_VERIFY_WITH_TIMEOUT(altered, 20'000);         // while the snapshot is still there
}

// A backup, LOCK TABLES or an ALTER keeps writers waiting: their rows carry the time at which they began to.
void TestSourceMysql::writersBehindALockAreNotMissed()
{
    recreate("kept (id INT PRIMARY KEY, changed TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6), KEY (changed))");
    auto source = open(m_server->params());
    const auto info = source->describe({m_server->database(), "kept"});
    QVERIFY(info.has_value());
    PlanOptions options;
    options.strategy = Strategy::Timestamp;
    options.cursor = "changed";
    options.overlapMs = 0;
    const auto plan = planFor(*info, options);
    auto position = source->mark(*plan);
    QVERIFY(position.has_value());
    const auto poll = [&] {
        std::vector<std::string> keys;
        auto reader = source->changes(plan, *position);
        for (ReadState state = ReadState::More; reader && state == ReadState::More;) {
            Batch batch(plan->schema);
            const auto more = (*reader)->read(batch, 100, {});
            if (!more)
                return std::vector<std::string> {more.error().detail};
            state = *more;
            for (std::size_t i = 0; i < batch.rows(); ++i)
                keys.push_back(keyText(*plan->schema, batch.row(i)));
            position = batch.upTo;
        }
        return keys;
    };
    std::jthread writer;                               // outlives the lock, whatever fails
    auto locker = m_server->session(), watcher = m_server->session();
    need(locker->exec("LOCK TABLES kept READ"));
    writer = std::jthread([&] { (void)m_server->exec("INSERT INTO kept (id) VALUES (7)"); });
    QTRY_VERIFY_WITH_TIMEOUT(!watcher->rows("SELECT 1 FROM information_schema.processlist WHERE info LIKE 'INSERT INTO kept%' AND time >= 4")->empty(), 30'000);
    QCOMPARE(poll(), std::vector<std::string>());
    need(locker->exec("UNLOCK TABLES"));
    writer.join();
    QCOMPARE(poll(), std::vector<std::string>({"7"}));
}

void TestSourceMysql::thousandsOfTables()
{
    const std::string many = m_server->database() + "_many";
    auto session = m_server->session();
    need(session->exec("CREATE DATABASE " + many));
    for (int i = 0; i < 400; ++i)
        need(session->exec("CREATE TABLE " + many + ".t" + std::to_string(i) + " (id INT PRIMARY KEY, updated_at TIMESTAMP NOT NULL) ENGINE=MyISAM"));
    ConnectionParams params = m_server->params();
    params.url.path = many;
    auto source = open(params);
    QVERIFY(source->server().has_value());
    const auto questions = [&] { return std::stol((*session->rows("SHOW GLOBAL STATUS LIKE 'Questions'"))[0][1].value()); };
    const long before = questions();
    QCOMPARE(source->discover("", {})->size(), std::size_t(400));
    QVERIFY(questions() - before < 15);
    need(session->exec("DROP DATABASE " + many));
}

QTEST_GUILESS_MAIN(TestSourceMysql)
#include "tst_source_mysql.moc"
