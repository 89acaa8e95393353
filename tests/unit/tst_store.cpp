#include "core/base/node.h"
#include "core/base/platform.h"
#include "core/store/sqlitestore.h"
#include "tests/support/fakes.h"
#include <QTemporaryDir>
#include <QtTest>

using namespace millrace;
using namespace std::string_literals;

namespace {
constexpr std::int64_t minute = 60'000, hour = 60 * minute, day = 24 * hour;

//! Ends the test at the first error, naming it.
template <class T> T must(Result<T> result)
{
    if (!result)
        qFatal("%s: %s", result.error().id.c_str(), result.error().detail.c_str());
    if constexpr (!std::is_void_v<T>)
        return std::move(result).value();
}

ConnectionDef connection(const std::string& name, const std::string& url)
{
    ConnectionDef def;
    def.name = name;
    def.url = url;
    def.secrets["password"] = {SecretRef::Kind::Env, "SHOP_PASSWORD"};
    def.environment = "dev";
    return def;
}

SyncDef sync(const std::string& name, const std::string& every)
{
    SyncDef def;
    def.name = name;
    def.source = "shop";
    def.target = "search";
    def.every = every;
    return def;
}

FailedRow failed(const std::string& table, const std::string& key, const std::string& cause, RunId run = 1)
{
    FailedRow row;
    row.sync = "s";
    row.table = table;
    row.key = key;
    row.cause = cause;
    row.detail = "detail of " + key;
    row.run = run;
    return row;
}

const std::string oddText = "\xEF\xBB\xBF with mark, nul \0, bad \xff byte, emoji \xF0\x9F\x9A\x80"s;
} // namespace

class StoreTest : public QObject {
    Q_OBJECT
    test::FakeClock m_clock;
    std::unique_ptr<QTemporaryDir> m_dir;
    std::unique_ptr<MetadataStore> m_store;
    std::string home() const { return m_dir->path().toStdString(); }
    void reopen()
    {
        m_store.reset();
        m_store = must(openStore(home(), m_clock, nullptr));
    }
private slots:
    void init()
    {
        m_dir = std::make_unique<QTemporaryDir>();
        reopen();
    }
    void cleanup() { m_store.reset(); }

    void connectionsRoundTripAndAreAudited()
    {
        const auto first = connection("shop", "mysql://reader@127.0.0.1:3306/sakila");
        auto second = connection("search", "sqlite:demo.db");
        second.secrets.clear();
        second.baseDir = "/srv/files";
        must(m_store->saveConnection(first, "anna"));
        must(m_store->saveConnection(second, "anna"));
        must(m_store->saveConnection(first, "anna"));                 // no change: no line
        reopen();
        const auto all = must(m_store->connections());
        QCOMPARE(all.size(), std::size_t(2));
        QVERIFY(all[0] == second);
        QVERIFY(all[1] == first);

        auto changed = first;
        changed.environment = "prod";
        must(m_store->saveConnection(changed, "ben"));
        must(m_store->removeConnection("search", "ben"));
        must(m_store->removeConnection("search", "ben"));
        QCOMPARE(must(m_store->connections()).size(), std::size_t(1));
        const auto audit = must(m_store->audit(10));
        QCOMPARE(audit.size(), std::size_t(4));
        QCOMPARE(audit[0].action, std::string("connection.removed"));
        QCOMPARE(audit[1].action, std::string("connection.changed"));
        QCOMPARE(audit[1].actor, std::string("ben"));
        QCOMPARE(audit[1].subject, std::string("shop"));
        QCOMPARE(audit[1].timeMs, m_clock.nowMs());
        QVERIFY(audit[1].before.find("dev") != std::string::npos);
        QVERIFY(audit[1].after.find("prod") != std::string::npos);
        QCOMPARE(audit[3].action, std::string("connection.added"));
        QVERIFY(audit[3].before.empty());
        QCOMPARE(must(m_store->audit(1)).size(), std::size_t(1));
    }

