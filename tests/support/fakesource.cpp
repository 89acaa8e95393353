#include "core/base/text.h"
#include "core/data/value.h"
#include "tests/support/fakes.h"
#include <algorithm>

namespace millrace::test {

namespace {

std::string encodeKey(const FakeRow& key)
{
    std::string out;
    for (const FakeValue& value : key)
        out += value.type == Type::Text ? "s" + value.text + '\x1f' : "i" + std::to_string(value.number) + '\x1f';
    return out;
}

FakeRow decodeKey(std::string_view bytes)
{
    FakeRow key;
    while (!bytes.empty()) {
        const auto end = bytes.find('\x1f');
        const std::string text(bytes.substr(1, end - 1));
        if (bytes[0] == 's') key.emplace_back(text);
        else key.emplace_back(static_cast<std::int64_t>(std::stoll(text)));
        bytes.remove_prefix(end + 1);
    }
    return key;
}

Error noTable(const std::string& table)
{
    return {Fault::Schema, "source.fake.no_table", "table " + table + " does not exist", "", {}};
}

bool truthy(const FakeValue& value)
{
    return value.type != Type::Null && (value.number != 0 || !value.text.empty());
}

} // namespace

Cell FakeValue::cell(Batch& batch) const
{
    switch (type) {
    case Type::Null: case Type::Unchanged: { Cell c; c.type = type; return c; }
    case Type::Bool: return Cell::boolean(number != 0);
    case Type::Int: return Cell::integer(number);
    case Type::Uint: return Cell::uinteger(static_cast<std::uint64_t>(number));
    case Type::Real: return Cell::real(real);
    case Type::Date: return Cell::date(number);
    case Type::Time: case Type::DateTime: case Type::Timestamp: return Cell::time(type, number, 6);
    default: return batch.text(text, type);
    }
}

void FakeDatabase::createTable(const std::string& table, const std::vector<std::string>& columns, std::size_t keyColumns)
{
    std::lock_guard lock(m_mutex);
    Table& made = m_tables[table];
    made = Table{};
    made.keyColumns = keyColumns;
    made.info.ref = {"main", table};
    for (const std::string& text : columns) {
        const auto words = split(text, ' ');
        ColumnInfo column;
        column.name = words.at(0);
        column.nativeType = words.size() > 1 ? words[1] : "text";
        typeFromName(column.nativeType, column.type);
        column.nullable = made.info.columns.size() >= keyColumns;
        if (made.info.columns.size() < keyColumns)
            made.info.primaryKey.push_back(column.name);
        if (column.name == "updated") {
            column.autoUpdated = true;
            made.info.recommended = {Strategy::Timestamp, "updated", {"recommend.cursor", "updated is set by every change", {}}};
        }
        made.info.columns.push_back(std::move(column));
    }
    made.info.key = made.info.primaryKey;
}

void FakeDatabase::dropColumn(const std::string& table, const std::string& column)
{
    std::lock_guard lock(m_mutex);
    Table& t = m_tables.at(table);
    const auto at = std::find_if(t.info.columns.begin(), t.info.columns.end(), [&](const ColumnInfo& c) { return c.name == column; });
    if (at == t.info.columns.end())
        return;
    const auto index = at - t.info.columns.begin();
    t.info.columns.erase(at);
    for (auto& [key, stored] : t.rows)
        stored.row.erase(stored.row.begin() + index);
}

void FakeDatabase::dropTable(const std::string& table)
{
    std::lock_guard lock(m_mutex);
    m_tables.erase(table);
}

void FakeDatabase::stampRow(const Table& table, FakeRow& row) const
{
    row.resize(table.info.columns.size());
    for (std::size_t i = 0; i < row.size(); ++i)
        if (table.info.columns[i].name == "updated")
            row[i] = m_now;
}

void FakeDatabase::store(Table& table, FakeRow row, std::int64_t stamp)
{
    FakeRow key(row.begin(), row.begin() + static_cast<std::ptrdiff_t>(table.keyColumns));
    if (table.keyColumns == 0)
        key = {FakeValue(++m_ordinal)};
    table.deleted.erase(key);
    table.rows[key] = {std::move(row), stamp};
    ++table.revision;
}

void FakeDatabase::put(const std::string& table, FakeRow row)
{
    std::lock_guard lock(m_mutex);
    Table& t = m_tables.at(table);
    stampRow(t, row);
    store(t, std::move(row), m_now);
}

void FakeDatabase::erase(const std::string& table, const FakeRow& key)
{
    std::lock_guard lock(m_mutex);
    Table& t = m_tables.at(table);
    if (t.rows.erase(key)) {
        t.deleted[key] = m_now;
        ++t.revision;
    }
}

void FakeDatabase::clear(const std::string& table)
{
    std::lock_guard lock(m_mutex);
    Table& t = m_tables.at(table);
    t.rows.clear();
    ++t.revision;
}

std::vector<FakeRow> FakeDatabase::rows(const std::string& table) const
{
    std::lock_guard lock(m_mutex);
    std::vector<FakeRow> out;
    for (const auto& [key, stored] : m_tables.at(table).rows)
        out.push_back(stored.row);
    return out;
}

void FakeDatabase::tick(std::int64_t by) { std::lock_guard lock(m_mutex); m_now += by; }
std::int64_t FakeDatabase::now() const { std::lock_guard lock(m_mutex); return m_now; }

FakeDatabase::Tx FakeDatabase::begin()
{
    std::lock_guard lock(m_mutex);
    m_open[m_nextTx].began = m_now;
    return m_nextTx++;
}

void FakeDatabase::put(Tx tx, const std::string& table, FakeRow row)
{
    std::lock_guard lock(m_mutex);
    stampRow(m_tables.at(table), row);
    m_open.at(tx).puts.emplace_back(table, std::move(row), m_now);
}

void FakeDatabase::commit(Tx tx)
{
    std::lock_guard lock(m_mutex);
    for (auto& [table, row, stamp] : m_open.at(tx).puts)
        store(m_tables.at(table), std::move(row), stamp);
    m_open.erase(tx);
}

void FakeDatabase::failRead(const std::string& table, std::uint64_t afterRows, Error error, int times)
{
    std::lock_guard lock(m_mutex);
    m_tables.at(table).readFault = Fault{afterRows, std::move(error), times};
}

void FakeDatabase::failProof(const std::string& table, std::uint64_t afterRows, Error error, int times)
{
    std::lock_guard lock(m_mutex);
    m_tables.at(table).proofFault = Fault{afterRows, std::move(error), times};
}

void FakeDatabase::failOpen(Error error, int times) { std::lock_guard lock(m_mutex); m_openFault = Fault{0, std::move(error), times}; }
void FakeDatabase::rejectRow(const std::string& table, const FakeRow& key, Error error)
{
    std::lock_guard lock(m_mutex);
    m_tables.at(table).rejected[key] = std::move(error);
}
void FakeDatabase::acceptRow(const std::string& table, const FakeRow& key) { std::lock_guard lock(m_mutex); m_tables.at(table).rejected.erase(key); }
void FakeDatabase::setFilter(const std::string& where, std::function<bool(const FakeRow&)> keep)
{
    std::lock_guard lock(m_mutex);
    m_filters[where] = std::move(keep);
}
void FakeDatabase::setConsistentSnapshots(bool on) { std::lock_guard lock(m_mutex); m_consistent = on; }
void FakeDatabase::onRead(std::function<void(const std::string&, std::uint64_t)> hook) { std::lock_guard lock(m_mutex); m_hook = std::move(hook); }

//! One reader for all three ways of reading; what differs is where the lines come from.
class FakeReader final : public BatchReader {
public:
    struct Line { FakeRow key; FakeDatabase::Stored stored; bool deleted = false; Position position; };
    enum class Way { Snapshot, Changes, Proof };
    FakeReader(FakeDatabase& database, TablePlanPtr plan, Way way) : m_database(database), m_plan(std::move(plan)), m_way(way) {}

