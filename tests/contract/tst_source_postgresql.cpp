#include "core/source/postgresql/postgresqlsource.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include "tests/support/postgresserver.h"
#include "tests/support/sourcecontract.h"
#include <QElapsedTimer>
#include <QProcess>
#include <QStandardPaths>
#include <QTemporaryDir>
#include <QTest>
#include <algorithm>
#include <arpa/inet.h>
#include <set>
#include <sys/socket.h>
#include <thread>
#include <unistd.h>

using namespace millrace;
using namespace millrace::test;

namespace {

const char* const ownTypes =
    "CREATE EXTENSION IF NOT EXISTS hstore; CREATE EXTENSION IF NOT EXISTS citext; CREATE EXTENSION IF NOT EXISTS ltree; "
    "CREATE COLLATION folded (provider = icu, locale = 'und-u-ks-level2', deterministic = false); "
    "CREATE TYPE mood AS ENUM ('sad', 'it''s ok', 'happy'); CREATE DOMAIN price AS numeric(8,2) CHECK (VALUE >= 0); CREATE DOMAIN fine_price AS price; CREATE DOMAIN tags AS text[]; "
    "CREATE TYPE address AS (street text, \"zip code\" int, seen timestamptz(0), marks int[]); CREATE TYPE person AS (name varchar(40), home address, cents numeric(10,2), photo bytea); "
    "CREATE DOMAIN happy AS mood; CREATE TYPE floatspan AS RANGE (subtype = float8); CREATE DOMAIN span AS int4range; CREATE DOMAIN place AS address; CREATE DOMAIN spot AS inet";

class PostgresFixture final : public SourceFixture {
public:
    explicit PostgresFixture(const PostgresServer& server) : m_server(server) {}
    Result<std::unique_ptr<Source>> open() override { return openPostgresql(m_server.params()); }
    std::unique_ptr<Session> session() override
    {
        auto session = m_server.session();
        return session ? std::make_unique<Application>(std::move(session)) : nullptr;
    }
    TableRef ref(const std::string& table) const override { return {"public", table}; }
    std::string quoted(const std::string& name) const override
    {
        std::string out = "\"";
        for (const char c : name)
            out.append(c == '"' ? 2 : 1, c);
        return out + "\"";
    }
    std::string column(Kind kind) const override
    {
        switch (kind) {
        case Kind::Integer: return "bigint";
        case Kind::Text: return "varchar(200)";
        case Kind::FoldedText: return "varchar(200) COLLATE folded";
        case Kind::Flag: return "smallint";
        case Kind::Moment: return "timestamptz";
        case Kind::Second: return "timestamptz(0)";
        }
        return "text";
    }
    std::string moment(std::int64_t micros) const override
    {
        std::string text;
        appendDateTime(text, micros, 6, true);
        return "'" + text + "'";
    }
    std::string now() const override { return "CURRENT_TIMESTAMP"; }         // of the transaction's begin, before it has an xid
    std::string slowFilter() const override { return "pg_catalog.pg_sleep(2) IS NOT NULL"; }
    std::vector<TypeCase> typeCases() const override;

private:
    struct Application final : Session {
        explicit Application(std::unique_ptr<PostgresServer::Session> s) : session(std::move(s)) {}
        Result<> exec(const std::string& sql) override { return session->exec(sql); }
        std::unique_ptr<PostgresServer::Session> session;
    };
    const PostgresServer& m_server;
};

TypeCase plain(std::string declaration, Type type, std::vector<std::pair<std::string, std::string>> values)
{
    TypeCase out;
    out.name = out.declaration = std::move(declaration);
    out.type = type;
    for (auto& [literal, json] : values)
        out.values.push_back({std::move(literal), std::move(json)});
    return out;
}

//! Infinite, BC and beyond-9999 moments under a policy, and an ordinary one.
TypeCase beyond(std::string declaration, Type type, ValuePolicy policy)
{
    const bool date = type == Type::Date, zone = type == Type::Timestamp;
    const std::string clock = date ? "" : " 04:05:06.5", printed = clock + (zone ? "+00" : "");
    TypeCase out;
    out.name = declaration + " " + std::string(policyName(policy));
    out.declaration = std::move(declaration);
    out.type = type;
    out.policy = policy;
    for (const std::string& text : {std::string("infinity"), std::string("-infinity"), "0044-03-15" + printed + " BC", "0001-12-31" + printed + " BC", "10000-01-01" + printed}) {
        TypeCase::Value value {"'" + text + "'", "null"};
        if (policy == ValuePolicy::Text) value.json = "\"" + text + "\"";
        else (policy == ValuePolicy::Null ? value.coerced : value.rejected) = true;
        out.values.push_back(value);
    }
    const std::string ending = date ? "" : std::string("T04:05:06.500000") + (zone ? "Z" : "");
    for (const char* day : {"0001-01-01", "9999-12-31", "2024-02-29", "1969-12-31"})
        out.values.push_back({"'" + std::string(day) + clock + (zone ? "+00" : "") + "'", "\"" + std::string(day) + ending + "\""});
    return out;
}

std::string allBytes()
{
    std::string out;
    for (int i = 0; i < 256; ++i)
        out += static_cast<char>(i);
    return out;
}

std::vector<TypeCase> PostgresFixture::typeCases() const
{
    const std::string euro = "\xE2\x82\xAC", grin = "\xF0\x9F\x98\x80";
    std::vector<TypeCase> out {
        plain("boolean", Type::Bool, {{"true", "true"}, {"false", "false"}}),
        plain("smallint", Type::Int, {{"-32768", "-32768"}, {"32767", "32767"}}),
        plain("integer", Type::Int, {{"-2147483648", "-2147483648"}, {"2147483647", "2147483647"}, {"0", "0"}}),
        plain("bigint", Type::Int, {{"-9223372036854775808", "-9223372036854775808"}, {"9223372036854775807", "9223372036854775807"}}),
        plain("oid", Type::Uint, {{"4294967295", "4294967295"}, {"0", "0"}}),
        plain("real", Type::Real, {{"16777216", "16777216"}, {"0.1", "0.10000000149011612"}, {"'-3.4028235e38'", "-3.4028234663852886e+38"}, {"'NaN'", "\"NaN\""}, {"'-Infinity'", "\"-Infinity\""}}),
        plain("double precision", Type::Real, {{"0.1", "0.1"}, {"1.7976931348623157e308", "1.7976931348623157e+308"}, {"'-0'", "-0"}, {"5e-324", "5e-324"}, {"'NaN'", "\"NaN\""}, {"'Infinity'", "\"Infinity\""}}),
        plain("numeric(10,2)", Type::Decimal, {{"12.5", "12.50"}, {"-0.01", "-0.01"}, {"99999999.99", "99999999.99"}, {"0", "0.00"}, {"'NaN'", "\"NaN\""}}),
        plain("numeric", Type::Decimal, {{"1", "1"}, {"10000", "10000"}, {"100000000", "100000000"}, {"0.00001", "0.00001"}, {"0.0001", "0.0001"}, {"-1234567890123456789012345678901234567890.0987654321", "-1234567890123456789012345678901234567890.0987654321"},
                                         {"1e-30", "0.000000000000000000000000000001"}, {"1e30", "1" + std::string(30, '0')}, {"12.3400", "12.3400"}, {"'NaN'", "\"NaN\""}, {"'Infinity'", "\"Infinity\""}, {"'-Infinity'", "\"-Infinity\""}}),
        plain("numeric(4,0)", Type::Decimal, {{"9999", "9999"}, {"-1", "-1"}}),
        plain("fine_price", Type::Decimal, {{"7.5", "7.50"}}),
        plain("money", Type::Text, {{"1234.5", "\"$1,234.50\""}, {"-1", "\"-$1.00\""}}),
        plain("varchar(50)", Type::Text, {{"'" + euro + grin + "'", "\"" + euro + grin + "\""}, {"E'a\\\\b\"c\\nd'", "\"a\\\\b\\\"c\\nd\""}, {"'trail  '", "\"trail  \""}, {"''", "\"\""}}),
        plain("text", Type::Text, {{"repeat('\xC3\xBC', 300000)", "\"" + [] { std::string s; for (int i = 0; i < 300000; ++i) s += "\xC3\xBC"; return s; }() + "\""}, {"E'\\x01'", "\"\\u0001\""}}),
        plain("char(5)", Type::Text, {{"'ab'", "\"ab   \""}}),
        plain("name", Type::Text, {{"'pg'", "\"pg\""}}),
        plain("\"char\"", Type::Text, {{"'x'", "\"x\""}}),
        plain("citext", Type::Text, {{"'MiXed'", "\"MiXed\""}}),
        plain("bytea", Type::Bytes, {{"'\\x" + hex(allBytes()) + "'", "\"" + base64(allBytes()) + "\""}, {"''", "\"\""}}),
        plain("time", Type::Time, {{"'00:00:00'", "\"00:00:00.000000\""}, {"'24:00:00'", "\"24:00:00.000000\""}, {"'12:34:56.789012'", "\"12:34:56.789012\""}}),
        plain("time(0)", Type::Time, {{"'23:59:59'", "\"23:59:59\""}}),
        plain("timetz", Type::Text, {{"'12:34:56.5+05:30'", "\"12:34:56.5+05:30\""}}),
        plain("timestamp(3)", Type::DateTime, {{"'2026-11-21 03:30:41.12'", "\"2026-11-21T03:30:41.120\""}}),
        plain("timestamptz(0)", Type::Timestamp, {{"'2026-03-29 03:30:00+02'", "\"2026-03-29T01:30:00Z\""}}),
        plain("interval", Type::Text, {{"'1 year 2 mons 3 days 04:05:06.789'", "\"P1Y2M3DT4H5M6.789S\""}, {"'-1 day'", "\"P-1D\""}, {"'0'", "\"PT0S\""}}),
        plain("uuid", Type::Uuid, {{"'123E4567-E89B-12D3-A456-426655440000'", "\"123e4567-e89b-12d3-a456-426655440000\""}}),
        plain("json", Type::Json, {{"'{\"b\": 1, \"a\": [1.0, 1e300, \"\\u00fc\"], \"b\": null}'", "{\"b\":1,\"a\":[1.0,1e300,\"\xC3\xBC\"],\"b\":null}"}, {"'null'", "null"}}),
        plain("jsonb", Type::Json, {{"'{\"b\": 1, \"a\": [1.0, {\"c\": true}]}'", "{\"a\":[1.0,{\"c\":true}],\"b\":1}"}, {"'\"x\"'", "\"x\""}, {"'12345678901234567890123'", "12345678901234567890123"}, {"'[]'", "[]"}}),
        plain("xml", Type::Text, {{"'<a b=\"c\">d</a>'", "\"<a b=\\\"c\\\">d</a>\""}}),
        plain("inet", Type::Text, {{"'192.0.2.1'", "\"192.0.2.1\""}, {"'192.0.2.1/24'", "\"192.0.2.1/24\""}, {"'2001:db8::1'", "\"2001:db8::1\""}}),
        plain("cidr", Type::Text, {{"'10.0.0.0/8'", "\"10.0.0.0/8\""}}),
        plain("macaddr", Type::Text, {{"'08:00:2B:01:02:03'", "\"08:00:2b:01:02:03\""}}),
        plain("macaddr8", Type::Text, {{"'08:00:2b:01:02:03:04:05'", "\"08:00:2b:01:02:03:04:05\""}}),
        plain("bit(5)", Type::Text, {{"B'10101'", "\"10101\""}}),
        plain("varbit", Type::Text, {{"B'1'", "\"1\""}, {"B''", "\"\""}}),
        plain("tsvector", Type::Text, {{"'a:1A fat:2 cat''s:3'", "\"'a':1A 'cat''s':3 'fat':2\""}}),
        plain("tsquery", Type::Text, {{"'fat & !rat'", "\"'fat' & !'rat'\""}}),
        plain("point", Type::Text, {{"'(1,2.5)'", "\"(1,2.5)\""}}),
        plain("box", Type::Text, {{"'(0,0),(1,1)'", "\"(1,1),(0,0)\""}}),
        plain("path", Type::Text, {{"'[(0,0),(1,1)]'", "\"[(0,0),(1,1)]\""}}),
        plain("polygon", Type::Text, {{"'((0,0),(1,1),(1,0))'", "\"((0,0),(1,1),(1,0))\""}}),
        plain("circle", Type::Text, {{"'<(1,2),3>'", "\"<(1,2),3>\""}}),
        plain("line", Type::Text, {{"'{1,2,3}'", "\"{1,2,3}\""}}),
        plain("lseg", Type::Text, {{"'[(0,0),(1,1)]'", "\"[(0,0),(1,1)]\""}}),
        plain("int4range", Type::Text, {{"'[1,5)'", "\"[1,5)\""}, {"'empty'", "\"empty\""}, {"'(,5]'", "\"(,6)\""}}),
        plain("tstzrange", Type::Text, {{"'[2024-01-01 00:00+00,)'", "\"[\\\"2024-01-01 00:00:00+00\\\",)\""}}),
        plain("floatspan", Type::Text, {{"'[0.5,1.5]'", "\"[0.5,1.5]\""}}),
        plain("span", Type::Text, {{"'[1,5)'", "\"[1,5)\""}}),
        plain("spot", Type::Text, {{"'192.0.2.1'", "\"192.0.2.1\""}}),
        plain("place", Type::Json, {{"ROW('x', 1, NULL, NULL)::address", "{\"street\":\"x\",\"zip code\":1,\"seen\":null,\"marks\":null}"}}),
        plain("int4multirange", Type::Text, {{"'{[1,3), [5,8)}'", "\"{[1,3),[5,8)}\""}, {"'{}'", "\"{}\""}}),
        plain("pg_lsn", Type::Text, {{"'16/B374D848'", "\"16/B374D848\""}}),
        plain("ltree", Type::Text, {{"'Top.Science'", "\"Top.Science\""}}),
        plain("regclass", Type::Text, {{"'pg_catalog.pg_class'", "\"pg_class\""}}),
        plain("int2vector", Type::Text, {{"'1 2 3'", "\"1 2 3\""}}),
        plain("mood", Type::Text, {{"'sad'", "\"sad\""}, {"'it''s ok'", "\"it's ok\""}}),
        plain("happy", Type::Text, {{"'happy'", "\"happy\""}}),
        plain("hstore", Type::Json, {{"'a=>1, \"b c\"=>NULL, \"q\\\"\"=>\"x\\\\y\"'", "{\"a\":\"1\",\"q\\\"\":\"x\\\\y\",\"b c\":null}"}, {"''", "{}"}}),
        plain("address", Type::Json, {{"ROW('Main \"St\", 5', 12345, '2024-01-01 10:00+00', ARRAY[1,NULL,3])", "{\"street\":\"Main \\\"St\\\", 5\",\"zip code\":12345,\"seen\":\"2024-01-01T10:00:00Z\",\"marks\":[1,null,3]}"},
                                      {"ROW('', NULL, NULL, '{}')", "{\"street\":\"\",\"zip code\":null,\"seen\":null,\"marks\":[]}"},
                                      {"ROW(E'back\\\\slash', 1, 'infinity', NULL)", "{\"street\":\"back\\\\slash\",\"zip code\":1,\"seen\":\"infinity\",\"marks\":null}"}}),
        plain("person", Type::Json, {{"ROW('Ann', ROW('a(b),\"c\"', 7, NULL, '{{1,2},{3,4}}')::address, 1.5, '\\x00ff')",
                                      "{\"name\":\"Ann\",\"home\":{\"street\":\"a(b),\\\"c\\\"\",\"zip code\":7,\"seen\":null,\"marks\":[[1,2],[3,4]]},\"cents\":1.50,\"photo\":\"AP8=\"}"}}),
        plain("integer[]", Type::Array, {{"'{1,NULL,-3}'", "[1,null,-3]"}, {"'{}'", "[]"}, {"'[0:1]={5,6}'", "[5,6]"}, {"'{{{1,2}},{{3,4}}}'", "[[[1,2]],[[3,4]]]"}}),
        plain("text[]", Type::Array, {{"ARRAY['a','b \"q\"','c,d','{e}','NULL',NULL,'','back\\slash']", "[\"a\",\"b \\\"q\\\"\",\"c,d\",\"{e}\",\"NULL\",null,\"\",\"back\\\\slash\"]"}}),
        plain("tags", Type::Array, {{"'{x,y}'", "[\"x\",\"y\"]"}}),
        plain("boolean[]", Type::Array, {{"'{t,f,NULL}'", "[true,false,null]"}}),
        plain("real[]", Type::Array, {{"'{0.1,NaN,1e20}'", "[0.10000000149011612,\"NaN\",100000002004087734272]"}}),
        plain("double precision[]", Type::Array, {{"'{0.1,1e20,Infinity}'", "[0.1,1e+20,\"Infinity\"]"}}),
        plain("numeric(6,2)[]", Type::Array, {{"'{1,NaN}'", "[1.00,\"NaN\"]"}}),
        plain("bytea[]", Type::Array, {{"ARRAY['\\x00ff'::bytea]", "[\"AP8=\"]"}}),
        plain("date[]", Type::Array, {{"'{2024-02-29,infinity,0044-03-15 BC}'", "[\"2024-02-29\",\"infinity\",\"0044-03-15 BC\"]"}}),
        plain("timestamptz[]", Type::Array, {{"'{\"2024-01-01 02:00+02\",\"10000-01-01 00:00+00\"}'", "[\"2024-01-01T00:00:00.000000Z\",\"10000-01-01 00:00:00+00\"]"}}),
        plain("timestamp(0)[]", Type::Array, {{"'{\"2024-01-01 02:00:00.4\"}'", "[\"2024-01-01T02:00:00\"]"}}),
        plain("uuid[]", Type::Array, {{"'{123E4567-E89B-12D3-A456-426655440000}'", "[\"123e4567-e89b-12d3-a456-426655440000\"]"}}),
        plain("jsonb[]", Type::Array, {{"ARRAY['{\"a\": [1, 2]}'::jsonb, '[3]', NULL]", "[{\"a\":[1,2]},[3],null]"}}),
        plain("inet[]", Type::Array, {{"'{192.0.2.1,10.0.0.0/8}'", "[\"192.0.2.1\",\"10.0.0.0/8\"]"}}),
        plain("interval[]", Type::Array, {{"'{1 day,02:00}'", "[\"P1D\",\"PT2H\"]"}}),
        plain("box[]", Type::Array, {{"'{(1,1),(0,0);(3,3),(2,2)}'", "[\"(1,1),(0,0)\",\"(3,3),(2,2)\"]"}}),
        plain("mood[]", Type::Array, {{"'{sad,\"it''s ok\"}'", "[\"sad\",\"it's ok\"]"}}),
        plain("fine_price[]", Type::Array, {{"'{1.5,NULL}'", "[1.50,null]"}}),
        plain("address[]", Type::Array, {{"ARRAY[ROW('x',1,NULL,'{1}')::address, NULL]", "[{\"street\":\"x\",\"zip code\":1,\"seen\":null,\"marks\":[1]},null]"}}),
        plain("hstore[]", Type::Array, {{"ARRAY['a=>1'::hstore]", "[{\"a\":\"1\"}]"}}),
        plain("int4range[]", Type::Array, {{"ARRAY['[1,5)'::int4range]", "[\"[1,5)\"]"}}),
    };
    for (const ValuePolicy policy : {ValuePolicy::Null, ValuePolicy::Text, ValuePolicy::Fail}) {
        out.push_back(beyond("date", Type::Date, policy));
        out.push_back(beyond("timestamp", Type::DateTime, policy));
        out.push_back(beyond("timestamptz", Type::Timestamp, policy));
    }
    return out;
}

//! Reads a table whole, as text per row.
std::vector<std::string> readTable(Source& source, const TablePlanPtr& plan, std::vector<std::string>* rejected = nullptr)
{
    std::vector<std::string> out;
    auto snapshot = source.snapshot(plan);
    if (!snapshot)
        return {snapshot.error().id};
    auto reader = (*snapshot)->read({});
    if (!reader)
        return {reader.error().id};
    for (;;) {
        Batch batch(plan->schema);
        const auto state = (*reader)->read(batch, 100, {});
        if (!state)
            return {state.error().id};
        for (std::size_t i = 0; i < batch.rows(); ++i)
            out.push_back(keyText(*plan->schema, batch.row(i)));
        for (const auto& failure : batch.rejected())
            if (rejected) rejected->push_back(failure.error.id);
        if (*state == ReadState::End)
            return out;
    }
}

const TestStage* stage(const TestReport& report, std::string_view id)
{
    const auto found = std::find_if(report.stages.begin(), report.stages.end(), [&](const TestStage& s) { return s.id == id; });
    return found == report.stages.end() ? nullptr : &*found;
}

bool warns(const TableInfo& table, std::string_view id)
{ return std::any_of(table.warnings.begin(), table.warnings.end(), [&](const Message& m) { return m.id == id; }); }

} // namespace

