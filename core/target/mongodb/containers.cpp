#include "core/target/mongodb/containers.h"
#include "core/base/crashpoint.h"
#include "core/base/text.h"

namespace millrace::mongodb {

namespace {

constexpr std::uint64_t exactCountUpTo = 100'000;
constexpr std::size_t deleteBatch = 1000;

//! Documents with our mark; with `unmarked` also those that carry nobody's.
Bson ownFilter(const TablePlan& plan, bool unmarked)
{
    Bson out;
    if (!unmarked) {
        out.text("_mr.s", plan.sync);
        return out;
    }
    Bson nobody, any;
    nobody.null("0").text("1", plan.sync);
    any.array("$in", nobody);
    out.document("_mr.s", any);
    return out;
}

Bson versionFilter(const TablePlan& plan, std::uint64_t low, std::uint64_t high, bool unmarked)
{
    Bson range, marked;
    range.int64("$gte", static_cast<std::int64_t>(low)).int64("$lt", static_cast<std::int64_t>(std::min<std::uint64_t>(high, INT64_MAX)));
    marked.text("_mr.s", plan.sync).document("_mr.v", range);
    if (!unmarked || low > 0)
        return marked;
    Bson nobody, unversioned, either, out;                     // older than any version of ours
    nobody.null("_mr.s");
    unversioned.text("_mr.s", plan.sync).null("_mr.v");
    either.document("0", marked).document("1", nobody).document("2", unversioned);
    out.array("$or", either);
    return out;
}

} // namespace

Result<Containers::Found> Containers::find(std::string_view collection)
{
    Bson filter, command;
    filter.text("name", collection);
    command.int32("listCollections", 1).document("filter", filter);
    auto reply = m_client.read(command, "looking for the collection " + std::string(collection));
    if (!reply)
        return reply.error();
    Found out;
    out.exists = reply->has("cursor.firstBatch.0");
    out.type = reply->textAt("cursor.firstBatch.0.type");
    bson_iter_t iter, uuid;
    std::uint32_t size = 0;
    const std::uint8_t* bytes = nullptr;
    if (bson_iter_init(&iter, reply->get()) && bson_iter_find_descendant(&iter, "cursor.firstBatch.0.info.uuid", &uuid) && BSON_ITER_HOLDS_BINARY(&uuid)) {
        bson_iter_binary(&uuid, nullptr, &size, &bytes);
        out.uuid = hex({reinterpret_cast<const char*>(bytes), size});
    }
    return out;
}

Result<bool> Containers::hasDocuments(std::string_view collection)
{
    Bson all, only;
    only.int32("_id", 1);
    auto found = m_client.findOne(collection, all.get(), &only, "looking into " + std::string(collection));
    if (!found)
        return found.error();
    return found->has("_id");
}

Error Containers::notOurs(const TablePlan& plan, std::string_view owner) const
{
    const std::string whose = owner.empty() ? " holds documents that Millrace did not write" : " belongs to the sync " + std::string(owner);
    return {Fault::Config, "target.mongodb.not_ours", "table " + plan.label + ": the collection " + m_client.deployment().database + "." + plan.container + whose + ".",
            "Choose another name (to:), or if_exists: write to write by key beside its documents, or if_exists: rebuild to replace the collection.", {}};
}

// A promoted side container keeps its uuid through the rename: when the process died between the swap and the entry, it is ours all the same.
Result<bool> Containers::ours(const TablePlan& plan, const Found& found)
{
    auto owner = m_registry.ownerOf(plan.container);
    if (!owner)
        return owner.error();
    if (*owner == plan.sync)
        return true;
    if (!found.exists || !owner->empty() || found.uuid.empty())
        return false;
    auto promoted = m_registry.asideUuid(plan.container, plan.sync);
    if (!promoted)
        return promoted.error();
    if (*promoted != found.uuid)
        return false;
    if (auto claimed = m_registry.claim(plan.container, plan.sync); !claimed)
        return claimed.error();
    return true;
}

// A container that the sync made is its own, and a full sync leaves exactly the source's rows in it: also what somebody put there by hand
// is replaced or deleted. Beside foreign documents (`write`), and of other syncs, nothing is touched.
Result<bool> Containers::ownsUnmarked(const TablePlan& plan)
{
    if (plan.ifExists == IfExists::Write)
        return false;
    auto owner = m_registry.ownerOf(plan.container);
    if (!owner)
        return owner.error();
    return *owner == plan.sync;
}

Result<Prepared> Containers::prepare(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held.error();
    auto found = find(plan.container);
    if (!found)
        return found.error();
    if (found->exists && !found->type.empty() && found->type != "collection")
        return Error{Fault::Config, "target.mongodb.not_ours", "table " + plan.label + ": " + plan.container + " is a " + found->type + " in MongoDB, not a collection.",
                     "Choose another name (to:).", {}};
    auto own = ours(plan, *found);
    if (!own)
        return own.error();
    Prepared out;
    if (!*own) {
        auto owner = m_registry.ownerOf(plan.container);
        if (!owner)
            return owner.error();
        auto filled = found->exists ? hasDocuments(plan.container) : Result<bool>(false);
        if (!filled)
            return filled.error();
        const bool foreign = !owner->empty() || *filled;
        if (foreign && plan.ifExists == IfExists::Stop)
            return notOurs(plan, *owner);
        if (foreign && plan.ifExists == IfExists::Rebuild) {
            out.replaces = true;
            return out;
        }
        // The claim comes first: dying in between leaves an entry without a collection, which the next run fills in.
        if (!foreign) {
            if (auto claimed = m_registry.claim(plan.container, plan.sync); !claimed)
                return claimed.error();
            crashPoint("mongodb.after_claim");
        }
        *own = !foreign;
    }
    if (!found->exists)
        if (auto made = create(plan.container); !made)
            return made.error();
    if (auto made = index(plan, plan.container); !made)
        return made.error();
    auto filled = hasDocuments(plan.container);
    if (!filled)
        return filled.error();
    out.fresh = *own && !*filled;
    if (!*filled)
        return out;
    // In a large collection of our own the server's own count is good enough for the brake, and costs no scan.
    if (*own) {
        auto about = estimate(plan.container);
        if (!about)
            return about.error();
        out.documents = *about;
        if (*about > exactCountUpTo)
            return out;
    }
    auto counted = countOwn(plan);
    if (!counted)
        return counted.error();
    out.documents = *counted;
    return out;
}

Result<std::string> Containers::writable(const TablePlan& plan, const Lease& lease)
{
    auto aside = m_registry.asideActive(plan.container, lease);
    if (!aside)
        return aside.error();
    if (*aside)
        return asideName(plan.container);
    if (plan.ifExists == IfExists::Write)
        return plan.container;
    auto owner = m_registry.ownerOf(plan.container);
    if (!owner)
        return owner.error();
    if (*owner != plan.sync)
        return notOurs(plan, *owner);
    return plan.container;
}

Result<> Containers::create(std::string_view collection)
{
    Bson command;
    command.text("create", collection);
    auto made = m_client.write(command, "making the collection " + std::string(collection));
    if (made || made.error().detail.find("already exists") != std::string::npos)      // by another run of ours, a moment ago
        return {};
    return made.error();
}

Result<> Containers::index(const TablePlan& plan, std::string_view collection)
{
    const auto& schema = *plan.schema;
    if (plan.objectId && !plan.keyless()) {
        std::vector<std::string> fields;
        for (const auto i : schema.key)
            fields.push_back(schema.columns[i].name);
        if (auto made = makeIndex(collection, fields, keyIndex, true, plan.label); !made)
            return made;
    }
    for (const auto& fields : plan.indexes)
        if (auto made = makeIndex(collection, fields, join(fields, "_1_") + "_1", false, plan.label); !made)
            return made;
    return {};
}

Result<> Containers::makeIndex(std::string_view collection, const std::vector<std::string>& fields, std::string_view name, bool unique, std::string_view label)
{
    Bson keys, one, all, command;
    for (const auto& field : fields) {
        if (field.empty() || field.find('.') != std::string::npos)
            return Error{Fault::Config, "target.mongodb.index", "table " + std::string(label) + ": the field '" + field + "' cannot be in an index, because a dot means a path to MongoDB.",
                         "Rename the column.", {}};
        keys.int32(field, 1);
    }
    one.document("key", keys).text("name", name);
    if (unique)
        one.flag("unique", true);
    all.document("0", one);
    command.text("createIndexes", collection).array("indexes", all);
    auto made = m_client.write(command, "table " + std::string(label) + ": making the index " + std::string(name));
    if (made)
        return {};
    const std::string& words = made.error().detail;
    // 85: the same index under another name serves as well, unless the name is how we know our key.
    if (!unique && (words.find("already exists with a different name") != std::string::npos || words.find("(code 85)") != std::string::npos))
        return {};
    if (words.find("E11000") != std::string::npos)
        return Error{Fault::Config, "target.mongodb.key_not_unique", words, "Remove the documents that share a key, or use id: key.", {}};
    return made.error();
}

Result<std::uint64_t> Containers::estimate(std::string_view collection)
{
    bson_error_t error{};
    const Collection from = m_client.collection(collection);
    const std::int64_t n = mongoc_collection_estimated_document_count(from.get(), nullptr, nullptr, nullptr, &error);
    if (n < 0)
        return faultOf(error, nullptr, m_client.deployment(), "counting " + std::string(collection));
    return static_cast<std::uint64_t>(n);
}

Result<std::uint64_t> Containers::countOwn(const TablePlan& plan)
{
    return count(plan, 0, UINT64_MAX);
}

// A scan, about a million documents a second and once a load: every update would have to maintain an index on the version.
Result<std::uint64_t> Containers::count(const TablePlan& plan, std::uint64_t low, std::uint64_t high)
{
    auto unmarked = ownsUnmarked(plan);
    if (!unmarked)
        return unmarked.error();
    bson_error_t error{};
    const Collection from = m_client.collection(plan.container);
    const Bson filter = low == 0 && high == UINT64_MAX ? ownFilter(plan, *unmarked) : versionFilter(plan, low, high, *unmarked);
    const std::int64_t n = mongoc_collection_count_documents(from.get(), filter.get(), nullptr, nullptr, nullptr, &error);
    if (n < 0)
        return faultOf(error, nullptr, m_client.deployment(), "table " + plan.label + ": counting " + plan.container);
    return static_cast<std::uint64_t>(n);
}

// One pass: a cursor finds, deletes follow behind it in bounded batches that name the version again, so that nothing rewritten meanwhile goes.
Result<std::uint64_t> Containers::remove(const TablePlan& plan, const Lease& lease, std::uint64_t low, std::uint64_t high, std::stop_token stop)
{
    const std::string doing = "table " + plan.label + ": deleting from " + plan.container;
    if (auto held = m_registry.check(lease); !held)
        return held.error();
    auto unmarked = ownsUnmarked(plan);
    if (!unmarked)
        return unmarked.error();
    const Collection from = m_client.collection(plan.container);
    Bson options, only;
    only.int32("_id", 1);
    options.document("projection", only).int32("batchSize", deleteBatch);
    const Bson range = versionFilter(plan, low, high, *unmarked);
    const Cursor cursor(mongoc_collection_find_with_opts(from.get(), range.get(), options.get(), nullptr));
    std::uint64_t removed = 0;
    for (bool more = true; more;) {
        if (stop.stop_requested())
            return cancelled(doing);
        Bson ids;
        std::size_t n = 0;
        const bson_t* document = nullptr;
        bson_iter_t id;
        while (n < deleteBatch && ids.get()->len < (8u << 20) && (more = mongoc_cursor_next(cursor.get(), &document)))
            if (bson_iter_init_find(&id, document, "_id"))
                ids.value(std::to_string(n++), &id);
        bson_error_t error{};
        if (!more && mongoc_cursor_error(cursor.get(), &error))
            return faultOf(error, nullptr, m_client.deployment(), doing);
        if (n == 0)
            break;
        if (auto held = m_registry.check(lease); !held)
            return held.error();
        Bson in, filter = versionFilter(plan, low, high, *unmarked), item, items, command;
        in.array("$in", ids);
        filter.document("_id", in);
        item.document("q", filter).int32("limit", 0);
        items.document("0", item);
        command.text("delete", plan.container).array("deletes", items);
        auto done = m_client.write(command, doing);
        if (!done)
            return done.error();
        removed += static_cast<std::uint64_t>(done->numberAt("n"));
    }
    return removed;
}

Result<> Containers::dropCollection(std::string_view collection)
{
    Bson command;
    command.text("drop", collection);
    auto done = m_client.write(command, "dropping " + std::string(collection));
    if (!done && done.error().id != "target.mongodb.collection_gone")
        return done.error();
    return {};
}

Result<> Containers::beginAside(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held;
    const std::string aside = asideName(plan.container);
    if (auto done = m_registry.endAside(plan.container); !done) return done;
    if (auto done = dropCollection(aside); !done) return done;
    if (auto done = create(aside); !done) return done;
    if (auto done = index(plan, aside); !done) return done;
    crashPoint("mongodb.aside_made");
    auto found = find(aside);
    if (!found)
        return found.error();
    return m_registry.noteAside(plan.container, lease, found->uuid);
}

Result<> Containers::promoteAside(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held;
    const std::string aside = asideName(plan.container), database = m_client.deployment().database + ".";
    auto active = m_registry.asideActive(plan.container, lease);
    auto side = find(aside);
    auto live = find(plan.container);
    if (!active) return active.error();
    if (!side) return side.error();
    if (!live) return live.error();
    auto uuid = m_registry.asideUuid(plan.container, plan.sync);
    if (!uuid)
        return uuid.error();
    const bool swapped = !side->exists && live->exists && !uuid->empty() && live->uuid == *uuid;      // the answer was lost, the swap was not
    if (!*active || (!side->exists && !swapped))
        return Error{Fault::Internal, "target.mongodb.no_aside", "table " + plan.label + ": no side collection was built in this run.", "Run the table again in full.", {}};
    if (!swapped) {
        crashPoint("mongodb.before_swap");
        Bson command;
        command.text("renameCollection", database + aside).text("to", database + plan.container).flag("dropTarget", true);
        if (auto done = m_client.write(command, "table " + plan.label + ": swapping " + aside + " in", "admin"); !done)
            return done.error();
    }
    crashPoint("mongodb.after_swap");
    if (auto claimed = m_registry.claim(plan.container, plan.sync); !claimed)
        return claimed;
    return m_registry.endAside(plan.container);
}

Result<> Containers::drop(const TablePlan& plan, const Lease& lease)
{
    if (auto held = m_registry.check(lease); !held)
        return held;
    auto found = find(plan.container);
    if (!found)
        return found.error();
    auto own = ours(plan, *found);
    if (!own)
        return own.error();
    if (!*own && !found->exists)
        return {};
    if (!*own) {
        auto owner = m_registry.ownerOf(plan.container);
        return owner ? notOurs(plan, *owner) : owner.error();
    }
    if (auto done = dropCollection(asideName(plan.container)); !done) return done;
    if (auto done = dropCollection(plan.container); !done) return done;
    Bson filter, item, items, command;
    filter.text("_id", plan.sync + ":" + plan.container);
    item.document("q", filter).int32("limit", 1);
    items.document("0", item);
    command.text("delete", summaryCollection).array("deletes", items);
    if (auto done = m_client.write(command, "removing the summary of " + plan.container); !done)
        return done.error();
    return m_registry.forget(plan.container);
}

} // namespace millrace::mongodb
