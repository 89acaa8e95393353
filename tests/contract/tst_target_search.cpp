#include "tests/support/searchfixture.h"
#include <QtTest>

using namespace millrace;
using namespace millrace::test;

#define MUST(result) do { const auto& must_ = (result); QVERIFY2(must_, must_ ? "" : (must_.error().id + ": " + must_.error().detail).c_str()); } while (false)
#define REFUSED(result, f, name) do { const auto& refused_ = (result); QVERIFY(!refused_); QVERIFY2(refused_.error().fault == f, (refused_.error().id + ": " + refused_.error().detail).c_str()); \
    QCOMPARE(QString::fromStdString(refused_.error().id), QString("target.opensearch.") + name); QVERIFY(!refused_.error().fix.empty()); } while (false)

namespace {
Column idColumn() { return SearchBench::column("id", Type::Int); }
}

//! A real OpenSearch 2.19.4 without security. MILLRACE_TEST_SEARCH_VERSION=3.4.0 and MILLRACE_TEST_SEARCH_SECURITY=1 choose another.
class TstTargetSearch : public QObject {
    Q_OBJECT
private slots:
    void initTestCase()
    {
        SearchServer::Options options;
        options.settings = {"http.max_content_length=20mb"};
        if (qEnvironmentVariableIsSet("MILLRACE_TEST_SEARCH_VERSION"))
            options.version = qEnvironmentVariable("MILLRACE_TEST_SEARCH_VERSION").toStdString();
        options.security = qEnvironmentVariableIsSet("MILLRACE_TEST_SEARCH_SECURITY");
        std::string reason;
        m_server = SearchServer::start(reason, options);
        if (!m_server)
            QSKIP(reason.c_str());
    }
    void cleanupTestCase() { m_server.reset(); }