    void passwordInUrlIsRefused()
    {
        const auto saved = m_store->saveConnection(connection("shop", "mysql://u:canary@h/d"), "anna");
        QVERIFY(!saved);
        QCOMPARE(saved.error().id, std::string("store.secret_in_url"));
        QVERIFY(saved.error().detail.find("canary") == std::string::npos);
        QVERIFY(must(m_store->audit(10)).empty());
    }

    void whatIsNotUtf8IsRefused()
    {
        QCOMPARE(m_store->saveConnection(connection("b\xff" "d", "sqlite:x.db"), "anna").error().id, std::string("store.not_utf8"));
        auto def = sync("s", "");
        def.exclude = {"\xff"};
        QCOMPARE(m_store->saveSync(def, "anna").error().id, std::string("store.not_utf8"));
        QVERIFY(must(m_store->connections()).empty());
    }

    void syncsRoundTripAndPause()
    {
        auto def = sync("sakila", "5m");
        def.exclude = {"audit_*"};
        TableRule rule;
        rule.name = "payment";
        rule.strategy = Strategy::Timestamp;
        rule.cursor = "last_update";
        rule.overlapMs = 2000;
        rule.policy["birthday"] = ValuePolicy::Text;
        rule.deletedRows = DeletedRows{"payment_deleted", "payment_id", "at"};
        def.tables = {rule};
        must(m_store->saveSync(def, "anna"));
        QVERIFY(!must(m_store->paused("sakila")));
        must(m_store->setPaused("sakila", true, "anna"));
        must(m_store->setPaused("sakila", true, "anna"));
        auto changed = def;
        changed.every = "1m";
        must(m_store->saveSync(changed, "anna"));                     // a change keeps the pause
        reopen();
        QVERIFY(must(m_store->paused("sakila")));
        const auto all = must(m_store->syncs());
        QCOMPARE(all.size(), std::size_t(1));
        QCOMPARE(all[0].every, std::string("1m"));
        QCOMPARE(all[0].exclude, def.exclude);
        QVERIFY(all[0].tables == def.tables);
        must(m_store->setPaused("sakila", false, "ben"));
        QVERIFY(!must(m_store->paused("sakila")));
        QStringList actions;
        for (const auto& entry : must(m_store->audit(0)))
            actions << QString::fromStdString(entry.action);
        QCOMPARE(actions, QStringList({"sync.resumed", "sync.changed", "sync.paused", "sync.added"}));
        QCOMPARE(m_store->setPaused("nothing", true, "ben").error().id, std::string("store.unknown_sync"));
        QVERIFY(!must(m_store->paused("nothing")));
    }

    void removedSyncTakesItsOwnAndKeepsEpochAndHistory()
    {
        for (const char* name : {"s", "other"}) {
            must(m_store->saveSync(sync(name, ""), "anna"));
            const Checkpoint checkpoint{name, "film", "{}"};
            must(m_store->commit({&checkpoint, 1}));
            TableStatus status;
            status.sync = name;
            status.table = "film";
            must(m_store->saveStatus(status));
            FailedRow row = failed("film", "1", "c");
            row.sync = name;
            must(m_store->park({&row, 1}));
            must(m_store->addMetric(name, "film", {m_clock.nowMs(), 1, 1}));
            must(m_store->saveEpoch(name, 7));
            must(m_store->beginRun(name, "cli", 1));
        }
        must(m_store->removeSync("s", "anna"));
        QCOMPARE(must(m_store->syncs()).size(), std::size_t(1));
        QVERIFY(!must(m_store->checkpoint("s", "film")));
        QVERIFY(must(m_store->checkpoint("other", "film")));
        QCOMPARE(must(m_store->statuses("")).size(), std::size_t(1));
        QCOMPARE(must(m_store->failures("", "", "", "")).size(), std::size_t(1));
        QVERIFY(must(m_store->metrics("s", "film", 0, INT64_MAX)).empty());
        QCOMPARE(must(m_store->metrics("other", "film", 0, INT64_MAX)).size(), std::size_t(1));
        QCOMPARE(must(m_store->epoch("s")), std::uint64_t(7));
        QCOMPARE(must(m_store->history("s", 10)).size(), std::size_t(1));
    }

