#include "core/source/mysql/nativetype.h"
#include "core/base/text.h"
#include <charconv>

namespace millrace::mysql {

namespace {

unsigned number(std::string_view text, std::size_t& at)
{
    unsigned value = 0;
    while (at < text.size() && text[at] == ' ')
        ++at;
    at = static_cast<std::size_t>(std::from_chars(text.data() + at, text.data() + text.size(), value).ptr - text.data());
    return value;
}

bool isText(const std::string& base)
{ return base == "char" || base == "varchar" || base == "enum" || base == "set" || base == "json" || base == "uuid" || base.starts_with("inet") || base.ends_with("text"); }

bool isSpatial(const std::string& base)
{
    return base == "geometry" || base == "point" || base == "linestring" || base == "polygon" || base == "multipoint" || base == "multilinestring"
        || base == "multipolygon" || base == "geometrycollection" || base == "geomcollection";
}

bool isBinary(const std::string& base) { return base == "binary" || base == "varbinary" || base.ends_with("blob") || base == "vector" || isSpatial(base); }

int family(enum_field_types type)
{
    switch (type) {
    case MYSQL_TYPE_TINY: case MYSQL_TYPE_SHORT: case MYSQL_TYPE_INT24: case MYSQL_TYPE_LONG: case MYSQL_TYPE_LONGLONG: case MYSQL_TYPE_YEAR: return 1;
    case MYSQL_TYPE_FLOAT: case MYSQL_TYPE_DOUBLE: return 2;
    case MYSQL_TYPE_DECIMAL: case MYSQL_TYPE_NEWDECIMAL: return 3;
    case MYSQL_TYPE_DATE: case MYSQL_TYPE_NEWDATE: return 4;
    case MYSQL_TYPE_DATETIME: return 5;
    case MYSQL_TYPE_TIMESTAMP: return 6;
    case MYSQL_TYPE_TIME: return 7;
    case MYSQL_TYPE_BIT: return 8;
    default: return 9;
    }
}

enum_field_types fieldType(const NativeType& type)
{
    if (type.base == "tinyint") return MYSQL_TYPE_TINY;
    if (type.base == "smallint") return MYSQL_TYPE_SHORT;
    if (type.base == "mediumint") return MYSQL_TYPE_INT24;
    if (type.base == "int") return MYSQL_TYPE_LONG;
    if (type.base == "bigint") return MYSQL_TYPE_LONGLONG;
    if (type.base == "year") return MYSQL_TYPE_YEAR;
    if (type.base == "float") return MYSQL_TYPE_FLOAT;
    if (type.base == "double") return MYSQL_TYPE_DOUBLE;
    if (type.base == "decimal") return MYSQL_TYPE_NEWDECIMAL;
    if (type.base == "date") return MYSQL_TYPE_DATE;
    if (type.base == "datetime") return MYSQL_TYPE_DATETIME;
    if (type.base == "timestamp") return MYSQL_TYPE_TIMESTAMP;
    if (type.base == "time") return MYSQL_TYPE_TIME;
    if (type.base == "bit") return MYSQL_TYPE_BIT;
    return MYSQL_TYPE_STRING;
}

void setType(ColumnInfo& column, Type type, std::uint8_t bits = 64)
{
    column.type = type;
    column.bits = bits;
}

} // namespace

bool NativeType::numeric() const
{
    switch (wire()) {
    case Wire::Tiny: case Wire::Short: case Wire::Long: case Wire::LongLong: case Wire::Float: case Wire::Double: case Wire::Decimal: case Wire::Bits: return true;
    default: return false;
    }
}

Wire NativeType::wire() const
{
    switch (fieldType(*this)) {
    case MYSQL_TYPE_TINY: return Wire::Tiny;
    case MYSQL_TYPE_SHORT: case MYSQL_TYPE_YEAR: return Wire::Short;
    case MYSQL_TYPE_INT24: case MYSQL_TYPE_LONG: return Wire::Long;
    case MYSQL_TYPE_LONGLONG: return Wire::LongLong;
    case MYSQL_TYPE_FLOAT: return Wire::Float;
    case MYSQL_TYPE_DOUBLE: return Wire::Double;
    case MYSQL_TYPE_NEWDECIMAL: return Wire::Decimal;
    case MYSQL_TYPE_DATE: return Wire::Date;
    case MYSQL_TYPE_DATETIME: case MYSQL_TYPE_TIMESTAMP: return Wire::DateTime;
    case MYSQL_TYPE_TIME: return Wire::Time;
    case MYSQL_TYPE_BIT: return Wire::Bits;
    default: return isBinary(base) ? Wire::Binary : Wire::Characters;
    }
}

NativeType parseNativeType(std::string_view text)
{
    NativeType type;
    const std::string plain = lower(text);
    std::size_t at = plain.find_first_of("( ");
    type.base = plain.substr(0, at);
    if (type.base == "integer") type.base = "int";
    if (type.base == "numeric" || type.base == "dec" || type.base == "fixed") type.base = "decimal";
    if (type.base == "real") type.base = "double";
    if (type.isEnum() || type.isSet())
        return type;                               // their members may hold any words
    if (at != std::string::npos && plain[at] == '(') {
        ++at;
        type.length = number(plain, at);
        if (at < plain.size() && plain[at] == ',') {
            ++at;
            type.scale = number(plain, at);
        }
    }
    type.isUnsigned = plain.find(" unsigned") != std::string::npos || plain.find(" zerofill") != std::string::npos;
    return type;
}

void describeNative(ColumnInfo& column)
{
    const NativeType type = parseNativeType(column.nativeType);
    const std::string& base = type.base;
    const Type whole = type.isUnsigned ? Type::Uint : Type::Int;
    if (base == "tinyint") {
        if (type.length == 1 && !type.isUnsigned) setType(column, Type::Bool, 8);
        else setType(column, whole, 8);
    } else if (base == "smallint") setType(column, whole, 16);
    else if (base == "mediumint") setType(column, whole, 24);
    else if (base == "int") setType(column, whole, 32);
    else if (base == "bigint") setType(column, whole, 64);
    else if (base == "year") setType(column, Type::Int, 16);
    else if (base == "bit") {
        if (type.length <= 1) setType(column, Type::Bool, 8);
        else setType(column, Type::Uint, type.length > 32 ? 64 : static_cast<std::uint8_t>((type.length + 7) / 8 * 8));
    } else if (base == "float") setType(column, Type::Real, 32);
    else if (base == "double") setType(column, Type::Real, 64);
    else if (base == "decimal") {
        setType(column, Type::Decimal);
        column.precision = static_cast<std::uint16_t>(type.length);
        column.scale = static_cast<std::uint8_t>(type.scale);
    } else if (base == "date") setType(column, Type::Date);
    else if (base == "datetime" || base == "timestamp" || base == "time") {
        setType(column, base == "datetime" ? Type::DateTime : base == "timestamp" ? Type::Timestamp : Type::Time);
        column.scale = static_cast<std::uint8_t>(type.length);
    } else if (base == "set") setType(column, Type::Array);
    else if (base == "json") setType(column, Type::Json);
    else if (base == "uuid") setType(column, Type::Uuid);
    else if (isBinary(base)) setType(column, Type::Bytes);
    else setType(column, Type::Text);              // what is not known is read as the text that the server prints
}

bool matches(const NativeType& type, const MYSQL_FIELD& field, bool view)
{
    const enum_field_types expected = fieldType(type), actual = field.type;
    if (family(expected) != family(actual))
        return false;
    if (family(expected) == 9)
        return type.base == "json" || (type.wire() == Wire::Binary) == (field.charsetnr == 63);
    if (view)
        return true;
    if (family(expected) <= 2 && expected != actual)
        return false;
    return family(expected) != 1 || type.base == "year" || type.isUnsigned == static_cast<bool>(field.flags & UNSIGNED_FLAG);
}

std::string quotedName(std::string_view identifier)
{
    std::string out = "`";
    for (const char c : identifier) {
        if (c == '`') out += '`';
        out += c;
    }
    return out += '`';
}

std::string quotedName(const TableRef& table) { return table.schema.empty() ? quotedName(table.name) : quotedName(table.schema) + "." + quotedName(table.name); }

std::string readExpression(const std::string& column, const NativeType& type)
{
    if (type.base == "vector")
        return "CAST(" + quotedName(column) + " AS BINARY)";
    if (type.wire() == Wire::Characters && !isText(type.base))
        return "CAST(" + quotedName(column) + " AS CHAR)";
    return quotedName(column);
}

} // namespace millrace::mysql
