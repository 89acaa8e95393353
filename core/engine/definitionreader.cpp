#include "core/engine/definition.h"
#include "core/base/text.h"
#include "core/data/schema.h"
#include "core/engine/connection.h"
#include <algorithm>
#include <array>

namespace millrace {

namespace {

using Words = std::vector<std::string>;

Error fileError(int line, const char* id, std::string detail, std::string fix)
{
    return {Fault::Config, std::string("config.") + id, (line > 0 ? "line " + std::to_string(line) + ": " : std::string()) + std::move(detail), std::move(fix), {}};
}

// Reads one map of the file. The first error is kept; what is asked after it changes nothing.
class MapReader {
public:
    MapReader(const Node& node, std::string where, const Words& known) : m_node(node), m_where(std::move(where))
    {
        if (!node.isMap()) {
            fail(node.line, "wrong_kind", m_where + " must be a map (key: value).", {});
            return;
        }
        for (const auto& [key, value] : node.fields()) {
            if (std::find(known.begin(), known.end(), key) == known.end())
                fail(value.line, "unknown_key", m_where + " has no key '" + key + "'" + didYouMean(key, known) + ".", "Known keys: " + join(known, ", ") + ".");
            else if (&value != node.find(key))
                fail(value.line, "key_twice", m_where + " has the key '" + key + "' twice.", "Keep one of the two.");
        }
    }

    const Node* find(const char* key) const { return m_error ? nullptr : m_node.find(key); }
    bool failed() const { return m_error.has_value(); }
    Result<> done() { return m_error ? Result<>(*m_error) : Result<>(); }
    void fail(int line, const char* id, std::string detail, std::string fix) { if (!m_error) m_error = fileError(line, id, std::move(detail), std::move(fix)); }
    void fail(Error error) { if (!m_error) m_error = std::move(error); }
    void wrong(const Node& node, const char* key, const std::string& wanted) { fail(node.line, "wrong_value", m_where + ": '" + key + "' must be " + wanted + ".", {}); }

