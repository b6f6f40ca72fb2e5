// The part of the Logging query language that localcloud understands.
//
// Comparisons joined by AND or a line break: a field (timestamp, severity, logName, insertId,
// textPayload, labels.x, jsonPayload.x.y, resource.type), one of = != < <= > >= or ':' (contains),
// and a value, in quotes or bare. Anything else is an error, never a guess. Pure. Source: "Logging
// query language".
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace holdfast::logging {

class LogFilter {
 public:
  // Errors: kRestInvalidRequest with the term that is not understood.
  static Result<LogFilter> Parse(std::string_view text);

  // Whether a LogEntry fits. One that lacks a field fits no comparison with it but "!=".
  bool Matches(const Json& entry) const;

 private:
  struct Term {
    std::vector<std::string> path;
    std::string comparison;
    std::string value;
  };
  static bool Fits(const Term& term, const Json& entry);

  std::vector<Term> terms_;
};

// DEFAULT 0, DEBUG 100 ... EMERGENCY 800; -1 for another word.
int SeverityNumber(std::string_view name);

}  // namespace holdfast::logging
