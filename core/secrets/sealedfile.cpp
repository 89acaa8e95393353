#include "core/secrets/sealedfile.h"
#include "core/base/crashpoint.h"
#include <cstring>
#include <sodium.h>

namespace millrace {

namespace {

constexpr std::string_view magic = "MRSECRT1";
constexpr std::size_t idBytes = 16, nonceBytes = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES, tagBytes = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::size_t headBytes = 8 + idBytes + idBytes + nonceBytes, fileLimit = 16u << 20;

unsigned char* bytes(std::string& text) { return reinterpret_cast<unsigned char*>(text.data()); }
const unsigned char* bytes(std::string_view text) { return reinterpret_cast<const unsigned char*>(text.data()); }

std::string random(std::size_t n)
{
    std::string out(n, '\0');
    randombytes_buf(out.data(), n);
    return out;
}

std::string keyId(const Secret& key)
{
    static constexpr std::string_view purpose = "millrace key id";
    std::string out(idBytes, '\0');
    crypto_generichash(bytes(out), idBytes, bytes(purpose), purpose.size(), bytes(key.reveal()), key.reveal().size());
    return out;
}

Error damaged(const std::string& path)
{
    return {Fault::Auth, "secrets.damaged", path + " was damaged or tampered with and is not used",
            "Put back a copy of the file, or move it away and enter the passwords again."};
}

void append(std::string& out, std::string_view text)
{
    const auto n = static_cast<std::uint32_t>(text.size());
    char size[4];
    for (int i = 0; i < 4; ++i)
        size[i] = static_cast<char>(n >> (8 * i) & 0xff);
    out.append(size, 4).append(text);
}

bool take(std::string_view& in, std::string_view& out)
{
    if (in.size() < 4)
        return false;
    std::size_t n = 0;
    for (int i = 3; i >= 0; --i)
        n = n << 8 | static_cast<unsigned char>(in[static_cast<std::size_t>(i)]);
    in.remove_prefix(4);
    if (in.size() < n)
        return false;
    out = in.substr(0, n);
    in.remove_prefix(n);
    return true;
}

} // namespace

SealedFile::SealedFile(std::string home, platform::Environment environment, Log* log)
    : m_path(home + "/secrets.bin"), m_keys(std::move(home), std::move(environment), log)
{
}

Result<std::optional<SealedFile::Opened>> SealedFile::open()
{
    const auto facts = platform::facts(m_path);
    if (!facts)
        return std::optional<Opened>();
    if (sodium_init() < 0)
        return Error{Fault::Internal, "secrets.no_libsodium", "libsodium cannot be started", {}};
    const auto file = platform::readFile(m_path, fileLimit);
    if (!file && file.error().id == "file.too_large")
        return damaged(m_path);
    if (!file)
        return Error{Fault::Storage, "secrets.unreadable", file.error().detail, "Check the owner and permissions of the home."};
    const std::string_view all = *file;
    if (all.size() < headBytes + tagBytes || !all.starts_with(magic))
        return damaged(m_path);
    Opened out;
    out.vaultId = all.substr(8, idBytes);
    auto keys = m_keys.candidates(out.vaultId);
    if (!keys)
        return std::move(keys).error();
    const std::string_view wanted = all.substr(8 + idBytes, idBytes);
    for (Secret& key : *keys)
        if (keyId(key) == wanted)
            out.sealKey = std::move(key);
    if (out.sealKey.empty())
        return Error{Fault::Auth, "secrets.wrong_key", "None of the keys found opens " + m_path + " (looked for " + m_keys.places(out.vaultId) + ")",
                     "Let MILLRACE_KEY_FILE name the key that it was sealed with, or move the file away and enter the passwords again."};

    const std::string_view sealed = all.substr(headBytes);
    std::string plain(sealed.size() - tagBytes, '\0');
    unsigned long long length = 0;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes(plain), &length, nullptr, bytes(sealed), sealed.size(), bytes(all), headBytes,
                                                   bytes(all.substr(headBytes - nonceBytes)), bytes(out.sealKey.reveal())) != 0)
        return damaged(m_path);
    const Secret wiped(std::move(plain));          // wiped when this scope ends
    std::string_view rest = wiped.reveal(), key, value;
    while (!rest.empty()) {
        if (!take(rest, key) || !take(rest, value))
            return damaged(m_path);
        out.secrets.emplace(std::string(key), Secret(std::string(value)));
    }
    return std::optional<Opened>(std::move(out));
}

