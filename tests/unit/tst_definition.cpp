#include "core/engine/definition.h"
#include <QtTest>
#include <random>

using namespace millrace;

static QString q(const std::string& text) { return QString::fromStdString(text); }
static Node json(const QString& text) { auto node = Node::fromJson(text.toStdString()); return node ? *node : Node(); }

static TableRule named(const char* name) { TableRule rule; rule.name = name; return rule; }

class TestDefinition : public QObject {
    Q_OBJECT
private slots:
    void durations_data();
    void durations();
    void formatsDurations();
    void readsTheContractsExample();
    void refuses_data();
    void refuses();
    void secretsStayOutside();
    void typedSecretNeedsSomebodyToTakeIt();
    void relativePathsStartAtTheFile();
    void defaultsAreLeftOut();
    void laterKeysAreKeptAndNamed();
    void roundTrips();
};

void TestDefinition::durations_data()
{
    QTest::addColumn<QString>("text");
    QTest::addColumn<qlonglong>("ms");          // -1: refused
    const auto row = [](const char* text, qlonglong ms) { QTest::newRow(text) << text << ms; };
    row("250ms", 250); row("2s", 2000); row("5m", 300000); row("1h", 3600000); row("1d", 86400000); row("60", 60000); row("0", 0); row(" 5 m ", 300000);
    row("", -1); row("m", -1); row("-5m", -1); row("5w", -1); row("1.5h", -1); row("5m3s", -1); row("99999999999999999d", -1); row("999999999999999999999999s", -1);
}

void TestDefinition::durations()
{
    QFETCH(QString, text);
    const auto ms = parseDuration(text.toStdString());
    QTEST(ms ? qlonglong(*ms) : -1LL, "ms");
    if (!ms)
        QCOMPARE(q(ms.error().id), QString("config.duration"));
}

void TestDefinition::formatsDurations()
{
    QCOMPARE(q(formatDuration(0)), QString("0s"));
    QCOMPARE(q(formatDuration(90000)), QString("90s"));
    QCOMPARE(q(formatDuration(300000)), QString("5m"));
    QCOMPARE(q(formatDuration(86400000)), QString("1d"));
    QCOMPARE(q(formatDuration(1001)), QString("1001ms"));
    std::mt19937_64 random(7);
    for (int i = 0; i < 1000; ++i) {
        const std::int64_t ms = std::int64_t(random() >> (20 + random() % 40));
        QCOMPARE(*parseDuration(formatDuration(ms)), ms);
    }
}

void TestDefinition::readsTheContractsExample()
{
    const auto root = json(R"({"version":1,"connections":{"shop":{"url":"mysql://reader@127.0.0.1:3306/sakila","password":{"env":"SHOP_PASSWORD"},"environment":"dev"}},
        "syncs":{"sakila":{"source":"shop","target":"search","every":300,"zone":"Europe/Berlin","if_exists":"write","new_tables":"include","delete_brake":"7.5%","max_failed":10,
        "settings":{"batch_min":1,"batch_max":50,"rate_limit":5,"pool":2},"exclude":["audit_*"],"tables":["*",
        {"name":"payment","strategy":"timestamp","key":["payment_id"],"cursor":"last_update","overlap":"2s","soft_delete":"is_deleted",
         "deleted_rows":{"table":"payment_deleted","key":"payment_id","at":"deleted_at"},"where":"amount > 0","to":"payments","id":"objectid",
         "columns":{"exclude":["note"],"rename":{"payment_id":"pid"},"mask":{"email":"hash"}},"policy":{"birthday":"text","died":null},
         "indexes":[["customer_id"],["a","b"]],"every":"60s","rebuild":"0 3 * * *","format":"hash","ttl":"3600s"}]}}})");
    const auto file = syncFileFromNode(root, "/etc/millrace");
    QVERIFY2(file, file ? "" : file.error().detail.c_str());
    const auto& connection = file->connections.at(0);
    QCOMPARE(q(connection.environment), QString("dev"));
    QVERIFY((connection.secrets.at("password") == SecretRef{SecretRef::Kind::Env, "SHOP_PASSWORD"}));
    QVERIFY(connection.baseDir.empty());
    const auto& sync = file->syncs.at(0);
    QCOMPARE(q(sync.every), QString("5m"));
    QCOMPARE(sync.deleteBrakePercent, 7.5);
    QCOMPARE(sync.ifExists, IfExists::Write);
    QCOMPARE(sync.settings.batchMax, std::int64_t(50));
    QCOMPARE(sync.tables.size(), std::size_t(2));
    QVERIFY(sync.tables[0] == named("*"));
    const auto& rule = sync.tables[1];
    QCOMPARE(*rule.strategy, Strategy::Timestamp);
    QCOMPARE(*rule.overlapMs, std::int64_t(2000));
    QCOMPARE(q(*rule.format), QString("hash"));
    QCOMPARE(*rule.ttlMs, std::int64_t(3600000));
    QCOMPARE(q(rule.deletedRows->at), QString("deleted_at"));
    QCOMPARE(q(rule.rename.at("payment_id")), QString("pid"));
    QCOMPARE(rule.policy.at("birthday"), ValuePolicy::Text);
    QCOMPARE(rule.policy.at("died"), ValuePolicy::Null);
    QCOMPARE(rule.indexes.at(1).size(), std::size_t(2));
    QCOMPARE(q(*rule.every), QString("1m"));
    QVERIFY(unsupportedKeys(sync) == (std::vector<std::string>{"payment: columns.mask", "payment: rebuild"}));
}

