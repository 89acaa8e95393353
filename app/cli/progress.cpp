#include "app/cli/progress.h"
#include "core/base/text.h"
#include <algorithm>
#include <cmath>

namespace millrace::cli {

Progress::Progress(Session& session, std::vector<std::string> syncs) : m_session(session), m_syncs(std::move(syncs)) {}
Progress::~Progress() { m_session.clearBar(); }

bool Progress::mine(const std::string& sync) const { return std::find(m_syncs.begin(), m_syncs.end(), sync) != m_syncs.end(); }

void Progress::tick(const EngineSnapshot& snapshot)
{
    if (m_session.console().terminal && !m_session.options().quiet)
        draw(snapshot);
    if (!m_session.options().jsonl)
        return;
    const std::int64_t now = m_session.console().clock.steadyUs();
    if (m_lastEventUs != 0 && now - m_lastEventUs < 1'000'000)
        return;
    m_lastEventUs = now;
    for (const auto& sync : snapshot.syncs)
        if (mine(sync.name))
            for (const auto& table : sync.tables)
                tell(table);
}

void Progress::tell(const TableView& table)
{
    const std::string now = std::string(stateName(table.state)) + " " + std::to_string(table.rows) + " " + std::to_string(table.failed);
    std::string& before = m_told[table.sync + "/" + table.table];
    const bool first = before.empty();
    if (before == now)
        return;
    before = now;
    if (first && table.state == State::Idle)               // nothing happens there yet
        return;
    m_session.event("progress", {{"sync", table.sync}, {"table", table.table}, {"state", stateName(table.state)}, {"rows", table.rows},
                                 {"rows_total", table.rowsTotal ? Node(table.rowsTotal) : Node()}, {"rows_per_second", std::round(table.writeRate)}, {"failed", table.failed}});
}

void Progress::draw(const EngineSnapshot& snapshot)
{
    std::uint64_t done = 0, total = 0;
    double rate = 0;
    std::size_t running = 0, tables = 0;
    bool totalKnown = true;
    std::string current, note;
    for (const auto& sync : snapshot.syncs) {
        if (!mine(sync.name))
            continue;
        for (const auto& table : sync.tables) {
            ++tables;
            rate += table.writeRate;
            if (table.state != State::Running && table.state != State::Live && table.state != State::Lagging)
                continue;
            ++running;
            done += table.rows;
            total += table.rowsTotal;
            totalKnown = totalKnown && table.rowsTotal > 0;
            if (current.empty()) current = table.table;
            if (!table.note.empty()) note = table.note;
        }
    }
    std::string line;
    if (running > 0 && totalKnown && total > 0) {
        const double part = std::min(1.0, static_cast<double>(done) / static_cast<double>(total));
        const auto filled = static_cast<std::size_t>(part * 24);
        line = "[" + std::string(filled, '#') + std::string(24 - filled, '.') + "] " + std::to_string(static_cast<int>(part * 100)) + " %  ";
    }
    line += join(m_syncs, ", ") + (current.empty() ? "" : " / " + current + (running > 1 ? " and " + std::to_string(running - 1) + " more" : ""));
    if (running > 0)
        line += "  " + grouped(done) + " rows, " + grouped(static_cast<std::uint64_t>(rate)) + " rows/s";
    if (!note.empty())
        line += "  " + note;
    for (char& c : line)
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7F) c = ' ';
    std::size_t cut = std::min(line.size(), static_cast<std::size_t>(std::max(20, m_session.console().width - 1)));
    while (cut < line.size() && cut > 0 && (static_cast<unsigned char>(line[cut]) & 0xC0) == 0x80) --cut;
    m_session.bar(line.substr(0, cut));
}

} // namespace millrace::cli
