#include "core/verify/verifier.h"
#include "tests/support/fakes.h"
#include <QDir>
#include <QTemporaryDir>
#include <QTest>
#include <atomic>
#include <cstdlib>
#include <malloc.h>
#include <new>
#include <numeric>

using namespace millrace;
using namespace millrace::test;

// Every allocation of this program is counted, so that "bounded memory" is a measurement.
namespace {
std::atomic<std::size_t> held{0}, peak{0};

void* counted(void* p)
{
    if (!p)
        throw std::bad_alloc();
    const std::size_t now = held += malloc_usable_size(p);
    for (std::size_t seen = peak; now > seen && !peak.compare_exchange_weak(seen, now);) {}
    return p;
}
} // namespace

void* operator new(std::size_t size) { return counted(std::malloc(size)); }
void* operator new(std::size_t size, std::align_val_t align) { return counted(std::aligned_alloc(static_cast<std::size_t>(align), (size + static_cast<std::size_t>(align) - 1) / static_cast<std::size_t>(align) * static_cast<std::size_t>(align))); }
void operator delete(void* p) noexcept { held -= malloc_usable_size(p); std::free(p); }
void operator delete(void* p, std::size_t) noexcept { held -= malloc_usable_size(p); std::free(p); }
void operator delete(void* p, std::align_val_t) noexcept { held -= malloc_usable_size(p); std::free(p); }
void operator delete(void* p, std::size_t, std::align_val_t) noexcept { held -= malloc_usable_size(p); std::free(p); }

namespace {

//! Jumps like FakeClock, and lets the test change the world during a wait.
class StagedClock final : public Clock {
public:
    std::function<void(int)> onWait;
    mutable int waits = 0;
    std::int64_t nowMs() const override { return 1'800'000'000'000 + waits; }
    std::int64_t steadyUs() const override { return nowMs() * 1000; }
    bool wait(std::chrono::milliseconds, std::stop_token stop) const override
    {
        ++waits;
        if (onWait)
            onWait(waits);
        return !stop.stop_requested();
    }
};

//! A table, a store, and what a finished run would have left in it.
struct World {
    FakeDatabase database;
    FakeStore store;
    StagedClock clock;
    FakeSource source{database};
    FakeTarget target{store, clock};
    QTemporaryDir folder;
    TablePlanPtr plan;
    Verifier::Options options;

    explicit World(std::size_t keyColumns = 1)
    {
        database.createTable("film", {"id int", "title text", "length int"}, keyColumns);
        for (int i = 1; i <= 500; ++i)
            database.put("film", {i, "film " + std::to_string(i), i % 7});
        plan = fakePlan(database, "film");
        options.spillDir = folder.path().toStdString();
        synchronise(source, target, plan);
    }

    static void synchronise(Source& source, Target& target, const TablePlanPtr& plan)
    {
        const Lease lease = must(target.acquire(plan->sync, "home", 0, {}));
        must(target.prepare(*plan, lease));
        if (plan->keyless())
            must(target.beginAside(*plan, lease));
        auto session = must(target.session(plan, lease, true));
        auto snapshot = must(source.snapshot(plan));
        auto reader = must(snapshot->read({}));
        auto encoder = target.encoder(plan);
        std::uint64_t seq = 1;
        for (ReadState state = ReadState::More; state != ReadState::End;) {
            Batch batch(plan->schema);
            state = must(reader->read(batch, 100, {}));
            batch.version = lease.epoch << 40 | seq;
            seq += batch.rows();
            std::vector<std::uint32_t> rows(batch.rows());
            std::iota(rows.begin(), rows.end(), 0u);
            Payload payload;
            must(encoder->encode(batch, rows, payload));
            must(session->write(payload, {}));
        }
        if (plan->keyless())
            must(target.promoteAside(*plan, lease));
        must(target.release(lease));
    }
    template <class T> static T must(Result<T> result)
    {
        if (!result)
            qFatal("%s: %s", result.error().id.c_str(), result.error().detail.c_str());
        if constexpr (!std::is_void_v<T>)
            return std::move(result).value();
    }

