#pragma once
#include "core/base/clock.h"
#include "core/engine/connection.h"
#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::search {

//! What connections are opened with: the URL understood, secrets and TLS files at hand. Shared and never changed.
struct Cluster {
    std::string kind;                              //!< "elasticsearch" or "opensearch": the scheme, and what error ids are made from
    std::string label;                             //!< "Elasticsearch", "OpenSearch"
    std::string name;                              //!< of the connection, for messages
    ConnectionUrl url;
    std::string base;                              //!< "https://host:9200", with the path in front of the interface where there is one
    TlsMode tls = TlsMode::VerifyFull;
    std::string ca, certificate, key;              //!< PEM files or empty
    Secret password, apiKey, token;
    std::chrono::milliseconds connectTimeout{5'000}, requestTimeout{60'000};
    std::optional<int> shards, replicas;           //!< of indices that are made; none: the server's defaults and templates

    std::string where() const { return base; }
    //! An error of this store; the words are the server's, and whatever secret they may hold is cut out (Invariant 10).
    Error error(Fault fault, std::string_view id, std::string detail, std::string fix) const;
    Error cancelled(std::string_view doing) const { return error(Fault::Cancelled, "cancelled", std::string(doing) + " was cancelled.", {}); }
};
using ClusterPtr = std::shared_ptr<const Cluster>;

Result<ClusterPtr> makeCluster(const ConnectionParams& params, const ConnectorSpec& spec);

//! What answers there: the two relatives are told apart by what the server says of itself, not by the URL.
struct ServerFacts {
    bool openSearch = false;
    int major = 0, minor = 0;
    std::string version;
    //! A bulk may insist on writing through an alias, so that an index that is gone is not made again by the write.
    bool requiresAlias() const { return openSearch || major > 7 || (major == 7 && minor >= 10); }
    std::string text() const { return (openSearch ? "OpenSearch " : "Elasticsearch ") + version; }
};

} // namespace millrace::search
