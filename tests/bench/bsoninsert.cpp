// The yardstick for writing MongoDB: the documents of a collection, taken into memory beforehand, inserted as they are into an empty one.
// bsoninsert URI DATABASE FROM TO CONNECTIONS -> "rows seconds". Majority and journal, 10,000 documents a batch, unordered.
#include <bson/bson.h>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <mongoc/mongoc.h>
#include <string>
#include <thread>
#include <vector>

namespace {

using Documents = std::vector<std::string>;
struct View { bson_t bson; };     // bson_t is over-aligned, which a template argument would lose

bool insertAll(const char* uri, const char* database, const char* to, const Documents& documents, std::size_t from, std::size_t end)
{
    mongoc_client_t* client = mongoc_client_new(uri);
    mongoc_collection_t* collection = mongoc_client_get_collection(client, database, to);
    mongoc_write_concern_t* concern = mongoc_write_concern_new();
    mongoc_write_concern_set_w(concern, MONGOC_WRITE_CONCERN_W_MAJORITY);
    mongoc_write_concern_set_journal(concern, true);
    bson_t options = BSON_INITIALIZER;
    mongoc_write_concern_append(concern, &options);
    BSON_APPEND_BOOL(&options, "ordered", false);
    BSON_APPEND_BOOL(&options, "validate", false);
    bool ok = true;
    std::vector<View> views;
    constexpr std::size_t batch = 10000;
    const bson_t* pointers[batch];
    for (std::size_t i = from; ok && i < end;) {
        views.clear();
        views.reserve(batch);
        for (; i < end && views.size() < batch; ++i) {
            views.emplace_back();
            bson_init_static(&views.back().bson, reinterpret_cast<const std::uint8_t*>(documents[i].data()), documents[i].size());
        }
        for (std::size_t k = 0; k < views.size(); ++k)
            pointers[k] = &views[k].bson;
        bson_error_t error;
        ok = mongoc_collection_insert_many(collection, pointers, views.size(), &options, nullptr, &error);
        if (!ok)
            std::fprintf(stderr, "%s\n", error.message);
    }
    bson_destroy(&options);
    mongoc_write_concern_destroy(concern);
    mongoc_collection_destroy(collection);
    mongoc_client_destroy(client);
    return ok;
}

} // namespace

int main(int argc, char** argv)
{
    if (argc != 6) {
        std::fprintf(stderr, "usage: bsoninsert URI DATABASE FROM TO CONNECTIONS\n");
        return 2;
    }
    mongoc_init();
    Documents documents;
    {
        mongoc_client_t* client = mongoc_client_new(argv[1]);
        mongoc_collection_t* collection = mongoc_client_get_collection(client, argv[2], argv[3]);
        bson_t all = BSON_INITIALIZER;
        mongoc_cursor_t* cursor = mongoc_collection_find_with_opts(collection, &all, nullptr, nullptr);
        const bson_t* document = nullptr;
        while (mongoc_cursor_next(cursor, &document))
            documents.emplace_back(reinterpret_cast<const char*>(bson_get_data(document)), document->len);
        mongoc_cursor_destroy(cursor);
        mongoc_collection_destroy(collection);
        mongoc_client_destroy(client);
    }
    const std::size_t connections = static_cast<std::size_t>(std::atoi(argv[5]));
    const auto began = std::chrono::steady_clock::now();
    std::vector<char> ok(connections, 0);
    {
        std::vector<std::jthread> threads;
        for (std::size_t i = 0; i < connections; ++i)
            threads.emplace_back([&, i] {
                ok[i] = insertAll(argv[1], argv[2], argv[4], documents, documents.size() * i / connections, documents.size() * (i + 1) / connections);
            });
    }
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
    std::printf("%zu %.6f\n", documents.size(), seconds);
    mongoc_cleanup();
    for (char one : ok)
        if (!one)
            return 1;
    return 0;
}
