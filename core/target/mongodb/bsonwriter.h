#pragma once
#include <bson/bson.h>
#include <cstdint>
#include <cstring>
#include <string_view>
#include <vector>

namespace millrace::mongodb {

//! Appends BSON (bsonspec.org, version 1.1) to bytes that the caller owns, with lengths patched in afterwards: no bson_t and no
//! allocation per document once the buffer has grown. Values are little-endian; so are the machines this is built for.
class BsonWriter {
public:
    explicit BsonWriter(std::vector<char>& bytes) : m_bytes(bytes), m_at(bytes.size()) {}
    ~BsonWriter() { m_bytes.resize(m_at); }
    BsonWriter(const BsonWriter&) = delete;
    BsonWriter& operator=(const BsonWriter&) = delete;

    std::size_t at() const { return m_at; }
    void rewind(std::size_t at) { m_at = at; }
    const char* data() const { return m_bytes.data(); }
    void patch(std::size_t at, char byte) { m_bytes[at] = byte; }

    void raw(const void* from, std::size_t n)
    {
        char* to = room(n);
        if (n) std::memcpy(to, from, n);
        m_at += n;
    }
    template <class T> void number(T value) { raw(&value, sizeof value); }
    void byte(std::uint8_t value) { number(value); }

    //! Type byte and field name; `name` carries its own terminating NUL.
    void head(std::uint8_t type, std::string_view nameWithNul)
    {
        char* to = room(1 + nameWithNul.size());
        *to = static_cast<char>(type);
        std::memcpy(to + 1, nameWithNul.data(), nameWithNul.size());
        m_at += 1 + nameWithNul.size();
    }
    //! The length word of a document or array, to be closed later.
    std::size_t open() { number(std::int32_t{0}); return m_at - 4; }
    void close(std::size_t from)
    {
        byte(0);
        const auto size = static_cast<std::int32_t>(m_at - from);
        std::memcpy(m_bytes.data() + from, &size, sizeof size);
    }
    //! The bodies; the head comes first.
    void textBody(std::string_view text)
    {
        number(static_cast<std::int32_t>(text.size() + 1));
        raw(text.data(), text.size());
        byte(0);
    }
    void binaryBody(std::string_view bytes)
    {
        number(static_cast<std::int32_t>(bytes.size()));
        byte(BSON_SUBTYPE_BINARY);
        raw(bytes.data(), bytes.size());
    }
    void decimalBody(const bson_decimal128_t& value) { number(value.low); number(value.high); }

private:
    char* room(std::size_t n)
    {
        if (m_bytes.size() - m_at < n)
            m_bytes.resize(std::max(m_at + n, m_bytes.size() + m_bytes.size() / 2 + 4096));
        return m_bytes.data() + m_at;
    }
    std::vector<char>& m_bytes;
    std::size_t m_at;
};

} // namespace millrace::mongodb
