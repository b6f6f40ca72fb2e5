#include "cli/progress.h"

#include <array>
#include <iostream>

#include "cli/output.h"

namespace holdfast::cli {

namespace {

constexpr Duration kTerminalInterval = std::chrono::milliseconds{100};
constexpr Duration kPlainInterval = std::chrono::seconds{30};
constexpr Duration kJsonInterval = std::chrono::seconds{1};

}  // namespace

std::optional<ProgressMode> FindProgressMode(std::string_view name) {
  static constexpr std::array<std::pair<std::string_view, ProgressMode>, 4> kModes = {{
      {"auto", ProgressMode::kAuto},
      {"plain", ProgressMode::kPlain},
      {"json", ProgressMode::kJson},
      {"none", ProgressMode::kNone},
  }};
  for (const auto& [text, mode] : kModes) {
    if (text == name) return mode;
  }
  return std::nullopt;
}

Progress::Progress(ProgressMode mode, bool is_terminal, Clock& clock)
    : Progress(mode, is_terminal, clock, std::cerr) {}

Progress::Progress(ProgressMode mode, bool is_terminal, Clock& clock, std::ostream& out)
    : mode_(mode),
      rewrite_(mode == ProgressMode::kAuto && is_terminal),
      clock_(clock),
      out_(out),
      started_(clock.Now()) {}

Progress::~Progress() { Clear(); }

bool Progress::IsDue() {
  const Timestamp now = clock_.Now();
  const Duration interval = rewrite_                       ? kTerminalInterval
                            : mode_ == ProgressMode::kJson ? kJsonInterval
                                                           : kPlainInterval;
  // The first line of the plain form waits too: short work says nothing.
  const Timestamp since = shown_.value_or(rewrite_ ? started_ - interval : started_);
  if (now - since < interval) return false;
  shown_ = now;
  return true;
}

void Progress::Show(const std::string& text, const Json& document) {
  if (mode_ == ProgressMode::kNone || !IsDue()) return;
  if (mode_ == ProgressMode::kJson) {
    PrintDocument(out_, Format::kJsonLines, document);
  } else if (rewrite_) {
    out_ << "\r\x1b[K" << Printable(text) << std::flush;
    line_open_ = true;
  } else {
    out_ << Printable(text) << std::endl;
  }
}

void Progress::Clear() {
  if (line_open_) out_ << "\r\x1b[K" << std::flush;
  line_open_ = false;
}

}  // namespace holdfast::cli