class TestSourcePostgresql : public QObject {
    Q_OBJECT
private slots:
    void initTestCase();
    void contract_data();
    void contract();
    void everyKeyTypePages_data();
    void everyKeyTypePages();
    void schemas();
    void describesConstraints();
    void inheritanceAndPartitions();
    void viewsWithAKey();
    void keylessTablesByBlocks();
    void triggersMoveCursors();
    void stagedTest();
    void stagedTestNamesTheFailure();
    void wrongPasswordIsNotShown();
    void missingPrivilegesHaveAGrant();
    void requiredTlsIsNeverPlaintext_data();
    void requiredTlsIsNeverPlaintext();
    void tlsModes();
    void serverOptionsDoNotChangeWhatIsRead();
    void localTimeCursorIsRefused();
    void infiniteCursorsAreReadAtEachPoll();
    void preparedTransactionsHoldTheHorizon();
    void schemaChangesDoNotWaitForLong();
    void cannotWrite();
    void unreachableServer();
    void silentServer();
    void refusesUnknownOptions();
    void thousandsOfTables();

private:
    void need(const Result<>& result) { QVERIFY2(result.has_value(), result ? "" : result.error().detail.c_str()); }
    //! `table` begins with its name.
    void recreate(const std::string& table)
    {
        need(m_server->exec("DROP TABLE IF EXISTS " + table.substr(0, table.find(' ')) + " CASCADE"));
        need(m_server->exec("CREATE TABLE " + table));
    }
    std::unique_ptr<Source> open(const ConnectionParams& params)
    {
        auto source = openPostgresql(params);
        return source ? std::move(*source) : nullptr;
    }
    TableInfo described(Source& source, const std::string& table, const std::string& schema = "public")
    {
        auto info = source.describe({schema, table});
        if (!info)
            qWarning("%s", info.error().detail.c_str());
        return info.value_or({});
    }
    std::unique_ptr<PostgresServer> m_server;
};

