#include "core/target/redis/keys.h"
#include "core/base/text.h"
#include <array>
#include <vector>

namespace millrace::redis {

namespace {

constexpr std::array<std::uint16_t, 256> crcTable = [] {
    std::array<std::uint16_t, 256> table{};
    for (unsigned i = 0; i < 256; ++i) {
        unsigned crc = i << 8;
        for (int bit = 0; bit < 8; ++bit)
            crc = crc & 0x8000 ? crc << 1 ^ 0x1021 : crc << 1;
        table[i] = static_cast<std::uint16_t>(crc);
    }
    return table;
}();

bool hasBrace(std::string_view text) { return text.find_first_of("{}") != std::string_view::npos; }

//! `mark` tells the three names of a key with braces apart; none of them can be part of a decimal tag or begin a container's name there.
std::string odd(std::string_view document, char mark) { return "{" + tagOf(slotOf(document)) + "}:_mr" + mark + std::string(document); }

} // namespace

int slotOf(std::string_view key)
{
    if (const auto open = key.find('{'); open != std::string_view::npos)
        if (const auto close = key.find('}', open + 1); close != std::string_view::npos && close > open + 1)
            key = key.substr(open + 1, close - open - 1);
    unsigned crc = 0;
    for (const char c : key)
        crc = (crc << 8 ^ crcTable[(crc >> 8 ^ static_cast<unsigned char>(c)) & 0xff]) & 0xffff;
    return static_cast<int>(crc % slotCount);
}

const std::string& tagOf(int slot)
{
    static const std::vector<std::string> tags = [] {
        std::vector<std::string> out(slotCount);
        for (int found = 0, n = 0; found < slotCount; ++n) {
            std::string text = std::to_string(n);
            std::string& into = out[static_cast<std::size_t>(slotOf(text))];
            if (into.empty()) {
                into = std::move(text);
                ++found;
            }
        }
        return out;
    }();
    return tags[static_cast<std::size_t>(slot)];
}

std::string documentKey(std::string_view container, std::string_view keyText)
{
    std::string out(container);
    out += ':';
    out += keyText;
    return out;
}

void appendCompanionKey(std::string& out, std::string_view document)
{
    if (hasBrace(document)) {
        out += odd(document, '=');
        return;
    }
    out += '{';
    out += document;
    out += "}:_mr";
}

std::string companionKey(std::string_view document)
{
    std::string out;
    appendCompanionKey(out, document);
    return out;
}

std::string asideKey(std::string_view document) { return hasBrace(document) ? odd(document, '+') : "{" + std::string(document) + "}:_mr:aside"; }
std::string asideCompanionKey(std::string_view document) { return hasBrace(document) ? odd(document, '#') : "{" + std::string(document) + "}:_mr:aside:_mr"; }

std::string documentOfAside(std::string_view aside)
{
    constexpr std::string_view ending = "}:_mr:aside";
    const auto mark = aside.find("}:_mr+");
    if (mark != std::string_view::npos && aside.substr(0, mark).find_first_not_of("{0123456789") == std::string_view::npos)
        return std::string(aside.substr(mark + 6));
    return std::string(aside.substr(1, aside.size() - 1 - ending.size()));
}

std::string registryKey(KeySet set, std::string_view container, int slot)
{
    std::string out = slot < 0 ? std::string() : "{" + tagOf(slot) + "}";
    out += set == KeySet::Own ? "_mr:keys:" : set == KeySet::Aside ? "_mr:keys_aside:" : "_mr:keys_old:";
    out += container;
    return out;
}

std::string leaseKey(std::string_view sync) { return "_mr:lease:" + std::string(sync); }

std::string safeContainer(std::string_view prefix, std::string_view name)
{
    std::string out = std::string(prefix) + std::string(name);
    for (char& c : out)
        if (c == '{' || c == '}' || static_cast<unsigned char>(c) < 0x20 || c == 0x7f)
            c = '_';
    while (out == "_mr" || out.starts_with("_mr:"))
        out.replace(0, 3, "_");
    while (out.ends_with(':'))
        out.back() = '_';                          // "shop:" and "shop" would share their keys
    return out.empty() ? "_" : out;
}

std::string patternOf(std::string_view container)
{
    std::string out;
    for (const char c : container) {
        if (std::string_view("*?[]^\\").find(c) != std::string_view::npos)
            out += '\\';
        out += c;
    }
    return out + ":*";
}

} // namespace millrace::redis
