#pragma once
#include "core/source/postgresql/connection.h"
#include "core/source/postgresql/rowdecoder.h"

namespace millrace::postgresql {

//! A column of an ORDER BY: the expression, its comparisons, and the slot that holds its value.
struct OrderPart { std::string expression; Comparisons order; std::size_t slot = 0; bool nullable = false; };

//! One relation read by COPY BINARY: in pages of a keyset over `order`, or by ranges of blocks where there is no key, or by one
//! statement where pages would compute it again and again. Runs in the transaction that its connection is in.
class PagedCopy {
public:
    enum class Pages : std::uint8_t { ByKey, ByBlock, None };
    struct Spec {
        std::string label;                         //!< the table, for messages
        std::vector<std::string> list;             //!< the SELECT list, one per slot
        std::string from;                          //!< table or join
        std::vector<std::string> where;            //!< conditions, joined by AND
        std::vector<OrderPart> order;
        RowDecoder row;
        Pages pages = Pages::ByKey;
        bool keyHolds = true;                      //!< false: a key that comes twice is parked (views, inheritance)
        std::uint64_t blocks = 0;                  //!< of the table, for ByBlock
    };
    using Bounds = std::vector<std::string>;       //!< one text per order part, as SQL writes it

    //! The plan's columns and its key as the order. More slots, conditions and parts may be added before the first next().
    static Result<Spec> forPlan(Connection& connection, const TablePlan& plan, const Shape& shape);

    PagedCopy(Connection& connection, Spec spec) : m_connection(connection), m_spec(std::move(spec)) {}
    ~PagedCopy();
    PagedCopy(const PagedCopy&) = delete;

    void after(Bounds bounds) { m_after = std::move(bounds); }        //!< empty: from the start
    void upTo(Bounds bounds) { m_upTo = std::move(bounds); }
    //! Fetches the next row; false: no more.
    Result<bool> next();
    void decode(Batch& into, Op op);
    bool flag(std::size_t slot) const { return m_spec.row.flag(slot); }
    //! The order parts of the row fetched last, or what after() said. Fault::Data when one is NULL: no keyset goes past it.
    Result<Bounds> bounds() const;

    static Node node(const Bounds& bounds) { return Node::strings(bounds); }
    Result<Bounds> fromNode(const Node& node) const;

private:
    struct FreeRow { void operator()(char* p) const { PQfreemem(p); } };
    std::string statement() const;
    std::string beyond(const Bounds& bounds, bool after) const;
    Result<> open();
    Result<bool> closePage();
    Error altered(const std::string& words) const;

    Connection& m_connection;
    Spec m_spec;
    Bounds m_after, m_upTo;
    std::unique_ptr<char, FreeRow> m_row;          //!< fetched last; its texts are pointed into
    std::uint64_t m_limit = 2000, m_inPage = 0, m_pageBytes = 0, m_block = 0;
    bool m_open = false, m_first = true, m_ended = false, m_onRow = false;
    std::string m_key, m_lastKey;
};

} // namespace millrace::postgresql
