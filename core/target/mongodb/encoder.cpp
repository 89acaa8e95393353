#include "core/target/mongodb/encoder.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include "core/target/mongodb/numbers.h"
#include <algorithm>

namespace millrace::mongodb {

namespace {
using namespace std::string_view_literals;

constexpr std::string_view idName = "_id\0"sv, markName = "_mr\0"sv, versionName = "v\0"sv, syncName = "s\0"sv, orName = "$or\0"sv,
    versionPath = "_mr.v\0"sv, syncPath = "_mr.s\0"sv, lessOrEqual = "$lte\0"sv, notEqual = "$ne\0"sv, equal = "$eq\0"sv, first = "0\0"sv, second = "1\0"sv;

// Cut towards the past, so that what is cut is the fraction's last digits on both sides of 1970.
std::int64_t millis(std::int64_t micros) { return micros >= 0 ? micros / 1000 : -((-micros + 999) / 1000); }

void versionGuard(BsonWriter& out, std::uint64_t version)
{
    out.head(BSON_TYPE_DOCUMENT, versionPath);
    const auto condition = out.open();
    out.head(BSON_TYPE_INT64, lessOrEqual);
    out.number(static_cast<std::int64_t>(version));
    out.close(condition);
}

Error tooLarge(const TablePlan& plan, std::size_t bytes)
{
    return {Fault::Data, "target.mongodb.too_large", "table " + plan.label + ": the document has " + grouped(bytes)
            + " bytes, and MongoDB stores at most " + grouped(mostDocumentBytes) + ".", "Exclude or shorten a large column, then retry the row.", {}};
}
} // namespace

MongoEncoder::MongoEncoder(TablePlanPtr plan) : m_plan(std::move(plan))
{
    for (const Column& column : m_plan->schema->columns) {
        Field field;
        field.name = column.name;
        field.name += '\0';
        field.narrow = (column.type == Type::Int && column.bits <= 32) || (column.type == Type::Uint && column.bits <= 31);
        field.wideDecimal = column.precision > 34;
        field.key = std::find(m_plan->schema->key.begin(), m_plan->schema->key.end(), m_fields.size()) != m_plan->schema->key.end();
        // Two instants of one millisecond must stay two keys, so a key with microseconds is text.
        field.exactTime = field.key && column.scale > 3;
        m_fields.push_back(std::move(field));
    }
}

Result<> MongoEncoder::encode(const Batch& batch, std::span<const std::uint32_t> rows, Payload& out)
{
    BsonWriter writer(out.bytes);
    for (const std::uint32_t i : rows) {
        const Op op = batch.op(i);
        if (op == Op::Skip)
            continue;
        Payload::Item item;
        item.row = i;
        item.op = op;
        item.version = batch.version + i;
        const std::size_t from = writer.at();
        std::string why;
        bool fits = true;
        std::size_t documentSize = 0, filterSize = 0;
        if (op == Op::Upsert) {
            fits = document(writer, batch.row(i), item.version, why);
            documentSize = writer.at() - from;
        }
        const std::size_t filterAt = writer.at();
        if (fits && documentSize <= mostDocumentBytes) {
            fits = filter(writer, batch.row(i), op, item.version, why);
            filterSize = writer.at() - filterAt;
        }
        if (!fits || documentSize > mostDocumentBytes || documentSize + filterSize + 128 > mostDocumentBytes + messageAllowance) {
            writer.rewind(from);
            if (m_unchanged)
                return Error{Fault::Internal, "target.mongodb.unchanged", "table " + m_plan->label + ": a row came without all of its values.", "Report this; the row must be read again in full.", {}};
            out.rejected.push_back({i, fits ? tooLarge(*m_plan, documentSize)
                : Error{Fault::Data, "target.mongodb.cannot_carry", "table " + m_plan->label + ": " + why + ".", "Change the value in the source, or exclude the column.", {}}});
            continue;
        }
        if (writer.at() > UINT32_MAX)
            return Error{Fault::Internal, "target.mongodb.payload", "table " + m_plan->label + ": a payload of more than 4 GiB.", "Lower batch_max.", {}};
        item.docAt = static_cast<std::uint32_t>(from);
        item.docSize = static_cast<std::uint32_t>(documentSize);
        item.keyAt = static_cast<std::uint32_t>(filterAt);
        item.keySize = static_cast<std::uint32_t>(filterSize);
        out.items.push_back(item);
    }
    return {};
}

bool MongoEncoder::document(BsonWriter& out, std::span<const Cell> row, std::uint64_t version, std::string& why)
{
    const auto whole = out.open();
    if (!m_plan->objectId && !id(out, row, version, why))
        return false;
    for (std::size_t i = 0; i < row.size(); ++i)
        if (!element(out, m_fields[i].name, m_fields[i], row[i], why))
            return false;
    out.head(BSON_TYPE_DOCUMENT, markName);
    const auto mark = out.open();
    out.head(BSON_TYPE_INT64, versionName);
    out.number(static_cast<std::int64_t>(version));
    out.head(BSON_TYPE_UTF8, syncName);
    out.textBody(m_plan->sync);
    out.close(mark);
    out.close(whole);
    return true;
}

bool MongoEncoder::id(BsonWriter& out, std::span<const Cell> row, std::uint64_t version, std::string& why)
{
    const auto& key = m_plan->schema->key;
    if (key.empty()) {
        out.head(BSON_TYPE_INT64, idName);
        out.number(ordinalOf(version));
        return true;
    }
    if (key.size() == 1)
        return element(out, idName, m_fields[key[0]], row[key[0]], why);
    out.head(BSON_TYPE_DOCUMENT, idName);
    const auto parts = out.open();
    for (const auto i : key)
        if (!element(out, m_fields[i].name, m_fields[i], row[i], why))
            return false;
    out.close(parts);
    return true;
}

// Invariant 5: a document with a higher version is not found, so the upsert meets its key and the server refuses it with E11000.
bool MongoEncoder::filter(BsonWriter& out, std::span<const Cell> row, Op op, std::uint64_t version, std::string& why)
{
    const auto& key = m_plan->schema->key;
    const auto whole = out.open();
    if (!m_plan->objectId || key.empty()) {
        if (key.size() == 1 ? !filterElement(out, idName, m_fields[key[0]], row[key[0]], why) : !id(out, row, version, why))
            return false;
    } else
        for (const auto i : key)
            if (!filterElement(out, m_fields[i].name, m_fields[i], row[i], why))
                return false;
    if (m_plan->ifExists != IfExists::Write) {
        versionGuard(out, version);
    } else if (op == Op::Delete) {                       // only documents with our mark are ever deleted
        out.head(BSON_TYPE_UTF8, syncPath);
        out.textBody(m_plan->sync);
        versionGuard(out, version);
    } else {                                             // a document of the same key that is not ours yet is adopted
        out.head(BSON_TYPE_ARRAY, orName);
        const auto either = out.open();
        out.head(BSON_TYPE_DOCUMENT, first);
        const auto foreign = out.open();
        out.head(BSON_TYPE_DOCUMENT, syncPath);
        const auto condition = out.open();
        out.head(BSON_TYPE_UTF8, notEqual);
        out.textBody(m_plan->sync);
        out.close(condition);
        out.close(foreign);
        out.head(BSON_TYPE_DOCUMENT, second);
        const auto ours = out.open();
        versionGuard(out, version);
        out.close(ours);
        out.close(either);
    }
    out.close(whole);
    return true;
}

// A JSON key may be a document whose first field is named like an operator; $eq takes it as a value.
bool MongoEncoder::filterElement(BsonWriter& out, std::string_view name, const Field& field, const Cell& cell, std::string& why)
{
    if (cell.type != Type::Json && cell.type != Type::Array)
        return element(out, name, field, cell, why);
    out.head(BSON_TYPE_DOCUMENT, name);
    const auto condition = out.open();
    if (!element(out, equal, field, cell, why))
        return false;
    out.close(condition);
    return true;
}

bool MongoEncoder::element(BsonWriter& out, std::string_view name, const Field& field, const Cell& cell, std::string& why)
{
    switch (cell.type) {
    case Type::Null: out.head(BSON_TYPE_NULL, name); return true;
    case Type::Unchanged: m_unchanged = true; return false;
    case Type::Bool: out.head(BSON_TYPE_BOOL, name); out.byte(cell.i != 0); return true;
    case Type::Int:
        if (field.narrow && cell.i >= INT32_MIN && cell.i <= INT32_MAX) {
            out.head(BSON_TYPE_INT32, name);
            out.number(static_cast<std::int32_t>(cell.i));
        } else {
            out.head(BSON_TYPE_INT64, name);
            out.number(cell.i);
        }
        return true;
    case Type::Uint:
        if (field.narrow && cell.u <= INT32_MAX) {
            out.head(BSON_TYPE_INT32, name);
            out.number(static_cast<std::int32_t>(cell.u));
        } else if (cell.u <= INT64_MAX) {
            out.head(BSON_TYPE_INT64, name);
            out.number(static_cast<std::int64_t>(cell.u));
        } else {
            out.head(BSON_TYPE_DECIMAL128, name);
            out.decimalBody(toDecimal128(cell.u));
        }
        return true;
    case Type::Real: out.head(BSON_TYPE_DOUBLE, name); out.number(cell.d); return true;
    case Type::Decimal:
        if (bson_decimal128_t value; !field.wideDecimal && toDecimal128(cell.text(), value)) {
            out.head(BSON_TYPE_DECIMAL128, name);
            out.decimalBody(value);
            return true;
        }
        [[fallthrough]];
    case Type::Text: case Type::Uuid: out.head(BSON_TYPE_UTF8, name); out.textBody(cell.text()); return true;
    case Type::Bytes: out.head(BSON_TYPE_BINARY, name); out.binaryBody(cell.text()); return true;
    case Type::Date: out.head(BSON_TYPE_DATE_TIME, name); out.number(cell.i * 86'400'000); return true;
    case Type::DateTime: case Type::Timestamp:
        if (!field.exactTime && !(field.key && cell.i % 1000 != 0)) {
            out.head(BSON_TYPE_DATE_TIME, name);
            out.number(millis(cell.i));
            return true;
        }
        [[fallthrough]];
    case Type::Time:
        m_text.clear();
        appendText(m_text, cell);
        out.head(BSON_TYPE_UTF8, name);
        out.textBody(m_text);
        return true;
    case Type::Json: case Type::Array:
        if (std::string reason = m_json.append(out, name, cell.text()); !reason.empty()) {
            why = "column " + field.name.substr(0, field.name.size() - 1) + ": " + reason;
            return false;
        }
        return true;
    }
    return false;
}

} // namespace millrace::mongodb
