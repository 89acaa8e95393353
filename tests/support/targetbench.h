#pragma once
#include "core/data/value.h"
#include "tests/support/targetcontract.h"
#include <algorithm>
#include <map>
#include <set>

//! What the checks of the target contract are written with. For targetcontract.cpp and targetownership.cpp alone.
namespace millrace::test::targetchecks {

struct Failed { std::string text; };
struct Skipped { std::string text; };

inline std::string place(std::string_view file, int line) { return std::string(file.substr(file.rfind('/') + 1)) + ":" + std::to_string(line); }
[[noreturn]] inline void fail(const std::string& text, const std::string& at) { throw Failed{at + ": " + text}; }
#define EXPECT(condition) do { if (!(condition)) fail(#condition, place(__FILE__, __LINE__)); } while (false)
#define EXPECT_SAME(a, b) do { const auto& va = (a); const auto& vb = (b); if (!(va == vb)) fail(std::string(#a " is ") + shown(va) + ", not " + shown(vb), place(__FILE__, __LINE__)); } while (false)

inline std::string shown(const std::string& text)
{
    std::string out = "'";
    for (const char c : text) {
        if (c == '\x1f') out += ": ";
        else if (c == '\x1e') out += "; ";
        else out += c;
    }
    return out + "'";
}
inline std::string shown(std::uint64_t value) { return std::to_string(value); }
inline std::string shown(const std::vector<RawDocument>& documents)
{
    std::string out = std::to_string(documents.size()) + " documents";
    for (const auto& document : documents)
        out += " {" + document.key + " " + document.text.substr(0, 200) + "}";
    return out;
}

template <class T> T must(Result<T> result, const std::string& at)
{
    if (!result)
        fail("error " + result.error().id + ": " + result.error().detail, at);
    return std::move(result).value();
}
inline void must(Result<> result, const std::string& at)
{
    if (!result)
        fail("error " + result.error().id + ": " + result.error().detail, at);
}
#define MUST(...) must(__VA_ARGS__, place(__FILE__, __LINE__))

inline void mustBe(Fault fault, const Error* error, const std::string& at)
{
    if (!error)
        fail("went through, but must be refused", at);
    if (error->fault != fault)
        fail("refused with another fault: " + error->id + ": " + error->detail, at);
}
#define REFUSED(fault, ...) do { const auto result_ = (__VA_ARGS__); mustBe(fault, result_ ? nullptr : &result_.error(), place(__FILE__, __LINE__)); } while (false)

inline Column column(const std::string& name, Type type, bool key = false)
{
    Column c;
    c.source = c.name = name;
    c.type = type;
    c.key = key;
    c.nullable = !key;
    return c;
}

//! "id" and "title".
inline std::shared_ptr<TablePlan> simplePlan(Target& target, const std::string& sync, const std::string& name, bool keyless = false)
{
    auto schema = std::make_shared<Schema>();
    schema->table = name;
    schema->columns = {column("id", Type::Int, !keyless), column("title", Type::Text)};
    if (!keyless)
        schema->key = {0};
    auto plan = std::make_shared<TablePlan>();
    plan->sync = sync;
    plan->table = {"main", name};
    plan->label = name;
    plan->container = target.containerName("", name);
    plan->policies.assign(schema->columns.size(), ValuePolicy::Null);
    plan->schema = schema;
    return plan;
}

struct Change { Op op; std::int64_t id; std::string title; };

//! One table of one sync under test: the calls that a run makes, shortened.
struct Bench {
    TargetFixture& fixture;
    std::unique_ptr<Target> target;
    std::shared_ptr<TablePlan> plan;
    Lease lease;
    std::unique_ptr<TargetSession> session;
    std::uint64_t seq = 0;

    Bench(TargetFixture& f, const std::string& name, bool keyless = false) : fixture(f), target(MUST(f.open()))
    {
        plan = simplePlan(*target, "sync-" + name, name, keyless);
        lease = MUST(target->acquire(plan->sync, "home-a", 0, {}));
    }
    Prepared prepare() { return MUST(target->prepare(*plan, lease)); }
    void open(bool insertOnly = false) { session = MUST(target->session(plan, lease, insertOnly)); }
    void start() { prepare(); open(); }
    std::uint64_t version(std::uint64_t s) const { return lease.epoch << 40 | s; }

