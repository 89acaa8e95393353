#include "core/verify/formdiff.h"
#include "core/base/text.h"
#include "core/verify/digest.h"
#include <algorithm>

namespace millrace::verify {

namespace {

using Field = std::pair<std::string_view, std::string_view>;

std::vector<Field> fieldsOf(std::string_view form)
{
    std::vector<Field> out;
    while (!form.empty()) {
        const auto end = std::min(form.find('\x1e'), form.size());
        const std::string_view field = form.substr(0, end);
        const auto middle = std::min(field.find('\x1f'), field.size());
        out.emplace_back(field.substr(0, middle), middle < field.size() ? field.substr(middle + 1) : std::string_view());
        form.remove_prefix(std::min(end + 1, form.size()));
    }
    return out;
}

//! Never through the middle of a character.
std::size_t cutAt(std::string_view text, std::size_t longest)
{
    std::size_t end = std::min(text.size(), longest);
    while (end < text.size() && end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
        --end;
    return end;
}

void appendPrintable(std::string& out, std::string_view text)
{
    const std::size_t end = cutAt(text, 500);
    for (const char c : text.substr(0, end)) {
        if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) {
            out += "\\x";
            out += "0123456789abcdef"[c >> 4 & 15];
            out += "0123456789abcdef"[c & 15];
        } else
            out += c;
    }
    if (end < text.size())
        out += "\u2026 (" + std::to_string(text.size()) + " bytes)";
}

} // namespace

std::vector<std::string> differingFields(std::string_view expected, std::string_view actual)
{
    std::vector<std::string> out;
    if (expected == actual)
        return out;
    const auto here = fieldsOf(expected), there = fieldsOf(actual);
    const auto sameIn = [](const std::vector<Field>& fields, const Field& field) { return std::find(fields.begin(), fields.end(), field) != fields.end(); };
    const auto add = [&](const Field& field) {
        std::string name(field.first);
        if (std::find(out.begin(), out.end(), name) == out.end())
            out.push_back(std::move(name));
    };
    for (const Field& field : here)
        if (!sameIn(there, field))
            add(field);
    for (const Field& field : there)
        if (!sameIn(here, field))
            add(field);
    if (out.empty())
        out.push_back("(order of fields)");
    return out;
}

std::string condensedForm(std::string_view form)
{
    constexpr std::size_t whole = 1024, kept = 400;        // with what is added less than is printed of a value
    if (form.size() <= whole)
        return std::string(form);
    std::string out;
    for (const auto& [name, value] : fieldsOf(form)) {
        out += name;
        out += '\x1f';
        if (value.size() <= whole)
            out += value;
        else {
            const Digest all = digest(value);
            out += value.substr(0, cutAt(value, kept));
            out += "\u2026 (" + std::to_string(value.size()) + " bytes, " + hex({reinterpret_cast<const char*>(all.data()), all.size()}) + ")";
        }
        out += '\x1e';
    }
    return out;
}

std::string printableForm(std::string_view form)
{
    std::string out;
    for (const auto& [name, value] : fieldsOf(form)) {
        if (!out.empty())
            out += '\n';
        appendPrintable(out, name);
        out += ": ";
        appendPrintable(out, value);
    }
    return out;
}

} // namespace millrace::verify
