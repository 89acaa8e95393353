#pragma once
#include "core/target/mongodb/deployment.h"
#include "core/target/mongodb/faults.h"
#include <initializer_list>
#include <string_view>
#include <variant>

namespace millrace::mongodb {

//! A bson_t that is ours, with the few appends that commands need. Names and values are copied.
class Bson {
public:
    Bson() : m_bson(bson_new()) {}
    explicit Bson(bson_t* taken) : m_bson(taken) {}
    Bson(Bson&& other) noexcept : m_bson(other.m_bson) { other.m_bson = nullptr; }
    Bson& operator=(Bson&& other) noexcept { std::swap(m_bson, other.m_bson); return *this; }
    ~Bson() { if (m_bson) bson_destroy(m_bson); }

    Bson& text(std::string_view name, std::string_view value) { bson_append_utf8(m_bson, name.data(), size(name), value.data(), size(value)); return *this; }
    Bson& int32(std::string_view name, std::int32_t value) { bson_append_int32(m_bson, name.data(), size(name), value); return *this; }
    Bson& int64(std::string_view name, std::int64_t value) { bson_append_int64(m_bson, name.data(), size(name), value); return *this; }
    Bson& real(std::string_view name, double value) { bson_append_double(m_bson, name.data(), size(name), value); return *this; }
    Bson& null(std::string_view name) { bson_append_null(m_bson, name.data(), size(name)); return *this; }
    Bson& flag(std::string_view name, bool value) { bson_append_bool(m_bson, name.data(), size(name), value); return *this; }
    Bson& date(std::string_view name, std::int64_t ms) { bson_append_date_time(m_bson, name.data(), size(name), ms); return *this; }
    Bson& document(std::string_view name, const Bson& value) { bson_append_document(m_bson, name.data(), size(name), value.get()); return *this; }
    Bson& array(std::string_view name, const Bson& value) { bson_append_array(m_bson, name.data(), size(name), value.get()); return *this; }
    Bson& value(std::string_view name, const bson_iter_t* from) { bson_append_iter(m_bson, name.data(), size(name), from); return *this; }

    bson_t* get() { return m_bson; }
    const bson_t* get() const { return m_bson; }

    //! Reading by dotted path; the fallback when the field is missing or of another type.
    std::string textAt(const char* path) const;
    std::int64_t numberAt(const char* path, std::int64_t otherwise = 0) const;
    bool flagAt(const char* path) const;
    bool has(const char* path) const;
private:
    static int size(std::string_view text) { return static_cast<int>(text.size()); }
    bson_t* m_bson;
};

//! One connection of the driver. Used by one thread at a time; after a network error it is thrown away and made anew, because a
//! driver that lost its only server waits five seconds before it looks again.
class Client {
public:
    enum class Purpose { Write, Control, Stages };          //!< how long a request may take; Stages: without login
    static Result<std::unique_ptr<Client>> connect(DeploymentPtr deployment, Purpose purpose);

    const Deployment& deployment() const { return *m_deployment; }
    mongoc_client_t* get() const { return m_client.get(); }
    Collection collection(std::string_view name) const;

    //! A command on our database, or on admin; reads go to the primary, writes carry the write concern and are retried once by the driver.
    Result<Bson> read(const Bson& command, std::string_view doing, const char* database = nullptr) const;
    Result<Bson> write(const Bson& command, std::string_view doing, const char* database = nullptr) const;
    //! The first document of a find on the primary, or an empty one.
    Result<Bson> findOne(std::string_view collection, const bson_t* filter, const Bson* projection, std::string_view doing) const;
private:
    Client(DeploymentPtr deployment, ClientHandle client) : m_deployment(std::move(deployment)), m_client(std::move(client)) {}
    DeploymentPtr m_deployment;
    ClientHandle m_client;
};

} // namespace millrace::mongodb
