#include "app/cli/console.h"
#include "tests/support/fakeengine.h"
#include "tests/support/fakes.h"
#include <QTemporaryDir>
#include <QtTest>
#include <csignal>
#include <sstream>

using namespace millrace;
using test::FakeEngine;
using test::FakeWorld;

static QString q(const std::string& text) { return QString::fromStdString(text); }

namespace {

// Lets the command have an engine that outlives it, so that the test can look at what was asked of it.
class FakeRuntime final : public Runtime {
public:
    FakeRuntime(FakeEngine& engine, std::string home) : m_engine(engine), m_home(std::move(home)) {}
    Engine& engine() override { return m_engine; }
    const std::string& home() const override { return m_home; }
    std::vector<LogEntry> logSince(std::uint64_t, std::uint64_t&) const override { return {}; }
private:
    FakeEngine& m_engine;
    std::string m_home;
};

struct Said { int code = -1; QString out, err; Node json; };

} // namespace

class TestCli : public QObject {
    Q_OBJECT
private slots:
    void init();
    void usage_data();
    void usage();
    void optionsStandAnywhere();
    void looksOrActs_data();
    void looksOrActs();
    void homeInUse();
    void addsConnections();
    void passwordInUrlIsTakenOut();
    void editKeepsWhatIsNotGiven();
    void refusesConnections_data();
    void refusesConnections();
    void testsConnections();
    void errorsArePrintedOnceForEach();
    void runs();
    void runExitCodes_data();
    void runExitCodes();
    void interrupted();
    void follows();
    void events();
    void appliesFiles();
    void runsFiles();
    void exportsFiles();
    void importsEnv();
    void proofs();
    void parkedRows();
    void confirmations();
    void serves();
    void notInThisVersion_data();
    void notInThisVersion();
    void progressOnlyOnATerminal();
    void namesCannotTouchTheTerminal();
    void completionAndManual();
    void callsComeFromTheEnginesOwnThreads();
private:
    Said run(const QStringList& arguments, const char* input = "");
    std::string file(const char* name, const QByteArray& text);

    std::unique_ptr<FakeEngine> m_engine;
    std::unique_ptr<QTemporaryDir> m_folder;
    std::vector<RuntimeOptions> m_opened;
    std::optional<Error> m_openError;
    void signalDuringRun(int number) { m_waited = m_engine->count("wait"); m_looks = 3; m_later = number; m_signal = 0; }
    std::size_t m_waited = 0;
    int m_signal = 0, m_later = 0, m_looks = 0;
    bool m_terminal = false, m_answers = false;
};

void TestCli::init()
{
    m_engine = std::make_unique<FakeEngine>(test::shopWorld());
    m_folder = std::make_unique<QTemporaryDir>();
    m_opened.clear();
    m_openError.reset();
    m_signal = m_later = m_looks = 0;
    m_terminal = m_answers = false;
}

Said TestCli::run(const QStringList& arguments, const char* input)
{
    std::ostringstream out, err;
    std::istringstream in(input);
    const test::FakeClock clock;                           // waiting costs nothing
    cli::Console console{out, err, in, clock, [this](const RuntimeOptions& options) -> Result<std::unique_ptr<Runtime>> {
        m_opened.push_back(options);
        if (m_openError) return *m_openError;
        return std::unique_ptr<Runtime>(std::make_unique<FakeRuntime>(*m_engine, m_folder->path().toStdString()));
    }};
    // a signal that comes while the run is waited for, after a few looks at it
    console.signal = [this] {
        if (m_looks > 0 && m_engine->count("wait") > m_waited && --m_looks == 0) m_signal = m_later;
        return m_signal;
    };
    console.terminal = m_terminal;
    console.answers = m_answers;
    std::vector<std::string> words;
    for (const auto& word : arguments)
        words.push_back(word.toStdString());
    Said said;
    said.code = cli::runCli(words, console);
    said.out = q(out.str());
    said.err = q(err.str());
    if (auto node = Node::fromJson(out.str())) said.json = *node;
    return said;
}

