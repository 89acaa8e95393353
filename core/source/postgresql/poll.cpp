#include "core/source/postgresql/poll.h"
#include "core/data/value.h"
#include "core/source/postgresql/pagedcopy.h"
#include "core/source/postgresql/softdelete.h"
#include "core/source/postgresql/transactionwatch.h"
#include <algorithm>

namespace millrace::postgresql {

namespace {

constexpr std::size_t batchBytes = 4u << 20;
constexpr std::int64_t second = 1'000'000;
// A transaction's time is that of its first statement's arrival, some moments before it is listed, and may be cut to whole seconds.
constexpr std::int64_t leastOverlap = 3 * second / 2;

std::string momentText(std::int64_t micros, bool zone) { return literal(serverTimestamp(micros - epochMicros, zone)); }

struct Facts {
    ShapeColumn cursor;
    std::string softDelete, keep;                              //!< SQL expressions or empty
    ShapeColumn deletedAt, deletedKey;
};

class PollReader final : public BatchReader {
public:
    enum class Phase : std::uint8_t { Deleted, WithoutCursor, Window, Done };

    PollReader(std::unique_ptr<Connection> connection, TablePlanPtr plan, Shape shape, PollHorizon horizon, PollHorizon::Poll now, std::int64_t lower, Facts facts)
        : m_connection(std::move(connection)), m_plan(std::move(plan)), m_shape(std::move(shape)), m_horizon(std::move(horizon)), m_now(std::move(now)), m_lower(lower),
          m_facts(std::move(facts)) {}

    //! Goes on inside a poll that was interrupted: its bounds stay, only the snapshot is new.
    Result<> resume(const Node& state)
    {
        m_phase = static_cast<Phase>(std::clamp<std::int64_t>(state["phase"].integer(), 0, 3));
        if (state["after"].items().empty() || m_phase == Phase::Done)
            return {};
        if (const auto opened = open(); !opened || !*opened)
            return opened ? Result<>() : Result<>(opened.error());
        auto bounds = m_copy->fromNode(state["after"]);
        if (!bounds)
            return std::move(bounds).error();
        m_copy->after(std::move(*bounds));
        return {};
    }

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return cancelled();
        Interruptible guard(*m_connection, stop);
        for (std::size_t rows = 0; rows < maxRows && into.bytes() < batchBytes;) {
            if (m_phase == Phase::Done) {
                m_horizon.add(m_now);
                into.upTo.bytes = Node::map({{"polls", m_horizon.node()}}).json();
                return ReadState::End;
            }
            if (!m_copy) {
                const auto opened = open();
                if (!opened)
                    return guard.finish(opened.error());
                if (!*opened) {
                    advance();
                    continue;
                }
            }
            const auto more = m_copy->next();
            if (!more)
                return guard.finish(more.error());
            if (!*more) {
                advance();
                continue;
            }
            m_copy->decode(into, operation());
            ++rows;
        }
        return interim(into);
    }

private:
    void advance()
    {
        m_copy.reset();
        m_phase = static_cast<Phase>(static_cast<int>(m_phase) + 1);
    }

    //! False: this phase has nothing to do.
    Result<bool> open()
    {
        m_keep.reset();
        m_gone.reset();
        if (m_phase == Phase::Deleted) {
            if (!m_plan->deletedRows)
                return false;
            m_copy.emplace(*m_connection, deletedRows());
            return true;
        }
        auto spec = PagedCopy::forPlan(*m_connection, *m_plan, m_shape);
        if (!spec)
            return std::move(spec).error();
        if (!m_facts.keep.empty()) {
            spec->list.push_back(m_facts.keep);
            m_keep = spec->row.addFlag();
        }
        if (!m_facts.softDelete.empty()) {
            spec->list.push_back(m_facts.softDelete);
            m_gone = spec->row.addFlag();
        }
        const std::string cursor = quotedName(m_plan->cursor);
        if (m_phase == Phase::WithoutCursor)
            spec->where.push_back("(" + cursor + " IN ('infinity', '-infinity')" + (m_facts.cursor.nullable ? " OR " + cursor + " IS NULL)" : ")"));
        else {
            addWindow(*spec, cursor, m_facts.cursor);
            spec->list.push_back(cursor);
            spec->order.insert(spec->order.begin(), OrderPart {cursor, {}, spec->row.addRaw(m_facts.cursor), false});
        }
        m_copy.emplace(*m_connection, std::move(*spec));
        return true;
    }

    void addWindow(PagedCopy::Spec& spec, const std::string& column, const ShapeColumn& type) const
    {
        const bool zone = type.type.wire() == Wire::TimestampTz;
        // a column with fewer digits is rounded, perhaps up, by half a second at most
        const std::int64_t rounded = type.modifier >= 0 && type.modifier < 6 ? second : 0;
        spec.where.push_back(column + " >= " + momentText(m_lower, zone));
        spec.where.push_back(column + " <= " + momentText(m_now.clock + rounded, zone));
    }

