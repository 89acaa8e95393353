#include "core/data/value.h"
#include "core/target/mongodb/encoder.h"
#include "core/target/mongodb/names.h"
#include "core/target/mongodb/normalform.h"
#include "tests/support/targetcontract.h"
#include <QtTest>

using namespace millrace;
using namespace millrace::mongodb;

namespace {

Column column(const char* name, Type type, std::uint8_t bits = 64, bool key = false)
{
    Column c;
    c.source = c.name = name;
    c.type = type;
    c.bits = bits;
    c.key = key;
    return c;
}

std::shared_ptr<TablePlan> planOf(std::vector<Column> columns, std::vector<std::uint32_t> key)
{
    auto schema = std::make_shared<Schema>();
    schema->table = "film";
    schema->columns = std::move(columns);
    schema->key = std::move(key);
    auto plan = std::make_shared<TablePlan>();
    plan->sync = "shop";
    plan->label = plan->container = "film";
    plan->schema = schema;
    plan->policies.assign(schema->columns.size(), ValuePolicy::Null);
    return plan;
}

Payload encoded(TablePlanPtr plan, const Batch& batch)
{
    Payload out;
    std::vector<std::uint32_t> rows;
    for (std::uint32_t i = 0; i < batch.rows(); ++i)
        rows.push_back(i);
    MongoEncoder encoder(plan);
    const auto done = encoder.encode(batch, rows, out);
    if (!done)
        qFatal("%s", done.error().detail.c_str());
    return out;
}

struct Json {
    explicit Json(const Payload& payload, std::size_t i, bool key = false)
    {
        const auto& item = payload.items.at(i);
        const auto* from = reinterpret_cast<const std::uint8_t*>(payload.bytes.data()) + (key ? item.keyAt : item.docAt);
        valid = bson_init_static(&bson, from, key ? item.keySize : item.docSize) && bson_validate(&bson, BSON_VALIDATE_UTF8_ALLOW_NULL, nullptr);
        char* out = valid ? bson_as_canonical_extended_json(&bson, nullptr) : nullptr;
        text = out ? out : "invalid";
        std::erase(text, ' ');
        bson_free(out);
    }
    bson_t bson;
    bool valid = false;
    std::string text;
};

#define COMPARE_TEXT(a, b) QCOMPARE(QString::fromStdString(a), QString::fromStdString(b))

} // namespace

class tst_bson_encoder : public QObject {
    Q_OBJECT
private slots:
    void everyTypeIsValidAndComesBack()
    {
        auto plan = std::make_shared<TablePlan>();
        plan->sync = "shop";
        plan->label = "matrix";
        plan->schema = test::matrixSchema();
        Batch batch(plan->schema);
        test::fillMatrix(batch);
        batch.version = std::uint64_t {3} << 40;
        const Payload payload = encoded(plan, batch);
        QVERIFY(payload.rejected.empty());
        QCOMPARE(payload.items.size(), batch.rows());
        for (std::size_t i = 0; i < payload.items.size(); ++i) {
            const Json document(payload, i), filter(payload, i, true);
            QVERIFY(document.valid && filter.valid);
            std::string key, form, wantedKey, wantedForm;
            bool ours = false;
            storedForm(*plan, document.bson, key, form, ours);
            expectedForm(*plan, batch.row(i), wantedKey, wantedForm);
            QVERIFY(ours);
            COMPARE_TEXT(key, wantedKey);
            COMPARE_TEXT(form, wantedForm);
            COMPARE_TEXT(key, keyText(*plan->schema, batch.row(i)));
        }
    }