std::string TestCli::file(const char* name, const QByteArray& text)
{
    QFile f(m_folder->filePath(name));
    if (f.open(QIODevice::WriteOnly)) f.write(text);
    return f.fileName().toStdString();
}

void TestCli::usage_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<int>("code");
    QTest::addColumn<QString>("words");
    const auto row = [](const char* arguments, int code, const char* words) { QTest::newRow(arguments) << QString(arguments).split(' ', Qt::SkipEmptyParts) << code << words; };
    row("", 2, "connections");
    row("--help", 0, "");
    row("sync run --help", 0, "");
    row("--version", 0, "");
    row("synk", 2, "no command 'synk' (did you mean 'sync'?)");
    row("sync pln shop", 2, "no command 'pln' (did you mean 'plan'?)");
    row("sync", 2, "");
    row("sync run", 2, "NAME");
    row("sync run shop --ful", 2, "no option --ful here (did you mean '--full'?)");
    row("sync run shop --full --incremental", 2, "excludes");
    row("sync status --json --jsonl", 2, "excludes");
    row("failures shop lst", 2, "lst");
    row("--home x synk", 2, "did you mean 'sync'");
    row("sync follow shop --for soon", 2, "duration");
    row("verify shop --dry-run", 2, "--repair");
    row("connections add a null: --password-env X --password-stdin", 2, "excludes");
    row("demo --rows 5", 2, "5");
}

void TestCli::usage()
{
    QFETCH(QStringList, arguments);
    QFETCH(QString, words);
    const auto said = run(arguments);
    QTEST(said.code, "code");
    QVERIFY2(said.err.contains(words), qPrintable(said.err));
    QVERIFY(said.code != 0 || !said.out.isEmpty());
    QVERIFY(m_engine->calls().empty());
}

void TestCli::optionsStandAnywhere()
{
    for (const auto& arguments : {QStringList{"--json", "--home", "/h", "sync", "status"}, QStringList{"sync", "--json", "status", "--home", "/h"}, QStringList{"sync", "status", "--home=/h", "--json"}}) {
        const auto said = run(arguments);
        QCOMPARE(said.code, 0);
        QVERIFY(said.json["syncs"].isMap());
        QCOMPARE(q(m_opened.back().home), QString("/h"));
    }
}

void TestCli::looksOrActs_data()
{
    QTest::addColumn<QString>("arguments");
    QTest::addColumn<bool>("acts");
    for (const char* look : {"connections list", "connections show shop-db", "discover shop-db", "sync list", "sync status", "sync plan shop", "sync history shop", "export", "failures shop list"})
        QTest::newRow(look) << look << false;
    for (const char* act : {"sync run shop", "sync pause shop", "sync resume shop", "sync reset shop", "sync remove shop", "verify shop", "connections add n null:", "connections remove shop-db", "failures shop retry"})
        QTest::newRow(act) << act << true;
}

void TestCli::looksOrActs()
{
    QFETCH(QString, arguments);
    QCOMPARE(run(arguments.split(' ')).code, 0);
    QCOMPARE(m_opened.size(), std::size_t(1));
    QTEST(m_opened[0].access == RuntimeOptions::Access::Act, "acts");
    QVERIFY(!m_opened[0].preferKeychain);
}

void TestCli::homeInUse()
{
    m_openError = Error{Fault::Config, "home.in_use", "The home is in use by millrace (process 42).", "Close it.", {}};
    const auto said = run({"sync", "run", "shop", "--json"});
    QCOMPARE(said.code, 7);
    QCOMPARE(said.out.trimmed(), QString(R"({"error":{"id":"home.in_use","detail":"The home is in use by millrace (process 42).","fix":"Close it."}})"));
    QVERIFY(said.err.contains("process 42") && said.err.contains("Close it."));
}

