#include "core/target/mongodb/faults.h"

namespace millrace::mongodb {

namespace {

struct Known { int code; Fault fault; const char* id; const char* fix; };

// Codes of the server (src/mongo/base/error_codes.yml), as far as they change what a caller can do.
constexpr Known knownCodes[] = {
    {13, Fault::Auth, "privilege", "Give the user readWrite on the database: db.grantRolesToUser(\"USER\", [{role: \"readWrite\", db: \"DATABASE\"}])."},
    {18, Fault::Auth, "login", "Check user and password. If the user was made in admin, add authSource=admin to the URL."},
    {8000, Fault::Auth, "login", "Check user and password."},
    {14031, Fault::Storage, "disk_full", "Free space on the MongoDB server."},
    {100, Fault::Config, "write_concern", "The replica set has too few members for this w. Use w=majority."},
    {79, Fault::Config, "write_concern", "The replica set knows no such w. Use w=majority."},
    {2, Fault::Internal, "refused", ""},
    {20, Fault::Config, "unsupported", "Start the server as a replica set; one member is enough."},
    {13297, Fault::Config, "database_case", "A database of the same name in other case exists. Use its exact name."},
    {50, Fault::Timeout, "timeout", ""},
    {64, Fault::Timeout, "not_acknowledged", "See whether all members of the replica set are up."},
    {16500, Fault::Throttled, "throttled", ""},
    {26, Fault::Schema, "collection_gone", "The collection was dropped. Run the table again in full."},
};

bool has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

Error made(Fault fault, std::string id, const Deployment& deployment, std::string_view doing, std::string_view words, std::string fix)
{
    std::string detail(doing);
    if (!detail.empty()) detail += ": ";
    detail += words;
    return {fault, "target.mongodb." + std::move(id), redact(std::move(detail), deployment.password), std::move(fix), {}};
}

std::string filled(std::string fix, const Deployment& deployment)
{
    const auto put = [&](std::string_view what, const std::string& with) {
        if (const auto at = fix.find(what); at != std::string::npos) fix.replace(at, what.size(), with);
    };
    put("USER", deployment.url.user.empty() ? "USER" : deployment.url.user);
    put("DATABASE", deployment.database);
    return fix;
}

Error unreachable(const bson_error_t& error, const Deployment& deployment, std::string_view doing)
{
    const std::string_view words = error.message;
    if (has(words, "uthentication failed") || has(words, "uth error"))
        return made(Fault::Auth, "login", deployment, doing, words, filled(knownCodes[1].fix, deployment));
    if (has(words, "certificate") || has(words, "TLS") || has(words, "SSL"))
        return made(Fault::Config, "tls", deployment, doing, words, "Check the CA file (tls_ca) and that the certificate names this host; tls=disable only on a network you trust.");
    if (deployment.tls == TlsMode::Disable && has(words, "connection closed"))
        return made(Fault::Network, "connection_closed", deployment, doing, words, "If the server requires TLS, add tls=verify-full to the URL.");
    if (has(words, "Failed to resolve"))
        return made(Fault::Network, "unknown_host", deployment, doing, words, "Check the host name.");
    return made(Fault::Network, "unreachable", deployment, doing, words, "Check host and port, that the server runs, and that a replica set's own host names resolve here.");
}

} // namespace

bool transientCode(int code)
{
    switch (code) {
    case 6: case 7: case 89: case 91: case 112: case 134: case 189: case 246: case 262: case 9001: case 10107: case 11600: case 11602: case 13435:
    case 13436: case 50: case 64: case 16500: case 63: case 133: case 234: case 365: return true;
    default: return false;
    }
}

Error faultOf(const bson_error_t& error, const bson_t* reply, const Deployment& deployment, std::string_view doing)
{
    const std::string_view words = error.message;
    const int code = static_cast<int>(error.code);
    switch (error.domain) {
    case MONGOC_ERROR_SERVER_SELECTION: return unreachable(error, deployment, doing);
    case MONGOC_ERROR_STREAM:
        if (has(words, "certificate") || has(words, "TLS") || has(words, "SSL")) return unreachable(error, deployment, doing);
        if (has(words, "timeout") || has(words, "timed out")) return made(Fault::Timeout, "timeout", deployment, doing, words, "");
        return made(Fault::Network, "connection", deployment, doing, words, "");
    case MONGOC_ERROR_CLIENT:
        if (code == MONGOC_ERROR_CLIENT_AUTHENTICATE) return made(Fault::Auth, "login", deployment, doing, words, filled(knownCodes[1].fix, deployment));
        break;
    case MONGOC_ERROR_SCRAM: return made(Fault::Auth, "login", deployment, doing, words, filled(knownCodes[1].fix, deployment));
    case MONGOC_ERROR_PROTOCOL: return made(Fault::Network, "connection", deployment, doing, words, "");
    default: break;
    }
    for (const Known& known : knownCodes)
        if (known.code == code && (error.domain == MONGOC_ERROR_SERVER || error.domain == MONGOC_ERROR_WRITE_CONCERN || error.domain == MONGOC_ERROR_QUERY))
            return made(known.fault, known.id, deployment, doing, words, filled(known.fix, deployment));
    if (transientCode(code) || (reply && (mongoc_error_has_label(reply, "RetryableWriteError") || mongoc_error_has_label(reply, "TransientTransactionError"))))
        return made(Fault::Network, code == 189 || code == 10107 || code == 13435 ? "not_primary" : "interrupted", deployment, doing, words, "");
    return made(Fault::Internal, "server_error", deployment, doing, std::string(words) + " (code " + std::to_string(code) + ")", "");
}

std::optional<Error> writeConcernError(const bson_t* reply, const Deployment& deployment, std::string_view doing)
{
    bson_iter_t iter, items, item;
    if (!bson_iter_init_find(&iter, reply, "writeConcernErrors") || !BSON_ITER_HOLDS_ARRAY(&iter) || !bson_iter_recurse(&iter, &items) || !bson_iter_next(&items)
        || !BSON_ITER_HOLDS_DOCUMENT(&items))
        return std::nullopt;
    int code = 0;
    std::string words = "the write concern was not met";
    if (bson_iter_recurse(&items, &item))
        while (bson_iter_next(&item)) {
            if (BSON_ITER_IS_KEY(&item, "code") && BSON_ITER_HOLDS_NUMBER(&item)) code = static_cast<int>(bson_iter_as_int64(&item));
            if (BSON_ITER_IS_KEY(&item, "errmsg") && BSON_ITER_HOLDS_UTF8(&item)) words = bson_iter_utf8(&item, nullptr);
        }
    for (const Known& known : knownCodes)
        if (known.code == code && known.fault == Fault::Config)
            return made(known.fault, known.id, deployment, doing, words, filled(known.fix, deployment));
    // The documents may be there, but not durably: the payload is written again, which is harmless (Invariants 1 and 4).
    return made(Fault::Timeout, "not_acknowledged", deployment, doing, words + " (code " + std::to_string(code) + ")", filled(knownCodes[10].fix, deployment));
}

Error cancelled(std::string_view doing) { return {Fault::Cancelled, "target.mongodb.cancelled", std::string(doing) + " was cancelled.", {}, {}}; }

} // namespace millrace::mongodb
