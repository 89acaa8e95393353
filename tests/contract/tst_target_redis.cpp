#include "tests/contract/redisfixture.h"
#include <QCryptographicHash>
using namespace millrace;
using namespace millrace::test;

class tst_target_redis : public QObject {
    Q_OBJECT
    std::unique_ptr<RedisServer> m_server, m_closed;
    std::unique_ptr<RedisCluster> m_cluster;
    std::unique_ptr<RedisSentinels> m_sentinels;
    std::unique_ptr<Certificates> m_certificates;
    std::string m_reason, m_closedReason, m_clusterReason, m_sentinelReason;

    //! TLS and an ACL user with the least rights, as the fix of target.redis.privilege says it.
    ConnectionParams closedParams() const
    {
        auto params = m_closed->params();
        params.url.user = "app";
        params.secrets["password"] = Secret("s3cr3t/p@ss word");
        return params;
    }
    RedisFixture clusterFixture()
    {
        std::vector<const RedisServer*> nodes;
        for (std::size_t i = 0; i < m_cluster->nodes(); ++i)
            nodes.push_back(&m_cluster->node(i));
        return {m_cluster->params(), [this](const std::string& key, const std::vector<std::string>& words) { return m_cluster->command(key, words); }, nodes};
    }

private slots:
    void initTestCase()
    {
        m_server = RedisServer::start(m_reason);
        if (!m_server)
            QSKIP(m_reason.c_str());
        m_certificates = std::make_unique<Certificates>();
        if (m_certificates->made) {
            RedisServer::Options options;
            options.certificate = m_certificates->file("s.pem");
            options.key = m_certificates->file("s.key");
            options.ca = m_certificates->file("ca.pem");
            options.acl = "user default off\nuser admin on >adm ~* &* +@all\n"
                          "user app on #" + QCryptographicHash::hash("s3cr3t/p@ss word", QCryptographicHash::Sha256).toHex().toStdString()
                          + " ~* +@read +@write +@scripting +@connection +@transaction +info +time\n"
                          "user reader on >x12345 ~* +@read +@connection +info +time +evalsha +script|load\n"
                          "user elsewhere on >x12345 ~_mr:* ~other:* ~{other:*}* +@read +@write +@scripting +@connection +@transaction +info +time\n";
            options.user = "admin";
            options.password = "adm";
            m_closed = RedisServer::start(m_closedReason, options);
        } else
            m_closedReason = "openssl is not installed";
        m_cluster = RedisCluster::start(m_clusterReason);
        m_sentinels = RedisSentinels::start(m_sentinelReason);
    }
    void cleanupTestCase() { m_server.reset(); m_closed.reset(); m_cluster.reset(); m_sentinels.reset(); }
    void init()
    {
        if (!m_server)
            QSKIP(m_reason.c_str());
    }

    void contract_data() { contractRows(); }
    void contract()
    {
        auto fixture = fixtureOf(*m_server, 1);
        runContract(fixture);
    }

    void contractWithTlsAndAcl_data() { contractRows(); }
    void contractWithTlsAndAcl()
    {
        if (!m_closed)
            QSKIP(m_closedReason.c_str());
        RedisFixture fixture(closedParams(), [this](const std::string&, const std::vector<std::string>& words) { return m_closed->command(words); }, {m_closed.get()});
        runContract(fixture);
    }

    void contractOnACluster_data() { contractRows(); }
    void contractOnACluster()
    {
        if (!m_cluster)
            QSKIP(m_clusterReason.c_str());
        auto fixture = clusterFixture();
        runContract(fixture);
    }

    void contractThroughSentinels_data() { contractRows(); }
    void contractThroughSentinels()
    {
        if (!m_sentinels)
            QSKIP(m_sentinelReason.c_str());
        const RedisServer& primary = m_sentinels->server(0);
        RedisFixture fixture(m_sentinels->params(), [&](const std::string&, const std::vector<std::string>& words) { return primary.command(words); }, {&primary});
        runContract(fixture);
    }

