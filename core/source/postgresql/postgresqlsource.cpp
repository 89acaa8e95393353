#include "core/source/postgresql/postgresqlsource.h"
#include "core/source/postgresql/catalog.h"
#include "core/source/postgresql/config.h"
#include "core/source/postgresql/poll.h"
#include "core/source/postgresql/proof.h"
#include "core/source/postgresql/servertest.h"
#include "core/source/postgresql/sqltext.h"
#include "core/source/postgresql/tablesnapshot.h"

namespace millrace {

namespace postgresql {

namespace {

Error refused(const TablePlan& plan, std::string id, std::string detail, std::string fix)
{ return Error {Fault::Config, "source.postgresql." + std::move(id), std::move(detail), std::move(fix), {}}.in(plan.label); }

class PostgresqlSource final : public Source {
public:
    explicit PostgresqlSource(Config config) : m_config(std::move(config)) {}

    Result<ServerInfo> server() override
    {
        auto connection = control();
        if (!connection)
            return std::move(connection).error();
        return ServerInfo {"postgresql", (*connection)->version()};
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
        return Catalog(**connection).table(table);
    }

    Result<> preflight(const TablePlan& plan) override
    {
        auto connection = control();
        if (!connection)
            return std::move(connection).error();
        Catalog catalog(**connection);
        for (const std::string* column : {&plan.cursor, &plan.softDelete})
            if (!column->empty())
                if (const auto found = catalog.column(plan.table, *column); !found)
                    return found.error();
        if (!plan.where.empty())
            if (auto ok = (*connection)->query("SELECT 1 FROM " + quotedName(plan.table) + " WHERE " + condition(plan.where) + " LIMIT 0"); !ok)
                return refused(plan, "where", "`where` is not a condition on this table: " + ok.error().detail,
                               "Correct `where`. Functions and types outside pg_catalog are written with their schema.");
        if (plan.strategy == Strategy::Full)
            return {};
        if (plan.strategy != Strategy::Timestamp)
            return refused(plan, "strategy", "strategy " + std::string(strategyName(plan.strategy)) + " is not available for PostgreSQL yet", "Use `timestamp` or `full`.");
        return preflightTimestamp(catalog, plan);
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
    Result<Connection*> control()
    {
        // alive() alone would believe in a connection that the server ended while nobody looked
        if (m_control && m_control->alive() && m_control->exec("SELECT 1"))
            return m_control.get();
        auto opened = Connection::open(m_config);
        if (!opened)
            return std::move(opened).error();
        m_control = std::move(*opened);
        return m_control.get();
    }

    Result<> usableTime(Catalog& catalog, const TablePlan& plan, const TableRef& table, const std::string& name) const
    {
        const auto column = catalog.column(table, name);
        if (!column)
            return column.error();
        if (column->type == Type::Timestamp)
            return {};
        if (column->type != Type::DateTime)
            return refused(plan, "cursor_type", name + " is " + column->nativeType + "; a cursor by time is a timestamp, best with time zone", "Choose another cursor, or `strategy: full`.");
        const auto utc = catalog.serverInUtc();
        if (!utc)
            return utc.error();
        if (!*utc)
            return refused(plan, "local_time_cursor", name + " is a timestamp without time zone, and sessions here are not in UTC: when the clock goes back an hour, rows would be lost",
                           "Use a `timestamp with time zone` column, set the database's timezone to UTC, or use `strategy: full`.");
        return {};
    }

    Result<> preflightTimestamp(Catalog& catalog, const TablePlan& plan) const
    {
        if (plan.keyless())
            return refused(plan, "no_key", "strategy timestamp needs a key to match rows by", "Name the `key`, or use `strategy: full`.");
        if (plan.cursor.empty())
            return refused(plan, "no_cursor", "strategy timestamp needs a cursor column", "Name the `cursor`, or use `strategy: full`.");
        const auto standby = catalog.inRecovery();
        if (!standby)
            return standby.error();
        if (*standby)
            return refused(plan, "standby", m_config.place() + " is a standby: the primary's open transactions cannot be seen here, so late commits would be lost",
                           "Connect to the primary, or use `strategy: full`.");
        if (auto ok = usableTime(catalog, plan, plan.table, plan.cursor); !ok || !plan.deletedRows)
            return ok;
        if (plan.schema->key.size() != 1)
            return refused(plan, "deleted_rows", "deleted_rows needs a key of one column", "Use `reconcile`, or `strategy: full`.");
        if (const auto key = catalog.column(deletedTable(plan), plan.deletedRows->key); !key)
            return key.error();
        return usableTime(catalog, plan, deletedTable(plan), plan.deletedRows->at);
    }

    Config m_config;
    std::unique_ptr<Connection> m_control;
};

FieldSpec field(std::string key, FieldSpec::Kind kind, std::string label, std::string placeholder, bool required = false)
{
    FieldSpec f;
    f.key = std::move(key);
    f.kind = kind;
    f.label = std::move(label);
    f.placeholder = std::move(placeholder);
    f.required = required;
    return f;
}

FieldSpec option(std::string key, FieldSpec::Kind kind, std::string label, std::string help, std::string group, std::string value = {})
{
    FieldSpec f = field(std::move(key), kind, std::move(label), {});
    f.help = std::move(help);
    f.group = std::move(group);
    f.defaultValue = std::move(value);
    f.option = true;
    return f;
}

} // namespace

} // namespace postgresql

ConnectorSpec postgresqlSpec()
{
    using Kind = FieldSpec::Kind;
    using postgresql::field, postgresql::option;
    ConnectorSpec spec;
    spec.id = "postgresql";
    spec.label = "PostgreSQL";
    spec.schemes = {"postgres"};
    spec.source = true;
    spec.defaultPort = 5432;
    spec.fields = {field("host", Kind::Host, "Host", "localhost"), field("port", Kind::Port, "Port", "5432"), field("user", Kind::User, "User", "reader", true),
                   field("password", Kind::Secret, "Password", ""), field("database", Kind::Database, "Database", "", true)};
    FieldSpec tls = option("tls", Kind::Choice, "Encryption", "verify-full checks the certificate and the name; local connections need none.", "tls");
    tls.choices = {"verify-full", "verify-ca", "require", "disable"};
    spec.fields.push_back(std::move(tls));
    spec.fields.push_back(option("tls_ca", Kind::File, "Certificate authority", "PEM file of the authority that signed the server's certificate.", "tls"));
    spec.fields.push_back(option("tls_cert", Kind::File, "Client certificate", "PEM file, for accounts that log in by certificate.", "tls"));
    spec.fields.push_back(option("tls_key", Kind::File, "Client key", "PEM file that belongs to the client certificate.", "tls"));
    spec.fields.push_back(option("schema", Kind::Text, "Schema", "Leave empty for all schemas of the database.", "advanced"));
    spec.fields.push_back(option("host", Kind::File, "Socket folder", "Folder of the server's local socket, instead of host and port.", "advanced"));
    spec.fields.push_back(option("port", Kind::Text, "Socket port", "The port that the local socket is named by.", "advanced", "5432"));
    spec.fields.push_back(option("connect_timeout", Kind::Text, "Connect time-out", "Seconds until a connection attempt is given up.", "advanced", "10"));
    spec.fields.push_back(option("statement_timeout", Kind::Text, "Statement time-out", "Seconds that one statement may take on the server.", "advanced", "900"));
    spec.fields.push_back(option("lock_timeout", Kind::Text, "Lock time-out", "Seconds that a read waits for a schema change to end.", "advanced", "30"));
    return spec;
}

Result<std::unique_ptr<Source>> openPostgresql(const ConnectionParams& params)
{
    auto config = postgresql::configFrom(params);
    if (!config)
        return std::move(config).error().in("connection " + params.name);
    return std::unique_ptr<Source>(std::make_unique<postgresql::PostgresqlSource>(std::move(*config)));
}

} // namespace millrace
