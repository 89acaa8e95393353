#pragma once
#include "core/target/search/cluster.h"
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace millrace::search {

struct Answer {
    long status = 0;
    std::string body;
    std::chrono::milliseconds retryAfter{0};       //!< what the server asked for; 0: nothing
};

//! One kept-alive connection. Used by one thread at a time. An answer that is torn is an error, never half an answer.
class Http {
public:
    explicit Http(ClusterPtr cluster);
    ~Http();
    Http(const Http&) = delete;
    Http& operator=(const Http&) = delete;

    enum class Body { None, Json, Lines };
    //! `path` begins with '/' and is encoded already. Any status is an answer; what never became one is Network, Timeout or Cancelled.
    Result<Answer> send(const char* method, const std::string& path, std::string_view body, Body kind, std::string_view doing, std::stop_token stop);
private:
    struct Handle;
    Error failed(int code, std::string_view doing, const std::stop_token& stop) const;
    ClusterPtr m_cluster;
    std::unique_ptr<Handle> m_handle;
};

} // namespace millrace::search
