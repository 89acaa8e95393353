#include "tests/support/fakeengine.h"
#include "core/base/text.h"
#include <algorithm>

namespace millrace::test {

namespace {

template <class T> std::vector<T> withoutNamed(std::vector<T> all, const std::string& name)
{
    std::erase_if(all, [&](const T& one) { return one.name == name; });
    return all;
}

bool fits(const FailedRow& row, const std::string& sync, const std::string& table, const std::string& cause, const std::string& key)
{
    return row.sync == sync && (table.empty() || row.table == table) && (cause.empty() || row.cause == cause) && (key.empty() || row.key == key);
}

template <class Def> void put(std::vector<Def>& all, const Def& def)
{
    const auto old = std::find_if(all.begin(), all.end(), [&](const Def& one) { return one.name == def.name; });
    if (old != all.end()) *old = def;
    else all.push_back(def);
}

} // namespace

FakeEngine::~FakeEngine()
{
    release();
    finishRuns();
}

void FakeEngine::record(const char* name, std::string argument) { m_calls.push_back({name, std::move(argument), std::this_thread::get_id()}); }

std::optional<Error> FakeEngine::enter(const char* name, std::string argument)
{
    std::unique_lock lock(m_mutex);
    record(name, std::move(argument));
    m_changed.wait(lock, [&] { return !m_held; });
    const auto error = m_world.errors.find(name);
    return error == m_world.errors.end() ? std::nullopt : std::optional(error->second);
}

SyncView* FakeEngine::view(const std::string& sync)
{
    for (auto& one : m_world.snapshot.syncs)
        if (one.name == sync)
            return &one;
    return nullptr;
}

void FakeEngine::edit(const std::function<void(FakeWorld&)>& change)
{
    {
        std::lock_guard lock(m_mutex);
        change(m_world);
        ++m_world.snapshot.revision;
    }
    m_changed.notify_all();
}

FakeWorld FakeEngine::world() const { std::lock_guard lock(m_mutex); return m_world; }
std::vector<FakeEngine::Call> FakeEngine::calls() const { std::lock_guard lock(m_mutex); return m_calls; }

std::size_t FakeEngine::count(const std::string& name) const
{
    const auto all = calls();
    return static_cast<std::size_t>(std::count_if(all.begin(), all.end(), [&](const Call& call) { return call.name == name; }));
}

std::string FakeEngine::lastArgument(const std::string& name) const
{
    const auto all = calls();
    const auto last = std::find_if(all.rbegin(), all.rend(), [&](const Call& call) { return call.name == name; });
    return last == all.rend() ? std::string() : last->argument;
}

void FakeEngine::hold() { std::lock_guard lock(m_mutex); m_held = true; }
void FakeEngine::release() { { std::lock_guard lock(m_mutex); m_held = false; } m_changed.notify_all(); }
void FakeEngine::finishRuns() { edit([](FakeWorld& world) { world.holdRuns = false; }); }

SnapshotPtr FakeEngine::snapshot() const { std::lock_guard lock(m_mutex); return std::make_shared<const EngineSnapshot>(m_world.snapshot); }
std::vector<ConnectorSpec> FakeEngine::connectors() const { std::lock_guard lock(m_mutex); return m_world.connectors; }

Result<std::vector<ConnectionDef>> FakeEngine::connections()
{
    if (auto error = enter("connections")) return *error;
    return world().connections;
}

Result<> FakeEngine::saveConnection(ConnectionDef def, const std::map<std::string, Secret>& typed)
{
    if (auto error = enter("saveConnection", def.name)) return *error;
    edit([&](FakeWorld& world) {
        for (const auto& [key, secret] : typed) {
            world.secrets[def.name + "/" + key] = secret;
            def.secrets[key] = {SecretRef::Kind::Stored, {}};
        }
        put(world.connections, def);
    });
    return {};
}

Result<> FakeEngine::removeConnection(const std::string& name)
{
    if (auto error = enter("removeConnection", name)) return *error;
    edit([&](FakeWorld& world) { world.connections = withoutNamed(world.connections, name); });
    return {};
}

Result<std::vector<SyncDef>> FakeEngine::syncs()
{
    if (auto error = enter("syncs")) return *error;
    return world().syncs;
}

Result<> FakeEngine::saveSync(const SyncDef& def)
{
    if (auto error = enter("saveSync", def.name)) return *error;
    edit([&](FakeWorld& world) {
        put(world.syncs, def);
        if (!view(def.name)) {
            SyncView added;
            added.name = def.name;
            added.source = def.source;
            added.target = def.target;
            world.snapshot.syncs.push_back(std::move(added));
        }
    });
    return {};
}

Result<> FakeEngine::removeSync(const std::string& name, bool dropTarget)
{
    if (auto error = enter("removeSync", name + (dropTarget ? " drop" : ""))) return *error;
    edit([&](FakeWorld& world) {
        world.syncs = withoutNamed(world.syncs, name);
        world.snapshot.syncs = withoutNamed(world.snapshot.syncs, name);
    });
    return {};
}

Result<ApplyReport> FakeEngine::apply(const SyncFile& file, const std::map<std::string, Secret>& typed, bool dryRun)
{
    if (auto error = enter("apply", dryRun ? "dry" : "")) return *error;
    ApplyReport report;
    edit([&](FakeWorld& world) {
        const auto sort = [&](const auto& all, const auto& def, const char* kind) {
            const auto old = std::find_if(all.begin(), all.end(), [&](const auto& one) { return one.name == def.name; });
            (old == all.end() ? report.added : *old == def ? report.same : report.changed).push_back(kind + def.name);
        };
        for (const auto& def : file.connections) sort(world.connections, def, "connection ");
        for (const auto& def : file.syncs) sort(world.syncs, def, "sync ");
        if (dryRun)
            return;
        for (const auto& [key, secret] : typed) world.secrets[key] = secret;
        for (const auto& def : file.connections) put(world.connections, def);
        for (const auto& def : file.syncs) put(world.syncs, def);
    });
    return report;
}

Result<std::string> FakeEngine::setting(const std::string& key)
{
    if (auto error = enter("setting", key)) return *error;
    return world().settings[key];
}

Result<> FakeEngine::saveSetting(const std::string& key, const std::string& value)
{
    if (auto error = enter("saveSetting", key + "=" + value)) return *error;
    edit([&](FakeWorld& world) { world.settings[key] = value; });
    return {};
}

TestReport FakeEngine::test(const ConnectionDef& def, const std::map<std::string, Secret>&, const std::function<void(const TestStage&)>& stageDone, std::stop_token)
{
    TestReport report;
    if (auto error = enter("test", def.name)) {
        report.error = *error;
        return report;
    }
    const auto all = world().tests;
    if (const auto known = all.find(def.name); known != all.end())
        report = known->second;
    else
        report.stages = {{"login", "Login", TestStage::Outcome::Passed, "logged in", {}, 1.5}};
    for (const auto& stage : report.stages)
        if (stageDone) stageDone(stage);
    return report;
}

Result<Discovery> FakeEngine::discover(const std::string& connection, const std::string& glob, std::stop_token)
{
    if (auto error = enter("discover", connection + (glob.empty() ? "" : " " + glob))) return *error;
    auto all = world().discoveries;
    const auto known = all.find(connection);
    if (known == all.end())
        return Error{Fault::Config, "config.no_connection", "There is no connection '" + connection + "'.", {}, {}};
    if (!glob.empty())
        std::erase_if(known->second.tables, [&](const TableInfo& table) { return !globMatches(glob, table.ref.name); });
    return known->second;
}

Result<PlanReport> FakeEngine::plan(const SyncDef& def)
{
    if (auto error = enter("plan", def.name)) return *error;
    auto report = world().plans[def.name];
    report.sync = def.name;
    return report;
}

Result<DryRunReport> FakeEngine::dryRun(const SyncDef& def, std::stop_token)
{
    if (auto error = enter("dryRun", def.name)) return *error;
    auto report = world().dryRuns[def.name];
    report.sync = def.name;
    return report;
}

Result<std::vector<RunReport>> FakeEngine::history(const std::string& sync, std::size_t limit)
{
    if (auto error = enter("history", sync)) return *error;
    auto runs = world().history[sync];
    if (runs.size() > limit) runs.resize(limit);
    return runs;
}

Result<std::vector<MetricPoint>> FakeEngine::metrics(const std::string& sync, const std::string& table, std::int64_t fromMs, std::int64_t toMs)
{
    if (auto error = enter("metrics", sync + " " + table)) return *error;
    auto points = world().metrics;
    std::erase_if(points, [&](const MetricPoint& point) { return point.timeMs < fromMs || point.timeMs > toMs; });
    return points;
}

Result<std::vector<AuditEntry>> FakeEngine::audit(std::size_t limit)
{
    if (auto error = enter("audit")) return *error;
    auto entries = world().audit;
    if (entries.size() > limit) entries.resize(limit);
    return entries;
}

Result<RunId> FakeEngine::start(const RunRequest& request)
{
    std::lock_guard lock(m_mutex);
    static constexpr const char* kinds[]{"", " full", " incremental"};
    record("start", request.sync + kinds[static_cast<std::size_t>(request.kind)] + (request.tables.empty() ? "" : " tables=" + join(request.tables, ","))
           + (request.where.empty() ? "" : " where=" + request.where) + (request.acceptDeletes ? " accept-deletes" : ""));
    if (const auto error = m_world.errors.find("start"); error != m_world.errors.end())
        return error->second;
    const RunId run = m_nextRun++;
    m_runs[run] = request.sync;
    m_stopped.erase(request.sync);
    if (SyncView* one = view(request.sync)) {
        one->run = run;
        one->state = State::Running;
        ++m_world.snapshot.revision;
    }
    return run;
}

Result<RunReport> FakeEngine::wait(RunId run)
{
    std::unique_lock lock(m_mutex);
    record("wait", std::to_string(run));
    const std::string sync = m_runs[run];
    m_changed.wait(lock, [&] { return !m_world.holdRuns || m_stopped.contains(sync); });
    if (const auto error = m_world.errors.find("wait"); error != m_world.errors.end())
        return error->second;
    RunReport report;
    if (const auto known = m_world.outcomes.find(sync); known != m_world.outcomes.end())
        report = known->second;
    else
        report.outcome = Outcome::Success;
    if (m_stopped.contains(sync))
        report.outcome = Outcome::Cancelled;
    report.id = run;
    report.sync = sync;
    if (SyncView* one = view(sync)) {
        one->run = 0;
        one->state = one->paused ? State::Paused : State::Idle;
        ++m_world.snapshot.revision;
    }
    return report;
}

void FakeEngine::stop(const std::string& sync)
{
    {
        std::lock_guard lock(m_mutex);
        record("stop", sync);
        m_stopped.insert(sync);
    }
    m_changed.notify_all();
}

Result<> FakeEngine::setPaused(const std::string& sync, bool paused)
{
    std::lock_guard lock(m_mutex);
    record("setPaused", sync + (paused ? " on" : " off"));
    if (const auto error = m_world.errors.find("setPaused"); error != m_world.errors.end())
        return error->second;
    if (SyncView* one = view(sync)) {
        one->paused = paused;
        one->state = paused ? State::Paused : State::Idle;
        ++m_world.snapshot.revision;
    }
    return {};
}

Result<> FakeEngine::reset(const std::string& sync, const std::string& table)
{
    if (auto error = enter("reset", sync + (table.empty() ? "" : " " + table))) return *error;
    return {};
}

Result<VerifyReport> FakeEngine::verify(const std::string& sync, const std::vector<std::string>& tables, std::stop_token)
{
    if (auto error = enter("verify", sync + (tables.empty() ? "" : " " + join(tables, ",")))) return *error;
    auto all = world().verdicts;
    if (const auto known = all.find(sync); known != all.end())
        return known->second;
    VerifyReport report;
    report.sync = sync;
    report.verdict = Verdict::Identical;
    return report;
}

Result<std::vector<FailedRow>> FakeEngine::failures(const std::string& sync, const std::string& table, const std::string& cause, const std::string& key)
{
    if (auto error = enter("failures", sync)) return *error;
    auto rows = world().failures;
    std::erase_if(rows, [&](const FailedRow& row) { return !fits(row, sync, table, cause, key); });
    return rows;
}

Result<RunReport> FakeEngine::retryFailures(const std::string& sync, const std::string& cause, const std::string& key)
{
    if (auto error = enter("retryFailures", sync + " " + cause + " " + key)) return *error;
    RunReport report;
    report.sync = sync;
    report.outcome = Outcome::Success;
    TableReport table;
    edit([&](FakeWorld& world) {
        table.written = static_cast<std::uint64_t>(std::erase_if(world.failures, [&](const FailedRow& row) { return fits(row, sync, {}, cause, key); }));
    });
    table.outcome = Outcome::Success;
    table.read = table.written;
    report.tables.push_back(std::move(table));
    return report;
}

Result<std::uint64_t> FakeEngine::discardFailures(const std::string& sync, const std::string& cause, const std::string& key)
{
    if (auto error = enter("discardFailures", sync + " " + cause + " " + key)) return *error;
    std::uint64_t gone = 0;
    edit([&](FakeWorld& world) { gone = static_cast<std::uint64_t>(std::erase_if(world.failures, [&](const FailedRow& row) { return fits(row, sync, {}, cause, key); })); });
    return gone;
}

void FakeEngine::setScheduling(bool on)
{
    std::lock_guard lock(m_mutex);
    record("setScheduling", on ? "on" : "off");
}

} // namespace millrace::test