    TableVerdict verify() { return verify(source, target); }
    TableVerdict verify(Source& s, Target& t, std::stop_token stop = {})
    {
        auto verdict = makeVerifier(clock)->verify(s, t, plan, options, stop);
        if (!verdict)
            qFatal("%s", verdict.error().detail.c_str());
        return *verdict;
    }
    std::string form(const std::string& key) { return store.documents("film").at(key).form; }
};

const RowDifference* sample(const TableVerdict& verdict, const std::string& key)
{
    for (const auto& one : verdict.samples)
        if (one.key == key)
            return &one;
    return nullptr;
}

Error broken(Fault fault = Fault::Network) { return {fault, "test.broken", "the wire was cut", "", {}}; }

//! Lookups by key that find nothing, as with a collation or a type that does not meet itself.
class BlindSource final : public FakeSource {
public:
    using FakeSource::FakeSource;
    Result<std::unique_ptr<BatchReader>> proof(TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys) override
    {
        if (keys.empty())
            return FakeSource::proof(plan, keys);
        Batch arena(plan->schema);
        return FakeSource::proof(plan, {{arena.text("no such key")}});
    }
};
class BlindTarget final : public FakeTarget {
public:
    using FakeTarget::FakeTarget;
    Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr plan, const std::vector<std::string>& keys) override
    {
        return FakeTarget::readBack(plan, keys.empty() ? keys : std::vector<std::string>{"no such key"});
    }
};

//! Holds one document twice, and finds one of them by key.
class TwinTarget final : public FakeTarget {
public:
    TwinTarget(FakeStore& store, const Clock& clock, std::string key) : FakeTarget(store, clock), m_store(store), m_key(std::move(key)) {}
    Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr plan, const std::vector<std::string>& keys) override
    {
        auto documents = FakeTarget::readBack(plan, keys);
        if (!documents || !keys.empty())
            return documents;
        struct Twice final : DocumentReader {
            std::unique_ptr<DocumentReader> all;
            ReadBack twin;
            Result<ReadState> read(std::vector<ReadBack>& into, std::size_t most, std::stop_token stop) override
            {
                auto state = all->read(into, most, stop);
                if (state && *state == ReadState::End)
                    into.push_back(twin);
                return state;
            }
        };
        auto twice = std::make_unique<Twice>();
        twice->all = std::move(*documents);
        twice->twin = {m_key, m_store.documents("film").at(m_key).form, true};
        return std::unique_ptr<DocumentReader>(std::move(twice));
    }
private:
    FakeStore& m_store;
    std::string m_key;
};

//! Rows that exist only while they are read, so that the test itself holds nothing.
class EndlessReader final : public BatchReader {
public:
    EndlessReader(std::int64_t rows, std::vector<std::int64_t> only) : m_rows(rows), m_only(std::move(only)) {}
    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token) override
    {
        const std::int64_t end = m_only.empty() ? m_rows : static_cast<std::int64_t>(m_only.size());
        for (std::size_t n = 0; n < maxRows && m_next < end; ++n, ++m_next) {
            const std::int64_t id = m_only.empty() ? m_next : m_only[static_cast<std::size_t>(m_next)];
            const auto cells = into.append(Op::Upsert);
            cells[0] = Cell::integer(id);
            cells[1] = into.text("title of " + std::to_string(id));
            cells[2] = Cell::integer(id % 7);
        }
        return m_next == end ? ReadState::End : ReadState::More;
    }
