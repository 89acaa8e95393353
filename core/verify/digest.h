#pragma once
#include <array>
#include <compare>
#include <sodium.h>
#include <string_view>

namespace millrace::verify {

//! 128 bits of BLAKE2b: two different rows meet with a chance of 2^-128, and nobody can craft a pair that does.
using Digest = std::array<unsigned char, 16>;

inline Digest digest(std::string_view bytes)
{
    Digest out;
    crypto_generichash(out.data(), out.size(), reinterpret_cast<const unsigned char*>(bytes.data()), bytes.size(), nullptr, 0);
    return out;
}

//! One row of one side.
struct Record {
    Digest key, form;
    auto operator<=>(const Record&) const = default;
};
static_assert(sizeof(Record) == 32);

} // namespace millrace::verify