    std::vector<Line> lines;                                      //!< Snapshot (consistent), Changes, Proof
    std::size_t next = 0;
    bool live = false;                                            //!< Snapshot: read the present, after `after`
    std::optional<FakeRow> after, upTo;
    Position end;

    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return Error{millrace::Fault::Cancelled, "source.cancelled", "stopped", "", {}};
        std::function<void(const std::string&, std::uint64_t)> hook;
        { std::lock_guard lock(m_database.m_mutex); hook = m_database.m_hook; }
        if (hook)
            hook(m_plan->table.name, m_given);

        std::lock_guard lock(m_database.m_mutex);
        const auto found = m_database.m_tables.find(m_plan->table.name);
        if (found == m_database.m_tables.end())
            return noTable(m_plan->table.name);
        FakeDatabase::Table& table = found->second;
        auto& fault = m_way == Way::Proof ? table.proofFault : table.readFault;
        if (fault && fault->times > 0) {
            if (m_given >= fault->afterRows) {
                --fault->times;
                return fault->error;
            }
            maxRows = std::min<std::size_t>(maxRows, fault->afterRows - m_given);
        }
        std::vector<std::size_t> at;
        for (const Column& column : m_plan->schema->columns) {
            const auto& columns = table.info.columns;
            const auto c = std::find_if(columns.begin(), columns.end(), [&](const ColumnInfo& info) { return info.name == column.source; });
            if (c == columns.end())
                return Error{millrace::Fault::Schema, "source.fake.no_column", "column " + column.source + " is gone", "", {}};
            at.push_back(static_cast<std::size_t>(c - columns.begin()));
        }
        if (live)
            refill(table, maxRows);
        std::size_t taken = 0;
        for (; taken < maxRows && next < lines.size(); ++next, ++taken)
            append(into, table, lines[next], at);
        m_given += taken;
        const bool done = live ? lines.size() < maxRows : next == lines.size();
        if (next > 0 && next <= lines.size())
            into.upTo = lines[next - 1].position;
        if (done && m_way != Way::Snapshot)
            into.upTo = end;
        return done ? ReadState::End : ReadState::More;
    }

private:
    void refill(const FakeDatabase::Table& table, std::size_t maxRows)
    {
        lines.clear();
        next = 0;
        for (auto i = after ? table.rows.upper_bound(*after) : table.rows.begin(); i != table.rows.end() && lines.size() < maxRows; ++i) {
            if (upTo && *upTo < i->first)
                break;
            lines.push_back({i->first, i->second, false, {encodeKey(i->first)}});
            after = i->first;
        }
    }

