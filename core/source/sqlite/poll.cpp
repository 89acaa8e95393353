#include "core/source/sqlite/poll.h"
#include "core/base/text.h"
#include "core/source/sqlite/catalog.h"
#include "core/source/sqlite/cell.h"
#include "core/source/sqlite/cursor.h"
#include "core/source/sqlite/pollstate.h"
#include "core/source/sqlite/reader.h"
#include "core/source/sqlite/view.h"
#include "core/source/sqlite/walk.h"
#include <algorithm>

namespace millrace::sqlitesource {

namespace {

constexpr std::int64_t walLookBackMicros = 60'000'000;

Error refused(const TablePlan& plan, std::string detail, std::string fix)
{
    return {Fault::Config, "source.sqlite.cursor", "table " + plan.label + ": " + std::move(detail), std::move(fix), {}};
}

std::string cursorOf(const TablePlan& plan) { return quotedName(plan.table.name) + "." + quotedName(plan.cursor); }
std::string deletedAt(const TablePlan& plan) { return quotedName(plan.deletedRows->table) + "." + quotedName(plan.deletedRows->at); }
std::string deletedKey(const TablePlan& plan) { return quotedName(plan.deletedRows->table) + "." + quotedName(plan.deletedRows->key); }

//! Smallest and largest time of a followed column, in the view that is open. An index answers both at once.
struct Extremes { RawValue least, most; };
Result<Extremes> extremes(Connection& connection, const std::string& table, const std::string& column)
{
    const std::string from = " FROM main." + quotedName(table) + ")";
    auto statement = connection.prepare("SELECT (SELECT min(" + column + ")" + from + ", (SELECT max(" + column + ")" + from);
    if (!statement)
        return std::move(statement).error();
    auto row = statement->step();
    if (!row)
        return connection.error("reading " + table);
    Extremes out;
    for (auto [index, value] : {std::pair(0, &out.least), std::pair(1, &out.most)}) {
        sqlite3_value* found = sqlite3_column_value(statement->handle(), index);
        value->assign(found, sqlite3_value_type(found));
    }
    return out;
}

//! The lower bound that this view justifies: min(largest time seen, the clock) - overlap. NULL in an empty table.
Result<RawValue> boundFor(const TablePlan& plan, const std::string& column, const Extremes& seen, const Clock& clock, std::int64_t lookBackMicros)
{
    if (seen.most.isNull())
        return RawValue();
    const auto shape = shapeOf(seen.most), oldest = shapeOf(seen.least);
    if (!shape || shape != oldest)
        return refused(plan, "the times in " + column + " are not all written in one way" + (shape ? " (one of them: " + shape->text() + ")" : ""),
                       "Write them all as CURRENT_TIMESTAMP does (UTC), or use strategy: full.");
    const std::int64_t micros = std::min(*microsOf(seen.most), clock.nowMs() * 1000);
    return boundOf(micros - plan.overlapMs * 1000 - lookBackMicros, *shape);
}

bool leadsAnIndex(const TableInfo& table, const std::string& column)
{
    return std::any_of(table.indexes.begin(), table.indexes.end(), [&](const IndexInfo& index) { return !index.columns.empty() && index.columns.front() == column; });
}

class PollReader final : public BatchReader {
public:
    PollReader(std::unique_ptr<View> view, TablePlanPtr plan, PollState state, WalkOrder key, bool indexed, std::shared_ptr<const Clock> clock)
        : m_view(std::move(view)), m_plan(std::move(plan)), m_state(std::move(state)), m_key(std::move(key)), m_indexed(indexed), m_clock(std::move(clock)),
          m_decoder(*m_plan, m_view->utf8()) {}
    ~PollReader() override { m_walk.reset(); }

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return Error{Fault::Cancelled, "source.sqlite.cancelled", "Stopped while reading " + m_plan->label + ".", {}, {}};
        const Cancel cancel(m_view->connection(), stop);
        auto state = poll(into, maxRows, stop);
        const bool last = !state || *state == ReadState::End;
        // With a rollback journal nothing is held between chunks, unless there is no index to come back by.
        if (last || (!m_view->wal() && m_indexed)) {
            if (m_walk) m_walk->pause();
            m_view->end();
        }
        into.upTo = m_state.position();
        return state;
    }

private:
    using Phase = PollState::Phase;

