#include "core/target/search/cluster.h"
#include "core/base/platform.h"
#include <charconv>
#include <filesystem>

namespace millrace::search {

namespace {

Result<std::optional<int>> numberOption(const Cluster& cluster, const std::string& key, int least, int most)
{
    const auto found = cluster.url.options.find(key);
    if (found == cluster.url.options.end() || found->second.empty())
        return std::optional<int>();
    int value = 0;
    const char* end = found->second.data() + found->second.size();
    const auto parsed = std::from_chars(found->second.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end || value < least || value > most)
        return cluster.error(Fault::Config, "option", "The option " + key + " cannot be '" + found->second + "'.",
                             "Use a number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
    return std::optional<int>(value);
}

Result<std::string> pemFile(const Cluster& cluster, const ConnectionParams& params, const std::string& option)
{
    const auto found = params.url.options.find(option);
    if (found == params.url.options.end() || found->second.empty())
        return std::string();
    std::filesystem::path path = found->second;
    if (path.is_relative() && !params.baseDir.empty())
        path = std::filesystem::path(params.baseDir) / path;
    if (auto text = platform::readFile(path.string(), 1 << 20); !text)
        return cluster.error(Fault::Config, "tls_file", "The TLS file cannot be read: " + text.error().detail, "Check the path and that this user may read it.");
    return path.string();
}

Result<> applyTls(Cluster& cluster, const ConnectionParams& params)
{
    auto mode = tlsMode(params.url);
    if (!mode)
        return mode.error();
    cluster.tls = *mode;
    for (const auto& [option, field] : {std::pair<const char*, std::string*>{"tls_ca", &cluster.ca}, {"tls_cert", &cluster.certificate}, {"tls_key", &cluster.key}}) {
        auto path = pemFile(cluster, params, option);
        if (!path)
            return path.error();
        *field = *path;
    }
    if (cluster.tls == TlsMode::Disable && !(cluster.ca + cluster.certificate + cluster.key).empty())
        return cluster.error(Fault::Config, "tls", "TLS files are given, but the connection is not encrypted.", "Add tls=verify-full to the URL, or remove the files.");
    return {};
}

} // namespace

Error Cluster::error(Fault fault, std::string_view id, std::string detail, std::string fix) const
{
    for (const Secret* secret : {&password, &apiKey, &token})
        if (!secret->empty())
            detail = redact(std::move(detail), *secret);
    return {fault, "target." + kind + "." + std::string(id), std::move(detail), std::move(fix), {}};
}

Result<ClusterPtr> makeCluster(const ConnectionParams& params, const ConnectorSpec& spec)
{
    if (auto known = checkOptions(params.url, spec); !known)
        return known.error();
    auto cluster = std::make_shared<Cluster>();
    cluster->kind = spec.id;
    cluster->label = spec.label;
    cluster->name = params.name;
    cluster->url = params.url;
    if (params.url.host().empty())
        return cluster->error(Fault::Config, "no_host", "The URL of " + params.name + " names no host.", "Write " + spec.id + "://user@host:9200.");
    for (const auto& [name, secret] : {std::pair<const char*, Secret*>{"password", &cluster->password}, {"api_key", &cluster->apiKey}, {"token", &cluster->token}})
        if (const auto found = params.secrets.find(name); found != params.secrets.end())
            *secret = found->second;
    if (const int ways = !cluster->password.empty() + !cluster->apiKey.empty() + !cluster->token.empty(); ways > 1)
        return cluster->error(Fault::Config, "login", "The connection " + params.name + " has more than one secret.", "Give one of password, api_key and token.");
    if (!cluster->password.empty() && params.url.user.empty())
        return cluster->error(Fault::Config, "login", "The connection " + params.name + " has a password but no user.", "Write " + spec.id + "://user@host:9200.");
    if (auto done = applyTls(*cluster, params); !done)
        return done.error();
    // A header with the secret would go over the wire in the clear.
    if (cluster->tls == TlsMode::Disable && !params.url.loopback() && !(cluster->password.empty() && cluster->apiKey.empty() && cluster->token.empty())
        && params.url.options.find("tls") == params.url.options.end())
        return cluster->error(Fault::Config, "tls", "The login would go unencrypted.", "Add tls=verify-full to the URL.");
    for (const auto& [option, field] : {std::pair<const char*, std::optional<int>*>{"shards", &cluster->shards}, {"replicas", &cluster->replicas}}) {
        auto value = numberOption(*cluster, option, std::string_view(option) == "shards" ? 1 : 0, 1024);
        if (!value)
            return value.error();
        *field = *value;
    }
    for (const auto& [option, field] : {std::pair<const char*, std::chrono::milliseconds*>{"connectTimeoutMS", &cluster->connectTimeout}, {"requestTimeoutMS", &cluster->requestTimeout}}) {
        auto value = numberOption(*cluster, option, 100, 3'600'000);
        if (!value)
            return value.error();
        if (*value)
            *field = std::chrono::milliseconds(**value);
    }
    const std::string& host = params.url.host();
    cluster->base = std::string(cluster->tls == TlsMode::Disable ? "http://" : "https://") + (host.find(':') == std::string::npos ? host : "[" + host + "]") + ":"
                  + std::to_string(params.url.port(spec.defaultPort));
    if (!params.url.path.empty())
        cluster->base += "/" + params.url.path;
    while (cluster->base.ends_with('/'))
        cluster->base.pop_back();
    return ClusterPtr(std::move(cluster));
}

} // namespace millrace::search
