#pragma once
#include "core/engine/committer.h"
#include "core/engine/tablerun.h"
#include "tests/support/fakes.h"
#include "tests/support/memorystore.h"
#include <thread>

namespace millrace::test {

//! One fake database, one fake store, one metadata store, and runs of a table between them. A "kill" is a run whose committer and run
//! are thrown away; a new run begins from what the stores hold.
struct TableWorld {
    FakeDatabase database;
    FakeClock clock;
    FakeStore store{};
    MemoryStore meta;
    SyncDef def;
    std::uint64_t runs = 0;
    bool acceptDeletes = false;

    TableWorld() { def.name = "sync"; def.settings.batchMin = def.settings.batchMax = 10; }

    //! Like production: a lease with a new epoch, then the table. `plan` of fakePlan().
    TableReport run(TablePlanPtr plan, TableRun::Kind kind = TableRun::Kind::Normal, std::stop_token stop = {})
    {
        FakeSource source(database);
        FakeTarget target(store, clock);
        auto lease = target.acquire(def.name, meta.owner(), meta.epoch(def.name).value_or(0), stop);
        TableReport report;
        if (!lease) {
            report.error = lease.error();
            return report;
        }
        if (auto saved = meta.saveEpoch(def.name, lease->epoch); !saved) {
            report.error = saved.error();
            return report;
        }
        Committer committer(meta);
        RateLimiter rate(clock, 0);
        TableLive live;
        TableRun table({source, target, plan, *lease, meta, committer, rate, clock, live, static_cast<RunId>(++runs), def, acceptDeletes, {}, 0});
        report = table.run(kind, stop);
        (void)target.release(*lease).has_value();
        return report;
    }

    //! Documents of the container as "field=value" forms by key, for comparison with what the database holds.
    std::map<std::string, std::string> documents(const TablePlanPtr& plan) const
    {
        std::map<std::string, std::string> out;
        for (const auto& [key, document] : store.documents(plan->container))
            out[key] = document.form;
        return out;
    }

    //! What must be there: every row of the source in the target's form.
    std::map<std::string, std::string> expected(const TablePlanPtr& plan)
    {
        FakeSource source(database);
        FakeTarget target(store, clock);
        std::map<std::string, std::string> out;
        auto reader = source.proof(plan, {});
        if (!reader)
            return out;
        for (;;) {
            Batch batch(plan->schema);
            auto state = (*reader)->read(batch, 1000, {});
            if (!state)
                return out;
            for (std::size_t i = 0; i < batch.rows(); ++i)
                if (batch.op(i) == Op::Upsert) {
                    std::string key, form;
                    target.expected(*plan, batch.row(i), key, form);
                    out[key] = form;
                }
            if (*state == ReadState::End)
                return out;
        }
    }
};

} // namespace millrace::test
