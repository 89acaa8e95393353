#include "core/target/search/readback.h"
#include "core/data/value.h"
#include "core/engine/jsonform.h"
#include <cmath>

namespace millrace::search {

namespace {

constexpr std::size_t keysAtOnce = 500;

//! The same rule as the encoder's, said once more, so that a slip there shows as a difference.
Cell carried(const Cell& cell)
{
    if (cell.type == Type::Real && (std::isnan(cell.d) || std::isinf(cell.d)))
        return Cell::null();
    return cell.type == Type::Decimal && cell.text() == "NaN" ? Cell::null() : cell;
}

} // namespace

void expectedForm(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form)
{
    key = plan.keyless() ? std::string() : keyText(*plan.schema, row);
    form.clear();
    std::vector<Cell> cells(row.begin(), row.end());
    for (Cell& cell : cells)
        cell = carried(cell);
    appendExpectedForm(form, *plan.schema, cells);
}

ReadBack storedForm(const TablePlan& plan, bool own, std::string_view id, std::string_view source)
{
    ReadBack out;
    out.key = id;
    out.ours = own;
    if (!appendDocumentForm(out.form, source)) {
        out.form = "not a JSON object\x1f" + std::string(source);
        return out;
    }
    // The mark is ours to take out again; separators cannot stand inside a value, so this finds a field and nothing else.
    const std::string field = std::string(markField) + "\x1f";
    std::size_t at = out.form.starts_with(field) ? 0 : out.form.find("\x1e" + field);
    if (at == std::string::npos)
        return out;
    at += out.form[at] == '\x1e';
    const std::size_t end = out.form.find('\x1e', at);
    std::string mark = "{\"s\":", value = out.form.substr(at + field.size(), end - at - field.size());
    appendJsonString(mark, plan.sync);
    out.ours = own || value == mark + "}";
    out.form.erase(at, end - at + 1);
    return out;
}

Result<std::unique_ptr<DocumentReader>> SearchReader::open(ClusterPtr cluster, const Clock& clock, TablePlanPtr plan, const std::vector<std::string>& keys)
{
    std::unique_ptr<SearchReader> reader(new SearchReader(std::move(cluster), std::move(plan), keys));
    auto found = Containers(reader->m_client, std::make_shared<Pace>(), clock).look(*reader->m_plan);
    if (!found)
        return found.error();
    reader->m_found = std::move(*found);
    reader->m_ended = !reader->m_found.exists || reader->m_found.index.empty();
    if (keys.empty())
        reader->m_scan = std::make_unique<Scan>(reader->m_client, Scan::What{reader->m_found.index, {}, true});
    return std::unique_ptr<DocumentReader>(std::move(reader));
}

Result<> SearchReader::byKeys(std::stop_token stop)
{
    const std::string doing = "table " + m_plan->label + ": reading " + m_plan->container + " back";
    Node ids = Node::list();
    const std::size_t from = m_nextKey;
    for (; m_nextKey < m_keys.size() && m_nextKey - from < keysAtOnce; ++m_nextKey)
        if (!m_keys[m_nextKey].empty())                       // no document has it, and the server refuses to look
            ids.add(m_keys[m_nextKey]);
    m_ended = m_nextKey == m_keys.size();
    if (ids.items().empty())
        return {};
    auto answer = m_client.ask("POST", pathOf(m_found.index) + "/_mget", Node::map({{"ids", ids}}).json(), Http::Body::Json, doing, std::move(stop));
    if (!answer)
        return answer.error();
    if (answer->status != 200)
        return faultOf(m_client.cluster(), *answer, doing);
    std::vector<Hit> hits;
    std::string unused;
    if (!readHits(answer->body, false, hits, unused) || hits.size() != ids.items().size())
        return m_client.cluster().error(Fault::Network, "answer", doing + ": the answer is not whole.", {});
    for (const Hit& hit : hits)
        if (hit.found)
            m_ready.push_back(storedForm(*m_plan, m_found.own, hit.id, hit.source));
    return {};
}

Result<> SearchReader::page(std::stop_token stop)
{
    if (!m_scan)
        return byKeys(std::move(stop));
    auto hits = m_scan->next("table " + m_plan->label + ": reading " + m_plan->container + " back", std::move(stop));
    if (!hits)
        return hits.error();
    m_ended = (*hits)->empty();
    for (const Hit& hit : **hits)
        m_ready.push_back(storedForm(*m_plan, m_found.own, hit.id, hit.source));
    return {};
}

Result<ReadState> SearchReader::read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop)
{
    for (std::size_t n = 0; n < maxDocuments;) {
        if (stop.stop_requested())
            return m_client.cluster().cancelled("Reading " + m_plan->container + " back");
        if (!m_ready.empty()) {
            into.push_back(std::move(m_ready.front()));
            m_ready.pop_front();
            ++n;
        } else if (m_ended)
            return ReadState::End;
        else if (auto done = page(stop); !done)
            return done.error();
    }
    return m_ready.empty() && m_ended ? ReadState::End : ReadState::More;
}

} // namespace millrace::search
