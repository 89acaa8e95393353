#pragma once
#include "core/target/search/client.h"
#include <algorithm>
#include <atomic>
#include <functional>
#include <memory>
#include <span>
#include <vector>

namespace millrace::search {

//! How large a bulk's body may be: what the server took last time, shared by all sessions of a target. Thread-safe.
class Pace {
public:
    static constexpr std::size_t least = 64u << 10, most = 8u << 20;
    std::size_t bodyBytes() const { return m_bytes; }
    void took(std::size_t bytes) { if (bytes * 2 >= m_bytes) m_bytes = std::min(most, m_bytes + m_bytes / 8); }
    void refused(std::size_t bytes) { m_bytes = std::max(least, std::min<std::size_t>(m_bytes, bytes) / 2); }
private:
    std::atomic<std::size_t> m_bytes{most};
};

//! What the server says of one item. The words are there only where it failed.
struct ItemOutcome { long status = 0; std::string type, words; };

//! Writes of one bulk, each with the version that guards it (Invariant 5).
class BulkBody {
public:
    void index(std::string_view key, std::uint64_t version, std::string_view document);
    void remove(std::string_view key, std::uint64_t version);
    std::size_t items() const { return m_ends.size(); }
    std::size_t bytes() const { return m_text.size(); }
    std::string_view text() const { return m_text; }
    void clear() { m_text.clear(); m_ends.clear(); }
private:
    friend class Bulk;
    void action(const char* name, std::string_view key, std::uint64_t version);
    std::string m_text;
    std::vector<std::size_t> m_ends;               //!< where each item ends
};

//! Sends bulks to one index or alias until every item has an outcome that waiting does not change.
class Bulk {
public:
    Bulk(Client& client, std::shared_ptr<Pace> pace, const Clock& clock, std::string path);
    //! Calls `settled` once per item. What stays throttled makes the whole call fail (transient): sending all of it again is harmless.
    Result<> send(const BulkBody& body, const std::function<void(std::size_t item, const ItemOutcome&)>& settled, std::string_view doing, std::stop_token stop);
private:
    Result<> once(std::string_view text, std::size_t items, std::vector<ItemOutcome>& out, std::string_view doing, std::stop_token stop);
    Client& m_client;
    std::shared_ptr<Pace> m_pace;
    const Clock& m_clock;
    std::string m_path;
};

//! Reads a bulk's answer. False when it is not one, or not about so many items: nothing of it is believed then.
bool readOutcomes(std::string_view json, std::size_t items, std::vector<ItemOutcome>& out);

} // namespace millrace::search
