#include "core/data/value.h"
#include "core/engine/jsonencoder.h"
#include "core/engine/jsonform.h"
#include "core/target/embedded/embeddedtarget.h"
#include "tests/support/targetcontract.h"
#include <QTest>

using namespace millrace;

namespace {

TablePlanPtr planOf(SchemaPtr schema)
{
    auto plan = std::make_shared<TablePlan>();
    plan->label = "matrix";
    plan->schema = std::move(schema);
    return plan;
}

std::vector<std::string> documentsOf(const TablePlanPtr& plan, const Batch& batch, Payload* kept = nullptr)
{
    std::vector<std::uint32_t> rows(batch.rows());
    for (std::size_t i = 0; i < rows.size(); ++i)
        rows[i] = static_cast<std::uint32_t>(i);
    Payload payload;
    if (!JsonEncoder(plan, "embedded").encode(batch, rows, payload))
        qFatal("the encoder failed");
    std::vector<std::string> out;
    for (const auto& item : payload.items)
        out.emplace_back(payload.bytes.data() + item.docAt, item.docSize);
    if (kept)
        *kept = payload;
    return out;
}

std::unique_ptr<Target> targetFor(const std::string& path)
{
    ConnectionParams params;
    params.url.path = path;
    params.baseDir = "/base";
    auto target = openEmbedded(params);
    return target ? std::move(*target) : nullptr;
}

} // namespace

