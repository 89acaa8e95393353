#pragma once
#include "core/engine/definition.h"
#include <map>
#include <string>
#include <string_view>

namespace millrace {

//! Reads and decodes a sync file; every error begins with the path and names the line. Relative paths in it start at its folder.
//! "-" reads standard input, with paths starting at the current folder.
Result<SyncFile> readSyncFile(const std::string& path, std::map<std::string, std::string>* typedSecrets);

//! The same form again, without secrets; paths relative to another folder are made absolute, so that the text can stand anywhere.
std::string writeSyncFile(SyncFile file);

//! A whole file of at most `limit` bytes; Fault::Config "config.file_…" with the system's words.
Result<std::string> readTextFile(const std::string& path, std::size_t limit = 4u << 20);

} // namespace millrace
