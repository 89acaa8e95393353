#include "core/data/value.h"
#include "core/target/mongodb/encoder.h"
#include "core/target/mongodb/mongodbtarget.h"
#include "tests/support/mongoserver.h"
#include "tests/support/targetcontract.h"
#include <QProcess>
#include <QTemporaryDir>
#include <QtTest>
#include <algorithm>
#include <map>
#include <numeric>
#include <set>
#include <thread>
#include <bson/bson.h>

using namespace millrace;
using namespace millrace::test;

namespace {

#define COMPARE_TEXT(a, b) QCOMPARE(QString::fromStdString(a), QString::fromStdString(b))
#define MUST(result) do { const auto& must_ = (result); QVERIFY2(must_, must_ ? "" : (must_.error().id + ": " + must_.error().detail).c_str()); } while (false)

std::string quoted(const std::string& text)
{
    std::string out;
    appendJsonString(out, text);
    return out;
}

std::string without(std::string text, char c)
{
    std::erase(text, c);
    return text;
}

class MongoFixture final : public TargetFixture {
public:
    MongoFixture(const MongoServer& server, std::string database) : m_server(server), m_database(std::move(database)) {}

    Result<std::unique_ptr<Target>> open() override { return openMongodb(m_server.params(m_database)); }
    bool exists(const std::string& container) override
    {
        const auto found = m_server.command(m_database, R"({"listCollections": 1, "filter": {"name": )" + quoted(container) + "}}");
        return found && found->find("uuid") != std::string::npos;
    }
    std::vector<RawDocument> documents(const std::string& container) override
    {
        std::vector<RawDocument> out;
        for (const auto& bytes : m_server.raw(m_database, container).value_or({})) {
            bson_t document, rest = BSON_INITIALIZER;
            bson_iter_t iter;
            bson_init_static(&document, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
            bson_copy_to_excluding_noinit(&document, &rest, "_mr", nullptr);
            char* text = bson_as_canonical_extended_json(&rest, nullptr);
            std::string key;
            if (bson_iter_init_find(&iter, &document, "_id"))
                key = BSON_ITER_HOLDS_NUMBER(&iter) ? std::to_string(bson_iter_as_int64(&iter)) : BSON_ITER_HOLDS_UTF8(&iter) ? bson_iter_utf8(&iter, nullptr) : text;
            out.push_back({key, text});
            bson_free(text);
            bson_destroy(&rest);
        }
        std::sort(out.begin(), out.end());
        return out;
    }
    void putForeign(const std::string& container, const std::string& key) override
    { must(m_server.command(m_database, R"({"insert": )" + quoted(container) + R"(, "documents": [{"_id": )" + key + R"(, "note": "foreign"}]})")); }
    void remove(const std::string& container) override
    {
        (void)m_server.command(m_database, R"({"drop": )" + quoted(container) + "}");
        must(m_server.command(m_database, R"({"delete": "_mr_registry", "deletes": [{"q": {"_id": )" + quoted("table:" + container) + R"(}, "limit": 1}]})"));
    }
    void ageLease(const std::string& sync, std::int64_t seconds) override
    {
        must(m_server.command(m_database, R"({"update": "_mr_registry", "updates": [{"q": {"_id": )" + quoted("lease:" + sync)
                              + R"(}, "u": [{"$set": {"heartbeat": {"$subtract": ["$heartbeat", )" + std::to_string(seconds * 1000) + "]}}}]}]}"));
    }
    std::size_t tooLarge() const override { return 16u * 1024 * 1024; }
    bool refuseKey(const std::string& container, const std::string& key) override
    {
        must(m_server.command(m_database, R"({"collMod": )" + quoted(container) + R"(, "validator": {"id": {"$ne": )" + key + "}}}"));
        return true;
    }

private:
    static void must(const Result<std::string>& done)
    {
        if (!done)
            qFatal("%s", done.error().detail.c_str());
    }
    const MongoServer& m_server;
    std::string m_database;
};

//! One table of one sync: id (int), title (text).
struct Bench {
    std::unique_ptr<Target> target;
    std::shared_ptr<TablePlan> plan = std::make_shared<TablePlan>();
    Lease lease;

