#include "core/verify/verifier.h"
#include "core/verify/recheck.h"
#include "core/verify/sides.h"
#include <algorithm>
#include <atomic>
#include <thread>

namespace millrace {

using namespace verify;

namespace {

struct SourceSide { SpillSorter rows; std::uint64_t unreadable = 0; std::optional<Error> error; };   //!< unreadable: not even their keys
struct TargetSide { SpillSorter rows; std::uint64_t foreign = 0; std::optional<Error> error; };

//! Of a keyless table rows are compared as a multiset of forms: the form is its own key.
Record recordOf(bool keyless, std::string_view key, std::string_view form)
{
    const Digest ofForm = digest(form);
    return {keyless ? ofForm : digest(key), ofForm};
}

Result<> readSource(BatchReader& reader, const Target& target, const TablePlan& plan, SourceSide& side, const std::function<void()>& counted, std::stop_token stop)
{
    return eachSourceRow(reader, target, plan, [&](const SourceRow& row) -> Result<> {
        counted();
        if (!row.rejected)
            return side.rows.add(recordOf(plan.keyless(), row.key, row.form));
        if (!row.keyKnown) {
            ++side.unreadable;
            return {};
        }
        // Counts as a row, and its form equals no document's: it comes out missing, or different where an older document stands.
        return side.rows.add({digest(row.key), digest(row.form)});
    }, stop);
}

Result<> readTarget(DocumentReader& reader, const TablePlan& plan, TargetSide& side, const std::function<void()>& counted, std::stop_token stop)
{
    return eachDocument(reader, [&](const ReadBack& document) -> Result<> {
        counted();
        if (!document.ours) {
            ++side.foreign;
            return {};
        }
        return side.rows.add(recordOf(plan.keyless(), document.key, document.form));
    }, stop);
}

//! Runs `body` with what it throws turned into an error; a failure stops the other side.
template <class Body> void guarded(std::optional<Error>& error, std::stop_source& halt, const Body& body)
{
    try {
        if (auto done = body(); !done)
            error = done.error();
    } catch (const std::exception& bug) {
        error = Error{Fault::Internal, "verify.exception", bug.what(), "", {}};
    }
    if (error)
        halt.request_stop();
}

//! Both sides to their End, or the error that came first.
Result<> readBoth(Source& source, Target& target, const TablePlanPtr& plan, const Verifier::Options& options, SourceSide& s, TargetSide& t, std::stop_token stop)
{
    auto rows = source.proof(plan, {});
    if (!rows)
        return rows.error();
    auto documents = target.readBack(plan, {});
    if (!documents)
        return documents.error();

    std::stop_source halt;
    const std::stop_callback relay(stop, [&] { halt.request_stop(); });
    std::atomic<std::uint64_t> read = 0;
    {
        const std::jthread other([&] {
            guarded(t.error, halt, [&]() -> Result<> {
                if (auto done = readTarget(**documents, *plan, t, [&] { read.fetch_add(1, std::memory_order_relaxed); }, halt.get_token()); !done)
                    return done;
                return t.rows.finish();
            });
        });
        guarded(s.error, halt, [&]() -> Result<> {
            const auto counted = [&] {
                if (const auto n = read.fetch_add(1, std::memory_order_relaxed) + 1; n % 1000 == 0 && options.progress)
                    options.progress(n);
            };
            if (auto done = readSource(**rows, target, *plan, s, counted, halt.get_token()); !done)
                return done;
            return s.rows.finish();
        });
    }
    // one side's failure cancels the other: the cause is the error that is not a cancellation
    for (const auto* error : {&s.error, &t.error})
        if (*error && (*error)->fault != Fault::Cancelled)
            return **error;
    if (stop.stop_requested())
        return Error{Fault::Cancelled, "verify.cancelled", "verification was stopped", "", {}};
    for (const auto* error : {&s.error, &t.error})
        if (*error)
            return **error;
    if (options.progress)
        options.progress(read);
    return {};
}

class TableVerifier final : public Verifier {
public:
    explicit TableVerifier(const Clock& clock) : m_clock(clock) {}
    Result<TableVerdict> verify(Source& source, Target& target, TablePlanPtr plan, const Options& options, std::stop_token stop) override;
private:
    const Clock& m_clock;
};

Result<TableVerdict> TableVerifier::verify(Source& source, Target& target, TablePlanPtr plan, const Options& options, std::stop_token stop)
{
    TableVerdict verdict;                                  // Unknown until both sides are proven (Invariant 9)
    verdict.table = plan->label;
    verdict.fromMs = m_clock.nowMs();
    const auto unknown = [&](Error error) {
        verdict.toMs = m_clock.nowMs();
        verdict.verdict = Verdict::Unknown;
        verdict.error = std::move(error).in("table " + plan->label);
        return verdict;
    };
    if (sodium_init() < 0)
        return unknown({Fault::Internal, "verify.sodium", "libsodium cannot start", "", {}});
    try {
        const std::size_t each = options.memoryBytes / 4;  // two sorters; the rest is for batches and the list of differences
        SourceSide s{{options.spillDir, each}, 0, {}};
        TargetSide t{{options.spillDir, each}, 0, {}};
        auto read = readBoth(source, target, plan, options, s, t, stop);
        verdict.sourceRows = s.rows.size() + s.unreadable;
        verdict.targetRows = t.rows.size();
        verdict.foreign = t.foreign;
        if (!read)
            return unknown(read.error());

        const std::size_t listAtMost = std::max<std::size_t>(1000, options.memoryBytes / 8 / sizeof(Difference));
        auto found = findDifferences(s.rows, t.rows, listAtMost);
        if (!found)
            return unknown(found.error());
        verdict.missing = found->counts.missing + s.unreadable;
        verdict.extra = found->counts.extra;
        verdict.different = found->counts.different;
        if (!found->counts.none())
            if (auto looked = Recheck({source, target, plan, m_clock, options}).run(*found, verdict, stop); !looked)
                return unknown(looked.error());
    } catch (const std::exception& bug) {
        return unknown({Fault::Internal, "verify.exception", bug.what(), "", {}});
    }
    verdict.toMs = m_clock.nowMs();
    if (verdict.missing + verdict.extra + verdict.different != 0)
        verdict.verdict = Verdict::Different;
    else if (verdict.sourceRows == verdict.targetRows)
        verdict.verdict = Verdict::Identical;
    else
        return unknown({Fault::Internal, "verify.counts", std::to_string(verdict.sourceRows) + " rows and " + std::to_string(verdict.targetRows)
            + " documents, yet no difference was found", "", {}});
    return verdict;
}

} // namespace

std::unique_ptr<Verifier> makeVerifier(const Clock& clock) { return std::make_unique<TableVerifier>(clock); }

} // namespace millrace
