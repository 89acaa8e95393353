#pragma once
#include "core/target/search/containers.h"

namespace millrace::search {

//! Writes payloads of SearchEncoder by bulks. Every item gets its own outcome; a 200 with failed items inside is no success.
class SearchSession final : public TargetSession {
public:
    static Result<std::unique_ptr<TargetSession>> open(ClusterPtr cluster, std::shared_ptr<Pace> pace, const Clock& clock, TablePlanPtr plan, Lease lease);
    Result<WriteReport> write(const Payload& payload, std::stop_token stop) override;
private:
    SearchSession(ClusterPtr cluster, std::shared_ptr<Pace> pace, const Clock& clock, TablePlanPtr plan, Lease lease)
        : m_client(std::move(cluster)), m_pace(std::move(pace)), m_clock(clock), m_plan(std::move(plan)), m_lease(std::move(lease)) {}
    //! Of the deletes in a container that others write too, those whose document is not ours: they are left alone.
    Result<std::vector<bool>> foreign(const Payload& payload, std::stop_token stop);
    std::string doing() const { return "table " + m_plan->label + ": writing to " + m_place.name; }

    Client m_client;
    std::shared_ptr<Pace> m_pace;
    const Clock& m_clock;
    TablePlanPtr m_plan;
    Lease m_lease;
    Containers::Place m_place;
    std::string m_path;
    BulkBody m_body;
};

} // namespace millrace::search
