#include "core/target/mongodb/numbers.h"
#include <QtTest>
#include <charconv>
#include <cmath>
#include <cstring>
#include <charconv>
#include <cmath>
#include <cstring>
#include <random>

using namespace millrace::mongodb;
using Kind = JsonNumber::Kind;

Q_DECLARE_METATYPE(Kind)

namespace {
std::string text(const bson_decimal128_t& value)
{
    char out[BSON_DECIMAL128_STRING];
    bson_decimal128_to_string(&value, out);
    return out;
}
}

class tst_bson_numbers : public QObject {
    Q_OBJECT
private slots:
    void decimals_data()
    {
        QTest::addColumn<QByteArray>("in");
        QTest::addColumn<bool>("fits");
        for (const char* in : {"0", "0.00", "-0.00", "1", "-1", "12.50", "-12.50", "0.001", "100", "9999999999999999999999999999999999", "-9999999999999999999999999999999999",
                               "0.9999999999999999999999999999999999", "99999999999999999.99999999999999999", "1E+3", "1e300", "1E-6176", "9.999999999999999999999999999999999E+6144",
                               "18446744073709551615", "0000.5", "10000000000000000000000000000000000", "1E+6144", "NaN", "Infinity", "-Infinity"})
            QTest::newRow(in) << QByteArray(in) << true;
        for (const char* in : {"99999999999999999999999999999999999", "1.0000000000000000000000000000000001", "1E+6145", "1E-6177", "1E+99999999999999999999", "x", "", "1.2.3", "1e", "--1"})
            QTest::newRow(in[0] ? in : "empty") << QByteArray(in) << false;
    }
    void decimals()
    {
        QFETCH(QByteArray, in);
        QFETCH(bool, fits);
        bson_decimal128_t ours {}, theirs {};
        QCOMPARE(toDecimal128(std::string_view(in.data(), in.size()), ours), fits);
        if (!fits)
            return;
        QVERIFY(bson_decimal128_from_string(in.data(), &theirs));
        QCOMPARE(text(ours), text(theirs));
        QCOMPARE(ours.high, theirs.high);
        QCOMPARE(ours.low, theirs.low);
    }

    void decimalsAtRandom()
    {
        std::mt19937_64 random(35);
        for (int i = 0; i < 20'000; ++i) {
            std::string in = random() % 2 ? "-" : "";
            const auto digits = 1 + random() % 34;
            for (std::uint64_t d = 0; d < digits; ++d)
                in += static_cast<char>('0' + random() % 10);
            if (random() % 2)
                in.insert(in.size() - random() % digits, ".");
            if (in.back() == '.')
                in += '0';
            bson_decimal128_t ours {}, theirs {};
            const bool fits = bson_decimal128_from_string(in.c_str(), &theirs) && text(theirs) != "NaN";
            QCOMPARE(toDecimal128(in, ours), fits);
            if (fits && (ours.high != theirs.high || ours.low != theirs.low))
                QFAIL(("differs from libbson: " + in + " " + text(ours) + " " + text(theirs)).c_str());
        }
        QCOMPARE(text(toDecimal128(UINT64_MAX)), std::string("18446744073709551615"));
    }

    void json_data()
    {
        QTest::addColumn<QByteArray>("in");
        QTest::addColumn<Kind>("kind");
        const auto row = [](const char* in, Kind kind) { QTest::newRow(in) << QByteArray(in) << kind; };
        row("0", Kind::Int);
        row("-1", Kind::Int);
        row("9223372036854775807", Kind::Int);
        row("-9223372036854775808", Kind::Int);
        row("9007199254740993", Kind::Int);                       // 2^53 + 1 keeps its last digit
        row("9223372036854775808", Kind::Decimal);                // as a double its shortest text would be 9.223372036854776e18
        row("9223372036854775809", Kind::Decimal);
        row("18446744073709551615", Kind::Decimal);
        row("-0", Kind::Double);
        row("1.0", Kind::Double);
        row("-2.50", Kind::Double);
        row("0.1", Kind::Double);
        row("1e300", Kind::Double);
        row("123456789012345678e3", Kind::Decimal);
        row("0.1000000000000000055511151231257827", Kind::Decimal);   // the double's exact value is not its shortest text
        row("1.00000000000000000001", Kind::Decimal);
        row("5e-324", Kind::Double);
        row("1e-400", Kind::Decimal);
        row("1e400", Kind::Decimal);
        row("1e7000", Kind::Text);
        row("1.00000000000000000000000000000000000001", Kind::Text);
        row("0.30000000000000004", Kind::Double);
        row("0.12345678901234567", Kind::Decimal);                // 17 digits, but not the shortest text of any double
        row("0.123456789012345678", Kind::Decimal);
    }
    void json()
    {
        QFETCH(QByteArray, in);
        QFETCH(Kind, kind);
        const JsonNumber number = jsonNumber({in.data(), static_cast<std::size_t>(in.size())});
        QCOMPARE(int(number.kind), int(kind));
        if (kind == Kind::Int)
            QCOMPARE(QByteArray::number(qlonglong(number.i)), in);
        if (kind == Kind::Double)
            QCOMPARE(number.d, in.toDouble());
        if (kind == Kind::Decimal) {
            bson_decimal128_t theirs;
            QVERIFY(bson_decimal128_from_string(in.data(), &theirs));
            QCOMPARE(text(number.decimal), text(theirs));
        }
    }

    // Every double's shortest text is exact by definition; one more digit almost never is.
    void doublesAtRandom()
    {
        std::mt19937_64 random(28);
        for (int i = 0; i < 50'000; ++i) {
            const std::uint64_t bits = random();
            double value;
            std::memcpy(&value, &bits, sizeof value);
            if (!std::isfinite(value))
                continue;
            char shortest[40];
            *std::to_chars(shortest, shortest + 39, value, std::chars_format::scientific).ptr = '\0';
            const JsonNumber number = jsonNumber(shortest);
            if (number.kind != Kind::Double || number.d != value)
                QFAIL(shortest);
        }
    }
};

QTEST_APPLESS_MAIN(tst_bson_numbers)
#include "tst_bson_numbers.moc"
