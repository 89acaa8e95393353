#include "core/source/postgresql/config.h"
#include "core/source/postgresql/postgresqlsource.h"
#include "core/source/postgresql/sqltext.h"
#include <charconv>
#include <filesystem>

namespace millrace::postgresql {

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

Error refused(const char* id, std::string detail, std::string fix) { return {Fault::Config, std::string("source.postgresql.") + id, std::move(detail), std::move(fix), {}}; }

Result<> number(const ConnectionUrl& url, const char* key, unsigned least, unsigned most, unsigned& out)
{
    const std::string text = option(url, key);
    if (text.empty())
        return {};
    const auto end = text.data() + text.size();
    if (std::from_chars(text.data(), end, out).ptr != end || out < least || out > most)
        return refused(key, std::string(key) + "=" + text + " is not a number that is possible here", "Use " + std::to_string(least) + " to " + std::to_string(most) + ".");
    return {};
}

//! libpq 15 has no word for the system's own authorities, so their bundle is named.
std::string systemAuthorities()
{
    std::error_code ignored;
    for (const char* path : {"/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/ca-bundle.pem", "/etc/ssl/cert.pem"})
        if (std::filesystem::exists(path, ignored))
            return path;
    return {};
}

} // namespace

std::string Config::place() const { return bySocket() ? host + "/.s.PGSQL." + std::to_string(port) : host + ":" + std::to_string(port); }
std::string Config::account() const { return quotedName(user.empty() ? "reader" : user); }

Result<Config> configFrom(const ConnectionParams& params)
{
    Config config;
    config.name = params.name;
    if (auto known = checkOptions(params.url, postgresqlSpec()); !known)
        return known.error();
    if (params.url.hosts.size() > 1)
        return refused("hosts", "a postgres:// URL names one server", "Leave one host in the URL.");
    config.host = params.url.host();
    config.port = params.url.port(5432);
    if (config.host.empty())
        config.host = option(params.url, "host").empty() ? "/var/run/postgresql" : option(params.url, "host");
    unsigned port = config.port;
    for (const auto& done : {number(params.url, "port", 1, 65535, port), number(params.url, "connect_timeout", 1, 600, config.connectTimeout),
                             number(params.url, "statement_timeout", 1, 86400, config.statementTimeout), number(params.url, "lock_timeout", 1, 3600, config.lockTimeout)})
        if (!done)
            return done.error();
    config.port = static_cast<std::uint16_t>(port);
    config.user = params.url.user;
    config.database = params.url.path;
    config.schema = option(params.url, "schema");
    if (config.database.empty() || config.database.find('/') != std::string::npos)
        return refused("database", config.database.empty() ? "the URL names no database" : "'" + config.database + "' is no database name", "Write postgres://user@host/database.");
    if (const auto password = params.secrets.find("password"); password != params.secrets.end())
        config.password = password->second;
    config.tlsCa = file(params, "tls_ca");
    config.tlsCert = file(params, "tls_cert");
    config.tlsKey = file(params, "tls_key");
    const auto tls = tlsMode(params.url);
    if (!tls)
        return tls.error();
    config.tls = *tls;
    if (config.bySocket() && config.tls != TlsMode::Disable)
        return refused("tls_socket", "tls= does not go with a unix socket, which never leaves this machine", "Leave tls out, or name the host.");
    if (config.tls == TlsMode::VerifyCa && config.tlsCa.empty())
        return refused("tls_ca", "tls=verify-ca without tls_ca: there is no authority to check against", "Name the file with tls_ca=.");
    if (config.tls == TlsMode::VerifyFull && config.tlsCa.empty())
        config.tlsCa = systemAuthorities();
    return config;
}

} // namespace millrace::postgresql
