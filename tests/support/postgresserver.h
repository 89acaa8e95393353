#pragma once
#include "core/base/result.h"
#include "core/engine/connection.h"
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace millrace::test {

//! A private PostgreSQL server in a temporary folder, on a free loopback port and a socket; ended by its pid and removed with the object.
//! PostgreSQL refuses to run as root: then it runs as the user postgres, else nobody. With MILLRACE_TEST_POSTGRES_URL in the environment
//! (postgres://superuser:secret@host:port/database) the tests use that server instead, and only a database of their own in it.
class PostgresServer {
public:
    struct Options {
        std::vector<std::string> settings;         //!< "timezone=Europe/Berlin"
        std::vector<std::pair<std::string, std::string>> files;       //!< name and content, in the data folder before it starts (0600)
        std::string hba;                           //!< pg_hba.conf; empty: everybody is trusted
        bool external = true;                      //!< false: never MILLRACE_TEST_POSTGRES_URL (for tests that need their options)
    };
    //! nullptr when there is no server to be had; `reason` then says why, for QSKIP.
    static std::unique_ptr<PostgresServer> start(std::string& reason, const Options& options);
    static std::unique_ptr<PostgresServer> start(std::string& reason) { return start(reason, Options()); }
    ~PostgresServer();
    PostgresServer(const PostgresServer&) = delete;

    const std::string& database() const { return m_database; }           //!< empty and ours
    bool external() const { return m_pid <= 0; }
    const std::string& folder() const { return m_folder; }               //!< of the socket; empty: external
    std::uint16_t port() const { return m_port; }
    //! How to reach the database with all rights. `tcp`: by 127.0.0.1 instead of the socket.
    ConnectionParams params(bool tcp = true) const;

    //! One application session.
    class Session {
    public:
        ~Session();
        Result<> exec(const std::string& sql);
        Result<std::vector<std::vector<std::optional<std::string>>>> rows(const std::string& sql);
    private:
        friend class PostgresServer;
        void* m_handle = nullptr;
    };
    //! nullptr: cannot connect. `database`: empty is our own.
    std::unique_ptr<Session> session(const std::string& database = {}) const;
    Result<> exec(const std::string& sql) const;                          //!< in a session of its own

private:
    PostgresServer() = default;
    std::string m_folder, m_database, m_maintenance = "postgres", m_host = "127.0.0.1", m_user = "postgres", m_password;
    std::uint16_t m_port = 0;
    int m_pid = 0;
};

} // namespace millrace::test
