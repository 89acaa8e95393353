#include "core/data/value.h"
#include <QtTest>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <random>
#include <set>

using namespace millrace;

class TestValue : public QObject {
    Q_OBJECT
private slots:
    void civilDays();
    void dates_data();
    void dates();
    void dateTimes_data();
    void dateTimes();
    void times_data();
    void times();
    void reals_data();
    void reals();
    void integersToTheirEnds();
    void jsonStrings_data();
    void jsonStrings();
    void cellsAsJsonAndText_data();
    void cellsAsJsonAndText();
    void keyTexts();
    void keyTextsStayApart();
    void hashes();
    void numberForms_data();
    void numberForms();
    void minify_data();
    void minify();
    void minifyIsStableAndDeep();
    void batches();
    void typeNames();
};

namespace {

template <class Append> std::string made(Append append)
{
    std::string out = "kept ";                                   // all forms append
    append(out);
    return out.substr(5);
}

} // namespace

void TestValue::civilDays()
{
    QCOMPARE(daysFromCivil(1970, 1, 1), std::int64_t(0));
    QCOMPARE(daysFromCivil(2000, 3, 1), std::int64_t(11017));
    QCOMPARE(daysFromCivil(0, 1, 1), std::int64_t(-719528));
    for (std::int64_t days = daysFromCivil(0, 1, 1); days <= daysFromCivil(9999, 12, 31); days += 17) {
        int year; unsigned month, day;
        civilFromDays(days, year, month, day);
        QVERIFY(validDate(year, month, day));
        QCOMPARE(daysFromCivil(year, month, day), days);
    }
    QVERIFY(validDate(2000, 2, 29) && validDate(2024, 2, 29) && !validDate(1900, 2, 29) && !validDate(2023, 2, 29) && !validDate(2024, 4, 31) && !validDate(2024, 0, 1) && !validDate(2024, 1, 0)
            && !validDate(2024, 13, 1) && !validDate(10000, 1, 1) && !validDate(-1, 1, 1));
}

void TestValue::dates_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("valid");
    for (const char* text : {"0000-01-01", "0001-01-01", "1969-12-31", "1970-01-01", "2024-02-29", "9999-12-31"}) QTest::newRow(text) << QByteArray(text) << true;
    for (const char* text : {"", "2024-2-29", "2024-02-30", "2023-02-29", "2024-13-01", "2024-00-10", "2024-01-00", "20240101", "2024/01/01", "2024-01-01 ", " 2024-01-01", "12024-01-01", "-024-01-01",
                             "2024-01-1x", "+024-01-01", "0000-00-00"})
        QTest::addRow("'%s'", text) << QByteArray(text) << false;
}

void TestValue::dates()
{
    QFETCH(QByteArray, text);
    QFETCH(bool, valid);
    std::int64_t days = 0;
    QCOMPARE(parseDate(text.toStdString(), days), valid);
    if (valid)
        QCOMPARE(QByteArray::fromStdString(made([&](auto& out) { appendDate(out, days); })), text);
}

void TestValue::dateTimes_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("form");                        // empty: refused
    QTest::addColumn<bool>("zone");
    const auto row = [](const char* text, const char* form, bool zone = false) { QTest::addRow("'%s'", text) << QByteArray(text) << QByteArray(form) << zone; };
    row("2026-11-21 03:30:41", "2026-11-21T03:30:41");
    row("2026-11-21T03:30:41", "2026-11-21T03:30:41");
    row("2026-11-21T03:30:41.1", "2026-11-21T03:30:41.1");
    row("2026-11-21T03:30:41.120", "2026-11-21T03:30:41.120");
    row("2026-11-21T03:30:41.000001", "2026-11-21T03:30:41.000001");
    row("1969-12-31 23:59:59.999999", "1969-12-31T23:59:59.999999");
    row("0000-01-01 00:00:00", "0000-01-01T00:00:00");
    row("9999-12-31 23:59:59.999999", "9999-12-31T23:59:59.999999");
    row("2026-11-21T03:30:41Z", "2026-11-21T03:30:41Z", true);
    row("2026-11-21T03:30:41.50Z", "2026-11-21T03:30:41.50Z", true);
    row("2026-11-21T03:30:41+00:00", "2026-11-21T03:30:41Z", true);
    row("2026-01-01T00:30:00+01:00", "2025-12-31T23:30:00Z", true);
    row("2026-12-31T23:30:00-00:45", "2027-01-01T00:15:00Z", true);
    row("2026-11-21T03:30:41.1234567", "");
    row("2026-11-21T03:30:41.", "");
    row("2026-11-21T03:30", "");
    row("2026-11-21T24:00:00", "");
    row("2026-11-21T03:60:00", "");
    row("2026-11-21T03:30:60", "");
    row("2026-02-30T03:30:41", "");
    row("2026-11-21T03:30:41z", "");
    row("2026-11-21T03:30:41ZZ", "");
    row("2026-11-21T03:30:41+1:00", "");
    row("2026-11-21T03:30:41+01", "");
    row("2026-11-21T03:30:41+24:00", "");
    row("2026-11-21T03:30:41+00:60", "");
    row("2026-11-21t03:30:41", "");
    row("2026-11-21  03:30:41", "");
    row("", "");
}

