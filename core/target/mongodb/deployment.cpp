#include "core/target/mongodb/deployment.h"
#include "core/base/platform.h"
#include "core/base/text.h"
#include "core/target/mongodb/mongodbtarget.h"
#include <charconv>
#include <filesystem>
#include <mutex>
#include <random>

namespace millrace::mongodb {

namespace {

Error bad(std::string id, std::string detail, std::string fix) { return {Fault::Config, "target.mongodb." + std::move(id), std::move(detail), std::move(fix), {}}; }

std::string hostText(const ConnectionUrl& url)
{
    std::string out;
    for (const auto& [host, port] : url.hosts) {
        if (!out.empty()) out += ',';
        out += host.find(':') != std::string::npos ? "[" + host + "]" : percentEncode(host);
        if (port && url.scheme == "mongodb") out += ":" + std::to_string(port);
    }
    return out;
}

// An option that the driver reads as a number, within bounds that make sense.
Result<int> numberOption(const ConnectionUrl& url, const std::string& key, int otherwise)
{
    const auto found = url.options.find(key);
    if (found == url.options.end())
        return otherwise;
    int value = 0;
    const char* end = found->second.data() + found->second.size();
    const auto parsed = std::from_chars(found->second.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end || value < 1 || value > 3'600'000)
        return bad("option", "The option " + key + " cannot be '" + found->second + "'.", "Use milliseconds between 1 and 3600000.");
    return value;
}

std::string resolved(const std::string& path, const std::string& baseDir)
{
    const std::filesystem::path p(path);
    return p.is_absolute() || baseDir.empty() ? path : (std::filesystem::path(baseDir) / p).string();
}

Result<std::string> readPem(const std::string& path)
{
    auto text = platform::readFile(path, 1 << 20);
    if (!text)
        return bad("tls_file", "The TLS file cannot be read: " + text.error().detail, "Check the path and that this user may read it.");
    return text;
}

// The driver wants certificate and key in one file.
Result<> applyClientCertificate(Deployment& deployment, const std::string& certificate, const std::string& key)
{
    std::string path = certificate.empty() ? key : certificate;
    if (path.empty())
        return {};
    if (!certificate.empty() && !key.empty() && certificate != key) {
        auto first = readPem(certificate), second = readPem(key);
        if (!first) return first.error();
        if (!second) return second.error();
        std::random_device random;
        path = (std::filesystem::temp_directory_path() / ("millrace-" + std::to_string(random()) + std::to_string(random()) + ".pem")).string();
        const std::string both = *first + "\n" + *second;
        if (auto made = platform::createFile(path); !made) return made.error();
        deployment.keyFile = path;
        if (auto written = platform::replaceFile(path, both); !written) return written.error();
    } else if (auto text = readPem(path); !text)
        return text.error();
    mongoc_uri_set_option_as_utf8(deployment.uri.get(), MONGOC_URI_TLSCERTIFICATEKEYFILE, path.c_str());
    return {};
}

Result<> applyTls(Deployment& deployment, const ConnectionParams& params)
{
    auto mode = tlsMode(params.url);
    if (!mode)
        return mode.error();
    deployment.tls = *mode;
    mongoc_uri_t* uri = deployment.uri.get();
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLS, *mode != TlsMode::Disable);
    const auto file = [&](const char* key) {
        const auto found = params.url.options.find(key);
        return found == params.url.options.end() || found->second.empty() ? std::string() : resolved(found->second, params.baseDir);
    };
    const std::string ca = file("tls_ca"), certificate = file("tls_cert"), key = file("tls_key");
    if (*mode == TlsMode::Disable) {
        if (!ca.empty() || !certificate.empty() || !key.empty())
            return bad("tls", "TLS files are given, but the connection is not encrypted.", "Add tls=verify-full to the URL, or remove the files.");
        return {};
    }
    if (*mode == TlsMode::Require)
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLSALLOWINVALIDCERTIFICATES, true);
    if (*mode == TlsMode::VerifyCa || *mode == TlsMode::Require)
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_TLSALLOWINVALIDHOSTNAMES, true);
    if (!ca.empty()) {
        if (auto text = readPem(ca); !text)
            return text.error();
        mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_TLSCAFILE, ca.c_str());
    }
    return applyClientCertificate(deployment, certificate, key);
}

Result<> applyWriteConcern(Deployment& deployment, const ConnectionUrl& url)
{
    if (const auto w = url.options.find("w"); w != url.options.end() && !w->second.empty())
        deployment.writeConcern = w->second;
    if (deployment.writeConcern == "0")
        return bad("write_concern", "w=0 asks the server not to answer, so no write could be proven.", "Use w=majority or w=1.");
    if (const auto journal = url.options.find("journal"); journal != url.options.end())
        deployment.journal = journal->second == "true";
    auto timeout = numberOption(url, "wtimeoutMS", 20'000);
    if (!timeout)
        return timeout.error();
    mongoc_write_concern_t* concern = mongoc_write_concern_new();
    int members = 0;
    const char* end = deployment.writeConcern.data() + deployment.writeConcern.size();
    const auto parsed = std::from_chars(deployment.writeConcern.data(), end, members);
    if (parsed.ec == std::errc() && parsed.ptr == end)
        mongoc_write_concern_set_w(concern, members);
    else if (deployment.writeConcern == "majority")
        mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY);
    else
        mongoc_write_concern_set_wtag(concern, deployment.writeConcern.c_str());
    mongoc_write_concern_set_journal(concern, deployment.journal);
    mongoc_write_concern_set_wtimeout_int64(concern, *timeout);
    mongoc_uri_set_write_concern(deployment.uri.get(), concern);
    mongoc_write_concern_destroy(concern);
    return {};
}

