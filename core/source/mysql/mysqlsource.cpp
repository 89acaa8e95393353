#include "core/source/mysql/mysqlsource.h"
#include "core/base/text.h"
#include "core/source/mysql/catalog.h"
#include "core/source/mysql/config.h"
#include "core/source/mysql/nativetype.h"
#include "core/source/mysql/pagedquery.h"
#include "core/source/mysql/poll.h"
#include "core/source/mysql/proof.h"
#include "core/source/mysql/servertest.h"
#include "core/source/mysql/tablesnapshot.h"

namespace millrace {

namespace mysql {

namespace {

FieldSpec option(std::string key, FieldSpec::Kind kind, std::string label, std::string help, std::string group)
{
    FieldSpec field;
    field.key = std::move(key);
    field.kind = kind;
    field.label = std::move(label);
    field.help = std::move(help);
    field.group = std::move(group);
    field.option = true;
    return field;
}

Error refused(const TablePlan& plan, std::string id, std::string detail, std::string fix)
{ return Error {Fault::Config, "source.mysql." + std::move(id), std::move(detail), std::move(fix), {}}.in(plan.label); }

class MysqlSource final : public Source {
public:
    explicit MysqlSource(Config config) : m_config(std::move(config)) {}

    Result<ServerInfo> server() override
    {
        auto connection = control();
        if (!connection)
            return std::move(connection).error();
        return ServerInfo {(*connection)->mariadb() ? "mariadb" : "mysql", (*connection)->version()};
    }

    TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override { return testServer(m_config, stageDone, stop); }

    Result<std::vector<TableInfo>> discover(std::string_view glob, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return cancelled();
        auto connection = control();
        if (!connection)
            return std::move(connection).error();
        Interruptible guard(**connection, stop);
        auto tables = Catalog(**connection).tables(glob);
        if (tables)
            return tables;
        return guard.finish(std::move(tables).error());
    }

    Result<TableInfo> describe(const TableRef& table) override
    {
        auto connection = control();
        if (!connection)
            return std::move(connection).error();
        return Catalog(**connection).table(inDatabase(table));
    }

    Result<> preflight(const TablePlan& plan) override
    {
        auto connection = control();
        if (!connection)
            return std::move(connection).error();
        Catalog catalog(**connection);
        for (const std::string* column : {&plan.cursor, &plan.softDelete})
            if (!column->empty())
                if (const auto type = catalog.columnType(plan.table, *column); !type)
                    return type.error();
        if (!plan.where.empty())
            if (auto ok = (*connection)->exec("SELECT 1 FROM " + quotedName(plan.table) + " WHERE " + PagedQuery::condition(plan.where) + " LIMIT 0"); !ok)
                return refused(plan, "where", "`where` is not a condition on this table: " + ok.error().detail, "Correct `where`.");
        if (plan.strategy == Strategy::Full)
            return {};
        if (plan.strategy != Strategy::Timestamp)
            return refused(plan, "strategy", "strategy " + std::string(strategyName(plan.strategy)) + " is not available for MySQL yet", "Use `timestamp` or `full`.");
        return preflightTimestamp(**connection, plan);
    }

    Result<Position> mark(const TablePlan& plan) override
    {
        if (plan.strategy != Strategy::Timestamp)
            return Position {};
        return markNow(m_config);
    }

    Result<std::unique_ptr<Snapshot>> snapshot(TablePlanPtr plan) override { return TableSnapshot::open(m_config, std::move(plan)); }
    Result<std::unique_ptr<BatchReader>> changes(TablePlanPtr plan, const Position& from) override { return openPoll(m_config, std::move(plan), from); }
    Result<std::unique_ptr<BatchReader>> proof(TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys) override { return openProof(m_config, std::move(plan), keys); }

private:
    TableRef inDatabase(const TableRef& table) const { return table.schema.empty() ? TableRef {m_config.database, table.name} : table; }

    Result<Connection*> control()
    {
        if (m_control && mysql_ping(m_control->handle()) == 0)
            return m_control.get();
        auto opened = Connection::open(m_config);
        if (!opened)
            return std::move(opened).error();
        m_control = std::move(*opened);
        return m_control.get();
    }

