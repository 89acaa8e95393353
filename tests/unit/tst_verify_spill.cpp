#include "core/verify/differences.h"
#include "core/verify/formdiff.h"
#include <QDir>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <random>

using namespace millrace;
using namespace millrace::verify;

namespace {

Record record(std::uint64_t key, std::uint64_t form)
{
    return {digest(std::to_string(key)), digest(std::to_string(form))};
}

std::vector<Record> drained(SpillSorter& sorter)
{
    std::vector<Record> out;
    Record one;
    for (;;) {
        const auto more = sorter.next(one);
        if (!more)
            qFatal("%s", more.error().detail.c_str());
        if (!*more)
            return out;
        out.push_back(one);
    }
}

} // namespace

class TstVerifySpill : public QObject {
    Q_OBJECT
private slots:
    void sorts_data()
    {
        QTest::addColumn<int>("rows");
        QTest::addColumn<int>("memory");
        QTest::addColumn<bool>("spills");
        QTest::newRow("nothing") << 0 << 65536 << false;
        QTest::newRow("one") << 1 << 65536 << false;
        QTest::newRow("fits") << 500 << 65536 << false;
        QTest::newRow("many runs") << 100'000 << 65536 << true;
        QTest::newRow("a few runs") << 100'000 << (2 << 20) << true;
    }
    void sorts()
    {
        QFETCH(int, rows);
        QFETCH(int, memory);
        QFETCH(bool, spills);
        QTemporaryDir folder;
        std::mt19937_64 random(42);
        std::vector<Record> all;
        {
            SpillSorter sorter(folder.filePath("new/sub").toStdString(), static_cast<std::size_t>(memory));
            for (int i = 0; i < rows; ++i) {
                all.push_back(record(random() % 50'000, random() % 3));
                QVERIFY(sorter.add(all.back()));
            }
            QVERIFY(sorter.finish());
            QCOMPARE(sorter.size(), static_cast<std::uint64_t>(rows));
            QCOMPARE(sorter.spilled() > 0, spills);
            std::sort(all.begin(), all.end());
            QVERIFY(drained(sorter) == all);
        }
        QCOMPARE(QDir(folder.filePath("new/sub")).entryList(QDir::Files).size(), 0);
    }

    void folderThatCannotBe()
    {
        SpillSorter sorter("/dev/null/nowhere", 65536);
        Result<> last;
        for (int i = 0; i < 100'000 && last; ++i)
            last = sorter.add(record(static_cast<std::uint64_t>(i), 0));
        QVERIFY(!last);
        QCOMPARE(last.error().fault, Fault::Storage);
        QVERIFY(!last.error().detail.empty());
    }

    void differencesAreCounted()
    {
        QTemporaryDir folder;
        SpillSorter source(folder.path().toStdString(), 1 << 20), target(folder.path().toStdString(), 1 << 20);
        for (std::uint64_t i = 0; i < 1000; ++i) {
            if (i != 10) QVERIFY(source.add(record(i, i)));
            if (i != 20 && i != 21) QVERIFY(target.add(record(i, i == 30 ? 0 : i)));
        }
        for (int i = 0; i < 3; ++i) QVERIFY(source.add(record(5000, 7)));    // three rows meet in one key, one document
        QVERIFY(target.add(record(5000, 7)));
        QVERIFY(source.finish());
        QVERIFY(target.finish());
        const auto found = findDifferences(source, target, 100);
        QVERIFY(found);
        QVERIFY((found->counts == Counts{4, 1, 1}));
        QCOMPARE(found->listed.size(), std::size_t{5});
        QVERIFY(found->complete);
        QVERIFY(found->find(digest("30")) && found->find(digest("30"))->counts.different == 1);
        QVERIFY(found->find(digest("5000")) && found->find(digest("5000"))->counts.missing == 2);
        QVERIFY(!found->find(digest("31")));
    }

    void listIsBounded()
    {
        QTemporaryDir folder;
        SpillSorter source(folder.path().toStdString(), 1 << 20), target(folder.path().toStdString(), 1 << 20);
        for (std::uint64_t i = 0; i < 1000; ++i) QVERIFY(source.add(record(i, i)));
        QVERIFY(source.finish());
        QVERIFY(target.finish());
        const auto found = findDifferences(source, target, 10);
        QVERIFY(found);
        QCOMPARE(found->counts.missing, std::uint64_t{1000});
        QCOMPARE(found->listed.size(), std::size_t{10});
        QVERIFY(!found->complete);
    }

    // What a second look keeps of a row: small, and equal exactly where the whole is.
    void condensedForms()
    {
        QVERIFY(sodium_init() >= 0);
        const std::string small = "a\x1f" "1\x1e" "b\x1f" "2\x1e";
        QCOMPARE(condensedForm(small), small);
        const auto with = [](const std::string& last) { return "a\x1f" "1\x1e" "b\x1fs:" + std::string(5'000'000, 'x') + last + "\x1e"; };
        const std::string one = condensedForm(with("1")), other = condensedForm(with("2"));
        QVERIFY(one.size() < 600 && one != other && one == condensedForm(with("1")));
        QVERIFY((differingFields(one, other) == std::vector<std::string>{"b"}));
        QVERIFY(printableForm(one).find("(5000003 bytes") != std::string::npos);
    }

    void fieldsAreNamed()
    {
        using Names = std::vector<std::string>;
        QVERIFY(differingFields("a\x1f" "1\x1e" "b\x1f" "2\x1e", "a\x1f" "1\x1e" "b\x1f" "2\x1e").empty());
        QVERIFY((differingFields("a\x1f" "1\x1e" "b\x1f" "2\x1e", "a\x1f" "1\x1e" "b\x1f" "3\x1e") == Names{"b"}));
        QVERIFY((differingFields("a\x1f" "1\x1e", "a\x1f" "1\x1e" "c\x1f" "3\x1e") == Names{"c"}));
        QVERIFY((differingFields("a\x1f" "1\x1e" "b\x1f" "2\x1e", "b\x1f" "2\x1e" "a\x1f" "1\x1e") == Names{"(order of fields)"}));
        QCOMPARE(printableForm("a\x1f" "1\x1e" "b\x1f" "\"x\ny\"\x1e"), std::string("a: 1\nb: \"x\\x0ay\""));
        QVERIFY(printableForm("a\x1f" + std::string(10'000, 'x') + "\x1e").size() < 600);
    }
};

QTEST_APPLESS_MAIN(TstVerifySpill)
#include "tst_verify_spill.moc"