void TestCli::addsConnections()
{
    auto said = run({"connections", "add", "new", "mysql://reader@db.example.com:3306/sakila", "--password-env", "PW", "--environment", "prod", "--json"});
    QCOMPARE(said.code, 0);
    QCOMPARE(said.out.trimmed(), QString("{\"connection\":\"new\",\"url\":\"mysql://reader@db.example.com:3306/sakila\",\"status\":\"added\"}"));
    auto def = m_engine->world().connections.back();
    QVERIFY((def.secrets.at("password") == SecretRef{SecretRef::Kind::Env, "PW"}));
    QCOMPARE(q(def.environment), QString("prod"));

    said = run({"connections", "add", "piped", "mysql://reader@h/d", "--password-stdin"}, "s3cret\r\nmore");
    QCOMPARE(said.code, 0);
    QCOMPARE(q(std::string(m_engine->world().secrets.at("piped/password").reveal())), QString("s3cret"));
    QCOMPARE(run({"connections", "add", "none", "mysql://reader@h/d", "--password-stdin"}).code, 2);

    QCOMPARE(run({"connections", "add", "local", "sqlite:data/a.db"}).code, 0);
    QCOMPARE(q(m_engine->world().connections.back().baseDir), QDir::currentPath());

    said = run({"connections", "show", "shop-db", "--json"});
    QCOMPARE(said.out.trimmed(), QString("{\"name\":\"shop-db\",\"url\":\"mysql://reader@127.0.0.1:3306/shop\",\"password\":{\"env\":\"SHOP_PASSWORD\"},\"environment\":\"dev\"}"));
    QVERIFY(run({"connections", "list"}).err.contains("password from $SHOP_PASSWORD"));
}

void TestCli::passwordInUrlIsTakenOut()
{
    const auto said = run({"connections", "add", "new", "mysql://u:hunter2@h/d", "--json"});
    QCOMPARE(said.code, 0);
    QVERIFY(said.err.contains("history"));
    QVERIFY(!(said.out + said.err).contains("hunter2"));
    QCOMPARE(q(m_engine->world().connections.back().url), QString("mysql://u@h/d"));
    QCOMPARE(q(std::string(m_engine->world().secrets.at("new/password").reveal())), QString("hunter2"));
    QVERIFY(!run({"connections", "add", "quiet", "mysql://u@h/d"}).err.contains("history"));
}

void TestCli::editKeepsWhatIsNotGiven()
{
    QCOMPARE(run({"connections", "edit", "shop-db", "mysql://reader@other:3306/shop"}).code, 0);
    auto def = m_engine->world().connections.at(0);
    QCOMPARE(q(def.url), QString("mysql://reader@other:3306/shop"));
    QCOMPARE(q(def.environment), QString("dev"));
    QCOMPARE(q(def.secrets.at("password").name), QString("SHOP_PASSWORD"));
    QCOMPARE(run({"connections", "edit", "shop-db", "--environment", "stage", "--password-env", "OTHER"}).code, 0);
    def = m_engine->world().connections.at(0);
    QCOMPARE(q(def.url), QString("mysql://reader@other:3306/shop"));
    QCOMPARE(q(def.environment), QString("stage"));
    QCOMPARE(q(def.secrets.at("password").name), QString("OTHER"));
}

void TestCli::refusesConnections_data()
{
    QTest::addColumn<QStringList>("arguments");
    QTest::addColumn<QString>("id");
    QTest::addColumn<QString>("words");
    QTest::newRow("exists") << QStringList{"add", "shop-db", "null:"} << "config.connection_exists" << "already";
    QTest::newRow("missing") << QStringList{"edit", "shop-bd", "null:"} << "config.no_connection" << "did you mean 'shop-db'";
    QTest::newRow("scheme") << QStringList{"add", "x", "kafka://h"} << "config.not_available_yet" << "kafka";
    QTest::newRow("option") << QStringList{"add", "x", "mysql://h/d?tsl=require"} << "config.url_option" << "did you mean 'tls'";
    QTest::newRow("environment") << QStringList{"add", "x", "null:", "--environment", "production"} << "config.unknown_word" << "prod";
    QTest::newRow("name") << QStringList{"add", "a/b", "null:"} << "config.name" << "a/b";
    QTest::newRow("show") << QStringList{"show", "nothing-like-it"} << "config.no_connection" << "There are: shop-db";
}

