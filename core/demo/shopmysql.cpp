#include "core/demo/generator.h"
#include "core/base/text.h"
#include "core/demo/shop.h"
#include <memory>
#include <mysql.h>

namespace millrace {

namespace {

using shop::Table;

constexpr std::string_view mark = "Millrace demo shop";          // the comment by which a shop of ours is told from somebody's tables

constexpr std::string_view definitions[] = {
    "customers(id INT UNSIGNED PRIMARY KEY, name VARCHAR(120) NOT NULL, email VARCHAR(120) NOT NULL, phone VARCHAR(40), birthday DATE, credit_limit DECIMAL(10,2) NOT NULL,"
    " is_business TINYINT(1) NOT NULL, notes TEXT, created_at DATETIME NOT NULL, updated_at {now}, is_deleted TINYINT(1) NOT NULL DEFAULT 0)",
    "addresses(id INT UNSIGNED PRIMARY KEY, customer_id INT UNSIGNED NOT NULL, kind ENUM('billing','shipping') NOT NULL, street VARCHAR(120) NOT NULL, city VARCHAR(80) NOT NULL,"
    " postcode VARCHAR(20), country CHAR(2) NOT NULL, latitude DOUBLE NOT NULL, longitude DOUBLE NOT NULL, updated_at {now})",
    "products(id INT UNSIGNED PRIMARY KEY, sku VARCHAR(20) NOT NULL, name VARCHAR(120) NOT NULL, description TEXT, price DECIMAL(10,2) NOT NULL, weight_kg DOUBLE,"
    " attributes JSON NOT NULL, discontinued TINYINT(1) NOT NULL, thumbnail VARBINARY(64), updated_at {now})",
    "orders(id INT UNSIGNED PRIMARY KEY, customer_id INT UNSIGNED NOT NULL, address_id INT UNSIGNED, status VARCHAR(20) NOT NULL, ordered_at DATETIME NOT NULL, ship_date DATE,"
    " total DECIMAL(12,2) NOT NULL, gift_note VARCHAR(200), updated_at {now})",
    "order_lines(order_id INT UNSIGNED NOT NULL, line_no SMALLINT UNSIGNED NOT NULL, product_id INT UNSIGNED NOT NULL, quantity INT NOT NULL, unit_price DECIMAL(10,2) NOT NULL,"
    " discount DECIMAL(5,2), updated_at {now}, PRIMARY KEY(order_id, line_no))",
    "payments(id INT UNSIGNED PRIMARY KEY, order_id INT UNSIGNED NOT NULL, method VARCHAR(20) NOT NULL, amount DECIMAL(12,2) NOT NULL, paid_at DATETIME, reference CHAR(36) NOT NULL,"
    " captured TINYINT(1) NOT NULL, updated_at {now})",
    "reviews(id INT UNSIGNED PRIMARY KEY, product_id INT UNSIGNED NOT NULL, customer_id INT UNSIGNED NOT NULL, rating TINYINT UNSIGNED NOT NULL, title VARCHAR(120) NOT NULL, body TEXT,"
    " created_at DATETIME NOT NULL, updated_at {now})"};

// Built once the rows are there, which is faster than keeping them while they come. reviews has no index on updated_at, as in SQLite.
constexpr std::string_view keys[] = {
    "customers ADD KEY(updated_at)",
    "addresses ADD KEY(updated_at), ADD KEY(customer_id), ADD FOREIGN KEY(customer_id) REFERENCES customers(id)",
    "products ADD UNIQUE KEY(sku), ADD KEY(updated_at)",
    "orders ADD KEY(updated_at), ADD KEY(customer_id), ADD KEY(address_id), ADD FOREIGN KEY(customer_id) REFERENCES customers(id), ADD FOREIGN KEY(address_id) REFERENCES addresses(id)",
    "order_lines ADD KEY(updated_at), ADD KEY(product_id), ADD FOREIGN KEY(order_id) REFERENCES orders(id), ADD FOREIGN KEY(product_id) REFERENCES products(id)",
    "payments ADD KEY(updated_at), ADD KEY(order_id), ADD FOREIGN KEY(order_id) REFERENCES orders(id)",
    "reviews ADD KEY(product_id), ADD KEY(customer_id), ADD FOREIGN KEY(product_id) REFERENCES products(id), ADD FOREIGN KEY(customer_id) REFERENCES customers(id)"};

class Server {
public:
    ~Server() { if (m_handle) mysql_close(m_handle); }

