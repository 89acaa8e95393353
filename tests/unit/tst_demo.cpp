#include "core/demo/shop.h"
#include "tests/unit/sqlite_fixture.h"
#include <QFile>
#include <map>

using namespace millrace;
using namespace millrace::test;

class TestDemo : public QObject {
    Q_OBJECT
private slots:
    void sameSeedSameShop();
    void rowsAreExact_data();
    void rowsAreExact();
    void everyValueIsAsDeclared();
    void timesLieInThePast();
    void referencesHold();
    void somebodysFileIsLeftAlone();
    void changeBreakMend();
    void shopsOnlyAreChanged();
};

namespace {

const char* const tables[] = {"customers", "addresses", "products", "orders", "order_lines", "payments", "reviews"};

class Shop {
public:
    explicit Shop(std::uint64_t rows = 2000, std::uint64_t seed = 7) : m_path(m_folder.filePath("shop.db").toStdString())
    {
        const auto made = makeShopSqlite(m_path, rows, seed);
        if (!made) qFatal("%s", made.error().detail.c_str());
    }
    const std::string& path() const { return m_path; }
    std::string word(const std::string& sql) const
    {
        sqlite3* db = nullptr;
        sqlite3_open_v2(m_path.c_str(), &db, SQLITE_OPEN_READONLY, nullptr);
        sqlite3_stmt* s = nullptr;
        if (sqlite3_prepare_v2(db, sql.c_str(), -1, &s, nullptr) != SQLITE_OK) qFatal("%s", sqlite3_errmsg(db));
        std::string out;
        while (sqlite3_step(s) == SQLITE_ROW) {
            const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(s, 0));
            out += (out.empty() ? "" : "|") + std::string(text ? text : "");
        }
        sqlite3_finalize(s);
        sqlite3_close_v2(db);
        return out;
    }
    std::unique_ptr<Source> source() const
    {
        ConnectionParams params;
        params.url.scheme = "sqlite";
        params.url.path = m_path;
        return std::move(*openSqlite(params));
    }
private:
    QTemporaryDir m_folder;
    std::string m_path;
};

} // namespace

void TestDemo::sameSeedSameShop()
{
    const Shop one(3000, 42), two(3000, 42), other(3000, 43);
    auto a = one.source(), b = two.source(), c = other.source();
    for (const char* table : tables) {
        const auto rows = copyOf(*a, planOf(*a, table)).rows;
        QCOMPARE(copyOf(*b, planOf(*b, table)).rows, rows);
        QVERIFY(copyOf(*c, planOf(*c, table)).rows != rows);
    }
}

