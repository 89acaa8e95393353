#include "core/target/mongodb/session.h"
#include "core/base/text.h"
#include "core/target/mongodb/guardedreplace.h"
#include <numeric>
#include <unordered_map>

namespace millrace::mongodb {

namespace {

constexpr int duplicateKey = 11000, validationFailed = 121, triesOnRace = 5;

bool view(const Payload& payload, std::uint32_t at, std::uint32_t size, bson_t& out)
{
    return bson_init_static(&out, reinterpret_cast<const std::uint8_t*>(payload.bytes.data()) + at, size);
}

//! The elements of a filter before its version guard: what names the key.
std::string_view keyPart(const Payload& payload, const Payload::Item& item)
{
    bson_t filter;
    bson_iter_t iter;
    const char* from = payload.bytes.data() + item.keyAt + 4;
    if (view(payload, item.keyAt, item.keySize, filter) && bson_iter_init(&iter, &filter))
        while (bson_iter_next(&iter)) {
            const std::string_view name = bson_iter_key(&iter);
            if (name == "_mr.v" || name == "_mr.s" || name == "$or")
                return {from, static_cast<std::size_t>(bson_iter_offset(&iter)) - 4};
        }
    return {from, item.keySize - 5};
}

Bson keyFilter(const Payload& payload, const Payload::Item& item)
{
    const std::string_view key = keyPart(payload, item);
    const auto size = static_cast<std::int32_t>(key.size() + 5);
    std::vector<std::uint8_t> bytes(key.size() + 5);
    std::memcpy(bytes.data(), &size, 4);
    std::memcpy(bytes.data() + 4, key.data(), key.size());
    return Bson(bson_new_from_data(bytes.data(), bytes.size()));
}

std::int64_t counter(const bson_t* reply, const char* name)
{
    bson_iter_t iter;
    return bson_iter_init_find(&iter, reply, name) && BSON_ITER_HOLDS_NUMBER(&iter) ? bson_iter_as_int64(&iter) : 0;
}

struct Reply {
    bson_t bson = BSON_INITIALIZER;
    ~Reply() { bson_destroy(&bson); }
};

} // namespace

MongoSession::MongoSession(std::unique_ptr<Client> client, TablePlanPtr plan, Lease lease, std::string collection, bool insertOnly)
    : m_client(std::move(client)), m_plan(std::move(plan)), m_lease(std::move(lease)), m_name(std::move(collection)),
      m_collection(m_client->collection(m_name)), m_first(insertOnly ? First::Insert : First::Update), m_canUpdate(!m_plan->objectId || m_plan->keyless())
{
}

std::string MongoSession::doing() const { return "table " + m_plan->label + ": writing to " + m_client->deployment().database + "." + m_name; }

Result<WriteReport> MongoSession::write(const Payload& payload, std::stop_token stop)
{
    WriteReport report;
    if (payload.items.empty())
        return report;
    if (stop.stop_requested())
        return cancelled(doing());
    if (auto ours = Registry(*m_client).check(m_lease); !ours)
        return ours.error();
    Indices upserts, deletes;
    split(payload, upserts, deletes, report);
    if (!upserts.empty())
        if (auto done = m_first == First::Insert ? insert(payload, upserts, report) : upsert(payload, std::move(upserts), report, stop); !done)
            return done.error();
    if (!deletes.empty())
        if (auto done = remove(payload, deletes, report); !done)
            return done.error();
    return report;
}

// Invariant 5: upserts go before deletes, so a payload with both keeps only the last item of each key; the others are superseded by it.
void MongoSession::split(const Payload& payload, Indices& upserts, Indices& deletes, WriteReport& report) const
{
    for (std::uint32_t i = 0; i < payload.items.size(); ++i)
        (payload.items[i].op == Op::Delete ? deletes : upserts).push_back(i);
    if (upserts.empty() || deletes.empty())
        return;
    std::unordered_map<std::string_view, std::uint32_t> last;
    last.reserve(payload.items.size());
    for (std::uint32_t i = 0; i < payload.items.size(); ++i)
        last[keyPart(payload, payload.items[i])] = i;
    const auto older = [&](std::uint32_t i) { return last[keyPart(payload, payload.items[i])] != i; };
    report.superseded += std::erase_if(upserts, older) + std::erase_if(deletes, older);
}

Result<> MongoSession::insert(const Payload& payload, const Indices& items, WriteReport& report)
{
    m_views.resize(items.size());
    m_documents.resize(items.size());
    for (std::size_t i = 0; i < items.size(); ++i) {
        const auto& item = payload.items[items[i]];
        view(payload, item.docAt, item.docSize, m_views[i].bson);
        m_documents[i].document = &m_views[i].bson;
    }
    Bson options;
    options.flag("ordered", false).flag("validate", false);
    Reply reply;
    bson_destroy(&reply.bson);
    bson_error_t error{};
    const bool ok = mongoc_collection_insert_many(m_collection.get(), &m_documents[0].document, items.size(), options.get(), &reply.bson, &error);
    Indices duplicates;
    const auto inserted = static_cast<std::uint64_t>(counter(&reply.bson, "insertedCount"));
    if (auto done = settle(ok, &reply.bson, error, payload, items, inserted, false, report, duplicates); !done)
        return done;
    report.written += inserted;
    const bool mostlyNew = duplicates.size() * 2 <= items.size();
    // There already: from an earlier try of this load, an earlier row of this payload, or because it was no new row.
    m_first = First::Upsert;
    if (!duplicates.empty())
        if (auto done = upsert(payload, std::move(duplicates), report, {}); !done)
            return done;
    if (mostlyNew)
        m_first = First::Insert;
    return {};
}

Result<> MongoSession::update(const Payload& payload, Indices& items, WriteReport& report)
{
    Bson options, each;
    options.flag("ordered", false);
    each.flag("validate", false);
    const Bulk bulk(mongoc_collection_create_bulk_operation_with_opts(m_collection.get(), options.get()));
    bson_error_t error{};
    for (const auto i : items) {
        const auto& item = payload.items[i];
        bson_t document, pipeline;
        const Bson filter = keyFilter(payload, item);
        m_scratch.clear();
        if (!view(payload, item.docAt, item.docSize, document))
            return faultOf(error, nullptr, m_client->deployment(), doing());
        appendGuardedReplace(m_scratch, document, item.version, m_plan->sync, m_plan->ifExists == IfExists::Write);
        if (!bson_init_static(&pipeline, reinterpret_cast<const std::uint8_t*>(m_scratch.data()), m_scratch.size())
            || !mongoc_bulk_operation_update_one_with_opts(bulk.get(), filter.get(), &pipeline, each.get(), &error))
            return faultOf(error, nullptr, m_client->deployment(), doing());
    }
    Reply reply;
    bson_destroy(&reply.bson);
    const bool ok = mongoc_bulk_operation_execute(bulk.get(), &reply.bson, &error) != 0;
    if (auto unacknowledged = writeConcernError(&reply.bson, m_client->deployment(), doing()))
        return *unacknowledged;
    const bool itemErrors = bson_has_field(&reply.bson, "writeErrors.0");
    if (!ok && !itemErrors) {
        Error failed = faultOf(error, &reply.bson, m_client->deployment(), doing());
        if (failed.transient() || error.domain != MONGOC_ERROR_SERVER)
            return failed;
        m_canUpdate = false;                          // no pipelines here: a relative of MongoDB, or an old one
    }
    if (ok && static_cast<std::size_t>(counter(&reply.bson, "nModified")) == items.size()) {
        report.written += items.size();
        items.clear();
        return {};
    }
    auto rest = notLanded(payload, items);
    if (!rest)
        return rest.error();
    report.written += items.size() - rest->size();
    if (rest->size() * 2 > items.size())
        m_first = First::Upsert;
    items = std::move(*rest);
    return {};
}

Result<MongoSession::Indices> MongoSession::notLanded(const Payload& payload, const Indices& items)
{
    std::unordered_map<std::string_view, std::uint32_t> byKey;       // the bytes of the _id element
    byKey.reserve(items.size());
    std::vector<bool> landed(payload.items.size());
    for (const auto i : items)
        byKey[keyPart(payload, payload.items[i])] = i;
    constexpr std::size_t mostBytes = 4u << 20;
    for (std::size_t from = 0; from < items.size();) {
        Bson ids, in, filter, options, marks;
        std::size_t next = from;
        for (; next < items.size() && ids.get()->len < mostBytes; ++next) {
            const Bson key = keyFilter(payload, payload.items[items[next]]);
            bson_iter_t id;
            if (bson_iter_init_find(&id, key.get(), "_id"))
                ids.value(std::to_string(next - from), &id);
        }
        in.array("$in", ids);
        filter.document("_id", in);
        marks.int32("_mr", 1);
        options.document("projection", marks);
        const Cursor cursor(mongoc_collection_find_with_opts(m_collection.get(), filter.get(), options.get(), nullptr));
        const bson_t* found = nullptr;
        bson_iter_t id, mark, version, sync;
        while (mongoc_cursor_next(cursor.get(), &found)) {
            if (!bson_iter_init_find(&id, found, "_id"))
                continue;
            const std::uint32_t start = bson_iter_offset(&id);
            const bool last = !bson_iter_next(&id);
            const std::uint32_t end = last ? found->len - 1 : bson_iter_offset(&id);
            const auto at = byKey.find({reinterpret_cast<const char*>(bson_get_data(found)) + start, end - start});
            if (at == byKey.end() || !bson_iter_init_find(&mark, found, "_mr") || !BSON_ITER_HOLDS_DOCUMENT(&mark) || !bson_iter_recurse(&mark, &version)
                || !bson_iter_find(&version, "v") || !bson_iter_recurse(&mark, &sync) || !bson_iter_find(&sync, "s") || !BSON_ITER_HOLDS_UTF8(&sync))
                continue;
            landed[at->second] = static_cast<std::uint64_t>(bson_iter_as_int64(&version)) == payload.items[at->second].version && m_plan->sync == bson_iter_utf8(&sync, nullptr);
        }
        bson_error_t error{};
        if (mongoc_cursor_error(cursor.get(), &error))
            return faultOf(error, nullptr, m_client->deployment(), doing());
        from = next;
    }
    Indices rest;
    for (const auto i : items)
        if (!landed[i])
            rest.push_back(i);
    return rest;
}

Result<> MongoSession::upsert(const Payload& payload, Indices items, WriteReport& report, std::stop_token stop)
{
    if (m_first == First::Update && m_canUpdate)
        if (auto done = update(payload, items, report); !done)
            return done;
    for (int tries = 0; !items.empty(); ++tries) {
        if (stop.stop_requested())
            return cancelled(doing());
        if (tries == triesOnRace)
            return Error{Fault::Throttled, "target.mongodb.contended", doing() + ": somebody else keeps writing the same documents.", "Stop the other writer.", {}};
        Indices duplicates, again;
        if (auto done = upsertOnce(payload, items, report, duplicates); !done)
            return done;
        if (auto done = resolve(payload, duplicates, report, again); !done)
            return done;
        items = std::move(again);
    }
    return {};
}

Result<> MongoSession::upsertOnce(const Payload& payload, const Indices& items, WriteReport& report, Indices& duplicates)
{
    Bson options, each;
    options.flag("ordered", false);
    each.flag("upsert", true).flag("validate", false);
    const Bulk bulk(mongoc_collection_create_bulk_operation_with_opts(m_collection.get(), options.get()));
    bson_error_t error{};
    for (const auto i : items) {
        const auto& item = payload.items[i];
        bson_t filter, document;
        if (!view(payload, item.keyAt, item.keySize, filter) || !view(payload, item.docAt, item.docSize, document)
            || !mongoc_bulk_operation_replace_one_with_opts(bulk.get(), &filter, &document, each.get(), &error))
            return faultOf(error, nullptr, m_client->deployment(), doing());
    }
    Reply reply;
    bson_destroy(&reply.bson);
    const bool ok = mongoc_bulk_operation_execute(bulk.get(), &reply.bson, &error) != 0;
    const auto landed = static_cast<std::uint64_t>(counter(&reply.bson, "nMatched") + counter(&reply.bson, "nUpserted"));
    if (auto done = settle(ok, &reply.bson, error, payload, items, landed, false, report, duplicates); !done)
        return done;
    report.written += landed;
    if (static_cast<std::uint64_t>(counter(&reply.bson, "nUpserted")) * 2 > items.size())
        m_first = First::Insert;
    else if (static_cast<std::uint64_t>(counter(&reply.bson, "nMatched")) * 2 > items.size())
        m_first = First::Update;
    return {};
}

Result<> MongoSession::remove(const Payload& payload, const Indices& items, WriteReport& report)
{
    Bson options;
    options.flag("ordered", false);
    const Bulk bulk(mongoc_collection_create_bulk_operation_with_opts(m_collection.get(), options.get()));
    bson_error_t error{};
    for (const auto i : items) {
        bson_t filter;
        if (!view(payload, payload.items[i].keyAt, payload.items[i].keySize, filter)
            || !mongoc_bulk_operation_remove_one_with_opts(bulk.get(), &filter, nullptr, &error))
            return faultOf(error, nullptr, m_client->deployment(), doing());
    }
    Reply reply;
    bson_destroy(&reply.bson);
    const bool ok = mongoc_bulk_operation_execute(bulk.get(), &reply.bson, &error) != 0;
    const auto removed = static_cast<std::uint64_t>(counter(&reply.bson, "nRemoved"));
    const std::size_t rejectedBefore = report.rejected.size();
    Indices duplicates;
    if (auto done = settle(ok, &reply.bson, error, payload, items, removed, true, report, duplicates); !done)
        return done;
    const std::size_t refused = report.rejected.size() - rejectedBefore;
    const std::uint64_t rest = items.size() - refused - removed;
    std::uint64_t present = 0;
    if (rest) {                                       // gone already, or still there in a newer version
        auto counted = countPresent(payload, items);
        if (!counted)
            return counted.error();
        present = std::min(rest, *counted > refused ? *counted - refused : 0);
    }
    report.deleted += removed + rest - present;
    report.superseded += present;
    return {};
}

Result<> MongoSession::settle(bool ok, const bson_t* reply, const bson_error_t& error, const Payload& payload, const Indices& items, std::uint64_t landed,
                              bool partial, WriteReport& report, Indices& duplicates)
{
    if (auto unacknowledged = writeConcernError(reply, m_client->deployment(), doing()))
        return *unacknowledged;
    std::uint64_t refused = 0;
    std::vector<RowFailure> rejected;
    bson_iter_t iter, errors;
    if (bson_iter_init_find(&iter, reply, "writeErrors") && BSON_ITER_HOLDS_ARRAY(&iter) && bson_iter_recurse(&iter, &errors))
        while (bson_iter_next(&errors)) {
            bson_iter_t field;
            std::int64_t index = -1;
            bson_error_t item{};
            item.domain = MONGOC_ERROR_SERVER;
            std::string words;
            if (!BSON_ITER_HOLDS_DOCUMENT(&errors) || !bson_iter_recurse(&errors, &field))
                continue;
            while (bson_iter_next(&field)) {
                if (BSON_ITER_IS_KEY(&field, "index")) index = bson_iter_as_int64(&field);
                if (BSON_ITER_IS_KEY(&field, "code")) item.code = static_cast<std::uint32_t>(bson_iter_as_int64(&field));
                if (BSON_ITER_IS_KEY(&field, "errmsg") && BSON_ITER_HOLDS_UTF8(&field)) words = bson_iter_utf8(&field, nullptr);
            }
            bson_strncpy(item.message, words.c_str(), sizeof item.message);
            if (index < 0 || index >= static_cast<std::int64_t>(items.size()))
                return Error{Fault::Internal, "target.mongodb.reply", doing() + ": the server refused an item that was not sent: " + words, {}, {}};
            ++refused;
            const int code = static_cast<int>(item.code);
            if (code == duplicateKey && ourKey(errors)) {
                duplicates.push_back(items[static_cast<std::size_t>(index)]);
                continue;
            }
            // The server's trouble, not the row's: the payload as a whole is tried again, or the run ends.
            if (transientCode(code) || code == 13 || code == 14031 || code == 26)
                return faultOf(item, reply, m_client->deployment(), doing());
            const char* cause = code == duplicateKey ? "duplicate" : code == validationFailed ? "validation" : "rejected";
            rejected.push_back({payload.items[items[static_cast<std::size_t>(index)]].row,
                                {Fault::Data, std::string("target.mongodb.") + cause, redact(doing() + ": " + words + " (code " + std::to_string(code) + ")", m_client->deployment().password),
                                 code == duplicateKey ? "Another unique index of the collection has this value already: drop the index or change the row."
                                 : code == validationFailed ? "The collection has a validator that refuses the document: change it or the row." : "", {}}});
        }
    const std::uint64_t accounted = landed + refused;
    if (!ok && refused == 0)
        return faultOf(error, reply, m_client->deployment(), doing());
    if (accounted > items.size() || (accounted < items.size() && (!partial || (!ok && error.domain != MONGOC_ERROR_SERVER)))) {
        if (!ok && error.domain != MONGOC_ERROR_SERVER)
            return faultOf(error, reply, m_client->deployment(), doing());
        return Error{Fault::Internal, "target.mongodb.count", doing() + ": the server accounted for " + std::to_string(accounted) + " of " + std::to_string(items.size()) + " items.",
                     "Run again; nothing was marked as synced.", {}};
    }
    report.rejected.insert(report.rejected.end(), std::make_move_iterator(rejected.begin()), std::make_move_iterator(rejected.end()));
    return {};
}

// Catalogue 35: E11000 means "newer there" only on our own key; on any other unique index it is the row that is refused.
bool MongoSession::ourKey(const bson_iter_t& writeError) const
{
    const bool byFields = m_plan->objectId && !m_plan->keyless();
    bson_iter_t field, part;
    if (!bson_iter_recurse(&writeError, &field))
        return false;
    std::string words;
    while (bson_iter_next(&field)) {
        if (BSON_ITER_IS_KEY(&field, "errmsg") && BSON_ITER_HOLDS_UTF8(&field))
            words = bson_iter_utf8(&field, nullptr);
        if (!BSON_ITER_IS_KEY(&field, "keyPattern") || !BSON_ITER_HOLDS_DOCUMENT(&field) || !bson_iter_recurse(&field, &part))
            continue;
        std::vector<std::string> names, ours;
        while (bson_iter_next(&part))
            names.emplace_back(bson_iter_key(&part));
        if (byFields)
            for (const auto i : m_plan->schema->key) ours.push_back(m_plan->schema->columns[i].name);
        else
            ours.emplace_back("_id");
        return names == ours;
    }
    // Servers before 4.2 and relatives send no keyPattern. The message starts with names that we know, so nothing in a value can imitate it.
    const std::string index = byFields ? std::string(keyIndex) : "_id_";
    return words.starts_with("E11000 duplicate key error collection: " + m_client->deployment().database + "." + m_name + " index: " + index + " ");
}

Result<> MongoSession::resolve(const Payload& payload, const Indices& duplicates, WriteReport& report, Indices& again)
{
    Bson marks;
    marks.int32("_mr", 1);
    for (const auto i : duplicates) {
        const auto& item = payload.items[i];
        const Bson filter = keyFilter(payload, item);
        auto found = m_client->findOne(m_name, filter.get(), &marks, doing());
        if (!found)
            return found.error();
        const bool ours = found->textAt("_mr.s") == m_plan->sync && found->has("_mr.v");
        if (!found->has("_id"))
            again.push_back(i);                       // deleted since
        else if (ours && static_cast<std::uint64_t>(found->numberAt("_mr.v")) > item.version)
            ++report.superseded;
        else if (ours || m_plan->ifExists == IfExists::Write)
            again.push_back(i);                       // two writers met on a new key; the second try finds the first one's document
        else if (!found->has("_mr.s") || found->textAt("_mr.s") == m_plan->sync) {
            // Put there by hand, into a container that is our own: the row's document takes its place.
            auto settled = replaceUnmarked(payload, i, report);
            if (!settled)
                return settled.error();
            if (!*settled)
                again.push_back(i);
        } else
            report.rejected.push_back({item.row, {Fault::Data, "target.mongodb.foreign_document", doing() + ": a document of the sync " + found->textAt("_mr.s") + " has this key.",
                                                  "Let only one of the syncs write this row, or choose if_exists: write to take its document over.", {}}});
    }
    return {};
}

Result<bool> MongoSession::replaceUnmarked(const Payload& payload, std::uint32_t item, WriteReport& report)
{
    Bson filter = keyFilter(payload, payload.items[item]), nobody, unversioned, either, options, each;
    nobody.null("_mr.s");
    unversioned.text("_mr.s", m_plan->sync).null("_mr.v");
    either.document("0", nobody).document("1", unversioned);
    filter.array("$or", either);
    options.flag("ordered", false);
    each.flag("validate", false);
    const Bulk bulk(mongoc_collection_create_bulk_operation_with_opts(m_collection.get(), options.get()));
    bson_error_t error{};
    bson_t document;
    if (!view(payload, payload.items[item].docAt, payload.items[item].docSize, document)
        || !mongoc_bulk_operation_replace_one_with_opts(bulk.get(), filter.get(), &document, each.get(), &error))
        return faultOf(error, nullptr, m_client->deployment(), doing());
    Reply reply;
    bson_destroy(&reply.bson);
    const bool ok = mongoc_bulk_operation_execute(bulk.get(), &reply.bson, &error) != 0;
    const auto landed = static_cast<std::uint64_t>(counter(&reply.bson, "nMatched"));
    const std::size_t rejected = report.rejected.size();
    Indices duplicates;
    if (auto done = settle(ok, &reply.bson, error, payload, {item}, landed, true, report, duplicates); !done)
        return done.error();
    report.written += landed;
    return landed == 1 || report.rejected.size() > rejected;
}

Result<std::uint64_t> MongoSession::countPresent(const Payload& payload, const Indices& items)
{
    constexpr std::size_t mostBytes = 4u << 20;
    std::uint64_t present = 0;
    for (std::size_t from = 0; from < items.size();) {
        Bson either;
        std::size_t bytes = 0, next = from;
        for (; next < items.size() && next - from < 1000 && bytes < mostBytes; ++next) {
            const Bson filter = keyFilter(payload, payload.items[items[next]]);
            either.document(std::to_string(next - from), filter);
            bytes += filter.get()->len;
        }
        Bson filter;
        filter.array("$or", either);
        bson_error_t error{};
        const std::int64_t n = mongoc_collection_count_documents(m_collection.get(), filter.get(), nullptr, nullptr, nullptr, &error);
        if (n < 0)
            return faultOf(error, nullptr, m_client->deployment(), doing());
        present += static_cast<std::uint64_t>(n);
        from = next;
    }
    return present;
}

} // namespace millrace::mongodb
