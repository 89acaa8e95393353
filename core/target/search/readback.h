#pragma once
#include "core/target/search/containers.h"
#include "core/target/search/scan.h"

namespace millrace::search {

//! Documents for proof, over a connection of its own: all by a scan, or by their keys. Their bytes are read by another reader than the
//! writers' scanner.
class SearchReader final : public DocumentReader {
public:
    static Result<std::unique_ptr<DocumentReader>> open(ClusterPtr cluster, const Clock& clock, TablePlanPtr plan, const std::vector<std::string>& keys);
    Result<ReadState> read(std::vector<ReadBack>& into, std::size_t maxDocuments, std::stop_token stop) override;
private:
    SearchReader(ClusterPtr cluster, TablePlanPtr plan, std::vector<std::string> keys) : m_client(std::move(cluster)), m_plan(std::move(plan)), m_keys(std::move(keys)) {}
    Result<> page(std::stop_token stop);
    Result<> byKeys(std::stop_token stop);
    Client m_client;                                          // before the scan, which ends over it
    TablePlanPtr m_plan;
    std::vector<std::string> m_keys;                          //!< empty: all
    std::size_t m_nextKey = 0;
    Containers::Found m_found;
    std::unique_ptr<Scan> m_scan;
    std::deque<ReadBack> m_ready;
    bool m_ended = false;
};

//! The normal form that a row must have here.
void expectedForm(const TablePlan& plan, std::span<const Cell> row, std::string& key, std::string& form);
//! The form of a document as it was stored. `own`: all documents of its index are the sync's; else the mark tells.
ReadBack storedForm(const TablePlan& plan, bool own, std::string_view id, std::string_view source);

} // namespace millrace::search
