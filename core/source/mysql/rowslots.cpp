#include "core/source/mysql/rowslots.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <charconv>
#include <cstdio>
#include <cstring>

namespace millrace::mysql {

namespace {

constexpr std::size_t inlineCapacity = 512;                    // longer values cost a second call each
constexpr std::size_t keyCapacity = 4 * 3072 + 1;              // the longest index entry, so that bounds are always at hand
constexpr std::size_t largestCell = 64u << 20;                 // contract: a cell above parks its row

bool ascii(std::string_view text)
{
    std::size_t i = 0;
    for (; i + 8 <= text.size(); i += 8) {
        std::uint64_t word;
        std::memcpy(&word, text.data() + i, 8);
        if (word & 0x8080808080808080ull)
            return false;
    }
    for (; i < text.size(); ++i)
        if (static_cast<unsigned char>(text[i]) & 0x80)
            return false;
    return true;
}

// Year 0 is how MySQL writes an unknown year, and few clients of a target can read such a date back.
bool realDate(const MYSQL_TIME& t) { return t.year > 0 && validDate(static_cast<int>(t.year), t.month, t.day); }

std::int64_t timeMicros(const MYSQL_TIME& t)
{
    const std::int64_t hours = static_cast<std::int64_t>(t.day) * 24 + t.hour;
    const std::int64_t micros = ((hours * 60 + t.minute) * 60 + t.second) * 1'000'000 + static_cast<std::int64_t>(t.second_part);
    return t.neg ? -micros : micros;
}

//! As the server prints it, also when it is no date.
std::string temporalText(Wire wire, const MYSQL_TIME& t, unsigned digits)
{
    std::string out;
    if (wire == Wire::Time) {
        appendTime(out, timeMicros(t), digits);
        return out;
    }
    char text[64];
    int n = std::snprintf(text, sizeof text, "%04u-%02u-%02u", t.year, t.month, t.day);
    if (wire == Wire::DateTime) {
        n += std::snprintf(text + n, sizeof text - static_cast<std::size_t>(n), " %02u:%02u:%02u", t.hour, t.minute, t.second);
        if (digits > 0)
            n += std::snprintf(text + n, sizeof text - static_cast<std::size_t>(n), ".%06lu", t.second_part) - (6 - static_cast<int>(digits));
    }
    return out.assign(text, static_cast<std::size_t>(n));
}

std::uint64_t bigEndian(const std::vector<char>& bytes, std::size_t length)
{
    std::uint64_t value = 0;
    for (std::size_t i = 0; i < length; ++i)
        value = value << 8 | static_cast<unsigned char>(bytes[i]);
    return value;
}

//! Copies into the row's own piece of the arena and advances in it.
Cell placed(std::string_view text, Type type, char*& arena)
{
    Cell cell;
    cell.type = type;
    cell.size = static_cast<std::uint32_t>(text.size());
    cell.p = arena;
    if (!text.empty())
        std::memcpy(arena, text.data(), text.size());
    arena += text.size();
    return cell;
}

//! MySQL keeps the zeros of ZEROFILL; digits are the same value without them.
std::string_view plainDigits(std::string_view text)
{
    while (text.size() > 1 && text[0] == '0' && text[1] != '.')
        text.remove_prefix(1);
    return text;
}

} // namespace

BoundKind boundKind(const NativeType& type)
{
    switch (type.wire()) {
    case Wire::Tiny: case Wire::Short: case Wire::Long: case Wire::LongLong: return type.isUnsigned ? BoundKind::Uint : BoundKind::Int;
    case Wire::Bits: return BoundKind::Uint;
    case Wire::Float: case Wire::Double: return BoundKind::Real;
    case Wire::Decimal: return BoundKind::Decimal;
    case Wire::Binary: return BoundKind::Bytes;
    case Wire::Date: case Wire::DateTime: case Wire::Time: case Wire::Characters: return BoundKind::Text;
    }
    return BoundKind::Text;
}

void RowSlots::add(Slot slot, std::size_t capacity)
{
    m_slots.push_back(std::move(slot));
    m_slots.back().buffer.resize(capacity);
}

void RowSlots::addColumn(const Column& column, ValuePolicy policy, std::uint32_t index, bool view)
{
    Slot slot;
    slot.native = parseNativeType(column.nativeType);
    slot.wire = slot.native.wire();
    slot.out = column.type;
    slot.policy = policy;
    slot.digits = slot.wire == Wire::Time || slot.wire == Wire::DateTime ? static_cast<std::uint8_t>(slot.native.length) : column.scale;
    slot.ofPlan = true;
    slot.key = column.key;
    slot.isUnsigned = slot.native.isUnsigned;
    slot.zulu = slot.native.base == "timestamp";
    slot.view = view;
    slot.index = index;
    slot.name = column.source;
    std::size_t capacity = 0;
    switch (slot.wire) {
    case Wire::Bits: capacity = 8; break;
    case Wire::Decimal: capacity = 96; break;
    case Wire::Characters: case Wire::Binary: {
        const std::size_t declared = slot.native.length ? slot.native.length * std::size_t(4) : inlineCapacity;
        capacity = slot.key ? keyCapacity : std::min(inlineCapacity, declared);
        break;
    }
    default: break;
    }
    add(std::move(slot), capacity);
}

std::size_t RowSlots::addInteger()
{
    Slot slot;
    slot.wire = Wire::LongLong;
    add(std::move(slot), 0);
    return m_slots.size() - 1;
}

std::size_t RowSlots::addText()
{
    add({}, 128);
    return m_slots.size() - 1;
}

Result<> RowSlots::bind(MYSQL_STMT* statement, const std::string& table)
{
    const MYSQL_FIELD* fields = mariadb_stmt_fetch_fields(statement);
    const bool complete = fields && mysql_stmt_field_count(statement) == m_slots.size();
    for (std::size_t i = 0; complete && i < m_slots.size(); ++i)
        if (m_slots[i].ofPlan && !matches(m_slots[i].native, fields[i], m_slots[i].view))
            return Error {Fault::Schema, "source.mysql.table_altered", table + ": column " + m_slots[i].name + " is no longer " + m_slots[i].native.base,
                          "Reset the table, so that it is described anew.", {}};
    if (!complete)
        return Error {Fault::Schema, "source.mysql.table_altered", table + ": the columns of the result are not those of the plan",
                      "Reset the table, so that it is described anew.", {}};

    std::vector<MYSQL_BIND> binds(m_slots.size());
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
        Slot& slot = m_slots[i];
        MYSQL_BIND& b = binds[i];
        b.length = &slot.length;
        b.is_null = &slot.null;
        b.error = &slot.error;
        b.is_unsigned = slot.isUnsigned;
        b.buffer = &slot.i;
        switch (slot.wire) {
        case Wire::Tiny: b.buffer_type = MYSQL_TYPE_TINY; break;
        case Wire::Short: b.buffer_type = MYSQL_TYPE_SHORT; break;
        case Wire::Long: b.buffer_type = MYSQL_TYPE_LONG; break;
        case Wire::LongLong: b.buffer_type = MYSQL_TYPE_LONGLONG; break;
        case Wire::Float: b.buffer_type = MYSQL_TYPE_FLOAT; break;
        case Wire::Double: b.buffer_type = MYSQL_TYPE_DOUBLE; break;
        case Wire::Date: b.buffer_type = MYSQL_TYPE_DATE; break;
        case Wire::DateTime: b.buffer_type = MYSQL_TYPE_DATETIME; break;
        case Wire::Time: b.buffer_type = MYSQL_TYPE_TIME; break;
        case Wire::Decimal: case Wire::Characters: b.buffer_type = MYSQL_TYPE_STRING; break;
        case Wire::Bits: case Wire::Binary: b.buffer_type = MYSQL_TYPE_BLOB; break;
        }
        if (slot.wire == Wire::Date || slot.wire == Wire::DateTime || slot.wire == Wire::Time) {
            b.buffer = &slot.time;
            b.buffer_length = sizeof slot.time;
        } else if (!slot.buffer.empty()) {
            b.buffer = slot.buffer.data();
            b.buffer_length = slot.buffer.size();
        } else
            b.buffer_length = sizeof slot.i;
    }
    if (mysql_stmt_bind_result(statement, binds.data()))
        return Error {Fault::Internal, "source.mysql.bind", table + ": " + mysql_stmt_error(statement), "", {}};
    return {};
}

