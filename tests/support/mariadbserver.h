#pragma once
#include "core/base/result.h"
#include "core/engine/connection.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::test {

//! A private MariaDB server in a temporary folder, on a free loopback port; ended by its pid and removed with the object. With
//! MILLRACE_TEST_MYSQL_URL in the environment (mysql://root:secret@host:port/) the tests use that server instead, and only a database
//! of their own in it.
class MariaDbServer {
public:
    struct Options {
        std::vector<std::string> arguments;        //!< more options for mariadbd, e.g. "--default-time-zone=+02:00"
        bool binlog = false;
        bool external = true;                      //!< false: never MILLRACE_TEST_MYSQL_URL (for tests that need their options)
    };
    //! nullptr when there is no server to be had; `reason` then says why, for QSKIP.
    static std::unique_ptr<MariaDbServer> start(std::string& reason, const Options& options);
    static std::unique_ptr<MariaDbServer> start(std::string& reason) { return start(reason, Options()); }
    ~MariaDbServer();
    MariaDbServer(const MariaDbServer&) = delete;

    const std::string& database() const { return m_database; }           //!< empty and ours
    bool external() const { return m_pid <= 0; }
    bool mariadb() const { return m_mariadb; }
    const std::string& socket() const { return m_socket; }
    std::uint16_t port() const { return m_port; }
    //! How to reach the database with all rights. `tcp`: by 127.0.0.1 instead of the socket.
    ConnectionParams params(bool tcp = true) const;

    //! One application session. All statements of an exec() run in order; the first failure is the answer.
    class Session {
    public:
        ~Session();
        Result<> exec(const std::string& sql);
        Result<std::vector<std::vector<std::optional<std::string>>>> rows(const std::string& sql);
        unsigned long id() const;
    private:
        friend class MariaDbServer;
        void* m_handle = nullptr;
    };
    std::unique_ptr<Session> session() const;                             //!< utf8mb4, time_zone +00:00; nullptr: cannot connect
    Result<> exec(const std::string& sql) const;                          //!< in a session of its own

private:
    MariaDbServer() = default;
    std::string m_folder, m_socket, m_database, m_host = "127.0.0.1", m_user = "root", m_password;
    std::uint16_t m_port = 0;
    int m_pid = 0;
    bool m_mariadb = true;
};

} // namespace millrace::test
