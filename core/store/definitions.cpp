#include "core/base/node.h"
#include "core/base/text.h"
#include "core/engine/connection.h"
#include "core/store/storeimpl.h"

namespace millrace {

namespace {

//! One row of `connections` or `syncs`, as text for the audit; empty: not there.
Result<std::string> definitionOf(const QSqlDatabase& db, const char* sql, std::string_view name)
{
    Query query(db, sql);
    if (auto done = query.text(name).exec(); !done)
        return std::move(done).error();
    std::string out = query.next() ? query.textAt(0) : std::string();
    if (auto done = query.ended(); !done)
        return std::move(done).error();
    return out;
}

constexpr const char* connectionSql = "SELECT definition FROM connections WHERE name = ?";
constexpr const char* syncSql = "SELECT definition FROM syncs WHERE name = ?";

Error unreadableDefinition(const std::string& what, const std::string& name, const Error& why)
{
    return {Fault::Config, "store.definition", what + " '" + name + "' in the store cannot be read: " + why.detail,
            "Remove it and add it again."};
}

//! Belt and braces for Invariant 10: a password that slipped into a URL would be kept in clear, and in the audit for ever.
Result<> withoutSecret(const ConnectionDef& def)
{
    Secret password;
    const auto url = parseUrl(def.url, &password);
    if (url && !password.empty())
        return Error{Fault::Internal, "store.secret_in_url", "The URL of connection '" + def.name + "' still holds a password", {}};
    return {};
}

//! Written once, it could not be read again, and neither could all others in the list.
Result<> storable(const std::string& what, const std::string& name, const std::string& definition)
{
    if (validUtf8(definition) && validUtf8(name))
        return {};
    return Error{Fault::Config, "store.not_utf8", what + " '" + name + "' has bytes that are not UTF-8 text", "Enter it in UTF-8."};
}

Result<> eraseRows(const QSqlDatabase& db, std::initializer_list<const char*> statements, std::string_view name)
{
    for (const char* sql : statements) {
        Query query(db, sql);
        if (auto done = query.text(name).exec(); !done)
            return done;
    }
    return {};
}

} // namespace

Result<std::vector<ConnectionDef>> SqliteStore::connections()
{
    using Defs = std::vector<ConnectionDef>;
    return m_database->read([](QSqlDatabase& db) -> Result<Defs> {
        Query query(db, "SELECT name, definition, base_dir FROM connections ORDER BY name");
        if (auto done = query.exec(); !done)
            return std::move(done).error();
        Defs out;
        while (query.next()) {
            const std::string name = query.textAt(0), baseDir = query.textAt(2);
            const auto node = Node::fromJson(query.textAt(1));
            auto def = node ? connectionFromNode(name, *node, baseDir) : Result<ConnectionDef>(node.error());
            if (!def)
                return unreadableDefinition("Connection", name, def.error());
            def->baseDir = baseDir;
            out.push_back(std::move(*def));
        }
        if (auto done = query.ended(); !done)
            return std::move(done).error();
        return out;
    });
}

Result<> SqliteStore::saveConnection(const ConnectionDef& def, std::string_view actor)
{
    if (auto clean = withoutSecret(def); !clean)
        return clean;
    const std::string after = nodeFromConnection(def).json();
    if (auto text = storable("Connection", def.name, after); !text)
        return text;
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        auto before = definitionOf(db, connectionSql, def.name);
        if (!before)
            return std::move(before).error();
        Query query(db, "INSERT INTO connections (name, definition, base_dir) VALUES (?, ?, ?)"
                        " ON CONFLICT (name) DO UPDATE SET definition = excluded.definition, base_dir = excluded.base_dir");
        if (auto done = query.text(def.name).text(after).text(def.baseDir).exec(); !done)
            return done;
        if (*before == after)
            return {};
        return note(db, actor, before->empty() ? "connection.added" : "connection.changed", def.name, *before, after);
    });
}