    bool kept(const FakeDatabase::Table& table, const FakeRow& row) const
    {
        if (!m_plan->where.empty()) {
            const auto filter = m_database.m_filters.find(m_plan->where);
            if (filter != m_database.m_filters.end() && !filter->second(row))
                return false;
        }
        for (std::size_t i = 0; i < row.size() && !m_plan->softDelete.empty(); ++i)
            if (table.info.columns[i].name == m_plan->softDelete && truthy(row[i]))
                return false;
        return true;
    }

    void append(Batch& into, const FakeDatabase::Table& table, const Line& line, const std::vector<std::size_t>& at)
    {
        const bool gone = line.deleted || !kept(table, line.stored.row);
        if (gone && m_way != Way::Changes) {
            into.filtered += m_way == Way::Snapshot;
            return;
        }
        const auto cells = into.append(gone ? Op::Delete : Op::Upsert);
        const auto rejected = table.rejected.find(line.key);
        for (std::size_t i = 0; i < cells.size(); ++i) {
            const bool key = m_plan->schema->columns[i].key;
            if (line.deleted ? key : (key || (!gone && rejected == table.rejected.end())))
                cells[i] = line.deleted ? line.key[at[i]].cell(into) : line.stored.row[at[i]].cell(into);
        }
        if (rejected != table.rejected.end())
            into.reject(into.rows() - 1, rejected->second);
    }

    FakeDatabase& m_database;
    TablePlanPtr m_plan;
    Way m_way;
    std::uint64_t m_given = 0;
};

