#include "core/target/redis/session.h"
#include "core/base/crashpoint.h"
#include "core/target/redis/faults.h"
#include <algorithm>
#include <cstring>
#include <numeric>

namespace millrace::redis {

namespace {

constexpr std::size_t rowsAtOnce = 256;            // a server does nothing else while a script runs
constexpr std::size_t bytesAtOnce = 1u << 20;

std::string_view keyOf(const Payload& payload, const Payload::Item& item) { return {payload.bytes.data() + item.keyAt, item.keySize}; }

} // namespace

bool RedisSession::repeats(std::string_view key)
{
    const std::uint64_t hash = std::hash<std::string_view>()(key) | 1;   // 0 is an empty place
    for (std::size_t at = hash >> 1 & (tableSize - 1);; at = (at + 1) & (tableSize - 1)) {
        if (m_seen[at] == hash)
            return true;                           // or another key of the same hash: one more script, and no harm
        if (m_seen[at] == 0) {
            m_seen[at] = hash;
            ++m_seenCount;
            return false;
        }
    }
}

//! Runs of rows for one script each: one slot, each key once, order kept per key (Invariant 5).
void RedisSession::split(const Payload& payload)
{
    m_chunks.clear();
    m_documents.clear();
    m_keys.clear();
    for (const Payload::Item& item : payload.items) {
        const std::size_t at = m_documents.size();
        m_documents += m_plan->container;
        m_documents += ':';
        m_documents += keyOf(payload, item);
        m_keys.emplace_back(at, m_documents.size() - at);
    }
    const auto document = [&](std::uint32_t i) { return std::string_view(m_documents).substr(m_keys[i].first, m_keys[i].second); };
    std::vector<std::uint32_t> order(payload.items.size());
    std::iota(order.begin(), order.end(), 0u);
    std::vector<int> slotOfItem;
    if (m_link->cluster()) {
        for (const std::uint32_t i : order)
            slotOfItem.push_back(slotOf(document(i)));
        std::stable_sort(order.begin(), order.end(), [&](std::uint32_t a, std::uint32_t b) { return slotOfItem[a] < slotOfItem[b]; });
    }
    std::size_t bytes = 0;
    for (const std::uint32_t i : order) {
        const int slot = slotOfItem.empty() ? -1 : slotOfItem[i];
        const std::size_t size = payload.items[i].docSize;
        if (m_chunks.empty() || m_chunks.back().slot != slot || m_chunks.back().items.size() >= rowsAtOnce || bytes + size > bytesAtOnce || repeats(document(i))) {
            m_chunks.push_back({{}, slot});
            bytes = 0;
            if (m_seenCount > 0)
                std::fill(m_seen.begin(), m_seen.end(), 0);
            m_seenCount = 0;
            (void)repeats(document(i));
        }
        m_chunks.back().items.push_back(i);
        bytes += size;
    }
}

void RedisSession::add(const Payload& payload, const Chunk& chunk)
{
    const std::string registry = registryKey(m_place.aside ? KeySet::Aside : KeySet::Own, m_plan->container, chunk.slot);
    const auto guard = Registry(*m_link).guard(m_lease, registry);
    std::size_t arguments = 4;
    for (const std::uint32_t i : chunk.items) {
        const Payload::Item& item = payload.items[i];
        std::uint32_t words = 0;
        if (m_plan->hash && item.op == Op::Upsert)
            std::memcpy(&words, payload.bytes.data() + item.docAt, sizeof words);
        arguments += 2 + words;
    }
    beginScript(m_commands, chunk.slot, m_plan->hash ? writeHashScript() : writeScript(), 2 + 2 * chunk.items.size(), arguments);
    m_commands.argument(guard.key);
    m_commands.argument(registry);
    std::string companion;
    for (const std::uint32_t i : chunk.items) {
        const std::string_view document = std::string_view(m_documents).substr(m_keys[i].first, m_keys[i].second);
        if (m_place.aside) {
            m_commands.argument(asideKey(document));
            m_commands.argument(asideCompanionKey(document));
            continue;
        }
        companion.clear();
        appendCompanionKey(companion, document);
        m_commands.argument(document);
        m_commands.argument(companion);
    }
    m_commands.argument(guard.owner);
    m_commands.argument(guard.epoch);
    m_commands.number(static_cast<std::uint64_t>(m_plan->ttlMs));
    m_commands.argument(m_place.adopted ? "1" : "0");
    std::string version;
    for (const std::uint32_t i : chunk.items) {
        const Payload::Item& item = payload.items[i];
        const bool remove = item.op == Op::Delete;
        version = (remove ? "-" : "") + std::to_string(item.version);
        m_commands.argument(version);
        if (!m_plan->hash) {
            m_commands.argument(remove ? std::string_view() : std::string_view(payload.bytes.data() + item.docAt, item.docSize));
            continue;
        }
        std::uint32_t words = 0;
        if (!remove)
            std::memcpy(&words, payload.bytes.data() + item.docAt, sizeof words);
        m_commands.number(words);
        if (!remove)
            m_commands.raw({payload.bytes.data() + item.docAt + sizeof words, item.docSize - sizeof words});
    }
}

Result<> RedisSession::settle(const Payload& payload, const Chunk& chunk, const redisReply* reply, WriteReport& report) const
{
    const std::string doing = "writing " + m_plan->container;
    if (isError(reply))
        return errorCode(text(reply)) == "FENCED" ? fenced(m_lease) : faultOf(text(reply), *m_link->deployment(), doing);
    if (reply->type != REDIS_REPLY_ARRAY || reply->elements % 2 != 0)
        return fault(Fault::Internal, "server_error", *m_link->deployment(), doing, "the script's answer has another form");
    std::vector<char> fate(chunk.items.size(), 'w');
    for (std::size_t n = 0; n < reply->elements; n += 2) {
        const auto at = static_cast<std::size_t>(reply->element[n]->integer) - 1;
        if (at >= fate.size() || text(reply->element[n + 1]).size() != 1)
            return fault(Fault::Internal, "server_error", *m_link->deployment(), doing, "the script's answer has another form");
        fate[at] = text(reply->element[n + 1])[0];
    }
    for (std::size_t n = 0; n < fate.size(); ++n) {
        const Payload::Item& item = payload.items[chunk.items[n]];
        if (fate[n] == 's')
            ++report.superseded;
        else if (fate[n] == 'f')
            report.rejected.push_back({item.row, {Fault::Data, "target.redis.foreign_key", "the key " + documentKey(m_plan->container, keyOf(payload, item)) + " was put there by somebody else",
                                                     "Delete that key, or choose `if_exists: write` to overwrite it.", {}}});
        else
            ++(item.op == Op::Delete ? report.deleted : report.written);
    }
    return {};
}

Result<WriteReport> RedisSession::write(const Payload& payload, std::stop_token stop)
{
    WriteReport report;
    if (payload.items.empty())
        return report;
    if (m_link->cluster())
        if (auto held = Registry(*m_link).check(m_lease, stop); !held)
            return held.error();
    split(payload);
    m_commands.clear();
    for (const Chunk& chunk : m_chunks)
        add(payload, chunk);
    crashPoint("redis.before_write");
    // every command has its answer, or the payload did not happen (Invariant 9)
    auto replies = m_link->run(m_commands, stop);
    if (!replies)
        return replies.error();
    crashPoint("redis.after_write");
    for (std::size_t i = 0; i < m_chunks.size(); ++i)
        if (auto done = settle(payload, m_chunks[i], (*replies)[i].get(), report); !done)
            return done.error();
    return report;
}

} // namespace millrace::redis