std::size_t RowSlots::inlineBytes() const
{
    std::size_t sum = 0;
    for (const Slot& slot : m_slots)
        if (slot.ofPlan && !slot.null && !slot.buffer.empty() && slot.length <= slot.buffer.size())
            sum += slot.length;
    return sum;
}

void RowSlots::decode(MYSQL_STMT* statement, Batch& into, Op op)
{
    char* arena = into.allocate(inlineBytes());                    // one allocation for all short texts of the row
    const std::span<Cell> row = into.append(op);
    Problem problem, found;
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
        Slot& slot = m_slots[i];
        if (!slot.ofPlan || slot.null) {
            if (slot.ofPlan && slot.key && !problem.slot)
                problem = {&slot, "source.mysql.key_null", "is part of the key and NULL"};
            continue;
        }
        row[slot.index] = cell(slot, statement, i, into, arena, found);
        if (!found.slot)
            continue;
        if (!problem.slot && (op != Op::Delete || slot.key))       // a delete needs its key alone
            problem = found;
        found.slot = nullptr;
    }
    if (problem.slot)
        into.reject(into.rows() - 1, {Fault::Data, problem.id, "column " + problem.slot->name + ": " + problem.words, fixFor(*problem.slot), {}});
}

std::string RowSlots::fixFor(const Slot& slot)
{
    if (slot.key || (slot.wire != Wire::Date && slot.wire != Wire::DateTime))
        return "Correct the row in the source.";
    return "Correct the row in the source, or set `policy: {" + slot.name + ": null}` or `text`.";
}

