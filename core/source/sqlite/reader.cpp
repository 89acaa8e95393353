#include "core/source/sqlite/reader.h"
#include "core/base/text.h"
#include "core/source/sqlite/catalog.h"
#include "core/source/sqlite/cell.h"
#include "core/source/sqlite/view.h"
#include "core/source/sqlite/walk.h"
#include <algorithm>
#include <optional>

namespace millrace::sqlitesource {

namespace {

//! How the rows of a plan are walked: by key; without one by rowid; else (views) as they come.
struct Way { WalkOrder order; bool byKey = false; };

//! {"k": [...]}: behind the row with this key (or rowid). {"k": null}: before the first row.
Position positionOf(const std::vector<RawValue>& place)
{
    return {Node::map({{"k", place.empty() ? Node() : nodeOf(place)}}).json()};
}

Result<std::vector<RawValue>> placeOf(const Position& position, std::size_t terms)
{
    if (position.empty())
        return std::vector<RawValue>();
    auto node = Node::fromJson(position.bytes);
    if (!node)
        return std::move(node).error();
    auto place = valuesOf((*node)["k"]);
    if (place && !place->empty() && place->size() != terms)
        return Error{Fault::Schema, "source.sqlite.table_altered", "The stored position belongs to another key.", "Run a full sync of this table.", {}};
    return place;
}

class RangeReader final : public BatchReader {
public:
    RangeReader(View& view, const TablePlanPtr& plan, const Way& way, std::vector<RawValue> after, std::vector<RawValue> upTo)
        : m_view(view), m_plan(plan), m_way(way), m_decoder(*plan, view.utf8()), m_place(std::move(after)),
          m_walk(view.connection(), spec(std::move(upTo), false)), m_nullKeys(view.connection(), spec({}, true)),
          m_phase(m_place.empty() && way.byKey && hasNullableKey() ? Phase::NullKeys : Phase::Rows) {}
    // Only with a rollback journal: in WAL mode the snapshot keeps its transaction for the next range.
    ~RangeReader() override { m_walk.pause(); m_nullKeys.pause(); if (!m_view.wal()) m_view.end(); }

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return Error{Fault::Cancelled, "source.sqlite.cancelled", "Stopped while reading " + m_plan->label + ".", {}, {}};
        const Cancel cancel(m_view.connection(), stop);
        if (m_phase != Phase::Done) {
            if (auto begun = m_view.begin(); !begun)
                return std::move(begun).error();
            if (auto filled = fill(into, maxRows, stop); !filled)
                return std::move(filled).error();
        }
        into.upTo = positionOf(m_place);
        return m_phase == Phase::Done ? ReadState::End : ReadState::More;
    }

private:
    enum class Phase : std::uint8_t { NullKeys, Rows, Done };

    bool hasNullableKey() const { return std::find(m_way.order.nullable.begin(), m_way.order.nullable.end(), true) != m_way.order.nullable.end(); }

    Walk::Spec spec(std::vector<RawValue> upTo, bool nullKeys)
    {
        Walk::Spec spec;
        std::vector<std::string> columns = columnList(*m_plan);
        spec.from = "main." + quotedName(m_plan->table.name);
        const std::string name = quotedName(m_plan->table.name);
        for (std::size_t i = 0; i < m_way.order.terms.size(); ++i)
            spec.orderAt.push_back(m_way.byKey ? static_cast<int>(m_plan->schema->key[i]) : placeIn(columns, m_way.order.terms[i]));
        if (!m_plan->softDelete.empty())
            m_soft = placeIn(columns, name + "." + quotedName(m_plan->softDelete));
        spec.columns = join(columns, ", ");
        if (!m_plan->where.empty())
            spec.conditions.push_back("(" + m_plan->where + "\n)");
        std::vector<std::string> nulls;
        for (std::size_t i = 0; m_way.byKey && i < m_way.order.terms.size(); ++i)
            if (m_way.order.nullable[i]) {
                nulls.push_back(m_way.order.terms[i] + " IS NULL");
                if (!nullKeys) spec.conditions.push_back(m_way.order.terms[i] + " IS NOT NULL");
            }
        if (nullKeys) {
            spec.conditions.push_back("(" + join(nulls.empty() ? std::vector<std::string>{"0"} : nulls, " OR ") + ")");
            return spec;
        }
        spec.order = m_way.order.terms;
        spec.collated = m_way.order.collated;
        spec.utf8 = m_view.utf8();
        if (!upTo.empty()) {
            spec.conditions.push_back(beyond(spec.order, 1, "<="));
            spec.fixed = std::move(upTo);
        }
        return spec;
    }

    Result<> fill(Batch& into, std::size_t maxRows, std::stop_token stop)
    {
        Walk& walk = m_phase == Phase::NullKeys ? m_nullKeys : m_walk;
        if (!walk.started())
            if (auto started = walk.start(m_place); !started)
                return started;
        const bool ordered = !m_way.order.terms.empty();
        for (std::size_t n = 0; n < maxRows && into.bytes() < batchBytes; ++n) {
            if ((n & 63) == 63 && stop.stop_requested())
                break;
            auto more = walk.next();
            if (!more) {
                Error error = m_view.connection().error("reading " + m_plan->label);
                walk.pause();                                    // a further read() goes on behind the last row
                if (!m_view.wal()) m_view.end();
                return error;
            }
            if (!*more) {
                walk.pause();
                if (m_phase == Phase::Rows && !m_view.wal()) m_view.end();
                m_phase = m_phase == Phase::NullKeys ? Phase::Rows : Phase::Done;
                return {};
            }
            const bool deleted = m_soft >= 0 && isDeleted(sqlite3_column_value(walk.row(), m_soft));
            m_decoder.append(walk.row(), into, deleted ? Op::Delete : Op::Upsert);
            if (m_phase == Phase::NullKeys)
                m_decoder.rejectNullKey(into);
            else if (ordered)
                walk.place(m_place);
        }
        // Between chunks nothing of a rollback-journal database is held. What has no index to come back by is read in one go.
        if (m_phase == Phase::Rows && !m_view.wal() && m_way.order.indexed) {
            walk.pause();
            m_view.end();
        }
        return {};
    }