void TestCli::refusesConnections()
{
    QFETCH(QStringList, arguments);
    QFETCH(QString, words);
    const auto said = run(QStringList{"--json", "connections"} + arguments);
    QCOMPARE(said.code, 3);
    QTEST(q(said.json["error"]["id"].scalar()), "id");
    QVERIFY2(said.err.contains(words), qPrintable(said.err));
    QCOMPARE(m_engine->count("saveConnection"), std::size_t(0));
}

void TestCli::testsConnections()
{
    m_engine->edit([](FakeWorld& world) {
        TestReport& report = world.tests["shop-db"];
        report.stages = {{"tcp", "TCP", TestStage::Outcome::Passed, "3 ms", "", 3.04}, {"login", "Login", TestStage::Outcome::Failed, "refused", "GRANT SELECT", 1}};
        report.error = Error{Fault::Auth, "source.mysql.login", "Access denied for user 'reader'.", "Check the password.", {}};
    });
    const auto said = run({"connections", "test", "shop-db", "--json"});
    QCOMPARE(said.code, 4);
    QCOMPARE(said.out.trimmed(), QString(R"({"connection":"shop-db","passed":false,"engine":null,"version":null,"stages":[{"id":"tcp","label":"TCP","outcome":"passed","found":"3 ms","fix":null,"ms":3},)"
        R"({"id":"login","label":"Login","outcome":"failed","found":"refused","fix":"GRANT SELECT","ms":1}],"error":{"id":"source.mysql.login","detail":"Access denied for user 'reader'.","fix":"Check the password."}})"));
    QVERIFY(said.err.contains("GRANT SELECT"));
}

void TestCli::errorsArePrintedOnceForEach()
{
    m_engine->edit([](FakeWorld& world) { world.errors["discover"] = {Fault::Network, "source.mysql.unreachable", "db:3306: Connection refused.", "Start the server.", {}}; });
    auto said = run({"discover", "shop-db"});
    QCOMPARE(said.code, 4);
    QCOMPARE(said.out, QString());
    QCOMPARE(said.err, QString("error: db:3306: Connection refused. [source.mysql.unreachable]\n  what to do: Start the server.\n"));
    said = run({"discover", "shop-db", "--json", "--quiet"});
    QCOMPARE(said.out.count('\n'), 1);
    QCOMPARE(q(said.json["error"]["fix"].scalar()), QString("Start the server."));
}

void TestCli::runs()
{
    QCOMPARE(run({"sync", "run", "shop", "--full", "--tables", "orders, cust*", "--where", "id > 5", "--accept-deletes"}).code, 0);
    QCOMPARE(q(m_engine->lastArgument("start")), QString("shop full tables=orders,cust* where=id > 5 accept-deletes"));
    QCOMPARE(run({"sync", "run", "shop", "--incremental", "--quiet"}).err, QString());
    QCOMPARE(q(m_engine->lastArgument("start")), QString("shop incremental"));
    const auto said = run({"sync", "run", "shp"});
    QCOMPARE(said.code, 3);
    QVERIFY(said.err.contains("did you mean 'shop'"));
}

