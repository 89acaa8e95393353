#pragma once
#include "core/engine/plan.h"
#include "core/source/postgresql/connection.h"
#include "core/source/postgresql/valuetype.h"
#include <memory>

namespace millrace::postgresql {

//! The comparisons by which the server sorts a type. Outside pg_catalog (citext, ltree, ...) they must be written with their schema:
//! without, another type's would be taken, and rows between two pages would be lost.
struct Comparisons {
    std::string less = "<", lessEqual = "<=", equal = "=", greaterEqual = ">=", greater = ">";
    bool builtIn = true;
};

struct ShapeColumn {
    std::string name;
    NativeType type;
    int modifier = -1;
    std::uint32_t tree = 0;                        //!< its node in the type tree
    bool nullable = true;
    Comparisons order;                             //!< of key columns
};

//! What a relation looks like now, in the terms of the reader. Taken inside the transaction that reads.
struct Shape {
    std::uint32_t oid = 0;
    char kind = 'r';                               //!< relkind
    bool hasChildren = false;                      //!< others inherit from it, or it is partitioned
    std::vector<ShapeColumn> columns;
    std::shared_ptr<TypeTree> types;

    const ShapeColumn* column(std::string_view name) const;
    //! Computed anew by each statement, or without a key that holds: read by one statement, not by pages.
    bool inOnePiece() const { return kind == 'v' || kind == 'f' || (kind == 'r' && hasChildren); }
};

//! Begins the transaction: one snapshot for all that follows, the table locked against changes of its shape before the snapshot is
//! taken, and looks at it. Fault::Schema when a column of the plan is gone or has another type.
Result<Shape> beginReading(Connection& connection, const TablePlan& plan);
//! Looks alone, with the comparisons of the columns named.
Result<Shape> lookAt(Connection& connection, const TableRef& table, const std::vector<std::string>& keys);

} // namespace millrace::postgresql