    View& m_view;
    TablePlanPtr m_plan;
    const Way& m_way;
    RowDecoder m_decoder;
    std::vector<RawValue> m_place;
    int m_soft = -1;                                             // where the soft-delete column stands in a row; before the walks, which set it
    Walk m_walk, m_nullKeys;
    Phase m_phase;
};

class TableSnapshot final : public Snapshot {
public:
    TableSnapshot(std::unique_ptr<View> view, TablePlanPtr plan, Way way, std::int64_t version)
        : m_view(std::move(view)), m_plan(std::move(plan)), m_way(std::move(way)), m_base(version) {}

    Result<std::unique_ptr<BatchReader>> read(const KeyRange& range) override
    {
        m_base = m_seen.value_or(m_base);                        // the caller reads again what moved() told of
        m_seen.reset();
        auto after = placeOf(range.after, m_way.order.terms.size());
        if (!after)
            return std::move(after).error();
        auto upTo = placeOf(range.upTo, m_way.order.terms.size());
        if (!upTo)
            return std::move(upTo).error();
        return std::unique_ptr<BatchReader>(std::make_unique<RangeReader>(*m_view, m_plan, m_way, std::move(*after), std::move(*upTo)));
    }

    bool moved() override
    {
        if (m_view->wal())
            return false;
        auto now = dataVersion(*m_view);
        if (!now)
            return true;                                         // not knowing is treated as moved
        if (*now == m_base)
            return false;
        m_seen = *now;
        return true;
    }

    static Result<std::int64_t> dataVersion(View& view)
    {
        auto word = view.connection().word("PRAGMA main.data_version");
        if (!word)
            return std::move(word).error();
        return std::stoll(*word);
    }

private:
    std::unique_ptr<View> m_view;
    TablePlanPtr m_plan;
    Way m_way;
    std::int64_t m_base;
    std::optional<std::int64_t> m_seen;
};

} // namespace

std::vector<std::string> columnList(const TablePlan& plan)
{
    std::vector<std::string> columns;
    for (const Column& column : plan.schema->columns)
        columns.push_back(quotedName(plan.table.name) + "." + quotedName(column.source));
    return columns;
}

int placeIn(std::vector<std::string>& columns, const std::string& expression)
{
    const auto found = std::find(columns.begin(), columns.end(), expression);
    if (found != columns.end())
        return static_cast<int>(found - columns.begin());
    columns.push_back(expression);
    return static_cast<int>(columns.size()) - 1;
}

bool isDeleted(sqlite3_value* value)
{
    switch (sqlite3_value_type(value)) {
    case SQLITE_INTEGER: return sqlite3_value_int64(value) != 0;
    case SQLITE_FLOAT: return sqlite3_value_double(value) != 0;
    case SQLITE_TEXT: {
        const std::string word = lower(trimmed(reinterpret_cast<const char*>(sqlite3_value_text(value))));
        return !(word.empty() || word == "0" || word == "false" || word == "f" || word == "no" || word == "n" || word == "off");
    }
    case SQLITE_BLOB: return sqlite3_value_bytes(value) > 0;
    default: return false;
    }
}

Result<std::unique_ptr<Snapshot>> openSnapshot(const Config& config, TablePlanPtr plan)
{
    auto view = View::open(config, plan);
    if (!view)
        return std::move(view).error();
    // In WAL mode this transaction is the snapshot; else only the table's shape is looked at.
    if (auto begun = (*view)->begin(); !begun)
        return std::move(begun).error();
    Connection& connection = (*view)->connection();
    Way way;
    if (!plan->keyless()) {
        std::vector<std::string> key;
        for (const auto i : plan->schema->key)
            key.push_back(plan->schema->columns[i].source);
        auto order = keyOrder(connection, plan->table, key);
        if (!order)
            return std::move(order).error();
        way.order = std::move(*order);
        way.byKey = true;
    } else {
        auto rowid = rowidName(connection, plan->table);
        if (!rowid)
            return std::move(rowid).error();
        // Where the columns fill a whole result there is no place left for it.
        if (!rowid->empty() && plan->schema->columns.size() < static_cast<std::size_t>(sqlite3_limit(connection.handle(), SQLITE_LIMIT_COLUMN, -1)))
            way.order = {{*rowid}, {false}, true, false};
    }
    if (!(*view)->wal())
        (*view)->end();
    auto version = TableSnapshot::dataVersion(**view);
    if (!version)
        return std::move(version).error();
    return std::unique_ptr<Snapshot>(std::make_unique<TableSnapshot>(std::move(*view), std::move(plan), std::move(way), *version));
}

} // namespace millrace::sqlitesource
