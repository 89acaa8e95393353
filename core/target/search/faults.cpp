#include "core/target/search/client.h"

namespace millrace::search {

namespace {

constexpr std::size_t longestWords = 600;

struct Known { std::string_view type, part; Fault fault; const char* id; const char* fix; };

//! By the server's type of error, and where that is not enough a part of its words. The first that fits.
constexpr Known knownTypes[] = {
    {"cluster_block_exception", "read_only_allow_delete", Fault::Storage, "disk_full", "A disk of the cluster is almost full. Free space; the block goes by itself once the disk is below the high watermark."},
    {"cluster_block_exception", "read-only / allow delete", Fault::Storage, "disk_full", "A disk of the cluster is almost full. Free space; the block goes by itself once the disk is below the high watermark."},
    {"cluster_block_exception", "disk usage exceeded", Fault::Storage, "disk_full", "A disk of the cluster is almost full. Free space; the block goes by itself once the disk is below the high watermark."},
    {"cluster_block_exception", "create-index blocked", Fault::Storage, "disk_full", "A disk of the cluster is almost full. Free space, then try again."},
    {"cluster_block_exception", "no master", Fault::Network, "no_master", "The cluster has no elected master. Look at its nodes."},
    {"cluster_block_exception", "state not recovered", Fault::Network, "no_master", "The cluster is starting."},
    {"cluster_block_exception", "", Fault::Config, "blocked", "The index is blocked for writing. Set index.blocks.write and index.blocks.read_only to false."},
    {"security_exception", "unable to authenticate", Fault::Auth, "login", "Check user and password, API key or token."},
    {"security_exception", "missing authentication", Fault::Auth, "login", "Give user and password, an API key or a token."},
    {"security_exception", "", Fault::Auth, "privilege",
     "Give the user these privileges: cluster monitor; on the indices of this sync, millrace-registry and millrace-sync-metadata: create_index, manage, read, write."},
    {"index_not_found_exception", "", Fault::Schema, "index_gone", "The index was taken away while it was written. Run the table again in full."},
    {"strict_dynamic_mapping_exception", "", Fault::Data, "mapping_conflict", "The index has no such field. Run the table again, so that its mapping is completed, or rename the field."},
    {"mapper_parsing_exception", "", Fault::Data, "mapping_conflict", "The value does not fit the field's type in the index. Cast or exclude the column, or rebuild the index with the present columns."},
    {"document_parsing_exception", "", Fault::Data, "mapping_conflict", "The value does not fit the field's type in the index. Cast or exclude the column, or rebuild the index with the present columns."},
    {"illegal_argument_exception", "Limit of total fields", Fault::Config, "field_limit",
     "Exclude columns, or let an index template raise index.mapping.total_fields.limit for this index."},
    {"illegal_argument_exception", "cannot be changed from type", Fault::Config, "mapping_conflict", "The index has this field with another type. Rebuild the index, or rename the column."},
    {"illegal_argument_exception", "maximum normal shards open", Fault::Storage, "shard_limit", "Remove indices that nobody needs, or raise cluster.max_shards_per_node."},
    {"validation_exception", "maximum normal shards open", Fault::Storage, "shard_limit", "Remove indices that nobody needs, or raise cluster.max_shards_per_node."},
    {"illegal_argument_exception", "immense term", Fault::Data, "too_large", "The value is too long for its field. Exclude the column, or rebuild with another type."},
};

std::string cut(std::string_view words)
{
    if (words.size() <= longestWords)
        return std::string(words);
    std::size_t end = longestWords;
    while (end > 0 && (static_cast<unsigned char>(words[end]) & 0xC0) == 0x80)        // not inside a character
        --end;
    return std::string(words.substr(0, end)) + " ...";
}

} // namespace

bool throttled(long status, std::string_view type)
{
    if (type == "cluster_block_exception")
        return false;                                     // 429 too, but waiting a moment does not free a disk
    return status == 429 || status == 502 || status == 503 || status == 504;
}

void wordsOf(const Node& error, std::string& type, std::string& words)
{
    if (!error.isMap()) {
        words = error.string();
        return;
    }
    type = error["type"].string();
    words = error["reason"].string();
    const Node* cause = &error["caused_by"];
    for (int depth = 0; cause->isMap() && depth < 10; ++depth, cause = &(*cause)["caused_by"])
        if (const std::string reason = (*cause)["reason"].string(); !reason.empty() && words.find(reason) == std::string::npos)
            words += "; " + reason;
}

Error faultOf(const Cluster& cluster, long status, std::string_view type, std::string_view words, std::string_view doing)
{
    const std::string detail = std::string(doing) + ": " + (type.empty() ? std::string() : std::string(type) + ": ") + cut(words) + " (HTTP " + std::to_string(status) + ")";
    for (const Known& known : knownTypes)
        if (known.type == type && words.find(known.part) != std::string_view::npos)
            return cluster.error(known.fault, known.id, detail, known.fix);
    if (throttled(status, type))
        return cluster.error(status == 429 ? Fault::Throttled : Fault::Network, status == 429 ? "throttled" : "unavailable", detail,
                             status == 429 ? "The cluster has more to do than it can. It goes on by itself, slower; lower batch_max if it stays so." : "");
    switch (status) {
    case 401: return cluster.error(Fault::Auth, "login", detail, "Check user and password, API key or token.");
    case 403: return cluster.error(Fault::Auth, "privilege", detail, "Give the user the right to do this.");
    case 408: return cluster.error(Fault::Timeout, "timeout", detail, {});
    case 409: return cluster.error(Fault::Throttled, "conflict", detail, {});
    case 413: return cluster.error(Fault::Data, "too_large", detail, "Raise http.max_content_length, or exclude the large column.");
    case 400: case 404: case 405: case 406: return cluster.error(Fault::Config, "refused", detail, {});
    default: return cluster.error(status >= 500 ? Fault::Network : Fault::Config, status >= 500 ? "server_error" : "refused", detail, {});
    }
}

Error faultOf(const Cluster& cluster, const Answer& answer, std::string_view doing)
{
    std::string type, words;
    if (auto node = Node::fromJson(answer.body); node && node->isMap())
        wordsOf((*node)["error"], type, words);
    if (words.empty())
        words = cut(answer.body);                          // a proxy's page, or the security plugin's plain text
    Error error = faultOf(cluster, answer.status, type, words, doing);
    error.retryAfter = answer.retryAfter;
    return error;
}

} // namespace millrace::search