void TestValue::dateTimes()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, form);
    QFETCH(bool, zone);
    std::int64_t micros = 0;
    std::uint8_t digits = 0;
    bool hadZone = false;
    QCOMPARE(parseDateTime(text.toStdString(), micros, digits, &hadZone), !form.isEmpty());
    if (form.isEmpty()) return;
    QCOMPARE(hadZone, zone);
    QCOMPARE(QByteArray::fromStdString(made([&](auto& out) { appendDateTime(out, micros, digits, hadZone); })), form);
}

void TestValue::times_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("valid");
    for (const char* text : {"00:00:00", "23:59:59.999999", "838:59:59", "-838:59:59.999999", "-00:00:01", "100:00:00.50"}) QTest::newRow(text) << QByteArray(text) << true;
    for (const char* text : {"", ":00:00", "1:2:3", "00:60:00", "00:00:60", "00:00", "00:00:00.", "00:00:00.1234567", "--01:00:00", "+01:00:00", "1234:00:00", "a0:00:00", "00:00:00 "})
        QTest::addRow("'%s'", text) << QByteArray(text) << false;
}

void TestValue::times()
{
    QFETCH(QByteArray, text);
    QFETCH(bool, valid);
    std::int64_t micros = 0;
    std::uint8_t digits = 0;
    QCOMPARE(parseTime(text.toStdString(), micros, digits), valid);
    if (valid)
        QCOMPARE(QByteArray::fromStdString(made([&](auto& out) { appendTime(out, micros, digits); })), text);
}

void TestValue::reals_data()
{
    QTest::addColumn<double>("value");
    QTest::addColumn<QByteArray>("text");
    const auto row = [](double value, const char* text) { QTest::newRow(text) << value << QByteArray(text); };
    row(0.1, "0.1");
    row(0.1 + 0.2, "0.30000000000000004");
    row(1.0, "1");
    row(-0.0, "-0");
    row(9007199254740993.0, "9007199254740992");
    row(1e22, "1e+22");
    row(std::numeric_limits<double>::max(), "1.7976931348623157e+308");
    row(std::numeric_limits<double>::denorm_min(), "5e-324");
    row(16777216.0, "16777216");
    row(std::nan(""), "NaN");
    row(std::numeric_limits<double>::infinity(), "Infinity");
    row(-std::numeric_limits<double>::infinity(), "-Infinity");
}

void TestValue::reals()
{
    QFETCH(double, value);
    QFETCH(QByteArray, text);
    QCOMPARE(QByteArray::fromStdString(made([&](auto& out) { appendReal(out, value); })), text);
    if (std::isfinite(value)) {
        QVERIFY(isJsonNumber(text.toStdString()));
        QVERIFY(std::strtod(text.constData(), nullptr) == value);
    }
}

// Catalogue 28: 2^53 and beyond, to the last digit.
void TestValue::integersToTheirEnds()
{
    QCOMPARE(made([](auto& out) { appendInt(out, std::numeric_limits<std::int64_t>::min()); }), std::string("-9223372036854775808"));
    QCOMPARE(made([](auto& out) { appendInt(out, 9007199254740993); }), std::string("9007199254740993"));
    QCOMPARE(made([](auto& out) { appendUint(out, std::numeric_limits<std::uint64_t>::max()); }), std::string("18446744073709551615"));
}

