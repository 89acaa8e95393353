#include "app/cli/demo.h"
#include "core/engine/connection.h"
#include <filesystem>

namespace millrace::cli {

namespace {

ConnectionDef fileConnection(const char* name, const char* scheme, const std::string& path)
{
    ConnectionUrl url;
    url.scheme = scheme;
    url.path = path;
    ConnectionDef def;
    def.name = name;
    def.url = url.text();
    return def;
}

std::string demoFolder(const std::string& home)
{
    std::error_code failed;
    const auto absolute = std::filesystem::absolute(home, failed);
    return ((failed ? std::filesystem::path(home) : absolute) / "demo").lexically_normal().string();
}

} // namespace

std::string demoShopPath(const std::string& home) { return demoFolder(home) + "/shop.db"; }

SyncFile demoFile(const std::string& home)
{
    SyncFile file;
    file.connections = {fileConnection("demo-shop", "sqlite", demoShopPath(home)), fileConnection("demo-store", "embedded", demoFolder(home) + "/store.db")};
    SyncDef sync;
    sync.name = "demo";
    sync.source = "demo-shop";
    sync.target = "demo-store";
    TableRule all, customers;
    all.name = "*";
    customers.name = "customers";
    customers.softDelete = "is_deleted";
    sync.tables = {all, customers};
    file.syncs = {sync};
    return file;
}

} // namespace millrace::cli
