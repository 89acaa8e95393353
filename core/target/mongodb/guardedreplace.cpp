#include "core/target/mongodb/guardedreplace.h"
#include "core/target/mongodb/bsonwriter.h"

namespace millrace::mongodb {

namespace {
using namespace std::string_view_literals;
constexpr std::string_view n0 = "0\0"sv, n1 = "1\0"sv, n2 = "2\0"sv;

//! {operator: [path, ...]}: opens both and writes the path.
struct Comparison {
    BsonWriter& out;
    std::size_t document, operands;
    Comparison(BsonWriter& writer, std::string_view position, std::string_view operation, std::string_view path) : out(writer)
    {
        out.head(BSON_TYPE_DOCUMENT, position);
        document = out.open();
        out.head(BSON_TYPE_ARRAY, operation);
        operands = out.open();
        out.head(BSON_TYPE_UTF8, n0);
        out.textBody(path);
    }
    void close() { out.close(operands); out.close(document); }
};
} // namespace

void appendGuardedReplace(std::vector<char>& bytes, const bson_t& document, std::uint64_t version, std::string_view sync, bool adopt)
{
    BsonWriter out(bytes);
    const auto pipeline = out.open();
    out.head(BSON_TYPE_DOCUMENT, n0);
    const auto stage = out.open();
    out.head(BSON_TYPE_DOCUMENT, "$replaceWith\0"sv);
    const auto replacement = out.open();
    out.head(BSON_TYPE_ARRAY, "$cond\0"sv);
    const auto choice = out.open();

    out.head(BSON_TYPE_DOCUMENT, n0);
    const auto condition = out.open();
    out.head(BSON_TYPE_ARRAY, adopt ? "$or\0"sv : "$and\0"sv);
    const auto parts = out.open();
    if (adopt) {
        Comparison foreign(out, n0, "$ne\0"sv, "$_mr.s");
        out.head(BSON_TYPE_DOCUMENT, n1);
        const auto literal = out.open();
        out.head(BSON_TYPE_UTF8, "$literal\0"sv);              // a sync may be called "$x"
        out.textBody(sync);
        out.close(literal);
        foreign.close();
    } else {
        Comparison marked(out, n0, "$gt\0"sv, "$_mr.v");
        out.head(BSON_TYPE_NULL, n1);
        marked.close();
    }
    Comparison older(out, n1, "$lte\0"sv, "$_mr.v");
    out.head(BSON_TYPE_INT64, n1);
    out.number(static_cast<std::int64_t>(version));
    older.close();
    out.close(parts);
    out.close(condition);

    out.head(BSON_TYPE_DOCUMENT, n1);
    const auto literal = out.open();
    out.head(BSON_TYPE_DOCUMENT, "$literal\0"sv);
    out.raw(bson_get_data(&document), document.len);
    out.close(literal);
    out.head(BSON_TYPE_UTF8, n2);
    out.textBody("$$ROOT");

    out.close(choice);
    out.close(replacement);
    out.close(stage);
    out.close(pipeline);
}

} // namespace millrace::mongodb
