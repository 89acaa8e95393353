#pragma once
#include "core/engine/target.h"
#include "core/target/mongodb/jsonbson.h"

namespace millrace::mongodb {

//! The largest document MongoDB stores, in bytes (hello.maxBsonObjectSize of every server since 1.8).
inline constexpr std::size_t mostDocumentBytes = 16u * 1024 * 1024;
//! What a message item may add around its document (BSON_OBJECT_ALLOWANCE of server and driver).
inline constexpr std::size_t messageAllowance = 16u * 1024;

//! Ordinal of a row without a key: its place in the order of reading, within its run.
inline std::int64_t ordinalOf(std::uint64_t version) { return static_cast<std::int64_t>(version & ((std::uint64_t{1} << 40) - 1)); }

//! Rows -> BSON. An item's document is what is stored; its key is the filter that finds it: the key, then the version guard
//! (engine.md, "Version and lease"). Types by the contract's table, decided per column.
class MongoEncoder final : public Encoder {
public:
    explicit MongoEncoder(TablePlanPtr plan);
    Result<> encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out) override;

private:
    struct Field { std::string name; bool key = false, narrow = false, wideDecimal = false, exactTime = false; };   // name with its NUL
    bool document(BsonWriter& out, std::span<const Cell> row, std::uint64_t version, std::string& why);
    bool filter(BsonWriter& out, std::span<const Cell> row, Op op, std::uint64_t version, std::string& why);
    bool id(BsonWriter& out, std::span<const Cell> row, std::uint64_t version, std::string& why);
    bool element(BsonWriter& out, std::string_view name, const Field& field, const Cell& cell, std::string& why);
    bool filterElement(BsonWriter& out, std::string_view name, const Field& field, const Cell& cell, std::string& why);

    TablePlanPtr m_plan;
    std::vector<Field> m_fields;
    JsonBson m_json;
    std::string m_text;
    bool m_unchanged = false;
};

} // namespace millrace::mongodb
