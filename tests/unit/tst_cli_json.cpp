#include "app/cli/exitcode.h"
#include "app/cli/json.h"
#include <QtTest>

using namespace millrace;

static QString q(const std::string& text) { return QString::fromStdString(text); }
static constexpr std::int64_t t0 = 1'795'232'400'000;      // 2026-11-21T03:40:00Z

class TestCliJson : public QObject {
    Q_OBJECT
private slots:
    void runAsTheContractSays();
    void everyTableThatFailedSaysWhy();
    void statusAsTheContractSays();
    void verifyAsTheContractSays();
    void discoverAsTheContractSays();
    void worstOfTwo();
};

static RunReport filmRun()
{
    RunReport report;
    report.id = 4;
    report.sync = "sakila";
    report.syncType = "full";
    report.outcome = Outcome::Success;
    report.startMs = t0;
    report.endMs = t0 + 1900;
    report.trigger = "cli";
    TableReport film;
    film.table = "film";
    film.outcome = Outcome::Success;
    film.syncType = "full";
    film.strategy = Strategy::Timestamp;
    film.read = film.written = 1000;
    film.bytes = 371234;
    film.startMs = t0;
    film.endMs = t0 + 200;
    film.position = "2006-02-15";
    report.tables = {film};
    return report;
}

void TestCliJson::runAsTheContractSays()
{
    QCOMPARE(q(cli::runJson(filmRun()).json()), QString(
        R"({"sync":"sakila","sync_type":"full","start_time":"2026-11-21T03:40:00.000Z","end_time":"2026-11-21T03:40:01.900Z","duration_seconds":1.9,)"
        R"("total_records_synced":1000,"successful_tables":1,"failed_tables":0,"status":"success",)"
        R"("tables":{"film":{"status":"success","sync_type":"full","strategy":"timestamp","records_synced":1000,"read":1000,)"
        R"("written":1000,"deleted":0,"rejected":0,"superseded":0,"filtered":0,"bytes":371234,"duration_seconds":0.2,)"
        R"("rows_per_second":5000,"last_sync_time":"2026-11-21T03:40:00.200Z","position":"2006-02-15","coerced":0,"rechecked":0}},"partial_tables":0,"run":4,"trigger":"cli"})"));
    auto empty = filmRun();
    empty.tables[0].read = empty.tables[0].written = 0;
    QCOMPARE(q(cli::runJson(empty)["tables"]["film"]["notes"].items().at(0)["id"].scalar()), QString("read_nothing"));
}

void TestCliJson::everyTableThatFailedSaysWhy()
{
    auto report = filmRun();
    report.outcome = Outcome::Partial;
    report.tables.resize(5, report.tables[0]);
    const char* names[]{"good", "parked", "failed", "unknown", "stopped"};
    const Outcome outcomes[]{Outcome::Success, Outcome::Success, Outcome::Failed, Outcome::Unknown, Outcome::Cancelled};
    for (std::size_t i = 0; i < 5; ++i) {
        report.tables[i].table = names[i];
        report.tables[i].outcome = outcomes[i];
    }
    report.tables[1].rejected = 2;
    report.tables[2].error = Error{Fault::Schema, "source.mysql.table_altered", "words", "fix", {}};
    const Node node = cli::runJson(report);
    QCOMPARE(node["successful_tables"].integer(), 1);
    QCOMPARE(node["failed_tables"].integer(), 2);
    QCOMPARE(node["partial_tables"].integer(), 2);
    QCOMPARE(q(node["status"].scalar()), QString("partial"));
    QVERIFY(!node["tables"]["good"].find("error"));
    QCOMPARE(q(node["tables"]["parked"]["status"].scalar()), QString("partial"));
    QCOMPARE(q(node["tables"]["failed"]["error"].json()), QString(R"({"id":"source.mysql.table_altered","detail":"words","fix":"fix"})"));
    QVERIFY(node["tables"]["failed"]["last_sync_time"].isNull());
    for (const char* name : {"parked", "unknown", "stopped"})
        QVERIFY2(!node["tables"][name]["error"]["id"].string().empty(), name);
    report.outcome = Outcome::Success;                     // never green over a table that is not
    QCOMPARE(q(cli::runJson(report)["status"].scalar()), QString("partial"));
}

