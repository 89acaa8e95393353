#pragma once
#include "core/base/result.h"
#include "core/data/schema.h"
#include <cstdint>
#include <cstring>
#include <memory>
#include <memory_resource>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

//! Upsert: the row as it is now. Delete: only the key columns are filled. Skip: filtered or rejected; the row stays where it is,
//! so that indices and acks stay aligned.
enum class Op : std::uint8_t { Upsert, Delete, Skip };

//! 16 bytes, trivially copyable; text lives in the batch's arena.
//!   Bool: i is 0 or 1. Int: i. Uint: u. Real: d.
//!   Date: i = days since 1970-01-01. Time: i = signed microseconds. DateTime (no zone), Timestamp (UTC): i = microseconds since
//!   1970-01-01T00:00:00. For these three, size = fraction digits to print (0 to 6).
//!   Decimal: text, plain digits "-12.50", the declared scale kept, or "NaN". Text: valid UTF-8. Json: minified text as the server
//!   orders it. Uuid: 36 lower-case characters. Array: minified JSON array. Bytes: raw.
struct Cell {
    Type type = Type::Null;
    std::uint32_t size = 0;
    union { std::int64_t i = 0; std::uint64_t u; double d; const char* p; };

    std::string_view text() const { return {p, size}; }
    static Cell null() { return {}; }
    static Cell boolean(bool v) { Cell c; c.type = Type::Bool; c.i = v; return c; }
    static Cell integer(std::int64_t v) { Cell c; c.type = Type::Int; c.i = v; return c; }
    static Cell uinteger(std::uint64_t v) { Cell c; c.type = Type::Uint; c.u = v; return c; }
    static Cell real(double v) { Cell c; c.type = Type::Real; c.d = v; return c; }
    static Cell date(std::int64_t days) { Cell c; c.type = Type::Date; c.i = days; return c; }
    static Cell time(Type type, std::int64_t micros, std::uint8_t digits) { Cell c; c.type = type; c.i = micros; c.size = digits; return c; }
};
static_assert(sizeof(Cell) == 16);

//! A resume point. Opaque to all but the source (or engine part) that made it.
struct Position { std::string bytes; bool empty() const { return bytes.empty(); } bool operator==(const Position&) const = default; };

//! Why one row could not be carried. `row` counts within its batch.
struct RowFailure { std::uint32_t row = 0; Error error; };

//! Row-major rows of one table: the only currency between reader, engine and target.
class Batch {
public:
    explicit Batch(SchemaPtr schema) : m_schema(std::move(schema)), m_arena(std::make_unique<std::pmr::monotonic_buffer_resource>(64 * 1024)) {}
    Batch(Batch&&) = default;
    Batch& operator=(Batch&&) = default;

    const Schema& schema() const { return *m_schema; }
    const SchemaPtr& schemaPtr() const { return m_schema; }
    std::size_t rows() const { return m_ops.size(); }
    //! Memory held: arena and cells.
    std::size_t bytes() const { return m_textBytes + m_cells.size() * sizeof(Cell) + m_ops.size(); }

    //! The new row's cells, all null. The span lives until the next append.
    std::span<Cell> append(Op op)
    {
        m_ops.push_back(op);
        m_cells.resize(m_cells.size() + m_schema->columns.size());
        return row(rows() - 1);
    }
    std::span<Cell> row(std::size_t i) { const auto n = m_schema->columns.size(); return {m_cells.data() + i * n, n}; }
    std::span<const Cell> row(std::size_t i) const { const auto n = m_schema->columns.size(); return {m_cells.data() + i * n, n}; }
    Op op(std::size_t i) const { return m_ops[i]; }
    void setOp(std::size_t i, Op op) { m_ops[i] = op; }

    //! Uninitialised bytes in the arena, to decode into. They live as long as the batch.
    char* allocate(std::size_t n) { m_textBytes += n; return static_cast<char*>(m_arena->allocate(n ? n : 1, 1)); }
    Cell text(std::string_view s, Type type = Type::Text)
    {
        char* p = allocate(s.size());
        if (!s.empty()) std::memcpy(p, s.data(), s.size());
        Cell c;
        c.type = type;
        c.size = static_cast<std::uint32_t>(s.size());
        c.p = p;
        return c;
    }

    //! The reader could not carry this row (policy `fail`, invalid UTF-8, a cell above the limit): it is parked, never dropped.
    //! Fill the key cells that can be read first, so that the operator can find the row.
    void reject(std::size_t i, Error error) { m_ops[i] = Op::Skip; m_rejected.push_back({static_cast<std::uint32_t>(i), std::move(error)}); }
    const std::vector<RowFailure>& rejected() const { return m_rejected; }

    //! Rows with a value that a stated policy replaced (zero date -> null), and rows that the filter left out: counted, so that they are visible.
    std::uint64_t coerced = 0, filtered = 0;
    Position upTo;                    //!< resume point once every row here is settled
    std::uint64_t version = 0;        //!< of row 0; row i carries version + i (engine.md, "Version and lease")
    std::uint64_t hash = 0;           //!< sum over the rows of their 64-bit row hash (see rowHash in value.h); set by the engine
private:
    SchemaPtr m_schema;
    std::unique_ptr<std::pmr::monotonic_buffer_resource> m_arena;
    std::vector<Cell> m_cells;
    std::vector<Op> m_ops;
    std::vector<RowFailure> m_rejected;
    std::size_t m_textBytes = 0;
};

} // namespace millrace
