#include "core/base/secret.h"
#include "core/base/text.h"
#include <QtTest>
#include <random>

using namespace millrace;

class TestText : public QObject {
    Q_OBJECT
private slots:
    void utf8_data();
    void utf8();
    void utf8AtEveryOffset();
    void globs_data();
    void globs();
    void nearestWords();
    void encodings();
    void splitJoin();
    void groupedNumbers();
    void secretsAreCutOut();
};

void TestText::utf8_data()
{
    QTest::addColumn<QByteArray>("bytes");
    QTest::addColumn<bool>("valid");
    const auto row = [](const char* name, const char* hexBytes, bool valid) { QTest::newRow(name) << QByteArray::fromHex(hexBytes) << valid; };
    row("empty", "", true);
    row("nul", "610062", true);
    row("two bytes", "c3a4", true);
    row("first two bytes", "c280", true);
    row("overlong two", "c1bf", false);
    row("overlong nul", "c080", false);
    row("three bytes", "e282ac", true);
    row("overlong three", "e09fbf", false);
    row("last before surrogates", "ed9fbf", true);
    row("surrogate", "eda080", false);
    row("low surrogate", "edbfbf", false);
    row("first after surrogates", "ee8080", true);
    row("noncharacter", "efbfbf", true);
    row("four bytes", "f09f9880", true);
    row("overlong four", "f08fbfbf", false);
    row("last", "f48fbfbf", true);
    row("beyond the last", "f4908080", false);
    row("f5", "f5808080", false);
    row("lone continuation", "80", false);
    row("cut two", "c3", false);
    row("cut three", "e282", false);
    row("cut four", "f09f98", false);
    row("continuation missing", "e28261", false);
    row("latin-1", "4bf66c6e", false);
    row("ff", "ff", false);
}

void TestText::utf8()
{
    QFETCH(QByteArray, bytes);
    QFETCH(bool, valid);
    QCOMPARE(validUtf8(bytes.toStdString()), valid);
}

// Eight ASCII bytes are looked at together: a bad byte must be seen wherever it stands.
void TestText::utf8AtEveryOffset()
{
    for (std::size_t length = 0; length < 40; ++length)
        for (std::size_t at = 0; at < length; ++at) {
            std::string text(length, 'a');
            QVERIFY(validUtf8(text));
            text[at] = '\x80';
            QVERIFY(!validUtf8(text));
            text.replace(at, 1, "\xc3\xa4");
            QVERIFY(validUtf8(text));
            text[at] = '\xff';
            QVERIFY(!validUtf8(text));
        }
}

