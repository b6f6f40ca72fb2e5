// What was typed, as the parser takes it, and what was meant when the parser refuses it.
//
// Pure. Source: interfaces.md "Flag spelling", "Booleans", "Bad value".
#pragma once

#include <CLI/CLI.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "cli/command_tree.h"

namespace holdfast::cli {

// The arguments in one spelling: "--project_id=x" → "--project-id=x", and for what is on or off
// "--no-quiet" and "--noquiet" → "--quiet=false". A flag that begins so of its own right stays, and
// so does everything after "--".
std::vector<std::string> NormalizeArguments(std::vector<std::string> arguments,
                                            const CommandDoc& program);

// Why the parser refused: an unknown command or flag with the nearest one, a missing command, or
// the parser's own words. kUsage. `app` is as the refused parse left it.
Error DiagnoseArguments(const CLI::App& app, const CommandDoc& program,
                        const CLI::ParseError& refusal);

}  // namespace holdfast::cli
