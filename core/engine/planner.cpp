#include "core/engine/planner.h"
#include "core/base/text.h"
#include <algorithm>

namespace millrace {

namespace {

bool isGlob(std::string_view name) { return name.find_first_of("*?") != std::string_view::npos; }

bool names(std::string_view pattern, const TableRef& ref, std::string_view label)
{
    return globMatches(pattern, ref.name) || globMatches(pattern, label) || globMatches(pattern, ref.schema + "." + ref.name);
}

void refine(TableRule& into, const TableRule& by)
{
    const auto take = [](auto& a, const auto& b) { if (b) a = b; };
    take(into.strategy, by.strategy);
    take(into.key, by.key);
    take(into.cursor, by.cursor);
    take(into.softDelete, by.softDelete);
    take(into.where, by.where);
    take(into.to, by.to);
    take(into.id, by.id);
    take(into.every, by.every);
    take(into.format, by.format);
    take(into.ttlMs, by.ttlMs);
    take(into.overlapMs, by.overlapMs);
    take(into.deletedRows, by.deletedRows);
    if (!by.excludeColumns.empty()) into.excludeColumns = by.excludeColumns;
    for (const auto& [from, to] : by.rename) into.rename[from] = to;
    for (const auto& [column, policy] : by.policy) into.policy[column] = policy;
    if (!by.indexes.empty()) into.indexes = by.indexes;
}

Error columnMissing(std::string_view what, const std::string& column, const TableInfo& info)
{
    std::vector<std::string> known;
    for (const auto& c : info.columns)
        known.push_back(c.name);
    return {Fault::Config, "config.no_such_column", std::string(what) + " '" + column + "' is not a column of " + info.ref.name + didYouMean(column, known) + ".",
            "Name a column that the table has.", {}};
}

bool sameType(const std::string& stored, Type now) { return stored == typeName(now); }

} // namespace

std::string tableLabel(const TableRef& ref, bool spansSchemas)
{
    // PostgreSQL's own first schema goes without saying; a name with a dot would else read like another schema's table
    const bool bare = ref.schema == "public" && ref.name.find('.') == std::string::npos;
    return spansSchemas && !bare ? ref.schema + "." + ref.name : ref.name;
}

Selection select(const SyncDef& def, const std::vector<TableInfo>& tables, bool spansSchemas, const std::set<std::string>& known, const std::set<std::string>& copied)
{
    std::vector<TableRule> rules = def.tables;
    if (rules.empty()) {
        rules.emplace_back();
        rules.back().name = "*";
    }
    Selection out;
    std::set<std::string> found;
    for (const TableInfo& info : tables) {
        Selected s;
        s.info = info;
        s.label = tableLabel(info.ref, spansSchemas);
        bool chosen = false;
        for (const TableRule& rule : rules) {
            const bool exact = !isGlob(rule.name) && names(rule.name, info.ref, s.label);
            const bool glob = isGlob(rule.name) && names(rule.name, info.ref, s.label);
            if (!exact && !glob)
                continue;
            if (exact) { s.byName = true; found.insert(rule.name); }
            const bool isView = info.kind == TableKind::View || info.kind == TableKind::MaterializedView;
            chosen = chosen || exact || (glob && !isView);
            refine(s.rule, rule);
        }
        if (!chosen)
            continue;
        const bool left = std::any_of(def.exclude.begin(), def.exclude.end(), [&](const auto& p) { return names(p, info.ref, s.label); });
        if (left && !s.byName)
            continue;                                  // a table named exactly beats the rule
        s.rule.name = s.label;
        if (!known.empty() && !known.contains(s.label) && !s.byName && def.newTables != NewTables::Include) {
            if (def.newTables == NewTables::Ask)
                out.undecided.push_back(s.label);
            continue;
        }
        out.tables.push_back(std::move(s));
    }
    std::vector<std::string> all;
    for (const TableInfo& info : tables)
        all.push_back(tableLabel(info.ref, spansSchemas));
    for (const TableRule& rule : rules)
        if (!isGlob(rule.name) && !found.contains(rule.name)) {
            Selected s;
            s.label = s.rule.name = rule.name;
            s.byName = true;
            s.error = Error{Fault::Schema, "engine.table_missing", "The source has no table '" + rule.name + "' that this user can read" + didYouMean(rule.name, all) + ".",
                            "Correct the name, or grant SELECT on it.", {}};
            out.tables.push_back(std::move(s));
        }
    // A table that earlier runs copied and that is gone must not vanish without a word.
    for (const std::string& label : copied) {
        const TableRef ref{{}, label.substr(label.rfind('.') == std::string::npos ? 0 : label.rfind('.') + 1)};
        const bool chosen = std::any_of(rules.begin(), rules.end(), [&](const TableRule& r) { return isGlob(r.name) && names(r.name, ref, label); });
        const bool left = std::any_of(def.exclude.begin(), def.exclude.end(), [&](const auto& p) { return names(p, ref, label); });
        const bool there = std::find(all.begin(), all.end(), label) != all.end();
        const bool told = std::any_of(out.tables.begin(), out.tables.end(), [&](const Selected& s) { return s.label == label; });
        if (!chosen || left || there || told)
            continue;
        Selected s;
        s.label = s.rule.name = label;
        s.error = Error{Fault::Schema, "engine.table_gone", "The table " + label + " is not in the source any more; its documents stay as they are.",
                        "If that is right, leave it out under exclude:.", {}};
        out.tables.push_back(std::move(s));
    }
    return out;
}

Result<Planned> planTable(const SyncDef& def, const Selected& selected, const Target& target, const std::vector<std::pair<std::string, std::string>>& frozen,
                          const std::string& frozenContainer)
{
    if (selected.error)
        return *selected.error;
    const TableInfo& info = selected.info;
    const TableRule& rule = selected.rule;
    auto plan = std::make_shared<TablePlan>();
    Planned out;
    plan->sync = def.name;
    plan->table = info.ref;
    plan->label = selected.label;
    plan->kind = info.kind;

    for (const auto& column : rule.excludeColumns)
        if (!info.column(column)) return columnMissing("The excluded column", column, info);
    for (const auto& [column, field] : rule.rename)
        if (!info.column(column)) return columnMissing("The renamed column", column, info);
    for (const auto& [column, policy] : rule.policy)
        if (!info.column(column)) return columnMissing("The column with a policy,", column, info);
    const std::vector<std::string>& key = rule.key ? *rule.key : info.key;
    for (const auto& column : key)
        if (!info.column(column)) return columnMissing("The key column", column, info);

    auto schema = std::make_shared<Schema>();
    schema->table = selected.label;
    std::set<std::string> fields;
    for (const ColumnInfo& c : info.columns) {
        if (std::find(rule.excludeColumns.begin(), rule.excludeColumns.end(), c.name) != rule.excludeColumns.end()
            && std::find(key.begin(), key.end(), c.name) == key.end())
            continue;
        if (!frozen.empty() && std::none_of(frozen.begin(), frozen.end(), [&](const auto& f) { return f.first == c.name; })) {
            out.notes.push_back({"drift_new_column", "The column " + c.name + " is new and stays out until the next full sync that is asked for.", {c.name}});
            continue;
        }
        Column column;
        column.source = c.name;
        const auto renamed = rule.rename.find(c.name);
        column.name = renamed == rule.rename.end() ? c.name : renamed->second;
        column.type = c.type;
        column.nullable = c.nullable;
        column.scale = c.scale;
        column.bits = c.bits;
        column.precision = c.precision;
        column.nativeType = c.nativeType;
        ValuePolicy policy = ValuePolicy::Null;
        if (const auto p = rule.policy.find(c.name); p != rule.policy.end()) {
            policy = p->second;
            // Types are decided per column, never per value: a column that may hold words is text for all its rows.
            if (policy == ValuePolicy::Text && (c.type == Type::Date || c.type == Type::DateTime || c.type == Type::Timestamp || c.type == Type::Bool))
                column.type = Type::Text;
        }
        if (const std::string refused = target.fieldRefused(column.name); !refused.empty())
            return Error{Fault::Config, "config.field_refused", "The column " + c.name + " of " + selected.label + " cannot be a field there: " + refused,
                         "Rename it: columns: {rename: {" + c.name + ": " + (column.name.find_first_not_of("_$") == std::string::npos ? "field" : column.name.substr(column.name.find_first_not_of("_$"))) + "_}}", {}};
        if (!fields.insert(column.name).second)
            return Error{Fault::Config, "config.field_twice", "Two columns of " + selected.label + " would become the field '" + column.name + "'.",
                         "Rename one of them under columns: rename.", {}};
        schema->columns.push_back(std::move(column));
        plan->policies.push_back(policy);
    }
    for (const auto& [name, type] : frozen) {
        const auto it = std::find_if(schema->columns.begin(), schema->columns.end(), [&](const Column& c) { return c.source == name; });
        if (it != schema->columns.end() && it->type == Type::Bool && type == "int")
            it->type = Type::Int;                          // a TINYINT(1) that held more than 0 and 1 when it was first sampled
        if (it == schema->columns.end() || !sameType(type, it->type))
            return Error{Fault::Schema, "engine.needs_resync", "The column " + name + " of " + selected.label
                         + (it == schema->columns.end() ? " is gone or left out" : " is now " + std::string(typeName(it->type)) + ", was " + type) + " since its documents were written.",
                         "Run a full sync of this table: sync run " + def.name + " --full --tables " + selected.label, {}};
    }
    for (const auto& column : key)
        for (std::uint32_t i = 0; i < schema->columns.size(); ++i)
            if (schema->columns[i].source == column) {
                schema->columns[i].key = true;
                schema->key.push_back(i);
            }

    plan->cursor = rule.cursor.value_or(std::string());
    plan->overlapMs = rule.overlapMs.value_or(2000);
    plan->softDelete = rule.softDelete.value_or(std::string());
    plan->deletedRows = rule.deletedRows;
    plan->where = rule.where.value_or(std::string());
    plan->objectId = rule.id.value_or("key") == "objectid";
    for (const auto& [word, given] : {std::pair("format", rule.format.has_value()), std::pair("ttl", rule.ttlMs.has_value())})
        if (given && !target.understands(word))
            return Error{Fault::Config, "config.not_for_target", std::string("'") + word + "' of " + selected.label + " means nothing to this target.", "Take it out; it is for Redis.", {}};
    plan->hash = rule.format.value_or("json") == "hash";
    plan->ttlMs = rule.ttlMs.value_or(0);
    plan->ifExists = def.ifExists;
    plan->indexes = rule.indexes;
    plan->strategy = rule.strategy.value_or(Strategy::Auto);
    out.reason = info.recommended.reason;
    if (plan->strategy == Strategy::Auto) {
        const bool readsByTime = rule.cursor || rule.deletedRows;
        plan->strategy = schema->key.empty() ? Strategy::Full : readsByTime ? Strategy::Timestamp : info.recommended.strategy;
        plan->byName = plan->strategy == Strategy::Timestamp && !readsByTime;
    }
    if (plan->strategy == Strategy::Timestamp && plan->cursor.empty())
        plan->cursor = info.recommended.cursor;
    if (plan->strategy != Strategy::Timestamp && plan->strategy != Strategy::Full)
        return Error{Fault::Config, "config.not_available_yet", "The strategy '" + std::string(strategyName(plan->strategy)) + "' of " + selected.label + " is not available in this version.",
                     "Use full, timestamp or auto.", {}};
    if (plan->strategy == Strategy::Timestamp && schema->key.empty())
        return Error{Fault::Config, "config.no_key", selected.label + " has no key, so its rows cannot be matched by time.", "Use strategy: full, or name a key.", {}};
    if (plan->strategy == Strategy::Timestamp && plan->cursor.empty())
        return Error{Fault::Config, "config.no_cursor", selected.label + " has no column that tells when a row changed.", "Name one under cursor:, or use strategy: full.", {}};
    if (!plan->cursor.empty() && !info.column(plan->cursor)) return columnMissing("The cursor", plan->cursor, info);
    if (!plan->softDelete.empty() && !info.column(plan->softDelete)) return columnMissing("soft_delete", plan->softDelete, info);

    const std::string container = target.containerName(def.prefix, rule.to.value_or(selected.label));
    plan->container = frozenContainer.empty() ? container : frozenContainer;
    if (plan->container != container)
        out.notes.push_back({"name_frozen", "Goes on in " + plan->container + ", not in " + container + ": a name is frozen once there is something under it.", {plan->container, container}});
    for (const Column& c : schema->columns)
        if (const std::string note = target.carryNote(c); !note.empty())
            out.notes.push_back({"carry", c.name + ": " + note, {c.name, note}});
    std::string print = plan->where + "\n" + plan->softDelete;
    for (const auto k : schema->key)
        print += "\n" + schema->columns[k].source;
    // Documents with the old and with the new field would stand side by side.
    for (const Column& c : schema->columns)
        if (c.name != c.source) print += "\n" + c.source + "\n" + c.name;
    if (plan->hash)
        print += "\nhash";
    plan->fingerprint = sha256Hex(print).substr(0, 16);
    plan->schema = std::move(schema);
    out.plan = std::move(plan);
    return out;
}

std::optional<Error> nameClash(const std::vector<TablePlanPtr>& plans, const Target& target, const std::map<std::string, std::string>& others)
{
    std::map<std::string, std::string> taken = others;
    for (const auto& plan : plans) {
        const auto [it, fresh] = taken.emplace(target.foldedName(plan->container), plan->sync + "/" + plan->label);
        if (!fresh)
            return Error{Fault::Config, "config.name_clash", it->second + " and " + plan->sync + "/" + plan->label + " would meet in one name: '" + plan->container + "'.",
                         "Give one of them another name with to:, or the sync a prefix.", {}};
    }
    return std::nullopt;
}

std::vector<Message> planSentences(const SyncDef& def, const std::vector<PlanTable>& tables, const std::vector<TablePlanPtr>& plans, const Target& target)
{
    std::vector<Message> out;
    const auto say = [&](std::string id, std::string text, std::vector<std::string> args = {}) { out.push_back({std::move(id), std::move(text), std::move(args)}); };
    std::uint64_t rows = 0;
    bool rowsKnown = true;
    std::vector<std::string> timestamp, blind, full, swapped;
    for (const auto& t : tables)
        if (t.rowsEstimate) rows += *t.rowsEstimate; else rowsKnown = false;
    for (const auto& p : plans) {
        if (p->strategy == Strategy::Timestamp) {
            timestamp.push_back(p->label);
            if (!p->deletedRows && p->softDelete.empty()) blind.push_back(p->label);
        } else
            (p->keyless() ? swapped : full).push_back(p->label);
    }
    const auto tablesOf = [](std::size_t n) { return std::to_string(n) + (n == 1 ? " table" : " tables"); };
    say("plan.reads", "Millrace reads " + tablesOf(plans.size()) + " of " + def.source + " in sessions that are read only. It writes nothing to the source.", {std::to_string(plans.size()), def.source});
    say("plan.copies", "It notes the change position first, then copies " + (rowsKnown ? "about " + grouped(rows) + " rows" : std::string("all rows")) + " in chunks by key"
        + (def.settings.rateLimit > 0 ? "; the limit is " + grouped(static_cast<std::uint64_t>(def.settings.rateLimit)) + " rows/s." : "."), {std::to_string(rows)});
    const std::string when = def.continuous ? "continuously" : !def.every.empty() ? "every " + def.every : "at each run by hand";
    if (!timestamp.empty())
        say("plan.timestamp", tablesOf(timestamp.size()) + (timestamp.size() == 1 ? " is" : " are") + " read " + when
            + " by their time column, with an overlap. Rows read twice are written once per key.", {std::to_string(timestamp.size()), when});
    if (!full.empty())
        say("plan.full", tablesOf(full.size()) + (full.size() == 1 ? " is" : " are") + " copied whole " + when + "; rows that are gone there are deleted here.", {std::to_string(full.size()), when});
    if (!swapped.empty())
        say("plan.swapped", join(swapped, ", ") + ": no key to match rows by; rebuilt beside the old copy and swapped in.", {join(swapped, ", ")});
    say("plan.target", "Documents go to " + def.target + ", durable when " + target.durability() + ".", {def.target, target.durability()});
    std::vector<std::string> containers;
    for (const auto& p : plans)
        if (p->container != p->label)
            containers.push_back(p->label + " -> " + p->container);
    if (!containers.empty())
        say("plan.names", "Names there: " + join(containers, ", ") + ".", {join(containers, ", ")});
    if (def.ifExists == IfExists::Write)
        say("plan.existing", "Rows are written into what exists, by key; documents that Millrace did not write are never deleted.");
    for (const auto& t : tables)
        for (const auto& note : t.notes)
            if (note.id == "carry")
                say("plan.carry", t.table + "." + note.text + ".", {t.table, note.text});
    for (const auto& p : plans) {
        if (p->hash)
            say("plan.hash", p->label + " becomes one hash per row, all values as text; fields that are NULL are left out.", {p->label});
        if (p->ttlMs > 0)
            say("plan.expires", "Documents of " + p->label + " expire " + formatDuration(p->ttlMs) + " after they were last written.", {p->label, formatDuration(p->ttlMs)});
    }
    say("plan.parks", "A row that cannot be carried is parked with its cause, and the table goes on. It stops above " + grouped(static_cast<std::uint64_t>(def.maxFailed)) + " parked rows.",
        {std::to_string(def.maxFailed)});
    std::string percent = std::to_string(def.deleteBrakePercent);
    percent.erase(percent.find_last_not_of('0') + 1);
    if (percent.back() == '.') percent.pop_back();
    say("plan.brake", "More than " + percent + " % deletes in one run stop the table and ask you first.", {percent});
    if (!blind.empty())
        say("plan.deletes_invisible", "Deletes in " + join(blind, ", ") + " are not seen between full syncs.", {join(blind, ", ")});
    return out;
}

} // namespace millrace
