#include "core/engine/definition.h"
#include <charconv>

namespace millrace {

namespace {

// What is not a default, in the contract's order, so that an export reads as an operator would have written it.
class MapWriter {
public:
    void text(const char* key, const std::string& value, const std::string& otherwise = {}) { if (value != otherwise) m_node.set(key, value); }
    void text(const char* key, const std::optional<std::string>& value) { if (value) m_node.set(key, *value); }
    void number(const char* key, std::int64_t value, std::int64_t otherwise) { if (value != otherwise) m_node.set(key, value); }
    void words(const char* key, const std::vector<std::string>& values) { if (!values.empty()) m_node.set(key, Node::strings(values)); }
    void node(const char* key, Node value) { if (!value.isNull() && (value.isScalar() || !value.fields().empty() || !value.items().empty())) m_node.set(key, std::move(value)); }
    Node take() { return m_node.isNull() ? Node::map() : std::move(m_node); }
private:
    Node m_node = Node::map();
};

std::string percent(double value)
{
    char digits[32];
    return std::string(digits, std::to_chars(digits, digits + sizeof digits, value).ptr) + "%";
}

Node columnsNode(const TableRule& rule)
{
    MapWriter columns;
    columns.words("exclude", rule.excludeColumns);
    Node rename = Node::map();
    for (const auto& [from, to] : rule.rename)
        rename.set(from, to);
    columns.node("rename", std::move(rename));
    for (const auto& [key, value] : rule.later["columns"].fields())
        columns.node(key.c_str(), value);
    return columns.take();
}

Node ruleNode(const TableRule& rule)
{
    MapWriter out;
    out.text("name", rule.name, "\n");
    if (rule.strategy)
        out.node("strategy", Node(strategyName(*rule.strategy)));
    if (rule.key)
        out.words("key", *rule.key);
    out.text("cursor", rule.cursor);
    if (rule.overlapMs)
        out.text("overlap", formatDuration(*rule.overlapMs));
    out.text("soft_delete", rule.softDelete);
    if (rule.deletedRows)
        out.node("deleted_rows", Node::map({{"table", rule.deletedRows->table}, {"key", rule.deletedRows->key}, {"at", rule.deletedRows->at}}));
    out.text("where", rule.where);
    out.text("to", rule.to);
    out.text("id", rule.id);
    out.text("format", rule.format);
    if (rule.ttlMs)
        out.text("ttl", formatDuration(*rule.ttlMs));
    out.node("columns", columnsNode(rule));
    Node policy = Node::map();
    for (const auto& [column, word] : rule.policy)
        policy.set(column, Node(policyName(word)));
    out.node("policy", std::move(policy));
    Node indexes = Node::list();
    for (const auto& index : rule.indexes)
        indexes.add(Node::strings(index));
    out.node("indexes", std::move(indexes));
    out.text("every", rule.every);
    for (const auto& [key, value] : rule.later.fields())
        if (key != "columns")
            out.node(key.c_str(), value);
    Node node = out.take();
    return node.fields().size() == 1 ? Node(rule.name) : node;
}

Node secretNode(const SecretRef& ref)
{
    switch (ref.kind) {
    case SecretRef::Kind::None: return {};
    // only that there is one: who imports the file is asked for it (Invariant 10)
    case SecretRef::Kind::Stored: return Node::map({{"stored", true}});
    case SecretRef::Kind::Env: return Node::map({{"env", ref.name}});
    case SecretRef::Kind::File: return Node::map({{"file", ref.name}});
    case SecretRef::Kind::Keychain: return Node::map({{"keychain", ref.name}});
    }
    return {};
}

} // namespace

Node nodeFromConnection(const ConnectionDef& def)
{
    MapWriter out;
    out.text("url", def.url, "\n");
    for (const auto& [key, ref] : def.secrets)
        out.node(key.c_str(), secretNode(ref));
    out.text("environment", def.environment, "local");
    out.text("ssh", def.ssh);
    return out.take();
}

Node nodeFromSync(const SyncDef& def)
{
    const SyncDef usual;
    MapWriter out;
    out.text("source", def.source, "\n");
    out.text("target", def.target, "\n");
    out.text("every", def.every);
    out.text("cron", def.cron);
    if (def.continuous)
        out.node("continuous", true);
    out.text("zone", def.zone, usual.zone);
    out.text("prefix", def.prefix);
    out.text("if_exists", std::string(ifExistsName(def.ifExists)), "stop");
    out.text("new_tables", std::string(newTablesName(def.newTables)), "ask");
    out.text("delete_brake", percent(def.deleteBrakePercent), percent(usual.deleteBrakePercent));
    out.number("max_failed", def.maxFailed, usual.maxFailed);
    MapWriter settings;
    settings.number("batch_min", def.settings.batchMin, usual.settings.batchMin);
    settings.number("batch_max", def.settings.batchMax, usual.settings.batchMax);
    settings.number("rate_limit", def.settings.rateLimit, usual.settings.rateLimit);
    settings.number("pool", def.settings.pool, usual.settings.pool);
    out.node("settings", settings.take());
    out.words("exclude", def.exclude);
    out.words("tags", def.tags);
    Node tables = Node::list();
    for (const auto& rule : def.tables)
        tables.add(ruleNode(rule));
    out.node("tables", std::move(tables));
    return out.take();
}

Node nodeFromSyncFile(const SyncFile& file)
{
    Node root = Node::map({{"version", 1}});
    Node connections = Node::map(), syncs = Node::map();
    for (const auto& def : file.connections)
        connections.set(def.name, nodeFromConnection(def));
    for (const auto& def : file.syncs)
        syncs.set(def.name, nodeFromSync(def));
    if (!file.connections.empty())
        root.set("connections", std::move(connections));
    if (!file.syncs.empty())
        root.set("syncs", std::move(syncs));
    return root;
}

} // namespace millrace
