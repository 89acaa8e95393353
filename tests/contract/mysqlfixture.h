#pragma once
#include "core/base/text.h"
#include "core/data/value.h"
#include "core/source/mysql/mysqlsource.h"
#include "tests/support/mariadbserver.h"
#include "tests/support/sourcecontract.h"
#include <algorithm>

namespace millrace::test {

//! What the contract suite needs to know of MariaDB and MySQL.
class MysqlFixture final : public SourceFixture {
public:
    explicit MysqlFixture(const MariaDbServer& server) : m_server(server) {}
    Result<std::unique_ptr<Source>> open() override { return openMysql(m_server.params()); }
    std::unique_ptr<Session> session() override
    {
        auto session = m_server.session();
        return session ? std::make_unique<Application>(std::move(session)) : nullptr;
    }
    TableRef ref(const std::string& table) const override { return {m_server.database(), table}; }
    std::string quoted(const std::string& name) const override
    {
        std::string out = "`";
        for (const char c : name)
            out.append(c == '`' ? 2 : 1, c);
        return out + "`";
    }
    std::string column(Kind kind) const override
    {
        switch (kind) {
        case Kind::Integer: return "BIGINT";
        case Kind::Text: return "VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_bin";
        case Kind::FoldedText: return "VARCHAR(200) CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci";
        case Kind::Flag: return "TINYINT(1)";
        case Kind::Moment: return "TIMESTAMP(6) NULL";
        case Kind::Second: return "TIMESTAMP NULL";
        }
        return "TEXT";
    }
    std::string moment(std::int64_t micros) const override
    {
        std::string text;
        appendDateTime(text, micros, 6, false);
        text[10] = ' ';
        return "'" + text + "'";
    }
    std::string now() const override { return "CURRENT_TIMESTAMP(6)"; }
    std::string slowFilter() const override { return "SLEEP(2) = 0"; }
    std::vector<TypeCase> typeCases() const override;

private:
    struct Application final : Session {
        explicit Application(std::unique_ptr<MariaDbServer::Session> s) : session(std::move(s)) {}
        Result<> exec(const std::string& sql) override { return session->exec(sql); }
        std::unique_ptr<MariaDbServer::Session> session;
    };
    const MariaDbServer& m_server;
};

inline TypeCase plain(std::string declaration, Type type, std::vector<std::pair<std::string, std::string>> values)
{
    TypeCase out;
    out.name = out.declaration = std::move(declaration);
    out.type = type;
    for (auto& [literal, json] : values)
        out.values.push_back({std::move(literal), std::move(json)});
    return out;
}

inline TypeCase zeroDates(std::string declaration, Type type, ValuePolicy policy)
{
    const bool date = declaration == "DATE", fraction = declaration.find('(') != std::string::npos;
    const std::string rest = date ? "" : fraction ? " 00:00:00.000" : " 00:00:00";
    TypeCase out;
    out.name = declaration + " " + std::string(policyName(policy));
    out.declaration = declaration;
    out.type = type;
    out.policy = policy;
    std::vector<std::string> none {"0000-00-00" + rest};
    if (type != Type::Timestamp)
        none.insert(none.end(), {"2020-00-00" + rest, "2020-05-00" + rest, "0000-05-06" + rest});
    for (const std::string& text : none) {
        TypeCase::Value value {"'" + text + "'", "null"};
        if (policy == ValuePolicy::Text) value.json = "\"" + text + "\"";
        else (policy == ValuePolicy::Null ? value.coerced : value.rejected) = true;
        out.values.push_back(value);
    }
    const std::string zone = type == Type::Timestamp ? "Z" : "";
    out.values.push_back({"'2026-11-21" + rest + "'", date ? "\"2026-11-21\"" : "\"2026-11-21T" + rest.substr(1) + zone + "\""});
    return out;
}

inline std::string allBytes(int from, int to)
{
    std::string out;
    for (int i = from; i < to; ++i)
        out += static_cast<char>(i);
    return out;
}

inline std::vector<TypeCase> MysqlFixture::typeCases() const
{
    const std::string euro = "\xE2\x82\xAC", grin = "\xF0\x9F\x98\x80";
    std::vector<TypeCase> out {
        plain("TINYINT", Type::Int, {{"-128", "-128"}, {"127", "127"}, {"0", "0"}}),
        plain("TINYINT UNSIGNED", Type::Uint, {{"255", "255"}, {"0", "0"}}),
        plain("SMALLINT", Type::Int, {{"-32768", "-32768"}, {"32767", "32767"}}),
        plain("SMALLINT UNSIGNED", Type::Uint, {{"65535", "65535"}}),
        plain("MEDIUMINT", Type::Int, {{"-8388608", "-8388608"}, {"8388607", "8388607"}}),
        plain("MEDIUMINT UNSIGNED", Type::Uint, {{"16777215", "16777215"}}),
        plain("INT", Type::Int, {{"-2147483648", "-2147483648"}, {"2147483647", "2147483647"}}),
        plain("INT UNSIGNED", Type::Uint, {{"4294967295", "4294967295"}}),
        plain("INT(8) ZEROFILL", Type::Uint, {{"42", "42"}}),
        plain("BIGINT", Type::Int, {{"-9223372036854775808", "-9223372036854775808"}, {"9223372036854775807", "9223372036854775807"}, {"9007199254740993", "9007199254740993"}}),
        plain("BIGINT UNSIGNED", Type::Uint, {{"18446744073709551615", "18446744073709551615"}}),
        plain("TINYINT(1)", Type::Bool, {{"0", "false"}, {"1", "true"}}),
        plain("TINYINT(1)", Type::Int, {{"0", "0"}, {"1", "1"}, {"2", "2"}, {"-1", "-1"}}),
        plain("BIT(1)", Type::Bool, {{"b'0'", "false"}, {"b'1'", "true"}}),
        plain("BIT(10)", Type::Uint, {{"b'1111111111'", "1023"}, {"0", "0"}}),
        plain("BIT(64)", Type::Uint, {{"18446744073709551615", "18446744073709551615"}}),
        plain("YEAR", Type::Int, {{"1901", "1901"}, {"2155", "2155"}, {"0000", "0"}}),
        plain("FLOAT", Type::Real, {{"16777216", "16777216"}, {"0.1", "0.10000000149011612"}, {"-3.402823466e38", "-3.4028234663852886e+38"}, {"1.17549435e-38", "1.1754943508222875e-38"}}),
        plain("DOUBLE", Type::Real, {{"0.1", "0.1"}, {"1.7976931348623157e308", "1.7976931348623157e+308"}, {"2.2250738585072014e-308", "2.2250738585072014e-308"}, {"9007199254740993", "9007199254740992"}}),
        plain("DOUBLE(10,2)", Type::Real, {{"1234.5", "1234.5"}}),
        plain("DECIMAL(10,2)", Type::Decimal, {{"12.5", "12.50"}, {"-0.01", "-0.01"}, {"99999999.99", "99999999.99"}, {"0", "0.00"}}),
        plain("DECIMAL(65,30)", Type::Decimal, {{"12345678901234567890123456789012345.123456789012345678901234567890", "12345678901234567890123456789012345.123456789012345678901234567890"},
                                               {"-99999999999999999999999999999999999.999999999999999999999999999999", "-99999999999999999999999999999999999.999999999999999999999999999999"}}),
        plain("DECIMAL(65,0)", Type::Decimal, {{"99999999999999999999999999999999999999999999999999999999999999999", "99999999999999999999999999999999999999999999999999999999999999999"}}),
        plain("DECIMAL(8,2) ZEROFILL", Type::Decimal, {{"7.5", "7.50"}, {"0", "0.00"}}),
        plain("DATE", Type::Date, {{"'1000-01-01'", "\"1000-01-01\""}, {"'9999-12-31'", "\"9999-12-31\""}, {"'2024-02-29'", "\"2024-02-29\""}}),
        plain("DATETIME", Type::DateTime, {{"'1000-01-01 00:00:00'", "\"1000-01-01T00:00:00\""}, {"'9999-12-31 23:59:59'", "\"9999-12-31T23:59:59\""}}),
        plain("DATETIME(3)", Type::DateTime, {{"'2026-11-21 03:30:41.120'", "\"2026-11-21T03:30:41.120\""}}),
        plain("DATETIME(6)", Type::DateTime, {{"'1969-12-31 23:59:59.999999'", "\"1969-12-31T23:59:59.999999\""}, {"'2026-11-21 03:30:41'", "\"2026-11-21T03:30:41.000000\""}}),
        plain("TIMESTAMP", Type::Timestamp, {{"'1970-01-01 00:00:01'", "\"1970-01-01T00:00:01Z\""}, {"'2038-01-19 03:14:07'", "\"2038-01-19T03:14:07Z\""}}),
        plain("TIMESTAMP(6)", Type::Timestamp, {{"'2026-03-29 01:30:00.000001'", "\"2026-03-29T01:30:00.000001Z\""}}),
        plain("TIME", Type::Time, {{"'-838:59:59'", "\"-838:59:59\""}, {"'838:59:59'", "\"838:59:59\""}, {"'00:00:00'", "\"00:00:00\""}, {"'-00:00:01'", "\"-00:00:01\""}}),
        plain("TIME(6)", Type::Time, {{"'-12:34:56.789012'", "\"-12:34:56.789012\""}, {"'25:00:00.5'", "\"25:00:00.500000\""}}),
        plain("CHAR(5)", Type::Text, {{"'ab'", "\"ab\""}, {"''", "\"\""}}),
        plain("VARCHAR(50)", Type::Text, {{"'" + euro + grin + "'", "\"" + euro + grin + "\""}, {"'a\\\\b\"c\\nd'", "\"a\\\\b\\\"c\\nd\""}, {"'trail  '", "\"trail  \""}, {"x'00'", "\"\\u0000\""}}),
        plain("VARCHAR(200) CHARACTER SET latin1", Type::Text, {{"'\xC3\xBC" + euro + "'", "\"\xC3\xBC" + euro + "\""}, {"x'E4F6FCDF80'", "\"\xC3\xA4\xC3\xB6\xC3\xBC\xC3\x9F" + euro + "\""}}),
        plain("VARCHAR(200) CHARACTER SET cp1251", Type::Text, {{"'\xD0\x96'", "\"\xD0\x96\""}}),
        plain("VARCHAR(200) CHARACTER SET sjis", Type::Text, {{"'\xE8\xA1\xA8'", "\"\xE8\xA1\xA8\""}}),
        plain("VARCHAR(200) CHARACTER SET utf16", Type::Text, {{"'" + grin + "'", "\"" + grin + "\""}}),
        plain("VARCHAR(200) CHARACTER SET ascii", Type::Text, {{"'plain'", "\"plain\""}}),
        plain("VARCHAR(50) CHARACTER SET binary", Type::Bytes, {{"x'FF00FE'", "\"/wD+\""}}),
        plain("LONGTEXT", Type::Text, {{"REPEAT('x', 513)", "\"" + std::string(513, 'x') + "\""}, {"REPEAT('\xC3\xBC', 300000)", "\"" + [] { std::string s; for (int i = 0; i < 300000; ++i) s += "\xC3\xBC"; return s; }() + "\""}}),
        plain("BINARY(4)", Type::Bytes, {{"x'0102'", "\"AQIAAA==\""}}),
        plain("VARBINARY(300)", Type::Bytes, {{"x'" + hex(allBytes(0, 256)) + "'", "\"" + base64(allBytes(0, 256)) + "\""}, {"''", "\"\""}}),
        plain("BLOB", Type::Bytes, {{"x'00FF'", "\"AP8=\""}, {"REPEAT(x'FF', 5000)", "\"" + base64(std::string(5000, '\xFF')) + "\""}}),
        plain("ENUM('small','it''s','')", Type::Text, {{"'small'", "\"small\""}, {"'it''s'", "\"it's\""}, {"''", "\"\""}}),
        plain("SET('a','b \"q\"','c')", Type::Array, {{"''", "[]"}, {"'a'", "[\"a\"]"}, {"'a,b \"q\",c'", "[\"a\",\"b \\\"q\\\"\",\"c\"]"}}),
        plain("JSON", Type::Json, {{"'{\"b\": 1, \"a\": [1.0, 1e300, \"\\\\u00fc\"]}'", "{\"b\":1,\"a\":[1.0,1e300,\"\xC3\xBC\"]}"}, {"'null'", "null"}, {"'12345678901234567890123'", "12345678901234567890123"}}),
        plain("POINT", Type::Bytes, {{"ST_GeomFromText('POINT(1 2)')", "\"AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==\""}}),
        plain("GEOMETRY", Type::Bytes, {{"ST_GeomFromText('POINT(1 2)', 0)", "\"AAAAAAEBAAAAAAAAAAAA8D8AAAAAAAAAQA==\""}}),
    };
    for (const ValuePolicy policy : {ValuePolicy::Null, ValuePolicy::Text, ValuePolicy::Fail}) {
        out.push_back(zeroDates("DATE", Type::Date, policy));
        out.push_back(zeroDates("DATETIME", Type::DateTime, policy));
        out.push_back(zeroDates("DATETIME(3)", Type::DateTime, policy));
        out.push_back(zeroDates("TIMESTAMP", Type::Timestamp, policy));
    }
    if (m_server.mariadb()) {
        out.push_back(plain("UUID", Type::Uuid, {{"'123E4567-E89B-12D3-A456-426655440000'", "\"123e4567-e89b-12d3-a456-426655440000\""}}));
        out.push_back(plain("INET6", Type::Text, {{"'2001:db8::1'", "\"2001:db8::1\""}, {"'::ffff:192.0.2.1'", "\"::ffff:192.0.2.1\""}}));
        out.push_back(plain("INET4", Type::Text, {{"'192.0.2.1'", "\"192.0.2.1\""}}));
    } else                                                                  // MySQL sorts the keys and normalises numbers
        std::erase_if(out, [](const TypeCase& c) { return c.name == "JSON"; });
    return out;
}

} // namespace millrace::test
