#pragma once
#include "app/cli/session.h"
#include <map>
#include <string>
#include <vector>

namespace millrace::cli {

//! What is seen of runs under way: one bar on a terminal, events with --jsonl, nothing else. Sampled from snapshots, so it costs the
//! engine nothing.
class Progress {
public:
    Progress(Session& session, std::vector<std::string> syncs);
    ~Progress();
    void tick(const EngineSnapshot& snapshot);
private:
    void draw(const EngineSnapshot& snapshot);
    void tell(const TableView& table);
    bool mine(const std::string& sync) const;

    Session& m_session;
    std::vector<std::string> m_syncs;
    std::map<std::string, std::string> m_told;             //!< sync/table -> what the last event said
    std::int64_t m_lastEventUs = 0;
};

} // namespace millrace::cli
