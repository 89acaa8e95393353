#pragma once
#include "core/engine/target.h"
#include <string>
#include <vector>

namespace millrace::search {

//! A row as one JSON object, fields in schema order, as all JSON targets write it; only what the search servers cannot take is told
//! apart: NaN and infinity are null, and a document in a container that others write too carries the sync's mark.
class SearchEncoder final : public Encoder {
public:
    SearchEncoder(TablePlanPtr plan, std::string kind);
    Result<> encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out) override;
private:
    TablePlanPtr m_plan;
    const std::string m_kind;
    std::vector<std::string> m_names;              //!< `{"id":`, `,"title":` ... made once, not per row
    std::string m_end, m_text;
};

} // namespace millrace::search
