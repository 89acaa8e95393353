#include "core/store/sqlitestore.h"
#include "core/base/platform.h"
#include "core/base/text.h"
#include "core/store/storeimpl.h"
#include <QRandomGenerator>

namespace millrace {

namespace {

constexpr std::string_view ownerKey = "store.owner";

std::string randomIdentity()
{
    quint64 words[2] = {QRandomGenerator::system()->generate64(), QRandomGenerator::system()->generate64()};
    return hex({reinterpret_cast<const char*>(words), sizeof words});
}

Result<> writeSetting(const QSqlDatabase& db, std::string_view key, std::string_view value)
{
    Query query(db, "INSERT INTO settings (key, value) VALUES (?, ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value");
    return query.text(key).text(value).exec();
}

Result<> prepareHome(const std::string& home, Log* log)
{
    if (auto made = platform::makePrivateFolder(home); !made)
        return made;
    const auto facts = platform::facts(home);
    // not ours to change: an operator may share it with a group on purpose. What lies inside is 0600 either way.
    if (log && facts && (facts->readableByOthers() || facts->writableByOthers()))
        log->write({0, Level::Warning, "store", "The home " + home + " is open to other users; make it private with: chmod 700 " + home, {}});
    return {};
}

} // namespace

Result<std::unique_ptr<MetadataStore>> openStore(const std::string& home, const Clock& clock, Log* log, StoreAccess access)
{
    if (access == StoreAccess::Own)
        if (auto ready = prepareHome(home, log); !ready)
            return std::move(ready).error();
    auto database = Database::open(home + "/millrace.db", migrations(), access, log);
    if (!database)
        return std::move(database).error();
    auto store = std::make_unique<SqliteStore>(std::move(*database), clock, log, access);
    if (auto started = store->start(); !started)
        return std::move(started).error();
    return std::unique_ptr<MetadataStore>(std::move(store));
}

Result<std::string> settingIn(const QSqlDatabase& db, std::string_view key)
{
    Query query(db, "SELECT value FROM settings WHERE key = ?");
    if (auto done = query.text(key).exec(); !done)
        return std::move(done).error();
    if (!query.next()) {
        auto ended = query.ended();
        return ended ? Result<std::string>(std::string()) : Result<std::string>(std::move(ended).error());
    }
    return query.textAt(0);
}

SqliteStore::SqliteStore(std::unique_ptr<Database> database, const Clock& clock, Log* log, StoreAccess access)
    : m_database(std::move(database)), m_clock(clock), m_log(log), m_access(access)
{
}

SqliteStore::~SqliteStore()
{
    if (m_access == StoreAccess::Own)
        (void)flushMetrics();
}

Result<> SqliteStore::start()
{
    auto owner = m_database->read([](QSqlDatabase& db) { return settingIn(db, ownerKey); });
    if (!owner)
        return std::move(owner).error();
    m_owner = std::move(*owner);
    if (m_access == StoreAccess::Read)
        return {};
    return m_database->write([this](QSqlDatabase& db) -> Result<> {
        if (m_owner.empty()) {
            m_owner = randomIdentity();
            if (auto saved = writeSetting(db, ownerKey, m_owner); !saved)
                return saved;
        }
        // We own the home, so no run can be under way: what is open was cut off and stays unknown (Invariant 9).
        return execute(db, "UPDATE runs SET running = 0 WHERE running = 1");
    });
}

Result<> SqliteStore::note(QSqlDatabase& db, std::string_view actor, std::string_view action, std::string_view subject, std::string_view before,
                           std::string_view after) const
{
    Query query(db, "INSERT INTO audit (time_ms, actor, action, subject, before, after) VALUES (?, ?, ?, ?, ?, ?)");
    return query.number(m_clock.nowMs()).text(actor).text(action).text(subject).text(before).text(after).exec();
}

Result<std::vector<AuditEntry>> SqliteStore::audit(std::size_t limit)
{
    using Entries = std::vector<AuditEntry>;
    return m_database->read([&](QSqlDatabase& db) -> Result<Entries> {
        Query query(db, "SELECT id, time_ms, actor, action, subject, before, after FROM audit ORDER BY id DESC LIMIT ?");
        if (auto done = query.number(sqlLimit(limit)).exec(); !done)
            return std::move(done).error();
        Entries out;
        while (query.next())
            out.push_back({query.numberAt(0), query.numberAt(1), query.textAt(2), query.textAt(3), query.textAt(4), query.textAt(5), query.textAt(6)});
        if (auto done = query.ended(); !done)
            return std::move(done).error();
        return out;
    });
}

Result<std::string> SqliteStore::setting(std::string_view key)
{
    return m_database->read([&](QSqlDatabase& db) { return settingIn(db, key); });
}

Result<> SqliteStore::saveSetting(std::string_view key, std::string_view value, std::string_view actor)
{
    if (key.starts_with("store."))
        return Error{Fault::Usage, "store.reserved_setting", "Settings that begin with 'store.' belong to the store itself", {}};
    return m_database->write([&](QSqlDatabase& db) -> Result<> {
        auto before = settingIn(db, key);
        if (!before)
            return std::move(before).error();
        if (*before == value)
            return {};
        if (value.empty()) {
            Query query(db, "DELETE FROM settings WHERE key = ?");
            if (auto done = query.text(key).exec(); !done)
                return done;
        } else if (auto done = writeSetting(db, key, value); !done)
            return done;
        if (actor.empty())
            return {};                             // the program itself (window geometry and the like): not a decision of anybody
        return note(db, actor, "setting.changed", key, *before, value);
    });
}

} // namespace millrace
