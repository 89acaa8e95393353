#include "core/target/null/nulltarget.h"
#include "tests/support/targetcontract.h"
#include <QTest>

using namespace millrace;

//! What of the target contract has a meaning for a target that keeps nothing.
class TstTargetNull : public QObject {
    Q_OBJECT
    std::unique_ptr<Target> m_target;
    std::shared_ptr<TablePlan> m_plan;
private slots:
    void init()
    {
        m_target = std::move(openNull({})).value();
        m_plan = std::make_shared<TablePlan>();
        m_plan->schema = test::matrixSchema();
        m_plan->container = m_target->containerName("p_", "matrix");
    }

    void accountsForEveryItem()
    {
        Batch batch(m_plan->schema);
        test::fillMatrix(batch);
        const auto upserts = batch.rows();
        batch.append(Op::Delete)[0] = Cell::integer(1);
        batch.append(Op::Skip);
        std::vector<std::uint32_t> rows(batch.rows());
        for (std::size_t i = 0; i < rows.size(); ++i)
            rows[i] = static_cast<std::uint32_t>(i);
        Payload payload;
        QVERIFY(m_target->encoder(m_plan)->encode(batch, rows, payload));
        QCOMPARE(payload.items.size(), batch.rows() - 1);
        QVERIFY(payload.bytes.size() > 1000);              // it does encode: a rehearsal costs what a run costs
        const Lease lease = m_target->acquire("s", "home", 41, {}).value();
        QCOMPARE(lease.epoch, std::uint64_t{42});
        QVERIFY(m_target->prepare(*m_plan, lease)->fresh);
        auto session = std::move(m_target->session(m_plan, lease, true)).value();
        const auto report = session->write(payload, {}).value();
        QCOMPARE(report.written, static_cast<std::uint64_t>(upserts));
        QCOMPARE(report.deleted, std::uint64_t{1});
        QVERIFY(report.rejected.empty());
    }

    void unchangedIsABug()
    {
        Batch batch(m_plan->schema);
        batch.append(Op::Upsert)[3].type = Type::Unchanged;
        Payload payload;
        const std::uint32_t row = 0;
        const auto encoded = m_target->encoder(m_plan)->encode(batch, {&row, 1}, payload);
        QVERIFY(!encoded);
        QCOMPARE(encoded.error().fault, Fault::Internal);
    }

    void nothingComesBack()
    {
        std::vector<ReadBack> out;
        auto reader = std::move(m_target->readBack(m_plan, {})).value();
        QCOMPARE(reader->read(out, 10, {}).value(), ReadState::End);
        QVERIFY(out.empty());
        QCOMPARE(m_target->countOwn(*m_plan).value(), std::uint64_t{0});
        QVERIFY(m_target->test([](const TestStage&) {}, {}).passed());
    }
};

QTEST_APPLESS_MAIN(TstTargetNull)
#include "tst_target_null.moc"
