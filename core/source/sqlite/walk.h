#pragma once
#include "core/source/sqlite/connection.h"
#include "core/source/sqlite/rawvalue.h"
#include <string>
#include <vector>

namespace millrace::sqlitesource {

//! One ordered walk over rows that may stop after any row and go on from there, in this transaction or in a later one.
class Walk {
public:
    struct Spec {
        std::string columns;                    //!< the select list
        std::string from;
        std::vector<std::string> conditions;    //!< with ?1, ?2, ... for `fixed`
        std::vector<RawValue> fixed;
        std::vector<std::string> order;         //!< empty: no order, and then the walk cannot go on later
        std::vector<int> orderAt;               //!< where in it the order terms' own values stand
        bool collated = false;
        bool utf8 = true;                       //!< the file's encoding
    };
    Walk(Connection& connection, Spec spec) : m_connection(&connection), m_spec(std::move(spec)) {}
    //! From the row behind `after` on (empty: from the start).
    Result<> start(const std::vector<RawValue>& after);
    Result<bool> next() { return m_current->step(); }
    sqlite3_stmt* row() const { return m_current->handle(); }
    //! The order values of the row it stands on, into buffers that are used again.
    void place(std::vector<RawValue>& out) const;
    //! Lets go of the row and of its locks.
    void pause() { if (m_current) m_current->reset(); m_current = nullptr; }
    bool started() const { return m_current != nullptr; }
private:
    std::string sql(bool resumed) const;
    Connection* m_connection;
    Spec m_spec;
    Statement m_fromStart, m_resumed;
    Statement* m_current = nullptr;
};

//! `a > ?n`, or for several terms the row form `(a, b) > (?n, ?n+1)`, which SQLite turns into one index range. (MySQL does not; there
//! it has to be written out.)
std::string beyond(const std::vector<std::string>& terms, int firstParameter, const char* comparison);

} // namespace millrace::sqlitesource
