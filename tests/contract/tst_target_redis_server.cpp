#include "tests/contract/redisfixture.h"
#include <signal.h>
using namespace millrace;
using namespace millrace::test;

class tst_target_redis_server : public QObject {
    Q_OBJECT
    std::unique_ptr<RedisServer> m_server;
    std::string m_reason;

private slots:
    void initTestCase()
    {
        m_server = RedisServer::start(m_reason);
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
        if (!m_server)
            return;
        (void)m_server->command({"CONFIG", "SET", "maxmemory", "0"});
        (void)m_server->command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
    }

    void hashForm()
    {
        Bench b(m_server->params(), "hashes");
        b.plan->schema = matrixSchema();
        b.plan->policies.assign(b.plan->schema->columns.size(), ValuePolicy::Null);
        b.plan->hash = true;
        b.prepare();
        Batch batch(b.plan->schema);
        fillMatrix(batch);
        batch.version = b.lease.epoch << 40 | 1;
        const Payload payload = b.encoded(batch);
        for (int turn = 0; turn < 2; ++turn) {                    // the second time the answer was lost
            const auto report = b.session()->write(payload, {});
            MUST(report);
            QCOMPARE(report->written, std::uint64_t(batch.rows()));
        }
        const auto forms = b.forms();
        QCOMPARE(forms.size(), batch.rows());
        for (std::size_t i = 0; i < batch.rows(); ++i) {
            std::string key, form;
            b.target->expected(*b.plan, batch.row(i), key, form);
            COMPARE_TEXT(forms.at(key), form);
        }
        const auto field = [&](const char* key, const char* name) { return must(m_server->command({"HGET", key, name})).front(); };
        QCOMPARE(must(m_server->command({"HLEN", "hashes:1"})).front(), std::optional<std::string>("1"));      // all but the key is NULL
        QCOMPARE(field("hashes:2", "c_int"), std::optional<std::string>("-9223372036854775808"));
        QCOMPARE(field("hashes:2", "c_text"), std::optional<std::string>(""));
        QCOMPARE(field("hashes:3", "c_bool"), std::optional<std::string>("true"));
        QCOMPARE(field("hashes:3", "c_bytes"), std::optional<std::string>("AP+AICciCg=="));
        QCOMPARE(field("hashes:4", "c_text"), std::optional<std::string>("null"));
        QCOMPARE(field("hashes:4", "c_json"), std::optional<std::string>("null"));
        QCOMPARE(field("hashes:3", "c_timestamp"), std::optional<std::string>("9999-12-31T23:59:59.999999Z"));
        QCOMPARE(field("hashes:8", "c_real"), std::optional<std::string>("NaN"));
        // fewer fields later: none of the former ones stays
        Bench small(m_server->params(), "smaller");
        small.plan->hash = true;
        small.prepare();
        MUST(small.session()->write(small.payload({{"1", "one"}, {"2", "two"}}, 1), {}));
        MUST(small.session()->write(small.payload({{"1", "NULL"}, {"2", "", Op::Delete}}, 10), {}));
        COMPARE_TEXT(small.forms().at("1"), std::string("id\x1f\"1\"\x1e"));
        QCOMPARE(small.forms().size(), 1u);
        QCOMPARE(must(m_server->command({"HGETALL", "smaller:1"})).size(), 2u);
    }

    void ttlOnDocumentAndCompanion()
    {
        for (const bool hash : {false, true}) {
            Bench b(m_server->params(), hash ? "ttlhash" : "ttl");
            b.plan->hash = hash;
            b.plan->ttlMs = 600'000;
            b.prepare();
            MUST(b.session()->write(b.payload({{"1", "one"}, {"2", "two"}}, 1), {}));
            for (const std::string& key : {b.plan->container + ":1", "{" + b.plan->container + ":1}:_mr"}) {
                const auto left = std::stoll(*must(m_server->command({"PTTL", key})).front());
                QVERIFY2(left > 500'000 && left <= 600'000, (key + " " + std::to_string(left)).c_str());
            }
            b.plan->ttlMs = 200;
            MUST(b.session()->write(b.payload({{"1", "short"}}, 10), {}));
            QVERIFY(eventually([&] { return b.forms().size() == 1; }));
            QCOMPARE(*b.target->countOwn(*b.plan), 1u);           // the registry still names it; the count does not
            b.plan->ttlMs = 0;
            MUST(b.session()->write(b.payload({{"2", "stays"}}, 20), {}));
            COMPARE_TEXT(*must(m_server->command({"PTTL", b.plan->container + ":2"})).front(), std::string("-1"));
            QCOMPARE(*b.target->deleteVersions(*b.plan, b.lease, 0, UINT64_MAX, {}), 1u);
            COMPARE_TEXT(*must(m_server->command({"SCARD", "_mr:keys:" + b.plan->container})).front(), std::string("0"));
        }
    }

