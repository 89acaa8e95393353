#include "tests/contract/mysqlfixture.h"
#include <QElapsedTimer>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <arpa/inet.h>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

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

//! Logins, privileges, encryption, and servers that do not answer as they should.
class TestSourceMysqlServer : public QObject {
    Q_OBJECT
private slots:
    void initTestCase();
    void stagedTest();
    void stagedTestNamesTheFailure();
    void wrongPasswordIsNotShown();
    void missingPrivilegesHaveAGrant();
    void requiredTlsIsNeverPlaintext_data();
    void requiredTlsIsNeverPlaintext();
    void tlsModes();
    void localInfileIsRefused();
    void cannotWrite();
    void unreachableServer();
    void silentServer();
    void refusesUnknownOptions();

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

void TestSourceMysqlServer::initTestCase()
{
    std::string reason;
    m_server = MariaDbServer::start(reason);
    if (!m_server)
        QSKIP(reason.c_str());
}

void TestSourceMysqlServer::stagedTest()
{
    recreate("staged (id INT PRIMARY KEY)");           // something to see
    auto source = open(m_server->params());
    QStringList seen;
    const TestReport report = source->test([&](const TestStage& s) { seen << QString::fromStdString(s.id); }, {});
    QVERIFY2(report.passed(), report.error ? report.error->detail.c_str() : "");
    QCOMPARE(seen, QStringList({"dns", "tcp", "tls", "login", "privileges", "server", "read_only", "clock", "packet"}));
    QCOMPARE(report.server.engine, m_server->mariadb() ? std::string("mariadb") : std::string("mysql"));
    for (const TestStage& s : report.stages)
        QVERIFY2(s.outcome == TestStage::Outcome::Passed || s.id == "clock", (s.id + ": " + s.found).c_str());
    if (!m_server->socket().empty()) {
        const TestReport local = open(m_server->params(false))->test({}, {});
        QVERIFY2(local.passed(), local.error ? local.error->detail.c_str() : "");
    }
}

void TestSourceMysqlServer::stagedTestNamesTheFailure()
{
    ConnectionParams params = m_server->params();
    params.url.user = "nobody_here";
    params.secrets["password"] = Secret("hunter-secret-2");
    const TestReport report = open(params)->test({}, {});
    QVERIFY(!report.passed());
    QCOMPARE(report.error->fault, Fault::Auth);
    QCOMPARE(stage(report, "tcp")->outcome, TestStage::Outcome::Passed);
    QCOMPARE(stage(report, "login")->outcome, TestStage::Outcome::Failed);
    QCOMPARE(stage(report, "privileges")->outcome, TestStage::Outcome::NotReached);
}

void TestSourceMysqlServer::wrongPasswordIsNotShown()
{
    // a user whose name holds the password: the server's message repeats it
    ConnectionParams params = m_server->params();
    params.url.user = "hunter-secret-2";
    params.secrets["password"] = Secret("hunter-secret-2");
    const auto answer = open(params)->server();
    QVERIFY(!answer.has_value());
    QCOMPARE(answer.error().id, std::string("source.mysql.login"));
    QVERIFY2(answer.error().detail.find("hunter") == std::string::npos, answer.error().detail.c_str());
    QVERIFY2(answer.error().fix.find("hunter") == std::string::npos, answer.error().fix.c_str());
}

void TestSourceMysqlServer::missingPrivilegesHaveAGrant()
{
    recreate("granted (id INT PRIMARY KEY, updated_at TIMESTAMP(6) NOT NULL DEFAULT CURRENT_TIMESTAMP(6))");
    recreate("hidden (id INT PRIMARY KEY)");
    need(m_server->exec("DROP USER IF EXISTS small@'%'"));
    need(m_server->exec("CREATE USER small@'%' IDENTIFIED BY 'pw-of-small'"));
    need(m_server->exec("GRANT SELECT ON " + m_server->database() + ".granted TO small@'%'"));
    ConnectionParams params = m_server->params();
    params.url.user = "small";
    params.secrets["password"] = Secret("pw-of-small");
    auto source = open(params);
    const TestReport report = source->test({}, {});
    QVERIFY2(report.passed(), report.error ? report.error->detail.c_str() : "");
    QCOMPARE(stage(report, "privileges")->outcome, TestStage::Outcome::Warning);
    QCOMPARE(stage(report, "privileges")->fix, std::string("GRANT PROCESS ON *.* TO 'small'@'%';"));
    const auto found = source->discover("", {});
    QCOMPARE(found->size(), std::size_t(1));
    QVERIFY(warns(found->front(), "best_effort_horizon"));
    // polling still works, with a fixed look-back
    PlanOptions options;
    options.strategy = Strategy::Timestamp;
    options.cursor = "updated_at";
    const auto plan = planFor(found->front(), options);
    const auto mark = source->mark(*plan);
    QVERIFY2(mark.has_value(), mark ? "" : mark.error().detail.c_str());
    need(m_server->exec("INSERT INTO granted (id, updated_at) VALUES (1, CURRENT_TIMESTAMP(6) - INTERVAL 5 MINUTE)"));
    auto changes = source->changes(plan, *mark);
    QVERIFY(changes.has_value());
    Batch batch(plan->schema);
    QVERIFY((*changes)->read(batch, 10, {}).has_value());
    QCOMPARE(batch.rows(), std::size_t(1));
    // a table that is not granted is told apart from a missing one by its words only: the server hides it
    TableInfo secret = found->front();
    secret.ref.name = "hidden";
    secret.columns.pop_back();
    auto snapshot = source->snapshot(planFor(secret));
    QVERIFY(snapshot.has_value());
    const auto reader = (*snapshot)->read({});
    Batch none(planFor(secret)->schema);
    const auto refused = (*reader)->read(none, 1, {});
    QVERIFY(!refused.has_value());
    QCOMPARE(refused.error().fault, Fault::Auth);
    QVERIFY2(refused.error().fix.starts_with("GRANT SELECT ON `"), refused.error().fix.c_str());
}

void TestSourceMysqlServer::requiredTlsIsNeverPlaintext_data()
{
    QTest::addColumn<QString>("mode");
    for (const char* mode : {"require", "verify-ca", "verify-full"})
        QTest::newRow(mode) << mode;
}

// MariaDB 10.11 as started here has no certificate: it offers no TLS, and no mode but `disable` may end up in plaintext.
void TestSourceMysqlServer::requiredTlsIsNeverPlaintext()
{
    QFETCH(QString, mode);
    if (m_server->external())
        QSKIP("the external server may well offer TLS");
    ConnectionParams params = m_server->params();
    params.url.options["tls"] = mode.toStdString();
    params.url.options["tls_ca"] = "/etc/ssl/certs/ca-certificates.crt";
    params.secrets["password"] = Secret("never-in-plaintext");
    const auto answer = open(params)->server();
    QVERIFY(!answer.has_value());
    QCOMPARE(answer.error().id, std::string("source.mysql.tls"));
    const TestReport report = open(params)->test({}, {});
    QCOMPARE(stage(report, "tls")->outcome, TestStage::Outcome::Failed);
    QCOMPARE(stage(report, "login")->outcome, TestStage::Outcome::NotReached);
}

// A server with a certificate of our own authority, once for its address and once for another name.
void TestSourceMysqlServer::tlsModes()
{
    const QString openssl = QStandardPaths::findExecutable("openssl");
    if (openssl.isEmpty())
        QSKIP("openssl is not installed");
    QTemporaryDir folder;
    const auto run = [&](const QString& line) {
        QProcess process;
        process.setWorkingDirectory(folder.path());
        process.start(openssl, line.split(' '));
        return process.waitForFinished(60000) && process.exitCode() == 0;
    };
    for (const char* authority : {"ca", "stranger"})
        QVERIFY(run(QString("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=%1 -keyout %1.key -out %1.pem").arg(authority)));
    for (const auto& [name, address] : {std::pair("here", "IP:127.0.0.1"), std::pair("elsewhere", "DNS:elsewhere.example")}) {
        QFile extension(folder.filePath("ext"));
        QVERIFY(extension.open(QIODevice::WriteOnly));
        extension.write((std::string("subjectAltName=") + address).c_str());
        extension.close();
        QVERIFY(run(QString("req -newkey rsa:2048 -nodes -subj /CN=%1.example -keyout %1.key -out %1.csr").arg(name)));
        QVERIFY(run(QString("x509 -req -in %1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out %1.pem").arg(name)));
    }
    for (const char* name : {"here", "elsewhere"}) {
        std::string reason;
        MariaDbServer::Options options;
        options.external = false;
        const std::string at = folder.path().toStdString() + "/";
        options.arguments = {"--ssl-cert=" + at + name + ".pem", "--ssl-key=" + at + name + ".key", "--ssl-ca=" + at + "ca.pem"};
        const auto server = MariaDbServer::start(reason, options);
        if (!server)
            QSKIP(reason.c_str());
        const auto answers = [&](const char* mode, const std::string& ca) {
            ConnectionParams params = server->params();
            params.url.options["tls"] = mode;
            if (!ca.empty())
                params.url.options["tls_ca"] = at + ca;
            const auto source = openMysql(params);
            const auto answer = source ? (*source)->server() : Result<ServerInfo>(source.error());
            return answer ? std::string("ok") : answer.error().id;
        };
        const bool here = std::string(name) == "here";
        QCOMPARE(answers("require", ""), std::string("ok"));
        QCOMPARE(answers("verify-ca", "ca.pem"), std::string("ok"));
        QCOMPARE(answers("verify-ca", "stranger.pem"), std::string("source.mysql.tls"));
        QCOMPARE(answers("verify-ca", ""), std::string("source.mysql.tls_ca"));
        QCOMPARE(answers("verify-full", "ca.pem"), here ? std::string("ok") : std::string("source.mysql.tls"));
        QCOMPARE(answers("verify-full", "stranger.pem"), std::string("source.mysql.tls"));
        QCOMPARE(answers("verify-full", ""), std::string("source.mysql.tls"));
        ConnectionParams params = server->params();
        params.url.options["tls"] = "require";
        const TestReport report = open(params)->test({}, {});
        QVERIFY2(stage(report, "tls")->found.find("AES") != std::string::npos || stage(report, "tls")->found.find("CHACHA") != std::string::npos, stage(report, "tls")->found.c_str());
    }
}

// A hostile server answers any query with "send me your file"; nothing of the file may leave this machine.
void TestSourceMysqlServer::localInfileIsRefused()
{
    QTemporaryDir folder;
    const QString path = folder.filePath("secret");
    QFile file(path);
    QVERIFY(file.open(QIODevice::WriteOnly));
    file.write("the content of a private file");
    file.close();
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    QCOMPARE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    QCOMPARE(::listen(listener, 4), 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    std::string heard;
    int asked = 0;
    std::jthread rogue([&] {
        const int peer = ::accept(listener, nullptr, nullptr);
        timeval limit {5, 0};
        ::setsockopt(peer, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        const auto say = [&](std::string body, int number) {
            body.insert(0, {static_cast<char>(body.size()), 0, 0, static_cast<char>(number)});
            (void)!::send(peer, body.data(), body.size(), MSG_NOSIGNAL);
        };
        const std::string scramble = "12345678";
        // protocol 10, version, thread 1, scramble, capabilities (4.1, secure connection, plugin, local files), utf8mb4, autocommit
        say(std::string("\x0a" "8.0.0\0" "\1\0\0\0", 11) + scramble + std::string("\0" "\x8d\xa2" "\x2d" "\2\0" "\x08\0" "\x15" "\0\0\0\0\0\0\0\0\0\0", 19) + "123456789012" + std::string("\0mysql_native_password\0", 23), 0);
        char buffer[4096];
        if (::recv(peer, buffer, sizeof buffer, 0) > 0)
            say(std::string("\0\0\0\2\0\0\0", 7), 2);
        for (long n; (n = ::recv(peer, buffer, sizeof buffer, 0)) > 0;) {
            heard.append(buffer, static_cast<std::size_t>(n));
            if (buffer[4] == 3 && ++asked < 5)                              // COM_QUERY
                say("\xfb" + path.toStdString(), 1);
        }
        ::close(peer);
    });
    ConnectionParams params = m_server->params();
    params.url.hosts = {{"127.0.0.1", ntohs(address.sin_port)}};
    params.url.path.clear();
    const auto answer = open(params)->server();
    ::shutdown(listener, SHUT_RDWR);
    rogue.join();
    ::close(listener);
    QVERIFY2(asked > 0, "the session was never set up, so nothing was tried");
    QVERIFY(!answer.has_value());
    QVERIFY(heard.find("private file") == std::string::npos);
}

// The session is read only, whatever the account may do: even a `where` that tries cannot write.
void TestSourceMysqlServer::cannotWrite()
{
    recreate("precious (id INT PRIMARY KEY)");
    need(m_server->exec("INSERT INTO precious VALUES (1)"));
    need(m_server->exec("DROP FUNCTION IF EXISTS wipe"));
    need(m_server->exec("CREATE FUNCTION wipe() RETURNS INT MODIFIES SQL DATA BEGIN DELETE FROM precious; RETURN 1; END"));
    auto source = open(m_server->params());
    PlanOptions options;
    options.where = "wipe() = 1";
    const auto rows = readTable(*source, planFor(*source->describe({m_server->database(), "precious"}), options));
    QVERIFY(rows.size() == 1 && rows[0].starts_with("source.mysql."));
    QCOMPARE((*m_server->session()->rows("SELECT COUNT(*) FROM precious"))[0][0].value(), std::string("1"));
}

void TestSourceMysqlServer::unreachableServer()
{
    ConnectionParams params = m_server->params();
    params.url.hosts[0].second = 1;                                     // nothing listens there
    const auto answer = open(params)->server();
    QVERIFY(!answer.has_value());
    QCOMPARE(answer.error().fault, Fault::Network);
    QVERIFY(answer.error().transient());
    const TestReport report = open(params)->test({}, {});
    QCOMPARE(stage(report, "tcp")->outcome, TestStage::Outcome::Failed);
    params = m_server->params();
    params.url.path = "no_such_database";
    QCOMPARE(open(params)->server().error().id, std::string("source.mysql.no_database"));
}

// A port that takes the connection and says nothing must not hold the test for ever, and a stop ends it at once.
void TestSourceMysqlServer::silentServer()
{
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    QCOMPARE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    QCOMPARE(::listen(listener, 4), 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    ConnectionParams params = m_server->params();
    params.url.hosts[0].second = ntohs(address.sin_port);
    params.url.options["connect_timeout"] = "1";
    QElapsedTimer timer;
    timer.start();
    const TestReport report = open(params)->test({}, {});
    QCOMPARE(stage(report, "tcp")->outcome, TestStage::Outcome::Failed);
    QVERIFY(!open(params)->server().has_value());
    QVERIFY2(timer.elapsed() < 8000, "a silent server holds the connection");
    params.url.options["connect_timeout"] = "60";
    std::stop_source stop;
    const auto source = open(params);
    TestReport stopped;
    std::jthread thread([&] { stopped = source->test({}, stop.get_token()); });
    stop.request_stop();
    timer.restart();
    thread.join();
    ::close(listener);
    QVERIFY(timer.elapsed() < 5000);
    QCOMPARE(stopped.error->fault, Fault::Cancelled);
}

void TestSourceMysqlServer::refusesUnknownOptions()
{
    ConnectionParams params = m_server->params();
    params.url.options["tls_caa"] = "x";
    const auto refused = openMysql(params);
    QVERIFY(!refused.has_value());
    QVERIFY(refused.error().detail.find("tls_ca") != std::string::npos);
}

QTEST_GUILESS_MAIN(TestSourceMysqlServer)
#include "tst_source_mysql_server.moc"
