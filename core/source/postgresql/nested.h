#pragma once
#include "core/source/postgresql/valuetype.h"

namespace millrace::postgresql {

//! Turns the text of an array, composite or hstore, as the server prints it, into minified JSON: numbers as numbers, times as ISO 8601,
//! bytes as base64, json as it is, NULLs kept, array bounds dropped; everything else as a string. Infinite and BC dates stay the
//! server's words there. Grammars: PostgreSQL manual, "Array Input and Output Syntax", "Composite Type Input and Output Syntax", hstore.
class Nested {
public:
    explicit Nested(const TypeTree& types) : m_types(types) {}
    //! Appends to `out`. False when the text is not of this type; `out` then ends anywhere.
    bool append(std::string& out, std::uint32_t type, int modifier, std::string_view text) { return value(out, type, modifier, text, 0); }

private:
    bool value(std::string& out, std::uint32_t type, int modifier, std::string_view text, std::size_t depth);
    bool array(std::string& out, const TypeTree::Node& node, int modifier, std::string_view text, std::size_t depth);
    bool record(std::string& out, const TypeTree::Node& node, std::string_view text, std::size_t depth);
    bool hstore(std::string& out, std::string_view text, std::size_t depth);
    std::string& scratch(std::size_t depth);
    const TypeTree& m_types;
    std::vector<std::string> m_scratch;            //!< one per depth, kept so that cells cost no allocation
};

} // namespace millrace::postgresql