    Result<> connect(const ConnectionParams& params)
    {
        const ConnectionUrl& url = params.url;
        if (url.path.empty())
            return Error{Fault::Config, "demo.no_database", "The URL names no database to fill.", "Write mysql://user@host/database.", {}};
        auto tls = tlsMode(url);
        if (!tls)
            return std::move(tls).error();
        m_handle = mysql_init(nullptr);
        const auto option = [&](const char* name) { const auto found = url.options.find(name); return found == url.options.end() ? std::string() : found->second; };
        const my_bool yes = 1;
        const unsigned off = 0, seconds = 10;
        mysql_options(m_handle, MYSQL_OPT_LOCAL_INFILE, &off);    // a hostile server must not ask for our files
        mysql_options(m_handle, MYSQL_OPT_CONNECT_TIMEOUT, &seconds);
        mysql_options(m_handle, MYSQL_SET_CHARSET_NAME, "utf8mb4");
        const std::string ca = option("tls_ca"), cert = option("tls_cert"), key = option("tls_key"), socket = option("socket");
        if (*tls != TlsMode::Disable) {
            mysql_ssl_set(m_handle, key.empty() ? nullptr : key.c_str(), cert.empty() ? nullptr : cert.c_str(), ca.empty() ? nullptr : ca.c_str(), nullptr, nullptr);
            mysql_options(m_handle, MYSQL_OPT_SSL_ENFORCE, &yes);
            if (*tls != TlsMode::Require)
                mysql_options(m_handle, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
        }
        const auto secret = params.secrets.find("password");
        m_secret = secret == params.secrets.end() ? Secret() : secret->second;
        if (!mysql_real_connect(m_handle, url.host().empty() ? "localhost" : url.host().c_str(), url.user.c_str(), m_secret.revealCString(), url.path.c_str(), url.port(3306),
                                socket.empty() ? nullptr : socket.c_str(), 0))
            return error(mysql_errno(m_handle) == 1045 ? Fault::Auth : Fault::Network);
        if (*tls != TlsMode::Disable && !mysql_get_ssl_cipher(m_handle))
            return Error{Fault::Network, "demo.no_tls", "The server left the connection in plaintext.", "Enable TLS there, or write ?tls=disable.", {}};
        return {};
    }

    Result<> run(std::string_view sql)
    {
        if (mysql_real_query(m_handle, sql.data(), sql.size()) != 0)
            return error(Fault::Storage);
        if (MYSQL_RES* rows = mysql_store_result(m_handle))
            mysql_free_result(rows);
        return {};
    }

    Result<std::vector<std::pair<std::string, std::string>>> pairs(std::string_view sql)
    {
        if (mysql_real_query(m_handle, sql.data(), sql.size()) != 0)
            return error(Fault::Storage);
        std::vector<std::pair<std::string, std::string>> out;
        const std::unique_ptr<MYSQL_RES, decltype(&mysql_free_result)> rows(mysql_store_result(m_handle), &mysql_free_result);
        if (!rows)
            return error(Fault::Network);
        while (MYSQL_ROW row = mysql_fetch_row(rows.get()))
            out.emplace_back(row[0] ? row[0] : "", row[1] ? row[1] : "");
        return out;
    }

private:
    Error error(Fault fault) const
    {
        return {fault, "demo.mysql", redact(mysql_error(m_handle), m_secret), "The user needs CREATE, DROP, INSERT and SELECT in a database for the shop.", {}};
    }
    MYSQL* m_handle = nullptr;
    Secret m_secret;
};

//! Multi-row INSERTs of about half a megabyte, well below any server's max_allowed_packet; one commit per few megabytes.
class MysqlWriter {
public:
    explicit MysqlWriter(Server& server) : m_server(server) {}
    Result<> ended() { return std::move(m_ended); }

    bool begin(Table table)
    {
        m_head = "INSERT INTO `" + std::string(shop::tableNames[static_cast<std::size_t>(table)]) + "` VALUES";
        m_sql = m_head;
        m_first = true;
        return true;
    }
    bool endRow()
    {
        m_sql += ')';
        m_first = true;
        return m_sql.size() < 512 * 1024 || flush();
    }
    bool end() { return flush() && keep(m_server.run("COMMIT")); }

