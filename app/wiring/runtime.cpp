#include "app/wiring/runtime.h"
#include "app/wiring/connectors.h"
#include "core/base/filelog.h"
#include "core/base/homelock.h"
#include "core/base/node.h"
#include "core/base/platform.h"
#include "core/engine/localengine.h"
#include "core/secrets/vault.h"
#include "core/store/sqlitestore.h"
#include "core/verify/verifier.h"
#include <algorithm>
#include <optional>

namespace millrace {

namespace {

class LocalRuntime final : public Runtime {
public:
    Result<> open(const RuntimeOptions& options)
    {
        auto home = platform::homePath(options.home);
        if (!home) return std::move(home).error();
        m_home = std::move(*home);
        m_redactor = std::make_shared<Redactor>();
        FileLog::Options logging;
        logging.plain = platform::processEnvironment()("MILLRACE_PLAIN_LOG").has_value();
        m_log = std::make_unique<FileLog>(m_home, m_clock, logging, m_redactor);
        bool act = options.access == RuntimeOptions::Access::Act;
        if (!act) {
            // Whoever only looks takes no lock, so that it never stands in the way of one who acts; unless there is nothing to look at yet.
            auto store = openStore(m_home, m_clock, m_log.get(), StoreAccess::Read);
            if (store) m_store = std::move(*store);
            else if (store.error().id == "store.missing" || store.error().id == "store.older_version") act = true;
            else return std::move(store).error();
        }
        if (act) {
            auto lock = HomeLock::take(m_home, "millrace", m_clock);
            if (!lock) return std::move(lock).error();
            m_lock.emplace(std::move(*lock));
            auto store = openStore(m_home, m_clock, m_log.get(), StoreAccess::Own);
            if (!store) return std::move(store).error();
            m_store = std::move(*store);
        }
        auto vault = openVault(m_home, options.preferKeychain ? VaultMode::Keychain : VaultMode::EncryptedFile, m_log.get());
        if (!vault) return std::move(vault).error();
        m_vault = std::move(*vault);
        m_verifier = makeVerifier(m_clock);
        // Set in the window's Settings; both apply at the next start.
        const auto workers = std::clamp<std::int64_t>(number("engine.workers", 4), 1, 64);
        const std::string level = m_store->setting("log.level").value_or({});
        for (const Level known : {Level::Debug, Level::Info, Level::Warning, Level::Error})
            if (levelName(known) == level) m_log->setLevel(known);
        EngineParts parts{*m_store, *m_vault, m_connectors, *m_verifier, m_clock, *m_log, m_home, [this](const Secret& secret) { m_redactor->know(secret); },
                          static_cast<unsigned>(workers)};
        m_engine = std::make_unique<LocalEngine>(std::move(parts), act ? LocalEngine::Access::Act : LocalEngine::Access::Look);
        return m_engine->open();
    }

    Engine& engine() override { return *m_engine; }
    const std::string& home() const override { return m_home; }

    std::vector<LogEntry> logSince(std::uint64_t after, std::uint64_t& last) const override
    {
        std::vector<LogEntry> out;
        for (auto& kept : m_log->recent(after)) {
            last = kept.number;
            out.push_back(std::move(kept.entry));
        }
        return out;
    }

private:
    std::int64_t number(std::string_view key, std::int64_t otherwise) const
    {
        const std::int64_t set = Node(m_store->setting(key).value_or({})).integer(0);
        return set > 0 ? set : otherwise;
    }

    // Destroyed from the last to the first: the engine before what it works on, the lock last of all.
    SystemClock m_clock;
    std::string m_home;
    std::optional<HomeLock> m_lock;
    std::shared_ptr<Redactor> m_redactor;
    std::unique_ptr<FileLog> m_log;
    std::unique_ptr<MetadataStore> m_store;
    std::unique_ptr<SecretVault> m_vault;
    AllConnectors m_connectors;
    std::unique_ptr<Verifier> m_verifier;
    std::unique_ptr<LocalEngine> m_engine;
};

} // namespace

Result<std::unique_ptr<Runtime>> openRuntime(const RuntimeOptions& options)
{
    auto runtime = std::make_unique<LocalRuntime>();
    if (auto opened = runtime->open(options); !opened)
        return std::move(opened).error();
    return std::unique_ptr<Runtime>(std::move(runtime));
}

} // namespace millrace