void TestCli::runExitCodes_data()
{
    QTest::addColumn<int>("outcome");
    QTest::addColumn<int>("rejected");
    QTest::addColumn<int>("fault");             // -1: no error
    QTest::addColumn<QString>("id");
    QTest::addColumn<int>("code");
    const auto row = [](const char* name, Outcome outcome, int rejected, int fault, const char* id, int code) { QTest::newRow(name) << int(outcome) << rejected << fault << id << code; };
    row("success", Outcome::Success, 0, -1, "", 0);
    row("parked rows", Outcome::Success, 2, -1, "", 5);
    row("partial", Outcome::Partial, 0, -1, "", 5);
    row("failed", Outcome::Failed, 0, -1, "", 1);
    row("unknown", Outcome::Unknown, 0, -1, "", 1);
    row("stopped by somebody", Outcome::Cancelled, 0, -1, "", 5);
    row("configuration", Outcome::Failed, 0, int(Fault::Config), "x", 3);
    row("login", Outcome::Failed, 0, int(Fault::Auth), "x", 4);
    row("network", Outcome::Failed, 0, int(Fault::Network), "x", 4);
    row("storage", Outcome::Failed, 0, int(Fault::Storage), "x", 1);
    row("fenced", Outcome::Failed, 0, int(Fault::Fenced), "x", 7);
    row("running", Outcome::Failed, 0, int(Fault::Config), "engine.already_running", 7);
}

void TestCli::runExitCodes()
{
    QFETCH(int, outcome);
    QFETCH(int, rejected);
    QFETCH(int, fault);
    QFETCH(QString, id);
    m_engine->edit([&](FakeWorld& world) {
        RunReport& report = world.outcomes["shop"];
        report.outcome = Outcome(outcome);
        TableReport table;
        table.table = "orders";
        table.outcome = Outcome::Success;
        table.rejected = std::uint64_t(rejected);
        report.tables = {table};
        if (fault >= 0) report.error = Error{Fault(fault), id.toStdString(), "words", "", {}};
    });
    const auto said = run({"sync", "run", "shop", "--json"});
    QTEST(said.code, "code");
    QCOMPARE(said.out.count('\n'), 1);
    QCOMPARE(q(said.json["sync"].string()), QString("shop"));
}

void TestCli::interrupted()
{
    m_engine->edit([](FakeWorld& world) { world.holdRuns = true; });
    signalDuringRun(SIGINT);
    const auto said = run({"sync", "run", "shop", "--json"});
    QCOMPARE(said.code, 130);
    QCOMPARE(m_engine->count("stop"), std::size_t(1));
    QCOMPARE(q(said.json["status"].scalar()), QString("partial"));
    QCOMPARE(said.err.count("Stopping after the batch in flight."), 1);
}

void TestCli::follows()
{
    m_engine->edit([](FakeWorld& world) {
        TableReport table;
        table.table = "orders";
        table.outcome = Outcome::Success;
        table.read = table.written = 3;
        world.outcomes["shop"].outcome = Outcome::Success;
        world.outcomes["shop"].startMs = 1;
        world.outcomes["shop"].tables = {table};
    });
    auto said = run({"sync", "follow", "shop", "--for", "0s", "--json"});
    QCOMPARE(said.code, 0);
    QCOMPARE(said.json["polls"].integer(), 1);
    said = run({"sync", "follow", "shop", "--for", "5s", "--json"});
    QCOMPARE(said.code, 0);
    const auto polls = said.json["polls"].integer();
    QVERIFY2(polls >= 4, qPrintable(QString::number(polls)));
    QCOMPARE(said.json["total_records_synced"].integer(), polls * 3);
    m_engine->edit([](FakeWorld& world) { world.errors["start"] = {Fault::Config, "engine.already_running", "shop runs already.", "Wait.", {}}; });
    QCOMPARE(run({"sync", "follow", "shop", "--for", "0s"}).code, 7);
}

void TestCli::events()
{
    const auto said = run({"sync", "run", "shop", "--jsonl"});
    QCOMPARE(said.code, 0);
    QStringList names;
    for (const auto& line : said.out.split('\n', Qt::SkipEmptyParts)) {
        const auto node = Node::fromJson(line.toStdString());
        QVERIFY2(node, qPrintable(line));
        QVERIFY(q((*node)["time"].scalar()).endsWith('Z'));
        names << q((*node)["event"].scalar());
    }
    QCOMPARE(names.first(), QString("run_started"));
    QVERIFY(names.contains("run_finished"));
    QCOMPARE(names.last(), QString("result"));
}