void TestDemo::rowsAreExact_data()
{
    QTest::addColumn<int>("rows");
    for (const int rows : {100, 101, 999, 25'000}) QTest::addRow("%d", rows) << rows;
}

void TestDemo::rowsAreExact()
{
    QFETCH(int, rows);
    const Shop shop(static_cast<std::uint64_t>(rows));
    std::uint64_t sum = 0;
    for (const char* table : tables) {
        const auto count = std::stoull(shop.word("SELECT count(*) FROM " + std::string(table)));
        QVERIFY(count > 0);
        sum += count;
    }
    QCOMPARE(sum, static_cast<std::uint64_t>(rows));
}

// The shop shows every type, and nothing in it is coerced: what people see first must be clean.
void TestDemo::everyValueIsAsDeclared()
{
    const Shop shop;
    auto source = shop.source();
    std::map<Type, int> types;
    std::uint64_t nulls = 0;
    for (const char* table : tables) {
        const auto plan = planOf(*source, table);
        auto snapshot = source->snapshot(plan);
        auto reader = (*snapshot)->read({});
        for (ReadState state = ReadState::More; state != ReadState::End;) {
            Batch batch(plan->schema);
            auto read = (*reader)->read(batch, 500, {});
            QVERIFY(read);
            state = *read;
            QCOMPARE(batch.coerced, std::uint64_t(0));
            QVERIFY(batch.rejected().empty());
            for (std::size_t i = 0; i < batch.rows(); ++i)
                for (std::size_t c = 0; c < batch.row(i).size(); ++c) {
                    const Cell& cell = batch.row(i)[c];
                    if (cell.type == Type::Null) ++nulls;
                    else {
                        QCOMPARE(typeName(cell.type), typeName(plan->schema->columns[c].type));
                        ++types[cell.type];
                    }
                }
        }
    }
    QVERIFY(nulls > 500);
    for (const Type type : {Type::Bool, Type::Int, Type::Real, Type::Decimal, Type::Text, Type::Bytes, Type::Json, Type::Date, Type::DateTime, Type::Uuid})
        QVERIFY2(types[type] > 0, std::string(typeName(type)).c_str());
    QVERIFY(std::stoi(shop.word("SELECT count(*) FROM customers WHERE is_deleted")) > 0);
    QVERIFY(std::stoi(shop.word("SELECT count(*) FROM customers WHERE length(name) <> length(CAST(name AS BLOB))")) > 50);
    QVERIFY(shop.word("SELECT max(n) FROM (SELECT count(*) AS n FROM order_lines GROUP BY order_id)") == "3");
}

void TestDemo::timesLieInThePast()
{
    const Shop shop(5000);
    for (const char* table : tables)
        QVERIFY(shop.word("SELECT max(updated_at) FROM " + std::string(table)) < "2025-07-01" && shop.word("SELECT min(updated_at) FROM " + std::string(table)) >= "2023-01-01");
    QCOMPARE(shop.word("SELECT count(*) FROM customers WHERE updated_at < created_at"), std::string("0"));
}

void TestDemo::referencesHold()
{
    const Shop shop(5000);
    QCOMPARE(shop.word("PRAGMA foreign_key_check"), std::string());
    QCOMPARE(shop.word("PRAGMA integrity_check"), std::string("ok"));
    // The order's total is what its lines say, and the payments are what the orders cost.
    QCOMPARE(shop.word("SELECT count(*) FROM payments p JOIN orders o ON o.id = p.order_id WHERE p.amount <> o.total"), std::string("0"));
    QCOMPARE(shop.word("SELECT count(*) FROM orders WHERE total <= 0 OR id NOT IN (SELECT order_id FROM order_lines)"), std::string("0"));
}

void TestDemo::somebodysFileIsLeftAlone()
{
    SqliteFile file;
    file.exec("CREATE TABLE precious(x); INSERT INTO precious VALUES(1)");
    const auto made = makeShopSqlite(file.path(), 200, 1);
    QVERIFY(!made);
    QCOMPARE(made.error().id, std::string("demo.exists"));
    file.exec("SELECT x FROM precious");
    QTemporaryDir folder;
    QFile text(folder.filePath("notes"));
    QVERIFY(text.open(QIODevice::WriteOnly));
    text.write("keep me");
    text.close();
    QVERIFY(!makeShopSqlite(text.fileName().toStdString(), 200, 1));
    QCOMPARE(QFileInfo(text.fileName()).size(), qint64(7));
    // Its own shop is made anew.
    const Shop shop(200);
    QVERIFY(makeShopSqlite(shop.path(), 300, 1));
    QVERIFY(!makeShopSqlite("/no/such/folder/shop.db", 200, 1));
    QVERIFY(!makeShopSqlite(shop.path(), 10, 1));
}

void TestDemo::changeBreakMend()
{
    const Shop shop(25'000);
    auto source = shop.source();
    const auto orders = planOf(*source, "orders", {.cursor = "updated_at"}), reviews = planOf(*source, "reviews", {.cursor = "updated_at"});
    QVERIFY(source->preflight(*orders));
    auto mark = source->mark(*orders);
    auto reviewMark = source->mark(*reviews);
    const std::string before = shop.word("SELECT status FROM orders WHERE id = 124");
    const auto label = changeRow(shop.path(), 123);
    QVERIFY(label);
    QCOMPARE(*label, std::string("orders 124"));
    QVERIFY(shop.word("SELECT status FROM orders WHERE id = 124") != before);
    auto heard = changesOf(*source, orders, *mark);
    QVERIFY(std::any_of(heard.rows.begin(), heard.rows.end(), [](const auto& r) { return r.starts_with("{124,"); }));

    const auto broken = breakRow(shop.path());
    QVERIFY(broken);
    QCOMPARE(broken->table, std::string("reviews"));
    heard = changesOf(*source, reviews, *reviewMark);
    const std::string parked = "!" + broken->key + " source.sqlite.invalid_utf8";
    QVERIFY(std::find(heard.rows.begin(), heard.rows.end(), parked) != heard.rows.end());
    const auto mended = mendRow(shop.path());
    QVERIFY(mended);
    QCOMPARE(mended->key, broken->key);
    heard = changesOf(*source, reviews, heard.upTo);
    QVERIFY(std::any_of(heard.rows.begin(), heard.rows.end(), [&](const auto& r) { return r.starts_with("{" + broken->key + ","); }));
}

void TestDemo::shopsOnlyAreChanged()
{
    SqliteFile file;
    file.exec("CREATE TABLE orders(id INTEGER PRIMARY KEY, status, updated_at)");
    QVERIFY(!changeRow(file.path(), 1));
    QVERIFY(!breakRow(file.path()));
    QVERIFY(!mendRow("/no/such/shop.db"));
}

QTEST_APPLESS_MAIN(TestDemo)
#include "tst_demo.moc"
