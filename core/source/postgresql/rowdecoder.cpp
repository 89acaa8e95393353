#include "core/source/postgresql/rowdecoder.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include "core/source/postgresql/sqltext.h"
#include <bit>
#include <cstring>

namespace millrace::postgresql {

namespace {

constexpr std::int32_t largestCell = 64 << 20;                 // contract: a cell above parks its row

template <class Number> Number bigEndian(const char* p)
{
    std::make_unsigned_t<Number> value = 0;
    for (std::size_t i = 0; i < sizeof(Number); ++i)
        value = static_cast<std::make_unsigned_t<Number>>(value << 8 | static_cast<unsigned char>(p[i]));
    return static_cast<Number>(value);
}

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

std::int32_t widthOf(Wire wire)
{
    switch (wire) {
    case Wire::Bool: return 1;
    case Wire::Int2: return 2;
    case Wire::Int4: case Wire::Oid: case Wire::Float4: case Wire::Date: return 4;
    case Wire::Int8: case Wire::Float8: case Wire::Timestamp: case Wire::TimestampTz: case Wire::Time: return 8;
    case Wire::Uuid: return 16;
    default: return 0;                                         // any
    }
}

} // namespace

bool appendNumeric(std::string& out, const char* bytes, std::size_t size)
{
    if (size < 8)
        return false;
    const auto count = bigEndian<std::int16_t>(bytes), weight = bigEndian<std::int16_t>(bytes + 2), scale = bigEndian<std::int16_t>(bytes + 6);
    const auto sign = bigEndian<std::uint16_t>(bytes + 4);
    switch (sign) {
    case 0xC000: out += "NaN"; return true;
    case 0xD000: out += "Infinity"; return true;
    case 0xF000: out += "-Infinity"; return true;
    case 0x4000: out += '-'; break;
    case 0: break;
    default: return false;
    }
    if (count < 0 || scale < 0 || size != 8 + static_cast<std::size_t>(count) * 2)
        return false;
    const auto group = [&](int i) { return i >= 0 && i < count ? bigEndian<std::int16_t>(bytes + 8 + i * 2) : 0; };
    const auto digits = [&](int value, int most) {
        char text[4] = {static_cast<char>('0' + value / 1000), static_cast<char>('0' + value / 100 % 10), static_cast<char>('0' + value / 10 % 10), static_cast<char>('0' + value % 10)};
        out.append(text, static_cast<std::size_t>(most));
    };
    if (weight < 0)
        out += '0';
    for (int i = 0; i <= weight; ++i)
        i == 0 ? appendInt(out, group(0)) : digits(group(i), 4);
    if (scale > 0)
        out += '.';
    for (int left = scale, i = weight + 1; left > 0; left -= 4, ++i)
        digits(group(i), std::min(left, 4));
    return true;
}

void appendUuid(std::string& out, const char* bytes)
{
    for (int i = 0; i < 16; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) out += '-';
        out += "0123456789abcdef"[static_cast<unsigned char>(bytes[i]) >> 4];
        out += "0123456789abcdef"[static_cast<unsigned char>(bytes[i]) & 15];
    }
}

void RowDecoder::addColumn(const Column& column, const ShapeColumn& shape, ValuePolicy policy, std::uint32_t index)
{
    Slot slot;
    slot.wire = shape.type.wire();
    slot.out = column.type;
    slot.policy = policy;
    slot.digits = static_cast<std::uint8_t>(fractionDigits(shape.modifier));
    slot.ofPlan = true;
    slot.key = column.key;
    slot.index = index;
    slot.tree = shape.tree;
    slot.modifier = shape.modifier;
    slot.name = column.source;
    m_slots.push_back(std::move(slot));
}

std::size_t RowDecoder::addFlag()
{
    Slot slot;
    slot.wire = Wire::Bool;
    m_slots.push_back(std::move(slot));
    return m_slots.size() - 1;
}

std::size_t RowDecoder::addRaw(const ShapeColumn& shape)
{
    Slot slot;
    slot.wire = shape.type.wire();
    slot.name = shape.name;
    m_slots.push_back(std::move(slot));
    return m_slots.size() - 1;
}

void RowDecoder::useTypes(std::shared_ptr<TypeTree> types)
{
    m_types = std::move(types);
    m_nested = std::make_unique<Nested>(*m_types);
}

bool RowDecoder::take(const char* tuple, std::size_t size)
{
    m_fields.resize(m_slots.size());
    m_tuple = tuple;
    m_size = size;
    if (size < 2 || bigEndian<std::int16_t>(tuple) != static_cast<std::int16_t>(m_slots.size()))
        return false;
    std::size_t at = 2;
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
        if (size - at < 4)
            return false;
        Field& field = m_fields[i];
        field.size = bigEndian<std::int32_t>(tuple + at);
        field.p = tuple + (at += 4);
        if (field.size < 0)
            continue;
        if (static_cast<std::size_t>(field.size) > size - at || (widthOf(m_slots[i].wire) && field.size != widthOf(m_slots[i].wire)))
            return false;
        at += static_cast<std::size_t>(field.size);
    }
    return at == size;
}

