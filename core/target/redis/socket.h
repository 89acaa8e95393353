#pragma once
#include "core/target/redis/deployment.h"
#include <memory>
#include <span>
#include <stop_token>

struct ssl_st;
struct ssl_ctx_st;

namespace millrace::redis {

//! One TCP connection, encrypted or not, that never blocks longer than asked. Used by one thread.
class Socket {
public:
    static Result<Socket> connect(const Deployment& deployment, const std::string& host, std::uint16_t port, std::stop_token stop);
    Socket(Socket&&) noexcept;
    Socket& operator=(Socket&&) = delete;
    ~Socket();

    //! Takes as many bytes as fit now; 0: none.
    Result<std::size_t> send(std::string_view bytes);
    //! What is there now; 0: nothing. A closed connection is an error.
    Result<std::size_t> receive(std::span<char> into);
    //! Waits until something may be received (or, with `wantsToSend`, sent), at most this long.
    void wait(bool wantsToSend, std::chrono::milliseconds longest) const;
    std::string cipher() const;                    //!< "TLSv1.3 TLS_AES_256_GCM_SHA384", empty when not encrypted

private:
    struct FreeSsl { void operator()(ssl_st* ssl) const; };
    Socket(int fd, const Deployment& deployment, std::string where) : m_fd(fd), m_deployment(&deployment), m_where(std::move(where)) {}
    Result<> encrypt(const std::string& host, std::chrono::steady_clock::time_point end, std::stop_token stop);
    Result<bool> flush();                          //!< ciphertext to the network; true: all of it went
    Result<bool> fill();                           //!< ciphertext from the network; false: none was there
    Error lost(const char* words) const;

    int m_fd = -1;
    const Deployment* m_deployment;
    std::string m_where, m_cipherOut;              //!< ciphertext that the network has not taken yet
    std::unique_ptr<ssl_st, FreeSsl> m_ssl;
};

} // namespace millrace::redis
