#pragma once
#include <bson/bson.h>
#include <cstdint>
#include <string_view>

namespace millrace::mongodb {

//! "-12.50", "1E+3", "NaN" -> Decimal128, digits and scale kept (IEEE 754-2008, binary integer form). False when it cannot be exact:
//! more than 34 significant digits, or an exponent out of range.
bool toDecimal128(std::string_view text, bson_decimal128_t& out);
bson_decimal128_t toDecimal128(std::uint64_t value);

//! What a JSON number becomes (contract, "Values"): int64, else double if exact, else Decimal128, else the lexeme as text.
struct JsonNumber {
    enum class Kind : std::uint8_t { Int, Double, Decimal, Text };
    Kind kind = Kind::Text;
    std::int64_t i = 0;
    double d = 0;
    bson_decimal128_t decimal{};
};
JsonNumber jsonNumber(std::string_view lexeme);

} // namespace millrace::mongodb
