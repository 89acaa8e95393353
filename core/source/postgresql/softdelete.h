#pragma once
#include "core/source/postgresql/shape.h"
#include "core/source/postgresql/sqltext.h"

namespace millrace::postgresql {

//! True when the row counts as deleted: true, a number other than zero, a time (an infinite one says: not yet), a word that is no no.
//! Never NULL.
inline std::string softDeleted(const ShapeColumn& column)
{
    const std::string name = quotedName(column.name), there = "coalesce(" + name;
    switch (column.type.wire()) {
    case Wire::Bool: return there + ", false)";
    case Wire::Int2: case Wire::Int4: case Wire::Int8: case Wire::Oid: case Wire::Float4: case Wire::Float8: case Wire::Numeric: return there + " <> 0, false)";
    case Wire::Date: case Wire::Timestamp: case Wire::TimestampTz: return "coalesce(pg_catalog.isfinite(" + name + "), false)";
    case Wire::Text: case Wire::Printed:
        return "coalesce(pg_catalog.lower(" + name + "::pg_catalog.text) NOT IN ('', '0', 'f', 'false', 'n', 'no'), false)";
    default: return "(" + name + " IS NOT NULL)";
    }
}

} // namespace millrace::postgresql
