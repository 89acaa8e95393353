#include "core/engine/connection.h"
#include "core/base/text.h"
#include <algorithm>
#include <arpa/inet.h>
#include <charconv>

namespace millrace {

namespace {

const std::vector<std::string> knownSchemes{"mysql", "mariadb", "postgres", "sqlite", "mongodb", "mongodb+srv", "embedded", "elasticsearch",
                                            "opensearch", "typesense", "redis", "rediss", "kafka", "null"};
const std::vector<std::string> secretOptions{"api_key", "apikey", "token", "passwd", "pwd", "sslpassword", "tlscertificatekeyfilepassword"};
const std::vector<std::string> tlsWords{"verify-full", "verify-ca", "require", "disable"};

// A URL may hold a password, so no message repeats more of it than the part that is wrong.
Error urlError(const char* id, std::string detail, std::string fix) { return {Fault::Config, std::string("config.url_") + id, std::move(detail), std::move(fix), {}}; }

const std::string encodeHint = "A '/', '?', '#' or '@' inside a user name, password or database name is written percent-encoded (%2F, %3F, %23, %40).";

bool contains(const std::vector<std::string>& words, std::string_view word) { return std::find(words.begin(), words.end(), word) != words.end(); }
bool isFile(std::string_view scheme) { return scheme == "sqlite" || scheme == "embedded"; }
bool isMongo(std::string_view scheme) { return scheme == "mongodb" || scheme == "mongodb+srv"; }
bool takesHosts(std::string_view scheme) { return scheme == "mongodb" || scheme == "kafka" || scheme == "redis" || scheme == "rediss"; }

// Everything but what would end the part or be read as an escape stays readable: slashes and spaces of a path are kept.
std::string encodePath(std::string_view path, bool file)
{
    std::string out;
    for (const char c : path) {
        if (c == '%' || c == '?' || (c == '@' && !file) || c == '#' || static_cast<unsigned char>(c) <= ' ')
            out += percentEncode({&c, 1});
        else
            out += c;
    }
    return out;
}

std::string encodeValue(std::string_view value)
{
    std::string out;
    for (const char c : value)
        out += c == '/' || c == ':' || c == ',' || c == '@' ? std::string(1, c) : percentEncode({&c, 1});
    return out;
}

Result<> parseHosts(std::string_view text, bool mayEcho, ConnectionUrl& url)
{
    const auto show = [&](std::string_view part) { return mayEcho ? " '" + std::string(part) + "'" : std::string(); };
    for (const auto& part : split(text, ',')) {
        std::string_view host = part, port;
        bool hasPort = false;
        if (host.starts_with('[')) {
            const auto close = host.find(']');
            if (close == std::string_view::npos)
                return urlError("host", "The IPv6 address" + show(part) + " has no closing bracket.", "Write it as [::1]:3306.");
            port = host.substr(close + 1);
            host = host.substr(1, close - 1);
            in6_addr address{};
            if (inet_pton(AF_INET6, std::string(host.substr(0, host.find('%'))).c_str(), &address) != 1)
                return urlError("host", "What stands in brackets is no IPv6 address" + (mayEcho ? ":" + show(host) : "") + ".", "Write it as [::1]:3306.");
            if (!port.empty() && !port.starts_with(':'))
                return urlError("port", "A port is expected after the brackets.", "Write it as [::1]:3306.");
            hasPort = !port.empty();
        } else {
            if (std::count(host.begin(), host.end(), ':') > 1)
                return urlError("host", "The host" + show(part) + " has more than one colon.", "Write an IPv6 address in brackets: [::1]:3306. " + encodeHint);
            const auto colon = host.find(':');
            hasPort = colon != std::string_view::npos;
            port = hasPort ? host.substr(colon) : std::string_view();
            host = host.substr(0, colon);
        }
        unsigned number = 0;
        if (hasPort) {
            port.remove_prefix(1);
            const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
            if (error != std::errc() || end != port.data() + port.size() || number == 0 || number > 65535)
                return urlError("port", "The port" + show(port) + " is not a number from 1 to 65535.", encodeHint);
        }
        const std::string decoded = percentDecode(host);
        if (decoded.empty())
            return urlError("host", "A host name is missing.", "Write scheme://user@host:port/database.");
        if (decoded.find_first_of(" \t\r\n\\\"'<>") != std::string::npos || decoded.find('\0') != std::string::npos)
            return urlError("host", "The host" + show(decoded) + " has a character that no host name has.", encodeHint);
        url.hosts.emplace_back(decoded, static_cast<std::uint16_t>(number));
    }
    return {};
}

Result<> parseOptions(std::string_view text, ConnectionUrl& url, std::string& password)
{
    for (const auto& pair : split(text, '&')) {
        if (pair.empty())
            continue;
        const auto equals = pair.find('=');
        const std::string key = percentDecode(std::string_view(pair).substr(0, equals));
        std::string value = equals == std::string::npos ? std::string() : percentDecode(std::string_view(pair).substr(equals + 1));
        if (key.empty())
            return urlError("option", "An option has no name.", "Write options as ?name=value&name=value.");
        if (key.find('@') != std::string::npos)
            return urlError("password", "An '@' stands after the first '?'.", encodeHint);
        if (lower(key) == "password") {
            password = std::move(value);
            continue;
        }
        if (contains(secretOptions, lower(key)))
            return urlError("secret", "The option '" + key + "' is a secret and must not stand in a URL.",
                            "Give it beside the URL, as {env: NAME}, {file: PATH} or {keychain: NAME}.");
        if (!url.options.emplace(key, std::move(value)).second)
            return urlError("option", "The option '" + key + "' is there twice.", "Keep one of the two.");
    }
    return {};
}

bool loopbackName(std::string_view host)
{
    if (host.starts_with('/'))
        return true;                                         // a unix socket
    const std::string name = lower(host);
    if (name == "localhost" || name == "localhost." || name.ends_with(".localhost"))
        return true;
    in_addr v4{};
    if (inet_pton(AF_INET, name.c_str(), &v4) == 1)          // not a prefix test: 127.example.com is somebody else's
        return (ntohl(v4.s_addr) >> 24) == 127;
    in6_addr v6{};
    if (inet_pton(AF_INET6, name.substr(0, name.find('%')).c_str(), &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6) || (IN6_IS_ADDR_V4MAPPED(&v6) && v6.s6_addr[12] == 127);
    return false;
}

} // namespace

Result<ConnectionUrl> parseUrl(std::string_view raw, Secret* password)
{
    const std::string text = trimmed(raw);
    ConnectionUrl url;
    std::string secret;
    const auto colon = text.find(':');
    url.scheme = colon == std::string::npos ? std::string() : lower(std::string_view(text).substr(0, colon));
    if (url.scheme == "postgresql")
        url.scheme = "postgres";
    if (!contains(knownSchemes, url.scheme)) {
        // without a known scheme the first word may be a pasted password: only a plain word is repeated
        const bool plain = !url.scheme.empty() && url.scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+.-") == std::string::npos
            && std::string_view(text).substr(colon).starts_with("://");
        return urlError("scheme", plain ? "No store is known by the scheme '" + url.scheme + "'" + didYouMean(url.scheme, knownSchemes) + "." : "A connection URL starts with a scheme.",
                        "Known schemes: " + join(knownSchemes, ", ") + ". For example mysql://user@host:3306/database or sqlite:///path/to/file.db.");
    }
    std::string_view rest = std::string_view(text).substr(colon + 1);
    if (rest.find('\0') != std::string_view::npos)
        return urlError("character", "The URL holds a zero byte.", "Remove it.");

    const auto question = rest.find('?');
    if (question != std::string_view::npos) {
        if (auto done = parseOptions(rest.substr(question + 1), url, secret); !done)
            return done.error();
        rest = rest.substr(0, question);
    }

    if (url.scheme == "null") {
        if (!rest.empty() && rest != "//" && rest != "///")
            return urlError("path", "The scheme null takes no host and no path.", "Write null: alone.");
    } else if (isFile(url.scheme)) {
        if (rest.starts_with("//") && !rest.starts_with("///"))
            return urlError("path", "A file URL has no host.", "Write " + url.scheme + ":///absolute/path.db (three slashes) or " + url.scheme + ":relative/path.db.");
        if (rest.starts_with("///"))
            rest.remove_prefix(2);
        url.path = percentDecode(rest);
        if (url.path.empty() || url.path == "/")
            return urlError("path", "The URL names no file.", "Write " + url.scheme + ":///absolute/path.db or " + url.scheme + ":relative/path.db.");
    } else {
        if (!rest.starts_with("//"))
            return urlError("host", "After '" + url.scheme + ":' two slashes are expected.", "Write " + url.scheme + "://user@host/database.");
        rest.remove_prefix(2);
        const auto slash = rest.find('/');
        std::string_view authority = rest.substr(0, slash);
        // "u:12/34@host": without this the start of a password would be taken for host and port, and shown again
        if (authority.find('@') == std::string_view::npos && slash != std::string_view::npos && rest.substr(slash).find('@') != std::string_view::npos)
            return urlError("password", "An '@' stands after the first '/'.", encodeHint);
        const bool mayEcho = text.find('@') == std::string::npos || authority.find('@') != std::string_view::npos;
        if (slash != std::string_view::npos)
            url.path = percentDecode(rest.substr(slash + 1));
        if (const auto at = authority.rfind('@'); at != std::string_view::npos) {
            const auto login = authority.substr(0, at);
            const auto separator = login.find(':');
            url.user = percentDecode(login.substr(0, separator));
            if (separator != std::string_view::npos)
                secret = percentDecode(login.substr(separator + 1));
            authority = authority.substr(at + 1);
        }
        if (!authority.empty())
            if (auto done = parseHosts(authority, mayEcho, url); !done)
                return done.error();
        if (url.hosts.size() > 1 && !takesHosts(url.scheme))
            return urlError("host", "The scheme '" + url.scheme + "' takes one host, not " + std::to_string(url.hosts.size()) + ".", "Make one connection for each server.");
        if (url.scheme == "mongodb+srv" && url.hosts.size() == 1 && url.hosts[0].second != 0)
            return urlError("port", "mongodb+srv takes no port: the DNS entry names the servers and their ports.", "Leave the port out, or use mongodb://.");
        // libpq allows the host as an option; only a socket folder stays one
        if (const auto host = url.options.find("host"); url.scheme == "postgres" && url.hosts.empty() && host != url.options.end() && !host->second.starts_with('/')) {
            url.hosts.emplace_back(host->second, std::uint16_t{0});
            url.options.erase(host);
        }
        const bool socket = url.options.contains("socket") || url.scheme == "postgres";
        if (url.hosts.empty() && !socket)
            return urlError("host", "The URL names no host.", "Write " + url.scheme + "://user@host/database"
                            + (url.scheme == "mysql" || url.scheme == "mariadb" ? ", or ?socket=/path for a unix socket." : "."));
    }
    if (url.user.find('\0') != std::string::npos || url.path.find('\0') != std::string::npos)
        return urlError("character", "The URL holds a zero byte.", "Remove the %00.");
    if (password && !secret.empty())
        *password = Secret(std::move(secret));
    return url;
}

const std::string& ConnectionUrl::host() const
{
    static const std::string none;
    return hosts.empty() ? none : hosts.front().first;
}

std::uint16_t ConnectionUrl::port(std::uint16_t otherwise) const { return hosts.empty() || hosts.front().second == 0 ? otherwise : hosts.front().second; }

bool ConnectionUrl::loopback() const
{
    return std::all_of(hosts.begin(), hosts.end(), [](const auto& host) { return loopbackName(host.first); });
}

std::string ConnectionUrl::text() const
{
    std::string out = scheme + ":";
    if (isFile(scheme))
        out += (path.starts_with('/') ? "//" : "") + encodePath(path, true);
    else if (scheme != "null") {
        out += "//";
        if (!user.empty())
            out += percentEncode(user) + "@";
        for (std::size_t i = 0; i < hosts.size(); ++i) {
            const auto& [name, number] = hosts[i];
            if (i) out += ',';
            out += name.find(':') != std::string::npos ? "[" + name + "]" : percentEncode(name);
            if (number) out += ":" + std::to_string(number);
        }
        if (!path.empty() || hosts.empty())
            out += "/" + encodePath(path, false);
    }
    char separator = '?';
    for (const auto& [key, value] : options) {
        out += separator + percentEncode(key) + "=" + encodeValue(value);
        separator = '&';
    }
    return out;
}

Result<TlsMode> tlsMode(const ConnectionUrl& url)
{
    const bool implied = url.scheme == "mongodb+srv" || url.scheme == "rediss";
    auto option = url.options.find("tls");
    if (option == url.options.end() && isMongo(url.scheme))
        option = url.options.find("ssl");
    if (option == url.options.end()) {
        if (implied)
            return TlsMode::VerifyFull;
        return url.loopback() || url.scheme == "redis" ? TlsMode::Disable : TlsMode::VerifyFull;
    }
    const std::string word = lower(option->second);
    TlsMode mode = TlsMode::VerifyFull;
    if (word == "verify-full") mode = TlsMode::VerifyFull;
    else if (word == "verify-ca") mode = TlsMode::VerifyCa;
    else if (word == "require") mode = TlsMode::Require;
    else if (word == "disable") mode = TlsMode::Disable;
    else if (isMongo(url.scheme) && word == "true") mode = TlsMode::VerifyFull;
    else if (isMongo(url.scheme) && word == "false") mode = TlsMode::Disable;
    else
        return urlError("tls", "tls=" + option->second + " is not known" + didYouMean(word, tlsWords) + ".", "Use one of " + join(tlsWords, ", ") + (isMongo(url.scheme) ? ", true, false." : "."));
    if (implied && mode == TlsMode::Disable)
        return urlError("tls", url.scheme + ":// is always encrypted; tls=" + option->second + " contradicts it.", url.scheme == "rediss" ? "Use redis:// for a plaintext connection." : "Use mongodb:// for a plaintext connection.");
    return mode;
}

Result<> checkOptions(const ConnectionUrl& url, const ConnectorSpec& spec)
{
    std::vector<std::string> known;
    for (const auto& field : spec.fields)
        if (field.option)
            known.push_back(field.key);
    for (const auto& [key, value] : url.options) {
        const auto field = std::find_if(spec.fields.begin(), spec.fields.end(), [&name = key](const FieldSpec& f) { return f.option && f.key == name; });
        if (field == spec.fields.end())
            return urlError("option", spec.label + " has no option '" + key + "'" + didYouMean(key, known) + ".",
                            known.empty() ? "It takes no options." : "Known options: " + join(known, ", ") + ".");
        if (key == "tls") {
            if (auto mode = tlsMode(url); !mode)
                return mode.error();
        } else if (!field->choices.empty() && !contains(field->choices, value))
            return urlError("option_value", "The option '" + key + "' cannot be '" + value + "'" + didYouMean(value, field->choices) + ".", "Use one of " + join(field->choices, ", ") + ".");
        else if (field->kind == FieldSpec::Kind::Flag && value != "true" && value != "false")
            return urlError("option_value", "The option '" + key + "' cannot be '" + value + "'.", "Use true or false.");
    }
    return {};
}

} // namespace millrace