void TestDefinition::refuses_data()
{
    QTest::addColumn<QString>("sync");          // fields added to a good sync
    QTest::addColumn<QString>("id");
    QTest::addColumn<QString>("words");
    const auto row = [](const char* name, const char* fields, const char* id, const char* words) { QTest::newRow(name) << fields << QString("config.") + id << words; };
    row("unknown key", R"("tabels":[])", "unknown_key", "'tabels' (did you mean 'tables'?)");
    row("twice", R"("prefix":"a","prefix":"b")", "key_twice", "'prefix' twice");
    row("settings", R"("settings":{"batchmax":1})", "unknown_key", "did you mean 'batch_max'");
    row("settings range", R"("settings":{"batch_min":0})", "wrong_value", "batch_min");
    row("settings order", R"("settings":{"batch_min":10,"batch_max":5})", "wrong_value", "above batch_max");
    row("every", R"("every":"soon")", "wrong_value", "duration");
    row("every zero", R"("every":"0s")", "wrong_value", "above zero");
    row("two schedules", R"("every":"5m","continuous":true)", "wrong_value", "more than one");
    row("if_exists", R"("if_exists":"wirte")", "unknown_word", "did you mean 'write'");
    row("new_tables", R"("new_tables":[])", "unknown_word", "new_tables");
    row("brake", R"("delete_brake":"120%")", "wrong_value", "percentage");
    row("max_failed", R"("max_failed":"many")", "wrong_value", "whole number");
    row("continuous", R"("continuous":"perhaps")", "wrong_value", "true or false");
    row("tables kind", R"("tables":{"a":1})", "wrong_value", "a list");
    row("table key", R"("tables":[{"name":"film","curser":"x"}])", "unknown_key", "table 'film' of sync 's' has no key 'curser' (did you mean 'cursor'?)");
    row("table name", R"("tables":[{"cursor":"x"}])", "missing_key", "needs 'name'");
    row("strategy", R"("tables":[{"name":"film","strategy":"timestmp"}])", "unknown_word", "did you mean 'timestamp'");
    row("id", R"("tables":[{"name":"film","id":"objectID"}])", "unknown_word", "did you mean 'objectid'");
    row("deleted_rows", R"("tables":[{"name":"film","deleted_rows":{"tabel":"x"}}])", "unknown_key", "did you mean 'table'");
    row("deleted_rows half", R"("tables":[{"name":"film","deleted_rows":{"table":"x"}}])", "missing_key", "needs 'key'");
    row("columns", R"("tables":[{"name":"film","columns":{"renam":{}}}])", "unknown_key", "did you mean 'rename'");
    row("policy", R"("tables":[{"name":"film","policy":{"a":"fial"}}])", "unknown_word", "did you mean 'fail'");
    row("mask", R"("tables":[{"name":"film","columns":{"mask":{"a":"hsah"}}}])", "unknown_word", "did you mean 'hash'");
    row("cast", R"("tables":[{"name":"film","columns":{"cast":{"a":"strnig"}}}])", "unknown_word", "cast");
    row("indexes", R"("tables":[{"name":"film","indexes":[[]]}])", "wrong_value", "indexes");
    row("empty key", R"("tables":[{"name":"film","key":[]}])", "wrong_value", "key");
    row("overlap", R"("tables":[{"name":"film","overlap":"-1s"}])", "wrong_value", "overlap");
}

