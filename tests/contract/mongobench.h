#pragma once
#include "core/data/value.h"
#include "core/target/mongodb/mongodbtarget.h"
#include "tests/support/mongoserver.h"
#include "tests/support/targetcontract.h"
#include <QtTest>
#include <algorithm>
#include <bson/bson.h>
#include <map>

//! What the tests of the MongoDB target share: the fixture of the contract suite, and one table of one sync.

namespace millrace::test {

#define COMPARE_TEXT(a, b) QCOMPARE(QString::fromStdString(a), QString::fromStdString(b))
#define MUST(result) do { const auto& must_ = (result); QVERIFY2(must_, must_ ? "" : (must_.error().id + ": " + must_.error().detail).c_str()); } while (false)

inline std::string quoted(const std::string& text)
{
    std::string out;
    appendJsonString(out, text);
    return out;
}

inline std::string without(std::string text, char c)
{
    std::erase(text, c);
    return text;
}

class MongoFixture final : public TargetFixture {
public:
    MongoFixture(const MongoServer& server, std::string database) : m_server(server), m_database(std::move(database)) {}

    Result<std::unique_ptr<Target>> open() override { return openMongodb(m_server.params(m_database)); }
    bool exists(const std::string& container) override
    {
        const auto found = m_server.command(m_database, R"({"listCollections": 1, "filter": {"name": )" + quoted(container) + "}}");
        return found && found->find("uuid") != std::string::npos;
    }
    std::vector<RawDocument> documents(const std::string& container) override
    {
        std::vector<RawDocument> out;
        for (const auto& bytes : m_server.raw(m_database, container).value_or({})) {
            bson_t document, rest = BSON_INITIALIZER;
            bson_iter_t iter;
            bson_init_static(&document, reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size());
            bson_copy_to_excluding_noinit(&document, &rest, "_mr", nullptr);
            char* text = bson_as_canonical_extended_json(&rest, nullptr);
            std::string key;
            if (bson_iter_init_find(&iter, &document, "_id"))
                key = BSON_ITER_HOLDS_NUMBER(&iter) ? std::to_string(bson_iter_as_int64(&iter)) : BSON_ITER_HOLDS_UTF8(&iter) ? bson_iter_utf8(&iter, nullptr) : text;
            out.push_back({key, text});
            bson_free(text);
            bson_destroy(&rest);
        }
        std::sort(out.begin(), out.end());
        return out;
    }
    void putForeign(const std::string& container, const std::string& key) override
    { must(m_server.command(m_database, R"({"insert": )" + quoted(container) + R"(, "documents": [{"_id": )" + key + R"(, "note": "foreign"}]})")); }
    void remove(const std::string& container) override
    {
        (void)m_server.command(m_database, R"({"drop": )" + quoted(container) + "}");
        must(m_server.command(m_database, R"({"delete": "_mr_registry", "deletes": [{"q": {"_id": )" + quoted("table:" + container) + R"(}, "limit": 1}]})"));
    }
    void ageLease(const std::string& sync, std::int64_t seconds) override
    {
        must(m_server.command(m_database, R"({"update": "_mr_registry", "updates": [{"q": {"_id": )" + quoted("lease:" + sync)
                              + R"(}, "u": [{"$set": {"heartbeat": {"$subtract": ["$heartbeat", )" + std::to_string(seconds * 1000) + "]}}}]}]}"));
    }
    std::size_t tooLarge() const override { return 16u * 1024 * 1024; }
    bool refuseKey(const std::string& container, const std::string& key) override
    {
        must(m_server.command(m_database, R"({"collMod": )" + quoted(container) + R"(, "validator": {"id": {"$ne": )" + key + "}}}"));
        return true;
    }

private:
    static void must(const Result<std::string>& done)
    {
        if (!done)
            qFatal("%s", done.error().detail.c_str());
    }
    const MongoServer& m_server;
    std::string m_database;
};

//! One table of one sync: id (int), title (text).
struct Bench {
    std::unique_ptr<Target> target;
    std::shared_ptr<TablePlan> plan = std::make_shared<TablePlan>();
    Lease lease;

    Bench(const ConnectionParams& params, const std::string& name)
    {
        auto opened = openMongodb(params);
        if (!opened)
            qFatal("%s", opened.error().detail.c_str());
        target = std::move(*opened);
        auto schema = std::make_shared<Schema>();
        Column id, title;
        id.source = id.name = "id";
        id.type = Type::Int;
        id.bits = 32;
        id.key = true;
        title.source = title.name = "title";
        schema->table = name;
        schema->columns = {id, title};
        schema->key = {0};
        plan->sync = "sync-" + name;
        plan->label = plan->container = name;
        plan->schema = schema;
        plan->policies.assign(2, ValuePolicy::Null);
        auto taken = target->acquire(plan->sync, "home", 0, {});
        if (!taken)
            qFatal("%s", taken.error().detail.c_str());
        lease = *taken;
    }
    void prepare()
    {
        if (auto done = target->prepare(*plan, lease); !done)
            qFatal("%s", done.error().detail.c_str());
    }
    std::unique_ptr<TargetSession> session(bool insertOnly = false) const
    {
        auto made = target->session(plan, lease, insertOnly);
        if (!made)
            qFatal("%s", made.error().detail.c_str());
        return std::move(*made);
    }
    struct Row { int id; std::string title; Op op = Op::Upsert; };
    Payload payload(const std::vector<Row>& rows, std::uint64_t firstSeq) const
    {
        Batch batch(plan->schema);
        batch.version = lease.epoch << 40 | firstSeq;
        std::vector<std::uint32_t> all;
        for (const auto& row : rows) {
            const auto cells = batch.append(row.op);
            cells[0] = Cell::integer(row.id);
            if (row.op == Op::Upsert)
                cells[1] = batch.text(row.title);
            all.push_back(std::uint32_t(all.size()));
        }
        Payload out;
        if (auto done = target->encoder(plan)->encode(batch, all, out); !done)
            qFatal("%s", done.error().detail.c_str());
        return out;
    }
    std::map<std::string, std::string> forms() const
    {
        std::map<std::string, std::string> out;
        auto reader = target->readBack(plan, {});
        std::vector<ReadBack> documents;
        for (;;) {
            const auto state = (*reader)->read(documents, 1000, {});
            if (!state)
                qFatal("%s", state.error().detail.c_str());
            if (*state == ReadState::End)
                break;
        }
        for (const auto& document : documents)
            if (!out.emplace(document.key, document.form).second)
                qFatal("key %s came twice", document.key.c_str());
        return out;
    }
    std::string form(int id, const std::string& title) const
    {
        std::string out = "id\x1fi:" + std::to_string(id) + "\x1etitle\x1fs:";
        appendJsonString(out, title);
        return out + "\x1e";
    }
};

} // namespace millrace::test
