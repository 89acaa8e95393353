#pragma once
#include "core/base/log.h"
#include "core/base/platform.h"
#include "core/engine/store.h"
#include <memory>
#include <string>

namespace millrace {

//! Where typed secrets go. Headless: always the encrypted file. The keychain is asked only in its own mode, or when a reference names it.
enum class VaultMode : std::uint8_t { EncryptedFile, Keychain };

struct VaultOptions {
    VaultMode mode = VaultMode::EncryptedFile;
    platform::Environment environment = platform::processEnvironment();
    Log* log = nullptr;                            //!< told where a new key lies, and of files that others can read; never a value
};

//! Opens nothing yet and never fails for want of a key: files and keychain are looked at when a secret is asked for.
//! `<home>/secrets.bin` is sealed with a key from MILLRACE_KEY_FILE, else $CREDENTIALS_DIRECTORY/millrace.key (systemd), else a file of its own
//! in $XDG_CONFIG_HOME/millrace that is made at first use. A copy of the home alone decrypts nothing.
//! The keychain needs a QCoreApplication and a free-running thread; calls wait for it up to a minute (a person may have to unlock it).
Result<std::unique_ptr<SecretVault>> openVault(const std::string& home, VaultOptions options);
inline Result<std::unique_ptr<SecretVault>> openVault(const std::string& home, VaultMode mode, Log* log = nullptr)
{
    VaultOptions options;
    options.mode = mode;
    options.log = log;
    return openVault(home, std::move(options));
}

//! Whether a keychain answers on this desktop. May take seconds: call it from a background thread.
bool keychainAvailable();

} // namespace millrace
