#include "core/base/node.h"
#include "core/base/jsonscan.h"
#include <charconv>
#include <cmath>

namespace millrace {

namespace {

void quote(std::string& out, std::string_view text)
{
    out += '"';
    for (const char c : text) {
        switch (c) {
        case '"': out += "\\\""; break;
        case '\\': out += "\\\\"; break;
        case '\n': out += "\\n"; break;
        case '\r': out += "\\r"; break;
        case '\t': out += "\\t"; break;
        default:
            if (static_cast<unsigned char>(c) < 0x20) {
                out += "\\u00";
                out += "0123456789abcdef"[c >> 4 & 15];
                out += "0123456789abcdef"[c & 15];
            } else
                out += c;
        }
    }
    out += '"';
}

struct Builder {
    Node root;
    std::vector<Node> nodes;
    std::vector<std::string> keys;

    void put(Node node)
    {
        if (nodes.empty()) { root = std::move(node); return; }
        if (nodes.back().isMap()) {
            nodes.back().fields().emplace_back(std::move(keys.back()), std::move(node));
            keys.pop_back();
        } else
            nodes.back().items().push_back(std::move(node));
    }
    void open(char c) { nodes.push_back(c == '{' ? Node::map() : Node::list()); }
    void close(char) { Node node = std::move(nodes.back()); nodes.pop_back(); put(std::move(node)); }
    void null() { put({}); }
    void boolean(bool b) { put(Node(b)); }
    void number(std::string_view lexeme) { put(Node::number(std::string(lexeme))); }
    void string(std::string_view text) { put(Node(text)); }
    void key(std::string_view text) { keys.emplace_back(text); }
};

} // namespace

Node::Node(double value) : m_kind(Kind::Number)
{
    if (!std::isfinite(value)) { m_kind = Kind::Null; return; }
    char digits[32];
    m_scalar.assign(digits, std::to_chars(digits, digits + sizeof digits, value).ptr);
}

Node Node::strings(const std::vector<std::string>& values)
{
    Node out = list();
    for (const auto& value : values)
        out.add(value);
    return out;
}

std::int64_t Node::integer(std::int64_t otherwise) const
{
    std::int64_t value = 0;
    const auto [end, error] = std::from_chars(m_scalar.data(), m_scalar.data() + m_scalar.size(), value);
    return isScalar() && error == std::errc() && end == m_scalar.data() + m_scalar.size() ? value : otherwise;
}

double Node::real(double otherwise) const
{
    double value = 0;
    const auto [end, error] = std::from_chars(m_scalar.data(), m_scalar.data() + m_scalar.size(), value);
    return isScalar() && error == std::errc() && end == m_scalar.data() + m_scalar.size() ? value : otherwise;
}

bool Node::boolean(bool otherwise) const
{
    if (m_scalar == "true" || m_scalar == "yes" || m_scalar == "on" || m_scalar == "1") return true;
    if (m_scalar == "false" || m_scalar == "no" || m_scalar == "off" || m_scalar == "0") return false;
    return otherwise;
}

const Node* Node::find(std::string_view key) const
{
    for (const auto& [name, value] : m_fields)
        if (name == key)
            return &value;
    return nullptr;
}

const Node& Node::operator[](std::string_view key) const
{
    static const Node none;
    const Node* found = find(key);
    return found ? *found : none;
}

Node& Node::set(std::string key, Node value)
{
    m_kind = Kind::Map;
    for (auto& [name, old] : m_fields)
        if (name == key) {
            old = std::move(value);
            return *this;
        }
    m_fields.emplace_back(std::move(key), std::move(value));
    return *this;
}

std::string Node::json(bool pretty) const
{
    std::string out;
    write(out, pretty ? 0 : -1);
    return out;
}

void Node::write(std::string& out, int indent) const
{
    const auto newline = [&](int depth) { if (indent >= 0) { out += '\n'; out.append(static_cast<std::size_t>(depth) * 2, ' '); } };
    const int inner = indent < 0 ? -1 : indent + 1;
    switch (m_kind) {
    case Kind::Null: out += "null"; return;
    case Kind::Bool: case Kind::Number: out += m_scalar; return;
    case Kind::String: quote(out, m_scalar); return;
    case Kind::List:
        out += '[';
        for (std::size_t i = 0; i < m_items.size(); ++i) {
            if (i) out += ',';
            newline(inner);
            m_items[i].write(out, inner);
        }
        if (!m_items.empty()) newline(indent);
        out += ']';
        return;
    case Kind::Map:
        out += '{';
        for (std::size_t i = 0; i < m_fields.size(); ++i) {
            if (i) out += ',';
            newline(inner);
            quote(out, m_fields[i].first);
            out += indent < 0 ? ":" : ": ";
            m_fields[i].second.write(out, inner);
        }
        if (!m_fields.empty()) newline(indent);
        out += '}';
    }
}

Result<Node> Node::fromJson(std::string_view text)
{
    Builder builder;
    JsonScanner<Builder> scanner(builder, 200);
    if (!scanner.scan(text))
        return Error{Fault::Config, "config.json_syntax", "This is not JSON: " + std::string(scanner.reason()) + ", at byte " + std::to_string(scanner.at()) + ".", {}, {}};
    return std::move(builder.root);
}

} // namespace millrace
