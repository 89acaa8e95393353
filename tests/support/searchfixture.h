#pragma once
#include "core/base/text.h"
#include "core/target/search/searchtarget.h"
#include "tests/support/searchserver.h"
#include "tests/support/targetcontract.h"
#include <QtGlobal>
#include <algorithm>

namespace millrace::test {

inline std::string indexPath(const std::string& name) { return "/" + percentEncode(name); }

//! Looks at the server by plain HTTP, as any other program would.
class SearchFixture final : public TargetFixture {
public:
    SearchFixture(const SearchServer& server, ConnectionParams params) : m_server(server), m_params(std::move(params)) {}
    explicit SearchFixture(const SearchServer& server) : SearchFixture(server, server.params()) {}

    Result<std::unique_ptr<Target>> open() override { return openSearch(m_params); }
    bool exists(const std::string& container) override { return m_server.request("GET", indexPath(container)).status == 200; }
    std::vector<RawDocument> documents(const std::string& container) override
    {
        std::vector<RawDocument> out;
        if (!exists(container))
            return out;
        must(m_server.request("POST", indexPath(container) + "/_refresh"));
        const auto reply = m_server.request("POST", indexPath(container) + "/_search", R"({"size":10000,"sort":["_doc"]})");
        must(reply);
        for (const Node& hit : reply.json["hits"]["hits"].items()) {
            Node source = hit["_source"];
            std::erase_if(source.fields(), [](const Node::Field& field) { return field.first == "_mr"; });
            out.push_back({hit["_id"].string(), source.json()});
        }
        std::sort(out.begin(), out.end());
        return out;
    }
    void putForeign(const std::string& container, const std::string& key) override
    { must(m_server.request("PUT", indexPath(container) + "/_doc/" + percentEncode(key), R"({"note":"foreign"})")); }
    void remove(const std::string& container) override { m_server.request("DELETE", indexPath(container)); }
    void ageLease(const std::string& sync, std::int64_t seconds) override
    {
        const std::string at = "/millrace-registry/_doc/" + percentEncode("lease:" + sync);
        const auto reply = m_server.request("GET", at);
        must(reply);
        Node lease = reply.json["_source"];
        lease.set("heartbeat", lease["heartbeat"].integer() - seconds * 1000);
        must(m_server.request("PUT", at, lease.json()));
    }
    std::size_t tooLarge() const override { return 65u << 20; }

    static void must(const SearchServer::Reply& reply)
    {
        if (reply.status < 200 || reply.status > 299)
            qFatal("HTTP %ld: %s", reply.status, reply.text.c_str());
    }

private:
    const SearchServer& m_server;
    const ConnectionParams m_params;
};

//! One table of one sync, by its columns; the first is the key.
struct SearchBench {
    std::unique_ptr<Target> target;
    std::shared_ptr<TablePlan> plan = std::make_shared<TablePlan>();
    Lease lease;
    std::uint64_t seq = 0;

    SearchBench(const ConnectionParams& params, const std::string& name, std::vector<Column> columns)
    {
        auto opened = openSearch(params);
        if (!opened)
            qFatal("%s", opened.error().detail.c_str());
        target = std::move(*opened);
        plan->sync = "sync-" + name;
        plan->label = plan->container = name;
        setColumns(std::move(columns));
        auto taken = target->acquire(plan->sync, "home", 0, {});
        if (!taken)
            qFatal("%s: %s", taken.error().id.c_str(), taken.error().detail.c_str());
        lease = *taken;
    }
    void setColumns(std::vector<Column> columns)
    {
        auto schema = std::make_shared<Schema>();
        schema->table = plan->label;
        schema->columns = std::move(columns);
        schema->columns[0].key = true;
        schema->key = {0};
        plan->schema = schema;
        plan->policies.assign(schema->columns.size(), ValuePolicy::Null);
    }
    static Column column(const std::string& name, Type type, const std::string& native = {}, unsigned bits = 64, unsigned precision = 0, unsigned scale = 0)
    {
        Column c;
        c.source = c.name = name;
        c.type = type;
        c.nativeType = native;
        c.bits = static_cast<std::uint8_t>(bits);
        c.precision = static_cast<std::uint16_t>(precision);
        c.scale = static_cast<std::uint8_t>(scale);
        return c;
    }
    //! Rows of two columns, an integer key and anything.
    Payload payload(const std::vector<std::pair<std::int64_t, Cell>>& rows)
    {
        Batch batch(plan->schema);
        batch.version = lease.epoch << 40 | (seq + 1);
        seq += rows.size();
        std::vector<std::uint32_t> all;
        for (const auto& [id, cell] : rows) {
            const auto cells = batch.append(Op::Upsert);
            cells[0] = Cell::integer(id);
            cells[1] = cell.type == Type::Text ? batch.text(cell.text()) : cell;
            all.push_back(static_cast<std::uint32_t>(all.size()));
        }
        Payload out;
        if (auto done = target->encoder(plan)->encode(batch, all, out); !done)
            qFatal("%s", done.error().detail.c_str());
        return out;
    }
    Result<WriteReport> write(const std::vector<std::pair<std::int64_t, Cell>>& rows)
    {
        auto session = target->session(plan, lease, false);
        if (!session)
            return session.error();
        return (*session)->write(payload(rows), {});
    }
    static Cell text(std::string_view words)
    {
        Cell c;
        c.type = Type::Text;
        c.p = words.data();
        c.size = static_cast<std::uint32_t>(words.size());
        return c;
    }
};

} // namespace millrace::test
