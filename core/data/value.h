#pragma once
#include "core/data/batch.h"
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

//! --- Civil time (proleptic Gregorian; algorithms after H. Hinnant, "chrono-Compatible Low-Level Date Algorithms") ---
std::int64_t daysFromCivil(int year, unsigned month, unsigned day);
void civilFromDays(std::int64_t days, int& year, unsigned& month, unsigned& day);
bool validDate(int year, unsigned month, unsigned day);          //!< year 0 to 9999 and a day that exists
std::int64_t microsOf(int year, unsigned month, unsigned day, unsigned hour, unsigned minute, unsigned second, unsigned micros);

//! --- Text forms; each appends to `out` ---
void appendDate(std::string& out, std::int64_t days);                                        //!< 2026-11-21
void appendTime(std::string& out, std::int64_t micros, unsigned digits);                     //!< [-]HHH:MM:SS[.ffffff], hours to at least two digits
void appendDateTime(std::string& out, std::int64_t micros, unsigned digits, bool zulu);      //!< 2026-11-21T03:30:41[.fff][Z]
void appendReal(std::string& out, double value);                 //!< shortest text that reads back the same; "NaN", "Infinity", "-Infinity"
void appendInt(std::string& out, std::int64_t value);
void appendUint(std::string& out, std::uint64_t value);
//! `"text"` with JSON escapes: `\"`, `\\`, `\b \f \n \r \t`, other controls as \u00xx; everything else as it is (valid UTF-8).
void appendJsonString(std::string& out, std::string_view text);
void appendBase64(std::string& out, std::string_view bytes);

//! One cell as a JSON value, as the JSON targets hold it (contract, "Values", last column): NaN and infinities as strings, decimals
//! as number lexemes, bytes as base64, json and arrays as they are. `Unchanged` must not reach this.
void appendJson(std::string& out, const Cell& cell);

//! One cell as plain text: what `cast: text` and key texts use (bytes as lower-case hex, no quotes).
void appendText(std::string& out, const Cell& cell);

//! The key text of a row, the same in all targets: one column: its plain text; several: a minified JSON array in key order (bytes as
//! hex strings). Above 512 bytes: '#' and the SHA-256 in hex.
void appendKeyText(std::string& out, const Schema& schema, std::span<const Cell> row);
std::string keyText(const Schema& schema, std::span<const Cell> row);
//! The same rule for cells that stand apart (a deleted-rows table, a document's key fields).
std::string keyTextOf(const std::vector<Cell>& key);

//! 64 bits over all cells with their types (XXH3, seed 0): for lanes by key, for chunk sums. Not a proof; verify has its own.
std::uint64_t rowHash(std::span<const Cell> row);
std::uint64_t keyHash(const Schema& schema, std::span<const Cell> row);

//! --- Parsing, exact or refused: true only when the whole text is a value of that type ---
bool parseDate(std::string_view text, std::int64_t& days);                                          //!< YYYY-MM-DD
bool parseDateTime(std::string_view text, std::int64_t& micros, std::uint8_t& digits, bool* hadZone = nullptr);   //!< 'T' or ' '; optional fraction to 6; optional Z or +hh:mm (then UTC)
bool parseTime(std::string_view text, std::int64_t& micros, std::uint8_t& digits);                  //!< [-]H+:MM:SS[.f]
bool isJsonNumber(std::string_view text);
bool isDecimal(std::string_view text);                                                              //!< [-]digits[.digits]

//! Minified JSON with the text's own key order, number lexemes and duplicate keys; string escapes are normalised to appendJsonString's
//! form. False when `text` is not JSON (then `out` is unchanged). Bounded in depth (1,000), never recursive.
bool minifyJson(std::string_view text, std::string& out);

} // namespace millrace
