#include "core/base/text.h"
#include "core/config/yaml.h"
#include "core/data/value.h"
#include <map>
#include <optional>
#include <sstream>
#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

namespace millrace {

namespace {

constexpr std::size_t maxBytes = 4u << 20, maxNodes = 100'000, maxDepth = 200;

Error yamlError(int line, const char* id, std::string detail, std::string fix = {})
{
    return {Fault::Config, std::string("config.") + id, (line > 0 ? "line " + std::to_string(line) + ": " : std::string()) + std::move(detail), std::move(fix), {}};
}

Node scalar(const std::string& tag, const std::string& value)
{
    if (tag != "?")                                          // quoted
        return value;
    if (value.empty() || value == "~" || value == "null" || value == "Null" || value == "NULL") return {};
    if (value == "true" || value == "True" || value == "TRUE") return true;
    if (value == "false" || value == "False" || value == "FALSE") return false;
    return isJsonNumber(value) ? Node::number(value) : Node(value);
}

std::size_t weight(const Node& node)
{
    std::size_t sum = 1;
    for (const auto& item : node.items()) sum += weight(item);
    for (const auto& field : node.fields()) sum += weight(field.second);
    return sum;
}

// Events instead of yaml-cpp's own tree: lines stay known, and an alias bomb is stopped while it unfolds.
class Builder final : public YAML::EventHandler {
public:
    Node root;
    std::optional<Error> error;
    int documents = 0;

    void OnDocumentStart(const YAML::Mark&) override { ++documents; }
    void OnDocumentEnd() override {}
    void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override { put({}, mark, anchor); }
    void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor, const std::string& value) override
    {
        if (isKey()) takeKey(value, mark);
        else put(scalar(tag, value), mark, anchor);
    }
    void OnAlias(const YAML::Mark& mark, YAML::anchor_t anchor) override
    {
        const auto known = m_anchors.find(anchor);
        if (known == m_anchors.end())
            return fail(mark, "yaml_alias", "an alias refers to what contains it.");
        if (isKey()) takeKey(known->second.string(), mark);
        else { m_nodes += weight(known->second); put(known->second, mark, 0); }
    }
    void OnSequenceStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override { open(Node::list(), mark, anchor); }
    void OnSequenceEnd() override { close(); }
    void OnMapStart(const YAML::Mark& mark, const std::string&, YAML::anchor_t anchor, YAML::EmitterStyle::value) override { open(Node::map(), mark, anchor); }
    void OnMapEnd() override { close(); }

private:
    struct Open { Node node; YAML::anchor_t anchor = 0; std::optional<std::string> key; int keyLine = 0; };

    bool isKey() const { return !m_open.empty() && m_open.back().node.isMap() && !m_open.back().key; }
    void fail(const YAML::Mark& mark, const char* id, std::string detail) { if (!error) error = yamlError(mark.line + 1, id, std::move(detail)); }
    void takeKey(const std::string& key, const YAML::Mark& mark)
    {
        if (m_open.back().node.find(key))
            fail(mark, "key_twice", "the key '" + key + "' is there twice.");
        m_open.back().key = key;
        m_open.back().keyLine = mark.line + 1;
    }
    void put(Node node, const YAML::Mark& mark, YAML::anchor_t anchor)
    {
        if (node.line == 0)
            node.line = mark.line + 1;
        place(std::move(node), anchor);
    }
    void place(Node node, YAML::anchor_t anchor)
    {
        if (error)
            return;
        if (isKey()) {
            m_open.back().key = std::string();
            error = yamlError(node.line, "yaml_key", "a key must be a text.");
            return;
        }
        if (++m_nodes > maxNodes) {
            error = yamlError(node.line, "yaml_too_large", "the file unfolds to more than 100,000 values.");
            return;
        }
        if (anchor)
            m_anchors[anchor] = node;
        if (m_open.empty()) { root = std::move(node); return; }
        Open& parent = m_open.back();
        if (!parent.node.isMap()) { parent.node.items().push_back(std::move(node)); return; }
        node.line = parent.keyLine;                          // what a person looks for is the key's line
        parent.node.fields().emplace_back(std::move(*parent.key), std::move(node));
        parent.key.reset();
    }
    void open(Node node, const YAML::Mark& mark, YAML::anchor_t anchor)
    {
        if (isKey())
            fail(mark, "yaml_key", "a key must be a text.");
        if (m_open.size() >= maxDepth)
            fail(mark, "yaml_too_deep", "more than 200 levels.");
        node.line = mark.line + 1;
        if (error) node = Node::list();                      // the events still come; nothing is kept of them
        m_open.push_back({std::move(node), anchor, {}, 0});
    }
    void close()
    {
        Open done = std::move(m_open.back());
        m_open.pop_back();
        place(std::move(done.node), done.anchor);
    }

    std::vector<Open> m_open;
    std::map<YAML::anchor_t, Node> m_anchors;
    std::size_t m_nodes = 0;
};

const std::string* duplicateKey(const Node& node)
{
    for (const auto& [key, value] : node.fields()) {
        if (node.find(key) != &value)
            return &key;
        if (const std::string* found = duplicateKey(value))
            return found;
    }
    for (const auto& item : node.items())
        if (const std::string* found = duplicateKey(item))
            return found;
    return nullptr;
}

} // namespace

Result<Node> readYaml(std::string_view text)
{
    if (text.size() > maxBytes)
        return yamlError(0, "file_too_large", "the file is larger than 4 MB.", "A sync file holds definitions only; split it.");
    if (text.starts_with("\xEF\xBB\xBF"))
        text.remove_prefix(3);
    if (!validUtf8(text) || text.find('\0') != std::string_view::npos)
        return yamlError(0, "encoding", "the file is not UTF-8 text.", "Save it as UTF-8.");
    if (const auto first = text.find_first_not_of(" \t\r\n"); first != std::string_view::npos && text[first] == '{') {
        // YAML's flow style begins the same way, so only what is JSON goes this way
        if (auto node = Node::fromJson(text)) {
            if (const std::string* key = duplicateKey(*node))
                return yamlError(0, "key_twice", "the key '" + *key + "' is there twice.");
            return node;
        }
    }
    Builder builder;
    try {
        std::istringstream stream{std::string(text)};
        YAML::Parser parser(stream);
        while (!builder.error && builder.documents < 2 && parser.HandleNextDocument(builder)) {}
    } catch (const YAML::Exception& e) {
        if (builder.error)
            return *builder.error;
        const bool star = e.msg.find("alias") != std::string::npos || e.msg.find("anchor") != std::string::npos;
        return yamlError(e.mark.is_null() ? 0 : e.mark.line + 1, "yaml_syntax", e.msg + ".", star ? "A name that starts with * or & must be quoted: \"*_tmp\"." : "");
    }
    if (builder.error)
        return *builder.error;
    if (builder.documents > 1)
        return yamlError(0, "yaml_documents", "the file holds more than one document (---).", "Keep one.");
    if (builder.root.isNull())
        return yamlError(0, "empty", "the file is empty.");
    return std::move(builder.root);
}

} // namespace millrace
