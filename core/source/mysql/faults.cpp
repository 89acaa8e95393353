#include "core/source/mysql/faults.h"
#include "core/source/mysql/nativetype.h"

namespace millrace::mysql {

namespace {

struct Known { unsigned number; Fault fault; const char* id; const char* fix; };

// Numbers below 2000 and above 3000 are the server's, 2000 to 2999 the client library's.
constexpr Known known[] = {
    {1040, Fault::Throttled, "source.mysql.too_many_connections", "Raise max_connections on the server, or lower `pool` of the sync."},
    {1203, Fault::Throttled, "source.mysql.too_many_connections", "Raise max_user_connections of this account, or lower `pool` of the sync."},
    {1226, Fault::Throttled, "source.mysql.too_many_connections", "Raise the resource limits of this account."},
    {1045, Fault::Auth, "source.mysql.login", "Check the user name and the password."},
    {1698, Fault::Auth, "source.mysql.login", "This account logs in by the operating system's user: use another account."},
    {1130, Fault::Auth, "source.mysql.login", "The server does not let this host in: create the account for it."},
    {1129, Fault::Auth, "source.mysql.login", "The server has blocked this host after failed connections: run FLUSH HOSTS there."},
    {1820, Fault::Auth, "source.mysql.login", "The password has expired: change it on the server."},
    {1862, Fault::Auth, "source.mysql.login", "The password has expired: change it on the server."},
    {3118, Fault::Auth, "source.mysql.login", "The account is locked: unlock it on the server."},
    {4151, Fault::Auth, "source.mysql.login", "The account is locked: unlock it on the server."},
    {1251, Fault::Auth, "source.mysql.login", "The account's login method is not supported here: use caching_sha2_password or ed25519."},
    {2059, Fault::Auth, "source.mysql.login", "The account's login method is not supported here: use caching_sha2_password or ed25519."},
    {2061, Fault::Auth, "source.mysql.login", "The account needs an encrypted connection: set tls=require or better."},
    {3159, Fault::Auth, "source.mysql.login", "The server only takes encrypted connections: set tls=require or better."},
    {2026, Fault::Auth, "source.mysql.tls", "Check tls_ca and the name in the server's certificate. tls=require encrypts without checking who answers."},
    {1049, Fault::Config, "source.mysql.no_database", "Check the database's name in the URL."},
    {1064, Fault::Config, "source.mysql.sql", "Check the `where` of the table."},
    {1146, Fault::Schema, "source.mysql.table_missing", "The table was dropped or renamed: check the sync, then reset the table."},
    {1051, Fault::Schema, "source.mysql.table_missing", "The table was dropped or renamed: check the sync, then reset the table."},
    {1054, Fault::Schema, "source.mysql.table_altered", "A column is missing: reset the table, so that it is described anew."},
    {1412, Fault::Timeout, "source.mysql.altered_meanwhile", "The table was altered while it was read: the run reads on under a new snapshot."},
    {1356, Fault::Schema, "source.mysql.table_altered", "The view does not work on the server: repair it there."},
    {1205, Fault::Timeout, "source.mysql.lock_wait", "Somebody holds a lock on this table, perhaps a schema change: the run tries again."},
    {1213, Fault::Timeout, "source.mysql.lock_wait", ""},
    {1969, Fault::Timeout, "source.mysql.statement_timeout", "The server limits the time of statements: raise max_statement_time for this account."},
    {3024, Fault::Timeout, "source.mysql.statement_timeout", "The server limits the time of statements: raise max_execution_time."},
    {1153, Fault::Data, "source.mysql.packet", "Raise max_allowed_packet on the server."},
    {2020, Fault::Data, "source.mysql.packet", "A row is larger than 1 GB and cannot be read."},
    {2027, Fault::Network, "source.mysql.protocol", ""},
    {1021, Fault::Storage, "source.mysql.disk_full", "The server's disk is full."},
    {1114, Fault::Storage, "source.mysql.disk_full", "The server's temporary space is full."},
    {1053, Fault::Network, "source.mysql.unreachable", ""},
    {1317, Fault::Network, "source.mysql.interrupted", ""},
    {1927, Fault::Network, "source.mysql.interrupted", ""},
    {2005, Fault::Network, "source.mysql.unknown_host", "Check the host name."},
    {2002, Fault::Network, "source.mysql.unreachable", "Check host and port, and that the server runs."},
    {2003, Fault::Network, "source.mysql.unreachable", "Check host and port, and that the server runs."},
    {2006, Fault::Network, "source.mysql.connection_lost", ""},
    {2013, Fault::Network, "source.mysql.connection_lost", ""},
    {2055, Fault::Network, "source.mysql.connection_lost", ""},
};

std::string grantFix(std::string_view message, const Config& config)
{
    const std::string on = config.database.empty() ? "*.*" : quotedName(config.database) + ".*";
    return "GRANT SELECT ON " + on + " TO " + accountIn(message, config) + ";";
}

} // namespace

std::string accountIn(std::string_view message, const Config& config)
{
    const auto at = message.find("'@'");
    if (at != std::string_view::npos) {
        const auto from = at > 0 ? message.rfind('\'', at - 1) : std::string_view::npos, to = message.find('\'', at + 3);
        if (from != std::string_view::npos && to != std::string_view::npos)
            return std::string(message.substr(from, to - from + 1));
    }
    return "'" + config.user + "'@'%'";
}

Error errorFrom(unsigned number, const char* words, const Config& config)
{
    Error error;
    const std::string_view said = words ? words : "";
    error.detail = redact(words && *words ? words : "no words from the server", config.password) + " (" + std::to_string(number) + ", " + config.place() + ")";
    for (const Known& k : known)
        if (k.number == number) {
            error.fault = k.fault;
            error.id = k.id;
            error.fix = k.fix;
            if (number == 2013 && said.find("initial communication packet") != std::string_view::npos)
                error.fix = "Check that host and port are a MySQL server's; it sent no greeting.";
            if (k.fault == Fault::Throttled)
                error.retryAfter = std::chrono::seconds(2);
            return error;
        }
    if (number == 1044 || number == 1142 || number == 1143 || number == 1227 || number == 1370) {
        error.fault = Fault::Auth;
        error.id = "source.mysql.privilege";
        error.fix = number == 1227 ? "GRANT PROCESS ON *.* TO " + accountIn(words ? words : "", config) + ";" : grantFix(words ? words : "", config);
        return error;
    }
    error.fault = number >= 2000 && number < 3000 ? Fault::Network : Fault::Internal;
    error.id = "source.mysql.server_error";
    return error;
}

} // namespace millrace::mysql