    void aFullServerStopsTheTable()
    {
        Bench b(m_server->params(), "full");
        b.prepare();
        auto session = b.session();
        MUST(session->write(b.payload({{"1", "one"}}, 1), {}));
        must(m_server->command({"CONFIG", "SET", "maxmemory", "1mb"}));
        const Payload more = b.payload(manyRows(3000, "two"), 10);
        const auto refused = session->write(more, {});
        QVERIFY(!refused);
        COMPARE_TEXT(refused.error().id, std::string("target.redis.full"));
        QVERIFY(refused.error().fault == Fault::Storage && !refused.error().transient());
        QVERIFY(refused.error().detail.find("OOM") != std::string::npos && !refused.error().fix.empty());
        QCOMPARE(b.forms().size(), 1u);                           // all scripts were refused as a whole
        must(m_server->command({"CONFIG", "SET", "maxmemory", "0"}));
        const auto report = session->write(more, {});             // the answers were all read: the session is still good
        MUST(report);
        QCOMPARE(report->written, 3000u);
    }

    void evictionIsRefusedFirst()
    {
        must(m_server->command({"CONFIG", "SET", "maxmemory-policy", "allkeys-lru"}));
        Bench b(m_server->params(), "evicted");
        const auto refused = b.target->prepare(*b.plan, b.lease);
        QVERIFY(!refused);
        COMPARE_TEXT(refused.error().id, std::string("target.redis.evicts"));
        QVERIFY(refused.error().fault == Fault::Config && refused.error().fix.find("noeviction") != std::string::npos);
        const auto tested = b.target->test({}, {});
        const auto stage = std::find_if(tested.stages.begin(), tested.stages.end(), [](const TestStage& s) { return s.id == "memory"; });
        QVERIFY(tested.passed() && stage->outcome == TestStage::Outcome::Warning && !stage->fix.empty());
        auto params = m_server->params();
        params.url.options["eviction"] = "accept";
        Bench cache(params, "evicted");
        cache.prepare();
        QVERIFY(cache.target->durability().find("cache") != std::string::npos);
        must(m_server->command({"CONFIG", "SET", "maxmemory-policy", "volatile-ttl"}));
        Bench fine(m_server->params(), "volatile");
        fine.prepare();                                           // touches keys with a ttl alone
        fine.plan->ttlMs = 1000;
        QVERIFY(!fine.target->prepare(*fine.plan, fine.lease));
    }

    void keysOfOthersStay()
    {
        Bench b(m_server->params(), "intruder");
        b.prepare();
        must(m_server->command({"SET", "intruder:2", "mine"}));
        must(m_server->command({"LPUSH", "intruder:4", "a list"}));
        const auto report = b.session()->write(b.payload({{"1", "one"}, {"2", "two"}, {"3", "three"}, {"4", "", Op::Delete}}, 1), {});
        MUST(report);
        QCOMPARE(report->written, 2u);
        QCOMPARE(report->rejected.size(), 1u);
        QCOMPARE(report->rejected[0].row, 1u);
        COMPARE_TEXT(report->rejected[0].error.id, std::string("target.redis.foreign_key"));
        QCOMPARE(*b.target->deleteVersions(*b.plan, b.lease, 0, UINT64_MAX, {}), 2u);
        MUST(b.target->drop(*b.plan, b.lease));
        COMPARE_TEXT(*must(m_server->command({"GET", "intruder:2"})).front(), std::string("mine"));
        COMPARE_TEXT(*must(m_server->command({"TYPE", "intruder:4"})).front(), std::string("list"));
        for (const auto& key : must(m_server->command({"KEYS", "*intruder*"})))
            QVERIFY2(key->starts_with("intruder:") || *key == "_mr:lease:sync-intruder", key->c_str());       // nothing of ours is left
    }

