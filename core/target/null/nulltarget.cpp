#include "core/target/null/nulltarget.h"
#include "core/data/value.h"
#include <algorithm>
#include <atomic>

namespace millrace {

namespace {

class NullEncoder final : public Encoder {
public:
    explicit NullEncoder(TablePlanPtr plan) : m_plan(std::move(plan)) {}
    Result<> encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out) override
    {
        for (const std::uint32_t row : rows) {
            if (batch.op(row) == Op::Skip)
                continue;
            m_text.clear();
            if (batch.op(row) == Op::Upsert)
                if (auto encoded = document(batch.row(row)); !encoded)
                    return encoded;
            Payload::Item item;
            item.row = row;
            item.op = batch.op(row);
            item.version = batch.version + row;
            item.docAt = static_cast<std::uint32_t>(out.bytes.size());
            item.docSize = static_cast<std::uint32_t>(m_text.size());
            out.bytes.insert(out.bytes.end(), m_text.begin(), m_text.end());
            out.items.push_back(item);
        }
        return {};
    }
private:
    Result<> document(std::span<const Cell> cells)
    {
        m_text += '{';
        for (std::size_t i = 0; i < cells.size(); ++i) {
            if (cells[i].type == Type::Unchanged)
                return Error{Fault::Internal, "target.null.unchanged", "column " + m_plan->schema->columns[i].source + " came without its value", "", {}};
            if (i)
                m_text += ',';
            appendJsonString(m_text, m_plan->schema->columns[i].name);
            m_text += ':';
            appendJson(m_text, cells[i]);
        }
        m_text += '}';
        return {};
    }
    TablePlanPtr m_plan;
    std::string m_text;
};

class NullSession final : public TargetSession {
public:
    Result<WriteReport> write(const Payload& payload, std::stop_token stop) override
    {
        if (stop.stop_requested())
            return Error{Fault::Cancelled, "target.null.cancelled", "stopped", "", {}};
        WriteReport report;
        report.deleted = static_cast<std::uint64_t>(std::count_if(payload.items.begin(), payload.items.end(), [](const auto& item) { return item.op == Op::Delete; }));
        report.written = payload.items.size() - report.deleted;
        return report;
    }
};

class NullReader final : public DocumentReader {
public:
    Result<ReadState> read(std::vector<ReadBack>&, std::size_t, std::stop_token) override { return ReadState::End; }
};

class NullTarget final : public Target {
public:
    Result<ServerInfo> server() override { return ServerInfo{"null", "1"}; }
    TestReport test(const std::function<void(const TestStage&)>& stageDone, std::stop_token) override
    {
        TestReport report;
        report.server = {"null", "1"};
        report.stages.push_back({"server", "Target", TestStage::Outcome::Passed, "keeps nothing", {}, 0});
        stageDone(report.stages.back());
        return report;
    }
    std::string durability() const override { return "nothing is kept"; }
    std::string containerName(std::string_view prefix, std::string_view name) const override { return std::string(prefix) + std::string(name); }
    unsigned lanes() const override { return 2; }
    Result<Lease> acquire(std::string_view sync, std::string_view owner, std::uint64_t atLeast, std::stop_token) override
    {
        return Lease{std::string(sync), std::string(owner), atLeast + 1};
    }
    Result<> heartbeat(const Lease&) override { return {}; }
    Result<> release(const Lease&) override { return {}; }
    Result<Prepared> prepare(const TablePlan&, const Lease&) override { return Prepared{true, 0, false}; }
    std::unique_ptr<Encoder> encoder(TablePlanPtr plan) const override { return std::make_unique<NullEncoder>(std::move(plan)); }
    Result<std::unique_ptr<TargetSession>> session(TablePlanPtr, const Lease&, bool) override
    {
        return std::unique_ptr<TargetSession>(std::make_unique<NullSession>());
    }
    Result<std::uint64_t> countVersions(const TablePlan&, std::uint64_t, std::uint64_t) override { return std::uint64_t{0}; }
    Result<std::uint64_t> deleteVersions(const TablePlan&, const Lease&, std::uint64_t, std::uint64_t, std::stop_token) override { return std::uint64_t{0}; }
    Result<std::uint64_t> countOwn(const TablePlan&) override { return std::uint64_t{0}; }
    Result<> beginAside(const TablePlan&, const Lease&) override { return {}; }
    Result<> promoteAside(const TablePlan&, const Lease&) override { return {}; }
    Result<std::unique_ptr<DocumentReader>> readBack(TablePlanPtr, const std::vector<std::string>&) override
    {
        return std::unique_ptr<DocumentReader>(std::make_unique<NullReader>());
    }
    void expected(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form) const override
    {
        key = plan.keyless() ? std::string() : keyText(*plan.schema, row);
        form.clear();                                      // there is no document to have a form
    }
    Result<> drop(const TablePlan&, const Lease&) override { return {}; }
};

} // namespace

ConnectorSpec nullSpec()
{
    ConnectorSpec spec;
    spec.id = "null";
    spec.label = "Nothing (rehearsal)";
    spec.schemes = {"null"};
    spec.target = true;
    return spec;
}

Result<std::unique_ptr<Target>> openNull(const ConnectionParams&) { return std::unique_ptr<Target>(std::make_unique<NullTarget>()); }

} // namespace millrace
