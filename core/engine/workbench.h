#pragma once
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/engine/connectors.h"
#include "core/engine/planner.h"
#include "core/engine/store.h"
#include "core/engine/verifier.h"
#include <functional>
#include <memory>
#include <mutex>

namespace millrace {

//! What the engine is built from; all of it outlives the engine.
struct EngineParts {
    MetadataStore& store;
    SecretVault& vault;
    const Connectors& connectors;
    Verifier& verifier;
    const Clock& clock;
    Log& log;
    std::string home;                                 //!< for spill files
    std::function<void(const Secret&)> redactFrom;    //!< every secret that is used is told to the log's redactor (Invariant 10)
    unsigned workers = 4;
    std::shared_ptr<std::mutex> statusLock = std::make_shared<std::mutex>();   //!< see changeStatus()
};

//! Reads, changes and stores what is remembered of one table, as one step: a run and a proof that end together keep each other's facts.
//! Returns what was stored.
Result<TableStatus> changeStatus(const EngineParts& parts, const std::string& sync, const std::string& table, const std::function<void(TableStatus&)>& change);

//! Parked rows of a table. A row that failed for two causes is listed under both and is one row.
Result<std::uint64_t> parkedRows(const EngineParts& parts, const std::string& sync, const std::string& table);

//! URL and secrets of a connection, ready to open. `typed` wins over the references (a form's unsaved values).
Result<ConnectionParams> openParams(const EngineParts& parts, const ConnectionDef& def, const std::map<std::string, Secret>& typed = {});

//! Tables of one sync as they are now, with a plan or the reason why there is none.
struct SyncTable {
    Selected selected;
    std::string label;
    std::optional<Planned> planned;
    std::optional<Error> error;
    std::optional<TableStatus> status;
};
struct SyncTables { std::vector<SyncTable> tables; std::vector<std::string> undecided; };

//! Discovers, selects and plans. `refresh` takes the columns as they are now (a full sync that was asked for), else the mapping that the
//! documents were written with stays. Fault::Config when two tables would meet in one name.
Result<SyncTables> planSync(const EngineParts& parts, const SyncDef& def, const std::vector<SyncDef>& all, const std::vector<ConnectionDef>& connections,
                            Source& source, Target& target, bool refresh, std::stop_token stop);

//! True when a connection spans databases or schemas, so that tables are named with them.
bool spansSchemas(const ConnectionDef& def);

const ConnectionDef* findConnection(const std::vector<ConnectionDef>& connections, const std::string& name);
Error noSuchConnection(const std::vector<ConnectionDef>& connections, const std::string& name);
Error noSuchSync(const std::vector<SyncDef>& syncs, const std::string& name);

} // namespace millrace
