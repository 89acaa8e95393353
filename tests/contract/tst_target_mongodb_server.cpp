#include "tests/contract/mongobench.h"
#include <QProcess>
#include <QTemporaryDir>

using namespace millrace;
using namespace millrace::test;

// Networks, elections, leases, logins and encryption, and what stands in the database besides the rows.
class tst_target_mongodb_server : public QObject {
    Q_OBJECT
    std::unique_ptr<MongoServer> m_server;
    std::string m_reason;

private slots:
    void initTestCase()
    {
        m_server = MongoServer::start(m_reason);
        if (!m_server)
            QSKIP(m_reason.c_str());
    }
    void cleanupTestCase() { m_server.reset(); }
    void init()
    {
        if (!m_server)
            QSKIP(m_reason.c_str());
    }
    void cleanup()
    {
        if (m_server)
            (void)m_server->command("admin", R"({"configureFailPoint": "failCommand", "mode": "off"})");
    }

    void lostConnection()
    {
        Bench b(m_server->params("own"), "lost");
        b.prepare();
        for (const bool insertOnly : {true, false}) {
            const Payload payload = b.payload({{1, "one"}, {2, "two"}}, 1);
            // once: the driver itself tries again; as long as it lasts: a transient error, and a new session goes on
            auto session = b.session(insertOnly);
            MUST(m_server->failPoint("failCommand", R"({"times": 1})", R"({"failCommands": ["insert", "update"], "closeConnection": true, "appName": "millrace"})"));
            auto once = session->write(payload, {});
            if (!once) {
                QVERIFY2(once.error().transient(), once.error().detail.c_str());
                once = b.session(insertOnly)->write(payload, {});
            }
            MUST(once);
            MUST(m_server->failPoint("failCommand", R"("alwaysOn")", R"({"failCommands": ["insert", "update"], "closeConnection": true, "appName": "millrace"})"));
            const auto down = b.session(insertOnly)->write(payload, {});
            QVERIFY(!down && down.error().transient());
            cleanup();
            const auto up = b.session(insertOnly)->write(payload, {});
            MUST(up);
            QCOMPARE(up->written, 2u);
        }
        QCOMPARE(b.forms().size(), 2u);
    }

