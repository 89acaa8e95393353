#include "core/target/search/bulk.h"
#include "core/base/jsonscan.h"
#include "core/data/value.h"
#include "core/engine/flow.h"
#include <charconv>

namespace millrace::search {

namespace {

//! {"items":[{"index":{"status":400,"error":{"type":..,"reason":..,"caused_by":{"reason":..}}}}]}
struct OutcomeReader {
    std::vector<ItemOutcome>& out;
    enum class Key : std::uint8_t { Other, Items, Status, Error, Type, Reason, Cause } last = Key::Other;
    std::size_t depth = 0;
    bool inItems = false, sane = true;

    void key(std::string_view text)
    {
        last = depth == 1 && text == "items" ? Key::Items : depth == 4 && text == "status" ? Key::Status : depth == 4 && text == "error" ? Key::Error
             : text == "type" ? Key::Type : text == "reason" ? Key::Reason : text == "caused_by" ? Key::Cause : Key::Other;
    }
    void open(char c)
    {
        ++depth;
        if (depth == 2) inItems = last == Key::Items && c == '[';
        else if (inItems && depth == 3) out.emplace_back();
    }
    void close(char) { if (--depth == 1) inItems = false; }
    void number(std::string_view lexeme)
    {
        if (inItems && depth == 4 && last == Key::Status && !out.empty())
            sane = std::from_chars(lexeme.data(), lexeme.data() + lexeme.size(), out.back().status).ec == std::errc() && sane;
    }
    void string(std::string_view text)
    {
        if (!inItems || depth < 4 || out.empty())
            return;
        if (depth == 4 && last == Key::Error) out.back().words = text;        // ancient form: the error is its words
        else if (depth == 5 && last == Key::Type) out.back().type = text;
        else if (depth >= 5 && last == Key::Reason) {
            std::string& words = out.back().words;
            if (words.empty()) words = text;
            else if (words.find(text) == std::string::npos) words += "; " + std::string(text);
        }
    }
    void boolean(bool) {}
    void null() {}
};

constexpr const char* answerFields = "filter_path=errors,items.*.status,items.*.error.type,items.*.error.reason,items.*.error.caused_by";

} // namespace

bool readOutcomes(std::string_view json, std::size_t items, std::vector<ItemOutcome>& out)
{
    out.clear();
    OutcomeReader reader{out};
    JsonScanner<OutcomeReader> scanner(reader, 100);
    if (!scanner.scan(json) || !reader.sane || out.size() != items)
        return false;
    for (const ItemOutcome& outcome : out)
        if (outcome.status < 100)
            return false;
    return true;
}

void BulkBody::action(const char* name, std::string_view key, std::uint64_t version)
{
    m_text += "{\"";
    m_text += name;
    m_text += "\":{\"_id\":";
    appendJsonString(m_text, key);
    m_text += ",\"version\":";
    appendUint(m_text, version);
    m_text += ",\"version_type\":\"external_gte\"}}\n";
}

void BulkBody::index(std::string_view key, std::uint64_t version, std::string_view document)
{
    action("index", key, version);
    m_text += document;
    m_text += '\n';
    m_ends.push_back(m_text.size());
}

void BulkBody::remove(std::string_view key, std::uint64_t version)
{
    action("delete", key, version);
    m_ends.push_back(m_text.size());
}

Bulk::Bulk(Client& client, std::shared_ptr<Pace> pace, const Clock& clock, std::string path)
    : m_client(client), m_pace(std::move(pace)), m_clock(clock), m_path(std::move(path))
{
    m_path += m_path.find('?') == std::string::npos ? '?' : '&';
    m_path += answerFields;
}

Result<> Bulk::once(std::string_view text, std::size_t items, std::vector<ItemOutcome>& out, std::string_view doing, std::stop_token stop)
{
    auto answer = m_client.ask("POST", m_path, text, Http::Body::Lines, doing, std::move(stop));
    if (!answer)
        return answer.error();
    if (answer->status != 200)
        return faultOf(m_client.cluster(), *answer, doing);
    // A 200 says nothing: every item is looked at, and an answer about another number of items is none (Invariant 9).
    if (!readOutcomes(answer->body, items, out))
        return m_client.cluster().error(Fault::Network, "answer", std::string(doing) + ": the answer does not account for all " + std::to_string(items) + " items.",
                                        "Check that no proxy changes answers. Nothing was marked as synced.");
    return {};
}

Result<> Bulk::send(const BulkBody& body, const std::function<void(std::size_t, const ItemOutcome&)>& settled, std::string_view doing, std::stop_token stop)
{
    std::vector<std::size_t> pending(body.items()), again;
    for (std::size_t i = 0; i < pending.size(); ++i)
        pending[i] = i;
    const auto slice = [&](std::size_t i) { const std::size_t from = i ? body.m_ends[i - 1] : 0; return std::string_view(body.m_text).substr(from, body.m_ends[i] - from); };
    Backoff backoff({std::chrono::milliseconds(100), std::chrono::milliseconds(3'000), 8}, reinterpret_cast<std::uintptr_t>(this) | 1);
    std::vector<ItemOutcome> outcomes;
    std::string gathered;
    std::optional<Error> busy;
    while (!pending.empty()) {
        again.clear();
        busy.reset();
        for (std::size_t at = 0; at < pending.size();) {
            // As many as fit; a larger one goes alone. Neighbours go as they stand, what is left over after a refusal is gathered.
            std::size_t to = at, bytes = 0;
            const std::size_t limit = m_pace->bodyBytes();
            while (to < pending.size() && (to == at || bytes + slice(pending[to]).size() <= limit))
                bytes += slice(pending[to++]).size();
            std::string_view text;
            if (pending[to - 1] - pending[at] == to - 1 - at)
                text = std::string_view(slice(pending[at]).data(), bytes);
            else {
                gathered.clear();
                for (std::size_t i = at; i < to; ++i)
                    gathered += slice(pending[i]);
                text = gathered;
            }
            auto done = once(text, to - at, outcomes, doing, stop);
            if (!done) {
                Error error = std::move(done).error();
                if (error.id.ends_with(".too_large") && to - at > 1) {          // 413: the body, not a document
                    m_pace->refused(bytes);
                    continue;
                }
                if (error.id.ends_with(".too_large")) {
                    settled(pending[at], {413, "request_entity_too_large", error.detail});
                    at = to;
                    continue;
                }
                if (error.fault != Fault::Throttled && !error.id.ends_with(".unavailable"))
                    return error;
                m_pace->refused(bytes);
                again.insert(again.end(), pending.begin() + static_cast<std::ptrdiff_t>(at), pending.begin() + static_cast<std::ptrdiff_t>(to));
                busy = std::move(error);
                at = to;
                continue;
            }
            bool refused = false;
            for (std::size_t i = at; i < to; ++i) {
                const ItemOutcome& outcome = outcomes[i - at];
                if (!throttled(outcome.status, outcome.type)) {
                    settled(pending[i], outcome);
                    continue;
                }
                refused = true;
                again.push_back(pending[i]);
                busy = faultOf(m_client.cluster(), outcome.status, outcome.type, outcome.words, doing);
            }
            if (refused) m_pace->refused(bytes);
            else m_pace->took(bytes);
            at = to;
        }
        pending.swap(again);
        if (pending.empty())
            break;
        if (backoff.exhausted())
            return *busy;
        if (!m_clock.wait(backoff.next(*busy), stop))
            return m_client.cluster().cancelled(doing);
    }
    return {};
}

} // namespace millrace::search
