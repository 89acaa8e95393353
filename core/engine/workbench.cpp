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
        for (const auto& s : *statuses)
            if (!s.container.empty())
                taken[target.foldedName(s.container)] = other.name + "/" + s.table;
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
    std::set<std::string> known;
    for (const auto& s : *statuses)
        known.insert(s.table);
    const ConnectionDef* from = findConnection(connections, def.source);
    const bool spans = from && spansSchemas(*from);
    Selection selection = select(def, *found, spans, known);

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
        if (auto stored = parts.store.checkpoint(def.name, selected.label); !stored)
            return std::move(stored).error();
        else if (*stored) {
            auto checkpoint = TableCheckpoint::fromJson((*stored)->state);
            // An interrupted load goes on with the columns it began with, even when a full sync is asked for.
            if (checkpoint && (!refresh || checkpoint->phase == TableCheckpoint::Phase::Load))
                frozen = checkpoint->columns;
        }
        const bool unsure = std::any_of(selected.info.columns.begin(), selected.info.columns.end(), [](const ColumnInfo& c) { return c.type == Type::Bool; });
        if (!selected.error && frozen.empty() && unsure) {
            // Whether a TINYINT(1) is a truth value is sampled; that is not done for every table of a catalogue.
            if (auto described = source.describe(selected.info.ref); described)
                selected.info.columns = std::move(described->columns);
            else
                selected.error = std::move(described).error();
        }
        auto planned = planTable(def, selected, target, frozen, table.status ? table.status->container : std::string());
        if (planned) {
            plans.push_back(planned->plan);
            table.planned = std::move(*planned);
        } else
            table.error = std::move(planned).error();
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