void TestDefinition::refuses()
{
    QFETCH(QString, sync);
    QFETCH(QString, words);
    const auto def = syncFromNode("s", json(R"({"source":"a","target":"b",)" + sync + "}"));
    QVERIFY(!def);
    QTEST(q(def.error().id), "id");
    QVERIFY2(q(def.error().detail).contains(words), def.error().detail.c_str());
    QCOMPARE(def.error().fault, Fault::Config);
    QVERIFY(syncFromNode("s", json(R"({"source":"a","target":"b"})")));
}

void TestDefinition::secretsStayOutside()
{
    const auto root = json(R"({"connections":{"a":{"url":"mysql://u:hunter2@h/d"},"b":{"url":"mysql://u@h/d","password":"0042"},"c":{"url":"typesense://h","api_key":{"keychain":"ts"}},
        "d":{"url":"mysql://u@h/d","password":{"file":"pw.txt"}}, "e":"sqlite:///x.db"}})");
    std::map<std::string, std::string> typed;
    const auto file = syncFileFromNode(root, "/etc/mr", &typed);
    QVERIFY2(file, file ? "" : file.error().detail.c_str());
    QCOMPARE(q(typed.at("a/password")), QString("hunter2"));
    QCOMPARE(q(typed.at("b/password")), QString("0042"));
    QCOMPARE(file->connections[0].secrets.at("password").kind, SecretRef::Kind::Stored);
    QCOMPARE(q(file->connections[3].secrets.at("password").name), QString("/etc/mr/pw.txt"));
    const QString written = q(nodeFromSyncFile(*file).json());
    QVERIFY(!written.contains("hunter2") && !written.contains("0042"));
    QVERIFY(written.contains(R"("password":{"stored":true})"));

    for (const char* bad : {R"({"url":"mysql://u@h/d","password":{"evn":"X"}})", R"({"url":"mysql://u@h/d","password":{"env":"X","file":"y"}})", R"({"url":"mysql://u:p@h/d","password":"q"})",
                            R"({"url":"mysql://u@h/d","enviroment":"prod"})", R"({"url":"mysql://u@h/d","environment":"pord"})", R"({})"}) {
        typed.clear();
        QVERIFY2(!connectionFromNode("x", json(bad), {}, &typed), bad);
    }
    QVERIFY(!connectionFromNode("a/b", json(R"({"url":"null:"})"), {}));
}

