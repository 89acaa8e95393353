#pragma once
#include "core/engine/target.h"
#include <string>
#include <vector>

namespace millrace::embedded {

inline constexpr std::size_t largestDocument = 64u << 20;

//! A row as one JSON object, fields in schema order. The payload's bytes are the key texts and documents themselves.
class EmbeddedEncoder final : public Encoder {
public:
    explicit EmbeddedEncoder(TablePlanPtr plan);
    Result<> encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out) override;
private:
    TablePlanPtr m_plan;
    std::vector<std::string> m_names;              //!< `{"id":`, `,"title":` ... made once, not per row
    std::string m_text;                            //!< the row at hand; keeps its capacity
};

} // namespace millrace::embedded