    Bench(const ConnectionParams& params, const std::string& name)
    {
        auto opened = openMongodb(params);
        if (!opened)
            qFatal("%s", opened.error().detail.c_str());
        target = std::move(*opened);
        auto schema = std::make_shared<Schema>();
        Column id, title;
        id.source = id.name = "id";
        id.type = Type::Int;
        id.bits = 32;
        id.key = true;
        title.source = title.name = "title";
        schema->table = name;
        schema->columns = {id, title};
        schema->key = {0};
        plan->sync = "sync-" + name;
        plan->label = plan->container = name;
        plan->schema = schema;
        plan->policies.assign(2, ValuePolicy::Null);
        auto taken = target->acquire(plan->sync, "home", 0, {});
        if (!taken)
            qFatal("%s", taken.error().detail.c_str());
        lease = *taken;
    }
    void prepare()
    {
        if (auto done = target->prepare(*plan, lease); !done)
            qFatal("%s", done.error().detail.c_str());
    }
    std::unique_ptr<TargetSession> session(bool insertOnly = false) const
    {
        auto made = target->session(plan, lease, insertOnly);
        if (!made)
            qFatal("%s", made.error().detail.c_str());
        return std::move(*made);
    }
    struct Row { int id; std::string title; Op op = Op::Upsert; };
    Payload payload(const std::vector<Row>& rows, std::uint64_t firstSeq) const
    {
        Batch batch(plan->schema);
        batch.version = lease.epoch << 40 | firstSeq;
        std::vector<std::uint32_t> all;
        for (const auto& row : rows) {
            const auto cells = batch.append(row.op);
            cells[0] = Cell::integer(row.id);
            if (row.op == Op::Upsert)
                cells[1] = batch.text(row.title);
            all.push_back(std::uint32_t(all.size()));
        }
        Payload out;
        if (auto done = target->encoder(plan)->encode(batch, all, out); !done)
            qFatal("%s", done.error().detail.c_str());
        return out;
    }
    std::map<std::string, std::string> forms() const
    {
        std::map<std::string, std::string> out;
        auto reader = target->readBack(plan, {});
        std::vector<ReadBack> documents;
        for (;;) {
            const auto state = (*reader)->read(documents, 1000, {});
            if (!state)
                qFatal("%s", state.error().detail.c_str());
            if (*state == ReadState::End)
                break;
        }
        for (const auto& document : documents)
            if (!out.emplace(document.key, document.form).second)
                qFatal("key %s came twice", document.key.c_str());
        return out;
    }
    std::string form(int id, const std::string& title) const
    {
        std::string out = "id\x1fi:" + std::to_string(id) + "\x1etitle\x1fs:";
        appendJsonString(out, title);
        return out + "\x1e";
    }
};

} // namespace

class tst_target_mongodb : public QObject {
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

    void contract_data()
    {
        QTest::addColumn<int>("check");
        int i = 0;
        for (const auto& check : targetChecks())
            QTest::newRow(check.name.c_str()) << i++;
    }
    void contract()
    {
        QFETCH(int, check);
        MongoFixture fixture(*m_server, "contract");
        const CheckResult result = targetChecks()[std::size_t(check)].run(fixture);
        if (result.outcome == CheckResult::Outcome::Skipped)
            QSKIP(result.text.c_str());
        QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.c_str());
    }

