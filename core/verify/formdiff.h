#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace millrace::verify {

//! The names of the fields in which two normal forms ("field \x1f value \x1e" ...) differ, in their order; a field that only one has,
//! too. Empty for equal forms; {"(order of fields)"} when only the order differs.
std::vector<std::string> differingFields(std::string_view expected, std::string_view actual);

//! The same form with values above a kilobyte cut and closed with their size and digest: equal exactly where the whole forms are, and
//! small enough to keep for some thousand rows.
std::string condensedForm(std::string_view form);

//! A normal form for people: "field: value" lines, control characters escaped, long values cut.
std::string printableForm(std::string_view form);

} // namespace millrace::verify
