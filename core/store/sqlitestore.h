#pragma once
#include "core/base/clock.h"
#include "core/base/log.h"
#include "core/engine/store.h"
#include <memory>
#include <string>

namespace millrace {

//! Own: this process has the home (core/base/homelock.h); the store is made or brought up to date. Read: another process has it; nothing is
//! ever written, and every saving call answers Fault::Storage "store.read_only".
enum class StoreAccess : std::uint8_t { Own, Read };

//! Opens `<home>/millrace.db`. Blocks for as long as a check of the whole file takes. Needs a QCoreApplication (Qt finds its database
//! plugin through it), which must outlive the store. Errors: store.unreadable (damaged; never overwritten), store.newer_version,
//! store.older_version (Read only), store.missing (Read only), store.full, store.io, store.no_application.
Result<std::unique_ptr<MetadataStore>> openStore(const std::string& home, const Clock& clock, Log* log, StoreAccess access = StoreAccess::Own);

} // namespace millrace
