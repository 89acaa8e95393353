#include "core/source/postgresql/probe.h"
#include "core/source/postgresql/connection.h"
#include <arpa/inet.h>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <fcntl.h>
#include <memory>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

namespace millrace::postgresql {

namespace {

using Deadline = std::chrono::steady_clock::time_point;

struct Descriptor {
    int fd;
    ~Descriptor() { if (fd >= 0) ::close(fd); }
};

Error unreachable(const Config& config, const std::string& words)
{ return {Fault::Network, "source.postgresql.unreachable", config.place() + ": " + words, "Check host and port, and that the server runs.", {}}; }

//! Waits for `events` in slices, so that a stop is seen.
bool ready(int fd, short events, Deadline end, const std::stop_token& stop)
{
    pollfd p {fd, events, 0};
    while (!stop.stop_requested() && std::chrono::steady_clock::now() < end)
        if (::poll(&p, 1, 50) > 0)
            return true;
    return false;
}

Result<Answer> ask(const Config& config, int fd, Deadline end, const std::stop_token& stop)
{
    const unsigned char request[8] = {0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f};
    if (::send(fd, request, sizeof request, MSG_NOSIGNAL) != sizeof request)
        return unreachable(config, std::strerror(errno));
    if (!ready(fd, POLLIN, end, stop))
        return stop.stop_requested() ? cancelled() : unreachable(config, "connected, but no answer came; is this a PostgreSQL port?");
    char answer = 0;
    if (::recv(fd, &answer, 1, 0) != 1)
        return unreachable(config, "the server hung up; is this a PostgreSQL port?");
    if (answer != 'S' && answer != 'N')
        return unreachable(config, "the answer is not PostgreSQL's; is this the right port?");
    return Answer {answer == 'S'};
}

using Addresses = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<Addresses> lookUp(const Config& config)
{
    addrinfo hints {}, *found = nullptr;
    hints.ai_socktype = SOCK_STREAM;
    if (const int code = ::getaddrinfo(config.host.c_str(), std::to_string(config.port).c_str(), &hints, &found))
        return Error {Fault::Network, "source.postgresql.unknown_host", config.host + ": " + ::gai_strerror(code), "Check the host name.", {}};
    return Addresses(found, ::freeaddrinfo);
}

} // namespace

Result<std::vector<std::string>> resolve(const Config& config)
{
    std::vector<std::string> out;
    if (config.bySocket())
        return out;
    const auto addresses = lookUp(config);
    if (!addresses)
        return addresses.error();
    for (const addrinfo* a = addresses->get(); a; a = a->ai_next) {
        char text[NI_MAXHOST];
        if (::getnameinfo(a->ai_addr, a->ai_addrlen, text, sizeof text, nullptr, 0, NI_NUMERICHOST) == 0)
            out.emplace_back(text);
    }
    return out;
}

Result<Answer> probe(const Config& config, std::stop_token stop)
{
    const Deadline end = std::chrono::steady_clock::now() + std::chrono::seconds(config.connectTimeout);
    if (config.bySocket()) {
        sockaddr_un address {};
        address.sun_family = AF_UNIX;
        const std::string path = config.place();
        if (path.size() >= sizeof address.sun_path)
            return unreachable(config, "the socket's path is too long");
        std::memcpy(address.sun_path, path.c_str(), path.size());
        const Descriptor socket {::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
        if (::connect(socket.fd, reinterpret_cast<sockaddr*>(&address), sizeof address) != 0)
            return unreachable(config, std::strerror(errno));
        return ask(config, socket.fd, end, stop);
    }
    const auto addresses = lookUp(config);
    if (!addresses)
        return addresses.error();
    std::string words = "no address";
    for (const addrinfo* a = addresses->get(); a; a = a->ai_next) {
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
            return ask(config, socket.fd, end, stop);
        words = std::strerror(problem);
    }
    return unreachable(config, words);
}

} // namespace millrace::postgresql
