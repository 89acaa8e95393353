#include "core/data/value.h"
#include "tests/support/fakes.h"

namespace millrace::test {

namespace {

constexpr std::int64_t leaseMs = 30'000;

Error fenced(const Lease& lease) { return {Fault::Fenced, "target.fake.fenced", "sync " + lease.sync + " is written by another instance", "", {}}; }
Error stopped() { return {Fault::Cancelled, "target.cancelled", "stopped", "", {}}; }

void appendForm(std::string& form, const Schema& schema, std::span<const Cell> row)
{
    for (std::size_t i = 0; i < row.size(); ++i) {
        form += schema.columns[i].name;
        form += '\x1f';
        appendJson(form, row[i]);
        form += '\x1e';
    }
}

std::string keyOf(const Schema& schema, std::span<const Cell> row, std::uint64_t version)
{
    return schema.key.empty() ? std::to_string(version & ((1ull << 40) - 1)) : keyText(schema, row);
}

class FakeEncoder final : public Encoder {
public:
    explicit FakeEncoder(TablePlanPtr plan) : m_plan(std::move(plan)) {}
    Result<> encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out) override
    {
        for (const std::uint32_t row : rows) {
            if (batch.op(row) == Op::Skip)
                continue;
            Payload::Item item;
            item.row = row;
            item.op = batch.op(row);
            item.version = batch.version + row;
            const std::string key = keyOf(*m_plan->schema, batch.row(row), item.version);
            std::string form;
            if (item.op == Op::Upsert)
                appendForm(form, *m_plan->schema, batch.row(row));
            for (const Cell& cell : batch.row(row))
                if (cell.type == Type::Unchanged)
                    return Error{Fault::Internal, "target.fake.unchanged", "an unchanged cell reached the encoder", "", {}};
            item.keyAt = static_cast<std::uint32_t>(out.bytes.size());
            item.keySize = static_cast<std::uint32_t>(key.size());
            out.bytes.insert(out.bytes.end(), key.begin(), key.end());
            item.docAt = static_cast<std::uint32_t>(out.bytes.size());
            item.docSize = static_cast<std::uint32_t>(form.size());
            out.bytes.insert(out.bytes.end(), form.begin(), form.end());
            out.items.push_back(item);
        }
        return {};
    }
private:
    TablePlanPtr m_plan;
};

} // namespace

FakeStore::Documents FakeStore::documents(const std::string& container) const
{
    std::lock_guard lock(m_mutex);
    const auto found = m_containers.find(container);
    return found == m_containers.end() ? Documents{} : found->second.documents;
}

bool FakeStore::exists(const std::string& container) const { std::lock_guard lock(m_mutex); return m_containers.contains(container); }
void FakeStore::put(const std::string& container, const std::string& key, Document document)
{
    std::lock_guard lock(m_mutex);
    const auto [at, made] = m_containers.try_emplace(container);
    if (made)
        at->second.own = false;
    at->second.documents[key] = std::move(document);
}
void FakeStore::erase(const std::string& container, const std::string& key) { std::lock_guard lock(m_mutex); m_containers[container].documents.erase(key); }
void FakeStore::remove(const std::string& container) { std::lock_guard lock(m_mutex); m_containers.erase(container); }
void FakeStore::ageLease(const std::string& sync, std::int64_t seconds) { std::lock_guard lock(m_mutex); m_leases[sync].beatMs -= seconds * 1000; }
std::uint64_t FakeStore::writes() const { std::lock_guard lock(m_mutex); return m_writes; }
std::uint64_t FakeStore::epoch(const std::string& sync) const
{
    std::lock_guard lock(m_mutex);
    const auto found = m_leases.find(sync);
    return found == m_leases.end() ? 0 : found->second.epoch;
}
void FakeStore::failWrite(std::uint64_t nth, Error error, int times, When when)
{
    std::lock_guard lock(m_mutex);
    m_writeFault = Fault{nth, std::move(error), times, when};
}
void FakeStore::failReadBack(std::uint64_t afterDocuments, Error error, int times)
{
    std::lock_guard lock(m_mutex);
    m_readFault = Fault{afterDocuments, std::move(error), times, When::BeforeApply};
}
void FakeStore::failOpen(Error error, int times) { std::lock_guard lock(m_mutex); m_openFault = Fault{0, std::move(error), times, When::BeforeApply}; }
void FakeStore::rejectKey(const std::string& key, Error error) { std::lock_guard lock(m_mutex); m_rejects[key] = std::move(error); }
void FakeStore::acceptKey(const std::string& key) { std::lock_guard lock(m_mutex); m_rejects.erase(key); }
void FakeStore::hold() { std::lock_guard lock(m_mutex); m_hold = true; }
void FakeStore::letGo() { { std::lock_guard lock(m_mutex); m_hold = false; } m_changed.notify_all(); }
std::size_t FakeStore::held() const { std::lock_guard lock(m_mutex); return m_waiting; }
void FakeStore::onWrite(std::function<void(const std::string&, const WriteReport&)> hook) { std::lock_guard lock(m_mutex); m_hook = std::move(hook); }
void FakeStore::setLanes(unsigned lanes) { std::lock_guard lock(m_mutex); m_lanes = lanes; }

