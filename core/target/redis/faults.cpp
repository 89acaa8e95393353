#include "core/target/redis/faults.h"

namespace millrace::redis {

namespace {

struct Known { std::string_view code; Fault fault; const char* id; const char* fix; };

// Codes of the server's error replies (src/server.c, createSharedObjects, and the ACL and cluster parts), as far as they change what a
// caller can do.
constexpr Known knownCodes[] = {
    {"OOM", Fault::Storage, "full", "Raise maxmemory or free memory on the Redis server; the run goes on from where it stopped."},
    {"MISCONF", Fault::Storage, "not_persisted", "The server cannot save to its disk. Free space there, or see its log."},
    {"READONLY", Fault::Network, "not_primary", "Connect to the primary, not to a replica; with Sentinels name the primary by sentinel=."},
    {"MASTERDOWN", Fault::Network, "not_primary", "Wait until the primary is back, or connect to the new one."},
    {"NOREPLICAS", Fault::Network, "no_replicas", "The server wants more replicas in step (min-replicas-to-write). See whether they are up."},
    {"LOADING", Fault::Throttled, "loading", "The server is reading its data; it will be ready soon."},
    {"BUSY", Fault::Throttled, "busy", "A script occupies the server. Wait, or end it with SCRIPT KILL."},
    {"TRYAGAIN", Fault::Network, "resharding", "Slots are being moved; the run tries again."},
    {"CLUSTERDOWN", Fault::Network, "cluster_down", "The cluster has slots without a primary: see CLUSTER INFO."},
    {"MOVED", Fault::Network, "moved", "The cluster's slots move faster than they can be followed; try again."},
    {"ASK", Fault::Network, "moved", "The cluster's slots move faster than they can be followed; try again."},
    {"CROSSSLOT", Fault::Internal, "cross_slot", ""},
    {"NOAUTH", Fault::Auth, "login", "Give user and password."},
    {"WRONGPASS", Fault::Auth, "login", "Check user and password: ACL LIST shows the users, ACL LOG the refused logins."},
    {"DENIED", Fault::Auth, "protected_mode", "The server is in protected mode: set a password or an ACL user on it."},
    {"NOPERM", Fault::Auth, "privilege", "ACL SETUSER USER ~TABLE:* ~{*}* ~_mr:* +@read +@write +@scripting +@connection +@transaction +info +time +cluster|slots"},
    {"WRONGTYPE", Fault::Config, "wrong_type", "A key of this sync was replaced by something of another type. Remove it, or give the sync another prefix."},
    {"EXECABORT", Fault::Network, "aborted", ""},
    {"FENCED", Fault::Fenced, "fenced", "Stop one of the two."},
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

const Known* known(std::string_view code)
{
    for (const Known& entry : knownCodes)
        if (entry.code == code)
            return &entry;
    return nullptr;
}

} // namespace

std::string_view errorCode(std::string_view words)
{
    // Redis 6: "ERR Error running script (call to f_...): @user_script:5: -OOM command not allowed ..."
    if (words.starts_with("ERR Error running script"))
        if (const auto at = words.find(": -"); at != std::string_view::npos)
            words.remove_prefix(at + 3);
    return words.substr(0, words.find(' '));
}

Error fault(Fault kind, std::string id, const Deployment& deployment, std::string_view doing, std::string_view words, std::string fix)
{
    std::string detail(doing);
    if (!detail.empty())
        detail += ": ";
    detail += words;
    return {kind, "target.redis." + std::move(id), redact(std::move(detail), deployment.password), std::move(fix), {}};
}

Error faultOf(std::string_view words, const Deployment& deployment, std::string_view doing)
{
    const std::string_view code = errorCode(words);
    const Known* entry = known(code);
    // an ACL that stops a script's command: Redis 7 says so in words, under the code ERR
    if (!entry && (has(words, "can't run this command") || has(words, "can't access at least one of the keys") || has(words, "NOPERM")))
        entry = known("NOPERM");
    if (!entry && has(words, "max number of clients"))
        return fault(Fault::Throttled, "too_many_clients", deployment, doing, words, "Raise maxclients on the server, or lower `pool` of the sync.");
    if (!entry && has(words, "without any password configured"))
        return fault(Fault::Auth, "login", deployment, doing, words, "The server wants no password: remove it from the connection.");
    if (!entry && has(words, "DB index is out of range"))
        return fault(Fault::Config, "database", deployment, doing, words, "Use a smaller database number, or raise `databases` on the server.");
    if (!entry && has(words, "SELECT is not allowed in cluster mode"))
        return fault(Fault::Config, "database", deployment, doing, words, "A cluster has only database 0.");
    if (!entry && has(words, "unknown command"))
        return fault(Fault::Config, "unknown_command", deployment, doing, words, "The server does not know a command that is needed: Redis 6 or later is wanted, with EVALSHA, SCAN and SCRIPT LOAD not renamed.");
    if (!entry)
        return fault(Fault::Internal, "server_error", deployment, doing, words);
    std::string fix = entry->fix;
    if (const auto at = fix.find("USER"); entry->fault == Fault::Auth && at != std::string::npos)
        fix.replace(fix.rfind("USER "), 4, deployment.user.empty() ? "default" : deployment.user);
    return fault(entry->fault, entry->id, deployment, doing, words, std::move(fix));
}

Error cancelled(std::string_view doing) { return {Fault::Cancelled, "target.redis.cancelled", std::string(doing) + " was cancelled.", {}, {}}; }

} // namespace millrace::redis
