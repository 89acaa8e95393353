#pragma once
#include "core/engine/discovery.h"
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace millrace::postgresql {

//! How a value travels. The first row comes in the server's binary form; what stands in the second is asked for as the text that its
//! output function prints, because its binary form is nobody's contract (Printed) or is a tree of others (Array, Record, Hstore).
enum class Wire : std::uint8_t { Bool, Int2, Int4, Int8, Oid, Float4, Float8, Numeric, Date, Timestamp, TimestampTz, Time, Text, Bytea, Json, Jsonb, Uuid,
                                 Printed, Array, Record, Hstore };

//! A row of pg_type, domains already resolved to what they are made of.
struct NativeType {
    std::uint32_t oid = 0;
    std::string schema, name;                      //!< "pg_catalog", "int4"
    char kind = 'b';                               //!< typtype: b base, c composite, e enum, r range, m multirange
    bool array = false;
    std::string output;                            //!< the output function, quoted: "pg_catalog"."int4out"

    bool builtIn() const { return schema == "pg_catalog"; }
    Wire wire() const;
};

//! Fills type, scale, bits and precision of a column (contract, "Values"). `modifier` is the type's, -1: none.
void describeNative(ColumnInfo& column, const NativeType& type, int modifier);
//! Fraction digits of a time under this modifier.
unsigned fractionDigits(int modifier);

//! The expression that reads `sql`, a value of this type, in the form that its wire says.
std::string readExpression(const std::string& sql, const NativeType& type);

//! What array elements, composite fields and hstore values are, so that their text can be taken apart.
class TypeTree {
public:
    struct Part { std::uint32_t type = 0; int modifier = -1; std::string name; };      //!< type: index into nodes; name: of a field
    struct Node { Wire wire = Wire::Printed; char delimiter = ','; std::vector<Part> parts; };   //!< Array: one part; Record: its fields

    std::uint32_t add(std::uint32_t oid, Node node);
    Node& node(std::uint32_t index) { return m_nodes[index]; }
    const Node& node(std::uint32_t index) const { return m_nodes[index]; }
    //! Index of a type; Printed when it is not known.
    std::uint32_t find(std::uint32_t oid) const;
    bool empty() const { return m_nodes.size() <= 1; }

private:
    std::vector<Node> m_nodes {Node {}};           //!< 0: printed text
    std::map<std::uint32_t, std::uint32_t> m_byOid;
};

} // namespace millrace::postgresql
