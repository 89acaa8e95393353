#include "core/base/node.h"
#include <QtTest>
#include <limits>

using namespace millrace;

class TestNode : public QObject {
    Q_OBJECT
private slots:
    void roundTrips_data();
    void roundTrips();
    void refused_data();
    void refused();
    void errorsSayWhere();
    void scalars();
    void mapsKeepTheirOrder();
    void pretty();
    void missing();
};

void TestNode::roundTrips_data()
{
    QTest::addColumn<QByteArray>("json");
    for (const char* json : {"null", "true", "0", "-1.50", "1e400", "18446744073709551615", "\"\"", "\"a\\\"b\\\\c\\n\\u0001ä😀\"", "[]", "{}", "[1,[2,[]],{\"a\":{}}]", "{\"b\":1,\"a\":null,\"b c\":\"x\"}"})
        QTest::newRow(json) << QByteArray(json);
    QTest::newRow("deep") << QByteArray(200, '[') + QByteArray(200, ']');
}

void TestNode::roundTrips()
{
    QFETCH(QByteArray, json);
    const auto node = Node::fromJson(json.toStdString());
    QVERIFY2(node, node ? "" : node.error().detail.c_str());
    QCOMPARE(QByteArray::fromStdString(node->json()), json);
    const auto again = Node::fromJson(node->json(true));
    QVERIFY(again);
    QCOMPARE(QByteArray::fromStdString(again->json()), json);
}

void TestNode::refused_data()
{
    QTest::addColumn<QByteArray>("json");
    for (const char* json : {"", "{", "[1,]", "{\"a\":1,}", "{'a':1}", "nul", "1 2", "\"\\ud800\"", "\"\xff\"", "[1}"}) QTest::newRow(json) << QByteArray(json);
    QTest::newRow("too deep") << QByteArray(201, '[') + QByteArray(201, ']');
    QTest::newRow("very deep") << QByteArray(3'000'000, '[');
    QTest::newRow("behind a nul") << QByteArray("{}\0{", 4);
}

void TestNode::refused()
{
    QFETCH(QByteArray, json);
    const auto node = Node::fromJson(json.toStdString());
    QVERIFY(!node);
    QCOMPARE(node.error().id, std::string("config.json_syntax"));
}

void TestNode::errorsSayWhere()
{
    const auto node = Node::fromJson("{\"a\": 1, b: 2}");
    QVERIFY(!node);
    QVERIFY2(node.error().detail.find("byte 9") != std::string::npos, node.error().detail.c_str());
}

void TestNode::scalars()
{
    QCOMPARE(Node(7).integer(), std::int64_t(7));
    QCOMPARE(Node(std::numeric_limits<std::uint64_t>::max()).scalar(), std::string("18446744073709551615"));
    QCOMPARE(Node(std::numeric_limits<std::uint64_t>::max()).integer(-1), std::int64_t(-1));     // does not fit
    QCOMPARE(Node("12").integer(), std::int64_t(12));
    QCOMPARE(Node("12x").integer(5), std::int64_t(5));
    QCOMPARE(Node("").integer(5), std::int64_t(5));
    QCOMPARE(Node(0.1).scalar(), std::string("0.1"));
    QVERIFY(Node(std::numeric_limits<double>::quiet_NaN()).isNull());
    QCOMPARE(Node("2.5").real(), 2.5);
    QVERIFY(Node(true).boolean() && Node("yes").boolean() && Node("on").boolean() && Node(1).boolean());
    QVERIFY(!Node(false).boolean(true) && !Node("no").boolean(true) && !Node("off").boolean(true) && !Node(0).boolean(true));
    QVERIFY(Node("perhaps").boolean(true) && !Node().boolean());
    QCOMPARE(Node().string("other"), std::string("other"));
    QCOMPARE(Node::list().string("other"), std::string("other"));
    QVERIFY(Node(true).isScalar() && !Node().isScalar() && !Node::map().isScalar());
}

void TestNode::mapsKeepTheirOrder()
{
    Node node = Node::map({{"z", Node(1)}, {"a", Node(2)}});
    node.set("m", Node::strings({"x", "y"})).set("z", "changed");
    QCOMPARE(node.json(), std::string("{\"z\":\"changed\",\"a\":2,\"m\":[\"x\",\"y\"]}"));
}

void TestNode::pretty()
{
    const Node node = Node::map({{"a", Node::strings({"x"})}, {"b", Node::map()}, {"c", Node::list()}});
    QCOMPARE(node.json(true), std::string("{\n  \"a\": [\n    \"x\"\n  ],\n  \"b\": {},\n  \"c\": []\n}"));
}

void TestNode::missing()
{
    const Node node = Node::map({{"a", Node::map({{"b", Node(1)}})}});
    QCOMPARE(node["a"]["b"].integer(), std::int64_t(1));
    QVERIFY(node["x"]["y"]["z"].isNull());
    QVERIFY(!node.find("x") && node.find("a"));
    QVERIFY(Node("text")["a"].isNull());
}

QTEST_APPLESS_MAIN(TestNode)
#include "tst_node.moc"
