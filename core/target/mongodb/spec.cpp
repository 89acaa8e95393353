#include "core/target/mongodb/mongodbtarget.h"

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
} // namespace

ConnectorSpec mongodbSpec()
{
    ConnectorSpec spec;
    spec.id = "mongodb";
    spec.label = "MongoDB";
    spec.schemes = {"mongodb", "mongodb+srv"};
    spec.target = true;
    spec.defaultPort = 27017;
    spec.fields = {
        part("host", Kind::Host, "Host", "One server, or several members of a replica set separated by commas.", "db.example.com", true),
        part("port", Kind::Port, "Port", "", "27017"),
        part("user", Kind::User, "User", "Needs readWrite on the database.", ""),
        part("password", Kind::Secret, "Password", "", ""),
        part("database", Kind::Database, "Database", "Collections are made in it.", "shop", true),
        option("replicaSet", Kind::Text, "Replica set", "Its name; the driver then follows the primary.", "general"),
        option("authSource", Kind::Text, "Login database", "The database that knows the user, often admin. Default: the database above.", "general"),
        option("authMechanism", Kind::Choice, "Login mechanism", "Default: what the server offers.", "advanced",
               {"SCRAM-SHA-256", "SCRAM-SHA-1", "MONGODB-X509", "PLAIN"}),
        option("w", Kind::Text, "Write concern", "majority, or how many members must hold a write. 0 is refused.", "advanced", {}, "majority"),
        option("journal", Kind::Flag, "Wait for the journal", "A write counts once it is in the journal.", "advanced", {}, "true"),
        option("wtimeoutMS", Kind::Text, "Write concern time-out", "Milliseconds until a write without its acknowledgement is tried again.", "advanced", {}, "20000"),
        option("readPreference", Kind::Choice, "Read preference", "Which members verification reads; everything else reads the primary.", "advanced",
               {"primary", "primaryPreferred", "secondary", "secondaryPreferred", "nearest"}, "primary"),
        option("retryWrites", Kind::Flag, "Retry writes", "The driver repeats a write once after a network error.", "advanced", {}, "true"),
        option("directConnection", Kind::Flag, "Direct connection", "Talk to this one server, without looking for its replica set.", "advanced"),
        option("compressors", Kind::Choice, "Compression", "Of what goes over the network.", "advanced", {"zlib", "snappy", "zstd"}),
        option("appName", Kind::Text, "Application name", "Seen in the server's log.", "advanced", {}, "millrace"),
        option("connectTimeoutMS", Kind::Text, "Connect time-out", "Milliseconds.", "advanced", {}, "5000"),
        option("serverSelectionTimeoutMS", Kind::Text, "Server selection time-out", "Milliseconds.", "advanced", {}, "5000"),
        option("socketTimeoutMS", Kind::Text, "Request time-out", "Milliseconds a write may take; also how long a takeover waits.", "advanced", {}, "30000"),
        option("tls", Kind::Choice, "TLS", "verify-full checks certificate and host name.", "tls", {"verify-full", "verify-ca", "require", "disable", "true", "false"}),
        option("ssl", Kind::Flag, "TLS (older name)", "Use tls.", "tls"),
        option("tls_ca", Kind::File, "CA file", "PEM. Default: the system's.", "tls"),
        option("tls_cert", Kind::File, "Client certificate", "PEM.", "tls"),
        option("tls_key", Kind::File, "Client key", "PEM; may stand in the certificate's file.", "tls"),
    };
    return spec;
}

} // namespace millrace
