#pragma once
#include "core/data/value.h"
#include "core/source/sqlite/sqlitesource.h"
#include <QTemporaryDir>
#include <QtTest>
#include <atomic>
#include <map>
#include <sqlite3.h>

namespace millrace::test {

//! The application's side: a database file of its own, written through one connection.
class SqliteFile {
public:
    explicit SqliteFile(const std::string& name = "app.db") : m_path((m_folder.path() + "/").toStdString() + name) { m_db = open(); }
    ~SqliteFile() { sqlite3_close_v2(m_db); }
    const std::string& path() const { return m_path; }
    sqlite3* db() const { return m_db; }
    sqlite3* open() const
    {
        sqlite3* db = nullptr;
        if (sqlite3_open_v2(m_path.c_str(), &db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr) != SQLITE_OK)
            qFatal("cannot make %s", m_path.c_str());
        return db;
    }
    void exec(const std::string& sql) const { exec(m_db, sql); }
    static void exec(sqlite3* db, const std::string& sql)
    {
        char* words = nullptr;
        if (sqlite3_exec(db, sql.c_str(), nullptr, nullptr, &words) != SQLITE_OK)
            qFatal("%s: %s", sql.c_str(), words);
    }
    ConnectionParams params() const
    {
        ConnectionParams params;
        params.name = "app";
        params.url.scheme = "sqlite";
        params.url.path = m_path;
        return params;
    }
    std::unique_ptr<Source> source(std::shared_ptr<const Clock> clock = nullptr) const
    {
        auto opened = openSqlite(params(), std::move(clock));
        if (!opened) qFatal("%s", opened.error().detail.c_str());
        return std::move(*opened);
    }
private:
    QTemporaryDir m_folder;
    std::string m_path;
    sqlite3* m_db = nullptr;
};

class HandClock final : public Clock {
public:
    explicit HandClock(std::int64_t now) : ms(now) {}
    std::int64_t nowMs() const override { return ms; }
    std::int64_t steadyUs() const override { return ms * 1000; }
    bool wait(std::chrono::milliseconds, std::stop_token stop) const override { return !stop.stop_requested(); }
    std::atomic<std::int64_t> ms;
};

struct PlanWith {
    std::string cursor{}, softDelete{}, where{};
    std::optional<DeletedRows> deletedRows{};
    std::int64_t overlapMs = 2000;
    std::vector<std::string> key{};
    ValuePolicy policy = ValuePolicy::Null;
};

inline TablePlanPtr planOf(Source& source, const std::string& table, const PlanWith& with = {})
{
    auto info = source.describe({"main", table});
    if (!info) qFatal("%s", info.error().detail.c_str());
    auto plan = std::make_shared<TablePlan>();
    plan->table = {"main", table};
    plan->label = table;
    plan->kind = info->kind;
    auto schema = std::make_shared<Schema>();
    schema->table = table;
    const auto& key = with.key.empty() ? info->key : with.key;
    for (const ColumnInfo& c : info->columns) {
        Column column;
        column.source = column.name = c.name;
        column.type = c.type;
        column.scale = c.scale;
        column.precision = c.precision;
        column.nativeType = c.nativeType;
        schema->columns.push_back(column);
        plan->policies.push_back(with.policy);
    }
    for (const auto& name : key)
        for (std::uint32_t i = 0; i < schema->columns.size(); ++i)
            if (schema->columns[i].source == name) {
                schema->key.push_back(i);
                schema->columns[i].key = true;
            }
    plan->schema = schema;
    plan->strategy = with.cursor.empty() ? Strategy::Full : Strategy::Timestamp;
    plan->cursor = with.cursor;
    plan->softDelete = with.softDelete;
    plan->where = with.where;
    plan->deletedRows = with.deletedRows;
    plan->overlapMs = with.overlapMs;
    return plan;
}

//! What came out of a reader, in order, in words: "{1,\"a\"}" upsert, "-1" delete by key, "!1 source.sqlite.x" rejected.
struct Heard {
    std::vector<std::string> rows;
    Position upTo{};
    std::uint64_t coerced = 0;
    std::optional<Error> error{};
    std::size_t batches = 0;
};

inline void note(const Batch& batch, Heard& out)
{
    std::map<std::uint32_t, std::string> rejected;
    for (const auto& failure : batch.rejected())
        rejected[failure.row] = failure.error.id;
    for (std::uint32_t i = 0; i < batch.rows(); ++i) {
        if (rejected.contains(i))
            out.rows.push_back("!" + keyText(batch.schema(), batch.row(i)) + " " + rejected[i]);
        else if (batch.op(i) == Op::Delete)
            out.rows.push_back("-" + keyText(batch.schema(), batch.row(i)));
        else if (batch.op(i) == Op::Upsert) {
            std::string text = "{";
            for (const Cell& cell : batch.row(i)) {
                if (text.size() > 1) text += ',';
                appendJson(text, cell);
            }
            out.rows.push_back(text + "}");
        }
    }
    out.coerced += batch.coerced;
}

//! Reads to the end; `between` runs after each batch and may stop the reading by returning false.
inline Heard hear(BatchReader& reader, const TablePlanPtr& plan, std::size_t maxRows = 1000, const std::function<bool(const Heard&)>& between = {})
{
    Heard out;
    for (;;) {
        Batch batch(plan->schema);
        auto state = reader.read(batch, maxRows, {});
        if (!state) {
            out.error = state.error();
            return out;
        }
        note(batch, out);
        out.upTo = batch.upTo;
        ++out.batches;
        if (*state == ReadState::End || (between && !between(out)))
            return out;
    }
}

inline Heard copyOf(Source& source, const TablePlanPtr& plan, std::size_t maxRows = 1000, const KeyRange& range = {})
{
    auto snapshot = source.snapshot(plan);
    if (!snapshot) return {{}, {}, 0, snapshot.error()};
    auto reader = (*snapshot)->read(range);
    if (!reader) return {{}, {}, 0, reader.error()};
    return hear(**reader, plan, maxRows);
}

inline Heard changesOf(Source& source, const TablePlanPtr& plan, const Position& from, std::size_t maxRows = 1000)
{
    auto reader = source.changes(plan, from);
    if (!reader) return {{}, {}, 0, reader.error()};
    return hear(**reader, plan, maxRows);
}

inline Heard proofOf(Source& source, const TablePlanPtr& plan, const std::vector<std::vector<Cell>>& keys = {}, std::size_t maxRows = 1000)
{
    auto reader = source.proof(plan, keys);
    if (!reader) return {{}, {}, 0, reader.error()};
    return hear(**reader, plan, maxRows);
}

} // namespace millrace::test
