#pragma once
#include <cstdint>
#include <string>
#include <string_view>

//! Names of keys. Everything that belongs to one document has one slot, so that one script may touch it in a cluster too.
namespace millrace::redis {

//! CRC16 (XMODEM) of the key, or of its hash tag, modulo 16384 (Redis cluster specification, "Key distribution model").
int slotOf(std::string_view key);
inline constexpr int slotCount = 16384;

//! "film:7"
std::string documentKey(std::string_view container, std::string_view keyText);
//! Version and mark of a document: "{film:7}:_mr". A key with braces of its own gets a short tag of the same slot in front instead.
void appendCompanionKey(std::string& out, std::string_view document);
std::string companionKey(std::string_view document);
//! Where a document waits until its container is swapped in whole, and its companion.
std::string asideKey(std::string_view document);
std::string asideCompanionKey(std::string_view document);
std::string documentOfAside(std::string_view aside);                     //!< the reverse of asideKey()

//! The text that `slot` holds as a hash tag: "{3871}" -> slot 0, ...
const std::string& tagOf(int slot);

//! Sets of document keys. `slot` -1: the one of a single server; else the one of this slot of a cluster.
enum class KeySet { Own, Aside, Old };             //!< Old: what a swap in progress will delete
std::string registryKey(KeySet set, std::string_view container, int slot);
std::string leaseKey(std::string_view sync);
inline constexpr std::string_view containersKey = "_mr:containers";     //!< hash: container that a sync made -> sync
inline constexpr std::string_view adoptedKey = "_mr:adopted";           //!< hash: container that was there before and is written to -> sync
inline constexpr std::string_view asideStateKey = "_mr:aside";          //!< hash: container -> "building sync" | "promoting sync" | "replacing sync"

//! The naming rule: braces and control characters, and a leading "_mr", would meet the names above.
std::string safeContainer(std::string_view prefix, std::string_view name);
//! A SCAN pattern for all keys of a container.
std::string patternOf(std::string_view container);

} // namespace millrace::redis