    void objectIdForm()
    {
        Bench b(m_server->params("own"), "objectid");
        b.plan->objectId = true;
        b.plan->indexes = {{"title"}};
        b.prepare();
        b.prepare();                                              // indexes are made once
        auto first = b.session(true)->write(b.payload({{1, "one"}, {2, "two"}, {2, "two again"}}, 1), {});
        MUST(first);
        QCOMPARE(first->written, 3u);
        auto later = b.session()->write(b.payload({{1, "ONE"}, {3, "three"}, {2, "", Op::Delete}}, 100), {});
        MUST(later);
        QCOMPARE(later->written, 2u);
        QCOMPARE(later->deleted, 1u);
        auto stale = b.session()->write(b.payload({{1, "stale"}, {3, "", Op::Delete}, {4, "four"}}, 50), {});
        MUST(stale);
        QCOMPARE(stale->superseded, 2u);
        QCOMPARE(stale->written, 1u);
        const auto forms = b.forms();
        QCOMPARE(forms.size(), 3u);
        COMPARE_TEXT(forms.at("1"), b.form(1, "ONE"));
        COMPARE_TEXT(forms.at("3"), b.form(3, "three"));
        const auto indexes = without(m_server->command("own", R"({"listIndexes": "objectid"})").value(), ' ');
        QVERIFY(indexes.find(R"("name":"_mr_key","unique":true)") != std::string::npos || indexes.find(R"("unique":true,"key":{"id":1},"name":"_mr_key")") != std::string::npos);
        QVERIFY(indexes.find("title_1") != std::string::npos);
        const auto documents = m_server->documents("own", "objectid").value();
        QCOMPARE(documents.size(), 3u);
        for (const auto& document : documents)
            QVERIFY2(document.find("$oid") != std::string::npos, document.c_str());
    }