bool FakeStore::holds(const Lease& lease) const
{
    const auto found = m_leases.find(lease.sync);
    return found != m_leases.end() && found->second.live && found->second.owner == lease.owner && found->second.epoch == lease.epoch;
}

class FakeTargetSession final : public TargetSession {
public:
    FakeTargetSession(FakeStore& store, TablePlanPtr plan, Lease lease, bool aside)
        : m_store(store), m_plan(std::move(plan)), m_lease(std::move(lease)), m_aside(aside) {}

    Result<WriteReport> write(const Payload& payload, std::stop_token stop) override
    {
        std::unique_lock lock(m_store.m_mutex);
        ++m_store.m_waiting;
        const bool go = m_store.m_changed.wait(lock, stop, [&] { return !m_store.m_hold; });
        --m_store.m_waiting;
        if (!go)
            return stopped();
        if (!m_store.holds(m_lease))
            return fenced(m_lease);
        const std::optional<Error> failure = due();
        if (failure && m_when == FakeStore::When::BeforeApply)
            return *failure;
        auto& container = m_store.m_containers[m_plan->container];
        if (m_aside && !container.aside)
            return fenced(m_lease);
        FakeStore::Documents& documents = m_aside ? *container.aside : container.documents;
        WriteReport report;
        for (const auto& item : payload.items)
            apply(documents, payload, item, report);
        ++m_store.m_writes;
        const auto hook = m_store.m_hook;
        lock.unlock();
        if (hook)
            hook(m_plan->container, report);
        if (failure)
            return *failure;
        return report;
    }

private:
    std::optional<Error> due()
    {
        auto& fault = m_store.m_writeFault;
        if (!fault || fault->times == 0)
            return {};
        if (fault->nth > 1) {
            --fault->nth;
            return {};
        }
        --fault->times;
        m_when = fault->when;
        return fault->error;
    }

    void apply(FakeStore::Documents& documents, const Payload& payload, const Payload::Item& item, WriteReport& report)
    {
        const std::string key(payload.bytes.data() + item.keyAt, item.keySize);
        if (const auto reject = m_store.m_rejects.find(key); reject != m_store.m_rejects.end()) {
            report.rejected.push_back({item.row, reject->second});
            return;
        }
        const auto found = documents.find(key);
        if (found != documents.end() && found->second.ours && found->second.version > item.version)
            ++report.superseded;
        else if (item.op == Op::Delete) {
            if (found != documents.end() && found->second.ours)   // only documents with our mark are ever deleted
                documents.erase(found);
            ++report.deleted;
        } else {
            documents[key] = {std::string(payload.bytes.data() + item.docAt, item.docSize), item.version, true};
            ++report.written;
        }
    }

    FakeStore& m_store;
    TablePlanPtr m_plan;
    Lease m_lease;
    bool m_aside;
    FakeStore::When m_when = FakeStore::When::BeforeApply;
};

