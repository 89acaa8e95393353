#include "core/base/node.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <cstdlib>

using namespace millrace;

// Minifying is stable, gives valid UTF-8, and what a Node reads it writes again the same.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    std::string small, again;
    const bool json = minifyJson(text, small);
    if (json && (!minifyJson(small, again) || again != small || !validUtf8(small))) std::abort();
    if (!json && !small.empty()) std::abort();
    const auto node = Node::fromJson(text);
    if (node && !json) std::abort();
    if (node) {
        const auto second = Node::fromJson(node->json());
        if (!second || second->json() != node->json()) std::abort();
    }
    return 0;
}
