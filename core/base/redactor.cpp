#include "core/base/redactor.h"
#include <algorithm>

namespace millrace {

void Redactor::know(const Secret& secret)
{
    if (secret.reveal().size() < 3)
        return;
    std::lock_guard lock(m_mutex);
    const auto same = [&](const Secret& known) { return known.reveal() == secret.reveal(); };
    if (std::any_of(m_secrets.begin(), m_secrets.end(), same))
        return;
    m_secrets.push_back(secret);
    // the longest first: a secret that begins like another one must not leave its tail behind
    std::sort(m_secrets.begin(), m_secrets.end(), [](const Secret& a, const Secret& b) { return a.reveal().size() > b.reveal().size(); });
}

std::string Redactor::operator()(std::string text) const
{
    std::lock_guard lock(m_mutex);
    for (const Secret& secret : m_secrets)
        text = redact(std::move(text), secret);
    return text;
}

} // namespace millrace
