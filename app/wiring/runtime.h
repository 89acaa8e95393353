#pragma once
#include "core/base/log.h"
#include "core/base/result.h"
#include "core/engine/engine.h"
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace millrace {

struct RuntimeOptions {
    std::string home;                                    //!< empty: MILLRACE_HOME, else the desktop's data folder
    //! Look: list, show, status, plan, history, discover; works while another process owns the home. Act takes the home's lock.
    enum class Access : std::uint8_t { Act, Look } access = Access::Act;
    bool preferKeychain = false;                         //!< the window keeps typed secrets in the keychain when one is unlocked
};

//! Everything a face needs, wired: store, vault, connectors, verifier and engine. Needs a QCoreApplication. Destroying it stops the
//! syncs after the batch in flight and commits their positions.
class Runtime {
public:
    virtual ~Runtime() = default;
    virtual Engine& engine() = 0;
    virtual const std::string& home() const = 0;
    //! Log entries with a sequence above `after`, oldest first, from the ring in memory; `last` becomes the newest sequence.
    virtual std::vector<LogEntry> logSince(std::uint64_t after, std::uint64_t& last) const = 0;
};

//! Fault::Config "home.in_use" names the owner (exit 7); "store.…" errors say what to do.
Result<std::unique_ptr<Runtime>> openRuntime(const RuntimeOptions& options);

} // namespace millrace
