#pragma once
#include <string>
#include <string_view>

namespace millrace::redis {

//! What the server runs as one step. Each asks for the lease first (Invariant 5), as far as the lease is within reach: in a cluster a
//! script sees one slot only, and the owner is given as "" (see Lease rules in registry.h).
struct Script {
    std::string text, sha1;
};

//! KEYS: lease. ARGV: owner, least epoch, lease ms, takeover wait ms. Gives {0, other owner}, {1, ms to wait} or {2, epoch}.
const Script& acquireScript();
//! KEYS: lease. ARGV: owner, epoch, "1" to go on holding it, "0" to give it back.
const Script& beatScript();
//! KEYS: lease. ARGV: owner, epoch, then commands as (count, words...). All of them or none of them.
const Script& guardedScript();
//! KEYS: lease, registry, then (document, companion) of each row; a key stands in one script once. ARGV: owner, epoch, ttl ms, "1" if
//! documents of others may be overwritten, then (version, document) of each row; "-version" deletes. Gives {row, "s" (superseded) or
//! "f" (somebody else's key), ...} for the rows that did not go the usual way.
const Script& writeScript();
//! The same for hashes: ARGV of a row is (version, n, n words for HSET).
const Script& writeHashScript();
//! KEYS: lease, registry, then (document, companion). ARGV: owner, epoch, low, high. Deletes the documents with low <= version < high
//! and forgets those that are gone. Gives how many it deleted.
const Script& sweepScript();
//! KEYS: lease, registry, registry aside, registry old, then (document, companion, document aside, companion aside). ARGV: owner, epoch.
//! Moves documents from aside into their place.
const Script& promoteScript();

} // namespace millrace::redis