class TstEmbeddedDocuments : public QObject {
    Q_OBJECT
private slots:
    //! Written out by hand from the contract's value table, last column.
    void everyTypeAsTheContractSays()
    {
        const auto plan = planOf(test::matrixSchema());
        Batch batch(plan->schema);
        const auto c = batch.append(Op::Upsert);
        c[0] = Cell::integer(-9'223'372'036'854'775'807 - 1);
        c[1] = Cell::boolean(true);
        c[2] = Cell::integer(7);
        c[3] = Cell::uinteger(18'446'744'073'709'551'615u);
        c[4] = Cell::real(0.1);
        c[5] = batch.text("1.50", Type::Decimal);
        c[6] = batch.text("a\"\\\n\x01 \u00e9");
        c[7] = batch.text(std::string_view("\0\xff", 2), Type::Bytes);
        c[8] = batch.text(R"({"b":1.0,"a":null})", Type::Json);
        c[9] = Cell::date(daysFromCivil(2026, 11, 21));
        c[10] = Cell::time(Type::Time, -3'661'500'000, 1);
        c[11] = Cell::time(Type::DateTime, microsOf(2026, 11, 21, 3, 30, 41, 120'000), 3);
        c[12] = Cell::time(Type::Timestamp, microsOf(2026, 11, 21, 3, 30, 41, 120'000), 6);
        c[13] = batch.text("01234567-89ab-cdef-0123-456789abcdef", Type::Uuid);
        c[14] = batch.text(R"([1,"x"])", Type::Array);
        QCOMPARE(documentsOf(plan, batch).at(0),
            std::string(R"({"id":-9223372036854775808,"c_bool":true,"c_int":7,"c_uint":18446744073709551615,"c_real":0.1,"c_decimal":1.50,)"
                        "\"c_text\":\"a\\\"\\\\\\n\\u0001 \u00e9\","
                        R"("c_bytes":"AP8=","c_json":{"b":1.0,"a":null},"c_date":"2026-11-21","c_time":"-01:01:01.5","c_datetime":"2026-11-21T03:30:41.120",)"
                        R"("c_timestamp":"2026-11-21T03:30:41.120000Z","c_uuid":"01234567-89ab-cdef-0123-456789abcdef","c_array":[1,"x"]})"));
    }

    void expectedFormIsTheDocumentsForm()
    {
        const auto plan = planOf(test::matrixSchema());
        Batch batch(plan->schema);
        test::fillMatrix(batch);
        const auto documents = documentsOf(plan, batch);
        for (std::size_t i = 0; i < batch.rows(); ++i) {
            std::string expected, read;
            appendExpectedForm(expected, *plan->schema, std::as_const(batch).row(i));
            QVERIFY(appendDocumentForm(read, documents[i]));
            QCOMPARE(read, expected);
        }
    }

    void formsTellApart_data()
    {
        QTest::addColumn<QByteArray>("one");
        QTest::addColumn<QByteArray>("other");
        QTest::newRow("number and text") << QByteArray(R"({"a":1})") << QByteArray(R"({"a":"1"})");
        QTest::newRow("scale") << QByteArray(R"({"a":1.50})") << QByteArray(R"({"a":1.5})");
        QTest::newRow("null and absent") << QByteArray(R"({"a":null})") << QByteArray(R"({})");
        QTest::newRow("order of fields") << QByteArray(R"({"a":1,"b":2})") << QByteArray(R"({"b":2,"a":1})");
        QTest::newRow("field twice") << QByteArray(R"({"a":1})") << QByteArray(R"({"a":1,"a":1})");
        QTest::newRow("large integers") << QByteArray(R"({"a":9007199254740993})") << QByteArray(R"({"a":9007199254740992})");
        QTest::newRow("separator in text") << QByteArray("{\"a\":\"x\\\"\\u001eb\\u001f\\\"y\"}") << QByteArray(R"({"a":"x","b":"y"})");
        QTest::newRow("escape in text") << QByteArray(R"({"a":"\u001db"})") << QByteArray(R"({"a":"\u001e"})");
        QTest::newRow("object and its text") << QByteArray(R"({"a":{}})") << QByteArray(R"({"a":"{}"})");
        QTest::newRow("nested order") << QByteArray(R"({"a":{"x":1,"y":2}})") << QByteArray(R"({"a":{"y":2,"x":1}})");
        QTest::newRow("nested array") << QByteArray(R"({"a":[[1],2]})") << QByteArray(R"({"a":[1,[2]]})");
        QTest::newRow("nested true") << QByteArray(R"({"a":[true]})") << QByteArray(R"({"a":["true"]})");
    }
    void formsTellApart()
    {
        QFETCH(QByteArray, one);
        QFETCH(QByteArray, other);
        std::string a, b;
        QVERIFY(appendDocumentForm(a, one.toStdString()));
        QVERIFY(appendDocumentForm(b, other.toStdString()));
        QVERIFY(a != b);
    }

    void formIsOfMeaningNotOfSpelling()
    {
        std::string a, b;
        QVERIFY(appendDocumentForm(a, "{ \"k\\u0065y\" : \"\\u00e9\\n\" , \"n\" : [ 1 , { \"x\" : null } ] }"));
        QVERIFY(appendDocumentForm(b, "{\"key\":\"\u00e9\\n\",\"n\":[1,{\"x\":null}]}"));
        QCOMPARE(a, b);
        QCOMPARE(b, std::string("key\x1f\"\u00e9\n\"\x1en\x1f[1,{\"x\":null}]\x1e"));
    }

    void notADocument_data()
    {
        QTest::addColumn<QByteArray>("text");
        for (const char* text : {"", "null", "[1]", "1", "\"x\"", "{", "{\"a\":1}}", "{\"a\":1} x", "{a:1}", "{\"a\":\"\xff\"}"})
            QTest::newRow(text) << QByteArray(text);
    }
    void notADocument()
    {
        QFETCH(QByteArray, text);
        std::string out = "kept";
        QVERIFY(!appendDocumentForm(out, text.toStdString()));
        QCOMPARE(out, std::string("kept"));
    }

    void deepDocumentsDoNotRecurse()
    {
        std::string deep = "{\"a\":" + std::string(200'000, '[') + std::string(200'000, ']') + "}", out;
        QVERIFY(appendDocumentForm(out, deep));
        QCOMPARE(out.size(), std::size_t{400'003});
    }

    void nullKeyIsRejected()
    {
        const auto plan = planOf(test::matrixSchema());
        Batch batch(plan->schema);
        batch.append(Op::Upsert);
        batch.append(Op::Upsert)[0] = Cell::integer(1);
        Payload payload;
        QCOMPARE(documentsOf(plan, batch, &payload).size(), std::size_t{1});
        QCOMPARE(payload.rejected.size(), std::size_t{1});
        QCOMPARE(payload.rejected[0].row, 0u);
        QCOMPARE(payload.rejected[0].error.id, std::string("target.embedded.null_key"));
    }

    void deletesCarryOnlyTheKey()
    {
        const auto plan = planOf(test::matrixSchema());
        Batch batch(plan->schema);
        batch.version = 900;
        batch.append(Op::Skip);
        batch.append(Op::Delete)[0] = Cell::integer(5);
        Payload payload;
        documentsOf(plan, batch, &payload);
        QCOMPARE(payload.items.size(), std::size_t{1});
        QCOMPARE(payload.items[0].version, std::uint64_t{901});
        QCOMPARE(payload.items[0].docSize, 0u);
        QCOMPARE(std::string(payload.bytes.data(), payload.bytes.size()), std::string("5"));
    }

    void names_data()
    {
        QTest::addColumn<QString>("name");
        QTest::addColumn<QString>("container");
        QTest::newRow("plain") << "film" << "film";
        QTest::newRow("kept as it is") << "Film \"x\"; \u65e5" << "Film \"x\"; \u65e5";
        QTest::newRow("ours") << "_mr_lease" << "_lease";
        QTest::newRow("ours in capitals") << "_MR_lease" << "_lease";
        QTest::newRow("SQLite's") << "sqlite_master" << "_master";
        QTest::newRow("twice") << "sqlite_mr_x" << "_x";
        QTest::newRow("underscore") << "_film" << "_film";
        QTest::newRow("line") << "a\nb" << "a_b";
        QTest::newRow("nothing") << "" << "_";
    }
    void names()
    {
        QFETCH(QString, name);
        QFETCH(QString, container);
        const auto target = targetFor("/tmp/x.db");
        QCOMPARE(QString::fromStdString(target->containerName("", name.toStdString())), container);
        QCOMPARE(target->foldedName("Film"), target->foldedName("FILM"));
    }

    void urls()
    {
        QVERIFY(!targetFor(""));
        QVERIFY(!targetFor("/tmp/"));
        QVERIFY(targetFor("relative.db"));
        QVERIFY(embeddedSpec().target && !embeddedSpec().source);
        ConnectionUrl url = parseUrl("embedded:///abs/path.db").value();
        QCOMPARE(url.path, std::string("/abs/path.db"));
    }
};

QTEST_APPLESS_MAIN(TstEmbeddedDocuments)
#include "tst_embedded_documents.moc"
