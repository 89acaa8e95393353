#pragma once
#include "core/target/redis/containers.h"

namespace millrace::redis {

//! Writes payloads by script, many rows a script and all scripts of a payload on the way at once.
class RedisSession final : public TargetSession {
public:
    RedisSession(std::unique_ptr<Link> link, TablePlanPtr plan, Lease lease, Containers::Place place)
        : m_link(std::move(link)), m_plan(std::move(plan)), m_lease(std::move(lease)), m_place(place), m_seen(tableSize) {}
    Result<WriteReport> write(const Payload& payload, std::stop_token stop) override;

private:
    static constexpr std::size_t tableSize = 2048; // of the open-addressed table of a script's keys: a power of two, far above its rows
    struct Chunk { std::vector<std::uint32_t> items; int slot = -1; };
    void split(const Payload& payload);
    void add(const Payload& payload, const Chunk& chunk);
    bool repeats(std::string_view key);
    Result<> settle(const Payload& payload, const Chunk& chunk, const redisReply* reply, WriteReport& report) const;

    std::unique_ptr<Link> m_link;
    const TablePlanPtr m_plan;
    const Lease m_lease;
    const Containers::Place m_place;
    Commands m_commands;                           //!< these keep their capacity
    std::vector<Chunk> m_chunks;
    std::string m_documents;                       //!< the document keys of the payload, one after the other
    std::vector<std::pair<std::size_t, std::size_t>> m_keys;
    std::vector<std::uint64_t> m_seen;
    std::size_t m_seenCount = 0;
};

} // namespace millrace::redis