Cell RowSlots::number(const Slot& slot, std::int64_t value, Batch& into, Problem& problem)
{
    if (slot.out == Type::Bool) {
        if (value == 0 || value == 1)
            return Cell::boolean(value != 0);
        problem = {&slot, "source.mysql.bool_range", std::to_string(value) + " is neither 0 nor 1"};
        return Cell::null();
    }
    if (slot.out == Type::Text) {
        m_scratch.clear();
        slot.isUnsigned ? appendUint(m_scratch, static_cast<std::uint64_t>(value)) : appendInt(m_scratch, value);
        return into.text(m_scratch);
    }
    return slot.out == Type::Uint ? Cell::uinteger(static_cast<std::uint64_t>(value)) : Cell::integer(value);
}

Cell RowSlots::temporal(const Slot& slot, Batch& into, Problem& problem)
{
    const bool exists = slot.wire == Wire::Time || realDate(slot.time);
    if (exists && slot.out != Type::Text) {
        const MYSQL_TIME& t = slot.time;
        if (slot.wire == Wire::Time)
            return Cell::time(Type::Time, timeMicros(t), slot.digits);
        if (slot.wire == Wire::Date)
            return Cell::date(daysFromCivil(static_cast<int>(t.year), t.month, t.day));
        return Cell::time(slot.out, microsOf(static_cast<int>(t.year), t.month, t.day, t.hour, t.minute, t.second, static_cast<unsigned>(t.second_part)), slot.digits);
    }
    if (slot.out == Type::Text) {
        if (!exists)
            return into.text(temporalText(slot.wire, slot.time, slot.digits));
        m_scratch.clear();
        const MYSQL_TIME& t = slot.time;
        if (slot.wire == Wire::Time)
            appendTime(m_scratch, timeMicros(t), slot.digits);
        else if (slot.wire == Wire::Date)
            appendDate(m_scratch, daysFromCivil(static_cast<int>(t.year), t.month, t.day));
        else
            appendDateTime(m_scratch, microsOf(static_cast<int>(t.year), t.month, t.day, t.hour, t.minute, t.second, static_cast<unsigned>(t.second_part)), slot.digits, slot.zulu);
        return into.text(m_scratch);
    }
    if (slot.policy == ValuePolicy::Null && !slot.key) {
        ++into.coerced;
        return Cell::null();
    }
    problem = {&slot, "source.mysql.zero_date", temporalText(slot.wire, slot.time, slot.digits) + " is no date"};
    return Cell::null();
}

Cell RowSlots::characters(const Slot& slot, std::string_view text, bool inArena, Batch& into, char*& arena, Problem& problem)
{
    if (slot.out != Type::Bytes && !ascii(text) && !validUtf8(text)) {
        problem = {&slot, "source.mysql.invalid_utf8", "the text is not valid UTF-8"};
        return Cell::null();
    }
    m_scratch.clear();
    if (slot.out == Type::Json) {
        if (!minifyJson(text, m_scratch)) {
            problem = {&slot, "source.mysql.invalid_json", "the text is not JSON"};
            return Cell::null();
        }
        return into.text(m_scratch, Type::Json);
    }
    if (slot.out == Type::Array) {                                 // SET: members have no commas
        m_scratch = "[";
        while (!text.empty()) {
            const auto comma = text.find(',');
            appendJsonString(m_scratch, text.substr(0, comma));
            text.remove_prefix(comma == std::string_view::npos ? text.size() : comma + 1);
            if (comma != std::string_view::npos) m_scratch += ',';
        }
        m_scratch += ']';
        return into.text(m_scratch, Type::Array);
    }
    if (slot.out == Type::Uuid)
        return into.text(lower(text), Type::Uuid);
    if (!inArena)
        return placed(text, slot.out, arena);
    Cell cell;
    cell.type = slot.out;
    cell.size = static_cast<std::uint32_t>(text.size());
    cell.p = text.data();
    return cell;
}

