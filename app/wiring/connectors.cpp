#include "app/wiring/connectors.h"
#include "core/base/text.h"
#include "core/source/mysql/mysqlsource.h"
#include "core/source/postgresql/postgresqlsource.h"
#include "core/source/sqlite/sqlitesource.h"
#include "core/target/embedded/embeddedtarget.h"
#include "core/target/mongodb/mongodbtarget.h"
#include "core/target/null/nulltarget.h"
#include "core/target/redis/redistarget.h"
#include "core/target/search/searchtarget.h"
#include <algorithm>

namespace millrace {

namespace {

struct Entry {
    ConnectorSpec spec;
    std::function<Result<std::unique_ptr<Source>>(const ConnectionParams&)> source;
    std::function<Result<std::unique_ptr<Target>>(const ConnectionParams&)> target;
};

//! A new store is its folder under core/ and one line here.
const std::vector<Entry>& entries()
{
    static const std::vector<Entry> all{
        {mysqlSpec(false), openMysql, nullptr},
        {mysqlSpec(true), openMysql, nullptr},
        {postgresqlSpec(), openPostgresql, nullptr},
        {sqliteSpec(), [](const ConnectionParams& p) { return openSqlite(p); }, nullptr},
        {mongodbSpec(), nullptr, openMongodb},
        {elasticsearchSpec(), nullptr, [](const ConnectionParams& p) { return openSearch(p); }},
        {opensearchSpec(), nullptr, [](const ConnectionParams& p) { return openSearch(p); }},
        {redisSpec(), nullptr, openRedis},
        {embeddedSpec(), nullptr, [](const ConnectionParams& p) { return openEmbedded(p); }},
        {nullSpec(), nullptr, openNull},
    };
    return all;
}

Result<const Entry*> entryFor(const ConnectionParams& params)
{
    std::vector<std::string> known;
    for (const Entry& entry : entries()) {
        if (std::find(entry.spec.schemes.begin(), entry.spec.schemes.end(), params.url.scheme) == entry.spec.schemes.end()) {
            known.insert(known.end(), entry.spec.schemes.begin(), entry.spec.schemes.end());
            continue;
        }
        if (auto checked = checkOptions(params.url, entry.spec); !checked)
            return std::move(checked).error().in("connection " + params.name);
        return &entry;
    }
    return Error{Fault::Config, "config.unknown_scheme", "connection " + params.name + ": '" + params.url.scheme + "' is not a kind of connection" + didYouMean(params.url.scheme, known) + ".",
                 "Known are: " + join(known, ", ") + ".", {}};
}

Error wrongRole(const ConnectionParams& params, const Entry& entry, const char* role)
{
    return {Fault::Config, "config.wrong_role", entry.spec.label + " (" + params.name + ") cannot be a " + role + ".", {}, {}};
}

} // namespace

std::vector<ConnectorSpec> AllConnectors::specs() const
{
    std::vector<ConnectorSpec> out;
    for (const Entry& entry : entries())
        out.push_back(entry.spec);
    return out;
}

Result<std::unique_ptr<Source>> AllConnectors::openSource(const ConnectionParams& params) const
{
    auto entry = entryFor(params);
    if (!entry) return std::move(entry).error();
    return (*entry)->source ? (*entry)->source(params) : wrongRole(params, **entry, "source");
}

Result<std::unique_ptr<Target>> AllConnectors::openTarget(const ConnectionParams& params) const
{
    auto entry = entryFor(params);
    if (!entry) return std::move(entry).error();
    return (*entry)->target ? (*entry)->target(params) : wrongRole(params, **entry, "target");
}

} // namespace millrace