void TestCliJson::statusAsTheContractSays()
{
    EngineSnapshot snapshot;
    SyncView sync;
    sync.name = "sakila";
    sync.lagMs = 0;
    sync.nextRunMs = t0;
    sync.every = "every 5m";
    sync.source = "shop";
    sync.target = "store";
    TableView film;
    film.table = film.container = "film";
    film.rows = 1000;
    film.lastSyncMs = t0;
    film.verified = "identical";
    film.verifiedMs = t0;
    film.strategy = Strategy::Timestamp;
    film.lagKnown = true;
    film.lagMs = 0;
    sync.tables = {film};
    snapshot.syncs = {sync};
    QCOMPARE(q(cli::statusJson(snapshot, {}).json()), QString(
        R"({"syncs":{"sakila":{"state":"idle","lag_ms":0,"next_run_time":"2026-11-21T03:40:00.000Z","tables":{"film":{"state":"idle","rows":1000,)"
        R"("failed":0,"last_sync_time":"2026-11-21T03:40:00.000Z","verified":{"result":"identical","at":"2026-11-21T03:40:00.000Z"},"strategy":"timestamp","sync_type":null,"lag_ms":0,"container":"film","next_run_time":null}},)"
        R"("paused":false,"source":"shop","target":"store","schedule":"every 5m"}}})"));
    snapshot.syncs[0].state = State::NeedsResync;
    snapshot.syncs[0].lagMs = -1;
    snapshot.syncs[0].tables[0].verified.clear();
    const Node node = cli::statusJson(snapshot, "sakila")["syncs"]["sakila"];
    QCOMPARE(q(node["state"].scalar()), QString("needs_resync"));
    QVERIFY(node["lag_ms"].isNull() && node["tables"]["film"]["verified"].isNull());
    QVERIFY(cli::statusJson(snapshot, "other")["syncs"].fields().empty());
}

void TestCliJson::verifyAsTheContractSays()
{
    VerifyReport report;
    report.sync = "sakila";
    report.verdict = Verdict::Identical;
    TableVerdict film;
    film.table = "film";
    film.verdict = Verdict::Identical;
    film.sourceRows = film.targetRows = 1000;
    film.fromMs = t0;
    film.toMs = t0 + 1000;
    report.tables = {film};
    QCOMPARE(q(cli::verifyJson(report).json()), QString(
        R"({"sync":"sakila","status":"identical","tables":{"film":{"status":"identical","source_rows":1000,"target_rows":1000,)"
        R"("missing":0,"extra":0,"different":0,"parked":0,"foreign":0,"checked":"full","as_of":["2026-11-21T03:40:00.000Z","2026-11-21T03:40:01.000Z"]}}})"));
}

void TestCliJson::discoverAsTheContractSays()
{
    Discovery discovery;
    discovery.connection = "shop";
    discovery.server = {"mariadb", "10.11.19"};
    TableInfo film;
    film.ref = {"sakila", "film"};
    film.rowsEstimate = 1000;
    film.bytes = 212992;
    film.primaryKey = film.key = {"film_id"};
    film.foreignKeys = {{{"language_id"}, "language", {"language_id"}, "RESTRICT", "CASCADE"}};
    ColumnInfo id;
    id.name = "film_id";
    id.nativeType = "smallint unsigned";
    id.type = Type::Uint;
    id.nullable = false;
    film.columns = {id};
    film.recommended = {Strategy::Timestamp, "last_update", {"cursor", "…", {}}};
    film.warnings = {{"deletes_invisible", "…", {}}};
    discovery.tables = {film};
    QCOMPARE(q(cli::discoverJson(discovery).json()), q(
        R"({"connection":"shop","engine":"mariadb","version":"10.11.19","tables":[{"schema":"sakila","name":"film","kind":"table",)"
        R"("rows_estimate":1000,"bytes":212992,"primary_key":["film_id"],"foreign_keys":[{"columns":["language_id"],"table":"language",)"
        R"("references":["language_id"],"on_delete":"restrict"}],"columns":[{"name":"film_id","native_type":"smallint unsigned","type":"uint",)"
        R"("nullable":false}],"recommended":{"strategy":"timestamp","cursor":"last_update","reason":"…"},"warnings":[{"id":"deletes_invisible",)"
        R"("text":"…"}],"key":["film_id"]}]})"));
}

void TestCliJson::worstOfTwo()
{
    QCOMPARE(cli::worse(0, 5), 5);
    QCOMPARE(cli::worse(5, 1), 1);
    QCOMPARE(cli::worse(6, 5), 6);
    QCOMPARE(cli::worse(4, 6), 4);
    QCOMPARE(cli::worse(130, 1), 130);
    QCOMPARE(cli::worse(1, 0), 1);
}

QTEST_APPLESS_MAIN(TestCliJson)
#include "tst_cli_json.moc"
