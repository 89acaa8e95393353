#pragma once
#include "core/base/node.h"
#include "core/target/search/http.h"
#include <optional>

namespace millrace::search {

//! Requests and answers in JSON over one connection. Used by one thread at a time.
class Client {
public:
    explicit Client(ClusterPtr cluster) : m_cluster(std::move(cluster)), m_http(m_cluster) {}
    const Cluster& cluster() const { return *m_cluster; }
    const ClusterPtr& clusterPtr() const { return m_cluster; }

    //! An answer with status 200 to 299, or the error that it means.
    Result<Node> call(const char* method, const std::string& path, const Node& body, std::string_view doing, std::stop_token stop = {});
    Result<Node> call(const char* method, const std::string& path, std::string_view doing, std::stop_token stop = {});
    //! The same; nothing where the answer is 404.
    Result<std::optional<Node>> find(const std::string& path, std::string_view doing, std::stop_token stop = {});
    //! Whatever comes, for answers that are read by hand.
    Result<Answer> ask(const char* method, const std::string& path, std::string_view body, Http::Body kind, std::string_view doing, std::stop_token stop = {});

    //! Asked once per connection.
    Result<ServerFacts> facts(std::stop_token stop = {});
    //! Milliseconds since 1970 by the cluster's clock, in steps of a second.
    Result<std::int64_t> clock();
    //! Everything acknowledged so far can be found by searches and counts after it.
    Result<> refresh(const std::string& index, std::string_view doing, std::stop_token stop = {});
private:
    Result<Node> read(const Answer& answer, std::string_view doing);
    ClusterPtr m_cluster;
    Http m_http;
    std::optional<ServerFacts> m_facts;
};

//! "/index", the name encoded: nothing in it can become another path, a wildcard or a list.
std::string pathOf(std::string_view index);

//! What a refusal means. `type` and `words` are the server's.
Error faultOf(const Cluster& cluster, const Answer& answer, std::string_view doing);
Error faultOf(const Cluster& cluster, long status, std::string_view type, std::string_view words, std::string_view doing);
//! The server's type and words of an error, innermost cause included.
void wordsOf(const Node& error, std::string& type, std::string& words);
//! Busy, starting or moving shards: the same again may pass.
bool throttled(long status, std::string_view type);

} // namespace millrace::search
