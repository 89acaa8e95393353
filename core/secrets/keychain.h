#pragma once
#include "core/base/result.h"
#include "core/base/secret.h"
#include <chrono>
#include <string>

namespace millrace {

//! The desktop's keychain through QtKeychain, one call after the other on a thread with an event loop of its own. Thread-safe; calls block up
//! to the time-out. Without a keychain every call is an error: there is no fallback to plain text.
class Keychain {
public:
    explicit Keychain(std::chrono::milliseconds timeout = std::chrono::minutes(1)) : m_timeout(timeout) {}
    Result<Secret> read(const std::string& name);
    Result<> write(const std::string& name, const Secret& secret);
    Result<> remove(const std::string& name);      //!< one that is not there is no error
private:
    struct Answer;
    enum class Act : std::uint8_t { Read, Write, Remove };
    Answer ask(Act act, const std::string& name, const Secret& secret);
    const std::chrono::milliseconds m_timeout;
};

} // namespace millrace
