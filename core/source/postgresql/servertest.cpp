#include "core/source/postgresql/servertest.h"
#include "core/base/text.h"
#include "core/engine/teststages.h"
#include "core/source/postgresql/catalog.h"
#include "core/source/postgresql/probe.h"
#include "core/source/postgresql/sqltext.h"

namespace millrace::postgresql {

namespace {

struct Finding { TestStage::Outcome outcome = TestStage::Outcome::Passed; std::string found, fix; };

//! Runs stages in order; after the first failure the rest is only named.
class Stages {
public:
    Stages(TestReport& report, const std::function<void(const TestStage&)>& done, std::stop_token stop) : m_report(report), m_done(done), m_stop(std::move(stop)) {}

    void run(std::string id, std::string label, const std::function<Result<Finding>()>& body)
    {
        runStage(m_report, m_done, m_stop, cancelled(), std::move(id), std::move(label), [&body](TestStage& stage) -> Result<> {
            const Result<Finding> result = body();
            if (!result)
                return result.error();
            stage.outcome = result->outcome;
            stage.found = result->found;
            stage.fix = result->fix;
            return {};
        });
    }

private:
    TestReport& m_report;
    const std::function<void(const TestStage&)>& m_done;
    std::stop_token m_stop;
};

std::string at(const Rows& rows, std::size_t column = 0) { return rows.empty() ? std::string() : rows[0][column].value_or(std::string()); }

Result<Finding> privileges(Connection& connection)
{
    const Config& config = connection.config();
    const std::string only = config.schema.empty() ? "n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname !~ '^pg_(toast|temp)'" : "n.nspname = " + literal(config.schema);
    auto counted = connection.query(
        "SELECT count(*) FILTER (WHERE readable), count(*) FILTER (WHERE NOT readable), pg_catalog.string_agg(DISTINCT 'GRANT USAGE ON SCHEMA ' || pg_catalog.quote_ident(schema) || ' TO ' || pg_catalog.quote_ident(current_user) "
        "|| '; GRANT SELECT ON ALL TABLES IN SCHEMA ' || pg_catalog.quote_ident(schema) || ' TO ' || pg_catalog.quote_ident(current_user) || ';', ' ') FILTER (WHERE NOT readable), pg_catalog.quote_ident(current_user) "
        "FROM (SELECT n.nspname AS schema, pg_catalog.has_schema_privilege(n.oid, 'USAGE') AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT')) AS readable "
        "FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'f') AND NOT c.relispartition AND c.relpersistence <> 't' AND " + only + ") seen");
    if (!counted)
        return std::move(counted).error();
    const std::string readable = at(*counted), hidden = at(*counted, 1), account = at(*counted, 3);
    if (hidden != "0")
        return Finding {TestStage::Outcome::Warning, "SELECT on " + readable + " tables; " + hidden + " more are there and may not be read", at(*counted, 2)};
    const auto sees = Catalog(connection).seesActivity();
    if (!sees)
        return sees.error();
    if (!*sees)
        return Finding {TestStage::Outcome::Warning, "SELECT on " + readable + " tables; without pg_read_all_stats, a transaction that was open for more than an hour at the first sync is missed",
                        "GRANT pg_read_all_stats TO " + account + ";"};
    return Finding {TestStage::Outcome::Passed, "SELECT on " + readable + " tables, pg_read_all_stats", ""};
}

Result<Finding> clock(Connection& connection)
{
    Catalog catalog(connection);
    const auto utc = catalog.serverInUtc();
    if (!utc)
        return utc.error();
    const auto standby = catalog.inRecovery();
    if (!standby)
        return standby.error();
    auto zone = connection.query("SELECT reset_val || ', ' || pg_catalog.to_char(pg_catalog.clock_timestamp(), 'YYYY-MM-DD HH24:MI:SS') || ' UTC' FROM pg_catalog.pg_settings WHERE name = 'TimeZone'");
    if (!zone)
        return std::move(zone).error();
    if (*standby)
        return Finding {TestStage::Outcome::Warning, at(*zone) + "; this is a standby: tables are copied whole here, not polled", "Connect to the primary to poll by time."};
    if (*utc)
        return Finding {TestStage::Outcome::Passed, at(*zone), ""};
    auto alter = connection.query("SELECT 'ALTER DATABASE ' || pg_catalog.quote_ident(pg_catalog.current_database()) || ' SET timezone = ''UTC'';'");
    if (!alter)
        return std::move(alter).error();
    return Finding {TestStage::Outcome::Warning, at(*zone) + ": `timestamp` columns cannot be cursors, `timestamp with time zone` columns can", at(*alter)};
}

Result<Finding> readOnly(Connection& connection)
{
    auto taken = connection.query("SHOW transaction_read_only");
    if (!taken)
        return std::move(taken).error();
    if (at(*taken) != "on")
        return Error {Fault::Config, "source.postgresql.read_only", "the server did not make this session read only", "Use an account that has SELECT alone.", {}};
    return Finding {TestStage::Outcome::Passed, "this session cannot write", ""};
}

} // namespace

TestReport testServer(const Config& config, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop)
{
    TestReport report;
    Stages stages(report, stageDone, stop);
    Answer answer;
    std::unique_ptr<Connection> connection;
    std::optional<Error> loginError;

    stages.run("dns", "Host name", [&]() -> Result<Finding> {
        if (config.bySocket())
            return Finding {TestStage::Outcome::Passed, "a local socket", ""};
        const auto addresses = resolve(config);
        return addresses ? Result<Finding>(Finding {TestStage::Outcome::Passed, join(*addresses, ", "), ""}) : Result<Finding>(addresses.error());
    });
    stages.run("tcp", "Connection", [&]() -> Result<Finding> {
        auto heard = probe(config, stop);
        if (!heard)
            return std::move(heard).error();
        answer = *heard;
        return Finding {TestStage::Outcome::Passed, config.place() + " answers", ""};
    });
    stages.run("tls", "Encryption", [&]() -> Result<Finding> {
        if (config.tls != TlsMode::Disable && !answer.offersTls)
            return Error {Fault::Auth, "source.postgresql.tls", config.place() + " offers no encryption; nothing was sent to it",
                          "Switch TLS on at the server, or write tls=disable if the way there is safe.", {}};
        auto opened = Connection::open(config, stop);                 // one step for the library: its failure belongs here or to the login
        if (opened)
            connection = std::move(*opened);
        else if (opened.error().id == "source.postgresql.tls")
            return std::move(opened).error();
        else
            loginError = std::move(opened).error();
        if (config.tls == TlsMode::Disable)
            return Finding {TestStage::Outcome::Passed, config.bySocket() ? "none needed on a local socket" : "none (tls=disable)", ""};
        return Finding {TestStage::Outcome::Passed, connection ? connection->cipher() : std::string("offered"), ""};
    });
    stages.run("login", "Login", [&]() -> Result<Finding> {
        if (loginError)
            return *loginError;
        return Finding {TestStage::Outcome::Passed, "as " + std::string(PQuser(connection->handle())), ""};
    });
    stages.run("privileges", "Privileges", [&] { return privileges(*connection); });
    stages.run("server", "Server", [&]() -> Result<Finding> {
        report.server = {"postgresql", connection->version()};
        return Finding {TestStage::Outcome::Passed, "PostgreSQL " + report.server.version, ""};
    });
    stages.run("read_only", "Read only", [&] { return readOnly(*connection); });
    stages.run("clock", "Clock and zone", [&] { return clock(*connection); });
    stages.run("limits", "Time-outs", [&]() -> Result<Finding> {
        return Finding {TestStage::Outcome::Passed, "a statement may take " + std::to_string(config.statementTimeout) + " s, a lock " + std::to_string(config.lockTimeout) + " s", ""};
    });
    return report;
}

} // namespace millrace::postgresql