private:
    std::int64_t m_rows, m_next = 0;
    std::vector<std::int64_t> m_only;
};
class EndlessSource final : public FakeSource {
public:
    EndlessSource(FakeDatabase& database, std::int64_t rows) : FakeSource(database), m_rows(rows) {}
    Result<std::unique_ptr<BatchReader>> proof(TablePlanPtr, const std::vector<std::vector<Cell>>& keys) override
    {
        std::vector<std::int64_t> only;
        for (const auto& key : keys)
            only.push_back(key[0].i);
        return std::unique_ptr<BatchReader>(std::make_unique<EndlessReader>(m_rows, only));
    }
private:
    std::int64_t m_rows;
};
class EndlessTarget final : public FakeTarget {
public:
    EndlessTarget(FakeStore& store, const Clock& clock, std::int64_t rows, std::function<bool(std::int64_t)> has)
        : FakeTarget(store, clock), m_rows(rows), m_has(std::move(has)) {}
    Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr, const std::vector<std::string>& keys) override
    {
        struct Reader final : DocumentReader {
            std::int64_t next = 0, rows = 0;
            std::function<bool(std::int64_t)> has;
            std::vector<std::string> keys;
            Result<ReadState> read(std::vector<ReadBack>& into, std::size_t most, std::stop_token) override
            {
                // backwards: order means nothing
                for (std::size_t n = 0; n < most && next < (keys.empty() ? rows : static_cast<std::int64_t>(keys.size())); ++next) {
                    const std::int64_t id = keys.empty() ? rows - 1 - next : std::stoll(keys[static_cast<std::size_t>(next)]);
                    if (!has(id))
                        continue;
                    const std::string text = std::to_string(id);
                    into.push_back({text, "id\x1f" + text + "\x1etitle\x1f\"title of " + text + "\"\x1elength\x1f" + std::to_string(id % 7) + "\x1e", true});
                    ++n;
                }
                return next == (keys.empty() ? rows : static_cast<std::int64_t>(keys.size())) ? ReadState::End : ReadState::More;
            }
        };
        auto reader = std::make_unique<Reader>();
        reader->rows = m_rows;
        reader->has = m_has;
        reader->keys = keys;
        return std::unique_ptr<DocumentReader>(std::move(reader));
    }
private:
    std::int64_t m_rows;
    std::function<bool(std::int64_t)> m_has;
};

} // namespace

class TstVerifier : public QObject {
    Q_OBJECT
private slots:
    void identical()
    {
        World w;
        std::uint64_t told = 0;
        w.options.progress = [&](std::uint64_t rows) { told = rows; };
        const auto verdict = w.verify();
        QCOMPARE(verdict.verdict, Verdict::Identical);
        QCOMPARE(verdict.table, std::string("film"));
        QCOMPARE(verdict.sourceRows, std::uint64_t{500});
        QCOMPARE(verdict.targetRows, std::uint64_t{500});
        QCOMPARE(told, std::uint64_t{1000});
        QVERIFY(verdict.samples.empty() && !verdict.error);
        QVERIFY(verdict.fromMs > 0 && verdict.toMs >= verdict.fromMs);
    }

    void bothEmpty()
    {
        World w;
        w.database.clear("film");
        for (int i = 1; i <= 500; ++i)
            w.store.erase("film", std::to_string(i));
        const auto verdict = w.verify();
        QCOMPARE(verdict.verdict, Verdict::Identical);
        QCOMPARE(verdict.sourceRows, std::uint64_t{0});
    }

    void everyDamageIsFound()
    {
        World w;
        w.store.erase("film", "7");
        w.store.erase("film", "8");
        w.store.put("film", "9000", {w.form("9"), 1, true});
        auto changed = w.form("11");
        changed.replace(changed.find("film 11"), 7, "FILM 11");
        w.store.put("film", "11", {changed, 1, true});
        const auto verdict = w.verify();
        QCOMPARE(verdict.verdict, Verdict::Different);
        QCOMPARE(verdict.missing, std::uint64_t{2});
        QCOMPARE(verdict.extra, std::uint64_t{1});
        QCOMPARE(verdict.different, std::uint64_t{1});
        QCOMPARE(verdict.sourceRows, std::uint64_t{500});
        QCOMPARE(verdict.targetRows, std::uint64_t{499});
        QCOMPARE(verdict.samples.size(), std::size_t{4});
        QVERIFY(sample(verdict, "7") && sample(verdict, "7")->kind == RowDifference::Kind::Missing);
        QVERIFY(sample(verdict, "9000") && sample(verdict, "9000")->kind == RowDifference::Kind::Extra);
        const auto* different = sample(verdict, "11");
        QVERIFY(different && different->kind == RowDifference::Kind::Different);
        QVERIFY(different->fields == std::vector<std::string>{"title"});
        QVERIFY(different->expected.find("\"film 11\"") != std::string::npos && different->actual.find("\"FILM 11\"") != std::string::npos);
    }

