#include "core/data/value.h"
#include "core/target/redis/redistarget.h"
#include "tests/support/redisserver.h"
#include "tests/support/targetcontract.h"
#include <QCryptographicHash>
#include <QElapsedTimer>
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <functional>
#include <map>
#include <signal.h>
#include <thread>

using namespace millrace;
using namespace millrace::test;

namespace {

#define COMPARE_TEXT(a, b) QCOMPARE(QString::fromStdString(a), QString::fromStdString(b))
#define MUST(result) do { const auto& must_ = (result); QVERIFY2(must_, must_ ? "" : (must_.error().id + ": " + must_.error().detail).c_str()); } while (false)

using Words = RedisServer::Words;
using Client = std::function<Result<Words>(const std::string& key, const std::vector<std::string>& arguments)>;

Words must(const Result<Words>& words)
{
    if (!words)
        qFatal("%s", words.error().detail.c_str());
    return *words;
}

std::string glob(const std::string& text)
{
    std::string out;
    for (const char c : text) {
        if (std::string("*?[]\\^").find(c) != std::string::npos) out += '\\';
        out += c;
    }
    return out;
}

class RedisFixture final : public TargetFixture {
public:
    //! `client` sends a command to the node that has the key; `nodes` are asked for keys.
    RedisFixture(ConnectionParams params, Client client, std::vector<const RedisServer*> nodes, int database = 0)
        : m_params(std::move(params)), m_client(std::move(client)), m_nodes(std::move(nodes)), m_database(database) {}

    Result<std::unique_ptr<Target>> open() override { return openRedis(m_params); }
    bool exists(const std::string& container) override { return !keys(container).empty(); }
    std::vector<RawDocument> documents(const std::string& container) override
    {
        std::vector<RawDocument> out;
        for (const std::string& key : keys(container))
            out.push_back({key.substr(container.size() + 1), must(m_client(key, {"GET", key})).front().value_or("(nil)")});
        std::sort(out.begin(), out.end());
        return out;
    }
    void putForeign(const std::string& container, const std::string& key) override
    { must(m_client(container + ":" + key, {"SET", container + ":" + key, R"({"note":"foreign"})"})); }
    void remove(const std::string& container) override
    {
        for (const std::string& key : keys(container))
            must(m_client(key, {"DEL", key}));
        must(m_client("_mr:containers", {"HDEL", "_mr:containers", container}));
    }
    void ageLease(const std::string& sync, std::int64_t seconds) override
    {
        const std::string key = "_mr:lease:" + sync;
        must(m_client(key, {"HINCRBY", key, "beat", std::to_string(-seconds * 1000)}));
    }
    std::size_t tooLarge() const override { return 65u << 20; }

private:
    std::vector<std::string> keys(const std::string& container) const
    {
        std::vector<std::string> out;
        for (const RedisServer* node : m_nodes)
            for (const auto& key : must(node->command({"KEYS", glob(container) + ":*"}, m_database)))
                out.push_back(*key);
        return out;
    }
    ConnectionParams m_params;
    Client m_client;
    std::vector<const RedisServer*> m_nodes;
    int m_database;
};

RedisFixture fixtureOf(const RedisServer& server, int database = 0)
{
    return {server.params(database), [&server, database](const std::string&, const std::vector<std::string>& words) { return server.command(words, database); }, {&server}, database};
}

void contractRows()
{
    QTest::addColumn<int>("check");
    int i = 0;
    for (const auto& check : targetChecks())
        QTest::newRow(check.name.c_str()) << i++;
}

void runContract(TargetFixture& fixture)
{
    QFETCH(int, check);
    const CheckResult result = targetChecks()[std::size_t(check)].run(fixture);
    if (result.outcome == CheckResult::Outcome::Skipped)
        QSKIP(result.text.c_str());
    QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.c_str());
}

//! One table of one sync: id (int), title (text).
struct Bench {
    std::unique_ptr<Target> target;
    std::shared_ptr<TablePlan> plan = std::make_shared<TablePlan>();
    Lease lease;

