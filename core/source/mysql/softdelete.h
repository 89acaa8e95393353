#pragma once
#include "core/source/mysql/nativetype.h"

namespace millrace::mysql {

//! 1 when the row counts as deleted, else 0: true, a number other than zero, a time that is one. Never NULL.
inline std::string softDeleted(const std::string& column, const NativeType& type)
{
    const std::string name = quotedName(column);
    switch (type.wire()) {
    case Wire::Date: case Wire::DateTime: case Wire::Time:
        return "(" + name + " IS NOT NULL AND " + name + "+0 <> 0)";             // a zero date says: not deleted
    case Wire::Characters:
        return "(" + name + " IS NOT NULL AND LOWER(" + name + ") NOT IN ('', '0', 'f', 'false', 'n', 'no'))";
    default:
        return "(" + name + " IS NOT NULL AND " + name + "+0 <> 0)";
    }
}

} // namespace millrace::mysql
