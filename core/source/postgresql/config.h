#pragma once
#include "core/engine/connection.h"

namespace millrace::postgresql {

//! A connection URL and its secrets as libpq wants them. Relative file names are made absolute by the connection's folder.
struct Config {
    std::string name;                              //!< of the connection, for messages
    std::string host, user, database, tlsCa, tlsCert, tlsKey;      //!< host: a name, an address, or the folder of a unix socket
    std::string schema;                            //!< the only one to be seen; empty: all
    Secret password;
    std::uint16_t port = 5432;
    unsigned connectTimeout = 10, statementTimeout = 900, lockTimeout = 30;   //!< seconds
    TlsMode tls = TlsMode::VerifyFull;

    bool bySocket() const { return host.starts_with('/'); }
    std::string place() const;                     //!< "db.example.com:5432" or the socket, for messages
    std::string account() const;                   //!< the user as SQL: "reader", quoted
};

Result<Config> configFrom(const ConnectionParams& params);

} // namespace millrace::postgresql
