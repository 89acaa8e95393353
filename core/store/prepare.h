#pragma once
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/store/schema.h"
#include "core/store/sqlitestore.h"
#include <string>
#include <vector>

namespace millrace {

//! Makes the store's file, or checks it whole and brings it to the newest step, with a copy `<path>.v<N>.bak` before each one. A file
//! that is damaged, foreign or of a newer version is refused and not touched. Opens and closes its own connections.
Result<> prepareStore(const std::string& path, const std::vector<Migration>& steps, StoreAccess access, Log* log);

} // namespace millrace