class FakeDocumentReader final : public DocumentReader {
public:
    FakeDocumentReader(FakeStore& store, std::vector<ReadBack> documents) : m_store(store), m_documents(std::move(documents)) {}
    Result<ReadState> read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return stopped();
        std::lock_guard lock(m_store.m_mutex);
        if (auto& fault = m_store.m_readFault; fault && fault->times > 0) {
            if (m_next >= fault->nth) {
                --fault->times;
                return fault->error;
            }
            maxDocuments = std::min<std::size_t>(maxDocuments, fault->nth - m_next);
        }
        for (std::size_t n = 0; n < maxDocuments && m_next < m_documents.size(); ++n)
            into.push_back(m_documents[m_next++]);
        return m_next == m_documents.size() ? ReadState::End : ReadState::More;
    }
private:
    FakeStore& m_store;
    std::vector<ReadBack> m_documents;
    std::size_t m_next = 0;
};

Result<> FakeTarget::opening()
{
    std::lock_guard lock(m_store.m_mutex);
    if (auto& fault = m_store.m_openFault; fault && fault->times > 0) {
        --fault->times;
        return fault->error;
    }
    return {};
}

Result<ServerInfo> FakeTarget::server()
{
    if (auto open = opening(); !open)
        return open.error();
    return ServerInfo{"fake", "1"};
}

TestReport FakeTarget::test(const std::function<void(const TestStage&)>& stageDone, std::stop_token)
{
    TestReport report;
    report.server = {"fake", "1"};
    report.stages.push_back({"server", "Server", TestStage::Outcome::Passed, "in memory", "", 0});
    stageDone(report.stages.back());
    return report;
}

std::string FakeTarget::containerName(std::string_view prefix, std::string_view name) const
{
    std::string out = std::string(prefix) + std::string(name);
    if (!out.empty() && out[0] == '_')
        out.insert(0, "x");
    return out;
}

std::string FakeTarget::foldedName(std::string_view container) const
{
    std::string out(container);
    for (char& c : out)
        if (c >= 'A' && c <= 'Z') c = static_cast<char>(c + 32);
    return out;
}

unsigned FakeTarget::lanes() const { std::lock_guard lock(m_store.m_mutex); return m_store.m_lanes; }

Result<Lease> FakeTarget::acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token stop)
{
    if (auto open = opening(); !open)
        return open.error();
    std::unique_lock lock(m_store.m_mutex);
    auto& held = m_store.m_leases[std::string(sync)];
    if (held.live && held.owner != owner) {
        if (m_clock.nowMs() - held.beatMs < leaseMs)
            return Error{Fault::Fenced, "target.fake.leased", "sync " + std::string(sync) + " is written by " + held.owner, "", {}};
        lock.unlock();
        if (!m_clock.wait(std::chrono::seconds(1), stop))
            return stopped();
        lock.lock();
    }
    held = {std::string(owner), std::max(held.epoch, atLeast) + 1, m_clock.nowMs(), true};
    return Lease{std::string(sync), std::string(owner), held.epoch};
}

Result<> FakeTarget::heartbeat(const Lease& lease)
{
    std::lock_guard lock(m_store.m_mutex);
    if (!m_store.holds(lease))
        return fenced(lease);
    m_store.m_leases[lease.sync].beatMs = m_clock.nowMs();
    return {};
}

Result<> FakeTarget::release(const Lease& lease)
{
    std::lock_guard lock(m_store.m_mutex);
    if (m_store.holds(lease))
        m_store.m_leases[lease.sync].live = false;
    return {};
}

Result<Prepared> FakeTarget::prepare(const TablePlan& plan, const Lease& lease)
{
    if (auto open = opening(); !open)
        return open.error();
    std::lock_guard lock(m_store.m_mutex);
    if (!m_store.holds(lease))
        return fenced(lease);
    const auto [at, made] = m_store.m_containers.try_emplace(plan.container);
    auto& container = at->second;
    container.aside.reset();
    if (made)
        container.sync = plan.sync;
    if (container.sync != plan.sync) {
        if (plan.ifExists == IfExists::Stop)
            return Error{Fault::Config, "target.fake.not_ours", plan.container + " is there and not ours", "set if_exists", {}};
        if (plan.ifExists == IfExists::Rebuild)
            return Prepared{false, 0, true};
        container.sync = plan.sync;
        for (auto& [key, document] : container.documents)
            document.ours = false;
    }
    Prepared prepared;
    for (const auto& [key, document] : container.documents)
        prepared.documents += document.ours;
    prepared.fresh = container.own && container.documents.empty();
    return prepared;
}

