#pragma once
#include "core/engine/plan.h"
#include "core/engine/source.h"
#include <map>
#include <optional>
#include <set>
#include <string>

namespace millrace {

//! Rows named by their key texts, as the source has them now; a key that is gone there becomes a delete. What a lookup by key does not
//! find is looked for in all rows before it counts as gone: a collation, a type or bytes that are no text may not meet themselves.
class KeyedRows final : public BatchReader {
public:
    KeyedRows(Source& source, TablePlanPtr plan, const std::set<std::string>& keys);
    Result<ReadState> read(Batch& into, std::size_t maxRows, std::stop_token stop) override;
    //! After the end: keys that were found nowhere and of which only a digest is known, so that their documents cannot be named.
    std::uint64_t unknown() const { return m_unknown; }

private:
    enum class Phase : std::uint8_t { Lookup, Scan, Done };
    Result<ReadState> lookUp(Batch& into, std::size_t maxRows, std::stop_token stop);
    Result<ReadState> scan(Batch& into, std::size_t maxRows, std::stop_token stop);
    void deleteGone(Batch& into);

    Source& m_source;
    TablePlanPtr m_plan;
    Batch m_arena;                                 //!< of the keys' cells
    std::map<std::string, std::optional<std::vector<Cell>>, std::less<>> m_wanted;   //!< not seen yet
    std::unique_ptr<BatchReader> m_rows;
    Phase m_phase = Phase::Lookup;
    std::uint64_t m_unknown = 0;
};

} // namespace millrace
