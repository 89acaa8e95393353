#pragma once
#include "core/base/result.h"
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace {

//! A small ordered tree for settings and answers: what YAML files, JSON outputs and stored definitions are read into and written
//! from. Not for rows: those travel in a Batch.
class Node {
public:
    enum class Kind : std::uint8_t { Null, Bool, Number, String, List, Map };
    using Field = std::pair<std::string, Node>;

    Node() = default;
    Node(bool value) : m_kind(Kind::Bool), m_scalar(value ? "true" : "false") {}
    Node(int value) : Node(static_cast<std::int64_t>(value)) {}
    Node(std::int64_t value) : m_kind(Kind::Number), m_scalar(std::to_string(value)) {}
    Node(std::uint64_t value) : m_kind(Kind::Number), m_scalar(std::to_string(value)) {}
    Node(double value);
    Node(std::string value) : m_kind(Kind::String), m_scalar(std::move(value)) {}
    Node(std::string_view value) : Node(std::string(value)) {}
    Node(const char* value) : Node(std::string(value)) {}
    static Node list() { Node n; n.m_kind = Kind::List; return n; }
    static Node map() { Node n; n.m_kind = Kind::Map; return n; }
    static Node map(std::initializer_list<Field> fields) { Node n = map(); n.m_fields.assign(fields.begin(), fields.end()); return n; }
    static Node number(std::string lexeme) { Node n; n.m_kind = Kind::Number; n.m_scalar = std::move(lexeme); return n; }
    static Node strings(const std::vector<std::string>& values);

    Kind kind() const { return m_kind; }
    bool isNull() const { return m_kind == Kind::Null; }
    bool isScalar() const { return m_kind == Kind::Bool || m_kind == Kind::Number || m_kind == Kind::String; }
    bool isList() const { return m_kind == Kind::List; }
    bool isMap() const { return m_kind == Kind::Map; }
    const std::string& scalar() const { return m_scalar; }        //!< the text of a bool, number or string
    std::string string(std::string_view otherwise = {}) const { return isScalar() ? m_scalar : std::string(otherwise); }
    std::int64_t integer(std::int64_t otherwise = 0) const;
    double real(double otherwise = 0) const;
    bool boolean(bool otherwise = false) const;

    std::vector<Node>& items() { return m_items; }
    const std::vector<Node>& items() const { return m_items; }
    std::vector<Field>& fields() { return m_fields; }
    const std::vector<Field>& fields() const { return m_fields; }
    //! Null node when the key is missing.
    const Node& operator[](std::string_view key) const;
    const Node* find(std::string_view key) const;
    Node& set(std::string key, Node value);                       //!< adds or replaces; returns *this
    Node& add(Node value) { m_kind = Kind::List; m_items.push_back(std::move(value)); return *this; }

    int line = 0;                                                 //!< in the file it came from; 0: made here

    std::string json(bool pretty = false) const;
    static Result<Node> fromJson(std::string_view text);          //!< numbers keep their lexeme; depth 200 at most
private:
    void write(std::string& out, int indent) const;
    Kind m_kind = Kind::Null;
    std::string m_scalar;
    std::vector<Node> m_items;
    std::vector<Field> m_fields;
};

} // namespace millrace