static const char* const syncFile = "version: 1\nconnections:\n  a: {url: \"sqlite:a.db\"}\n  b: {url: \"mysql://u@h/d\", password: hunter2}\nsyncs:\n  one: {source: a, target: b}\n  two: {source: a, target: b, every: 5m}\n";

void TestCli::appliesFiles()
{
    const std::string path = file("f.yaml", syncFile);
    auto said = run({"apply", q(path), "--dry-run", "--json"});
    QCOMPARE(said.code, 0);
    QCOMPARE(said.out.trimmed(), QString(R"({"added":["connection a","connection b","sync one","sync two"],"changed":[],"same":[],"notes":[],"dry_run":true})"));
    QCOMPARE(q(m_engine->lastArgument("apply")), QString("dry"));
    QVERIFY(m_opened.back().access == RuntimeOptions::Access::Look);
    said = run({"apply", q(path)});
    QCOMPARE(said.code, 0);
    QVERIFY(said.err.contains("added sync one"));
    const auto world = m_engine->world();
    QCOMPARE(q(std::string(world.secrets.at("b/password").reveal())), QString("hunter2"));
    QCOMPARE(q(world.connections.at(2).baseDir), m_folder->path());

    said = run({"check", q(file("bad.yaml", "syncs:\n  one: {source: a, target: b, evry: 5m}\n")), "--json"});
    QCOMPARE(said.code, 3);
    QCOMPARE(q(said.json["error"]["id"].scalar()), QString("config.unknown_key"));
    QVERIFY(said.err.contains("line 2") && said.err.contains("did you mean 'every'"));
    QCOMPARE(run({"apply", "/nowhere/f.yaml"}).code, 3);

    said = run({"check", q(file("later.yaml", "syncs:\n  one: {source: a, target: b, tables: [{name: f, rebuild: '0 3 * * *'}]}\n")), "--json"});
    QCOMPARE(said.code, 0);
    QVERIFY(q(said.json["notes"].items().at(0)["text"].scalar()).contains("'f: rebuild'"));
}

void TestCli::runsFiles()
{
    m_engine->edit([](FakeWorld& world) { world.outcomes["two"].outcome = Outcome::Partial; });
    const auto said = run({"run", q(file("f.yaml", syncFile)), "--full", "--json"});
    QCOMPARE(said.code, 5);
    QCOMPARE(said.json.fields().size(), std::size_t(1));
    QCOMPARE(q(said.json["syncs"]["one"]["status"].scalar()), QString("success"));
    QCOMPARE(q(said.json["syncs"]["two"]["status"].scalar()), QString("partial"));
    QStringList order;
    for (const auto& call : m_engine->calls())
        order << q(call.name);
    QCOMPARE(order, (QStringList{"apply", "start", "start", "wait", "wait"}));       // side by side, not one after the other
    QCOMPARE(q(m_engine->lastArgument("start")), QString("two full"));
}

void TestCli::exportsFiles()
{
    auto said = run({"export"});
    QCOMPARE(said.code, 0);
    QVERIFY(said.out.startsWith("version: 1\nconnections:\n  shop-db:\n    url: \"mysql://reader@127.0.0.1:3306/shop\"\n    password: {env: SHOP_PASSWORD}\n"));
    const std::string path = m_folder->filePath("out.yaml").toStdString();
    QCOMPARE(run({"export", q(path)}).code, 0);
    QFile written(q(path));
    QVERIFY(written.open(QIODevice::ReadOnly));
    QCOMPARE(QString(written.readAll()), said.out);
    said = run({"apply", q(path), "--dry-run", "--json"});                            // what was exported is what is there
    QCOMPARE(said.json["same"].items().size(), std::size_t(4));
    QCOMPARE(run({"export", "/nowhere/out.yaml"}).code, 1);
    QVERIFY(run({"export", "--json"}).json["syncs"]["shop"].isMap());
}

