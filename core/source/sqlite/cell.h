#pragma once
#include "core/data/batch.h"
#include "core/engine/plan.h"
#include <sqlite3.h>
#include <string>
#include <vector>

namespace millrace::sqlitesource {

//! How one column's values are read. Type: what a value is refined to when it parses exactly; Text, Int, Real, Bytes: no refinement.
struct ColumnRule { Type type = Type::Text; std::uint8_t scale = 0; bool scaled = false, key = false; ValuePolicy policy = ValuePolicy::Null; };
std::vector<ColumnRule> columnRules(const TablePlan& plan);

enum class Decoded : std::uint8_t { Exact, Coerced, InvalidText, TooLarge };

//! The value's storage class wins; a declared BOOLEAN, DATE, DATETIME, DECIMAL, ... refines it only where the value parses exactly,
//! else it is text (contract, "Values"). Text and bytes are borrowed from SQLite (`borrowed` is set), all else is complete.
//! `type` is the value's storage class, `utf8` the file's encoding, `scratch` a buffer that is used again and again.
Decoded decode(sqlite3_value* value, int type, bool utf8, const ColumnRule& rule, Batch& batch, std::string& scratch, Cell& cell, bool& borrowed);

//! Fills batches from statement rows whose first columns are the plan's. Keeps the last row's raw values for the position.
class RowDecoder {
public:
    RowDecoder(const TablePlan& plan, bool utf8);
    //! Appends the statement's row; a deleted one with its key only. What cannot be carried is rejected, never dropped.
    void append(sqlite3_stmt* statement, Batch& batch, Op op);
    //! A row with NULL in its key cannot be addressed in a target.
    void rejectNullKey(Batch& batch) const;
private:
    Error rowError(const char* id, const Column& column, std::string_view words, std::string_view fix) const;
    SchemaPtr m_schema;
    std::string m_label;
    std::vector<ColumnRule> m_rules;
    bool m_utf8;
    std::string m_scratch;
    std::vector<std::uint32_t> m_borrowed;
};

} // namespace millrace::sqlitesource