    // Keys with braces have another hash tag than their companions would have by the usual rule.
    void braces_data()
    {
        QTest::addColumn<bool>("cluster");
        QTest::newRow("one server") << false;
        QTest::newRow("cluster") << true;
    }

    void braces()
    {
        QFETCH(bool, cluster);
        if (cluster && !m_cluster)
            QSKIP(m_clusterReason.c_str());
        Bench b(cluster ? m_cluster->params() : m_server->params(), "braces", true);
        b.prepare();
        const std::vector<std::string> keys = {"{", "}", "{}", "{a}", "{b}x", "x{a}y", "}{", "{{a}}", "a}b{c", "plain", "{a}:_mr", "{a}:_mr:aside", ":_mr", "", "{}:{z}"};
        std::vector<Bench::Row> rows;
        for (const auto& key : keys)
            rows.push_back({key, "title of " + key});
        const auto report = b.session()->write(b.payload(rows, 1), {});
        MUST(report);
        QCOMPARE(report->written, keys.size());
        QCOMPARE(b.forms().size(), keys.size());
        const auto late = b.session()->write(b.payload({{"{a}", "stale"}}, 0), {});
        MUST(late);
        QCOMPARE(late->superseded, 1u);
        MUST(b.target->beginAside(*b.plan, b.lease));
        rows.pop_back();
        MUST(b.session()->write(b.payload(rows, 100), {}));
        MUST(b.target->promoteAside(*b.plan, b.lease));
        const auto forms = b.forms(false);
        QCOMPARE(forms.size(), keys.size() - 1);
        for (const auto& row : rows)
            QVERIFY2(forms.at(row.id).find("title of") != std::string::npos, row.id.c_str());
        QCOMPARE(*b.target->deleteVersions(*b.plan, b.lease, 0, UINT64_MAX, {}), rows.size());
        QVERIFY(b.forms(false).empty());
    }

    void loginAndPrivileges()
    {
        if (!m_closed)
            QSKIP(m_closedReason.c_str());
        const auto fine = (*openRedis(closedParams()))->test({}, {});
        QVERIFY2(fine.passed(), fine.error ? fine.error->detail.c_str() : "");
        const auto with = [&](const std::string& user, const std::string& password) {
            auto params = closedParams();
            params.url.user = user;
            params.secrets.clear();
            if (!password.empty())
                params.secrets["password"] = Secret(password);
            return params;
        };
        const auto report = (*openRedis(with("app", "canary-7f3a")))->test({}, {});
        QVERIFY(!report.passed() && report.error->fault == Fault::Auth);
        COMPARE_TEXT(report.stages[3].id, std::string("login"));
        QVERIFY(report.stages[3].outcome == TestStage::Outcome::Failed && !report.stages[3].fix.empty());
        const auto acquired = (*openRedis(with("app", "canary-7f3a")))->acquire("s", "o", 0, {});
        QVERIFY(!acquired && acquired.error().fault == Fault::Auth);
        QVERIFY((acquired.error().detail + acquired.error().fix).find("canary") == std::string::npos);
        const auto nobody = (*openRedis(with("", "")))->test({}, {});
        QVERIFY(!nobody.passed() && nobody.error->fault == Fault::Auth);

        const auto readOnly = (*openRedis(with("reader", "x12345")))->test({}, {});
        QVERIFY(!readOnly.passed());
        COMPARE_TEXT(readOnly.error->id, std::string("target.redis.privilege"));
        QVERIFY2(readOnly.error->fix.find("ACL SETUSER reader ") != std::string::npos, readOnly.error->fix.c_str());
        // the keys of the table are not among the user's
        Bench b(with("elsewhere", "x12345"), "film");
        b.prepare();
        const auto refused = b.session()->write(b.payload({{"1", "one"}}, 1), {});
        QVERIFY(!refused);
        COMPARE_TEXT(refused.error().id, std::string("target.redis.privilege"));
        Bench other(with("elsewhere", "x12345"), "other");
        other.prepare();
        MUST(other.session()->write(other.payload({{"1", "one"}}, 1), {}));
        MUST(other.target->beginAside(*other.plan, other.lease));
        MUST(other.session()->write(other.payload({{"1", "one"}}, 1), {}));
        MUST(other.target->promoteAside(*other.plan, other.lease));
        MUST(other.target->drop(*other.plan, other.lease));
    }