void TestCli::importsEnv()
{
    const std::string path = file(".env", "MYSQL_HOST=h\nMYSQL_PASSWORD=hunter2\nMYSQL_DATABSE=x\nMONGODB_DATABASE=d\n");
    const auto said = run({"import-env", q(path)});
    QCOMPARE(said.code, 0);
    QVERIFY(said.err.contains("did you mean 'MYSQL_DATABASE'"));
    QVERIFY(!(said.out + said.err).contains("hunter2"));
    QCOMPARE(q(m_engine->world().syncs.back().name), QString("default"));
    QCOMPARE(q(std::string(m_engine->world().secrets.at("source/password").reveal())), QString("hunter2"));
    QCOMPARE(run({"import-env", q(file("bad", "x\n"))}).code, 3);
}

void TestCli::proofs()
{
    auto said = run({"verify", "shop", "--json"});
    QCOMPARE(said.code, 0);
    QCOMPARE(said.out.trimmed(), QString(R"({"sync":"shop","status":"identical","tables":{}})"));
    m_engine->edit([](FakeWorld& world) {
        VerifyReport& report = world.verdicts["shop"];
        report.sync = "shop";
        report.verdict = Verdict::Different;
        TableVerdict table;
        table.table = "orders";
        table.verdict = Verdict::Different;
        table.sourceRows = 10;
        table.targetRows = 9;
        table.missing = 1;
        table.samples = {{RowDifference::Kind::Missing, "7", {}, "a", ""}};
        report.tables = {table};
    });
    said = run({"verify", "shop", "--table", "orders,customers"});
    QCOMPARE(said.code, 6);
    QVERIFY(said.err.contains("orders 7: missing in the target"));
    QCOMPARE(q(m_engine->lastArgument("verify")), QString("shop orders,customers"));
    m_engine->edit([](FakeWorld& world) { world.verdicts["shop"].verdict = Verdict::Unknown; });
    QCOMPARE(run({"verify", "shop"}).code, 1);
}

void TestCli::parkedRows()
{
    auto said = run({"failures", "shop", "list", "--json", "--key", "7"});
    QCOMPARE(said.code, 0);
    QCOMPARE(said.json["failures"].items().size(), std::size_t(1));
    QCOMPARE(q(said.json["failures"].items()[0]["cause"].scalar()), QString("target.mongodb.too_large"));
    said = run({"failures", "shop", "export"});
    QCOMPARE(said.json["failures"].items().size(), std::size_t(2));
    QCOMPARE(run({"failures", "shop", "export", "--jsonl"}).out.count('\n'), 2);
    QCOMPARE(run({"failures", "shop", "discard", "--key", "7", "--json"}).json["discarded"].integer(), 1);
    said = run({"failures", "shop", "retry", "--json"});
    QCOMPARE(said.code, 0);
    QCOMPARE(said.json["total_records_synced"].integer(), 1);
    QVERIFY(run({"failures", "shop", "list"}).err.contains("no parked rows"));
}

void TestCli::confirmations()
{
    QCOMPARE(run({"sync", "remove", "archive", "--drop-target"}).code, 2);            // nobody can be asked
    QCOMPARE(m_engine->count("removeSync"), std::size_t(0));
    m_answers = true;
    QCOMPARE(run({"sync", "remove", "archive"}, "n\n").code, 2);
    QCOMPARE(run({"sync", "remove", "archive"}, "").code, 2);
    QCOMPARE(m_engine->count("removeSync"), std::size_t(0));
    QCOMPARE(run({"sync", "remove", "archive", "--drop-target"}, "y\n").code, 0);
    QCOMPARE(q(m_engine->lastArgument("removeSync")), QString("archive drop"));
    QCOMPARE(run({"sync", "reset", "shop", "--table", "orders", "--yes"}).code, 0);
    QCOMPARE(q(m_engine->lastArgument("reset")), QString("shop orders"));
}