class FakeSnapshot final : public Snapshot {
public:
    FakeSnapshot(FakeDatabase& database, TablePlanPtr plan) : m_database(database), m_plan(std::move(plan))
    {
        std::lock_guard lock(m_database.m_mutex);
        m_consistent = m_database.m_consistent;
        m_rows = m_database.m_tables.at(m_plan->table.name).rows;
        m_revision = m_database.m_tables.at(m_plan->table.name).revision;
    }
    Result<std::unique_ptr<BatchReader>> read(const KeyRange& range) override
    {
        auto reader = std::make_unique<FakeReader>(m_database, m_plan, FakeReader::Way::Snapshot);
        reader->live = !m_consistent;
        if (!range.after.empty()) reader->after = decodeKey(range.after.bytes);
        if (!range.upTo.empty()) reader->upTo = decodeKey(range.upTo.bytes);
        if (m_consistent)
            for (auto i = reader->after ? m_rows.upper_bound(*reader->after) : m_rows.begin(); i != m_rows.end(); ++i) {
                if (reader->upTo && *reader->upTo < i->first)
                    break;
                reader->lines.push_back({i->first, i->second, false, {encodeKey(i->first)}});
            }
        return std::unique_ptr<BatchReader>(std::move(reader));
    }
    bool moved() override
    {
        std::lock_guard lock(m_database.m_mutex);
        return !m_consistent && m_database.m_tables.at(m_plan->table.name).revision != m_revision;
    }
    Result<std::optional<std::uint64_t>> countUntouched(const KeyRange& range, const Position& mark) override
    {
        std::uint64_t count = 0;
        for (const auto& [key, stored] : m_rows) {
            if ((!range.after.empty() && !(decodeKey(range.after.bytes) < key)) || (!range.upTo.empty() && decodeKey(range.upTo.bytes) < key))
                continue;
            if (!m_consistent || stored.stamp >= std::stoll(mark.bytes.substr(1)))
                return std::optional<std::uint64_t>();
            ++count;
        }
        return std::optional(count);
    }
private:
    FakeDatabase& m_database;
    TablePlanPtr m_plan;
    std::map<FakeRow, FakeDatabase::Stored> m_rows;
    std::uint64_t m_revision = 0;
    bool m_consistent = true;
};

Result<> FakeSource::opening()
{
    std::lock_guard lock(m_database.m_mutex);
    if (auto& fault = m_database.m_openFault; fault && fault->times > 0) {
        --fault->times;
        return fault->error;
    }
    return {};
}

Result<ServerInfo> FakeSource::server()
{
    if (auto open = opening(); !open)
        return open.error();
    return ServerInfo{"fake", "1"};
}

TestReport FakeSource::test(const std::function<void(const TestStage&)>& stageDone, std::stop_token)
{
    TestReport report;
    report.server = {"fake", "1"};
    report.stages.push_back({"server", "Server", TestStage::Outcome::Passed, "in memory", "", 0});
    stageDone(report.stages.back());
    return report;
}

Result<std::vector<TableInfo>> FakeSource::discover(std::string_view glob, std::stop_token)
{
    if (auto open = opening(); !open)
        return open.error();
    std::lock_guard lock(m_database.m_mutex);
    std::vector<TableInfo> out;
    for (const auto& [name, table] : m_database.m_tables)
        if (glob.empty() || globMatches(glob, name) || globMatches(glob, "main." + name)) {
            out.push_back(table.info);
            out.back().rowsEstimate = table.rows.size();
        }
    return out;
}

Result<TableInfo> FakeSource::describe(const TableRef& table)
{
    if (auto open = opening(); !open)
        return open.error();
    std::lock_guard lock(m_database.m_mutex);
    const auto found = m_database.m_tables.find(table.name);
    if (found == m_database.m_tables.end())
        return noTable(table.name);
    TableInfo info = found->second.info;
    info.rowsEstimate = found->second.rows.size();
    return info;
}

Result<> FakeSource::preflight(const TablePlan& plan)
{
    if (plan.strategy == Strategy::Timestamp && plan.cursor.empty())
        return Error{Fault::Config, "source.fake.no_cursor", "table " + plan.label + " has no cursor", "", {}};
    return {};
}

Result<Position> FakeSource::mark(const TablePlan&)
{
    if (auto open = opening(); !open)
        return open.error();
    std::lock_guard lock(m_database.m_mutex);
    std::int64_t horizon = m_database.m_now;
    for (const auto& [tx, state] : m_database.m_open)
        horizon = std::min(horizon, state.began);
    return Position{"t" + std::to_string(horizon)};
}

Result<std::unique_ptr<Snapshot>> FakeSource::snapshot(TablePlanPtr plan)
{
    if (auto open = opening(); !open)
        return open.error();
    { std::lock_guard lock(m_database.m_mutex); if (!m_database.m_tables.contains(plan->table.name)) return noTable(plan->table.name); }
    return std::unique_ptr<Snapshot>(std::make_unique<FakeSnapshot>(m_database, std::move(plan)));
}

