#pragma once
#include "core/target/redis/containers.h"
#include <deque>
#include <unordered_set>

namespace millrace::redis {

//! Documents for proof, over a connection of its own: by the keys that are there (SCAN), not by our registry. What is written meanwhile
//! may or may not come.
class RedisReader final : public DocumentReader {
public:
    RedisReader(std::unique_ptr<Link> link, TablePlanPtr plan, std::vector<std::string> keys);
    Result<ReadState> read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop) override;

private:
    Result<bool> fetch(std::stop_token stop);      //!< false: nothing more to fetch
    Result<> load(const std::vector<std::string>& documents, std::stop_token stop);
    ReadBack made(const std::string& document, const redisReply* value, const redisReply* companion) const;

    std::unique_ptr<Link> m_link;
    const TablePlanPtr m_plan;
    const bool m_byKeys;
    const std::vector<std::string> m_keys;
    std::size_t m_nextKey = 0;
    Prefix m_prefix;
    std::unordered_set<std::uint64_t> m_seen;      //!< hashes: SCAN may give a key twice when the server's table is resized
    std::deque<ReadBack> m_ready;
    bool m_fetched = false;
};

} // namespace millrace::redis
