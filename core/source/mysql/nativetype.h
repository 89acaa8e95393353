#pragma once
#include "core/engine/discovery.h"
#include <mysql.h>
#include <string>
#include <string_view>

namespace millrace::mysql {

//! How a value travels in the binary protocol, and so how it is bound.
enum class Wire : std::uint8_t { Tiny, Short, Long, LongLong, Float, Double, Decimal, Date, DateTime, Time, Bits, Characters, Binary };

//! A column type as information_schema prints it, taken apart: "decimal(10,2) unsigned zerofill".
struct NativeType {
    std::string base;                              //!< lower case, first word: "decimal", "tinyint", "enum"
    unsigned length = 0, scale = 0;                //!< of "(length,scale)"; 0 when there are none, and for enum and set
    bool isUnsigned = false;

    bool isEnum() const { return base == "enum"; }
    bool isSet() const { return base == "set"; }
    bool numeric() const;                          //!< goes into SQL without quotes
    Wire wire() const;
};

NativeType parseNativeType(std::string_view text);

//! Fills type, scale, bits and precision of a column from its native type (contract, "Values").
void describeNative(ColumnInfo& column);

//! The type words of a result column are still those of the plan. Views may widen what information_schema said of them, so for those
//! only the family is compared.
bool matches(const NativeType& type, const MYSQL_FIELD& field, bool view);

std::string quotedName(std::string_view identifier);               //!< `name`
std::string quotedName(const TableRef& table);                     //!< `schema`.`name`
//! The expression that reads a column: types that the client library does not know are cast to what it does.
std::string readExpression(const std::string& column, const NativeType& type);

} // namespace millrace::mysql