void RowDecoder::decode(Batch& into, Op op)
{
    // texts lie in the copy as they lie in the tuple; a giant is not copied, it is parked
    const bool giant = m_size > static_cast<std::size_t>(largestCell);
    m_copy = nullptr;
    if (!giant) {
        char* copy = into.allocate(m_size);
        std::memcpy(copy, m_tuple, m_size);
        m_copy = copy;
    }
    const std::span<Cell> row = into.append(op);
    Problem problem, found;
    for (std::size_t i = 0; i < m_slots.size(); ++i) {
        const Slot& slot = m_slots[i];
        if (!slot.ofPlan)
            continue;
        if (m_fields[i].size < 0) {
            if (slot.key && !problem.slot)
                problem = {&slot, "source.postgresql.key_null", "is part of the key and NULL"};
            continue;
        }
        if (m_fields[i].size > largestCell) {
            if (!problem.slot)
                problem = {&slot, "source.postgresql.too_large", std::to_string(m_fields[i].size >> 20) + " MB; a value may have 64 MB"};
            continue;
        }
        row[slot.index] = cell(slot, m_fields[i], into, found);
        if (!found.slot)
            continue;
        if (!problem.slot && (op != Op::Delete || slot.key))       // a delete needs its key alone
            problem = found;
        found.slot = nullptr;
    }
    if (problem.slot)
        into.reject(into.rows() - 1, {Fault::Data, problem.id, "column " + problem.slot->name + ": " + problem.words, fixFor(*problem.slot), {}});
}

std::string RowDecoder::fixFor(const Slot& slot)
{
    if (slot.key || (slot.wire != Wire::Date && slot.wire != Wire::Timestamp && slot.wire != Wire::TimestampTz))
        return "Correct the row in the source.";
    return "Correct the row in the source, or set `policy: {" + slot.name + ": null}` or `text`.";
}

Cell RowDecoder::number(const Slot& slot, Cell value, Batch& into) const
{
    if (slot.out != Type::Text)
        return value;
    std::string text;
    appendText(text, value);
    return into.text(text);
}

Cell RowDecoder::cell(const Slot& slot, const Field& field, Batch& into, Problem& problem)
{
    switch (slot.wire) {
    case Wire::Bool: return number(slot, Cell::boolean(*field.p != 0), into);
    case Wire::Int2: return number(slot, Cell::integer(bigEndian<std::int16_t>(field.p)), into);
    case Wire::Int4: return number(slot, Cell::integer(bigEndian<std::int32_t>(field.p)), into);
    case Wire::Int8: return number(slot, Cell::integer(bigEndian<std::int64_t>(field.p)), into);
    case Wire::Oid: return number(slot, Cell::uinteger(bigEndian<std::uint32_t>(field.p)), into);
    case Wire::Float4: return number(slot, Cell::real(static_cast<double>(std::bit_cast<float>(bigEndian<std::uint32_t>(field.p)))), into);
    case Wire::Float8: return number(slot, Cell::real(std::bit_cast<double>(bigEndian<std::uint64_t>(field.p))), into);
    case Wire::Numeric:
        m_scratch.clear();
        if (appendNumeric(m_scratch, field.p, static_cast<std::size_t>(field.size)))
            return into.text(m_scratch, slot.out);
        problem = {&slot, "source.postgresql.value", "the server sent no numeric"};
        return Cell::null();
    case Wire::Uuid:
        m_scratch.clear();
        appendUuid(m_scratch, field.p);
        return into.text(m_scratch, slot.out);
    case Wire::Time: return number(slot, Cell::time(Type::Time, bigEndian<std::int64_t>(field.p), slot.digits), into);
    case Wire::Date: case Wire::Timestamp: case Wire::TimestampTz: return temporal(slot, field, into, problem);
    default: return words(slot, field, into, problem);
    }
}

