#include "core/secrets/keyfile.h"
#include "core/base/text.h"
#include <sodium.h>

namespace millrace {

namespace {

constexpr std::size_t keyBytes = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
static_assert(keyBytes == 32);

//! 32 raw bytes, 64 hex digits, or any longer text, from which the key is derived.
Result<Secret> keyFrom(const std::string& path, const Secret& content)
{
    std::string_view text = content.reveal();
    if (text.size() == keyBytes)
        return content;
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r'))
        text.remove_suffix(1);
    std::string key(keyBytes, '\0');
    auto* out = reinterpret_cast<unsigned char*>(key.data());
    std::size_t length = 0;
    if (text.size() == 2 * keyBytes && sodium_hex2bin(out, keyBytes, text.data(), text.size(), nullptr, &length, nullptr) == 0 && length == keyBytes)
        return Secret(std::move(key));
    if (text.size() < keyBytes)
        return Error{Fault::Auth, "secrets.key_too_short", "The key file " + path + " holds less than " + std::to_string(keyBytes) + " bytes",
                     "Make a key with: openssl rand -hex 32 > " + path};
    crypto_generichash(out, keyBytes, reinterpret_cast<const unsigned char*>(text.data()), text.size(), nullptr, 0);
    return Secret(std::move(key));
}

} // namespace

KeyFiles::KeyFiles(std::string home, platform::Environment environment, Log* log)
    : m_home(std::move(home)), m_environment(std::move(environment)), m_log(log)
{
}

std::vector<KeyFiles::Place> KeyFiles::all(const std::string& vaultId) const
{
    std::vector<Place> out;
    if (const auto named = m_environment("MILLRACE_KEY_FILE"); named && !named->empty())
        out.push_back({*named, false, true, false});
    if (const auto folder = m_environment("CREDENTIALS_DIRECTORY"); folder && !folder->empty())
        out.push_back({*folder + "/millrace.key", false, false, true});
    if (const auto config = platform::configPath(m_environment); config)
        out.push_back({*config + "/" + hex(vaultId) + ".key", true, false, false});
    return out;
}

std::string KeyFiles::places(const std::string& vaultId) const
{
    std::vector<std::string> out;
    for (const Place& place : all(vaultId))
        out.push_back(place.path);
    return join(out, ", ");
}

Result<Secret> KeyFiles::read(const Place& place) const
{
    const auto facts = platform::facts(place.path);
    if (!facts)
        return Error{Fault::Auth, "secrets.key_missing", "The key file " + place.path + " is not there",
                     "Put the key there, or let MILLRACE_KEY_FILE name the right file."};
    // systemd shows a credential that an ACL opens for the service's user with group bits; only the world's bits say something there
    const bool loose = place.credential ? (facts->mode & 0007) != 0 : facts->readableByOthers() || facts->writableByOthers();
    if (loose)
        return Error{Fault::Auth, "secrets.key_permissions", "The key file " + place.path + " is open to other users", "Make it private: chmod 600 " + place.path};
    auto content = platform::readFile(place.path, 64 * 1024);
    if (!content)
        return Error{Fault::Auth, "secrets.key_unreadable", content.error().detail, "Check the owner and permissions of the key file."};
    return keyFrom(place.path, Secret(std::move(*content)));
}

Result<std::vector<Secret>> KeyFiles::candidates(const std::string& vaultId)
{
    std::vector<Secret> out;
    for (const Place& place : all(vaultId)) {
        if (!place.required && !platform::facts(place.path))
            continue;
        auto key = read(place);
        if (!key)
            return std::move(key).error();
        out.push_back(std::move(*key));
    }
    if (out.empty())
        return Error{Fault::Auth, "secrets.key_missing", "The key to the stored secrets of " + m_home + " is not there (looked for " + places(vaultId) + ")",
                     "Put the key back, or move " + m_home + "/secrets.bin away and enter the passwords again."};
    return out;
}

Result<Secret> KeyFiles::first(const std::string& vaultId)
{
    const auto places = all(vaultId);
    for (const Place& place : places)
        if (place.required || platform::facts(place.path)) {
            if (m_log && place.path.starts_with(m_home + "/"))
                m_log->write({0, Level::Warning, "secrets", "The key file " + place.path + " lies inside the home that it is to protect", {}});
            return read(place);
        }
    if (places.empty() || !places.back().ours)
        return Error{Fault::Auth, "secrets.no_place", "There is no folder for a key file", "Set HOME, or let MILLRACE_KEY_FILE name a key."};
    const std::string& path = places.back().path;
    std::string raw(keyBytes, '\0');
    randombytes_buf(raw.data(), raw.size());
    const Secret key(std::move(raw));
    const Secret text(hex(key.reveal()) + "\n");
    const auto slash = path.rfind('/');
    auto made = platform::makePrivateFolder(path.substr(0, slash));
    if (made)
        made = platform::replaceFile(path, text.reveal(), 0600);
    if (!made)
        return Error{Fault::Storage, "secrets.key_unwritable", made.error().detail, "Let MILLRACE_KEY_FILE name a key file elsewhere."};
    if (m_log)
        m_log->write({0, Level::Info, "secrets", "A key for stored secrets was made at " + path + "; keep a copy of it apart from copies of the home", {}});
    return key;
}

} // namespace millrace