Result<> SealedFile::save(const Opened& opened)
{
    std::size_t size = 0;
    for (const auto& [key, secret] : opened.secrets)
        size += 8 + key.size() + secret.reveal().size();
    std::string text;
    text.reserve(size);                            // no growth: growing would leave copies behind that nobody wipes
    for (const auto& [key, secret] : opened.secrets) {
        append(text, key);
        append(text, secret.reveal());
    }
    const Secret plain(std::move(text));

    std::string file = std::string(magic) + opened.vaultId + keyId(opened.sealKey) + random(nonceBytes);
    const std::string head = file;
    file.resize(headBytes + size + tagBytes);
    if (file.size() > fileLimit)
        return Error{Fault::Usage, "secrets.too_large", "The secrets together are too large to be stored", {}};
    crypto_aead_xchacha20poly1305_ietf_encrypt(bytes(file) + headBytes, nullptr, bytes(plain.reveal()), size, bytes(head), headBytes, nullptr,
                                               bytes(head) + headBytes - nonceBytes, bytes(opened.sealKey.reveal()));
    crashPoint("secrets.save.before");
    if (auto saved = platform::replaceFile(m_path, file, 0600); !saved)
        return Error{Fault::Storage, saved.error().id == "file.full" ? "secrets.full" : "secrets.unwritable", saved.error().detail, saved.error().fix};
    return {};
}

Result<Secret> SealedFile::get(std::string_view key)
{
    std::lock_guard lock(m_mutex);
    auto opened = open();
    if (!opened)
        return std::move(opened).error();
    if (*opened)
        if (const auto at = (*opened)->secrets.find(key); at != (*opened)->secrets.end())
            return at->second;
    const auto slash = key.find('/');
    const std::string connection(key.substr(0, slash)), what(slash == std::string_view::npos ? "secret" : key.substr(slash + 1));
    return Error{Fault::Auth, "secrets.not_stored", "No " + what + " is stored for connection '" + connection + "' in this home",
                 "Enter it again: millrace-cli connections edit " + connection + ", or in the window under Connections."};
}

Result<> SealedFile::put(std::string_view key, const Secret& secret)
{
    std::lock_guard lock(m_mutex);
    auto opened = open();
    if (!opened)
        return std::move(opened).error();          // never written over: it may only need its key back
    if (!*opened) {
        if (sodium_init() < 0)
            return Error{Fault::Internal, "secrets.no_libsodium", "libsodium cannot be started", {}};
        opened->emplace();
        (*opened)->vaultId = random(idBytes);
        auto sealKey = m_keys.first((*opened)->vaultId);
        if (!sealKey)
            return std::move(sealKey).error();
        (*opened)->sealKey = std::move(*sealKey);
        const auto slash = m_path.rfind('/');
        if (auto made = platform::makePrivateFolder(m_path.substr(0, slash)); !made)
            return made;
    }
    (*opened)->secrets.insert_or_assign(std::string(key), secret);
    return save(**opened);
}

Result<> SealedFile::remove(std::string_view key)
{
    std::lock_guard lock(m_mutex);
    auto opened = open();
    if (!opened)
        return std::move(opened).error();
    if (!*opened)
        return {};
    const auto at = (*opened)->secrets.find(key);
    if (at == (*opened)->secrets.end())
        return {};
    (*opened)->secrets.erase(at);
    return save(**opened);
}

} // namespace millrace