void TestDefinition::typedSecretNeedsSomebodyToTakeIt()
{
    const auto def = connectionFromNode("x", json(R"({"url":"mysql://u@h/d","password":"hunter2"})"), {});
    QVERIFY(!def);
    QCOMPARE(q(def.error().id), QString("config.secret_typed"));
    QVERIFY(!q(def.error().detail + def.error().fix).contains("hunter2"));
}

void TestDefinition::relativePathsStartAtTheFile()
{
    QCOMPARE(q(connectionFromNode("x", json(R"({"url":"sqlite:a/b.db"})"), "/etc")->baseDir), QString("/etc"));
    QCOMPARE(q(connectionFromNode("x", json(R"({"url":"sqlite:///a/b.db"})"), "/etc")->baseDir), QString());
    QCOMPARE(q(connectionFromNode("x", json(R"({"url":"mysql://h/d?tls_ca=ca.pem"})"), "/etc")->baseDir), QString("/etc"));
}

void TestDefinition::defaultsAreLeftOut()
{
    SyncDef def;
    def.name = "s";
    def.source = "a";
    def.target = "b";
    QCOMPARE(q(nodeFromSync(def).json()), QString(R"({"source":"a","target":"b"})"));
    def.tables = {named("*")};
    QCOMPARE(q(nodeFromSync(def).json()), QString(R"({"source":"a","target":"b","tables":["*"]})"));
}

void TestDefinition::laterKeysAreKeptAndNamed()
{
    const auto def = syncFromNode("s", json(R"({"source":"a","target":"b","cron":"*/5 * * * *","tables":[{"name":"f","nest":[{"table":"r","as":"rs","by":{"x":"y"}}],"columns":{"add":{"k":"'s'"}},"rebuild":"0 3 * * *"}]})"));
    QVERIFY(def);
    QVERIFY(unsupportedKeys(*def) == (std::vector<std::string>{"cron", "f: columns.add", "f: nest", "f: rebuild"}));
    const auto again = syncFromNode("s", nodeFromSync(*def));
    QVERIFY(again && *again == *def);
    QVERIFY(q(nodeFromSync(*def).json()).contains(R"("nest":[{"table":"r")"));
}

namespace {

// Seeded definitions of any shape, with names that need quoting somewhere.
struct Maker {
    std::mt19937 random;
    std::int64_t below(unsigned n) { return std::int64_t(random() % n); }
    bool chance(unsigned in) { return below(in) == 0; }
    std::string word()
    {
        static const std::vector<std::string> words{"film", "sakila.film", "rental_*", "null", "true", "007", "1e5", "läden", "a b", "with: colon", "#hash", "-", "'quoted'", "\"q\"", "line\nbreak", "~", "*", "& x", "yes", " lead"};
        return words[random() % words.size()];
    }
    std::vector<std::string> words() { std::vector<std::string> out; for (unsigned n = random() % 3 + 1; n; --n) out.push_back(word()); return out; }
    TableRule rule()
    {
        TableRule out;
        out.name = word();
        if (chance(3)) out.strategy = Strategy(random() % 7);
        if (chance(3)) out.key = words();
        if (chance(3)) out.cursor = word();
        if (chance(3)) out.overlapMs = random() % 100000;
        if (chance(3)) out.softDelete = word();
        if (chance(3)) out.where = "a > '" + word() + "'";
        if (chance(3)) out.to = word();
        if (chance(3)) out.id = chance(2) ? "key" : "objectid";
        if (chance(3)) out.every = formatDuration(random() % 100000 + 1);
        if (chance(3)) out.deletedRows = DeletedRows{word(), word(), word()};
        if (chance(3)) out.excludeColumns = words();
        if (chance(3)) out.rename[word()] = word();
        if (chance(3)) out.policy[word()] = ValuePolicy(random() % 3);
        if (chance(3)) out.indexes = {words(), words()};
        if (chance(4)) out.later.set("columns", Node::map({{"mask", Node::map({{word(), "hash"}})}}));
        if (chance(4)) out.later.set("rebuild", "0 3 * * *");
        if (chance(4)) out.format = chance(2) ? "json" : "hash";
        if (chance(4)) out.ttlMs = random() % 100000 + 1;
        return out;
    }
    SyncDef sync()
    {
        SyncDef out;
        out.name = "s";
        out.source = word();
        out.target = word();
        if (chance(3)) out.every = formatDuration(random() % 1000000 + 1);
        else if (chance(3)) out.cron = "*/5 * * * *";
        else out.continuous = chance(3);
        if (chance(3)) out.zone = "Europe/Berlin";
        if (chance(3)) out.prefix = word();
        out.ifExists = IfExists(random() % 3);
        out.newTables = NewTables(random() % 3);
        out.deleteBrakePercent = (random() % 1001) / 10.0;
        out.maxFailed = random() % 2000;
        if (chance(2)) out.settings = {1 + below(10), 11 + below(10), below(9), 1 + below(8)};
        if (chance(2)) out.exclude = words();
        if (chance(2)) out.tags = words();
        for (unsigned n = random() % 4; n; --n) out.tables.push_back(rule());
        return out;
    }
};

} // namespace

void TestDefinition::roundTrips()
{
    for (unsigned seed = 1; seed <= 2000; ++seed) {
        Maker maker{std::mt19937(seed)};
        const SyncDef def = maker.sync();
        const Node node = nodeFromSync(def);
        const auto text = Node::fromJson(node.json());           // through text, as the store keeps it
        QVERIFY(text);
        const auto again = syncFromNode("s", *text);
        QVERIFY2(again, again ? "" : (std::to_string(seed) + ": " + again.error().detail + node.json()).c_str());
        QVERIFY2(*again == def, (std::to_string(seed) + ": " + node.json() + "\n" + nodeFromSync(*again).json()).c_str());
    }
}

QTEST_APPLESS_MAIN(TestDefinition)
#include "tst_definition.moc"
