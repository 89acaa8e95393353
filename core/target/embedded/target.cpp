#include "core/target/embedded/target.h"
#include "core/base/crashpoint.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include "core/engine/jsonencoder.h"
#include "core/engine/jsonform.h"
#include "core/target/embedded/reader.h"
#include "core/target/embedded/session.h"
#include <algorithm>
#include <sqlite3.h>

namespace millrace::embedded {

namespace {

constexpr std::int64_t leaseMs = 30'000;
constexpr std::int64_t deleteWindow = 20'000;      // documents looked at per transaction, so that other writers get their turn

Error cancelled() { return {Fault::Cancelled, "target.embedded.cancelled", "stopped", "", {}}; }
std::int64_t clamp(std::uint64_t version) { return static_cast<std::int64_t>(std::min<std::uint64_t>(version, INT64_MAX)); }
bool isOurs(Standing::Kind kind) { return kind == Standing::Kind::Own || kind == Standing::Kind::Adopted; }

} // namespace

Result<Database*> EmbeddedTarget::database()
{
    if (m_database)
        return &*m_database;
    WritePass pass(*m_gate, {});
    auto opened = Database::open(m_path, Database::Mode::Write);
    if (!opened)
        return opened.error();
    Transaction transaction(*opened);
    if (auto begun = transaction.begin(); !begun)
        return begun.error();
    if (auto made = makeCatalog(*opened); !made)
        return made.error();
    if (auto committed = transaction.commit(); !committed)
        return committed.error();
    m_database = std::move(*opened);
    return &*m_database;
}

Result<> EmbeddedTarget::transact(const Lease* lease, std::stop_token stop, const std::function<Result<>(Database&)>& body, const char* crash)
{
    std::lock_guard lock(m_mutex);
    auto db = database();
    if (!db)
        return db.error();
    WritePass pass(*m_gate, stop);
    if (!pass || stop.stop_requested())
        return cancelled();
    Transaction transaction(**db);
    if (auto begun = transaction.begin(); !begun)
        return begun;
    if (lease)
        if (auto held = checkLease(**db, *lease); !held)
            return held;
    if (auto done = body(**db); !done)
        return done;
    if (crash)
        crashPoint(crash);
    return transaction.commit();
}

Result<ServerInfo> EmbeddedTarget::server() { return ServerInfo{"embedded", sqlite3_libversion()}; }

std::string EmbeddedTarget::containerName(std::string_view prefix, std::string_view name) const
{
    std::string out = std::string(prefix) + std::string(name);
    // SQLite takes any other character in a quoted name; control characters would only make the file hard to use
    for (char& c : out)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '_';
    for (bool again = true; again;) {
        again = false;
        const std::string folded = lower(out);
        for (const std::string_view reserved : {"_mr_", "sqlite_"})
            if (folded.starts_with(reserved)) {
                out.replace(0, reserved.size(), "_");
                again = true;
                break;
            }
    }
    return out.empty() ? "_" : out;
}

std::string EmbeddedTarget::foldedName(std::string_view container) const { return lower(container); }   // SQLite folds ASCII only

std::string EmbeddedTarget::fieldRefused(std::string_view name) const
{
    if (name == "_id" || name == "_mr")
        return "the field name " + std::string(name) + " is reserved";
    if (name.starts_with('$'))
        return "a field name must not start with $";
    return {};
}

std::string EmbeddedTarget::carryNote(const Column& column) const
{
    return column.type == Type::Real ? "NaN and infinity become the texts \"NaN\", \"Infinity\" and \"-Infinity\"" : std::string();
}

Result<Lease> EmbeddedTarget::acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop)
{
    Lease lease{std::string(sync), std::string(owner), 0};
    auto taken = transact(nullptr, stop, [&](Database& db) -> Result<> {
        auto ask = db.prepare("SELECT owner, epoch, beat_ms, held FROM _mr_lease WHERE sync=?1");
        if (!ask)
            return ask.error();
        ask->bind(1, lease.sync);
        const int code = ask->step();
        if (code != SQLITE_ROW && code != SQLITE_DONE)
            return db.error();
        std::uint64_t known = 0;
        if (code == SQLITE_ROW) {
            known = static_cast<std::uint64_t>(ask->integer(1));
            // No waiting before a takeover: a write looks at this row within its own transaction, so none of the former owner's can land later.
            if (ask->integer(3) != 0 && ask->text(0) != owner && m_clock.nowMs() - ask->integer(2) < leaseMs)
                return Error{Fault::Fenced, "target.embedded.leased", "sync " + lease.sync + " is being written by " + std::string(ask->text(0)),
                    "Stop that instance, or wait half a minute after it ended.", {}};
        }
        ask->reset();
        lease.epoch = std::max(known, atLeast) + 1;
        auto put = db.prepare("INSERT INTO _mr_lease VALUES (?1,?2,?3,?4,1) ON CONFLICT(sync) DO UPDATE SET owner=?2, epoch=?3, beat_ms=?4, held=1");
        if (!put)
            return put.error();
        put->bind(1, lease.sync).bind(2, lease.owner).bind(3, static_cast<std::int64_t>(lease.epoch)).bind(4, m_clock.nowMs());
        return db.run(*put);
    });
    if (!taken)
        return taken.error();
    return lease;
}