void TestSourcePostgresql::initTestCase()
{
    // of the user's own settings nothing may matter
    qputenv("PGSSLMODE", "verify-full");
    qputenv("PGUSER", "somebody");
    qputenv("PGPASSWORD", "something");
    std::string reason;
    m_server = PostgresServer::start(reason);
    if (!m_server)
        QSKIP(reason.c_str());
    need(m_server->exec(ownTypes));
}

void TestSourcePostgresql::contract_data()
{
    QTest::addColumn<int>("check");
    for (std::size_t i = 0; i < sourceChecks().size(); ++i)
        QTest::newRow(sourceChecks()[i].name.c_str()) << static_cast<int>(i);
}

void TestSourcePostgresql::contract()
{
    QFETCH(int, check);
    PostgresFixture fixture(*m_server);
    const CheckResult result = sourceChecks()[static_cast<std::size_t>(check)].run(fixture);
    if (result.outcome == CheckResult::Outcome::Skipped)
        QSKIP(result.text.c_str());
    QVERIFY2(result.outcome == CheckResult::Outcome::Passed, result.text.substr(0, 6000).c_str());
}

// The bound of a page goes back as the server printed it: any key type must page without a lost or doubled row.
void TestSourcePostgresql::everyKeyTypePages_data()
{
    QTest::addColumn<QString>("type");
    QTest::addColumn<QString>("value");
    QTest::newRow("bigint") << "bigint" << "9007199254740992 + %1";
    QTest::newRow("smallint") << "smallint" << "%1 - 10";
    QTest::newRow("oid") << "oid" << "(4294967200 + %1)::oid";
    QTest::newRow("numeric") << "numeric" << "123456789012345678901234567890.0000000001 + %1 * 0.0000000003";
    QTest::newRow("double") << "double precision" << "0.1 * %1";
    QTest::newRow("real") << "real" << "0.1 * %1";
    QTest::newRow("date") << "date" << "date '9999-12-25' - %1";
    QTest::newRow("timestamp") << "timestamp" << "timestamp '2024-02-01 00:00:00.999990' + %1 * interval '1 microsecond'";
    QTest::newRow("timestamptz") << "timestamptz" << "timestamptz '0001-02-01 00:00:00.5+00' + %1 * interval '1 day'";
    QTest::newRow("time") << "time" << "time '00:00' + %1 * interval '61.5 seconds'";
    QTest::newRow("timetz") << "timetz" << "timetz '10:00+02' + %1 * interval '61.5 seconds'";
    QTest::newRow("interval") << "interval" << "%1 * interval '1 mon 1 day 1.5 seconds'";
    QTest::newRow("uuid") << "uuid" << "md5('%1')::uuid";
    QTest::newRow("bytea") << "bytea" << "decode(lpad(to_hex(%1 * 9), 4, '0') || 'ff00', 'hex')";
    QTest::newRow("bool") << "boolean" << "%1 = 1";
    QTest::newRow("enum") << "mood" << "(enum_range(NULL::mood))[%1 + 1]";
    QTest::newRow("domain") << "fine_price" << "%1 * 1.5";
    QTest::newRow("char") << "char(10)" << "chr(97 + %1)";
    QTest::newRow("text icu") << "text COLLATE \"de-x-icu\"" << "chr(220 + %1)";
    QTest::newRow("citext") << "citext" << "chr(97 + %1 - (%1 %% 2) * 32) || '''q\"'";
    QTest::newRow("ltree") << "ltree" << "('a.b' || %1)::ltree";
    QTest::newRow("inet") << "inet" << "inet '10.0.0.1/8' + %1";
    QTest::newRow("money") << "money" << "(%1 * 1234.5)::money";
    QTest::newRow("range") << "int4range" << "int4range(%1, %1 + 5)";
    QTest::newRow("array") << "text[]" << "ARRAY['a,b', 'k' || %1, NULL]";
    QTest::newRow("bit") << "varbit" << "(%1)::bit(8)::varbit";
    QTest::newRow("name") << "name" << "'n' || %1";
}