    void types_data()
    {
        QTest::addColumn<int>("type");
        QTest::addColumn<int>("bits");
        QTest::addColumn<qlonglong>("value");
        QTest::addColumn<QString>("json");
        const auto row = [](const char* name, Type type, int bits, qlonglong value, const char* json) {
            QTest::newRow(name) << int(type) << bits << value << QString(json);
        };
        row("tinyint", Type::Int, 8, -128, R"({"$numberInt":"-128"})");
        row("int", Type::Int, 32, -2147483648LL, R"({"$numberInt":"-2147483648"})");
        row("bigint small", Type::Int, 64, 1, R"({"$numberLong":"1"})");
        row("bigint", Type::Int, 64, INT64_MIN, R"({"$numberLong":"-9223372036854775808"})");
        row("mediumint unsigned", Type::Uint, 24, 16777215, R"({"$numberInt":"16777215"})");
        row("int unsigned small", Type::Uint, 32, 1, R"({"$numberLong":"1"})");                  // the column decides, never the value
        row("int unsigned", Type::Uint, 32, 4294967295LL, R"({"$numberLong":"4294967295"})");
        row("bigint unsigned", Type::Uint, 64, INT64_MAX, R"({"$numberLong":"9223372036854775807"})");
        row("beyond int64", Type::Uint, 64, -1, R"({"$numberDecimal":"18446744073709551615"})");
    }
    void types()
    {
        QFETCH(int, type);
        QFETCH(int, bits);
        QFETCH(qlonglong, value);
        QFETCH(QString, json);
        const auto plan = planOf({column("id", Type::Int, 32, true), column("v", Type(type), std::uint8_t(bits))}, {0});
        Batch batch(plan->schema);
        const auto cells = batch.append(Op::Upsert);
        cells[0] = Cell::integer(7);
        cells[1] = Type(type) == Type::Int ? Cell::integer(value) : Cell::uinteger(std::uint64_t(value));
        batch.version = 5;
        const Json document(encoded(plan, batch), 0);
        COMPARE_TEXT(document.text, R"({"_id":{"$numberInt":"7"},"id":{"$numberInt":"7"},"v":)" + json.toStdString() + R"(,"_mr":{"v":{"$numberLong":"5"},"s":"shop"}})");
    }