Result<> EmbeddedTarget::heartbeat(const Lease& lease)
{
    return transact(&lease, {}, [&](Database& db) -> Result<> {
        auto beat = db.prepare("UPDATE _mr_lease SET beat_ms=?2 WHERE sync=?1");
        if (!beat)
            return beat.error();
        beat->bind(1, lease.sync).bind(2, m_clock.nowMs());
        return db.run(*beat);
    });
}

Result<> EmbeddedTarget::release(const Lease& lease)
{
    // the row stays: it remembers the largest epoch
    auto released = transact(&lease, {}, [&](Database& db) -> Result<> {
        auto free = db.prepare("UPDATE _mr_lease SET held=0 WHERE sync=?1");
        if (!free)
            return free.error();
        free->bind(1, lease.sync);
        return db.run(*free);
    });
    if (!released && released.error().fault == Fault::Fenced)
        return {};                                         // somebody else's by now: nothing of ours to give back
    return released;
}

//! A container of another sync may be replaced only when that sync is not at work.
Result<> EmbeddedTarget::replaceable(Database& db, const TablePlan& plan, const Standing& standing)
{
    if (standing.kind == Standing::Kind::View)
        return notOurs(plan, standing);
    if (standing.kind != Standing::Kind::OtherSync)
        return {};
    auto ask = db.prepare("SELECT 1 FROM _mr_lease WHERE sync=?1 AND held=1 AND beat_ms>?2");
    if (!ask)
        return ask.error();
    ask->bind(1, standing.sync).bind(2, m_clock.nowMs() - leaseMs);
    auto atWork = db.number(*ask);
    if (!atWork)
        return atWork.error();
    if (*atWork != 0)
        return notOurs(plan, standing);
    return {};
}

Result<Prepared> EmbeddedTarget::prepare(const TablePlan& plan, const Lease& lease)
{
    Prepared prepared;
    auto done = transact(&lease, {}, [&](Database& db) -> Result<> {
        if (auto cleared = dropAside(db, plan); !cleared)          // left by a run that did not end
            return cleared;
        auto stands = standing(db, plan);
        if (!stands)
            return stands.error();
        if (stands->kind == Standing::Kind::Absent) {
            if (auto made = db.exec(documentTable(plan.container)); !made)
                return made;
            if (auto forgotten = forget(db, plan.container); !forgotten)
                return forgotten;
            prepared.fresh = true;
            return remember(db, plan, true);
        }
        if (stands->kind != Standing::Kind::Own) {
            if (plan.ifExists == IfExists::Rebuild) {
                prepared.replaces = true;
                return replaceable(db, plan, *stands);
            }
            if (plan.ifExists == IfExists::Stop || !(stands->kind == Standing::Kind::Foreign || stands->kind == Standing::Kind::Adopted))
                return notOurs(plan, *stands);
            auto fits = db.prepare("INSERT INTO " + identifier(plan.container) + "(key,doc,version) VALUES(1,2,3) ON CONFLICT(key) DO UPDATE SET version=3");
            if (!fits)
                return Error{Fault::Config, "target.embedded.shape", "table \"" + plan.container + "\" has no unique column key beside doc and version, so nothing can be "
                    "written into it by key", "Choose another name with `to:` or `prefix:`, or `if_exists: rebuild`.", {}};
            if (auto kept = remember(db, plan, false); !kept)
                return kept;
        }
        auto documents = count(db, plan, stands->kind != Standing::Kind::Own, 0, INT64_MAX);
        if (!documents)
            return documents.error();
        prepared.documents = static_cast<std::uint64_t>(*documents);
        prepared.fresh = stands->kind == Standing::Kind::Own && *documents == 0;
        return {};
    });
    if (!done)
        return done.error();
    return prepared;
}

