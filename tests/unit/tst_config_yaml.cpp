#include "core/config/syncfile.h"
#include "core/config/yaml.h"
#include <QTemporaryDir>
#include <QtTest>
#include <random>

using namespace millrace;

static QString q(const std::string& text) { return QString::fromStdString(text); }

class TestConfigYaml : public QObject {
    Q_OBJECT
private slots:
    void readsScalarsAsWritten();
    void knowsLines();
    void refuses_data();
    void refuses();
    void stopsAliasBombs();
    void survivesDeepAndLongInput();
    void unfoldsAliases();
    void acceptsJson();
    void quotesWhatNeedsIt_data();
    void quotesWhatNeedsIt();
    void writesReadably();
    void roundTrips();
    void fileErrorsNameFileLineAndKey();
    void exportCanStandAnywhere();
};

void TestConfigYaml::readsScalarsAsWritten()
{
    const auto node = readYaml("a: 007\nb: 5m\nc: yes\nd: true\ne: null\nf: ~\ng:\nh: '12'\ni: 12\nj: -1.5e3\nk: 0x1F\nl: \"\"\nm: 2026-11-21\nn: 1e400\n");
    QVERIFY(node);
    QCOMPARE(q(node->json()), QString(R"({"a":"007","b":"5m","c":"yes","d":true,"e":null,"f":null,"g":null,"h":"12","i":12,"j":-1.5e3,"k":"0x1F","l":"","m":"2026-11-21","n":1e400})"));
}

void TestConfigYaml::knowsLines()
{
    const auto node = readYaml("# comment\nversion: 1\n\nsyncs:\n  s:\n    source: a\n    tables:\n      - \"*\"\n      - name: film\n        cursor: x\n");
    QVERIFY(node);
    QCOMPARE((*node)["version"].line, 2);
    QCOMPARE((*node)["syncs"].line, 4);
    const Node& sync = (*node)["syncs"]["s"];
    QCOMPARE(sync["source"].line, 6);
    QCOMPARE(sync["tables"].line, 7);
    QCOMPARE(sync["tables"].items()[1]["cursor"].line, 10);
}

void TestConfigYaml::refuses_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QString>("id");
    QTest::addColumn<QString>("words");
    QTest::newRow("twice") << QByteArray("a: 1\nb: 2\na: 3\n") << "config.key_twice" << "line 3: the key 'a'";
    QTest::newRow("twice in json") << QByteArray("{\"a\": {\"b\": 1, \"b\": 2}}") << "config.key_twice" << "'b'";
    QTest::newRow("tab") << QByteArray("a:\n\tb: 1\n") << "config.yaml_syntax" << "line 2";
    QTest::newRow("open bracket") << QByteArray("a: [1, 2\nb: 3\n") << "config.yaml_syntax" << "line";
    QTest::newRow("bare star") << QByteArray("tables:\n  - *\n") << "config.yaml_syntax" << "line 2";
    QTest::newRow("star name") << QByteArray("tables: [*_tmp]\n") << "config.yaml_syntax" << "line 1";
    QTest::newRow("two documents") << QByteArray("a: 1\n---\nb: 2\n") << "config.yaml_documents" << "";
    QTest::newRow("empty") << QByteArray("# nothing\n") << "config.empty" << "";
    QTest::newRow("latin1") << QByteArray("a: l\xE4" "den\n") << "config.encoding" << "UTF-8";
    QTest::newRow("zero") << QByteArray("a: b\0c\n", 7) << "config.encoding" << "UTF-8";
    QTest::newRow("map as key") << QByteArray("? {a: 1}\n: 2\n") << "config.yaml_key" << "";
    QTest::newRow("too large") << QByteArray((4 << 20) + 1, ' ') << "config.file_too_large" << "4 MB";
}

void TestConfigYaml::refuses()
{
    QFETCH(QByteArray, text);
    QFETCH(QString, words);
    const auto node = readYaml({text.data(), std::size_t(text.size())});
    QVERIFY(!node);
    QTEST(q(node.error().id), "id");
    QVERIFY2(q(node.error().detail).contains(words), node.error().detail.c_str());
}