void TestValue::jsonStrings_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("json");
    const auto row = [](const char* name, QByteArray text, const char* json) { QTest::newRow(name) << text << QByteArray(json); };
    row("empty", "", "\"\"");
    row("quotes", "say \"hi\" \\ there", "\"say \\\"hi\\\" \\\\ there\"");
    row("controls", "\b\f\n\r\t\x01\x1f\x7f", "\"\\b\\f\\n\\r\\t\\u0001\\u001f\x7f\"");
    row("nul", QByteArray("a\0b", 3), "\"a\\u0000b\"");
    row("unicode", "Ä😀/", "\"Ä😀/\"");
}

void TestValue::jsonStrings()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, json);
    QCOMPARE(QByteArray::fromStdString(made([&](auto& out) { appendJsonString(out, text.toStdString()); })), json);
}

void TestValue::cellsAsJsonAndText_data()
{
    QTest::addColumn<int>("which");
    QTest::addColumn<QByteArray>("json");
    QTest::addColumn<QByteArray>("text");
    int which = 0;
    const auto row = [&](const char* name, const char* json, const char* text) { QTest::newRow(name) << which++ << QByteArray(json) << QByteArray(text); };
    row("null", "null", "null");
    row("bool", "true", "true");
    row("int", "-7", "-7");
    row("uint", "18446744073709551615", "18446744073709551615");
    row("real", "0.5", "0.5");
    row("nan", "\"NaN\"", "NaN");
    row("decimal", "-12.50", "-12.50");
    row("decimal nan", "\"NaN\"", "NaN");
    row("text", "\"a\\\"b\"", "a\"b");
    row("bytes", "\"AP8=\"", "00ff");
    row("json", "{\"a\":1}", "{\"a\":1}");
    row("date", "\"2026-11-21\"", "2026-11-21");
    row("time", "\"-01:00:00.5\"", "-01:00:00.5");
    row("datetime", "\"1970-01-01T00:00:00.000\"", "1970-01-01T00:00:00.000");
    row("timestamp", "\"1970-01-01T00:00:00Z\"", "1970-01-01T00:00:00Z");
    row("uuid", "\"0926447e-025c-e316-1e3e-46c7e2b39427\"", "0926447e-025c-e316-1e3e-46c7e2b39427");
    row("array", "[1,2]", "[1,2]");
}