Cell RowSlots::cell(Slot& slot, MYSQL_STMT* statement, std::size_t position, Batch& into, char*& arena, Problem& problem)
{
    switch (slot.wire) {
    case Wire::Tiny: return number(slot, slot.isUnsigned ? static_cast<std::uint8_t>(slot.u) : static_cast<std::int8_t>(slot.u), into, problem);
    case Wire::Short: return number(slot, slot.isUnsigned ? static_cast<std::uint16_t>(slot.u) : static_cast<std::int16_t>(slot.u), into, problem);
    case Wire::Long: return number(slot, slot.isUnsigned ? static_cast<std::int64_t>(static_cast<std::uint32_t>(slot.u)) : static_cast<std::int32_t>(slot.u), into, problem);
    case Wire::LongLong: return number(slot, slot.i, into, problem);
    case Wire::Bits: return number(slot, static_cast<std::int64_t>(bigEndian(slot.buffer, slot.length)), into, problem);
    case Wire::Float: return Cell::real(static_cast<double>(slot.f));
    case Wire::Double: return Cell::real(slot.d);
    case Wire::Date: case Wire::DateTime: case Wire::Time: return temporal(slot, into, problem);
    case Wire::Decimal: {
        const std::string_view digits = plainDigits({slot.buffer.data(), std::min<std::size_t>(slot.length, slot.buffer.size())});
        return placed(digits, slot.out == Type::Text ? Type::Text : Type::Decimal, arena);
    }
    case Wire::Characters: case Wire::Binary: break;
    }
    if (slot.length <= slot.buffer.size())
        return characters(slot, {slot.buffer.data(), slot.length}, false, into, arena, problem);
    if (slot.length > largestCell) {
        problem = {&slot, "source.mysql.cell_too_large", std::to_string(slot.length) + " bytes in one value; the limit is 64 MB"};
        return Cell::null();
    }
    char* place = into.allocate(slot.length);
    unsigned long length = 0;
    my_bool null = 0, error = 0;
    MYSQL_BIND rest {};
    rest.buffer = place;
    rest.buffer_length = slot.length;
    rest.buffer_type = slot.wire == Wire::Binary ? MYSQL_TYPE_BLOB : MYSQL_TYPE_STRING;
    rest.length = &length;
    rest.is_null = &null;
    rest.error = &error;
    if (mysql_stmt_fetch_column(statement, &rest, static_cast<unsigned>(position), 0)) {
        problem = {&slot, "source.mysql.fetch", mysql_stmt_error(statement)};
        return Cell::null();
    }
    return characters(slot, {place, slot.length}, true, into, arena, problem);
}

std::optional<std::string> RowSlots::raw(std::size_t position) const
{
    const Slot& slot = m_slots[position];
    if (slot.null)
        return std::nullopt;
    std::string out;
    switch (slot.wire) {
    case Wire::Tiny: slot.isUnsigned ? appendUint(out, static_cast<std::uint8_t>(slot.u)) : appendInt(out, static_cast<std::int8_t>(slot.u)); break;
    case Wire::Short: slot.isUnsigned ? appendUint(out, static_cast<std::uint16_t>(slot.u)) : appendInt(out, static_cast<std::int16_t>(slot.u)); break;
    case Wire::Long: slot.isUnsigned ? appendUint(out, static_cast<std::uint32_t>(slot.u)) : appendInt(out, static_cast<std::int32_t>(slot.u)); break;
    case Wire::LongLong: slot.isUnsigned ? appendUint(out, slot.u) : appendInt(out, slot.i); break;
    case Wire::Bits: appendUint(out, bigEndian(slot.buffer, slot.length)); break;
    case Wire::Float: appendReal(out, static_cast<double>(slot.f)); break;
    case Wire::Double: appendReal(out, slot.d); break;
    case Wire::Date: case Wire::DateTime: case Wire::Time: out = temporalText(slot.wire, slot.time, slot.digits); break;
    case Wire::Decimal: case Wire::Characters: case Wire::Binary: out.assign(slot.buffer.data(), std::min<std::size_t>(slot.length, slot.buffer.size())); break;
    }
    return out;
}

} // namespace millrace::mysql
