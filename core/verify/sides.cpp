#include "core/verify/sides.h"
#include <algorithm>

namespace millrace::verify {

Result<> eachSourceRow(BatchReader& reader, const Target& target, const TablePlan& plan, const std::function<Result<>(const SourceRow&)>& row, std::stop_token stop)
{
    constexpr std::size_t rowsAtOnce = 1000;
    std::string key, form;
    std::vector<bool> rejected;
    for (;;) {
        Batch batch(plan.schema);
        auto state = reader.read(batch, rowsAtOnce, stop);
        if (!state)
            return state.error();
        rejected.assign(batch.rows(), false);
        for (const RowFailure& failure : batch.rejected())
            rejected[failure.row] = true;
        for (std::size_t i = 0; i < batch.rows(); ++i) {
            if (batch.op(i) != Op::Upsert && !rejected[i])
                continue;                                  // filtered
            const auto cells = std::as_const(batch).row(i);
            SourceRow out{{}, {}, cells, rejected[i], true};
            target.expected(plan, cells, key, form);
            if (rejected[i]) {
                form = "the source cannot decode this row";
                out.keyKnown = !plan.keyless()
                    && std::none_of(plan.schema->key.begin(), plan.schema->key.end(), [&](std::uint32_t k) { return cells[k].type == Type::Null; });
            }
            out.key = key;
            out.form = form;
            if (auto done = row(out); !done)
                return done;
        }
        if (*state == ReadState::End)
            return {};
        if (*state == ReadState::Idle)
            return Error{Fault::Internal, "verify.idle", "the proof reader of " + plan.label + " stopped before its end", "", {}};
    }
}

Result<> eachDocument(DocumentReader& reader, const std::function<Result<>(const ReadBack&)>& document, std::stop_token stop)
{
    std::vector<ReadBack> documents;
    for (;;) {
        documents.clear();
        auto state = reader.read(documents, 1000, stop);
        if (!state)
            return state.error();
        for (const ReadBack& one : documents)
            if (auto done = document(one); !done)
                return done;
        if (*state == ReadState::End)
            return {};
        if (*state == ReadState::Idle)
            return Error{Fault::Internal, "verify.idle", "reading back stopped before its end", "", {}};
    }
}

} // namespace millrace::verify
