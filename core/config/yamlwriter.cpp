#include "core/base/text.h"
#include "core/config/yaml.h"
#include "core/data/value.h"

namespace millrace {

namespace {

constexpr std::size_t lineWidth = 88;

bool isWord(std::string_view text)
{
    static const std::vector<std::string> words{"null", "true", "false", "yes", "no", "on", "off", "y", "n", "nan", "inf"};
    const std::string low = lower(text);
    for (const auto& word : words)
        if (low == word)
            return true;
    return false;
}

bool isDurationOrPercent(std::string_view text)
{
    const auto unit = text.find_first_not_of("0123456789.");
    if (unit == 0 || unit == std::string_view::npos)
        return false;
    const auto rest = text.substr(unit);
    return rest == "ms" || rest == "s" || rest == "m" || rest == "h" || rest == "d" || rest == "%";
}

// Narrow on purpose: whatever any YAML 1.1 or 1.2 reader could take for something else is quoted.
bool plain(std::string_view text)
{
    const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == '/'; };
    if (text.empty() || isWord(text) || text.back() == ' ')
        return false;
    if (!letter(text.front()))
        return isDurationOrPercent(text);
    for (const char c : text)
        if (!letter(c) && !(c >= '0' && c <= '9') && c != '.' && c != '-' && c != '+' && c != ' ' && c != '*' && c != '?' && c != '@' && c != '$' && c != '(' && c != ')')
            return false;
    return true;
}

std::string quoted(std::string_view text)
{
    std::string out = "\"";
    for (std::size_t i = 0; i < text.size(); ++i) {
        const char c = text[i];
        const auto u = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\') (out += '\\') += c;
        else if (c == '\n') out += "\\n";
        else if (c == '\t') out += "\\t";
        else if (u < 0x20 || u == 0x7F) out += "\\x" + hex({&c, 1});
        // line breaks and marks that YAML does not take as they are: C1 controls, U+2028, U+2029, U+FEFF
        else if (u == 0xC2 && i + 1 < text.size() && static_cast<unsigned char>(text[i + 1]) < 0xA0) out += "\\x" + hex(text.substr(++i, 1));
        else if (text.substr(i, 3) == "\xE2\x80\xA8") { out += "\\u2028"; i += 2; }
        else if (text.substr(i, 3) == "\xE2\x80\xA9") { out += "\\u2029"; i += 2; }
        else if (text.substr(i, 3) == "\xEF\xBB\xBF") { out += "\\uFEFF"; i += 2; }
        else out += c;
    }
    return out + '"';
}

std::string text(std::string_view value) { return plain(value) ? std::string(value) : quoted(value); }

std::string flow(const Node& node)
{
    switch (node.kind()) {
    case Node::Kind::Null: return "null";
    case Node::Kind::Bool: case Node::Kind::Number: return node.scalar();
    case Node::Kind::String: return text(node.scalar());
    case Node::Kind::List: {
        std::vector<std::string> parts;
        for (const auto& item : node.items())
            parts.push_back(flow(item));
        return "[" + join(parts, ", ") + "]";
    }
    case Node::Kind::Map: {
        std::vector<std::string> parts;
        for (const auto& [key, value] : node.fields())
            parts.push_back(text(key) + ": " + flow(value));
        return "{" + join(parts, ", ") + "}";
    }
    }
    return {};
}

// From the third level on, what fits is one line; the frame above it (connections, syncs, their names) is always spread out.
void block(std::string& out, const Node& node, std::size_t depth)
{
    const std::string indent(depth * 2, ' ');
    const auto value = [&](const Node& child) {
        std::string line = flow(child);
        const bool empty = child.isScalar() || child.isNull() || (child.fields().empty() && child.items().empty());
        if (empty || ((depth >= 2 || child.isList()) && line.size() + indent.size() <= lineWidth))
            out += " " + line + "\n";
        else {
            out += "\n";
            block(out, child, depth + 1);
        }
    };
    for (const auto& [key, child] : node.fields()) {
        out += indent + text(key) + ":";
        value(child);
    }
    for (const auto& item : node.items()) {
        if (const std::string line = flow(item); item.isScalar() || item.isNull() || line.size() + indent.size() <= lineWidth) {
            out += indent + "- " + line + "\n";
            continue;
        }
        std::string inner;
        block(inner, item, depth + 1);
        inner.replace(depth * 2, 2, "- ");
        out += inner;
    }
}

} // namespace

std::string writeYaml(const Node& node)
{
    if (!node.isMap() && !node.isList())
        return flow(node) + "\n";
    if (node.fields().empty() && node.items().empty())
        return flow(node) + "\n";
    std::string out;
    block(out, node, 0);
    return out;
}

} // namespace millrace