    void checkpointsAreByteExact()
    {
        const std::vector<Checkpoint> both = {{"s", "film", "{\"chunk\":1}"}, {"s", oddText, oddText}};
        must(m_store->commit(both));
        must(m_store->commit({}));
        reopen();
        QCOMPARE(must(m_store->checkpoint("s", "film"))->state, both[0].state);
        QCOMPARE(must(m_store->checkpoint("s", oddText))->state, oddText);
        QVERIFY(!must(m_store->checkpoint("s", "actor")));
        const Checkpoint newer{"s", "film", "{\"chunk\":2}"};
        must(m_store->commit({&newer, 1}));
        QCOMPARE(must(m_store->checkpoint("s", "film"))->state, newer.state);
        must(m_store->forget("s", "film"));
        QVERIFY(!must(m_store->checkpoint("s", "film")));
        QVERIFY(must(m_store->checkpoint("s", oddText)));
        must(m_store->forget("s", ""));
        QVERIFY(!must(m_store->checkpoint("s", oddText)));
    }

    void epochOnlyGrows()
    {
        QCOMPARE(must(m_store->epoch("s")), std::uint64_t(0));
        must(m_store->saveEpoch("s", 5));
        must(m_store->saveEpoch("s", 3));
        reopen();
        QCOMPARE(must(m_store->epoch("s")), std::uint64_t(5));
    }

    void statusRoundTrips()
    {
        TableStatus s;
        s.sync = "s";
        s.table = "film";
        s.container = "x_film";
        s.state = State::NeedsResync;
        s.rows = 1000;
        s.failed = 3;
        s.lastSyncMs = 123;
        s.strategy = Strategy::Timestamp;
        s.lastError = "the table was altered";
        s.lastErrorId = "source.mysql.table_altered";
        s.verified = "identical";
        s.verifiedMs = 99;
        s.fingerprint = "abc";
        must(m_store->saveStatus(s));
        s.rows = 1001;
        must(m_store->saveStatus(s));
        TableStatus other = s;
        other.sync = "t";
        must(m_store->saveStatus(other));
        reopen();
        const auto all = must(m_store->statuses("s"));
        QCOMPARE(all.size(), std::size_t(1));
        const TableStatus& r = all[0];
        QCOMPARE(r.container, s.container);
        QVERIFY(r.state == State::NeedsResync);
        QCOMPARE(r.rows, std::uint64_t(1001));
        QCOMPARE(r.failed, std::uint64_t(3));
        QCOMPARE(r.lastSyncMs, std::int64_t(123));
        QVERIFY(r.strategy == Strategy::Timestamp);
        QCOMPARE(r.lastError + r.lastErrorId + r.verified + r.fingerprint, s.lastError + s.lastErrorId + s.verified + s.fingerprint);
        QCOMPARE(r.verifiedMs, std::int64_t(99));
        QCOMPARE(must(m_store->statuses("")).size(), std::size_t(2));
    }

