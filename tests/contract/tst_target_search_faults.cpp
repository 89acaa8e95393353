#include "core/target/search/names.h"
#include "core/target/search/scan.h"
#include "core/target/search/searchtarget.h"
#include "tests/support/fakes.h"
#include "tests/support/httpstandin.h"
#include <QtTest>
#include <deque>

// How the Elasticsearch and OpenSearch target takes what no healthy server does: emulated only, by a stand-in that speaks just enough.
using namespace millrace;
using namespace millrace::test;

namespace {

constexpr const char* secret = "pa55-w0rd-canary";

std::size_t countLines(const std::string& text) { return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n')); }

//! A cluster with one index `film` of the sync `job`, whose lease is held; bulks are answered from a list, and all of them when it is empty.
struct Cluster {
    using Answer = HttpStandIn::Answer;
    std::deque<std::function<Answer(const std::string& body)>> bulks;
    std::vector<std::string> bodies;
    std::vector<std::string> queries, logins;
    FakeClock clock;
    std::unique_ptr<HttpStandIn> server;
    std::unique_ptr<Target> target;
    std::shared_ptr<TablePlan> plan = std::make_shared<TablePlan>();
    Lease lease {"job", "home", 1};

    Cluster()
    {
        server = std::make_unique<HttpStandIn>([this](const HttpStandIn::Request& request) { return answer(request); });
        ConnectionParams params;
        params.name = "search";
        params.url.scheme = "opensearch";
        params.url.user = "writer";
        params.url.hosts = {{"127.0.0.1", server->port()}};
        params.url.options["requestTimeoutMS"] = "5000";
        params.secrets["password"] = Secret(secret);
        auto opened = openSearch(params, &clock);
        if (!opened)
            qFatal("%s", opened.error().detail.c_str());
        target = std::move(*opened);
        auto schema = std::make_shared<Schema>();
        Column id, title;
        id.source = id.name = "id";
        id.type = Type::Int;
        id.key = true;
        title.source = title.name = "title";
        schema->columns = {id, title};
        schema->key = {0};
        plan->sync = "job";
        plan->label = plan->container = "film";
        plan->schema = schema;
    }

    static Answer all(const std::string& body, long status = 201)
    {
        std::string out = R"({"errors":false,"items":[)";
        for (std::size_t i = 0, n = countLines(body) / 2; i < n; ++i)
            out += (i ? "," : "") + std::string(R"({"index":{"status":)") + std::to_string(status) + "}}";
        return {200, out + "]}"};
    }
    static Answer items(const std::vector<std::string>& outcomes)
    {
        std::string out = R"({"errors":true,"items":[)";
        for (std::size_t i = 0; i < outcomes.size(); ++i)
            out += (i ? "," : "") + std::string(R"({"index":)") + outcomes[i] + "}";
        return {200, out + "]}"};
    }

    Answer answer(const HttpStandIn::Request& request)
    {
        logins.push_back(request.authorization);
        if (request.path == "/")
            return {200, R"({"version":{"number":"2.19.4","distribution":"opensearch"}})"};
        if (request.path == "/millrace-registry/_doc/lease%3Ajob")
            return {200, R"({"found":true,"_seq_no":1,"_primary_term":1,"_source":{"owner":"home","epoch":1,"heartbeat":0}})"};
        if (request.path.starts_with("/millrace-registry"))
            return {404, R"({"found":false})"};
        if (request.path == "/film")
            return {200, R"({"film-20260101t000000aa":{"aliases":{"film":{}},"mappings":{"_meta":{"millrace":{"sync":"job","container":"film"}},"properties":{"id":{"type":"long"}}}}})"};
        if (request.path != "/film/_bulk")
            return {404, R"({"error":{"type":"index_not_found_exception","reason":"no such index"}})"};
        bodies.push_back(request.body);
        queries.push_back(request.query);
        if (bulks.empty())
            return all(request.body);
        auto next = std::move(bulks.front());
        bulks.pop_front();
        return next(request.body);
    }
    void then(Answer answer) { bulks.push_back([answer = std::move(answer)](const std::string&) { return answer; }); }

    Payload payload(std::size_t rows, std::size_t bytes = 10)
    {
        Batch batch(plan->schema);
        batch.version = (std::uint64_t {1} << 40) | 1;
        std::vector<std::uint32_t> all;
        for (std::size_t i = 0; i < rows; ++i) {
            const auto cells = batch.append(Op::Upsert);
            cells[0] = Cell::integer(static_cast<std::int64_t>(i));
            cells[1] = batch.text(std::string(bytes, 'x'));
            all.push_back(static_cast<std::uint32_t>(i));
        }
        Payload out;
        if (auto done = target->encoder(plan)->encode(batch, all, out); !done)
            qFatal("%s", done.error().detail.c_str());
        return out;
    }
    Result<WriteReport> write(std::size_t rows, std::size_t bytes = 10)
    {
        auto session = target->session(plan, lease, false);
        if (!session)
            return session.error();
        return (*session)->write(payload(rows, bytes), {});
    }
};

const std::string landed = R"({"status":201})";
const std::string busy = R"({"status":429,"error":{"type":"rejected_execution_exception","reason":"the queue is full"}})";

} // namespace

#define WROTE(result, n) do { const auto& wrote_ = (result); QVERIFY2(wrote_, wrote_ ? "" : wrote_.error().detail.c_str()); QCOMPARE(wrote_->written, std::uint64_t(n)); } while (false)
#define FAULT(result, f, name) do { const auto& failed_ = (result); QVERIFY(!failed_); QVERIFY2(failed_.error().fault == f, (failed_.error().id + ": " + failed_.error().detail).c_str()); \
    QCOMPARE(failed_.error().id, std::string("target.opensearch." name)); QVERIFY(failed_.error().detail.find(secret) == std::string::npos); } while (false)

