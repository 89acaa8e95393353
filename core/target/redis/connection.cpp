#include "core/target/redis/connection.h"
#include "core/target/redis/faults.h"
#include <array>
#include <charconv>

namespace millrace::redis {

namespace {

using Clock = std::chrono::steady_clock;
constexpr std::chrono::milliseconds slice(50);
constexpr std::size_t block = 256 * 1024;

void appendSize(std::string& out, char mark, std::uint64_t value)
{
    char digits[24];
    digits[0] = mark;
    char* end = std::to_chars(digits + 1, digits + sizeof digits, value).ptr;
    *end++ = '\r';
    *end++ = '\n';
    out.append(digits, end);
}

} // namespace

void Commands::begin(int slot, std::size_t arguments)
{
    close();
    m_entries.push_back({m_bytes.size(), 0, slot});
    appendSize(m_bytes, '*', arguments);
}

void Commands::argument(std::string_view bytes)
{
    appendSize(m_bytes, '$', bytes.size());
    m_bytes += bytes;
    m_bytes += "\r\n";
}

void Commands::number(std::uint64_t value)
{
    char digits[24];
    argument(std::string_view(digits, static_cast<std::size_t>(std::to_chars(digits, digits + sizeof digits, value).ptr - digits)));
}

void Commands::add(int slot, std::initializer_list<std::string_view> arguments)
{
    begin(slot, arguments.size());
    for (const std::string_view part : arguments)
        argument(part);
}

void Commands::add(int slot, const std::vector<std::string>& arguments)
{
    begin(slot, arguments.size());
    for (const std::string& part : arguments)
        argument(part);
}

void Commands::append(int slot, std::string_view command)
{
    close();
    m_entries.push_back({m_bytes.size(), 0, slot});
    m_bytes += command;
}

Connection::Connection(DeploymentPtr deployment, Socket socket, std::string where)
    : m_deployment(std::move(deployment)), m_socket(std::move(socket)), m_where(std::move(where)), m_reader(redisReaderCreate()) {}

Result<std::unique_ptr<Connection>> Connection::open(DeploymentPtr deployment, const std::string& host, std::uint16_t port, Login login, std::stop_token stop)
{
    auto socket = Socket::connect(*deployment, host, port, stop);
    if (!socket)
        return socket.error();
    std::unique_ptr<Connection> out(new Connection(std::move(deployment), std::move(*socket), host + ":" + std::to_string(port)));
    if (auto in = out->logIn(login, stop); !in)
        return in.error();
    return out;
}

Result<> Connection::logIn(Login login, std::stop_token stop)
{
    const std::string doing = "logging in to " + m_where;
    Commands commands;
    const bool authenticates = login == Login::Full && !m_deployment->password.empty();
    const std::string_view user = m_deployment->user.empty() ? std::string_view("default") : m_deployment->user;
    if (authenticates)
        commands.add(-1, {"HELLO", "2", "AUTH", user, m_deployment->password.reveal(), "SETNAME", "millrace"});
    else
        commands.add(-1, {"HELLO", "2", "SETNAME", "millrace"});
    std::vector<Reply> replies;
    if (auto done = exchange(commands.bytes(), 1, replies, stop); !done)
        return done;
    const redisReply* hello = replies[0].get();
    if (isError(hello)) {
        if (text(hello).find("unknown command") != std::string_view::npos)
            return fault(Fault::Config, "too_old", *m_deployment, m_where, "the server is older than Redis 6: it does not know HELLO", "Upgrade the server.");
        return faultOf(text(hello), *m_deployment, doing);
    }
    for (std::size_t i = 0; i + 1 < hello->elements; i += 2) {
        const std::string_view name = text(hello->element[i]);
        std::string* into = name == "version" ? &m_hello.version : name == "mode" ? &m_hello.mode : name == "role" ? &m_hello.role : nullptr;
        if (into)
            *into = text(hello->element[i + 1]);
    }
    if (login == Login::Full && m_hello.mode != "sentinel" && m_deployment->database > 0) {
        auto selected = ask({"SELECT", std::to_string(m_deployment->database)}, stop);
        if (!selected)
            return selected.error();
        if (isError(selected->get()))
            return faultOf(text(selected->get()), *m_deployment, "choosing database " + std::to_string(m_deployment->database));
    }
    return {};
}

Result<Reply> Connection::ask(std::initializer_list<std::string_view> arguments, std::stop_token stop)
{
    Commands commands;
    commands.add(-1, arguments);
    std::vector<Reply> replies;
    if (auto done = exchange(commands.bytes(), 1, replies, stop); !done)
        return done.error();
    return std::move(replies[0]);
}

Result<> Connection::exchange(std::string_view commands, std::size_t count, std::vector<Reply>& replies, std::stop_token stop)
{
    std::vector<char> buffer(block);
    const std::size_t all = replies.size() + count;
    auto lastProgress = Clock::now();
    while (!commands.empty() || replies.size() < all) {
        auto sent = m_socket.send(commands);
        if (!sent)
            return sent.error();
        commands.remove_prefix(*sent);
        auto got = m_socket.receive(buffer);
        if (!got)
            return got.error();
        if (*got > 0 && redisReaderFeed(m_reader.get(), buffer.data(), *got) != REDIS_OK)
            return fault(Fault::Network, "protocol", *m_deployment, m_where, m_reader->errstr);
        while (*got > 0) {
            void* reply = nullptr;
            if (redisReaderGetReply(m_reader.get(), &reply) != REDIS_OK)
                return fault(Fault::Network, "protocol", *m_deployment, m_where, std::string("the answer is not Redis's: ") + m_reader->errstr, "Check that host and port are those of a Redis server.");
            if (!reply)
                break;
            replies.emplace_back(static_cast<redisReply*>(reply));
            if (replies.size() > all)
                return fault(Fault::Network, "protocol", *m_deployment, m_where, "the server sent an answer that nobody asked for");
        }
        if (*sent > 0 || *got > 0) {
            lastProgress = Clock::now();
            continue;
        }
        if (stop.stop_requested())
            return cancelled("Waiting for " + m_where);
        if (Clock::now() - lastProgress > m_deployment->requestTimeout)
            return fault(Fault::Timeout, "timeout", *m_deployment, m_where, "no answer within " + std::to_string(m_deployment->requestTimeout.count()) + " ms");
        m_socket.wait(!commands.empty(), slice);
    }
    return {};
}

} // namespace millrace::redis
