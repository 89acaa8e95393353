#pragma once
#include "core/base/node.h"
#include "core/base/result.h"
#include <string>
#include <string_view>

namespace millrace {

//! Reads YAML (or JSON, its subset) into a tree with line numbers. Refused: more than 4 MB, duplicate keys, a second document, more than
//! 200 levels, and aliases that unfold to more than 100,000 nodes. Plain scalars become null, bool and number only in JSON's own forms;
//! everything else is text, so that `007`, `1e`, `yes` and `5m` stay what was written.
Result<Node> readYaml(std::string_view text);

//! Block style, small leaves in one line, quoted only where another reader would see something else. The same tree gives the same text.
std::string writeYaml(const Node& node);

} // namespace millrace