mongoc_read_mode_t readMode(std::string_view word)
{
    if (word == "primaryPreferred") return MONGOC_READ_PRIMARY_PREFERRED;
    if (word == "secondary") return MONGOC_READ_SECONDARY;
    if (word == "secondaryPreferred") return MONGOC_READ_SECONDARY_PREFERRED;
    if (word == "nearest") return MONGOC_READ_NEAREST;
    return MONGOC_READ_PRIMARY;
}

Result<> applyOptions(Deployment& deployment, const ConnectionUrl& url)
{
    mongoc_uri_t* uri = deployment.uri.get();
    if (const auto found = url.options.find("replicaSet"); found != url.options.end() && !found->second.empty())
        mongoc_uri_set_option_as_utf8(uri, MONGOC_URI_REPLICASET, found->second.c_str());
    if (const auto found = url.options.find("compressors"); found != url.options.end() && !found->second.empty())
        mongoc_uri_set_compressors(uri, found->second.c_str());
    if (const auto found = url.options.find("readPreference"); found != url.options.end())
        deployment.readMode = readMode(found->second);
    if (const auto found = url.options.find("directConnection"); found != url.options.end())
        mongoc_uri_set_option_as_bool(uri, MONGOC_URI_DIRECTCONNECTION, found->second == "true");
    const auto retry = url.options.find("retryWrites");
    mongoc_uri_set_option_as_bool(uri, MONGOC_URI_RETRYWRITES, retry == url.options.end() || retry->second == "true");
    const auto app = url.options.find("appName");
    mongoc_uri_set_appname(uri, app == url.options.end() || app->second.empty() ? "millrace" : app->second.c_str());
    auto connectMs = numberOption(url, "connectTimeoutMS", 5000), selectMs = numberOption(url, "serverSelectionTimeoutMS", 5000),
         requestMs = numberOption(url, "socketTimeoutMS", 30'000);
    for (const auto* value : {&connectMs, &selectMs, &requestMs})
        if (!*value)
            return value->error();
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_CONNECTTIMEOUTMS, *connectMs);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SERVERSELECTIONTIMEOUTMS, *selectMs);
    mongoc_uri_set_option_as_int32(uri, MONGOC_URI_SOCKETTIMEOUTMS, *requestMs);
    deployment.requestTimeout = std::chrono::milliseconds(*requestMs);
    return {};
}

void applyLogin(Deployment& deployment, const ConnectionUrl& url)
{
    mongoc_uri_t* uri = deployment.uri.get();
    if (!url.user.empty())
        mongoc_uri_set_username(uri, url.user.c_str());
    if (!deployment.password.empty())
        mongoc_uri_set_password(uri, deployment.password.revealCString());
    if (const auto source = url.options.find("authSource"); source != url.options.end() && !source->second.empty())
        mongoc_uri_set_auth_source(uri, source->second.c_str());
    if (const auto mechanism = url.options.find("authMechanism"); mechanism != url.options.end() && !mechanism->second.empty())
        mongoc_uri_set_auth_mechanism(uri, mechanism->second.c_str());
}

} // namespace

void initDriver()
{
    // Never cleaned up: a static destructor of ours could run before the last client of somebody else's.
    static std::once_flag once;
    std::call_once(once, [] {
        mongoc_init();
        mongoc_log_set_handler(nullptr, nullptr);
    });
}

Deployment::~Deployment()
{
    if (!keyFile.empty()) {
        std::error_code ignored;
        std::filesystem::remove(keyFile, ignored);
    }
}

std::string Deployment::where() const { return url.scheme + "://" + hostText(url) + "/" + database; }

Result<DeploymentPtr> makeDeployment(const ConnectionParams& params)
{
    if (auto known = checkOptions(params.url, mongodbSpec()); !known)
        return known.error();
    if (params.url.path.empty())
        return bad("no_database", "The MongoDB URL names no database.", "Write mongodb://host:27017/database.");
    if (params.url.path.find_first_of(std::string_view("/\\. \"$*<>:|?\0", 13)) != std::string::npos || params.url.path.size() > 63)
        return bad("database_name", "'" + params.url.path + "' cannot be a database of MongoDB.", "Use a name without / \\ . \" $ or spaces, of at most 63 bytes.");
    initDriver();
    auto deployment = std::make_shared<Deployment>();
    deployment->name = params.name;
    deployment->url = params.url;
    deployment->database = params.url.path;
    if (const auto secret = params.secrets.find("password"); secret != params.secrets.end())
        deployment->password = secret->second;
    const std::string text = params.url.scheme + "://" + hostText(params.url) + "/" + percentEncode(params.url.path);
    bson_error_t error{};
    deployment->uri = Uri(mongoc_uri_new_with_error(text.c_str(), &error));
    if (!deployment->uri)
        return bad("url", std::string("The driver refuses the URL: ") + error.message, "Check hosts and ports.");
    if (auto done = applyOptions(*deployment, params.url); !done) return done.error();
    if (auto done = applyWriteConcern(*deployment, params.url); !done) return done.error();
    if (auto done = applyTls(*deployment, params); !done) return done.error();
    deployment->uriWithoutLogin = Uri(mongoc_uri_copy(deployment->uri.get()));
    applyLogin(*deployment, params.url);
    return DeploymentPtr(std::move(deployment));
}

} // namespace millrace::mongodb
