#pragma once
#include "core/data/value.h"
#include "core/engine/discovery.h"
#include "tests/support/sourcecontract.h"
#include <algorithm>
#include <map>

//! What the checks of the source contract are written with. For sourcecontract.cpp and sourcepolls.cpp alone.
namespace millrace::test::sourcechecks {

using Kind = SourceFixture::Kind;
using Outcome = CheckResult::Outcome;

//! Ends a check from anywhere below it; caught in one place.
struct Stop { CheckResult result; };
[[noreturn]] inline void fail(std::string text) { throw Stop {{Outcome::Failed, std::move(text)}}; }
[[noreturn]] inline void skip(std::string text) { throw Stop {{Outcome::Skipped, std::move(text)}}; }
inline void need(bool condition, const std::string& text) { if (!condition) fail(text); }
inline std::string words(const Error& e) { return e.id + ": " + e.detail; }
template <class T> T take(Result<T> result, const std::string& what)
{
    if (!result) fail(what + ": " + words(result.error()));
    return std::move(*result);
}
inline void take(const Result<>& result, const std::string& what) { if (!result) fail(what + ": " + words(result.error())); }

struct Row { std::string key, json; Op op = Op::Upsert; };
struct Read {
    std::vector<Row> rows;
    std::vector<std::pair<std::size_t, Position>> boundaries;         //!< rows so far, position; one per batch
    std::uint64_t coerced = 0;
    std::map<std::size_t, std::string> rejected;                      //!< row -> error id
    Position last() const { return boundaries.empty() ? Position {} : boundaries.back().second; }
};

inline std::string rowJson(std::span<const Cell> row)
{
    std::string out;
    for (const Cell& cell : row) {
        if (!out.empty()) out += " | ";
        appendJson(out, cell);
    }
    return out;
}

inline Result<Read> tryReadAll(BatchReader& reader, const SchemaPtr& schema, std::size_t maxRows)
{
    Read out;
    for (;;) {
        Batch batch(schema);
        const auto state = reader.read(batch, maxRows, {});
        if (!state)
            return state.error();
        need(batch.rows() <= maxRows, "a batch holds more rows than asked for");
        for (const auto& failure : batch.rejected())
            out.rejected[out.rows.size() + failure.row] = failure.error.id;
        for (std::size_t i = 0; i < batch.rows(); ++i)
            out.rows.push_back({keyText(*schema, batch.row(i)), rowJson(batch.row(i)), batch.op(i)});
        out.coerced += batch.coerced;
        out.boundaries.emplace_back(out.rows.size(), batch.upTo);
        if (*state != ReadState::More)
            return out;
    }
}

inline Read readAll(BatchReader& reader, const SchemaPtr& schema, std::size_t maxRows = 1000) { return take(tryReadAll(reader, schema, maxRows), "reading"); }

//! A table of one check, with everything needed to look at it.
class World {
public:
    World(SourceFixture& fixture, std::string table) : m_fixture(fixture), m_table(std::move(table)), m_source(take(fixture.open(), "open")), m_app(fixture.session())
    {
        need(m_app != nullptr, "the fixture has no session");
        exec("DROP TABLE IF EXISTS " + name());
    }
    ~World() { (void)m_app->exec("DROP TABLE IF EXISTS " + name()); }

