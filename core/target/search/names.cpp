#include "core/target/search/names.h"
#include "core/base/clock.h"
#include "core/base/text.h"
#include <algorithm>
#include <set>

namespace millrace::search {

namespace {

//! The next character of valid UTF-8; anything else byte by byte.
char32_t next(std::string_view text, std::size_t& at)
{
    const auto byte = static_cast<unsigned char>(text[at]);
    const int more = byte >= 0xF0 ? 3 : byte >= 0xE0 ? 2 : byte >= 0xC0 ? 1 : 0;
    char32_t c = more ? byte & (0x3F >> more) : byte;
    ++at;
    for (int i = 0; i < more && at < text.size(); ++i, ++at)
        c = c << 6 | (static_cast<unsigned char>(text[at]) & 0x3F);
    return c;
}

void put(std::string& out, char32_t c)
{
    if (c < 0x80) { out += static_cast<char>(c); return; }
    if (c < 0x800) out += static_cast<char>(0xC0 | c >> 6);
    else {
        if (c < 0x10000) out += static_cast<char>(0xE0 | c >> 12);
        else { out += static_cast<char>(0xF0 | c >> 18); out += static_cast<char>(0x80 | (c >> 12 & 63)); }
        out += static_cast<char>(0x80 | (c >> 6 & 63));
    }
    out += static_cast<char>(0x80 | (c & 63));
}

//! Upper case of the scripts that table names are written in (Latin, Greek, Cyrillic, Armenian, full-width); no locale is asked.
char32_t lowerOf(char32_t c)
{
    if (c >= 'A' && c <= 'Z') return c + 32;
    if (c < 0xC0) return c;
    if (c <= 0xDE) return c == 0xD7 ? c : c + 32;
    if (c == 0x130) return 'i';
    if (c == 0x178) return 0xFF;
    if ((c >= 0x139 && c <= 0x148) || (c >= 0x179 && c <= 0x17E)) return c % 2 ? c + 1 : c;
    if ((c >= 0x100 && c <= 0x177) || (c >= 0x1E00 && c <= 0x1E95) || (c >= 0x1EA0 && c <= 0x1EFF) || (c >= 0x460 && c <= 0x52F && (c < 0x482 || c > 0x489) && c != 0x4C0)) return c % 2 ? c : c + 1;
    if (c == 0x386) return 0x3AC;
    if (c >= 0x388 && c <= 0x38A) return c + 37;
    if (c == 0x38C) return 0x3CC;
    if (c == 0x38E || c == 0x38F) return c + 63;
    if (c >= 0x391 && c <= 0x3AB) return c + 32;
    if (c >= 0x400 && c <= 0x40F) return c + 80;
    if (c >= 0x410 && c <= 0x42F) return c + 32;
    if (c >= 0x531 && c <= 0x556) return c + 48;
    if (c >= 0xFF21 && c <= 0xFF3A) return c + 32;
    return c;
}

bool forbidden(char32_t c) { return c < 0x20 || c == 0x7F || (c < 0x80 && std::string_view("\\/*?\"<>| ,#:").find(static_cast<char>(c)) != std::string_view::npos) || c == 0x3000; }

} // namespace

std::string aliasName(std::string_view prefix, std::string_view name)
{
    const std::string whole = std::string(prefix) + std::string(name);
    std::string out;
    for (std::size_t at = 0; at < whole.size();) {
        const char32_t c = next(whole, at);
        put(out, forbidden(c) ? U'_' : lowerOf(c));
    }
    // None may lead; a '_' in their place may not either.
    const auto first = std::min(out.find_first_not_of("_-+."), out.size());
    if (first > 0 || out.empty())
        out = "t_" + out.substr(first);
    if (out == registryIndex || out == summaryIndex || out.starts_with(asidePrefix))
        out[out.find('-')] = '_';
    constexpr std::size_t longest = 255 - 18 - asidePrefix.size(), digest = 9;        // bytes; 18: the stamp
    if (out.size() > longest) {
        const std::string mark = "_" + sha256Hex(out).substr(0, digest - 1);
        std::size_t cut = longest - digest;
        while (cut > 0 && (static_cast<unsigned char>(out[cut]) & 0xC0) == 0x80)      // not inside a character
            --cut;
        out.resize(cut);
        out += mark;
    }
    return out;
}

std::string fieldRefused(std::string_view name)
{
    static const std::set<std::string_view> own{"_id", "_index", "_type", "_source", "_version", "_routing", "_field_names", "_ignored", "_seq_no", "_primary_term", "_size", "_doc_count",
        "_nested_path", "_tier", "_data_stream_timestamp", "_feature", "_tsid", "_parent", "_all", "_timestamp", "_ttl", "_uid", "_name", "_ignored_source", "_inference_fields"};
    if (own.contains(name)) return std::string(name) + " is a field of the server's own";
    if (name == markField) return "_mr holds the mark of a document";
    if (name.starts_with('$')) return "a field must not start with '$'";
    if (name.find('\0') != std::string_view::npos) return "a field name cannot hold a zero byte";
    // A dot makes an object here, and neither part may be empty.
    for (const std::string& part : split(name, '.'))
        if (trimmed(part).empty())
            return name.empty() ? "a field needs a name" : "no part of a field's name may be empty or only spaces, and a dot parts it";
    return {};
}

std::string stampedIndex(std::string_view container, std::int64_t nowMs, unsigned random)
{
    std::string stamp;
    for (const char c : formatTime(nowMs).substr(0, 19))             // 2026-11-21T03:30:41
        if (c != '-' && c != ':')
            stamp += c == 'T' ? 't' : c;
    stamp += static_cast<char>('a' + random % 26);
    stamp += static_cast<char>('a' + random / 26 % 26);
    return std::string(container) + "-" + stamp;
}

} // namespace millrace::search
