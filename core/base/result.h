#pragma once
#include <cassert>
#include <chrono>
#include <cstdint>
#include <string>
#include <utility>
#include <variant>

namespace millrace {

//! What went wrong, by what a caller can do about it.
enum class Fault : std::uint8_t {
    Cancelled,   //!< asked to stop
    Usage,       //!< the caller's words are off
    Config,      //!< a setting, name or file is wrong
    Auth,        //!< login or privilege
    Network,     //!< the peer is away; try again
    Timeout,     //!< the peer did not answer in time; try again
    Throttled,   //!< the peer asks for less; try again after `retryAfter`
    Schema,      //!< the table or container is not what the plan says: needs resync
    Data,        //!< this row cannot be carried
    Storage,     //!< disk full, file unreadable, store damaged
    Fenced,      //!< another instance owns this sync
    Internal     //!< a bug
};

struct Error {
    Fault fault = Fault::Internal;
    std::string id;       //!< stable and dotted: "target.mongodb.too_large"; faces translate by it
    std::string detail;   //!< what happened and where, with the server's own words, secrets cut out
    std::string fix;      //!< what to do now; empty when nobody knows
    std::chrono::milliseconds retryAfter{0};

    bool transient() const noexcept
    { return fault == Fault::Network || fault == Fault::Timeout || fault == Fault::Throttled; }
    //! Whoever knows more adds it once, in front: "table film: ...".
    Error in(std::string_view where) && { detail.insert(0, std::string(where) + ": "); return std::move(*this); }
};

//! A value or an Error, with the names of C++23's std::expected (GCC 12 has none in C++20 mode).
template <class T = void> class [[nodiscard]] Result {
public:
    Result(T value) : m_state(std::in_place_index<0>, std::move(value)) {}
    Result(Error error) : m_state(std::in_place_index<1>, std::move(error)) {}
    bool has_value() const noexcept { return m_state.index() == 0; }
    explicit operator bool() const noexcept { return has_value(); }
    T& value() & { assert(has_value()); return *std::get_if<0>(&m_state); }
    const T& value() const& { assert(has_value()); return *std::get_if<0>(&m_state); }
    //! By value: what a call returned lives on in a range-for over `*call()`.
    T value() && { assert(has_value()); return std::move(*std::get_if<0>(&m_state)); }
    T& operator*() & { return value(); }
    const T& operator*() const& { return value(); }
    T operator*() && { return std::move(*this).value(); }
    T* operator->() { return &value(); }
    const T* operator->() const { return &value(); }
    Error& error() & { assert(!has_value()); return *std::get_if<1>(&m_state); }
    const Error& error() const& { assert(!has_value()); return *std::get_if<1>(&m_state); }
    Error error() && { assert(!has_value()); return std::move(*std::get_if<1>(&m_state)); }
    T value_or(T other) const& { return has_value() ? value() : std::move(other); }
private:
    std::variant<T, Error> m_state;
};

template <> class [[nodiscard]] Result<void> : public Result<std::monostate> {
public:
    using Result<std::monostate>::Result;
    Result() : Result<std::monostate>(std::monostate{}) {}
};

} // namespace millrace