void TestSourcePostgresql::everyKeyTypePages()
{
    QFETCH(QString, type);
    QFETCH(QString, value);
    const QString tag = QTest::currentDataTag();
    const std::string table = "keys_of_" + std::to_string(qHash(type));
    const int rows = type == "boolean" ? 2 : type == "mood" ? 3 : 20;
    for (const bool composite : {false, true}) {
        recreate(table + " (k " + type.toStdString() + " NOT NULL, n int NOT NULL, PRIMARY KEY (k" + (composite ? ", n" : "") + "))");
        for (int i = 0; i < rows; ++i) {
            const std::string sql = QString(value).replace("%1", QString::number(i)).replace("%%", "%").toStdString();
            need(m_server->exec("INSERT INTO " + table + " VALUES (" + sql + ", 1)" + (composite ? ", (" + sql + ", 2)" : "")));
        }
        auto source = open(m_server->params());
        const auto plan = planFor(described(*source, table));
        const auto whole = readTable(*source, plan);
        QCOMPARE(whole.size(), std::size_t(composite ? rows * 2 : rows));
        QCOMPARE(std::set<std::string>(whole.begin(), whole.end()).size(), whole.size());
        // read on from each row
        auto snapshot = source->snapshot(plan);
        QVERIFY(snapshot.has_value());
        std::vector<std::string> stepped;
        KeyRange range;
        for (;;) {
            auto reader = (*snapshot)->read(range);
            QVERIFY2(reader.has_value(), reader ? "" : reader.error().detail.c_str());
            Batch batch(plan->schema);
            const auto state = (*reader)->read(batch, 1, {});
            QVERIFY2(state.has_value(), state ? "" : state.error().detail.c_str());
            if (batch.rows() == 0)
                break;
            QVERIFY2(stepped.size() < 100, "the same row comes again and again");
            stepped.push_back(keyText(*plan->schema, batch.row(0)));
            std::vector<Cell> key;
            for (const auto i : plan->schema->key)
                key.push_back(batch.row(0)[i]);
            // an exact re-read finds the very row
            auto proof = source->proof(plan, {key});
            QVERIFY2(proof.has_value(), proof ? "" : proof.error().detail.c_str());
            Batch proven(plan->schema);
            const auto read = (*proof)->read(proven, 10, {});
            QVERIFY2(read.has_value(), read ? "" : read.error().detail.c_str());
            QCOMPARE(proven.rows(), std::size_t(1));
            QCOMPARE(keyText(*plan->schema, proven.row(0)), stepped.back());
            reader->reset();
            // up to here, from the start
            auto head = (*snapshot)->read({{}, batch.upTo});
            Batch before(plan->schema);
            QVERIFY((*head)->read(before, 100, {}).has_value());
            QCOMPARE(before.rows(), stepped.size());
            range.after = batch.upTo;
        }
        QCOMPARE(stepped, whole);
    }
}

void TestSourcePostgresql::schemas()
{
    need(m_server->exec("DROP SCHEMA IF EXISTS \"Second \"\"one\"\"\" CASCADE; CREATE SCHEMA \"Second \"\"one\"\"\"; CREATE TABLE \"Second \"\"one\"\"\".\"Twin\" (\"Id\" int PRIMARY KEY)"));
    recreate("\"Twin\" (\"Id\" int PRIMARY KEY)");
    auto source = open(m_server->params());
    auto found = source->discover("Twin", {});
    QVERIFY2(found.has_value(), found ? "" : found.error().detail.c_str());
    QCOMPARE(found->size(), std::size_t(2));
    found = source->discover("Second*.Tw*", {});
    QCOMPARE(found->size(), std::size_t(1));
    QCOMPARE(found->front().ref.schema, std::string("Second \"one\""));
    need(m_server->exec("INSERT INTO \"Second \"\"one\"\"\".\"Twin\" VALUES (5)"));
    QCOMPARE(readTable(*source, planFor(found->front())), std::vector<std::string>({"5"}));
    for (const TableInfo& table : source->discover("", {}).value_or({}))
        QVERIFY(table.ref.schema == "public" || table.ref.schema == "Second \"one\"");
    ConnectionParams params = m_server->params();
    params.url.options["schema"] = "Second \"one\"";
    const auto only = open(params)->discover("", {});
    QCOMPARE(only->size(), std::size_t(1));
    need(m_server->exec("DROP SCHEMA \"Second \"\"one\"\"\" CASCADE"));
}

