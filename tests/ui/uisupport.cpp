#include "tests/ui/uisupport.h"
#include "ui/shell/translations.h"
#include <QApplication>
#include <QDir>
#include <QTest>
#include <cmath>
#include <thread>

namespace millrace::test {

namespace {

constexpr std::int64_t now = 1'795'271'528'000;                  // 2026-11-21T14:32:08Z

TableView row(const std::string& sync, const std::string& name, const std::string& container, State state, std::uint64_t rows, double rate, std::int64_t lagMs)
{
    TableView t;
    t.sync = sync;
    t.table = name;
    t.container = container;
    t.state = state;
    t.strategy = Strategy::Timestamp;
    t.syncType = "incremental";
    t.rows = t.rowsTotal = rows;
    t.writeRate = rate;
    t.readRate = rate * 1.02;
    t.lagMs = lagMs;
    t.lagKnown = lagMs >= 0;
    t.lastSyncMs = now - 2'000 - static_cast<std::int64_t>(rows % 9) * 1000;
    t.nextRunMs = now + 132'000;
    t.verified = "identical";
    t.verifiedMs = t.lastSyncMs - 30'000;
    t.cursor = "updated_at";
    t.position = "updated_at 2026-11-21 14:32:06, id " + std::to_string(rows);
    t.p50Ms = 86;
    t.p95Ms = 212;
    if (rate > 0)
        for (int i = 0; i < 60; ++i)
            t.recent.push_back(static_cast<float>(rate * (1 + 0.18 * std::sin(i * 0.37 + double(rows % 17)) + 0.08 * std::sin(i * 1.9))));
    return t;
}

SyncView job(const char* name, const char* source, const char* target, const char* environment, const char* from, const char* to, std::vector<TableView> tables)
{
    SyncView s;
    s.name = name;
    s.source = source;
    s.target = target;
    s.environment = environment;
    s.sourceEngine = from;
    s.targetEngine = to;
    s.every = "every 5m";
    s.nextRunMs = now + 132'000;
    s.tables = std::move(tables);
    return s;
}

void addShop(FakeWorld& world)
{
    SyncView shop = job("shop", "shop-primary", "docs1", "prod", "mariadb", "mongodb",
        {row("shop", "address", "address", State::Queued, 6'001, 0, 360'000), row("shop", "customer", "customer", State::Idle, 599'214, 86, 1'200),
         row("shop", "customer_order", "customer_order", State::Running, 1'944'200, 12'480, 1'800), row("shop", "film", "film", State::Live, 48'120, 4, 800),
         row("shop", "order_line", "order_line", State::Running, 5'210'448, 2'214, 1'800), row("shop", "rental", "rental", State::Lagging, 604'411, 118, 252'000),
         row("shop", "store", "store", State::Idle, 512, 0, 180'000)});
    shop.state = State::Running;
    shop.run = 7;
    shop.tags = {"nightly", "storefront"};
    shop.tables[2].progress = 0.62;
    shop.tables[2].rowsTotal = 3'135'806;
    shop.tables[2].verified.clear();
    shop.tables[2].failed = 37;
    shop.tables[4].progress = 0.81;
    shop.tables[4].rowsTotal = 6'432'652;
    shop.tables[4].verified.clear();
    shop.tables[4].strategy = Strategy::Full;
    shop.tables[5].rowsTotal += 18'204;
    shop.tables[5].verified = "different";
    world.snapshot.syncs.push_back(shop);
    SyncView documents = job("documents", "shop-primary", "docs1", "stage", "mariadb", "mongodb",
        {row("documents", "inventory", "shop_inventory", State::Live, 1'946'588, 4'874, 2'000), row("documents", "price_history", "shop_price_history", State::Live, 604'414, 86, 1'100)});
    documents.state = State::Live;
    documents.tags = {"storefront"};
    world.snapshot.syncs.push_back(documents);
}

void addOthers(FakeWorld& world)
{
    SyncView warehouse = job("warehouse", "warehouse", "embedded", "dev", "mysql", "embedded",
        {row("warehouse", "bin", "bin", State::Paused, 1'504, 0, 1'320'000), row("warehouse", "stock_level", "stock_level", State::Paused, 918'640, 0, 1'320'000)});
    warehouse.state = State::Paused;
    warehouse.paused = true;
    warehouse.tables[1].rowsTotal += 41'900;
    warehouse.tables[1].lastSyncMs += 600'000;
    world.snapshot.syncs.push_back(warehouse);
    SyncView billing = job("billing", "kiosk.db", "embedded", "local", "sqlite", "embedded",
        {row("billing", "invoice", "invoice", State::Idle, 1'204'556, 0, 1'400), row("billing", "invoice_line", "invoice_line", State::Failed, 1'940'318, 0, 660'000),
         row("billing", "ledger_entry", "ledger_entry", State::NeedsResync, 160'992, 0, -1), row("billing", "tax_rate", "tax_rate", State::Unknown, 5'004, 0, -1)});
    billing.state = State::Failed;
    billing.tags = {"nightly"};
    TableView& failed = billing.tables[1];
    failed.progress = 0.44;
    failed.error = "The disk of the target is full: SQLite could not extend /srv/store/billing.db.";
    failed.errorId = "target.embedded.disk_full";
    failed.fix = "Free at least 512 MB there. The position is kept, the next run goes on.";
    failed.verified.clear();
    billing.tables[2].error = "The column amount changed from DECIMAL(10,2) to DECIMAL(12,4) during the run.";
    billing.tables[2].errorId = "source.sqlite.table_altered";
    billing.tables[2].fix = "Run a full sync of this table.";
    billing.tables[2].verified = "unknown";
    billing.tables[3].error = "The connection broke before the target confirmed the last batch.";
    billing.tables[3].errorId = "target.embedded.no_answer";
    billing.tables[3].fix = "Verify the table; the next run writes the batch again.";
    billing.tables[3].verified = "unknown";
    world.snapshot.syncs.push_back(billing);
}

void addMetrics(FakeWorld& world)
{
    for (int i = 720; i > 0; --i) {
        const double t = i * 0.021, dip = i > 395 && i < 410 ? 0.35 : 1;
        MetricPoint p;
        p.timeMs = now - i * 5'000;
        p.written = dip * (12'600 + 700 * std::sin(t * 3) + 420 * std::sin(t * 11));
        p.read = p.written * 1.015 + 60;
        p.lagMs = 1'800 + 400 * std::sin(t * 5) + (i > 385 && i < 412 ? 26'000 * std::exp(-std::pow((i - 398) / 7.0, 2)) : 0);
        p.p50Ms = 86 + 9 * std::sin(t * 7);
        p.p95Ms = 205 + 40 * std::sin(t * 4) + (dip < 1 ? 130 : 0);
        p.rejected = dip < 1 ? 0.2 : i > 180 && i < 186 ? 0.05 : 0;
        p.spanSeconds = 5;
        world.metrics.push_back(p);
    }
}

void addFailures(FakeWorld& world)
{
    const auto add = [&](int n, const char* cause, const char* column, const std::string& detail, const char* fix, std::int64_t atMs) {
        for (int i = 0; i < n; ++i) {
            FailedRow f;
            f.id = std::int64_t(world.failures.size()) + 1;
            f.sync = "shop";
            f.table = "customer_order";
            f.key = std::to_string(41'877 + i * 13);
            f.cause = cause;
            f.column = column;
            f.detail = detail;
            f.fix = fix;
            f.document = R"({"order_id":)" + f.key + R"(,"order_no":"SO-2019-0)" + f.key + R"(","customer_id":7716,"status":"cancelled","total":"0.00","placed_at":"0000-00-00 00:00:00","ship_to":{"city":"Eastmere","zip":"20917"},"gift_note":null})";
            f.position = "updated_at 2025-03-28 13:58:01.884, order_id " + f.key;
            f.firstMs = atMs - 160'000;
            f.lastMs = atMs + i * 4'000;
            f.tries = 2;
            f.run = 7;
            world.failures.push_back(f);
        }
    };
    add(31, "source.mysql.zero_date", "placed_at", "placed_at is 0000-00-00 00:00:00: not a date that the target can carry, and the policy of the column is fail.", "Set the policy of placed_at to null or text, then retry.",
        now - 2'100'000);
    add(5, "target.mongodb.too_large", "gift_note", "The document has 17.1 MB, the limit of MongoDB is 16 MB.", "Exclude the column gift_note, then retry.", now - 900'000);
    add(1, "source.mysql.invalid_utf8", "remark", "The bytes 0xC3 0x28 of remark are not valid UTF-8.", "Repair the row in the source, then retry.", now - 480'000);
}

} // namespace

FakeWorld busyWorld()
{
    FakeWorld world = shopWorld();
    world.snapshot = {};
    world.metrics.clear();
    world.failures.clear();
    addShop(world);
    addOthers(world);
    addMetrics(world);
    addFailures(world);
    world.syncs.clear();
    for (const SyncView& view : world.snapshot.syncs) {
        SyncDef def;
        def.name = view.name;
        def.source = view.source;
        def.target = view.target;
        world.syncs.push_back(def);
        DryRunReport dry;
        dry.seconds = 1.4;
        for (const TableView& t : view.tables) {
            DryRunTable tried;
            tried.table = t.table;
            tried.read = tried.fits = 1'000;
            tried.averageBytes = 344;
            dry.tables.push_back(tried);
        }
        world.dryRuns[view.name] = dry;
        for (int i = 0; i < 24; ++i) {
            RunReport run;
            run.id = 24 - i;
            run.sync = view.name;
            run.syncType = i == 23 ? "full" : "incremental";
            run.outcome = i == 3 ? Outcome::Partial : i == 9 ? Outcome::Failed : i == 11 ? Outcome::Cancelled : Outcome::Success;
            run.startMs = now - (i + 1) * 300'000;
            run.endMs = run.startMs + 1'400 + i * 130;
            run.trigger = i == 0 || i == 23 ? "window" : "schedule";
            for (const TableView& t : view.tables) {
                TableReport done;
                done.table = t.table;
                done.outcome = run.outcome;
                done.syncType = run.syncType;
                done.read = done.written = i == 23 ? t.rows : (t.rows % 977) / 4;
                done.rejected = i == 3 && t.failed ? 37 : 0;
                done.startMs = run.startMs;
                done.endMs = run.endMs;
                run.tables.push_back(done);
            }
            if (i == 9)
                run.error = Error{Fault::Network, "source.mysql.gone", "db1.shop.internal:3306 closed the connection (2013: Lost connection to server during query).", "", {}};
            world.history[view.name].push_back(run);
        }
    }
    EngineSnapshot& s = world.snapshot;
    s.revision = 1;
    s.takenMs = now;
    s.rowsPerSecond = 21'480;
    s.queuedBytes = 38u << 20;
    s.budgetBytes = 256u << 20;
    s.failedRows = 37;
    s.connections = 17;
    s.healthyConnections = 16;
    return world;
}

void FakeLog::add(Level level, std::string category, std::string words, std::vector<std::pair<std::string, std::string>> fields)
{ m_lines.push_back({now - 60'000 + std::int64_t(m_lines.size()) * 731, level, std::move(category), std::move(words), std::move(fields)}); }

std::vector<LogEntry> FakeLog::since(std::uint64_t after, std::uint64_t& last) const
{
    last = m_lines.size();
    return after >= m_lines.size() ? std::vector<LogEntry>() : std::vector<LogEntry>(m_lines.begin() + std::ptrdiff_t(after), m_lines.end());
}

WindowFixture::WindowFixture(FakeWorld world, ui::Plugins given, ui::DemoActions demoActions) : engine(std::move(world)), plugins(std::move(given)), demo(std::move(demoActions))
{
    log.add(Level::Info, "engine", "Scheduler on, 4 syncs", {});
    for (int i = 0; i < 30; ++i) {
        log.add(Level::Info, "engine", "Chunk written", {{"sync", "shop"}, {"table", "order_line"}, {"rows", std::to_string(10'000)}, {"run", "7"}});
        if (i % 9 == 4)
            log.add(Level::Warning, "source.mysql", "The server answered slowly: 1,240 ms for a page of customer_order", {{"sync", "shop"}, {"table", "customer_order"}});
        if (i % 5 == 2)
            log.add(Level::Debug, "target.mongodb", "Batch of 1,000 rows acknowledged in 86 ms", {{"sync", "shop"}, {"table", "customer_order"}});
    }
    log.add(Level::Error, "target.embedded", "The disk of the target is full: SQLite could not extend /srv/store/billing.db", {{"sync", "billing"}, {"table", "invoice_line"}, {"error", "target.embedded.disk_full"}});
}

WindowFixture::~WindowFixture() = default;

ui::MainWindow& WindowFixture::open(int width, int height)
{
    ui::MainWindow::Setup setup;
    setup.home = home.path().toStdString();
    setup.log = &log;
    setup.demo = demo;
    setup.readFile = readFile;
    setup.vault = QStringLiteral("Encrypted file");
    setup.plugins = plugins;
    window = std::make_unique<ui::MainWindow>(engine, theme(), std::move(setup));
    window->resize(width, height);
    window->show();
    (void)QTest::qWaitForWindowActive(window.get());
    return *window;
}

void WindowFixture::sample() const { window->context().monitor.sampleNow(); }
bool WindowFixture::idle() const { return window->context().calls.running() == 0; }

ui::Theme& theme()
{
    static auto* one = [] {
        auto* app = static_cast<QApplication*>(QApplication::instance());
        ui::installTranslations(*app, QStringLiteral("en"));
        return new ui::Theme(*app);
    }();
    return *one;
}

void saveScreenshot(QWidget& widget, const QString& name)
{
    const QString folder = QStringLiteral(MILLRACE_SCREENSHOTS);
    QDir().mkpath(folder);
    const QPixmap picture = widget.grab();
    QVERIFY2(picture.save(folder + QLatin1Char('/') + name + QStringLiteral(".png")), qPrintable(name));
}

double contrast(const QColor& a, const QColor& b)
{
    const auto luminance = [](const QColor& c) {
        const auto channel = [](double v) { return v <= 0.03928 ? v / 12.92 : std::pow((v + 0.055) / 1.055, 2.4); };
        return 0.2126 * channel(c.redF()) + 0.7152 * channel(c.greenF()) + 0.0722 * channel(c.blueF());
    };
    const double x = luminance(a), y = luminance(b);
    return (std::max(x, y) + 0.05) / (std::min(x, y) + 0.05);
}

QStringList callsOnWindowThread(const FakeEngine& engine)
{
    QStringList found;
    for (const auto& call : engine.calls())
        if (call.thread == std::this_thread::get_id())
            found << QString::fromStdString(call.name);
    return found;
}

} // namespace millrace::test