    Payload payload(const std::vector<Change>& changes, std::uint64_t firstVersion)
    {
        Batch batch(plan->schema);
        batch.version = firstVersion;
        std::vector<std::uint32_t> rows;
        for (const auto& change : changes) {
            const auto cells = batch.append(change.op);
            cells[0] = Cell::integer(change.id);
            if (change.op == Op::Upsert)
                cells[1] = batch.text(change.title);
            rows.push_back(static_cast<std::uint32_t>(rows.size()));
        }
        return encoded(batch);
    }
    Payload encoded(const Batch& batch)
    {
        Payload out;
        std::vector<std::uint32_t> rows(batch.rows());
        for (std::size_t i = 0; i < rows.size(); ++i)
            rows[i] = static_cast<std::uint32_t>(i);
        MUST(target->encoder(plan)->encode(batch, rows, out));
        return out;
    }
    WriteReport write(const Payload& p)
    {
        const WriteReport report = MUST(session->write(p, {}));
        EXPECT_SAME(report.written + report.deleted + report.superseded + report.rejected.size(), static_cast<std::uint64_t>(p.items.size()));
        return report;
    }
    WriteReport write(const std::vector<Change>& changes)
    {
        const auto first = version(seq + 1);
        seq += changes.size();
        return write(payload(changes, first));
    }
    WriteReport writeAt(const std::vector<Change>& changes, std::uint64_t firstSeq) { return write(payload(changes, version(firstSeq))); }

    std::vector<RawDocument> documents() { return fixture.documents(plan->container); }
    std::map<std::string, ReadBack> readBack(const std::vector<std::string>& keys = {})
    {
        std::map<std::string, ReadBack> out;
        for (const auto& document : readAll(keys))
            if (!out.emplace(document.key, document).second)
                fail("key " + document.key + " came twice", place(__FILE__, __LINE__));
        return out;
    }
    std::vector<ReadBack> readAll(const std::vector<std::string>& keys = {})
    {
        auto reader = MUST(target->readBack(plan, keys));
        std::vector<ReadBack> out;
        for (;;) {
            const std::size_t before = out.size();
            const ReadState state = MUST(reader->read(out, 2, {}));
            EXPECT(out.size() <= before + 2);
            if (state == ReadState::End)
                return out;
        }
    }
    std::string form(std::int64_t id, const std::string& title)
    {
        Batch batch(plan->schema);
        const auto cells = batch.append(Op::Upsert);
        cells[0] = Cell::integer(id);
        cells[1] = batch.text(title);
        std::string key, out;
        target->expected(*plan, batch.row(0), key, out);
        EXPECT_SAME(key, plan->keyless() ? key : std::to_string(id));
        return out;
    }
    //! The container holds exactly these, for the proof path and for the independent client.
    void holds(const std::map<std::int64_t, std::string>& titles)
    {
        const auto found = readBack();
        EXPECT_SAME(found.size(), titles.size());
        EXPECT_SAME(documents().size(), titles.size());
        for (const auto& [id, title] : titles) {
            const auto at = found.find(std::to_string(id));
            if (at == found.end())
                fail("key " + std::to_string(id) + " is missing", place(__FILE__, __LINE__));
            EXPECT_SAME(at->second.form, form(id, title));
            EXPECT(at->second.ours);
        }
    }
};

//! The checks in targetownership.cpp.
void ownershipStop(TargetFixture& fixture);
void ownershipWrite(TargetFixture& fixture);
void ownershipRebuild(TargetFixture& fixture);
void ownContainerReused(TargetFixture& fixture);
void otherSyncRefused(TargetFixture& fixture);
void leaseRules(TargetFixture& fixture);
void fencedWritesNothing(TargetFixture& fixture);
void versionsCountedAndDeleted(TargetFixture& fixture);
void manyDeleted(TargetFixture& fixture);
void asideIsSwapped(TargetFixture& fixture);
void fencedCannotPromote(TargetFixture& fixture);
void readBackByKeys(TargetFixture& fixture);

} // namespace millrace::test::targetchecks
