#pragma once
#include "core/engine/target.h"
#include <hiredis/hiredis.h>
#include <string>
#include <vector>

namespace millrace::redis {

//! `format: hash`: one field per column that is not NULL, each value as text: what the JSON form says, without quotes around it.
//! The document's slice in the payload is its count of words (four bytes, host order) and the words as RESP strings.
class HashEncoder final : public Encoder {
public:
    explicit HashEncoder(TablePlanPtr plan);
    Result<> encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out) override;
private:
    TablePlanPtr m_plan;
    std::vector<std::string> m_names;              //!< as RESP strings
    std::string m_document, m_value, m_key;        //!< the row at hand
};

//! The normal form of a row as a hash must hold it, made from the cells and not by way of the encoder; NULLs are left out.
void appendExpectedHashForm(std::string& out, const Schema& schema, std::span<const Cell> row);
//! The same form of a hash that was read (HGETALL): fields in schema order, because the server keeps none, then what is not ours by name.
void appendHashForm(std::string& out, const Schema& schema, const redisReply* fields);

} // namespace millrace::redis