std::unique_ptr<Encoder> FakeTarget::encoder(TablePlanPtr plan) const { return std::make_unique<FakeEncoder>(std::move(plan)); }

Result<std::unique_ptr<TargetSession>> FakeTarget::session(TablePlanPtr plan, const Lease& lease, bool)
{
    if (auto open = opening(); !open)
        return open.error();
    std::lock_guard lock(m_store.m_mutex);
    const bool aside = m_store.m_containers[plan->container].aside.has_value();
    return std::unique_ptr<TargetSession>(std::make_unique<FakeTargetSession>(m_store, std::move(plan), lease, aside));
}

Result<std::uint64_t> FakeTarget::countVersions(const TablePlan& plan, std::uint64_t low, std::uint64_t high)
{
    std::lock_guard lock(m_store.m_mutex);
    std::uint64_t count = 0;
    for (const auto& [key, document] : m_store.m_containers[plan.container].documents)
        count += document.ours && document.version >= low && document.version < high;
    return count;
}

Result<std::uint64_t> FakeTarget::deleteVersions(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop)
{
    if (stop.stop_requested())
        return stopped();
    std::lock_guard lock(m_store.m_mutex);
    if (!m_store.holds(lease))
        return fenced(lease);
    return std::erase_if(m_store.m_containers[plan.container].documents, [&](const auto& entry) {
        return entry.second.ours && entry.second.version >= low && entry.second.version < high;
    });
}

Result<std::uint64_t> FakeTarget::countOwn(const TablePlan& plan) { return countVersions(plan, 0, UINT64_MAX); }

Result<> FakeTarget::beginAside(const TablePlan& plan, const Lease& lease)
{
    std::lock_guard lock(m_store.m_mutex);
    if (!m_store.holds(lease))
        return fenced(lease);
    m_store.m_containers[plan.container].aside.emplace();
    return {};
}

Result<> FakeTarget::promoteAside(const TablePlan& plan, const Lease& lease)
{
    std::lock_guard lock(m_store.m_mutex);
    if (!m_store.holds(lease))
        return fenced(lease);
    auto& container = m_store.m_containers[plan.container];
    if (!container.aside)
        return Error{Fault::Internal, "target.fake.no_aside", "nothing was built aside for " + plan.container, "", {}};
    container = {plan.sync, true, std::move(*container.aside), std::nullopt};
    return {};
}

Result<std::unique_ptr<DocumentReader>> FakeTarget::readBack(TablePlanPtr plan, const std::vector<std::string>& keys)
{
    std::lock_guard lock(m_store.m_mutex);
    const std::set<std::string> wanted(keys.begin(), keys.end());
    std::vector<ReadBack> out;
    if (const auto found = m_store.m_containers.find(plan->container); found != m_store.m_containers.end())
        for (const auto& [key, document] : found->second.documents)
            if (keys.empty() || wanted.contains(key))
                out.push_back({key, document.form, found->second.own || document.ours});
    return std::unique_ptr<DocumentReader>(std::make_unique<FakeDocumentReader>(m_store, std::move(out)));
}

void FakeTarget::expected(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form) const
{
    key = plan.keyless() ? std::string() : keyText(*plan.schema, row);
    form.clear();
    appendForm(form, *plan.schema, row);
}

Result<> FakeTarget::drop(const TablePlan& plan, const Lease& lease)
{
    std::lock_guard lock(m_store.m_mutex);
    if (!m_store.holds(lease))
        return fenced(lease);
    const auto found = m_store.m_containers.find(plan.container);
    if (found == m_store.m_containers.end())
        return {};
    if (!found->second.own || found->second.sync != plan.sync)
        return Error{Fault::Config, "target.fake.not_ours", plan.container + " is not ours", "", {}};
    m_store.m_containers.erase(found);
    return {};
}

} // namespace millrace::test
