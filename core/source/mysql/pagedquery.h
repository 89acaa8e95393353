#pragma once
#include "core/source/mysql/connection.h"
#include "core/source/mysql/rowslots.h"

namespace millrace::mysql {

//! A column of an ORDER BY: the expression, how its bound goes back, and the slot that holds its value.
struct OrderPart { std::string expression; BoundKind kind = BoundKind::Text; std::size_t slot = 0; };

//! A consistent snapshot with a savepoint at its begin. Going back there keeps the snapshot and gives back the locks on the tables that
//! were read, so that a schema change waits for a chunk and not for a whole load, and the application's statements not behind it.
Result<> beginSnapshot(Connection& connection);

//! One table read as chunks of a keyset over `order`, in one prepared statement per shape, unbuffered. Without an order: one statement
//! for the whole table.
class PagedQuery {
public:
    struct Spec {
        std::string label;                         //!< the table, for messages
        std::vector<std::string> list;             //!< the SELECT list, one per slot
        std::string from;                          //!< table or join
        std::vector<std::string> where;            //!< conditions, joined by AND
        std::vector<OrderPart> order;
        RowSlots slots;
        bool inSnapshot = false;                   //!< of beginSnapshot(): locks are given back after each chunk
        bool aggregate = false;                    //!< one row over the whole range: `order` only bounds it
    };
    using Bounds = std::vector<std::string>;       //!< one text per order part, as the server gave it (bytes: raw)

    //! The plan's columns and its key as the order. More slots, conditions and parts may be added before the first next().
    static Spec forPlan(const TablePlan& plan);
    //! `(where)` of the operator, safe against a trailing comment.
    static std::string condition(const std::string& where) { return "(" + where + "\n)"; }

    PagedQuery(Connection& connection, Spec spec);
    ~PagedQuery();
    PagedQuery(const PagedQuery&) = delete;

    void after(Bounds bounds) { m_after = std::move(bounds); }        //!< empty: from the start
    void upTo(Bounds bounds) { m_upTo = std::move(bounds); }
    //! Fetches the next row into the slots; false: no more.
    Result<bool> next();
    void decode(Batch& into, Op op);
    std::int64_t integer(std::size_t slot) const { return m_spec.slots.integer(slot); }
    //! The order parts of the row fetched last, or what after() said. Fault::Data when one is NULL: no keyset goes past it.
    Result<Bounds> bounds() const;

    //! Bounds as JSON strings (bytes as hex), and back.
    Node node(const Bounds& bounds) const;
    Result<Bounds> fromNode(const Node& node) const;

private:
    struct Close { void operator()(MYSQL_STMT* s) const { mysql_stmt_close(s); } };
    using Statement = std::unique_ptr<MYSQL_STMT, Close>;
    Result<> openChunk();
    Result<> closeChunk();
    Result<Statement> prepare(bool bounded) const;
    std::string keyset(const char* beyond, const char* last) const;
    Error statementError(MYSQL_STMT* statement) const;

    Connection& m_connection;
    Spec m_spec;
    Bounds m_after, m_upTo;
    Statement m_first, m_following;                //!< without and with a lower bound
    MYSQL_STMT* m_open = nullptr;                  //!< whose result is being fetched
    std::uint64_t m_limit = 2000, m_inChunk = 0, m_chunkBytes = 0;
    bool m_ended = false, m_onRow = false;
};

} // namespace millrace::mysql
