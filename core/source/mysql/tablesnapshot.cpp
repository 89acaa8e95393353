#include "core/source/mysql/tablesnapshot.h"
#include "core/base/text.h"
#include "core/source/mysql/catalog.h"
#include "core/source/mysql/pagedquery.h"
#include "core/source/mysql/poll.h"
#include "core/source/mysql/softdelete.h"

namespace millrace::mysql {

namespace {

constexpr std::size_t batchBytes = 4u << 20;

Result<> limit(PagedQuery& query, const KeyRange& range)
{
    for (const bool upper : {false, true}) {
        const Position& position = upper ? range.upTo : range.after;
        if (position.empty())
            continue;
        const auto node = Node::fromJson(position.bytes);
        if (!node)
            return node.error();
        auto bounds = query.fromNode(*node);
        if (!bounds)
            return std::move(bounds).error();
        upper ? query.upTo(std::move(*bounds)) : query.after(std::move(*bounds));
    }
    return {};
}

class RangeReader final : public BatchReader {
public:
    RangeReader(Connection& connection, PagedQuery::Spec spec, std::optional<std::size_t> softDelete)
        : m_connection(connection), m_query(connection, std::move(spec)), m_softDelete(softDelete) {}

    Result<> limitTo(const KeyRange& range) { return limit(m_query, range); }

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return cancelled();
        Interruptible guard(m_connection, stop);
        for (std::size_t rows = 0; rows < maxRows && into.bytes() < batchBytes; ++rows) {
            const auto more = m_query.next();
            if (!more)
                return guard.finish(more.error());
            if (!*more)
                return finish(into, ReadState::End);
            m_query.decode(into, m_softDelete && m_query.integer(*m_softDelete) ? Op::Delete : Op::Upsert);
        }
        return finish(into, ReadState::More);
    }

private:
    Result<ReadState> finish(Batch& into, ReadState state)
    {
        const auto bounds = m_query.bounds();
        if (!bounds)
            return bounds.error();
        if (!bounds->empty())
            into.upTo.bytes = m_query.node(*bounds).json();
        return state;
    }
    Connection& m_connection;
    PagedQuery m_query;
    std::optional<std::size_t> m_softDelete;
};

} // namespace

Result<std::unique_ptr<Snapshot>> TableSnapshot::open(const Config& config, TablePlanPtr plan)
{
    auto connection = Connection::open(config);
    if (!connection)
        return std::move(connection).error();
    Catalog catalog(**connection);
    bool consistent = true;
    if (plan->kind != TableKind::View) {
        const auto engine = catalog.engineOf(plan->table);
        if (!engine)
            return engine.error();
        consistent = engine->empty() || lower(*engine) == "innodb" || lower(*engine) == "rocksdb";
    }
    std::string softDelete, since;
    if (!consistent) {
        auto now = (*connection)->query("SELECT UTC_TIMESTAMP()");
        if (!now)
            return std::move(now).error();
        since = (*now)[0][0].value_or("");
    }
    if (!plan->softDelete.empty()) {
        const auto type = catalog.columnType(plan->table, plan->softDelete);
        if (!type)
            return type.error();
        softDelete = softDeleted(plan->softDelete, parseNativeType(*type));
    }
    if (auto ok = beginSnapshot(**connection); !ok)
        return std::move(ok).error();
    std::unique_ptr<TableSnapshot> snapshot(new TableSnapshot(std::move(*connection), std::move(plan), consistent));
    snapshot->m_softDelete = std::move(softDelete);
    snapshot->m_since = std::move(since);
    return std::unique_ptr<Snapshot>(std::move(snapshot));
}

bool TableSnapshot::moved()
{
    if (m_consistent)
        return false;
    // a session of its own: this one may be in the middle of a result. What cannot be told counts as moved.
    auto connection = Connection::open(m_connection->config());
    if (!connection)
        return true;
    Connection& c = **connection;
    const auto seen = c.query("SELECT UTC_TIMESTAMP(), update_time < " + c.literal(m_since) + " FROM information_schema.tables WHERE table_schema = "
                              + c.literal(m_plan->table.schema) + " AND table_name = " + c.literal(m_plan->table.name));
    if (!seen || seen->empty())
        return true;
    m_since = (*seen)[0][0].value_or("");
    return (*seen)[0][1] != "1";
}

Result<std::unique_ptr<BatchReader>> TableSnapshot::read(const KeyRange& range)
{
    auto spec = PagedQuery::forPlan(*m_plan);
    spec.inSnapshot = true;
    if (!m_plan->where.empty())
        spec.where.push_back(PagedQuery::condition(m_plan->where));
    std::optional<std::size_t> softDelete;
    if (!m_softDelete.empty()) {
        spec.list.push_back(m_softDelete);
        softDelete = spec.slots.addInteger();
    }
    auto reader = std::make_unique<RangeReader>(*m_connection, std::move(spec), softDelete);
    if (auto ok = reader->limitTo(range); !ok)
        return std::move(ok).error();
    return std::unique_ptr<BatchReader>(std::move(reader));
}

Result<std::optional<std::uint64_t>> TableSnapshot::countUntouched(const KeyRange& range, const Position& mark)
{
    auto since = changedSince(*m_connection, *m_plan, mark);
    if (!since)
        return std::move(since).error();
    auto spec = PagedQuery::forPlan(*m_plan);
    spec.inSnapshot = true;
    if (!m_plan->where.empty())
        spec.where.push_back(PagedQuery::condition(m_plan->where));
    spec.aggregate = true;
    spec.slots = {};
    const std::size_t all = spec.slots.addInteger(), changed = spec.slots.addInteger();
    spec.list = {"COUNT(*)", "COUNT(CASE WHEN " + *since + " THEN 1 END)"};
    PagedQuery query(*m_connection, std::move(spec));
    if (auto limited = limit(query, range); !limited)
        return std::move(limited).error();
    auto row = query.next();
    if (!row)
        return std::move(row).error();
    if (!*row || query.integer(changed) > 0)
        return std::optional<std::uint64_t>();
    return std::optional(static_cast<std::uint64_t>(query.integer(all)));
}

} // namespace millrace::mysql