    void historyGivesReportsBackWhole()
    {
        RunReport run;
        run.id = must(m_store->beginRun("s", "schedule", 1000));
        run.sync = "s";
        run.syncType = "mixed";
        run.outcome = Outcome::Partial;
        run.startMs = 1000;
        run.endMs = 3000;
        run.trigger = "schedule";
        run.error = Error{Fault::Throttled, "target.x", "the run\nas a whole \xff", "wait", std::chrono::milliseconds(250)};
        TableReport good;
        good.table = "zebra";
        good.outcome = Outcome::Success;
        good.syncType = "full";
        good.strategy = Strategy::Timestamp;
        good.read = 10; good.written = 9; good.deleted = 1; good.rejected = 2; good.superseded = 3; good.filtered = 4;
        good.coerced = 5; good.rechecked = 6; good.bytes = 1u << 31; good.startMs = 1001; good.endMs = 2002;
        good.position = "2026-01-01";
        good.notes = {{"drift", "Column note is new", {"note", "text"}}, {"empty", "Read nothing", {}}};
        TableReport cancelled;
        cancelled.table = "actor";
        cancelled.outcome = Outcome::Cancelled;
        cancelled.error = Error{Fault::Schema, "source.mysql.table_altered", "detail", "resync"};
        run.tables = {good, cancelled};
        must(m_store->endRun(run));
        const RunId open = must(m_store->beginRun("s", "cli", 4000));
        must(m_store->beginRun("other", "cli", 5000));
        QVERIFY(open > run.id);
        reopen();

        const auto all = must(m_store->history("s", 10));
        QCOMPARE(all.size(), std::size_t(2));
        QCOMPARE(all[0].id, open);
        QVERIFY(all[0].outcome == Outcome::Unknown);                  // killed: never green, end unknown
        QCOMPARE(all[0].endMs, std::int64_t(0));
        const RunReport& r = all[1];
        QVERIFY(r.outcome == Outcome::Partial);
        QCOMPARE(r.syncType + r.trigger, std::string("mixedschedule"));
        QCOMPARE(r.startMs, std::int64_t(1000));
        QCOMPARE(r.endMs, std::int64_t(3000));
        QVERIFY(r.error.has_value());
        QVERIFY(r.error->fault == Fault::Throttled && r.error->retryAfter.count() == 250);
        QCOMPARE(r.error->detail, std::string("the run\nas a whole \xEF\xBF\xBD"));   // what is not UTF-8 is marked
        QCOMPARE(r.tables.size(), std::size_t(2));
        const TableReport& t = r.tables[0];
        QCOMPARE(t.table + t.syncType + t.position, std::string("zebrafull2026-01-01"));
        QVERIFY(t.outcome == Outcome::Success && t.strategy == Strategy::Timestamp && !t.error);
        QVERIFY(t.read == 10 && t.written == 9 && t.deleted == 1 && t.rejected == 2 && t.superseded == 3 && t.filtered == 4 && t.coerced == 5
                && t.rechecked == 6 && t.bytes == (1u << 31) && t.startMs == 1001 && t.endMs == 2002);
        QCOMPARE(t.notes.size(), std::size_t(2));
        QCOMPARE(t.notes[0].text, std::string("Column note is new"));
        QCOMPARE(t.notes[0].args, (std::vector<std::string>{"note", "text"}));
        QVERIFY(r.tables[1].outcome == Outcome::Cancelled);
        QVERIFY(r.tables[1].error->fault == Fault::Schema);
        QCOMPARE(r.tables[1].error->fix, std::string("resync"));
        QCOMPARE(must(m_store->history("", 2)).size(), std::size_t(2));
        QCOMPARE(must(m_store->history("", 0)).size(), std::size_t(3));

        RunReport never;
        never.id = 4711;
        QCOMPARE(m_store->endRun(never).error().id, std::string("store.unknown_run"));
    }

    void parkedRowsCountTheirTries()
    {
        auto row = failed("film", "7", "target.too_large");
        row.document = "{\"film_id\":7}";
        row.column = "note";
        row.position = "p";
        row.fix = "f";
        row.firstMs = row.lastMs = 100;
        must(m_store->park({&row, 1}));
        row.firstMs = row.lastMs = 200;
        row.run = 2;
        row.detail = "newer words";
        must(m_store->park({&row, 1}));
        const std::vector<FailedRow> more = {failed("film", "7", "other"), failed("film", oddText, "other"), failed("actor", "7", "other", 3)};
        must(m_store->park(more));
        reopen();
        const auto same = must(m_store->failures("s", "film", "target.too_large", "7"));
        QCOMPARE(same.size(), std::size_t(1));
        QCOMPARE(same[0].tries, 2u);
        QCOMPARE(same[0].firstMs, std::int64_t(100));
        QCOMPARE(same[0].lastMs, std::int64_t(200));
        QCOMPARE(same[0].run, RunId(2));
        QCOMPARE(same[0].detail, std::string("newer words"));
        QCOMPARE(same[0].document + same[0].column + same[0].position + same[0].fix, row.document + row.column + row.position + row.fix);
        QCOMPARE(must(m_store->failures("s", "", "", "")).size(), std::size_t(4));
        QCOMPARE(must(m_store->failures("s", "film", "", "")).size(), std::size_t(3));
        QCOMPARE(must(m_store->failures("", "", "other", "")).size(), std::size_t(3));
        QCOMPARE(must(m_store->failures("s", "", "", oddText)).at(0).key, oddText);
        QCOMPARE(must(m_store->failures("s", "", "other", oddText)).at(0).firstMs, m_clock.nowMs());

        must(m_store->removeFailures("s", "film", {"7"}));            // all causes of that key, of that table
        QCOMPARE(must(m_store->failures("s", "film", "", "")).size(), std::size_t(1));
        QCOMPARE(must(m_store->failures("s", "actor", "", "")).size(), std::size_t(1));
        must(m_store->removeFailuresBefore("s", "film", 2));
        must(m_store->removeFailuresBefore("s", "actor", 3));
        QCOMPARE(must(m_store->failures("s", "", "", "")).size(), std::size_t(1));
        must(m_store->removeFailures("s", "film", {}));
    }