    Bench(const ConnectionParams& params, const std::string& name, bool textKey = false)
    {
        auto opened = openRedis(params);
        if (!opened)
            qFatal("%s", opened.error().detail.c_str());
        target = std::move(*opened);
        auto schema = std::make_shared<Schema>();
        Column id, title;
        id.source = id.name = "id";
        id.type = textKey ? Type::Text : Type::Int;
        id.key = true;
        title.source = title.name = "title";
        schema->table = name;
        schema->columns = {id, title};
        schema->key = {0};
        plan->sync = "sync-" + name;
        plan->label = plan->container = name;
        plan->schema = schema;
        plan->policies.assign(2, ValuePolicy::Null);
        take();
    }
    void take()
    {
        auto taken = target->acquire(plan->sync, "home", lease.epoch, {});
        if (!taken)
            qFatal("%s", taken.error().detail.c_str());
        lease = *taken;
    }
    Prepared prepare()
    {
        auto done = target->prepare(*plan, lease);
        if (!done)
            qFatal("%s", done.error().detail.c_str());
        return *done;
    }
    std::unique_ptr<TargetSession> session() const
    {
        auto made = target->session(plan, lease, false);
        if (!made)
            qFatal("%s", made.error().detail.c_str());
        return std::move(*made);
    }
    struct Row { std::string id, title; Op op = Op::Upsert; };
    Payload payload(const std::vector<Row>& rows, std::uint64_t firstSeq) const
    {
        Batch batch(plan->schema);
        batch.version = lease.epoch << 40 | firstSeq;
        std::vector<std::uint32_t> all;
        for (const auto& row : rows) {
            const auto cells = batch.append(row.op);
            cells[0] = plan->schema->columns[0].type == Type::Text ? batch.text(row.id) : Cell::integer(std::stoll(row.id));
            if (row.op == Op::Upsert && row.title != "NULL")
                cells[1] = batch.text(row.title);
            all.push_back(std::uint32_t(all.size()));
        }
        return encoded(batch);
    }
    Payload encoded(const Batch& batch) const
    {
        std::vector<std::uint32_t> all(batch.rows());
        for (std::size_t i = 0; i < all.size(); ++i)
            all[i] = std::uint32_t(i);
        Payload out;
        if (auto done = target->encoder(plan)->encode(batch, all, out); !done)
            qFatal("%s", done.error().detail.c_str());
        return out;
    }
    std::map<std::string, std::string> forms(bool oursOnly = true) const
    {
        std::map<std::string, std::string> out;
        auto reader = target->readBack(plan, {});
        if (!reader)
            qFatal("%s", reader.error().detail.c_str());
        std::vector<ReadBack> documents;
        for (;;) {
            const auto state = (*reader)->read(documents, 1000, {});
            if (!state)
                qFatal("%s", state.error().detail.c_str());
            if (*state == ReadState::End)
                break;
        }
        for (const auto& document : documents)
            if ((document.ours || !oursOnly) && !out.emplace(document.key, document.form).second)
                qFatal("key %s came twice", document.key.c_str());
        return out;
    }
};

std::vector<Bench::Row> manyRows(int count, const std::string& title)
{
    std::vector<Bench::Row> rows;
    for (int i = 0; i < count; ++i)
        rows.push_back({std::to_string(i), title});
    return rows;
}

template <class Condition> bool eventually(Condition condition)
{
    QElapsedTimer timer;
    timer.start();
    while (!condition()) {
        if (timer.elapsed() > 30'000)
            return false;
        std::this_thread::sleep_for(std::chrono::milliseconds(20));
    }
    return true;
}

//! A CA, a certificate for localhost and another CA, in a folder of their own.
struct Certificates {
    QTemporaryDir folder;
    bool made = false;
    Certificates()
    {
        const auto openssl = [&](const QString& arguments) {
            QProcess process;
            process.setWorkingDirectory(folder.path());
            process.start("openssl", QProcess::splitCommand(arguments));
            return process.waitForFinished(30'000) && process.exitCode() == 0;
        };
        QFile san(folder.filePath("san"));
        made = san.open(QIODevice::WriteOnly) && san.write("subjectAltName=DNS:localhost\n") > 0;
        san.close();
        made = made && openssl("req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -days 2 -subj /CN=ca")
            && openssl("req -x509 -newkey rsa:2048 -nodes -keyout other.key -out other.pem -days 2 -subj /CN=other")
            && openssl("req -newkey rsa:2048 -nodes -keyout s.key -out s.csr -subj /CN=localhost")
            && openssl("x509 -req -in s.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile san -out s.pem");
    }
    std::string file(const char* name) const { return folder.filePath(name).toStdString(); }
};

} // namespace

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
    void cleanup()
    {
        if (!m_server)
            return;
        (void)m_server->command({"CONFIG", "SET", "maxmemory", "0"});
        (void)m_server->command({"CONFIG", "SET", "maxmemory-policy", "noeviction"});
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

    void rebuildLeavesNoOrphans()
    {
        Bench b(m_server->params(), "rebuilt");
        b.prepare();
        MUST(b.session()->write(b.payload(manyRows(2500, "old"), 1), {}));
        MUST(b.target->beginAside(*b.plan, b.lease));
        MUST(b.session()->write(b.payload(manyRows(1200, "new"), 10'000), {}));
        MUST(b.target->promoteAside(*b.plan, b.lease));
        MUST(b.target->promoteAside(*b.plan, b.lease));           // the answer was lost: the same call again
        QCOMPARE(b.forms().size(), 1200u);
        COMPARE_TEXT(*must(m_server->command({"SCARD", "_mr:keys:rebuilt"})).front(), std::string("1200"));
        // documents, companions, one registry, nothing aside
        QCOMPARE(must(m_server->command({"KEYS", "*rebuilt*"})).size(), std::size_t(1200 + 1200 + 2));
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

QTEST_GUILESS_MAIN(tst_target_redis)
#include "tst_target_redis.moc"