Result<> SqliteStore::removeConnection(std::string_view name, std::string_view actor)
{
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        auto before = definitionOf(db, connectionSql, name);
        if (!before)
            return std::move(before).error();
        if (before->empty())
            return {};
        if (auto done = eraseRows(db, {"DELETE FROM connections WHERE name = ?"}, name); !done)
            return done;
        return note(db, actor, "connection.removed", name, *before, "");
    });
}

Result<std::vector<SyncDef>> SqliteStore::syncs()
{
    using Defs = std::vector<SyncDef>;
    return m_database->read([](QSqlDatabase& db) -> Result<Defs> {
        Query query(db, "SELECT name, definition FROM syncs ORDER BY name");
        if (auto done = query.exec(); !done)
            return std::move(done).error();
        Defs out;
        while (query.next()) {
            const std::string name = query.textAt(0);
            const auto node = Node::fromJson(query.textAt(1));
            auto def = node ? syncFromNode(name, *node) : Result<SyncDef>(node.error());
            if (!def)
                return unreadableDefinition("Sync", name, def.error());
            out.push_back(std::move(*def));
        }
        if (auto done = query.ended(); !done)
            return std::move(done).error();
        return out;
    });
}

Result<> SqliteStore::saveSync(const SyncDef& def, std::string_view actor)
{
    const std::string after = nodeFromSync(def).json();
    if (auto text = storable("Sync", def.name, after); !text)
        return text;
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        auto before = definitionOf(db, syncSql, def.name);
        if (!before)
            return std::move(before).error();
        if (*before == after)
            return {};
        Query query(db, "INSERT INTO syncs (name, definition) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET definition = excluded.definition");
        if (auto done = query.text(def.name).text(after).exec(); !done)
            return done;
        return note(db, actor, before->empty() ? "sync.added" : "sync.changed", def.name, *before, after);
    });
}

Result<> SqliteStore::removeSync(std::string_view name, std::string_view actor)
{
    if (auto flushed = flushMetrics(); !flushed)
        return flushed;
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        auto before = definitionOf(db, syncSql, name);
        if (!before)
            return std::move(before).error();
        // its history stays until it is too old; its epoch stays for ever (Invariant 5)
        if (auto done = eraseRows(db, {"DELETE FROM syncs WHERE name = ?", "DELETE FROM checkpoints WHERE sync = ?",
                                       "DELETE FROM table_status WHERE sync = ?", "DELETE FROM failures WHERE sync = ?",
                                       "DELETE FROM metrics WHERE sync = ?"}, name); !done)
            return done;
        if (before->empty())
            return {};
        return note(db, actor, "sync.removed", name, *before, "");
    });
}

Result<bool> SqliteStore::paused(std::string_view sync)
{
    return m_database->read([&](QSqlDatabase& db) -> Result<bool> {
        Query query(db, "SELECT paused FROM syncs WHERE name = ?");
        if (auto done = query.text(sync).exec(); !done)
            return std::move(done).error();
        const bool paused = query.next() && query.numberAt(0) != 0;
        if (auto done = query.ended(); !done)
            return std::move(done).error();
        return paused;
    });
}

Result<> SqliteStore::setPaused(std::string_view sync, bool paused, std::string_view actor)
{
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        Query there(db, "SELECT paused FROM syncs WHERE name = ?");
        if (auto done = there.text(sync).exec(); !done)
            return done;
        if (!there.next())
            return Error{Fault::Config, "store.unknown_sync", "There is no sync '" + std::string(sync) + "'", {}};
        const bool before = there.numberAt(0) != 0;
        if (before == paused)
            return {};
        Query query(db, "UPDATE syncs SET paused = ? WHERE name = ?");
        if (auto done = query.number(std::int64_t(paused)).text(sync).exec(); !done)
            return done;
        return note(db, actor, paused ? "sync.paused" : "sync.resumed", sync, before ? "paused" : "active", paused ? "paused" : "active");
    });
}

} // namespace millrace
