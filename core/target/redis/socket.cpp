#include "core/target/redis/socket.h"
#include "core/target/redis/faults.h"
#include <algorithm>
#include <arpa/inet.h>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>
#include <utility>

namespace millrace::redis {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds slice(50);     // how late a stop is heard while waiting
constexpr std::size_t block = 64 * 1024;

struct FreeContext { void operator()(SSL_CTX* context) const { SSL_CTX_free(context); } };
struct FreeAddresses { void operator()(addrinfo* list) const { freeaddrinfo(list); } };

std::string opensslWords()
{
    char text[256] = "the TLS handshake failed";
    if (const unsigned long code = ERR_get_error())
        ERR_error_string_n(code, text, sizeof text);
    ERR_clear_error();
    return text;
}

bool isAddress(const std::string& host)
{
    in6_addr bytes{};
    return inet_pton(AF_INET, host.c_str(), &bytes) == 1 || inet_pton(AF_INET6, host.c_str(), &bytes) == 1;
}

// 0: connected; else errno.
int connectTo(int fd, const addrinfo& address, Clock::time_point end, const std::stop_token& stop)
{
    if (::connect(fd, address.ai_addr, address.ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    for (;;) {
        pollfd entry{fd, POLLOUT, 0};
        const int ready = ::poll(&entry, 1, static_cast<int>(slice.count()));
        if (ready > 0) {
            int code = 0;
            socklen_t size = sizeof code;
            ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &code, &size);
            return code;
        }
        if (stop.stop_requested())
            return ECANCELED;
        if (Clock::now() >= end)
            return ETIMEDOUT;
    }
}

} // namespace

void Socket::FreeSsl::operator()(ssl_st* ssl) const { SSL_free(ssl); }

Socket::Socket(Socket&& other) noexcept
    : m_fd(std::exchange(other.m_fd, -1)), m_deployment(other.m_deployment), m_where(std::move(other.m_where)), m_cipherOut(std::move(other.m_cipherOut)),
      m_ssl(std::move(other.m_ssl)) {}

Socket::~Socket()
{
    if (m_fd >= 0)
        ::close(m_fd);
}

Error Socket::lost(const char* words) const
{
    return fault(Fault::Network, "connection", *m_deployment, m_where, words,
                 m_ssl || m_deployment->tls != TlsMode::Disable ? "" : "If this repeats, see whether the server wants TLS (rediss://).");
}

Result<Socket> Socket::connect(const Deployment& deployment, const std::string& host, std::uint16_t port, std::stop_token stop)
{
    const std::string where = host + ":" + std::to_string(port);
    addrinfo hints{}, *list = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (const int failed = ::getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list))
        return fault(Fault::Network, "unknown_host", deployment, where, gai_strerror(failed), "Check the host name.");
    const std::unique_ptr<addrinfo, FreeAddresses> addresses(list);
    const auto end = Clock::now() + deployment.connectTimeout;
    int code = ECONNREFUSED;
    for (const addrinfo* address = list; address; address = address->ai_next) {
        const int fd = ::socket(address->ai_family, address->ai_socktype | SOCK_CLOEXEC | SOCK_NONBLOCK, address->ai_protocol);
        if (fd < 0)
            continue;
        Socket out(fd, deployment, where);
        code = connectTo(fd, *address, end, stop);
        if (code == ECANCELED)
            return cancelled("Connecting to " + where);
        if (code != 0)
            continue;
        const int on = 1;
        ::setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
        ::setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof on);
        if (deployment.tls != TlsMode::Disable)
            if (auto done = out.encrypt(host, end, stop); !done)
                return done.error();
        return out;
    }
    return fault(Fault::Network, "unreachable", deployment, where, std::strerror(code),
                 "Check host and port, that Redis runs there and listens on this address (bind), and the firewall between.");
}

Result<> Socket::encrypt(const std::string& host, Clock::time_point end, std::stop_token stop)
{
    const auto refuse = [&](const std::string& words, const char* fix) { return fault(Fault::Config, "tls", *m_deployment, m_where, words, fix); };
    const std::unique_ptr<SSL_CTX, FreeContext> context(SSL_CTX_new(TLS_client_method()));
    SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
    const bool check = m_deployment->tls == TlsMode::VerifyCa || m_deployment->tls == TlsMode::VerifyFull;
    SSL_CTX_set_verify(context.get(), check ? SSL_VERIFY_PEER : SSL_VERIFY_NONE, nullptr);
    if (!m_deployment->tlsCa.empty() ? SSL_CTX_load_verify_locations(context.get(), m_deployment->tlsCa.c_str(), nullptr) != 1
                                     : SSL_CTX_set_default_verify_paths(context.get()) != 1)
        return refuse(opensslWords(), "Check the CA file (tls_ca).");
    const std::string& key = m_deployment->tlsKey.empty() ? m_deployment->tlsCert : m_deployment->tlsKey;
    if (!m_deployment->tlsCert.empty() && (SSL_CTX_use_certificate_chain_file(context.get(), m_deployment->tlsCert.c_str()) != 1
                                           || SSL_CTX_use_PrivateKey_file(context.get(), key.c_str(), SSL_FILETYPE_PEM) != 1))
        return refuse(opensslWords(), "Check the client certificate and key (tls_cert, tls_key).");
    m_ssl.reset(SSL_new(context.get()));
    // The network is ours (send without SIGPIPE, never blocking); OpenSSL sees two memory buffers.
    SSL_set_bio(m_ssl.get(), BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    if (m_deployment->tls == TlsMode::VerifyFull) {
        X509_VERIFY_PARAM* parameters = SSL_get0_param(m_ssl.get());
        if (isAddress(host)) X509_VERIFY_PARAM_set1_ip_asc(parameters, host.c_str());
        else X509_VERIFY_PARAM_set1_host(parameters, host.c_str(), host.size());
    }
    if (!isAddress(host))
        SSL_set_tlsext_host_name(m_ssl.get(), host.c_str());
    ERR_clear_error();
    for (;;) {
        const int done = SSL_connect(m_ssl.get());
        const int reason = SSL_get_error(m_ssl.get(), done);
        const long verified = SSL_get_verify_result(m_ssl.get());
        auto sent = flush();
        if (!sent)
            return sent.error();
        if (done == 1) {
            // an encrypted connection that was silently left in plaintext is an error
            return SSL_get_current_cipher(m_ssl.get()) ? Result<>() : Result<>(refuse("no cipher was agreed on", "Check the server's TLS settings."));
        }
        if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE) {
            std::string words = opensslWords();
            if (verified != X509_V_OK)
                words += std::string(": ") + X509_verify_cert_error_string(verified);
            return refuse(words, "Check the CA file (tls_ca), that the certificate names this host, and that the port speaks TLS.");
        }
        auto more = fill();
        if (!more)
            return refuse(more.error().detail, "The server closed the connection during the TLS handshake. Check that this port speaks TLS and whether it wants a client certificate.");
        if (*more)
            continue;
        if (stop.stop_requested())
            return cancelled("Connecting to " + m_where);
        if (Clock::now() >= end)
            return fault(Fault::Timeout, "tls", *m_deployment, m_where, "no answer to the TLS handshake", "Check that this port speaks TLS; a plaintext server may wait for more.");
        wait(!*sent, slice);
    }
}

