#pragma once
#include "core/engine/definition.h"
#include "core/engine/discovery.h"
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace millrace {

//! What a `.env` file says, in Millrace's own words: connections `source` and `target`, and the sync `default`.
struct EnvImport {
    SyncFile file;
    std::map<std::string, std::string> typedSecrets;     //!< "source/password" -> value
    std::vector<Message> notes;                          //!< keys that are not known or not needed, defaults that were taken
};

//! Takes KEY=value lines with `export`, quotes, inline # comments and CRLF. Nothing is interpolated: a `$` is a `$`. Keys: MYSQL_* or
//! PG_* for the source, MONGODB_URL and MONGODB_DATABASE or ES_* for the target, SYNC_*, MIN/MAX_BATCH_SIZE, RATE_LIMIT, POOL_SIZE,
//! SERVICE_TYPE; a password also as …_PASSWORD_FILE. No error repeats a value: any of them may be a secret.
Result<EnvImport> importEnv(std::string_view text);

} // namespace millrace
