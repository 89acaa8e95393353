#include "core/engine/connection.h"
#include <QtTest>

using namespace millrace;

class TestConnectionUrl : public QObject {
    Q_OBJECT
private slots:
    void takesApart_data();
    void takesApart();
    void cutsPasswordOut_data();
    void cutsPasswordOut();
    void refuses_data();
    void refuses();
    void neverRepeatsAPassword_data();
    void neverRepeatsAPassword();
    void defaultTls_data();
    void defaultTls();
    void loopback_data();
    void loopback();
    void checksOptions();
};

static QString q(const std::string& text) { return QString::fromStdString(text); }

void TestConnectionUrl::takesApart_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("scheme");
    QTest::addColumn<QString>("user");
    QTest::addColumn<QString>("hosts");
    QTest::addColumn<QString>("path");
    QTest::addColumn<QString>("options");
    QTest::addColumn<QString>("text");          // empty: as it was written
    const auto row = [](const char* name, const char* url, const char* scheme, const char* user, const char* hosts, const char* path, const char* options = "", const char* text = "") {
        QTest::newRow(name) << url << scheme << user << hosts << path << options << text;
    };
    row("mysql", "mysql://reader@db.example.com:3307/sakila", "mysql", "reader", "db.example.com:3307", "sakila");
    row("no database", "mysql://reader@db", "mysql", "reader", "db:0", "");
    row("trailing slash", "mysql://reader@db/", "mysql", "reader", "db:0", "", "", "mysql://reader@db");
    row("mariadb upper case", "MariaDB://u@h/d", "mariadb", "u", "h:0", "d", "", "mariadb://u@h/d");
    row("mysql socket", "mysql://user@/database?socket=/run/mysqld/mysqld.sock", "mysql", "user", "", "database", "socket=/run/mysqld/mysqld.sock");
    row("postgres", "postgres://u@h:5432/d", "postgres", "u", "h:5432", "d");
    row("postgresql", "postgresql://u@h/d", "postgres", "u", "h:0", "d", "", "postgres://u@h/d");
    row("postgres socket", "postgres:///d?host=/run/postgresql", "postgres", "", "", "d", "host=/run/postgresql");
    row("postgres host option", "postgres:///d?host=db.example.com", "postgres", "", "db.example.com:0", "d", "", "postgres://db.example.com/d");
    row("sqlite absolute", "sqlite:///var/data/shop.db", "sqlite", "", "", "/var/data/shop.db");
    row("sqlite relative", "sqlite:data/shop.db", "sqlite", "", "", "data/shop.db");
    row("sqlite odd name", "sqlite:///a%3Fb/100%25 @home.db", "sqlite", "", "", "/a?b/100% @home.db", "", "sqlite:///a%3Fb/100%25%20@home.db");
    row("embedded", "embedded:///home/x/store.db", "embedded", "", "", "/home/x/store.db");
    row("null", "null:", "null", "", "", "");
    row("null slashes", "null://", "null", "", "", "", "", "null:");
    row("kafka hosts", "kafka://a:9092,b:9093/", "kafka", "", "a:9092,b:9093", "", "", "kafka://a:9092,b:9093");
    row("mongodb set", "mongodb://m@a,b:27018/shop?replicaSet=rs0&w=majority", "mongodb", "m", "a:0,b:27018", "shop", "replicaSet=rs0&w=majority");
    row("mongodb srv", "mongodb+srv://m@cluster.example.net/shop", "mongodb+srv", "m", "cluster.example.net:0", "shop");
    row("mongodb socket", "mongodb://%2Ftmp%2Fmongodb.sock/shop", "mongodb", "", "/tmp/mongodb.sock:0", "shop");
    row("ipv6", "mysql://u@[::1]:3306/d", "mysql", "u", "::1:3306", "d");
    row("ipv6 no port", "mysql://u@[2001:db8::1]/d", "mysql", "u", "2001:db8::1:0", "d");
    row("decoded", "mysql://a%40b@h/d%2Fe%20f", "mysql", "a@b", "h:0", "d/e f", "", "mysql://a%40b@h/d/e%20f");
    row("redis", "rediss://h:6380/2", "rediss", "", "h:6380", "2");
    row("redis, several", "redis://u@h1:26379,h2,h3:1/0?sentinel=m", "redis", "u", "h1:26379,h2:0,h3:1", "0", "sentinel=m");
    row("search", "elasticsearch://elastic@h:9200?tls=disable", "elasticsearch", "elastic", "h:9200", "", "tls=disable");
    row("blanks around", "  typesense://h:8108\n", "typesense", "", "h:8108", "", "", "typesense://h:8108");
    row("unicode", "mysql://jürgen@h/läden", "mysql", "jürgen", "h:0", "läden", "", "mysql://j%C3%BCrgen@h/läden");
}

