#include "core/store/storeimpl.h"
#include <algorithm>

namespace millrace {

namespace {

State stateFrom(const std::string& name)
{
    for (int i = 0; i <= static_cast<int>(State::Unknown); ++i)
        if (stateName(static_cast<State>(i)) == name)
            return static_cast<State>(i);
    return State::Unknown;
}

Strategy strategyFrom(const std::string& name)
{
    for (int i = 0; i <= static_cast<int>(Strategy::Push); ++i)
        if (strategyName(static_cast<Strategy>(i)) == name)
            return static_cast<Strategy>(i);
    return Strategy::Full;
}

} // namespace

Result<std::optional<Checkpoint>> SqliteStore::checkpoint(std::string_view sync, std::string_view table)
{
    using Found = std::optional<Checkpoint>;
    return m_database->read([&](QSqlDatabase& db) -> Result<Found> {
        Query query(db, "SELECT state FROM checkpoints WHERE sync = ? AND table_name = ?");
        if (auto done = query.text(sync).text(table).exec(); !done)
            return std::move(done).error();
        Found out;
        if (query.next())
            out = Checkpoint{std::string(sync), std::string(table), query.textAt(0)};
        if (auto done = query.ended(); !done)
            return std::move(done).error();           // "none" would start the table over
        return out;
    });
}

// Invariant 1: on disk when this returns, and only then may a source be told. One transaction, one fsync for all.
Result<> SqliteStore::commit(std::span<const Checkpoint> checkpoints)
{
    if (checkpoints.empty())
        return {};
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        Query query(db, "INSERT INTO checkpoints (sync, table_name, state) VALUES (?, ?, ?)"
                        " ON CONFLICT (sync, table_name) DO UPDATE SET state = excluded.state");
        for (const Checkpoint& checkpoint : checkpoints)
            if (auto done = query.text(checkpoint.sync).text(checkpoint.table).text(checkpoint.state).exec(); !done)
                return done;
        return {};
    });
}

Result<> SqliteStore::forget(std::string_view sync, std::string_view table)
{
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        if (table.empty()) {
            Query query(db, "DELETE FROM checkpoints WHERE sync = ?");
            return query.text(sync).exec();
        }
        Query query(db, "DELETE FROM checkpoints WHERE sync = ? AND table_name = ?");
        return query.text(sync).text(table).exec();
    });
}

Result<std::uint64_t> SqliteStore::epoch(std::string_view sync)
{
    return m_database->read([&](QSqlDatabase& db) -> Result<std::uint64_t> {
        Query query(db, "SELECT epoch FROM epochs WHERE sync = ?");
        if (auto done = query.text(sync).exec(); !done)
            return std::move(done).error();
        const auto epoch = query.next() ? static_cast<std::uint64_t>(query.numberAt(0)) : 0;
        if (auto done = query.ended(); !done)
            return std::move(done).error();
        return epoch;
    });
}

Result<> SqliteStore::saveEpoch(std::string_view sync, std::uint64_t epoch)
{
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        Query query(db, "INSERT INTO epochs (sync, epoch) VALUES (?, ?) ON CONFLICT (sync) DO UPDATE SET epoch = max(epoch, excluded.epoch)");
        return query.text(sync).number(epoch).exec();
    });
}

Result<std::vector<TableStatus>> SqliteStore::statuses(std::string_view sync)
{
    using Statuses = std::vector<TableStatus>;
    return m_database->read([&](QSqlDatabase& db) -> Result<Statuses> {
        Query query(db, "SELECT sync, table_name, container, state, row_count, failed, last_sync_ms, strategy, last_error, last_error_id, verified,"
                        " verified_ms, fingerprint FROM table_status WHERE ? = '' OR sync = ? ORDER BY sync, table_name");
        if (auto done = query.text(sync).text(sync).exec(); !done)
            return std::move(done).error();
        Statuses out;
        while (query.next()) {
            TableStatus status;
            status.sync = query.textAt(0);
            status.table = query.textAt(1);
            status.container = query.textAt(2);
            status.state = stateFrom(query.textAt(3));
            status.rows = static_cast<std::uint64_t>(query.numberAt(4));
            status.failed = static_cast<std::uint64_t>(query.numberAt(5));
            status.lastSyncMs = query.numberAt(6);
            status.strategy = strategyFrom(query.textAt(7));
            status.lastError = query.textAt(8);
            status.lastErrorId = query.textAt(9);
            status.verified = query.textAt(10);
            status.verifiedMs = query.numberAt(11);
            status.fingerprint = query.textAt(12);
            out.push_back(std::move(status));
        }
        if (auto done = query.ended(); !done)
            return std::move(done).error();
        return out;
    });
}

Result<> SqliteStore::saveStatus(const TableStatus& s)
{
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        Query query(db, "INSERT OR REPLACE INTO table_status (sync, table_name, container, state, row_count, failed, last_sync_ms, strategy, last_error,"
                        " last_error_id, verified, verified_ms, fingerprint) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
        return query.text(s.sync).text(s.table).text(s.container).text(stateName(s.state)).number(s.rows).number(s.failed).number(s.lastSyncMs)
            .text(strategyName(s.strategy)).text(s.lastError).text(s.lastErrorId).text(s.verified).number(s.verifiedMs).text(s.fingerprint).exec();
    });
}

} // namespace millrace