void TestCli::serves()
{
    m_signal = SIGTERM;
    const auto said = run({"serve"});
    QCOMPARE(said.code, 0);
    QCOMPARE(q(m_engine->lastArgument("setScheduling")), QString("off"));
    QCOMPARE(m_engine->count("setScheduling"), std::size_t(2));
    m_signal = SIGINT;
    QCOMPARE(run({"serve"}).code, 130);
}

void TestCli::notInThisVersion_data()
{
    QTest::addColumn<QString>("arguments");
    for (const char* arguments : {"rebuild shop --table x --promote", "search store film --query {}", "verify shop --repair", "failures shop edit --key 7"})
        QTest::newRow(arguments) << arguments;
}

void TestCli::notInThisVersion()
{
    QFETCH(QString, arguments);
    const auto said = run(arguments.split(' ') + QStringList{"--json"});
    QCOMPARE(said.code, 2);
    QVERIFY2(said.err.contains("not available in this version"), qPrintable(said.err));
    QVERIFY(m_engine->calls().empty());
}

void TestCli::progressOnlyOnATerminal()
{
    m_engine->edit([](FakeWorld& world) { world.holdRuns = true; });
    const auto watch = [&](bool terminal) {
        m_terminal = terminal;
        signalDuringRun(SIGTERM);
        return run({"sync", "run", "shop", "--no-color"}).err;
    };
    const QString shown = watch(true);
    QVERIFY2(shown.contains("\r\x1b[K[###################.....] 80 %  shop / customers and 2 more"), qPrintable(shown));
    QVERIFY(shown.contains("\r\x1b[KStopping"));             // never behind the bar
    QVERIFY(!shown.contains("\x1b[3"));
    QVERIFY(!watch(false).contains('\r'));
}

void TestCli::namesCannotTouchTheTerminal()
{
    m_engine->edit([](FakeWorld& world) { world.errors["discover"] = {Fault::Data, "x", "a\x1b[2Jb\nc\x07", "", {}}; });
    const auto said = run({"discover", "shop-db"});
    QCOMPARE(said.err, QString("error: a [2Jb\n  c  [x]\n"));
}

void TestCli::completionAndManual()
{
    auto said = run({"completion", "bash"});
    QCOMPARE(said.code, 0);
    for (const char* word : {"'sync run') words='--full", "connections", "--password-stdin", "complete -o default -F _millrace_cli millrace-cli"})
        QVERIFY2(said.out.contains(word) || said.out.contains(QString(word).replace("'--full", "'--help --full")), word);
    QVERIFY(!said.out.contains("completion bash\n'"));
    QProcess bash;
    bash.start("bash", {"-c", said.out + "\nCOMP_WORDS=(millrace-cli --json sync pl); COMP_CWORD=3; _millrace_cli; echo \"${COMPREPLY[*]}\""});
    QVERIFY(bash.waitForFinished(20'000));
    QCOMPARE(QString(bash.readAllStandardOutput()).trimmed(), QString("plan"));
    said = run({"man"});
    QVERIFY(said.out.startsWith(".TH MILLRACE\\-CLI 1"));
    for (const char* part : {".SS sync run NAME", ".SS export [FILE]", "\\fB\\-\\-accept\\-deletes\\fR", ".B 130"})
        QVERIFY2(said.out.contains(part), part);
    QVERIFY(!run({"--help"}).out.contains("completion"));
}

void TestCli::callsComeFromTheEnginesOwnThreads()
{
    // what may take as long as a database takes must leave the main thread free for signals
    run({"sync", "run", "shop"});
    run({"verify", "shop"});
    run({"discover", "shop-db"});
    for (const auto& call : m_engine->calls())
        if (call.name == "wait" || call.name == "verify" || call.name == "discover")
            QVERIFY2(call.thread != std::this_thread::get_id(), call.name.c_str());
}

QTEST_GUILESS_MAIN(TestCli)
#include "tst_cli.moc"
