#include "core/source/sqlite/sqlitesource.h"
#include "core/data/value.h"
#include "tests/support/sourcecontract.h"
#include <QTemporaryDir>
#include <QTest>
#include <sqlite3.h>

using namespace millrace;
using namespace millrace::test;

namespace {

class SqliteFixture final : public SourceFixture {
public:
    explicit SqliteFixture(bool wal) : m_wal(wal), m_path(m_folder.filePath("app.db").toStdString())
    {
        if (wal) {
            Application application(m_path);
            (void)application.exec("PRAGMA journal_mode = WAL");
            m_keep = session();                                  // the last writer to leave would take the -wal file with it
        }
    }
    Result<std::unique_ptr<Source>> open() override
    {
        ConnectionParams params;
        params.name = "app";
        params.url.scheme = "sqlite";
        params.url.path = m_path;
        return openSqlite(params);
    }
    std::unique_ptr<Session> session() override { return std::make_unique<Application>(m_path); }
    TableRef ref(const std::string& table) const override { return {"main", table}; }
    std::string quoted(const std::string& name) const override
    {
        std::string out = "\"";
        for (const char c : name)
            out.append(c == '"' ? 2 : 1, c);
        return out + "\"";
    }
    std::string column(Kind kind) const override
    {
        switch (kind) {
        case Kind::Integer: return "INTEGER";
        case Kind::Text: return "TEXT";
        case Kind::FoldedText: return "TEXT COLLATE NOCASE";
        case Kind::Flag: return "BOOLEAN";
        case Kind::Moment: case Kind::Second: return "DATETIME";
        }
        return "TEXT";
    }
    std::string moment(std::int64_t micros) const override
    {
        std::string text;
        appendDateTime(text, micros, 6, false);
        text[10] = ' ';
        return "'" + text + "'";
    }
    std::string now() const override { return "strftime('%Y-%m-%d %H:%M:%f', 'now')"; }
    std::string slowFilter() const override
    {
        return "(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 4000000000) SELECT max(i) FROM n) > 0";
    }
    bool consistentSnapshot() const override { return m_wal; }
    bool concurrentWriters() const override { return false; }
    bool altersBetweenChunks() const override { return !m_wal; }
    std::vector<TypeCase> typeCases() const override;

private:
    struct Application final : Session {
        explicit Application(const std::string& path) { sqlite3_open(path.c_str(), &db); sqlite3_busy_timeout(db, 5000); }
        ~Application() override { sqlite3_close_v2(db); }
        Result<> exec(const std::string& sql) override
        {
            if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK)
                return {};
            return Error{Fault::Internal, "test.sqlite", sqlite3_errmsg(db), {}, {}};
        }
        sqlite3* db = nullptr;
    };
    QTemporaryDir m_folder;
    bool m_wal;
    std::string m_path;
    std::unique_ptr<Session> m_keep;
};

TypeCase plain(std::string declaration, Type type, std::vector<std::pair<std::string, std::string>> values, std::vector<std::pair<std::string, std::string>> asText = {},
               ValuePolicy policy = ValuePolicy::Null)
{
    TypeCase out;
    out.name = out.declaration = std::move(declaration);
    out.type = type;
    out.policy = policy;
    for (auto& [literal, json] : values)
        out.values.push_back({std::move(literal), std::move(json)});
    for (auto& [literal, json] : asText)
        out.values.push_back({std::move(literal), std::move(json), policy != ValuePolicy::Fail, policy == ValuePolicy::Fail});
    return out;
}

