#include "core/source/sqlite/sqlitesource.h"
#include "core/base/text.h"
#include "core/source/sqlite/catalog.h"
#include "core/source/sqlite/config.h"
#include "core/source/sqlite/poll.h"
#include "core/source/sqlite/proof.h"
#include "core/source/sqlite/reader.h"
#include "core/source/sqlite/test.h"
#include "core/source/sqlite/view.h"

namespace millrace {

namespace {

using namespace sqlitesource;

class SqliteSource final : public Source {
public:
    SqliteSource(Config config, std::shared_ptr<const Clock> clock) : m_config(std::move(config)), m_clock(std::move(clock)) {}

    Result<ServerInfo> server() override
    {
        if (auto open = connection(); !open)
            return std::move(open).error();
        return ServerInfo{"sqlite", sqlite3_libversion()};
    }

    TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token stop) override { return testFile(m_config, stageDone, stop); }

    Result<std::vector<TableInfo>> discover(std::string_view glob, std::stop_token stop) override
    {
        auto open = connection();
        if (!open)
            return std::move(open).error();
        const Cancel cancel(**open, stop);
        // All tables are needed for the recommendations: a foreign key of one is a warning for the other.
        auto tables = readCatalog(**open, {});
        if (!tables)
            return std::move(tables).error();
        recommend(*tables);
        for (TableInfo& table : *tables)
            warn(table);
        if (!glob.empty())
            std::erase_if(*tables, [&](const TableInfo& t) { return !globMatches(glob, t.ref.name) && !globMatches(glob, t.ref.schema + "." + t.ref.name); });
        return tables;
    }

    Result<TableInfo> describe(const TableRef& table) override
    {
        auto open = connection();
        if (!open)
            return std::move(open).error();
        auto found = readTable(**open, table);
        if (!found)
            return std::move(found).error();
        std::vector<TableInfo> one{std::move(*found)};
        recommend(one);
        warn(one[0]);
        return std::move(one[0]);
    }

    Result<> preflight(const TablePlan& plan) override
    {
        auto shared = std::make_shared<TablePlan>(plan);
        auto snapshot = openSnapshot(m_config, shared);          // the table is there and has the plan's shape
        if (!snapshot)
            return std::move(snapshot).error();
        auto open = connection();
        if (!open)
            return std::move(open).error();
        if (!plan.where.empty()) {
            auto filter = (*open)->prepare("SELECT (" + plan.where + "\n) FROM main." + quotedName(plan.table.name));
            if (!filter)
                return Error{Fault::Config, "source.sqlite.filter", "table " + plan.label + ": the filter is not valid here: " + filter.error().detail,
                             "Correct `where`: one SQL expression over the table's columns.", {}};
        }
        if (!plan.softDelete.empty()) {
            auto table = readTable(**open, plan.table);
            if (!table)
                return std::move(table).error();
            if (!table->column(plan.softDelete))
                return Error{Fault::Config, "source.sqlite.soft_delete", "table " + plan.label + " has no column '" + plan.softDelete + "'.", "Correct `soft_delete`.", {}};
        }
        if (auto apart = checkKeyTimes(**open, plan); !apart)
            return apart;
        return plan.strategy == Strategy::Timestamp ? checkCursors(m_config, plan) : Result<>();
    }

    Result<Position> mark(const TablePlan& plan) override
    {
        return plan.strategy == Strategy::Timestamp ? markTable(m_config, plan, *m_clock) : Position{"{}"};
    }

    Result<std::unique_ptr<Snapshot>> snapshot(TablePlanPtr plan) override { return openSnapshot(m_config, std::move(plan)); }

    Result<std::unique_ptr<BatchReader>> changes(TablePlanPtr plan, const Position& from) override
    {
        if (plan->strategy != Strategy::Timestamp)
            return Error{Fault::Usage, "source.sqlite.strategy", "table " + plan->label + ": only the strategy timestamp has changes to read.", {}, {}};
        return openPoll(m_config, std::move(plan), from, m_clock);
    }

    Result<std::unique_ptr<BatchReader>> proof(TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys) override
    {
        return openProof(m_config, std::move(plan), keys);
    }

private:
    static void warn(TableInfo& table)
    {
        for (const auto& name : table.primaryKey)
            if (const ColumnInfo* column = table.column(name); column && column->nullable && table.kind == TableKind::Table) {
                table.warnings.push_back({"nullable_key", "the key column " + name + " may be NULL: such rows are parked", {name}});
                return;
            }
    }

    //! '2026-11-21 03:30:41' and '2026-11-21T03:30:41' are two keys in the file and one moment in a target.
    static Result<> checkKeyTimes(Connection& connection, const TablePlan& plan)
    {
        for (const auto i : plan.schema->key) {
            const Column& column = plan.schema->columns[i];
            if (column.type != Type::DateTime && column.type != Type::Timestamp)
                continue;
            const std::string sign = "substr(" + quotedName(plan.table.name) + "." + quotedName(column.source) + ", 11, 1)";
            auto both = connection.word("SELECT count(DISTINCT " + sign + ") FROM main." + quotedName(plan.table.name) + " WHERE " + sign + " IN (' ', 'T')");
            if (!both)
                return std::move(both).error();
            if (*both == "2")
                return Error{Fault::Config, "source.sqlite.key_times", "table " + plan.label + ": the key column " + column.source + " has times written with ' ' and with 'T', which would meet in one document.",
                             "Write them in one way, or choose another key.", {}};
        }
        return {};
    }

    Result<Connection*> connection()
    {
        if (!m_connection) {
            auto opened = Connection::open(m_config.path, m_config.busyTimeout);
            if (!opened)
                return std::move(opened).error();
            m_connection = std::move(*opened);
        }
        return m_connection.get();
    }

    Config m_config;
    std::shared_ptr<const Clock> m_clock;
    std::unique_ptr<Connection> m_connection;
};

} // namespace

Result<std::unique_ptr<Source>> openSqlite(const ConnectionParams& params, std::shared_ptr<const Clock> clock)
{
    auto config = readConfig(params);
    if (!config)
        return std::move(config).error();
    if (!clock)
        clock = std::make_shared<SystemClock>();
    return std::unique_ptr<Source>(std::make_unique<SqliteSource>(std::move(*config), std::move(clock)));
}

} // namespace millrace