void TestConnectionUrl::takesApart()
{
    QFETCH(QString, url);
    QFETCH(QString, text);
    const auto parsed = parseUrl(url.toStdString());
    QVERIFY2(parsed, parsed ? "" : parsed.error().detail.c_str());
    QTEST(q(parsed->scheme), "scheme");
    QTEST(q(parsed->user), "user");
    QTEST(q(parsed->path), "path");
    QStringList hosts, options;
    for (const auto& [name, port] : parsed->hosts)
        hosts << q(name) + ":" + QString::number(port);
    for (const auto& [key, value] : parsed->options)
        options << q(key) + "=" + q(value);
    QTEST(hosts.join(","), "hosts");
    QTEST(options.join("&"), "options");
    QCOMPARE(q(parsed->text()), text.isEmpty() ? url : text);
    const auto again = parseUrl(parsed->text());
    QVERIFY(again);
    QCOMPARE(again->text(), parsed->text());
    QCOMPARE(again->path, parsed->path);
    QCOMPARE(again->user, parsed->user);
}

void TestConnectionUrl::cutsPasswordOut_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("password");
    QTest::newRow("plain") << "mysql://u:secret@h/d" << "secret";
    QTest::newRow("encoded") << "mysql://u:a%2Fb%40c@h/d" << "a/b@c";
    QTest::newRow("with at") << "mysql://u:p@ss@h/d" << "p@ss";
    QTest::newRow("with colon") << "mysql://u:a:b@h/d" << "a:b";
    QTest::newRow("no user") << "redis://:secret@h:6379/0" << "secret";
    QTest::newRow("option") << "postgres://u@h/d?password=secret&tls=require" << "secret";
    QTest::newRow("none") << "mysql://u@h/d" << "";
    QTest::newRow("empty") << "mysql://u:@h/d" << "";
}

void TestConnectionUrl::cutsPasswordOut()
{
    QFETCH(QString, url);
    QFETCH(QString, password);
    Secret secret;
    const auto parsed = parseUrl(url.toStdString(), &secret);
    QVERIFY(parsed);
    QCOMPARE(q(std::string(secret.reveal())), password);
    QVERIFY(password.isEmpty() || !q(parsed->text()).contains(password));
    QVERIFY(!parsed->options.contains("password"));
}

void TestConnectionUrl::refuses_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<QString>("id");
    QTest::addColumn<QString>("words");
    QTest::newRow("empty") << "" << "config.url_scheme" << "";
    QTest::newRow("near scheme") << "mysq://h/d" << "config.url_scheme" << "did you mean 'mysql'";
    QTest::newRow("port word") << "mysql://u@h:abc/d" << "config.url_port" << "'abc'";
    QTest::newRow("port range") << "mysql://u@h:70000/d" << "config.url_port" << "65535";
    QTest::newRow("port zero") << "mysql://u@h:0/d" << "config.url_port" << "";
    QTest::newRow("bare ipv6") << "mysql://u@::1/d" << "config.url_host" << "colon";
    QTest::newRow("open bracket") << "mysql://u@[::1/d" << "config.url_host" << "bracket";
    QTest::newRow("two hosts") << "mysql://u@a,b/d" << "config.url_host" << "one host";
    QTest::newRow("no host") << "mysql:///d" << "config.url_host" << "names no host";
    QTest::newRow("one slash") << "mysql:/h/d" << "config.url_host" << "two slashes";
    QTest::newRow("empty host in list") << "kafka://a,,b" << "config.url_host" << "missing";
    QTest::newRow("srv port") << "mongodb+srv://h:27017/d" << "config.url_port" << "DNS";
    QTest::newRow("sqlite host") << "sqlite://shop.db" << "config.url_path" << "no host";
    QTest::newRow("sqlite nothing") << "sqlite:" << "config.url_path" << "no file";
    QTest::newRow("null path") << "null:abc" << "config.url_path" << "";
    QTest::newRow("secret option") << "typesense://h?api_key=abc" << "config.url_secret" << "api_key";
    QTest::newRow("twice") << "mysql://u@h/d?tls=require&tls=disable" << "config.url_option" << "twice";
    QTest::newRow("zero byte") << "mysql://u@h/d%00e" << "config.url_character" << "zero";
}

void TestConnectionUrl::refuses()
{
    QFETCH(QString, url);
    QFETCH(QString, words);
    const auto parsed = parseUrl(url.toStdString());
    QVERIFY(!parsed);
    QTEST(q(parsed.error().id), "id");
    QCOMPARE(parsed.error().fault, Fault::Config);
    QVERIFY2(q(parsed.error().detail).contains(words), parsed.error().detail.c_str());
    QVERIFY(!parsed.error().fix.empty());
}

void TestConnectionUrl::neverRepeatsAPassword_data()
{
    QTest::addColumn<QString>("url");
    for (const char* url : {"mysql://u:hunter/2@h/d", "mysql://u:1234/hunter@h/d", "mysql://u:hunter?2@h/d", "mysql://u:1234?hunter@h/d", "mysql://u:hunter#2@h:x/d",
                            "msyql://u:hunter@h/d", "u:hunter@h/d", "hunter:x@h", "mysql:u:hunter@h/d", "mysql://u:hunter@h:99999/d"})
        QTest::newRow(url) << url;
}

