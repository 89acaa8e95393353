#include "core/config/envimport.h"
#include "core/base/text.h"
#include "core/engine/connection.h"
#include <algorithm>
#include <optional>

namespace millrace {

namespace {

const std::vector<std::string> knownKeys{"MYSQL_HOST", "MYSQL_PORT", "MYSQL_USER", "MYSQL_PASSWORD", "MYSQL_PASSWORD_FILE", "MYSQL_DATABASE", "MONGODB_URL", "MONGODB_DATABASE",
    "PG_HOST", "PG_PORT", "PG_USER", "PG_PASSWORD", "PG_PASSWORD_FILE", "PG_DATABASE", "ES_HOST", "ES_PORT", "ES_USER", "ES_PASSWORD", "ES_PASSWORD_FILE", "ES_USE_SSL",
    "SYNC_INTERVAL", "SYNC_BATCH_SIZE", "SYNC_ENABLED", "SYNC_TABLES", "MIN_BATCH_SIZE", "MAX_BATCH_SIZE", "RATE_LIMIT", "POOL_SIZE", "SERVICE_TYPE"};

struct Value { std::string text; int line = 0; };
using Values = std::map<std::string, Value>;

Error envError(int line, const char* id, std::string detail, std::string fix = {})
{
    return {Fault::Config, std::string("config.") + id, (line > 0 ? "line " + std::to_string(line) + ": " : std::string()) + std::move(detail), std::move(fix), {}};
}

bool onlyComment(std::string_view rest)
{
    const std::string text = trimmed(rest);
    return text.empty() || text.front() == '#';
}

// What stands after '=': nullopt when a quote is not closed or something follows it.
std::optional<std::string> valueOf(std::string_view raw)
{
    const std::string text = trimmed(raw);
    if (text.empty() || text.front() == '#')
        return std::string();
    const char quote = text.front();
    if (quote == '\'' || quote == '"') {
        std::string out;
        for (std::size_t i = 1; i < text.size(); ++i) {
            if (text[i] == quote)
                return onlyComment(std::string_view(text).substr(i + 1)) ? std::optional(out) : std::nullopt;
            if (quote == '"' && text[i] == '\\' && i + 1 < text.size()) {
                const char next = text[++i];
                if (next == 'n') out += '\n';
                else if (next == 't') out += '\t';
                else if (next == '"' || next == '\\' || next == '$' || next == '`') out += next;
                else { out += '\\'; out += next; }
            } else
                out += text[i];
        }
        return std::nullopt;
    }
    // a # inside a word belongs to it (passwords have them); after a blank it begins a comment
    for (std::size_t i = 1; i < text.size(); ++i)
        if (text[i] == '#' && (text[i - 1] == ' ' || text[i - 1] == '\t'))
            return trimmed(std::string_view(text).substr(0, i));
    return text;
}

bool isKey(std::string_view key)
{
    return !key.empty() && !(key.front() >= '0' && key.front() <= '9') && std::all_of(key.begin(), key.end(), [](char c) {
        return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

class Importer {
public:
    Result<EnvImport> run(std::string_view text);
private:
    Result<> read(std::string_view text);
    Result<> addSource();
    Result<> addTarget();
    Result<> addSync();
    Result<ConnectionUrl> server(const char* prefix, const char* scheme);
    void addConnection(const char* name, const ConnectionUrl& url, const char* prefix);
    bool has(const char* key) const { const auto it = m_values.find(key); return it != m_values.end() && !it->second.text.empty(); }
    bool hasAny(const std::string& prefix) const { return std::any_of(m_values.begin(), m_values.end(), [&](const auto& one) { return one.first.starts_with(prefix) && !one.second.text.empty(); }); }
    std::string get(const std::string& key, const char* otherwise = "") const { const auto it = m_values.find(key); return it != m_values.end() && !it->second.text.empty() ? it->second.text : otherwise; }
    int line(const std::string& key) const { const auto it = m_values.find(key); return it == m_values.end() ? 0 : it->second.line; }
    Result<std::int64_t> number(const char* key, std::int64_t otherwise, std::int64_t least, std::int64_t most) const;
    Result<bool> flag(const char* key, bool otherwise) const;
    void note(const char* id, std::string text) { m_out.notes.push_back({std::string("env.") + id, std::move(text), {}}); }

    Values m_values;
    EnvImport m_out;
};

Result<> Importer::read(std::string_view text)
{
    if (text.starts_with("\xEF\xBB\xBF"))
        text.remove_prefix(3);
    if (!validUtf8(text) || text.find('\0') != std::string_view::npos)
        return envError(0, "encoding", "the file is not UTF-8 text.", "Save it as UTF-8.");
    int at = 0;
    for (const auto& raw : split(text, '\n')) {
        ++at;
        std::string lineText = trimmed(raw);
        if (onlyComment(lineText))
            continue;
        if (lineText.starts_with("export ") || lineText.starts_with("export\t"))
            lineText = trimmed(std::string_view(lineText).substr(7));
        const auto equals = lineText.find('=');
        const std::string key = trimmed(std::string_view(lineText).substr(0, equals));
        if (equals == std::string::npos || !isKey(key))
            return envError(at, "env_syntax", "this is no KEY=value line.", "Write one KEY=value a line; a comment starts with #.");
        auto value = valueOf(std::string_view(lineText).substr(equals + 1));
        if (!value)
            return envError(at, "env_syntax", "the quotes of " + key + " are not closed, or something follows them.", "Close them on the same line.");
        if (std::find(knownKeys.begin(), knownKeys.end(), key) == knownKeys.end()) {
            note("unknown_key", "line " + std::to_string(at) + ": " + key + " is not known" + didYouMean(key, knownKeys) + " and was left out.");
            continue;
        }
        if (m_values.contains(key))
            note("twice", "line " + std::to_string(at) + ": " + key + " stands there twice; the last one counts.");
        m_values[key] = {std::move(*value), at};
    }
    return {};
}

Result<std::int64_t> Importer::number(const char* key, std::int64_t otherwise, std::int64_t least, std::int64_t most) const
{
    if (!has(key))
        return otherwise;
    const std::int64_t value = Node(get(key)).integer(least - 1);
    if (value < least || value > most)
        return envError(line(key), "env_value", std::string(key) + " must be a whole number from " + std::to_string(least) + " to " + std::to_string(most) + ".");
    return value;
}

Result<bool> Importer::flag(const char* key, bool otherwise) const
{
    const Node value(lower(get(key)));
    if (!has(key))
        return otherwise;
    if (value.boolean(true) != value.boolean(false))
        return envError(line(key), "env_value", std::string(key) + " must be true or false.");
    return value.boolean();
}

Result<ConnectionUrl> Importer::server(const char* prefix, const char* scheme)
{
    const auto key = [&](const char* name) { return std::string(prefix) + name; };
    const std::string portKey = key("PORT");
    const auto port = number(portKey.c_str(), 0, 1, 65535);
    if (!port)
        return port.error();
    if (!has(key("HOST").c_str()))
        note("default", key("HOST") + " is not set: localhost.");
    ConnectionUrl url;
    url.scheme = scheme;
    url.user = get(key("USER"));
    url.hosts.emplace_back(get(key("HOST"), "localhost"), static_cast<std::uint16_t>(*port));
    url.path = get(key("DATABASE"));
    if (auto checked = parseUrl(url.text()); !checked)       // a host that is no host is found here, with its line
        return envError(line(key("HOST")), "env_value", key("HOST") + " is not a host name.", "Write the name or address alone; the port goes into " + portKey + ".");
    return url;
}

void Importer::addConnection(const char* name, const ConnectionUrl& url, const char* prefix)
{
    ConnectionDef def;
    def.name = name;
    def.url = url.text();
    const std::string password = std::string(prefix) + "PASSWORD", file = password + "_FILE";
    if (has(file.c_str()))
        def.secrets["password"] = {SecretRef::Kind::File, get(file)};
    else if (has(password.c_str())) {
        def.secrets["password"] = {SecretRef::Kind::Stored, {}};
        m_out.typedSecrets[def.name + "/password"] = get(password);
    }
    m_out.file.connections.push_back(std::move(def));
}

Result<> Importer::addSource()
{
    const bool mysql = hasAny("MYSQL_"), postgres = hasAny("PG_");
    if (mysql == postgres)
        return mysql ? envError(0, "env_two_sources", "the file names two sources, MYSQL_… and PG_….", "Keep one of them.")
                     : envError(0, "env_no_source", "the file names no source.", "Set MYSQL_HOST, MYSQL_PORT, MYSQL_USER, MYSQL_PASSWORD and MYSQL_DATABASE (or PG_…).");
    const char* prefix = mysql ? "MYSQL_" : "PG_";
    auto url = server(prefix, mysql ? "mysql" : "postgres");
    if (!url)
        return url.error();
    addConnection("source", *url, prefix);
    return {};
}

Result<> Importer::addTarget()
{
    const bool mongo = hasAny("MONGODB_"), elastic = hasAny("ES_");
    if (mongo == elastic)
        return mongo ? envError(0, "env_two_targets", "the file names two targets, MONGODB_… and ES_….", "Keep one of them.")
                     : envError(0, "env_no_target", "the file names no target.", "Set MONGODB_URL and MONGODB_DATABASE (or ES_HOST, …).");
    if (elastic) {
        auto url = server("ES_", "elasticsearch");
        const auto encrypted = flag("ES_USE_SSL", true);
        if (!url) return url.error();
        if (!encrypted) return encrypted.error();
        if (has("ES_USE_SSL"))
            url->options["tls"] = *encrypted ? "verify-full" : "disable";
        addConnection("target", *url, "ES_");
        return {};
    }
    Secret password;
    auto url = parseUrl(get("MONGODB_URL", "mongodb://localhost:27017"), &password);
    if (!url)
        return std::move(url).error().in("line " + std::to_string(line("MONGODB_URL")) + ": MONGODB_URL");
    if (url->scheme != "mongodb" && url->scheme != "mongodb+srv")
        return envError(line("MONGODB_URL"), "env_value", "MONGODB_URL must start with mongodb:// or mongodb+srv://.");
    if (!has("MONGODB_URL"))
        note("default", "MONGODB_URL is not set: mongodb://localhost:27017.");
    if (const std::string database = get("MONGODB_DATABASE"); !database.empty()) {
        if (!url->path.empty() && url->path != database)
            note("database", "MONGODB_DATABASE (" + database + ") is taken, not the database of MONGODB_URL (" + url->path + ").");
        // the login is checked where the URL said it is, which without authSource is the URL's own database
        if (!url->path.empty() && url->path != database && !url->user.empty() && !url->options.contains("authSource"))
            url->options["authSource"] = url->path;
        url->path = database;
    }
    if (url->path.empty())
        return envError(0, "env_no_target", "no database is named for MongoDB.", "Set MONGODB_DATABASE.");
    addConnection("target", *url, "MONGODB_");
    if (!password.empty()) {
        m_out.file.connections.back().secrets["password"] = {SecretRef::Kind::Stored, {}};
        m_out.typedSecrets["target/password"] = std::string(password.reveal());
    }
    return {};
}

Result<> Importer::addSync()
{
    SyncDef sync;
    sync.name = "default";
    sync.source = "source";
    sync.target = "target";
    const auto enabled = flag("SYNC_ENABLED", true);
    const auto interval = number("SYNC_INTERVAL", 300, 0, 31'536'000);
    const auto batch = number("SYNC_BATCH_SIZE", sync.settings.batchMax, 1, 1'000'000);
    const auto least = number("MIN_BATCH_SIZE", sync.settings.batchMin, 1, 1'000'000);
    const auto rate = number("RATE_LIMIT", 0, 0, 1'000'000'000);
    const auto pool = number("POOL_SIZE", sync.settings.pool, 1, 64);
    if (!enabled) return enabled.error();
    for (const auto* value : {&interval, &batch, &least, &rate, &pool})
        if (!*value)
            return value->error();
    const auto most = number("MAX_BATCH_SIZE", *batch, 1, 1'000'000);
    if (!most) return most.error();
    if (has("SYNC_BATCH_SIZE") && has("MAX_BATCH_SIZE"))
        note("batch", "MAX_BATCH_SIZE is taken, not SYNC_BATCH_SIZE.");
    sync.settings = {std::min(*least, *most), *most, *rate, *pool};
    if (has("MIN_BATCH_SIZE") && *least > *most)
        return envError(line("MIN_BATCH_SIZE"), "env_value", "MIN_BATCH_SIZE is above the largest batch.");
    if (*enabled && *interval > 0)
        sync.every = formatDuration(*interval * 1000);
    else
        note("by_hand", *enabled ? "SYNC_INTERVAL is 0: the sync runs by hand." : "SYNC_ENABLED is false: the sync runs by hand.");
    if (*enabled && !has("SYNC_INTERVAL"))
        note("default", "SYNC_INTERVAL is not set: every 5 minutes.");

    const bool mongo = hasAny("MONGODB_");
    const std::string tables = get("SYNC_TABLES", "all");
    const bool all = lower(tables) == "all" || tables == "*";
    if (all)
        sync.newTables = NewTables::Include;                 // "all" meant whatever tables there are
    for (const auto& part : all ? std::vector<std::string>{"*"} : split(tables, ',')) {
        TableRule rule;
        rule.name = trimmed(part);
        if (rule.name.empty())
            continue;
        if (mongo)
            rule.id = "objectid";
        sync.tables.push_back(std::move(rule));
    }
    if (sync.tables.empty())
        return envError(line("SYNC_TABLES"), "env_value", "SYNC_TABLES names no table.", "Write all, or names with commas between them.");
    if (has("SERVICE_TYPE"))
        note("service_type", "SERVICE_TYPE is not needed: millrace-cli serve does both.");
    m_out.file.syncs.push_back(std::move(sync));
    return {};
}

Result<EnvImport> Importer::run(std::string_view text)
{
    if (auto done = read(text); !done) return done.error();
    if (auto done = addSource(); !done) return done.error();
    if (auto done = addTarget(); !done) return done.error();
    if (auto done = addSync(); !done) return done.error();
    return std::move(m_out);
}

} // namespace

Result<EnvImport> importEnv(std::string_view text) { return Importer().run(text); }

} // namespace millrace