    void values()
    {
        const auto plan = planOf({column("id", Type::Int, 32, true), column("d", Type::Decimal), column("w", Type::Decimal), column("t", Type::Timestamp), column("h", Type::Time),
                                  column("b", Type::Bytes), column("n", Type::Text), column("day", Type::Date)}, {0});
        const_cast<Column&>(plan->schema->columns[2]).precision = 40;
        const_cast<Column&>(plan->schema->columns[3]).scale = 6;
        Batch batch(plan->schema);
        const auto cells = batch.append(Op::Upsert);
        cells[0] = Cell::integer(1);
        cells[1] = batch.text("12.50", Type::Decimal);
        cells[2] = batch.text("12.50", Type::Decimal);
        cells[3] = Cell::time(Type::Timestamp, -1, 6);                    // one microsecond before 1970 is the last millisecond of 1969
        cells[4] = Cell::time(Type::Time, -3'600'000'001, 6);
        cells[5] = batch.text(std::string_view("\0\1", 2), Type::Bytes);
        cells[6] = batch.text(std::string_view("a\0b", 3));
        cells[7] = Cell::date(-1);
        const Json document(encoded(plan, batch), 0);
        QVERIFY(document.valid);
        for (const char* part : {R"("d":{"$numberDecimal":"12.50"})", R"("w":"12.50")", R"("t":{"$date":{"$numberLong":"-1"}})", R"("h":"-01:00:00.000001")",
                                 R"("b":{"$binary":{"base64":"AAE=","subType":"00"}})", R"("n":"a\u0000b")", R"("day":{"$date":{"$numberLong":"-86400000"}})"})
            QVERIFY2(document.text.find(part) != std::string::npos, (std::string(part) + " in " + document.text).c_str());
    }

    void jsonColumns()
    {
        const auto plan = planOf({column("id", Type::Int, 32, true), column("j", Type::Json), column("a", Type::Array)}, {0});
        Batch batch(plan->schema);
        const auto add = [&](const char* json, const char* array) {
            const auto cells = batch.append(Op::Upsert);
            cells[0] = Cell::integer(std::int64_t(batch.rows()));
            cells[1] = batch.text(json, Type::Json);
            cells[2] = batch.text(array, Type::Array);
        };
        add(R"({"b":1,"a":[1,2.5,null,true,{"$x":"y"}],"":{}})", "[[],[[]]]");
        add("5", "[]");
        add("\"text\"", "[\"x\"]");
        add("null", "[null]");
        add("18446744073709551615", "[0.1234567890123456789,1e400,1e7000]");
        const Payload payload = encoded(plan, batch);
        COMPARE_TEXT(Json(payload, 0).text, R"({"_id":{"$numberInt":"1"},"id":{"$numberInt":"1"},"j":{"b":{"$numberLong":"1"},"a":[{"$numberLong":"1"},{"$numberDouble":"2.5"},null,true,{"$x":"y"}],"":{}},"a":[[],[[]]],"_mr":{"v":{"$numberLong":"0"},"s":"shop"}})");
        QVERIFY(Json(payload, 1).text.find(R"("j":{"$numberLong":"5"},"a":[])") != std::string::npos);
        QVERIFY(Json(payload, 2).text.find(R"("j":"text","a":["x"])") != std::string::npos);
        QVERIFY(Json(payload, 3).text.find(R"("j":null,"a":[null])") != std::string::npos);
        QVERIFY(Json(payload, 4).text.find(R"("j":{"$numberDecimal":"18446744073709551615"},"a":[{"$numberDecimal":"0.1234567890123456789"},{"$numberDecimal":"1E+400"},"1e7000"])") != std::string::npos);
    }

    void jsonThatCannotBeCarried_data()
    {
        QTest::addColumn<QByteArray>("json");
        QTest::newRow("nul in a key") << QByteArray(R"({"a\u0000b":1})");
        QTest::newRow("not json") << QByteArray("{");
        QTest::newRow("more after a zero byte") << QByteArray("1\0 2", 4);
        QTest::newRow("half a surrogate") << QByteArray(R"("\ud800")");
        QTest::newRow("too deep") << QByteArray(171, '[') + QByteArray(171, ']');
    }
    void jsonThatCannotBeCarried()
    {
        QFETCH(QByteArray, json);
        const auto plan = planOf({column("id", Type::Int, 32, true), column("j", Type::Json)}, {0});
        Batch batch(plan->schema);
        for (int i = 0; i < 3; ++i) {
            const auto cells = batch.append(Op::Upsert);
            cells[0] = Cell::integer(i);
            cells[1] = batch.text(i == 1 ? std::string_view(json.data(), json.size()) : R"({"ok":[1]})", Type::Json);
        }
        const Payload payload = encoded(plan, batch);
        QCOMPARE(payload.items.size(), 2u);
        QCOMPARE(payload.rejected.size(), 1u);
        QCOMPARE(payload.rejected[0].row, 1u);
        COMPARE_TEXT(payload.rejected[0].error.id, "target.mongodb.cannot_carry");
        QVERIFY(payload.rejected[0].error.fault == Fault::Data);
        QVERIFY(Json(payload, 0).valid && Json(payload, 1).valid);       // the neighbours are whole
    }

    void sixteenMegabytes()
    {
        const auto plan = planOf({column("id", Type::Int, 32, true), column("t", Type::Text)}, {0});
        const auto tryOut = [&](std::size_t size) {
            Batch batch(plan->schema);
            const auto cells = batch.append(Op::Upsert);
            cells[0] = Cell::integer(1);
            cells[1] = batch.text(std::string(size, 'x'));
            return encoded(plan, batch);
        };
        const Payload small = tryOut(1);
        const std::size_t fits = mostDocumentBytes - (small.items[0].docSize - 1);
        QCOMPARE(tryOut(fits).items.at(0).docSize, mostDocumentBytes);
        const Payload large = tryOut(fits + 1);
        QVERIFY(large.items.empty());
        QCOMPARE(large.rejected.size(), 1u);
        COMPARE_TEXT(large.rejected[0].error.id, "target.mongodb.too_large");
        QVERIFY(large.rejected[0].error.detail.find("16,777,217") != std::string::npos);
        QVERIFY(large.bytes.empty());
    }

    void filters()
    {
        auto plan = planOf({column("b", Type::Text, 64, true), column("v", Type::Int, 32), column("a", Type::Int, 32, true)}, {2, 0});
        const auto both = [&] {
            Batch batch(plan->schema);
            for (const Op op : {Op::Upsert, Op::Delete}) {
                const auto cells = batch.append(op);
                cells[0] = batch.text("x");
                cells[2] = Cell::integer(7);
            }
            batch.version = 9;
            const Payload payload = encoded(plan, batch);
            if (payload.items[1].docSize != 0)
                qFatal("a delete has a document");
            return Json(payload, 0, true).text + " " + Json(payload, 1, true).text;
        };
        const std::string id = R"({"_id":{"a":{"$numberInt":"7"},"b":"x"},)";
        COMPARE_TEXT(both(), id + R"("_mr.v":{"$lte":{"$numberLong":"9"}}} )" + id + R"("_mr.v":{"$lte":{"$numberLong":"10"}}})");
        plan->ifExists = IfExists::Write;
        COMPARE_TEXT(both(), id + R"("$or":[{"_mr.s":{"$ne":"shop"}},{"_mr.v":{"$lte":{"$numberLong":"9"}}}]} )" + id + R"("_mr.s":"shop","_mr.v":{"$lte":{"$numberLong":"10"}}})");
        plan->ifExists = IfExists::Stop;
        plan->objectId = true;
        COMPARE_TEXT(both(), std::string(R"({"a":{"$numberInt":"7"},"b":"x","_mr.v":{"$lte":{"$numberLong":"9"}}} {"a":{"$numberInt":"7"},"b":"x","_mr.v":{"$lte":{"$numberLong":"10"}}})"));
    }

    void objectIdAndKeyless()
    {
        auto plan = planOf({column("id", Type::Int, 32, true)}, {0});
        plan->objectId = true;
        Batch batch(plan->schema);
        batch.append(Op::Upsert)[0] = Cell::integer(7);
        batch.version = 9;
        COMPARE_TEXT(Json(encoded(plan, batch), 0).text, std::string(R"({"id":{"$numberInt":"7"},"_mr":{"v":{"$numberLong":"9"},"s":"shop"}})"));

        auto keyless = planOf({column("v", Type::Int, 32)}, {});
        Batch rows(keyless->schema);
        rows.append(Op::Upsert)[0] = Cell::integer(7);
        rows.version = (std::uint64_t {5} << 40) + 12;
        COMPARE_TEXT(Json(encoded(keyless, rows), 0).text, std::string(R"({"_id":{"$numberLong":"12"},"v":{"$numberInt":"7"},"_mr":{"v":{"$numberLong":"5497558138892"},"s":"shop"}})"));
    }

    // Two instants within one millisecond are two keys.
    void keysKeepTheirMicroseconds()
    {
        auto plan = planOf({column("at", Type::DateTime, 64, true)}, {0});
        const_cast<Column&>(plan->schema->columns[0]).scale = 6;
        Batch batch(plan->schema);
        for (const std::int64_t micros : {1'000, 1'001})
            batch.append(Op::Upsert)[0] = Cell::time(Type::DateTime, micros, 6);
        const Payload payload = encoded(plan, batch);
        QVERIFY(Json(payload, 0).text.find(R"("_id":"1970-01-01T00:00:00.001000")") != std::string::npos);
        QVERIFY(Json(payload, 1).text.find(R"("_id":"1970-01-01T00:00:00.001001")") != std::string::npos);
        for (std::size_t i = 0; i < 2; ++i) {
            std::string key, form, wantedKey, wantedForm;
            bool ours = false;
            storedForm(*plan, Json(payload, i).bson, key, form, ours);
            expectedForm(*plan, batch.row(i), wantedKey, wantedForm);
            COMPARE_TEXT(key, wantedKey);
            COMPARE_TEXT(form, wantedForm);
        }
    }

    void aForeignIdIsSeen()
    {
        const auto plan = planOf({column("id", Type::Int, 32, true)}, {0});
        const auto formOf = [&](const char* json) {
            bson_t* bson = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(json), -1, nullptr);
            std::string key, form;
            bool ours = false;
            storedForm(*plan, *bson, key, form, ours);
            bson_destroy(bson);
            return key + " " + form + (ours ? " ours" : "");
        };
        const std::string same = formOf(R"({"_id": 7, "id": 7, "_mr": {"v": 1, "s": "shop"}})");
        COMPARE_TEXT(same, std::string("7 id\x1fi:7\x1e ours"));
        COMPARE_TEXT(formOf(R"({"_id": 8, "id": 7, "_mr": {"v": 1, "s": "shop"}})"), std::string("8 _id\x1fi:8\x1eid\x1fi:7\x1e ours"));
        COMPARE_TEXT(formOf(R"({"_id": 8, "_mr": {"v": 1, "s": "shop"}})"), std::string("8 _id\x1fi:8\x1e ours"));
        COMPARE_TEXT(formOf(R"({"_id": 7, "id": 7, "_mr": {"v": 1, "s": "other"}})"), std::string("7 id\x1fi:7\x1e"));
        QVERIFY(formOf(R"({"_id": 7, "id": "7"})").find("s:\"7\"") != std::string::npos);
    }