    Result<ReadState> poll(Batch& into, std::size_t maxRows, std::stop_token stop)
    {
        if (m_finished)
            return ReadState::End;
        if (auto begun = m_view->begin(); !begun)
            return std::move(begun).error();
        if (m_state.phase == Phase::None) {
            auto worth = beginPoll();
            if (!worth)
                return std::move(worth).error();
            if (!*worth) {
                m_finished = true;
                return ReadState::End;
            }
        }
        for (std::size_t rows = 0; m_state.phase != Phase::None && rows < maxRows && into.bytes() < batchBytes;) {
            auto more = fill(into, rows, maxRows, stop);
            if (!more)
                return std::move(more).error();
            if (!*more)
                nextPhase();
            else if (stop.stop_requested())
                break;
        }
        if (m_state.phase != Phase::None)
            return ReadState::More;
        m_finished = true;
        return ReadState::End;
    }

    //! Fixes what this poll reads and where the next one begins. False: nothing was committed since the last one.
    Result<bool> beginPoll()
    {
        Connection& connection = m_view->connection();
        const std::string stamp = m_view->wal() ? std::string() : connection.changeStamp();
        if (!stamp.empty() && stamp == m_state.stamp)
            return false;
        const bool writer = !m_view->wal() && connection.writerActive();
        const auto follow = [&](const std::string& table, const std::string& column, Followed& followed) -> Result<> {
            auto seen = extremes(connection, table, column);
            if (!seen)
                return std::move(seen).error();
            auto bound = boundFor(*m_plan, column, *seen, *m_clock, m_view->wal() ? walLookBackMicros : 0);
            if (!bound)
                return std::move(bound).error();
            if (bound->isNull())
                bound = followed.lower;
            followed.upper = seen->most;
            // The counter has moved since the last poll, so the writer it saw has ended and its bound holds now. Another one at work
            // now keeps this poll's bound waiting in turn.
            followed.nextLower = !writer ? *bound : followed.pending ? *followed.pending : followed.lower;
            followed.nextPending = writer ? std::optional(std::move(*bound)) : std::nullopt;
            return {};
        };
        if (auto done = follow(m_plan->table.name, cursorOf(*m_plan), m_state.rows); !done)
            return std::move(done).error();
        if (m_plan->deletedRows)
            if (auto done = follow(m_plan->deletedRows->table, deletedAt(*m_plan), m_state.deleted); !done)
                return std::move(done).error();
        m_state.stamp = stamp;
        m_state.phase = Phase::NoTime;
        m_state.after.clear();
        return true;
    }

    void nextPhase()
    {
        m_walk.reset();
        m_state.after.clear();
        const Phase last = m_plan->deletedRows ? Phase::DeletedRange : Phase::Range;
        if (m_state.phase != last) {
            m_state.phase = static_cast<Phase>(static_cast<int>(m_state.phase) + 1);
            return;
        }
        m_state.phase = Phase::None;
        for (Followed* followed : {&m_state.rows, &m_state.deleted}) {
            Followed next;
            next.lower = std::move(followed->nextLower);
            next.pending = std::move(followed->nextPending);
            *followed = std::move(next);
        }
    }

    //! True: the batch is full (or stop was requested); false: the phase has no more rows.
    Result<bool> fill(Batch& into, std::size_t& rows, std::size_t maxRows, std::stop_token stop)
    {
        if (!m_walk)
            m_walk.emplace(m_view->connection(), spec());
        if (!m_walk->started())
            if (auto started = m_walk->start(m_state.after); !started)
                return std::move(started).error();
        const bool deleted = m_state.phase >= Phase::DeletedNoTime;
        for (; rows < maxRows && into.bytes() < batchBytes; ++rows) {
            if ((rows & 63) == 63 && stop.stop_requested())
                return true;
            auto more = m_walk->next();
            if (!more)
                return m_view->connection().error("reading " + m_plan->label);
            if (!*more)
                return false;
            Op op = deleted ? Op::Delete : Op::Upsert;
            if (!deleted && !m_plan->softDelete.empty() && isDeleted(sqlite3_column_value(m_walk->row(), m_softAt)))
                op = Op::Delete;
            // A row that has left the filter is deleted in the target.
            if (!deleted && !m_plan->where.empty() && !sqlite3_column_int(m_walk->row(), m_keepAt))
                op = Op::Delete;
            m_decoder.append(m_walk->row(), into, op);
            m_walk->place(m_state.after);
        }
        return true;
    }

