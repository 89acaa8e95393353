#include "core/secrets/vault.h"
#include "core/base/text.h"
#include "core/secrets/keychain.h"
#include "core/secrets/sealedfile.h"

namespace millrace {

namespace {

constexpr std::size_t secretLimit = 64 * 1024;

//! Two homes may have connections of one name; the keychain is the user's and knows no homes.
std::string keychainName(const std::string& home, std::string_view key) { return sha256Hex(home).substr(0, 8) + "/" + std::string(key); }

class Vault final : public SecretVault {
public:
    Vault(const std::string& home, VaultOptions options)
        : m_home(home), m_options(std::move(options)), m_file(home, m_options.environment, m_options.log)
    {
    }

    Result<Secret> resolve(const SecretRef& ref, std::string_view key) override
    {
        switch (ref.kind) {
        case SecretRef::Kind::None: return Secret();
        case SecretRef::Kind::Stored: return m_file.get(key);
        case SecretRef::Kind::Env: return fromEnvironment(ref.name, key);
        case SecretRef::Kind::File: return fromFile(ref.name, key);
        case SecretRef::Kind::Keychain: return m_keychain.read(ref.name);
        }
        return Error{Fault::Internal, "secrets.unknown_kind", "Unknown kind of secret for " + std::string(key), {}};
    }

    Result<SecretRef> keep(std::string_view key, const Secret& secret) override
    {
        if (m_options.mode == VaultMode::Keychain) {
            const std::string name = keychainName(m_home, key);
            if (auto kept = m_keychain.write(name, secret); !kept)
                return std::move(kept).error();
            return SecretRef{SecretRef::Kind::Keychain, name};
        }
        if (auto kept = m_file.put(key, secret); !kept)
            return std::move(kept).error();
        return SecretRef{SecretRef::Kind::Stored, {}};
    }

    Result<> forget(std::string_view key) override
    {
        if (auto removed = m_file.remove(key); !removed)
            return removed;
        if (m_options.mode == VaultMode::Keychain)
            return m_keychain.remove(keychainName(m_home, key));
        return {};
    }

    std::string describe() const override { return m_options.mode == VaultMode::Keychain ? "keychain" : "encrypted file"; }
private:
    Result<Secret> fromEnvironment(const std::string& name, std::string_view key) const
    {
        auto value = m_options.environment(name);
        if (!value)
            return Error{Fault::Auth, "secrets.missing_env", "The environment variable " + name + " is not set (for " + std::string(key) + ")",
                         "Set " + name + " for this process, or store the secret with: millrace-cli connections edit "
                             + std::string(key.substr(0, key.find('/')))};
        return Secret(std::move(*value));
    }

    //! Kubernetes and Docker mount secrets as links and readable by all inside the container: that is warned of. What others may write is
    //! refused: they would choose the password, and with it the account that we log in to.
    Result<Secret> fromFile(const std::string& path, std::string_view key) const
    {
        const std::string forKey = " (for " + std::string(key) + ")";
        const auto facts = platform::facts(path);
        if (!facts)
            return Error{Fault::Auth, "secrets.missing_file", "The secret's file " + path + " is not there" + forKey, "Put the file there, or name another one."};
        if (facts->writableByOthers())
            return Error{Fault::Auth, "secrets.file_permissions", "The secret's file " + path + " may be written by other users" + forKey,
                         "Make it private: chmod 600 " + path};
        if (facts->readableByOthers() && m_options.log)
            m_options.log->write({0, Level::Warning, "secrets", "The secret's file " + path + " can be read by other users; make it private: chmod 600 " + path, {}});
        auto content = platform::readFile(path, secretLimit);
        if (!content)
            return Error{Fault::Auth, "secrets.unreadable_file", content.error().detail + forKey, "Check the file's owner and permissions."};
        // one line end, as editors and echo leave it; a password may well end in a space
        if (content->ends_with("\r\n"))
            content->erase(content->size() - 2);
        else if (content->ends_with('\n'))
            content->pop_back();
        return Secret(std::move(*content));
    }

    const std::string m_home;
    const VaultOptions m_options;
    SealedFile m_file;
    Keychain m_keychain;                           // does nothing until it is asked: a headless process never touches D-Bus
};

} // namespace

Result<std::unique_ptr<SecretVault>> openVault(const std::string& home, VaultOptions options)
{
    return std::unique_ptr<SecretVault>(std::make_unique<Vault>(home, std::move(options)));
}

bool keychainAvailable()
{
    Keychain keychain(std::chrono::seconds(5));
    const auto probe = keychain.read("probe");
    return probe || probe.error().id == "secrets.missing_keychain";
}

} // namespace millrace
