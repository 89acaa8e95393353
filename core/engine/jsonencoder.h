#pragma once
#include "core/engine/target.h"
#include <string>
#include <vector>

namespace millrace {

//! The largest document the JSON targets take (contract, "Values"): a row above it is parked.
inline constexpr std::size_t largestJsonDocument = 64u << 20;

//! A row as one JSON object, fields in schema order: what every target writes that holds documents as JSON text. The payload's bytes are
//! the key texts and documents themselves. `store` stands in the ids of its errors: "embedded" gives "target.embedded.too_large".
class JsonEncoder final : public Encoder {
public:
    JsonEncoder(TablePlanPtr plan, std::string store);
    Result<> encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out) override;
private:
    TablePlanPtr m_plan;
    const std::string m_store;
    std::vector<std::string> m_names;              //!< `{"id":`, `,"title":` ... made once, not per row
    std::string m_text;                            //!< the row at hand; keeps its capacity
};

//! Key text and head of a row's item, as all JSON targets write them; false (and the row in `rejected`) when a key column is NULL.
bool startItem(const TablePlan& plan, const std::string& store, const Batch& batch, std::uint32_t row, std::string& scratch, Payload& out, Payload::Item& item);
//! For a document above the limit: takes back what the item put into `out` and rejects its row.
void rejectTooLarge(const std::string& store, std::size_t bytes, const Payload::Item& item, Payload& out);

} // namespace millrace
