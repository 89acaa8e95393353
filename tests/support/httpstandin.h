#pragma once
#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace millrace::test {

//! A small HTTP server on loopback that answers what a test wants, torn answers included. It stands in for a server that misbehaves;
//! what runs against it is emulated only.
class HttpStandIn {
public:
    struct Request { std::string method, path, query, body, authorization; };
    struct Answer {
        int status = 200;
        std::string body = {};
        std::string headers = {};                  //!< more header lines, each with its "\r\n"
        std::string type = "application/json";
        std::size_t cutAt = std::string::npos;     //!< the connection is closed after so many bytes of the body
        bool silent = false;                       //!< the connection is closed without a word
    };
    using Handler = std::function<Answer(const Request&)>;
    explicit HttpStandIn(Handler handler);         //!< called on the stand-in's threads, one at a time
    ~HttpStandIn();
    HttpStandIn(const HttpStandIn&) = delete;
    std::uint16_t port() const { return m_port; }
private:
    void serve(int connection);
    Handler m_handler;
    std::mutex m_mutex;
    std::uint16_t m_port = 0;
    int m_listening = -1;
    std::atomic<bool> m_ending{false};
    std::vector<int> m_connections;
    std::vector<std::thread> m_threads;
    std::thread m_accepting;
};

} // namespace millrace::test