    Walk::Spec spec()
    {
        const bool deleted = m_state.phase >= Phase::DeletedNoTime;
        const bool range = m_state.phase == Phase::Range || m_state.phase == Phase::DeletedRange;
        Walk::Spec spec = deleted ? deletedSpec() : rowsSpec();
        const std::string time = deleted ? deletedAt(*m_plan) : cursorOf(*m_plan);
        const Followed& followed = deleted ? m_state.deleted : m_state.rows;
        if (!range)
            spec.conditions.push_back(time + " IS NULL");
        else {
            spec.order.insert(spec.order.begin(), time);
            spec.conditions.push_back(time + " <= ?1");
            spec.fixed.push_back(followed.upper);
            if (!followed.lower.isNull()) {
                spec.conditions.push_back(time + " >= ?2");
                spec.fixed.push_back(followed.lower);
            }
        }
        spec.utf8 = m_view->utf8();
        std::vector<std::string> columns = deleted ? deletedColumns() : columnList(*m_plan);
        if (range)
            spec.orderAt.push_back(placeIn(columns, time));
        for (const auto k : m_plan->schema->key)
            spec.orderAt.push_back(static_cast<int>(k));
        if (!deleted && !m_plan->softDelete.empty())
            m_softAt = placeIn(columns, quotedName(m_plan->table.name) + "." + quotedName(m_plan->softDelete));
        if (!deleted && !m_plan->where.empty())
            m_keepAt = placeIn(columns, "(" + m_plan->where + "\n) IS TRUE AS __keep");
        spec.columns = join(columns, ", ");
        return spec;
    }

    Walk::Spec rowsSpec() const
    {
        Walk::Spec spec;
        spec.from = "main." + quotedName(m_plan->table.name);
        spec.order = m_key.terms;
        spec.collated = m_key.collated;
        for (std::size_t i = 0; i < m_key.terms.size(); ++i)
            if (m_key.nullable[i])
                spec.conditions.push_back(m_key.terms[i] + " IS NOT NULL");   // parked by the full load: it cannot be addressed
        return spec;
    }

    //! The key in its place; what stands in the others is not looked at.
    std::vector<std::string> deletedColumns() const
    {
        const std::uint32_t key = m_plan->schema->key[0];
        std::vector<std::string> columns(m_plan->schema->columns.size(), "NULL");
        columns[key] = deletedKey(*m_plan);
        if (columns.size() > 1)
            columns[key == 0 ? 1 : 0] = deletedAt(*m_plan);
        return columns;
    }

    Walk::Spec deletedSpec() const
    {
        // A key that is in the table again is no deletion any more.
        const std::uint32_t key = m_plan->schema->key[0];
        const std::string own = quotedName(m_plan->table.name) + "." + quotedName(m_plan->schema->columns[key].source), gone = deletedKey(*m_plan);
        Walk::Spec spec;
        spec.from = "main." + quotedName(m_plan->deletedRows->table) + " LEFT JOIN main." + quotedName(m_plan->table.name) + " ON " + own + " = " + gone
                    + " AND " + own + " COLLATE BINARY = " + gone;         // 'a' is not the 'A' that was deleted, whatever the index says
        spec.conditions = {own + " IS NULL", gone + " IS NOT NULL"};
        spec.order = {gone};
        return spec;
    }

    std::unique_ptr<View> m_view;
    TablePlanPtr m_plan;
    PollState m_state;
    WalkOrder m_key;
    bool m_indexed;
    std::shared_ptr<const Clock> m_clock;
    RowDecoder m_decoder;
    std::optional<Walk> m_walk;
    int m_softAt = 0, m_keepAt = 0;                              // where these stand in a row
    bool m_finished = false;
};

Result<> checkShapes(Connection& connection, const TablePlan& plan, const std::string& table, const std::string& column)
{
    // Both ends of the order show every storage class that is there; the first rows show what is written today and long ago.
    const std::string some = "SELECT " + column + " FROM main." + quotedName(table) + " WHERE " + column + " IS NOT NULL";
    std::optional<CursorShape> first;
    for (const std::string& sql : {some + " LIMIT 1000", some + " ORDER BY 1 LIMIT 200", some + " ORDER BY 1 DESC LIMIT 200"}) {
        auto statement = connection.prepare(sql);
        if (!statement)
            return std::move(statement).error();
        for (;;) {
            auto row = statement->step();
            if (!row)
                return connection.error("reading " + table);
            if (!*row)
                break;
            RawValue value;
            sqlite3_value* found = sqlite3_column_value(statement->handle(), 0);
            value.assign(found, sqlite3_value_type(found));
            const auto shape = shapeOf(value);
            if (!shape)
                return refused(plan, "the column " + column + " has a value that is no point in time in UTC: " + value.node().json(),
                               "Use a column with times like 2026-11-21 03:30:41 (UTC) or seconds since 1970, or strategy: full.");
            if (!first)
                first = shape;
            else if (*first != *shape)
                return refused(plan, "the column " + column + " has times written in two ways: " + first->text() + " and " + shape->text() + "; they do not sort together",
                               "Bring them to one form, or use strategy: full.");
        }
    }
    return {};
}

Result<> checkColumns(Connection& connection, const TablePlan& plan)
{
    if (plan.keyless())
        return refused(plan, "it has no key, so changed rows cannot be matched.", "Name a key, or use strategy: full.");
    auto table = readTable(connection, plan.table);
    if (!table)
        return std::move(table).error();
    if (plan.cursor.empty() || !table->column(plan.cursor))
        return refused(plan, "it has no column '" + plan.cursor + "' to follow.", "Name the column that tells when a row changed.");
    if (!plan.deletedRows)
        return {};
    auto deleted = readTable(connection, {"main", plan.deletedRows->table});
    if (!deleted)
        return std::move(deleted).error();
    for (const auto& name : {plan.deletedRows->key, plan.deletedRows->at})
        if (!deleted->column(name))
            return refused(plan, "the deleted-rows table " + plan.deletedRows->table + " has no column '" + name + "'.", "Name its key and its time column.");
    if (plan.schema->key.size() != 1)
        return refused(plan, "a deleted-rows table is matched by one key column, and this key has " + std::to_string(plan.schema->key.size()) + ".", "Use soft_delete, or full syncs.");
    return {};
}

} // namespace

