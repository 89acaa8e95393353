#include "tests/support/httpstandin.h"
#include <algorithm>
#include <arpa/inet.h>
#include <cctype>
#include <cstdlib>
#include <sys/socket.h>
#include <unistd.h>

namespace millrace::test {

namespace {

std::string header(const std::string& head, std::string name)
{
    std::string low = head;
    std::transform(low.begin(), low.end(), low.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    const auto at = low.find("\r\n" + name + ":");
    if (at == std::string::npos)
        return {};
    auto from = head.find_first_not_of(' ', at + name.size() + 3);
    return head.substr(from, head.find("\r\n", from) - from);
}

void sendAll(int to, std::string_view bytes)
{
    while (!bytes.empty()) {
        const ssize_t n = ::send(to, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        if (n <= 0)
            return;
        bytes.remove_prefix(static_cast<std::size_t>(n));
    }
}

} // namespace

HttpStandIn::HttpStandIn(Handler handler) : m_handler(std::move(handler))
{
    m_listening = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    ::bind(m_listening, reinterpret_cast<sockaddr*>(&address), size);
    ::listen(m_listening, 16);
    ::getsockname(m_listening, reinterpret_cast<sockaddr*>(&address), &size);
    m_port = ntohs(address.sin_port);
    m_accepting = std::thread([this] {
        for (;;) {
            const int connection = ::accept(m_listening, nullptr, nullptr);
            if (connection < 0)
                return;
            std::lock_guard lock(m_mutex);
            if (m_ending) {
                ::close(connection);
                return;
            }
            m_connections.push_back(connection);
            m_threads.emplace_back([this, connection] { serve(connection); });
        }
    });
}

HttpStandIn::~HttpStandIn()
{
    {
        std::lock_guard lock(m_mutex);
        m_ending = true;
        for (const int connection : m_connections)
            ::shutdown(connection, SHUT_RDWR);
    }
    ::shutdown(m_listening, SHUT_RDWR);
    m_accepting.join();
    for (auto& thread : m_threads)
        thread.join();
    for (const int connection : m_connections)
        ::close(connection);
    ::close(m_listening);
}

void HttpStandIn::serve(int connection)
{
    std::string buffer;
    char piece[65536];
    const auto more = [&] {
        const ssize_t n = ::recv(connection, piece, sizeof piece, 0);
        if (n <= 0)
            return false;
        buffer.append(piece, static_cast<std::size_t>(n));
        return true;
    };
    for (;;) {
        std::size_t end;
        while ((end = buffer.find("\r\n\r\n")) == std::string::npos)
            if (!more())
                return;
        const std::string head = buffer.substr(0, end + 2);
        buffer.erase(0, end + 4);
        const std::string length = header(head, "content-length");
        const std::size_t bytes = length.empty() ? 0 : std::strtoul(length.c_str(), nullptr, 10);
        while (buffer.size() < bytes)
            if (!more())
                return;
        Request request;
        request.method = head.substr(0, head.find(' '));
        const auto from = request.method.size() + 1;
        const std::string target = head.substr(from, head.find(' ', from) - from);
        request.path = target.substr(0, target.find('?'));
        request.query = target.size() > request.path.size() ? target.substr(request.path.size() + 1) : std::string();
        request.authorization = header(head, "authorization");
        request.body = buffer.substr(0, bytes);
        buffer.erase(0, bytes);
        Answer answer;
        {
            std::lock_guard lock(m_mutex);
            if (m_ending)
                return;
            answer = m_handler(request);
        }
        if (answer.silent) {
            ::shutdown(connection, SHUT_RDWR);
            return;
        }
        sendAll(connection, "HTTP/1.1 " + std::to_string(answer.status) + " Status\r\nContent-Type: " + answer.type + "\r\nContent-Length: " + std::to_string(answer.body.size()) + "\r\n"
                                + answer.headers + "\r\n");
        if (request.method != "HEAD")
            sendAll(connection, std::string_view(answer.body).substr(0, answer.cutAt));
        if (answer.cutAt != std::string::npos) {
            ::shutdown(connection, SHUT_RDWR);
            return;
        }
    }
}

} // namespace millrace::test
