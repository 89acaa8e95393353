#include "core/base/text.h"
#include "core/engine/localengine.h"
#include <algorithm>

namespace millrace {

Result<std::vector<ConnectionDef>> LocalEngine::connections() { return m_parts.store.connections(); }
Result<std::vector<SyncDef>> LocalEngine::syncs() { return m_parts.store.syncs(); }

static const ConnectorSpec* specFor(const std::vector<ConnectorSpec>& specs, const std::string& scheme)
{
    for (const auto& spec : specs)
        if (std::find(spec.schemes.begin(), spec.schemes.end(), scheme) != spec.schemes.end())
            return &spec;
    return nullptr;
}

static Error unknownScheme(const std::vector<ConnectorSpec>& specs, const std::string& scheme)
{
    std::vector<std::string> known;
    for (const auto& spec : specs)
        known.insert(known.end(), spec.schemes.begin(), spec.schemes.end());
    return {Fault::Config, "config.unknown_scheme", "'" + scheme + "' is not a kind of connection" + didYouMean(scheme, known) + ".", "Known are: " + join(known, ", ") + ".", {}};
}

static Result<> checkConnection(const std::vector<ConnectorSpec>& specs, const ConnectionDef& def)
{
    if (def.name.empty())
        return Error{Fault::Config, "config.no_name", "A connection needs a name.", {}, {}};
    const auto url = parseUrl(def.url);
    if (!url) return Error(url.error()).in("connection " + def.name);
    const ConnectorSpec* spec = specFor(specs, url->scheme);
    if (!spec) return unknownScheme(specs, url->scheme).in("connection " + def.name);
    if (auto checked = checkOptions(*url, *spec); !checked) return std::move(checked).error().in("connection " + def.name);
    return {};
}

Result<> LocalEngine::saveConnection(ConnectionDef def, const std::map<std::string, Secret>& typed)
{
    if (auto allowed = mayAct(); !allowed) return allowed;
    Secret inUrl;
    auto url = parseUrl(def.url, &inUrl);
    if (!url) return std::move(url).error().in("connection " + def.name);
    def.url = url->text();                                     // a password inside a URL is never stored with it (Invariant 10)
    if (auto checked = checkConnection(connectors(), def); !checked) return checked;
    std::map<std::string, Secret> secrets = typed;
    if (!inUrl.empty()) secrets.emplace("password", inUrl);
    for (const auto& [what, secret] : secrets) {
        if (m_parts.redactFrom) m_parts.redactFrom(secret);
        auto ref = m_parts.vault.keep(def.name + "/" + what, secret);
        if (!ref) return std::move(ref).error().in("connection " + def.name);
        def.secrets[what] = *ref;
    }
    if (auto saved = m_parts.store.saveConnection(def, "engine"); !saved) return saved;
    return refreshBoard();
}

Result<> LocalEngine::removeConnection(const std::string& name)
{
    if (auto allowed = mayAct(); !allowed) return allowed;
    auto known = connections();
    if (!known) return std::move(known).error();
    const ConnectionDef* def = findConnection(*known, name);
    if (!def) return noSuchConnection(*known, name);
    auto all = syncs();
    if (!all) return std::move(all).error();
    std::vector<std::string> users;
    for (const auto& sync : *all)
        if (sync.source == name || sync.target == name)
            users.push_back(sync.name);
    if (!users.empty())
        return Error{Fault::Config, "config.connection_in_use", "The connection " + name + " is used by " + join(users, ", ") + ".", "Remove or change these syncs first.", {}};
    for (const auto& [what, ref] : def->secrets)
        if (ref.kind == SecretRef::Kind::Stored)
            if (auto forgotten = m_parts.vault.forget(name + "/" + what); !forgotten) return forgotten;
    if (auto removed = m_parts.store.removeConnection(name, "engine"); !removed) return removed;
    return refreshBoard();
}

Result<> LocalEngine::check(const SyncDef& def, const std::vector<ConnectionDef>& known) const
{
    if (def.name.empty())
        return Error{Fault::Config, "config.no_name", "A sync needs a name.", {}, {}};
    const auto specs = connectors();
    for (const bool isSource : {true, false}) {
        const std::string& name = isSource ? def.source : def.target;
        const ConnectionDef* connection = findConnection(known, name);
        if (!connection) return noSuchConnection(known, name).in("sync " + def.name);
        const auto url = parseUrl(connection->url);
        if (!url) return Error(url.error()).in("connection " + name);
        const ConnectorSpec* spec = specFor(specs, url->scheme);
        if (!spec) return unknownScheme(specs, url->scheme).in("connection " + name);
        if (isSource ? !spec->source : !spec->target)
            return Error{Fault::Config, "config.wrong_role", "sync " + def.name + ": " + spec->label + " (" + name + ") cannot be a " + (isSource ? "source." : "target."), {}, {}};
    }
    if (!def.every.empty())
        if (auto step = parseDuration(def.every); !step) return std::move(step).error().in("sync " + def.name);
    if (!def.cron.empty())
        return Error{Fault::Config, "config.not_available_yet", "sync " + def.name + ": cron schedules are not available in this version.", "Use every:, or start `run` from the system's cron.", {}};
    if (const auto later = unsupportedKeys(def); !later.empty())
        return Error{Fault::Config, "config.not_available_yet", "The sync " + def.name + " uses what this version cannot do yet: " + join(later, ", ") + ".", "Take these keys out.", {}};
    return {};
}

Result<> LocalEngine::saveSync(const SyncDef& def)
{
    if (auto allowed = mayAct(); !allowed) return allowed;
    auto known = connections();
    if (!known) return std::move(known).error();
    if (auto checked = check(def, *known); !checked) return checked;
    if (auto saved = m_parts.store.saveSync(def, "engine"); !saved) return saved;
    m_board.setNextDue(def.name, 0);                           // worked out anew: its schedule may be another
    return refreshBoard();
}

Result<> LocalEngine::removeSync(const std::string& name, bool dropTarget)
{
    if (auto allowed = mayAct(); !allowed) return allowed;
    auto def = syncNamed(name);
    if (!def) return std::move(def).error();
    const auto held = hold(name, "Stop it first.");
    if (!held) return held.error();
    if (dropTarget) {
        auto known = connections();
        if (!known) return std::move(known).error();
        const ConnectionDef* to = findConnection(*known, def->target);
        if (!to) return noSuchConnection(*known, def->target);
        auto params = openParams(m_parts, *to);
        if (!params) return std::move(params).error();
        auto target = m_parts.connectors.openTarget(*params);
        if (!target) return std::move(target).error();
        auto epoch = m_parts.store.epoch(name);
        if (!epoch) return std::move(epoch).error();
        auto lease = (*target)->acquire(name, m_parts.store.owner(), *epoch, {});
        if (!lease) return std::move(lease).error();
        auto statuses = m_parts.store.statuses(name);
        if (!statuses) return std::move(statuses).error();
        for (const auto& status : *statuses) {
            if (status.container.empty()) continue;
            auto schema = std::make_shared<Schema>();
            schema->table = status.table;
            TablePlan plan;
            plan.sync = name;
            plan.label = status.table;
            plan.container = status.container;
            plan.schema = schema;
            auto dropped = (*target)->drop(plan, *lease);
            if (dropped) continue;
            if (dropped.error().fault != Fault::Config) return dropped;
            m_parts.log.write({m_parts.clock.nowMs(), Level::Warning, "engine", status.container + " was left as it is: " + dropped.error().detail, {{"sync", name}}});
        }
        if (auto released = (*target)->release(*lease); !released) return released;
    }
    if (auto removed = m_parts.store.removeSync(name, "engine"); !removed) return removed;
    m_board.removeSync(name);
    return refreshBoard();
}

Result<> LocalEngine::saveSetting(const std::string& key, const std::string& value)
{
    if (auto allowed = mayAct(); !allowed) return allowed;
    return m_parts.store.saveSetting(key, value, "engine");
}

Result<ApplyReport> LocalEngine::apply(const SyncFile& file, const std::map<std::string, Secret>& typed, bool dryRun)
{
    if (!dryRun)
        if (auto allowed = mayAct(); !allowed) return std::move(allowed).error();
    auto known = connections();
    if (!known) return std::move(known).error();
    auto all = syncs();
    if (!all) return std::move(all).error();
    ApplyReport report;
    std::vector<ConnectionDef> after = *known;
    // Everything is checked before anything is changed.
    for (const auto& def : file.connections) {
        if (auto checked = checkConnection(connectors(), def); !checked) return std::move(checked).error();
        const auto it = std::find_if(after.begin(), after.end(), [&](const auto& c) { return c.name == def.name; });
        const bool hasTyped = std::any_of(typed.begin(), typed.end(), [&](const auto& t) { return t.first.starts_with(def.name + "/"); });
        if (it == after.end()) { report.added.push_back("connection " + def.name); after.push_back(def); }
        else if (*it == def && !hasTyped) report.same.push_back("connection " + def.name);
        else {
            // Positions of another database say nothing of this one; only the operator knows whether it merely moved.
            for (const auto& sync : *all)
                if (sync.source == def.name && it->url != def.url && m_parts.store.epoch(sync.name).value_or(0) > 0)
                    report.notes.push_back({"source_changed", "The sync " + sync.name + " goes on from its positions in what " + def.name + " names now. If that is another database, run it with --full.",
                                            {sync.name, def.name}});
            report.changed.push_back("connection " + def.name);
            *it = def;
        }
    }
    for (const auto& def : file.syncs) {
        if (auto checked = check(def, after); !checked) return std::move(checked).error();
        const auto it = std::find_if(all->begin(), all->end(), [&](const auto& s) { return s.name == def.name; });
        if (it == all->end()) report.added.push_back("sync " + def.name);
        else if (nodeFromSync(*it).json() == nodeFromSync(def).json()) report.same.push_back("sync " + def.name);
        else report.changed.push_back("sync " + def.name);
    }
    if (dryRun)
        return report;
    const auto unchanged = [&](const std::string& what) { return std::find(report.same.begin(), report.same.end(), what) != report.same.end(); };
    for (const auto& def : file.connections) {
        if (unchanged("connection " + def.name))
            continue;
        std::map<std::string, Secret> secrets;
        for (const auto& [key, secret] : typed)
            if (key.starts_with(def.name + "/"))
                secrets[key.substr(def.name.size() + 1)] = secret;
        if (auto saved = saveConnection(def, secrets); !saved) return std::move(saved).error();
    }
    for (const auto& def : file.syncs)
        if (!unchanged("sync " + def.name))
            if (auto saved = saveSync(def); !saved) return std::move(saved).error();
    return report;
}

} // namespace millrace