    void rebuildLeavesNoOrphans_data()
    {
        QTest::addColumn<int>("before");
        QTest::addColumn<int>("after");
        QTest::newRow("in one step") << 2500 << 1200;
        QTest::newRow("in many steps") << 41'000 << 12'000;
    }
    void rebuildLeavesNoOrphans()
    {
        QFETCH(int, before);
        QFETCH(int, after);
        Bench b(m_server->params(), "rebuilt");
        b.prepare();
        MUST(b.session()->write(b.payload(manyRows(before, "old"), 1), {}));
        MUST(b.target->beginAside(*b.plan, b.lease));
        MUST(b.session()->write(b.payload(manyRows(after, "new"), 100'000), {}));
        MUST(b.target->promoteAside(*b.plan, b.lease));
        MUST(b.target->promoteAside(*b.plan, b.lease));           // the answer was lost: the same call again
        const auto forms = b.forms();
        QCOMPARE(forms.size(), std::size_t(after));
        for (const auto& [key, form] : forms)
            QVERIFY(form.find("new") != std::string::npos);
        COMPARE_TEXT(*must(m_server->command({"SCARD", "_mr:keys:rebuilt"})).front(), std::to_string(after));
        // documents, companions, one registry, one lease, nothing aside
        QCOMPARE(must(m_server->command({"KEYS", "*rebuilt*"})).size(), std::size_t(after + after + 2));
        QVERIFY(must(m_server->command({"KEYS", "*aside*"})).empty());
        MUST(b.target->drop(*b.plan, b.lease));
        QCOMPARE(must(m_server->command({"KEYS", "*rebuilt*"})).size(), std::size_t(1));                       // the lease remembers its epoch
    }

    void swapSurvivesDeath()
    {
        for (const bool foreign : {false, true}) {
            Bench b(m_server->params(), foreign ? "swapforeign" : "swap");
            if (foreign) {
                must(m_server->command({"SET", "swapforeign:9", "theirs"}));
                b.plan->ifExists = IfExists::Rebuild;
                QVERIFY(b.prepare().replaces);
                QVERIFY(!b.target->session(b.plan, b.lease, false));                                           // without a side there is nothing to write to
            } else {
                b.prepare();
                MUST(b.session()->write(b.payload({{"1", "old"}, {"8", "old"}, {"9", "old"}}, 1), {}));
            }
            MUST(b.target->beginAside(*b.plan, b.lease));
            MUST(b.session()->write(b.payload({{"1", "one"}, {"2", "two"}, {"3", "three"}}, 10), {}));
            // as a process leaves it that dies in the middle: begun, and one document moved
            const std::string c = b.plan->container;
            must(m_server->command({"SUNIONSTORE", "_mr:keys_old:" + c, "_mr:keys:" + c}));
            must(m_server->command({"DEL", "_mr:keys:" + c}));
            must(m_server->command({"HSET", "_mr:aside", c, (foreign ? "replacing " : "promoting ") + b.plan->sync}));
            must(m_server->command({"RENAME", "{" + c + ":2}:_mr:aside", c + ":2"}));
            must(m_server->command({"RENAME", "{" + c + ":2}:_mr:aside:_mr", "{" + c + ":2}:_mr"}));
            must(m_server->command({"SADD", "_mr:keys:" + c, c + ":2"}));
            must(m_server->command({"SREM", "_mr:keys_aside:" + c, "{" + c + ":2}:_mr:aside"}));
            b.plan->ifExists = IfExists::Stop;
            const auto prepared = b.target->prepare(*b.plan, b.lease);
            MUST(prepared);
            QCOMPARE(prepared->documents, 3u);
            const auto forms = b.forms(false);
            QCOMPARE(forms.size(), 3u);
            QVERIFY(forms.contains("1") && forms.contains("2") && forms.contains("3"));
            QVERIFY(forms.at("1").find("one") != std::string::npos);
            QVERIFY(must(m_server->command({"KEYS", "*aside*"})).empty() && must(m_server->command({"KEYS", "*keys_old*"})).empty());
        }
    }

    void scriptsThatAreGoneAreLoadedAgain()
    {
        Bench b(m_server->params(), "noscript");
        b.prepare();
        auto session = b.session();
        MUST(session->write(b.payload({{"1", "one"}}, 1), {}));
        must(m_server->command({"SCRIPT", "FLUSH"}));
        const auto report = session->write(b.payload(manyRows(2000, "again"), 10), {});
        MUST(report);
        QCOMPARE(report->written, 2000u);
        must(m_server->command({"SCRIPT", "FLUSH"}));
        MUST(b.target->heartbeat(b.lease));
        must(m_server->command({"SCRIPT", "FLUSH"}));
        MUST(b.target->beginAside(*b.plan, b.lease));
        MUST(b.target->promoteAside(*b.plan, b.lease));
    }

    void namesThatWouldMix()
    {
        Bench b(m_server->params(), "mix");
        b.prepare();
        Bench inner(m_server->params(), "mix:film");
        const auto refused = inner.target->prepare(*inner.plan, inner.lease);
        QVERIFY(!refused && refused.error().fault == Fault::Config);
        Bench apart(m_server->params(), "mixed");
        apart.prepare();
        Bench outer(m_server->params(), "shop:film");
        outer.prepare();
        Bench shop(m_server->params(), "shop");
        QVERIFY(!shop.target->prepare(*shop.plan, shop.lease));
    }

    void twoWritersMeet()
    {
        Bench b(m_server->params(), "meet");
        b.prepare();
        const Payload one = b.payload(manyRows(3000, "one"), 1), two = b.payload(manyRows(3000, "two"), 10'000);
        Result<WriteReport> reports[2] = {WriteReport {}, WriteReport {}};
        {
            std::jthread a([&] { reports[0] = b.session()->write(one, {}); });
            std::jthread c([&] { reports[1] = b.session()->write(two, {}); });
        }
        for (const auto& report : reports) {
            MUST(report);
            QCOMPARE(report->written + report->superseded, 3000u);
        }
        QCOMPARE(reports[1]->superseded, 0u);                     // the newer one always lands
        QCOMPARE(*b.target->countVersions(*b.plan, b.lease.epoch << 40 | 10'000, UINT64_MAX), 3000u);
    }

    void serverGone()
    {
        std::string reason;
        RedisServer::Options options;
        options.arguments = {"--appendonly", "yes", "--appendfsync", "always"};
        auto server = RedisServer::start(reason, options);
        QVERIFY2(server, reason.c_str());
        Bench b(server->params(), "gone");
        b.prepare();
        auto session = b.session();
        MUST(session->write(b.payload({{"1", "one"}}, 1), {}));
        server->kill9();
        const auto refused = session->write(b.payload({{"2", "two"}}, 2), {});
        QVERIFY(!refused && refused.error().transient());
        const auto report = b.target->test({}, {});
        QVERIFY(!report.passed() && report.error->fault == Fault::Network);
        COMPARE_TEXT(report.stages[1].id, std::string("tcp"));
        QVERIFY(report.stages[1].outcome == TestStage::Outcome::Failed && report.stages[2].outcome == TestStage::Outcome::NotReached);
        QVERIFY2(server->restart(reason), reason.c_str());
        (void)b.target->heartbeat(b.lease);                       // notices that its connection is gone
        MUST(b.target->heartbeat(b.lease));
        MUST(b.session()->write(b.payload({{"2", "two"}}, 2), {}));
        QCOMPARE(b.forms().size(), 2u);
    }

    void aServerThatHangs()
    {
        std::string reason;
        auto server = RedisServer::start(reason);
        QVERIFY2(server, reason.c_str());
        auto params = server->params();
        params.url.options["request_timeout_ms"] = "300";
        Bench b(params, "hangs");
        b.prepare();
        auto session = b.session();
        ::kill(server->pid(), SIGSTOP);
        const auto late = session->write(b.payload({{"1", "one"}}, 1), {});
        QVERIFY(!late && late.error().fault == Fault::Timeout);
        session = nullptr;
        std::stop_source stop;
        std::jthread asker([&] { std::this_thread::sleep_for(std::chrono::milliseconds(50)); stop.request_stop(); });
        ::kill(server->pid(), SIGCONT);
        session = b.session();
        ::kill(server->pid(), SIGSTOP);
        const auto stopped = session->write(b.payload({{"1", "one"}}, 1), stop.get_token());
        QVERIFY(!stopped && (stopped.error().fault == Fault::Cancelled || stopped.error().fault == Fault::Timeout));
        ::kill(server->pid(), SIGCONT);
        MUST(b.session()->write(b.payload({{"1", "one"}}, 1), {}));
    }

    void urls_data()
    {
        QTest::addColumn<QString>("url");
        QTest::addColumn<QString>("id");
        QTest::newRow("bad database") << "redis://h:1/shop" << "target.redis.database";
        QTest::newRow("bad number") << "redis://h/0?request_timeout_ms=soon" << "target.redis.option";
        QTest::newRow("user without password") << "redis://u@h/0" << "target.redis.no_password";
        QTest::newRow("files without encryption") << "redis://h/0?tls_ca=/etc/hostname" << "target.redis.tls";
        QTest::newRow("disabled under rediss") << "rediss://h/0?tls=disable" << "config.url_tls";
        QTest::newRow("fine") << "redis://h1:1,h2:2/3?sentinel=mymaster&eviction=accept&tls=verify-full" << "";
        QTest::newRow("ipv6") << "rediss://[::1]:6380/0" << "";
    }

    void urls()
    {
        QFETCH(QString, url);
        QFETCH(QString, id);
        ConnectionParams params;
        auto parsed = parseUrl(url.toStdString());
        MUST(parsed);
        params.url = *parsed;
        const auto target = openRedis(params);
        QCOMPARE(target ? QString() : QString::fromStdString(target.error().id), id);
        if (!target) {
            QVERIFY(target.error().fault == Fault::Config);
            QVERIFY(!target.error().fix.empty());
        }
    }
};

QTEST_GUILESS_MAIN(tst_target_redis_server)
#include "tst_target_redis_server.moc"
