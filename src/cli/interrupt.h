// What Ctrl-C does to a command: it ends at once, with exit code 130 (SIGTERM: 143).
//
// There is nothing to save first: each step is recorded when it is done, and a command that is
// killed at any moment goes on when it is given again. Commands that serve block these signals and
// wait for them themselves (serve_commands.cc). Process-wide. Source: interfaces.md "Signals".
#pragma once

namespace holdfast::cli {

// From now on. Idempotent.
void EndOnInterrupt();

}  // namespace holdfast::cli