class TstTargetSearchFaults : public QObject {
    Q_OBJECT
private slots:
    void bulkIsGuarded()
    {
        Cluster c;
        WROTE(c.write(2), 2);
        QCOMPARE(c.bodies.size(), std::size_t(1));
        QVERIFY(c.bodies[0].starts_with("{\"index\":{\"_id\":\"0\",\"version\":1099511627777,\"version_type\":\"external_gte\"}}\n{\"id\":0,\"title\":\"xxxxxxxxxx\"}\n"));
        QVERIFY(c.queries[0].find("require_alias=true") != std::string::npos);
        QVERIFY(c.queries[0].find("filter_path=") != std::string::npos);
        for (const auto& login : c.logins)
            QVERIFY(login.starts_with("Basic "));
    }
    void loginsAreWhatWasGiven_data()
    {
        QTest::addColumn<QString>("kind");
        QTest::addColumn<QString>("value");
        QTest::addColumn<QString>("header");
        QTest::newRow("bearer") << "token" << "abc.def" << "Bearer abc.def";
        QTest::newRow("encoded key") << "api_key" << "aWQ6a2V5" << "ApiKey aWQ6a2V5";
        QTest::newRow("key as shown") << "api_key" << "id:key" << "ApiKey aWQ6a2V5";
    }
    void loginsAreWhatWasGiven()
    {
        QFETCH(QString, kind);
        QFETCH(QString, value);
        QFETCH(QString, header);
        std::string seen;
        HttpStandIn server([&](const HttpStandIn::Request& request) {
            seen = request.authorization;
            return HttpStandIn::Answer {200, R"({"version":{"number":"7.17.15"}})"};
        });
        ConnectionParams params;
        params.url.scheme = "elasticsearch";
        params.url.hosts = {{"127.0.0.1", server.port()}};
        params.secrets[kind.toStdString()] = Secret(value.toStdString());
        auto target = openSearch(params);
        QVERIFY(target);
        const auto info = (*target)->server();
        QVERIFY(info);
        QCOMPARE(info->engine, std::string("elasticsearch"));
        QCOMPARE(QString::fromStdString(seen), header);
    }
    void oldServersAreRefused()
    {
        HttpStandIn server([](const HttpStandIn::Request&) { return HttpStandIn::Answer {200, R"({"version":{"number":"6.8.23"}})"}; });
        ConnectionParams params;
        params.url.scheme = "elasticsearch";
        params.url.hosts = {{"127.0.0.1", server.port()}};
        auto target = openSearch(params);
        QVERIFY(target);
        const auto info = (*target)->server();
        QVERIFY(!info && info.error().id == "target.elasticsearch.too_old");
    }
    void secretsDoNotGoInTheClear()
    {
        ConnectionParams params;
        params.url.scheme = "elasticsearch";
        params.url.user = "writer";
        params.url.hosts = {{"search.example.org", 9200}};
        params.secrets["password"] = Secret(secret);
        QVERIFY(openSearch(params));                                       // verified TLS by default
        params.secrets["token"] = Secret("abc");
        QVERIFY(!openSearch(params));                                      // one way to log in
    }
    void names_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("alias");
        const auto row = [](const char* name, const char* alias) { QTest::newRow(name) << QString::fromUtf8(name) << QString::fromUtf8(alias); };
        row("film", "film"); row("OrderItems", "orderitems"); row("sakila.film", "sakila.film"); row("_mr", "t_mr"); row("a/b*c", "a_b_c"); row("-x", "t_x"); row("..", "t_");
        row("ÄÖÜ Größe", "äöü_größe"); row("ЗАКАЗ", "заказ"); row("ΤΙΜΗ", "τιμη"); row("日本", "日本"); row("millrace-registry", "millrace_registry"); row("mr-aside-film", "mr_aside-film");
        row("$dollar", "$dollar"); row("per%cent", "per%cent");
    }
    void names()
    {
        QFETCH(QString, name);
        QFETCH(QString, alias);
        QCOMPARE(QString::fromStdString(search::aliasName("", name.toStdString())), alias);
        const std::string lengthy = search::aliasName("", std::string(300, 'a')), other = search::aliasName("", std::string(301, 'a'));
        QVERIFY(lengthy.size() + 18 + search::asidePrefix.size() <= 255 && lengthy != other);
        QCOMPARE(search::stampedIndex("film", 1'795'243'894'123, 27), std::string("film-20261121t065134bb"));
    }
    void hitsThatAreNotWholeAreNone_data()
    {
        QTest::addColumn<QString>("answer");
        QTest::addColumn<bool>("whole");
        QTest::newRow("whole") << R"({"_scroll_id":"s","timed_out":false,"_shards":{"total":1,"failed":0},"hits":{"hits":[{"_id":"1","_version":7,"_source":{"failed":[1,{"_id":2}],"a" : 1.50}}]}})" << true;
        QTest::newRow("a shard failed") << R"({"_scroll_id":"s","timed_out":false,"_shards":{"total":2,"failed":1},"hits":{"hits":[{"_id":"1","_version":7,"_source":{"failed":[1,{"_id":2}],"a" : 1.50}}]}})" << false;
        QTest::newRow("out of time") << R"({"_scroll_id":"s","timed_out":true,"_shards":{"total":1,"failed":0},"hits":{"hits":[{"_id":"1","_version":7,"_source":{}}]}})" << false;
        QTest::newRow("no hits") << R"({"_scroll_id":"s","timed_out":false})" << false;
    }
    void hitsThatAreNotWholeAreNone()
    {
        QFETCH(QString, answer);
        QFETCH(bool, whole);
        const std::string text = answer.toStdString();
        std::vector<search::Hit> hits;
        std::string scroll;
        QCOMPARE(search::readHits(text, true, hits, scroll), whole);
        if (!whole)
            return;
        QCOMPARE(hits.size(), std::size_t(1));
        QCOMPARE(hits[0].id, std::string("1"));
        QCOMPARE(hits[0].version, std::uint64_t(7));
        QCOMPARE(std::string(hits[0].source), std::string(R"({"failed":[1,{"_id":2}],"a" : 1.50})"));       // byte for byte
        QCOMPARE(scroll, std::string("s"));
    }
    void throttledItemsAloneAreSentAgain()
    {
        Cluster c;
        c.then(Cluster::items({landed, busy, landed, busy}));
        c.then(Cluster::items({busy, landed}));
        WROTE(c.write(4), 4);
        QCOMPARE(c.bodies.size(), std::size_t(3));
        QCOMPARE(countLines(c.bodies[1]), std::size_t(4));
        QVERIFY(c.bodies[1].starts_with("{\"index\":{\"_id\":\"1\""));
        QVERIFY(c.bodies[2].starts_with("{\"index\":{\"_id\":\"1\"") && countLines(c.bodies[2]) == 2);
    }
    void refusedWholeIsBackedOffAndShrinks()
    {
        Cluster c;
        const std::string words = R"({"error":{"type":"circuit_breaking_exception","reason":"[parent] Data too large"},"status":429})";
        c.then({429, words});
        c.then({503, "<html>gateway</html>", {}, "text/html"});
        const auto before = c.clock.nowMs();
        WROTE(c.write(100, 10'000), 100);
        QVERIFY(c.clock.nowMs() > before);
        QVERIFY(c.bodies.back().size() < c.bodies.front().size());
    }
    void retryAfterIsHeard()
    {
        Cluster c;
        c.then({429, R"({"error":{"type":"too_many","reason":"slow down"},"status":429})", "Retry-After: 7\r\n"});
        const auto before = c.clock.nowMs();
        WROTE(c.write(1), 1);
        QVERIFY(c.clock.nowMs() - before >= 7000);
    }
    void endlessStormEnds()
    {
        Cluster c;
        for (int i = 0; i < 20; ++i)
            c.then(Cluster::items({busy, landed}));
        c.bulks.resize(1);
        for (int i = 0; i < 20; ++i)
            c.then(Cluster::items({busy}));
        const auto done = c.write(2);
        FAULT(done, Fault::Throttled, "throttled");
        QVERIFY(done.error().transient());
        QVERIFY(done.error().detail.find("the queue is full") != std::string::npos);
    }
    void tornAnswersAreNoSuccess_data()
    {
        QTest::addColumn<int>("cutAt");
        for (const int at : {0, 1, 20, 45, 60})
            QTest::addRow("after %d bytes", at) << at;
    }
    void tornAnswersAreNoSuccess()
    {
        QFETCH(int, cutAt);
        Cluster c;
        c.bulks.push_back([=](const std::string& body) { auto answer = Cluster::all(body); answer.cutAt = static_cast<std::size_t>(cutAt); return answer; });
        const auto done = c.write(3);
        QVERIFY(!done);
        QVERIFY(done.error().transient());
    }
    void lostAnswerIsNoSuccess()
    {
        Cluster c;
        HttpStandIn::Answer silent;
        silent.silent = true;
        c.then(silent);
        WROTE(c.write(3), 3);                                              // over a connection that was idle: sent once more at once
        QCOMPARE(c.bodies.size(), std::size_t(2));
        c.then(silent);
        c.then(silent);
        const auto done = c.write(3);
        QVERIFY(!done && done.error().transient());
    }
    void everyItemMustBeAccountedFor_data()
    {
        QTest::addColumn<QString>("body");
        QTest::newRow("one too few") << R"({"errors":false,"items":[{"index":{"status":201}},{"index":{"status":201}}]})";
        QTest::newRow("one too many") << R"({"items":[{"index":{"status":201}},{"index":{"status":201}},{"index":{"status":201}},{"index":{"status":201}}]})";
        QTest::newRow("none") << R"({"errors":false})";
        QTest::newRow("no status") << R"({"items":[{"index":{"status":201}},{"index":{}},{"index":{"status":201}}]})";
        QTest::newRow("a page") << "<html>It works</html>";
        QTest::newRow("nothing") << "";
        QTest::newRow("half") << R"({"items":[{"index":{"status":201}},)";
    }
    void everyItemMustBeAccountedFor()
    {
        QFETCH(QString, body);
        Cluster c;
        c.then({200, body.toStdString()});
        FAULT(c.write(3), Fault::Network, "answer");
    }
    void failedItemsInsideA200AreFailures()
    {
        Cluster c;
        c.then(Cluster::items({landed,
            R"({"status":400,"error":{"type":"mapper_parsing_exception","reason":"failed to parse field [n] of type [long]","caused_by":{"type":"x","reason":"no number: five"}}})",
            R"({"status":409,"error":{"type":"version_conflict_engine_exception","reason":"newer"}})"}));
        const auto done = c.write(3);
        WROTE(done, 1);
        QCOMPARE(done->superseded, std::uint64_t(1));
        QCOMPARE(done->rejected.size(), std::size_t(1));
        const RowFailure& row = done->rejected[0];
        QCOMPARE(row.row, 1u);
        QVERIFY(row.error.fault == Fault::Data);
        QVERIFY(row.error.detail.find("no number: five") != std::string::npos && !row.error.fix.empty());
    }
    void whatStopsTheTable_data()
    {
        QTest::addColumn<QString>("item");
        QTest::addColumn<int>("fault");
        QTest::addColumn<QString>("id");
        QTest::newRow("flood stage") << R"({"status":429,"error":{"type":"cluster_block_exception","reason":"index [film] blocked by: [TOO_MANY_REQUESTS/12/disk usage exceeded flood-stage watermark, index has read-only-allow-delete block];"}})"
                                     << int(Fault::Storage) << "disk_full";
        QTest::newRow("write block") << R"({"status":403,"error":{"type":"cluster_block_exception","reason":"index [film] blocked by: [FORBIDDEN/8/index write (api)];"}})" << int(Fault::Config) << "blocked";
        QTest::newRow("no right") << R"({"status":403,"error":{"type":"security_exception","reason":"no permissions for [indices:data/write/bulk[s]]"}})" << int(Fault::Auth) << "privilege";
        QTest::newRow("index gone") << R"({"status":404,"error":{"type":"index_not_found_exception","reason":"no such index [film]"}})" << int(Fault::Schema) << "index_gone";
    }
    void whatStopsTheTable()
    {
        QFETCH(QString, item);
        QFETCH(int, fault);
        QFETCH(QString, id);
        Cluster c;
        c.then(Cluster::items({landed, item.toStdString()}));
        const auto done = c.write(2);
        QVERIFY(!done);
        QCOMPARE(int(done.error().fault), fault);
        QCOMPARE(QString::fromStdString(done.error().id), "target.opensearch." + id);
        QVERIFY(!done.error().fix.empty());
        QCOMPARE(c.bodies.size(), std::size_t(1));                     // waiting would not help
    }
    void largeBodyIsSplitLargeDocumentIsParked()
    {
        Cluster c;
        const auto picky = [](const std::string& body) { return body.size() > 300'000 ? HttpStandIn::Answer {413, ""} : Cluster::all(body); };
        for (int i = 0; i < 50; ++i)
            c.bulks.push_back(picky);
        WROTE(c.write(40, 20'000), 40);
        Cluster one;
        for (int i = 0; i < 50; ++i)
            one.bulks.push_back(picky);
        const auto done = one.write(1, 400'000);
        WROTE(done, 0);
        QCOMPARE(done->rejected.size(), std::size_t(1));
        QVERIFY(done->rejected[0].error.fault == Fault::Data);
        QVERIFY(done->rejected[0].error.fix.find("http.max_content_length") != std::string::npos);
    }
    void bodiesStayBelowTheirLimit()
    {
        Cluster c;
        WROTE(c.write(30, 1'000'000), 30);
        QVERIFY(c.bodies.size() >= 4);
        for (const auto& body : c.bodies)
            QVERIFY(body.size() <= 8u << 20);
    }
    void redirectIsNotFollowed()
    {
        Cluster c;
        c.then({302, "", "Location: http://127.0.0.1:1/elsewhere\r\n"});
        QVERIFY(!c.write(1));
    }
    void echoedSecretIsCutOut()
    {
        Cluster c;
        std::string words = R"({"error":{"type":"security_exception","reason":"bad login SECRET"},"status":403})";
        words.replace(words.find("SECRET"), 6, secret);
        c.then({403, words});
        FAULT(c.write(1), Fault::Auth, "privilege");
    }
    void stopIsHeardWhileBackingOff()
    {
        Cluster c;
        for (int i = 0; i < 20; ++i)
            c.then(Cluster::items({busy}));
        std::stop_source stop;
        auto session = c.target->session(c.plan, c.lease, false);
        QVERIFY(session);
        stop.request_stop();
        const auto done = (*session)->write(c.payload(1), stop.get_token());
        QVERIFY(!done && done.error().fault == Fault::Cancelled);
    }
};

QTEST_APPLESS_MAIN(TstTargetSearchFaults)
#include "tst_target_search_faults.moc"