void TestValue::cellsAsJsonAndText()
{
    QFETCH(int, which);
    QFETCH(QByteArray, json);
    QFETCH(QByteArray, text);
    Batch batch(std::make_shared<Schema>());
    const Cell cells[] = {Cell::null(), Cell::boolean(true), Cell::integer(-7), Cell::uinteger(std::numeric_limits<std::uint64_t>::max()), Cell::real(0.5), Cell::real(std::nan("")),
                          batch.text("-12.50", Type::Decimal), batch.text("NaN", Type::Decimal), batch.text("a\"b"), batch.text(std::string_view("\0\xff", 2), Type::Bytes),
                          batch.text("{\"a\":1}", Type::Json), Cell::date(20778), Cell::time(Type::Time, -3'600'500'000, 1), Cell::time(Type::DateTime, 0, 3), Cell::time(Type::Timestamp, 0, 0),
                          batch.text("0926447e-025c-e316-1e3e-46c7e2b39427", Type::Uuid), batch.text("[1,2]", Type::Array)};
    QCOMPARE(QByteArray::fromStdString(made([&](auto& out) { appendJson(out, cells[which]); })), json);
    QCOMPARE(QByteArray::fromStdString(made([&](auto& out) { appendText(out, cells[which]); })), text);
}

void TestValue::keyTexts()
{
    Schema schema;
    schema.columns.resize(3);
    schema.key = {2, 0};
    Batch batch(std::make_shared<Schema>(schema));
    auto row = batch.append(Op::Upsert);
    row[0] = batch.text("a\"b");
    row[2] = Cell::integer(7);
    QCOMPARE(keyText(schema, batch.row(0)), std::string("[7,\"a\\\"b\"]"));
    QCOMPARE(keyTextOf({row[2], row[0]}), std::string("[7,\"a\\\"b\"]"));
    QCOMPARE(keyTextOf({row[2]}), std::string("7"));
    QCOMPARE(keyTextOf({batch.text(std::string_view("\0\xff", 2), Type::Bytes), Cell::date(0)}), std::string("[\"00ff\",\"1970-01-01\"]"));
    const std::string longest(512, 'x'), longer(513, 'x');
    QCOMPARE(keyTextOf({batch.text(longest)}), longest);
    const std::string hashed = keyTextOf({batch.text(longer)});
    QCOMPARE(hashed.size(), std::size_t(65));
    QCOMPARE(hashed[0], '#');
    std::string appended = "prefix";
    row[2] = batch.text(longer);
    schema.key = {2};
    appendKeyText(appended, schema, batch.row(0));
    QCOMPARE(appended, "prefix" + hashed);
}

// Catalogue 15: keys of several columns never meet, whatever their texts are.
void TestValue::keyTextsStayApart()
{
    Batch batch(std::make_shared<Schema>());
    std::mt19937 random(7);
    const std::string alphabet = "ab\"\\,[]:{} 1\n";
    std::set<std::string> texts;
    std::set<std::vector<std::string>> keys;
    for (int i = 0; i < 20'000; ++i) {
        std::vector<std::string> key(2);
        for (auto& part : key)
            for (std::size_t n = random() % 4; n > 0; --n) part += alphabet[random() % alphabet.size()];
        texts.insert(keyTextOf({batch.text(key[0]), batch.text(key[1])}));
        keys.insert(std::move(key));
    }
    QCOMPARE(texts.size(), keys.size());
    QVERIFY(keyTextOf({Cell::integer(1), Cell::null()}) != keyTextOf({batch.text("1"), Cell::null()}));
    QVERIFY(keyTextOf({Cell::null(), Cell::null()}) != keyTextOf({batch.text("null"), Cell::null()}));
}

void TestValue::hashes()
{
    Schema schema;
    schema.columns.resize(2);
    schema.key = {0};
    Batch batch(std::make_shared<Schema>(schema));
    const Cell values[] = {Cell::null(), Cell::boolean(false), Cell::integer(0), Cell::uinteger(0), Cell::real(0), Cell::date(0), Cell::time(Type::Time, 0, 0), Cell::time(Type::DateTime, 0, 0),
                           Cell::time(Type::DateTime, 0, 3), Cell::time(Type::Timestamp, 0, 0), batch.text(""), batch.text("0"), batch.text("0", Type::Decimal), batch.text("0", Type::Json), batch.text("", Type::Bytes)};
    std::set<std::uint64_t> rows, keys;
    for (const Cell& a : values) {
        for (const Cell& b : values) {
            const Cell row[] = {a, b};
            rows.insert(rowHash(row));
            keys.insert(keyHash(schema, row));
        }
    }
    QCOMPARE(rows.size(), std::size(values) * std::size(values));    // each type, value and digit count tells
    QCOMPARE(keys.size(), std::size(values));
    const Cell row[] = {batch.text("same"), Cell::integer(1)}, again[] = {batch.text("same"), Cell::integer(1)};
    QCOMPARE(rowHash(row), rowHash(again));
}

void TestValue::numberForms_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("json");
    QTest::addColumn<bool>("decimal");
    const auto row = [](const char* text, bool json, bool decimal) { QTest::addRow("'%s'", text) << QByteArray(text) << json << decimal; };
    row("0", true, true);
    row("-0", true, true);
    row("12.50", true, true);
    row("99999999999999999999999999999999999999999999999999.1", true, true);
    row("1e5", true, false);
    row("1.5E-7", true, false);
    for (const char* text : {"", "-", "+1", "01", "1.", ".5", "1e", "1e+", "0x1", "1 ", " 1", "NaN", "Infinity", "1,5", "--1"}) row(text, false, false);
}

void TestValue::numberForms()
{
    QFETCH(QByteArray, text);
    QFETCH(bool, json);
    QFETCH(bool, decimal);
    QCOMPARE(isJsonNumber(text.toStdString()), json);
    QCOMPARE(isDecimal(text.toStdString()), decimal);
}