    void encryption()
    {
        if (!m_closed)
            QSKIP(m_closedReason.c_str());
        const auto outcome = [&](const std::function<void(ConnectionParams&)>& change) {
            auto params = closedParams();
            change(params);
            auto target = openRedis(params);
            if (!target)
                return "refused: " + target.error().id;
            const auto report = (*target)->test({}, {});
            if (report.passed())
                return report.stages[2].found.substr(report.stages[2].found.find(';') + 2);
            for (const auto& stage : report.stages)
                if (stage.outcome == TestStage::Outcome::Failed)
                    return "failed at " + stage.id + ": " + report.error->id;
            return std::string("?");
        };
        COMPARE_TEXT(outcome([](auto&) {}), std::string("certificate and host name checked"));
        COMPARE_TEXT(outcome([&](auto& p) { p.url.options["tls_ca"] = m_certificates->file("other.pem"); }), std::string("failed at tls: target.redis.tls"));
        COMPARE_TEXT(outcome([](auto& p) { p.url.options.erase("tls_ca"); }), std::string("failed at tls: target.redis.tls"));
        COMPARE_TEXT(outcome([](auto& p) { p.url.hosts[0].first = "127.0.0.1"; }), std::string("failed at tls: target.redis.tls"));
        COMPARE_TEXT(outcome([](auto& p) { p.url.hosts[0].first = "127.0.0.1"; p.url.options["tls"] = "verify-ca"; }), std::string("certificate checked, host name not"));
        COMPARE_TEXT(outcome([&](auto& p) { p.url.options["tls"] = "require"; p.url.options["tls_ca"] = m_certificates->file("other.pem"); }),
                     std::string("the server's certificate is not checked"));
        COMPARE_TEXT(outcome([](auto& p) { p.url.options["tls_ca"] = "/does/not/exist"; }), std::string("refused: target.redis.tls_file"));
        COMPARE_TEXT(outcome([](auto& p) { p.url.scheme = "redis"; p.url.options["tls"] = "disable"; }), std::string("refused: target.redis.tls"));
        COMPARE_TEXT(outcome([](auto& p) { p.url.scheme = "redis"; p.url.options.erase("tls_ca"); }), std::string("failed at login: target.redis.connection"));
        COMPARE_TEXT(outcome([&](auto& p) { p.url.options["tls_cert"] = m_certificates->file("s.pem"); p.url.options["tls_key"] = m_certificates->file("s.key"); }),
                     std::string("certificate and host name checked"));
        // a plaintext server and a client that wants encryption: refused, not downgraded
        auto params = m_server->params();
        params.url.options["tls"] = "require";
        params.url.options["connect_timeout_ms"] = "2000";
        const auto report = (*openRedis(params))->test({}, {});
        QVERIFY(!report.passed());
        COMPARE_TEXT(report.error->id, std::string("target.redis.tls"));
    }

    void takeoverInAClusterWaits()
    {
        if (!m_cluster)
            QSKIP(m_clusterReason.c_str());
        auto params = m_cluster->params();
        params.url.options["request_timeout_ms"] = "2000";
        Bench b(params, "takeover");
        auto fixture = clusterFixture();
        fixture.ageLease(b.plan->sync, 29);
        auto other = openRedis(params);
        const auto early = (*other)->acquire(b.plan->sync, "other", 0, {});
        QVERIFY(!early && early.error().fault == Fault::Fenced);
        MUST(b.target->heartbeat(b.lease));
        fixture.ageLease(b.plan->sync, 36);                       // 30 s of the lease, 5 s for a heartbeat, 2 s for a request: one more second
        QElapsedTimer timer;
        timer.start();
        const auto taken = (*other)->acquire(b.plan->sync, "other", 0, {});
        MUST(taken);
        QVERIFY(timer.elapsed() >= 500);
        QVERIFY(taken->epoch > b.lease.epoch);
    }