std::unique_ptr<Encoder> EmbeddedTarget::encoder(TablePlanPtr plan) const { return std::make_unique<JsonEncoder>(std::move(plan), "embedded"); }

Result<std::unique_ptr<TargetSession>> EmbeddedTarget::session(TablePlanPtr plan, const Lease& lease, bool)
{
    std::lock_guard lock(m_mutex);
    auto db = database();
    if (!db)
        return db.error();
    auto aside = builtAside(**db, *plan);
    if (!aside)
        return aside.error();
    if (*aside)
        return EmbeddedSession::open(m_path, m_gate, plan, lease, asideName(plan->container), false);
    auto stands = standing(**db, *plan);
    if (!stands)
        return stands.error();
    if (!isOurs(stands->kind))
        return notOurs(*plan, *stands);
    return EmbeddedSession::open(m_path, m_gate, plan, lease, plan->container, stands->kind == Standing::Kind::Adopted);
}

Result<std::uint64_t> EmbeddedTarget::countVersions(const TablePlan& plan, std::uint64_t low, std::uint64_t high)
{
    if (high == 0)
        return std::uint64_t{0};
    std::lock_guard lock(m_mutex);
    auto db = database();
    if (!db)
        return db.error();
    auto stands = standing(**db, plan);
    if (!stands)
        return stands.error();
    if (!isOurs(stands->kind))
        return std::uint64_t{0};
    auto found = count(**db, plan, stands->kind == Standing::Kind::Adopted, clamp(low), high > INT64_MAX ? INT64_MAX : clamp(high) - 1);
    if (!found)
        return found.error();
    return static_cast<std::uint64_t>(*found);
}

Result<std::uint64_t> EmbeddedTarget::countOwn(const TablePlan& plan) { return countVersions(plan, 0, UINT64_MAX); }

Result<std::uint64_t> EmbeddedTarget::deleteVersions(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop)
{
    Standing stands;
    auto looked = transact(&lease, stop, [&](Database& db) -> Result<> {
        auto found = standing(db, plan);
        if (!found)
            return found.error();
        stands = *found;
        return {};
    });
    if (!looked)
        return looked.error();
    if (high == 0 || !isOurs(stands.kind))
        return std::uint64_t{0};
    const std::int64_t last = high > INT64_MAX ? INT64_MAX : clamp(high) - 1;
    return stands.kind == Standing::Kind::Own ? deleteOwn(plan, lease, clamp(low), last, stop) : deleteMarked(plan, lease, clamp(low), last, stop);
}

Result<std::uint64_t> EmbeddedTarget::deleteOwn(const TablePlan& plan, const Lease& lease, std::int64_t low, std::int64_t high, std::stop_token stop)
{
    const std::string table = identifier(plan.container);
    std::uint64_t deleted = 0;
    std::int64_t after = INT64_MIN;
    for (bool more = true; more;) {
        auto done = transact(&lease, stop, [&](Database& db) -> Result<> {
            auto window = db.prepare("SELECT max(rowid) FROM (SELECT rowid FROM " + table + " WHERE rowid>?1 ORDER BY rowid LIMIT ?2)");
            if (!window)
                return window.error();
            window->bind(1, after).bind(2, deleteWindow);
            auto upTo = db.number(*window, INT64_MIN);
            if (!upTo)
                return upTo.error();
            more = *upTo != INT64_MIN;
            if (!more)
                return {};
            auto gone = db.prepare("DELETE FROM " + table + " WHERE rowid>?1 AND rowid<=?2 AND version>=?3 AND version<=?4");
            if (!gone)
                return gone.error();
            gone->bind(1, after).bind(2, *upTo).bind(3, low).bind(4, high);
            if (auto ran = db.run(*gone); !ran)
                return ran;
            deleted += static_cast<std::uint64_t>(db.changes());
            after = *upTo;
            return {};
        }, "embedded.delete_versions");
        if (!done)
            return done.error();
    }
    return deleted;
}

