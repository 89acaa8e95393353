#include "core/target/mongodb/client.h"

namespace millrace::mongodb {

namespace {
bool at(const bson_t* bson, const char* path, bson_iter_t& out)
{
    bson_iter_t iter;
    return bson_iter_init(&iter, bson) && bson_iter_find_descendant(&iter, path, &out);
}
} // namespace

std::string Bson::textAt(const char* path) const
{
    bson_iter_t iter;
    std::uint32_t length = 0;
    if (!at(m_bson, path, iter) || !BSON_ITER_HOLDS_UTF8(&iter))
        return {};
    const char* text = bson_iter_utf8(&iter, &length);
    return {text, length};
}

std::int64_t Bson::numberAt(const char* path, std::int64_t otherwise) const
{
    bson_iter_t iter;
    if (!at(m_bson, path, iter))
        return otherwise;
    if (BSON_ITER_HOLDS_DATE_TIME(&iter))
        return bson_iter_date_time(&iter);
    return BSON_ITER_HOLDS_NUMBER(&iter) ? bson_iter_as_int64(&iter) : otherwise;
}

bool Bson::flagAt(const char* path) const
{
    bson_iter_t iter;
    return at(m_bson, path, iter) && bson_iter_as_bool(&iter);
}

bool Bson::has(const char* path) const
{
    bson_iter_t iter;
    return at(m_bson, path, iter);
}

Result<std::unique_ptr<Client>> Client::connect(DeploymentPtr deployment, Purpose purpose)
{
    const Uri uri(mongoc_uri_copy(purpose == Purpose::Stages ? deployment->uriWithoutLogin.get() : deployment->uri.get()));
    if (purpose == Purpose::Control)                       // index builds, counts and renames of large collections take their time
        mongoc_uri_set_option_as_int32(uri.get(), MONGOC_URI_SOCKETTIMEOUTMS, 600'000);
    bson_error_t error{};
    ClientHandle client(mongoc_client_new_from_uri_with_error(uri.get(), &error));
    if (!client)
        return faultOf(error, nullptr, *deployment, "connecting to " + deployment->where());
    mongoc_client_set_error_api(client.get(), MONGOC_ERROR_API_VERSION_2);
    return std::unique_ptr<Client>(new Client(std::move(deployment), std::move(client)));
}

Collection Client::collection(std::string_view name) const
{
    return Collection(mongoc_client_get_collection(m_client.get(), m_deployment->database.c_str(), std::string(name).c_str()));
}

Result<Bson> Client::read(const Bson& command, std::string_view doing, const char* database) const
{
    Bson reply(nullptr);
    bson_t raw;
    bson_error_t error{};
    const bool ok = mongoc_client_read_command_with_opts(m_client.get(), database ? database : m_deployment->database.c_str(), command.get(), nullptr, nullptr, &raw, &error);
    reply = Bson(bson_copy(&raw));
    bson_destroy(&raw);
    if (!ok)
        return faultOf(error, reply.get(), *m_deployment, doing);
    return reply;
}

Result<Bson> Client::write(const Bson& command, std::string_view doing, const char* database) const
{
    Bson reply(nullptr);
    bson_t raw;
    bson_error_t error{};
    const bool ok = mongoc_client_write_command_with_opts(m_client.get(), database ? database : m_deployment->database.c_str(), command.get(), nullptr, &raw, &error);
    reply = Bson(bson_copy(&raw));
    bson_destroy(&raw);
    if (!ok)
        return faultOf(error, reply.get(), *m_deployment, doing);
    if (reply.has("writeErrors.0")) {                      // the command went through, its one item did not
        error.domain = MONGOC_ERROR_SERVER;
        error.code = static_cast<std::uint32_t>(reply.numberAt("writeErrors.0.code"));
        bson_strncpy(error.message, reply.textAt("writeErrors.0.errmsg").c_str(), sizeof error.message);
        return faultOf(error, reply.get(), *m_deployment, doing);
    }
    return reply;
}

Result<Bson> Client::findOne(std::string_view collection, const bson_t* filter, const Bson* projection, std::string_view doing) const
{
    Bson options;
    options.int64("limit", 1).flag("singleBatch", true);
    if (projection)
        options.document("projection", *projection);
    const Collection from = this->collection(collection);
    const Cursor cursor(mongoc_collection_find_with_opts(from.get(), filter, options.get(), nullptr));
    const bson_t* document = nullptr;
    if (mongoc_cursor_next(cursor.get(), &document))
        return Bson(bson_copy(document));
    bson_error_t error{};
    if (mongoc_cursor_error(cursor.get(), &error))
        return faultOf(error, nullptr, *m_deployment, doing);
    return Bson();
}

} // namespace millrace::mongodb