    // The key of a document is its _id, and of several columns that is a document of these in their order.
    void theIdIsTheKey()
    {
        const auto plan = planOf({column("a", Type::Text, 64, true), column("b", Type::Int, 32, true)}, {0, 1});
        const auto keyOf = [&](const char* json) {
            bson_t* bson = bson_new_from_json(reinterpret_cast<const std::uint8_t*>(json), -1, nullptr);
            std::string key, form;
            bool ours = false;
            storedForm(*plan, *bson, key, form, ours);
            bson_destroy(bson);
            return key;
        };
        const std::string key = R"(["x",1])";
        COMPARE_TEXT(keyOf(R"({"_id": {"a": "x", "b": 1}, "a": "x", "b": 1})"), key);
        COMPARE_TEXT(keyOf(R"({"_id": {"a": "x", "b": 1}, "a": "y", "b": 2})"), key);
        for (const char* other : {R"({"_id": {"b": 1, "a": "x"}, "a": "x", "b": 1})", R"({"_id": {"a": "x"}, "a": "x", "b": 1})",
                                  R"({"_id": {"a": "x", "b": 1, "c": 2}, "a": "x", "b": 1})", R"({"_id": "x", "a": "x", "b": 1})"})
            QVERIFY2(keyOf(other) != key, other);
    }