    void text(const char* key, std::string& out)
    {
        const Node* node = find(key);
        if (!node)
            return;
        if (node->isScalar()) out = node->scalar();
        else if (!node->isNull()) wrong(*node, key, "a text");
    }
    void text(const char* key, std::optional<std::string>& out)
    {
        if (const Node* node = find(key); node && !node->isNull())
            text(key, out.emplace());
    }
    void required(const char* key, std::string& out)
    {
        text(key, out);
        if (out.empty())
            fail(m_node.line, "missing_key", m_where + " needs '" + key + "'.", {});
    }
    void number(const char* key, std::int64_t& out, std::int64_t least, std::int64_t most)
    {
        const Node* node = find(key);
        if (!node)
            return;
        const std::int64_t value = node->integer(least - 1);
        if (value < least || value > most)
            return wrong(*node, key, "a whole number from " + std::to_string(least) + " to " + std::to_string(most));
        out = value;
    }
    void flag(const char* key, bool& out)
    {
        const Node* node = find(key);
        if (!node)
            return;
        if (!node->isScalar() || node->boolean(true) != node->boolean(false))
            return wrong(*node, key, "true or false");
        out = node->boolean();
    }
    void duration(const char* key, std::int64_t& ms, std::int64_t least)
    {
        const Node* node = find(key);
        if (!node)
            return;
        const auto value = parseDuration(node->string());
        if (!value || *value < least)
            return wrong(*node, key, "a duration such as 250ms, 2s, 5m, 1h or 1d" + std::string(least > 0 ? ", above zero" : ""));
        ms = *value;
    }
    //! "5", "300s" and "5m" are one interval: kept in its shortest form, so that nothing looks changed that is not.
    void interval(const char* key, std::string& out)
    {
        std::int64_t ms = 0;
        duration(key, ms, 1);
        if (ms > 0)
            out = formatDuration(ms);
    }
    void list(const char* key, Words& out)
    {
        const Node* node = find(key);
        if (!node || node->isNull())
            return;
        if (node->isScalar()) { out = {node->scalar()}; return; }
        for (const Node& item : node->items()) {
            if (!item.isScalar() || item.scalar().empty())
                return wrong(*node, key, "a list of names");
            out.push_back(item.scalar());
        }
        if (node->isMap())
            wrong(*node, key, "a list of names");
    }
    template <class Word, std::size_t N> void word(const char* key, Word& out, const std::array<Word, N>& all, std::string_view (*name)(Word))
    {
        const Node* node = find(key);
        if (!node)
            return;
        Words known;
        for (const Word candidate : all) {
            if (node->isScalar() && node->scalar() == name(candidate)) { out = candidate; return; }
            known.emplace_back(name(candidate));
        }
        fail(node->line, "unknown_word", m_where + ": '" + key + "' cannot be '" + node->string() + "'" + didYouMean(node->string(), known) + ".", "Use one of " + join(known, ", ") + ".");
    }
    const std::string& where() const { return m_where; }

private:
    const Node& m_node;
    std::string m_where;
    std::optional<Error> m_error;
};

constexpr std::array allStrategies{Strategy::Full, Strategy::Timestamp, Strategy::ChangeLog, Strategy::Log, Strategy::Topic, Strategy::Push, Strategy::Auto};
constexpr std::array allIfExists{IfExists::Stop, IfExists::Write, IfExists::Rebuild};
constexpr std::array allNewTables{NewTables::Include, NewTables::Ask, NewTables::Ignore};
constexpr std::array allPolicies{ValuePolicy::Null, ValuePolicy::Text, ValuePolicy::Fail};
const Words secretKeys{"password", "api_key", "token"};
// Kept for export, not acted on yet: see unsupportedKeys().
const Words laterKeys{"cron", "envelope", "nest", "rebuild", "reconcile"};
const Words laterColumnKeys{"mask", "cast", "add"};

Result<> checkName(const char* what, const std::string& name, int line)
{
    const bool odd = std::any_of(name.begin(), name.end(), [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '/' || c == ','; });
    if (name.empty() || name.size() > 100 || odd || trimmed(name) != name)
        return fileError(line, "name", std::string("'") + name.substr(0, 100) + "' cannot be the name of a " + what + ".",
                         "Names have 1 to 100 characters, without '/', ',', control characters and blanks at the ends.");
    return {};
}

void readColumns(MapReader& rule, const Node& node, TableRule& out)
{
    MapReader columns(node, rule.where() + ", columns", {"exclude", "rename", "mask", "cast", "add"});
    columns.list("exclude", out.excludeColumns);
    if (const Node* rename = columns.find("rename")) {
        if (!rename->isMap())
            columns.wrong(*rename, "rename", "a map of column: field");
        for (const auto& [from, to] : rename->fields()) {
            if (!to.isScalar() || to.scalar().empty())
                columns.wrong(to, "rename", "a map of column: field");
            out.rename[from] = to.string();
        }
    }
    if (const Node* mask = columns.find("mask"))
        for (const auto& [column, word] : mask->fields())
            if (const std::string text = word.string("null"); text != "hash" && text != "partial" && text != "null" && !text.starts_with("text:"))
                columns.fail(word.line, "unknown_word", columns.where() + ": '" + column + "' cannot be masked by '" + text + "'" + didYouMean(text, {"hash", "partial", "null"}) + ".",
                             "Use hash, partial, null or text:….");
    if (const Node* cast = columns.find("cast"))
        for (const auto& [column, word] : cast->fields())
            if (Type type; word.string() != "geojson" && !typeFromName(word.string(), type))
                columns.fail(word.line, "unknown_word", columns.where() + ": '" + column + "' cannot be cast to '" + word.string() + "'.", "Use a canonical type such as text, int, decimal, datetime, or geojson.");
    Node later = Node::map();
    for (const auto& key : laterColumnKeys)
        if (const Node* value = columns.find(key.c_str())) {
            if (!value->isMap())
                columns.wrong(*value, key.c_str(), "a map of column: word");
            later.set(key, *value);
        }
    if (!later.fields().empty())
        out.later.set("columns", std::move(later));
    if (auto done = columns.done(); !done)
        rule.fail(done.error());
}

void readIndexes(MapReader& rule, const Node& node, TableRule& out)
{
    if (!node.isList())
        return rule.wrong(node, "indexes", "a list of lists of fields: [[a], [b, c]]");
    for (const Node& index : node.items()) {
        Words fields;
        if (index.isScalar())
            fields.push_back(index.scalar());
        for (const Node& field : index.items()) {
            if (!field.isScalar())
                return rule.wrong(node, "indexes", "a list of lists of fields: [[a], [b, c]]");
            fields.push_back(field.scalar());
        }
        if (fields.empty())
            return rule.wrong(node, "indexes", "a list of lists of fields: [[a], [b, c]]");
        out.indexes.push_back(std::move(fields));
    }
}

Result<TableRule> ruleFromNode(const Node& node, const std::string& sync)
{
    TableRule out;
    if (node.isScalar()) {
        out.name = node.scalar();
        if (out.name.empty())
            return fileError(node.line, "missing_key", "sync '" + sync + "' has a table without a name.", {});
        return out;
    }
    const std::string name = node["name"].string();
    MapReader rule(node, name.empty() ? "a table of sync '" + sync + "'" : "table '" + name + "' of sync '" + sync + "'",
                   {"name", "strategy", "key", "cursor", "overlap", "soft_delete", "deleted_rows", "where", "to", "id", "columns", "policy", "indexes", "every",
                    "cron", "format", "ttl", "envelope", "nest", "rebuild", "reconcile"});
    rule.required("name", out.name);
    if (rule.find("strategy"))
        rule.word("strategy", out.strategy.emplace(), allStrategies, strategyName);
    if (const Node* key = rule.find("key")) {
        rule.list("key", out.key.emplace());
        if (out.key->empty())
            rule.wrong(*key, "key", "a list of columns");
    }
    rule.text("cursor", out.cursor);
    if (rule.find("overlap"))
        rule.duration("overlap", out.overlapMs.emplace(), 0);
    rule.text("soft_delete", out.softDelete);
    if (const Node* deleted = rule.find("deleted_rows")) {
        MapReader reader(*deleted, rule.where() + ", deleted_rows", {"table", "key", "at"});
        auto& rows = out.deletedRows.emplace();
        reader.required("table", rows.table);
        reader.required("key", rows.key);
        reader.required("at", rows.at);
        if (auto done = reader.done(); !done)
            rule.fail(done.error());
    }
    rule.text("where", out.where);
    rule.text("to", out.to);
    rule.text("id", out.id);
    if (const Node* id = rule.find("id"); id && out.id && *out.id != "key" && *out.id != "objectid")
        rule.fail(id->line, "unknown_word", rule.where() + ": 'id' cannot be '" + *out.id + "'" + didYouMean(*out.id, {"key", "objectid"}) + ".", "Use one of key, objectid.");
    rule.text("format", out.format);
    if (const Node* format = rule.find("format"); format && out.format && *out.format != "json" && *out.format != "hash")
        rule.fail(format->line, "unknown_word", rule.where() + ": 'format' cannot be '" + *out.format + "'" + didYouMean(*out.format, {"json", "hash"}) + ".", "Use one of json, hash.");
    if (rule.find("ttl"))
        rule.duration("ttl", out.ttlMs.emplace(), 1);
    if (const Node* columns = rule.find("columns"))
        readColumns(rule, *columns, out);
    if (const Node* policy = rule.find("policy")) {
        if (!policy->isMap())
            rule.wrong(*policy, "policy", "a map of column: null, text or fail");
        Words columns;
        for (const auto& field : policy->fields())
            columns.push_back(field.first);
        MapReader words(*policy, rule.where() + ", policy", columns);
        for (const auto& [column, word] : policy->fields()) {
            out.policy[column] = ValuePolicy::Null;
            if (!word.isNull())                              // an unquoted null is YAML's own null
                words.word(column.c_str(), out.policy[column], allPolicies, policyName);
        }
        if (auto done = words.done(); !done)
            rule.fail(done.error());
    }
    if (const Node* indexes = rule.find("indexes"))
        readIndexes(rule, *indexes, out);
    if (rule.find("every"))
        rule.interval("every", out.every.emplace());
    for (const auto& key : laterKeys)
        if (const Node* value = rule.find(key.c_str()); value && !value->isNull())
            out.later.set(key, *value);
    if (auto done = rule.done(); !done)
        return done.error();
    return out;
}

void readBrake(MapReader& sync, double& out)
{
    const Node* node = sync.find("delete_brake");
    if (!node)
        return;
    std::string text = trimmed(node->string());
    if (text.ends_with('%'))
        text = trimmed(std::string_view(text).substr(0, text.size() - 1));
    const double value = Node(text).real(-1);
    if (!(value >= 0 && value <= 100))
        return sync.wrong(*node, "delete_brake", "a percentage from 0% to 100%");
    out = value;
}

void readSecret(MapReader& reader, const std::string& connection, const std::string& key, const std::string& baseDir, ConnectionDef& out, std::map<std::string, std::string>* typed)
{
    const Node* node = reader.find(key.c_str());
    if (!node || node->isNull())
        return;
    if (node->isScalar()) {
        if (!typed)
            return reader.fail(node->line, "secret_typed", reader.where() + " holds a typed " + key + ".", "Give it as {env: NAME}, {file: PATH} or {keychain: NAME}.");
        if (!typed->emplace(connection + "/" + key, node->scalar()).second)
            return reader.fail(node->line, "secret_twice", reader.where() + " has a password in its URL and as a key.", "Keep one of the two.");
        out.secrets[key] = {SecretRef::Kind::Stored, {}};
        return;
    }
    MapReader ref(*node, reader.where() + ", " + key, {"env", "file", "keychain", "stored"});
    if (!ref.failed() && node->fields().size() != 1)
        ref.fail(node->line, "wrong_value", ref.where() + " needs exactly one of env, file and keychain.", {});
    SecretRef secret;
    bool stored = false;
    ref.flag("stored", stored);
    if (stored) secret.kind = SecretRef::Kind::Stored;
    for (const auto& [word, kind] : {std::pair{"env", SecretRef::Kind::Env}, {"file", SecretRef::Kind::File}, {"keychain", SecretRef::Kind::Keychain}})
        if (ref.find(word)) {
            secret.kind = kind;
            ref.required(word, secret.name);
        }
    if (secret.kind == SecretRef::Kind::File && !secret.name.starts_with('/') && !baseDir.empty())
        secret.name = baseDir + "/" + secret.name;
    if (auto done = ref.done(); !done)
        return reader.fail(done.error());
    if (secret.kind != SecretRef::Kind::None)
        out.secrets[key] = std::move(secret);
}

// Only a definition that says something relative depends on where its file lay.
bool hasRelativePath(const ConnectionUrl& url)
{
    if ((url.scheme == "sqlite" || url.scheme == "embedded") && !url.path.starts_with('/'))
        return true;
    return std::any_of(url.options.begin(), url.options.end(), [](const auto& option) {
        return (option.first == "tls_ca" || option.first == "tls_cert" || option.first == "tls_key") && !option.second.starts_with('/');
    });
}

} // namespace

Result<ConnectionDef> connectionFromNode(const std::string& name, const Node& node, const std::string& baseDir, std::map<std::string, std::string>* typedSecrets)
{
    if (auto good = checkName("connection", name, node.line); !good)
        return good.error();
    if (node.isScalar()) {
        Node map = Node::map({{"url", node}});
        map.line = node.line;
        return connectionFromNode(name, map, baseDir, typedSecrets);
    }
    ConnectionDef out;
    out.name = name;
    MapReader reader(node, "connection '" + name + "'", {"url", "password", "api_key", "token", "environment", "ssh"});
    std::string text;
    reader.required("url", text);
    if (auto done = reader.done(); !done)
        return done.error();
    Secret password;
    auto url = parseUrl(text, &password);
    if (!url) {
        const int line = node["url"].line;
        return std::move(url).error().in((line > 0 ? "line " + std::to_string(line) + ": " : std::string()) + "connection '" + name + "'");
    }
    out.url = url->text();
    if (!password.empty()) {
        if (!typedSecrets)
            return fileError(node["url"].line, "secret_typed", reader.where() + " has a password in its URL.", "Take it out, and give it as {env: NAME}, {file: PATH} or {keychain: NAME}.");
        typedSecrets->insert_or_assign(name + "/password", std::string(password.reveal()));
        out.secrets["password"] = {SecretRef::Kind::Stored, {}};
    }
    if (hasRelativePath(*url))
        out.baseDir = baseDir;
    for (const auto& key : secretKeys)
        readSecret(reader, name, key, baseDir, out, typedSecrets);
    reader.text("environment", out.environment);
    const Words environments{"prod", "stage", "dev", "local"};
    if (std::find(environments.begin(), environments.end(), out.environment) == environments.end())
        reader.fail(node["environment"].line, "unknown_word", reader.where() + ": 'environment' cannot be '" + out.environment + "'" + didYouMean(out.environment, environments) + ".",
                    "Use one of " + join(environments, ", ") + ".");
    reader.text("ssh", out.ssh);
    if (auto done = reader.done(); !done)
        return done.error();
    return out;
}

Result<SyncDef> syncFromNode(const std::string& name, const Node& node)
{
    if (auto good = checkName("sync", name, node.line); !good)
        return good.error();
    SyncDef out;
    out.name = name;
    MapReader reader(node, "sync '" + name + "'", {"source", "target", "every", "cron", "continuous", "zone", "prefix", "if_exists", "new_tables", "delete_brake", "max_failed",
                                                     "settings", "exclude", "tables", "tags"});
    reader.required("source", out.source);
    reader.required("target", out.target);
    reader.interval("every", out.every);
    reader.text("cron", out.cron);
    reader.flag("continuous", out.continuous);
    if (int(!out.every.empty()) + int(!out.cron.empty()) + int(out.continuous) > 1)
        reader.fail(node.line, "wrong_value", reader.where() + " has more than one of every, cron and continuous.", "Keep one of them.");
    reader.text("zone", out.zone);
    reader.text("prefix", out.prefix);
    reader.word("if_exists", out.ifExists, allIfExists, ifExistsName);
    reader.word("new_tables", out.newTables, allNewTables, newTablesName);
    readBrake(reader, out.deleteBrakePercent);
    reader.number("max_failed", out.maxFailed, 0, 1'000'000'000);
    if (const Node* node2 = reader.find("settings")) {
        MapReader settings(*node2, reader.where() + ", settings", {"batch_min", "batch_max", "rate_limit", "pool"});
        settings.number("batch_min", out.settings.batchMin, 1, 1'000'000);
        settings.number("batch_max", out.settings.batchMax, 1, 1'000'000);
        settings.number("rate_limit", out.settings.rateLimit, 0, 1'000'000'000);
        settings.number("pool", out.settings.pool, 1, 64);
        if (out.settings.batchMin > out.settings.batchMax)
            settings.fail(node2->line, "wrong_value", settings.where() + ": batch_min is " + std::to_string(out.settings.batchMin) + ", above batch_max, " + std::to_string(out.settings.batchMax) + ".",
                          "Make batch_min at most batch_max.");
        if (auto done = settings.done(); !done)
            reader.fail(done.error());
    }
    reader.list("exclude", out.exclude);
    reader.list("tags", out.tags);
    if (const Node* tables = reader.find("tables"); tables && !tables->isNull()) {
        if (!tables->isList())
            reader.wrong(*tables, "tables", "a list");
        for (const Node& entry : tables->items()) {
            auto rule = ruleFromNode(entry, name);
            if (!rule)
                return rule.error();
            out.tables.push_back(std::move(*rule));
        }
    }
    if (auto done = reader.done(); !done)
        return done.error();
    return out;
}

Result<SyncFile> syncFileFromNode(const Node& root, const std::string& baseDir, std::map<std::string, std::string>* typedSecrets)
{
    MapReader reader(root, "the sync file", {"version", "connections", "syncs"});
    if (const Node* version = reader.find("version"); version && version->string() != "1")
        reader.fail(version->line, "version", "the file has version " + version->string("?") + "; this Millrace reads version 1.", "Update Millrace, or write version: 1.");
    SyncFile out;
    if (const Node* connections = reader.find("connections"); connections && !connections->isNull()) {
        if (!connections->isMap())
            reader.wrong(*connections, "connections", "a map of name: connection");
        for (const auto& [name, node] : connections->fields()) {
            auto def = connectionFromNode(name, node, baseDir, typedSecrets);
            if (!def)
                return def.error();
            out.connections.push_back(std::move(*def));
        }
    }
    if (const Node* syncs = reader.find("syncs"); syncs && !syncs->isNull()) {
        if (!syncs->isMap())
            reader.wrong(*syncs, "syncs", "a map of name: sync");
        for (const auto& [name, node] : syncs->fields()) {
            auto def = syncFromNode(name, node);
            if (!def)
                return def.error();
            out.syncs.push_back(std::move(*def));
        }
    }
    if (auto done = reader.done(); !done)
        return done.error();
    return out;
}

} // namespace millrace
