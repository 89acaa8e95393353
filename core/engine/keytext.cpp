#include "core/engine/keytext.h"
#include "core/base/node.h"
#include "core/base/text.h"
#include "core/data/value.h"
#include <charconv>

namespace millrace {

namespace {

template <class T> bool whole(std::string_view text, T& out)
{
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

constexpr std::string_view withoutKey = "without key ";

int digit(char c) { return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1; }

std::optional<Cell> cellOf(Type type, std::string_view text, Batch& arena)
{
    Cell cell;
    std::uint8_t digits = 0;
    switch (type) {
    case Type::Bool: if (text != "true" && text != "false") return {}; return Cell::boolean(text == "true");
    case Type::Int: cell.type = type; if (!whole(text, cell.i)) return {}; return cell;
    case Type::Uint: cell.type = type; if (!whole(text, cell.u)) return {}; return cell;
    case Type::Real: cell.type = type; if (!whole(text, cell.d)) return {}; return cell;
    case Type::Date: cell.type = type; if (!parseDate(text, cell.i)) return {}; return cell;
    case Type::Time: cell.type = type; if (!parseTime(text, cell.i, digits)) return {}; cell.size = digits; return cell;
    case Type::DateTime: case Type::Timestamp: cell.type = type; if (!parseDateTime(text, cell.i, digits)) return {}; cell.size = digits; return cell;
    case Type::Bytes: {
        if (text.size() % 2) return {};
        std::string bytes;
        for (std::size_t i = 0; i < text.size(); i += 2) {
            if (digit(text[i]) < 0 || digit(text[i + 1]) < 0) return {};
            bytes += static_cast<char>(digit(text[i]) * 16 + digit(text[i + 1]));
        }
        return arena.text(bytes, type);
    }
    default: return arena.text(text, type);
    }
}

} // namespace

std::optional<std::vector<Cell>> keyCells(const Schema& schema, std::string_view text, Batch& arena)
{
    if (schema.key.empty() || isNameWithoutKey(text) || (text.size() == 65 && text[0] == '#'))
        return std::nullopt;
    std::vector<std::string> parts;
    if (schema.key.size() == 1)
        parts.emplace_back(text);
    else {
        auto node = Node::fromJson(text);
        if (!node || !node->isList() || node->items().size() != schema.key.size())
            return std::nullopt;
        for (const Node& item : node->items()) {
            if (!item.isScalar()) return std::nullopt;
            parts.push_back(item.scalar());
        }
    }
    std::vector<Cell> out;
    for (std::size_t i = 0; i < parts.size(); ++i) {
        auto cell = cellOf(schema.columns[schema.key[i]].type, parts[i], arena);
        if (!cell) return std::nullopt;
        out.push_back(*cell);
    }
    return out;
}

std::string nameWithoutKey(const std::string& document, std::map<std::string, std::uint64_t>& seen)
{
    std::string name(withoutKey);
    name += sha256Hex(document).substr(0, 12);
    const std::uint64_t before = seen[name]++;
    return before ? name + "/" + std::to_string(before + 1) : name;
}

bool isNameWithoutKey(std::string_view parkedKey) { return parkedKey.starts_with(withoutKey); }

} // namespace millrace
