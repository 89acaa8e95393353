// JSON text into BSON: whatever comes, the bytes are valid BSON or nothing was written; and what the encoder stored reads back as what
// proof expects, by two pieces of code that share nothing.
#include "core/data/value.h"
#include "core/target/mongodb/encoder.h"
#include "core/target/mongodb/normalform.h"
#include <cstdlib>

using namespace millrace;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size)
{
    static const auto plan = [] {
        auto schema = std::make_shared<Schema>();
        Column id, json;
        id.name = "id";
        id.type = Type::Int;
        id.key = true;
        json.name = "j";
        json.type = Type::Json;
        schema->columns = {id, json};
        schema->key = {0};
        auto made = std::make_shared<TablePlan>();
        made->sync = "fuzz";
        made->schema = schema;
        return made;
    }();
    static mongodb::MongoEncoder encoder(plan);
    Batch batch(plan->schema);
    const auto cells = batch.append(Op::Upsert);
    cells[0] = Cell::integer(1);
    std::string minified;
    const std::string_view text(reinterpret_cast<const char*>(data), size);
    const bool isJson = minifyJson(text, minified);
    cells[1] = batch.text(isJson ? std::string_view(minified) : text, Type::Json);
    Payload payload;
    const std::uint32_t row = 0;
    if (!encoder.encode(batch, {&row, 1}, payload))
        std::abort();
    if (payload.items.size() + payload.rejected.size() != 1 || (payload.items.empty() && !payload.bytes.empty()) || (!isJson && !payload.items.empty()))
        std::abort();
    if (payload.items.empty())
        return 0;
    bson_t document;
    const auto& item = payload.items[0];
    if (!bson_init_static(&document, reinterpret_cast<const std::uint8_t*>(payload.bytes.data()) + item.docAt, item.docSize)
        || !bson_validate(&document, static_cast<bson_validate_flags_t>(BSON_VALIDATE_UTF8 | BSON_VALIDATE_UTF8_ALLOW_NULL), nullptr))
        std::abort();
    std::string key, form, wantedKey, wantedForm;
    bool ours = false;
    mongodb::storedForm(*plan, document, key, form, ours);
    mongodb::expectedForm(*plan, batch.row(0), wantedKey, wantedForm);
    if (!ours || key != wantedKey || form != wantedForm)
        std::abort();
    return 0;
}
