#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

bool validUtf8(std::string_view text);
std::string lower(std::string_view text);                     //!< ASCII only
std::string trimmed(std::string_view text);
std::vector<std::string> split(std::string_view text, char separator);
std::string join(const std::vector<std::string>& parts, std::string_view separator);
std::string percentDecode(std::string_view text);
std::string percentEncode(std::string_view text);             //!< all but RFC 3986 unreserved characters
std::string base64(std::string_view bytes);
std::string hex(std::string_view bytes);                      //!< lower case
std::string sha256Hex(std::string_view bytes);

//! Shell-like pattern: `*` any run, `?` one character; everything else is itself. Case matters.
bool globMatches(std::string_view pattern, std::string_view text);

//! The known word nearest to `word` by edit distance, or empty when none is near (distance above a third of its length, at least 2).
std::string nearest(std::string_view word, const std::vector<std::string>& known);

//! " (did you mean 'strategy'?)" when a known word is near, else empty; to append to a message.
std::string didYouMean(std::string_view word, const std::vector<std::string>& known);

//! "1,234,567"
std::string grouped(std::uint64_t number);

} // namespace millrace
