#include "core/engine/workbench.h"
#include "core/base/text.h"
#include <algorithm>

namespace millrace {

const ConnectionDef* findConnection(const std::vector<ConnectionDef>& connections, const std::string& name)
{
    for (const auto& c : connections)
        if (c.name == name)
            return &c;
    return nullptr;
}

Error noSuchConnection(const std::vector<ConnectionDef>& connections, const std::string& name)
{
    std::vector<std::string> known;
    for (const auto& c : connections)
        known.push_back(c.name);
    return {Fault::Config, "config.no_such_connection", "There is no connection '" + name + "'" + didYouMean(name, known) + ".", "Add it: connections add " + name + " URL", {}};
}

Error noSuchSync(const std::vector<SyncDef>& syncs, const std::string& name)
{
    std::vector<std::string> known;
    for (const auto& s : syncs)
        known.push_back(s.name);
    return {Fault::Config, "config.no_such_sync", "There is no sync '" + name + "'" + didYouMean(name, known) + ".", "See `sync list`.", {}};
}

bool spansSchemas(const ConnectionDef& def)
{
    const auto url = parseUrl(def.url);
    if (url && url->scheme == "postgres")
        return !url->options.contains("schema");
    return url && (url->scheme == "mysql" || url->scheme == "mariadb") && url->path.empty();
}

Result<ConnectionParams> openParams(const EngineParts& parts, const ConnectionDef& def, const std::map<std::string, Secret>& typed)
{
    Secret inUrl;
    auto url = parseUrl(def.url, &inUrl);
    if (!url)
        return std::move(url).error().in("connection " + def.name);
    if (!def.ssh.empty())
        return Error{Fault::Config, "config.not_available_yet", "connection " + def.name + ": ssh tunnels are not available in this version.",
                     "Open the tunnel yourself (ssh -N -L) and connect to its local end.", {}};
    ConnectionParams out;
    out.name = def.name;
    out.url = std::move(*url);
    out.baseDir = def.baseDir;
    if (!inUrl.empty())
        out.secrets["password"] = inUrl;
    for (const auto& [what, ref] : def.secrets) {
        if (typed.contains(what) || ref.kind == SecretRef::Kind::None)
            continue;
        auto secret = parts.vault.resolve(ref, def.name + "/" + what);
        if (!secret)
            return std::move(secret).error().in("connection " + def.name);
        out.secrets[what] = std::move(*secret);
    }
    for (const auto& [what, secret] : typed)
        out.secrets[what] = secret;
    if (parts.redactFrom)
        for (const auto& [what, secret] : out.secrets)
            parts.redactFrom(secret);
    return out;
}

Result<TableStatus> changeStatus(const EngineParts& parts, const std::string& sync, const std::string& table, const std::function<void(TableStatus&)>& change)
{
    std::lock_guard lock(*parts.statusLock);
    auto stored = parts.store.statuses(sync);
    if (!stored)
        return std::move(stored).error();
    const auto found = std::find_if(stored->begin(), stored->end(), [&](const TableStatus& s) { return s.table == table; });
    TableStatus status = found == stored->end() ? TableStatus{} : std::move(*found);
    status.sync = sync;
    status.table = table;
    change(status);
    if (auto saved = parts.store.saveStatus(status); !saved)
        return std::move(saved).error();
    return status;
}

Result<std::uint64_t> parkedRows(const EngineParts& parts, const std::string& sync, const std::string& table)
{
    auto rows = parts.store.failures(sync, table, {}, {});
    if (!rows)
        return std::move(rows).error();
    std::set<std::string_view> keys;
    for (const FailedRow& row : *rows)
        keys.insert(row.key);
    return static_cast<std::uint64_t>(keys.size());
}

static Result<std::map<std::string, std::string>> namesOfOthers(const EngineParts& parts, const SyncDef& def, const std::vector<SyncDef>& all,
                                                                const std::vector<ConnectionDef>& connections, const Target& target)
{
    std::map<std::string, std::string> taken;
    const ConnectionDef* mine = findConnection(connections, def.target);
    for (const SyncDef& other : all) {
        const ConnectionDef* theirs = findConnection(connections, other.target);
        if (other.name == def.name || !mine || !theirs || (theirs->name != mine->name && theirs->url != mine->url))
            continue;
        auto statuses = parts.store.statuses(other.name);
        if (!statuses)
            return std::move(statuses).error();
        for (const auto& s : *statuses) {
            if (s.container.empty())
                continue;
            // A name belongs to who holds something under it, or has begun to; a sync that was refused there must not shut out its owner.
            bool holds = s.lastSyncMs > 0;
            if (!holds) {
                auto begun = parts.store.checkpoint(other.name, s.table);
                if (!begun)
                    return std::move(begun).error();
                holds = begun->has_value();
            }
            if (holds)
                taken[target.foldedName(s.container)] = other.name + "/" + s.table;
        }
    }
    return taken;
}

Result<SyncTables> planSync(const EngineParts& parts, const SyncDef& def, const std::vector<SyncDef>& all, const std::vector<ConnectionDef>& connections,
                            Source& source, Target& target, bool refresh, std::stop_token stop)
{
    auto found = source.discover({}, stop);
    if (!found)
        return std::move(found).error();
    auto statuses = parts.store.statuses(def.name);
    if (!statuses)
        return std::move(statuses).error();
    // A run takes its first lease only after all chosen tables are stored; until then what is stored is not the whole choice.
    auto epoch = parts.store.epoch(def.name);
    if (!epoch)
        return std::move(epoch).error();
    std::set<std::string> known, copied;
    for (const auto& s : *statuses) {
        if (*epoch > 0) known.insert(s.table);
        if (s.lastSyncMs > 0) copied.insert(s.table);
    }
    const ConnectionDef* from = findConnection(connections, def.source);
    const bool spans = from && spansSchemas(*from);
    Selection selection = select(def, *found, spans, known, copied);

    SyncTables out;
    out.undecided = std::move(selection.undecided);
    std::vector<TablePlanPtr> plans;
    for (Selected& selected : selection.tables) {
        SyncTable table;
        table.label = selected.label;
        for (const auto& s : *statuses)
            if (s.table == selected.label)
                table.status = s;
        std::vector<std::pair<std::string, std::string>> frozen;
        bool begun = false;
        if (auto stored = parts.store.checkpoint(def.name, selected.label); !stored)
            return std::move(stored).error();
        else if (begun = stored->has_value(); begun) {
            auto checkpoint = TableCheckpoint::fromJson((*stored)->state);
            // An interrupted load goes on with the columns it began with, even when a full sync is asked for.
            if (checkpoint && (!refresh || checkpoint->phase == TableCheckpoint::Phase::Load))
                frozen = checkpoint->columns;
        }
        // A name is frozen once there is something under it; one that was refused (somebody else's container) can still be changed.
        const std::string frozenName = table.status && begun ? table.status->container : std::string();
        const auto planned = [&](const auto& columns) -> Result<Planned> {
            const bool unsure = std::any_of(selected.info.columns.begin(), selected.info.columns.end(), [](const ColumnInfo& c) { return c.type == Type::Bool; });
            if (selected.error || !columns.empty() || !unsure)
                return planTable(def, selected, target, columns, frozenName);
            // Whether a TINYINT(1) is a truth value is sampled; that is not done for every table of a catalogue.
            if (auto described = source.describe(selected.info.ref); described)
                selected.info.columns = std::move(described->columns);
            else
                selected.error = std::move(described).error();
            return planTable(def, selected, target, columns, frozenName);
        };
        auto plan = planned(frozen);
        if (refresh && !plan && !frozen.empty() && plan.error().fault == Fault::Schema)
            plan = planned(decltype(frozen){});                // the load that was cut off cannot go on as it began: it starts over
        if (plan) {
            plans.push_back(plan->plan);
            table.planned = std::move(*plan);
        } else
            table.error = std::move(plan).error();
        table.selected = std::move(selected);
        out.tables.push_back(std::move(table));
    }
    auto others = namesOfOthers(parts, def, all, connections, target);
    if (!others)
        return std::move(others).error();
    if (auto clash = nameClash(plans, target, *others))
        return *clash;
    return out;
}

} // namespace millrace