    Result<> usableTime(Connection& connection, const TablePlan& plan, const TableRef& table, const std::string& column) const
    {
        Catalog catalog(connection);
        const auto type = catalog.columnType(table, column);
        if (!type)
            return type.error();
        const std::string base = parseNativeType(*type).base;
        if (base == "timestamp")
            return {};
        if (base != "datetime")
            return refused(plan, "cursor_type", column + " is " + *type + "; a cursor by time is a TIMESTAMP or a DATETIME", "Choose another cursor, or `strategy: full`.");
        const auto utc = catalog.serverInUtc();
        if (!utc)
            return utc.error();
        if (!*utc)
            return refused(plan, "local_time_cursor", column + " is a DATETIME, and the server's zone is not UTC: when its clock goes back an hour, rows would be lost",
                           "Use a TIMESTAMP column, set the server's time_zone to '+00:00', or use `strategy: full`.");
        return {};
    }

    Result<> preflightTimestamp(Connection& connection, const TablePlan& plan) const
    {
        if (plan.keyless())
            return refused(plan, "no_key", "strategy timestamp needs a key to match rows by", "Name the `key`, or use `strategy: full`.");
        if (plan.cursor.empty())
            return refused(plan, "no_cursor", "strategy timestamp needs a cursor column", "Name the `cursor`, or use `strategy: full`.");
        if (auto ok = usableTime(connection, plan, plan.table, plan.cursor); !ok || !plan.deletedRows)
            return ok;
        if (plan.schema->key.size() != 1)
            return refused(plan, "deleted_rows", "deleted_rows needs a key of one column", "Use `reconcile`, or `strategy: full`.");
        const auto dot = plan.deletedRows->table.find('.');
        const TableRef deleted = dot == std::string::npos ? TableRef {plan.table.schema, plan.deletedRows->table}
                                                          : TableRef {plan.deletedRows->table.substr(0, dot), plan.deletedRows->table.substr(dot + 1)};
        if (const auto key = Catalog(connection).columnType(deleted, plan.deletedRows->key); !key)
            return key.error();
        return usableTime(connection, plan, deleted, plan.deletedRows->at);
    }

    Config m_config;
    std::unique_ptr<Connection> m_control;
};

} // namespace

} // namespace mysql

ConnectorSpec mysqlSpec(bool mariadb)
{
    using Kind = FieldSpec::Kind;
    const auto field = [](std::string key, Kind kind, std::string label, std::string placeholder, bool required) {
        FieldSpec f;
        f.key = std::move(key);
        f.kind = kind;
        f.label = std::move(label);
        f.placeholder = std::move(placeholder);
        f.required = required;
        return f;
    };
    ConnectorSpec spec;
    spec.id = mariadb ? "mariadb" : "mysql";
    spec.label = mariadb ? "MariaDB" : "MySQL";
    spec.schemes = {spec.id};
    spec.source = true;
    spec.defaultPort = 3306;
    spec.fields = {field("host", Kind::Host, "Host", "localhost", false), field("port", Kind::Port, "Port", "3306", false), field("user", Kind::User, "User", "reader", true),
                   field("password", Kind::Secret, "Password", "", false), field("database", Kind::Database, "Database", "all databases", false)};
    spec.fields[4].help = "Leave empty for all databases of the server; tables are then named database.table.";
    FieldSpec tls = mysql::option("tls", Kind::Choice, "Encryption", "verify-full checks the certificate and the name; local connections need none.", "tls");
    tls.choices = {"verify-full", "verify-ca", "require", "disable"};
    spec.fields.push_back(std::move(tls));
    spec.fields.push_back(mysql::option("tls_ca", Kind::File, "Certificate authority", "PEM file of the authority that signed the server's certificate.", "tls"));
    spec.fields.push_back(mysql::option("tls_cert", Kind::File, "Client certificate", "PEM file, for accounts that log in by certificate.", "tls"));
    spec.fields.push_back(mysql::option("tls_key", Kind::File, "Client key", "PEM file that belongs to the client certificate.", "tls"));
    spec.fields.push_back(mysql::option("socket", Kind::File, "Socket", "Path of the server's local socket, instead of host and port.", "advanced"));
    FieldSpec timeout = mysql::option("connect_timeout", Kind::Text, "Connect time-out", "Seconds until a connection attempt is given up.", "advanced");
    timeout.defaultValue = "10";
    spec.fields.push_back(std::move(timeout));
    return spec;
}

Result<std::unique_ptr<Source>> openMysql(const ConnectionParams& params)
{
    auto config = mysql::configFrom(params);
    if (!config)
        return std::move(config).error().in("connection " + params.name);
    return std::unique_ptr<Source>(std::make_unique<mysql::MysqlSource>(std::move(*config)));
}

} // namespace millrace
