#pragma once
#include "core/target/search/client.h"
#include <deque>
#include <vector>

namespace millrace::search {

//! A document as an answer holds it. `source` points into the answer, byte for byte as it was written; empty: there is none.
struct Hit { std::string id; std::string_view source; std::uint64_t version = 0; bool found = true; };

//! Reads the hits of a search (or of a get of many). False when it is no such answer, or not a whole one: shards failed, time ran out.
bool readHits(std::string_view json, bool search, std::vector<Hit>& out, std::string& scrollId);

//! All documents of an index, or those that carry a sync's mark, in one pass over what is searchable at its beginning.
class Scan {
public:
    struct What { std::string index, mark; bool source = false; };      //!< mark: a sync's name, or empty for all
    Scan(Client& client, What what) : m_client(client), m_what(std::move(what)) {}
    ~Scan();
    Scan(const Scan&) = delete;
    Scan& operator=(const Scan&) = delete;
    //! The next hits, at least one; none: the end. They live until the next call.
    Result<const std::vector<Hit>*> next(std::string_view doing, std::stop_token stop);
private:
    Result<std::size_t> pageSize(std::string_view doing);
    Client& m_client;
    What m_what;
    std::string m_scroll, m_body;
    std::vector<Hit> m_hits;
    bool m_ended = false;
};

} // namespace millrace::search
