#include "core/target/mongodb/encoder.h"
#include "tests/contract/mongobench.h"
#include <numeric>
#include <thread>

using namespace millrace;
using namespace millrace::test;

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

    // A container that the sync made is its own: what stands there without a mark is replaced, counted and deleted, and is no foreign
    // document. What another sync wrote stays.
    void unmarkedDocumentsInOurCollection()
    {
        Bench b(m_server->params("own"), "intruder");
        b.prepare();
        MongoFixture fixture(*m_server, "own");
        for (const bool insertOnly : {true, false}) {
            fixture.putForeign("intruder", "2");
            const auto report = b.session(insertOnly)->write(b.payload({{1, "one"}, {2, "two"}, {3, "three"}}, 1), {});
            MUST(report);
            QCOMPARE(report->written, 3u);
            QVERIFY(report->rejected.empty());
            COMPARE_TEXT(b.forms().at("2"), b.form(2, "two"));
            if (insertOnly)
                QVERIFY(m_server->command("own", R"({"delete": "intruder", "deletes": [{"q": {"_id": 2}, "limit": 1}]})"));
        }
        fixture.putForeign("intruder", "9");
        QVERIFY(m_server->command("own", R"({"insert": "intruder", "documents": [{"_id": 8, "id": 8, "_mr": {"s": "another", "v": {"$numberLong": "4611686018427387904"}}}]})"));
        QCOMPARE(b.target->countOwn(*b.plan).value(), 4u);
        QCOMPARE(b.target->countVersions(*b.plan, 0, 1).value(), 1u);
        QCOMPARE(b.target->countVersions(*b.plan, 1, UINT64_MAX).value(), 3u);
        auto reader = b.target->readBack(b.plan, {});
        std::vector<ReadBack> documents;
        MUST((*reader)->read(documents, 100, {}));
        for (const auto& document : documents)
            QCOMPARE(document.ours, document.key != "8");
        const auto refused = b.session()->write(b.payload({{8, "eight"}}, 20), {});
        MUST(refused);
        QCOMPARE(refused->rejected.size(), 1u);
        COMPARE_TEXT(refused->rejected[0].error.id, "target.mongodb.foreign_document");
        QCOMPARE(b.target->deleteVersions(*b.plan, b.lease, 0, 1, {}).value(), 1u);
        QCOMPARE(b.forms().size(), 4u);                           // 1, 2, 3 and the other sync's
        b.plan->ifExists = IfExists::Write;
        const auto adopted = b.session()->write(b.payload({{8, "eight"}}, 30), {});
        MUST(adopted);
        QCOMPARE(adopted->written, 1u);
        COMPARE_TEXT(b.forms().at("8"), b.form(8, "eight"));
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
        QCOMPARE(report->written, 9u);                            // 13 to 19, 40 and 41
        QCOMPARE(report->deleted, 1u);
        QCOMPARE(report->superseded, 2u);                         // 10 and the upsert of 12
        QCOMPARE(report->rejected.size(), 1u);
        COMPARE_TEXT(report->rejected[0].error.id, "target.mongodb.validation");
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
};

QTEST_GUILESS_MAIN(tst_target_mongodb)
#include "tst_target_mongodb.moc"
