#include "core/demo/generator.h"
#include "core/demo/shop.h"
#include <filesystem>
#include <memory>
#include <sqlite3.h>

namespace millrace {

namespace {

using shop::Table;

constexpr int applicationId = 0x4d525348;                        // "MRSH": how a shop of ours is told from somebody's database

constexpr const char* tables = R"(
CREATE TABLE customers(id INTEGER PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL, phone TEXT, birthday DATE, credit_limit DECIMAL(10,2) NOT NULL,
    is_business BOOLEAN NOT NULL, notes TEXT, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL, is_deleted BOOLEAN NOT NULL DEFAULT 0);
CREATE TABLE addresses(id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), kind TEXT NOT NULL, street TEXT NOT NULL, city TEXT NOT NULL,
    postcode TEXT, country CHAR(2) NOT NULL, latitude REAL NOT NULL, longitude REAL NOT NULL, updated_at DATETIME NOT NULL);
CREATE TABLE products(id INTEGER PRIMARY KEY, sku VARCHAR(20) NOT NULL, name TEXT NOT NULL, description TEXT, price DECIMAL(10,2) NOT NULL, weight_kg REAL,
    attributes JSON NOT NULL, discontinued BOOLEAN NOT NULL, thumbnail BLOB, updated_at DATETIME NOT NULL);
CREATE TABLE orders(id INTEGER PRIMARY KEY, customer_id INTEGER NOT NULL REFERENCES customers(id), address_id INTEGER REFERENCES addresses(id), status TEXT NOT NULL,
    ordered_at DATETIME NOT NULL, ship_date DATE, total DECIMAL(12,2) NOT NULL, gift_note TEXT, updated_at DATETIME NOT NULL);
CREATE TABLE order_lines(order_id INTEGER NOT NULL REFERENCES orders(id), line_no INTEGER NOT NULL, product_id INTEGER NOT NULL REFERENCES products(id),
    quantity INTEGER NOT NULL, unit_price DECIMAL(10,2) NOT NULL, discount DECIMAL(5,2), updated_at DATETIME NOT NULL, PRIMARY KEY(order_id, line_no)) WITHOUT ROWID;
CREATE TABLE payments(id INTEGER PRIMARY KEY, order_id INTEGER NOT NULL REFERENCES orders(id), method TEXT NOT NULL, amount DECIMAL(12,2) NOT NULL, paid_at DATETIME,
    reference UUID NOT NULL, captured BOOLEAN NOT NULL, updated_at DATETIME NOT NULL);
CREATE TABLE reviews(id INTEGER PRIMARY KEY, product_id INTEGER NOT NULL REFERENCES products(id), customer_id INTEGER NOT NULL REFERENCES customers(id),
    rating INTEGER NOT NULL, title TEXT NOT NULL, body TEXT, created_at DATETIME NOT NULL, updated_at DATETIME NOT NULL);
)";

// reviews has none on updated_at, so that the warning about it can be seen.
constexpr const char* indexes = R"(
CREATE UNIQUE INDEX products_sku ON products(sku);
CREATE INDEX customers_updated ON customers(updated_at);
CREATE INDEX addresses_updated ON addresses(updated_at);
CREATE INDEX products_updated ON products(updated_at);
CREATE INDEX orders_updated ON orders(updated_at);
CREATE INDEX order_lines_updated ON order_lines(updated_at);
CREATE INDEX payments_updated ON payments(updated_at);
)";

constexpr int columnCounts[] = {11, 10, 10, 9, 7, 8, 8};

class Database {
public:
    explicit Database(const std::string& path, int flags)
    {
        if (sqlite3_open_v2((path.starts_with('/') ? path : "./" + path).c_str(), &m_db, flags | SQLITE_OPEN_NOMUTEX, nullptr) == SQLITE_OK)
            sqlite3_busy_timeout(m_db, 5000);
    }
    ~Database() { sqlite3_close_v2(m_db); }
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    sqlite3* handle() const { return m_db; }
    bool run(const std::string& sql) { return sqlite3_exec(m_db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK; }
    std::int64_t number(const std::string& sql)
    {
        sqlite3_stmt* s = nullptr;
        std::int64_t out = -1;
        if (sqlite3_prepare_v2(m_db, sql.c_str(), -1, &s, nullptr) == SQLITE_OK && sqlite3_step(s) == SQLITE_ROW)
            out = sqlite3_column_int64(s, 0);
        sqlite3_finalize(s);
        return out;
    }
    Error error(const std::string& path) const
    {
        return {Fault::Storage, "demo.sqlite", path + ": " + sqlite3_errmsg(m_db), "Check that the folder can be written and has space.", {}};
    }
private:
    sqlite3* m_db = nullptr;
};

//! Binds the generator's values to one prepared INSERT per table.
class SqliteWriter {
public:
    explicit SqliteWriter(Database& database) : m_database(database) {}
    ~SqliteWriter() { sqlite3_finalize(m_insert); }
    SqliteWriter(const SqliteWriter&) = delete;
    SqliteWriter& operator=(const SqliteWriter&) = delete;

    bool begin(Table table)
    {
        const auto which = static_cast<std::size_t>(table);
        std::string sql = "INSERT INTO " + std::string(shop::tableNames[which]) + " VALUES(?";
        for (int i = 1; i < columnCounts[which]; ++i) sql += ",?";
        sqlite3_finalize(m_insert);
        m_insert = nullptr;
        m_at = 0;
        return m_database.run("BEGIN") && sqlite3_prepare_v2(m_database.handle(), (sql + ")").c_str(), -1, &m_insert, nullptr) == SQLITE_OK;
    }
    bool endRow()
    {
        const bool done = sqlite3_step(m_insert) == SQLITE_DONE;
        sqlite3_reset(m_insert);
        m_at = 0;
        return done;
    }
    bool end() { return m_database.run("COMMIT"); }