    void null() { next(); m_sql += "NULL"; }
    void integer(std::int64_t value) { next(); appendInt(m_sql, value); }
    void boolean(bool value) { next(); m_sql += value ? '1' : '0'; }
    void real(double value) { next(); appendReal(m_sql, value); }
    void decimal(std::int64_t cents)
    {
        next();
        appendInt(m_sql, cents / 100);
        m_sql += cents % 100 < 10 ? ".0" : ".";
        appendInt(m_sql, cents % 100);
    }
    void text(std::string_view value)
    {
        next();
        m_sql += '\'';
        for (const char c : value) {
            if (c == '\'' || c == '\\') m_sql += '\\';
            m_sql += c;
        }
        m_sql += '\'';
    }
    void json(std::string_view value) { text(value); }
    void bytes(std::string_view value) { next(); m_sql += "X'"; m_sql += hex(value); m_sql += '\''; }
    void date(std::int64_t days) { next(); m_sql += '\''; appendDate(m_sql, days); m_sql += '\''; }
    void datetime(std::int64_t seconds)
    {
        next();
        m_sql += '\'';
        const std::size_t at = m_sql.size();
        appendDateTime(m_sql, seconds * 1'000'000, 0, false);
        m_sql[at + 10] = ' ';
        m_sql += '\'';
    }

private:
    void next()
    {
        if (!m_first) m_sql += ',';
        else m_sql += m_sql.size() == m_head.size() ? "(" : ",(";
        m_first = false;
    }
    bool flush()
    {
        if (m_sql.size() == m_head.size())
            return true;
        const bool done = keep(m_server.run(m_sql)) && (++m_flushed % 16 || keep(m_server.run("COMMIT")));
        m_sql = m_head;
        return done;
    }
    bool keep(Result<> result)
    {
        if (result)
            return true;
        m_ended = std::move(result);
        return false;
    }
    Server& m_server;
    Result<> m_ended;
    std::string m_head, m_sql;
    bool m_first = true;
    std::uint64_t m_flushed = 0;
};

Result<> makeTables(Server& server, const std::string& database)
{
    std::string names;
    for (const auto name : shop::tableNames)
        names.append(names.empty() ? "'" : ", '").append(name).append("'");
    auto there = server.pairs("SELECT TABLE_NAME, TABLE_COMMENT FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME IN (" + names + ")");
    if (!there)
        return std::move(there).error();
    for (const auto& [name, comment] : *there)
        if (comment != mark)
            return Error{Fault::Config, "demo.exists", "The database " + database + " has a table " + name + " that is not the demo shop's.", "Name an empty database.", {}};
    for (std::size_t i = std::size(shop::tableNames); i-- > 0;)
        if (auto dropped = server.run("DROP TABLE IF EXISTS `" + std::string(shop::tableNames[i]) + "`"); !dropped)
            return dropped;
    for (const auto text : definitions) {
        std::string sql = "CREATE TABLE " + std::string(text);
        const std::string_view placeholder = "{now}";
        sql.replace(sql.find(placeholder), placeholder.size(), "TIMESTAMP NOT NULL DEFAULT CURRENT_TIMESTAMP ON UPDATE CURRENT_TIMESTAMP");
        sql.append(" ENGINE=InnoDB CHARACTER SET utf8mb4 COMMENT='").append(mark).append("'");
        if (auto made = server.run(sql); !made)
            return made;
    }
    return {};
}

} // namespace

Result<> makeShopMysql(const ConnectionParams& params, std::uint64_t rows, std::uint64_t seed)
{
    if (rows < 100)
        return Error{Fault::Usage, "demo.rows", "A shop needs at least 100 rows.", "Ask for --rows 100 or more.", {}};
    Server server;
    if (auto connected = server.connect(params); !connected)
        return connected;
    if (auto set = server.run("SET SESSION time_zone = '+00:00', sql_mode = 'STRICT_ALL_TABLES', foreign_key_checks = 0, unique_checks = 0, autocommit = 0"); !set)
        return set;
    if (auto made = makeTables(server, params.url.path); !made)
        return made;
    MysqlWriter writer(server);
    if (!shop::Generator<MysqlWriter>(writer, rows, seed).run())
        return writer.ended();
    for (const auto key : keys)
        if (auto built = server.run("ALTER TABLE " + std::string(key)); !built)
            return built;
    return {};
}

} // namespace millrace