void TestSourcePostgresql::describesConstraints()
{
    need(m_server->exec("DROP VIEW IF EXISTS seen; DROP MATERIALIZED VIEW IF EXISTS kept"));
    recreate("parent (id smallint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, doc jsonb, updated_at timestamptz NOT NULL DEFAULT now())");
    need(m_server->exec("CREATE INDEX ON parent (updated_at)"));
    recreate("child (a int NOT NULL, b int NOT NULL, parent_id smallint CONSTRAINT fk REFERENCES parent (id) ON DELETE SET NULL ON UPDATE CASCADE, part varchar(300) UNIQUE, "
             "total int GENERATED ALWAYS AS (a + b) STORED, amount numeric(10,2), seen timestamp(3), UNIQUE (a, b) INCLUDE (part))");
    need(m_server->exec("CREATE UNIQUE INDEX partial ON child (a) WHERE b > 0; CREATE UNIQUE INDEX expression ON child ((a + b)); ANALYZE parent"));
    need(m_server->exec("CREATE VIEW seen AS SELECT id, updated_at FROM parent; CREATE MATERIALIZED VIEW kept AS SELECT * FROM parent"));
    auto source = open(m_server->params());
    const TableInfo parent = described(*source, "parent"), child = described(*source, "child");
    QCOMPARE(parent.primaryKey, std::vector<std::string>({"id"}));
    QCOMPARE(parent.columns[0].nativeType, std::string("smallint"));
    QCOMPARE(static_cast<int>(parent.columns[0].bits), 16);
    QCOMPARE(parent.columns[1].type, Type::Json);
    QCOMPARE(parent.recommended.cursor, std::string("updated_at"));
    QCOMPARE(parent.recommended.reason.id, std::string("cursor_indexed_by_name"));
    QVERIFY(parent.rowsEstimate.has_value() && parent.bytes.has_value());
    QCOMPARE(child.key, std::vector<std::string>({"a", "b"}));                 // neither partial, nor over an expression, nor nullable
    QCOMPARE(child.foreignKeys.size(), std::size_t(1));
    QCOMPARE(child.foreignKeys[0].table, std::string("parent"));
    QCOMPARE(child.foreignKeys[0].references, std::vector<std::string>({"id"}));
    QCOMPARE(child.foreignKeys[0].onDelete, std::string("set null"));
    QCOMPARE(child.foreignKeys[0].onUpdate, std::string("cascade"));
    QVERIFY(child.column("total")->generated);
    QCOMPARE(static_cast<int>(child.column("amount")->scale), 2);
    QCOMPARE(static_cast<int>(child.column("amount")->precision), 10);
    QCOMPARE(static_cast<int>(child.column("seen")->scale), 3);
    QCOMPARE(described(*source, "seen").kind, TableKind::View);
    QVERIFY(warns(described(*source, "seen"), "view_without_key"));
    QCOMPARE(described(*source, "kept").kind, TableKind::MaterializedView);
}

void TestSourcePostgresql::inheritanceAndPartitions()
{
    recreate("parted (id int, at date, PRIMARY KEY (id, at)) PARTITION BY RANGE (at)");
    need(m_server->exec("CREATE TABLE parted_1 PARTITION OF parted FOR VALUES FROM ('2024-01-01') TO ('2025-01-01'); CREATE TABLE parted_2 PARTITION OF parted DEFAULT"));
    need(m_server->exec("INSERT INTO parted SELECT i, date '2024-06-01' + i FROM generate_series(1, 3000) i; ANALYZE parted"));
    recreate("ancestor (id int PRIMARY KEY, v text)");
    need(m_server->exec("DROP TABLE IF EXISTS heir; CREATE TABLE heir (more int) INHERITS (ancestor)"));
    need(m_server->exec("INSERT INTO ancestor VALUES (1, 'a'), (3, 'a'), (5, 'a'); INSERT INTO heir VALUES (2, 'h', 0), (3, 'h', 0)"));
    auto source = open(m_server->params());
    const auto found = source->discover("parted*", {});
    QCOMPARE(found->size(), std::size_t(1));                                   // partitions come with their table
    QCOMPARE(found->front().kind, TableKind::PartitionedTable);
    QCOMPARE(found->front().rowsEstimate.value_or(0), std::uint64_t(3000));
    QCOMPARE(readTable(*source, planFor(found->front())).size(), std::size_t(3000));
    const TableInfo ancestor = described(*source, "ancestor");
    QVERIFY(warns(ancestor, "inherited"));
    QVERIFY(warns(described(*source, "heir"), "inherits"));
    std::vector<std::string> rejected;
    QCOMPARE(readTable(*source, planFor(ancestor), &rejected), std::vector<std::string>({"1", "2", "3", "3", "5"}));
    QCOMPARE(rejected, std::vector<std::string>({"source.postgresql.key_twice"}));
}

void TestSourcePostgresql::viewsWithAKey()
{
    recreate("base (id int PRIMARY KEY, v int)");
    need(m_server->exec("INSERT INTO base SELECT i, i FROM generate_series(1, 5000) i"));
    need(m_server->exec("CREATE OR REPLACE VIEW shown AS SELECT nullif(id, 7) AS id, v FROM base; DROP MATERIALIZED VIEW IF EXISTS stored; CREATE MATERIALIZED VIEW stored AS SELECT * FROM base"));
    auto source = open(m_server->params());
    PlanOptions options;
    options.key = {"id"};
    std::vector<std::string> rejected;
    QCOMPARE(readTable(*source, planFor(described(*source, "shown"), options), &rejected).size(), std::size_t(5000));
    QCOMPARE(rejected, std::vector<std::string>({"source.postgresql.key_null"}));
    const auto stored = planFor(described(*source, "stored"), options);
    QCOMPARE(readTable(*source, stored).size(), std::size_t(5000));
    QCOMPARE(readTable(*source, planFor(described(*source, "stored"))).size(), std::size_t(5000));       // keyless: by blocks
}

void TestSourcePostgresql::keylessTablesByBlocks()
{
    recreate("heap (v int, filler text)");
    need(m_server->exec("INSERT INTO heap SELECT i, repeat('x', 1000) FROM generate_series(1, 50000) i; DELETE FROM heap WHERE v BETWEEN 20000 AND 40000"));
    auto source = open(m_server->params());
    const auto plan = planFor(described(*source, "heap"));
    QVERIFY(plan->keyless());
    auto snapshot = source->snapshot(plan);
    QVERIFY(snapshot.has_value());
    auto reader = (*snapshot)->read({});
    std::set<std::int64_t> seen;
    std::size_t rows = 0;
    for (bool more = true; more;) {
        Batch batch(plan->schema);
        const auto state = (*reader)->read(batch, 1000, {});
        QVERIFY2(state.has_value(), state ? "" : state.error().detail.c_str());
        for (std::size_t i = 0; i < batch.rows(); ++i)
            seen.insert(batch.row(i)[0].i);
        if (rows == 0)                                                         // what comes later is not in this snapshot
            need(m_server->exec("INSERT INTO heap SELECT -i, '' FROM generate_series(1, 1000) i"));
        rows += batch.rows();
        more = *state == ReadState::More;
    }
    QCOMPARE(rows, std::size_t(29999));
    QCOMPARE(seen.size(), rows);
    QVERIFY(*seen.begin() > 0);
}

void TestSourcePostgresql::triggersMoveCursors()
{
    recreate("stamped (id int PRIMARY KEY, last_update timestamptz NOT NULL DEFAULT now(), created timestamptz)");
    need(m_server->exec("CREATE OR REPLACE FUNCTION stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.last_update = CURRENT_TIMESTAMP; RETURN NEW; END'"));
    auto source = open(m_server->params());
    QVERIFY(!described(*source, "stamped").column("last_update")->autoUpdated);
    need(m_server->exec("CREATE TRIGGER t BEFORE UPDATE ON stamped FOR EACH ROW EXECUTE FUNCTION stamp()"));
    const TableInfo info = described(*source, "stamped");
    QVERIFY(info.column("last_update")->autoUpdated && !info.column("created")->autoUpdated);
    QCOMPARE(info.recommended.reason.id, std::string("cursor_moves"));
}

