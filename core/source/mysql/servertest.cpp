#include "core/source/mysql/servertest.h"
#include "core/base/text.h"
#include "core/engine/teststages.h"
#include "core/source/mysql/catalog.h"
#include "core/source/mysql/faults.h"
#include "core/source/mysql/nativetype.h"
#include "core/source/mysql/probe.h"

namespace millrace::mysql {

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

std::string one(const Rows& rows) { return rows.empty() || rows[0].empty() ? std::string() : rows[0][0].value_or(std::string()); }

Result<Finding> privileges(Connection& connection)
{
    const Config& config = connection.config();
    auto account = connection.query("SELECT CURRENT_USER()");
    if (!account)
        return std::move(account).error();
    std::string grantee = one(*account);
    if (const auto at = grantee.rfind('@'); at != std::string::npos)
        grantee = "'" + grantee.substr(0, at) + "'@'" + grantee.substr(at + 1) + "'";
    const std::string where = config.database.empty() ? "table_schema NOT IN ('mysql', 'information_schema', 'performance_schema', 'sys')"
                                                      : "table_schema = " + connection.literal(config.database);
    auto visible = connection.query("SELECT COUNT(*) FROM information_schema.tables WHERE " + where);
    if (!visible)
        return std::move(visible).error();
    const std::string on = config.database.empty() ? "*.*" : quotedName(config.database) + ".*";
    if (one(*visible) == "0")
        return Finding {TestStage::Outcome::Warning, "no table is visible to " + grantee, "GRANT SELECT ON " + on + " TO " + grantee + ";"};
    const auto sees = Catalog(connection).seesTransactions();
    if (!sees)
        return sees.error();
    if (!*sees)
        return Finding {TestStage::Outcome::Warning, "SELECT on " + one(*visible) + " tables; without PROCESS, commits later than ten minutes are missed by polling",
                        "GRANT PROCESS ON *.* TO " + grantee + ";"};
    return Finding {TestStage::Outcome::Passed, "SELECT on " + one(*visible) + " tables, PROCESS", ""};
}

Result<Finding> clock(Connection& connection)
{
    const auto utc = Catalog(connection).serverInUtc();
    if (!utc)
        return utc.error();
    auto zone = connection.query("SELECT CONCAT(@@global.time_zone, IF(@@global.time_zone = 'SYSTEM', CONCAT(' (', @@system_time_zone, ')'), ''), ', ', UTC_TIMESTAMP(), ' UTC')");
    if (!zone)
        return std::move(zone).error();
    if (*utc)
        return Finding {TestStage::Outcome::Passed, one(*zone), ""};
    return Finding {TestStage::Outcome::Warning, one(*zone) + ": DATETIME columns cannot be cursors, TIMESTAMP columns can", "SET PERSIST time_zone = '+00:00';"};
}

Result<Finding> readOnly(Connection& connection)
{
    // TRANSACTION READ ONLY is what the session relies on; ask the server whether it took it
    auto taken = connection.query(connection.mariadb() ? "SELECT @@session.tx_read_only" : "SELECT @@session.transaction_read_only");
    if (!taken)
        return std::move(taken).error();
    if (one(*taken) != "1")
        return Error {Fault::Config, "source.mysql.read_only", "the server did not make this session read only", "Use an account that has SELECT alone.", {}};
    return Finding {TestStage::Outcome::Passed, "this session cannot write", ""};
}

Result<Finding> packet(Connection& connection)
{
    auto size = connection.query("SELECT @@max_allowed_packet");
    if (!size)
        return std::move(size).error();
    const double megabytes = std::stod("0" + one(*size)) / (1 << 20);
    const std::string words = "max_allowed_packet " + std::to_string(static_cast<long>(megabytes)) + " MB";
    if (megabytes >= 16)
        return Finding {TestStage::Outcome::Passed, words, ""};
    return Finding {TestStage::Outcome::Warning, words + ": longer rows cannot be read", "SET GLOBAL max_allowed_packet = 67108864;"};
}

} // namespace

TestReport testServer(const Config& config, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop)
{
    TestReport report;
    Stages stages(report, stageDone, stop);
    Greeting greeting;
    std::unique_ptr<Connection> connection;
    std::optional<Error> loginError;

    stages.run("dns", "Host name", [&]() -> Result<Finding> {
        if (!config.socket.empty())
            return Finding {TestStage::Outcome::Passed, "a local socket", ""};
        const auto addresses = resolve(config);
        return addresses ? Result<Finding>(Finding {TestStage::Outcome::Passed, join(*addresses, ", "), ""}) : Result<Finding>(addresses.error());
    });
    stages.run("tcp", "Connection", [&]() -> Result<Finding> {
        auto answer = greet(config, stop);
        if (!answer)
            return std::move(answer).error();
        greeting = std::move(*answer);
        return Finding {TestStage::Outcome::Passed, config.place() + " answers", ""};
    });
    stages.run("tls", "Encryption", [&]() -> Result<Finding> {
        if (config.tls != TlsMode::Disable && !greeting.offersTls)
            return Error {Fault::Auth, "source.mysql.tls", config.place() + " offers no encryption; nothing was sent to it",
                          "Switch TLS on at the server, or write tls=disable if the way there is safe.", {}};
        auto opened = Connection::open(config);                       // one step for the library: its failure belongs here or to the login
        if (opened)
            connection = std::move(*opened);
        else if (opened.error().id == "source.mysql.tls")
            return std::move(opened).error();
        else
            loginError = std::move(opened).error();
        if (config.tls == TlsMode::Disable)
            return Finding {TestStage::Outcome::Passed, "none (tls=disable)", ""};
        return Finding {TestStage::Outcome::Passed, connection ? connection->cipher() : std::string("offered"), ""};
    });
    stages.run("login", "Login", [&]() -> Result<Finding> {
        if (loginError)
            return *loginError;
        return Finding {TestStage::Outcome::Passed, "as " + (config.user.empty() ? std::string("the anonymous user") : config.user), ""};
    });
    stages.run("privileges", "Privileges", [&] { return privileges(*connection); });
    stages.run("server", "Server", [&]() -> Result<Finding> {
        report.server = {connection->mariadb() ? "mariadb" : "mysql", connection->version()};
        return Finding {TestStage::Outcome::Passed, (connection->mariadb() ? "MariaDB " : "MySQL ") + report.server.version, ""};
    });
    stages.run("read_only", "Read only", [&] { return readOnly(*connection); });
    stages.run("clock", "Clock and zone", [&] { return clock(*connection); });
    stages.run("packet", "Largest packet", [&] { return packet(*connection); });
    return report;
}

} // namespace millrace::mysql
