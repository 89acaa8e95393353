#include "core/base/text.h"
#include "core/data/value.h"
#include <cstdlib>

using namespace millrace;

namespace {

//! The definition, without cleverness: what the fast one must agree with.
bool matchesSlowly(std::string_view pattern, std::string_view text)
{
    if (pattern.empty()) return text.empty();
    if (pattern[0] == '*') {
        for (std::size_t i = 0; i <= text.size(); ++i)
            if (matchesSlowly(pattern.substr(1), text.substr(i))) return true;
        return false;
    }
    if (text.empty()) return false;
    return (pattern[0] == '?' || pattern[0] == text[0]) && matchesSlowly(pattern.substr(1), text.substr(1));
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view all(reinterpret_cast<const char*>(data), size);
    const std::string_view pattern = all.substr(0, all.find('\n')), text = all.find('\n') == std::string_view::npos ? std::string_view() : all.substr(all.find('\n') + 1);
    const bool fast = globMatches(pattern, text);
    bool ascii = pattern.size() <= 8 && text.size() <= 12;
    for (const char c : all) ascii = ascii && static_cast<unsigned char>(c) < 0x80;
    if (ascii && fast != matchesSlowly(pattern, text)) std::abort();
    if (percentDecode(percentEncode(all)) != all) std::abort();
    if (validUtf8(all)) {
        std::string json, again;
        appendJsonString(json, all);
        if (!minifyJson(json, again) || again != json) std::abort();
    }
    (void)nearest(pattern, {std::string(text), "strategy"});
    return 0;
}
