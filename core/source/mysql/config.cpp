#include "core/source/mysql/config.h"
#include "core/source/mysql/mysqlsource.h"
#include <charconv>

namespace millrace::mysql {

namespace {

std::string option(const ConnectionUrl& url, const char* key)
{
    const auto found = url.options.find(key);
    return found == url.options.end() ? std::string() : found->second;
}

std::string file(const ConnectionParams& params, const char* key)
{
    const std::string path = option(params.url, key);
    return path.empty() || path.front() == '/' || params.baseDir.empty() ? path : params.baseDir + "/" + path;
}

} // namespace

std::string Config::place() const { return socket.empty() ? host + ":" + std::to_string(port) : socket; }

Result<Config> configFrom(const ConnectionParams& params)
{
    Config config;
    config.name = params.name;
    config.mariadb = params.url.scheme == "mariadb";
    if (auto known = checkOptions(params.url, mysqlSpec(config.mariadb)); !known)
        return known.error();
    if (params.url.hosts.size() > 1)
        return Error {Fault::Config, "source.mysql.hosts", "a " + params.url.scheme + ":// URL names one server", "Leave one host in the URL.", {}};
    config.socket = file(params, "socket");
    if (!params.url.host().empty())
        config.host = params.url.host();
    config.port = params.url.port(3306);
    config.user = params.url.user;
    config.database = params.url.path;
    if (config.database.find('/') != std::string::npos)
        return Error {Fault::Config, "source.mysql.database", "'" + config.database + "' is no database name", "Write mysql://user@host/database.", {}};
    if (const auto password = params.secrets.find("password"); password != params.secrets.end())
        config.password = password->second;
    config.tlsCa = file(params, "tls_ca");
    config.tlsCert = file(params, "tls_cert");
    config.tlsKey = file(params, "tls_key");
    const auto tls = tlsMode(params.url);
    if (!tls)
        return tls.error();
    config.tls = *tls;
    if (!config.socket.empty() && params.url.options.count("tls") == 0)
        config.tls = TlsMode::Disable;
    if (config.tls == TlsMode::VerifyCa && config.tlsCa.empty())
        return Error {Fault::Config, "source.mysql.tls_ca", "tls=verify-ca without tls_ca: there is no authority to check against", "Name the file with tls_ca=.", {}};
    if (const std::string seconds = option(params.url, "connect_timeout"); !seconds.empty()) {
        const auto end = seconds.data() + seconds.size();
        if (std::from_chars(seconds.data(), end, config.connectTimeout).ptr != end || config.connectTimeout < 1 || config.connectTimeout > 600)
            return Error {Fault::Config, "source.mysql.connect_timeout", "connect_timeout=" + seconds + " is not a number of seconds", "Use 1 to 600.", {}};
    }
    return config;
}

} // namespace millrace::mysql
