#pragma once
#include "core/base/text.h"
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

//! Reads JSON (RFC 8259) and tells a handler what comes: null(), boolean(bool), number(lexeme), string(text), key(text), open('{' or '['),
//! close('}' or ']'). Numbers stay lexemes of any size; texts come unescaped and are valid UTF-8. Never recursive, bounded in depth;
//! a NUL byte is no end. Strings live until the next call.
template <class Handler> class JsonScanner {
public:
    JsonScanner(Handler& handler, std::size_t deepest) : m_handler(handler), m_deepest(deepest) {}

    //! False when `text` is not one JSON value; reason() and at() then say why and where.
    bool scan(std::string_view text)
    {
        m_text = text;
        m_at = 0;
        m_open.clear();
        if (!validUtf8(text))
            return fail("the text is not valid UTF-8");
        for (;;) {
            if (!value())
                return false;
            // After a value: what is open goes on, or ends.
            for (;;) {
                space();
                if (m_open.empty())
                    return m_at == m_text.size() || fail("something follows the value");
                const char c = peek();
                if (c == ',' && m_hasValue) {
                    ++m_at;
                    if (m_open.back() == '{' && !name())
                        return false;
                    break;
                }
                if (c != (m_open.back() == '{' ? '}' : ']')) {
                    if (m_hasValue)
                        return fail("a comma or the closing bracket is expected");
                    if (m_open.back() == '{' && !name())
                        return false;
                    break;
                }
                ++m_at;
                m_open.pop_back();
                m_handler.close(c);
                m_hasValue = true;
            }
        }
    }
    std::size_t at() const { return m_at; }
    const char* reason() const { return m_reason; }

private:
    bool fail(const char* why) { m_reason = why; return false; }
    char peek() const { return m_at < m_text.size() ? m_text[m_at] : '\0'; }
    void space() { while (m_at < m_text.size() && (m_text[m_at] == ' ' || m_text[m_at] == '\n' || m_text[m_at] == '\r' || m_text[m_at] == '\t')) ++m_at; }

    bool value()
    {
        space();
        m_hasValue = true;
        switch (peek()) {
        case '{': case '[':
            if (m_open.size() >= m_deepest)
                return fail("it is nested too deeply");
            m_open.push_back(peek());
            m_handler.open(peek());
            ++m_at;
            m_hasValue = false;
            return true;
        case '"': {
            std::string_view text;
            if (!string(text))
                return false;
            m_handler.string(text);
            return true;
        }
        case 't': return word("true") && (m_handler.boolean(true), true);
        case 'f': return word("false") && (m_handler.boolean(false), true);
        case 'n': return word("null") && (m_handler.null(), true);
        default: return number();
        }
    }

    bool word(std::string_view wanted)
    {
        if (m_text.substr(m_at, wanted.size()) != wanted)
            return fail("a value is expected");
        m_at += wanted.size();
        return true;
    }

    bool name()
    {
        space();
        std::string_view text;
        if (peek() != '"')
            return fail("a name in quotes is expected");
        if (!string(text))
            return false;
        m_handler.key(text);
        space();
        if (peek() != ':')
            return fail("a colon is expected");
        ++m_at;
        return true;
    }

    bool digits()
    {
        const std::size_t from = m_at;
        while (peek() >= '0' && peek() <= '9') ++m_at;
        return m_at > from;
    }
    bool number()
    {
        const std::size_t from = m_at;
        if (peek() == '-') ++m_at;
        if (peek() == '0') ++m_at;
        else if (!digits()) return fail("a value is expected");
        if (peek() == '.') {
            ++m_at;
            if (!digits()) return fail("a digit is expected");
        }
        if (peek() == 'e' || peek() == 'E') {
            ++m_at;
            if (peek() == '+' || peek() == '-') ++m_at;
            if (!digits()) return fail("a digit is expected");
        }
        m_handler.number(m_text.substr(from, m_at - from));
        return true;
    }

    bool string(std::string_view& out)
    {
        const std::size_t from = ++m_at;
        bool escaped = false;
        for (;; ++m_at) {
            if (m_at >= m_text.size())
                return fail("a string has no end");
            const auto c = static_cast<unsigned char>(m_text[m_at]);
            if (c == '"')
                break;
            if (c < 0x20)
                return fail("a string holds a control character");
            if (c != '\\')
                continue;
            if (!escaped) m_scratch.assign(m_text.substr(from, m_at - from));
            else m_scratch.append(m_text.substr(m_clean, m_at - m_clean));
            escaped = true;
            if (!escape())
                return false;
            m_clean = m_at + 1;
        }
        if (escaped) m_scratch.append(m_text.substr(m_clean, m_at - m_clean));
        out = escaped ? std::string_view(m_scratch) : m_text.substr(from, m_at - from);
        ++m_at;
        return true;
    }

    bool hex4(std::uint32_t& out)
    {
        out = 0;
        for (int i = 0; i < 4; ++i) {
            ++m_at;
            const char c = peek();
            const int digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
            if (digit < 0)
                return fail("four hexadecimal digits are expected");
            out = out << 4 | static_cast<std::uint32_t>(digit);
        }
        return true;
    }
    //! Stands on the backslash, ends on the escape's last character.
    bool escape()
    {
        ++m_at;
        switch (peek()) {
        case '"': m_scratch += '"'; return true;
        case '\\': m_scratch += '\\'; return true;
        case '/': m_scratch += '/'; return true;
        case 'b': m_scratch += '\b'; return true;
        case 'f': m_scratch += '\f'; return true;
        case 'n': m_scratch += '\n'; return true;
        case 'r': m_scratch += '\r'; return true;
        case 't': m_scratch += '\t'; return true;
        case 'u': break;
        default: return fail("an escape is not known");
        }
        std::uint32_t code = 0, low = 0;
        if (!hex4(code))
            return false;
        if (code >= 0xD800 && code <= 0xDFFF) {
            if (code > 0xDBFF || m_text.substr(m_at + 1, 2) != "\\u")
                return fail("half a surrogate pair");
            m_at += 2;
            if (!hex4(low))
                return false;
            if (low < 0xDC00 || low > 0xDFFF)
                return fail("half a surrogate pair");
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        }
        const auto put = [&](std::uint32_t byte) { m_scratch += static_cast<char>(byte); };
        if (code < 0x80) put(code);
        else if (code < 0x800) { put(0xC0 | code >> 6); put(0x80 | (code & 63)); }
        else if (code < 0x10000) { put(0xE0 | code >> 12); put(0x80 | (code >> 6 & 63)); put(0x80 | (code & 63)); }
        else { put(0xF0 | code >> 18); put(0x80 | (code >> 12 & 63)); put(0x80 | (code >> 6 & 63)); put(0x80 | (code & 63)); }
        return true;
    }

    Handler& m_handler;
    const std::size_t m_deepest;
    std::string_view m_text;
    std::size_t m_at = 0, m_clean = 0;
    std::vector<char> m_open;
    bool m_hasValue = false;
    std::string m_scratch;
    const char* m_reason = "";
};

} // namespace millrace
