#include "core/data/value.h"
#include <cstdlib>

using namespace millrace;

// The exact parsers: what they accept must print and parse again to the same value.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::int64_t value = 0, again = 0;
    std::uint8_t digits = 0, digitsAgain = 0;
    bool zone = false, zoneAgain = false;
    std::string out;
    if (parseDate(text, value)) {
        appendDate(out, value);
        if (out != text) std::abort();
    }
    out.clear();
    if (parseTime(text, value, digits)) {
        appendTime(out, value, digits);
        if (!parseTime(out, again, digitsAgain) || again != value || digitsAgain != digits) std::abort();
    }
    out.clear();
    if (parseDateTime(text, value, digits, &zone) && value > -62'167'219'200'000'000 && value < 253'402'300'800'000'000) {
        appendDateTime(out, value, digits, zone);
        if (!parseDateTime(out, again, digitsAgain, &zoneAgain) || again != value || digitsAgain != digits || zoneAgain != zone) std::abort();
    }
    if (isDecimal(text) && !isJsonNumber(text)) std::abort();
    return 0;
}
