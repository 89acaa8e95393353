#pragma once
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

//! A password or token. It has no stream operator, no comparison and no implicit conversion, so that it cannot reach a log by
//! accident (Invariant 10); the bytes are wiped when the last owner goes.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : m_value(std::move(value)) {}
    Secret(const Secret&) = default;
    Secret& operator=(const Secret& other) { if (this != &other) { wipe(); m_value = other.m_value; } return *this; }
    Secret(Secret&& other) noexcept : m_value(other.m_value) { other.wipe(); }
    Secret& operator=(Secret&& other) noexcept { if (this != &other) { wipe(); m_value = other.m_value; other.wipe(); } return *this; }
    ~Secret() { wipe(); }
    bool empty() const noexcept { return m_value.empty(); }
    //! The plain bytes, for the call that logs in. Do not keep the view.
    std::string_view reveal() const noexcept { return m_value; }
    const char* revealCString() const noexcept { return m_value.c_str(); }
private:
    void wipe() noexcept;
    std::string m_value;
};

//! `text` with every occurrence of the secret (plain, URL-encoded, base64) replaced by "***". Short secrets (< 3 bytes) are left.
std::string redact(std::string text, const Secret& secret);

} // namespace millrace
