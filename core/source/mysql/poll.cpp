#include "core/source/mysql/poll.h"
#include "core/data/value.h"
#include "core/source/mysql/catalog.h"
#include "core/source/mysql/pagedquery.h"
#include "core/source/mysql/softdelete.h"
#include "core/source/mysql/transactionwatch.h"
#include <algorithm>

namespace millrace::mysql {

namespace {

constexpr std::size_t batchBytes = 4u << 20;
constexpr std::int64_t second = 1'000'000;
// A row's time is that of its statement, some moments before its transaction is listed, and may be cut to whole seconds.
constexpr std::int64_t leastOverlap = 3 * second / 2;

std::string momentText(std::int64_t micros, bool timestamp)
{
    if (timestamp)
        micros = std::max(micros, second);                     // a TIMESTAMP column holds nothing earlier, and comparing with less is an error
    std::string out;
    appendDateTime(out, micros, 6, false);
    out[10] = ' ';
    return out;
}

std::int64_t lowerBound(const PollHorizon& horizon, const TablePlan& plan)
{ return horizon.lower() - std::max(plan.overlapMs * 1000, leastOverlap); }

struct Facts {
    bool nullableCursor = false, timestampCursor = false, timestampAt = false;
    std::string softDelete, keep;                              //!< SQL expressions or empty
    std::string deletedFrom, deletedAt;
};

TableRef deletedTable(const TablePlan& plan)
{
    const std::string& name = plan.deletedRows->table;
    const auto dot = name.find('.');
    return dot == std::string::npos ? TableRef {plan.table.schema, name} : TableRef {name.substr(0, dot), name.substr(dot + 1)};
}

class PollReader final : public BatchReader {
public:
    enum class Phase : std::uint8_t { Deleted, WithoutCursor, Window, Done };

    PollReader(std::unique_ptr<Connection> connection, TablePlanPtr plan, PollHorizon horizon, Observation now, std::int64_t lower, Facts facts)
        : m_connection(std::move(connection)), m_plan(std::move(plan)), m_horizon(std::move(horizon)), m_now(std::move(now)), m_lower(lower), m_facts(std::move(facts)) {}

    //! Goes on inside a poll that was interrupted: its bounds stay, only the snapshot is new.
    Result<> resume(const Node& state)
    {
        m_phase = static_cast<Phase>(std::clamp<std::int64_t>(state["phase"].integer(), 0, 3));
        if (state["after"].items().empty() || m_phase == Phase::Done)
            return {};
        open();
        auto bounds = m_query->fromNode(state["after"]);
        if (!bounds)
            return std::move(bounds).error();
        m_query->after(std::move(*bounds));
        return {};
    }

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return cancelled();
        Interruptible guard(*m_connection, stop);
        for (std::size_t rows = 0; rows < maxRows && into.bytes() < batchBytes;) {
            if (m_phase == Phase::Done) {
                m_horizon.add(m_now.poll);
                into.upTo.bytes = Node::map({{"polls", m_horizon.node()}}).json();
                return ReadState::End;
            }
            if (!m_query && !open()) {
                advance();
                continue;
            }
            const auto more = m_query->next();
            if (!more)
                return guard.finish(more.error());
            if (!*more) {
                advance();
                continue;
            }
            m_query->decode(into, operation());
            ++rows;
        }
        return interim(into);
    }

private:
    void advance()
    {
        m_query.reset();
        m_phase = static_cast<Phase>(static_cast<int>(m_phase) + 1);
    }

    //! False: this phase has nothing to do.
    bool open()
    {
        m_keep.reset();
        m_gone.reset();
        if (m_phase == Phase::Deleted) {
            if (!m_plan->deletedRows)
                return false;
            m_query.emplace(*m_connection, deletedRows());
            return true;
        }
        if (m_phase == Phase::WithoutCursor && !m_facts.nullableCursor)
            return false;
        auto spec = PagedQuery::forPlan(*m_plan);
        spec.inSnapshot = true;
        if (!m_facts.keep.empty()) {
            spec.list.push_back(m_facts.keep);
            m_keep = spec.slots.addInteger();
        }
        if (!m_facts.softDelete.empty()) {
            spec.list.push_back(m_facts.softDelete);
            m_gone = spec.slots.addInteger();
        }
        const std::string cursor = quotedName(m_plan->cursor);
        if (m_phase == Phase::WithoutCursor)
            spec.where.push_back(cursor + " IS NULL");
        else {
            addWindow(spec, cursor, m_facts.timestampCursor);
            spec.list.push_back("CAST(" + cursor + " AS CHAR)");
            spec.order.insert(spec.order.begin(), OrderPart {cursor, BoundKind::Text, spec.slots.addText()});
        }
        m_query.emplace(*m_connection, std::move(spec));
        return true;
    }

    void addWindow(PagedQuery::Spec& spec, const std::string& column, bool timestamp) const
    {
        spec.where.push_back(column + " >= '" + momentText(m_lower, timestamp) + "'");
        spec.where.push_back(column + " <= '" + momentText(m_now.clock, timestamp) + "'");
    }

