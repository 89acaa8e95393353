#pragma once
#include "core/engine/target.h"
#include "core/target/mongodb/client.h"
#include <optional>
#include <unordered_set>
#include <vector>

namespace millrace::mongodb {

//! Streams a collection's documents for proof, on a connection of its own, with read concern majority: what could still be rolled
//! back does not count. With keys: asked for by key where the key text tells the value (integers, text), else picked from a scan.
class MongoReader final : public DocumentReader {
public:
    MongoReader(std::unique_ptr<Client> client, TablePlanPtr plan, const std::vector<std::string>& keys, bool unmarkedIsOurs);
    Result<ReadState> read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop) override;

private:
    bool next(const bson_t*& document);
    void open(const bson_t* filter);
    //! A filter for up to 500 of the wanted keys.
    Bson filterFor(std::size_t& from) const;

    std::unique_ptr<Client> m_client;
    TablePlanPtr m_plan;
    std::unordered_set<std::string> m_wanted;        //!< empty: all
    std::vector<std::vector<Cell>> m_keys;           //!< as values, when every wanted key could be read back into one
    std::vector<std::string> m_texts;                //!< that m_keys point into
    std::size_t m_at = 0;
    bool m_byKey = false, m_end = false, m_unmarkedIsOurs = false;
    Collection m_collection;
    Cursor m_cursor;
};

//! The cells of a key text where every key column is an integer, text or uuid and the text is not a digest; else nothing. Text cells
//! point into `arena`.
std::optional<std::vector<Cell>> keyCells(const Schema& schema, const std::string& key, std::vector<std::string>& arena);

} // namespace millrace::mongodb
