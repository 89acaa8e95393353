#pragma once
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

//! Canonical types: what a value is between a source and a target. See value.h for how each stands in a Cell.
enum class Type : std::uint8_t { Null, Unchanged, Bool, Int, Uint, Real, Decimal, Text, Bytes, Json, Date, Time, DateTime, Timestamp, Uuid, Array };

std::string_view typeName(Type type);                 //!< "int", "decimal", ... the words of the contract
bool typeFromName(std::string_view name, Type& out);

//! One column of a planned table, on its way from a source to a target.
struct Column {
    std::string source;          //!< the column's name in the source
    std::string name;            //!< the field's name in the target
    Type type = Type::Text;
    bool nullable = true;
    bool key = false;
    std::uint8_t scale = 0;      //!< decimals of a Decimal; fraction digits (0 to 6) of Time, DateTime, Timestamp
    std::uint8_t bits = 64;      //!< of Int, Uint, Real: the declared width
    std::uint16_t precision = 0; //!< digits of a Decimal; 0: not declared
    std::string nativeType;      //!< as the source prints it: "smallint unsigned"
};

struct Schema {
    std::string table;                    //!< the source's own name, for messages
    std::vector<Column> columns;
    std::vector<std::uint32_t> key;       //!< indices into columns, in key order; empty: no key, rows are counted
};
using SchemaPtr = std::shared_ptr<const Schema>;

} // namespace millrace