void TestSourcePostgresql::stagedTest()
{
    auto source = open(m_server->params());
    QStringList seen;
    const TestReport report = source->test([&](const TestStage& s) { seen << QString::fromStdString(s.id); }, {});
    QVERIFY2(report.passed(), report.error ? report.error->detail.c_str() : "");
    QCOMPARE(seen, QStringList({"dns", "tcp", "tls", "login", "privileges", "server", "read_only", "clock", "limits"}));
    QCOMPARE(report.server.engine, std::string("postgresql"));
    QVERIFY(report.server.version.find('.') != std::string::npos);
    for (const TestStage& s : report.stages)
        QVERIFY2(s.outcome == TestStage::Outcome::Passed || s.id == "clock", (s.id + ": " + s.found).c_str());
    if (!m_server->folder().empty()) {
        const TestReport local = open(m_server->params(false))->test({}, {});
        QVERIFY2(local.passed(), local.error ? local.error->detail.c_str() : "");
    }
}

void TestSourcePostgresql::stagedTestNamesTheFailure()
{
    ConnectionParams params = m_server->params();
    params.url.user = "nobody_here";
    params.secrets["password"] = Secret("hunter-secret-2");
    const TestReport report = open(params)->test({}, {});
    QVERIFY(!report.passed());
    QCOMPARE(report.error->fault, Fault::Auth);
    QCOMPARE(stage(report, "tcp")->outcome, TestStage::Outcome::Passed);
    QCOMPARE(stage(report, "login")->outcome, TestStage::Outcome::Failed);
    QCOMPARE(stage(report, "privileges")->outcome, TestStage::Outcome::NotReached);
}

void TestSourcePostgresql::wrongPasswordIsNotShown()
{
    std::string reason;
    PostgresServer::Options options;
    options.external = false;
    options.hba = "local all all trust\nhost all all 127.0.0.1/32 scram-sha-256\n";
    const auto strict = PostgresServer::start(reason, options);
    if (!strict)
        QSKIP(reason.c_str());
    need(strict->exec("CREATE ROLE \"hunter-secret-2\" LOGIN PASSWORD 'right'"));
    // a user whose name holds the password: the server's message repeats it
    ConnectionParams params = strict->params();
    params.url.user = "hunter-secret-2";
    params.secrets["password"] = Secret("hunter-secret-2");
    const auto answer = open(params)->server();
    QVERIFY(!answer.has_value());
    QCOMPARE(answer.error().id, std::string("source.postgresql.login"));
    QVERIFY2(answer.error().detail.find("hunter") == std::string::npos, answer.error().detail.c_str());
    QVERIFY2(answer.error().fix.find("hunter") == std::string::npos, answer.error().fix.c_str());
    params.secrets["password"] = Secret("right");
    QVERIFY(open(params)->server().has_value());
    params.secrets.clear();
    QCOMPARE(open(params)->server().error().id, std::string("source.postgresql.login"));
}

void TestSourcePostgresql::missingPrivilegesHaveAGrant()
{
    recreate("granted (id int PRIMARY KEY, updated_at timestamptz NOT NULL DEFAULT now(), hidden_too text)");
    recreate("hidden (id int PRIMARY KEY)");
    need(m_server->exec("DROP SCHEMA IF EXISTS shut CASCADE; DROP ROLE IF EXISTS small; CREATE ROLE small LOGIN PASSWORD 'pw-of-small'; GRANT SELECT ON granted TO small; CREATE SCHEMA shut; CREATE TABLE shut.away (id int)"));
    ConnectionParams params = m_server->params();
    params.url.user = "small";
    params.secrets["password"] = Secret("pw-of-small");
    auto source = open(params);
    const TestReport report = source->test({}, {});
    QVERIFY2(report.passed(), report.error ? report.error->detail.c_str() : "");
    QCOMPARE(stage(report, "privileges")->outcome, TestStage::Outcome::Warning);
    QVERIFY2(stage(report, "privileges")->fix.find("GRANT USAGE ON SCHEMA shut TO small; GRANT SELECT ON ALL TABLES IN SCHEMA shut TO small;") != std::string::npos, stage(report, "privileges")->fix.c_str());
    const auto found = source->discover("", {});
    QCOMPARE(found->size(), std::size_t(1));
    QVERIFY(warns(found->front(), "best_effort_horizon"));
    // polling still works
    PlanOptions options;
    options.strategy = Strategy::Timestamp;
    options.cursor = "updated_at";
    const auto plan = planFor(found->front(), options);
    auto hiddenWriter = m_server->session();
    need(hiddenWriter->exec("BEGIN"));
    need(hiddenWriter->exec("INSERT INTO granted (id) VALUES (1)"));
    const auto mark = source->mark(*plan);
    QVERIFY2(mark.has_value(), mark ? "" : mark.error().detail.c_str());
    need(hiddenWriter->exec("COMMIT"));
    auto changes = source->changes(plan, *mark);
    QVERIFY(changes.has_value());
    Batch batch(plan->schema);
    QVERIFY((*changes)->read(batch, 10, {}).has_value());
    QCOMPARE(batch.rows(), std::size_t(1));
    // a table that may not be read says how it could be
    const auto refused = source->describe({"shut", "away"});
    QVERIFY(!refused.has_value());
    QCOMPARE(refused.error().fault, Fault::Auth);
    QCOMPARE(refused.error().fix, std::string("GRANT USAGE ON SCHEMA \"shut\" TO \"small\"; GRANT SELECT ON \"shut\".\"away\" TO \"small\";"));
    TableInfo secret = found->front();
    secret.ref.name = "hidden";
    secret.columns.resize(1);
    auto snapshot = source->snapshot(planFor(secret));
    Result<ReadState> read = ReadState::End;
    if (snapshot) {
        auto reader = (*snapshot)->read({});
        Batch none(planFor(secret)->schema);
        read = (*reader)->read(none, 1, {});
    } else
        read = snapshot.error();
    QVERIFY(!read.has_value());
    QCOMPARE(read.error().fault, Fault::Auth);
    QVERIFY2(read.error().fix.starts_with("GRANT SELECT ON TABLE \"hidden\""), read.error().fix.c_str());
    // some columns only
    need(m_server->exec("REVOKE SELECT ON granted FROM small; GRANT SELECT (id, updated_at) ON granted TO small"));
    const TableInfo some = described(*source, "granted");
    QCOMPARE(some.columns.size(), std::size_t(2));
    QVERIFY(warns(some, "columns_hidden"));
    QCOMPARE(readTable(*source, planFor(some)), std::vector<std::string>({"1"}));
    need(m_server->exec("DROP SCHEMA shut CASCADE; DROP OWNED BY small; DROP ROLE small"));
}

void TestSourcePostgresql::requiredTlsIsNeverPlaintext_data()
{
    QTest::addColumn<QString>("mode");
    for (const char* mode : {"require", "verify-ca", "verify-full"})
        QTest::newRow(mode) << mode;
}

// The server as started here has no certificate: it offers no TLS, and no mode but `disable` may end up in plaintext.
void TestSourcePostgresql::requiredTlsIsNeverPlaintext()
{
    QFETCH(QString, mode);
    if (m_server->external())
        QSKIP("the external server may well offer TLS");
    ConnectionParams params = m_server->params();
    params.url.options["tls"] = mode.toStdString();
    params.url.options["tls_ca"] = "/etc/ssl/certs/ca-certificates.crt";
    params.secrets["password"] = Secret("never-in-plaintext");
    const auto answer = open(params)->server();
    QVERIFY(!answer.has_value());
    QCOMPARE(answer.error().id, std::string("source.postgresql.tls"));
    const TestReport report = open(params)->test({}, {});
    QCOMPARE(stage(report, "tls")->outcome, TestStage::Outcome::Failed);
    QCOMPARE(stage(report, "login")->outcome, TestStage::Outcome::NotReached);
}