    void countsAreExactBeyondTheSamples()
    {
        World w;
        for (int i = 1; i <= 300; ++i)
            w.store.erase("film", std::to_string(i));
        const auto verdict = w.verify();
        QCOMPARE(verdict.missing, std::uint64_t{300});
        QCOMPARE(verdict.samples.size(), std::size_t{100});
    }

    // Each look waits a second for rows in flight: per look, not per two hundred rows.
    void manyDifferencesDoNotWaitLonger()
    {
        World w;
        w.options.settleMs = 1000;
        for (int i = 1; i <= 450; ++i)
            w.store.erase("film", std::to_string(i));
        const auto verdict = w.verify();
        QCOMPARE(verdict.verdict, Verdict::Different);
        QCOMPARE(verdict.missing, std::uint64_t{450});
        QVERIFY2(w.clock.waits <= 3, std::to_string(w.clock.waits).c_str());
    }

    void swappedKeysAreFound()
    {
        World w;                                           // equal sums, equal counts: only the pairing is wrong
        const auto one = w.form("1"), two = w.form("2");
        w.store.put("film", "1", {two, 1, true});
        w.store.put("film", "2", {one, 1, true});
        QCOMPARE(w.verify().different, std::uint64_t{2});
    }

    void foreignIsNotExtra()
    {
        World w;
        w.store.put("film", "theirs", {"note\x1f\"x\"\x1e", 0, false});
        FakeStore adopted;
        adopted.put("film", "theirs", {"note\x1f\"x\"\x1e", 0, false});
        FakeTarget target(adopted, w.clock);
        auto plan = std::make_shared<TablePlan>(*w.plan);
        plan->ifExists = IfExists::Write;
        w.plan = plan;
        World::synchronise(w.source, target, plan);
        const auto verdict = w.verify(w.source, target);
        QCOMPARE(verdict.verdict, Verdict::Identical);
        QCOMPARE(verdict.foreign, std::uint64_t{1});
        QCOMPARE(verdict.extra, std::uint64_t{0});
        QCOMPARE(verdict.targetRows, std::uint64_t{500});
    }

    void undecodableRowIsMissing()
    {
        World w;
        w.database.rejectRow("film", {5}, broken(Fault::Data));
        auto verdict = w.verify();                         // an older document stands there: not proven equal
        QCOMPARE(verdict.verdict, Verdict::Different);
        QCOMPARE(verdict.different, std::uint64_t{1});
        w.store.erase("film", "5");
        verdict = w.verify();
        QCOMPARE(verdict.missing, std::uint64_t{1});
        QCOMPARE(verdict.sourceRows, std::uint64_t{500});
        QCOMPARE(verdict.different + verdict.extra, std::uint64_t{0});
    }

    void undecodableKeyIsMissing()
    {
        World w;
        w.database.put("film", {nullptr, "no key", 1});
        w.database.rejectRow("film", {nullptr}, broken(Fault::Data));
        const auto verdict = w.verify();
        QCOMPARE(verdict.verdict, Verdict::Different);
        QCOMPARE(verdict.missing, std::uint64_t{1});
        QCOMPARE(verdict.sourceRows, std::uint64_t{501});
    }

    void nullKeyIsMissing()
    {
        World w;
        w.database.put("film", {nullptr, "no key", 1});
        BlindSource blind(w.database);
        for (Source* source : {static_cast<Source*>(&w.source), static_cast<Source*>(&blind)}) {
            const auto verdict = w.verify(*source, w.target);
            QCOMPARE(verdict.verdict, Verdict::Different);
            QCOMPARE(verdict.missing, std::uint64_t{1});
        }
    }

