// Progress of long work on stderr: a line that rewrites itself on a terminal, JSON lines or nothing
// otherwise.
//
// Source: interfaces.md "Streaming progress": on a terminal several times a second, without one a
// line every 30 s; --progress=auto|plain|json|none. One thread at a time.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/json.h"

namespace holdfast::cli {

enum class ProgressMode { kAuto, kPlain, kJson, kNone };

// By the name that --progress takes; nullopt for another.
std::optional<ProgressMode> FindProgressMode(std::string_view name);

class Progress {
 public:
  // `is_terminal`: whether `out` (stderr but in tests) is one. kAuto is a rewriting line there, a
  // line every 30 s elsewhere.
  Progress(ProgressMode mode, bool is_terminal, Clock& clock);
  Progress(ProgressMode mode, bool is_terminal, Clock& clock, std::ostream& out);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  // Shows where the work is: `text` for people, `document` for machines. Cheap to call often.
  void Show(const std::string& text, const Json& document);

  // Takes the rewriting line off the terminal.
  void Clear();

 private:
  bool IsDue();

  ProgressMode mode_;
  bool rewrite_;
  Clock& clock_;
  std::ostream& out_;
  Timestamp started_;
  std::optional<Timestamp> shown_;
  bool line_open_ = false;
};

}  // namespace holdfast::cli