    void discardingIsAudited()
    {
        const std::vector<FailedRow> rows = {failed("film", "1", "a"), failed("film", "2", "a"), failed("actor", "1", "b")};
        must(m_store->park(rows));
        QCOMPARE(must(m_store->discardFailures("s", "a", "2", "anna")), std::uint64_t(1));
        QCOMPARE(must(m_store->discardFailures("s", "zzz", "", "anna")), std::uint64_t(0));
        QCOMPARE(must(m_store->discardFailures("s", "", "", "anna")), std::uint64_t(2));
        const auto audit = must(m_store->audit(10));
        QCOMPARE(audit.size(), std::size_t(2));
        QCOMPARE(audit[0].action, std::string("failures.discarded"));
        QCOMPARE(audit[0].before, std::string("{\"rows\":2}"));
    }

    void hugeDocumentsAreCutBetweenCharacters()
    {
        auto row = failed("film", "1", "a");
        for (int i = 0; i < 200'000; ++i)
            row.document += "\xC3\xBC";
        must(m_store->park({&row, 1}));
        const auto kept = must(m_store->failures("s", "", "", ""));
        QVERIFY(kept[0].document.size() < 300'000);
        QVERIFY(QString::fromStdString(kept[0].document).endsWith(QString::fromUtf8("ü…")));
    }

    void settingsAndOwner()
    {
        const std::string owner = m_store->owner();
        QVERIFY(QRegularExpression("^[0-9a-f]{32}$").match(QString::fromStdString(owner)).hasMatch());
        must(m_store->saveSetting("theme", "dark", "anna"));
        must(m_store->saveSetting("theme", "dark", "anna"));
        must(m_store->saveSetting("ui.geometry", "x", ""));           // the program itself: not audited
        reopen();
        QCOMPARE(m_store->owner(), owner);
        QCOMPARE(must(m_store->setting("theme")), std::string("dark"));
        QCOMPARE(must(m_store->setting("none")), std::string());
        must(m_store->saveSetting("theme", "", "anna"));
        QCOMPARE(must(m_store->setting("theme")), std::string());
        QCOMPARE(must(m_store->audit(10)).size(), std::size_t(2));
        QCOMPARE(m_store->saveSetting("store.owner", "x", "anna").error().id, std::string("store.reserved_setting"));
        const QTemporaryDir second;
        QVERIFY(must(openStore(second.path().toStdString(), m_clock, nullptr))->owner() != owner);
    }

    void metricsRollUpWithoutLosingRows()
    {
        const std::int64_t now = m_clock.nowMs() / day * day, from = now - 3 * day;
        double rows = 0;
        for (std::int64_t t = from; t < now; t += 300'000)                    // ten seconds of work every five minutes
            for (int i = 0; i < 2; ++i) {
                must(m_store->addMetric("s", "film", {t + i * 5000, 100, 80, 1, double(t % 7000), 2, double(i), 5}));
                rows += 80 * 5;
            }
        must(m_store->addMetric("s", "actor", {from, 1, 20, 0, 9e6, 1, 1, 5}));
        const auto total = [](const std::vector<MetricPoint>& points) {
            double sum = 0;
            for (const auto& p : points)
                sum += p.written * p.spanSeconds;
            return sum;
        };
        const auto raw = must(m_store->metrics("s", "film", from, now));
        QCOMPARE(raw.size(), std::size_t(3 * 288 * 2));
        QCOMPARE(total(raw), rows);

        must(m_store->prune(now));
        must(m_store->prune(now));                                            // again changes nothing
        reopen();
        const auto rolled = must(m_store->metrics("s", "film", from, now));
        QCOMPARE(total(rolled), rows);
        std::map<std::uint32_t, int> spans;
        for (std::size_t i = 0; i < rolled.size(); ++i) {
            ++spans[rolled[i].spanSeconds];
            if (i > 0)
                QVERIFY(rolled[i].timeMs > rolled[i - 1].timeMs);
            const std::int64_t age = now - rolled[i].timeMs;
            QCOMPARE(rolled[i].spanSeconds, age > 2 * day ? 900u : age > 2 * hour ? 60u : 5u);
        }
        QCOMPARE(spans, (std::map<std::uint32_t, int>{{5, 48}, {60, 46 * 12}, {900, 96}}));
        QCOMPARE(rolled[0].p95Ms, 1.0);                                       // the worst of the bucket
        QCOMPARE(rolled[0].p50Ms, 2.0);
        QVERIFY(qFuzzyCompare(rolled[0].written, 3 * 800.0 / 900));
        // all tables together
        const auto both = must(m_store->metrics("s", "", from, from + 900'000));
        QCOMPARE(both.size(), std::size_t(1));
        QVERIFY(qFuzzyCompare(total(both), 2400.0 + 100));
        QCOMPARE(both[0].lagMs, 9e6);

        // a late point joins its bucket
        must(m_store->addMetric("s", "film", {from + 1000, 0, 90, 0, 0, 0, 0, 1}));
        must(m_store->prune(now));
        QVERIFY(qFuzzyCompare(total(must(m_store->metrics("s", "film", from, now))), rows + 90));
        must(m_store->prune(now + 40 * day));
        QVERIFY(must(m_store->metrics("s", "film", 0, INT64_MAX)).empty());
    }

    void retentionOfRunsAndFailures()
    {
        const std::int64_t now = m_clock.nowMs();
        const auto finished = [&](const std::string& name, std::int64_t start) {
            RunReport run;
            run.id = must(m_store->beginRun(name, "cli", start));
            run.outcome = Outcome::Success;
            run.endMs = start + 1;
            run.tables.resize(2);
            must(m_store->endRun(run));
            return run.id;
        };
        must(m_store->saveSetting("retention.history_runs", "3", "anna"));
        must(m_store->saveSetting("retention.failures", "2", "anna"));
        finished("s", now - 91 * day);
        const RunId kept = finished("other", now - 89 * day);
        for (int i = 0; i < 5; ++i)
            finished("s", now - i);
        const RunId open = must(m_store->beginRun("s", "cli", now - 200 * day));
        const std::vector<FailedRow> rows = {failed("film", "1", "a"), failed("film", "2", "a"), failed("film", "3", "a")};
        must(m_store->park(rows));
        must(m_store->prune(now));
        const auto history = must(m_store->history("s", 0));
        QCOMPARE(history.size(), std::size_t(3));                             // one of them is under way
        QCOMPARE(history[0].id, open);
        QCOMPARE(history[1].tables.size(), std::size_t(2));
        QCOMPARE(must(m_store->history("other", 0)).at(0).id, kept);
        const auto left = must(m_store->failures("s", "", "", ""));
        QCOMPARE(left.size(), std::size_t(2));
        QCOMPARE(left[0].key, std::string("2"));
        QCOMPARE(must(m_store->audit(1)).at(0).action, std::string("failures.dropped"));
        must(m_store->prune(now));
        QCOMPARE(must(m_store->failures("s", "", "", "")).size(), std::size_t(2));
    }
};

QTEST_GUILESS_MAIN(StoreTest)
#include "tst_store.moc"
