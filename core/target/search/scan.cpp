#include "core/target/search/scan.h"
#include "core/base/jsonscan.h"
#include "core/target/search/names.h"
#include <algorithm>
#include <charconv>

namespace millrace::search {

namespace {

constexpr std::size_t deepest = 1100;              // documents may be 1,000 deep

struct HitReader {
    std::string_view text;
    std::vector<Hit>& out;
    std::string& scrollId;
    const std::size_t listDepth;                   // at which the list of hits stands: {"hits":{"hits":[..]}}, {"docs":[..]}
    const JsonScanner<HitReader>* scanner = nullptr;
    enum class Key : std::uint8_t { Other, List, Id, Version, Source, Found, Failed, TimedOut, Scroll, Error } last = Key::Other;
    std::size_t depth = 0, from = 0;
    bool inList = false, sane = true, seenList = false;

    void key(std::string_view name)
    {
        last = Key::Other;
        if (depth == listDepth - 1 && !inList && name == (listDepth == 3 ? "hits" : "docs")) last = Key::List;
        else if (inList && depth == listDepth + 1)
            last = name == "_id" ? Key::Id : name == "_version" ? Key::Version : name == "_source" ? Key::Source : name == "found" ? Key::Found : name == "error" ? Key::Error : Key::Other;
        else if (depth == 1) last = name == "_scroll_id" ? Key::Scroll : name == "timed_out" ? Key::TimedOut : Key::Other;
        else if (depth == 2 && !inList && name == "failed") last = Key::Failed;
    }
    void open(char c)
    {
        ++depth;
        if (depth == listDepth && last == Key::List && c == '[') inList = seenList = true;
        else if (inList && depth == listDepth + 1) out.emplace_back();
        else if (inList && depth == listDepth + 2) {
            if (last == Key::Source) from = scanner->at();
            else if (last == Key::Error) sane = false;
        }
        if (depth != listDepth + 2) return;
        source = last == Key::Source;
    }
    void close(char)
    {
        if (inList && depth == listDepth + 2 && source) out.back().source = text.substr(from, scanner->at() - from);
        if (--depth < listDepth) inList = false;
    }
    void number(std::string_view lexeme)
    {
        const char* end = lexeme.data() + lexeme.size();
        if (last == Key::Version && inList && depth == listDepth + 1)
            sane = std::from_chars(lexeme.data(), end, out.back().version).ec == std::errc() && sane;
        else if (last == Key::Failed && depth == 2 && lexeme != "0")
            sane = false;
    }
    void string(std::string_view value)
    {
        if (last == Key::Id && inList && depth == listDepth + 1) out.back().id = value;
        else if (last == Key::Scroll && depth == 1) scrollId = value;
    }
    void boolean(bool value)
    {
        if (last == Key::Found && inList && depth == listDepth + 1) out.back().found = value;
        else if (last == Key::TimedOut && depth == 1 && value) sane = false;
    }
    void null() {}
    bool source = false;
};

} // namespace

bool readHits(std::string_view json, bool search, std::vector<Hit>& out, std::string& scrollId)
{
    out.clear();
    HitReader reader{json, out, scrollId, search ? std::size_t{3} : std::size_t{2}};
    JsonScanner<HitReader> scanner(reader, deepest);
    reader.scanner = &scanner;
    return scanner.scan(json) && reader.sane && reader.seenList;
}

Scan::~Scan()
{
    if (!m_scroll.empty())                                // it would keep old segments on disk until its minutes are over
        (void)m_client.call("DELETE", "/_search/scroll", Node::map({{"scroll_id", Node::list().add(m_scroll)}}), "ending a scan").has_value();
}

// About 4 MB a page by the index's own average; compression makes that an estimate.
Result<std::size_t> Scan::pageSize(std::string_view doing)
{
    if (!m_what.source)
        return std::size_t{5000};
    auto stats = m_client.call("GET", pathOf(m_what.index) + "/_stats/docs,store?filter_path=_all.primaries", doing);
    if (!stats)
        return stats.error();
    const Node& all = (*stats)["_all"]["primaries"];
    const std::int64_t documents = std::max<std::int64_t>(1, all["docs"]["count"].integer()), bytes = all["store"]["size_in_bytes"].integer();
    return static_cast<std::size_t>(std::clamp<std::int64_t>((4 << 20) / (bytes * 3 / documents + 1), 20, 2000));
}

Result<const std::vector<Hit>*> Scan::next(std::string_view doing, std::stop_token stop)
{
    m_hits.clear();
    if (m_ended)
        return &m_hits;
    Result<Answer> answer = Answer{};
    if (m_scroll.empty()) {
        if (auto done = m_client.refresh(m_what.index, doing, stop); !done)
            return done.error();
        auto size = pageSize(doing);
        if (!size)
            return size.error();
        Node body = Node::map({{"size", static_cast<std::uint64_t>(*size)}, {"sort", Node::list().add("_doc")}, {"version", true}, {"_source", m_what.source}});
        if (!m_what.mark.empty())
            body.set("query", Node::map({{"term", Node::map({{std::string(markField) + ".s", m_what.mark}})}}));
        answer = m_client.ask("POST", pathOf(m_what.index) + "/_search?scroll=5m&allow_partial_search_results=false", body.json(), Http::Body::Json, doing, stop);
    } else {
        const Node body = Node::map({{"scroll", "5m"}, {"scroll_id", m_scroll}});
        answer = m_client.ask("POST", "/_search/scroll", body.json(), Http::Body::Json, doing, stop);
    }
    if (!answer)
        return answer.error();
    if (answer->status != 200)
        return faultOf(m_client.cluster(), *answer, doing);
    m_body = std::move(answer->body);
    if (!readHits(m_body, true, m_hits, m_scroll))
        return m_client.cluster().error(Fault::Network, "answer", std::string(doing) + ": the answer is not whole: not every shard took part.", "Look at the cluster's health, then try again.");
    m_ended = m_hits.empty();
    return &m_hits;
}

} // namespace millrace::search
