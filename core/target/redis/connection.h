#pragma once
#include "core/target/redis/socket.h"
#include <functional>
#include <hiredis/hiredis.h>
#include <initializer_list>
#include <memory>
#include <string>
#include <vector>

namespace millrace::redis {

struct FreeReply { void operator()(redisReply* reply) const { freeReplyObject(reply); } };
using Reply = std::unique_ptr<redisReply, FreeReply>;

inline bool isError(const redisReply* reply) { return reply->type == REDIS_REPLY_ERROR; }
inline std::string_view text(const redisReply* reply)
{
    const bool holds = reply->type == REDIS_REPLY_STRING || reply->type == REDIS_REPLY_STATUS || reply->type == REDIS_REPLY_ERROR;
    return holds ? std::string_view(reply->str, static_cast<std::size_t>(reply->len)) : std::string_view();
}
inline bool isNil(const redisReply* reply) { return reply->type == REDIS_REPLY_NIL; }

//! Commands in the server's own form (RESP), one after the other in one buffer, each with the slot of its keys.
class Commands {
public:
    struct Entry { std::size_t at = 0, size = 0; int slot = -1; };       //!< slot -1: any node
    void begin(int slot, std::size_t arguments);
    void argument(std::string_view bytes);
    void number(std::uint64_t value);
    void raw(std::string_view resp) { m_bytes += resp; }                 //!< arguments that are RESP already
    void add(int slot, std::initializer_list<std::string_view> arguments);
    void add(int slot, const std::vector<std::string>& arguments);
    void append(int slot, std::string_view command);                     //!< one whole command
    void clear() { m_bytes.clear(); m_entries.clear(); }
    bool empty() const { return m_entries.empty(); }
    std::size_t size() const { return m_entries.size(); }
    const std::string& bytes() const { return m_bytes; }
    const std::vector<Entry>& entries() const { close(); return m_entries; }
    std::string_view bytesOf(std::size_t i) const { close(); return std::string_view(m_bytes).substr(m_entries[i].at, m_entries[i].size); }
private:
    void close() const { if (!m_entries.empty()) m_entries.back().size = m_bytes.size() - m_entries.back().at; }
    std::string m_bytes;
    mutable std::vector<Entry> m_entries;
};

//! One logged-in connection to one server.
class Connection {
public:
    struct Hello { std::string version, mode, role; };                   //!< mode: standalone | cluster | sentinel; role: master | replica
    //! `login`: Sentinels are asked without user and database.
    enum class Login { Full, None };
    static Result<std::unique_ptr<Connection>> open(DeploymentPtr deployment, const std::string& host, std::uint16_t port, Login login, std::stop_token stop);

    //! Sends all and reads as many replies as there are commands; what can be read is read while sending, so that neither side's buffers
    //! fill up. Error replies are replies. After an error of its own the connection is of no more use.
    Result<> exchange(std::string_view commands, std::size_t count, std::vector<Reply>& replies, std::stop_token stop);
    Result<Reply> ask(std::initializer_list<std::string_view> arguments, std::stop_token stop);

    const Hello& hello() const { return m_hello; }
    const std::string& where() const { return m_where; }
    std::string cipher() const { return m_socket.cipher(); }
private:
    struct FreeReader { void operator()(redisReader* reader) const { redisReaderFree(reader); } };
    Connection(DeploymentPtr deployment, Socket socket, std::string where);
    Result<> logIn(Login login, std::stop_token stop);

    DeploymentPtr m_deployment;
    Socket m_socket;
    std::string m_where;
    std::unique_ptr<redisReader, FreeReader> m_reader;
    Hello m_hello;
};

} // namespace millrace::redis