    std::string name() const { return m_fixture.quoted(m_table); }
    std::string q(const std::string& identifier) const { return m_fixture.quoted(identifier); }
    void exec(const std::string& sql) { take(m_app->exec(sql), sql.substr(0, 200)); }
    void create(const std::string& columns) { exec("CREATE TABLE " + name() + " (" + columns + ")"); }
    Source& source() { return *m_source; }
    SourceFixture& fixture() { return m_fixture; }
    TableInfo describe() { return take(m_source->describe(m_fixture.ref(m_table)), "describe " + m_table); }
    TablePlanPtr plan(const PlanOptions& options = {}) { return planFor(describe(), options); }
    Read snapshot(const TablePlanPtr& p, std::size_t maxRows = 1000, const KeyRange& range = {})
    {
        auto snapshot = take(m_source->snapshot(p), "snapshot");
        return readAll(*take(snapshot->read(range), "read"), p->schema, maxRows);
    }
    Read proof(const TablePlanPtr& p, const std::vector<std::vector<Cell>>& keys = {}) { return readAll(*take(m_source->proof(p, keys), "proof"), p->schema); }

private:
    SourceFixture& m_fixture;
    std::string m_table;
    std::unique_ptr<Source> m_source;
    std::unique_ptr<SourceFixture::Session> m_app;
};

//! What a target would hold: the newest write per key.
class Replica {
public:
    void apply(const Read& read)
    {
        need(read.rejected.empty(), "a row was rejected: " + (read.rejected.empty() ? std::string() : read.rejected.begin()->second));
        for (const Row& row : read.rows)
            row.op == Op::Upsert ? void(m_rows[row.key] = row.json) : void(m_rows.erase(row.key));
    }
    void poll(World& world, const TablePlanPtr& plan, std::size_t maxRows = 1000)
    {
        const Read changes = readAll(*take(world.source().changes(plan, position), "changes"), plan->schema, maxRows);
        apply(changes);
        position = changes.last();
        need(!position.empty(), "a poll ended without a position");
    }
    void load(World& world, const TablePlanPtr& plan)
    {
        position = take(world.source().mark(*plan), "mark");
        apply(world.snapshot(plan));
    }
    void mustEqualProof(World& world, const TablePlanPtr& plan, const std::string& when) const
    {
        std::map<std::string, std::string> proven;
        for (const Row& row : world.proof(plan).rows)
            proven[row.key] = row.json;
        for (const auto& [key, json] : proven) {
            const auto mine = m_rows.find(key);
            need(mine != m_rows.end(), when + ": row " + key + " was never read");
            need(mine->second == json, when + ": row " + key + " is " + mine->second + ", the source has " + json);
        }
        for (const auto& [key, json] : m_rows)
            need(proven.count(key) > 0, when + ": row " + key + " is gone in the source but was not deleted");
    }
    std::size_t size() const { return m_rows.size(); }
    bool has(const std::string& key) const { return m_rows.count(key) > 0; }
    Position position;
private:
    std::map<std::string, std::string> m_rows;
};

inline void mustBeSame(const std::vector<Row>& actual, const std::vector<Row>& expected, const std::string& where)
{
    for (std::size_t i = 0; i < std::min(actual.size(), expected.size()); ++i)
        need(actual[i].json == expected[i].json && actual[i].op == expected[i].op,
             where + ": row " + std::to_string(i) + " is " + actual[i].json + ", expected " + expected[i].json);
    need(actual.size() == expected.size(), where + ": " + std::to_string(actual.size()) + " rows, expected " + std::to_string(expected.size()));
}

inline std::vector<Row> sorted(std::vector<Row> rows)
{
    std::sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) { return a.json < b.json; });
    return rows;
}

//! Many rows in few statements; `tuple(i)` is one row's values.
inline void insert(World& world, const std::string& columns, int from, int to, const std::function<std::string(int)>& tuple)
{
    for (int at = from; at < to; at += 500) {
        std::string sql = "INSERT INTO " + world.name() + " (" + columns + ") VALUES ";
        for (int i = at; i < std::min(at + 500, to); ++i)
            sql += (i > at ? ", (" : "(") + tuple(i) + ")";
        world.exec(sql);
    }
}

inline std::string integer(World& w) { return w.fixture().column(Kind::Integer); }

inline PlanOptions byTime(const std::string& cursor = "changed")
{
    PlanOptions options;
    options.strategy = Strategy::Timestamp;
    options.cursor = cursor;
    return options;
}

//! id, amount, changed: the table most polling checks work on.
inline void createPolled(World& w, int rows)
{
    w.create("id " + integer(w) + " NOT NULL PRIMARY KEY, amount " + integer(w) + ", changed " + w.fixture().column(Kind::Moment) + " NOT NULL");
    insert(w, "id, amount, changed", 0, rows, [&](int i) { return std::to_string(i) + ", " + std::to_string(i % 20) + ", " + w.fixture().now(); });
}

//! The checks in sourcepolls.cpp.
void cursorTies(SourceFixture& fixture);
void pollResumes(SourceFixture& fixture);
void polls(SourceFixture& fixture);
void lateCommit(SourceFixture& fixture);
void openBeforeMark(SourceFixture& fixture);
void movedWhileRead(SourceFixture& fixture);
void softDelete(SourceFixture& fixture);
void whereLeave(SourceFixture& fixture);
void deletedRows(SourceFixture& fixture);
void nullCursor(SourceFixture& fixture);

} // namespace millrace::test::sourcechecks
