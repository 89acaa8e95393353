#pragma once
#include "core/engine/discovery.h"
#include <string>
#include <string_view>

namespace millrace::postgresql {

std::string quotedName(std::string_view identifier);               //!< "name"
std::string quotedName(const TableRef& table);                     //!< "schema"."name"
//! 'text'; the session has standard_conforming_strings on, so nothing but the quote means anything.
std::string literal(std::string_view text);
//! `(where)` of the operator, safe against a trailing comment.
std::string condition(const std::string& where);

//! Days and microseconds since 2000-01-01, as the server counts them.
constexpr std::int64_t epochDays = 10'957;
constexpr std::int64_t epochMicros = epochDays * 86'400'000'000;

//! As the server prints them under DateStyle ISO: "2024-01-31", "0044-03-15 BC", "infinity". `days`, `micros` as on the wire.
std::string serverDate(std::int32_t days);
std::string serverTimestamp(std::int64_t micros, bool zone);
//! True when the canonical types hold it: the years 1 to 9999.
bool ordinaryDate(std::int32_t days);
bool ordinaryTimestamp(std::int64_t micros);

} // namespace millrace::postgresql
