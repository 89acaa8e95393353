#include "core/source/postgresql/faults.h"
#include "core/base/text.h"
#include "core/source/postgresql/sqltext.h"

namespace millrace::postgresql {

namespace {

struct Known { std::string_view state; Fault fault; const char* id; const char* fix; };

// The SQLSTATE, or its class (two characters). The first that fits counts.
constexpr Known known[] = {
    {"53300", Fault::Throttled, "source.postgresql.too_many_connections", "Raise max_connections on the server, or lower `pool` of the sync."},
    {"53100", Fault::Storage, "source.postgresql.disk_full", "The server's disk is full."},
    {"53400", Fault::Storage, "source.postgresql.temp_limit", "Raise temp_file_limit on the server."},
    {"53", Fault::Throttled, "source.postgresql.server_resources", ""},
    {"28P01", Fault::Auth, "source.postgresql.login", "Check the user name and the password."},
    {"28", Fault::Auth, "source.postgresql.login", "The server does not let this user in from here: check the user name, and pg_hba.conf on the server."},
    {"3D000", Fault::Config, "source.postgresql.no_database", "Check the database's name in the URL."},
    {"42501", Fault::Auth, "source.postgresql.privilege", ""},
    {"42601", Fault::Config, "source.postgresql.sql", "Check the `where` of the table."},
    {"42883", Fault::Config, "source.postgresql.sql", "Write functions, operators and types with their schema: sessions have an empty search_path."},
    {"42704", Fault::Config, "source.postgresql.sql", "Write functions, operators and types with their schema: sessions have an empty search_path."},
    {"42804", Fault::Config, "source.postgresql.sql", "Check the `where` of the table."},
    {"42P01", Fault::Schema, "source.postgresql.table_missing", "The table was dropped or renamed: check the sync, then reset the table."},
    {"3F000", Fault::Schema, "source.postgresql.table_missing", "The schema was dropped or renamed: check the sync, then reset the table."},
    {"42703", Fault::Schema, "source.postgresql.table_altered", "A column is missing: reset the table, so that it is described anew."},
    {"XX000", Fault::Schema, "source.postgresql.table_altered", "The table may have been altered while it was read: the next run describes it anew."},
    {"55P03", Fault::Timeout, "source.postgresql.lock_wait", "Somebody holds a lock on this table, perhaps a schema change: the run tries again."},
    {"40", Fault::Timeout, "source.postgresql.lock_wait", ""},
    {"25P03", Fault::Network, "source.postgresql.idle_timeout", "The target kept this session waiting longer than the source allows; the run goes on from where it was."},
    {"25006", Fault::Config, "source.postgresql.read_only", "A view or `where` tried to write: leave that out."},
    {"57014", Fault::Timeout, "source.postgresql.statement_timeout", "Raise ?statement_timeout= (seconds) of the connection, or index what is asked for."},
    {"57P", Fault::Network, "source.postgresql.connection_lost", "The server ended the session or is starting: the run tries again."},
    {"08", Fault::Network, "source.postgresql.connection_lost", ""},
    {"22P05", Fault::Data, "source.postgresql.encoding", "The database holds characters that UTF-8 does not have."},
    {"22021", Fault::Data, "source.postgresql.encoding", "The database holds text that is not valid in its own encoding."},
    {"22", Fault::Data, "source.postgresql.value", "A view or `where` fails at a row: correct it there."},
    {"XX001", Fault::Storage, "source.postgresql.corrupted", "The server says that its own data is damaged."},
};

const Known* find(std::string_view state)
{
    if (state == "XX001" || state == "XX002")
        return &known[std::size(known) - 1];
    for (const Known& k : known)
        if (state.starts_with(k.state))
            return &k;
    return nullptr;
}

//! The server names a schema or a table at the end of its sentence, whatever its language.
std::string grant(std::string_view words, const Config& config)
{
    const std::string schema = config.schema.empty() ? "public" : config.schema;
    std::string name(words.substr(words.find_last_of(" \"", words.size() > 1 ? words.size() - 2 : 0) + 1));
    while (!name.empty() && (name.back() == '"' || name.back() == '\n'))
        name.pop_back();
    if (words.find("schema") != std::string_view::npos)
        return "GRANT USAGE ON SCHEMA " + quotedName(name) + " TO " + config.account() + ";";
    return "GRANT SELECT ON " + (name.empty() ? "ALL TABLES IN SCHEMA " + quotedName(schema) : "TABLE " + quotedName(name)) + " TO " + config.account() + ";";
}

std::string oneLine(std::string_view words)
{
    std::string out = trimmed(words);
    for (char& c : out)
        if (c == '\n' || c == '\r' || c == '\t') c = ' ';
    return out;
}

} // namespace

Error errorFrom(std::string_view state, std::string_view words, const Config& config)
{
    Error error;
    error.detail = redact(words.empty() ? "no words from the server" : oneLine(words), config.password) + " (" + (state.empty() ? "" : std::string(state) + ", ") + config.place() + ")";
    error.id = "source.postgresql.server_error";
    error.fault = state.empty() ? Fault::Network : Fault::Internal;
    if (state.empty())
        error.id = "source.postgresql.connection_lost";
    else if (const Known* k = find(state)) {
        error.fault = k->fault;
        error.id = k->id;
        error.fix = state == "42501" ? redact(grant(words, config), config.password) : k->fix;
        if (k->fault == Fault::Throttled)
            error.retryAfter = std::chrono::seconds(2);
    }
    return error;
}

Error errorFrom(const PGresult* result, PGconn* handle, const Config& config)
{
    const char* state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
    if (!state)
        return connectionError(handle, config);
    const char* primary = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    return errorFrom(state, primary ? primary : "", config);
}

// libpq keeps no SQLSTATE of a refused login, only the server's sentence with its severity in front. What is written here was seen
// with servers that speak English; others end as "login" too, which is what a refusal after the connection nearly always is.
Error connectionError(PGconn* handle, const Config& config)
{
    const std::string words = handle ? PQerrorMessage(handle) : "out of memory";
    const auto has = [&](std::string_view part) { return words.find(part) != std::string::npos; };
    const bool refusedByServer = has("FATAL:") || has("FATAL ");
    Error error = errorFrom("", words, config);
    const auto say = [&](Fault fault, const char* id, std::string fix) {
        error.fault = fault;
        error.id = std::string("source.postgresql.") + id;
        error.fix = std::move(fix);
    };
    if (has("pg_hba.conf"))
        say(Fault::Auth, "login", "The server does not let this user in from here: add a line to pg_hba.conf there, or encrypt the connection.");
    else if (has("SYSCALL") || has("closed unexpectedly") || has("unexpected eof") || has("closed the connection"))
        say(Fault::Network, "connection_lost", "");
    else if (has("SSL") || has("certificate"))
        say(Fault::Auth, "tls", has("does not support SSL") ? "Switch TLS on at the server, or write tls=disable if the way there is safe."
                                                             : "Check tls_ca and the name in the server's certificate. tls=require encrypts without checking who answers.");
    else if (has("too many clients") || has("remaining connection slots") || has("too many connections"))
        say(Fault::Throttled, "too_many_connections", "Raise max_connections on the server, or lower `pool` of the sync.");
    else if (has("starting up") || has("shutting down") || has("recovery mode") || has("administrator command") || has("idle-in-transaction"))
        say(Fault::Network, "connection_lost", "The server ended the session or is starting: the run tries again.");
    else if (refusedByServer && has("database \"") && has("does not exist"))
        say(Fault::Config, "no_database", "Check the database's name in the URL.");
    else if (has("no password supplied"))
        say(Fault::Auth, "login", "Give a password: --password-env, --password-file or --password-stdin.");
    else if (refusedByServer && PQstatus(handle) == CONNECTION_BAD)
        say(Fault::Auth, "login", "Check the user name and the password.");
    else if (has("could not translate host name"))
        say(Fault::Network, "unknown_host", "Check the host name.");
    else if (has("onnection refused") || has("No such file") || has("timeout expired") || has("No route"))
        say(Fault::Network, "unreachable", "Check host and port, and that the server runs.");
    if (error.fault == Fault::Throttled)
        error.retryAfter = std::chrono::seconds(2);
    return error;
}

} // namespace millrace::postgresql
