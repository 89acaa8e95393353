#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::search {

inline constexpr std::string_view registryIndex = "millrace-registry", summaryIndex = "millrace-sync-metadata", asidePrefix = "mr-aside-", markField = "_mr";

//! An alias's name: lower case, what the server forbids replaced by '_', short enough to become an index's name with a stamp.
std::string aliasName(std::string_view prefix, std::string_view name);
//! Why a column cannot be a field here, or empty.
std::string fieldRefused(std::string_view name);
//! `<container>-<YYYYMMDDthhmmss><two letters>`: the index that a container's alias points to. Lower case, as the server wants it.
std::string stampedIndex(std::string_view container, std::int64_t nowMs, unsigned random);
inline std::string asideAlias(std::string_view container) { return std::string(asidePrefix) + std::string(container); }

} // namespace millrace::search
