#include "core/source/mysql/probe.h"
#include "core/source/mysql/connection.h"
#include "core/source/mysql/faults.h"
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace millrace::mysql {

namespace {

struct Descriptor {
    int fd;
    ~Descriptor() { if (fd >= 0) ::close(fd); }
};

Error unreachable(const Config& config, const std::string& words)
{ return {Fault::Network, "source.mysql.unreachable", config.place() + ": " + words, "Check host and port, and that the server runs.", {}}; }

//! Waits for `events` in slices, so that a stop is seen.
bool ready(int fd, short events, std::chrono::steady_clock::time_point end, const std::stop_token& stop)
{
    pollfd p {fd, events, 0};
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < end)
        if (::poll(&p, 1, 50) > 0)
            return true;
    return false;
}

Result<Greeting> readGreeting(const Config& config, int fd, std::chrono::steady_clock::time_point end, const std::stop_token& stop)
{
    unsigned char packet[512];
    std::size_t have = 0, need = 4;
    while (have < need) {
        if (!ready(fd, POLLIN, end, stop))
            return stop.stop_requested() ? cancelled() : unreachable(config, "connected, but no greeting came; is this a MySQL port?");
        const auto n = ::recv(fd, packet + have, sizeof packet - have, 0);
        if (n <= 0)
            return unreachable(config, "the server hung up before its greeting");
        have += static_cast<std::size_t>(n);
        if (have >= 4)
            need = std::min<std::size_t>(sizeof packet, 4 + (packet[0] | packet[1] << 8 | packet[2] << 16));
    }
    // protocol 10: version string, 0, thread id (4), scramble (8), 0, capabilities (2)
    const unsigned char* p = packet + 4;
    const unsigned char* stopAt = packet + need;
    if (p == stopAt || *p == 0xFF)
        return errorFrom(stopAt - p > 3 ? static_cast<unsigned>(p[1] | p[2] << 8) : 2013,
                         std::string(p + std::min<std::ptrdiff_t>(3, stopAt - p), stopAt).c_str(), config);
    const auto* zero = static_cast<const unsigned char*>(std::memchr(p + 1, 0, static_cast<std::size_t>(stopAt - p - 1)));
    if (*p != 10 || !zero || stopAt - zero < 16)
        return unreachable(config, "the greeting is not MySQL's; is this the right port?");
    Greeting greeting;
    greeting.version.assign(p + 1, zero);
    greeting.offersTls = (zero[14] | zero[15] << 8) & 0x0800;
    return greeting;
}

} // namespace

Result<std::vector<std::string>> resolve(const Config& config)
{
    addrinfo hints {}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (const int code = ::getaddrinfo(config.host.c_str(), nullptr, &hints, &found))
        return Error {Fault::Network, "source.mysql.unknown_host", config.host + ": " + ::gai_strerror(code), "Check the host name.", {}};
    std::vector<std::string> out;
    for (const addrinfo* a = found; a; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
            out.emplace_back(text);
    }
    ::freeaddrinfo(found);
    return out;
}

Result<Greeting> greet(const Config& config, std::stop_token stop)
{
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(config.connectTimeout);
    if (!config.socket.empty()) {
        sockaddr_un address {};
        address.sun_family = AF_UNIX;
        if (config.socket.size() >= sizeof address.sun_path)
            return unreachable(config, "the socket's path is too long");
        std::memcpy(address.sun_path, config.socket.c_str(), config.socket.size());
        const Descriptor socket {::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (::connect(socket.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            return unreachable(config, std::strerror(errno));
        return readGreeting(config, socket.fd, end, stop);
    }
    addrinfo hints {}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (const int code = ::getaddrinfo(config.host.c_str(), std::to_string(config.port).c_str(), &hints, &found))
        return Error {Fault::Network, "source.mysql.unknown_host", config.host + ": " + ::gai_strerror(code), "Check the host name.", {}};
    const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> owned(found, ::freeaddrinfo);
    std::string words = "no address";
    for (const addrinfo* a = found; a; a = a->ai_next) {
        const Descriptor socket {::socket(a->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
        if (socket.fd < 0)
            continue;
        int problem = ::connect(socket.fd, a->ai_addr, a->ai_addrlen) == 0 ? 0 : errno;
        if (problem == EINPROGRESS) {
            if (!ready(socket.fd, POLLOUT, end, stop)) {
                if (stop.stop_requested())
                    return cancelled();
                words = "no answer within " + std::to_string(config.connectTimeout) + " s";
                continue;
            }
            socklen_t size = sizeof problem;
            ::getsockopt(socket.fd, SOL_SOCKET, SO_ERROR, &problem, &size);
        }
        if (problem == 0)
            return readGreeting(config, socket.fd, end, stop);
        words = std::strerror(problem);
    }
    return unreachable(config, words);
}

} // namespace millrace::mysql