    void names()
    {
        COMPARE_TEXT(collectionName("", "film", "db"), std::string("film"));
        COMPARE_TEXT(collectionName("p_", "film", "db"), std::string("p_film"));
        COMPARE_TEXT(collectionName("", "sakila.film", "db"), std::string("sakila.film"));
        COMPARE_TEXT(collectionName("", "a$b", "db"), std::string("a_b"));
        COMPARE_TEXT(collectionName("", "system.users", "db"), std::string("system_users"));
        COMPARE_TEXT(collectionName("", "_mr_registry", "db"), std::string("t_mr_registry"));
        COMPARE_TEXT(collectionName("", "$cmd", "db"), std::string("t_cmd"));
        COMPARE_TEXT(collectionName("", "..", "db"), std::string("t__"));
        COMPARE_TEXT(collectionName("", "", "db"), std::string("t_"));
        std::string wide;
        for (int i = 0; i < 200; ++i)
            wide += "\u4e16";
        const std::string cut = collectionName("", wide, "database");
        QVERIFY(cut.size() + 9 + 10 <= 255 && cut != collectionName("", wide + "x", "database"));
        QVERIFY(QString::fromStdString(cut).toUtf8() == QByteArray::fromStdString(cut));
        for (const char* refused : {"_id", "_mr", "$x", ""})
            QVERIFY(!fieldRefused(refused).empty());
        for (const char* fine : {"id", "_leading", "a.b", "x$"})
            QVERIFY(fieldRefused(fine).empty());
    }
};

QTEST_APPLESS_MAIN(tst_bson_encoder)
#include "tst_bson_encoder.moc"
