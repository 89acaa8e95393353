#pragma once
#include "core/base/clock.h"
#include "core/engine/verifier.h"
#include "core/verify/differences.h"
#include <map>
#include <optional>

namespace millrace::verify {

//! Second look at what differed by hash: finds the keys in another pass over both sides, then fetches these rows and documents
//! and compares them exactly, so that rows in flight and their neighbours are not taken for differences.
class Recheck {
public:
    struct Parts { Source& source; Target& target; TablePlanPtr plan; const Clock& clock; const Verifier::Options& options; };
    explicit Recheck(Parts parts) : m_parts(parts), m_keys(parts.plan->schema) {}
    //! Corrects the counts in `verdict` and adds samples.
    Result<> run(const Differences& found, TableVerdict& verdict, std::stop_token stop);

private:
    struct Candidate {
        const Difference* difference = nullptr;
        std::string key;
        std::optional<std::vector<Cell>> cells;
        bool fixed = false;                        //!< a NULL in its key: no lookup would find it, so what the hashes said stands
    };
    using Forms = std::map<std::string, std::uint64_t>;            //!< form, how often
    struct Rows { Forms source, target; };
    static constexpr std::size_t sampleLimit = 100;

    Result<> findKeys(const Differences& found, std::stop_token stop);
    Result<> findForms(const Differences& found, TableVerdict& verdict, std::stop_token stop);      // keyless
    Result<> compare(std::vector<Candidate*> open, TableVerdict& verdict, std::stop_token stop);
    Result<> scan(std::span<Candidate* const> doubtful, TableVerdict& verdict, std::stop_token stop);
    Result<> fetch(std::span<Candidate* const> chunk, std::map<std::string, Rows>& rows, std::stop_token stop);
    void settle(const Candidate& candidate, const Rows& rows, TableVerdict& verdict);
    bool full() const { return m_keys.bytes() + m_textBytes > m_parts.options.memoryBytes / 4; }

    Parts m_parts;
    Batch m_keys;                                  //!< arena of the candidates' key cells
    std::map<Digest, Candidate> m_candidates;
    std::vector<Candidate*> m_doubtful;            //!< their lookups found fewer than the scan had
    std::size_t m_textBytes = 0;
};

} // namespace millrace::verify