// The single values are in unit.tst_sqlite_values; here they come as tables, by both ways of reading.
std::vector<TypeCase> SqliteFixture::typeCases() const
{
    std::vector<TypeCase> out{
        plain("INTEGER", Type::Int, {{"-9223372036854775808", "-9223372036854775808"}, {"9223372036854775807", "9223372036854775807"}, {"9007199254740993", "9007199254740993"}, {"'abc'", "\"abc\""}}),
        plain("REAL", Type::Real, {{"0.1", "0.1"}, {"1.7976931348623157e308", "1.7976931348623157e+308"}, {"9007199254740993", "9007199254740992"}, {"-9e999", "\"-Infinity\""}}),
        plain("TEXT", Type::Text, {{"'\xF0\x9F\x98\x80'", "\"\xF0\x9F\x98\x80\""}, {"''", "\"\""}, {"char(1)", "\"\\u0001\""}}),
        plain("BLOB", Type::Bytes, {{"x'00ff'", "\"AP8=\""}, {"x''", "\"\""}, {"'text'", "\"text\""}}),
        plain("BOOLEAN", Type::Bool, {{"0", "false"}, {"1", "true"}}, {{"2", "\"2\""}, {"'yes'", "\"yes\""}}),
        plain("DATE", Type::Date, {{"'2024-02-29'", "\"2024-02-29\""}}, {{"'2023-02-29'", "\"2023-02-29\""}, {"20240229", "\"20240229\""}}),
        plain("DATE", Type::Date, {{"'2024-02-29'", "\"2024-02-29\""}}, {{"'soon'", ""}}, ValuePolicy::Fail),
        plain("DATETIME", Type::DateTime, {{"'2024-02-29 01:02:03'", "\"2024-02-29T01:02:03\""}, {"'2024-02-29T01:02:03.120'", "\"2024-02-29T01:02:03.120\""}}, {{"'later'", "\"later\""}}),
        plain("TIMESTAMP", Type::DateTime, {{"'2024-02-29 01:02:03'", "\"2024-02-29T01:02:03\""}, {"'2024-02-29T01:02:03Z'", "\"2024-02-29T01:02:03Z\""}}),
        plain("DECIMAL(10,2)", Type::Decimal, {{"5", "5.00"}, {"12.5", "12.50"}, {"'12.50'", "12.50"}, {"-0.01", "-0.01"}}, {{"12.345", "\"12.345\""}, {"'n/a'", "\"n/a\""}}),
        plain("NUMERIC", Type::Decimal, {{"12.25", "12.25"}, {"7", "7"}}),
        plain("JSON", Type::Json, {{"'{\"b\" : [1.0, true]}'", "{\"b\":[1.0,true]}"}}, {{"'{'", "\"{\""}}),
        plain("UUID", Type::Uuid, {{"'0926447e-025c-e316-1e3e-46c7e2b39427'", "\"0926447e-025c-e316-1e3e-46c7e2b39427\""}}, {{"'none'", "\"none\""}}),
        plain("", Type::Text, {{"1", "1"}, {"1.5", "1.5"}, {"'1'", "\"1\""}, {"x'31'", "\"MQ==\""}})};
    out[6].name = "DATE fail";
    TypeCase torn = plain("TEXT", Type::Text, {{"'whole'", "\"whole\""}});
    torn.name = "TEXT that is not UTF-8";
    torn.values.push_back({"CAST(x'61ff' AS TEXT)", "", false, true});
    out.push_back(torn);
    return out;
}

} // namespace

class TestSourceSqlite : public QObject {
    Q_OBJECT
private slots:
    void contract_data();
    void contract();
};

void TestSourceSqlite::contract_data()
{
    QTest::addColumn<int>("check");
    QTest::addColumn<bool>("wal");
    for (const bool wal : {false, true})
        for (std::size_t i = 0; i < sourceChecks().size(); ++i)
            QTest::addRow("%s %s", wal ? "wal" : "rollback", sourceChecks()[i].name.c_str()) << static_cast<int>(i) << wal;
}

void TestSourceSqlite::contract()
{
    QFETCH(int, check);
    QFETCH(bool, wal);
    SqliteFixture fixture(wal);
    const CheckResult result = sourceChecks()[static_cast<std::size_t>(check)].run(fixture);
    if (result.outcome == CheckResult::Outcome::Skipped)
        QSKIP(result.text.c_str());
    QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.c_str());
}

QTEST_GUILESS_MAIN(TestSourceSqlite)
#include "tst_source_sqlite.moc"
