#include "core/source/postgresql/triggers.h"
#include "core/base/text.h"

namespace millrace::postgresql {

namespace {

bool wordPart(char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || static_cast<unsigned char>(c) >= 0x80; }

//! Lower case, comments gone, runs of white space one blank.
std::string plain(std::string_view source)
{
    std::string out;
    for (std::size_t i = 0; i < source.size(); ++i) {
        if (source.substr(i, 2) == "--") {
            i = std::min(source.find('\n', i), source.size());
        } else if (source.substr(i, 2) == "/*") {
            i = source.find("*/", i);
            if (i == std::string_view::npos)
                break;
            ++i;
        } else {
            const char c = source[i];
            if (c == '\t' || c == '\r' || c == '\n' || c == ' ') { if (!out.empty() && out.back() != ' ') out += ' '; }
            else out += c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
            continue;
        }
        out += ' ';
    }
    return out;
}

} // namespace

bool triggerMoves(std::string_view source, std::string_view arguments, std::string_view column)
{
    if (source == "moddatetime")
        return arguments == std::string(column) + "\\000";
    const std::string text = plain(source), name = lower(column);
    const char* const clocks[] = {"now()", "current_timestamp", "localtimestamp", "clock_timestamp()", "statement_timestamp()", "transaction_timestamp()"};
    bool clock = false;
    for (const char* word : clocks)
        clock = clock || text.find(word) != std::string::npos;
    // an update that is only sometimes stamped moves nothing reliably
    if (!clock || text.find(" if ") != std::string::npos || text.find("case ") != std::string::npos || text.find("return old") != std::string::npos)
        return false;
    for (const std::string& written : {"new." + name, "new.\"" + name + "\""})
        for (std::size_t at = text.find(written); at != std::string::npos; at = text.find(written, at + 1)) {
            std::size_t after = at + written.size();
            if ((after < text.size() && wordPart(text[after])) || (at > 0 && wordPart(text[at - 1])))
                continue;
            while (after < text.size() && text[after] == ' ')
                ++after;
            if (text.compare(after, 2, ":=") == 0 || text.compare(after, 1, "=") == 0)
                return true;
        }
    return false;
}

} // namespace millrace::postgresql
