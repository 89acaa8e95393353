#pragma once
#include "core/engine/source.h"
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::test {

//! One column type of a database and values of it, with what must arrive. Every value is also NULL once when `nullable`.
struct TypeCase {
    struct Value {
        std::string literal;                       //!< as written in INSERT: "255", "X'00FF'", "'0000-00-00'"
        std::string json;                          //!< appendJson() of the cell that must arrive; "null" for what a policy replaces
        bool coerced = false;                      //!< counted in Batch::coerced
        bool rejected = false;                     //!< the row must be parked instead (under `policy`)
    };
    std::string name;                              //!< for the failure text
    std::string declaration;                       //!< "tinyint unsigned"
    Type type = Type::Text;                        //!< canonical type that describe() must say
    std::vector<Value> values;
    ValuePolicy policy = ValuePolicy::Null;
    bool nullable = true;
};

//! What the suite needs to know of a database. A table made by one check is never used by another; names are unique per check.
class SourceFixture {
public:
    //! The application's side: one connection that writes. Separate from everything the Source opens.
    class Session {
    public:
        virtual ~Session() = default;
        virtual Result<> exec(const std::string& sql) = 0;        //!< one statement
    };
    enum class Kind { Integer, Text, FoldedText, Flag, Moment, Second };
    //!< Integer: 64 bits. Text: up to 200 characters, case matters. FoldedText: the same under a collation that ignores case.
    //!< Flag: 0 or 1. Moment: instant with microseconds (or what the database has), good as a cursor. Second: the same with seconds.

    virtual ~SourceFixture() = default;
    virtual Result<std::unique_ptr<Source>> open() = 0;           //!< a new Source on the fixture's database
    virtual std::unique_ptr<Session> session() = 0;
    virtual TableRef ref(const std::string& table) const = 0;
    virtual std::string quoted(const std::string& name) const = 0;
    virtual std::string column(Kind kind) const = 0;              //!< the SQL type words, without NOT NULL or DEFAULT
    virtual std::string moment(std::int64_t microsSince1970) const = 0;   //!< SQL literal for Moment and Second columns
    virtual std::string now() const = 0;                          //!< SQL expression: the database's clock, for Moment columns
    virtual std::vector<TypeCase> typeCases() const = 0;
    virtual std::string slowFilter() const = 0;                   //!< a `where` that takes minutes, to cancel

    //! False: rows read late through one Snapshot may be newer, and then moved() must be true.
    virtual bool consistentSnapshot() const { return true; }
    //! False: only one transaction writes at a time, so none can commit late.
    virtual bool concurrentWriters() const { return true; }
    //! False: DDL waits for an open reader, or the other way round, so the table is altered between readers only.
    virtual bool altersBetweenChunks() const { return false; }
};

//! A plan made straight from a description, for tests of sources: all columns, target names = source names.
struct PlanOptions {
    Strategy strategy = Strategy::Full;
    std::string cursor, softDelete, where;
    std::optional<DeletedRows> deletedRows;
    std::int64_t overlapMs = 2000;
    std::vector<std::string> key;                  //!< empty: the table's
    ValuePolicy policy = ValuePolicy::Null;        //!< for all columns
};
TablePlanPtr planFor(const TableInfo& table, const PlanOptions& options = {});

struct CheckResult {
    enum class Outcome { Passed, Failed, Skipped } outcome = Outcome::Passed;
    std::string text;                              //!< why
};

struct SourceCheck {
    std::string name;                              //!< "types_matrix", "cursor_ties", ...
    std::function<CheckResult(SourceFixture&)> run;
};

//! All checks that any Source must pass. A test program runs them as data rows:
//!   for (const auto& check : sourceChecks()) QTest::newRow(check.name.c_str());
const std::vector<SourceCheck>& sourceChecks();

} // namespace millrace::test
