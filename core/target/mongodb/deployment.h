#pragma once
#include "core/engine/connection.h"
#include <chrono>
#include <memory>
#include <mongoc/mongoc.h>
#include <string>

namespace millrace::mongodb {

template <auto Free> struct Freed { template <class T> void operator()(T* pointer) const noexcept { if (pointer) Free(pointer); } };
using Uri = std::unique_ptr<mongoc_uri_t, Freed<mongoc_uri_destroy>>;
using ClientHandle = std::unique_ptr<mongoc_client_t, Freed<mongoc_client_destroy>>;
using Collection = std::unique_ptr<mongoc_collection_t, Freed<mongoc_collection_destroy>>;
using Cursor = std::unique_ptr<mongoc_cursor_t, Freed<mongoc_cursor_destroy>>;
using Bulk = std::unique_ptr<mongoc_bulk_operation_t, Freed<mongoc_bulk_operation_destroy>>;
using ReadPrefs = std::unique_ptr<mongoc_read_prefs_t, Freed<mongoc_read_prefs_destroy>>;
using ReadConcern = std::unique_ptr<mongoc_read_concern_t, Freed<mongoc_read_concern_destroy>>;

//! Where and how to connect; immutable, shared by the target and all of its sessions and readers.
struct Deployment {
    std::string name;                       //!< the connection's, for messages
    std::string database;
    ConnectionUrl url;
    Uri uri, uriWithoutLogin;
    TlsMode tls = TlsMode::Disable;
    Secret password;
    std::string keyFile;                    //!< certificate and key in one file, when they were two; removed at the end
    std::string writeConcern = "majority";
    bool journal = true;
    mongoc_read_mode_t readMode = MONGOC_READ_PRIMARY;   //!< of verification; all else reads the primary
    std::chrono::milliseconds requestTimeout{30'000};

    Deployment() = default;
    Deployment(const Deployment&) = delete;
    Deployment& operator=(const Deployment&) = delete;
    ~Deployment();
    std::string where() const;              //!< "mongodb://host:port/database" without user
};
using DeploymentPtr = std::shared_ptr<const Deployment>;

//! Checks the URL against the spec and turns it into the driver's form.
Result<DeploymentPtr> makeDeployment(const ConnectionParams& params);

//! mongoc_init, once per process; the driver's own log is silenced, because all it says comes back as errors too.
void initDriver();

} // namespace millrace::mongodb