// A server with a certificate of our own authority, once for its address and once for another name.
void TestSourcePostgresql::tlsModes()
{
    const QString openssl = QStandardPaths::findExecutable("openssl");
    if (openssl.isEmpty())
        QSKIP("openssl is not installed");
    QTemporaryDir folder;
    const auto run = [&](const QString& line) {
        QProcess process;
        process.setWorkingDirectory(folder.path());
        process.start(openssl, line.split(' '));
        return process.waitForFinished(60000) && process.exitCode() == 0;
    };
    const auto content = [&](const QString& name) {
        QFile file(folder.filePath(name));
        return file.open(QIODevice::ReadOnly) ? file.readAll().toStdString() : std::string();
    };
    for (const char* authority : {"ca", "stranger"})
        QVERIFY(run(QString("req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=%1 -keyout %1.key -out %1.pem").arg(authority)));
    for (const auto& [name, address] : {std::pair("here", "IP:127.0.0.1"), std::pair("elsewhere", "DNS:elsewhere.example")}) {
        QFile extension(folder.filePath("ext"));
        QVERIFY(extension.open(QIODevice::WriteOnly));
        extension.write((std::string("subjectAltName=") + address).c_str());
        extension.close();
        QVERIFY(run(QString("req -newkey rsa:2048 -nodes -subj /CN=%1.example -keyout %1.key -out %1.csr").arg(name)));
        QVERIFY(run(QString("x509 -req -in %1.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile ext -out %1.pem").arg(name)));
    }
    for (const char* name : {"here", "elsewhere"}) {
        std::string reason;
        PostgresServer::Options options;
        options.external = false;
        options.settings = {"ssl=on"};
        options.files = {{"server.crt", content(QString("%1.pem").arg(name))}, {"server.key", content(QString("%1.key").arg(name))}};
        const auto server = PostgresServer::start(reason, options);
        if (!server)
            QSKIP(reason.c_str());
        const std::string at = folder.path().toStdString() + "/";
        const auto answers = [&](const char* mode, const std::string& ca) {
            ConnectionParams params = server->params();
            params.url.options["tls"] = mode;
            if (!ca.empty())
                params.url.options["tls_ca"] = at + ca;
            const auto source = openPostgresql(params);
            const auto answer = source ? (*source)->server() : Result<ServerInfo>(source.error());
            return answer ? std::string("ok") : answer.error().id;
        };
        const bool here = std::string(name) == "here";
        QCOMPARE(answers("require", ""), std::string("ok"));
        QCOMPARE(answers("disable", ""), std::string("ok"));
        QCOMPARE(answers("verify-ca", "ca.pem"), std::string("ok"));
        QCOMPARE(answers("verify-ca", "stranger.pem"), std::string("source.postgresql.tls"));
        QCOMPARE(answers("verify-ca", ""), std::string("source.postgresql.tls_ca"));
        QCOMPARE(answers("verify-full", "ca.pem"), here ? std::string("ok") : std::string("source.postgresql.tls"));
        QCOMPARE(answers("verify-full", "stranger.pem"), std::string("source.postgresql.tls"));
        QCOMPARE(answers("verify-full", ""), std::string("source.postgresql.tls"));
        ConnectionParams params = server->params();
        params.url.options["tls"] = "require";
        const TestReport report = open(params)->test({}, {});
        QVERIFY2(stage(report, "tls")->found.find("TLSv1") != std::string::npos, stage(report, "tls")->found.c_str());
    }
}

void TestSourcePostgresql::serverOptionsDoNotChangeWhatIsRead()
{
    need(m_server->exec("DROP ROLE IF EXISTS strange; CREATE ROLE strange LOGIN; ALTER ROLE strange SET timezone = 'Asia/Kolkata'; ALTER ROLE strange SET datestyle = 'SQL, DMY'; "
                        "ALTER ROLE strange SET intervalstyle = 'postgres_verbose'; ALTER ROLE strange SET bytea_output = 'escape'; ALTER ROLE strange SET extra_float_digits = -5; "
                        "ALTER ROLE strange SET standard_conforming_strings = off; ALTER ROLE strange SET client_encoding = 'LATIN1'; ALTER ROLE strange SET search_path = 'nowhere'; "
                        "ALTER ROLE strange SET default_transaction_isolation = 'serializable'"));
    recreate("t (id int PRIMARY KEY, c text, ts timestamptz, d date, i interval, b bytea, f float8, a date[])");
    need(m_server->exec("INSERT INTO t VALUES (1, E'a\\\\b\xE2\x82\xAC', '2026-01-01 10:00:00+00', '2026-02-03', '1 day', '\\x00ff', 0.1234567890123456, '{2026-02-03}'); GRANT SELECT ON t TO strange"));
    ConnectionParams params = m_server->params();
    params.url.user = "strange";
    auto source = open(params);
    const auto plan = planFor(described(*source, "t"));
    for (const bool proof : {false, true}) {
        auto snapshot = source->snapshot(plan);
        auto reader = proof ? source->proof(plan, {}) : (*snapshot)->read({});
        Batch batch(plan->schema);
        QVERIFY((*reader)->read(batch, 100, {}).has_value());
        QCOMPARE(batch.rows(), std::size_t(1));
        std::string text;
        for (const Cell& cell : batch.row(0)) {
            appendJson(text, cell);
            text += ' ';
        }
        QCOMPARE(text, std::string("1 \"a\\\\b\xE2\x82\xAC\" \"2026-01-01T10:00:00.000000Z\" \"2026-02-03\" \"P1D\" \"AP8=\" 0.1234567890123456 [\"2026-02-03\"] "));
    }
    need(m_server->exec("DROP OWNED BY strange; DROP ROLE strange"));
}

void TestSourcePostgresql::localTimeCursorIsRefused()
{
    std::string reason;
    PostgresServer::Options options;
    options.external = false;
    options.settings = {"timezone=Europe/Berlin"};
    const auto berlin = PostgresServer::start(reason, options);
    if (!berlin)
        QSKIP(reason.c_str());
    need(berlin->exec("CREATE TABLE t (id int PRIMARY KEY, updated_at timestamp NOT NULL, moved timestamptz NOT NULL)"));
    auto source = open(berlin->params());
    const TableInfo info = described(*source, "t");
    QCOMPARE(info.recommended.strategy, Strategy::Full);
    QCOMPARE(info.recommended.reason.id, std::string("local_time_cursor"));
    PlanOptions plan;
    plan.strategy = Strategy::Timestamp;
    plan.cursor = "updated_at";
    const auto refused = source->preflight(*planFor(info, plan));
    QVERIFY(!refused.has_value());
    QCOMPARE(refused.error().id, std::string("source.postgresql.local_time_cursor"));
    plan.cursor = "moved";
    QVERIFY(source->preflight(*planFor(info, plan)).has_value());
    QCOMPARE(stage(source->test({}, {}), "clock")->outcome, TestStage::Outcome::Warning);
    // in UTC a timestamp without zone is a cursor as good as any
    auto utc = open(m_server->params());
    recreate("t2 (id int PRIMARY KEY, updated_at timestamp NOT NULL)");
    plan.cursor = "updated_at";
    QVERIFY(utc->preflight(*planFor(described(*utc, "t2"), plan)).has_value());
}

void TestSourcePostgresql::infiniteCursorsAreReadAtEachPoll()
{
    recreate("forever (id int PRIMARY KEY, updated_at timestamptz NOT NULL)");
    auto source = open(m_server->params());
    PlanOptions options;
    options.strategy = Strategy::Timestamp;
    options.cursor = "updated_at";
    options.policy = ValuePolicy::Text;
    const auto plan = planFor(described(*source, "forever"), options);
    const auto mark = source->mark(*plan);
    need(m_server->exec("INSERT INTO forever VALUES (1, 'infinity'), (2, '-infinity'), (3, now())"));
    Position from = *mark;
    for (int round = 0; round < 2; ++round) {
        auto reader = source->changes(plan, from);
        QVERIFY2(reader.has_value(), reader ? "" : reader.error().detail.c_str());
        Batch batch(plan->schema);
        const auto state = (*reader)->read(batch, 100, {});
        QVERIFY2(state.has_value(), state ? "" : state.error().detail.c_str());
        QCOMPARE(batch.rows(), std::size_t(3));
        from = batch.upTo;
    }
}

