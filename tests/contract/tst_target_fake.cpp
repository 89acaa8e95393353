#include "tests/support/fakes.h"
#include "tests/support/targetcontract.h"
#include <QTest>

using namespace millrace;
using namespace millrace::test;

namespace {

//! The fake that engine tests lean on keeps the same contract as the real stores, or those tests prove nothing.
class FakeFixture final : public TargetFixture {
public:
    Result<std::unique_ptr<Target>> open() override { return std::unique_ptr<Target>(std::make_unique<FakeTarget>(m_store, m_clock)); }
    bool exists(const std::string& container) override { return m_store.exists(container); }
    std::vector<RawDocument> documents(const std::string& container) override
    {
        std::vector<RawDocument> out;
        for (const auto& [key, document] : m_store.documents(container))
            out.push_back({key, document.form});
        return out;
    }
    void putForeign(const std::string& container, const std::string& key) override { m_store.put(container, key, {"note\x1f\"theirs\"\x1e", 0, false}); }
    void remove(const std::string& container) override { m_store.remove(container); }
    void ageLease(const std::string& sync, std::int64_t seconds) override { m_store.ageLease(sync, seconds); }
    bool refuseKey(const std::string&, const std::string& key) override
    {
        m_store.rejectKey(key, {Fault::Data, "target.fake.rejected", "refused by the test", "", {}});
        return true;
    }
private:
    FakeStore m_store;
    FakeClock m_clock;
};

} // namespace

class TstTargetFake : public QObject {
    Q_OBJECT
private slots:
    void contract_data()
    {
        QTest::addColumn<int>("index");
        for (std::size_t i = 0; i < targetChecks().size(); ++i)
            QTest::newRow(targetChecks()[i].name.c_str()) << static_cast<int>(i);
    }
    void contract()
    {
        QFETCH(int, index);
        FakeFixture fixture;
        const CheckResult result = targetChecks()[static_cast<std::size_t>(index)].run(fixture);
        if (result.outcome == CheckResult::Outcome::Skipped)
            QSKIP(result.text.c_str());
        QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.c_str());
    }
};

QTEST_APPLESS_MAIN(TstTargetFake)
#include "tst_target_fake.moc"
