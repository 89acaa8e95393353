#include "core/demo/shop.h"
#include "tests/support/mariadbserver.h"
#include <QTest>

using namespace millrace;
using namespace millrace::test;

// The shop in a real server: the same rows for the same seed, and nobody's tables touched.
class TestDemoMysql : public QObject {
    Q_OBJECT
private slots:
    void initTestCase();
    void makesTheShop();
    void somebodysTablesAreLeftAlone();
private:
    std::string word(const std::string& sql)
    {
        auto rows = m_server->session()->rows(sql);
        return rows && !rows->empty() && (*rows)[0][0] ? *(*rows)[0][0] : "?" + (rows ? std::string() : rows.error().detail);
    }
    std::unique_ptr<MariaDbServer> m_server;
};

void TestDemoMysql::initTestCase()
{
    std::string reason;
    m_server = MariaDbServer::start(reason);
    if (!m_server) QSKIP(reason.c_str());
}

void TestDemoMysql::makesTheShop()
{
    const auto made = makeShopMysql(m_server->params(), 5000, 7);
    QVERIFY2(made, made ? "" : made.error().detail.c_str());
    std::uint64_t sum = 0;
    for (const char* table : {"customers", "addresses", "products", "orders", "order_lines", "payments", "reviews"})
        sum += std::stoull(word("SELECT COUNT(*) FROM " + std::string(table)));
    QCOMPARE(sum, std::uint64_t(5000));
    QCOMPARE(word("SELECT COUNT(*) FROM orders o WHERE total <> (SELECT SUM(quantity * unit_price) - SUM(quantity * FLOOR(ROUND(unit_price * 100) * COALESCE(discount, 0) / 100) / 100)"
                  " FROM order_lines l WHERE l.order_id = o.id)"), std::string("0"));
    QCOMPARE(word("SELECT COUNT(*) FROM orders o LEFT JOIN customers c ON c.id = o.customer_id WHERE c.id IS NULL"), std::string("0"));
    QVERIFY(std::stoi(word("SELECT COUNT(*) FROM customers WHERE CHAR_LENGTH(name) <> LENGTH(name)")) > 50);
    QVERIFY(std::stoi(word("SELECT COUNT(*) FROM reviews WHERE title LIKE '%\xF0\x9F\x98\x80%'")) > 0);
    QCOMPARE(word("SELECT COUNT(*) FROM products WHERE NOT JSON_VALID(attributes)"), std::string("0"));
    const std::string sums = "SELECT CONCAT(SUM(CRC32(CONCAT_WS('|', id, name, email, updated_at)))) FROM customers";
    const std::string first = word(sums);
    QVERIFY(makeShopMysql(m_server->params(), 5000, 7));
    QCOMPARE(word(sums), first);
    QVERIFY(makeShopMysql(m_server->params(), 5000, 8));
    QVERIFY(word(sums) != first);
}

void TestDemoMysql::somebodysTablesAreLeftAlone()
{
    QVERIFY(m_server->exec("DROP TABLE reviews"));
    QVERIFY(m_server->exec("CREATE TABLE reviews(mine INT)"));
    const auto made = makeShopMysql(m_server->params(), 200, 7);
    QVERIFY(!made);
    QCOMPARE(made.error().id, std::string("demo.exists"));
    QCOMPARE(word("SELECT COUNT(*) FROM orders"), std::string("1000"));
    QVERIFY(m_server->exec("DROP TABLE reviews"));
    ConnectionParams params = m_server->params();
    params.url.path.clear();
    QVERIFY(!makeShopMysql(params, 200, 7));
}

QTEST_GUILESS_MAIN(TestDemoMysql)
#include "tst_demo_mysql.moc"
