// The manual page holdfast(1): one page with every command, in roff.
//
// Pure. Source: man-pages(7), groff_man(7).
#pragma once

#include <string>

#include "cli/command_tree.h"

namespace holdfast::cli {

// `version` goes into the footer.
std::string ManualPage(const CommandDoc& program, const std::string& version);

// Text for roff: '\' and '-' escaped, a leading '.' or ''' made harmless.
std::string RoffText(std::string_view text);

}  // namespace holdfast::cli
