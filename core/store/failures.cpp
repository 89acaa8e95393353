#include "core/store/storeimpl.h"
#include "core/base/node.h"

namespace millrace {

namespace {

//! A parked row is kept to be looked at; one with a huge cell must not fill the disk.
constexpr std::size_t documentBytes = 256 * 1024;

std::string cut(const std::string& document)
{
    if (document.size() <= documentBytes)
        return document;
    std::size_t end = documentBytes;
    while (end > 0 && (static_cast<unsigned char>(document[end]) & 0xC0) == 0x80)
        --end;                                     // not in the middle of a character
    return document.substr(0, end) + "\xE2\x80\xA6";
}

} // namespace

Result<> SqliteStore::park(std::span<const FailedRow> rows)
{
    if (rows.empty())
        return {};
    const std::int64_t now = m_clock.nowMs();
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        Query query(db, "INSERT INTO failures (sync, table_name, key, cause, detail, fix, column_name, document, position, first_ms, last_ms, tries, run)"
                        " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
                        " ON CONFLICT (sync, table_name, key, cause) DO UPDATE SET detail = excluded.detail, fix = excluded.fix,"
                        " column_name = excluded.column_name, document = excluded.document, position = excluded.position,"
                        " last_ms = max(last_ms, excluded.last_ms), tries = tries + 1, run = excluded.run");
        for (const FailedRow& row : rows) {
            const std::int64_t first = row.firstMs > 0 ? row.firstMs : now, last = std::max(first, row.lastMs);
            if (auto done = query.text(row.sync).text(row.table).text(row.key).text(row.cause).text(row.detail).text(row.fix).text(row.column)
                                .text(cut(row.document)).text(row.position).number(first).number(last)
                                .number(std::int64_t(std::max(row.tries, 1u))).number(row.run).exec(); !done)
                return done;
        }
        return {};
    });
}

Result<std::vector<FailedRow>> SqliteStore::failures(std::string_view sync, std::string_view table, std::string_view cause, std::string_view key)
{
    using Rows = std::vector<FailedRow>;
    return m_database->read([&](QSqlDatabase& db) -> Result<Rows> {
        Query query(db, "SELECT id, sync, table_name, key, cause, detail, fix, column_name, document, position, first_ms, last_ms, tries, run FROM failures"
                        " WHERE (? = '' OR sync = ?) AND (? = '' OR table_name = ?) AND (? = '' OR cause = ?) AND (? = '' OR key = ?) ORDER BY id");
        if (auto done = query.text(sync).text(sync).text(table).text(table).text(cause).text(cause).text(key).text(key).exec(); !done)
            return std::move(done).error();
        Rows out;
        while (query.next()) {
            FailedRow row;
            row.id = query.numberAt(0);
            row.sync = query.textAt(1);
            row.table = query.textAt(2);
            row.key = query.textAt(3);
            row.cause = query.textAt(4);
            row.detail = query.textAt(5);
            row.fix = query.textAt(6);
            row.column = query.textAt(7);
            row.document = query.textAt(8);
            row.position = query.textAt(9);
            row.firstMs = query.numberAt(10);
            row.lastMs = query.numberAt(11);
            row.tries = static_cast<std::uint32_t>(query.numberAt(12));
            row.run = query.numberAt(13);
            out.push_back(std::move(row));
        }
        if (auto done = query.ended(); !done)
            return std::move(done).error();
        return out;
    });
}

Result<> SqliteStore::removeFailures(std::string_view sync, std::string_view table, const std::vector<std::string>& keys)
{
    if (keys.empty())
        return {};
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        Query query(db, "DELETE FROM failures WHERE sync = ? AND table_name = ? AND key = ?");
        for (const std::string& key : keys)
            if (auto done = query.text(sync).text(table).text(key).exec(); !done)
                return done;
        return {};
    });
}

Result<> SqliteStore::removeFailuresBefore(std::string_view sync, std::string_view table, RunId run)
{
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        Query query(db, "DELETE FROM failures WHERE sync = ? AND table_name = ? AND run < ?");
        return query.text(sync).text(table).number(run).exec();
    });
}

Result<std::uint64_t> SqliteStore::discardFailures(std::string_view sync, std::string_view cause, std::string_view key, std::string_view actor)
{
    return m_database->write([&](QSqlDatabase& db) -> Result<std::uint64_t> {
        Query query(db, "DELETE FROM failures WHERE sync = ? AND (? = '' OR cause = ?) AND (? = '' OR key = ?)");
        if (auto done = query.text(sync).text(cause).text(cause).text(key).text(key).exec(); !done)
            return std::move(done).error();
        const std::uint64_t count = query.changed();
        if (count > 0) {
            Node what = Node::map({{"rows", count}});
            if (!cause.empty())
                what.set("cause", cause);
            if (!key.empty())
                what.set("key", key);
            if (auto noted = note(db, actor, "failures.discarded", sync, what.json(), ""); !noted)
                return std::move(noted).error();
        }
        return count;
    });
}

} // namespace millrace
