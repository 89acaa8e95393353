#include "tests/support/searchfixture.h"
#include <QTemporaryDir>
#include <QtTest>
#include <fstream>

using namespace millrace;
using namespace millrace::test;

#define MUST(result) do { const auto& must_ = (result); QVERIFY2(must_, must_ ? "" : (must_.error().id + ": " + must_.error().detail).c_str()); } while (false)

//! A real Elasticsearch 8.19 with security: TLS with its own CA, users, API keys. It has neither scaled_float nor unsigned_long.
class TstTargetElasticsearch : public QObject {
    Q_OBJECT
private slots:
    void initTestCase()
    {
        SearchServer::Options options;
        options.kind = "elasticsearch";
        options.security = true;
        std::string reason;
        m_server = SearchServer::start(reason, options);
        if (!m_server)
            QSKIP(reason.c_str());
        const auto key = m_server->request("POST", "/_security/api_key", R"({"name":"writer","role_descriptors":{"writer":{"cluster":["monitor"],
            "indices":[{"names":["*"],"privileges":["create_index","manage","read","write"]}]}}})");
        QCOMPARE(key.status, 200L);
        m_key = key.json["id"].string() + ":" + key.json["api_key"].string();
    }
    void cleanupTestCase() { m_server.reset(); }

    //! The whole suite, logged in by an API key that may do no more than the documentation asks for.
    void contract_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < targetChecks().size(); ++i)
            QTest::newRow(targetChecks()[i].name.c_str()) << static_cast<int>(i);
    }
    void contract()
    {
        QFETCH(int, index);
        SearchFixture fixture(*m_server, byKey(m_key));
        const CheckResult result = targetChecks()[static_cast<std::size_t>(index)].run(fixture);
        if (result.outcome == CheckResult::Outcome::Skipped)
            QSKIP(result.text.c_str());
        QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.c_str());
    }

    void missingTypesBecomeTheNextBest()
    {
        const auto c = SearchBench::column;
        SearchBench b(m_server->params(), "next_best", {c("id", Type::Int, {}, 64, 0, 0), c("price", Type::Decimal, "decimal(10,2)", 64, 10, 2), c("large", Type::Uint, "bigint unsigned", 64, 0, 0)});
        const auto& columns = b.plan->schema->columns;
        QVERIFY(b.target->carryNote(columns[1]).find("no scaled_float") != std::string::npos);
        QVERIFY(b.target->carryNote(columns[2]).find("no unsigned_long") != std::string::npos);
        MUST(b.target->prepare(*b.plan, b.lease));
        const Node fields = m_server->request("GET", "/next_best").json.fields()[0].second["mappings"]["properties"];
        QCOMPARE(fields["price"]["type"].string(), std::string("keyword"));
        QCOMPARE(fields["large"]["type"].string(), std::string("keyword"));
        MUST(b.target->prepare(*b.plan, b.lease));
    }

    void encodedKeyServesToo()
    {
        const TestReport report = stages(byKey(base64(m_key)));
        QVERIFY2(report.passed(), report.error ? report.error->detail.c_str() : "");
        QCOMPARE(report.server.engine, std::string("elasticsearch"));
        QCOMPARE(report.server.version, std::string("8.19.13"));
    }

    void whoMayNotIsTold_data()
    {
        QTest::addColumn<QString>("stage");
        QTest::addColumn<QString>("id");
        QTest::newRow("wrong password") << "login" << "login";
        QTest::newRow("no login") << "login" << "login";
        QTest::newRow("reads only") << "privileges" << "privilege";
        QTest::newRow("unknown CA") << "tls" << "tls";
        QTest::newRow("other host") << "dns" << "unknown_host";
        QTest::newRow("plain HTTP") << "tcp" << "connection_closed";
    }
    void whoMayNotIsTold()
    {
        QFETCH(QString, stage);
        QFETCH(QString, id);
        ConnectionParams params = m_server->params();
        QTemporaryDir folder;
        const std::string tag = QTest::currentDataTag(), canary = "not-the-pa55word";
        if (tag == "wrong password") params.secrets["password"] = Secret(canary);
        else if (tag == "no login") { params.secrets.clear(); params.url.user.clear(); }
        else if (tag == "reads only") {
            QCOMPARE(m_server->request("PUT", "/_security/role/reader", R"({"cluster":["monitor"],"indices":[{"names":["*"],"privileges":["read"]}]})").status, 200L);
            QCOMPARE(m_server->request("PUT", "/_security/user/reader", R"({"password":")" + canary + R"(","roles":["reader"]})").status, 200L);
            params.url.user = "reader";
            params.secrets["password"] = Secret(canary);
        } else if (tag == "unknown CA") params.url.options.erase("tls_ca");
        else if (tag == "other host") params.url.hosts[0].first = "nobody.invalid";
        else {
            params.url.options = {{"tls", "disable"}};
        }
        const TestReport report = stages(params);
        QVERIFY(!report.passed());
        QCOMPARE(QString::fromStdString(report.error->id), "target.elasticsearch." + id);
        for (const TestStage& s : report.stages) {
            QCOMPARE(s.outcome == TestStage::Outcome::Failed, QString::fromStdString(s.id) == stage);
            QVERIFY(s.found.find(canary) == std::string::npos && s.fix.find(canary) == std::string::npos);
        }
        QVERIFY(!report.error->fix.empty());
    }

    void writerWithoutRightsStopsTheTable()
    {
        const auto c = SearchBench::column;
        SearchBench b(m_server->params(), "revoked", {c("id", Type::Int, {}, 64, 0, 0), c("n", Type::Int, {}, 64, 0, 0)});
        MUST(b.target->prepare(*b.plan, b.lease));
        const auto key = m_server->request("POST", "/_security/api_key", R"({"name":"reader","role_descriptors":{"r":{"cluster":["monitor"],"indices":[{"names":["*"],"privileges":["read","view_index_metadata"]}]}}})");
        auto reader = openSearch(byKey(key.json["id"].string() + ":" + key.json["api_key"].string()));
        MUST(reader);
        auto session = (*reader)->session(b.plan, b.lease, false);
        MUST(session);
        const auto done = (*session)->write(b.payload({{1, Cell::integer(1)}}), {});
        QVERIFY(!done && done.error().fault == Fault::Auth);
        QCOMPARE(done.error().id, std::string("target.elasticsearch.privilege"));
        QCOMPARE(m_server->request("GET", "/revoked/_doc/1").status, 404L);
    }

private:
    ConnectionParams byKey(const std::string& key) const
    {
        ConnectionParams params = m_server->params();
        params.url.user.clear();
        params.secrets.clear();
        params.secrets["api_key"] = Secret(key);
        return params;
    }
    static TestReport stages(const ConnectionParams& params)
    {
        auto target = openSearch(params);
        if (!target)
            qFatal("%s", target.error().detail.c_str());
        return (*target)->test(nullptr, {});
    }
    std::unique_ptr<SearchServer> m_server;
    std::string m_key;
};

QTEST_APPLESS_MAIN(TstTargetElasticsearch)
#include "tst_target_elasticsearch.moc"
