#pragma once
#include "core/engine/connection.h"

namespace millrace::mysql {

//! A connection URL and its secrets as libmariadb wants them. Relative file names are made absolute by the connection's folder.
struct Config {
    std::string name;                              //!< of the connection, for messages
    bool mariadb = false;                          //!< by the scheme; the server itself says what it is
    std::string host = "localhost", socket, user, database, tlsCa, tlsCert, tlsKey;
    Secret password;
    std::uint16_t port = 3306;
    unsigned connectTimeout = 10;                  //!< seconds
    TlsMode tls = TlsMode::VerifyFull;

    std::string place() const;                     //!< "db.example.com:3306" or the socket, for messages
};

Result<Config> configFrom(const ConnectionParams& params);

} // namespace millrace::mysql