void TestConfigYaml::stopsAliasBombs()
{
    std::string text = "a: &a [x, x, x, x, x, x, x, x, x, x]\n";
    for (char c = 'b'; c <= 'i'; ++c)
        text += std::string(1, c) + ": &" + c + " [*" + char(c - 1) + ", *" + char(c - 1) + ", *" + char(c - 1) + ", *" + char(c - 1) + ", *" + char(c - 1) + ", *" + char(c - 1) + "]\n";
    const auto node = readYaml(text);
    QVERIFY(!node);
    QCOMPARE(q(node.error().id), QString("config.yaml_too_large"));
    QVERIFY(!readYaml("a: &a [*a]\n"));
}

void TestConfigYaml::survivesDeepAndLongInput()
{
    QElapsedTimer timer;
    timer.start();
    QVERIFY(!readYaml(std::string(100'000, '[')));
    QVERIFY(!readYaml("a: " + std::string(300, '[') + std::string(300, ']') + "\n"));
    QVERIFY(!readYaml(std::string(100'000, '{')));
    QVERIFY(readYaml("a: " + std::string(3'000'000, 'x') + "\n"));
    QVERIFY2(timer.elapsed() < 20'000, qPrintable(QString::number(timer.elapsed())));
}

void TestConfigYaml::unfoldsAliases()
{
    const auto node = readYaml("a: &x {b: 1}\nc: *x\n");
    QVERIFY(node);
    QCOMPARE(q(node->json()), QString(R"({"a":{"b":1},"c":{"b":1}})"));
}

void TestConfigYaml::acceptsJson()
{
    const auto node = readYaml("\xEF\xBB\xBF {\"version\": 1, \"n\": 18446744073709551615}");
    QVERIFY(node);
    QCOMPARE(q((*node)["n"].scalar()), QString("18446744073709551615"));
    QVERIFY(readYaml("{version: 1}"));
}

void TestConfigYaml::quotesWhatNeedsIt_data()
{
    QTest::addColumn<QString>("value");
    QTest::addColumn<QString>("written");
    const auto row = [](const char* value, const char* written) { QTest::newRow(value) << value << written; };
    row("film", "film"); row("rental_*", "rental_*"); row("*", "\"*\""); row("5m", "5m"); row("2.5%", "2.5%"); row("10000", "\"10000\""); row("true", "\"true\"");
    row("No", "\"No\""); row("null", "\"null\""); row("a: b", "\"a: b\""); row("a#b", "\"a#b\""); row("", "\"\""); row(" a", "\" a\""); row("a ", "\"a \""); row("~", "\"~\"");
    row("mysql://u@h/d", "\"mysql://u@h/d\""); row("/a/b.db", "/a/b.db"); row("a\"b\\c", "\"a\\\"b\\\\c\""); row("a\nb", "\"a\\nb\""); row("läden", "\"läden\""); row("2026-11-21", "\"2026-11-21\"");
    row("1e5", "\"1e5\""); row("-a", "\"-a\""); row("amount > 0", "\"amount > 0\"");
}

void TestConfigYaml::quotesWhatNeedsIt()
{
    QFETCH(QString, value);
    QFETCH(QString, written);
    QCOMPARE(q(writeYaml(Node::map({{"k", value.toStdString()}}))), "k: " + written + "\n");
    const auto back = readYaml("k: " + written.toStdString() + "\n");
    QVERIFY(back);
    QCOMPARE((*back)["k"].kind(), Node::Kind::String);
    QCOMPARE(q((*back)["k"].scalar()), value);
}

void TestConfigYaml::writesReadably()
{
    const auto root = Node::fromJson(R"({"version":1,"connections":{"shop":{"url":"mysql://reader@127.0.0.1:3306/sakila","password":{"env":"SHOP_PASSWORD"}}},
        "syncs":{"sakila":{"source":"shop","target":"store","every":"5m","settings":{"batch_max":500},"tables":["*",{"name":"payment","strategy":"timestamp","key":["payment_id"],
        "where":"amount > 0 and a_rather_long_column_name is not null"}]}}})");
    QCOMPARE(q(writeYaml(*root)), QString(
        "version: 1\n"
        "connections:\n"
        "  shop:\n"
        "    url: \"mysql://reader@127.0.0.1:3306/sakila\"\n"
        "    password: {env: SHOP_PASSWORD}\n"
        "syncs:\n"
        "  sakila:\n"
        "    source: shop\n"
        "    target: store\n"
        "    every: 5m\n"
        "    settings: {batch_max: 500}\n"
        "    tables:\n"
        "      - \"*\"\n"
        "      - name: payment\n"
        "        strategy: timestamp\n"
        "        key: [payment_id]\n"
        "        where: \"amount > 0 and a_rather_long_column_name is not null\"\n"));
}

namespace {

Node randomNode(std::mt19937& random, int depth)
{
    static const std::vector<std::string> words{"a", "null", "true", "007", "1e5", "läden", "a b", "with: colon", "#hash", "-", "'q'", "\"q\"", "line\nbreak", "~", "*", "& x", "yes", " lead", "trail ",
        "tab\t", "\x01", "\x7F", "\xC2\x85", "\xE2\x80\xA8", "\xEF\xBB\xBF", "[x]", "{x}", "%a", "@a", "`a", "!a", "|", ">", "---", "...", "<<", "=", "? a", "a:", ":a", "\\n", "\xF0\x9F\x98\x80", "a,b", ""};
    const unsigned kind = random() % (depth > 4 ? 4 : 6);
    if (kind == 0) return {};
    if (kind == 1) return random() % 2 == 0;
    if (kind == 2) return Node::number(std::to_string(random() % 1000) + (random() % 2 ? ".50" : ""));
    if (kind == 3) return words[random() % words.size()];
    Node out = kind == 4 ? Node::list() : Node::map();
    for (unsigned n = random() % 5; n; --n) {
        if (kind == 4) out.add(randomNode(random, depth + 1));
        else out.set(words[random() % words.size()], randomNode(random, depth + 1));
    }
    return out;
}

} // namespace

void TestConfigYaml::roundTrips()
{
    for (unsigned seed = 1; seed <= 3000; ++seed) {
        std::mt19937 random(seed);
        Node node = Node::map({{"k", randomNode(random, 0)}, {"l", randomNode(random, 0)}});
        const std::string text = writeYaml(node);
        const auto back = readYaml(text);
        QVERIFY2(back, back ? "" : (back.error().detail + "\n" + text).c_str());
        QVERIFY2(back->json() == node.json(), (node.json() + "\n" + back->json() + "\n" + text).c_str());
        QCOMPARE(q(writeYaml(*back)), q(text));
    }
}

void TestConfigYaml::fileErrorsNameFileLineAndKey()
{
    QTemporaryDir folder;
    const std::string path = folder.filePath("shop.yaml").toStdString();
    const auto read = [&](const char* text) {
        QFile file(q(path));
        if (!file.open(QIODevice::WriteOnly)) return QString("cannot write");
        file.write(text);
        file.close();
        const auto def = readSyncFile(path, nullptr);
        return def ? QString() : q(def.error().detail + " | " + def.error().fix).replace(q(path), "FILE");
    };
    QCOMPARE(read("version: 1\nsyncs:\n  s:\n    source: a\n    target: b\n    tabels:\n      - film\n"),
             QString("FILE: line 6: sync 's' has no key 'tabels' (did you mean 'tables'?). | Known keys: source, target, every, cron, continuous, zone, prefix, if_exists, new_tables, "
                     "delete_brake, max_failed, settings, exclude, tables, tags."));
    QVERIFY(read("connections:\n  shop:\n    url: mysq://h/d\n").startsWith("FILE: line 3: connection 'shop': No store is known by the scheme 'mysq' (did you mean 'mysql'?)"));
    QVERIFY(read("syncs:\n  s: {source: a}\n").startsWith("FILE: line 2: sync 's' needs 'target'"));
    QVERIFY(read("version: 2\n").contains("version 2"));
    QCOMPARE(read("syncs:\n  s: {source: a, target: b}\n"), QString());
    const auto missing = readSyncFile(path + ".not", nullptr);
    QVERIFY(!missing);
    QCOMPARE(q(missing.error().id), QString("config.file_missing"));
    QCOMPARE(missing.error().fault, Fault::Config);
    QVERIFY(!readSyncFile(folder.path().toStdString(), nullptr));
}

void TestConfigYaml::exportCanStandAnywhere()
{
    ConnectionDef def;
    def.name = "shop";
    def.url = "sqlite:data/shop.db";
    def.baseDir = "/srv/millrace";
    QCOMPARE(q(writeSyncFile({{def}, {}})), QString("version: 1\nconnections:\n  shop:\n    url: \"sqlite:///srv/millrace/data/shop.db\"\n"));
}

QTEST_APPLESS_MAIN(TestConfigYaml)
#include "tst_config_yaml.moc"
