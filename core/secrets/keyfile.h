#pragma once
#include "core/base/log.h"
#include "core/base/platform.h"
#include "core/base/secret.h"
#include <string>
#include <vector>

namespace millrace {

//! Finds or makes the key that seals a vault. Not thread-safe.
class KeyFiles {
public:
    KeyFiles(std::string home, platform::Environment environment, Log* log);
    //! Every key that may be the vault's, in order: MILLRACE_KEY_FILE, the systemd credential, the vault's own file. 32 bytes each. A file that
    //! is there but loose, unreadable or too short is an error, not passed over.
    Result<std::vector<Secret>> candidates(const std::string& vaultId);
    //! The key of a new vault: the first of the above, or a new file.
    Result<Secret> first(const std::string& vaultId);
    std::string places(const std::string& vaultId) const;     //!< for messages
private:
    struct Place { std::string path; bool ours = false, required = false, credential = false; };
    std::vector<Place> all(const std::string& vaultId) const;
    Result<Secret> read(const Place& place) const;
    const std::string m_home;
    const platform::Environment m_environment;
    Log* const m_log;
};

} // namespace millrace