Result<std::unique_ptr<BatchReader>> FakeSource::changes(TablePlanPtr plan, const Position& from)
{
    auto reader = std::make_unique<FakeReader>(m_database, plan, FakeReader::Way::Changes);
    std::lock_guard lock(m_database.m_mutex);
    const auto found = m_database.m_tables.find(plan->table.name);
    if (found == m_database.m_tables.end())
        return noTable(plan->table.name);
    std::int64_t horizon = m_database.m_now, low = 0;
    for (const auto& [tx, state] : m_database.m_open)
        horizon = std::min(horizon, state.began);
    // "t<stamp>": everything from that stamp on. "m<stamp> <horizon> <key>": after that row, inside a poll that saw what is below its
    // horizon, where nothing can be added.
    std::optional<FakeRow> after;
    if (!from.empty()) {
        std::size_t used = 0;
        low = std::stoll(from.bytes.substr(1), &used);
        if (from.bytes[0] == 'm') {
            const auto rest = std::string_view(from.bytes).substr(used + 2);
            horizon = std::stoll(std::string(rest), &used);
            after = decodeKey(rest.substr(used + 1));
        }
    }
    std::map<std::pair<std::int64_t, FakeRow>, FakeReader::Line> ordered;
    const auto consider = [&](const FakeRow& key, std::int64_t stamp, FakeReader::Line line) {
        if (stamp < low || (after && ((stamp == low && !(*after < key)) || stamp >= horizon)))
            return;
        line.position.bytes = stamp < horizon ? "m" + std::to_string(stamp) + ' ' + std::to_string(horizon) + ' ' + encodeKey(key) : "t" + std::to_string(horizon);
        ordered.emplace(std::pair(stamp, key), std::move(line));
    };
    for (const auto& [key, stored] : found->second.rows)
        consider(key, stored.stamp, {key, stored, false, {}});
    if (plan->deletedRows)
        for (const auto& [key, stamp] : found->second.deleted)
            consider(key, stamp, {key, {}, true, {}});
    for (auto& [order, line] : ordered)
        reader->lines.push_back(std::move(line));
    reader->end.bytes = "t" + std::to_string(std::max(horizon, low));
    return std::unique_ptr<BatchReader>(std::move(reader));
}

Result<std::unique_ptr<BatchReader>> FakeSource::proof(TablePlanPtr plan, const std::vector<std::vector<Cell>>& keys)
{
    auto reader = std::make_unique<FakeReader>(m_database, plan, FakeReader::Way::Proof);
    std::set<std::string> wanted;
    for (const auto& key : keys)
        wanted.insert(keyTextOf(key));
    std::lock_guard lock(m_database.m_mutex);
    const auto found = m_database.m_tables.find(plan->table.name);
    if (found == m_database.m_tables.end())
        return noTable(plan->table.name);
    Batch scratch(plan->schema);
    for (const auto& [key, stored] : found->second.rows) {
        std::vector<Cell> cells;
        for (const FakeValue& value : key)
            cells.push_back(value.cell(scratch));
        if (keys.empty() || wanted.contains(keyTextOf(cells)))
            reader->lines.push_back({key, stored, false, {}});
    }
    return std::unique_ptr<BatchReader>(std::move(reader));
}

TablePlanPtr fakePlan(const FakeDatabase& database, const std::string& table, Strategy strategy, const std::string& sync)
{
    FakeSource source(const_cast<FakeDatabase&>(database));
    auto plan = std::make_shared<TablePlan>();
    auto schema = std::make_shared<Schema>();
    const auto info = source.describe({"main", table});
    if (!info)
        return nullptr;
    plan->sync = sync;
    plan->table = info->ref;
    plan->label = plan->container = schema->table = table;
    plan->strategy = strategy;
    plan->cursor = strategy == Strategy::Timestamp ? info->recommended.cursor : std::string();
    for (const ColumnInfo& from : info->columns) {
        Column column;
        column.source = column.name = from.name;
        column.type = from.type;
        column.nullable = from.nullable;
        column.nativeType = from.nativeType;
        if (std::find(info->key.begin(), info->key.end(), from.name) != info->key.end()) {
            column.key = true;
            schema->key.push_back(static_cast<std::uint32_t>(schema->columns.size()));
        }
        schema->columns.push_back(std::move(column));
    }
    plan->policies.assign(schema->columns.size(), ValuePolicy::Null);
    plan->schema = std::move(schema);
    return plan;
}

} // namespace millrace::test
