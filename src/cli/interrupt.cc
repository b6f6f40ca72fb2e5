#include "cli/interrupt.h"

#include <unistd.h>

#include <csignal>
#include <cstring>

#include "cli/command.h"

namespace holdfast::cli {

namespace {

// Takes the line of progress away, where there is one. Static: a signal handler may not allocate.
const char* interrupted_text = "";

constexpr const char* kPlainText =
    "Interrupted. What is recorded is kept; run the same command again.\n";
constexpr const char* kTerminalText =
    "\r\x1b[KInterrupted. What is recorded is kept; run the same command again.\n";

void End(int signal_number) {
  // Nothing is left to be done if stderr is gone.
  [[maybe_unused]] const ssize_t written =
      write(STDERR_FILENO, interrupted_text, std::strlen(interrupted_text));
  _exit(128 + signal_number);
}

}  // namespace

void EndOnInterrupt() {
  interrupted_text = IsTerminal() ? kTerminalText : kPlainText;
  struct sigaction action = {};
  action.sa_handler = End;
  sigemptyset(&action.sa_mask);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

}  // namespace holdfast::cli
