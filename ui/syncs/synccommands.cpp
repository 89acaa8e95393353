// What the page does with the engine; what it shows stands in syncspage.cpp.
#include "ui/syncs/syncspage.h"
#include "ui/syncs/detailpane.h"
#include "ui/syncs/subject.h"
#include "ui/widgets/banner.h"
#include "ui/widgets/confirmbar.h"
#include "ui/widgets/format.h"
#include "ui/widgets/toast.h"
#include <algorithm>

namespace millrace::ui {

void SyncsPage::answered(const Result<>& result, const QString& done)
{
    m_context.monitor.sampleNow();
    if (!result)
        return m_banner->say(result.error());
    m_banner->hide();
    if (!done.isEmpty())
        m_context.toasts.show(done);
}

void SyncsPage::run(RunRequest::Kind kind)
{
    for (const auto& [name, tables] : selectedTables()) {
        RunRequest request;
        request.sync = name;
        request.kind = kind;
        request.tables = tables;
        request.trigger = "window";
        m_context.calls.run(this, [request](Engine& engine) -> Result<> {
            auto started = engine.start(request);
            return started ? Result<>() : Result<>(started.error());
        }, [this](Result<> started) { answered(started, {}); });
    }
}

void SyncsPage::runFull()
{
    const auto chosen = selectedTables();
    if (chosen.empty())
        return;
    const auto& [name, tables] = *chosen.begin();
    const SyncView* sync = findSync(*m_snapshot, name);
    if (!sync)
        return;
    std::uint64_t rows = 0;
    for (const TableView& table : sync->tables)
        if (tables.empty() || std::find(tables.begin(), tables.end(), table.table) != tables.end())
            rows += std::max(table.rows, table.rowsTotal);
    const QString what = tables.empty() ? tr("all tables of %1").arg(text(name)) : tables.size() == 1 ? text(tables.front()) : tr("%n tables", nullptr, int(tables.size()));
    m_confirm->ask(tr("Full run: reads %1 again, about %2 rows, and leaves exactly the source's rows in %3.").arg(what, count(rows), text(sync->target)), tr("Run full"),
        sync->environment == "prod" ? text(sync->target) : QString(), [this] { run(RunRequest::Kind::Full); });
}

void SyncsPage::pauseOrResume()
{
    const auto chosen = selectedTables();
    bool resume = false;
    for (const auto& [name, tables] : chosen)
        if (const SyncView* sync = findSync(*m_snapshot, name))
            resume = resume || sync->paused;
    std::vector<std::string> names;
    for (const auto& [name, tables] : chosen)
        names.push_back(name);
    if (names.empty())
        return;
    m_context.calls.run(this, [names, pause = !resume](Engine& engine) -> Result<> {
        for (const std::string& name : names)
            if (auto done = engine.setPaused(name, pause); !done)
                return done;
        return {};
    }, [this, resume, names](Result<> done) {
        answered(done, resume ? tr("%1 resumed.").arg(names.size() == 1 ? text(names.front()) : tr("%n syncs", nullptr, int(names.size())))
                              : tr("%1 paused.").arg(names.size() == 1 ? text(names.front()) : tr("%n syncs", nullptr, int(names.size()))));
    });
}

void SyncsPage::stop()
{
    for (const auto& [name, tables] : selectedTables()) {
        m_stopping[name] = true;
        m_context.calls.run(this, [sync = name](Engine& engine) -> Result<> { engine.stop(sync); return {}; }, [this](Result<> done) { answered(done, {}); });
    }
    updateActions();
}

void SyncsPage::verify()
{
    for (const auto& [name, tables] : selectedTables()) {
        const QPointer<Toast> busy = m_context.toasts.show(tr("Comparing %1…").arg(text(name)));
        m_context.calls.run(this, [sync = name, tables = tables](Engine& engine, std::stop_token token) { return engine.verify(sync, tables, token); }, [this, busy](Result<VerifyReport> report) {
            if (busy)
                busy->dismiss();
            m_context.monitor.sampleNow();
            if (!report || report->error)
                return m_banner->say(report ? *report->error : report.error());
            std::uint64_t rows = 0, wrong = 0;
            for (const TableVerdict& table : report->tables) {
                rows += table.sourceRows;
                wrong += table.missing + table.extra + table.different;
            }
            if (report->verdict == Verdict::Identical)
                m_banner->say(Banner::Kind::Good, tr("%1: %2 rows of %n table(s) compared, identical.", nullptr, int(report->tables.size())).arg(text(report->sync), count(rows)));
            else if (report->verdict == Verdict::Different)
                m_banner->say(Banner::Kind::Warning, tr("%1: %2 rows differ, see the column Verified.").arg(text(report->sync), count(wrong)));
            else
                m_banner->say(Banner::Kind::Warning, tr("%1: equality could not be proven.").arg(text(report->sync)));
        });
    }
}

void SyncsPage::dryRun()
{
    const auto chosen = selectedTables();
    if (chosen.empty())
        return;
    const std::string name = chosen.begin()->first;
    const QPointer<Toast> busy = m_context.toasts.show(tr("Dry run of %1: reads 1,000 rows a table, writes nothing…").arg(text(name)));
    m_context.calls.run(this, [name](Engine& engine, std::stop_token token) -> Result<DryRunReport> {
        auto all = engine.syncs();
        if (!all)
            return all.error();
        for (const SyncDef& def : *all)
            if (def.name == name)
                return engine.dryRun(def, token);
        return Error{Fault::Config, "config.no_sync", "There is no sync '" + name + "'.", {}, {}};
    }, [this, busy](Result<DryRunReport> report) {
        if (busy)
            busy->dismiss();
        if (!report || report->error)
            return m_banner->say(report ? *report->error : report.error());
        m_banner->hide();
        m_details->setDryRun(*report);
        m_details->setTab(DetailPane::Overview);
    });
}

void SyncsPage::reset()
{
    const auto chosen = selectedTables();
    if (chosen.empty())
        return;
    const auto [name, tables] = *chosen.begin();
    m_confirm->ask(tr("Forgets the position of %1: the next run starts over.").arg(tables.empty() ? text(name) : text(tables.front())), tr("Forget"),
        environmentOf(name) == "prod" ? text(name) : QString(), [this, sync = name, list = tables] {
            m_context.calls.run(this, [sync, list](Engine& engine) -> Result<> {
                if (list.empty())
                    return engine.reset(sync, {});
                for (const std::string& table : list)
                    if (auto done = engine.reset(sync, table); !done)
                        return done;
                return {};
            }, [this](Result<> done) { answered(done, tr("Position forgotten.")); });
        });
}

void SyncsPage::remove()
{
    const auto chosen = subjects();
    if (chosen.empty())
        return;
    const std::string name = chosen.front().sync;
    m_confirm->ask(tr("Removes the sync %1 with its history and positions. Documents in the target stay.").arg(text(name)), tr("Remove sync"),
        environmentOf(name) == "prod" ? text(name) : QString(), [this, name] {
            m_context.calls.run(this, [name](Engine& engine) { return engine.removeSync(name, false); },
                [this, name](Result<> done) { answered(done, tr("%1 removed.").arg(text(name))); });
        });
}

} // namespace millrace::ui