Result<bool> Socket::flush()
{
    char buffer[block];
    for (;;) {
        if (m_cipherOut.empty()) {
            const int got = BIO_read(SSL_get_wbio(m_ssl.get()), buffer, sizeof buffer);
            if (got <= 0)
                return true;
            m_cipherOut.assign(buffer, static_cast<std::size_t>(got));
        }
        const ssize_t sent = ::send(m_fd, m_cipherOut.data(), m_cipherOut.size(), MSG_NOSIGNAL);
        if (sent < 0)
            return errno == EAGAIN || errno == EINTR ? Result<bool>(false) : Result<bool>(lost(std::strerror(errno)));
        m_cipherOut.erase(0, static_cast<std::size_t>(sent));
    }
}

Result<bool> Socket::fill()
{
    char buffer[block];
    const ssize_t got = ::recv(m_fd, buffer, sizeof buffer, 0);
    if (got == 0)
        return lost("the server closed the connection");
    if (got < 0)
        return errno == EAGAIN || errno == EINTR ? Result<bool>(false) : Result<bool>(lost(std::strerror(errno)));
    BIO_write(SSL_get_rbio(m_ssl.get()), buffer, static_cast<int>(got));
    return true;
}

Result<std::size_t> Socket::send(std::string_view bytes)
{
    if (!m_ssl) {
        const ssize_t sent = ::send(m_fd, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (sent >= 0)
            return static_cast<std::size_t>(sent);
        return errno == EAGAIN || errno == EINTR ? Result<std::size_t>(std::size_t{0}) : Result<std::size_t>(lost(std::strerror(errno)));
    }
    auto flushed = flush();
    if (!flushed)
        return flushed.error();
    if (!*flushed)
        return std::size_t{0};
    if (bytes.empty())
        return std::size_t{0};
    ERR_clear_error();
    const int taken = SSL_write(m_ssl.get(), bytes.data(), static_cast<int>(std::min(bytes.size(), block)));
    if (taken <= 0) {
        const int reason = SSL_get_error(m_ssl.get(), taken);
        return reason == SSL_ERROR_WANT_READ || reason == SSL_ERROR_WANT_WRITE ? Result<std::size_t>(std::size_t{0}) : Result<std::size_t>(lost(opensslWords().c_str()));
    }
    if (auto out = flush(); !out)
        return out.error();
    return static_cast<std::size_t>(taken);
}

Result<std::size_t> Socket::receive(std::span<char> into)
{
    if (!m_ssl) {
        const ssize_t got = ::recv(m_fd, into.data(), into.size(), 0);
        if (got > 0)
            return static_cast<std::size_t>(got);
        if (got == 0)
            return lost("the server closed the connection");
        return errno == EAGAIN || errno == EINTR ? Result<std::size_t>(std::size_t{0}) : Result<std::size_t>(lost(std::strerror(errno)));
    }
    if (auto flushed = flush(); !flushed)
        return flushed.error();
    for (;;) {
        ERR_clear_error();
        const int got = SSL_read(m_ssl.get(), into.data(), static_cast<int>(into.size()));
        if (got > 0)
            return static_cast<std::size_t>(got);
        const int reason = SSL_get_error(m_ssl.get(), got);
        if (reason == SSL_ERROR_ZERO_RETURN)
            return lost("the server closed the connection");
        if (reason != SSL_ERROR_WANT_READ && reason != SSL_ERROR_WANT_WRITE)
            return lost(opensslWords().c_str());
        auto more = fill();
        if (!more)
            return more.error();
        if (!*more)
            return std::size_t{0};
    }
}

void Socket::wait(bool wantsToSend, std::chrono::milliseconds longest) const
{
    pollfd entry{m_fd, static_cast<short>(POLLIN | (wantsToSend || !m_cipherOut.empty() ? POLLOUT : 0)), 0};
    ::poll(&entry, 1, static_cast<int>(longest.count()));
}

std::string Socket::cipher() const { return m_ssl ? std::string(SSL_get_version(m_ssl.get())) + " " + SSL_get_cipher_name(m_ssl.get()) : std::string(); }

} // namespace millrace::redis
