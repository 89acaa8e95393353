#include "core/target/search/client.h"
#include "core/base/text.h"
#include <charconv>

namespace millrace::search {

std::string pathOf(std::string_view index) { return "/" + percentEncode(index); }

Result<Node> Client::read(const Answer& answer, std::string_view doing)
{
    if (answer.status < 200 || answer.status > 299)
        return faultOf(*m_cluster, answer, doing);
    if (answer.body.empty())
        return Node();
    auto node = Node::fromJson(answer.body);
    if (!node)
        return m_cluster->error(Fault::Network, "answer", std::string(doing) + ": the answer is no JSON: " + node.error().detail, "Check that this is the server itself and no proxy's page.");
    return node;
}

Result<Node> Client::call(const char* method, const std::string& path, const Node& body, std::string_view doing, std::stop_token stop)
{
    auto answer = m_http.send(method, path, body.json(), Http::Body::Json, doing, std::move(stop));
    if (!answer)
        return answer.error();
    return read(*answer, doing);
}

Result<Node> Client::call(const char* method, const std::string& path, std::string_view doing, std::stop_token stop)
{
    auto answer = m_http.send(method, path, {}, Http::Body::None, doing, std::move(stop));
    if (!answer)
        return answer.error();
    return read(*answer, doing);
}

Result<std::optional<Node>> Client::find(const std::string& path, std::string_view doing, std::stop_token stop)
{
    auto answer = m_http.send("GET", path, {}, Http::Body::None, doing, std::move(stop));
    if (!answer)
        return answer.error();
    if (answer->status == 404)
        return std::optional<Node>();
    auto node = read(*answer, doing);
    if (!node)
        return node.error();
    return std::optional<Node>(std::move(*node));
}

Result<Answer> Client::ask(const char* method, const std::string& path, std::string_view body, Http::Body kind, std::string_view doing, std::stop_token stop)
{
    return m_http.send(method, path, body, kind, doing, std::move(stop));
}

Result<ServerFacts> Client::facts(std::stop_token stop)
{
    if (m_facts)
        return *m_facts;
    auto answer = call("GET", "/", "asking the server what it is", std::move(stop));
    if (!answer)
        return answer.error();
    ServerFacts facts;
    const Node& version = (*answer)["version"];
    facts.version = version["number"].string();
    facts.openSearch = version["distribution"].string() == "opensearch";
    const char* end = facts.version.data() + facts.version.size();
    const auto major = std::from_chars(facts.version.data(), end, facts.major);
    if (major.ec != std::errc())
        return m_cluster->error(Fault::Config, "not_a_search_server", "What answers at " + m_cluster->where() + " is neither Elasticsearch nor OpenSearch.", "Check host and port.");
    if (major.ptr != end)
        std::from_chars(major.ptr + 1, end, facts.minor);
    if (!facts.openSearch && facts.major < 7)
        return m_cluster->error(Fault::Config, "too_old", facts.text() + " is older than 7.", "Upgrade the server.");
    m_facts = facts;
    return facts;
}

Result<std::int64_t> Client::clock()
{
    auto answer = m_http.send("GET", "/_cat/health?h=epoch", {}, Http::Body::None, "asking for the cluster's clock", {});
    if (!answer)
        return answer.error();
    if (answer->status != 200)
        return faultOf(*m_cluster, *answer, "asking for the cluster's clock");
    std::int64_t seconds = 0;
    const std::string text = trimmed(answer->body);
    if (std::from_chars(text.data(), text.data() + text.size(), seconds).ec != std::errc())
        return m_cluster->error(Fault::Network, "answer", "The cluster's clock cannot be read.", {});
    return seconds * 1000;
}

Result<> Client::refresh(const std::string& index, std::string_view doing, std::stop_token stop)
{
    if (auto done = call("POST", pathOf(index) + "/_refresh", doing, std::move(stop)); !done)
        return done.error();
    return {};
}

} // namespace millrace::search
