#include "core/verify/recheck.h"
#include "core/data/value.h"
#include "core/verify/formdiff.h"
#include "core/engine/keytext.h"
#include "core/verify/sides.h"
#include <algorithm>
#include <set>

namespace millrace::verify {

namespace {

void addSample(TableVerdict& verdict, std::size_t limit, RowDifference::Kind kind, std::string_view key, std::string_view expected, std::string_view actual)
{
    if (verdict.samples.size() >= limit)
        return;
    RowDifference sample;
    sample.kind = kind;
    sample.key = key;
    if (kind == RowDifference::Kind::Different)
        sample.fields = differingFields(expected, actual);
    sample.expected = printableForm(expected);
    sample.actual = printableForm(actual);
    verdict.samples.push_back(std::move(sample));
}

std::uint64_t total(const std::map<std::string, std::uint64_t>& forms)
{
    std::uint64_t sum = 0;
    for (const auto& [form, count] : forms)
        sum += count;
    return sum;
}

std::vector<Cell> ownedKey(Batch& arena, const Schema& schema, std::span<const Cell> row)
{
    std::vector<Cell> out;
    for (const auto i : schema.key) {
        Cell cell = row[i];
        switch (cell.type) {
        case Type::Decimal: case Type::Text: case Type::Bytes: case Type::Json: case Type::Uuid: case Type::Array: cell = arena.text(cell.text(), cell.type); break;
        default: break;
        }
        out.push_back(cell);
    }
    return out;
}

} // namespace

Result<> Recheck::run(const Differences& found, TableVerdict& verdict, std::stop_token stop)
{
    if (m_parts.options.settleMs > 0 && !m_parts.clock.wait(std::chrono::milliseconds(m_parts.options.settleMs), stop))
        return Error{Fault::Cancelled, "verify.cancelled", "stopped", "", {}};
    if (m_parts.plan->keyless())
        return findForms(found, verdict, stop);
    if (auto keys = findKeys(found, stop); !keys)
        return keys;

    // A difference whose key is on neither side any more is none: the row came and went.
    const bool allSeen = !full();
    for (const Difference& difference : found.listed)
        if (allSeen && !m_candidates.contains(difference.key)) {
            verdict.missing -= difference.counts.missing;
            verdict.extra -= difference.counts.extra;
            verdict.different -= difference.counts.different;
            verdict.sourceRows -= difference.inSource;
            verdict.targetRows -= difference.inTarget;
        }
    std::vector<Candidate*> all;
    for (auto& [digest, candidate] : m_candidates)
        if (!candidate.fixed)
            all.push_back(&candidate);
    constexpr std::size_t scanned = 2000;
    if (auto compared = compare(std::move(all), verdict, stop); !compared)
        return compared;
    for (std::size_t i = 0; i < m_doubtful.size(); i += scanned)
        if (auto done = scan(std::span(m_doubtful).subspan(i, std::min(scanned, m_doubtful.size() - i)), verdict, stop); !done)
            return done;
    return {};
}

Result<> Recheck::findKeys(const Differences& found, std::stop_token stop)
{
    auto reader = m_parts.source.proof(m_parts.plan, {});
    if (!reader)
        return reader.error();
    auto read = eachSourceRow(**reader, m_parts.target, *m_parts.plan, [&](const SourceRow& row) -> Result<> {
        const Difference* difference = row.keyKnown ? found.find(digest(row.key)) : nullptr;
        if (!difference || full())
            return {};
        Candidate& candidate = m_candidates[difference->key];
        if (candidate.difference)
            return {};
        const auto& key = m_parts.plan->schema->key;
        const bool hasNull = std::any_of(key.begin(), key.end(), [&](std::uint32_t k) { return row.cells[k].type == Type::Null; });
        candidate = {difference, std::string(row.key), ownedKey(m_keys, *m_parts.plan->schema, row.cells), hasNull};
        m_textBytes += row.key.size() + 256;               // about what the map's node takes
        return {};
    }, stop);
    if (!read)
        return read;

    auto documents = m_parts.target.readBack(m_parts.plan, {});
    if (!documents)
        return documents.error();
    return eachDocument(**documents, [&](const ReadBack& document) -> Result<> {
        const Difference* difference = document.ours ? found.find(digest(document.key)) : nullptr;
        if (!difference || full() || m_candidates.contains(difference->key))
            return {};
        auto cells = keyCells(*m_parts.plan->schema, document.key, m_keys);
        if (cells && keyTextOf(*cells) != document.key)
            cells.reset();                                 // not this key after all
        m_candidates[difference->key] = {difference, document.key, std::move(cells), false};
        m_textBytes += document.key.size() + 256;
        return {};
    }, stop);
}

// A row that was changed between the two reads looks different once more; not three times in a row, unless it is. Each look goes over
// all that are still open, so that the waits do not grow with their number.
Result<> Recheck::compare(std::vector<Candidate*> open, TableVerdict& verdict, std::stop_token stop)
{
    constexpr std::size_t chunk = 200;
    const int looks = m_parts.options.settleMs > 0 ? 3 : 1;
    for (int look = 1; look <= looks && !open.empty(); ++look) {
        if (look > 1 && !m_parts.clock.wait(std::chrono::milliseconds(m_parts.options.settleMs), stop))
            return Error{Fault::Cancelled, "verify.cancelled", "stopped", "", {}};
        std::vector<Candidate*> unequal;
        for (std::size_t i = 0; i < open.size(); i += chunk) {
            const auto some = std::span(open).subspan(i, std::min(chunk, open.size() - i));
            std::map<std::string, Rows> rows;
            if (auto fetched = fetch(some, rows, stop); !fetched)
                return fetched;
            for (Candidate* candidate : some) {
                const Rows& now = rows[candidate->key];
                if (look < looks && !compareForms(now.source, now.target).none())
                    unequal.push_back(candidate);
                else if (total(now.source) < candidate->difference->inSource || total(now.target) < candidate->difference->inTarget)
                    m_doubtful.push_back(candidate);
                else
                    settle(*candidate, now, verdict);
            }
        }
        open = std::move(unequal);
    }
    return {};
}

Result<> Recheck::fetch(std::span<Candidate* const> chunk, std::map<std::string, Rows>& rows, std::stop_token stop)
{
    std::vector<std::vector<Cell>> keys;
    std::vector<std::string> texts;
    for (const Candidate* candidate : chunk) {
        rows[candidate->key] = {};
        texts.push_back(candidate->key);
        if (candidate->cells)
            keys.push_back(*candidate->cells);
    }
    if (!keys.empty()) {                                   // no keys would mean all rows
        auto reader = m_parts.source.proof(m_parts.plan, keys);
        if (!reader)
            return reader.error();
        auto read = eachSourceRow(**reader, m_parts.target, *m_parts.plan, [&](const SourceRow& row) -> Result<> {
            if (const auto at = rows.find(std::string(row.key)); at != rows.end())
                ++at->second.source[condensedForm(row.form)];
            return {};
        }, stop);
        if (!read)
            return read;
    }
    auto documents = m_parts.target.readBack(m_parts.plan, texts);
    if (!documents)
        return documents.error();
    return eachDocument(**documents, [&](const ReadBack& document) -> Result<> {
        if (const auto at = rows.find(document.key); at != rows.end() && document.ours)
            ++at->second.target[condensedForm(document.form)];
        return {};
    }, stop);
}

//! Seen a moment ago, and now fewer by key: deleted rows, a lookup that does not find what is there, or a second document of one key under
//! an id of its own. A scan decides, so that a weak lookup can never turn a difference into "identical" (Invariant 9).
Result<> Recheck::scan(std::span<Candidate* const> doubtful, TableVerdict& verdict, std::stop_token stop)
{
    std::map<std::string, Rows, std::less<>> rows;
    for (const Candidate* candidate : doubtful)
        rows[candidate->key];
    auto reader = m_parts.source.proof(m_parts.plan, {});
    if (!reader)
        return reader.error();
    auto read = eachSourceRow(**reader, m_parts.target, *m_parts.plan, [&](const SourceRow& row) -> Result<> {
        if (!row.keyKnown)
            return {};
        if (const auto at = rows.find(row.key); at != rows.end())
            ++at->second.source[condensedForm(row.form)];
        return {};
    }, stop);
    if (!read)
        return read;
    auto documents = m_parts.target.readBack(m_parts.plan, {});
    if (!documents)
        return documents.error();
    auto found = eachDocument(**documents, [&](const ReadBack& document) -> Result<> {
        if (const auto at = rows.find(document.key); at != rows.end() && document.ours)
            ++at->second.target[condensedForm(document.form)];
        return {};
    }, stop);
    if (!found)
        return found;
    for (const Candidate* candidate : doubtful)
        settle(*candidate, rows.find(candidate->key)->second, verdict);
    return {};
}

//! What the hashes said of this key is replaced by what was seen now.
void Recheck::settle(const Candidate& candidate, const Rows& rows, TableVerdict& verdict)
{
    const Counts now = compareForms(rows.source, rows.target);
    const Difference& then = *candidate.difference;
    verdict.missing = verdict.missing - then.counts.missing + now.missing;
    verdict.extra = verdict.extra - then.counts.extra + now.extra;
    verdict.different = verdict.different - then.counts.different + now.different;
    verdict.sourceRows = verdict.sourceRows - then.inSource + total(rows.source);
    verdict.targetRows = verdict.targetRows - then.inTarget + total(rows.target);
    const std::string_view expected = rows.source.empty() ? std::string_view() : std::string_view(rows.source.begin()->first);
    const std::string_view actual = rows.target.empty() ? std::string_view() : std::string_view(rows.target.begin()->first);
    if (now.different) addSample(verdict, sampleLimit, RowDifference::Kind::Different, candidate.key, expected, actual);
    else if (now.missing) addSample(verdict, sampleLimit, RowDifference::Kind::Missing, candidate.key, expected, {});
    else if (now.extra) addSample(verdict, sampleLimit, RowDifference::Kind::Extra, candidate.key, {}, actual);
}

//! Without keys there is no row to look at again; only examples are found.
Result<> Recheck::findForms(const Differences& found, TableVerdict& verdict, std::stop_token stop)
{
    std::map<Digest, std::uint64_t> shown;
    const auto sample = [&](RowDifference::Kind kind, std::string_view form) {
        const Digest key = digest(form);
        const Difference* difference = verdict.samples.size() < sampleLimit ? found.find(key) : nullptr;
        if (!difference)
            return;
        const std::uint64_t most = kind == RowDifference::Kind::Missing ? difference->counts.missing : difference->counts.extra;
        if (shown[key] < most) {
            ++shown[key];
            addSample(verdict, sampleLimit, kind, {}, kind == RowDifference::Kind::Missing ? form : std::string_view(), kind == RowDifference::Kind::Extra ? form : std::string_view());
        }
    };
    auto reader = m_parts.source.proof(m_parts.plan, {});
    if (!reader)
        return reader.error();
    auto read = eachSourceRow(**reader, m_parts.target, *m_parts.plan, [&](const SourceRow& row) -> Result<> {
        sample(RowDifference::Kind::Missing, row.form);
        return {};
    }, stop);
    if (!read)
        return read;
    auto documents = m_parts.target.readBack(m_parts.plan, {});
    if (!documents)
        return documents.error();
    return eachDocument(**documents, [&](const ReadBack& document) -> Result<> {
        if (document.ours)
            sample(RowDifference::Kind::Extra, document.form);
        return {};
    }, stop);
}

} // namespace millrace::verify
