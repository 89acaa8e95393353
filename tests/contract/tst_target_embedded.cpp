#include "core/target/embedded/embeddedtarget.h"
#include "tests/support/targetcontract.h"
#include <QTemporaryDir>
#include <QTest>
#include <sqlite3.h>

using namespace millrace;
using namespace millrace::test;

namespace {

//! Looks at the file by plain SQLite calls, as any other program would.
class EmbeddedFixture final : public TargetFixture {
public:
    EmbeddedFixture() : m_path(m_folder.filePath("documents.db").toStdString()) {}
    ~EmbeddedFixture() override { sqlite3_close_v2(m_client); }

    Result<std::unique_ptr<Target>> open() override
    {
        ConnectionParams params;
        params.url.scheme = "embedded";
        params.url.path = m_path;
        return openEmbedded(params);
    }
    bool exists(const std::string& container) override { return !run("SELECT 1 FROM sqlite_schema WHERE type='table' AND name=?1", container).empty(); }
    std::vector<RawDocument> documents(const std::string& container) override
    {
        std::vector<RawDocument> out;
        if (exists(container))
            for (auto& row : run("SELECT key, doc FROM " + name(container) + " ORDER BY key"))
                out.push_back({row.at(0), row.at(1)});
        return out;
    }
    void putForeign(const std::string& container, const std::string& key) override
    {
        run("CREATE TABLE IF NOT EXISTS " + name(container) + " (key TEXT PRIMARY KEY, doc TEXT, version INTEGER)");
        run("INSERT INTO " + name(container) + " VALUES (?1, '{\"note\": \"theirs\"}', 1)", key);
    }
    void remove(const std::string& container) override
    {
        run("DROP TABLE IF EXISTS " + name(container));
        run("DELETE FROM _mr_container WHERE container=?1", container);
    }
    void ageLease(const std::string& sync, std::int64_t seconds) override { run("UPDATE _mr_lease SET beat_ms=beat_ms-" + std::to_string(seconds * 1000) + " WHERE sync=?1", sync); }
    std::size_t tooLarge() const override { return 65u << 20; }
    bool refuseKey(const std::string& container, const std::string& key) override
    {
        run("CREATE TRIGGER \"no " + key + "\" BEFORE INSERT ON " + name(container) + " WHEN NEW.key='" + key + "' BEGIN SELECT RAISE(ABORT, 'not this one'); END");
        return true;
    }

private:
    static std::string name(const std::string& container)
    {
        std::string out = "\"";
        for (const char c : container)
            out += c == '"' ? std::string("\"\"") : std::string(1, c);
        return out + '"';
    }
    std::vector<std::vector<std::string>> run(const std::string& sql, const std::string& parameter = {})
    {
        if (!m_client && sqlite3_open(m_path.c_str(), &m_client) != SQLITE_OK)
            qFatal("the independent client cannot open the file");
        sqlite3_busy_timeout(m_client, 5000);
        sqlite3_stmt* statement = nullptr;
        if (sqlite3_prepare_v2(m_client, sql.c_str(), -1, &statement, nullptr) != SQLITE_OK)
            qFatal("%s: %s", sql.c_str(), sqlite3_errmsg(m_client));
        sqlite3_bind_text(statement, 1, parameter.data(), static_cast<int>(parameter.size()), SQLITE_TRANSIENT);
        std::vector<std::vector<std::string>> rows;
        int code;
        while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
            rows.emplace_back();
            for (int i = 0; i < sqlite3_column_count(statement); ++i) {
                const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, i));
                rows.back().emplace_back(text ? text : "", static_cast<std::size_t>(sqlite3_column_bytes(statement, i)));
            }
        }
        if (code != SQLITE_DONE)
            qFatal("%s: %s", sql.c_str(), sqlite3_errmsg(m_client));
        sqlite3_finalize(statement);
        return rows;
    }

    QTemporaryDir m_folder;
    std::string m_path;
    sqlite3* m_client = nullptr;
};

} // namespace

class TstTargetEmbedded : public QObject {
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
        EmbeddedFixture fixture;
        const CheckResult result = targetChecks()[static_cast<std::size_t>(index)].run(fixture);
        if (result.outcome == CheckResult::Outcome::Skipped)
            QSKIP(result.text.c_str());
        QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.c_str());
    }
};

QTEST_APPLESS_MAIN(TstTargetEmbedded)
#include "tst_target_embedded.moc"
