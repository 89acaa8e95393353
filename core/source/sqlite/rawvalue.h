#pragma once
#include "core/base/node.h"
#include "core/base/result.h"
#include <sqlite3.h>
#include <string>
#include <vector>

namespace millrace::sqlitesource {

//! One value with its storage class, exactly as the file has it: what positions are made of.
struct RawValue {
    int type = SQLITE_NULL;              //!< SQLITE_NULL, _INTEGER, _FLOAT, _TEXT, _BLOB
    std::int64_t number = 0;
    double real = 0;
    std::string bytes;                   //!< of text (as UTF-8) and blobs
    bool wide = false;                   //!< text with a lone surrogate of a UTF-16 file: the bytes are UTF-16, because UTF-8 cannot say it
    bool isNull() const { return type == SQLITE_NULL; }
    bool operator==(const RawValue&) const = default;

    static RawValue integer(std::int64_t value) { RawValue v; v.type = SQLITE_INTEGER; v.number = value; return v; }
    static RawValue text(std::string value) { RawValue v; v.type = SQLITE_TEXT; v.bytes = std::move(value); return v; }
    //! `known`: the value's type, asked for before any of its bytes were (SQLite may change its mind afterwards).
    void assign(sqlite3_value* value, int known, bool utf8 = true);
    void bind(sqlite3_stmt* statement, int index) const;

    Node node() const;                   //!< 5, "abc", null, {"r": "3ff8…"} (bits), {"t": "ff"} (text that is not UTF-8), {"b": "00ff"}, {"w": "3dd8"} (wide)
    static Result<RawValue> fromNode(const Node& node);
};

//! A UTF-16 file may hold half a surrogate pair, for which SQLite would put U+FFFD without a word.
bool loneSurrogate(sqlite3_value* value);

Node nodeOf(const std::vector<RawValue>& values);
Result<std::vector<RawValue>> valuesOf(const Node& node);

} // namespace millrace::sqlitesource
