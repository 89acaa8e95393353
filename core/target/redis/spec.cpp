#include "core/target/redis/redistarget.h"

namespace millrace {

namespace {
using Kind = FieldSpec::Kind;

FieldSpec field(std::string key, Kind kind, std::string label, std::string help, std::string placeholder = {})
{
    FieldSpec out;
    out.key = std::move(key);
    out.kind = kind;
    out.label = std::move(label);
    out.help = std::move(help);
    out.placeholder = std::move(placeholder);
    return out;
}

FieldSpec option(std::string key, Kind kind, std::string label, std::string help, std::string group, std::vector<std::string> choices = {}, std::string defaultValue = {})
{
    FieldSpec out = field(std::move(key), kind, std::move(label), std::move(help));
    out.group = std::move(group);
    out.choices = std::move(choices);
    out.defaultValue = std::move(defaultValue);
    out.option = true;
    return out;
}
} // namespace

ConnectorSpec redisSpec()
{
    ConnectorSpec spec;
    spec.id = "redis";
    spec.label = "Redis";
    spec.schemes = {"redis", "rediss"};
    spec.target = true;
    spec.defaultPort = 6379;
    spec.fields = {
        field("host", Kind::Host, "Host", "The server; several nodes of a cluster or several Sentinels are separated by commas.", "localhost"),
        field("port", Kind::Port, "Port", "6379 unless the server says otherwise; Sentinels use 26379.", "6379"),
        field("user", Kind::User, "User", "An ACL user; empty for the default user.", ""),
        field("password", Kind::Secret, "Password", "Kept apart from the URL."),
        field("database", Kind::Database, "Database", "The number of the database; a cluster has only 0.", "0"),
        option("sentinel", Kind::Text, "Sentinel name", "The name under which Sentinels watch the primary. The hosts are then Sentinels.", "advanced"),
        option("eviction", Kind::Choice, "Eviction", "refuse: a server that may evict keys is no place for a copy. accept: it is a cache, and keys may vanish.", "advanced", {"refuse", "accept"}, "refuse"),
        option("connect_timeout_ms", Kind::Text, "Connect time-out", "Milliseconds.", "advanced", {}, "5000"),
        option("request_timeout_ms", Kind::Text, "Request time-out", "Milliseconds without an answer until a request is given up.", "advanced", {}, "30000"),
        option("tls", Kind::Choice, "TLS", "verify-full checks certificate and host name.", "tls", {"verify-full", "verify-ca", "require", "disable"}),
        option("tls_ca", Kind::File, "CA file", "PEM. Default: the system's.", "tls"),
        option("tls_cert", Kind::File, "Client certificate", "PEM.", "tls"),
        option("tls_key", Kind::File, "Client key", "PEM.", "tls"),
    };
    for (FieldSpec& f : spec.fields)
        f.required = f.key == "host";
    return spec;
}

} // namespace millrace
