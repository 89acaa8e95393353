#pragma once
#include "core/engine/definition.h"
#include <string>

namespace millrace::cli {

std::string demoShopPath(const std::string& home);       //!< <home>/demo/shop.db
//! Connections demo-shop and demo-store and the sync demo, as every home has them.
SyncFile demoFile(const std::string& home);

} // namespace millrace::cli