void TestConnectionUrl::neverRepeatsAPassword()
{
    QFETCH(QString, url);
    const auto parsed = parseUrl(url.toStdString());
    QVERIFY(!parsed);
    for (const auto& text : {parsed.error().detail, parsed.error().fix}) {
        QVERIFY2(!q(text).contains("hunter"), text.c_str());
        QVERIFY2(!q(text).contains("1234"), text.c_str());
    }
}

void TestConnectionUrl::defaultTls_data()
{
    QTest::addColumn<QString>("url");
    QTest::addColumn<int>("mode");              // -1: an error
    const auto row = [](const char* url, int mode) { QTest::newRow(url) << url << mode; };
    const int off = int(TlsMode::Disable), full = int(TlsMode::VerifyFull);
    row("mysql://u@db/d", full);
    row("mysql://u@localhost/d", off);
    row("mysql://u@127.0.0.1/d", off);
    row("mysql://u@/d?socket=/s", off);
    row("mysql://u@127.0.0.1/d?tls=verify-ca", int(TlsMode::VerifyCa));
    row("mysql://u@db/d?tls=require", int(TlsMode::Require));
    row("mysql://u@db/d?tls=disable", off);
    row("mysql://u@db/d?tls=true", -1);
    row("mysql://u@db/d?tls=verify_full", -1);
    row("redis://db/0", off);
    row("redis://db/0?tls=require", int(TlsMode::Require));
    row("rediss://localhost/0", full);
    row("rediss://localhost/0?tls=disable", -1);
    row("mongodb+srv://c.example.net/d", full);
    row("mongodb+srv://c.example.net/d?tls=false", -1);
    row("mongodb://db/d", full);
    row("mongodb://db/d?tls=false", off);
    row("mongodb://localhost/d?tls=true", full);
    row("mongodb://localhost/d?ssl=true", full);
    row("mongodb://localhost,db/d", full);
    row("sqlite:a.db", off);
    row("null:", off);
}

void TestConnectionUrl::defaultTls()
{
    QFETCH(QString, url);
    QFETCH(int, mode);
    const auto parsed = parseUrl(url.toStdString());
    QVERIFY(parsed);
    const auto tls = tlsMode(*parsed);
    QCOMPARE(tls ? int(*tls) : -1, mode);
    if (!tls)
        QCOMPARE(q(tls.error().id), QString("config.url_tls"));
}

void TestConnectionUrl::loopback_data()
{
    QTest::addColumn<QString>("host");
    QTest::addColumn<bool>("loopback");
    QTest::newRow("name") << "localhost" << true;
    QTest::newRow("upper") << "LOCALHOST" << true;
    QTest::newRow("sub") << "db.localhost" << true;
    QTest::newRow("127/8") << "127.1.2.3" << true;
    QTest::newRow("v6") << "[::1]" << true;
    QTest::newRow("mapped") << "[::ffff:127.0.0.1]" << true;
    QTest::newRow("prefix of a name") << "127.0.0.1.example.com" << false;
    QTest::newRow("localhost prefix") << "localhost.example.com" << false;
    QTest::newRow("private") << "192.168.0.1" << false;
    QTest::newRow("any") << "0.0.0.0" << false;
}

void TestConnectionUrl::loopback()
{
    QFETCH(QString, host);
    const auto parsed = parseUrl("mysql://u@" + host.toStdString() + ":1/d");
    QVERIFY(parsed);
    QTEST(parsed->loopback(), "loopback");
}

void TestConnectionUrl::checksOptions()
{
    ConnectorSpec spec;
    spec.label = "MySQL";
    FieldSpec field;
    field.option = true;
    field.key = "tls"; spec.fields.push_back(field);
    field.key = "tls_ca"; spec.fields.push_back(field);
    field.key = "compress"; field.kind = FieldSpec::Kind::Flag; spec.fields.push_back(field);
    field.key = "zeroDates"; field.kind = FieldSpec::Kind::Choice; field.choices = {"null", "text"}; spec.fields.push_back(field);
    field.key = "host"; field.option = false; field.choices.clear(); spec.fields.push_back(field);
    const auto check = [&](const char* options) {
        const auto url = parseUrl(std::string("mysql://u@h/d?") + options);
        const auto checked = checkOptions(*url, spec);
        return checked ? QString() : q(checked.error().id + " " + checked.error().detail);
    };
    QCOMPARE(check("tls=require&tls_ca=/a&compress=true&zeroDates=text"), QString());
    QVERIFY(check("tls_sa=/a").contains("did you mean 'tls_ca'"));
    QVERIFY(check("host=x").startsWith("config.url_option "));
    QVERIFY(check("tls=requir").contains("did you mean 'require'"));
    QVERIFY(check("compress=perhaps").startsWith("config.url_option_value"));
    QVERIFY(check("zeroDates=txt").contains("did you mean 'text'"));
}

QTEST_APPLESS_MAIN(TestConnectionUrl)
#include "tst_connection_url.moc"
