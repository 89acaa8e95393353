#include "core/base/text.h"
#include "core/engine/localengine.h"
#include "core/engine/openedsync.h"
#include <algorithm>

namespace millrace {

Result<LocalEngine::Opened> LocalEngine::openSync(const SyncDef& def, bool refresh, std::stop_token stop)
{
    auto known = connections();
    if (!known) return std::move(known).error();
    auto all = syncs();
    if (!all) return std::move(all).error();
    if (auto checked = check(def, *known); !checked) return std::move(checked).error();
    Opened out;
    auto sourceParams = openParams(m_parts, *findConnection(*known, def.source));
    if (!sourceParams) return std::move(sourceParams).error();
    auto targetParams = openParams(m_parts, *findConnection(*known, def.target));
    if (!targetParams) return std::move(targetParams).error();
    auto source = m_parts.connectors.openSource(*sourceParams);
    if (!source) return std::move(source).error();
    auto target = m_parts.connectors.openTarget(*targetParams);
    if (!target) return std::move(target).error();
    auto tables = planSync(m_parts, def, *all, *known, **source, **target, refresh, stop);
    if (!tables) return std::move(tables).error();
    out.source = std::move(*source);
    out.target = std::move(*target);
    out.tables = std::move(*tables);
    return out;
}

TestReport LocalEngine::test(const ConnectionDef& def, const std::map<std::string, Secret>& typed, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop)
{
    const auto failed = [&](Error error) {
        TestReport report;
        report.stages.push_back({"settings", "Settings", TestStage::Outcome::Failed, error.detail, error.fix, 0});
        if (stageDone) stageDone(report.stages.back());
        report.error = std::move(error);
        return report;
    };
    auto params = openParams(m_parts, def, typed);
    if (!params) return failed(std::move(params).error());
    // What can be both (none yet) is tested as a source.
    auto source = m_parts.connectors.openSource(*params);
    if (source) return (*source)->test(stageDone, stop);
    auto target = m_parts.connectors.openTarget(*params);
    if (target) return (*target)->test(stageDone, stop);
    return failed(source.error().id == "config.wrong_role" ? target.error() : source.error());
}

Result<Discovery> LocalEngine::discover(const std::string& connection, const std::string& glob, std::stop_token stop)
{
    auto known = connections();
    if (!known) return std::move(known).error();
    const ConnectionDef* def = findConnection(*known, connection);
    if (!def) return noSuchConnection(*known, connection);
    auto params = openParams(m_parts, *def);
    if (!params) return std::move(params).error();
    auto source = m_parts.connectors.openSource(*params);
    if (!source) return std::move(source).error();
    Discovery out;
    out.connection = connection;
    auto server = (*source)->server();
    if (!server) return std::move(server).error();
    out.server = std::move(*server);
    auto tables = (*source)->discover(glob, stop);
    if (!tables) return std::move(tables).error();
    out.tables = std::move(*tables);
    return out;
}

Result<PlanReport> LocalEngine::plan(const SyncDef& def)
{
    auto opened = openSync(def, false, {});
    if (!opened) return std::move(opened).error();
    PlanReport report;
    report.sync = def.name;
    std::vector<TablePlanPtr> plans;
    for (const SyncTable& table : opened->tables.tables) {
        PlanTable out;
        out.table = table.label;
        out.rowsEstimate = table.selected.info.rowsEstimate;
        out.warnings = table.selected.info.warnings;
        out.error = table.error;
        if (table.planned) {
            const TablePlan& plan = *table.planned->plan;
            out.container = plan.container;
            out.strategy = plan.strategy;
            out.cursor = plan.cursor;
            for (const auto k : plan.schema->key) out.key.push_back(plan.schema->columns[k].source);
            out.reason = table.planned->reason;
            out.notes = table.planned->notes;
            if (auto ready = opened->source->preflight(plan); !ready && plan.byName && ready.error().id.ends_with(".cursor")) {
                out.strategy = Strategy::Full;
                out.cursor.clear();
                out.reason = {"cursor_unfit", "copied whole: " + ready.error().detail, {ready.error().detail}};
            } else if (!ready)
                out.error = ready.error();
            if (plan.deletedRows || !plan.softDelete.empty())
                std::erase_if(out.warnings, [](const Message& m) { return m.id == "deletes_invisible"; });
            plans.push_back(table.planned->plan);
        }
        report.tables.push_back(std::move(out));
    }
    report.sentences = planSentences(def, report.tables, plans, *opened->target);
    for (const auto& table : opened->tables.undecided)
        report.sentences.push_back({"plan.undecided", "The table " + table + " is new; it stays out until you add it or set new_tables: include.", {table}});
    return report;
}

Result<DryRunReport> LocalEngine::dryRun(const SyncDef& def, std::stop_token stop)
{
    constexpr std::size_t sampleRows = 1000;
    auto opened = openSync(def, false, stop);
    if (!opened) return std::move(opened).error();
    DryRunReport report;
    report.sync = def.name;
    const std::int64_t began = m_parts.clock.steadyUs();
    for (const SyncTable& table : opened->tables.tables) {
        if (stop.stop_requested()) break;
        DryRunTable out;
        out.table = table.label;
        const auto sample = [&]() -> Result<> {
            if (table.error) return *table.error;
            const TablePlanPtr& plan = table.planned->plan;
            if (auto ready = opened->source->preflight(*plan); !ready) return ready;
            auto snapshot = opened->source->snapshot(plan);
            if (!snapshot) return std::move(snapshot).error();
            auto reader = (*snapshot)->read({});
            if (!reader) return std::move(reader).error();
            Batch batch(plan->schema);
            auto state = (*reader)->read(batch, sampleRows, stop);
            if (!state) return std::move(state).error();
            std::vector<std::uint32_t> rows;
            for (std::uint32_t i = 0; i < batch.rows(); ++i)
                if (batch.op(i) != Op::Skip) rows.push_back(i);
            Payload payload;
            if (auto encoded = opened->target->encoder(plan)->encode(batch, rows, payload); !encoded) return encoded;
            out.read = batch.rows();
            out.cannotCarry = batch.rejected().size() + payload.rejected.size();
            out.fits = out.read - out.cannotCarry;
            out.coerced = batch.coerced;
            out.averageBytes = payload.items.empty() ? 0 : static_cast<double>(payload.bytes.size()) / static_cast<double>(payload.items.size());
            for (const std::vector<RowFailure>* failures : {&batch.rejected(), static_cast<const std::vector<RowFailure>*>(&payload.rejected)})
                for (const auto& f : *failures)
                    if (out.findings.size() < 10) out.findings.push_back({f.error.id, f.error.detail, {}});
            if (batch.coerced)
                out.findings.push_back({"coerced", grouped(batch.coerced) + " values cannot be carried: choose a policy (null is the default).", {std::to_string(batch.coerced)}});
            return {};
        };
        if (auto sampled = sample(); !sampled) out.error = std::move(sampled).error();
        report.tables.push_back(std::move(out));
    }
    report.seconds = static_cast<double>(m_parts.clock.steadyUs() - began) / 1e6;
    return report;
}

} // namespace millrace
