#pragma once
#include "core/base/log.h"
#include "core/base/platform.h"
#include "core/base/secret.h"
#include "core/secrets/keyfile.h"
#include <map>
#include <mutex>
#include <string>

namespace millrace {

//! `<home>/secrets.bin`: all stored secrets under one AEAD seal (XChaCha20-Poly1305). Thread-safe. Nothing stays decrypted between calls.
//!   "MRSECRT1" · vault id (16) · key id (16) · nonce (24) · ciphertext and tag; all that stands before the ciphertext is authenticated.
//! The vault id names the key file of this vault; the key id tells a wrong key from a damaged file.
class SealedFile {
public:
    SealedFile(std::string home, platform::Environment environment, Log* log);
    //! Errors: secrets.not_stored, secrets.damaged, secrets.wrong_key, secrets.key_missing, secrets.key_permissions, secrets.key_too_short.
    Result<Secret> get(std::string_view key);
    Result<> put(std::string_view key, const Secret& secret);
    Result<> remove(std::string_view key);
private:
    using Secrets = std::map<std::string, Secret, std::less<>>;
    struct Opened { std::string vaultId; Secret sealKey; Secrets secrets; };
    Result<std::optional<Opened>> open();          //!< nullopt: no file yet
    Result<> save(const Opened& opened);
    const std::string m_path;
    KeyFiles m_keys;
    std::mutex m_mutex;
};

} // namespace millrace