    //! A key that is there again is not deleted: the main table is looked at in the same snapshot.
    PagedQuery::Spec deletedRows() const
    {
        const Column& key = m_plan->schema->columns[m_plan->schema->key[0]];
        const NativeType type = parseNativeType(key.nativeType);
        const std::string deletedKey = "d." + quotedName(m_plan->deletedRows->key), at = "d." + m_facts.deletedAt, mainKey = "m." + quotedName(key.source);
        PagedQuery::Spec spec;
        spec.inSnapshot = true;
        spec.label = m_plan->label + " (" + m_plan->deletedRows->table + ")";
        spec.from = m_facts.deletedFrom + " d LEFT JOIN " + quotedName(m_plan->table) + " m ON " + mainKey + " = " + deletedKey;
        spec.where = {mainKey + " IS NULL", deletedKey + " IS NOT NULL"};
        spec.list = {deletedKey, "CAST(" + at + " AS CHAR)"};
        spec.slots.addColumn(key, ValuePolicy::Fail, m_plan->schema->key[0], true);
        spec.order = {{at, BoundKind::Text, spec.slots.addText()}, {deletedKey, boundKind(type), 0}};
        addWindow(spec, at, m_facts.timestampAt);
        return spec;
    }

    Op operation() const
    {
        if (m_phase == Phase::Deleted || (m_keep && !m_query->integer(*m_keep)) || (m_gone && m_query->integer(*m_gone)))
            return Op::Delete;
        return Op::Upsert;
    }

    Result<ReadState> interim(Batch& into)
    {
        Node after = Node::list();
        if (m_query) {
            const auto bounds = m_query->bounds();
            if (!bounds)
                return bounds.error();
            after = m_query->node(*bounds);
        }
        PollHorizon now;
        now.add(m_now.poll);
        into.upTo.bytes = Node::map({{"polls", m_horizon.node()}, {"now", now.node()}, {"clock", m_now.clock}, {"lower", m_lower},
                                     {"phase", static_cast<int>(m_phase)}, {"after", std::move(after)}}).json();
        return ReadState::More;
    }

    std::unique_ptr<Connection> m_connection;
    TablePlanPtr m_plan;
    PollHorizon m_horizon;
    Observation m_now;
    std::int64_t m_lower;
    Facts m_facts;
    Phase m_phase = Phase::Deleted;
    std::optional<PagedQuery> m_query;             // after the connection: closed first
    std::optional<std::size_t> m_keep, m_gone;
};

Result<Facts> gather(Connection& connection, const TablePlan& plan)
{
    Catalog catalog(connection);
    Facts facts;
    const auto cursor = catalog.columnType(plan.table, plan.cursor, &facts.nullableCursor);
    if (!cursor)
        return cursor.error();
    facts.timestampCursor = parseNativeType(*cursor).base == "timestamp";
    if (!plan.softDelete.empty()) {
        const auto type = catalog.columnType(plan.table, plan.softDelete);
        if (!type)
            return type.error();
        facts.softDelete = softDeleted(plan.softDelete, parseNativeType(*type));
    }
    if (!plan.where.empty())
        facts.keep = "(" + PagedQuery::condition(plan.where) + " IS TRUE)";
    if (plan.deletedRows) {
        const TableRef ref = deletedTable(plan);
        const auto at = catalog.columnType(ref, plan.deletedRows->at);
        if (!at)
            return at.error();
        facts.timestampAt = parseNativeType(*at).base == "timestamp";
        facts.deletedFrom = quotedName(ref);
        facts.deletedAt = quotedName(plan.deletedRows->at);
    }
    return facts;
}

} // namespace

Result<Position> markNow(const Config& config)
{
    auto connection = Connection::open(config);
    if (!connection)
        return std::move(connection).error();
    auto now = observe(**connection);
    if (!now)
        return std::move(now).error();
    PollHorizon horizon;
    horizon.add(now->poll);
    return Position {Node::map({{"polls", horizon.node()}}).json()};
}

Result<std::unique_ptr<BatchReader>> openPoll(const Config& config, TablePlanPtr plan, const Position& from)
{
    const auto state = Node::fromJson(from.bytes);
    if (!state)
        return state.error();
    auto horizon = PollHorizon::fromNode((*state)["polls"]);
    if (!horizon)
        return std::move(horizon).error();
    auto connection = Connection::open(config);
    if (!connection)
        return std::move(connection).error();
    auto facts = gather(**connection, *plan);
    if (!facts)
        return std::move(facts).error();

    Observation now;
    std::int64_t lower = 0;
    const bool resumed = (*state).find("now") != nullptr;
    if (resumed) {
        const auto poll = PollHorizon::fromNode((*state)["now"]);
        if (!poll)
            return poll.error();
        now = {poll->newest(), (*state)["clock"].integer()};
        lower = (*state)["lower"].integer();
    } else {
        auto observed = observe(**connection);
        if (!observed)
            return std::move(observed).error();
        now = std::move(*observed);
        lower = lowerBound(*horizon, *plan);
    }
    // after the clock and the list of transactions, never before: what commits in between must be in the list or in the snapshot
    if (auto ok = beginSnapshot(**connection); !ok)
        return std::move(ok).error();
    auto reader = std::make_unique<PollReader>(std::move(*connection), std::move(plan), std::move(*horizon), std::move(now), lower, std::move(*facts));
    if (resumed)
        if (auto ok = reader->resume(*state); !ok)
            return std::move(ok).error();
    return std::unique_ptr<BatchReader>(std::move(reader));
}

Result<std::string> changedSince(Connection& connection, const TablePlan& plan, const Position& from)
{
    const auto state = Node::fromJson(from.bytes);
    if (!state)
        return state.error();
    const auto horizon = PollHorizon::fromNode((*state)["polls"]);
    if (!horizon)
        return horizon.error();
    Catalog catalog(connection);
    const auto type = catalog.columnType(plan.table, plan.cursor);
    if (!type)
        return type.error();
    const std::string cursor = quotedName(plan.cursor);
    return "(" + cursor + " IS NULL OR " + cursor + " >= '" + momentText(lowerBound(*horizon, plan), parseNativeType(*type).base == "timestamp") + "')";
}

} // namespace millrace::mysql
