#include "core/target/mongodb/numbers.h"
#include <charconv>
#include <cmath>

namespace millrace::mongodb {

namespace {

constexpr int mostDigits = 34, exponentBias = 6176, leastExponent = -6176, mostExponent = 6111;

//! A decimal number taken apart: value = digits x 10^exponent; no leading zeros, `count` 0 for zero. Digits past `kept` are only counted.
struct Parts {
    bool negative = false;
    char digits[40];
    int count = 0;           // significant digits seen, leading zeros skipped
    int trailingZeros = 0;   // of those
    std::int64_t exponent = 0;
};

bool takeApart(std::string_view text, Parts& out)
{
    std::size_t i = 0;
    if (i < text.size() && (text[i] == '-' || text[i] == '+'))
        out.negative = text[i++] == '-';
    bool dot = false, any = false;
    for (; i < text.size(); ++i) {
        const char c = text[i];
        if (c == '.') {
            if (dot) return false;
            dot = true;
            continue;
        }
        if (c < '0' || c > '9')
            break;
        any = true;
        if (dot) --out.exponent;
        if (out.count == 0 && c == '0')
            continue;
        if (out.count < static_cast<int>(sizeof out.digits)) out.digits[out.count] = c;
        ++out.count;
        out.trailingZeros = c == '0' ? out.trailingZeros + 1 : 0;
    }
    if (!any)
        return false;
    if (i < text.size() && (text[i] == 'e' || text[i] == 'E')) {
        std::int64_t power = 0;
        std::string_view rest = text.substr(i + 1);
        if (rest.starts_with('+')) rest.remove_prefix(1);
        const auto parsed = std::from_chars(rest.data(), rest.data() + rest.size(), power);
        if (rest.empty() || parsed.ptr != rest.data() + rest.size())
            return false;
        if (parsed.ec == std::errc::result_out_of_range || power > 1'000'000'000 || power < -1'000'000'000)
            power = rest.starts_with('-') ? -1'000'000'000 : 1'000'000'000;
        out.exponent += power;
        return true;
    }
    return i == text.size();
}

bson_decimal128_t pack(bool negative, unsigned __int128 coefficient, int exponent)
{
    bson_decimal128_t out;
    out.low = static_cast<std::uint64_t>(coefficient);
    out.high = static_cast<std::uint64_t>(coefficient >> 64) | static_cast<std::uint64_t>(exponent + exponentBias) << 49
             | (negative ? std::uint64_t{1} << 63 : 0);
    return out;
}

bool exactDouble(std::string_view lexeme, const Parts& number, double& out)
{
    const auto parsed = std::from_chars(lexeme.data(), lexeme.data() + lexeme.size(), out);
    if (parsed.ec != std::errc() || !std::isfinite(out))
        return false;
    const int digits = number.count - number.trailingZeros;
    const std::int64_t power = number.exponent + number.count;              // value = 0.ddd x 10^power
    if (digits == 0 || (digits <= 15 && power > -290 && power < 290))       // 15 digits survive any normal double
        return true;
    if (digits > 17)
        return false;                                                       // the shortest text of a double never has more
    char text[40];
    const auto end = std::to_chars(text, text + sizeof text, out, std::chars_format::scientific).ptr;
    Parts back;
    if (!takeApart({text, static_cast<std::size_t>(end - text)}, back))
        return false;
    return back.count - back.trailingZeros == digits && back.exponent + back.count == power
        && std::string_view(back.digits, static_cast<std::size_t>(digits)) == std::string_view(number.digits, static_cast<std::size_t>(digits));
}

} // namespace

bool toDecimal128(std::string_view text, bson_decimal128_t& out)
{
    constexpr std::uint64_t nan = 0x7c00000000000000ull, infinity = 0x7800000000000000ull, sign = 0x8000000000000000ull;
    if (text == "NaN") { out = {0, nan}; return true; }
    if (text == "Infinity") { out = {0, infinity}; return true; }
    if (text == "-Infinity") { out = {0, infinity | sign}; return true; }
    Parts number;
    if (!takeApart(text, number))
        return false;
    int count = number.count;
    std::int64_t exponent = number.exponent;
    if (count > mostDigits) {                                               // only zeros may go, into the exponent
        const int cut = count - mostDigits;
        if (cut > number.trailingZeros) return false;
        count -= cut;
        exponent += cut;
    }
    unsigned __int128 coefficient = 0;
    for (int i = 0; i < count; ++i)
        coefficient = coefficient * 10 + static_cast<unsigned>(number.digits[i] - '0');
    if (coefficient == 0)
        exponent = exponent < leastExponent ? leastExponent : exponent > mostExponent ? mostExponent : exponent;
    for (; exponent > mostExponent && count < mostDigits; ++count, --exponent)
        coefficient *= 10;
    for (; exponent < leastExponent && coefficient % 10 == 0; ++exponent)
        coefficient /= 10;
    if (exponent > mostExponent || exponent < leastExponent)
        return false;
    out = pack(number.negative, coefficient, static_cast<int>(exponent));
    return true;
}

bson_decimal128_t toDecimal128(std::uint64_t value) { return pack(false, value, 0); }

JsonNumber jsonNumber(std::string_view lexeme)
{
    JsonNumber out;
    if (lexeme.find_first_of(".eE") == std::string_view::npos && lexeme != "-0") {
        const auto parsed = std::from_chars(lexeme.data(), lexeme.data() + lexeme.size(), out.i);
        if (parsed.ec == std::errc() && parsed.ptr == lexeme.data() + lexeme.size()) {
            out.kind = JsonNumber::Kind::Int;
            return out;
        }
    }
    Parts number;
    if (!takeApart(lexeme, number))
        return out;
    if (exactDouble(lexeme, number, out.d))
        out.kind = JsonNumber::Kind::Double;
    else if (toDecimal128(lexeme, out.decimal))
        out.kind = JsonNumber::Kind::Decimal;
    return out;
}

} // namespace millrace::mongodb
