#include "tests/support/fakeengine.h"

namespace millrace::test {

namespace {

constexpr std::int64_t now = 1'795'232'400'000;      // 2026-11-21T03:40:00Z

FieldSpec field(std::string key, FieldSpec::Kind kind, std::string label, bool option = false)
{
    FieldSpec out;
    out.key = std::move(key);
    out.kind = kind;
    out.label = std::move(label);
    out.option = option;
    return out;
}

std::vector<ConnectorSpec> specs()
{
    using K = FieldSpec::Kind;
    FieldSpec tls = field("tls", K::Choice, "TLS", true);
    tls.choices = {"verify-full", "verify-ca", "require", "disable"};
    tls.group = "tls";
    const auto server = [&](std::string id, std::string label, std::vector<std::string> schemes, bool source, bool target, std::uint16_t port) {
        ConnectorSpec spec;
        spec.id = std::move(id);
        spec.label = std::move(label);
        spec.schemes = std::move(schemes);
        spec.source = source;
        spec.target = target;
        spec.defaultPort = port;
        spec.fields = {field("host", K::Host, "Host"), field("port", K::Port, "Port"), field("user", K::User, "User"), field("password", K::Secret, "Password"),
                       field("database", K::Database, "Database"), tls};
        return spec;
    };
    const auto file = [&](std::string id, std::string label, bool source, bool target) {
        ConnectorSpec spec;
        spec.id = id;
        spec.label = std::move(label);
        spec.schemes = {std::move(id)};
        spec.source = source;
        spec.target = target;
        spec.fields = {field("database", K::File, "File")};
        return spec;
    };
    ConnectorSpec null;
    null.id = "null";
    null.label = "Nowhere";
    null.schemes = {"null"};
    null.target = true;
    return {server("mysql", "MySQL", {"mysql", "mariadb"}, true, false, 3306), server("mongodb", "MongoDB", {"mongodb", "mongodb+srv"}, false, true, 27017),
            file("sqlite", "SQLite", true, false), file("embedded", "Embedded store", false, true), null};
}

TableView table(std::string name, State state, std::uint64_t rows)
{
    TableView out;
    out.sync = "shop";
    out.table = out.container = std::move(name);
    out.state = state;
    out.strategy = Strategy::Timestamp;
    out.syncType = "incremental";
    out.rows = out.rowsTotal = rows;
    out.lastSyncMs = now - 60'000;
    out.nextRunMs = now + 240'000;
    out.lagMs = 0;
    out.lagKnown = true;
    out.verified = "identical";
    out.verifiedMs = now - 3'600'000;
    out.cursor = "updated_at";
    for (int i = 0; i < 60; ++i)
        out.recent.push_back(static_cast<float>(400 + i % 7 * 30));
    return out;
}

SyncView shopView()
{
    SyncView out;
    out.name = "shop";
    out.source = "shop-db";
    out.target = "shop-store";
    out.environment = "dev";
    out.sourceEngine = "mariadb";
    out.targetEngine = "mongodb";
    out.tags = {"demo"};
    out.state = State::Running;
    out.nextRunMs = now + 240'000;
    out.lagMs = 4'200;
    out.every = "every 5m";
    out.tables = {table("addresses", State::Idle, 6'200), table("customers", State::Running, 5'000), table("order_lines", State::Lagging, 9'100), table("orders", State::Failed, 3'000),
                  table("payments", State::NeedsResync, 1'400), table("products", State::Live, 400), table("reviews", State::Queued, 900)};
    auto& running = out.tables[1];
    running.progress = 0.42;
    running.rows = 2'100;
    running.readRate = 5'100;
    running.writeRate = 4'900;
    running.p50Ms = 4;
    running.p95Ms = 11;
    running.verified.clear();
    out.tables[2].lagMs = 4'200;
    auto& broken = out.tables[3];
    broken.failed = 2;
    broken.errorId = "target.mongodb.too_large";
    broken.error = "order 7: the document has 17.1 MB, the limit is 16 MB";
    broken.fix = "Exclude the column that makes it large.";
    broken.verified = "different";
    auto& altered = out.tables[4];
    altered.errorId = "source.mysql.table_altered";
    altered.error = "the column amount was retyped";
    altered.fix = "Run a full sync of this table.";
    return out;
}

TableInfo described(std::string name, std::uint64_t rows)
{
    TableInfo out;
    out.ref = {"shop", std::move(name)};
    out.rowsEstimate = rows;
    out.bytes = rows * 120;
    ColumnInfo id;
    id.name = "id";
    id.nativeType = "int unsigned";
    id.type = Type::Uint;
    id.bits = 32;
    id.nullable = false;
    ColumnInfo title;
    title.name = "name";
    title.nativeType = "varchar(200)";
    ColumnInfo updated;
    updated.name = "updated_at";
    updated.nativeType = "timestamp(6)";
    updated.type = Type::Timestamp;
    updated.nullable = false;
    updated.autoUpdated = true;
    out.columns = {id, title, updated};
    out.primaryKey = out.key = {"id"};
    out.indexes = {{"updated", {"updated_at"}, false}};
    out.recommended = {Strategy::Timestamp, "updated_at", {"cursor_indexed_moves", "updated_at is indexed and always moves", {"updated_at"}}};
    out.warnings = {{"deletes_invisible", "deletes invisible", {}}};
    return out;
}

RunReport run(RunId id, Outcome outcome, std::int64_t startMs)
{
    RunReport out;
    out.id = id;
    out.sync = "shop";
    out.syncType = "incremental";
    out.outcome = outcome;
    out.startMs = startMs;
    out.endMs = startMs + 1'900;
    out.trigger = "schedule";
    for (const char* name : {"customers", "orders"}) {
        TableReport one;
        one.table = name;
        one.outcome = outcome;
        one.syncType = "incremental";
        one.strategy = Strategy::Timestamp;
        one.read = one.written = 120;
        one.bytes = 14'400;
        one.startMs = startMs;
        one.endMs = startMs + 900;
        out.tables.push_back(one);
    }
    return out;
}

void addReports(FakeWorld& world)
{
    PlanReport plan;
    plan.sync = "shop";
    plan.sentences = {{"plan.tables", "7 tables go from shop-db into shop-store.", {}}, {"plan.durable", "A write counts once a majority has it in its journal.", {}}};
    DryRunReport dry;
    dry.sync = "shop";
    dry.seconds = 0.8;
    for (const auto& view : world.snapshot.syncs.front().tables) {
        PlanTable planned;
        planned.table = planned.container = view.table;
        planned.strategy = Strategy::Timestamp;
        planned.cursor = "updated_at";
        planned.key = {"id"};
        planned.reason = {"cursor_indexed_moves", "updated_at is indexed and always moves", {"updated_at"}};
        planned.rowsEstimate = view.rowsTotal;
        plan.tables.push_back(planned);
        DryRunTable tried;
        tried.table = view.table;
        tried.read = tried.fits = 1'000;
        tried.averageBytes = 120;
        dry.tables.push_back(tried);
    }
    dry.tables[3].fits = 999;
    dry.tables[3].cannotCarry = 1;
    dry.tables[3].findings = {{"too_large", "1 row is above 16 MB", {"1"}}};
    world.plans["shop"] = plan;
    world.dryRuns["shop"] = dry;
    world.history["shop"] = {run(3, Outcome::Partial, now - 60'000), run(2, Outcome::Success, now - 360'000), run(1, Outcome::Success, now - 660'000)};
    for (int i = 0; i < 300; ++i)
        world.metrics.push_back({now - (300 - i) * 1'000, 500.0 + i % 50, 480.0 + i % 50, 0, 100.0 + i % 10, 4, 11, 1});
    for (const char* key : {"7", "12"}) {
        FailedRow row;
        row.id = key[0];
        row.sync = "shop";
        row.table = "orders";
        row.key = key;
        row.cause = "target.mongodb.too_large";
        row.detail = "the document has 17.1 MB, the limit is 16 MB";
        row.fix = "Exclude the column that makes it large.";
        row.document = R"({"id":)" + std::string(key) + R"(,"note":"..."})";
        row.firstMs = now - 600'000;
        row.lastMs = now - 60'000;
        row.tries = 3;
        row.run = 3;
        world.failures.push_back(row);
    }
    world.audit = {{1, now - 900'000, "window", "sync added", "shop", "", "{}"}};
}

} // namespace

FakeWorld shopWorld()
{
    FakeWorld world;
    world.connectors = specs();
    ConnectionDef source, target;
    source.name = "shop-db";
    source.url = "mysql://reader@127.0.0.1:3306/shop";
    source.secrets["password"] = {SecretRef::Kind::Env, "SHOP_PASSWORD"};
    source.environment = "dev";
    target.name = "shop-store";
    target.url = "mongodb://127.0.0.1:27017/shop";
    world.connections = {source, target};
    SyncDef shop, archive;
    shop.name = "shop";
    shop.source = archive.source = "shop-db";
    shop.target = archive.target = "shop-store";
    shop.every = "5m";
    shop.tags = {"demo"};
    archive.name = "archive";
    archive.prefix = "archive_";
    world.syncs = {shop, archive};

    SyncView idle;
    idle.name = "archive";
    idle.source = "shop-db";
    idle.target = "shop-store";
    idle.environment = "dev";
    idle.sourceEngine = "mariadb";
    idle.targetEngine = "mongodb";
    idle.state = State::Paused;
    idle.paused = true;
    idle.every = "by hand";
    world.snapshot.revision = 1;
    world.snapshot.takenMs = now;
    world.snapshot.syncs = {shopView(), idle};
    world.snapshot.rowsPerSecond = 4'900;
    world.snapshot.queuedBytes = 12u << 20;
    world.snapshot.budgetBytes = 256u << 20;
    world.snapshot.failedRows = 2;
    world.snapshot.connections = world.snapshot.healthyConnections = 2;

    Discovery discovery;
    discovery.connection = "shop-db";
    discovery.server = {"mariadb", "10.11.19"};
    for (const auto& view : world.snapshot.syncs.front().tables)
        discovery.tables.push_back(described(view.table, view.rowsTotal));
    discovery.tables[3].foreignKeys = {{{"customer_id"}, "customers", {"id"}, "RESTRICT", "CASCADE"}};
    world.discoveries["shop-db"] = discovery;
    addReports(world);
    return world;
}

} // namespace millrace::test