    //! A key that is there again is not deleted: the main table is looked at in the same snapshot. The deleted row's key is read as the
    //! main table's type, whatever its own is.
    PagedCopy::Spec deletedRows() const
    {
        const std::uint32_t index = m_plan->schema->key[0];
        const Column& key = m_plan->schema->columns[index];
        const ShapeColumn& main = *m_shape.column(key.source);
        const std::string deletedKey = "CAST(d." + quotedName(m_plan->deletedRows->key) + " AS " + key.nativeType + ")", at = "d." + quotedName(m_plan->deletedRows->at);
        const std::string mainKey = "m." + quotedName(key.source);
        PagedCopy::Spec spec;
        spec.label = m_plan->label + " (" + m_plan->deletedRows->table + ")";
        spec.from = quotedName(deletedTable(*m_plan)) + " d LEFT JOIN " + quotedName(m_plan->table) + " m ON " + mainKey + " " + main.order.equal + " " + deletedKey;
        spec.where = {mainKey + " IS NULL", "d." + quotedName(m_plan->deletedRows->key) + " IS NOT NULL"};
        spec.list = {readExpression(deletedKey, main.type), at};
        spec.row.useTypes(m_shape.types);
        spec.row.addColumn(key, main, ValuePolicy::Fail, index);
        spec.order = {{at, {}, spec.row.addRaw(m_facts.deletedAt), false}, {deletedKey, main.order, 0, false}};
        addWindow(spec, at, m_facts.deletedAt);
        return spec;
    }

    Op operation() const
    {
        if (m_phase == Phase::Deleted || (m_keep && !m_copy->flag(*m_keep)) || (m_gone && m_copy->flag(*m_gone)))
            return Op::Delete;
        return Op::Upsert;
    }

    Result<ReadState> interim(Batch& into)
    {
        Node after = Node::list();
        if (m_copy) {
            const auto bounds = m_copy->bounds();
            if (!bounds)
                return bounds.error();
            after = PagedCopy::node(*bounds);
        }
        PollHorizon now;
        now.add(m_now);
        into.upTo.bytes = Node::map({{"polls", m_horizon.node()}, {"now", now.node()}, {"lower", m_lower}, {"phase", static_cast<int>(m_phase)}, {"after", std::move(after)}}).json();
        return ReadState::More;
    }

    std::unique_ptr<Connection> m_connection;
    TablePlanPtr m_plan;
    Shape m_shape;
    PollHorizon m_horizon;
    PollHorizon::Poll m_now;
    std::int64_t m_lower;
    Facts m_facts;
    Phase m_phase = Phase::Deleted;
    std::optional<PagedCopy> m_copy;               // after the connection: closed first
    std::optional<std::size_t> m_keep, m_gone;
};

Error columnGone(const TablePlan& plan, const std::string& column)
{ return {Fault::Schema, "source.postgresql.table_altered", plan.label + ": column " + column + " is gone", "Check the sync's definition of this table.", {}}; }

Result<Facts> gather(Connection& connection, const TablePlan& plan, const Shape& shape)
{
    Facts facts;
    const ShapeColumn* cursor = shape.column(plan.cursor);
    if (!cursor)
        return columnGone(plan, plan.cursor);
    facts.cursor = *cursor;
    if (!plan.softDelete.empty()) {
        const ShapeColumn* column = shape.column(plan.softDelete);
        if (!column)
            return columnGone(plan, plan.softDelete);
        facts.softDelete = softDeleted(*column);
    }
    if (!plan.where.empty())
        facts.keep = "(" + condition(plan.where) + " IS TRUE)";
    if (plan.deletedRows) {
        const auto deleted = lookAt(connection, deletedTable(plan), {});
        if (!deleted)
            return deleted.error();
        for (const auto& [name, into] : {std::pair(&plan.deletedRows->at, &facts.deletedAt), std::pair(&plan.deletedRows->key, &facts.deletedKey)}) {
            const ShapeColumn* column = deleted->column(*name);
            if (!column)
                return columnGone(plan, plan.deletedRows->table + "." + *name);
            *into = *column;
        }
    }
    return facts;
}

} // namespace

TableRef deletedTable(const TablePlan& plan)
{
    const std::string& name = plan.deletedRows->table;
    const auto dot = name.find('.');
    return dot == std::string::npos ? TableRef {plan.table.schema, name} : TableRef {name.substr(0, dot), name.substr(dot + 1)};
}

Result<Position> markNow(const Config& config)
{
    auto connection = Connection::open(config);
    if (!connection)
        return std::move(connection).error();
    PollHorizon horizon;
    auto now = observe(**connection, horizon);
    if (!now)
        return std::move(now).error();
    horizon.add(std::move(*now));
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

    PollHorizon::Poll now;
    std::int64_t lower = 0;
    const bool resumed = (*state).find("now") != nullptr;
    if (resumed) {
        const auto poll = PollHorizon::fromNode((*state)["now"]);
        if (!poll)
            return poll.error();
        now = poll->newest();
        lower = (*state)["lower"].integer();
    } else {
        auto observed = observe(**connection, *horizon);
        if (!observed)
            return std::move(observed).error();
        now = std::move(*observed);
        lower = horizon->lower() - std::max(plan->overlapMs * 1000, leastOverlap);
    }
    // after the clock and the list of transactions, never before: what commits in between must be in the list or in the snapshot
    auto shape = beginReading(**connection, *plan);
    if (!shape)
        return std::move(shape).error();
    auto facts = gather(**connection, *plan, *shape);
    if (!facts)
        return std::move(facts).error();
    auto reader = std::make_unique<PollReader>(std::move(*connection), std::move(plan), std::move(*shape), std::move(*horizon), std::move(now), lower, std::move(*facts));
    if (resumed)
        if (auto ok = reader->resume(*state); !ok)
            return std::move(ok).error();
    return std::unique_ptr<BatchReader>(std::move(reader));
}

} // namespace millrace::postgresql
