#include "core/target/redis/deployment.h"
#include "core/base/platform.h"
#include <charconv>
#include <filesystem>

namespace millrace::redis {

namespace {

Error bad(std::string id, std::string detail, std::string fix) { return {Fault::Config, "target.redis." + std::move(id), std::move(detail), std::move(fix), {}}; }

Result<std::chrono::milliseconds> milliseconds(const ConnectionUrl& url, const std::string& key, std::chrono::milliseconds otherwise)
{
    const auto found = url.options.find(key);
    if (found == url.options.end())
        return otherwise;
    int value = 0;
    const char* end = found->second.data() + found->second.size();
    const auto parsed = std::from_chars(found->second.data(), end, value);
    if (parsed.ec != std::errc() || parsed.ptr != end || value < 1 || value > 3'600'000)
        return bad("option", "The option " + key + " cannot be '" + found->second + "'.", "Use milliseconds between 1 and 3600000.");
    return std::chrono::milliseconds(value);
}

Result<std::string> file(const ConnectionParams& params, const std::string& key)
{
    const auto found = params.url.options.find(key);
    if (found == params.url.options.end() || found->second.empty())
        return std::string();
    std::filesystem::path path = found->second;
    if (path.is_relative() && !params.baseDir.empty())
        path = std::filesystem::path(params.baseDir) / path;
    if (auto text = platform::readFile(path.string(), 1 << 20); !text)
        return bad("tls_file", "The TLS file cannot be read: " + text.error().detail, "Check the path and that this user may read it.");
    return path.string();
}

Result<> applyTls(Deployment& deployment, const ConnectionParams& params)
{
    auto mode = tlsMode(params.url);
    if (!mode)
        return mode.error();
    deployment.tls = *mode;
    struct { const char* key; std::string& into; } files[] = {{"tls_ca", deployment.tlsCa}, {"tls_cert", deployment.tlsCert}, {"tls_key", deployment.tlsKey}};
    for (auto& [key, into] : files) {
        auto path = file(params, key);
        if (!path)
            return path.error();
        into = std::move(*path);
        if (!into.empty() && deployment.tls == TlsMode::Disable)
            return bad("tls", "TLS files are given, but the connection is not encrypted.", "Use rediss:// or add tls=verify-full to the URL, or remove the files.");
    }
    return {};
}

} // namespace

std::string Deployment::where() const
{
    std::string out;
    for (const auto& [host, port] : hosts)
        out += (out.empty() ? "" : ", ") + (host.find(':') != std::string::npos ? "[" + host + "]" : host) + ":" + std::to_string(port);
    return out;
}

Result<DeploymentPtr> makeDeployment(const ConnectionParams& params)
{
    const ConnectionUrl& url = params.url;
    auto out = std::make_shared<Deployment>();
    out->name = params.name;
    out->user = url.user;
    out->loopback = url.loopback();
    if (const auto secret = params.secrets.find("password"); secret != params.secrets.end())
        out->password = secret->second;
    if (!out->user.empty() && out->password.empty())
        return bad("no_password", "The user " + out->user + " is given without a password.", "Give the password beside the URL, or leave the user out.");
    if (const auto found = url.options.find("sentinel"); found != url.options.end())
        out->sentinel = found->second;
    if (const auto found = url.options.find("eviction"); found != url.options.end())
        out->mayEvict = found->second == "accept";
    if (!url.path.empty()) {
        const char* end = url.path.data() + url.path.size();
        const auto parsed = std::from_chars(url.path.data(), end, out->database);
        if (parsed.ec != std::errc() || parsed.ptr != end || out->database < 0)
            return bad("database", "'" + url.path + "' is not the number of a Redis database.", "Write redis://host:6379/0.");
    }
    out->hosts = url.hosts;
    if (out->hosts.empty())
        return bad("no_host", "The URL names no host.", "Write redis://host:6379/0.");
    for (auto& [host, port] : out->hosts)
        if (port == 0)
            port = out->sentinel.empty() ? 6379 : 26379;
    auto connect = milliseconds(url, "connect_timeout_ms", out->connectTimeout), request = milliseconds(url, "request_timeout_ms", out->requestTimeout);
    if (!connect) return connect.error();
    if (!request) return request.error();
    out->connectTimeout = *connect;
    out->requestTimeout = *request;
    if (auto done = applyTls(*out, params); !done)
        return done.error();
    return DeploymentPtr(std::move(out));
}

} // namespace millrace::redis
