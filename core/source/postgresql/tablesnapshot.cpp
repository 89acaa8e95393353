#include "core/source/postgresql/tablesnapshot.h"
#include "core/source/postgresql/pagedcopy.h"
#include "core/source/postgresql/softdelete.h"

namespace millrace::postgresql {

namespace {

constexpr std::size_t batchBytes = 4u << 20;

class RangeReader final : public BatchReader {
public:
    RangeReader(Connection& connection, PagedCopy::Spec spec, std::optional<std::size_t> softDelete)
        : m_connection(connection), m_copy(connection, std::move(spec)), m_softDelete(softDelete) {}

    Result<> limit(const KeyRange& range)
    {
        for (const bool upper : {false, true}) {
            const Position& position = upper ? range.upTo : range.after;
            if (position.empty())
                continue;
            const auto node = Node::fromJson(position.bytes);
            if (!node)
                return node.error();
            auto bounds = m_copy.fromNode(*node);
            if (!bounds)
                return std::move(bounds).error();
            upper ? m_copy.upTo(std::move(*bounds)) : m_copy.after(std::move(*bounds));
        }
        return {};
    }

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return cancelled();
        Interruptible guard(m_connection, stop);
        for (std::size_t rows = 0; rows < maxRows && into.bytes() < batchBytes; ++rows) {
            const auto more = m_copy.next();
            if (!more)
                return guard.finish(more.error());
            if (!*more)
                return finish(into, ReadState::End);
            m_copy.decode(into, m_softDelete && m_copy.flag(*m_softDelete) ? Op::Delete : Op::Upsert);
        }
        return finish(into, ReadState::More);
    }

private:
    Result<ReadState> finish(Batch& into, ReadState state)
    {
        const auto bounds = m_copy.bounds();
        if (!bounds)
            return bounds.error();
        if (!bounds->empty())
            into.upTo.bytes = PagedCopy::node(*bounds).json();
        return state;
    }
    Connection& m_connection;
    PagedCopy m_copy;
    std::optional<std::size_t> m_softDelete;
};

} // namespace

Result<std::unique_ptr<Snapshot>> TableSnapshot::open(const Config& config, TablePlanPtr plan)
{
    auto connection = Connection::open(config);
    if (!connection)
        return std::move(connection).error();
    auto shape = beginReading(**connection, *plan);
    if (!shape)
        return std::move(shape).error();
    if (!plan->softDelete.empty() && !shape->column(plan->softDelete))
        return Error {Fault::Schema, "source.postgresql.table_altered", plan->label + ": column " + plan->softDelete + " is gone", "Check the sync's definition of this table.", {}};
    return std::unique_ptr<Snapshot>(new TableSnapshot(std::move(*connection), std::move(plan), std::move(*shape)));
}

Result<std::unique_ptr<BatchReader>> TableSnapshot::read(const KeyRange& range)
{
    auto spec = PagedCopy::forPlan(*m_connection, *m_plan, m_shape);
    if (!spec)
        return std::move(spec).error();
    if (!m_plan->where.empty())
        spec->where.push_back(condition(m_plan->where));
    std::optional<std::size_t> softDelete;
    if (!m_plan->softDelete.empty()) {
        spec->list.push_back(softDeleted(*m_shape.column(m_plan->softDelete)));
        softDelete = spec->row.addFlag();
    }
    auto reader = std::make_unique<RangeReader>(*m_connection, std::move(*spec), softDelete);
    if (auto ok = reader->limit(range); !ok)
        return std::move(ok).error();
    return std::unique_ptr<BatchReader>(std::move(reader));
}

} // namespace millrace::postgresql