Cell RowDecoder::temporal(const Slot& slot, const Field& field, Batch& into, Problem& problem)
{
    const bool date = slot.wire == Wire::Date, zone = slot.wire == Wire::TimestampTz;
    const std::int64_t wire = date ? bigEndian<std::int32_t>(field.p) : bigEndian<std::int64_t>(field.p);
    const bool ordinary = date ? ordinaryDate(static_cast<std::int32_t>(wire)) : ordinaryTimestamp(wire);
    const Cell value = date ? Cell::date(wire + (ordinary ? epochDays : 0))
                            : Cell::time(zone ? Type::Timestamp : Type::DateTime, wire + (ordinary ? epochMicros : 0), slot.digits);
    if (ordinary)
        return number(slot, value, into);
    const std::string printed = date ? serverDate(static_cast<std::int32_t>(wire)) : serverTimestamp(wire, zone);
    if (slot.out == Type::Text)
        return into.text(printed);
    if (slot.policy == ValuePolicy::Null && !slot.key) {
        ++into.coerced;
        return Cell::null();
    }
    problem = {&slot, "source.postgresql.date_range", printed + " is outside of the years 1 to 9999"};
    return Cell::null();
}

Cell RowDecoder::words(const Slot& slot, const Field& field, Batch& into, Problem& problem)
{
    std::string_view text(field.p, static_cast<std::size_t>(field.size));
    m_scratch.clear();
    if (slot.wire == Wire::Jsonb) {
        if (text.empty() || text[0] != 1) {
            problem = {&slot, "source.postgresql.value", "the server sent a jsonb of an unknown version"};
            return Cell::null();
        }
        text.remove_prefix(1);
    }
    if (slot.wire != Wire::Bytea && !ascii(text) && !validUtf8(text)) {
        problem = {&slot, "source.postgresql.invalid_utf8", "the text is not valid UTF-8"};
        return Cell::null();
    }
    switch (slot.wire) {
    case Wire::Json: case Wire::Jsonb:
        if (minifyJson(text, m_scratch))
            return into.text(m_scratch, slot.out);
        problem = {&slot, "source.postgresql.invalid_json", "the text is not JSON, or nested too deeply"};
        return Cell::null();
    case Wire::Array: case Wire::Record: case Wire::Hstore:
        if (m_nested->append(m_scratch, slot.tree, slot.modifier, text))
            return into.text(m_scratch, slot.out);
        problem = {&slot, "source.postgresql.value", "'" + std::string(text.substr(0, 60)) + "' cannot be taken apart"};
        return Cell::null();
    default: break;
    }
    if (!m_copy)
        return into.text(text, slot.out);
    Cell cell;
    cell.type = slot.out;
    cell.size = static_cast<std::uint32_t>(text.size());
    cell.p = m_copy + (text.data() - m_tuple);
    return cell;
}

std::optional<std::string> RowDecoder::raw(std::size_t position) const
{
    const Field& field = m_fields[position];
    if (field.size < 0)
        return std::nullopt;
    std::string out;
    switch (m_slots[position].wire) {
    case Wire::Bool: out = *field.p ? "t" : "f"; break;
    case Wire::Int2: appendInt(out, bigEndian<std::int16_t>(field.p)); break;
    case Wire::Int4: appendInt(out, bigEndian<std::int32_t>(field.p)); break;
    case Wire::Int8: appendInt(out, bigEndian<std::int64_t>(field.p)); break;
    case Wire::Oid: appendUint(out, bigEndian<std::uint32_t>(field.p)); break;
    case Wire::Float4: appendReal(out, static_cast<double>(std::bit_cast<float>(bigEndian<std::uint32_t>(field.p)))); break;
    case Wire::Float8: appendReal(out, std::bit_cast<double>(bigEndian<std::uint64_t>(field.p))); break;
    case Wire::Numeric: appendNumeric(out, field.p, static_cast<std::size_t>(field.size)); break;
    case Wire::Date: out = serverDate(bigEndian<std::int32_t>(field.p)); break;
    case Wire::Timestamp: case Wire::TimestampTz: out = serverTimestamp(bigEndian<std::int64_t>(field.p), m_slots[position].wire == Wire::TimestampTz); break;
    case Wire::Time: appendTime(out, bigEndian<std::int64_t>(field.p), 6); break;
    case Wire::Uuid: appendUuid(out, field.p); break;
    case Wire::Bytea: out = "\\x" + hex({field.p, static_cast<std::size_t>(field.size)}); break;
    case Wire::Jsonb: out.assign(field.p + 1, static_cast<std::size_t>(field.size > 0 ? field.size - 1 : 0)); break;
    case Wire::Text: case Wire::Json: case Wire::Printed: case Wire::Array: case Wire::Record: case Wire::Hstore:
        out.assign(field.p, static_cast<std::size_t>(field.size));
        break;
    }
    return out;
}

void RowDecoder::appendKeyBytes(std::string& out) const
{
    for (std::size_t i = 0; i < m_slots.size(); ++i)
        if (m_slots[i].key) {
            out += std::to_string(m_fields[i].size) + ":";
            if (m_fields[i].size > 0) out.append(m_fields[i].p, static_cast<std::size_t>(m_fields[i].size));
        }
}

} // namespace millrace::postgresql
