#include "core/target/search/searchtarget.h"

namespace millrace {

namespace {
using Kind = FieldSpec::Kind;

FieldSpec option(std::string key, Kind kind, std::string label, std::string help, std::string group, std::vector<std::string> choices = {}, std::string defaultValue = {})
{
    FieldSpec field;
    field.key = std::move(key);
    field.kind = kind;
    field.label = std::move(label);
    field.help = std::move(help);
    field.defaultValue = std::move(defaultValue);
    field.choices = std::move(choices);
    field.group = std::move(group);
    field.option = true;
    return field;
}

FieldSpec part(std::string key, Kind kind, std::string label, std::string help, std::string placeholder, bool required = false)
{
    FieldSpec field;
    field.key = std::move(key);
    field.kind = kind;
    field.label = std::move(label);
    field.help = std::move(help);
    field.placeholder = std::move(placeholder);
    field.required = required;
    return field;
}

ConnectorSpec spec(std::string id, std::string label, bool apiKeys)
{
    ConnectorSpec out;
    out.id = out.schemes.emplace_back(id);
    out.label = std::move(label);
    out.target = true;
    out.defaultPort = 9200;
    out.fields = {
        part("host", Kind::Host, "Host", "A node of the cluster, or what stands in front of it.", "search.example.org", true),
        part("port", Kind::Port, "Port", "", "9200"),
        part("user", Kind::User, "User", "Empty where the server asks for no login, or for an API key or token.", "millrace"),
        part("password", Kind::Secret, "Password", "", ""),
    };
    if (apiKeys)
        out.fields.push_back(part("api_key", Kind::Secret, "API key", "Instead of user and password: as encoded by the server, or id:key.", ""));
    out.fields.push_back(part("token", Kind::Secret, "Bearer token", "Instead of user and password.", ""));
    out.fields.insert(out.fields.end(), {
        part("database", Kind::Database, "Path", "In front of the server's own paths, where a proxy puts one.", ""),
        option("tls", Kind::Choice, "TLS", "verify-full checks certificate and host name.", "tls", {"verify-full", "verify-ca", "require", "disable"}),
        option("tls_ca", Kind::File, "CA file", "PEM. Default: the system's.", "tls"),
        option("tls_cert", Kind::File, "Client certificate", "PEM.", "tls"),
        option("tls_key", Kind::File, "Client key", "PEM; may stand in the certificate's file.", "tls"),
        option("shards", Kind::Text, "Shards", "Of new indices. Default: the server's.", "advanced"),
        option("replicas", Kind::Text, "Replicas", "Of new indices. Default: the server's.", "advanced"),
        option("connectTimeoutMS", Kind::Text, "Connect time-out", "Milliseconds.", "advanced", {}, "5000"),
        option("requestTimeoutMS", Kind::Text, "Request time-out", "Milliseconds a request may take; also how long a takeover waits.", "advanced", {}, "60000"),
    });
    return out;
}
} // namespace

ConnectorSpec elasticsearchSpec() { return spec("elasticsearch", "Elasticsearch", true); }
ConnectorSpec opensearchSpec() { return spec("opensearch", "OpenSearch", false); }

} // namespace millrace
