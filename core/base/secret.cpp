#include "core/base/secret.h"
#include "core/base/text.h"
#include <sodium.h>

namespace millrace {

void Secret::wipe() noexcept
{
    if (!m_value.empty())
        sodium_memzero(m_value.data(), m_value.size());
    m_value.clear();
}

static void replaceAll(std::string& text, std::string_view what)
{
    for (auto at = text.find(what); at != std::string::npos; at = text.find(what, at + 3))
        text.replace(at, what.size(), "***");
}

std::string redact(std::string text, const Secret& secret)
{
    const std::string_view plain = secret.reveal();
    if (plain.size() < 3)
        return text;
    replaceAll(text, plain);
    if (const std::string encoded = percentEncode(plain); encoded != plain)
        replaceAll(text, encoded);
    replaceAll(text, base64(plain));
    return text;
}

} // namespace millrace