    // MOVED and ASK: a slot goes to another node, with its keys, under an open session.
    void slotsThatMove()
    {
        if (!m_cluster)
            QSKIP(m_clusterReason.c_str());
        Bench b(m_cluster->params(), "moving");
        b.prepare();
        auto session = b.session();
        MUST(session->write(b.payload(manyRows(500, "one"), 1), {}));
        const std::string slot = *must(m_cluster->node(0).command({"CLUSTER", "KEYSLOT", "moving:7"})).front();
        std::size_t from = 0;
        while (must(m_cluster->node(from).command({"CLUSTER", "COUNTKEYSINSLOT", slot})).front() == "0")
            ++from;
        const std::size_t to = (from + 1) % 3;
        RedisServer &giver = m_cluster->node(from), &taker = m_cluster->node(to);
        const std::string giverId = *must(giver.command({"CLUSTER", "MYID"})).front(), takerId = *must(taker.command({"CLUSTER", "MYID"})).front();
        must(taker.command({"CLUSTER", "SETSLOT", slot, "IMPORTING", giverId}));
        must(giver.command({"CLUSTER", "SETSLOT", slot, "MIGRATING", takerId}));
        const auto keys = must(giver.command({"CLUSTER", "GETKEYSINSLOT", slot, "100"}));
        std::vector<std::string> migrate = {"MIGRATE", "127.0.0.1", std::to_string(taker.port()), "", "0", "5000", "KEYS"};
        for (const auto& key : keys)
            migrate.push_back(*key);
        must(giver.command(migrate));
        // all keys of the slot are at the taker, the slot is still the giver's: ASK
        const auto asked = session->write(b.payload(manyRows(500, "two"), 1000), {});
        MUST(asked);
        QCOMPARE(asked->written, 500u);
        for (std::size_t i = 0; i < 3; ++i)
            must(m_cluster->node((to + i) % 3).command({"CLUSTER", "SETSLOT", slot, "NODE", takerId}));
        const auto moved = session->write(b.payload(manyRows(500, "three"), 2000), {});
        MUST(moved);
        QCOMPARE(moved->written, 500u);
        const auto forms = b.forms();
        QCOMPARE(forms.size(), 500u);
        for (const auto& [key, form] : forms)
            QVERIFY(form.find("three") != std::string::npos);
        QCOMPARE(*b.target->countOwn(*b.plan), 500u);
    }

    // Last of those that use the Sentinels: the first primary dies in it.
    void aSwitchOfThePrimary()
    {
        if (!m_sentinels)
            QSKIP(m_sentinelReason.c_str());
        const auto replica = (*openRedis(m_sentinels->server(1).params()))->test({}, {});
        QVERIFY(!replica.passed());
        COMPARE_TEXT(replica.error->id, std::string("target.redis.not_primary"));
        auto wrong = m_sentinels->params();
        wrong.url.options["sentinel"] = "other";
        const auto unknown = (*openRedis(wrong))->test({}, {});
        QVERIFY(!unknown.passed());
        COMPARE_TEXT(unknown.error->id, std::string("target.redis.sentinel"));

        Bench b(m_sentinels->params(), "switch");
        b.prepare();
        auto session = b.session();
        const Payload rows = b.payload(manyRows(1000, "one"), 1);
        MUST(session->write(rows, {}));
        m_sentinels->server(0).kill9();
        const auto refused = session->write(rows, {});
        QVERIFY(!refused && refused.error().transient());
        QVERIFY(eventually([&] { return m_sentinels->primaryPort() == m_sentinels->server(1).port(); }));
        // what a run does after a network error: a new session, the same payload. What the switch lost comes back with it.
        QVERIFY(eventually([&] {
            auto again = b.target->acquire(b.plan->sync, "home", b.lease.epoch, {});
            if (!again)
                return false;
            b.lease = *again;
            return b.target->prepare(*b.plan, b.lease).has_value();
        }));
        MUST(b.session()->write(b.payload(manyRows(1000, "two"), 1), {}));
        QCOMPARE(b.forms().size(), 1000u);
    }
};

QTEST_GUILESS_MAIN(tst_target_redis)
#include "tst_target_redis.moc"
