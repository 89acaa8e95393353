#include "core/source/sqlite/cursor.h"
#include "core/source/sqlite/declared.h"
#include "core/source/sqlite/pollstate.h"
#include <cstdlib>

using namespace millrace;
using namespace millrace::sqlitesource;

// Stored positions, declared types and cursor values come from files that anybody may have written.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string text(reinterpret_cast<const char*>(data), size);
    (void)readDeclared(text);
    const RawValue raw = RawValue::text(text);
    if (const auto shape = shapeOf(raw)) {
        const auto micros = microsOf(raw);
        if (!micros) std::abort();
        if (boundOf(*micros, *shape).bytes > text) std::abort();  // a bound above its own value would lose rows
    }
    if (const auto state = PollState::from({text})) {
        const auto again = PollState::from(state->position());
        if (!again || !(*again == *state)) std::abort();
    }
    return 0;
}