    // The server does the write, the answer comes too late: the same payload again changes nothing.
    void lostAnswer()
    {
        auto params = m_server->params("own");
        Bench b(params, "late");
        b.prepare();
        params.url.options["socketTimeoutMS"] = "300";
        params.url.options["retryWrites"] = "false";
        auto impatient = openMongodb(params);
        const Payload payload = b.payload({{1, "one"}, {2, "two"}, {3, "three"}}, 1);
        auto session = (*impatient)->session(b.plan, b.lease, true);
        MUST(session);
        MUST(m_server->failPoint("failCommand", R"({"times": 1})", R"({"failCommands": ["insert"], "blockConnection": true, "blockTimeMS": 900, "appName": "millrace"})"));
        const auto late = (*session)->write(payload, {});
        QVERIFY(!late && late.error().transient());
        QTRY_COMPARE_WITH_TIMEOUT(m_server->documents("own", "late").value().size(), 3u, 10'000);
        const auto before = m_server->documents("own", "late").value();
        const auto again = b.session(true)->write(payload, {});
        MUST(again);
        QCOMPARE(again->written, 3u);
        QVERIFY(m_server->documents("own", "late").value() == before);
    }

    void elections()
    {
        Bench b(m_server->params("own"), "elections");
        b.prepare();
        for (const int code : {91, 189, 10107, 11602}) {
            MUST(m_server->failPoint("failCommand", R"("alwaysOn")", R"({"failCommands": ["update"], "errorCode": )" + std::to_string(code) + R"(, "appName": "millrace"})"));
            const auto refused = b.session()->write(b.payload({{1, "one"}}, 1), {});
            QVERIFY(!refused);
            QVERIFY2(refused.error().transient(), refused.error().id.c_str());
            cleanup();
        }
        MUST(b.session()->write(b.payload({{1, "one"}}, 1), {}));
    }

    // Invariant 1: what no majority holds in its journal is not written, whatever the counters say.
    void writeConcernNotMet()
    {
        Bench b(m_server->params("own"), "concern");
        b.prepare();
        for (const char* command : {"insert", "update", "delete"}) {
            const bool insertOnly = std::string(command) == "insert";
            MUST(m_server->failPoint("failCommand", R"({"times": 1})", R"({"failCommands": [")" + std::string(command)
                                     + R"("], "writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"}, "appName": "millrace"})"));
            const Payload payload = b.payload({{1, "one", std::string(command) == "delete" ? Op::Delete : Op::Upsert}}, 10);
            const auto report = b.session(insertOnly)->write(payload, {});
            QVERIFY(!report);
            COMPARE_TEXT(report.error().id, "target.mongodb.not_acknowledged");
            QVERIFY(report.error().transient());
            MUST(b.session(insertOnly)->write(payload, {}));
        }
        auto params = m_server->params("own");
        params.url.options["w"] = "3";
        auto three = openMongodb(params);
        auto session = (*three)->session(b.plan, b.lease, false);
        MUST(session);
        const auto report = (*session)->write(b.payload({{5, "five"}}, 20), {});
        QVERIFY(!report);
        COMPARE_TEXT(report.error().id, "target.mongodb.write_concern");
        QVERIFY(!report.error().transient() && !report.error().fix.empty());
        QVERIFY(!(*three)->test({}, {}).passed());
    }

    void serverGone()
    {
        std::string reason;
        auto server = MongoServer::start(reason);
        QVERIFY2(server, reason.c_str());
        Bench b(server->params("own"), "gone");
        b.prepare();
        auto session = b.session(true);
        MUST(session->write(b.payload({{1, "one"}}, 1), {}));
        server->kill9();
        const auto refused = session->write(b.payload({{2, "two"}}, 2), {});
        QVERIFY(!refused && refused.error().transient());
        const auto report = b.target->test({}, {});
        QVERIFY(!report.passed() && report.error->fault == Fault::Network);
        COMPARE_TEXT(report.stages[1].id, "tcp");
        QVERIFY(report.stages[1].outcome == TestStage::Outcome::Failed && report.stages[2].outcome == TestStage::Outcome::NotReached);
        MUST(server->restart());
        MUST(b.target->heartbeat(b.lease));                       // the target finds its way back by itself
        MUST(b.session(true)->write(b.payload({{2, "two"}}, 2), {}));
        const auto forms = b.forms();                             // journaled means that kill -9 lost nothing
        QCOMPARE(forms.size(), 2u);
    }

    void takeoverWaitsForWhatIsOnItsWay()
    {
        auto params = m_server->params("own");
        params.url.options["socketTimeoutMS"] = "27000";
        Bench b(params, "takeover");
        MongoFixture fixture(*m_server, "own");
        fixture.ageLease(b.plan->sync, 29);
        auto other = openMongodb(params);
        const auto early = (*other)->acquire(b.plan->sync, "other", 0, {});
        QVERIFY(!early && early.error().fault == Fault::Fenced);
        QVERIFY(early.error().detail.find("home") != std::string::npos);
        MUST(b.target->heartbeat(b.lease));
        fixture.ageLease(b.plan->sync, 31);                       // 27 s for a request and 5 s for a heartbeat: one more second
        QElapsedTimer timer;
        timer.start();
        const auto taken = (*other)->acquire(b.plan->sync, "other", 0, {});
        MUST(taken);
        QVERIFY(timer.elapsed() >= 500);
        QVERIFY(taken->epoch > b.lease.epoch);
        std::stop_source stop;
        stop.request_stop();
        const auto stopped = (*other)->acquire("another", "x", 0, stop.get_token());
        QVERIFY(!stopped && stopped.error().fault == Fault::Cancelled);
    }

    void swapSurvivesDeath()
    {
        Bench b(m_server->params("own"), "swap");
        MongoFixture(*m_server, "own").putForeign("swap", "9");
        b.plan->ifExists = IfExists::Rebuild;
        QVERIFY(b.target->prepare(*b.plan, b.lease)->replaces);
        const auto unguarded = b.target->session(b.plan, b.lease, false);
        QVERIFY(!unguarded);                                      // without a side container there is nothing to write to
        MUST(b.target->beginAside(*b.plan, b.lease));
        MUST(b.session(true)->write(b.payload({{1, "one"}}, 1), {}));
        const auto entry = m_server->documents("own", "_mr_registry", R"({"_id": "aside:swap"})").value().at(0);
        MUST(b.target->promoteAside(*b.plan, b.lease));
        // as if the process had died right after the rename
        MUST(m_server->command("own", R"({"delete": "_mr_registry", "deletes": [{"q": {"_id": "table:swap"}, "limit": 1}]})"));
        MUST(m_server->command("own", R"({"insert": "_mr_registry", "documents": [)" + entry + "]}"));
        MUST(b.target->promoteAside(*b.plan, b.lease));           // the answer was lost: the same call again
        MUST(m_server->command("own", R"({"delete": "_mr_registry", "deletes": [{"q": {"_id": "table:swap"}, "limit": 1}]})"));
        MUST(m_server->command("own", R"({"insert": "_mr_registry", "documents": [)" + entry + "]}"));
        b.plan->ifExists = IfExists::Stop;
        const auto prepared = b.target->prepare(*b.plan, b.lease);
        MUST(prepared);
        QVERIFY(!prepared->replaces && prepared->documents == 1);
        QCOMPARE(b.forms().size(), 1u);
    }

    void summaryForOtherTools()
    {
        Bench b(m_server->params("own"), "summary");
        b.prepare();
        for (const std::uint64_t records : {5, 7})
            MUST(b.target->saveSummary(b.lease, {"summary", "summary", "incremental", "success", "2026-11-21T03:30:41.120Z", records, 1.5}));
        const auto found = m_server->documents("own", "_sync_metadata", R"({"table_name": "summary"})").value();
        QCOMPARE(found.size(), 1u);
        const std::string text = without(found[0], ' ');
        for (const char* part : {R"("sync_type":"incremental")", R"("records_synced":{"$numberLong":"7"})", R"("status":"success")", R"("duration_seconds":{"$numberDouble":"1.5"})",
                                 R"("last_sync_time":"2026-11-21T03:30:41.120Z")", R"("timestamp":{"$date")"})
            QVERIFY2(text.find(part) != std::string::npos, (std::string(part) + " in " + text).c_str());
        MUST(b.target->drop(*b.plan, b.lease));
        QVERIFY(m_server->documents("own", "_sync_metadata", R"({"table_name": "summary"})").value().empty());
        QVERIFY(m_server->documents("own", "_mr_registry", R"({"_id": "table:summary"})").value().empty());
    }

    void viewsAreNotWrittenTo()
    {
        Bench b(m_server->params("own"), "aview");
        MUST(m_server->command("own", R"({"create": "aview", "viewOn": "something", "pipeline": []})"));
        b.plan->ifExists = IfExists::Write;
        const auto refused = b.target->prepare(*b.plan, b.lease);
        QVERIFY(!refused && refused.error().fault == Fault::Config);
    }

    void loginAndPrivileges()
    {
        std::string reason;
        MongoServer::Options options;
        options.user = "root";
        options.password = "s3cr3t/p@ss word";
        auto server = MongoServer::start(reason, options);
        QVERIFY2(server, reason.c_str());
        auto good = openMongodb(server->params("shop"));
        const auto fine = (*good)->test({}, {});
        QVERIFY2(fine.passed(), fine.error ? fine.error->detail.c_str() : "");

        auto wrong = server->params("shop");
        wrong.secrets["password"] = Secret("canary-7f3a");
        auto locked = openMongodb(wrong);
        const auto report = (*locked)->test({}, {});
        QVERIFY(!report.passed());
        QVERIFY(report.error->fault == Fault::Auth);
        COMPARE_TEXT(report.stages[3].id, "login");
        QVERIFY(report.stages[3].outcome == TestStage::Outcome::Failed && !report.stages[3].fix.empty());
        const auto acquired = (*locked)->acquire("s", "o", 0, {});
        QVERIFY(!acquired && acquired.error().fault == Fault::Auth);
        QVERIFY((acquired.error().detail + acquired.error().fix).find("canary") == std::string::npos);

        auto anonymous = server->params("shop");
        anonymous.url.user.clear();
        anonymous.url.options.erase("authSource");
        anonymous.secrets.clear();
        const auto nobody = (*openMongodb(anonymous))->test({}, {});
        QVERIFY(!nobody.passed() && nobody.error->fault == Fault::Auth);

        MUST(server->command("admin", R"({"createUser": "reader", "pwd": "x12345", "roles": [{"role": "read", "db": "shop"}]})"));
        MUST(server->command("admin", R"({"createUser": "writer", "pwd": "x12345", "roles": [{"role": "readWrite", "db": "shop"}]})"));
        auto reader = server->params("shop");
        reader.url.user = "reader";
        reader.secrets["password"] = Secret("x12345");
        const auto readOnly = (*openMongodb(reader))->test({}, {});
        QVERIFY(!readOnly.passed());
        COMPARE_TEXT(readOnly.error->id, "target.mongodb.privilege");
        QVERIFY(readOnly.error->fix.find("grantRolesToUser(\"reader\"") != std::string::npos);
        const auto refused = (*openMongodb(reader))->acquire("s", "o", 0, {});
        QVERIFY(!refused && refused.error().fault == Fault::Auth && !refused.error().fix.empty());
        auto writer = reader;
        writer.url.user = "writer";
        const auto enough = (*openMongodb(writer))->test({}, {});
        QVERIFY2(enough.passed(), enough.error ? enough.error->detail.c_str() : "");
        MongoFixture fixture(*server, "shop");
        Bench b(writer, "film");                                  // and readWrite is enough for everything
        b.prepare();
        MUST(b.target->beginAside(*b.plan, b.lease));
        MUST(b.session(true)->write(b.payload({{1, "one"}}, 1), {}));
        MUST(b.target->promoteAside(*b.plan, b.lease));
        MUST(b.target->drop(*b.plan, b.lease));
    }

    void encryption()
    {
        QTemporaryDir folder;
        const auto openssl = [&](const QString& arguments) {
            QProcess process;
            process.setWorkingDirectory(folder.path());
            process.start("openssl", QProcess::splitCommand(arguments));
            return process.waitForFinished(30'000) && process.exitCode() == 0;
        };
        const auto file = [&](const char* name) { return folder.filePath(name).toStdString(); };
        const auto write = [&](const char* name, const QByteArray& bytes) { QFile f(folder.filePath(name)); QVERIFY(f.open(QIODevice::WriteOnly)); f.write(bytes); };
        const auto read = [&](const char* name) { QFile f(folder.filePath(name)); return f.open(QIODevice::ReadOnly) ? f.readAll() : QByteArray(); };
        write("san", "subjectAltName=DNS:localhost\n");
        if (!openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca"))
            QSKIP("openssl is not installed");
        QVERIFY(openssl("req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other"));
        QVERIFY(openssl("req -newkey rsa:2048 -nodes -keyout s.key -out s.csr -subj /CN=localhost"));
        QVERIFY(openssl("x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out s.pem"));
        write("server.pem", read("s.pem") + read("s.key"));
        MongoServer::Options options;
        options.certificate = file("server.pem");
        options.ca = file("ca.pem");
        std::string reason;
        auto server = MongoServer::start(reason, options);
        QVERIFY2(server, reason.c_str());
        const auto outcome = [&](const std::function<void(ConnectionParams&)>& change) {
            auto params = server->params("shop");
            params.url.options.erase("replicaSet");
            change(params);
            auto target = openMongodb(params);
            if (!target)
                return std::string("refused: ") + target.error().id;
            const auto report = (*target)->test({}, {});
            if (report.passed())
                return report.stages[2].found;
            std::string at;
            for (const auto& stage : report.stages)
                if (stage.outcome == TestStage::Outcome::Failed) at = stage.id;
            return "failed at " + at + ": " + report.error->id;
        };
        COMPARE_TEXT(outcome([](auto&) {}), std::string("encrypted; certificate and host name checked"));
        COMPARE_TEXT(outcome([&](auto& p) { p.url.options["tls_ca"] = file("other.pem"); }), std::string("failed at tls: target.mongodb.tls"));
        COMPARE_TEXT(outcome([](auto& p) { p.url.hosts[0].first = "127.0.0.1"; }), std::string("failed at tls: target.mongodb.tls"));
        COMPARE_TEXT(outcome([](auto& p) { p.url.hosts[0].first = "127.0.0.1"; p.url.options["tls"] = "verify-ca"; }), std::string("encrypted; certificate checked, host name not"));
        COMPARE_TEXT(outcome([&](auto& p) { p.url.options["tls"] = "verify-ca"; p.url.options["tls_ca"] = file("other.pem"); }), std::string("failed at tls: target.mongodb.tls"));
        COMPARE_TEXT(outcome([&](auto& p) { p.url.options["tls"] = "require"; p.url.options["tls_ca"] = file("other.pem"); }),
                     std::string("encrypted; the server's certificate is not checked"));
        QVERIFY(outcome([](auto& p) { p.url.options["tls"] = "disable"; p.url.options.erase("tls_ca"); }).starts_with("failed at tls: target.mongodb."));
        COMPARE_TEXT(outcome([](auto& p) { p.url.options["tls"] = "disable"; }), std::string("refused: target.mongodb.tls"));
        COMPARE_TEXT(outcome([](auto& p) { p.url.options["tls_ca"] = "/does/not/exist"; }), std::string("refused: target.mongodb.tls_file"));
        COMPARE_TEXT(outcome([&](auto& p) { p.url.options["tls_cert"] = file("s.pem"); p.url.options["tls_key"] = file("s.key"); }),
                     std::string("encrypted; certificate and host name checked"));
        // plaintext server, client that wants encryption: refused, not downgraded
        auto params = m_server->params("shop");
        params.url.options["tls"] = "require";
        params.url.options.erase("replicaSet");
        const auto report = (*openMongodb(params))->test({}, {});
        QVERIFY(!report.passed());
    }

    void urls_data()
    {
        QTest::addColumn<QString>("url");
        QTest::addColumn<QString>("id");
        QTest::newRow("no database") << "mongodb://h:1" << "target.mongodb.no_database";
        QTest::newRow("w=0") << "mongodb://h/db?w=0" << "target.mongodb.write_concern";
        QTest::newRow("unknown option") << "mongodb://h/db?replicaset=rs0" << "config.url_option";
        QTest::newRow("bad number") << "mongodb://h/db?socketTimeoutMS=soon" << "target.mongodb.option";
        QTest::newRow("bad database") << "mongodb://h/d$b" << "target.mongodb.database_name";
        QTest::newRow("fine") << "mongodb://u@h1:1,h2:2/db?replicaSet=rs0&w=2&journal=true&authSource=admin&authMechanism=SCRAM-SHA-256&readPreference=secondary&tls=true" << "";
        QTest::newRow("ipv6") << "mongodb://[::1]:27018/db" << "";
    }
    void urls()
    {
        QFETCH(QString, url);
        QFETCH(QString, id);
        ConnectionParams params;
        auto parsed = parseUrl(url.toStdString());
        MUST(parsed);
        params.url = *parsed;
        const auto target = openMongodb(params);
        QCOMPARE(target ? QString() : QString::fromStdString(target.error().id), id);
        if (!target) {
            QVERIFY(target.error().fault == Fault::Config);
            QVERIFY(!target.error().fix.empty());
        }
    }
};

QTEST_GUILESS_MAIN(tst_target_mongodb_server)
#include "tst_target_mongodb_server.moc"
