#pragma once
#include "core/base/node.h"
#include "core/engine/connection.h"
#include <memory>
#include <string>
#include <vector>

namespace millrace::test {

//! A private Elasticsearch or OpenSearch of one node in a temporary folder, on free loopback ports; ended by its pid and removed with the
//! object. What tests/services/{opensearch,elasticsearch}.sh put together.
class SearchServer {
public:
    struct Options {
        std::string kind = "opensearch";           //!< or "elasticsearch"
        std::string version = "2.19.4";            //!< of OpenSearch; 3.4.0 wants Java 21
        bool security = false;                     //!< TLS and users: admin / admin, elastic / millrace-secret
        std::vector<std::string> settings;         //!< "indexing_pressure.memory.limit=200kb"
        int heapMb = 384;
    };
    //! nullptr when there is no such server to be had; `reason` then says why, for QSKIP.
    static std::unique_ptr<SearchServer> start(std::string& reason, const Options& options);
    static std::unique_ptr<SearchServer> start(std::string& reason) { return start(reason, Options()); }
    ~SearchServer();
    SearchServer(const SearchServer&) = delete;

    std::uint16_t port() const { return m_port; }
    std::string user() const { return m_options.kind == "opensearch" ? "admin" : "elastic"; }
    std::string password() const { return m_options.kind == "opensearch" ? "admin" : "millrace-secret"; }
    std::string ca() const;                        //!< PEM, with security only
    ConnectionParams params() const;

    //! By a client of its own, as the administrator.
    struct Reply { long status = 0; std::string text; Node json; };
    Reply request(const std::string& method, const std::string& path, const std::string& body = {}) const;

    void kill9();                                  //!< the process only; the data stays
    Result<> restart();                            //!< on the same port and data

private:
    SearchServer() = default;
    bool prepare(std::string& reason);
    bool launch(std::string& reason);
    std::vector<std::string> commandLine() const;
    void end(int signal);
    Options m_options;
    std::string m_home, m_folder, m_java;
    std::uint16_t m_port = 0, m_transport = 0;
    int m_pid = 0;
    void* m_client = nullptr;
};

} // namespace millrace::test
