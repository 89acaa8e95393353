#pragma once
#include "core/engine/discovery.h"
#include "core/source/sqlite/config.h"
#include <functional>
#include <stop_token>

namespace millrace::sqlitesource {

//! The staged test: file, readable, integrity (header and schema only), journal, tables.
TestReport testFile(const Config& config, const std::function<void(const TestStage&)>& stageDone, std::stop_token stop);

} // namespace millrace::sqlitesource