Result<std::uint64_t> EmbeddedTarget::deleteMarked(const TablePlan& plan, const Lease& lease, std::int64_t low, std::int64_t high, std::stop_token stop)
{
    const std::string table = identifier(plan.container);
    std::uint64_t deleted = 0;
    for (bool more = true; more;) {
        auto done = transact(&lease, stop, [&](Database& db) -> Result<> {
            const std::string chosen = "(SELECT m.key FROM _mr_mark AS m JOIN " + table + " AS t ON t.key=m.key WHERE m.container=?1 AND t.version>=?2 AND t.version<=?3 "
                                       "ORDER BY m.key LIMIT ?4)";
            std::int64_t gone = 0;
            // the marks last: they choose the documents
            for (const std::string& sql : {"CREATE TEMP TABLE chosen AS " + chosen.substr(1, chosen.size() - 2), "DELETE FROM " + table + " WHERE key IN (SELECT key FROM temp.chosen)",
                     std::string("DELETE FROM _mr_mark WHERE container=?1 AND key IN (SELECT key FROM temp.chosen)")}) {
                auto statement = db.prepare(sql);
                if (!statement)
                    return statement.error();
                statement->bind(1, plan.container).bind(2, low).bind(3, high).bind(4, deleteWindow);
                if (auto ran = db.run(*statement); !ran)
                    return ran;
                gone = db.changes();
            }
            more = gone == deleteWindow;
            deleted += static_cast<std::uint64_t>(gone);
            return db.exec("DROP TABLE temp.chosen");
        }, "embedded.delete_versions");
        if (!done)
            return done.error();
    }
    return deleted;
}

Result<> EmbeddedTarget::beginAside(const TablePlan& plan, const Lease& lease)
{
    return transact(&lease, {}, [&](Database& db) -> Result<> {
        auto stands = standing(db, plan);
        if (!stands)
            return stands.error();
        const bool ours = stands->kind == Standing::Kind::Absent || stands->kind == Standing::Kind::Own;
        if (!ours && plan.ifExists != IfExists::Rebuild)
            return notOurs(plan, *stands);
        if (auto may = replaceable(db, plan, *stands); !may)
            return may;
        if (auto cleared = dropAside(db, plan); !cleared)
            return cleared;
        if (auto made = db.exec(documentTable(asideName(plan.container))); !made)
            return made;
        auto note = db.prepare("INSERT INTO _mr_aside VALUES (?1,?2)");
        if (!note)
            return note.error();
        note->bind(1, plan.container).bind(2, plan.sync);
        return db.run(*note);
    });
}

Result<> EmbeddedTarget::promoteAside(const TablePlan& plan, const Lease& lease)
{
    auto promoted = transact(&lease, {}, [&](Database& db) -> Result<> {
        auto aside = builtAside(db, plan);
        if (!aside)
            return aside.error();
        if (!*aside)
            return Error{Fault::Internal, "target.embedded.no_aside", "nothing was built aside for \"" + plan.container + "\"", "", {}};
        auto stands = standing(db, plan);
        if (!stands)
            return stands.error();
        if (auto may = replaceable(db, plan, *stands); !may)
            return may;
        if (auto dropped = db.exec("DROP TABLE IF EXISTS " + identifier(plan.container)); !dropped)
            return dropped;
        if (auto renamed = db.exec("ALTER TABLE " + identifier(asideName(plan.container)) + " RENAME TO " + identifier(plan.container)); !renamed)
            return renamed;
        if (auto cleared = dropAside(db, plan); !cleared)
            return cleared;
        if (auto forgotten = forget(db, plan.container); !forgotten)
            return forgotten;
        return remember(db, plan, true);
    }, "embedded.before_promote");
    if (promoted)
        crashPoint("embedded.after_promote");
    return promoted;
}

Result<std::unique_ptr<DocumentReader>> EmbeddedTarget::readBack(TablePlanPtr plan, const std::vector<std::string>& keys)
{
    return EmbeddedReader::open(m_path, *plan, keys);
}

void EmbeddedTarget::expected(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form) const
{
    key = plan.keyless() ? std::string() : keyText(*plan.schema, row);
    form.clear();
    appendExpectedForm(form, *plan.schema, row);
}

Result<> EmbeddedTarget::drop(const TablePlan& plan, const Lease& lease)
{
    return transact(&lease, {}, [&](Database& db) -> Result<> {
        auto stands = standing(db, plan);
        if (!stands)
            return stands.error();
        if (stands->kind == Standing::Kind::Absent)
            return {};
        if (stands->kind != Standing::Kind::Own)
            return notOurs(plan, *stands);
        if (auto cleared = dropAside(db, plan); !cleared)
            return cleared;
        if (auto dropped = db.exec("DROP TABLE " + identifier(plan.container)); !dropped)
            return dropped;
        return forget(db, plan.container);
    });
}

} // namespace millrace::embedded
