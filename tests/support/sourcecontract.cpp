#include "tests/support/sourceworld.h"
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <sstream>
#include <thread>

namespace millrace::test {

namespace sourcechecks {
namespace {

void typesMatrix(SourceFixture& fixture)
{
    std::string problems;
    int number = 0;
    for (const TypeCase& type : fixture.typeCases()) {
        World w(fixture, "types_" + std::to_string(number++));
        w.create("id " + integer(w) + " NOT NULL PRIMARY KEY, v " + type.declaration + (type.nullable ? " NULL" : " NOT NULL"));
        for (std::size_t i = 0; i < type.values.size(); ++i)
            w.exec("INSERT INTO " + w.name() + " (id, v) VALUES (" + std::to_string(i) + ", " + type.values[i].literal + ")");
        if (type.nullable)
            w.exec("INSERT INTO " + w.name() + " (id, v) VALUES (" + std::to_string(type.values.size()) + ", NULL)");
        const TableInfo info = w.describe();
        const ColumnInfo* column = info.column("v");
        need(column != nullptr, type.name + ": describe() has no column v");
        if (column->type != type.type)
            problems += type.name + ": type is " + std::string(typeName(column->type)) + ", expected " + std::string(typeName(type.type)) + "\n";
        PlanOptions options;
        options.policy = type.policy;
        const auto plan = planFor(info, options);
        for (const bool proof : {false, true}) {
            const std::string path = type.name + (proof ? " (proof)" : " (snapshot)");
            const Read read = proof ? w.proof(plan) : w.snapshot(plan);
            if (read.rows.size() != type.values.size() + type.nullable)
                fail(path + ": " + std::to_string(read.rows.size()) + " rows");
            std::map<std::string, std::size_t> at;
            for (std::size_t i = 0; i < read.rows.size(); ++i)
                at[read.rows[i].key] = i;
            std::uint64_t coerced = 0;
            for (std::size_t i = 0; i <= type.values.size(); ++i) {
                if (i == type.values.size() && !type.nullable)
                    break;
                const auto value = i < type.values.size() ? type.values[i] : TypeCase::Value {"NULL", "null"};
                const std::size_t row = at.at(std::to_string(i));
                const bool rejected = read.rejected.count(row) > 0;
                coerced += value.coerced;
                if (rejected != value.rejected)
                    problems += path + ": " + value.literal + (rejected ? " was rejected: " + read.rejected.at(row) : " was not rejected") + "\n";
                else if (const std::string expected = std::to_string(i) + " | " + value.json; !rejected && read.rows[row].json != expected)
                    problems += path + ": " + value.literal + " arrives as " + read.rows[row].json + ", expected " + expected + "\n";
            }
            if (read.coerced != coerced)
                problems += path + ": " + std::to_string(read.coerced) + " values counted as replaced, expected " + std::to_string(coerced) + "\n";
        }
    }
    need(number > 0, "the fixture names no types");
    need(problems.empty(), problems);
}

//! Reading on from any batch's position must give what the whole gave, whatever the key is.
void resumesAnywhere(World& w, std::size_t rows)
{
    const auto plan = w.plan();
    const Read whole = w.snapshot(plan, 1000);
    need(whole.rows.size() == rows, std::to_string(whole.rows.size()) + " rows read, " + std::to_string(rows) + " are there");
    const Read stepped = w.snapshot(plan, 7);
    mustBeSame(stepped.rows, whole.rows, "read in batches of 7");
    mustBeSame(sorted(w.proof(plan).rows), sorted(whole.rows), "proof");
    for (const auto& [count, position] : stepped.boundaries) {
        const Read rest = w.snapshot(plan, 1000, {position, {}});
        mustBeSame(rest.rows, {whole.rows.begin() + static_cast<std::ptrdiff_t>(count), whole.rows.end()}, "from row " + std::to_string(count));
        const Read head = w.snapshot(plan, 1000, {{}, position});
        if (!position.empty())
            mustBeSame(head.rows, {whole.rows.begin(), whole.rows.begin() + static_cast<std::ptrdiff_t>(count)}, "up to row " + std::to_string(count));
    }
    const auto& half = stepped.boundaries[stepped.boundaries.size() / 2];
    const auto& quarter = stepped.boundaries[stepped.boundaries.size() / 4];
    const Read middle = w.snapshot(plan, 1000, {quarter.second, half.second});
    mustBeSame(middle.rows, {whole.rows.begin() + static_cast<std::ptrdiff_t>(quarter.first), whole.rows.begin() + static_cast<std::ptrdiff_t>(half.first)}, "the middle");
}

void resumeInteger(SourceFixture& fixture)
{
    World w(fixture, "resume_int");
    w.create("id " + integer(w) + " NOT NULL PRIMARY KEY, note " + fixture.column(Kind::Text));
    insert(w, "id, note", 0, 100, [](int i) { return std::to_string((i - 50) * 1'000'000'007LL) + ", 'n" + std::to_string(i) + "'"; });
    resumesAnywhere(w, 100);
}

void resumeComposite(SourceFixture& fixture)
{
    World w(fixture, "resume_composite");
    w.create("a " + integer(w) + " NOT NULL, b " + fixture.column(Kind::Text) + " NOT NULL, c " + integer(w) + " NOT NULL, note " + integer(w) + ", PRIMARY KEY (b, a, c)");
    insert(w, "a, b, c, note", 0, 120, [](int i) { return std::to_string(i / 5 % 3) + ", 'k" + std::to_string(i / 30) + "', " + std::to_string(i % 5 + i / 15 * 7) + ", " + std::to_string(i); });
    resumesAnywhere(w, 120);
}

void resumeText(SourceFixture& fixture)
{
    World w(fixture, "resume_text");
    w.create("id " + fixture.column(Kind::Text) + " NOT NULL PRIMARY KEY");
    std::vector<std::string> keys {"''", "'a'", "'A'", "'b'", "'B'", "'ä'", "'Z'", "'zz'", "'\xC3\x9F'", "'\xF0\x9F\x98\x80'", "'it''s'", "'\"'", "'1'", "'10'", "'9'", "'%'", "'a_b'", "'[]'", "'null'"};
    for (const std::string& key : keys)
        w.exec("INSERT INTO " + w.name() + " (id) VALUES (" + key + ")");
    resumesAnywhere(w, keys.size());
}

// Case and accents fold or sort in the database's own way: only the database may compare.
void resumeFolded(SourceFixture& fixture)
{
    World w(fixture, "resume_folded");
    w.create("id " + fixture.column(Kind::FoldedText) + " NOT NULL PRIMARY KEY");
    std::vector<std::string> keys {"b", "A", "c", "Berta", "anna", "Cäsar", "Zoë", "zebra", "Ärger", "ort", "Österreich", "x", "X1", "x2", "X3", "_", "1", "Y", "yy", "Yz"};
    for (const std::string& key : keys)
        w.exec("INSERT INTO " + w.name() + " (id) VALUES ('" + key + "')");
    resumesAnywhere(w, keys.size());
}

void keyless(SourceFixture& fixture)
{
    World w(fixture, "keyless");
    w.create("a " + integer(w) + ", b " + fixture.column(Kind::Text));
    insert(w, "a, b", 0, 90, [](int i) { return std::to_string(i % 3) + ", 'same'"; });
    const auto plan = w.plan();
    need(plan->keyless(), "a table without keys was given one");
    const Read read = w.snapshot(plan, 10);
    need(read.rows.size() == 90, "duplicates were lost: " + std::to_string(read.rows.size()) + " rows");
    mustBeSame(sorted(w.proof(plan).rows), sorted(read.rows), "proof");
}

void emptyTable(SourceFixture& fixture)
{
    World w(fixture, "empty_one");
    createPolled(w, 0);
    const auto plan = w.plan(byTime());
    Replica r;
    r.load(w, plan);
    r.poll(w, plan);
    need(r.size() == 0 && w.proof(plan).rows.empty(), "rows in an empty table");
}

void hostileNames(SourceFixture& fixture)
{
    World w(fixture, "we`ird \"na'me; -- \xE2\x80\xAE");
    w.create(w.q("k`e\"y'; --") + " " + integer(w) + " NOT NULL PRIMARY KEY, " + w.q("select") + " " + integer(w) + ", " + w.q("../x y") + " " + fixture.column(Kind::Text));
    w.exec("INSERT INTO " + w.name() + " VALUES (1, 2, 'three'), (4, 5, 'six')");
    const auto plan = w.plan();
    need(w.snapshot(plan, 1).rows.size() == 2, "rows are missing");
    mustBeSame(w.proof(plan).rows, w.snapshot(plan).rows, "proof");
    const auto found = take(w.source().discover({}, {}), "discover");
    need(std::any_of(found.begin(), found.end(), [&](const TableInfo& t) { return t.ref == plan->table && t.key.size() == 1; }), "discover() does not have the table");
}

void discovers(SourceFixture& fixture)
{
    World w(fixture, "seen_here"), other(fixture, "other_one");
    w.create("id " + integer(w) + " NOT NULL, code " + fixture.column(Kind::Text) + " NOT NULL, updated_at " + fixture.column(Kind::Moment) + " NOT NULL, PRIMARY KEY (id)");
    other.create("a " + integer(w));
    const auto found = take(w.source().discover("seen_*", {}), "discover");
    need(found.size() == 1 && found[0].ref.name == "seen_here", "the glob seen_* gives " + std::to_string(found.size()) + " tables");
    need(found[0].key == std::vector<std::string> {"id"}, "the key is not id");
    need(found[0].columns.size() == 3 && found[0].columns[1].name == "code", "the columns are not in order");
    need(found[0].recommended.strategy == Strategy::Timestamp && found[0].recommended.cursor == "updated_at", "updated_at is not recommended as the cursor");
    need(!take(w.source().discover("no_such_*", {}), "discover").size(), "a glob without tables gives some");
    const auto missing = w.source().describe(fixture.ref("no_such_table"));
    need(!missing && missing.error().fault == Fault::Schema, "a missing table is not Fault::Schema");
}

void mustBeAltered(Result<Read> read, const std::string& how)
{
    need(!read, how + " went unnoticed");
    need(read.error().fault == Fault::Schema, how + " is not Fault::Schema but " + words(read.error()));
}

Result<Read> tryAll(World& w, const TablePlanPtr& plan, const Position* from)
{
    if (from) {
        auto reader = w.source().changes(plan, *from);
        return reader ? tryReadAll(**reader, plan->schema, 100) : Result<Read>(std::move(reader).error());
    }
    auto snapshot = w.source().snapshot(plan);
    if (!snapshot)
        return std::move(snapshot).error();
    auto reader = (*snapshot)->read({});
    return reader ? tryReadAll(**reader, plan->schema, 100) : Result<Read>(std::move(reader).error());
}

void altered(SourceFixture& fixture)
{
    World w(fixture, "altered");
    w.create("id " + integer(w) + " NOT NULL PRIMARY KEY, note " + fixture.column(Kind::Text) + ", changed " + fixture.column(Kind::Moment) + " NOT NULL");
    insert(w, "id, note, changed", 0, 50, [&](int i) { return std::to_string(i) + ", 'n', " + fixture.now(); });
    const auto plan = w.plan(byTime());
    const Position mark = take(w.source().mark(*plan), "mark");

    w.exec("ALTER TABLE " + w.name() + " ADD COLUMN newer " + integer(w));
    need(w.snapshot(plan).rows.size() == 50, "a new column disturbs");
    w.exec("ALTER TABLE " + w.name() + " DROP COLUMN note");
    mustBeAltered(tryAll(w, plan, nullptr), "a dropped column");
    mustBeAltered(tryAll(w, plan, &mark), "a dropped column (changes)");
    w.exec("DROP TABLE " + w.name());
    mustBeAltered(tryAll(w, plan, nullptr), "a dropped table");
}

void alteredMidRun(SourceFixture& fixture)
{
    if (!fixture.altersBetweenChunks())
        skip("an open reader and DDL exclude each other here");
    World w(fixture, "altered_mid");
    w.create("id " + integer(w) + " NOT NULL PRIMARY KEY, note " + fixture.column(Kind::Text));
    insert(w, "id, note", 0, 300, [&](int i) { return std::to_string(i) + ", 'n'"; });
    const auto plan = w.plan();
    auto snapshot = take(w.source().snapshot(plan), "snapshot");
    auto reader = take(snapshot->read({}), "read");
    Batch first(plan->schema);
    take(reader->read(first, 10, {}), "first batch");
    w.exec("ALTER TABLE " + w.name() + " DROP COLUMN note");
    mustBeAltered(tryReadAll(*reader, plan->schema, 10), "a column dropped between chunks");
}

void proofKeys(SourceFixture& fixture)
{
    World w(fixture, "proof_keys");
    w.create("a " + integer(w) + " NOT NULL, b " + fixture.column(Kind::Text) + " NOT NULL, PRIMARY KEY (a, b)");
    insert(w, "a, b", 0, 40, [](int i) { return std::to_string(i / 4) + ", 'it''s " + std::to_string(i % 4) + "'"; });
    const auto plan = w.plan();
    Batch holder(plan->schema);
    const std::vector<std::vector<Cell>> keys {{Cell::integer(3), holder.text("it's 2")}, {Cell::integer(9), holder.text("it's 0")}, {Cell::integer(99), holder.text("none")}};
    const Read some = w.proof(plan, keys);
    need(some.rows.size() == 2, "proof of three keys, one of them missing, gives " + std::to_string(some.rows.size()) + " rows");
    const Read whole = w.snapshot(plan);
    for (const Row& row : some.rows)
        need(std::any_of(whole.rows.begin(), whole.rows.end(), [&](const Row& r) { return r.json == row.json; }), "proof gives " + row.json);
}

void cancels(SourceFixture& fixture)
{
    World w(fixture, "cancelled");
    w.create("id " + integer(w) + " NOT NULL PRIMARY KEY, changed " + fixture.column(Kind::Moment) + " NOT NULL");
    insert(w, "id, changed", 0, 100, [&](int i) { return std::to_string(i) + ", " + fixture.now(); });
    auto options = byTime();
    options.where = fixture.slowFilter();
    const auto plan = w.plan(options);
    for (const bool proof : {false, true}) {
        const std::string path = proof ? "proof" : "snapshot";
        std::unique_ptr<Snapshot> snapshot;
        if (!proof)
            snapshot = take(w.source().snapshot(plan), "snapshot");
        auto reader = take(proof ? w.source().proof(plan, {}) : snapshot->read({}), path);
        std::mutex mutex;
        std::condition_variable changed;
        std::stop_source stop;
        bool ended = false;
        std::optional<Error> error;
        std::jthread thread([&] {
            Batch batch(plan->schema);
            const auto state = reader->read(batch, 1000, stop.get_token());
            const std::lock_guard lock(mutex);
            if (!state)
                error = state.error();
            ended = true;
            changed.notify_all();
        });
        std::unique_lock lock(mutex);
        need(!changed.wait_for(lock, std::chrono::milliseconds(400), [&] { return ended; }), path + ": the slow filter was not slow: " + (error ? words(*error) : "rows came"));
        lock.unlock();
        stop.request_stop();
        lock.lock();
        const bool quick = changed.wait_for(lock, std::chrono::seconds(10), [&] { return ended; });
        lock.unlock();
        if (!quick)
            std::abort();                              // a thread that never ends cannot be joined
        need(error && error->fault == Fault::Cancelled, path + ": a stopped read is not Fault::Cancelled: " + (error ? words(*error) : "no error"));
    }
    std::stop_source stopped;
    stopped.request_stop();
    Batch batch(plan->schema);
    const auto plain = w.plan();
    auto snapshot = take(w.source().snapshot(plain), "snapshot");
    const auto state = take(snapshot->read({}), "read")->read(batch, 10, stopped.get_token());
    need(!state && state.error().fault == Fault::Cancelled, "a read that was stopped before it began is not Fault::Cancelled");
}

CheckResult guarded(const std::function<void(SourceFixture&)>& body, SourceFixture& fixture)
{
    try {
        body(fixture);
        return {};
    } catch (const Stop& stop) {
        return stop.result;
    } catch (const std::exception& e) {
        return {Outcome::Failed, std::string("exception: ") + e.what()};
    }
}

} // namespace
} // namespace sourcechecks

TablePlanPtr planFor(const TableInfo& table, const PlanOptions& options)
{
    auto schema = std::make_shared<Schema>();
    auto plan = std::make_shared<TablePlan>();
    schema->table = table.ref.name;
    const auto& key = options.key.empty() ? table.key : options.key;
    for (const ColumnInfo& info : table.columns) {
        Column column;
        column.source = column.name = info.name;
        column.type = info.type;
        if (options.policy == ValuePolicy::Text && (info.type == Type::Date || info.type == Type::DateTime || info.type == Type::Timestamp))
            column.type = Type::Text;
        column.nullable = info.nullable;
        column.scale = info.scale;
        column.bits = info.bits;
        column.precision = info.precision;
        column.nativeType = info.nativeType;
        column.key = std::find(key.begin(), key.end(), info.name) != key.end();
        schema->columns.push_back(std::move(column));
    }
    for (const std::string& name : key)
        for (std::uint32_t i = 0; i < schema->columns.size(); ++i)
            if (schema->columns[i].source == name)
                schema->key.push_back(i);
    plan->sync = "test";
    plan->table = table.ref;
    plan->label = table.ref.name;
    plan->kind = table.kind;
    plan->policies.assign(schema->columns.size(), options.policy);
    plan->schema = std::move(schema);
    plan->strategy = options.strategy;
    plan->cursor = options.cursor;
    plan->overlapMs = options.overlapMs;
    plan->softDelete = options.softDelete;
    plan->deletedRows = options.deletedRows;
    plan->where = options.where;
    plan->container = table.ref.name;
    return plan;
}

const std::vector<SourceCheck>& sourceChecks()
{
    using namespace sourcechecks;
    static const std::vector<SourceCheck> checks = [] {
        const std::pair<const char*, void (*)(SourceFixture&)> all[] = {
            {"types_matrix", typesMatrix}, {"resume_integer_key", resumeInteger}, {"resume_composite_key", resumeComposite}, {"resume_text_key", resumeText},
            {"resume_folded_key", resumeFolded}, {"keyless", keyless}, {"empty_table", emptyTable}, {"hostile_names", hostileNames}, {"discovers", discovers},
            {"polls", polls}, {"cursor_ties", cursorTies}, {"poll_resumes", pollResumes}, {"late_commit", lateCommit}, {"open_before_mark", openBeforeMark},
            {"moved_while_read", movedWhileRead}, {"soft_delete", softDelete}, {"where_leave", whereLeave}, {"deleted_rows", deletedRows}, {"null_cursor", nullCursor},
            {"altered", altered}, {"altered_mid_run", alteredMidRun}, {"proof_keys", proofKeys}, {"cancels", cancels}};
        std::vector<SourceCheck> out;
        for (const auto& [name, body] : all)
            out.push_back({name, [check = body](SourceFixture& fixture) { return guarded(check, fixture); }});
        return out;
    }();
    return checks;
}

} // namespace millrace::test
