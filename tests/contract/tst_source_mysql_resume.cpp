#include "core/source/mysql/mysqlsource.h"
#include "tests/support/mariadbserver.h"
#include "tests/support/sourcecontract.h"
#include <QTest>

using namespace millrace;
using namespace millrace::test;

//! What a resumed load asks instead of reading: are the rows of this range still those that were copied?
class TestSourceMysqlResume : public QObject {
    Q_OBJECT
    std::unique_ptr<MariaDbServer> m_server;
    std::unique_ptr<Source> m_source;
    TablePlanPtr m_plan;
    Position m_mark;

    void exec(const std::string& sql) { QVERIFY2(m_server->exec(sql).has_value(), sql.c_str()); }
    std::optional<std::uint64_t> counted(const KeyRange& range)
    {
        auto snapshot = m_source->snapshot(m_plan);
        if (!snapshot)
            throw std::runtime_error(snapshot.error().detail);
        auto count = (*snapshot)->countUntouched(range, m_mark);
        if (!count)
            throw std::runtime_error(count.error().detail);
        return *count;
    }
    //! The range up to and including the nth row.
    KeyRange upToRow(std::size_t n)
    {
        auto snapshot = m_source->snapshot(m_plan);
        auto reader = (*snapshot)->read({});
        Batch batch(m_plan->schema);
        (void)(*reader)->read(batch, n, {}).has_value();
        return {{}, batch.upTo};
    }

private slots:
    void initTestCase()
    {
        std::string reason;
        m_server = MariaDbServer::start(reason);
        if (!m_server)
            QSKIP(reason.c_str());
        m_source = std::move(*openMysql(m_server->params()));
    }
    void init()
    {
        exec("DROP TABLE IF EXISTS resumed");
        exec("CREATE TABLE resumed (code VARBINARY(8), kind ENUM('b','a'), note VARCHAR(20), gone TINYINT(1) NOT NULL DEFAULT 0,"
             " changed TIMESTAMP(3) NULL, PRIMARY KEY (code, kind))");
        exec("INSERT INTO resumed SELECT CONCAT('k', LPAD(n DIV 2, 2, '0')), IF(n % 2, 'a', 'b'), 'old', 0, '2024-05-06 07:08:09' FROM"
             " (SELECT a.d * 10 + b.d AS n FROM (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4) a,"
             " (SELECT 0 d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9) b) numbers");
        const auto info = m_source->describe({m_server->database(), "resumed"});
        QVERIFY(info.has_value());
        PlanOptions options;
        options.strategy = Strategy::Timestamp;
        options.cursor = "changed";
        m_plan = planFor(*info, options);
        auto mark = m_source->mark(*m_plan);
        QVERIFY(mark.has_value());
        m_mark = *mark;
    }

    void rangesAreCountedByTheWholeKey()
    {
        QCOMPARE(counted({}), std::optional<std::uint64_t>(50));
        const KeyRange head = upToRow(17);
        QCOMPARE(counted(head), std::optional<std::uint64_t>(17));
        QCOMPARE(counted({head.upTo, {}}), std::optional<std::uint64_t>(33));
        QCOMPARE(counted({head.upTo, upToRow(18).upTo}), std::optional<std::uint64_t>(1));
    }
    void deletedRowIsMissed()
    {
        exec("DELETE FROM resumed WHERE code = 'k03' AND kind = 'a'");
        QCOMPARE(counted(upToRow(16)), std::optional<std::uint64_t>(16));
        QCOMPARE(counted({}), std::optional<std::uint64_t>(49));
    }
    void changedRowIsSeen_data()
    {
        QTest::addColumn<QString>("sql");
        QTest::addRow("updated") << "UPDATE resumed SET changed = CURRENT_TIMESTAMP(3) WHERE code = 'k03' AND kind = 'a'";
        QTest::addRow("inserted") << "INSERT INTO resumed VALUES ('k031', 'a', 'new', 0, CURRENT_TIMESTAMP(3))";
        QTest::addRow("without a time") << "UPDATE resumed SET changed = NULL WHERE code = 'k03' AND kind = 'a'";
    }
    void changedRowIsSeen()
    {
        QFETCH(QString, sql);
        const KeyRange head = upToRow(17);
        exec(sql.toStdString());
        QCOMPARE(counted(head), std::optional<std::uint64_t>());
        QCOMPARE(counted({head.upTo, {}}), std::optional<std::uint64_t>(33));    // another range is not touched by it
    }
    void rowOfATransactionThatIsOpenAtTheMarkIsSeen()
    {
        const auto writer = m_server->session();
        QVERIFY(writer && writer->exec("START TRANSACTION") && writer->exec("UPDATE resumed SET changed = CURRENT_TIMESTAMP(3) WHERE code = 'k03'"));
        const auto mark = m_source->mark(*m_plan);
        QVERIFY(mark.has_value());
        m_mark = *mark;
        QCOMPARE(counted({}), std::optional<std::uint64_t>(50));
        QVERIFY(writer->exec("COMMIT").has_value());
        QCOMPARE(counted({}), std::optional<std::uint64_t>());
    }
    void filterIsPartOfTheRange()
    {
        auto filtered = std::make_shared<TablePlan>(*m_plan);
        filtered->where = "kind = 'a' -- only these";
        m_plan = filtered;
        QCOMPARE(counted({}), std::optional<std::uint64_t>(25));
    }
};

QTEST_GUILESS_MAIN(TestSourceMysqlResume)
#include "tst_source_mysql_resume.moc"
