// Completion scripts for bash, zsh and fish, written from the tree of commands.
//
// A script holds all it needs, so completing runs nothing. Pure text. Source: interfaces.md
// "Completion/man".
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_tree.h"

namespace holdfast::cli {

// "bash", "zsh", "fish"
const std::vector<std::string>& CompletionShells();

// The script of one of those shells. kUsage for another.
Result<std::string> CompletionScript(const CommandDoc& program, const std::string& shell);

}  // namespace holdfast::cli
