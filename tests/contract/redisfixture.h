#pragma once
#include "core/data/value.h"
#include "core/target/redis/redistarget.h"
#include "tests/support/redisserver.h"
#include "tests/support/targetcontract.h"
#include <QElapsedTimer>
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <functional>
#include <map>
#include <thread>

//! What the tests of the Redis target share.
namespace millrace::test {

#define COMPARE_TEXT(a, b) QCOMPARE(QString::fromStdString(a), QString::fromStdString(b))
#define MUST(result) do { const auto& must_ = (result); QVERIFY2(must_, must_ ? "" : (must_.error().id + ": " + must_.error().detail).c_str()); } while (false)

using Words = RedisServer::Words;
using Client = std::function<Result<Words>(const std::string& key, const std::vector<std::string>& arguments)>;

inline Words must(const Result<Words>& words)
{
    if (!words)
        qFatal("%s", words.error().detail.c_str());
    return *words;
}

inline std::string glob(const std::string& text)
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

inline RedisFixture fixtureOf(const RedisServer& server, int database = 0)
{
    return {server.params(database), [&server, database](const std::string&, const std::vector<std::string>& words) { return server.command(words, database); }, {&server}, database};
}

inline void contractRows()
{
    QTest::addColumn<int>("check");
    int i = 0;
    for (const auto& check : targetChecks())
        QTest::newRow(check.name.c_str()) << i++;
}

inline void runContract(TargetFixture& fixture)
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

inline std::vector<Bench::Row> manyRows(int count, const std::string& title)
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

} // namespace millrace::test