    void null() { sqlite3_bind_null(m_insert, ++m_at); }
    void integer(std::int64_t value) { sqlite3_bind_int64(m_insert, ++m_at, value); }
    void boolean(bool value) { integer(value); }
    void real(double value) { sqlite3_bind_double(m_insert, ++m_at, value); }
    void decimal(std::int64_t cents) { real(static_cast<double>(cents) / 100); }     // DECIMAL has numeric affinity: this is what SQLite would keep
    void text(std::string_view value) { sqlite3_bind_text64(m_insert, ++m_at, value.data(), value.size(), SQLITE_TRANSIENT, SQLITE_UTF8); }
    void json(std::string_view value) { text(value); }
    void bytes(std::string_view value) { sqlite3_bind_blob64(m_insert, ++m_at, value.data(), value.size(), SQLITE_TRANSIENT); }
    void date(std::int64_t days)
    {
        m_time.clear();
        appendDate(m_time, days);
        text(m_time);
    }
    void datetime(std::int64_t seconds)
    {
        m_time.clear();
        appendDateTime(m_time, seconds * 1'000'000, 0, false);
        m_time[10] = ' ';
        text(m_time);
    }
private:
    Database& m_database;
    sqlite3_stmt* m_insert = nullptr;
    int m_at = 0;
    std::string m_time;
};

Result<> checkShop(Database& database, const std::string& path)
{
    if (!database.handle() || database.number("PRAGMA application_id") != applicationId)
        return Error{Fault::Config, "demo.not_a_shop", path + " is not a demo shop that Millrace made.", "Make one first: millrace-cli demo.", {}};
    return {};
}

std::string reviewToBreak() { return "(SELECT min(id) FROM reviews WHERE id >= 7 OR id = (SELECT max(id) FROM reviews))"; }

Result<ShopRow> setReview(const std::string& path, const std::string& body)
{
    Database database(path, SQLITE_OPEN_READWRITE);
    if (auto ours = checkShop(database, path); !ours)
        return std::move(ours).error();
    const auto id = database.number("SELECT " + reviewToBreak());
    if (!database.run("UPDATE reviews SET body = " + body + ", updated_at = datetime('now') WHERE id = " + std::to_string(id)))
        return database.error(path);
    return ShopRow{"reviews", std::to_string(id)};
}

} // namespace

Result<> makeShopSqlite(const std::string& path, std::uint64_t rows, std::uint64_t seed)
{
    namespace fs = std::filesystem;
    if (rows < 100)
        return Error{Fault::Usage, "demo.rows", "A shop needs at least 100 rows.", "Ask for --rows 100 or more.", {}};
    std::error_code ignored;
    if (fs::exists(path, ignored)) {
        Database there(path, SQLITE_OPEN_READONLY);
        if (auto ours = checkShop(there, path); !ours)
            return Error{Fault::Config, "demo.exists", path + " is there already and is not a demo shop.", "Name another file, or move this one away.", {}};
    }
    const std::string fresh = path + ".new";
    fs::remove(fresh, ignored);
    {
        Database database(fresh, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
        const auto fail = [&] {
            Error error = database.error(fresh);
            fs::remove(fresh, ignored);
            return error;
        };
        // Nobody sees this file before it is whole, so it needs no journal.
        if (!database.run("PRAGMA journal_mode=OFF; PRAGMA synchronous=OFF; PRAGMA locking_mode=EXCLUSIVE; PRAGMA cache_size=-65536; PRAGMA application_id="
                          + std::to_string(applicationId)) || !database.run(tables))
            return fail();
        SqliteWriter writer(database);
        if (!shop::Generator<SqliteWriter>(writer, rows, seed).run())
            return fail();
        // Estimates for progress bars: exact ones where that is cheap.
        if (!database.run("BEGIN") || !database.run(indexes) || !database.run("COMMIT")
            || !database.run(rows <= 1'000'000 ? "ANALYZE" : "PRAGMA analysis_limit=10000; ANALYZE"))
            return fail();
    }
    std::error_code moved;
    fs::rename(fresh, path, moved);
    if (moved)
        return Error{Fault::Storage, "demo.sqlite", path + ": " + moved.message(), "Check that the folder can be written.", {}};
    return {};
}

Result<std::string> changeRow(const std::string& path, std::uint64_t n)
{
    Database database(path, SQLITE_OPEN_READWRITE);
    if (auto ours = checkShop(database, path); !ours)
        return std::move(ours).error();
    const auto orders = database.number("SELECT count(*) FROM orders");
    if (orders <= 0)
        return database.error(path);
    const std::string id = std::to_string(n % static_cast<std::uint64_t>(orders) + 1);
    std::string next = "CASE status";
    for (std::size_t i = 0; i < std::size(shop::statuses); ++i)
        next += " WHEN '" + std::string(shop::statuses[i]) + "' THEN '" + std::string(shop::statuses[(i + 1) % std::size(shop::statuses)]) + "'";
    if (!database.run("UPDATE orders SET status = " + next + " ELSE 'new' END, updated_at = datetime('now') WHERE id = " + id))
        return database.error(path);
    return "orders " + id;
}

Result<ShopRow> breakRow(const std::string& path) { return setReview(path, "CAST(x'62726f6b656e20ff20746578742e' AS TEXT)"); }
Result<ShopRow> mendRow(const std::string& path) { return setReview(path, "'Mended: the text is whole again ✔'"); }

} // namespace millrace
