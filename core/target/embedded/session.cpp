#include "core/target/embedded/session.h"
#include "core/base/crashpoint.h"
#include "core/target/embedded/catalog.h"
#include <sqlite3.h>

namespace millrace::embedded {

Result<std::unique_ptr<TargetSession>> EmbeddedSession::open(const std::string& path, std::shared_ptr<WriteGate> gate, TablePlanPtr plan, Lease lease,
    const std::string& table, bool adopted)
{
    auto database = Database::open(path, Database::Mode::Write);
    if (!database)
        return database.error();
    std::unique_ptr<EmbeddedSession> session(new EmbeddedSession(std::move(*database), std::move(gate), std::move(plan), std::move(lease)));
    if (auto prepared = session->prepare(table, adopted); !prepared)
        return prepared.error();
    return std::unique_ptr<TargetSession>(std::move(session));
}

Result<> EmbeddedSession::prepare(const std::string& table, bool adopted)
{
    const std::string t = identifier(table);
    const std::string marked = "EXISTS (SELECT 1 FROM _mr_mark WHERE container=?4 AND key=?1)";
    // Invariants 4 and 5: by key, and never over a newer version. A document of somebody else has no version of ours to obey.
    const std::string newer = adopted ? " WHERE typeof(" + t + ".version)<>'integer' OR " + t + ".version<=excluded.version OR NOT " + marked
                                      : " WHERE " + t + ".version<=excluded.version";
    const auto set = [&](std::optional<Statement>& into, const std::string& sql) -> Result<> {
        auto made = m_database.prepare(sql);
        if (!made)
            return made.error();
        into = std::move(*made);
        return {};
    };
    struct { std::optional<Statement>& into; std::string sql; bool needed; } all[] = {
        {m_leaseHeld, "SELECT 1 FROM _mr_lease WHERE sync=?1 AND owner=?2 AND epoch=?3 AND held=1", true},
        {m_upsert, "INSERT INTO " + t + "(key,doc,version) VALUES(?1,?2,?3) ON CONFLICT(key) DO UPDATE SET doc=excluded.doc, version=excluded.version" + newer, true},
        {m_delete, "DELETE FROM " + t + " WHERE key=?1 AND version<=?3" + (adopted ? " AND " + marked : ""), true},
        {m_probe, "SELECT 1 FROM " + t + " WHERE key=?1" + (adopted ? " AND " + marked : ""), true},
        {m_mark, "INSERT OR IGNORE INTO _mr_mark(container,key) VALUES(?4,?1)", adopted},
        {m_unmark, "DELETE FROM _mr_mark WHERE container=?4 AND key=?1", adopted},
    };
    for (auto& [into, sql, needed] : all)
        if (needed)
            if (auto made = set(into, sql); !made)
                return made;
    if (adopted)
        for (auto* statement : {&*m_upsert, &*m_delete, &*m_probe, &*m_mark, &*m_unmark})
            statement->bind(4, m_plan->container);
    m_leaseHeld->bind(1, m_lease.sync).bind(2, m_lease.owner).bind(3, static_cast<std::int64_t>(m_lease.epoch));
    return {};
}

Result<WriteReport> EmbeddedSession::write(const Payload& payload, std::stop_token stop)
{
    WriteReport report;
    if (payload.items.empty())
        return report;
    WritePass pass(*m_gate, stop);
    if (!pass)
        return Error{Fault::Cancelled, "target.embedded.cancelled", "stopped before writing", "", {}};
    Transaction transaction(m_database);
    if (auto begun = transaction.begin(); !begun)
        return begun.error();
    auto held = m_database.number(*m_leaseHeld);
    if (!held)
        return held.error();
    if (*held == 0)
        return fenced(m_lease);

    for (const Payload::Item& item : payload.items) {
        const std::string_view key(payload.bytes.data() + item.keyAt, item.keySize), doc(payload.bytes.data() + item.docAt, item.docSize);
        const auto version = static_cast<std::int64_t>(item.version);
        auto done = item.op == Op::Delete ? remove(key, version, report) : upsert(key, doc, version, report);
        if (done)
            continue;
        if (done.error().fault != Fault::Data)             // the disk, the file: nothing of this payload counts
            return done.error();
        report.rejected.push_back({item.row, std::move(done).error()});
    }
    crashPoint("embedded.before_commit");
    if (auto committed = transaction.commit(); !committed)
        return committed.error();
    crashPoint("embedded.after_commit");
    return report;
}

Result<> EmbeddedSession::upsert(std::string_view key, std::string_view doc, std::int64_t version, WriteReport& report)
{
    m_upsert->bind(1, key).bind(2, doc).bind(3, version);
    if (auto done = m_database.run(*m_upsert); !done)
        return done;
    if (m_database.changes() == 0) {
        ++report.superseded;
        return {};
    }
    ++report.written;
    if (!m_mark)
        return {};
    m_mark->bind(1, key);
    return m_database.run(*m_mark);
}

Result<> EmbeddedSession::remove(std::string_view key, std::int64_t version, WriteReport& report)
{
    m_delete->bind(1, key).bind(3, version);
    if (auto done = m_database.run(*m_delete); !done)
        return done;
    if (m_database.changes() == 0) {
        m_probe->bind(1, key);
        auto stays = m_database.number(*m_probe);
        if (!stays)
            return stays.error();
        if (*stays != 0) {
            ++report.superseded;
            return {};
        }
    }
    ++report.deleted;                                      // gone, now or before: what was asked for holds
    if (!m_unmark)
        return {};
    m_unmark->bind(1, key);
    return m_database.run(*m_unmark);
}

} // namespace millrace::embedded