Result<Position> markTable(const Config& config, const TablePlan& plan, const Clock& clock)
{
    auto view = View::open(config, std::make_shared<TablePlan>(plan));
    if (!view)
        return std::move(view).error();
    if (auto begun = (*view)->begin(); !begun)
        return std::move(begun).error();
    Connection& connection = (*view)->connection();
    if (auto there = checkColumns(connection, plan); !there)
        return std::move(there).error();
    PollState state;
    if (!(*view)->wal())
        state.stamp = connection.changeStamp();
    // No earlier poll knows when the writer of this moment began.
    const std::int64_t lookBack = (*view)->wal() || connection.writerActive() ? walLookBackMicros : 0;
    const auto mark = [&](const std::string& table, const std::string& column, Followed& followed) -> Result<> {
        auto seen = extremes(connection, table, column);
        if (!seen)
            return std::move(seen).error();
        auto bound = boundFor(plan, column, *seen, clock, lookBack);
        if (!bound)
            return std::move(bound).error();
        followed.lower = std::move(*bound);
        return {};
    };
    if (auto done = mark(plan.table.name, cursorOf(plan), state.rows); !done)
        return std::move(done).error();
    if (plan.deletedRows)
        if (auto done = mark(plan.deletedRows->table, deletedAt(plan), state.deleted); !done)
            return std::move(done).error();
    return state.position();
}

Result<std::unique_ptr<BatchReader>> openPoll(const Config& config, TablePlanPtr plan, const Position& from, std::shared_ptr<const Clock> clock)
{
    auto state = PollState::from(from);
    if (!state)
        return std::move(state).error();
    auto view = View::open(config, plan);
    if (!view)
        return std::move(view).error();
    if (auto begun = (*view)->begin(); !begun)
        return std::move(begun).error();
    Connection& connection = (*view)->connection();
    if (auto there = checkColumns(connection, *plan); !there)
        return std::move(there).error();
    std::vector<std::string> key;
    for (const auto i : plan->schema->key)
        key.push_back(plan->schema->columns[i].source);
    auto order = keyOrder(connection, plan->table, key);
    if (!order)
        return std::move(order).error();
    auto table = readTable(connection, plan->table);
    if (!table)
        return std::move(table).error();
    const bool indexed = leadsAnIndex(*table, plan->cursor);
    (*view)->end();
    return std::unique_ptr<BatchReader>(std::make_unique<PollReader>(std::move(*view), std::move(plan), std::move(*state), std::move(*order), indexed, std::move(clock)));
}

Result<> checkCursors(const Config& config, const TablePlan& plan)
{
    auto view = View::open(config, std::make_shared<TablePlan>(plan));
    if (!view)
        return std::move(view).error();
    if (auto begun = (*view)->begin(); !begun)
        return begun;
    Connection& connection = (*view)->connection();
    if (auto there = checkColumns(connection, plan); !there)
        return there;
    if (auto same = checkShapes(connection, plan, plan.table.name, cursorOf(plan)); !same)
        return same;
    return plan.deletedRows ? checkShapes(connection, plan, plan.deletedRows->table, deletedAt(plan)) : Result<>();
}

} // namespace millrace::sqlitesource
