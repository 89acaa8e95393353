#pragma once
#include "core/base/result.h"
#include "core/base/secret.h"
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace millrace {

//! A connection URL taken apart (contract, "Connections are URLs"). User, database and options are percent-decoded.
struct ConnectionUrl {
    std::string scheme;                            //!< lower case: "mysql"
    std::string user;
    std::vector<std::pair<std::string, std::uint16_t>> hosts;   //!< port 0: the scheme's default; IPv6 without brackets
    std::string path;                              //!< without the leading '/': database; for files the path as written
    std::map<std::string, std::string> options;

    const std::string& host() const;               //!< the first one, or empty
    std::uint16_t port(std::uint16_t otherwise) const;
    bool loopback() const;                         //!< all hosts are loopback, or there is none (socket, file)
    std::string text() const;                      //!< back to one line, without any secret
};

//! Takes a URL apart. A password inside is cut out and handed over in `password` (never kept in the URL).
Result<ConnectionUrl> parseUrl(std::string_view text, Secret* password = nullptr);

//! What a connector is opened with.
struct ConnectionParams {
    std::string name;                              //!< the connection's name, for messages
    ConnectionUrl url;
    std::map<std::string, Secret> secrets;
    std::string baseDir;                           //!< for relative file paths
};

enum class TlsMode : std::uint8_t { Disable, Require, VerifyCa, VerifyFull };
//! `?tls=` or the default of the contract (verify-full; loopback, sockets: disable).
Result<TlsMode> tlsMode(const ConnectionUrl& url);

//! One field of a connection form; the same list is the connector's allow-list of URL options.
struct FieldSpec {
    enum class Kind : std::uint8_t { Text, Host, Port, User, Secret, Database, File, Choice, Flag };
    std::string key;                               //!< "host", "port", "user", "password", "database", or the URL option's name
    Kind kind = Kind::Text;
    std::string label;                             //!< English; faces translate
    std::string help, placeholder, defaultValue;
    std::vector<std::string> choices;
    std::string group = "general";                 //!< general | tls | advanced
    bool required = false;
    bool option = false;                           //!< lives in the URL's query
};

//! What a connector says of itself; forms, URL checks and the support table are made from it.
struct ConnectorSpec {
    std::string id;                                //!< "mysql", "sqlite", "mongodb", "embedded", "null"
    std::string label;                             //!< "MySQL"
    std::vector<std::string> schemes;              //!< {"mysql"}, {"mongodb", "mongodb+srv"}
    bool source = false, target = false;
    std::uint16_t defaultPort = 0;
    std::vector<FieldSpec> fields;
};

//! Refuses an option that the spec does not list, naming the nearest one.
Result<> checkOptions(const ConnectionUrl& url, const ConnectorSpec& spec);

} // namespace millrace
