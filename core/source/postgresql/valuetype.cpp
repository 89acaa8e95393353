#include "core/source/postgresql/valuetype.h"
#include "core/source/postgresql/sqltext.h"
#include <algorithm>

namespace millrace::postgresql {

namespace {

struct Known { std::string_view name; Wire wire; Type type; std::uint8_t bits; };

constexpr Known known[] = {
    {"bool", Wire::Bool, Type::Bool, 8},       {"int2", Wire::Int2, Type::Int, 16},           {"int4", Wire::Int4, Type::Int, 32},
    {"int8", Wire::Int8, Type::Int, 64},       {"oid", Wire::Oid, Type::Uint, 32},            {"float4", Wire::Float4, Type::Real, 32},
    {"float8", Wire::Float8, Type::Real, 64},  {"numeric", Wire::Numeric, Type::Decimal, 64}, {"date", Wire::Date, Type::Date, 64},
    {"timestamp", Wire::Timestamp, Type::DateTime, 64}, {"timestamptz", Wire::TimestampTz, Type::Timestamp, 64}, {"time", Wire::Time, Type::Time, 64},
    {"text", Wire::Text, Type::Text, 64},      {"varchar", Wire::Text, Type::Text, 64},       {"bpchar", Wire::Text, Type::Text, 64},
    {"name", Wire::Text, Type::Text, 64},      {"bytea", Wire::Bytea, Type::Bytes, 64},       {"json", Wire::Json, Type::Json, 64},
    {"jsonb", Wire::Jsonb, Type::Json, 64},    {"uuid", Wire::Uuid, Type::Uuid, 64}};

const Known* knownType(const NativeType& type)
{
    if (!type.builtIn() || type.kind != 'b')
        return nullptr;
    const auto found = std::find_if(std::begin(known), std::end(known), [&](const Known& k) { return k.name == type.name; });
    return found == std::end(known) ? nullptr : found;
}

} // namespace

Wire NativeType::wire() const
{
    if (array) return Wire::Array;
    if (kind == 'c') return Wire::Record;
    if (kind == 'e') return Wire::Text;                              // its binary form is the label
    if (name == "hstore" && !builtIn()) return Wire::Hstore;
    const Known* k = knownType(*this);
    return k ? k->wire : Wire::Printed;
}

unsigned fractionDigits(int modifier) { return modifier < 0 || modifier > 6 ? 6 : static_cast<unsigned>(modifier); }

void describeNative(ColumnInfo& column, const NativeType& type, int modifier)
{
    column.type = Type::Text;
    column.bits = 64;
    column.scale = 0;
    column.precision = 0;
    switch (type.wire()) {
    case Wire::Array: column.type = Type::Array; return;
    case Wire::Record: case Wire::Hstore: column.type = Type::Json; return;
    case Wire::Printed: return;
    default: break;
    }
    const Known* k = knownType(type);
    if (!k)
        return;
    column.type = k->type;
    column.bits = k->bits;
    if (k->wire == Wire::Numeric && modifier >= 4) {
        column.precision = static_cast<std::uint16_t>((modifier - 4) >> 16 & 0xffff);
        const int scale = (((modifier - 4) & 0x7ff) ^ 1024) - 1024;  // eleven bits with a sign since version 15
        column.scale = static_cast<std::uint8_t>(std::clamp(scale, 0, 255));
    } else if (k->type == Type::Time || k->type == Type::DateTime || k->type == Type::Timestamp)
        column.scale = static_cast<std::uint8_t>(fractionDigits(modifier));
}

std::string readExpression(const std::string& sql, const NativeType& type)
{
    // a domain over a range is not taken for one by the function that prints any range
    if (type.kind == 'r' || type.kind == 'm')
        return type.output + "(CAST(" + sql + " AS " + quotedName(TableRef {type.schema, type.name}) + "))";
    switch (type.wire()) {
    case Wire::Printed: case Wire::Array: case Wire::Record: case Wire::Hstore: return type.output + "(" + sql + ")";
    default: return sql;
    }
}

std::uint32_t TypeTree::add(std::uint32_t oid, Node node)
{
    m_nodes.push_back(std::move(node));
    return m_byOid[oid] = static_cast<std::uint32_t>(m_nodes.size() - 1);
}

std::uint32_t TypeTree::find(std::uint32_t oid) const
{
    const auto found = m_byOid.find(oid);
    return found == m_byOid.end() ? 0 : found->second;
}

} // namespace millrace::postgresql
