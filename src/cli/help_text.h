// What `--help` prints: examples first, then arguments, the command's own flags, the program's.
//
// Pure: text from the tree of commands. Source: interfaces.md "Help".
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "cli/command_tree.h"

namespace holdfast::cli {

// The help of one command of `program`, which may be the program itself.
std::string HelpText(const CommandDoc& command, const CommandDoc& program);

// Heads and texts in two columns, indented by two spaces; texts wrap at 100 columns, and begin on a
// line of their own after a long head.
std::string TwoColumns(const std::vector<std::pair<std::string, std::string>>& entries);

}  // namespace holdfast::cli