void TestText::globs_data()
{
    QTest::addColumn<QByteArray>("pattern");
    QTest::addColumn<QByteArray>("text");
    QTest::addColumn<bool>("matches");
    const auto row = [](const char* pattern, const char* text, bool matches) { QTest::addRow("%s ~ %s", pattern, text) << QByteArray(pattern) << QByteArray(text) << matches; };
    row("", "", true);
    row("", "a", false);
    row("*", "", true);
    row("*", "anything", true);
    row("film", "film", true);
    row("film", "Film", false);
    row("film_*", "film_actor", true);
    row("film_*", "film", false);
    row("*_tmp", "a_tmp", true);
    row("*_tmp", "a_tmp_", false);
    row("a*b*c", "axxbyyc", true);
    row("a*b*c", "axxbyy", false);
    row("a**c", "abc", true);
    row("?", "a", true);
    row("?", "", false);
    row("?", "ab", false);
    row("a?c", "abc", true);
    row("?", "ä", true);                                         // a character, not a byte
    row("??", "ä", false);
    row("?at", "😀at", true);
    row("*?", "ä", true);
    row("*??", "€", false);
    row("[a]", "a", false);                                      // nothing else is special
    row("[a]", "[a]", true);
    row("a.b", "axb", false);
    row("*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false);
}

void TestText::globs()
{
    QFETCH(QByteArray, pattern);
    QFETCH(QByteArray, text);
    QFETCH(bool, matches);
    QCOMPARE(globMatches(pattern.toStdString(), text.toStdString()), matches);
}

void TestText::nearestWords()
{
    const std::vector<std::string> known{"strategy", "target", "source", "soft_delete", "every"};
    QCOMPARE(nearest("stategy", known), std::string("strategy"));
    QCOMPARE(nearest("Strategy", known), std::string("strategy"));
    QCOMPARE(nearest("softdelete", known), std::string("soft_delete"));
    QCOMPARE(nearest("xyzzyplugh", known), std::string());
    QCOMPARE(nearest("abc", {}), std::string());
    QCOMPARE(didYouMean("evry", known), std::string(" (did you mean 'every'?)"));
    QCOMPARE(didYouMean("nothing alike", known), std::string());
}

void TestText::encodings()
{
    for (const auto& [plain, encoded] : std::vector<std::pair<std::string, std::string>>{{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foob", "Zm9vYg=="}, {"fooba", "Zm9vYmE="}, {"foobar", "Zm9vYmFy"}})
        QCOMPARE(base64(plain), encoded);                        // RFC 4648, section 10
    QCOMPARE(base64(std::string("\xff\xef\x00", 3)), std::string("/+8A"));
    QCOMPARE(hex(std::string("\x00\xff\x7f", 3)), std::string("00ff7f"));
    QCOMPARE(sha256Hex("abc"), std::string("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"));
    QCOMPARE(percentEncode("a b/ä~"), std::string("a%20b%2F%C3%A4~"));
    QCOMPARE(percentDecode("a%20b%2f%C3%A4%zz%4"), std::string("a b/ä%zz%4"));
    std::mt19937 random(7);
    for (int i = 0; i < 1000; ++i) {
        std::string bytes(random() % 20, '\0');
        for (char& c : bytes) c = static_cast<char>(random());
        QCOMPARE(percentDecode(percentEncode(bytes)), bytes);
        QCOMPARE(QByteArray::fromBase64(QByteArray::fromStdString(base64(bytes))).toStdString(), bytes);
    }
}

void TestText::splitJoin()
{
    QCOMPARE(split("a,b,,c", ','), (std::vector<std::string>{"a", "b", "", "c"}));
    QCOMPARE(split("", ','), (std::vector<std::string>{""}));
    QCOMPARE(join({"a", "b", ""}, ", "), std::string("a, b, "));
    QCOMPARE(join({}, ", "), std::string());
    QCOMPARE(trimmed(" \t\r\na b\n "), std::string("a b"));
    QCOMPARE(trimmed("   "), std::string());
    QCOMPARE(lower("ÄBC Xyz"), std::string("Äbc xyz"));          // ASCII only
}

void TestText::groupedNumbers()
{
    QCOMPARE(grouped(0), std::string("0"));
    QCOMPARE(grouped(999), std::string("999"));
    QCOMPARE(grouped(1000), std::string("1,000"));
    QCOMPARE(grouped(1234567), std::string("1,234,567"));
    QCOMPARE(grouped(18446744073709551615ull), std::string("18,446,744,073,709,551,615"));
}

void TestText::secretsAreCutOut()
{
    const Secret secret("p@ss w/rd");
    const std::string text = "login with p@ss w/rd at mysql://u:p%40ss%20w%2Frd@h, Basic " + base64("p@ss w/rd") + ".";
    const std::string clean = redact(text, secret);
    QCOMPARE(clean, std::string("login with *** at mysql://u:***@h, Basic ***."));
    QCOMPARE(redact("a***a", Secret("***")), std::string("a***a"));
    QCOMPARE(redact("short ab", Secret("ab")), std::string("short ab"));
    QCOMPARE(redact("none", Secret()), std::string("none"));
}

QTEST_APPLESS_MAIN(TestText)
#include "tst_text.moc"