// PREPARE TRANSACTION takes a transaction out of the list it was in; its rows come when it is committed, however late.
void TestSourcePostgresql::preparedTransactionsHoldTheHorizon()
{
    if (m_server->external())
        QSKIP("the external server may not allow prepared transactions");
    recreate("twophase (id int PRIMARY KEY, updated_at timestamptz NOT NULL DEFAULT now())");
    auto source = open(m_server->params());
    PlanOptions options;
    options.strategy = Strategy::Timestamp;
    options.cursor = "updated_at";
    options.overlapMs = 0;
    const auto plan = planFor(described(*source, "twophase"), options);
    auto late = m_server->session();
    Position position = *source->mark(*plan);
    const auto poll = [&] {
        std::size_t rows = 0;
        auto reader = source->changes(plan, position);
        for (bool more = reader.has_value(); more;) {
            Batch batch(plan->schema);
            const auto state = (*reader)->read(batch, 100, {});
            more = state && *state == ReadState::More;
            rows += batch.rows();
            if (state) position = batch.upTo;
        }
        return rows;
    };
    need(late->exec("BEGIN"));
    need(late->exec("SELECT now()"));
    QElapsedTimer timer;
    timer.start();
    for (bool prepared = false; timer.elapsed() < 5000;) {
        QCOMPARE(poll(), std::size_t(0));
        if (!prepared && timer.elapsed() > 2000) {
            need(late->exec("INSERT INTO twophase (id) VALUES (1)"));
            need(late->exec("PREPARE TRANSACTION 'later'"));
            prepared = true;
        }
    }
    need(late->exec("COMMIT PREPARED 'later'"));
    QCOMPARE(poll(), std::size_t(1));
}

// We wait for a schema change a stated time, not for ever; and one that waits for us does not wait longer than a page's snapshot lives.
void TestSourcePostgresql::schemaChangesDoNotWaitForLong()
{
    recreate("locked (id int PRIMARY KEY)");
    ConnectionParams params = m_server->params();
    params.url.options["lock_timeout"] = "1";
    auto source = open(params);
    const auto plan = planFor(described(*source, "locked"));
    auto changer = m_server->session();
    need(changer->exec("BEGIN"));
    need(changer->exec("LOCK TABLE locked IN ACCESS EXCLUSIVE MODE"));
    QElapsedTimer timer;
    timer.start();
    const auto refused = source->snapshot(plan);
    QVERIFY(!refused.has_value());
    QCOMPARE(refused.error().id, std::string("source.postgresql.lock_wait"));
    QVERIFY(refused.error().transient());
    QVERIFY2(timer.elapsed() < 10'000, "the lock was waited for too long");
    QVERIFY2(source->discover("", {}).has_value(), "discovery waits for a locked table");
    need(changer->exec("COMMIT"));
}

// The session is read only, whatever the account may do: even a `where` that tries cannot write.
void TestSourcePostgresql::cannotWrite()
{
    recreate("precious (id int PRIMARY KEY)");
    need(m_server->exec("INSERT INTO precious VALUES (1); CREATE OR REPLACE FUNCTION wipe() RETURNS int LANGUAGE sql AS 'DELETE FROM public.precious; SELECT 1'"));
    auto source = open(m_server->params());
    PlanOptions options;
    for (const char* where : {"public.wipe() = 1", "true) TO STDOUT; COMMIT; SET default_transaction_read_only = off; DELETE FROM public.precious; COPY (SELECT 1",
                              "true); COMMIT; SET default_transaction_read_only = off; DELETE FROM public.precious; --"}) {
        options.where = where;
        const auto plan = planFor(described(*source, "precious"), options);
        const auto rows = readTable(*source, plan);
        QVERIFY2(rows.size() == 1 && rows[0].starts_with("source.postgresql."), rows.empty() ? "no rows" : rows[0].c_str());
        QVERIFY(!source->preflight(*plan) || where[0] == 'p');
        auto proof = source->proof(plan, {});
        Batch batch(plan->schema);
        QVERIFY(!(*proof)->read(batch, 10, {}));
        QCOMPARE((*m_server->session()->rows("SELECT count(*) FROM precious"))[0][0].value(), std::string("1"));
    }
}

void TestSourcePostgresql::unreachableServer()
{
    ConnectionParams params = m_server->params();
    params.url.hosts[0].second = 1;                                     // nothing listens there
    const auto answer = open(params)->server();
    QVERIFY(!answer.has_value());
    QCOMPARE(answer.error().fault, Fault::Network);
    QVERIFY(answer.error().transient());
    const TestReport report = open(params)->test({}, {});
    QCOMPARE(stage(report, "tcp")->outcome, TestStage::Outcome::Failed);
    params = m_server->params();
    params.url.path = "no_such_database";
    QCOMPARE(open(params)->server().error().id, std::string("source.postgresql.no_database"));
    params.url.path.clear();
    QVERIFY(!openPostgresql(params));
}

// A port that takes the connection and says nothing must not hold the test for ever, and a stop ends it at once.
void TestSourcePostgresql::silentServer()
{
    const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in address {};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    QCOMPARE(::bind(listener, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    QCOMPARE(::listen(listener, 4), 0);
    ::getsockname(listener, reinterpret_cast<sockaddr*>(&address), &size);
    ConnectionParams params = m_server->params();
    params.url.hosts = {{"127.0.0.1", ntohs(address.sin_port)}};
    params.url.options["connect_timeout"] = "1";
    QElapsedTimer timer;
    timer.start();
    const TestReport report = open(params)->test({}, {});
    QCOMPARE(stage(report, "tcp")->outcome, TestStage::Outcome::Failed);
    QVERIFY(!open(params)->server().has_value());
    QVERIFY2(timer.elapsed() < 8000, "a silent server holds the connection");
    params.url.options["connect_timeout"] = "60";
    std::stop_source stop;
    const auto source = open(params);
    TestReport stopped;
    std::jthread thread([&] { stopped = source->test({}, stop.get_token()); });
    stop.request_stop();
    timer.restart();
    thread.join();
    ::close(listener);
    QVERIFY(timer.elapsed() < 5000);
    QCOMPARE(stopped.error->fault, Fault::Cancelled);
}

void TestSourcePostgresql::refusesUnknownOptions()
{
    ConnectionParams params = m_server->params();
    params.url.options["tls_caa"] = "x";
    const auto refused = openPostgresql(params);
    QVERIFY(!refused.has_value());
    QVERIFY(refused.error().detail.find("tls_ca") != std::string::npos);
    params.url.options = {{"statement_timeout", "soon"}};
    QCOMPARE(openPostgresql(params).error().id, std::string("source.postgresql.statement_timeout"));
}

// The catalogue is asked a handful of times however many tables there are; asking per table would take many seconds.
void TestSourcePostgresql::thousandsOfTables()
{
    need(m_server->exec("CREATE SCHEMA many; DO $$ BEGIN FOR i IN 1..1000 LOOP EXECUTE 'CREATE TABLE many.t' || i || ' (id int PRIMARY KEY, updated_at timestamptz NOT NULL)'; END LOOP; END $$"));
    ConnectionParams params = m_server->params();
    params.url.options["schema"] = "many";
    auto source = open(params);
    QVERIFY(source->server().has_value());
    QElapsedTimer timer;
    timer.start();
    QCOMPARE(source->discover("", {})->size(), std::size_t(1000));
    QVERIFY2(timer.elapsed() < 10'000, "discovery of 1,000 tables takes too long");
    need(m_server->exec("DROP SCHEMA many CASCADE"));
}

QTEST_GUILESS_MAIN(TestSourcePostgresql)
#include "tst_source_postgresql.moc"