void TestValue::minify_data()
{
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<QByteArray>("json");                        // empty: refused
    const auto row = [](const char* name, QByteArray text, QByteArray json) { QTest::newRow(name) << text << json; };
    row("spaces", " { \"a\" :\t[ 1 , {} , [ ] ] ,\r\n\"b\": null } ", "{\"a\":[1,{},[]],\"b\":null}");
    row("lexemes", "[1.10, 1E5, -0, 1e400, 123456789012345678901234567890.5]", "[1.10,1E5,-0,1e400,123456789012345678901234567890.5]");
    row("huge integer", QByteArray(400, '9'), QByteArray(400, '9'));
    row("duplicate keys and order", "{\"b\":1,\"a\":2,\"b\":3}", "{\"b\":1,\"a\":2,\"b\":3}");
    row("escapes", "\"\\u0041\\/\\u00e4\\ud83d\\ude00\\n\\u000a\\u0000\\\"\\\\\"", "\"A/ä😀\\n\\n\\u0000\\\"\\\\\"");
    row("escaped key", "{\"\\u0061\\\"\": true}", "{\"a\\\"\":true}");
    row("scalars", "false", "false");
    row("delete character", "\"\x7f\"", "\"\x7f\"");
    row("trailing nul", QByteArray("1\0", 2), "");
    row("what follows a nul", QByteArray("{}\0garbage", 10), "");
    row("nul in a string", QByteArray("\"a\0b\"", 5), "");
    for (const char* text : {"", " ", "[1,]", "[,1]", "[1 2]", "{\"a\":1,}", "{,}", "{\"a\" 1}", "{\"a\":}", "{a:1}", "{1:2}", "[", "]", "{", "}", "[}", "{]", "[1}", "\"", "\"\\", "\"\\x\"", "\"\\u12\"",
                             "\"\\ud800\"", "\"\\ud800\\u0041\"", "\"\\udc00\"", "tru", "nulll", "True", "NaN", "-", "01", "1.", "+1", "1 2", "{} {}", "'a'", "// c\n1", "\xef\xbb\xbf{}", "\"\xff\"", "\"\t\""})
        row(text, text, "");
}

void TestValue::minify()
{
    QFETCH(QByteArray, text);
    QFETCH(QByteArray, json);
    std::string out = "kept";
    QCOMPARE(minifyJson(text.toStdString(), out), !json.isEmpty());
    QCOMPARE(QByteArray::fromStdString(out), "kept" + json);
}

void TestValue::minifyIsStableAndDeep()
{
    const auto nested = [](int depth) { return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']'); };
    std::string out, again;
    QVERIFY(minifyJson(nested(1000), out));
    QVERIFY(minifyJson(out, again));
    QCOMPARE(again, out);
    QVERIFY(!minifyJson(nested(1001), out));
    QVERIFY(!minifyJson(std::string(5'000'000, '['), out));      // neither stack nor time
    QVERIFY(!minifyJson(std::string(1'000'000, '{'), out));
}

void TestValue::batches()
{
    auto schema = std::make_shared<Schema>();
    schema->columns.resize(2);
    Batch batch(schema);
    std::vector<Cell> first;
    for (int i = 0; i < 1000; ++i) {
        auto row = batch.append(Op::Upsert);
        QVERIFY(row[0].type == Type::Null && row[1].type == Type::Null);
        row[0] = Cell::integer(i);
        row[1] = batch.text(std::string(static_cast<std::size_t>(i), 'x'));
        if (i == 0) batch.reject(0, {Fault::Data, "x", {}, {}, {}});
    }
    QCOMPARE(batch.rows(), std::size_t(1000));
    QVERIFY(batch.bytes() > 1000 * 999 / 2 + 1000 * 2 * sizeof(Cell));
    Batch moved = std::move(batch);
    QCOMPARE(moved.row(999)[1].text().size(), std::size_t(999));
    QVERIFY(moved.op(0) == Op::Skip && moved.op(1) == Op::Upsert && moved.rejected().size() == 1);
}

void TestValue::typeNames()
{
    for (const Type type : {Type::Bool, Type::Int, Type::Uint, Type::Real, Type::Decimal, Type::Text, Type::Bytes, Type::Json, Type::Date, Type::Time, Type::DateTime, Type::Timestamp, Type::Uuid, Type::Array}) {
        Type found = Type::Null;
        QVERIFY(typeFromName(typeName(type), found));
        QVERIFY(found == type);
    }
    Type found = Type::Int;
    QVERIFY(!typeFromName("null", found) && !typeFromName("unchanged", found) && !typeFromName("integer", found) && found == Type::Int);
}

QTEST_APPLESS_MAIN(TestValue)
#include "tst_value.moc"
