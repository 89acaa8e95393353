#pragma once
#include "core/base/result.h"
#include "core/engine/connection.h"
#include <memory>
#include <string>
#include <vector>

namespace millrace::test {

//! A private mongod (a replica set of one member) in a temporary folder, on a free loopback port; ended by its pid and removed with the
//! object. The program is $MILLRACE_TEST_MONGOD, else what tests/services/mongod.sh fetches.
class MongoServer {
public:
    struct Options {
        std::vector<std::string> arguments;        //!< more options for mongod
        bool replicaSet = true;
        std::string user, password;                //!< not empty: access control on, and this root user
        std::string certificate, ca;               //!< PEM files: TLS required
    };
    //! nullptr when there is no mongod to be had; `reason` then says why, for QSKIP.
    static std::unique_ptr<MongoServer> start(std::string& reason, const Options& options);
    static std::unique_ptr<MongoServer> start(std::string& reason) { return start(reason, Options()); }
    ~MongoServer();
    MongoServer(const MongoServer&) = delete;

    std::uint16_t port() const { return m_port; }
    const std::string& folder() const { return m_folder; }
    ConnectionParams params(const std::string& database) const;

    //! By a client of its own. Commands and documents are extended JSON (relaxed); the answer too.
    Result<std::string> command(const std::string& database, const std::string& json) const;
    Result<std::vector<std::string>> documents(const std::string& database, const std::string& collection, const std::string& filter = "{}") const;
    //! The same documents as raw BSON.
    Result<std::vector<std::string>> raw(const std::string& database, const std::string& collection) const;
    //! A failpoint of the server, e.g. failPoint("failCommand", R"({"times": 1})", R"({"failCommands": ["insert"], "errorCode": 91})").
    Result<> failPoint(const std::string& name, const std::string& mode, const std::string& data) const;

    void kill9();                                  //!< the process only; the data stays
    Result<> restart();                            //!< on the same port and data

private:
    MongoServer() = default;
    bool launch(std::string& reason);
    bool waitForPrimary(std::string& reason);
    void end(int signal);
    Options m_options;
    std::string m_program, m_folder;
    std::uint16_t m_port = 0;
    int m_pid = 0;
    bool m_userMade = false;
    void* m_client = nullptr;
};

} // namespace millrace::test