    void rowsThatMeetInOneKey()
    {
        World w;
        w.database.put("film", {"7", "text key", 1});       // SQLite can hold both 7 and '7'
        const auto verdict = w.verify();
        QCOMPARE(verdict.verdict, Verdict::Different);
        QCOMPARE(verdict.missing, std::uint64_t{1});
        QCOMPARE(verdict.sourceRows, std::uint64_t{501});
    }

    void troubleIsNeverIdentical_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("source cannot be read") << 0;
        QTest::newRow("source breaks off") << 1;
        QTest::newRow("source breaks off at the very end") << 2;
        QTest::newRow("target breaks off") << 3;
        QTest::newRow("target breaks off at the very end") << 4;
        QTest::newRow("second look at the source breaks off") << 5;
        QTest::newRow("second look at the target breaks off") << 6;
        QTest::newRow("stopped before") << 7;
        QTest::newRow("no place to spill") << 8;
        QTest::newRow("table is gone") << 9;
    }
    void troubleIsNeverIdentical()
    {
        QFETCH(int, kind);
        World w;
        std::stop_source stop;
        switch (kind) {
        case 0: w.database.failProof("film", 0, broken()); break;
        case 1: w.database.failProof("film", 250, broken()); break;
        case 2: w.database.failProof("film", 499, broken()); break;
        case 3: w.store.failReadBack(100, broken()); break;
        case 4: w.store.failReadBack(499, broken()); break;
        case 5: case 6:
            w.store.erase("film", "3");
            w.options.settleMs = 10;
            w.clock.onWait = [&](int wait) {
                if (wait == 1 && kind == 5) w.database.failProof("film", 100, broken());
                if (wait == 1 && kind == 6) w.store.failReadBack(100, broken());
            };
            break;
        case 7: stop.request_stop(); break;
        case 8:
            w.options.spillDir = "/dev/null/nowhere";
            w.options.memoryBytes = 1;
            for (int i = 1000; i < 5000; ++i)
                w.database.put("film", {i, "more", 1});
            break;
        case 9: w.plan = [&] { auto p = std::make_shared<TablePlan>(*w.plan); p->table.name = "gone"; return p; }(); break;
        }
        const auto verdict = w.verify(w.source, w.target, stop.get_token());
        QCOMPARE(verdict.verdict, Verdict::Unknown);
        QVERIFY(verdict.error.has_value());
        QVERIFY(verdict.error->detail.starts_with("table film: "));
        QCOMPARE(verdict.error->fault == Fault::Cancelled, kind == 7);
        if (kind < 7)
            QCOMPARE(verdict.error->id, std::string("test.broken"));
    }

    void rowsInFlightAreLookedAtAgain()
    {
        World w;
        w.options.settleMs = 100;
        w.store.erase("film", "7");                        // written in the source, not yet here
        const auto late = w.form("8"), gone = w.form("9"), back = w.form("10");
        w.database.put("film", {8, "changed", 1});         // changed, not yet here
        w.database.erase("film", {9});                     // deleted, not yet here
        w.clock.onWait = [&](int) {
            auto form = back;
            form.replace(form.find("film 10"), 7, "film 7");
            form.replace(form.find("10"), 2, "7");
            form.replace(form.rfind("3"), 1, "0");
            w.store.put("film", "7", {form, 5, true});
            auto changed = late;
            changed.replace(changed.find("film 8"), 6, "changed");
            w.store.put("film", "8", {changed, 5, true});
            w.store.erase("film", "9");
        };
        const auto verdict = w.verify();
        QCOMPARE(verdict.verdict, Verdict::Identical);
        QCOMPARE(verdict.sourceRows, std::uint64_t{499});
        QCOMPARE(verdict.targetRows, std::uint64_t{499});
        QCOMPARE(w.clock.waits, 1);                        // the second look comes after the wait, and settles it
        w.clock.onWait = nullptr;
        w.store.erase("film", "20");                       // and what stays wrong stays found
        w.store.put("film", "9", {gone, 5, true});
        const auto still = w.verify();
        QCOMPARE(still.verdict, Verdict::Different);
        QCOMPARE(still.missing, std::uint64_t{1});
        QCOMPARE(still.extra, std::uint64_t{1});
    }

    void blindLookupsAreNeverIdentical()
    {
        World w;
        w.store.erase("film", "7");
        w.store.put("film", "9000", {w.form("9"), 1, true});
        BlindSource source(w.database);
        BlindTarget target(w.store, w.clock);
        const auto verdict = w.verify(source, target);
        QCOMPARE(verdict.verdict, Verdict::Different);
        QCOMPARE(verdict.missing, std::uint64_t{1});
        QCOMPARE(verdict.extra, std::uint64_t{1});
    }

    // A copy of a document under an id of its own: a lookup by key finds the right one, and only that.
    void aSecondDocumentOfOneKeyIsExtra()
    {
        World w;
        TwinTarget target(w.store, w.clock, "7");
        auto verdict = w.verify(w.source, target);
        QCOMPARE(verdict.verdict, Verdict::Different);
        QCOMPARE(verdict.extra, std::uint64_t{1});
        QCOMPARE(verdict.missing + verdict.different, std::uint64_t{0});
        QCOMPARE(verdict.targetRows, std::uint64_t{501});
        w.store.erase("film", "300");                      // its neighbours keep their own verdict
        verdict = w.verify(w.source, target);
        QCOMPARE(verdict.missing, std::uint64_t{1});
        QCOMPARE(verdict.extra, std::uint64_t{1});
    }

    void keylessIsAMultiset()
    {
        World w(0);
        w.database.put("film", {1, "twin", 1});
        w.database.put("film", {1, "twin", 1});
        w.database.put("film", {1, "twin", 1});
        World::synchronise(w.source, w.target, w.plan);
        auto verdict = w.verify();
        QCOMPARE(verdict.verdict, Verdict::Identical);
        QCOMPARE(verdict.targetRows, std::uint64_t{503});
        std::string twin;
        for (const auto& [key, document] : w.store.documents("film"))
            if (document.form.find("twin") != std::string::npos)
                twin = key;
        w.store.erase("film", twin);                       // one of three equal ones
        verdict = w.verify();
        QCOMPARE(verdict.verdict, Verdict::Different);
        QCOMPARE(verdict.missing, std::uint64_t{1});
        QCOMPARE(verdict.samples.size(), std::size_t{1});
        QVERIFY(verdict.samples[0].kind == RowDifference::Kind::Missing && verdict.samples[0].expected.find("twin") != std::string::npos);
        w.store.put("film", "x", {"id\x1f" "1\x1e", 1, true});
        verdict = w.verify();
        QCOMPARE(verdict.missing, std::uint64_t{1});
        QCOMPARE(verdict.extra, std::uint64_t{1});
    }

    void memoryIsBounded_data()
    {
        QTest::addColumn<int>("kind");
        QTest::newRow("identical") << 0;
        QTest::newRow("a few differ") << 1;
        QTest::newRow("all are missing") << 2;
    }
    void memoryIsBounded()
    {
        QFETCH(int, kind);
        constexpr std::int64_t rows = 300'000;
        World w;
        w.options.memoryBytes = 1 << 20;
        EndlessSource source(w.database, rows);
        EndlessTarget target(w.store, w.clock, rows, [kind](std::int64_t id) { return kind == 0 || (kind == 1 && id % 1000 != 3); });
        const std::size_t before = held;
        peak = before;
        const auto verdict = w.verify(source, target);
        const std::size_t used = peak - before;
        QCOMPARE(verdict.sourceRows, static_cast<std::uint64_t>(rows));
        QCOMPARE(verdict.missing, static_cast<std::uint64_t>(kind == 0 ? 0 : kind == 1 ? rows / 1000 : rows));
        QCOMPARE(verdict.verdict, kind == 0 ? Verdict::Identical : Verdict::Different);
        // the budget and the batches under way (1,000 rows a side); the rows alone would be 19 MB
        QVERIFY2(used < (1u << 20) + (1u << 20), std::to_string(used).c_str());
        QCOMPARE(QDir(w.folder.path()).entryList(QDir::Files).size(), 0);
    }
};

QTEST_APPLESS_MAIN(TstVerifier)
#include "tst_verifier.moc"
