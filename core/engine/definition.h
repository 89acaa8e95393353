#pragma once
#include "core/base/node.h"
#include "core/base/result.h"
#include <map>
#include <optional>
#include <string>
#include <vector>

namespace millrace {

//! Where a secret is. The secret itself is never part of a definition (Invariant 10).
struct SecretRef {
    enum class Kind : std::uint8_t { None, Stored, Env, File, Keychain };
    Kind kind = Kind::None;
    std::string name;              //!< variable, path or keychain entry; Stored: empty (the vault's key is made from the connection)
    bool operator==(const SecretRef&) const = default;
};

//! A connection as the operator wrote it. The URL carries no secret.
struct ConnectionDef {
    std::string name;
    std::string url;
    std::map<std::string, SecretRef> secrets;      //!< "password", "api_key", "token"
    std::string environment = "local";             //!< prod | stage | dev | local
    std::string ssh;                               //!< user@host, or empty
    std::string baseDir;                           //!< relative paths in the URL start here
    bool operator==(const ConnectionDef&) const = default;
};

enum class Strategy : std::uint8_t { Auto, Full, Timestamp, ChangeLog, Log, Topic, Push };
enum class IfExists : std::uint8_t { Stop, Write, Rebuild };
enum class NewTables : std::uint8_t { Include, Ask, Ignore };
enum class ValuePolicy : std::uint8_t { Null, Text, Fail };
std::string_view strategyName(Strategy);           //!< "full", "timestamp", ...
std::string_view ifExistsName(IfExists);
std::string_view newTablesName(NewTables);
std::string_view policyName(ValuePolicy);

struct DeletedRows { std::string table, key, at; bool operator==(const DeletedRows&) const = default; };

//! One entry under `tables:`: a name or glob with what it sets. Unset members leave what an earlier entry or the default said.
struct TableRule {
    std::string name;                              //!< "film", "sakila.film", "rental_*", "*"
    std::optional<Strategy> strategy;
    std::optional<std::vector<std::string>> key;
    std::optional<std::string> cursor, softDelete, where, to, id, every, format;
    std::optional<std::int64_t> overlapMs, ttlMs;
    std::optional<DeletedRows> deletedRows;
    std::vector<std::string> excludeColumns;
    std::map<std::string, std::string> rename;     //!< source column -> field
    std::map<std::string, ValuePolicy> policy;     //!< source column -> what happens to a value that cannot be carried
    std::vector<std::vector<std::string>> indexes;
    Node later;                                    //!< keys of the contract that this version keeps but does not act on (mask, cast, nest, ...)
    bool operator==(const TableRule&) const;
};

struct SyncSettings {
    std::int64_t batchMin = 100, batchMax = 10000, rateLimit = 0, pool = 4;
    bool operator==(const SyncSettings&) const = default;
};

//! A sync as the operator wrote it: the same in the sync file, the store and the window.
struct SyncDef {
    std::string name, source, target;
    std::string every, cron, zone = "UTC";         //!< "5m"; a cron line; both empty: by hand
    bool continuous = false;
    std::string prefix;
    IfExists ifExists = IfExists::Stop;
    NewTables newTables = NewTables::Ask;
    double deleteBrakePercent = 5;
    std::int64_t maxFailed = 1000;
    SyncSettings settings;
    std::vector<std::string> exclude;
    std::vector<TableRule> tables;                 //!< in the file's order; empty means "*"
    std::vector<std::string> tags;
    bool operator==(const SyncDef&) const = default;
};

struct SyncFile {
    std::vector<ConnectionDef> connections;
    std::vector<SyncDef> syncs;
};

//! "250ms" "2s" "5m" "1h" "1d" (a bare number is seconds) -> milliseconds.
Result<std::int64_t> parseDuration(std::string_view text);
std::string formatDuration(std::int64_t ms);       //!< the shortest exact form of the same grammar

//! The keys of the contract that stand in this definition and that this version does not act on: "cron", "payment: columns.mask".
//! Acting commands refuse such a sync with "config.not_available_yet" rather than leave a key out in silence.
std::vector<std::string> unsupportedKeys(const SyncDef& def);

//! Reads the tree of a sync file. Errors name the line and, for an unknown key or word, the nearest known one. Typed secrets are
//! handed out through `typedSecrets` ("connection/password" -> value) and do not stay in the definitions.
Result<SyncFile> syncFileFromNode(const Node& root, const std::string& baseDir, std::map<std::string, std::string>* typedSecrets = nullptr);
Node nodeFromSyncFile(const SyncFile& file);       //!< the same form, without secrets; default values left out

Result<ConnectionDef> connectionFromNode(const std::string& name, const Node& node, const std::string& baseDir, std::map<std::string, std::string>* typedSecrets = nullptr);
Node nodeFromConnection(const ConnectionDef& def);
Result<SyncDef> syncFromNode(const std::string& name, const Node& node);
Node nodeFromSync(const SyncDef& def);

} // namespace millrace