    // Catalogue 35: two writers, the same new keys, and no duplicate and no error comes of it.
    void twoWritersMeet()
    {
        for (const bool objectId : {false, true}) {
            Bench b(m_server->params("own"), objectId ? "meet_oid" : "meet");
            b.plan->objectId = objectId;
            b.prepare();
            std::vector<Bench::Row> rows;
            for (int i = 0; i < 3000; ++i)
                rows.push_back({i, "row"});
            const Payload one = b.payload(rows, 1), two = b.payload(rows, 10'000);
            Result<WriteReport> reports[2] = {WriteReport {}, WriteReport {}};
            {
                std::jthread a([&] { reports[0] = b.session()->write(one, {}); });
                std::jthread c([&] { reports[1] = b.session()->write(two, {}); });
            }
            for (const auto& report : reports) {
                MUST(report);
                QCOMPARE(report->written + report->superseded, 3000u);
                QVERIFY(report->rejected.empty());
            }
            QCOMPARE(reports[1]->superseded, 0u);                 // the newer one always lands
            QCOMPARE(m_server->documents("own", b.plan->container).value().size(), 3000u);
            QCOMPARE(*b.target->countVersions(*b.plan, b.lease.epoch << 40 | 10'000, UINT64_MAX), 3000u);
        }
    }

    void anotherUniqueIndexIsTheRowsTrouble()
    {
        Bench b(m_server->params("own"), "uniquetitle");
        b.prepare();
        QVERIFY(m_server->command("own", R"({"createIndexes": "uniquetitle", "indexes": [{"key": {"title": 1}, "name": "index: _id_ dup key: ", "unique": true}]})"));
        for (const bool insertOnly : {true, false}) {
            const int base = insertOnly ? 0 : 10;
            const auto report = b.session(insertOnly)->write(b.payload({{base + 1, "a" + std::to_string(base)}, {base + 2, "a" + std::to_string(base)}, {base + 3, "c" + std::to_string(base)}}, 1 + base), {});
            MUST(report);
            QCOMPARE(report->written, 2u);
            QCOMPARE(report->superseded, 0u);
            QCOMPARE(report->rejected.size(), 1u);
            QCOMPARE(report->rejected[0].row, 1u);
            COMPARE_TEXT(report->rejected[0].error.id, "target.mongodb.duplicate");
        }
        QCOMPARE(b.forms().size(), 4u);
    }

    void foreignDocumentInOurCollection()
    {
        Bench b(m_server->params("own"), "intruder");
        b.prepare();
        MongoFixture(*m_server, "own").putForeign("intruder", "2");
        for (const bool insertOnly : {true, false}) {
            const auto report = b.session(insertOnly)->write(b.payload({{1, "one"}, {2, "two"}, {3, "three"}}, 1), {});
            MUST(report);
            QCOMPARE(report->written, 2u);
            QCOMPARE(report->rejected.size(), 1u);
            COMPARE_TEXT(report->rejected[0].error.id, "target.mongodb.foreign_document");
        }
        b.plan->ifExists = IfExists::Write;
        const auto adopted = b.session()->write(b.payload({{2, "two"}}, 10), {});
        MUST(adopted);
        QCOMPARE(adopted->written, 1u);
        COMPARE_TEXT(b.forms().at("2"), b.form(2, "two"));
    }

    void sixteenMegabytesExactly()
    {
        Bench b(m_server->params("own"), "large");
        b.prepare();
        const std::size_t fixed = b.payload({{1, ""}}, 1).items[0].docSize;
        const Payload payload = b.payload({{1, "small"}, {2, std::string(mongodb::mostDocumentBytes - fixed, 'x')}, {3, std::string(mongodb::mostDocumentBytes - fixed + 1, 'x')}}, 1);
        QCOMPARE(payload.items.size(), 2u);
        QCOMPARE(payload.rejected.size(), 1u);
        for (const bool insertOnly : {true, false}) {
            const auto report = b.session(insertOnly)->write(payload, {});
            MUST(report);
            QCOMPARE(report->written, 2u);
        }
        auto session = b.session();
        for (const unsigned seq : {10, 20}) {                     // a guarded upsert, then an update by pipeline
            const auto report = session->write(b.payload({{1, "small"}, {2, std::string(mongodb::mostDocumentBytes - fixed, char('a' + seq))}}, seq), {});
            MUST(report);
            QCOMPARE(report->written, 2u);
        }
        QCOMPARE(b.forms().size(), 2u);
    }

    // One row has one document, byte for byte, whichever way it was written.
    void threeWaysOneDocument()
    {
        Bench b(m_server->params("own"), "ways");
        auto schema = std::make_shared<Schema>(*matrixSchema());
        b.plan->schema = schema;
        b.plan->policies.assign(schema->columns.size(), ValuePolicy::Null);
        b.prepare();
        MongoFixture fixture(*m_server, "own");
        const auto pipelines = [&] {
            const auto status = without(m_server->command("admin", R"({"serverStatus": 1})").value(), ' ');
            const auto at = status.find("\"pipeline\":", status.find("\"update\":{\"arrayFilters\""));
            return at == std::string::npos ? -1 : std::atoi(status.c_str() + at + 11);
        };
        auto session = b.session();
        std::vector<RawDocument> first;
        const int before = pipelines();
        for (std::uint64_t round = 1; round <= 4; ++round) {      // upserts; inserts that meet them; updates; updates
            Batch batch(b.plan->schema);
            fillMatrix(batch);
            for (const std::string& json : {std::string(R"({"twice":1,"twice":2,"$set":{"a.b":"$x"}})"), std::string(168, '[') + std::string(168, ']')}) {
                const auto cells = batch.append(Op::Upsert);
                cells[0] = Cell::integer(1000 + std::int64_t(batch.rows()));
                cells[6] = batch.text("$$ROOT");
                cells[8] = batch.text(json, Type::Json);
            }
            batch.version = b.lease.epoch << 40 | round * 1000;
            Payload payload;
            std::vector<std::uint32_t> rows(batch.rows());
            std::iota(rows.begin(), rows.end(), 0u);
            MUST(b.target->encoder(b.plan)->encode(batch, rows, payload));
            const auto report = session->write(payload, {});
            MUST(report);
            QCOMPARE(report->written, batch.rows());
            const auto now = fixture.documents("ways");
            QCOMPARE(now.size(), batch.rows());
            if (round == 1)
                first = now;
            QVERIFY(now == first);
        }
        QVERIFY(pipelines() > before);                            // the third way was really taken
        QCOMPARE(*b.target->countVersions(*b.plan, b.lease.epoch << 40 | 4000, UINT64_MAX), first.size());
    }

    void updatesThatDoNotTake()
    {
        Bench b(m_server->params("own"), "taken");
        b.prepare();
        auto session = b.session();
        const auto warm = [&](unsigned seq) {
            std::vector<Bench::Row> rows;
            for (int i = 10; i < 30; ++i)
                rows.push_back({i, "warm"});
            const auto report = session->write(b.payload(rows, seq), {});
            return report ? report->written : 0;
        };
        QCOMPARE(warm(1), 20u);
        QCOMPARE(warm(100), 20u);
        QCOMPARE(warm(200), 20u);
        MUST(session->write(b.payload({{10, "newer"}}, 500), {}));
        MongoFixture fixture(*m_server, "own");
        fixture.putForeign("taken", "40");
        QVERIFY(m_server->command("own", R"({"collMod": "taken", "validator": {"title": {"$ne": "bad"}}})"));
        QCOMPARE(warm(300), 20u - 1);                             // 10 is newer
        std::vector<Bench::Row> rows;
        for (int i = 10; i < 20; ++i)
            rows.push_back({i, i == 11 ? "bad" : "later"});
        rows.push_back({40, "foreign"});
        rows.push_back({41, "new"});
        rows.push_back({12, "", Op::Delete});                     // its upsert above is superseded by this
        const auto report = session->write(b.payload(rows, 400), {});
        MUST(report);
        QCOMPARE(report->written, 8u);                            // 13 to 19 and 41
        QCOMPARE(report->deleted, 1u);
        QCOMPARE(report->superseded, 2u);                         // 10 and the upsert of 12
        QCOMPARE(report->rejected.size(), 2u);
        std::set<std::string> causes;
        for (const auto& failure : report->rejected)
            causes.insert(failure.error.id);
        QVERIFY((causes == std::set<std::string>{"target.mongodb.validation", "target.mongodb.foreign_document"}));
        const auto forms = b.forms();
        COMPARE_TEXT(forms.at("10"), b.form(10, "newer"));
        COMPARE_TEXT(forms.at("11"), b.form(11, "warm"));
        COMPARE_TEXT(forms.at("13"), b.form(13, "later"));
        COMPARE_TEXT(forms.at("41"), b.form(41, "new"));
        QVERIFY(!forms.contains("12"));
    }

    // The driver cuts a payload into messages of 48 MB; an error's index must still name the right row.
    void errorsInLaterMessages()
    {
        Bench b(m_server->params("own"), "split");
        b.prepare();
        QVERIFY(m_server->command("own", R"({"collMod": "split", "validator": {"id": {"$nin": [4, 11]}}})"));
        std::vector<Bench::Row> rows;
        for (int i = 0; i < 12; ++i)
            rows.push_back({i, std::string(5'000'000, char('a' + i))});
        for (const bool insertOnly : {true, false}) {
            const auto report = b.session(insertOnly)->write(b.payload(rows, insertOnly ? 1 : 100), {});
            MUST(report);
            QCOMPARE(report->written, 10u);
            QCOMPARE(report->rejected.size(), 2u);
            QCOMPARE(report->rejected[0].row, 4u);
            QCOMPARE(report->rejected[1].row, 11u);
            COMPARE_TEXT(report->rejected[0].error.id, "target.mongodb.validation");
        }
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

QTEST_GUILESS_MAIN(tst_target_mongodb)
#include "tst_target_mongodb.moc"
