#include "tests/support/targetbench.h"
#include <cmath>
#include <limits>

namespace millrace::test {

namespace targetchecks {
namespace {

void typesMatrix(TargetFixture& fixture)
{
    Bench b(fixture, "types_matrix");
    b.plan->schema = matrixSchema();
    b.plan->policies.assign(b.plan->schema->columns.size(), ValuePolicy::Null);
    b.start();
    Batch batch(b.plan->schema);
    fillMatrix(batch);
    batch.version = b.version(1);
    const Payload payload = b.encoded(batch);
    EXPECT(payload.rejected.empty());
    const auto report = b.write(payload);
    EXPECT_SAME(report.written, static_cast<std::uint64_t>(batch.rows()));
    const auto found = b.readBack();
    EXPECT_SAME(found.size(), batch.rows());
    std::set<std::string> forms;
    for (std::size_t i = 0; i < batch.rows(); ++i) {
        std::string key, form;
        b.target->expected(*b.plan, batch.row(i), key, form);
        EXPECT_SAME(key, keyText(*b.plan->schema, batch.row(i)));
        EXPECT(found.contains(key));
        EXPECT_SAME(found.at(key).form, form);
        forms.insert(form);
    }
    EXPECT_SAME(forms.size(), batch.rows());
}

void encoderIsPure(TargetFixture& fixture)
{
    Bench b(fixture, "encoder_is_pure");
    b.plan->schema = matrixSchema();
    Batch batch(b.plan->schema);
    fillMatrix(batch);
    batch.append(Op::Skip);
    const Payload one = b.encoded(batch), two = b.encoded(batch);
    EXPECT(one.bytes == two.bytes);
    EXPECT_SAME(one.items.size(), batch.rows() - 1);          // a skipped row is passed over
    // the same row alone gives the same bytes as within a batch
    Payload alone;
    const std::uint32_t row = 2;
    MUST(b.target->encoder(b.plan)->encode(batch, {&row, 1}, alone));
    EXPECT_SAME(alone.items.size(), std::size_t{1});
    const auto slice = [](const Payload& p, const Payload::Item& item) { return std::string(p.bytes.data() + item.docAt, item.docSize); };
    EXPECT_SAME(slice(alone, alone.items[0]), slice(one, one.items[2]));
    EXPECT_SAME(alone.items[0].row, row);
}

void unchangedIsABug(TargetFixture& fixture)
{
    Bench b(fixture, "unchanged_is_a_bug");
    Batch batch(b.plan->schema);
    const auto cells = batch.append(Op::Upsert);
    cells[0] = Cell::integer(1);
    cells[1].type = Type::Unchanged;
    Payload out;
    const std::uint32_t row = 0;
    REFUSED(Fault::Internal, b.target->encoder(b.plan)->encode(batch, {&row, 1}, out));
}

void idempotent(TargetFixture& fixture)
{
    Bench b(fixture, "idempotent");
    EXPECT(b.prepare().fresh);
    b.open(true);
    const std::vector<Change> rows = {{Op::Upsert, 1, "one"}, {Op::Upsert, 2, "two"}, {Op::Upsert, 3, "three"}};
    b.writeAt(rows, 1);
    const auto before = b.documents();
    EXPECT_SAME(before.size(), std::size_t{3});
    b.writeAt(rows, 1);                                       // the answer was lost: the very same payload again
    b.open(false);
    b.writeAt(rows, 1);
    EXPECT_SAME(b.documents(), before);
    b.holds({{1, "one"}, {2, "two"}, {3, "three"}});
}

void olderNeverWins(TargetFixture& fixture)
{
    Bench b(fixture, "older_never_wins");
    b.start();
    b.writeAt({{Op::Upsert, 1, "new"}, {Op::Upsert, 2, "old"}}, 100);
    const auto late = b.writeAt({{Op::Upsert, 1, "stale"}, {Op::Delete, 2, ""}, {Op::Upsert, 3, "three"}}, 50);
    EXPECT_SAME(late.superseded, std::uint64_t{2});
    EXPECT_SAME(late.written, std::uint64_t{1});
    b.holds({{1, "new"}, {2, "old"}, {3, "three"}});
    const auto same = b.writeAt({{Op::Upsert, 1, "again"}}, 100);      // an equal version is the same write, or a re-read of it
    EXPECT_SAME(same.superseded, std::uint64_t{0});
    const auto gone = b.writeAt({{Op::Delete, 2, ""}}, 200);
    EXPECT_SAME(gone.deleted, std::uint64_t{1});
    b.holds({{1, "again"}, {3, "three"}});
}

void orderPerKey(TargetFixture& fixture)
{
    Bench b(fixture, "order_per_key");
    b.start();
    b.write({{Op::Upsert, 1, "a"}, {Op::Upsert, 1, "b"}, {Op::Upsert, 2, "x"}, {Op::Delete, 2, ""}, {Op::Upsert, 3, "p"}, {Op::Delete, 3, ""},
        {Op::Upsert, 3, "q"}, {Op::Upsert, 1, "c"}});
    b.holds({{1, "c"}, {3, "q"}});
    b.write({{Op::Delete, 1, ""}, {Op::Delete, 99, ""}});
    b.holds({{3, "q"}});
}

void emptyPayload(TargetFixture& fixture)
{
    Bench b(fixture, "empty_payload");
    b.start();
    const auto report = b.write(Payload{});
    EXPECT_SAME(report.written + report.deleted, std::uint64_t{0});
    EXPECT(b.readAll().empty());
}

void rejectionStopsNobody(TargetFixture& fixture)
{
    Bench b(fixture, "rejection_stops_nobody");
    b.start();
    bool tried = false;
    if (fixture.tooLarge() > 0) {
        tried = true;
        const Payload payload = b.payload({{Op::Upsert, 1, "one"}, {Op::Upsert, 2, std::string(fixture.tooLarge(), 'x')}, {Op::Upsert, 3, "three"}}, b.version(1));
        EXPECT_SAME(payload.rejected.size(), std::size_t{1});
        EXPECT_SAME(payload.rejected[0].row, 1u);
        EXPECT(payload.rejected[0].error.fault == Fault::Data);
        EXPECT_SAME(payload.items.size(), std::size_t{2});
        b.write(payload);
        b.holds({{1, "one"}, {3, "three"}});
    }
    if (fixture.refuseKey(b.plan->container, "5")) {
        tried = true;
        const auto report = b.writeAt({{Op::Upsert, 4, "four"}, {Op::Upsert, 5, "five"}, {Op::Upsert, 6, "six"}}, 10);
        EXPECT_SAME(report.rejected.size(), std::size_t{1});
        EXPECT_SAME(report.rejected[0].row, 1u);
        EXPECT(report.rejected[0].error.fault == Fault::Data && !report.rejected[0].error.detail.empty());
        EXPECT_SAME(report.written, std::uint64_t{2});
        EXPECT(!b.readBack().contains("5"));
        EXPECT(b.readBack().contains("6"));
    }
    if (!tried)
        throw Skipped{"this store refuses no single document"};
}

void typesAreTold(TargetFixture& fixture)
{
    Bench b(fixture, "types_are_told");
    b.plan->schema = matrixSchema();
    const auto form = [&](std::size_t at, const Cell& cell) {
        std::vector<Cell> cells(b.plan->schema->columns.size());
        cells[0] = Cell::integer(1);
        cells[at] = cell;
        std::string key, out;
        b.target->expected(*b.plan, cells, key, out);
        return out;
    };
    Batch arena(b.plan->schema);
    EXPECT(form(6, arena.text("1")) != form(6, Cell::integer(1)));     // a number is not its text
    EXPECT(form(6, arena.text("null")) != form(6, Cell::null()));
    EXPECT(form(6, arena.text("true")) != form(6, Cell::boolean(true)));
    EXPECT(form(6, arena.text("")) != form(6, Cell::null()));
    EXPECT(form(6, arena.text("a\x1e" "c_bytes\x1f" "b")) != form(6, arena.text("a")));
    EXPECT(form(6, arena.text("A")) != form(6, arena.text("a")));
    EXPECT(form(6, arena.text("a ")) != form(6, arena.text("a")));
}

void hostileNames(TargetFixture& fixture)
{
    std::string lengthy;
    for (int i = 0; i < 64; ++i)
        lengthy += "\u4e16";
    const std::vector<std::string> names = {"quo\"te", "apo'strophe", "back`tick", "new\nline", "semi;colon -- drop table x", "\u65e5\u672c\u8a9e \U0001F600",
        "\u202Ertl", "../up", "_mr_lease", "_leading", "sqlite_master", "$dollar", "a.b", "system.users", "per%cent", "ta\tb", "back\\slash", " ", lengthy};
    std::set<std::string> folded;
    std::size_t n = 0;
    for (const std::string& name : names) {
        Bench b(fixture, "hostile " + std::to_string(n++));
        b.plan->container = b.target->containerName("", name);
        EXPECT(!b.plan->container.empty());
        EXPECT_SAME(b.target->containerName("", name), b.plan->container);
        if (!folded.insert(b.target->foldedName(b.plan->container)).second)
            continue;                                                  // would meet another one: the plan refuses it
        auto schema = std::make_shared<Schema>(*b.plan->schema);
        if (b.target->fieldRefused(name).empty())
            schema->columns[1].name = name;
        b.plan->schema = schema;
        EXPECT(b.prepare().fresh);
        b.open();
        b.write({{Op::Upsert, 1, name}, {Op::Upsert, 2, "two"}, {Op::Delete, 2, ""}});
        b.holds({{1, name}});
        if (!fixture.exists(b.plan->container))
            fail("the independent client does not find " + shown(name), place(__FILE__, __LINE__));
    }
    auto target = MUST(fixture.open());
    EXPECT_SAME(target->containerName("p_", "film"), std::string("p_film"));
    EXPECT_SAME(target->containerName("", "film"), std::string("film"));
}

void hostileKeys(TargetFixture& fixture)
{
    Bench b(fixture, "hostile_keys");
    auto schema = std::make_shared<Schema>();
    schema->columns = {column("a", Type::Text, true), column("b", Type::Text, true), column("v", Type::Int)};
    schema->key = {1, 0};                                              // key order is not column order
    b.plan->schema = schema;
    b.start();
    const std::vector<std::pair<std::string, std::string>> keys = {{"a:b", "c"}, {"a", "b:c"}, {"", ""}, {"'", "\""}, {"a", "A"}, {"A", "a"}, {"a", "a "},
        {"e\u0301", "\u00e9"}, {"\u00e9", "e\u0301"}, {"\n", "\\"}, {"$x", "."}, {std::string(700, 'k'), "1"}, {std::string(700, 'k'), "2"}};
    Batch batch(b.plan->schema);
    batch.version = b.version(1);
    std::int64_t n = 0;
    for (const auto& [first, second] : keys) {
        const auto cells = batch.append(Op::Upsert);
        cells[0] = batch.text(first);
        cells[1] = batch.text(second);
        cells[2] = Cell::integer(n++);
    }
    b.write(b.encoded(batch));
    const auto found = b.readBack();
    EXPECT_SAME(found.size(), keys.size());
    std::vector<std::string> texts;
    for (std::size_t i = 0; i < batch.rows(); ++i) {
        std::string key, form;
        b.target->expected(*b.plan, batch.row(i), key, form);
        EXPECT_SAME(key, keyText(*b.plan->schema, batch.row(i)));
        EXPECT(found.contains(key));
        EXPECT_SAME(found.at(key).form, form);
        texts.push_back(key);
    }
    EXPECT_SAME(b.readBack(texts).size(), keys.size());
    Batch gone(b.plan->schema);
    gone.version = b.version(1000);
    const auto cells = gone.append(Op::Delete);
    cells[0] = gone.text("a:b");
    cells[1] = gone.text("c");
    EXPECT_SAME(b.write(b.encoded(gone)).deleted, std::uint64_t{1});
    EXPECT_SAME(b.readBack().size(), keys.size() - 1);
    EXPECT(!b.readBack().contains(texts[0]) && b.readBack().contains(texts[1]));
}

void stagesAreTold(TargetFixture& fixture)
{
    auto target = MUST(fixture.open());
    std::vector<std::string> told;
    const TestReport report = target->test([&](const TestStage& stage) { told.push_back(stage.id); }, {});
    EXPECT(report.passed());
    EXPECT(!report.stages.empty());
    EXPECT_SAME(told.size(), report.stages.size());
    EXPECT(!report.server.engine.empty());
    EXPECT(!target->durability().empty());
    EXPECT(target->lanes() >= 1);
    EXPECT_SAME(MUST(target->server()).engine, report.server.engine);
}

void stopIsHeard(TargetFixture& fixture)
{
    Bench b(fixture, "stop_is_heard");
    b.start();
    b.write({{Op::Upsert, 1, "one"}});
    std::stop_source stop;
    stop.request_stop();
    auto reader = MUST(b.target->readBack(b.plan, {}));
    std::vector<ReadBack> out;
    REFUSED(Fault::Cancelled, reader->read(out, 10, stop.get_token()));
    REFUSED(Fault::Cancelled, b.target->deleteVersions(*b.plan, b.lease, 0, std::uint64_t{1} << 62, stop.get_token()));
    b.holds({{1, "one"}});
}

template <void (*body)(TargetFixture&)> CheckResult run(TargetFixture& fixture)
{
    try {
        body(fixture);
        return {};
    } catch (const Failed& failed) {
        return {CheckResult::Outcome::Failed, failed.text};
    } catch (const Skipped& skipped) {
        return {CheckResult::Outcome::Skipped, skipped.text};
    }
}

} // namespace
} // namespace targetchecks

SchemaPtr matrixSchema()
{
    using targetchecks::column;
    auto schema = std::make_shared<Schema>();
    schema->table = "matrix";
    schema->columns = {column("id", Type::Int, true), column("c_bool", Type::Bool), column("c_int", Type::Int), column("c_uint", Type::Uint),
        column("c_real", Type::Real), column("c_decimal", Type::Decimal), column("c_text", Type::Text), column("c_bytes", Type::Bytes), column("c_json", Type::Json),
        column("c_date", Type::Date), column("c_time", Type::Time), column("c_datetime", Type::DateTime), column("c_timestamp", Type::Timestamp),
        column("c_uuid", Type::Uuid), column("c_array", Type::Array)};
    schema->columns[5].precision = 65;
    schema->columns[5].scale = 30;
    for (const std::size_t i : {10, 11, 12})
        schema->columns[i].scale = 6;
    schema->key = {0};
    return schema;
}

void fillMatrix(Batch& batch)
{
    using Limits = std::numeric_limits<std::int64_t>;
    std::int64_t id = 0;
    const auto row = [&] {
        const auto cells = batch.append(Op::Upsert);
        cells[0] = Cell::integer(++id);
        return cells;
    };
    const auto full = [&](bool flag, std::int64_t i, std::uint64_t u, double d, const char* decimal, std::string_view text, std::string_view bytes, const char* json,
                          std::int64_t days, std::int64_t time, std::int64_t moment, std::uint8_t digits, const char* uuid, const char* array) {
        const auto c = row();
        c[1] = Cell::boolean(flag); c[2] = Cell::integer(i); c[3] = Cell::uinteger(u); c[4] = Cell::real(d); c[5] = batch.text(decimal, Type::Decimal);
        c[6] = batch.text(text); c[7] = batch.text(bytes, Type::Bytes); c[8] = batch.text(json, Type::Json); c[9] = Cell::date(days);
        c[10] = Cell::time(Type::Time, time, digits); c[11] = Cell::time(Type::DateTime, moment, digits); c[12] = Cell::time(Type::Timestamp, moment, digits);
        c[13] = batch.text(uuid, Type::Uuid); c[14] = batch.text(array, Type::Array);
    };
    row();                                                             // all null
    full(false, Limits::min(), 0, -std::numeric_limits<double>::max(), "-99999999999999999999999999999999999.999999999999999999999999999999", "", "", "{}",
        daysFromCivil(0, 1, 1), -3'020'399'999'999, microsOf(1, 1, 1, 0, 0, 0, 0), 6, "00000000-0000-0000-0000-000000000000", "[]");
    full(true, Limits::max(), std::numeric_limits<std::uint64_t>::max(), std::numeric_limits<double>::max(), "99999999999999999999999999999999999.999999999999999999999999999999",
        "\"\\/\b\f\n\r\t\x01\x1e\x1f\x7f \u00e9 \u65e5\u672c \U0001F600 \u202E \u2028", std::string_view("\0\xff\x80 '\"\n", 7),
        R"({"b":1,"a":[1,-2.50,1e300,null,true,"\u0000\" \\"],"":{"n":{"m":[[]]}}})", daysFromCivil(9999, 12, 31), 3'020'399'999'999,
        microsOf(9999, 12, 31, 23, 59, 59, 999'999), 6, "ffffffff-ffff-ffff-ffff-ffffffffffff", R"([1,"two",null,[3.0]])");
    full(false, 0, 1ull << 63, std::numeric_limits<double>::denorm_min(), "1.50", "null", "x", "null", 0, 0, 0, 0, "01234567-89ab-cdef-0123-456789abcdef", "[null]");
    full(true, -1, 9'007'199'254'740'993, 0.1, "1.5", "12", std::string_view("\0", 1), "\"text\"", -1, -1, -1, 6, "01234567-89ab-cdef-0123-456789abcdef", R"(["a","b"])");
    full(true, 9'007'199'254'740'993, 1, -0.0, "-0.00", std::string_view("a\0b", 3), "\xff", "12345678901234567890", 1, 59'000'000, 1'000, 3,
        "01234567-89ab-cdef-0123-456789abcdef", "[12345678901234567890]");
    full(true, 4'294'967'296, 4'294'967'295, 1e100, "NaN", " ", "\x1e\x1f", "[{},[],\"\"]", 18'321, 86'399'000'000, 1'582'934'400'000'000, 0,
        "01234567-89ab-cdef-0123-456789abcdef", "[true]");
    for (const double special : {std::nan(""), HUGE_VAL, -HUGE_VAL})
        row()[4] = Cell::real(special);
}

const std::vector<TargetCheck>& targetChecks()
{
    using namespace targetchecks;
    static const std::vector<TargetCheck> checks = {
        {"types_matrix", run<typesMatrix>}, {"encoder_is_pure", run<encoderIsPure>}, {"unchanged_is_a_bug", run<unchangedIsABug>},
        {"idempotent", run<idempotent>}, {"older_never_wins", run<olderNeverWins>}, {"order_per_key", run<orderPerKey>}, {"empty_payload", run<emptyPayload>},
        {"rejection_stops_nobody", run<rejectionStopsNobody>}, {"ownership_stop", run<ownershipStop>}, {"ownership_write", run<ownershipWrite>},
        {"ownership_rebuild", run<ownershipRebuild>}, {"own_container_reused", run<ownContainerReused>}, {"other_sync_refused", run<otherSyncRefused>},
        {"lease_rules", run<leaseRules>}, {"fenced_writes_nothing", run<fencedWritesNothing>}, {"versions", run<versionsCountedAndDeleted>},
        {"many_deleted", run<manyDeleted>}, {"aside_is_swapped", run<asideIsSwapped>}, {"fenced_cannot_promote", run<fencedCannotPromote>},
        {"read_back_by_keys", run<readBackByKeys>}, {"types_are_told", run<typesAreTold>}, {"hostile_names", run<hostileNames>},
        {"hostile_keys", run<hostileKeys>}, {"stages_are_told", run<stagesAreTold>}, {"stop_is_heard", run<stopIsHeard>}};
    return checks;
}

} // namespace millrace::test