    void contract_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < targetChecks().size(); ++i)
            QTest::newRow(targetChecks()[i].name.c_str()) << static_cast<int>(i);
    }
    void contract()
    {
        QFETCH(int, index);
        SearchFixture fixture(*m_server);
        const CheckResult result = targetChecks()[static_cast<std::size_t>(index)].run(fixture);
        if (result.outcome == CheckResult::Outcome::Skipped)
            QSKIP(result.text.c_str());
        QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.c_str());
    }

    void mappingIsExplicit()
    {
        const auto c = SearchBench::column;
        SearchBench b(m_server->params(), "mapping", {idColumn(), c("name", Type::Text, "varchar(100)", 64, 0, 0), c("wide", Type::Text, "varchar(256)", 64, 0, 0), c("body", Type::Text, "text", 64, 0, 0),
            c("price", Type::Decimal, "decimal(10,2)", 64, 10, 2), c("exact", Type::Decimal, "decimal(30,10)", 64, 30, 10), c("small", Type::Uint, "int unsigned", 32, 0, 0),
            c("large", Type::Uint, "bigint unsigned", 64, 0, 0), c("at", Type::Timestamp, "timestamp", 64, 0, 6), c("extra", Type::Json, "json", 64, 0, 0), c("flags", Type::Array, "set('a','b')", 64, 0, 0),
            c("numbers", Type::Array, "integer[]", 64, 0, 0), c("raw", Type::Bytes, "blob", 64, 0, 0), c("yes", Type::Bool, "tinyint(1)", 1, 0, 0), c("ratio", Type::Real, "double", 64, 0, 0)});
        MUST(b.target->prepare(*b.plan, b.lease));
        const Node all = m_server->request("GET", "/mapping").json;
        QCOMPARE(all.fields().size(), std::size_t(1));
        const auto& [index, facts] = all.fields()[0];
        QVERIFY(QRegularExpression("^mapping-\\d{8}t\\d{6}[a-z]{2}$").match(QString::fromStdString(index)).hasMatch());
        QVERIFY(facts["aliases"].find("mapping"));
        const Node& mapping = facts["mappings"];
        QCOMPARE(mapping["dynamic"].string(), std::string("strict"));
        QCOMPARE(mapping["_meta"]["millrace"]["sync"].string(), b.plan->sync);
        const std::map<std::string, std::string> types{{"id", "long"}, {"name", "text"}, {"wide", "text"}, {"body", "text"}, {"price", "scaled_float"}, {"exact", "keyword"}, {"small", "long"},
            {"large", "unsigned_long"}, {"at", "date"}, {"extra", "object"}, {"flags", "keyword"}, {"numbers", "long"}, {"raw", "binary"}, {"yes", "boolean"}, {"ratio", "double"}};
        const Node& fields = mapping["properties"];
        QCOMPARE(fields.fields().size(), types.size());
        for (const auto& [name, type] : types)
            QVERIFY2(fields[name]["type"].string("object") == type, (name + " is " + fields[name]["type"].string("object")).c_str());
        QVERIFY(fields["name"]["fields"].find("keyword") && !fields["wide"].find("fields") && !fields["body"].find("fields"));
        QCOMPARE(fields["price"]["scaling_factor"].real(), 100.0);
        QVERIFY(!fields["extra"]["enabled"].boolean(true));
        QCOMPARE(facts["settings"]["index"]["gc_deletes"].string(), std::string("10m"));
        // nothing of the question which types there are stays behind
        QVERIFY(b.target->carryNote(b.plan->schema->columns[4]).empty() && b.target->carryNote(b.plan->schema->columns[7]).empty());
        QVERIFY(!b.target->carryNote(b.plan->schema->columns[5]).empty());
        QVERIFY(m_server->request("GET", "/_cat/indices/millrace-probe*").text.empty());
    }

    void valueThatDoesNotFitIsParked()
    {
        SearchBench b(m_server->params(), "misfit", {idColumn(), SearchBench::column("n", Type::Int)});
        MUST(b.target->prepare(*b.plan, b.lease));
        const auto done = b.write({{1, Cell::integer(5)}, {2, SearchBench::text("five")}, {3, Cell::null()}});
        MUST(done);
        QCOMPARE(done->written, std::uint64_t(2));
        QCOMPARE(done->rejected.size(), std::size_t(1));
        QCOMPARE(done->rejected[0].row, 1u);
        const Error& error = done->rejected[0].error;
        QVERIFY(error.fault == Fault::Data);
        QCOMPARE(error.id, std::string("target.opensearch.mapping_conflict"));
        QVERIFY(error.detail.find("five") != std::string::npos && error.detail.find("key 2") != std::string::npos && !error.fix.empty());
    }

    void newColumnsGetTheirFields()
    {
        SearchBench b(m_server->params(), "grows", {idColumn(), SearchBench::column("n", Type::Int)});
        MUST(b.target->prepare(*b.plan, b.lease));
        MUST(b.write({{1, Cell::integer(5)}}));
        b.setColumns({idColumn(), SearchBench::column("m", Type::Bool)});
        const auto before = b.write({{2, Cell::boolean(true)}});
        MUST(before);
        QCOMPARE(before->rejected.size(), std::size_t(1));                 // strict: a field that nobody declared does not slip in
        QCOMPARE(before->rejected[0].error.id, std::string("target.opensearch.mapping_conflict"));
        MUST(b.target->prepare(*b.plan, b.lease));
        const auto done = b.write({{2, Cell::boolean(true)}});
        MUST(done);
        QCOMPARE(done->written, std::uint64_t(1));
        b.setColumns({idColumn(), SearchBench::column("n", Type::Text, "text")});
        REFUSED(b.target->prepare(*b.plan, b.lease), Fault::Config, "mapping_conflict");
    }

    void tooManyFieldsStopTheTable()
    {
        std::vector<Column> columns{idColumn()};
        for (int i = 0; i < 1100; ++i)
            columns.push_back(SearchBench::column("c" + std::to_string(i), Type::Int));
        SearchBench b(m_server->params(), "too_wide", columns);
        REFUSED(b.target->prepare(*b.plan, b.lease), Fault::Config, "field_limit");
        QCOMPARE(m_server->request("GET", "/too_wide").status, 404L);
    }

    void diskThatIsAlmostFullStopsTheTable()
    {
        SearchBench b(m_server->params(), "flood", {idColumn(), SearchBench::column("n", Type::Int)});
        MUST(b.target->prepare(*b.plan, b.lease));
        QCOMPARE(m_server->request("PUT", "/flood/_settings", R"({"index.blocks.read_only_allow_delete":true})").status, 200L);
        REFUSED(b.write({{1, Cell::integer(5)}}), Fault::Storage, "disk_full");
        QCOMPARE(m_server->request("PUT", "/flood/_settings", R"({"index.blocks.read_only_allow_delete":null})").status, 200L);
        MUST(b.write({{1, Cell::integer(5)}}));
    }

    void documentAboveTheServersLimitIsParked()
    {
        SearchBench b(m_server->params(), "oversized", {idColumn(), SearchBench::column("t", Type::Bytes)});
        MUST(b.target->prepare(*b.plan, b.lease));
        const std::string large(18u << 20, 'x');
        Cell cell = SearchBench::text(large);
        cell.type = Type::Bytes;                                           // base64 makes 24 MB of it
        const auto done = b.write({{1, Cell::null()}, {2, cell}, {3, Cell::null()}});
        MUST(done);
        QCOMPARE(done->written, std::uint64_t(2));
        QCOMPARE(done->rejected.size(), std::size_t(1));
        QCOMPARE(done->rejected[0].error.id, std::string("target.opensearch.too_large"));
    }

    void indexThatWasTakenAwayIsNotMadeByAWrite()
    {
        SearchBench b(m_server->params(), "taken", {idColumn(), SearchBench::column("n", Type::Int)});
        MUST(b.target->prepare(*b.plan, b.lease));
        auto session = b.target->session(b.plan, b.lease, false);
        MUST(session);
        const std::string index = m_server->request("GET", "/taken").json.fields()[0].first;
        QCOMPARE(m_server->request("DELETE", "/" + index).status, 200L);
        REFUSED((*session)->write(b.payload({{1, Cell::integer(5)}}), {}), Fault::Schema, "index_gone");
        QCOMPARE(m_server->request("GET", "/taken").status, 404L);
    }

    void aliasOfSeveralIndicesIsRefused()
    {
        for (const char* index : {"/part-1", "/part-2"})
            QCOMPARE(m_server->request("PUT", index, R"({"aliases":{"parts":{}}})").status, 200L);
        SearchBench b(m_server->params(), "parts", {idColumn(), SearchBench::column("n", Type::Int)});
        for (const IfExists how : {IfExists::Stop, IfExists::Write, IfExists::Rebuild}) {
            b.plan->ifExists = how;
            REFUSED(b.target->prepare(*b.plan, b.lease), Fault::Config, "not_ours");
        }
    }

    void foreignAliasIsSwappedAndItsIndexKept()
    {
        QCOMPARE(m_server->request("PUT", "/theirs", R"({"aliases":{"swapped":{}}})").status, 200L);
        SearchBench b(m_server->params(), "swapped", {idColumn(), SearchBench::column("n", Type::Int)});
        REFUSED(b.target->prepare(*b.plan, b.lease), Fault::Config, "not_ours");
        b.plan->ifExists = IfExists::Rebuild;
        MUST(b.target->prepare(*b.plan, b.lease));
        MUST(b.target->beginAside(*b.plan, b.lease));
        MUST(b.write({{1, Cell::integer(5)}}));
        MUST(b.target->promoteAside(*b.plan, b.lease));
        QCOMPARE(m_server->request("GET", "/theirs").status, 200L);
        QCOMPARE(m_server->request("GET", "/swapped/_doc/1").status, 200L);
        QCOMPARE(m_server->request("GET", "/_alias/swapped").json.fields().size(), std::size_t(1));
    }

    void indexIsNotRefreshedWhileItIsBuilt()
    {
        SearchBench b(m_server->params(), "built", {idColumn(), SearchBench::column("n", Type::Int)});
        MUST(b.target->prepare(*b.plan, b.lease));
        const std::string first = m_server->request("GET", "/built").json.fields()[0].first;
        MUST(b.target->beginAside(*b.plan, b.lease));
        const Node during = m_server->request("GET", "/mr-aside-built/_settings?flat_settings=true").json;
        QCOMPARE(during.fields().size(), std::size_t(1));
        const std::string index = during.fields()[0].first;
        QCOMPARE(during[index]["settings"]["index.refresh_interval"].string(), std::string("-1"));
        QCOMPARE(during[index]["settings"]["index.number_of_replicas"].string(), std::string("0"));
        MUST(b.write({{1, Cell::integer(5)}}));
        MUST(b.target->promoteAside(*b.plan, b.lease));
        const Node after = m_server->request("GET", "/built/_settings?flat_settings=true").json;
        QVERIFY(after.find(index));
        QVERIFY(!after[index]["settings"].find("index.refresh_interval"));
        QCOMPARE(after[index]["settings"]["index.number_of_replicas"].string(), std::string("1"));
        QCOMPARE(m_server->request("GET", "/" + first).status, 404L);
        QCOMPARE(m_server->request("GET", "/mr-aside-built").status, 404L);
        MUST(b.target->promoteAside(*b.plan, b.lease).has_value() ? Result<>(Error{Fault::Internal, "", "a second promotion went through", {}, {}}) : Result<>());
    }

    void summaryIsKept()
    {
        SearchBench b(m_server->params(), "summed", {idColumn(), SearchBench::column("n", Type::Int)});
        MUST(b.target->prepare(*b.plan, b.lease));
        MUST(b.target->saveSummary(b.lease, {"main.film", "summed", "full", "success", "2026-11-21T00:00:00.000Z", 1000, 1.5}));
        const Node document = m_server->request("GET", "/millrace-sync-metadata/_doc/" + percentEncode(b.plan->sync + ":summed")).json["_source"];
        QCOMPARE(document["table_name"].string(), std::string("main.film"));
        QCOMPARE(document["records_synced"].integer(), std::int64_t(1000));
        MUST(b.target->drop(*b.plan, b.lease));
        QCOMPARE(m_server->request("GET", "/millrace-sync-metadata/_doc/" + percentEncode(b.plan->sync + ":summed")).status, 404L);
    }

    void scansAreEnded()
    {
        const Node stats = m_server->request("GET", "/_nodes/stats/indices/search").json;
        for (const auto& [id, node] : stats["nodes"].fields())
            QCOMPARE(node["indices"]["search"]["open_contexts"].integer(), std::int64_t(0));
    }

    // The last one: the server is killed.
    void acknowledgedIsThereAfterAKill()
    {
        SearchBench b(m_server->params(), "killed", {idColumn(), SearchBench::column("n", Type::Int)});
        MUST(b.target->prepare(*b.plan, b.lease));
        auto session = b.target->session(b.plan, b.lease, false);
        MUST(session);
        const Payload payload = b.payload({{1, Cell::integer(5)}, {2, Cell::integer(6)}});
        MUST((*session)->write(payload, {}));
        m_server->kill9();
        const auto away = (*session)->write(payload, {});
        QVERIFY(!away && away.error().transient());
        MUST(m_server->restart());
        const auto again = (*session)->write(payload, {});
        MUST(again);
        QCOMPARE(again->written, std::uint64_t(2));
        const auto count = b.target->countOwn(*b.plan);
        MUST(count);
        QCOMPARE(*count, std::uint64_t(2));
    }

private:
    std::unique_ptr<SearchServer> m_server;
};

QTEST_APPLESS_MAIN(TstTargetSearch)
#include "tst_target_search.moc"
